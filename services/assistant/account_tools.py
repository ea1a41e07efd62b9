"""Tools about the asking trader's own account. Row numbers, names and addresses stay here: only figures go out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from services.accounts import portfolio
from services.assistant.arguments import Arguments
from services.trading import order_views

if TYPE_CHECKING:
    from services.assistant.toolbox import Asker

MOST_ORDERS = 20
MOST_HOLDINGS = 30

BALANCES = (
    "available_balance",
    "frozen_balance",
    "total_balance",
    "holdings_value",
    "equity",
    "unrealised_profit",
    "unrealised_profit_percent",
    "realised_profit",
    "commission_paid",
    "total_profit",
    "deposits",
    "withdrawals",
)
HOLDING = (
    "ticker",
    "name",
    "quantity",
    "free_quantity",
    "frozen_quantity",
    "average_price",
    "total_cost",
    "price",
    "market_value",
    "unrealised_profit",
    "unrealised_profit_percent",
    "realised_profit",
    "quote_time",
)
ORDER = (
    "ticker",
    "order_type",
    "order_execution_type",
    "order_price",
    "stop_price",
    "time_in_force",
    "order_quantity",
    "filled_quantity",
    "remaining_quantity",
    "reserved_amount",
    "order_status",
    "accepted_at",
)

Answer = dict[str, Any]


def balances(session: Session, asker: Asker, _given: Arguments) -> Answer:
    found = portfolio.overview(session, asker.market, asker.user_id)
    return {name: found[name] for name in BALANCES} | {"holdings_without_a_price": found["unpriced"]}


def holdings(session: Session, asker: Asker, _given: Arguments) -> Answer:
    found = portfolio.overview(session, asker.market, asker.user_id)
    rows = found["holdings"]
    return {
        "holdings": [{name: row[name] for name in HOLDING} for row in rows[:MOST_HOLDINGS]],
        "number_of_holdings": len(rows),
        **{
            name: found[name] for name in ("holdings_value", "unrealised_profit", "unrealised_profit_percent", "equity")
        },
    }


def open_orders(session: Session, asker: Asker, _given: Arguments) -> Answer:
    page = order_views.list_orders(session, user_id=asker.user_id, status="open", limit=MOST_ORDERS)
    return {
        "open_orders": [{name: row[name] for name in ORDER} for row in page.items],
        "number_of_open_orders": page.total,
    }
