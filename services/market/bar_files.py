"""Daily bars from and to CSV files. A file with a single wrong line changes nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Instrument, MarketData
from services.errors import InvalidInput
from services.market import bars as bar_store
from utils.market_source import Bar
from utils.number_utils import PRICE_LIMIT, PRICE_STEP, decimal_places, parse_decimal

COLUMNS = ("ticker", "date", "open", "high", "low", "close", "adj_close", "volume")
REQUIRED = ("date", "open", "high", "low", "close")
PRICES = ("open", "high", "low", "close", "adj_close")
LARGEST_VOLUME = 10**15
MOST_LINES = 200_000
MOST_ERRORS = 200
READ_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class LineError:
    """What is wrong with one line of a file; lines count from 1, the header included."""

    line: int
    field: str
    message: str


@dataclass(slots=True)
class BarFile:
    """A file as read: its bars, or what is wrong with it. `lines` counts those with data."""

    lines: int = 0
    bars: list[Bar] = field(default_factory=list)
    errors: list[LineError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What storing a file's bars does, or would do."""

    lines: int
    tickers: tuple[str, ...]
    new: int
    changed: int
    unchanged: int
    errors: tuple[LineError, ...]

    @property
    def ok(self) -> bool:
        return not self.errors


def read_file(text: str, *, ticker: str | None, known: Collection[str], until: date) -> BarFile:
    """Read a CSV text with a header. `ticker` is meant where the file has no such column; only `known` ones are taken,
    and only days before `until`, the market's today, since nothing may be known early. Raises InvalidInput for a text
    that is no such file at all.
    """
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    rows.fieldnames = [name.strip().lower().replace(" ", "_") for name in rows.fieldnames or []]
    missing = [name for name in REQUIRED if name not in rows.fieldnames]
    if missing:
        raise InvalidInput({"file": [f"must begin with a line of column names; {', '.join(missing)} is missing"]})
    if "ticker" not in rows.fieldnames and ticker is None:
        raise InvalidInput({"ticker": ["must be given, because the file has no such column"]})
    reader = _Reader(ticker, frozenset(known), until)
    try:
        for row in rows:
            reader.take(rows.line_num, row)
    except csv.Error as error:
        raise InvalidInput({"file": [f"cannot be read at line {rows.line_num}: {error}"]}) from error
    return reader.file


class _Reader:
    """Reads line by line and notes what is wrong."""

    def __init__(self, ticker: str | None, known: frozenset[str], until: date) -> None:
        self.file = BarFile()
        self._ticker = ticker
        self._known = known
        self._until = until
        self._seen: dict[tuple[str, date], int] = {}

    def take(self, line: int, row: Mapping[str | None, Any]) -> None:
        if not any(str(value or "").strip() for value in row.values()):
            return
        self.file.lines += 1
        if self.file.lines > MOST_LINES:
            raise InvalidInput({"file": [f"must have at most {MOST_LINES:,} lines"]})
        faults: dict[str, str] = {}
        if None in row:
            faults["line"] = "has more values than the header has names"
        bar = self._bar(row, faults)
        if bar is not None and not faults:
            self._note_twice(line, bar, faults)
        self.file.errors += [LineError(line, name, message) for name, message in faults.items()]
        if bar is not None and not faults:
            self.file.bars.append(bar)

    def _bar(self, row: Mapping[str | None, Any], faults: dict[str, str]) -> Bar | None:
        ticker = str(row.get("ticker") or self._ticker or "").strip().upper()
        if ticker not in self._known:
            faults["ticker"] = f"{ticker or 'nothing'} is not an instrument of this venue"
        day = self._day(str(row.get("date") or "").strip(), faults)
        prices = {name: _price(str(row.get(name) or "").strip(), name, faults) for name in PRICES}
        volume = _volume(str(row.get("volume") or "").strip(), faults)
        if faults or day is None:
            return None
        given = {name: price for name, price in prices.items() if price is not None}
        given.setdefault("adj_close", given["close"])
        if (
            not given["low"]
            <= min(given["open"], given["close"])
            <= max(given["open"], given["close"])
            <= given["high"]
        ):
            faults["high"] = "open and close must lie between low and high"
        return Bar(ticker=ticker, date=day, volume=volume, **given)

    def _day(self, text: str, faults: dict[str, str]) -> date | None:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            faults["date"] = f"{text or 'nothing'} is not a date such as 2008-09-02"
            return None
        if day >= self._until:
            faults["date"] = f"{day} is not over yet at this market's time"
        return day

    def _note_twice(self, line: int, bar: Bar, faults: dict[str, str]) -> None:
        first = self._seen.setdefault((bar.ticker, bar.date), line)
        if first != line:
            faults["date"] = f"{bar.ticker} has {bar.date} at line {first} already"


def _price(text: str, name: str, faults: dict[str, str]) -> Decimal | None:
    if not text and name == "adj_close":
        return None
    try:
        price = parse_decimal(text)
        if not PRICE_STEP <= price <= PRICE_LIMIT:
            raise ValueError(f"must be from {PRICE_STEP} to {PRICE_LIMIT:,}")
        if decimal_places(price) > 4:
            raise ValueError("must have at most 4 places")
    except ValueError as error:
        faults[name] = str(error)
        return None
    return price.quantize(PRICE_STEP)


def _volume(text: str, faults: dict[str, str]) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and int(text[:20]) <= LARGEST_VOLUME):
        faults["volume"] = "must be a whole number of shares"
        return 0
    return int(text)


def known_tickers(session: Session) -> set[str]:
    """Every ticker that bars may be imported for."""
    return set(session.scalars(select(Instrument.ticker)))


def compare(session: Session, file: BarFile) -> ImportReport:
    """What importing the file would do. Reads only."""
    new = changed = 0
    by_ticker: dict[str, list[Bar]] = {}
    for bar in file.bars:
        by_ticker.setdefault(bar.ticker, []).append(bar)
    for ticker, series in by_ticker.items():
        days = [bar.date for bar in series]
        stored = {bar.date: bar for bar in bar_store.daily(session, ticker, min(days), max(days))}
        there = set(session.scalars(select(MarketData.date).where(MarketData.ticker == ticker)))
        new += sum(bar.date not in there for bar in series)
        changed += sum(bar.date in there and stored.get(bar.date) != bar for bar in series)
    unchanged = len(file.bars) - new - changed
    return ImportReport(file.lines, tuple(sorted(by_ticker)), new, changed, unchanged, tuple(file.errors[:MOST_ERRORS]))


def store(session: Session, file: BarFile, now: datetime) -> ImportReport:
    """Unit: store all bars of a file without errors. Raises ValueError for one with errors."""
    if file.errors:
        raise ValueError("a file with errors is never stored")
    report = compare(session, file)
    bar_store.store(session, file.bars, now)
    return report


def exported(session: Session, ticker: str | None) -> Iterator[dict[str, Any]]:
    """The stored bars of one ticker or of all, by ticker and day, under COLUMNS. Read in parts; between them the
    session is closed, so that a slow reader holds no connection.
    """
    tickers = [ticker] if ticker else list(session.scalars(select(MarketData.ticker).distinct().order_by("ticker")))
    columns = [getattr(MarketData, name) for name in COLUMNS]
    for one in tickers:
        after = date.min
        while True:
            query = select(*columns).where(MarketData.ticker == one, MarketData.date > after)
            rows = session.execute(query.order_by(MarketData.date).limit(READ_AT_ONCE)).all()
            session.close()
            yield from (dict(zip(COLUMNS, row, strict=True)) for row in rows)
            if len(rows) < READ_AT_ONCE:
                break
            after = rows[-1].date
