"""The trader's lists: filtered the same way on the page, in the API and as a file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, abort
from flask_login import current_user

from auth.permissions import user_required
from models import db
from routes.contract import asked
from routes.contract.fields import ITEMS_A_PAGE
from routes.contract.operations import read_query
from routes.exports import csv_answer
from routes.shared import market
from routes.user import user_bp
from services.accounts import funds, performance, portfolio
from services.paging import Listing, Page
from services.trading import order_views
from services.trading.tickets import EXECUTION_TYPES, SIDES

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


def _orders() -> Listing:
    """The trader's orders, by status, ticker and type: a side (buy, sell) or an execution type (market, limit)."""
    wanted = read_query(asked.OrdersQuery)
    return order_views.orders_of(
        user_id=current_user.id,
        status=wanted.status,
        ticker=wanted.ticker,
        side=wanted.type if wanted.type in SIDES else None,
        execution_type=wanted.type if wanted.type in EXECUTION_TYPES else None,
    )


def _fills() -> Listing:
    """The trader's fills, by ticker and side."""
    wanted = read_query(asked.FillsQuery)
    return order_views.fills_of(user_id=current_user.id, ticker=wanted.ticker, side=wanted.type)


def _fund_requests() -> Listing:
    """The trader's requests, by type and status."""
    wanted = read_query(asked.FundsQuery)
    return funds.requests_of(user_id=current_user.id, kind=wanted.type, status=wanted.status)


@dataclass(frozen=True, slots=True)
class TraderList:
    """A list of the trader's: how it is chosen by the address, what reads the address, and the columns of its file."""

    choose: Callable[[], Listing]
    query: type[asked.SortedQuery]
    columns: Sequence[str]


LISTS = {
    "orders": TraderList(_orders, asked.OrdersQuery, ORDER_COLUMNS),
    "fills": TraderList(_fills, asked.FillsQuery, FILL_COLUMNS),
    "funds": TraderList(_fund_requests, asked.FundsQuery, FUND_COLUMNS),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of a list, how it is sorted, and how it could be."""

    page: Page[dict[str, Any]]
    sort: str | None
    sorts: Collection[str]


def shown(name: str) -> Shown:
    """The page of one of LISTS that the address asks for."""
    wanted, listing = read_query(LISTS[name].query), LISTS[name].choose()
    page = listing.page(db.session(), wanted.page or 1, wanted.limit or ITEMS_A_PAGE, wanted.sort)
    return Shown(page, wanted.sort, listing.sorts)


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
