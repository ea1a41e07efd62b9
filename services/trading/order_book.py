"""The resting orders in memory: which of them might a price fill? Pure, no database.

The book is only a hint of where to look; the database is the truth, and every order is checked again under its lock.
For each ticker and side a heap keeps the best price on top, so that a price which reaches nothing costs two
comparisons. A removed order is only forgotten by number; its heap entry is dropped when it comes to the top.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from services.trading.fill_rules import ask_of, bid_of
from utils.market_source import Quote

_HeapEntry = tuple[Decimal, int]


@dataclass(frozen=True, slots=True)
class BookEntry:
    """A resting order. `limit` is None for a market order that waits for a usable price."""

    order_id: int
    user_id: int
    ticker: str
    side: str
    limit: Decimal | None


class OrderBook:
    """Resting orders by ticker and side. Order numbers rise with time, so they are the time priority."""

    def __init__(self, entries: Iterable[BookEntry] = ()) -> None:
        self._entries: dict[int, BookEntry] = {}
        self._heaps: dict[tuple[str, str], list[_HeapEntry]] = {}
        for entry in entries:
            self.add(entry)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, order_id: int) -> bool:
        return order_id in self._entries

    def add(self, entry: BookEntry) -> None:
        """Put an order into the book. Does nothing for one that is in it already."""
        if entry.order_id not in self._entries:
            self._entries[entry.order_id] = entry
            heap = self._heaps.setdefault((entry.ticker, entry.side), [])
            heapq.heappush(heap, (_sort_price(entry), entry.order_id))

    def remove(self, order_id: int) -> None:
        """Take an order out of the book. Does nothing for one that is not in it."""
        self._entries.pop(order_id, None)

    def order_ids(self) -> set[int]:
        """The numbers of all orders in the book."""
        return set(self._entries)

    def tickers(self) -> set[str]:
        """Tickers with orders. May name one whose last order was removed, until a price has passed over it."""
        return {ticker for (ticker, _), heap in self._heaps.items() if heap}

    def triggered(self, ticker: str, quote: Quote) -> list[BookEntry]:
        """Take out and return the orders that this quote reaches, best price first, then oldest first.

        Whoever takes them puts back with `add` those that stay open.
        """
        buys = self._take((ticker, "buy"), -ask_of(quote))
        return buys + self._take((ticker, "sell"), bid_of(quote))

    def _take(self, side: tuple[str, str], reach: Decimal) -> list[BookEntry]:
        heap = self._heaps.get(side)
        taken: list[BookEntry] = []
        while heap and heap[0][0] <= reach:
            _, order_id = heapq.heappop(heap)
            entry = self._entries.pop(order_id, None)
            if entry is not None:
                taken.append(entry)
        return taken


def _sort_price(entry: BookEntry) -> Decimal:
    """Smallest first: the dearest buy (negated), the cheapest sell; a market order before any limit."""
    if entry.limit is None:
        return Decimal("-Infinity")
    return -entry.limit if entry.side == "buy" else entry.limit
