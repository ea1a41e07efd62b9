"""What can be done with an order: place, cancel, and by an admin execute or reject.

Each function is a unit for `run_unit`: the account of the order's owner is locked first, then the idempotency key is
looked up, then the effect happens and its answer is stored with it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import Config
from models import Instrument, Order
from services.accounts import ledger
from services.accounts.ledger import Books
from services.errors import NotFound, Refused
from services.idempotency import Answer, RequestKey, once
from services.market.market import Market
from services.trading.commission import CommissionTerms
from services.trading.fill_rules import STANDARD, Execution, collar, far_side, fill_for, plausible, within
from services.trading.order_states import IllegalMove
from services.trading.risk_checks import CheckContext, check
from services.trading.settlement import OrderState, Settlement, lock_orders
from services.trading.tickets import OrderTicket, parse_ticket
from utils.datetime_utils import Clock, utc_now
from utils.market_source import Quote

__all__ = ["OrderTicket", "cancel", "execute", "owner_of", "parse_ticket", "place", "reject"]


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

    Answers message, order_id, order_status, filled_quantity, average_fill_price and warnings. Raises Refused or
    NotFound with nothing stored.
    """
    books = ledger.lock_account(session, user_id, clock(), market.now())
    return once(session, key, lambda: _place(books, user_id, ticket, market, config))


def _place(books: Books, user_id: int, ticket: OrderTicket, market: Market, config: Config) -> Answer:
    quote = market.quote(ticket.ticker)
    context = CheckContext(ticket, _tradable(books.session, ticket.ticker), quote, market.ended())
    check(context)
    assert quote is not None, "the checks refuse an order without a price"
    order = _insert(books, user_id, ticket, quote, config)
    settlement = Settlement(books)
    settlement.accept(order)
    decision = fill_for(order.working(), quote, books.market_time, market.is_open(books.market_time))
    if isinstance(decision, Execution):
        settlement.fill(order, decision, quote, STANDARD.name)
    settlement.write()
    return _answer(order, warnings=context.warnings)


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
    admin_id: int,
    reason: str,
    *,
    market: Market,
    key: RequestKey | None = None,
    clock: Clock = utc_now,
) -> Answer:
    """End an open order by an admin's decision; the trader reads the reason. `user_id` is the order's owner."""
    books = ledger.lock_account(session, user_id, clock(), market.now())
    return once(session, key, lambda: _end(books, user_id, order_id, "rejected", reason, admin_id))


def _end(books: Books, user_id: int, order_id: int, status: str, remark: str, admin_id: int | None = None) -> Answer:
    order = _lock_open_order(books, user_id, order_id)
    order.operator_id = admin_id
    settlement = Settlement(books)
    settlement.end(order, status, remark)
    settlement.write()
    return _answer(order)


def execute(
    session: Session,
    user_id: int,
    order_id: int,
    admin_id: int,
    *,
    market: Market,
    key: RequestKey | None = None,
    clock: Clock = utc_now,
) -> Answer:
    """Fill the whole rest of an open order by an admin's decision, whatever the session and the quote's age.

    The price is the market's far side where it is within the limit, and the limit itself otherwise: whichever is
    better for the trader. `user_id` is the order's owner. Raises Refused for a market order without any price.
    """
    books = ledger.lock_account(session, user_id, clock(), market.now())
    return once(session, key, lambda: _execute(books, user_id, order_id, admin_id, market))


def _execute(books: Books, user_id: int, order_id: int, admin_id: int, market: Market) -> Answer:
    order = _lock_open_order(books, user_id, order_id)
    order.operator_id = admin_id
    quote = market.quote(order.ticker)
    execution = Execution(_manual_price(order, quote), order.remaining, rule="manual")
    settlement = Settlement(books)
    settlement.fill(order, execution, quote, "manual")
    settlement.write()
    return _answer(order)


def _manual_price(order: OrderState, quote: Quote | None) -> Decimal:
    if quote is not None and plausible(quote):
        price = far_side(order.side, quote)
        if within(order.side, price, order.worst_price):
            return price
    if order.limit is not None:
        return order.limit
    raise Refused(
        f"There is no price of {order.ticker} within the order's collar of ${order.worst_price}.",
        code="NO_PRICE",
        details={"ticker": order.ticker, "worst_price": order.worst_price},
    )


def owner_of(session: Session, order_id: int) -> int:
    """Whose account an admin's unit must lock. Raises NotFound."""
    owner = session.execute(select(Order.user_id).where(Order.order_id == order_id)).scalar_one_or_none()
    if owner is None:
        raise _no_such_order(order_id)
    return owner


def _lock_open_order(books: Books, user_id: int, order_id: int) -> OrderState:
    orders = lock_orders(books.session, [order_id])
    if not orders or orders[0].user_id != user_id:
        raise _no_such_order(order_id)
    if not orders[0].is_open:
        status = orders[0].status
        raise IllegalMove(
            f"Order {order_id} is already {status}.", code="ORDER_NOT_OPEN", details={"order_status": status}
        )
    return orders[0]


def _no_such_order(order_id: int) -> NotFound:
    return NotFound(f"There is no order {order_id}.", code="NO_SUCH_ORDER", details={"order_id": order_id})


def _tradable(session: Session, ticker: str) -> bool | None:
    return session.execute(select(Instrument.tradable).where(Instrument.ticker == ticker)).scalar_one_or_none()


def _insert(books: Books, user_id: int, ticket: OrderTicket, quote: Quote, config: Config) -> OrderState:
    row = Order(
        user_id=user_id,
        ticker=ticket.ticker,
        order_type=ticket.side,
        order_execution_type=ticket.execution_type,
        order_price=ticket.price,
        order_quantity=ticket.quantity,
        worst_price=ticket.price if ticket.price is not None else collar(ticket.side, quote),
        commission_per_share=config.commission_per_share,
        commission_minimum=config.commission_minimum,
        commission_maximum_rate=config.commission_maximum_rate,
        created_at=books.wall_time,
        updated_at=books.wall_time,
        accepted_at=books.market_time,
    )
    books.session.add(row)
    books.session.flush()
    return _new_state(row)


def _new_state(row: Order) -> OrderState:
    return OrderState(
        order_id=row.order_id,
        user_id=row.user_id,
        ticker=row.ticker,
        side=row.order_type,
        limit=row.order_price,
        worst_price=row.worst_price,
        quantity=row.order_quantity,
        filled_quantity=0,
        filled_amount=Decimal("0.00"),
        commission_paid=Decimal("0.00"),
        reserved_amount=Decimal("0.00"),
        status="pending",
        fills=0,
        accepted_at=row.accepted_at,
        terms=CommissionTerms(row.commission_per_share, row.commission_minimum, row.commission_maximum_rate),
        stored=("pending", 0),
    )


def _answer(order: OrderState, **more: Any) -> Answer:
    average = order.average_fill_price
    return {
        "message": describe(order),
        "order_id": order.order_id,
        "order_status": order.status,
        "filled_quantity": order.filled_quantity,
        "average_fill_price": None if average is None else float(average),
        **more,
    }


def describe(order: OrderState) -> str:
    """What became of an order, in words."""
    what = f"{order.filled_quantity:,} {order.ticker} at {_dollars(order.average_fill_price)}"
    verb = "Bought" if order.side == "buy" else "Sold"
    improvement = _improvement(order)
    if order.status == "filled":
        return f"{verb} {what}{improvement}."
    if order.status == "partially_filled":
        return f"{verb} {what}{improvement}; {order.remaining:,} more are waiting."
    if order.status == "pending":
        where = "for the next price" if order.limit is None else f"at {_dollars(order.limit)} or better"
        return f"Order {order.order_id} to {order.side} {order.quantity:,} {order.ticker} waits {where}."
    return f"Order {order.order_id} is {order.status}; what it held is free again."


def _improvement(order: OrderState) -> str:
    average = order.average_fill_price
    if order.limit is None or average is None or average == order.limit:
        return ""
    return f", {_dollars(abs(order.limit - average))} a share better than the limit"


def _dollars(price: Decimal | None) -> str:
    if price is None:
        return "-"
    return f"${price:,.2f}" if price == round(price, 2) else f"${price:,.4f}"
