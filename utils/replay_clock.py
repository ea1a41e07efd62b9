"""The arithmetic of the replay's clock. Pure: an anchor and the wall clock in, a market time out.

The replay strings the exchange's sessions together and leaves out nights, weekends and holidays. It moves in ticks, one
each whole wall second since the anchor, so that every caller within that second sees the same market time. A session's
last tick is its exact close, where the market is closed for one tick and the official close can be seen; the tick
after it is the next session's open.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate

from utils.market_source import Session

TICK = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class ReplayAnchor:
    """From where the clock is counted: at wall time `wall` it was `market` on the market's clock.

    `speed` is market seconds a wall second. After the wall time `alive_until` the clock stands still. All in UTC.
    """

    market: datetime
    wall: datetime
    speed: int
    alive_until: datetime

    def ticks(self, wall: datetime) -> int:
        """Whole wall seconds that the clock has run until `wall`; never negative."""
        return max(0, (min(wall, self.alive_until) - self.wall) // TICK)


class ReplayTimeline:
    """The ticks of all sessions at one speed. Immutable, so that threads may share it."""

    def __init__(self, sessions: Sequence[Session], speed: int) -> None:
        if not sessions:
            raise ValueError("a replay needs at least one session")
        self._sessions = tuple(sessions)
        self._closes = [session.closes for session in self._sessions]
        self._step = timedelta(seconds=speed)
        counts = (self._steps(session.opens, session.closes) + 1 for session in self._sessions)
        self._first_ticks = [0, *accumulate(counts)]

    def market_time(self, anchor: ReplayAnchor, wall: datetime) -> datetime:
        """The market time at `wall`. Never falls while `wall` rises; stays at the last session's close."""
        return self.advance(anchor.market, anchor.ticks(wall))

    def advance(self, moment: datetime, ticks: int) -> datetime:
        """The market time `ticks` ticks after `moment`. A moment between sessions counts as the next open."""
        index = bisect_left(self._closes, moment)
        if index == len(self._sessions):
            return self.end
        session = self._sessions[index]
        start = max(moment, session.opens)
        until_close = self._steps(start, session.closes)
        if ticks <= until_close:
            return min(start + ticks * self._step, session.closes)
        return self._at_tick(self._first_ticks[index + 1] + ticks - until_close - 1)

    def first_open(self, day: date) -> datetime:
        """When the first session on or after `day` opens. Raises ValueError when there is none."""
        for session in self._sessions:
            if session.day >= day:
                return session.opens
        raise ValueError(f"no session is recorded on or after {day}")

    @property
    def end(self) -> datetime:
        """The last session's close, where the clock stops for good."""
        return self._closes[-1]

    def _at_tick(self, tick: int) -> datetime:
        index = bisect_right(self._first_ticks, tick) - 1
        if index >= len(self._sessions):
            return self.end
        session = self._sessions[index]
        return min(session.opens + (tick - self._first_ticks[index]) * self._step, session.closes)

    def _steps(self, start: datetime, end: datetime) -> int:
        return -((start - end) // self._step)
