"""An order as one unit works on it: read under its account's lock, changed in memory, stored by the settlement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import Select, Table, Update, func, or_, select, update
from sqlalchemy.orm import Session

from models import Order, Transaction
from services.many_rows import GuardedUpdate, Values, inserting
from services.trading.commission import CommissionTerms
from services.trading.fill_rules import WorkingOrder
from services.trading.order_states import OPEN_STATUSES
from utils.number_utils import ZERO, round_up_to_cent

ORDERS = cast(Table, Order.__table__)
FILLS = cast(Table, Transaction.__table__)

# The columns that may change after acceptance, by the field that holds them.
_CHANGING = {
    "status": "order_status",
    "quantity": "order_quantity",
    "limit": "order_price",
    "worst_price": "worst_price",
    "stop": "stop_price",
    "trail_amount": "trail_amount",
    "trail_percent": "trail_percent",
    "trail_peak": "trail_peak",
    "triggered_at": "triggered_at",
    "accepted_at": "accepted_at",
    "queued": "queued",
    "filled_quantity": "filled_quantity",
    "filled_amount": "filled_amount",
    "commission_paid": "commission_paid",
    "reserved_amount": "reserved_amount",
    "executed_at": "executed_at",
    "remark": "remark",
    "operator_id": "operator_id",
}


@dataclass(slots=True)
class OrderState:
    """An order as read under the account's lock, kept up to date with what the unit does to it."""

    order_id: int
    user_id: int
    ticker: str
    side: str
    execution_type: str
    limit: Decimal | None
    worst_price: Decimal
    quantity: int
    accepted_at: datetime
    terms: CommissionTerms
    stop: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    trail_peak: Decimal | None = None
    triggered_at: datetime | None = None
    time_in_force: str = "gtc"
    expires_at: datetime | None = None
    extended_hours: bool = False
    queued: bool = False
    display_quantity: int | None = None
    take_profit_price: Decimal | None = None
    stop_loss_price: Decimal | None = None
    parent_id: int | None = None
    oco_id: int | None = None
    filled_quantity: int = 0
    filled_amount: Decimal = ZERO
    commission_paid: Decimal = ZERO
    reserved_amount: Decimal = ZERO
    status: str = "pending"
    fills: int = 0
    executed_at: datetime | None = None
    remark: str | None = None
    operator_id: int | None = None
    stored: tuple[str, int, int] = ("pending", 0, 0)  # status, filled quantity and quantity that the row holds

    @property
    def remaining(self) -> int:
        return self.quantity - self.filled_quantity

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES

    @property
    def holds_shares(self) -> bool:
        """Whether the shares it sells are promised in its name. In a pair one leg holds them for both."""
        return self.side == "sell" and self.oco_id in (None, self.order_id)

    @property
    def average_fill_price(self) -> Decimal | None:
        """Dollars a share over all fills so far, to four places; None without a fill."""
        return (self.filled_amount / self.filled_quantity).quantize(Decimal("0.0001")) if self.filled_quantity else None

    def working(self) -> WorkingOrder:
        """What the fill rules need to know of it."""
        return WorkingOrder(
            side=self.side,
            limit=self.limit,
            worst_price=self.worst_price,
            remaining=self.remaining,
            accepted_at=self.accepted_at,
            stop=None if self.triggered_at else self.stop,
            time_in_force=self.time_in_force,
            display=self.display_quantity,
            extended_hours=self.extended_hours,
            queued=self.queued,
        )

    def needed_reservation(self) -> Decimal:
        """Dollars that must stay frozen for the rest of a buy: its worst case with commission; nothing for a sell.

        The worst price is rounded up to whole cents, so that rounding of part fills can never cost more than this.
        """
        if self.side == "sell" or not self.is_open:
            return ZERO
        rest = round_up_to_cent(self.worst_price) * self.remaining
        return rest + self.terms.for_fill(self.remaining, rest, self.filled_quantity, self.filled_amount)

    def mark_stored(self) -> None:
        """The row now holds what this holds."""
        self.stored = (self.status, self.filled_quantity, self.quantity)

    def changes(self, wall_time: datetime) -> dict[str, Any]:
        """The guarded update that brings the row from what it holds to these figures."""
        status, filled, quantity = self.stored
        guards = {"the_order": self.order_id, "status_was": status, "filled_was": filled, "quantity_was": quantity}
        return guards | {f"new_{name}": getattr(self, name) for name in _CHANGING} | {"changed_at": wall_time}


def lock_orders(session: Session, order_ids: Iterable[int]) -> dict[int, OrderState]:
    """Read orders for changing, in ascending order, with the other legs of their pairs. Their accounts must be locked
    already.
    """
    wanted = sorted(set(order_ids))
    if not wanted:
        return {}
    rows = session.execute(_reading().where(ORDERS.c.order_id.in_(wanted))).all()
    orders = {row.order_id: _from_row(row) for row in rows}
    pairs = sorted({order.oco_id for order in orders.values() if order.oco_id is not None})
    if pairs:
        siblings = _reading().where(ORDERS.c.oco_id.in_(pairs), ORDERS.c.order_id.not_in(sorted(orders)))
        orders |= {row.order_id: _from_row(row) for row in session.execute(siblings)}
    return orders


def lock_legs(session: Session, parent_ids: Iterable[int]) -> dict[int, OrderState]:
    """The open bracket legs of these parents, for growing them."""
    wanted = sorted(set(parent_ids))
    if not wanted:
        return {}
    rows = session.execute(
        _reading().where(ORDERS.c.parent_id.in_(wanted), or_(*(ORDERS.c.order_status == one for one in OPEN_STATUSES)))
    )
    return {row.order_id: _from_row(row) for row in rows}


def _reading() -> Select[*tuple[Any, ...]]:
    fills = select(func.max(FILLS.c.fill_number)).where(FILLS.c.order_id == ORDERS.c.order_id).scalar_subquery()
    return select(ORDERS, fills.label("fills")).order_by(ORDERS.c.order_id).with_for_update(of=ORDERS)


def _from_row(row: Any) -> OrderState:
    state = from_order(row)
    state.fills = row.fills or 0
    return state


def from_order(row: Any) -> OrderState:
    """The state of an order's row, or of an Order just stored."""
    state = OrderState(
        order_id=row.order_id,
        user_id=row.user_id,
        ticker=row.ticker,
        side=row.order_type,
        execution_type=row.order_execution_type,
        terms=CommissionTerms(row.commission_per_share, row.commission_minimum, row.commission_maximum_rate),
        time_in_force=row.time_in_force,
        expires_at=row.expires_at,
        extended_hours=row.extended_hours,
        display_quantity=row.display_quantity,
        take_profit_price=row.take_profit_price,
        stop_loss_price=row.stop_loss_price,
        parent_id=row.parent_id,
        oco_id=row.oco_id,
        **{name: getattr(row, column) for name, column in _CHANGING.items()},
    )
    state.mark_stored()
    return state


def _updated(given: Values) -> Update:
    return (
        update(ORDERS)
        .where(
            ORDERS.c.order_id == given["the_order"],
            ORDERS.c.order_status == given["status_was"],
            ORDERS.c.filled_quantity == given["filled_was"],
            ORDERS.c.order_quantity == given["quantity_was"],
        )
        .values({column: given[f"new_{name}"] for name, column in _CHANGING.items()})
        .values(updated_at=given["changed_at"])
    )


_GUARDS = {
    "the_order": ORDERS.c.order_id,
    "status_was": ORDERS.c.order_status,
    "filled_was": ORDERS.c.filled_quantity,
    "quantity_was": ORDERS.c.order_quantity,
    "changed_at": ORDERS.c.updated_at,
}
_NEW = {f"new_{name}": ORDERS.c[column] for name, column in _CHANGING.items()}
UPDATE_ORDERS = GuardedUpdate({name: column.type for name, column in (_GUARDS | _NEW).items()}, _updated)

INSERT_FILLS = inserting(
    FILLS,
    (
        *("order_id", "fill_number", "user_id", "ticker", "transaction_type", "transaction_price"),
        *("transaction_quantity", "transaction_amount", "commission", "realised_profit", "transaction_time"),
        *("worst_price", "market_time", "rule", "profile", "slippage"),
        *("quote_time", "quote_last", "quote_bid", "quote_ask", "quote_source"),
    ),
)
