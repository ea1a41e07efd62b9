"""Whether trading keeps its usual speed while Gemini hangs: it takes every request, and never says a word.

Traders place orders and read quotes one after the other, by turns at a venue whose assistant is left alone and at one
whose assistant others keep asking: as many as it takes at once wait for the model from the first question on, the rest
is turned away, again and again. By turns, since what else the machine does then meets both alike.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from statistics import median

from bench.measures import Figures, Measure, percentile
from bench.placing import place_one
from bench.server import Client, Venue, running_venue

TRADERS = 16
ASKING = 12  # traders who ask the assistant; the others trade
PAIRS = 150  # orders and reads of a round
ROUNDS = 7
LOADING = 4  # seconds after the start: the model's library is loaded by then
PAUSE = 1.0  # seconds between two questions of one trader, who was told to wait five


def hanging_model() -> Figures:
    """The 95th percentile of an order with a read after it, alone and beside the hanging model."""
    limits = dict.fromkeys(("MINUTE", "DAY", "TOTAL_MINUTE", "TOTAL_DAY"), "0")
    settings = {f"ASSISTANT_{name}_LIMIT": value for name, value in limits.items()} | {
        "GEMINI_API_KEY": "none",
        "GEMINI_TIMEOUT": "120",
        "ASSISTANT_TIME_LIMIT": "300",
    }
    with (
        silent_server() as address,
        running_venue("sqlite", TRADERS, GEMINI_API_ENDPOINT=address, **settings) as left_alone,
        running_venue("sqlite", TRADERS, GEMINI_API_ENDPOINT=address, **settings) as asked,
    ):
        time.sleep(LOADING)
        for venue in (left_alone, asked):
            trade(venue, PAIRS)
        alone, beside = [], []
        with asked_again_and_again(asked) as (go_on, refusals):
            for _ in range(ROUNDS):
                alone.append(trade(left_alone, PAIRS))
                go_on.set()
                beside.append(trade(asked, PAIRS))
                go_on.clear()
            refused = refusals()
        for venue in (left_alone, asked):
            venue.require_clean()
    usual, now = (median(percentile(one, 0.95) for one in rounds) for rounds in (alone, beside))
    middles = [median(percentile(one, 0.5) for one in rounds) * 1000 for rounds in (alone, beside)]
    note = f"medians {middles[1]:.1f} and {middles[0]:.1f} ms, {refused} refused"
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
def asked_again_and_again(venue: Venue) -> Iterator[tuple[threading.Event, Callable[[], int]]]:
    """Traders ask the assistant without end while the event is set, each in its own moment of the second. Yields the
    event, and what counts how often they were turned away.
    """
    go_on, over = threading.Event(), threading.Event()
    refusals: list[int] = []

    def ask(client: Client, delay: float) -> None:
        over.wait(delay)
        while not over.wait(PAUSE):
            if not go_on.is_set():
                continue
            try:
                client.post("/user/api/chat", {"message": "How is AAPL?"})
            except AssertionError:
                refusals.append(1)
            except OSError:
                return

    clients = [venue.client(trader) for trader in venue.traders[:ASKING]]
    for number, client in enumerate(clients):
        threading.Thread(target=ask, args=(client, number * PAUSE / ASKING), daemon=True).start()
    try:
        yield go_on, lambda: len(refusals)
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
