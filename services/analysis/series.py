"""Stored daily bars as arrays: one read a request, whatever the number of tickers and years.

Returns are made from adjusted closes, so that splits and dividends are no losses. Only finished days count: the day
that still runs has no close yet, and its return would look calmer or wilder than it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Instrument
from services.analysis.bar_reader import Days, Floats, as_days, dollars, read_bars, read_closes
from services.errors import NotFound, Refused
from services.market import instruments
from services.market.hours import exchange_day
from services.market.market import Market

MOST_SUGGESTIONS = 5


@dataclass(frozen=True, slots=True)
class Series:
    """Adjusted closes of one ticker, oldest first, as dollars of today's shares."""

    ticker: str
    days: Days
    prices: Floats

    def __len__(self) -> int:
        return len(self.days)

    def last(self, count: int) -> Series:
        """The newest `count` days."""
        return Series(self.ticker, self.days[-count:], self.prices[-count:])

    @property
    def last_day(self) -> date:
        newest: date = self.days[-1].item()
        return newest


@dataclass(frozen=True, slots=True)
class Table:
    """Whole bars of one ticker, oldest first; open to close as traded, volume in shares. `dates` are the days in ISO
    form, which the database has at hand.
    """

    dates: list[str]
    days: Days
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


def finished_until(market: Market) -> date:
    """The newest day whose bar can be finished: today when no session runs, else the day before."""
    now = market.now()
    today = exchange_day(now)
    return today if market.session_at(now) is None else today - timedelta(days=1)


def require_known(session: Session, ticker: str) -> Instrument:
    """The instrument. Raises NotFound with tickers that may have been meant."""
    found = instruments.find(session, ticker)
    if found is None:
        raise NotFound(
            f"{ticker} is not known here.",
            code="UNKNOWN_TICKER",
            details={"ticker": ticker, "suggestions": suggestions(session, ticker)},
        )
    return found


def suggestions(session: Session, ticker: str) -> list[str]:
    """Known tickers that look like it, or whose company's name holds it."""
    known = list(session.scalars(select(Instrument.ticker).order_by(Instrument.ticker)))
    alike = get_close_matches(ticker, known, MOST_SUGGESTIONS, 0.5)
    named = [row.ticker for row in instruments.search(session, ticker, MOST_SUGGESTIONS)]
    return list(dict.fromkeys([*alike, *named]))[:MOST_SUGGESTIONS]


def too_few(ticker: str, there: int, needed: int) -> Refused:
    """The refusal of what cannot be computed from so few bars."""
    return Refused(
        f"{ticker} has {there} finished daily bars here, and {needed} are needed.",
        code="TOO_FEW_BARS",
        details={"ticker": ticker, "bars": there, "needed": needed},
    )


def adjusted_closes(session: Session, tickers: Sequence[str], start: date, end: date) -> dict[str, Series]:
    """The series of the tickers from `start` to `end`; an empty one where nothing is stored."""
    names, days, prices = read_closes(session, tickers, start, end)
    found = {}
    for ticker, piece in _pieces(names, tickers).items():
        found[ticker] = Series(ticker, as_days(days[piece]), dollars(session, prices[piece]))
    return found


def bars(session: Session, ticker: str, end: date) -> Table:
    """All whole bars of a ticker up to `end`."""
    days, *prices, volume = read_bars(session, ticker, date.min, end)
    first, high, low, close = (dollars(session, column) for column in prices)
    return Table([str(day) for day in days], as_days(days), first, high, low, close, np.array(volume, np.float64))


def on_common_days(series: Sequence[Series]) -> tuple[Days, Floats]:
    """The days that all have, and a column of prices for each."""
    days = series[0].days
    for other in series[1:]:
        if len(other.days) != len(days) or (other.days != days).any():
            days = np.intersect1d(days, other.days, assume_unique=True)
    columns = [one.prices[np.searchsorted(one.days, days)] for one in series]
    return days, np.column_stack(columns)


def _pieces(names: Sequence[str], tickers: Sequence[str]) -> dict[str, slice]:
    """Where each ticker's rows stand; they are sorted by ticker."""
    ordered = np.array(names, str)
    return {
        ticker: slice(int(np.searchsorted(ordered, ticker)), int(np.searchsorted(ordered, ticker, "right")))
        for ticker in tickers
    }
