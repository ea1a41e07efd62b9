"""The feed of live prices: asks Yahoo in the background, one job at a time, so that no page ever has to.

Quotes come first, as often as their freshness needs. Between two rounds of quotes one other job may be done: looking up
an instrument, fetching bars, the course of a day or reported figures. A circuit breaker stands before all of them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy.orm import Session as DatabaseSession

from models import BalanceSheet, FundamentalData, IncomeStatement, db
from services.market import bars, figures, instruments, quotes, refresh, source_status, wanted
from services.market.books import LiveBook
from services.market.hours import TradingHours, exchange_day, live_sessions
from services.market.market import VenueMarket
from services.market.source_status import SourceFailure
from services.transaction import run_unit
from utils.circuit_breaker import CircuitBreaker
from utils.datetime_utils import Clock
from utils.market_source import Bar, MarketSource, MarketSourceError, RateLimited, UnknownTicker

QUOTES_EVERY_OPEN = timedelta(seconds=10)
QUOTES_EVERY_CLOSED = timedelta(minutes=5)
INTRADAY_EVERY = timedelta(minutes=1)
INTRADAY_DAYS = 5
BARS_KEPT = timedelta(days=20 * 365)
BARS_AFTER_CLOSE = timedelta(minutes=20)
FIGURES_EVERY = timedelta(days=1)
RETRY_AFTER = timedelta(minutes=30)
HOURS_AHEAD = timedelta(days=60)
MOST_REMEMBERED = 1_000
OVERLAP = timedelta(seconds=5)

Answer = TypeVar("Answer")
Job = tuple[str, str]

logger = logging.getLogger(__name__)


class LiveSteps:
    """The steps of the live feed. With `feeds` it asks the source and writes; without, it reads what another wrote."""

    pause = 1.0

    def __init__(
        self, market: VenueMarket, source: MarketSource, listed: tuple[str, ...], feeds: bool, wall_clock: Clock
    ) -> None:
        self.breaker = CircuitBreaker()
        self.book = LiveBook()
        self._market = market
        self._source = source
        self._listed = listed
        self._feeds = feeds
        self._wall = wall_clock
        self._hours = TradingHours(())
        self._quotes_at: datetime | None = None
        self._read_at: datetime | None = None
        self._tried: dict[Job, datetime] = {}
        self._held: dict[str, str] = {}
        self._newest_failure = "the price source did not answer"

    def prepare(self) -> bool:
        """Load the exchange's hours, list the instruments, and open the market with the quotes of last time."""
        self._renew_hours()
        if self._feeds:
            run_unit(instruments.list_at_start, self._listed)
        self._read_quotes()
        self._market.run(self.book, self._hours, self._wall)
        return True

    def step(self) -> None:
        """Whatever is due: quotes, or else one other job."""
        now = self._wall()
        if not self._hours.reach_until(now + HOURS_AHEAD):
            self._renew_hours()
            self._market.run(self.book, self._hours, self._wall)
        if not self._feeds:
            self._read_quotes()
        elif not self.breaker.allows(now):
            return
        elif self._quotes_are_due(now):
            self._refresh_quotes(now)
        else:
            self._do_one_job(now)
        self._tell()

    def cancel(self) -> None:
        """Let no further request begin."""
        stop = getattr(self._source, "cancel", None)
        if stop is not None:
            stop()

    def close(self) -> None:
        """Nothing to put in order: the market's clock is the wall clock."""

    def fetch_wanted(self) -> None:
        """Fetch the bars of the next ticker that an admin wants anew, if there is one."""
        with DatabaseSession(db.engine) as session:
            ticker = refresh.next_ticker(session)
        if ticker is None:
            return
        self._fetch_bars(ticker)
        with DatabaseSession(db.engine) as session:
            failed = refresh.next_ticker(session) == ticker
        if failed:
            run_unit(refresh.note_failure, ticker, self._newest_failure, self._wall())

    # Quotes.

    def _quotes_are_due(self, now: datetime) -> bool:
        if self._quotes_at is None or self._newly_wanted():
            return True
        every = QUOTES_EVERY_OPEN if self._hours.is_open(now) else QUOTES_EVERY_CLOSED
        return now >= self._quotes_at + every

    def _newly_wanted(self) -> bool:
        """Whether somebody asked for a known ticker that has no quote yet and was not tried lately."""
        missing = [ticker for ticker in self._market.demand.tickers() if ticker not in self.book.everything()]
        return any(self._may_try("quote", ticker) for ticker in self._known(missing))

    def _refresh_quotes(self, now: datetime) -> None:
        self._quotes_at = now
        tickers = self._wanted_tickers()
        fresh = self._ask(self._source.quotes, tickers)
        if fresh is None:
            return
        for ticker in tickers:
            self._tried["quote", ticker] = now
        if not fresh and tickers:
            self.breaker.failed(now)
        good, held = quotes.believable(fresh, self.book.everything(), now)
        self._warn_of(held)
        self.book.put(good)
        run_unit(quotes.store, list(self.book.quotes(good).values()), now)

    def _wanted_tickers(self) -> list[str]:
        with DatabaseSession(db.engine) as session:
            needed = wanted.needed_tickers(session)
        return list(dict.fromkeys([*needed, *self._known(self._market.demand.tickers())]))

    def _warn_of(self, held: dict[str, str]) -> None:
        for ticker, reason in held.items():
            if self._held.get(ticker) != reason:
                logger.warning("a quote of %s is held back: %s", ticker, reason)
        self._held = held

    def _read_quotes(self) -> None:
        """Take over the quotes that were stored since the last look, with some overlap for slow commits."""
        now = self._wall()
        with DatabaseSession(db.engine) as session:
            stored = quotes.read(session, self.book.name, self._read_at and self._read_at - OVERLAP)
        self._read_at = now
        self.book.put(stored)

    # One other job between two rounds of quotes.

    def _do_one_job(self, now: datetime) -> None:
        self._forget(now)
        finders = (
            self._unknown_asked,
            self._searched,
            self._intraday_due,
            self._bars_wanted,
            self._bars_due,
            self._nameless,
            self._figures_due,
        )
        for find in finders:
            job = find(now)
            if job is not None:
                self._tried[job] = now
                self._do(job)
                return

    def _do(self, job: Job) -> None:
        kind, subject = job
        {
            "instrument": self._fetch_instrument,
            "search": self._fetch_search,
            "bars": self._fetch_bars,
            "wanted": lambda _ticker: self.fetch_wanted(),
            "intraday": self._fetch_intraday,
            "figures": self._fetch_figures,
        }[kind](subject)

    def _unknown_asked(self, _now: datetime) -> Job | None:
        asked = self._market.demand.tickers()
        known = self._known(asked)
        return self._first("instrument", [ticker for ticker in asked if ticker not in known])

    def _nameless(self, _now: datetime) -> Job | None:
        with DatabaseSession(db.engine) as session:
            nameless = instruments.nameless(session)
        return self._first("instrument", nameless)

    def _searched(self, _now: datetime) -> Job | None:
        text = self._market.demand.take_search()
        return None if text is None else self._first("search", [text])

    def _bars_wanted(self, _now: datetime) -> Job | None:
        with DatabaseSession(db.engine) as session:
            ticker = refresh.next_ticker(session)
        return None if ticker is None else ("wanted", ticker)

    def _bars_due(self, now: datetime) -> Job | None:
        settled = self._hours.closed_session(now - BARS_AFTER_CLOSE)
        with DatabaseSession(db.engine) as session:
            due = bars.due_tickers(session, settled.closes + BARS_AFTER_CLOSE if settled else now)
        return self._first("bars", due)

    def _intraday_due(self, _now: datetime) -> Job | None:
        asked = self._known(self._market.demand.intraday_tickers())
        return self._first("intraday", asked, INTRADAY_EVERY)

    def _figures_due(self, now: datetime) -> Job | None:
        with DatabaseSession(db.engine) as session:
            needed = wanted.needed_tickers(session)
            collected = figures.newest_collection(session)
        oldest = now - FIGURES_EVERY
        return self._first("figures", [ticker for ticker in needed if collected.get(ticker, oldest) <= oldest])

    def _fetch_instrument(self, ticker: str) -> None:
        info = self._ask(self._source.instrument, ticker)
        if info is not None:
            run_unit(instruments.store, [info], False)

    def _fetch_search(self, text: str) -> None:
        found = self._ask(self._source.search, text, 10)
        if found:
            run_unit(instruments.store, found, False)

    def _fetch_bars(self, ticker: str) -> None:
        """The missing days; everything when nothing is stored, or when the source adjusted the past anew."""
        now = self._wall()
        today = exchange_day(now)
        oldest = today - BARS_KEPT
        with DatabaseSession(db.engine) as session:
            start = bars.missing_from(session, ticker, oldest)
        fetched = self._ask(self._source.daily_bars, ticker, start, today)
        if fetched and start > oldest and self._is_adjusted_anew(fetched):
            logger.info("market data: the past of %s was adjusted anew and is fetched whole", ticker)
            fetched = self._ask(self._source.daily_bars, ticker, oldest, today)
        if fetched is None:
            return
        running = self._hours.session_at(now)
        over = [bar for bar in fetched if running is None or bar.date < running.day]
        run_unit(_store_bars, ticker, over, now)
        logger.info("market data: %d bars of %s fetched", len(over), ticker)

    @staticmethod
    def _is_adjusted_anew(fetched: list[Bar]) -> bool:
        with DatabaseSession(db.engine) as session:
            return bars.adjusted_anew(session, fetched)

    def _fetch_intraday(self, ticker: str) -> None:
        fetched = self._ask(self._source.intraday_bars, ticker, INTRADAY_DAYS)
        if fetched is not None:
            self.book.put_intraday(ticker, fetched)

    def _fetch_figures(self, ticker: str) -> None:
        now = self._wall()
        key_figures = self._ask(self._source.fundamentals, ticker)
        sheets = self._ask(self._source.balance_sheets, ticker) or []
        incomes = self._ask(self._source.income_statements, ticker) or []
        if key_figures is not None:
            run_unit(figures.store, FundamentalData, [key_figures], now)
        run_unit(figures.store, BalanceSheet, sheets, now)
        run_unit(figures.store, IncomeStatement, incomes, now)

    # What the jobs share.

    def _ask(self, request: Callable[..., Answer], *arguments: Any) -> Answer | None:
        """Ask the source and tell the breaker how it went. None when there is no answer."""
        if not self.breaker.allows(self._wall()):
            return None
        try:
            answer = request(*arguments)
        except UnknownTicker as error:
            self._succeeded()  # it does answer
            self._newest_failure = str(error)
            logger.info("%s", error)
            return None
        except MarketSourceError as error:
            self.breaker.failed(self._wall(), at_once=isinstance(error, RateLimited))
            self._note(request, error)
            logger.warning("%s", error)
            return None
        self._succeeded()
        return answer

    def _succeeded(self) -> None:
        was_well = self.breaker.failures == 0
        self.breaker.succeeded()
        if not was_well:
            run_unit(source_status.note, self.breaker, None, self._wall())

    def _note(self, request: Callable[..., Any], error: MarketSourceError) -> None:
        """Keep a failure for the admins to see."""
        self._newest_failure = str(error)
        now, what = self._wall(), getattr(request, "__name__", "request").replace("_", " ")
        run_unit(source_status.note, self.breaker, SourceFailure(now, what, str(error)), now)

    def _tell(self) -> None:
        """Let the pages know when the source is in trouble."""
        troubled = self._feeds and self.breaker.failures > 0
        self._market.say("Yahoo Finance does not answer at the moment: prices may be old." if troubled else "")

    def _forget(self, now: datetime) -> None:
        """Tickers and texts that people made up must not pile up for ever."""
        if len(self._tried) > MOST_REMEMBERED:
            self._tried = {job: at for job, at in self._tried.items() if now < at + RETRY_AFTER}

    def _first(self, kind: str, subjects: list[str], again_after: timedelta = RETRY_AFTER) -> Job | None:
        return next(((kind, subject) for subject in subjects if self._may_try(kind, subject, again_after)), None)

    def _may_try(self, kind: str, subject: str, again_after: timedelta = RETRY_AFTER) -> bool:
        last = self._tried.get((kind, subject))
        return last is None or self._wall() >= last + again_after

    def _known(self, tickers: list[str]) -> list[str]:
        """Those of the tickers whose instruments the venue knows."""
        if not tickers:
            return []
        with DatabaseSession(db.engine) as session:
            known = wanted.known_tickers(session)
        return [ticker for ticker in tickers if ticker in known]

    def _renew_hours(self) -> None:
        self._hours = TradingHours(live_sessions(exchange_day(self._wall())))


def _store_bars(session: DatabaseSession, ticker: str, fetched: list[Any], now: datetime) -> None:
    """Unit: the bars of one ticker, and when they were fetched."""
    bars.store(session, fetched, now)
    bars.mark_refreshed(session, ticker, now)
