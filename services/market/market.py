"""The market as trading, pages and tasks see it: a clock, hours and the newest quotes, all from memory.

`Market` is what everybody asks. `VenueMarket` is the one in the application: it exists from the first moment, in the
state "starting", and is brought to life by tasks/market_feed.py with the book of the chosen source.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from services.errors import Unavailable
from services.market.demand import Demand
from services.market.hours import TradingHours
from utils.datetime_utils import Clock, utc_now
from utils.market_source import Bar, IntradayBar, Quote, Session, SourceName

MarketState = Literal["open", "closed", "ended", "starting"]


@dataclass(frozen=True, slots=True)
class MarketStatus:
    """What every page says of the market. Names and times are None while it is starting. `message` is for people."""

    source_name: SourceName | None
    now: datetime | None
    state: MarketState
    speed: int
    newest_quote_time: datetime | None
    message: str


class Market(Protocol):
    """The market at its own now. Quotes come from memory: no call here touches a network or the database."""

    @property
    def source_name(self) -> SourceName: ...

    def now(self) -> datetime:
        """The market clock, UTC. In the replay it moves by ticks: a fresh quote's provider_time is exactly now()."""
        ...

    def quote(self, ticker: str) -> Quote | None:
        """The newest known quote."""
        ...

    def quotes(self, tickers: Iterable[str]) -> dict[str, Quote]:
        """The newest known quotes; a ticker without one is left out."""
        ...

    def is_open(self, moment: datetime | None = None) -> bool:
        """Whether the regular session runs at the moment, or now. A session's close is outside it."""
        ...

    def session_at(self, moment: datetime) -> Session | None:
        """The session that contains the moment."""
        ...

    def next_session(self, moment: datetime) -> Session | None:
        """The first session that opens after the moment."""
        ...

    def ended(self) -> bool:
        """Whether the replay's data have ended, so that the market is closed for good."""
        ...

    def status(self) -> MarketStatus:
        """What every page says of the market."""
        ...


class ChartMarket(Market, Protocol):
    """A market that also knows the course of its newest days, and can be told what somebody looks for."""

    def look_for(self, text: str) -> None:
        """Let the feed look for instruments by this text, so that a later search may know more. Returns at once."""
        ...

    def latest_session(self, moment: datetime) -> Session | None:
        """The newest session that has opened by the moment, still open or not."""
        ...

    def today(self, ticker: str) -> Bar | None:
        """The bar so far of the newest session that has opened; None when unknown."""
        ...

    def intraday(self, ticker: str, days: int) -> list[IntradayBar]:
        """Five-minute bars of the last `days` sessions as far as they are known, oldest first."""
        ...


class PriceBook(Protocol):
    """Where VenueMarket finds prices in memory: services/market/books.py has one for each source."""

    @property
    def name(self) -> SourceName: ...

    def quotes(self, tickers: Iterable[str]) -> dict[str, Quote]: ...

    def today(self, ticker: str) -> Bar | None: ...

    def intraday(self, ticker: str, days: int) -> list[IntradayBar]: ...

    def newest_time(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class _Running:
    """All that a running market consists of, replaced in one assignment, so that no reader sees half of it."""

    book: PriceBook
    hours: TradingHours
    clock: Clock
    speed: int
    ends: datetime | None


class VenueMarket:
    """The application's market. Readers on many threads; only the feed calls the methods that change it."""

    def __init__(self, wall_clock: Clock = utc_now) -> None:
        self.demand = Demand(wall_clock)
        self._running: _Running | None = None
        self._trouble = ""

    def run(
        self, book: PriceBook, hours: TradingHours, clock: Clock, speed: int = 1, ends: datetime | None = None
    ) -> None:
        """Open for business. `ends` is when the data end for good; None for a live market."""
        self._running = _Running(book, hours, clock, speed, ends)

    def say(self, trouble: str) -> None:
        """Set the sentence about a trouble that the status shows; "" when there is none."""
        self._trouble = trouble

    @property
    def started(self) -> bool:
        return self._running is not None

    @property
    def source_name(self) -> SourceName:
        return self._need().book.name

    def now(self) -> datetime:
        """As Market says. Raises Unavailable while the market is starting, because nobody knows its time then."""
        return self._need().clock()

    def quote(self, ticker: str) -> Quote | None:
        return self.quotes((ticker,)).get(ticker)

    def quotes(self, tickers: Iterable[str]) -> dict[str, Quote]:
        wanted = tuple(tickers)
        self.demand.ask(wanted)
        return self._running.book.quotes(wanted) if self._running else {}

    def is_open(self, moment: datetime | None = None) -> bool:
        running = self._running
        return running is not None and running.hours.is_open(running.clock() if moment is None else moment)

    def session_at(self, moment: datetime) -> Session | None:
        return self._running.hours.session_at(moment) if self._running else None

    def latest_session(self, moment: datetime) -> Session | None:
        return self._running.hours.latest_session(moment) if self._running else None

    def next_session(self, moment: datetime) -> Session | None:
        return self._running.hours.next_session(moment) if self._running else None

    def ended(self) -> bool:
        running = self._running
        return running is not None and running.ends is not None and running.clock() >= running.ends

    def look_for(self, text: str) -> None:
        self.demand.ask_search(text)

    def today(self, ticker: str) -> Bar | None:
        return self._running.book.today(ticker) if self._running else None

    def intraday(self, ticker: str, days: int) -> list[IntradayBar]:
        self.demand.ask_intraday(ticker)
        return self._running.book.intraday(ticker, days) if self._running else []

    def status(self) -> MarketStatus:
        running = self._running
        if running is None:
            return MarketStatus(None, None, "starting", 1, None, self._trouble or "The market is starting.")
        return MarketStatus(
            source_name=running.book.name,
            now=running.clock(),
            state=self._state(),
            speed=running.speed,
            newest_quote_time=running.book.newest_time(),
            message=self._trouble or self._message(running),
        )

    def _state(self) -> MarketState:
        if self.ended():
            return "ended"
        return "open" if self.is_open() else "closed"

    def _message(self, running: _Running) -> str:
        if self.ended():
            return "The recorded prices have ended: this market is closed for good."
        if running.book.name == "replay":
            return f"Recorded prices of the past, replayed {running.speed} times as fast."
        return "Live prices by Yahoo Finance."

    def _need(self) -> _Running:
        if self._running is None:
            raise Unavailable(
                self._trouble or "The market is starting. Please try again in a moment.", code="MARKET_STARTING"
            )
        return self._running
