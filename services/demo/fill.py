"""Fills a venue with traders and their history, batch by batch, through the same steps that real ones take.

The history ends with the newest stored bar. In a replay the days of the wall clock stand for trading days, one each; on
live prices both clocks are the same.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import Config
from models import User
from services.accounts import snapshots
from services.demo import money
from services.demo.orders import Moment, Stage, trade
from services.demo.past import PastMarket
from services.transaction import run_unit
from utils.market_source import Session as TradingSession

BATCH = 400
MOST_SNAPSHOTS = 100_000  # more are left to the order processor, which takes one session a pass when it starts
RECENT = 0.9  # From this part of the history on some orders and requests are left open.
HERE_FROM_THE_START = 0.6


@dataclass(frozen=True, slots=True)
class Size:
    """How large the venue becomes. Starting cash counts as requests as far as they suffice."""

    users: int
    orders: int
    requests: int


Report = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class _Slot:
    """A part of the history: of one session from `begins` to `ends` (0 to 1), and where in the history it ends."""

    step: int
    begins: float
    ends: float
    done: float

    def due(self, total: int) -> int:
        """How many of so many things have happened by its end."""
        return math.floor(total * self.done + 1e-9)


def fill_venue(
    size: Size,
    past: PastMarket,
    *,
    config: Config,
    admin_id: int,
    password_hash: str,
    wall_time: datetime,
    report: Report,
    seed: int = 1,
) -> None:
    """Make the venue, many units one after another. `report` hears of each batch: users, requests or orders, and how
    many there are by now. `wall_time` is now.
    """
    filling = _Filling(size, past, config, admin_id, password_hash, wall_time, report, random.Random(seed))
    for slot in filling.slots():
        filling.step(slot)
    filling.finish()
    if size.users * len(past.sessions) <= MOST_SNAPSHOTS:
        _take_snapshots(past, wall_time)


def _take_snapshots(past: PastMarket, wall_time: datetime) -> None:
    """The new accounts at each session's close. A server that already runs looks for missing ones only when its next
    session closes.
    """
    for session in past.sessions:
        run_unit(_take_snapshot, past, session, wall_time)


def _take_snapshot(session: Session, past: PastMarket, closed: TradingSession, wall_time: datetime) -> None:
    snapshots.store(session, snapshots.at_close(session, past, closed), wall_time)


class _Filling:
    """One run of the filling, and how far it is."""

    def __init__(
        self,
        size: Size,
        past: PastMarket,
        config: Config,
        admin_id: int,
        password_hash: str,
        wall_time: datetime,
        report: Report,
        chance: random.Random,
    ) -> None:
        self._size = size
        self._past = past
        self._stage = Stage(past, config, admin_id, chance)
        self._password_hash = password_hash
        self._ends = wall_time - timedelta(minutes=5)
        self._report = report
        self._users: list[int] = []
        self._requests = 0
        self._orders = 0
        self._first_number = run_unit(_next_number)

    def slots(self) -> Iterator[_Slot]:
        """The history in parts that each hold a batch or less, oldest first."""
        steps = len(self._past.sessions)
        batches = max(self._size.orders, self._size.requests) / BATCH
        parts = max(math.ceil(batches / steps), 1)
        for number in range(steps * parts):
            step, part = divmod(number, parts)
            yield _Slot(step, part / parts, (part + 1) / parts, (number + 1) / (steps * parts))

    def step(self, slot: _Slot) -> None:
        """What happens in one part: people join, ask for money, and trade."""
        self._join(slot)
        self._ask(slot, slot.due(self._size.requests))
        self._trade(slot, slot.due(self._size.orders))

    def finish(self) -> None:
        """Those who could not pay for an order leave some over: others place them at the end."""
        last = _Slot(len(self._past.sessions) - 1, 1.0, 1.0, 1.0)
        for _ in range(20):
            if self._orders < self._size.orders:
                self._trade(last, self._size.orders)

    def _join(self, slot: _Slot) -> None:
        due = math.ceil(self._size.users * (HERE_FROM_THE_START + (1 - HERE_FROM_THE_START) * slot.done))
        while len(self._users) < due:
            count = min(due - len(self._users), BATCH)
            left = min(self._size.requests, self._size.users) - self._requests_for_joining()
            numbers = run_unit(
                money.join,
                self._stage,
                self._first_number + len(self._users),
                count,
                self._password_hash,
                self._moment(slot, 0.0),
                min(max(left, 0), count),
            )
            self._requests += min(max(left, 0), count)
            self._users += numbers
            self._report("users", len(self._users))
            self._report("requests", self._requests)

    def _requests_for_joining(self) -> int:
        return min(len(self._users), self._size.requests)

    def _ask(self, slot: _Slot, due: int) -> None:
        # Those still to come need a request each for their starting cash.
        kept = max(min(self._size.requests, self._size.users) - len(self._users), 0)
        for wanted in self._batches(slot, min(due, self._size.requests - kept) - self._requests, 0.1, 0.4):
            self._requests += run_unit(money.ask, self._stage, wanted, slot.done > RECENT)
            self._report("requests", self._requests)

    def _trade(self, slot: _Slot, due: int) -> None:
        for wanted in self._batches(slot, due - self._orders, 0.5, 0.9):
            self._orders += run_unit(trade, self._stage, wanted, slot.done > RECENT)
            self._report("orders", self._orders)

    def _batches(self, slot: _Slot, count: int, first: float, last: float) -> Iterator[list[tuple[int, Moment]]]:
        """Traders drawn by lot, none twice in a batch, at moments between two shares of the slot."""
        done = 0
        while done < count:
            size = min(count - done, BATCH, len(self._users))
            chosen = self._stage.chance.sample(self._users, size)
            shares = [first + (last - first) * (done + number) / count for number in range(size)]
            yield [(user_id, self._moment(slot, share)) for user_id, share in zip(chosen, shares, strict=True)]
            done += size

    def _moment(self, slot: _Slot, share: float) -> Moment:
        """The moment at this share of the slot."""
        of_session = slot.begins + (slot.ends - slot.begins) * share
        session = self._past.sessions[slot.step]
        if self._past.source_name == "replay":
            wall = self._ends - timedelta(days=len(self._past.sessions) - slot.step - of_session)
        else:
            wall = self._past.stand_at(session, of_session)
        return Moment(wall, session, of_session)


def _next_number(session: Session) -> int:
    """The number that the next trader's name carries: above every trader's, so that none of them has it."""
    newest: int | None = session.execute(select(func.max(User.user_id))).scalar_one()
    return (newest or 0) + 1
