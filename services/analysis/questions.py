"""What may be asked of the risk analysis, checked field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from services.errors import InvalidInput
from services.trading.tickets import parse_ticker

MOST_TICKERS = 8
LEAST_WINDOW, DEFAULT_WINDOW, MOST_WINDOW = 5, 252, 5040
LEAST_ROLLING, DEFAULT_ROLLING, MOST_ROLLING = 10, 63, 252
LEAST_FREE, MOST_FREE = Decimal("-0.05"), Decimal("0.5")
EARLIEST = date(1900, 1, 1)
FIELDS = (
    "ticker",
    "tickers",
    "window",
    "start_date",
    "end_date",
    "rolling_window",
    "risk_free_rate",
    "portfolio",
)


@dataclass(frozen=True, slots=True)
class RiskQuestion:
    """Which tickers, over which days: the newest `window` returns, or those from `start` to `end`. `single` says that
    one ticker was asked for by itself, `portfolio` that the trader's own holdings are meant. `risk_free_rate` is a
    fraction a year.
    """

    tickers: tuple[str, ...]
    single: bool
    portfolio: bool
    window: int | None
    start: date | None
    end: date | None
    rolling: int
    risk_free_rate: float


def parse_risk(fields: Mapping[str, Any], today: date, risk_free_rate: Decimal) -> RiskQuestion:
    """The question in the fields. `today` is the market's day, `risk_free_rate` holds where none is given. Raises
    InvalidInput that names every wrong field.
    """
    reader = _Reader(fields)
    portfolio = reader.flag("portfolio")
    tickers = () if portfolio else reader.tickers()
    start, end = reader.day("start_date", today), reader.day("end_date", today)
    if start is not None and start >= (end or today):
        reader.refuse("start_date", f"must be before {end or today}")
    if start is not None and fields.get("window") is not None:
        reader.refuse("window", "must be left out when start_date is given")
    window = reader.whole("window", LEAST_WINDOW, MOST_WINDOW, DEFAULT_WINDOW) if start is None else None
    rolling = reader.whole("rolling_window", LEAST_ROLLING, MOST_ROLLING, DEFAULT_ROLLING)
    free = reader.rate("risk_free_rate", risk_free_rate)
    for name in fields:
        if name not in FIELDS:
            reader.refuse(str(name)[:40], "is not known")
    if reader.errors:
        raise InvalidInput(reader.errors)
    return RiskQuestion(tickers, "ticker" in fields, portfolio, window, start, end, rolling, free)


class _Reader:
    """Reads one field at a time and keeps what is wrong."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields
        self.errors: dict[str, list[str]] = {}

    def refuse(self, name: str, sentence: str) -> None:
        self.errors.setdefault(name, []).append(sentence)

    def flag(self, name: str) -> bool:
        value = self._fields.get(name, False)
        if not isinstance(value, bool):
            self.refuse(name, "must be true or false")
        return value is True

    def tickers(self) -> tuple[str, ...]:
        name = "ticker" if "ticker" in self._fields else "tickers"
        given = [self._fields["ticker"]] if name == "ticker" else self._fields.get("tickers")
        if name == "ticker" and "tickers" in self._fields:
            self.refuse("tickers", "must be left out when ticker is given")
        if not isinstance(given, list) or not 1 <= len(given) <= MOST_TICKERS:
            self.refuse(name, f"must be a list of 1 to {MOST_TICKERS} tickers")
            return ()
        found: dict[str, None] = {}
        for text in given:
            try:
                found[parse_ticker(text)] = None
            except ValueError as error:
                self.refuse(name, str(error))
        return tuple(found)

    def whole(self, name: str, least: int, most: int, default: int) -> int:
        value = self._fields.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.refuse(name, f"must be a whole number from {least} to {most}")
            return default
        return int(value)

    def rate(self, name: str, default: Decimal) -> float:
        value = self._fields.get(name)
        if value is None:
            return float(default)
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or not LEAST_FREE <= value <= MOST_FREE:
            self.refuse(name, f"must be a number from {LEAST_FREE} to {MOST_FREE}, a fraction a year")
            return float(default)
        return float(value)

    def day(self, name: str, today: date) -> date | None:
        value = self._fields.get(name)
        if value is None:
            return None
        try:
            day = date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
        except ValueError:
            day = None
        if day is None or not EARLIEST <= day <= today:
            self.refuse(name, f"must be a date such as {today}, not after it")
            return None
        return day
