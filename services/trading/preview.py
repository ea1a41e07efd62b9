"""What would happen to an order if it were sent now: its worst cost, what is left, when it can fill, why not."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import Config
from models import AccountBalance, Portfolio
from services.errors import DomainError
from services.market.market import Market
from services.trading import acceptance
from services.trading.fill_rules import Decision, MarketView, fill_for
from services.trading.order_state import OrderState
from services.trading.prices import dollars, far_side
from services.trading.risk_checks import CheckContext, check
from services.trading.rules import TradingRules, read_rules
from services.trading.sessions import expiry, session_state
from services.trading.tickets import OrderTicket
from utils.datetime_utils import Clock, utc_now
from utils.market_source import Quote
from utils.number_utils import ZERO


def preview(
    session: Session, user_id: int, ticket: OrderTicket, *, market: Market, config: Config, clock: Clock = utc_now
) -> dict[str, Any]:
    """Run the checks and reckon the figures of an order without storing anything. Reads only.

    Answers worst_case_cost and commission (dollars; a sell costs nothing but its commission), estimated_price,
    available_after, free_quantity, when ("now", "next_price", "next_open", "when_reached", or "never": it would end at
    once), opens_at, expires_at, profile, warnings, and refused: None, or the code and message with which it would be
    refused.
    """
    rules = read_rules(session, config)
    context = acceptance.check_context(session, user_id, ticket, rules, market, clock(), is_preview=True)
    available, free = _free(session, user_id, ticket.ticker)
    figures = _figures(context, rules, market, available)
    refusal = _refusal(context) or _short_of(ticket, figures, available, free)
    return figures | {
        "available_balance": available,
        "free_quantity": free,
        "profile": rules.profile.name,
        "warnings": context.warnings,
        "refused": refusal,
    }


def _figures(context: CheckContext, rules: TradingRules, market: Market, available: Decimal) -> dict[str, Any]:
    ticket, quote, now = _as_it_rests(context.ticket), context.quote, market.now()
    opens = None if market.is_open(now) else market.next_session(now)
    figures: dict[str, Any] = {
        "worst_case_cost": ZERO,
        "commission": ZERO,
        "estimated_price": None,
        "available_after": available,
        "when": "when_reached",
        "opens_at": opens and opens.opens,
        "expires_at": expiry(market, now, ticket.time_in_force, ticket.extended_hours),
    }
    if quote is None:
        return figures
    order = _order(ticket, quote, rules, market)
    view = MarketView(quote, now, session_state(market, now), rules.profile, any_hours=rules.any_hours)
    decision = fill_for(order.working(), view)
    price = decision.execution.price if decision.execution else ticket.price or far_side(ticket.side, quote)
    cost = order.needed_reservation()
    if decision.cancel is not None:
        context.warnings.append(f"{decision.cancel}.")
    return figures | {
        "worst_case_cost": cost,
        "commission": order.terms.for_order(ticket.quantity, price * ticket.quantity),
        "estimated_price": price,
        "available_after": available - cost,
        "when": _when(ticket, decision, market),
    }


def _order(ticket: OrderTicket, quote: Quote, rules: TradingRules, market: Market) -> OrderState:
    """The order as it would be, without a number."""
    row = acceptance.new_row(0, ticket, quote, rules, market, market.now(), market.now())
    return OrderState(
        order_id=0,
        user_id=0,
        ticker=ticket.ticker,
        side=ticket.side,
        execution_type=ticket.execution_type,
        limit=row.order_price,
        worst_price=row.worst_price,
        quantity=ticket.quantity,
        accepted_at=row.accepted_at,
        terms=rules.commission,
        stop=row.stop_price,
        time_in_force=ticket.time_in_force,
        display_quantity=ticket.display_quantity,
        extended_hours=ticket.extended_hours,
        queued=row.queued,
    )


def _as_it_rests(ticket: OrderTicket) -> OrderTicket:
    """Of a pair, the take profit, which holds the shares of both."""
    return ticket if ticket.order_class != "oco" else replace(ticket, price=ticket.take_profit_price)


def _when(ticket: OrderTicket, decision: Decision, market: Market) -> str:
    if decision.execution is not None:
        return "now"
    if decision.cancel is not None:
        return "never"
    if not market.is_open():
        return "next_open"
    return "next_price" if ticket.execution_type == "market" else "when_reached"


def _refusal(context: CheckContext) -> dict[str, Any] | None:
    try:
        check(context)
    except DomainError as refusal:
        return {"code": refusal.code, "message": refusal.message}
    return None


def _short_of(ticket: OrderTicket, figures: dict[str, Any], available: Decimal, free: int) -> dict[str, Any] | None:
    """The two refusals that the reservation itself would give."""
    if ticket.side == "sell" and ticket.quantity > free:
        return {"code": "INSUFFICIENT_SHARES", "message": f"You have {free:,} free shares of {ticket.ticker}."}
    if figures["worst_case_cost"] > available:
        needed = figures["worst_case_cost"]
        return {
            "code": "INSUFFICIENT_FUNDS",
            "message": f"This needs {dollars(needed)}, and {dollars(available)} are available.",
        }
    return None


def _free(session: Session, user_id: int, ticker: str) -> tuple[Decimal, int]:
    """Available cash, and free shares of the ticker."""
    cash = session.execute(
        select(AccountBalance.available_balance).where(AccountBalance.user_id == user_id)
    ).scalar_one()
    held = select(Portfolio.quantity - Portfolio.frozen_quantity)
    free = session.execute(held.where(Portfolio.user_id == user_id, Portfolio.ticker == ticker)).scalar_one_or_none()
    return cash, int(free or 0)
