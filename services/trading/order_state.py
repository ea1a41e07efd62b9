"""An order as one unit works on it: read under its account's lock, changed in memory, stored by the settlement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import Any, cast

from sqlalchemy import Column, CursorResult, Select, Table, Update, bindparam, func, insert, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from models import Order, Transaction
from services.many_rows import GuardedUpdate, Values, inserting
from services.trading.commission import CommissionTerms
from services.trading.fill_rules import WorkingOrder
from services.trading.order_states import OPEN_STATUSES
from utils.number_utils import ZERO, round_up_to_cent

ORDERS = cast(Table, Order.__table__)
FILLS = cast(Table, Transaction.__table__)

# The fields that may change after acceptance, and the columns of all fields that are not called like theirs.
_CHANGING = (
    *("status", "quantity", "limit", "worst_price", "stop", "trail_amount", "trail_percent", "trail_peak"),
    *("triggered_at", "accepted_at", "queued", "filled_quantity", "filled_amount", "commission_paid"),
    *("reserved_amount", "executed_at", "remark", "operator_id"),
)
_COLUMN = {
    "side": "order_type",
    "execution_type": "order_execution_type",
    "limit": "order_price",
    "quantity": "order_quantity",
    "stop": "stop_price",
    "status": "order_status",
}
_TERMS = ("commission_per_share", "commission_minimum", "commission_maximum_rate")
_GUARDING = ("status", "filled_quantity", "quantity")


@dataclass(slots=True)
class OrderState:
    """An order as read under the account's lock, kept up to date with what the unit does to it."""

    terms: CommissionTerms = field(kw_only=True)
    order_id: int
    user_id: int
    ticker: str
    side: str
    execution_type: str
    limit: Decimal | None
    worst_price: Decimal
    quantity: int
    accepted_at: datetime
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
    executed_at: datetime | None = None
    remark: str | None = None
    operator_id: int | None = None
    fills: int = 0
    stored: tuple[Any, ...] = ()  # what the row holds of the fields that may change

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
        self.stored = _figures_of(self)


# The fields that are columns of the row, in the order in which they are read.
_FIELDS = tuple(one.name for one in fields(OrderState) if one.name not in ("terms", "fills", "stored"))
_COLUMNS = tuple(_COLUMN.get(name, name) for name in _FIELDS)
_figures_of = attrgetter(*_CHANGING)


def lock_orders(session: Session, order_ids: Iterable[int]) -> dict[int, OrderState]:
    """Read orders for changing, in ascending order, with the other legs of their pairs. Their accounts must be locked
    already.
    """
    wanted = sorted(set(order_ids))
    if not wanted:
        return {}
    orders = _read(session, _BY_NUMBER, {"wanted": wanted})
    pairs = sorted({order.oco_id for order in orders.values() if order.oco_id is not None})
    if pairs:
        orders |= _read(session, _BY_PAIR, {"pairs": pairs, "known": sorted(orders)})
    return orders


def lock_legs(session: Session, parent_ids: Iterable[int]) -> dict[int, OrderState]:
    """The open bracket legs of these parents, for growing them."""
    wanted = sorted(set(parent_ids))
    if not wanted:
        return {}
    return _read(session, _BY_PARENT, {"parents": wanted})


def from_order(order: Order) -> OrderState:
    """The state of an order just stored."""
    return _state((*attrgetter(*_COLUMNS)(order), 0, *attrgetter(*_TERMS)(order)))


def insert_order(session: Session, order: Order) -> OrderState:
    """Store one new order and answer its state. Not as an object of the session: that costs as much as all checks."""
    given = {name: getattr(order, name) for name in _INSERTED}
    values = given | {name: value for name, value in _DEFAULTS.items() if given[name] is None}
    result = cast(CursorResult[Any], session.execute(_INSERT, values))
    values["order_id"] = cast(Any, result.inserted_primary_key)[0]
    return _state((*(values[name] for name in _COLUMNS), 0, *(values[name] for name in _TERMS)))


def write_orders(session: Session, orders: Sequence[OrderState], wall_time: datetime) -> int:
    """Store what has changed of these orders, in one statement for all, each guarded by what its row held when it was
    read. Answers how many rows still held that.
    """
    figures = [_figures_of(order) for order in orders]
    stored = zip(*(order.stored for order in orders), strict=True)
    before = dict(zip(_CHANGING, stored, strict=True))
    now = dict(zip(_CHANGING, zip(*figures, strict=True), strict=True))
    names = tuple(name for name in _CHANGING if now[name] != before[name])
    columns = [before[name] for name in _GUARDING] + [now[name] for name in names]
    numbers = [order.order_id for order in orders]
    rows = list(zip(numbers, [wall_time] * len(orders), *columns, strict=True))
    found = _updating(names).run(session, rows)
    for order, stored_now in zip(orders, figures, strict=True):
        order.stored = stored_now
    return found


def _read(session: Session, query: Select[*tuple[Any, ...]], values: dict[str, Any]) -> dict[int, OrderState]:
    """The states of the orders that a query finds."""
    states = [_state(row) for row in session.execute(query, values)]
    return {state.order_id: state for state in states}


def _state(figures: Sequence[Any]) -> OrderState:
    """The state of a row: the columns in the order of the fields, how often it filled, its commission terms."""
    state = OrderState(*figures[:-3], terms=CommissionTerms(*figures[-3:]))
    state.mark_stored()
    return state


_INSERT = insert(ORDERS)
_INSERTED = tuple(column.name for column in ORDERS.columns if not column.primary_key)
_DEFAULTS = {
    column.name: column.default.arg
    for column in ORDERS.columns
    if isinstance(column.default, ScalarElementColumnDefault)
}


def _reading() -> Select[*tuple[Any, ...]]:
    fills = select(func.max(FILLS.c.fill_number)).where(FILLS.c.order_id == ORDERS.c.order_id).scalar_subquery()
    columns, terms = [ORDERS.c[name] for name in _COLUMNS], [ORDERS.c[name] for name in _TERMS]
    return select(*columns, func.coalesce(fills, 0), *terms).order_by(ORDERS.c.order_id).with_for_update(of=ORDERS)


# Built once: an order needs each of them, and building them costs as much as asking.
_BY_NUMBER = _reading().where(ORDERS.c.order_id.in_(bindparam("wanted", expanding=True, literal_execute=True)))
_BY_PAIR = _reading().where(
    ORDERS.c.oco_id.in_(bindparam("pairs", expanding=True)),
    ORDERS.c.order_id.not_in(bindparam("known", expanding=True)),
)
_BY_PARENT = _reading().where(
    ORDERS.c.parent_id.in_(bindparam("parents", expanding=True)),
    or_(*(ORDERS.c.order_status == one for one in OPEN_STATUSES)),
)


@cache
def _updating(names: tuple[str, ...]) -> GuardedUpdate:
    """The guarded update of these fields; its rows are order number, time, guards and new values. Units change the same
    few fields together again and again.
    """

    def column(name: str) -> Column[Any]:
        return ORDERS.c[_COLUMN.get(name, name)]

    types = {"the_order": ORDERS.c.order_id.type, "changed_at": ORDERS.c.updated_at.type}
    types |= {f"{name}_was": column(name).type for name in _GUARDING}
    types |= {f"new_{name}": column(name).type for name in names}

    def build(given: Values) -> Update:
        guards = [column(name) == given[f"{name}_was"] for name in _GUARDING]
        changes = {column(name): given[f"new_{name}"] for name in names}
        changed = update(ORDERS).where(ORDERS.c.order_id == given["the_order"], *guards)
        return changed.values(changes).values(updated_at=given["changed_at"])

    return GuardedUpdate(types, build)


FILL_COLUMNS = (
    *("order_id", "fill_number", "user_id", "ticker", "transaction_type", "transaction_price"),
    *("transaction_quantity", "transaction_amount", "commission", "realised_profit", "transaction_time"),
    *("worst_price", "market_time", "rule", "profile", "slippage"),
    *("quote_time", "quote_last", "quote_bid", "quote_ask", "quote_source"),
)
INSERT_FILLS = inserting(FILLS, FILL_COLUMNS)
