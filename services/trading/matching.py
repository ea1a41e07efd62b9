"""Filling resting orders in batches: one transaction for many orders that one price reaches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Order
from services.accounts import ledger
from services.market.market import Market
from services.trading import lease
from services.trading.fill_rules import STANDARD, Execution, fill_for
from services.trading.lease import Tenure
from services.trading.order_book import BookEntry
from services.trading.order_states import OPEN_STATUSES
from services.trading.settlement import Settlement, lock_orders
from services.transaction import repeatable
from utils.datetime_utils import Clock, utc_now
from utils.market_source import Quote

BATCH_SIZE = 500


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What a batch did: how many fills, and which orders are still open and belong back into the book."""

    fills: int
    still_open: frozenset[int]


@repeatable
def fill_batch(
    session: Session,
    entries: Sequence[BookEntry],
    quotes: dict[str, Quote],
    *,
    market: Market,
    tenure: Tenure | None = None,
    clock: Clock = utc_now,
) -> BatchReport:
    """Fill those of `entries` that their quotes may fill, in the given order, in one transaction.

    A unit for run_unit. The tenure's epoch is checked first, the accounts are locked in ascending order, and every
    order is read again under its account's lock: the book in memory was only a hint. May follow a broken commit, since
    an order that the first try filled is no longer open. Raises LeaseLost.
    """
    if tenure is not None:
        lease.require(session, tenure)
    books = ledger.lock_accounts(session, {entry.user_id for entry in entries}, clock(), market.now())
    orders = {order.order_id: order for order in lock_orders(session, [entry.order_id for entry in entries])}
    is_open = market.is_open(books.market_time)
    books.load_holdings((order.user_id, order.ticker) for order in orders.values())
    settlement = Settlement(books)
    fills = 0
    for order in (orders[entry.order_id] for entry in entries if entry.order_id in orders):
        if not order.is_open:
            continue
        quote = quotes.get(order.ticker)
        decision = fill_for(order.working(), quote, books.market_time, is_open)
        if isinstance(decision, Execution):
            settlement.fill(order, decision, quote, STANDARD.name)
            fills += 1
    settlement.write()
    return BatchReport(fills, frozenset(order.order_id for order in orders.values() if order.is_open))


def read_open_orders(session: Session, newer_than: int = 0) -> list[BookEntry]:
    """All open orders with a number above `newer_than`, for the book in memory."""
    query = (
        select(Order.order_id, Order.user_id, Order.ticker, Order.order_type, Order.order_price)
        .where(Order.order_status.in_(OPEN_STATUSES), Order.order_id > newer_than)
        .order_by(Order.order_id)
    )
    return [BookEntry(*row) for row in session.execute(query)]


def batches(entries: Iterable[BookEntry], size: int = BATCH_SIZE) -> list[list[BookEntry]]:
    """Cut a list into batches of at most `size`."""
    entries = list(entries)
    return [entries[start : start + size] for start in range(0, len(entries), size)]
