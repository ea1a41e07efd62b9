"""Lists of orders and fills, a page at a time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Order, Transaction, User
from services.paging import AnyRow, AnySelect, Page, read_page
from services.trading.order_states import FINAL_STATUSES, OPEN_STATUSES

STATUSES = ("open", *OPEN_STATUSES, *FINAL_STATUSES)

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


def list_orders(
    session: Session,
    *,
    user_id: int | None = None,
    status: str | None = None,
    ticker: str | None = None,
    side: str | None = None,
    execution_type: str | None = None,
    page: int = 1,
    limit: int = 25,
) -> Page:
    """Orders, newest first, of one trader or of all. `status` may be "open": pending and partially filled."""
    newest_first = select(Order, User.user_name).join(User, User.user_id == Order.user_id)
    query = _with_status(newest_first.order_by(Order.order_id.desc()), status)
    wanted = {
        Order.user_id: user_id,
        Order.ticker: ticker,
        Order.order_type: side,
        Order.order_execution_type: execution_type,
    }
    for column, value in wanted.items():
        if value is not None:
            query = query.where(column == value)
    return read_page(session, query, _order_item, page, limit)


def list_fills(session: Session, *, user_id: int, ticker: str | None = None, page: int = 1, limit: int = 25) -> Page:
    """One trader's fills, newest first, with the evidence of each price."""
    query = select(Transaction).where(Transaction.user_id == user_id).order_by(Transaction.transaction_id.desc())
    if ticker is not None:
        query = query.where(Transaction.ticker == ticker)
    return read_page(session, query, _fill_item, page, limit)


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


def _fill_item(row: AnyRow) -> dict[str, Any]:
    return {name: getattr(row[0], name) for name in _FILL_COLUMNS}
