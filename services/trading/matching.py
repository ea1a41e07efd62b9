"""Filling, triggering and expiring resting orders in batches: one transaction for many orders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import Config
from models import Order
from services.accounts import ledger
from services.market.market import Market
from services.trading import lease
from services.trading.lease import Tenure
from services.trading.matcher import Matcher
from services.trading.order_book import BookEntry, Trail, entry
from services.trading.order_state import OrderState, lock_orders
from services.trading.order_states import OPEN_STATUSES
from services.trading.prices import trailing_stop
from services.trading.rules import read_rules
from services.trading.settlement import Settlement
from services.transaction import repeatable
from utils.datetime_utils import Clock, utc_now
from utils.market_source import Quote

BATCH_SIZE = 500


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What a batch did: how many fills, and the orders that are still open and belong back into the book, among them
    legs that the batch made or changed.
    """

    fills: int
    still_open: tuple[BookEntry, ...]


@repeatable
def fill_batch(
    session: Session,
    entries: Sequence[BookEntry],
    quotes: Mapping[str, Quote],
    *,
    market: Market,
    config: Config,
    tenure: Tenure | None = None,
    clock: Clock = utc_now,
) -> BatchReport:
    """Fill or trigger those of `entries` that their quotes reach, in the given order, in one transaction.

    A unit for run_unit. The tenure's epoch is checked first, the accounts are locked in ascending order, and every
    order is read again under its account's lock: the book in memory was only a hint. May follow a broken commit, since
    an order that the first try filled is no longer open. Raises LeaseLost.
    """
    if tenure is not None:
        lease.require(session, tenure)
    books = ledger.lock_accounts(session, {one.user_id for one in entries}, clock(), market.now())
    rules = read_rules(session, config)
    settlement = Settlement(books, lock_orders(session, [one.order_id for one in entries]))
    books.load_holdings((order.user_id, order.ticker) for order in settlement.orders.values())
    matcher = Matcher(settlement, market, rules)
    matcher.lock([quotes[ticker] for ticker in sorted({one.ticker for one in entries} & quotes.keys())])
    fills = 0
    for order in [settlement.orders[one.order_id] for one in entries if one.order_id in settlement.orders]:
        if order.is_open:
            decision = matcher.look(order, quotes.get(order.ticker))
            fills += decision.execution is not None
    matcher.write()
    return BatchReport(fills, tuple(_entry(order) for order in settlement.orders.values() if order.is_open))


@repeatable
def expire_batch(
    session: Session, due: Sequence[tuple[int, int]], *, market: Market, tenure: Tenure | None, clock: Clock = utc_now
) -> list[int]:
    """A unit: end those of `due` (pairs of order and trader) whose time in force is over. Answers their numbers."""
    if tenure is not None:
        lease.require(session, tenure)
    books = ledger.lock_accounts(session, {user_id for _, user_id in due}, clock(), market.now())
    settlement = Settlement(books, lock_orders(session, [order_id for order_id, _ in due]))
    for order_id, _ in due:
        order = settlement.orders.get(order_id)
        if order is not None and order.is_open and order.expires_at and order.expires_at <= books.market_time:
            settlement.end(order, "expired", f"Its time in force ({order.time_in_force}) was over")
    settlement.write()
    return [order.order_id for order in settlement.orders.values() if not order.is_open]


@repeatable
def raise_peaks(
    session: Session,
    peaks: Mapping[int, Decimal],
    owners: Iterable[int],
    *,
    market: Market,
    tenure: Tenure | None,
    clock: Clock = utc_now,
) -> None:
    """Store how far trailing stops have followed the market, so that a restart does not forget it. A unit."""
    if tenure is not None:
        lease.require(session, tenure)
    books = ledger.lock_accounts(session, owners, clock(), market.now())
    settlement = Settlement(books, lock_orders(session, peaks))
    for order_id, peak in peaks.items():
        order = settlement.orders.get(order_id)
        if order is not None and order.is_open and order.triggered_at is None:
            settlement.follow(order, peak, trailing_stop(order.side, peak, order.trail_amount, order.trail_percent))
    settlement.write()


def read_open_orders(session: Session, newer_than: int = 0) -> list[BookEntry]:
    """All open orders with a number above `newer_than`, for the book in memory."""
    query = (
        select(
            Order.order_id,
            Order.user_id,
            Order.ticker,
            Order.order_type,
            Order.order_price,
            Order.stop_price,
            Order.triggered_at,
            Order.accepted_at,
            Order.trail_amount,
            Order.trail_percent,
            Order.trail_peak,
        )
        .where(Order.order_status.in_(OPEN_STATUSES), Order.order_id > newer_than)
        .order_by(Order.order_id)
    )
    return [_read_entry(*row) for row in session.execute(query)]


def _read_entry(
    order_id: int,
    user_id: int,
    ticker: str,
    side: str,
    limit: Decimal | None,
    stop: Decimal | None,
    triggered_at: datetime | None,
    accepted_at: datetime,
    amount: Decimal | None,
    percent: Decimal | None,
    peak: Decimal | None,
) -> BookEntry:
    trail = Trail(amount, percent, peak) if peak is not None and triggered_at is None else None
    waiting = stop if triggered_at is None else None
    return entry(order_id, user_id, ticker, side, limit, waiting, accepted_at, trail)


def _entry(order: OrderState) -> BookEntry:
    return _read_entry(
        order.order_id,
        order.user_id,
        order.ticker,
        order.side,
        order.limit,
        order.stop,
        order.triggered_at,
        order.accepted_at,
        order.trail_amount,
        order.trail_percent,
        order.trail_peak,
    )


def read_expired(session: Session, now: datetime, limit: int = BATCH_SIZE) -> list[tuple[int, int]]:
    """Open orders whose time in force is over at this market time: numbers of orders and traders."""
    query = (
        select(Order.order_id, Order.user_id)
        .where(Order.order_status.in_(OPEN_STATUSES), Order.expires_at <= now)
        .order_by(Order.order_id)
        .limit(limit)
    )
    return [(order_id, user_id) for order_id, user_id in session.execute(query)]


def batches(entries: Iterable[BookEntry], size: int = BATCH_SIZE) -> list[list[BookEntry]]:
    """Cut a list into batches of at most `size`."""
    entries = list(entries)
    return [entries[start : start + size] for start in range(0, len(entries), size)]
