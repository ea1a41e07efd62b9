"""What caches the journal: balances and holdings, and what they freeze against what needs it."""

from __future__ import annotations

from sqlalchemy import Subquery, func, literal, or_, select, union_all

from services.accounts.verify.sweep import (
    NO_CASH,
    Check,
    Sweep,
    cash_where,
    number_where,
    or_none,
    or_zero,
)
from services.accounts.verify.tables import BALANCES, EVENTS, HOLDINGS, JOURNAL, ORDERS, REQUESTS, USERS
from services.trading.order_states import OPEN_STATUSES

_line, _balance, _holding, _order, _request = JOURNAL.c, BALANCES.c, HOLDINGS.c, ORDERS.c, REQUESTS.c


def _journal_by_user() -> Subquery:
    return (
        select(
            _line.user_id,
            cash_where(_line.account == "available", _line.cash).label("available"),
            cash_where(_line.account == "frozen", _line.cash).label("frozen"),
            func.max(_line.sequence).label("sequence"),
        )
        .group_by(_line.user_id)
        .subquery("journal")
    )


def _balance_sweep() -> Sweep:
    row, journal = _balance, _journal_by_user()
    events = (
        select(EVENTS.c.user_id, func.max(EVENTS.c.sequence).label("sequence"))
        .group_by(EVENTS.c.user_id)
        .subquery("events")
    )
    available, frozen = or_zero(journal.c.available), or_zero(journal.c.frozen)
    return Sweep(
        source=USERS.outerjoin(BALANCES, row.user_id == USERS.c.user_id)
        .outerjoin(journal, journal.c.user_id == USERS.c.user_id)
        .outerjoin(events, events.c.user_id == USERS.c.user_id),
        shown=[
            USERS.c.user_id, row.available_balance, available.label("journal_available"),
            row.frozen_balance, frozen.label("journal_frozen"), row.total_balance,
            row.journal_sequence, journal.c.sequence.label("newest_group"),
            row.event_sequence, events.c.sequence.label("newest_event"),
        ],
        faults={
            "ACCOUNT_MISSING": row.user_id.is_(None),
            "BALANCE": or_(row.available_balance != available, row.frozen_balance != frozen),
            "BALANCE_TOTAL": row.total_balance != row.available_balance + row.frozen_balance,
            "JOURNAL_SEQUENCE": row.journal_sequence != or_none(journal.c.sequence),
            "EVENT_SEQUENCE": row.event_sequence != or_none(events.c.sequence),
        },
    )  # fmt: skip


def _holding_sweep() -> Sweep:
    """Each side as rows of the other's shape; a holding and its journal that agree sum to the same figures."""
    held = _line.account.in_(("available", "frozen"))
    journal = (
        select(
            _line.user_id,
            _line.ticker,
            func.sum(_line.shares).label("journal_quantity"),
            number_where(_line.account == "frozen", _line.shares).label("journal_frozen"),
            literal(0).label("quantity"),
            literal(0).label("frozen_quantity"),
        )
        .where(_line.ticker.is_not(None), held)
        .group_by(_line.user_id, _line.ticker)
    )
    stored = select(
        _holding.user_id, _holding.ticker, literal(0), literal(0), _holding.quantity, _holding.frozen_quantity
    )
    both = union_all(journal, stored).subquery("both_sides")
    sums = _sums(both, ("user_id", "ticker"))
    return Sweep(
        source=sums,
        shown=list(sums.c),
        faults={
            "HOLDING_SHARES": or_(
                sums.c.journal_quantity != sums.c.quantity, sums.c.journal_frozen != sums.c.frozen_quantity
            )
        },
    )


def _frozen_cash_sweep() -> Sweep:
    """The reservation of each open buy is recomputed elsewhere."""
    needed = select(_order.user_id, _order.reserved_amount.label("needed"), NO_CASH.label("frozen_balance")).where(
        _order.order_type == "buy", _order.order_status.in_(OPEN_STATUSES)
    )
    withdrawals = select(_request.user_id, _request.amount, NO_CASH).where(
        _request.transaction_type == "withdrawal", _request.status == "pending"
    )
    stored = select(_balance.user_id, NO_CASH, _balance.frozen_balance)
    sums = _sums(union_all(needed, withdrawals, stored).subquery("both_sides"), ("user_id",))
    return Sweep(sums, list(sums.c), {"FROZEN_CASH": sums.c.needed != sums.c.frozen_balance})


def _frozen_shares_sweep() -> Sweep:
    rest = _order.order_quantity - _order.filled_quantity
    needed = select(_order.user_id, _order.ticker, rest.label("needed"), literal(0).label("frozen_quantity")).where(
        _order.order_type == "sell",
        _order.order_status.in_(OPEN_STATUSES),
        or_(_order.oco_id.is_(None), _order.oco_id == _order.order_id),  # one leg of a pair holds the shares of both
    )
    stored = select(_holding.user_id, _holding.ticker, literal(0), _holding.frozen_quantity)
    sums = _sums(union_all(needed, stored).subquery("both_sides"), ("user_id", "ticker"))
    return Sweep(sums, list(sums.c), {"FROZEN_SHARES": sums.c.needed != sums.c.frozen_quantity})


def _sums(rows: Subquery, keys: tuple[str, ...]) -> Subquery:
    """Sums of all other columns for each value of the keys."""
    named = [rows.c[key] for key in keys]
    figures = [func.sum(column).label(column.name) for column in rows.c if column.name not in keys]
    return select(*named, *figures).group_by(*named).subquery("sums")


CHECKS: tuple[Check, ...] = (_balance_sweep(), _holding_sweep(), _frozen_cash_sweep(), _frozen_shares_sweep())
