"""The replay's clock as it is kept: one stored anchor, read by every process, moved by the one that feeds.

The row is a promise: market time never passes the market time at `alive_until`. The feeding process moves that mark
ahead while it lives. After a crash the mark is above every market time anybody has seen, so the clock goes on from
there and never back; after a clean stop it is the exact moment of the stop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import update
from sqlalchemy.orm import Session as DatabaseSession

from models import MarketClock
from utils.datetime_utils import Clock
from utils.market_source import Session
from utils.replay_market import ReplayAnchor, ReplayTimeline

AHEAD = timedelta(seconds=15)
KEEP_EVERY = timedelta(seconds=5)
ONLY_ROW = 1


class ReplayClock:
    """The market clock of a running replay: call it for the market's now. Safe for many threads; never goes back."""

    def __init__(self, sessions: Sequence[Session], anchor: ReplayAnchor, wall_clock: Clock) -> None:
        self._sessions = tuple(sessions)
        self._wall_clock = wall_clock
        self._lock = Lock()
        self._state = (ReplayTimeline(self._sessions, anchor.speed), anchor)
        self._highest = anchor.market

    def __call__(self) -> datetime:
        timeline, anchor = self._state
        moment = timeline.market_time(anchor, self._wall_clock())
        with self._lock:
            self._highest = max(self._highest, moment)
            return self._highest

    @property
    def anchor(self) -> ReplayAnchor:
        return self._state[1]

    @property
    def end(self) -> datetime:
        """When the recorded data end for good."""
        return self._sessions[-1].closes

    def follow(self, anchor: ReplayAnchor) -> None:
        """Go by this anchor from now on."""
        timeline, current = self._state
        if anchor.speed != current.speed:
            timeline = ReplayTimeline(self._sessions, anchor.speed)
        self._state = (timeline, anchor)


def read_clock(session: DatabaseSession) -> ReplayAnchor | None:
    """The stored anchor; None before the replay's first start."""
    row = session.get(MarketClock, ONLY_ROW, populate_existing=True)
    return None if row is None else ReplayAnchor(row.market_anchor, row.wall_anchor, row.speed, row.alive_until)


def keep_clock(
    session: DatabaseSession, sessions: Sequence[Session], first: datetime, speed: int, wall: datetime
) -> ReplayAnchor:
    """Unit: see to it that the clock runs from now on, at `speed`, for AHEAD, and answer its anchor.

    The first call starts it at market time `first`. A clock that has stood still since alive_until goes on from where
    it stood. Another process that moved it at the same time wins: its anchor is answered.
    """
    anchor = read_clock(session)
    if anchor is None:
        return _insert(session, ReplayAnchor(first, wall, speed, wall + AHEAD))
    kept = next_anchor(anchor, ReplayTimeline(sessions, anchor.speed), speed, wall)
    if not _replace(session, anchor, kept):
        return read_clock(session) or kept
    return kept


def next_anchor(anchor: ReplayAnchor, timeline: ReplayTimeline, speed: int, wall: datetime) -> ReplayAnchor:
    """The anchor that keeps the clock running from `wall`. Pure. `timeline` goes by the old anchor's speed.

    It is a new anchor when the clock has stood still, when the speed changes, and when the wall clock was set back by
    more than the time we keep ahead; then the clock goes on from its highest mark instead of waiting for hours.
    """
    set_back = wall < anchor.wall or wall + 2 * AHEAD < anchor.alive_until
    if wall <= anchor.alive_until and not set_back and speed == anchor.speed:
        return replace(anchor, alive_until=max(anchor.alive_until, wall + AHEAD))
    market = timeline.market_time(anchor, anchor.alive_until if set_back else wall)
    return ReplayAnchor(market, wall, speed, wall + AHEAD)


def stop_clock(session: DatabaseSession, wall: datetime) -> None:
    """Unit: stop the clock at this very moment, so that the next start goes on exactly here."""
    session.execute(
        update(MarketClock)
        .where(MarketClock.clock_id == ONLY_ROW, MarketClock.alive_until > wall)
        .values(alive_until=wall)
    )


def _insert(session: DatabaseSession, anchor: ReplayAnchor) -> ReplayAnchor:
    session.add(
        MarketClock(
            clock_id=ONLY_ROW,
            market_anchor=anchor.market,
            wall_anchor=anchor.wall,
            speed=anchor.speed,
            alive_until=anchor.alive_until,
        )
    )
    return anchor


def _replace(session: DatabaseSession, old: ReplayAnchor, new: ReplayAnchor) -> bool:
    """Guarded by the whole old anchor: MySQL counts changed rows only, but `new` always differs in alive_until."""
    changed = session.connection().execute(
        update(MarketClock)
        .where(
            MarketClock.clock_id == ONLY_ROW,
            MarketClock.market_anchor == old.market,
            MarketClock.wall_anchor == old.wall,
            MarketClock.alive_until == old.alive_until,
        )
        .values(market_anchor=new.market, wall_anchor=new.wall, speed=new.speed, alive_until=new.alive_until)
    )
    return changed.rowcount == 1
