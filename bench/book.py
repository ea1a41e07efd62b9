"""The order book's own steps beside a bare heapq that holds the same orders, and what an order weighs at rest."""

from __future__ import annotations

import gc
import heapq
import random
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from bench.measures import ROUNDS, Figures, Measure, rates, seconds
from fake_market import NOON, FakeMarket
from services.trading.order_book import BookEntry, OrderBook, entry

ORDERS = 100_000
TICKERS = tuple(f"T{number:03d}" for number in range(500))
LARGEST_BYTES = 400


class BareHeaps:
    """What any book needs at least: a heap of (price, number) for each ticker, and which numbers still live."""

    def __init__(self) -> None:
        self.heaps: dict[str, list[tuple[int, int]]] = {ticker: [] for ticker in TICKERS}
        self.live: set[int] = set()

    def add(self, ticker: str, price: int, number: int) -> None:
        self.live.add(number)
        heapq.heappush(self.heaps[ticker], (price, number))

    def remove(self, number: int) -> None:
        self.live.discard(number)

    def triggered(self, ticker: str, reach: int) -> int:
        heap, count = self.heaps[ticker], 0
        while heap and heap[0][0] <= reach:
            _, number = heapq.heappop(heap)
            if number in self.live:
                self.live.remove(number)
                count += 1
        return count


def sells() -> list[BookEntry]:
    """Limit sells at random prices above the market of 100."""
    chance = random.Random(11)
    return [
        entry(
            number,
            number % 1000,
            TICKERS[chance.randrange(len(TICKERS))],
            "sell",
            Decimal(10_001 + chance.randrange(5000)) / 100,
            accepted_at=NOON + timedelta(seconds=number),
        )
        for number in range(1, ORDERS + 1)
    ]


def insert() -> Figures:
    """Put every order in."""
    orders = sells()

    def bare() -> None:
        heaps = BareHeaps()
        for one in orders:
            heaps.add(one.ticker, one.limit or 0, one.order_id)

    def product() -> None:
        OrderBook(orders)

    return compared(product, bare)


def cancel() -> Figures:
    """Take every order out again by its number."""
    orders = sells()

    def rounds() -> tuple[float, float]:
        book, heaps = OrderBook(orders), filled(orders)
        return (
            seconds(lambda: [book.remove(one.order_id) for one in orders]),
            seconds(lambda: [heaps.remove(one.order_id) for one in orders]),
        )

    return side_by_side(rounds)


def trigger() -> Figures:
    """A price for each ticker that reaches all of its orders."""
    orders = sells()
    market = FakeMarket()
    quotes = {ticker: market.set_quote(ticker, "200.00") for ticker in TICKERS}

    def rounds() -> tuple[float, float]:
        book, heaps = OrderBook(orders), filled(orders)
        times = (
            seconds(lambda: [book.triggered(ticker, quote) for ticker, quote in quotes.items()]),
            seconds(lambda: [heaps.triggered(ticker, 2_000_000) for ticker in TICKERS]),
        )
        assert not len(book)
        assert not heaps.live
        return times

    return side_by_side(rounds)


def filled(orders: list[BookEntry]) -> BareHeaps:
    heaps = BareHeaps()
    for one in orders:
        heaps.add(one.ticker, one.limit or 0, one.order_id)
    return heaps


def compared(product: Callable[[], object], limit: Callable[[], object]) -> Figures:
    return side_by_side(lambda: (seconds(product), seconds(limit)))


def side_by_side(rounds: Callable[[], tuple[float, float]]) -> Figures:
    times = [rounds() for _ in range(ROUNDS)]
    return rates([ORDERS / product for product, _ in times], [ORDERS / limit for _, limit in times])


def memory() -> Figures:
    """Bytes of an order at rest, its own objects and its share of the book's. Words come as from the
    database: a new text for each row.
    """
    sizes = [bytes_per_order() for _ in range(ROUNDS)]
    middle = sorted(sizes)[ROUNDS // 2]
    return Figures(middle, LARGEST_BYTES, LARGEST_BYTES / middle)


def bytes_per_order() -> float:
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    book = OrderBook(
        entry(
            1_000_000 + number,
            5000 + number % 1000,
            "T" + str(number % len(TICKERS)).zfill(3),
            str(b"sell", "ascii"),
            Decimal(10_001 + number % 5000) / 100,
            accepted_at=NOON + timedelta(seconds=number),
        )
        for number in range(ORDERS)
    )
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(book) == ORDERS
    return (after - before) / ORDERS


MEASURES = (
    Measure("book_insert", "orders put into the book | bare heapq", "orders/s", 0.3, insert),
    Measure("book_cancel", "orders taken out by number | bare heapq", "orders/s", 0.3, cancel),
    Measure("book_trigger", "orders reached by a price | bare heapq", "orders/s", 0.3, trigger),
    Measure("book_memory", "memory of a resting order | 400 bytes", "bytes", 1, memory),
)
