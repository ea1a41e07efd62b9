"""A circuit breaker: after repeated failures it stops asking for a while, so that a dead upstream costs nothing.

Pure: the time is passed in. Closed, everything passes. Open, nothing does until the pause is over. Then half open: one
try passes, whose success closes it and whose failure opens it again for twice as long.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

BreakerState = Literal["closed", "open", "half_open"]


@dataclass(slots=True)
class CircuitBreaker:
    """Opens after `threshold` failures in a row, or at once when told to, first for `first_pause`, then twice as long
    each time, at most `longest_pause`. Threads that share one guard it by a lock.
    """

    threshold: int = 3
    first_pause: timedelta = timedelta(seconds=30)
    longest_pause: timedelta = timedelta(minutes=10)
    failures: int = 0
    opened: int = 0
    open_until: datetime | None = None

    def state(self, now: datetime) -> BreakerState:
        """What would happen to a request now."""
        if self.open_until is None:
            return "closed"
        return "open" if now < self.open_until else "half_open"

    def allows(self, now: datetime) -> bool:
        """Whether a request may be made now."""
        return self.state(now) != "open"

    def succeeded(self) -> None:
        """The upstream answered: forget all failures."""
        self.failures = self.opened = 0
        self.open_until = None

    def failed(self, now: datetime, at_once: bool = False) -> None:
        """The upstream did not answer. `at_once`: it asked us to slow down, so do not count first. A failure while it
        is open belongs to a request from before: it tells nothing new, so it makes no pause longer.
        """
        self.failures += 1
        if self.state(now) == "open":
            return
        if at_once or self.failures >= self.threshold or self.open_until is not None:
            self.open_until = now + min(self.first_pause * 2**self.opened, self.longest_pause)
            self.opened = min(self.opened + 1, 30)
