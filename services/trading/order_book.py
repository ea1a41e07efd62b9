"""The resting orders in memory: which of them might a price fill or trigger? Pure, no database.

The book is only a hint of where to look; the database is the truth, and every order is checked again under its lock.
For each ticker and side a heap keeps the nearest price on top, so that a price which reaches nothing costs a few
comparisons. A removed order is only forgotten by number; its heap entry is dropped when it comes to the top.

Prices are held as whole ten-thousandths of a dollar, and a heap entry is (price, sequence), where the sequence is time
priority and order number in one: that keeps a resting order small.
"""

from __future__ import annotations

import heapq
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from services.trading.prices import ask_of, bid_of, trailing_stop
from utils.market_source import Quote

UNITS = 10_000
_ORDER_BITS = 40
_HeapEntry = tuple[int, int]


@dataclass(frozen=True, slots=True)
class BookEntry:
    """A resting order. `limit` is None for a market order that waits for a usable price; `stop` is None once it was
    reached. `accepted_at` is its place in the queue. A trailing stop has `trail`.
    """

    order_id: int
    user_id: int
    ticker: str
    side: str
    limit: int | None
    stop: int | None = None
    accepted: int = 0
    trail: Trail | None = None


@dataclass(frozen=True, slots=True)
class Trail:
    """How a trailing stop follows the market: by an amount or by a percentage of the best price so far."""

    amount: Decimal | None
    percent: Decimal | None
    peak: Decimal


def units(price: Decimal) -> int:
    """A price in whole ten-thousandths of a dollar."""
    return int(price * UNITS)


def entry(
    order_id: int,
    user_id: int,
    ticker: str,
    side: str,
    limit: Decimal | None,
    stop: Decimal | None = None,
    accepted_at: datetime | None = None,
    trail: Trail | None = None,
) -> BookEntry:
    """A book entry from plain prices and times. Each row of a database brings its own copy of the same few words; the
    book keeps one of each.
    """
    return BookEntry(
        order_id,
        user_id,
        sys.intern(ticker),
        sys.intern(side),
        None if limit is None else units(limit),
        None if stop is None else units(stop),
        0 if accepted_at is None else int(accepted_at.timestamp()),
        trail,
    )


class OrderBook:
    """Resting orders by ticker and side, best price first, then oldest first."""

    def __init__(self, entries: Iterable[BookEntry] = ()) -> None:
        self._entries: dict[int, BookEntry] = {}
        self._heaps: dict[tuple[str, str], list[_HeapEntry]] = {}
        self._trails: dict[tuple[str, str], TrailingStops] = {}
        for one in entries:
            self.add(one)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, order_id: int) -> bool:
        return order_id in self._entries

    def add(self, one: BookEntry) -> None:
        """Put an order into the book. Does nothing for one that is in it already."""
        if one.order_id in self._entries:
            return
        self._entries[one.order_id] = one
        if one.trail is not None and one.stop is not None:
            self._trails.setdefault((one.ticker, one.side), TrailingStops(one.side)).add(one.order_id, one.trail)
            return
        heap = self._heaps.setdefault((one.ticker, _shelf(one)), [])
        heapq.heappush(heap, (_key(one), (one.accepted << _ORDER_BITS) | one.order_id))

    def remove(self, order_id: int) -> None:
        """Take an order out of the book. Does nothing for one that is not in it."""
        one = self._entries.pop(order_id, None)
        if one is not None and one.trail is not None and (one.ticker, one.side) in self._trails:
            self._trails[one.ticker, one.side].remove(order_id)

    def get(self, order_id: int) -> BookEntry | None:
        """The order as the book knows it."""
        return self._entries.get(order_id)

    def order_ids(self) -> set[int]:
        """The numbers of all orders in the book."""
        return set(self._entries)

    def tickers(self) -> set[str]:
        """Tickers with orders. May name one whose last order was removed, until a price has passed over it."""
        resting = {ticker for (ticker, _), heap in self._heaps.items() if heap}
        return resting | {ticker for (ticker, _), trails in self._trails.items() if trails}

    def triggered(self, ticker: str, quote: Quote) -> list[BookEntry]:
        """Take out and return the orders that this quote reaches, best price first, then oldest first: marketable buys,
        marketable sells, then stops. Whoever takes them puts back with `add` those that stay open.

        Trailing stops are tested before they move.
        """
        last = units(quote.last)
        reached = self._take((ticker, "buy"), -units(ask_of(quote)))
        reached += self._take((ticker, "sell"), units(bid_of(quote)))
        reached += self._take((ticker, "buy stop"), last)
        reached += self._take((ticker, "sell stop"), -last)
        for side in ("buy", "sell"):
            trails = self._trails.get((ticker, side))
            if trails:
                reached += [self._entries.pop(order_id) for order_id in trails.pass_price(quote.last)]
        return reached

    def moved_peaks(self) -> dict[int, Decimal]:
        """The trailing stops whose best price has moved since the last call, with that price, for the database."""
        moved: dict[int, Decimal] = {}
        for trails in self._trails.values():
            moved |= trails.take_moved()
        return moved

    def _take(self, shelf: tuple[str, str], reach: int) -> list[BookEntry]:
        heap = self._heaps.get(shelf)
        taken: list[BookEntry] = []
        while heap and heap[0][0] <= reach:
            _, sequence = heapq.heappop(heap)
            one = self._entries.pop(sequence & ((1 << _ORDER_BITS) - 1), None)
            if one is not None:
                taken.append(one)
        return taken


def _shelf(one: BookEntry) -> str:
    return one.side if one.stop is None else f"{one.side} stop"


def _key(one: BookEntry) -> int:
    """Smallest first: a market order, the dearest buy (negated), the cheapest sell, the lowest buy stop, the highest
    sell stop (negated).
    """
    if one.stop is not None:
        return one.stop if one.side == "buy" else -one.stop
    if one.limit is None:
        return -(1 << 62)
    return -one.limit if one.side == "buy" else one.limit


class TrailingStops:
    """The trailing stops of one ticker and side. Two bounds answer in no time that a price changes nothing."""

    def __init__(self, side: str) -> None:
        self._side = side
        self._trails: dict[int, Trail] = {}
        self._stops: dict[int, Decimal] = {}
        self._moved: dict[int, Decimal] = {}
        self._nearest_stop: Decimal | None = None
        self._nearest_peak: Decimal | None = None

    def __len__(self) -> int:
        return len(self._trails)

    def add(self, order_id: int, trail: Trail) -> None:
        self._trails[order_id] = trail
        self._stops[order_id] = trailing_stop(self._side, trail.peak, trail.amount, trail.percent)
        self._find_bounds()

    def remove(self, order_id: int) -> None:
        self._trails.pop(order_id, None)
        self._stops.pop(order_id, None)
        self._moved.pop(order_id, None)
        self._find_bounds()

    def pass_price(self, last: Decimal) -> list[int]:
        """Test the stops as they are, take out and return those that are reached, then let the others follow."""
        if not self._trails or self._changes_nothing(last):
            return []
        reached = sorted(order_id for order_id, stop in self._stops.items() if not self._beyond(last, stop))
        for order_id in reached:
            del self._trails[order_id], self._stops[order_id]
            self._moved.pop(order_id, None)
        for order_id, trail in self._trails.items():
            if self._beyond(last, trail.peak):
                self._follow(order_id, trail, last)
        self._find_bounds()
        return reached

    def take_moved(self) -> dict[int, Decimal]:
        moved, self._moved = self._moved, {}
        return moved

    def _follow(self, order_id: int, trail: Trail, last: Decimal) -> None:
        self._trails[order_id] = Trail(trail.amount, trail.percent, last)
        self._stops[order_id] = trailing_stop(self._side, last, trail.amount, trail.percent)
        self._moved[order_id] = last

    def _beyond(self, price: Decimal, mark: Decimal) -> bool:
        """Whether a price lies on the good side of a mark: above it for a sell, below it for a buy."""
        return price > mark if self._side == "sell" else price < mark

    def _changes_nothing(self, last: Decimal) -> bool:
        assert self._nearest_stop is not None
        assert self._nearest_peak is not None
        return self._beyond(last, self._nearest_stop) and not self._beyond(last, self._nearest_peak)

    def _find_bounds(self) -> None:
        peaks = [trail.peak for trail in self._trails.values()]
        nearest = max if self._side == "sell" else min
        farthest = min if self._side == "sell" else max
        self._nearest_stop = nearest(self._stops.values(), default=None)
        self._nearest_peak = farthest(peaks, default=None)
