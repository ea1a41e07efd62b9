"""Orders against the journal, against their fills, and by themselves."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, Subquery, and_, case, func, not_, or_, select

from services.accounts.verify.report import Finding
from services.accounts.verify.sweep import (
    AnyRow,
    Check,
    Column,
    Sweep,
    cash_where,
    differs,
    number_where,
    or_none,
    or_zero,
    stream,
)
from services.accounts.verify.tables import FILLS, JOURNAL, ORDERS
from services.trading.commission import CommissionTerms
from services.trading.order_states import FINAL_STATUSES, OPEN_STATUSES
from utils.number_utils import ZERO, round_up_to_cent

_line, _order, _fill = JOURNAL.c, ORDERS.c, FILLS.c


def reservations(connection: Connection) -> Iterator[Finding]:
    """The worst case of the rest of each open buy, rounded as when it was reserved, with its commission."""
    query = select(
        _order.order_id,
        _order.user_id,
        _order.reserved_amount,
        _order.worst_price,
        _order.filled_amount,
        _order.filled_quantity,
        _order.order_quantity,
        _order.commission_per_share,
        _order.commission_minimum,
        _order.commission_maximum_rate,
    ).where(_order.order_type == "buy", _order.order_status.in_(OPEN_STATUSES))
    for row in stream(connection, query):
        rest = row.order_quantity - row.filled_quantity
        value = round_up_to_cent(row.worst_price) * rest
        commission = terms_of(row).for_fill(rest, value, row.filled_quantity, row.filled_amount)
        if row.reserved_amount != value + commission:
            yield (
                "ORDER_RESERVATION",
                {
                    "order_id": row.order_id,
                    "user_id": row.user_id,
                    "reserved_amount": row.reserved_amount,
                    "worst_case": value + commission,
                },
            )


def terms_of(order: AnyRow) -> CommissionTerms:
    """The commission terms at which an order was accepted."""
    return CommissionTerms(order.commission_per_share, order.commission_minimum, order.commission_maximum_rate)


def _journal_by_order() -> Subquery:
    gains = or_(_line.cash > ZERO, _line.shares > 0)  # one line of each reserving or releasing group
    frozen = _line.account == "frozen"
    return (
        select(
            _line.order_id,
            cash_where(frozen, _line.cash).label("frozen_cash"),
            number_where(frozen, _line.shares).label("frozen_shares"),
            number_where(and_(_line.kind == "reserve", gains)).label("reserves"),
            number_where(and_(_line.kind == "release", gains)).label("releases"),
            func.min(_line.user_id).label("first_user"),
            func.max(_line.user_id).label("last_user"),
            func.min(_line.ticker).label("first_ticker"),
            func.max(_line.ticker).label("last_ticker"),
        )
        .where(_line.order_id.is_not(None))
        .group_by(_line.order_id)
        .subquery("journal")
    )


def _by_holder() -> Subquery:
    """What each order holds in the journal and should hold. The legs of a pair are taken together under the number of
    the one that holds the shares of both: they count once, but a fill of either takes of them.
    """
    journal = _journal_by_order()
    c = journal.c
    holder = func.coalesce(_order.oco_id, _order.order_id)
    open_sell = and_(_order.order_type == "sell", _order.order_status.in_(OPEN_STATUSES))
    holds = and_(open_sell, holder == _order.order_id)
    ended = and_(_order.order_status.in_(FINAL_STATUSES), _order.order_status != "filled")
    foreign = or_(
        c.first_user != _order.user_id,
        c.last_user != _order.user_id,
        c.first_ticker != _order.ticker,
        c.last_ticker != _order.ticker,
    )
    return (
        select(
            holder.label("order_id"),
            func.min(_order.user_id).label("user_id"),
            func.sum(_order.reserved_amount).label("reserved_amount"),
            func.sum(or_zero(c.frozen_cash)).label("frozen_cash"),
            number_where(holds, _order.order_quantity - _order.filled_quantity).label("to_sell"),
            func.sum(or_none(c.frozen_shares)).label("frozen_shares"),
            func.sum(or_none(c.reserves)).label("reserves"),
            func.sum(or_none(c.releases)).label("releases"),
            number_where(and_(ended, _order.oco_id.is_(None))).label("releases_needed"),
            number_where(foreign).label("foreign_orders"),
        )
        .select_from(ORDERS.outerjoin(journal, c.order_id == _order.order_id))
        .group_by(holder)
        .subquery("by_holder")
    )


def _journal_sweep() -> Sweep:
    held = _by_holder()
    c = held.c
    return Sweep(
        source=held,
        shown=list(c),
        faults={
            "ORDER_FROZEN_CASH": c.frozen_cash != c.reserved_amount,
            "ORDER_FROZEN_SHARES": c.frozen_shares != c.to_sell,
            "ORDER_RESERVES": c.reserves < 1,
            "ORDER_RELEASES": c.releases < c.releases_needed,
            "ORDER_FOREIGN_LINES": c.foreign_orders > 0,
        },
    )


def _wrong_status() -> Column:
    filled, wanted, status = _order.filled_quantity, _order.order_quantity, _order.order_status
    fitting = or_(
        and_(status == "pending", filled == 0),
        and_(status == "partially_filled", filled > 0, filled < wanted),
        and_(status == "filled", filled == wanted),
        and_(status.in_(FINAL_STATUSES), status != "filled", filled >= 0, filled < wanted),
    )
    return or_(
        not_(fitting), case((status == "filled", _order.executed_at.is_(None)), else_=_order.executed_at.is_not(None))
    )


def _fills_by_order() -> Subquery:
    return (
        select(
            _fill.order_id,
            func.sum(_fill.transaction_quantity).label("quantity"),
            func.sum(_fill.transaction_amount).label("amount"),
            func.sum(_fill.commission).label("commission"),
            func.min(_fill.fill_number).label("first_fill"),
            func.max(_fill.fill_number).label("last_fill"),
            func.count().label("fills"),
        )
        .group_by(_fill.order_id)
        .subquery("fills")
    )


def _fill_sums_sweep() -> Sweep:
    fills = _fills_by_order()
    c = fills.c
    return Sweep(
        source=ORDERS.outerjoin(fills, c.order_id == _order.order_id),
        shown=[
            _order.order_id, _order.user_id, _order.order_status, _order.order_quantity,
            _order.filled_quantity, c.quantity.label("quantity_of_fills"),
            _order.filled_amount, c.amount.label("amount_of_fills"),
            _order.commission_paid, c.commission.label("commission_of_fills"),
            _order.reserved_amount, _order.order_price, _order.worst_price,
        ],
        faults={
            "ORDER_STATUS": _wrong_status(),
            "ORDER_LIMIT": and_(
                _order.order_price.is_not(None), differs(_order.order_price, _order.worst_price)
            ),
            "ORDER_HOLDS": and_(
                _order.reserved_amount != ZERO,
                or_(_order.order_type == "sell", _order.order_status.in_(FINAL_STATUSES)),
            ),
            "ORDER_FILLED_QUANTITY": or_none(c.quantity) != _order.filled_quantity,
            "ORDER_FILLED_AMOUNT": or_zero(c.amount) != _order.filled_amount,
            "ORDER_COMMISSION": or_zero(c.commission) != _order.commission_paid,
            "FILL_GAP": or_(c.first_fill != 1, c.last_fill != c.fills),
        },
    )  # fmt: skip


def _pair_sweep() -> Sweep:
    """Of two sells of the same shares each always has as many left to sell as the other, and they end together."""
    is_open = _order.order_status.in_(OPEN_STATUSES)
    rest = _order.order_quantity - _order.filled_quantity
    pairs = (
        select(
            _order.oco_id,
            func.min(_order.user_id).label("user_id"),
            func.min(_order.order_id).label("first_leg"),
            func.max(_order.order_id).label("last_leg"),
            func.count().label("legs"),
            number_where(is_open).label("open_legs"),
            func.min(case((is_open, rest))).label("least_rest"),
            func.max(case((is_open, rest))).label("most_rest"),
        )
        .where(_order.oco_id.is_not(None))
        .group_by(_order.oco_id)
        .subquery("pairs")
    )
    c = pairs.c
    fault = or_(c.legs != 2, c.open_legs == 1, c.least_rest != c.most_rest)
    return Sweep(pairs, list(c), {"ORDER_PAIR": fault})


CHECKS: tuple[Check, ...] = (reservations, _journal_sweep(), _fill_sums_sweep(), _pair_sweep())
