"""Changing a resting order in one step: its price, stop or quantity. It keeps its place only if it just shrinks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.orm import Session

from config import Config
from services.accounts import ledger
from services.accounts.ledger import Books
from services.errors import InvalidInput, Refused
from services.idempotency import Answer, RequestKey, once
from services.market.market import Market
from services.trading import acceptance
from services.trading.matcher import Matcher
from services.trading.order_state import OrderState
from services.trading.orders import answer, lock_open_order
from services.trading.prices import stop_collar, trailing_stop
from services.trading.risk_checks import (
    CheckContext,
    limit_is_near_the_market,
    price_is_known,
    prices_are_on_tick,
    size_suits_the_volume,
    stop_is_on_its_side,
    value_is_bookable,
)
from services.trading.rules import read_rules
from services.trading.tickets import FieldReader, OrderTicket, parse_price, parse_quantity
from utils.datetime_utils import Clock, utc_now

CHANGE_CHECKS = (
    price_is_known,
    prices_are_on_tick,
    value_is_bookable,
    stop_is_on_its_side,
    limit_is_near_the_market,
    size_suits_the_volume,
)


@dataclass(frozen=True, slots=True)
class OrderChanges:
    """What is to be changed; None leaves a field as it is. Prices in dollars a share."""

    quantity: int | None
    price: Decimal | None
    stop_price: Decimal | None
    trail_amount: Decimal | None
    trail_percent: Decimal | None


def parse_changes(body: Mapping[str, object]) -> OrderChanges:
    """Read changes from a request's fields. Raises InvalidInput that names every field with its fault."""
    reader = FieldReader(body)
    changes = OrderChanges(
        quantity=reader.optional("quantity", parse_quantity),
        price=reader.optional("price", parse_price),
        stop_price=reader.optional("stop_price", parse_price),
        trail_amount=reader.optional("trail_amount", parse_price),
        trail_percent=reader.optional("trail_percent", parse_price),
    )
    reader.finish()
    if changes == OrderChanges(None, None, None, None, None):
        raise InvalidInput({"quantity": ["or a price must be given: there is nothing to change"]})
    return changes


def replace(
    session: Session,
    user_id: int,
    order_id: int,
    changes: OrderChanges,
    *,
    market: Market,
    config: Config,
    key: RequestKey | None = None,
    clock: Clock = utc_now,
) -> Answer:
    """Change the trader's own open order and look at once whether it fills now. A unit for run_unit.

    Raises NotFound for somebody else's order, IllegalMove for one that is not open, InvalidInput for a field that this
    order does not have, and Refused with nothing changed.
    """
    books = ledger.lock_account(session, user_id, clock(), market.now())
    return once(session, key, lambda: _replace(books, user_id, order_id, changes, market, config))


def _replace(
    books: Books, user_id: int, order_id: int, changes: OrderChanges, market: Market, config: Config
) -> Answer:
    settlement, order = lock_open_order(books, user_id, order_id)
    _require_fitting(order, changes)
    rules = read_rules(books.session, config)
    context = CheckContext(
        ticket=_ticket(order, changes),
        rules=rules,
        tradable=True,
        quote=market.quote(order.ticker),
        market_ended=market.ended(),
        wall_time=books.wall_time,
    )
    for one_check in CHANGE_CHECKS:
        one_check(context)
    reserved, remaining = order.reserved_amount, order.remaining
    _change(order, changes, books)
    assert context.quote is not None
    if order.limit is None and order.stop is None:
        order.worst_price = acceptance.worst_price(order.side, None, None, context.quote)
    settlement.change_terms(order, reserved, remaining)
    matcher = Matcher(settlement, market, rules)
    matcher.look(order, context.quote)
    matcher.write()
    return answer(order, warnings=context.warnings)


def _require_fitting(order: OrderState, changes: OrderChanges) -> None:
    """A field can only be changed on an order that has it."""
    has = {
        "price": (changes.price, order.limit is not None),
        "stop_price": (changes.stop_price, order.stop is not None and order.trail_peak is None),
        "trail_amount": (changes.trail_amount, order.trail_amount is not None),
        "trail_percent": (changes.trail_percent, order.trail_percent is not None),
    }
    wrong = {name: ["does not belong to this order"] for name, (value, fits) in has.items() if value and not fits}
    if changes.quantity is not None and (order.oco_id is not None or order.parent_id is not None):
        wrong["quantity"] = ["cannot be changed: it follows the shares that the pair protects"]
    if changes.stop_price is not None and order.triggered_at is not None:
        wrong["stop_price"] = ["cannot be changed: the stop was reached already"]
    if wrong:
        raise InvalidInput(wrong)
    if changes.quantity is not None and changes.quantity <= order.filled_quantity:
        raise Refused(
            f"{order.filled_quantity:,} shares have filled already: the quantity must be larger, or cancel the rest.",
            code="QUANTITY_ALREADY_FILLED",
            details={"filled_quantity": order.filled_quantity},
        )


def _change(order: OrderState, changes: OrderChanges, books: Books) -> None:
    shrinks_only = (
        changes.quantity is not None
        and changes.quantity <= order.quantity
        and (changes.price, changes.stop_price, changes.trail_amount, changes.trail_percent) == (None,) * 4
    )
    order.quantity = changes.quantity or order.quantity
    order.limit = changes.price or order.limit
    order.trail_amount = changes.trail_amount or order.trail_amount
    order.trail_percent = changes.trail_percent or order.trail_percent
    order.stop = changes.stop_price or order.stop
    if order.trail_peak is not None and order.triggered_at is None:
        order.stop = trailing_stop(order.side, order.trail_peak, order.trail_amount, order.trail_percent)
    if order.limit is not None:
        order.worst_price = order.limit
    elif order.stop is not None and order.triggered_at is None:
        order.worst_price = stop_collar(order.side, order.stop)
    if not shrinks_only:
        order.accepted_at = books.market_time


def _ticket(order: OrderState, changes: OrderChanges) -> OrderTicket:
    """The changed order as a ticket, for the checks."""
    waits_for_stop = order.stop is not None and order.triggered_at is None and order.trail_peak is None
    return OrderTicket(
        ticker=order.ticker,
        side=order.side,
        execution_type=order.execution_type,
        quantity=changes.quantity or order.quantity,
        price=changes.price or order.limit,
        stop_price=(changes.stop_price or order.stop) if waits_for_stop else None,
    )
