"""The journal by itself: numbering, balance, causes, and that nothing was ever below zero."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Subquery, and_, case, func, not_, or_, select

from services.accounts.verify.sweep import NO_CASH, Check, Column, Sweep, cash_where, mixed, number_where, numbering
from services.accounts.verify.tables import JOURNAL
from utils.number_utils import ZERO

ACCOUNTS = ("available", "frozen", "market", "commission", "outside")
REQUEST_KINDS = ("deposit", "hold", "withdrawal", "return")
ORDER_KINDS = ("reserve", "release")
KINDS = (*REQUEST_KINDS, *ORDER_KINDS, "fill", "adjust")

_line = JOURNAL.c


def _groups() -> Subquery:
    """One row for each group of the journal: its numbering, kind and causes, and the cash of each account."""
    cash = [cash_where(_line.account == account, _line.cash).label(account) for account in ACCOUNTS]
    return (
        select(
            _line.user_id,
            _line.sequence,
            func.count().label("lines"),
            func.min(_line.line).label("first_line"),
            func.max(_line.line).label("last_line"),
            func.min(_line.kind).label("kind"),
            func.min(_line.order_id).label("order_id"),
            func.min(_line.fund_transaction_id).label("fund_transaction_id"),
            func.count(_line.order_id).label("order_lines"),
            func.count(_line.fund_transaction_id).label("request_lines"),
            func.count(_line.fill_number).label("fill_lines"),
            func.count(_line.ticker).label("share_lines"),
            or_(
                mixed(_line.kind), mixed(_line.order_id), mixed(_line.fund_transaction_id), mixed(_line.fill_number)
            ).label("mixed"),
            func.sum(_line.cash).label("cash"),
            *cash,
        )
        .group_by(_line.user_id, _line.sequence)
        .subquery("journal_groups")
    )


def _wrong_cause(group: Subquery) -> Column:
    """A request's group names the request, an order's the order, a fill's also its number; an adjustment nothing."""
    c = group.c
    of_request = and_(c.request_lines == c.lines, c.order_lines == 0, c.fill_lines == 0)
    of_order = and_(c.order_lines == c.lines, c.request_lines == 0, c.fill_lines == 0)
    of_fill = and_(c.order_lines == c.lines, c.request_lines == 0, c.fill_lines == c.lines)
    of_nothing = and_(c.order_lines == 0, c.request_lines == 0, c.fill_lines == 0)
    return or_(
        c.mixed,
        and_(c.kind.in_(REQUEST_KINDS), not_(of_request)),
        and_(c.kind.in_(ORDER_KINDS), not_(of_order)),
        and_(c.kind == "fill", not_(of_fill)),
        and_(c.kind == "adjust", not_(of_nothing)),
    )


def _wrong_shape(group: Subquery) -> Column:
    """Each kind moves cash between two accounts in one direction. Given the balance, one of the two is enough."""
    c = group.c
    return or_(
        and_(c.kind == "deposit", _not_only(c.available > ZERO, c.frozen, c.market, c.commission)),
        and_(c.kind == "hold", _not_only(c.frozen > ZERO, c.market, c.commission, c.outside)),
        and_(c.kind == "return", _not_only(c.available > ZERO, c.market, c.commission, c.outside)),
        and_(c.kind == "withdrawal", _not_only(c.outside > ZERO, c.available, c.market, c.commission)),
        and_(c.kind == "reserve", _not_only(c.frozen >= ZERO, c.market, c.commission, c.outside)),
        and_(c.kind == "release", _not_only(c.available >= ZERO, c.market, c.commission, c.outside)),
        and_(c.kind == "fill", c.outside != ZERO),
        and_(c.kind == "adjust", or_(c.frozen != ZERO, c.commission != ZERO)),
        # Cash is adjusted, or shares are, which the outside world buys or sells in the market.
        and_(c.kind == "adjust", c.share_lines == 0, c.market != ZERO),
        and_(c.kind == "adjust", c.share_lines > 0, c.available != ZERO),
    )


def _not_only(direction: Column, *untouched: Column) -> Column:
    return or_(not_(direction), *(account != 0 for account in untouched))


def _group_sweep() -> Sweep:
    group = _groups()
    c = group.c
    return Sweep(
        source=group,
        shown=[
            c.user_id, c.sequence, c.kind, c.order_id, c.fund_transaction_id, c.lines, c.cash,
        ],
        faults={
            "LINE_GAP": or_(c.first_line != 1, c.last_line != c.lines),
            "GROUP_CASH": c.cash != ZERO,
            "GROUP_CAUSE": _wrong_cause(group),
            "GROUP_SHAPE": _wrong_shape(group),
        },
    )  # fmt: skip


def _share_groups() -> Subquery:
    """One row for each group and ticker of the journal: the shares of each account."""
    shares = [number_where(_line.account == account, _line.shares).label(account) for account in ACCOUNTS]
    return (
        select(
            _line.user_id,
            _line.sequence,
            _line.ticker,
            func.min(_line.kind).label("kind"),
            func.sum(_line.shares).label("shares"),
            *shares,
        )
        .where(_line.ticker.is_not(None))
        .group_by(_line.user_id, _line.sequence, _line.ticker)
        .subquery("share_groups")
    )


def _wrong_share_shape(group: Subquery) -> Column:
    """Shares move by reserving, releasing, filling (compared with the fill elsewhere) and adjusting by hand."""
    c = group.c
    return or_(
        c.kind.in_(REQUEST_KINDS),
        and_(c.kind == "reserve", _not_only(c.frozen > 0, c.market, c.commission, c.outside)),
        and_(c.kind == "release", _not_only(c.available > 0, c.market, c.commission, c.outside)),
        and_(c.kind == "fill", or_(c.commission != 0, c.outside != 0)),
        and_(c.kind == "adjust", or_(c.frozen != 0, c.commission != 0, c.outside != 0)),
    )


def _share_sweep() -> Sweep:
    group = _share_groups()
    c = group.c
    return Sweep(
        source=group,
        shown=[c.user_id, c.sequence, c.kind, c.ticker, c.shares],
        faults={
            "GROUP_SHARES": c.shares != 0,
            "GROUP_SHAPE": _wrong_share_shape(group),
        },
    )


_line_sweep = Sweep(
    source=JOURNAL,
    shown=[_line.entry_id, _line.user_id, _line.sequence, _line.line],
    faults={
        "LINE_ASSET": or_(
            and_(_line.ticker.is_(None), or_(_line.shares != 0, _line.cash == ZERO)),
            and_(_line.ticker.is_not(None), or_(_line.cash != ZERO, _line.shares == 0)),
            _line.account.not_in(ACCOUNTS),
            _line.kind.not_in(KINDS),
        )
    },
)


def _negative_cash_sweep() -> Sweep:
    """Available and frozen cash after each group."""
    owner = (_line.user_id,)
    running = (
        select(
            _line.entry_id,
            _line.user_id,
            _line.sequence,
            _running(case((_line.account == "available", _line.cash), else_=NO_CASH), owner).label("available_after"),
            _running(case((_line.account == "frozen", _line.cash), else_=NO_CASH), owner).label("frozen_after"),
        )
        .where(_line.ticker.is_(None), _line.account.in_(("available", "frozen")))
        .subquery("running_cash")
    )
    c = running.c
    return Sweep(running, list(c), {"CASH_NEGATIVE": or_(c.available_after < ZERO, c.frozen_after < ZERO)})


def _negative_shares_sweep() -> Sweep:
    """Available and frozen shares of each ticker after each group."""
    owner = (_line.user_id, _line.ticker)
    running = (
        select(
            _line.entry_id,
            _line.user_id,
            _line.sequence,
            _line.ticker,
            _running(case((_line.account == "available", _line.shares), else_=0), owner).label("available_after"),
            _running(case((_line.account == "frozen", _line.shares), else_=0), owner).label("frozen_after"),
        )
        .where(_line.ticker.is_not(None), _line.account.in_(("available", "frozen")))
        .subquery("running_shares")
    )
    c = running.c
    return Sweep(running, list(c), {"SHARES_NEGATIVE": or_(c.available_after < 0, c.frozen_after < 0)})


def _running(change: Column, owner: Sequence[Column]) -> Column:
    """The sum of an owner's changes up to and with the whole group at hand: lines of one group are peers, which the
    frame, the standard's default, takes together.
    """
    return func.sum(change).over(partition_by=owner, order_by=_line.sequence)


CHECKS: tuple[Check, ...] = (
    _line_sweep,
    numbering(JOURNAL, "GROUP_GAP"),
    _group_sweep(),
    _share_sweep(),
    _negative_cash_sweep(),
    _negative_shares_sweep(),
)
