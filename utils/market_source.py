"""What every market source speaks: quotes, bars, sessions and instruments, and the protocol of a source.

Two sources implement the protocol: `stock_data.YahooSource` (live) and `replay_market.ReplaySource` (recorded).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Protocol

SourceName = Literal["yfinance", "replay"]


class MarketSourceError(Exception):
    """The upstream did not answer, refused, or answered nonsense. Carries a sentence for people."""


class RateLimited(MarketSourceError):
    """The upstream asked us to slow down (HTTP 429)."""


class UnknownTicker(MarketSourceError):
    """The upstream does not know this ticker, or knows no bars of it yet."""


@dataclass(frozen=True, slots=True)
class Session:
    """One trading day of the exchange. `opens` and `closes` are aware times in UTC."""

    day: date
    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True)
class Quote:
    """The market of one ticker at one moment, in dollars per share.

    `provider_time` is the provider's own time (UTC), never ours; a quote without one is for display and fills nothing.
    `delay` is by how many seconds the provider says its prices lag. `volume` is the day's volume so far, in shares;
    `traded` the part of it since the price update before, None when nobody knows.
    """

    ticker: str
    last: Decimal
    bid: Decimal | None
    ask: Decimal | None
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    previous_close: Decimal | None
    volume: int | None
    provider_time: datetime | None
    delay: int
    source: str
    traded: int | None = None

    @property
    def change(self) -> Decimal | None:
        """Last price minus the previous close, in dollars."""
        return None if self.previous_close is None else self.last - self.previous_close

    @property
    def change_percent(self) -> Decimal | None:
        """The change in percent of the previous close, rounded to four places."""
        if self.change is None or not self.previous_close:
            return None
        return (self.change / self.previous_close * 100).quantize(Decimal("0.0001"))


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of one ticker. Prices as traded (unadjusted); `adj_close` is adjusted for splits and dividends."""

    ticker: str
    date: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    adj_close: Decimal
    volume: int


@dataclass(frozen=True, slots=True)
class IntradayBar:
    """A part of a day, beginning at `time` (UTC)."""

    ticker: str
    time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


@dataclass(frozen=True, slots=True)
class InstrumentInfo:
    """What a source knows of an instrument. `tradable` is false for an index, which is only a benchmark."""

    ticker: str
    name: str
    exchange: str
    tradable: bool


@dataclass(frozen=True, slots=True)
class Statement:
    """One reported period of one company: `figures` by column name of its table; None where nothing is reported."""

    ticker: str
    date: date
    figures: dict[str, Decimal | int | None]


class MarketSource(Protocol):
    """Where prices come from. Every call but `now` may take time and may raise MarketSourceError: never call one
    inside a request that trades, nor inside a transaction.
    """

    @property
    def name(self) -> SourceName: ...

    def now(self) -> datetime:
        """The market clock (UTC). Live it is the wall clock; in the replay a time in the recorded past."""
        ...

    def quotes(self, tickers: Iterable[str]) -> dict[str, Quote]:
        """Current quotes of the tickers it could get, in one batch; a ticker without an answer is left out."""
        ...

    def daily_bars(self, ticker: str, start: date, end: date) -> list[Bar]:
        """Daily bars with start <= date <= end, oldest first, never beyond the market's now."""
        ...

    def intraday_bars(self, ticker: str, days: int) -> list[IntradayBar]:
        """Five-minute bars of the last `days` sessions, oldest first, never beyond the market's now."""
        ...

    def search(self, text: str, limit: int) -> list[InstrumentInfo]:
        """Instruments whose ticker or name matches."""
        ...

    def instrument(self, ticker: str) -> InstrumentInfo:
        """What is known of one ticker. Raises UnknownTicker."""
        ...

    def fundamentals(self, ticker: str) -> Statement | None:
        """Key metrics (columns of fundamental_data), or None where the source has none."""
        ...

    def balance_sheets(self, ticker: str) -> Sequence[Statement]:
        """Reported balance sheets, newest first; empty where the source has none."""
        ...

    def income_statements(self, ticker: str) -> Sequence[Statement]:
        """Reported income statements, newest first; empty where the source has none."""
        ...
