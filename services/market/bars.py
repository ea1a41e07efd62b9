"""Bars: kept in the table market_data, and answered by period for the charts.

The table holds finished days only. The day that still runs comes from the market itself, so nothing can look ahead.
"""

from __future__ import annotations

import json
import logging
from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import BigInteger, Double, String, func, insert, or_, select, type_coerce, update
from sqlalchemy.orm import Session

from models import Instrument, MarketData
from services.errors import InvalidInput
from services.market.hours import exchange_day
from services.market.market import ChartMarket
from utils.datetime_utils import iso_utc
from utils.market_source import Bar, IntradayBar

INTRADAY_DAYS = {"1d": 1, "5d": 5}
MONTHS = {"1mo": 1, "3mo": 3, "6mo": 6, "1y": 12, "2y": 24, "5y": 60}
PERIODS = (*INTRADAY_DAYS, *MONTHS, "max")
CHUNK = 2_000
# The last stored days are asked for again with the missing ones: a source may still have corrected them, and they show
# whether it adjusted the whole past anew.
ASKED_AGAIN = timedelta(days=10)
ROUNDING = Decimal("0.0002")

UNITS_A_DOLLAR = 10_000.0  # of a Price on SQLite
_OHLC = (MarketData.open, MarketData.high, MarketData.low, MarketData.close)

Row = dict[str, Any]

logger = logging.getLogger(__name__)


def daily(session: Session, ticker: str, start: date, end: date) -> list[Bar]:
    """Stored daily bars with start <= date <= end, oldest first. Days with a gap in their prices are left out."""
    query = (
        select(*MarketData.__table__.columns)
        .where(MarketData.ticker == ticker, MarketData.date >= start, MarketData.date <= end)
        .order_by(MarketData.date)
    )
    return [
        Bar(row.ticker, row.date, row.open, row.high, row.low, row.close, row.adj_close or row.close, row.volume or 0)
        for row in session.execute(query)
        if None not in (row.open, row.high, row.low, row.close)
    ]


def history(session: Session, market: ChartMarket, ticker: str, period: str) -> list[Row]:
    """The rows of a chart, oldest first, ending at the market's now. Empty when nothing is known (yet).

    1d and 5d: five-minute rows of the last sessions (time, open, high, low, close, volume). The others: daily rows
    (date, open, high, low, close, adj_close, volume), the running day included. Raises InvalidInput for other periods.
    """
    if period in INTRADAY_DAYS:
        return [_intraday_row(bar) for bar in market.intraday(ticker, INTRADAY_DAYS[period])]
    today = exchange_day(market.now())
    rows = stored_rows(session, ticker, start_of(period, today), today)
    running = running_row(market, ticker, rows[-1]["date"] if rows else "")
    return [*rows, running] if running else rows


def running_row(market: ChartMarket, ticker: str, newest: str) -> Row | None:
    """The row of the day that still runs; None when the newest stored day is that one already."""
    running = market.today(ticker)
    return _daily_row(running) if running is not None and running.date.isoformat() > newest else None


def stored_rows(session: Session, ticker: str, start: date, end: date) -> list[Row]:
    """The daily rows of a chart with prices as plain numbers, as the driver has them: making thousands of Decimals
    and dates only to write them down as numbers and texts again would take many times as long.
    """
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    number: Any = BigInteger() if on_sqlite else Double()
    prices: list[Any] = [
        type_coerce(column, number) for column in (*_OHLC, func.coalesce(MarketData.adj_close, MarketData.close))
    ]
    query = (
        select(type_coerce(MarketData.date, String), *prices, func.coalesce(MarketData.volume, 0))
        .where(MarketData.ticker == ticker, MarketData.date.between(start, end), *(one.is_not(None) for one in _OHLC))
        .order_by(MarketData.date)
    )
    units = UNITS_A_DOLLAR if on_sqlite else 1.0
    result = session.connection().execute(query)
    found: Sequence[Any] = result.cursor.fetchall() if result.cursor is not None else ()
    result.close()
    return [
        {
            "date": str(day),
            "open": float(first) / units,
            "high": float(high) / units,
            "low": float(low) / units,
            "close": float(close) / units,
            "adj_close": float(adjusted) / units,
            "volume": int(volume),
        }
        for day, first, high, low, close, adjusted, volume in found
    ]


def as_json(rows: Sequence[Row]) -> str:
    """A chart's rows as a JSON list; the prices of intraday ones are Decimals."""
    return json.dumps(rows, default=float, allow_nan=False, separators=(",", ":"))


def start_of(period: str, today: date) -> date:
    """The first day of a period that ends today."""
    if period == "max":
        return date.min
    if period not in MONTHS:
        raise InvalidInput({"period": [f"must be one of {', '.join(PERIODS)}"]})
    years, month = divmod(today.year * 12 + today.month - 1 - MONTHS[period], 12)
    return date(years, month + 1, min(today.day, monthrange(years, month + 1)[1]))


def newest_days(session: Session) -> dict[str, date]:
    """The day of each ticker's newest stored bar."""
    query = select(MarketData.ticker, func.max(MarketData.date)).group_by(MarketData.ticker)
    return {ticker: newest for ticker, newest in session.execute(query)}  # noqa: C416 - a Row is no pair for the type checker


def missing_from(session: Session, ticker: str, oldest: date) -> date:
    """The day from which on a ticker's bars have to be asked for: `oldest` while none are stored."""
    newest = session.scalar(select(func.max(MarketData.date)).where(MarketData.ticker == ticker))
    return oldest if newest is None else max(oldest, newest - ASKED_AGAIN)


def adjusted_anew(session: Session, fetched: Sequence[Bar]) -> bool:
    """Whether the source tells other closes of stored days than before: after a dividend or split it adjusts every day
    before, so that the missing days alone would not fit to the stored ones.
    """
    if not fetched:
        return False
    known = {bar.date: bar for bar in daily(session, fetched[0].ticker, fetched[0].date, fetched[-1].date)}
    pairs = [(known[bar.date], bar) for bar in fetched if bar.date in known]
    return any(
        abs(old.adj_close - new.adj_close) > ROUNDING or abs(old.close - new.close) > ROUNDING for old, new in pairs
    )


def store(session: Session, bars: Iterable[Bar], collected_at: datetime) -> int:
    """Unit: take in bars, replace those that changed, and answer how many rows were written. Nothing else writes the
    table, so that `Instrument.bars_version` tells whether a ticker's bars are the same as before.
    """
    ordered = sorted(bars, key=lambda bar: (bar.ticker, bar.date))
    written = 0
    for ticker, series in groupby(ordered, key=lambda bar: bar.ticker):
        written += _store_ticker(session, ticker, list(series), collected_at)
    return written


def _store_ticker(session: Session, ticker: str, bars: Sequence[Bar], collected_at: datetime) -> int:
    stored = {bar.date: bar for bar in daily(session, ticker, bars[0].date, bars[-1].date)}
    days = set(_stored_days(session, ticker))
    new = [_columns(bar, collected_at) for bar in bars if bar.date not in days]
    changed = [_columns(bar, collected_at) for bar in bars if bar.date in days and stored.get(bar.date) != bar]
    for start in range(0, len(new), CHUNK):
        session.execute(insert(MarketData), new[start : start + CHUNK])
    if changed:
        session.execute(update(MarketData), changed)
        revised = sorted(row["date"] for row in changed)
        logger.info(
            "market data: %d stored bars of %s revised, %s to %s", len(changed), ticker, revised[0], revised[-1]
        )
    if new or changed:
        newer = Instrument.bars_version + 1
        session.execute(update(Instrument).where(Instrument.ticker == ticker).values(bars_version=newer))
    return len(new) + len(changed)


def _stored_days(session: Session, ticker: str) -> Iterable[date]:
    return session.scalars(select(MarketData.date).where(MarketData.ticker == ticker))


def mark_refreshed(session: Session, ticker: str, wall: datetime) -> None:
    """Unit: remember when a ticker's bars were last fetched."""
    session.execute(update(Instrument).where(Instrument.ticker == ticker).values(bars_refreshed_at=wall))


def due_tickers(session: Session, before: datetime) -> list[str]:
    """Instruments whose bars were never fetched, or last before the given wall time; listed ones first."""
    fetched = Instrument.bars_refreshed_at
    query = select(Instrument.ticker).where(or_(fetched.is_(None), fetched < before))
    return list(session.scalars(query.order_by(Instrument.listed.desc(), Instrument.ticker)))


def _columns(bar: Bar, collected_at: datetime) -> Row:
    return {"ticker": bar.ticker, "date": bar.date, **_prices(bar), "data_collected_at": collected_at}


def _daily_row(bar: Bar) -> Row:
    """A row of a chart, in plain numbers as the stored ones are."""
    prices = {name: float(price) for name, price in _prices(bar).items()}
    return {"date": bar.date.isoformat(), **prices, "volume": bar.volume}


def _prices(bar: Bar) -> Row:
    return {
        "open": bar.open,
        "high": bar.high,
        "low": bar.low,
        "close": bar.close,
        "adj_close": bar.adj_close,
        "volume": bar.volume,
    }


def _intraday_row(bar: IntradayBar) -> Row:
    return {
        "time": iso_utc(bar.time),
        "open": bar.open,
        "high": bar.high,
        "low": bar.low,
        "close": bar.close,
        "volume": bar.volume,
    }
