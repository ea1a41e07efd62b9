"""Whether trading keeps its usual speed while Gemini hangs: it takes every request, and never says a word.

Traders place orders and read quotes one after the other, first while the assistant is left alone, then while others
keep asking it: as many as it takes at once wait for the model, the rest is turned away, again and again.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from bench.measures import Figures, Measure, percentile
from bench.placing import place_one
from bench.server import Client, Venue, running_venue

TRADERS = 16
ASKING = 12  # traders who ask the assistant; the others trade
PAIRS = 150  # orders and reads of a round
ROUNDS = 3
PAUSE = 1.0  # seconds between two questions of one trader, who was told to wait five


def hanging_model() -> Figures:
    """The 95th percentile of an order with a read after it, alone and beside the hanging model."""
    settings = {"GEMINI_API_KEY": "none", "GEMINI_TIMEOUT": "120", "ASSISTANT_TIME_LIMIT": "300"}
    with (
        silent_server() as address,
        running_venue(
            "sqlite", TRADERS, GEMINI_API_ENDPOINT=address, ASSISTANT_MINUTE_LIMIT="0", ASSISTANT_DAY_LIMIT="0",
            ASSISTANT_TOTAL_MINUTE_LIMIT="0", ASSISTANT_TOTAL_DAY_LIMIT="0", **settings,
        ) as venue,
    ):  # fmt: skip
        trade(venue, PAIRS // 3)
        alone, beside = [], []
        for _ in range(ROUNDS):
            alone += trade(venue, PAIRS)
        with asked_again_and_again(venue) as refusals:
            for _ in range(ROUNDS):
                beside += trade(venue, PAIRS)
            refused = refusals()
        venue.require_clean()
    usual, now = percentile(alone, 0.95), percentile(beside, 0.95)
    note = f"medians {percentile(alone, 0.5) * 1000:.1f} and {percentile(beside, 0.5) * 1000:.1f} ms, {refused} refused"
    return Figures(now * 1000, usual * 1000, usual / now, note)


def trade(venue: Venue, pairs: int) -> list[float]:
    """The seconds that each order with a read after it took."""
    client = venue.client(venue.traders[-1])
    taken = []
    for number in range(pairs):
        begin = time.perf_counter()
        place_one(client, number)
        client.get("/user/api/quotes?tickers=AAPL,MSFT,IBM")
        taken.append(time.perf_counter() - begin)
    client.close()
    return taken


@contextmanager
def asked_again_and_again(venue: Venue) -> Iterator[Callable[[], int]]:
    """Traders ask the assistant without end. Yields what counts how often they were turned away."""
    over = threading.Event()
    refusals: list[int] = []

    def ask(client: Client) -> None:
        while not over.wait(PAUSE):
            try:
                client.post("/user/api/chat", {"message": "How is AAPL?"})
            except AssertionError:
                refusals.append(1)
            except OSError:
                return

    clients = [venue.client(trader) for trader in venue.traders[:ASKING]]
    threads = [threading.Thread(target=ask, args=(client,), daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    time.sleep(3)  # the package's import is over
    try:
        yield lambda: len(refusals)
    finally:
        over.set()
        for client in clients:
            with suppress(OSError):
                client.close()


@contextmanager
def silent_server() -> Iterator[str]:
    """An address that takes connections and says nothing."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(128)
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


MEASURES = (
    Measure(
        "hanging_model",
        "an order and a read while Gemini hangs, p95, sqlite | the same while nobody asks it",
        "ms",
        0.7,
        hanging_model,
        0.9,
    ),
)
