"""Lists of orders and fills, and the whole life of one order."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from models import AccountEvent, Order, Transaction, User
from services.paging import AnyRow, AnySelect, Listing, Page, only
from services.trading.order_state import from_order
from services.trading.order_states import FINAL_STATUSES, OPEN_STATUSES
from services.trading.order_texts import describe, explain_rule
from services.trading.orders import no_such_order

STATUSES = ("open", *OPEN_STATUSES, *FINAL_STATUSES)

# What lists may be sorted by: the names are those of the items' fields.
ORDER_SORTS = {
    "order_id": Order.order_id,
    "ticker": Order.ticker,
    "order_type": Order.order_type,
    "order_quantity": Order.order_quantity,
    "order_status": Order.order_status,
    "created_at": Order.order_id,  # orders are numbered as they come, and every index ends with the number
}
FILL_SORTS = {
    "transaction_id": Transaction.transaction_id,
    "ticker": Transaction.ticker,
    "transaction_type": Transaction.transaction_type,
    "transaction_quantity": Transaction.transaction_quantity,
    "transaction_price": Transaction.transaction_price,
    "transaction_amount": Transaction.transaction_amount,
    "realised_profit": Transaction.realised_profit,
    "transaction_time": Transaction.transaction_time,
}

_ORDER_COLUMNS = (
    "order_id",
    "user_id",
    "ticker",
    "order_type",
    "order_execution_type",
    "order_price",
    "stop_price",
    "trail_amount",
    "trail_percent",
    "time_in_force",
    "expires_at",
    "extended_hours",
    "queued",
    "display_quantity",
    "take_profit_price",
    "stop_loss_price",
    "parent_id",
    "oco_id",
    "triggered_at",
    "order_quantity",
    "filled_quantity",
    "filled_amount",
    "commission_paid",
    "reserved_amount",
    "order_status",
    "created_at",
    "updated_at",
    "accepted_at",
    "executed_at",
    "remark",
)
_FILL_COLUMNS = (
    "transaction_id",
    "order_id",
    "fill_number",
    "ticker",
    "transaction_type",
    "transaction_price",
    "transaction_quantity",
    "transaction_amount",
    "commission",
    "realised_profit",
    "transaction_time",
    "worst_price",
    "market_time",
    "slippage",
    "rule",
    "profile",
    "quote_time",
    "quote_last",
    "quote_bid",
    "quote_ask",
    "quote_source",
)


def orders_of(
    *,
    user_id: int | None = None,
    status: str | None = None,
    ticker: str | None = None,
    side: str | None = None,
    execution_type: str | None = None,
    traders: Collection[int] | Select[int] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Listing:
    """Orders of one trader or of all, or of `traders` (their numbers, or a query for them), placed from `since`
    until before `until` (wall clock). `status` may be "open": pending and partially filled.
    """
    query = _with_status(select(Order, User.user_name).join(User, User.user_id == Order.user_id), status)
    wanted = {
        Order.user_id: user_id,
        Order.ticker: ticker,
        Order.order_type: side,
        Order.order_execution_type: execution_type,
    }
    if since is not None:
        query = query.where(Order.created_at >= since)
    if until is not None:
        query = query.where(Order.created_at < until)
    if traders is not None:
        query = query.where(Order.user_id.in_(traders))
    return Listing(only(query, wanted), Order.order_id, _order_item, ORDER_SORTS, counted=Order)


def list_orders(session: Session, *, page: int = 1, limit: int = 25, **filters: Any) -> Page:
    """A page of `orders_of`, newest first."""
    return orders_of(**filters).page(session, page, limit)


def fills_of(*, user_id: int, ticker: str | None = None, side: str | None = None) -> Listing:
    """One trader's fills, with the evidence of each price."""
    wanted = {Transaction.user_id: user_id, Transaction.ticker: ticker, Transaction.transaction_type: side}
    return Listing(only(select(Transaction), wanted), Transaction.transaction_id, _fill_item, FILL_SORTS)


def list_fills(session: Session, *, page: int = 1, limit: int = 25, **filters: Any) -> Page:
    """A page of `fills_of`, newest first."""
    return fills_of(**filters).page(session, page, limit)


def order_story(session: Session, order_id: int, user_id: int | None = None) -> dict[str, Any]:
    """One order with its whole life: a sentence about how it stands, its fills with the evidence of each price,
    its legs, and what happened when. With `user_id` only that trader's. Raises NotFound.
    """
    query = select(Order, User.user_name).join(User, User.user_id == Order.user_id).where(Order.order_id == order_id)
    row = session.execute(query if user_id is None else query.where(Order.user_id == user_id)).one_or_none()
    if row is None:
        raise no_such_order(order_id)
    fills = select(Transaction).where(Transaction.order_id == order_id).order_by(Transaction.fill_number)
    order: Order = row[0]
    return _order_item(row) | {
        "summary": describe(from_order(order)),
        "worst_price": order.worst_price,
        "ended_by_admin": order.operator_id is not None,
        "fills": [_fill_receipt(fill) for fill in session.execute(fills)],
        "legs": _related(session, order),
        "events": _events(session, order),
    }


def _related(session: Session, order: Order) -> list[dict[str, Any]]:
    """The protecting legs of a bracket, and the other leg of a pair."""
    kin = or_(
        Order.parent_id == order.order_id,
        and_(Order.oco_id.is_not(None), Order.oco_id == order.oco_id, Order.order_id != order.order_id),
    )
    query = select(Order, User.user_name).join(User, User.user_id == Order.user_id).where(kin).order_by(Order.order_id)
    return [_order_item(row) for row in session.execute(query)]


def _events(session: Session, order: Order) -> list[dict[str, Any]]:
    """What happened to the order, oldest first, from the trader's numbered events."""
    query = (
        select(AccountEvent.kind, AccountEvent.payload, AccountEvent.created_at)
        .where(
            AccountEvent.user_id == order.user_id,
            AccountEvent.kind.like("order_%"),
            AccountEvent.payload.like(f'{{"order_id": {order.order_id}, %'),
        )
        .order_by(AccountEvent.sequence)
    )
    return [{"kind": kind, "time": time, **json.loads(payload)} for kind, payload, time in session.execute(query)]


def _with_status(query: AnySelect, status: str | None) -> AnySelect:
    if status is None:
        return query
    return query.where(Order.order_status.in_(OPEN_STATUSES if status == "open" else (status,)))


def _order_item(row: AnyRow) -> dict[str, Any]:
    order: Order = row[0]
    average = order.filled_amount / order.filled_quantity if order.filled_quantity else None
    return {name: getattr(order, name) for name in _ORDER_COLUMNS} | {
        "user_name": row[1],
        "average_fill_price": None if average is None else round(average, 4),
        "remaining_quantity": order.remaining_quantity,
    }


def _fill_receipt(row: AnyRow) -> dict[str, Any]:
    fill = _fill_item(row)
    return fill | {"explanation": explain_rule(fill["rule"], fill["transaction_type"])}


def _fill_item(row: AnyRow) -> dict[str, Any]:
    return {name: getattr(row[0], name) for name in _FILL_COLUMNS}
