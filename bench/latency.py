"""How long a trader waits for a fill to show: from the answer that accepted the order to its event in the outbox.

The order must wait for a price of its own (profile strict), so acceptance, the next tick of the replay, the order
processor's pass and the reader's look all count. The outbox is where the live stream reads; it is looked at every
20 ms here.
"""

from __future__ import annotations

import json
import time
from functools import partial

from sqlalchemy import select

from bench.measures import Figures, Measure, percentile
from bench.server import Venue, running_venue
from models import AccountEvent, db

ORDERS = 100
TICK_SECONDS = 1.0
ALLOWED_BEYOND = 0.25
LOOK_EVERY = 0.02
LONGEST_WAIT = 15.0
TRADERS = 8


def fill_shows(kind: str) -> Figures:
    """The 99th percentile of the waits, against one tick and a quarter of a second."""
    with running_venue(kind, TRADERS, REALISM_PROFILE="strict") as venue:
        waits = [one_wait(venue, number) for number in range(ORDERS)]
        venue.require_clean()
    slowest = percentile(waits, 0.99)
    allowed = TICK_SECONDS + ALLOWED_BEYOND
    note = f"median {percentile(waits, 0.5) * 1000:.0f} ms, {ORDERS} orders"
    return Figures(slowest * 1000, allowed * 1000, allowed / slowest, note)


def one_wait(venue: Venue, number: int) -> float:
    """Place a market buy at an odd moment of the tick, and wait until its fill is there."""
    client = venue.client(venue.traders[number % TRADERS])
    time.sleep(number * 0.137 % 0.5)
    order = {"ticker": "AAPL", "order_type": "buy", "execution_type": "market", "quantity": 1}
    placed = client.post("/user/api/create_order", order)
    begin = time.perf_counter()
    client.close()
    while placed["order_status"] != "filled" and not is_filled(venue.traders[number % TRADERS].user_id, placed):
        assert time.perf_counter() - begin < LONGEST_WAIT, f"order {placed['order_id']} did not fill"
        time.sleep(LOOK_EVERY)
    return time.perf_counter() - begin


def is_filled(user_id: int, placed: dict[str, object]) -> bool:
    """Whether the newest event of the trader is the fill of this order."""
    query = select(AccountEvent.payload).where(AccountEvent.user_id == user_id, AccountEvent.kind == "order_filled")
    payload = db.session.execute(query.order_by(AccountEvent.event_id.desc()).limit(1)).scalar_one_or_none()
    db.session.remove()
    return payload is not None and json.loads(payload)["order_id"] == placed["order_id"]


MEASURES = (
    Measure(
        "fill_shows",
        "order accepted until its fill shows, replay at speed 60, p99 | a tick and 250 ms",
        "ms",
        1,
        partial(fill_shows, "sqlite"),
    ),
)
