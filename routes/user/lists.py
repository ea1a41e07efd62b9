"""The trader's lists: filtered the same way on the page, in the API and as a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, abort
from flask_login import current_user

from auth.permissions import user_required
from models import db
from routes import inputs
from routes.exports import csv_answer
from routes.shared import market
from routes.user import user_bp
from services.accounts import funds, performance, portfolio
from services.paging import Listing
from services.trading import order_views
from services.trading.tickets import EXECUTION_TYPES, SIDES

FUND_STATUSES = ("pending", "approved", "rejected")
FUND_TYPES = ("deposit", "withdrawal")

ORDER_COLUMNS = (
    *("order_id", "ticker", "order_type", "order_execution_type", "time_in_force", "order_quantity"),
    *("filled_quantity", "order_price", "stop_price", "average_fill_price", "filled_amount", "commission_paid"),
    *("order_status", "created_at", "accepted_at", "executed_at", "remark"),
)
FILL_COLUMNS = (
    *("transaction_id", "order_id", "fill_number", "ticker", "transaction_type", "transaction_quantity"),
    *("transaction_price", "transaction_amount", "commission", "realised_profit", "market_time", "transaction_time"),
    *("rule", "profile", "quote_time", "quote_last", "quote_bid", "quote_ask", "quote_source", "slippage"),
)
FUND_COLUMNS = ("transaction_id", "transaction_type", "amount", "status", "created_at", "updated_at", "remark")
HOLDING_COLUMNS = (
    *("ticker", "name", "quantity", "free_quantity", "average_price", "total_cost", "price", "market_value"),
    *("unrealised_profit", "unrealised_profit_percent", "realised_profit", "quote_time"),
)
DAY_COLUMNS = (
    *("date", "equity_before", "flows", "profit", "equity_after", "realised_profit", "unrealised_change", "commission"),
    *("net_flow", "return_percent", "benchmark"),
)


def orders() -> Listing:
    """The trader's orders, by status, ticker and type: a side (buy, sell) or an execution type (market, limit)."""
    kind = inputs.choice((*SIDES, *EXECUTION_TYPES), "type", "order_type")
    return order_views.orders_of(
        user_id=current_user.id,
        status=inputs.choice(order_views.STATUSES, "status"),
        ticker=inputs.optional_ticker(),
        side=kind if kind in SIDES else None,
        execution_type=kind if kind in EXECUTION_TYPES else None,
    )


def fills() -> Listing:
    """The trader's fills, by ticker and side."""
    side = inputs.choice(SIDES, "type")
    return order_views.fills_of(user_id=current_user.id, ticker=inputs.optional_ticker(), side=side)


def fund_requests() -> Listing:
    """The trader's requests, by type and status."""
    return funds.requests_of(
        user_id=current_user.id,
        kind=inputs.choice(FUND_TYPES, "type"),
        status=inputs.choice(FUND_STATUSES, "status"),
    )


@dataclass(frozen=True, slots=True)
class TraderList:
    """A list of the trader's: how it is chosen by the address, and the columns of its file."""

    choose: Callable[[], Listing]
    columns: Sequence[str]


LISTS = {
    "orders": TraderList(orders, ORDER_COLUMNS),
    "fills": TraderList(fills, FILL_COLUMNS),
    "funds": TraderList(fund_requests, FUND_COLUMNS),
}


@user_bp.get("/account/<name>.csv")
@user_required
def export(name: str) -> Response:
    """One of the trader's lists as a file, with the filters of its page."""
    if name == "holdings":
        return csv_answer(name, HOLDING_COLUMNS, _holdings())
    if name == "days":
        days = performance.history(db.session(), market(), current_user.id)
        return csv_answer(name, DAY_COLUMNS, days)
    if name not in LISTS:
        abort(404)
    chosen = LISTS[name]
    return csv_answer(name, chosen.columns, chosen.choose().every_item(db.session()))


def _holdings() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = portfolio.overview(db.session(), market(), current_user.id)["holdings"]
    return found
