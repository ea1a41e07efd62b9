"""The feed of the replay: keeps its clock alive, and lets a day's bars into the table once the day is over."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from sqlalchemy.orm import Session as DatabaseSession

from config import ROOT
from models import db
from services.market import bars as bar_store
from services.market import instruments, refresh
from services.market.books import ReplayBook
from services.market.clock import AHEAD, KEEP_EVERY, ReplayClock, keep_clock, read_clock, stop_clock
from services.market.hours import TradingHours, recorded_sessions
from services.market.market import VenueMarket
from services.transaction import run_unit
from utils.datetime_utils import Clock
from utils.market_source import Bar, Session
from utils.replay_market import ReplayAnchor, ReplaySource, ReplayTimeline, load_bars

RECORDED_BARS = ROOT / "data" / "daily_bars_2000_2013.csv.gz"

logger = logging.getLogger(__name__)


class ReplaySteps:
    """The steps of the replay's feed. With `feeds` it moves the stored clock and fills the tables; without, it only
    follows the clock that another process moves. Quotes need neither: every process computes the same ones.
    """

    pause = 0.5

    def __init__(
        self,
        market: VenueMarket,
        start: date,
        speed: int,
        feeds: bool,
        wall_clock: Clock,
        recorded: Path = RECORDED_BARS,
    ) -> None:
        self._market = market
        self._start = start
        self._speed = speed
        self._feeds = feeds
        self._wall = wall_clock
        self._recorded = recorded
        self._bars: Mapping[str, Sequence[Bar]] = {}
        self._hours = TradingHours(())
        self._clock: ReplayClock | None = None
        self._stored: tuple[Session | None, Session | None] | None = None

    def prepare(self) -> bool:
        """Load the recorded market and open it at its clock. False while the clock has not been started yet."""
        self._bars = self._bars or load_bars(self._recorded)
        self._hours = TradingHours(recorded_sessions(bar.date for bars in self._bars.values() for bar in bars))
        if self._feeds:
            self._store_past(self._first_moment())
        anchor = self._keep() if self._feeds else self._read()
        if anchor is None:
            return False
        clock = ReplayClock(self._hours.sessions, anchor, self._wall)
        source = ReplaySource(self._bars, self._hours.sessions, clock, tick=anchor.speed)
        self._clock = clock
        self._market.run(ReplayBook(source), self._hours, clock, anchor.speed, clock.end)
        logger.info("the replay runs, market time %s, speed %d", clock().isoformat(), anchor.speed)
        return True

    def step(self) -> None:
        """Keep or follow the clock, and store the days that are over."""
        clock = self._opened()
        if not self._feeds:
            clock.follow(self._read() or clock.anchor)
        elif self._keeping_is_due(clock.anchor):
            clock.follow(self._keep())
        if self._feeds:
            self._store_past(clock())
            self.fetch_wanted()

    def fetch_wanted(self) -> None:
        """Store the recorded bars anew of the next ticker that an admin wants, if there is one."""
        with DatabaseSession(db.engine) as session:
            ticker = refresh.next_ticker(session)
        if ticker is None:
            return
        wall, over = self._wall(), self._hours.closed_session(self._opened()())
        if ticker not in self._bars:
            run_unit(refresh.note_failure, ticker, f"no days of {ticker} are recorded", wall)
            return
        past = [bar for bar in self._bars[ticker] if over is not None and bar.date <= over.day]
        written = run_unit(_store_anew, ticker, past, wall)
        logger.info("market data: %d of %d bars of %s stored anew", written, len(past), ticker)

    def cancel(self) -> None:
        """Nothing here ever waits for a network."""

    def close(self) -> None:
        """Stop the clock at this very moment, so that the next start goes on exactly here."""
        if self._feeds and self._clock is not None:
            wall = self._wall()
            self._clock.follow(replace(self._clock.anchor, alive_until=wall))
            run_unit(stop_clock, wall)

    def _opened(self) -> ReplayClock:
        if self._clock is None:
            raise RuntimeError("prepare() has not opened the replay")
        return self._clock

    def _keeping_is_due(self, anchor: ReplayAnchor) -> bool:
        left = anchor.alive_until - self._wall()
        return not AHEAD - KEEP_EVERY <= left <= AHEAD

    def _keep(self) -> ReplayAnchor:
        sessions = self._hours.sessions
        first = ReplayTimeline(sessions, self._speed).first_open(self._start)
        return run_unit(keep_clock, sessions, first, self._speed, self._wall())

    def _read(self) -> ReplayAnchor | None:
        with DatabaseSession(db.engine) as session:
            return read_clock(session)

    def _first_moment(self) -> datetime:
        """The market time from which the clock will go on."""
        anchor = self._read()
        if anchor is None:
            return ReplayTimeline(self._hours.sessions, self._speed).first_open(self._start)
        return ReplayTimeline(self._hours.sessions, anchor.speed).market_time(anchor, self._wall())

    def _store_past(self, now: datetime) -> None:
        """Store every bar whose session has closed by `now`, and every instrument that exists by then."""
        begun, over = self._hours.latest_session(now), self._hours.closed_session(now)
        if (begun, over) == self._stored:
            return
        known = ReplaySource(self._bars, self._hours.sessions, lambda: now).instruments()
        run_unit(instruments.store, known, True)
        if over is not None:
            self._store_bars(over.day)
        self._stored = (begun, over)

    def _store_bars(self, until: date) -> None:
        with DatabaseSession(db.engine) as session:
            newest = bar_store.newest_days(session)
        every = (bar for series in self._bars.values() for bar in series)
        past = [bar for bar in every if newest.get(bar.ticker, date.min) < bar.date <= until]
        written = run_unit(bar_store.store, past, self._wall())
        logger.info("market data: %d bars stored, until %s", written, until)


def _store_anew(session: DatabaseSession, ticker: str, past: Sequence[Bar], wall: datetime) -> int:
    """Unit: the bars of one ticker, and when that was."""
    written = bar_store.store(session, past, wall)
    bar_store.mark_refreshed(session, ticker, wall)
    return written
