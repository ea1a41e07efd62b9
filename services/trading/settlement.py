"""How an order changes once the rules have decided: it fills, or it ends. The one place that writes orders and fills.

Works on orders read under their account's lock. The changes of a unit are collected and stored together by `write`:
the fills, the guarded updates of the orders, and through the ledger the journal, balances and holdings.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import CursorResult, Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from models import Order, Transaction
from services.accounts.journal import BooksError, Cause
from services.accounts.ledger import Books
from services.trading.commission import CommissionTerms
from services.trading.fill_rules import Execution, WorkingOrder, within
from services.trading.order_states import OPEN_STATUSES, move_order
from utils.market_source import Quote
from utils.number_utils import ZERO, round_money, round_up_to_cent

_ORDERS = cast(Table, Order.__table__)
_FILLS = cast(Table, Transaction.__table__)


@dataclass(slots=True)
class OrderState:
    """An order as read under the account's lock, kept up to date with what the unit does to it."""

    order_id: int
    user_id: int
    ticker: str
    side: str
    limit: Decimal | None
    worst_price: Decimal
    quantity: int
    filled_quantity: int
    filled_amount: Decimal
    commission_paid: Decimal
    reserved_amount: Decimal
    status: str
    fills: int
    accepted_at: datetime
    terms: CommissionTerms
    remark: str | None = None
    executed_at: datetime | None = None
    operator_id: int | None = None
    stored: tuple[str, int] = ("", 0)  # status and filled quantity that the row holds

    @property
    def remaining(self) -> int:
        return self.quantity - self.filled_quantity

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES

    @property
    def average_fill_price(self) -> Decimal | None:
        """Dollars a share over all fills so far, to four places; None without a fill."""
        return (self.filled_amount / self.filled_quantity).quantize(Decimal("0.0001")) if self.filled_quantity else None

    def working(self) -> WorkingOrder:
        """What the fill rules need to know of it."""
        return WorkingOrder(self.side, self.limit, self.worst_price, self.remaining, self.accepted_at)

    def needed_reservation(self) -> Decimal:
        """Dollars that must stay frozen for the rest of a buy: its worst case with commission; nothing for a sell.

        The worst price is rounded up to whole cents, so that rounding of part fills can never cost more than this.
        """
        if self.side == "sell" or not self.is_open:
            return ZERO
        rest = round_up_to_cent(self.worst_price) * self.remaining
        return rest + self.terms.for_fill(self.remaining, rest, self.filled_quantity, self.filled_amount)


def lock_orders(session: Session, order_ids: Iterable[int]) -> list[OrderState]:
    """Read orders for changing, in ascending order. Their accounts must be locked already."""
    fills = (
        select(Transaction.fill_number)
        .where(Transaction.order_id == Order.order_id)
        .order_by(Transaction.fill_number.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(_ORDERS, fills.label("fills"))
        .where(_ORDERS.c.order_id.in_(sorted(set(order_ids))))
        .order_by(_ORDERS.c.order_id)
        .with_for_update(of=_ORDERS)
    )
    return [_state(row) for row in session.execute(query)]


def _state(row: Any) -> OrderState:
    return OrderState(
        order_id=row.order_id,
        user_id=row.user_id,
        ticker=row.ticker,
        side=row.order_type,
        limit=row.order_price,
        worst_price=row.worst_price,
        quantity=row.order_quantity,
        filled_quantity=row.filled_quantity,
        filled_amount=row.filled_amount,
        commission_paid=row.commission_paid,
        reserved_amount=row.reserved_amount,
        status=row.order_status,
        fills=row.fills or 0,
        accepted_at=row.accepted_at,
        terms=CommissionTerms(row.commission_per_share, row.commission_minimum, row.commission_maximum_rate),
        remark=row.remark,
        executed_at=row.executed_at,
        operator_id=row.operator_id,
        stored=(row.order_status, row.filled_quantity),
    )


@dataclass(slots=True)
class Settlement:
    """The changes of one unit to orders whose accounts are locked in `books`."""

    books: Books
    _orders: dict[int, OrderState] = field(default_factory=dict)
    _fills: list[dict[str, Any]] = field(default_factory=list)

    def accept(self, order: OrderState) -> None:
        """Reserve what a new order needs. Raises Refused when the trader does not have it."""
        cause = Cause(order_id=order.order_id)
        if order.side == "sell":
            self.books.reserve_shares(order.user_id, order.ticker, order.remaining, cause)
        else:
            self._set_reservation(order, order.needed_reservation())
            self.books.reserve_cash(order.user_id, order.reserved_amount, cause)
        self._record(order, "order_accepted", quantity=order.quantity)

    def fill(self, order: OrderState, execution: Execution, quote: Quote | None, profile: str) -> None:
        """Book one fill of an open order, with the quote that is its evidence."""
        if not within(order.side, execution.price, order.worst_price) or execution.quantity > order.remaining:
            raise BooksError(f"order {order.order_id} must not fill by {execution}")
        amount = round_money(execution.price * execution.quantity)
        commission = order.terms.for_fill(execution.quantity, amount, order.filled_quantity, order.filled_amount)
        self._advance(order, execution.quantity, amount, commission)
        cause = Cause(order_id=order.order_id, fill_number=order.fills)
        profit = self._pay(order, execution.quantity, amount, commission, cause)
        self._fills.append(self._fill_row(order, execution, amount, commission, profit, quote, profile))
        self._record(
            order, "order_filled", quantity=execution.quantity, price=str(execution.price), fill_number=order.fills
        )

    def end(self, order: OrderState, status: str, remark: str | None) -> None:
        """End an open order without filling it: cancelled, rejected or expired. What it held returns to the trader."""
        order.status = move_order(order.status, status)
        order.remark = remark
        cause = Cause(order_id=order.order_id)
        if order.side == "sell":
            self.books.release_shares(order.user_id, order.ticker, order.remaining, cause)
        else:
            self.books.release_cash(order.user_id, order.reserved_amount, cause)
            self._set_reservation(order, ZERO)
        self._orders[order.order_id] = order
        self._record(order, f"order_{status}", remark=remark)

    def write(self) -> None:
        """Store everything. Raises BooksError when an order is not as it was read."""
        if self._fills:
            self.books.session.execute(insert(_FILLS), self._fills)
        if self._orders:
            rows = [_changes(order, self.books.wall_time) for _, order in sorted(self._orders.items())]
            result = cast("CursorResult[Any]", self.books.session.execute(_UPDATE_ORDERS, rows))
            if result.rowcount != len(rows):
                raise BooksError(f"orders: {result.rowcount} of {len(rows)} guarded updates found their row")
        self.books.write()
        for order in self._orders.values():
            order.stored = (order.status, order.filled_quantity)
        self._orders, self._fills = {}, []

    def _advance(self, order: OrderState, quantity: int, amount: Decimal, commission: Decimal) -> None:
        order.filled_quantity += quantity
        order.filled_amount += amount
        order.commission_paid += commission
        order.fills += 1
        order.status = move_order(order.status, "filled" if order.remaining == 0 else "partially_filled")
        if order.remaining == 0:
            order.executed_at = self.books.wall_time
        self._orders[order.order_id] = order

    def _pay(
        self, order: OrderState, quantity: int, amount: Decimal, commission: Decimal, cause: Cause
    ) -> Decimal | None:
        if order.side == "sell":
            return self.books.settle_sell(order.user_id, order.ticker, quantity, amount, commission, cause)
        freed = order.reserved_amount - order.needed_reservation()
        self._set_reservation(order, order.needed_reservation())
        self.books.settle_buy(order.user_id, order.ticker, quantity, amount, commission, freed, cause)
        return None

    def _set_reservation(self, order: OrderState, amount: Decimal) -> None:
        order.reserved_amount = amount
        self._orders[order.order_id] = order

    def _fill_row(
        self,
        order: OrderState,
        execution: Execution,
        amount: Decimal,
        commission: Decimal,
        profit: Decimal | None,
        quote: Quote | None,
        profile: str,
    ) -> dict[str, Any]:
        return {
            "order_id": order.order_id,
            "fill_number": order.fills,
            "user_id": order.user_id,
            "ticker": order.ticker,
            "transaction_type": order.side,
            "transaction_price": execution.price,
            "transaction_quantity": execution.quantity,
            "transaction_amount": amount,
            "commission": commission,
            "realised_profit": profit,
            "transaction_time": self.books.wall_time,
            "market_time": self.books.market_time,
            "rule": execution.rule,
            "profile": profile,
            "quote_time": quote and quote.provider_time,
            "quote_last": quote and quote.last,
            "quote_bid": quote and quote.bid,
            "quote_ask": quote and quote.ask,
            "quote_source": quote and quote.source,
        }

    def _record(self, order: OrderState, kind: str, **figures: object) -> None:
        payload = {
            "order_id": order.order_id,
            "ticker": order.ticker,
            "order_type": order.side,
            "order_status": order.status,
            **figures,
        }
        self.books.record(order.user_id, kind, json.dumps(payload))


def _changes(order: OrderState, wall_time: datetime) -> dict[str, Any]:
    status_before, filled_before = order.stored
    return {
        "the_order": order.order_id,
        "status_before": status_before,
        "filled_before": filled_before,
        "status_after": order.status,
        "filled_after": order.filled_quantity,
        "amount_after": order.filled_amount,
        "commission_after": order.commission_paid,
        "reserved_after": order.reserved_amount,
        "executed_after": order.executed_at,
        "remark_after": order.remark,
        "operator_after": order.operator_id,
        "changed_at": wall_time,
    }


_UPDATE_ORDERS = (
    update(_ORDERS)
    .where(
        _ORDERS.c.order_id == bindparam("the_order"),
        _ORDERS.c.order_status == bindparam("status_before"),
        _ORDERS.c.filled_quantity == bindparam("filled_before"),
    )
    .values(
        order_status=bindparam("status_after"),
        filled_quantity=bindparam("filled_after"),
        filled_amount=bindparam("amount_after"),
        commission_paid=bindparam("commission_after"),
        reserved_amount=bindparam("reserved_after"),
        executed_at=bindparam("executed_after"),
        remark=bindparam("remark_after"),
        operator_id=bindparam("operator_after"),
        updated_at=bindparam("changed_at"),
    )
)
