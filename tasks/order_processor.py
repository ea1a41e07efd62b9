"""The order processor: fills resting orders in the background when the price gets there.

A list of small steps, and a loop without logic. It keeps the resting orders in memory and asks the database only for
new ones; the database decides about every fill. Many processes may run one: the lease lets a single one work at a
time, and its epoch is checked inside every batch.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from config import Config
from models import db
from services.errors import Unavailable
from services.market.market import ChartMarket
from services.trading import lease, matching
from services.trading.lease import LeaseLost, Tenure
from services.trading.matching import BatchReport
from services.trading.order_book import BookEntry, OrderBook
from services.trading.prices import unusable_because
from services.trading.rules import read_rules
from services.trading.sessions import session_state
from services.transaction import run_unit
from tasks.snapshot_step import SnapshotStep
from utils.datetime_utils import Clock, utc_now
from utils.market_source import Quote

if TYPE_CHECKING:
    from flask import Flask

LEASE_NAME = "order_processor"
RENEW_AFTER = timedelta(seconds=5)
# Row numbers are handed out before their transactions commit, so a lower number may appear after a higher one. The book
# therefore reads again from the newest number that it saw this long ago.
LATE_COMMIT = timedelta(seconds=60)
LATE_NUMBERS = 1000  # how far below the newest number it reads again before that time has passed once
RECONCILE_AFTER = timedelta(seconds=60)
PARKED_FOR = timedelta(seconds=60)
LOOK_EVERY = 0.05  # seconds between looks for a newer price
STOP_SECONDS = 8.0

logger = logging.getLogger(__name__)


class OrderProcessor:
    """One order processor. `run_pass` does everything once; `start` runs it in a thread at every new price,
    and every `interval` seconds without one.
    """

    def __init__(
        self, app: Flask, market: ChartMarket, config: Config, interval: float, clock: Clock = utc_now
    ) -> None:
        self.book = OrderBook()
        self._config = config
        self.last_pass: datetime | None = None
        self._app = app
        self._market = market
        self._interval = interval
        self._clock = clock
        self._holder = f"{socket.gethostname()[:20]}:{os.getpid()}:{uuid4().hex[:8]}"
        self._tenure: Tenure | None = None
        self._renewed_at: datetime | None = None
        self._reconciled_at: datetime | None = None
        self._seen: deque[tuple[datetime, int]] = deque()
        self._parked: dict[int, datetime] = {}
        self._snapshots = SnapshotStep(market, clock)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="order-processor", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    @property
    def leads(self) -> bool:
        """Whether this one held the lease at its last pass."""
        return self._tenure is not None

    def start(self) -> None:
        """Begin the passes in a thread of their own."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the running pass, hand back the lease and end the thread."""
        self._stopping.set()
        if self.alive:
            self._thread.join(STOP_SECONDS)

    def run_until_stopped(self) -> None:
        """Run the passes in the calling thread, for a process of its own."""
        self._loop()

    def run_pass(self) -> int:
        """Do every step once, in an application context. Returns how many fills were booked."""
        fills = 0
        try:
            if self.hold_lease():
                fills = self._work()
        except LeaseLost:
            # It ends the whole pass: what is left of it, run without a tenure, would ask for no epoch at all.
            logger.warning("the lease of the order processor was lost; another process has it")
            self._forget()
            self._tenure = None
        self.last_pass = self._clock()
        return fills

    def _work(self) -> int:
        """The steps that only the holder of the lease may do."""
        self.top_up()
        self.reconcile()
        # A market that is starting has neither time nor prices yet.
        if self._market.status().state == "starting":
            return 0
        self.expire_due()
        fills = self.fill_reached()
        self.keep_peaks()
        self.take_snapshots()
        return fills

    def hold_lease(self) -> bool:
        """Renew or take the lease. A new tenure begins with an empty book, so that it is read afresh."""
        now = self._clock()
        if self._tenure and self._renewed_at and now - self._renewed_at < RENEW_AFTER:
            return True
        tenure = run_unit(lease.acquire, LEASE_NAME, self._holder)
        if tenure != self._tenure:
            self._forget()
        self._tenure, self._renewed_at = tenure, now
        return tenure is not None

    def top_up(self) -> None:
        """Add the orders that came since the last pass; at first, all open ones."""
        now = self._clock()
        floor = self._floor(now)
        entries = matching.read_open_orders(db.session(), newer_than=floor)
        db.session.remove()
        for entry in entries:
            if entry.order_id not in self._parked:
                self.book.add(entry)
        newest = max([floor, *(entry.order_id for entry in entries)])
        if not self._seen:
            self._seen.append((now - LATE_COMMIT, max(0, newest - LATE_NUMBERS)))
        self._seen.append((now, newest))

    def reconcile(self) -> None:
        """Once a minute compare the book with the database, tell what differs, and mend the book."""
        now = self._clock()
        if self._reconciled_at is not None and now - self._reconciled_at < RECONCILE_AFTER:
            return
        self._parked = {order_id: until for order_id, until in self._parked.items() if until > now}
        entries = {entry.order_id: entry for entry in matching.read_open_orders(db.session())}
        db.session.remove()
        held = self.book.order_ids()
        for order_id in held - entries.keys():
            self.book.remove(order_id)
        for order_id in sorted(entries.keys() - held - self._parked.keys()):
            logger.info("order %d was open but not in the book; it is now", order_id)
            self.book.add(entries[order_id])
        self._reconciled_at = now

    def expire_due(self) -> None:
        """End the orders whose time in force is over."""
        due = matching.read_expired(db.session(), self._market.now())
        db.session.remove()
        if due:
            for order_id in run_unit(matching.expire_batch, due, market=self._market, tenure=self._tenure):
                self.book.remove(order_id)

    def keep_peaks(self) -> None:
        """Store how far trailing stops have followed the market."""
        peaks = self.book.moved_peaks()
        owners = {one.user_id for one in map(self.book.get, peaks) if one is not None}
        if peaks and owners:
            run_unit(matching.raise_peaks, peaks, owners, market=self._market, tenure=self._tenure)

    def take_snapshots(self) -> None:
        """Once a session has closed, store what every account was worth then."""
        self._snapshots.run(self._tenure)

    def fill_reached(self) -> int:
        """Fill the orders that the current prices reach, in batches. Returns how many fills were booked.
        Raises LeaseLost.
        """
        now = self._market.now()
        rules = read_rules(db.session(), self._config)
        db.session.remove()
        if session_state(self._market, now) == "closed" and not rules.any_hours:
            return 0
        quotes = self._market.quotes(self.book.tickers())
        usable = {
            ticker: quote
            for ticker, quote in quotes.items()
            if rules.any_hours or unusable_because(quote, now, rules.profile) is None
        }
        reached = [entry for ticker, quote in usable.items() for entry in self.book.triggered(ticker, quote)]
        return sum(self._fill(batch, usable) for batch in matching.batches(reached))

    def _fill(self, batch: Sequence[BookEntry], quotes: dict[str, Quote]) -> int:
        try:
            report = self._run_batch(batch, quotes)
        except (LeaseLost, Unavailable):
            raise
        except Exception:
            # Whatever is wrong with one order of the batch must neither stop the others nor the loop.
            logger.exception("a batch of %d orders failed", len(batch))
            return self._park(batch[0]) if len(batch) == 1 else sum(self._fill([entry], quotes) for entry in batch)
        for entry in report.still_open:
            self.book.remove(entry.order_id)
            self.book.add(entry)
        return report.fills

    def _run_batch(self, batch: Sequence[BookEntry], quotes: dict[str, Quote]) -> BatchReport:
        return run_unit(
            matching.fill_batch, batch, quotes, market=self._market, config=self._config, tenure=self._tenure
        )

    def _park(self, entry: BookEntry) -> int:
        logger.error("order %d is set aside for %s", entry.order_id, PARKED_FOR)
        self._parked[entry.order_id] = self._clock() + PARKED_FOR
        return 0

    def _forget(self) -> None:
        self.book = OrderBook()
        self._seen.clear()
        self._reconciled_at = None

    def _floor(self, now: datetime) -> int:
        while len(self._seen) > 1 and self._seen[1][0] <= now - LATE_COMMIT:
            self._seen.popleft()
        return self._seen[0][1] if self._seen else 0

    def _loop(self) -> None:
        while not self._stopping.is_set():
            seen = self._newest_price()
            with self._app.app_context():
                self._guarded_pass()
            self._await_price(seen)
        with self._app.app_context():
            self._hand_back()

    def _await_price(self, seen: datetime | None) -> None:
        """Rest until there is a newer price than the one `seen` before the last pass, at most for the interval."""
        rests = max(1, round(self._interval / LOOK_EVERY))
        for _ in range(rests):
            if self._stopping.wait(min(LOOK_EVERY, self._interval)) or self._newest_price() != seen:
                return

    def _newest_price(self) -> datetime | None:
        """When the newest price was made. Only looks into memory."""
        return self._market.status().newest_quote_time

    def _guarded_pass(self) -> None:
        try:
            self.run_pass()
        except Exception:
            # The thread must outlive whatever a pass meets, above all a database that is away for a while.
            logger.exception("a pass of the order processor failed")
            self._forget()
            self._tenure = None

    def _hand_back(self) -> None:
        if self._tenure is None:
            return
        try:
            run_unit(lease.give_back, self._tenure, self._holder)
        except Exception:
            # The lease runs out by itself; stopping must not fail because the database is away.
            logger.exception("the lease of the order processor could not be handed back")


def start_order_processor(app: Flask) -> OrderProcessor:
    """Start the order processor of this process, on the application's market."""
    processor = OrderProcessor(app, app.extensions["market"], app.extensions["config"], processor_interval(app))
    processor.start()
    return processor


def processor_interval(app: Flask) -> float:
    """Seconds between passes: ORDER_CHECK_INTERVAL, but at most one in the replay, whose price moves every second."""
    interval: float = app.extensions["config"].order_check_interval
    return min(interval, 1.0) if app.extensions["config"].market_source != "yfinance" else interval
