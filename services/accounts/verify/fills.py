"""Fills against their orders, by their own arithmetic, and against the journal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, and_, case, func, literal, null, or_, select, union_all

from services.accounts.verify.orders import terms_of
from services.accounts.verify.report import Finding
from services.accounts.verify.sweep import NO_CASH, AnyRow, AnySelect, Check, Sweep, mixed, stream
from services.accounts.verify.tables import FILLS, JOURNAL, ORDERS
from utils.number_utils import ZERO, round_money

_line, _order, _fill = JOURNAL.c, ORDERS.c, FILLS.c
_buys = _fill.transaction_type == "buy"


def arithmetic(connection: Connection) -> Iterator[Finding]:
    """Amount and commission of every fill, which need rounding, in the order in which each order was filled."""
    query = (
        select(
            _fill.transaction_id,
            _fill.order_id,
            _fill.transaction_price,
            _fill.transaction_quantity,
            _fill.transaction_amount,
            _fill.commission,
            _order.commission_per_share,
            _order.commission_minimum,
            _order.commission_maximum_rate,
        )
        .join(ORDERS, _order.order_id == _fill.order_id)
        .order_by(_fill.order_id, _fill.fill_number)
    )
    for _, fills in groupby(stream(connection, query), attrgetter("order_id")):
        yield from _arithmetic_of_order(fills)


def _arithmetic_of_order(fills: Iterable[AnyRow]) -> Iterator[Finding]:
    """All fills of an order together pay what its terms say for the whole, each what is still owed."""
    shares, value = 0, ZERO
    for fill in fills:
        where = {"transaction_id": fill.transaction_id, "order_id": fill.order_id}
        amount = round_money(fill.transaction_price * fill.transaction_quantity)
        if fill.transaction_amount != amount:
            yield "FILL_AMOUNT", {**where, "amount": fill.transaction_amount, "price_times_quantity": amount}
        owed = terms_of(fill).for_fill(fill.transaction_quantity, fill.transaction_amount, shares, value)
        if fill.commission != owed:
            yield "FILL_COMMISSION", {**where, "commission": fill.commission, "by_the_terms": owed}
        shares += fill.transaction_quantity
        value += fill.transaction_amount


_order_sweep = Sweep(
    source=FILLS.join(ORDERS, _order.order_id == _fill.order_id),
    shown=[
        _fill.transaction_id, _fill.order_id, _fill.user_id, _fill.ticker, _fill.transaction_type,
        _fill.transaction_price, _fill.worst_price,
    ],
    faults={
        "FILL_FOREIGN": or_(
            _fill.user_id != _order.user_id,
            _fill.ticker != _order.ticker,
            _fill.transaction_type != _order.order_type,
        ),
        "FILL_PRICE": or_(
            and_(_order.order_type == "buy", _fill.transaction_price > _fill.worst_price),
            and_(_order.order_type == "sell", _fill.transaction_price < _fill.worst_price),
        ),
    },
)  # fmt: skip


def _journal_side() -> AnySelect:
    """The lines of fills: what the market and the commission account got, and the trader's shares."""

    def of(account: str, figure: Any, nothing: Any) -> Any:
        return case((_line.account == account, figure), else_=nothing)

    return select(
        _line.order_id,
        _line.fill_number,
        _line.user_id,
        _line.ticker,
        _line.sequence,
        literal(0).label("fills"),
        of("market", _line.cash, NO_CASH).label("amount"),
        of("commission", _line.cash, NO_CASH).label("commission"),
        of("available", _line.shares, 0).label("bought"),
        of("frozen", _line.shares, 0).label("sold"),
    ).where(_line.kind == "fill")


def _fill_side() -> AnySelect:
    """What the journal should hold for each fill, with the opposite sign, so that both sides sum to zero. A sell takes
    frozen shares, so its shares count against frozen ones.
    """
    return select(
        _fill.order_id,
        _fill.fill_number,
        _fill.user_id,
        _fill.ticker,
        null(),
        literal(1),
        case((_buys, -_fill.transaction_amount), else_=_fill.transaction_amount),
        -_fill.commission,
        case((_buys, -_fill.transaction_quantity), else_=0),
        case((_buys, 0), else_=_fill.transaction_quantity),
    )


def _journal_sweep() -> Sweep:
    """Cash and shares of the trader follow from these figures, since every group sums to zero."""
    both = union_all(_journal_side(), _fill_side()).subquery("both_sides").c
    figures = [func.sum(column).label(column.name) for column in (both.amount, both.commission, both.bought, both.sold)]
    sums = (
        select(
            both.order_id,
            both.fill_number,
            func.min(both.user_id).label("user_id"),
            func.min(both.sequence).label("sequence"),
            func.sum(both.fills).label("fills"),
            func.count(both.sequence.distinct()).label("group_count"),
            or_(mixed(both.user_id), mixed(both.ticker)).label("mixed"),
            *figures,
        )
        .group_by(both.order_id, both.fill_number)
        .subquery("sums")
    )
    c = sums.c
    off = or_(c.mixed, c.amount != ZERO, c.commission != ZERO, c.bought != 0, c.sold != 0)
    return Sweep(
        source=sums,
        shown=[
            c.order_id, c.fill_number, c.user_id, c.sequence, c.fills, c.group_count,
            c.amount.label("amount_off"), c.commission.label("commission_off"),
            c.bought.label("bought_off"), c.sold.label("sold_off"),
        ],
        faults={
            "FILL_WITHOUT_GROUP": and_(c.fills > 0, c.group_count == 0),
            "GROUP_WITHOUT_FILL": and_(c.fills == 0, c.group_count > 0),
            "FILL_GROUPS": c.group_count > 1,
            "FILL_NOT_JOURNAL": and_(c.fills == 1, c.group_count == 1, off),
        },
    )  # fmt: skip


CHECKS: tuple[Check, ...] = (arithmetic, _order_sweep, _journal_sweep())
