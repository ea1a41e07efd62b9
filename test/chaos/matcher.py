"""An order processor in a process of its own, for the tests of two: `python -m chaos.matcher TASK DATABASE_URL`.

It says what it does in lines of JSON and goes on at a line from its parent. Its market stands at one price; the market
clock tells which epoch of the lease it worked under, so that every fill carries that number in its market_time.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from flask import Flask

from chaos.waiting import pause
from config import Config
from fake_market import NOON, FakeClock, FakeMarket
from models import db, init_db
from services.trading import lease, matching
from services.trading.lease import LeaseLost
from services.trading.matching import BatchReport
from services.trading.order_book import BookEntry
from services.transaction import run_unit
from tasks import order_processor
from tasks.order_processor import OrderProcessor
from utils.market_source import Quote

PRICE = "89.00"
BATCH = 5
IDLE_SECONDS = 0.05  # after each batch of a leader, so that it is paused inside a transaction only now and then
LEASE_LENGTH = timedelta(seconds=1)
RENEW_AFTER = timedelta(milliseconds=300)


class EpochClock(FakeClock):
    """Noon, and as many microseconds as the epoch has."""

    processor: OrderProcessor | None = None

    def __call__(self) -> datetime:
        tenure = self.processor and self.processor._tenure
        return NOON + timedelta(microseconds=tenure.epoch if tenure else 0)


def epoch_of(market_time: datetime) -> int:
    """Which epoch a fill was booked under; 0 without a lease."""
    return (market_time - NOON) // timedelta(microseconds=1)


def say(**figures: Any) -> None:
    print(json.dumps(figures), flush=True)  # noqa: T201 - the parent reads it


def wait_for_parent() -> None:
    if not sys.stdin.readline():
        sys.exit("the parent is gone")


def fill_all_without_lease(app: Flask, market: FakeMarket, config: Config, backwards: bool) -> None:
    """Fill every open order, batch by batch, as if there were nobody else."""
    quotes = market.quotes(["AAPL"])
    batches = matching.batches(matching.read_open_orders(db.session()), BATCH)
    db.session.remove()
    say(ready=len(batches))
    wait_for_parent()
    fills = 0
    for batch in reversed(batches) if backwards else batches:
        fills += run_unit(matching.fill_batch, batch, quotes, market=market, config=config).fills
    say(fills=fills)


def lead_until_told(app: Flask, market: FakeMarket, config: Config) -> None:
    """Passes as in life, until no order is open; the lease decides who may fill."""
    processor = _processor(app, market, config)
    say(ready=True)
    wait_for_parent()
    while _orders_are_open():
        processor._guarded_pass()
    processor._hand_back()
    say(done=True)


def sleep_before_filling(app: Flask, market: FakeMarket, config: Config) -> None:
    """Take the lease and read the orders; fill them only when the parent says so, whoever leads by then."""
    processor = _processor(app, market, config)
    assert processor.hold_lease()
    processor.top_up()
    say(ready=len(processor.book))
    wait_for_parent()
    try:
        say(fills=processor.fill_reached())
    except LeaseLost:
        say(lost=True)


def _processor(app: Flask, market: FakeMarket, config: Config) -> OrderProcessor:
    """With a lease so short that a test need not wait for it."""
    lease.acquire = partial(lease.acquire, length=LEASE_LENGTH)  # type: ignore[assignment]
    order_processor.RENEW_AFTER = RENEW_AFTER
    matching.BATCH_SIZE = BATCH
    matching.batches.__defaults__ = (BATCH,)
    processor = SlowProcessor(app, market, config, interval=0.01)
    market.clock.processor = processor  # type: ignore[attr-defined]
    return processor


class SlowProcessor(OrderProcessor):
    """Takes a breath after each batch."""

    def _run_batch(self, batch: Sequence[BookEntry], quotes: dict[str, Quote]) -> BatchReport:
        report = super()._run_batch(batch, quotes)
        pause(IDLE_SECONDS)
        return report


def _orders_are_open() -> bool:
    still_open = bool(matching.read_open_orders(db.session()))
    db.session.remove()
    return still_open


TASKS: dict[str, Callable[[Flask, FakeMarket, Config], None]] = {
    "forwards": partial(fill_all_without_lease, backwards=False),
    "backwards": partial(fill_all_without_lease, backwards=True),
    "lead": lead_until_told,
    "sleep": sleep_before_filling,
}


def main() -> None:
    task, url = sys.argv[1:]
    config = Config.from_environment({"DATABASE_URL": url})
    app = Flask("matcher")
    app.extensions["config"] = config
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    init_db(app)
    market = FakeMarket(EpochClock())
    market.set_quote("AAPL", PRICE, provider_time=NOON)
    with app.app_context():
        TASKS[task](app, market, config)
        db.engine.dispose()


if __name__ == "__main__":
    main()
