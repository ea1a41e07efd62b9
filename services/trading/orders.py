"""What can be done with an order: place, replace, cancel, and by an admin execute or reject.

Each function is a unit for `run_unit`: the account of the order's owner is locked first, then the idempotency key is
looked up, then the effect happens and its answer is stored with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace as changed
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import Config
from models import Order
from services import audit, batches
from services.accounts import ledger
from services.accounts.fund_rules import require_other_person
from services.accounts.funds import parse_reason
from services.accounts.ledger import Books
from services.audit import Actor, Subject
from services.errors import InvalidInput, NotFound, Refused
from services.idempotency import Answer, RequestKey, once
from services.market.market import Market
from services.trading import acceptance
from services.trading.fill_rules import Execution
from services.trading.matcher import Matcher
from services.trading.order_state import OrderState, lock_orders
from services.trading.order_states import IllegalMove
from services.trading.order_texts import describe
from services.trading.prices import dollars, far_side, plausible, within
from services.trading.risk_checks import check
from services.trading.rules import TradingRules, read_rules
from services.trading.settlement import Settlement
from services.trading.tickets import OrderTicket
from services.transaction import run_unit
from utils.datetime_utils import Clock, utc_now
from utils.market_source import Quote
from utils.number_utils import PRICE_LIMIT, PRICE_STEP, decimal_places, parse_decimal


def place(
    session: Session,
    user_id: int,
    ticket: OrderTicket,
    *,
    market: Market,
    config: Config,
    key: RequestKey | None = None,
    clock: Clock = utc_now,
) -> Answer:
    """Accept an order: check it, reserve its worst case, and fill it at once when the quote at hand may.

    Answers message, order_id, order_status, filled_quantity, average_fill_price and warnings. Raises Refused with
    nothing stored.
    """
    books = ledger.lock_account(session, user_id, clock(), market.now())
    return once(session, key, lambda: _place(books, user_id, ticket, market, config))


def _place(books: Books, user_id: int, ticket: OrderTicket, market: Market, config: Config) -> Answer:
    rules = read_rules(books.session, config)
    context = acceptance.check_context(books.session, user_id, ticket, rules, market, books.wall_time, books=books)
    check(context)
    quote = context.quote
    assert quote is not None, "the checks refuse an order without a price"
    settlement = Settlement(books)
    accept = _accept_pair if ticket.order_class == "oco" else _accept_one
    order = accept(settlement, user_id, ticket, quote, market, rules)
    matcher = Matcher(settlement, market, rules)
    for accepted in list(settlement.orders.values()):
        if accepted.is_open:
            matcher.look(accepted, quote)
    matcher.write()
    return answer(order, warnings=context.warnings)


def _accept_one(
    settlement: Settlement, user_id: int, ticket: OrderTicket, quote: Quote, market: Market, rules: TradingRules
) -> OrderState:
    books = settlement.books
    row = acceptance.new_row(user_id, ticket, quote, rules, market, books.wall_time, books.market_time)
    order = settlement.insert(row)
    settlement.accept(order)
    return order


def _accept_pair(
    settlement: Settlement, user_id: int, ticket: OrderTicket, quote: Quote, market: Market, rules: TradingRules
) -> OrderState:
    """Two sells of the same shares; the take profit holds them and stands for the pair in the answer."""
    books = settlement.books
    legs = (
        changed(ticket, execution_type="limit", price=ticket.take_profit_price),
        changed(ticket, execution_type="stop", stop_price=ticket.stop_loss_price, price=None),
    )
    times = (books.wall_time, books.market_time)
    rows = [acceptance.new_row(user_id, leg, quote, rules, market, *times) for leg in legs]
    holder, other = (settlement.insert(row) for row in rows)
    settlement.accept_pair(holder, other)
    return holder


def cancel(
    session: Session,
    user_id: int,
    order_id: int,
    *,
    market: Market,
    key: RequestKey | None = None,
    clock: Clock = utc_now,
) -> Answer:
    """Cancel what is left of the trader's own open order. Raises NotFound for somebody else's, IllegalMove for an
    order that is not open any more.
    """
    books = ledger.lock_account(session, user_id, clock(), market.now())
    return once(session, key, lambda: _end(books, user_id, order_id, "cancelled", "Cancelled by the trader"))


def reject(
    session: Session,
    user_id: int,
    order_id: int,
    actor: Actor,
    reason: str,
    *,
    market: Market,
    key: RequestKey | None = None,
    clock: Clock = utc_now,
) -> Answer:
    """End an open order by an admin's decision; the trader reads the reason. `user_id` is the order's owner."""
    books = ledger.lock_account(session, user_id, clock(), market.now())
    return once(session, key, lambda: _reject(books, user_id, order_id, reason, actor))


def _reject(books: Books, user_id: int, order_id: int, reason: str, actor: Actor) -> Answer:
    settlement, order = lock_open_order(books, user_id, order_id)
    before = _figures(order)
    order.operator_id = actor.admin_id
    settlement.end(order, "rejected", reason)
    settlement.write()
    _audit(books, actor, "reject_order", order, before, reason)
    return answer(order)


def _audit(
    books: Books, actor: Actor, action: str, order: OrderState, before: dict[str, object], reason: str | None
) -> None:
    subject, after = Subject("orders", order.order_id, order.user_id), _figures(order)
    audit.record(books.session, actor, action, subject, before=before, after=after, now=books.wall_time, reason=reason)


def _figures(order: OrderState) -> dict[str, object]:
    """What an admin's decision changes of an order."""
    return {"order_status": order.status, "filled_quantity": order.filled_quantity}


def _end(books: Books, user_id: int, order_id: int, status: str, remark: str) -> Answer:
    settlement, order = lock_open_order(books, user_id, order_id)
    settlement.end(order, status, remark)
    settlement.write()
    return answer(order)


def execute(
    session: Session,
    user_id: int,
    order_id: int,
    actor: Actor,
    *,
    market: Market,
    price: Decimal | None = None,
    reason: str | None = None,
    key: RequestKey | None = None,
    clock: Clock = utc_now,
) -> Answer:
    """Fill the whole rest of an open order by an admin's decision, whatever session, age of the quote and volume.

    The price is the market's far side where it is within the limit, and the limit itself otherwise: whichever is
    better for the trader; or `price`, which needs a `reason`. `user_id` is the order's owner. Raises Refused for a
    price outside the limit, and for a market order without any price, and Forbidden for the admin's own account.
    """
    books = ledger.lock_account(session, user_id, clock(), market.now())
    return once(session, key, lambda: _execute(books, user_id, order_id, actor, market, price, reason))


def _execute(
    books: Books,
    user_id: int,
    order_id: int,
    actor: Actor,
    market: Market,
    price: Decimal | None,
    reason: str | None,
) -> Answer:
    require_other_person(books.session, actor.admin_id, user_id)
    settlement, order = lock_open_order(books, user_id, order_id)
    before = _figures(order)
    order.operator_id = actor.admin_id
    quote = market.quote(order.ticker)
    chosen = _manual_price(order, quote) if price is None else _given_price(order, price)
    rule = "manual" if price is None else "manual_price"
    if reason is not None:
        order.remark = f"Executed by hand: {reason}"
    settlement.fill(order, Execution(chosen, order.remaining, rule=rule), quote, "manual")
    settlement.write()
    _audit(books, actor, "execute_order", order, before, reason)
    return answer(order)


def parse_manual_price(fields: Mapping[str, object]) -> tuple[Decimal | None, str | None]:
    """Read the price that an admin gives, and why; both may be left out, but not the reason of a price. Raises
    InvalidInput that names the field.
    """
    value, reason = fields.get("price"), fields.get("reason")
    price: Decimal | None = None
    if value not in (None, ""):
        try:
            price = parse_decimal(value.strip() if isinstance(value, str) else value)
            if not PRICE_STEP <= price <= PRICE_LIMIT or decimal_places(price) > 4:
                raise ValueError(f"must be from {PRICE_STEP} to {PRICE_LIMIT:,}, with at most 4 places")
        except ValueError as error:
            raise InvalidInput({"price": [str(error)]}) from error
        price = price.quantize(PRICE_STEP)
    if price is None and reason in (None, ""):
        return None, None
    return price, parse_reason(reason)


def _given_price(order: OrderState, price: Decimal) -> Decimal:
    if within(order.side, price, order.worst_price):
        return price
    side = "at most" if order.side == "buy" else "at least"
    raise Refused(
        f"Order {order.order_id} may {order.side} at {side} {dollars(order.worst_price)}, not at {dollars(price)}.",
        code="PRICE_OUTSIDE_LIMIT",
        details={"price": price, "worst_price": order.worst_price},
    )


def _manual_price(order: OrderState, quote: Quote | None) -> Decimal:
    if quote is not None and plausible(quote):
        price = far_side(order.side, quote)
        if within(order.side, price, order.worst_price):
            return price
    if order.limit is not None:
        return order.limit
    raise Refused(
        f"There is no price of {order.ticker} within the order's collar of {dollars(order.worst_price)}.",
        code="NO_PRICE",
        details={"ticker": order.ticker, "worst_price": order.worst_price},
    )


def reject_many(
    numbers: Sequence[int], actor: Actor, reason: str, *, market: Market, key: RequestKey | None
) -> dict[str, Any]:
    """Reject each of these orders with the same reason, each in a unit of its own, and answer the summary of
    services/batches.py.
    """

    def reject_one(number: int, own_key: RequestKey | None) -> Answer:
        owner = run_unit(owner_of, number)
        return run_unit(reject, owner, number, actor, reason, market=market, key=own_key)

    return batches.decide_each(numbers, "rejected", key, reject_one)


def owner_of(session: Session, order_id: int) -> int:
    """Whose account an admin's unit must lock. Raises NotFound."""
    owner = session.execute(select(Order.user_id).where(Order.order_id == order_id)).scalar_one_or_none()
    if owner is None:
        raise no_such_order(order_id)
    return owner


def lock_open_order(books: Books, user_id: int, order_id: int) -> tuple[Settlement, OrderState]:
    """Read one open order for changing. Raises NotFound, or IllegalMove when it is not open any more."""
    settlement = Settlement(books, lock_orders(books.session, [order_id]))
    order = settlement.orders.get(order_id)
    if order is None or order.user_id != user_id:
        raise no_such_order(order_id)
    if not order.is_open:
        raise IllegalMove(
            f"Order {order_id} is already {order.status}.",
            code="ORDER_NOT_OPEN",
            details={"order_status": order.status},
        )
    return settlement, order


def no_such_order(order_id: int) -> NotFound:
    """The order does not exist, or belongs to somebody else: nobody learns which."""
    return NotFound(f"There is no order {order_id}.", code="NO_SUCH_ORDER", details={"order_id": order_id})


def answer(order: OrderState, **more: Any) -> Answer:
    """What the endpoints answer about an order."""
    average = order.average_fill_price
    return {
        "message": describe(order),
        "order_id": order.order_id,
        "order_status": order.status,
        "filled_quantity": order.filled_quantity,
        "average_fill_price": None if average is None else float(average),
        **more,
    }
