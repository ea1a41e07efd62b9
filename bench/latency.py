"""How long a trader waits for a fill to show: from the answer that accepted the order to its event on the live stream.

The order must wait for a price of its own (profile strict), so acceptance, the next tick of the replay, the order
processor's pass, the hub's look and the stream itself all count.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.client import HTTPConnection, HTTPResponse

from bench.measures import Figures, Measure, percentile
from bench.server import Trader, Venue, running_venue

ORDERS = 100
TICK_SECONDS = 1.0
ALLOWED_BEYOND = 0.25
LONGEST_WAIT = 15.0
TRADERS = 8


def fill_shows(kind: str) -> Figures:
    """The 99th percentile of the waits, against one tick and a quarter of a second."""
    with running_venue(kind, TRADERS, REALISM_PROFILE="strict") as venue:
        with ExitStack() as open_streams:
            streams = [open_streams.enter_context(stream(venue, trader)) for trader in venue.traders]
            waits = [one_wait(venue, number, streams[number % TRADERS]) for number in range(ORDERS)]
        venue.require_clean()
    slowest = percentile(waits, 0.99)
    allowed = TICK_SECONDS + ALLOWED_BEYOND
    note = f"median {percentile(waits, 0.5) * 1000:.0f} ms, {ORDERS} orders"
    return Figures(slowest * 1000, allowed * 1000, allowed / slowest, note)


@contextmanager
def stream(venue: Venue, trader: Trader) -> Iterator[HTTPResponse]:
    """The trader's live stream, as a desk open on the ticker has it."""
    connection = HTTPConnection("127.0.0.1", venue.port, timeout=LONGEST_WAIT)
    try:
        connection.request("GET", "/user/api/stream?tickers=AAPL", headers={"Cookie": trader.cookie})
        answer = connection.getresponse()
        assert answer.status == 200, answer.status
        yield answer
    finally:
        connection.close()


def one_wait(venue: Venue, number: int, news: HTTPResponse) -> float:
    """Place a market buy at an odd moment of the tick, and listen until its fill is told."""
    client = venue.client(venue.traders[number % TRADERS])
    time.sleep(number * 0.137 % 0.5)
    order = {"ticker": "AAPL", "order_type": "buy", "execution_type": "market", "quantity": 1}
    placed = client.post("/user/api/create_order", order)
    begin = time.perf_counter()
    client.close()
    while not tells_fill(news.readline(), placed["order_id"]):
        assert time.perf_counter() - begin < LONGEST_WAIT, f"order {placed['order_id']} did not fill"
    return time.perf_counter() - begin


def tells_fill(line: bytes, order_id: int) -> bool:
    """Whether a line of a stream is the event that this order was filled."""
    if not line.startswith(b"data:"):
        return False
    data = json.loads(line.removeprefix(b"data:"))
    return data.get("kind") == "order_filled" and data["payload"]["order_id"] == order_id


MEASURES = (
    Measure(
        "fill_shows",
        "order accepted until its fill is on the live stream, replay at speed 60, p99 | a tick and 250 ms",
        "ms",
        1,
        partial(fill_shows, "sqlite"),
    ),
)
