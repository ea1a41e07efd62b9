"""The order processor's step that takes a snapshot of all accounts when a session has closed."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta

from models import db
from services.accounts import snapshots
from services.market.market import ChartMarket
from services.trading.lease import Tenure
from services.transaction import run_unit
from utils.datetime_utils import Clock

PATIENCE = timedelta(minutes=10)  # how long (wall clock) it waits for the closes of a day

logger = logging.getLogger(__name__)


class SnapshotStep:
    """One session a pass, oldest first, so that catching up after a long rest keeps no order waiting."""

    def __init__(self, market: ChartMarket, clock: Clock) -> None:
        self._market = market
        self._clock = clock
        self._done: date | None = None  # nothing is due up to this day
        self._taken: date | None = None  # the last one taken, perhaps of no account
        self._waiting_since: datetime | None = None

    def run(self, tenure: Tenure | None) -> int:
        """Take the snapshot that is due. Answers how many accounts it has. Only looks into memory when none is due.
        Raises LeaseLost.
        """
        newest = snapshots.newest_closed(self._market, self._market.now())
        if newest is None or newest.day == self._done:
            return 0
        session = db.session()
        due = snapshots.next_due(session, self._market, newest, self._taken)
        closing = snapshots.at_close(session, self._market, due) if due is not None else None
        db.session.remove()
        if closing is None:
            self._done = newest.day
            return 0
        if closing.unpriced and closing.day == newest.day and not self._waited_enough():
            return 0
        stored = run_unit(snapshots.store, closing, self._clock(), tenure)
        self._taken, self._waiting_since = closing.day, None
        logger.info("snapshot of %s: %d accounts", closing.day, stored)
        return stored

    def _waited_enough(self) -> bool:
        """Prices of the day may still come; after a while older ones must do."""
        now = self._clock()
        self._waiting_since = self._waiting_since or now
        return now - self._waiting_since >= PATIENCE
