"""Requests to deposit and withdraw against the journal."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Subquery, and_, case, func, or_, select

from services.accounts.verify.sweep import NO_CASH, Check, Sweep, cash_where, number_where, or_none, or_zero
from services.accounts.verify.tables import JOURNAL, REQUESTS
from utils.number_utils import ZERO

_line, _request = JOURNAL.c, REQUESTS.c
_is_deposit = _request.transaction_type == "deposit"
_is_withdrawal = _request.transaction_type == "withdrawal"

# Which groups a request has: each kind exactly where its condition holds, and then once.
_EXPECTED: dict[str, ColumnElement[bool]] = {
    "deposit": and_(_is_deposit, _request.status == "approved"),
    "hold": _is_withdrawal,
    "withdrawal": and_(_is_withdrawal, _request.status == "approved"),
    "return": and_(_is_withdrawal, _request.status == "rejected"),
}


def _journal_by_request() -> Subquery:
    """How many groups of each kind a request has, and their amounts: each has one line that gains."""
    figures = []
    for kind in _EXPECTED:
        gains = and_(_line.kind == kind, _line.cash > ZERO)
        figures += [
            number_where(gains).label(f"{kind}_groups"),
            cash_where(gains, _line.cash).label(f"{kind}_amount"),
        ]
    return (
        select(
            _line.fund_transaction_id,
            func.min(_line.user_id).label("first_user"),
            func.max(_line.user_id).label("last_user"),
            *figures,
        )
        .where(_line.fund_transaction_id.is_not(None))
        .group_by(_line.fund_transaction_id)
        .subquery("journal")
    )


def _request_sweep() -> Sweep:
    journal = _journal_by_request()
    c = journal.c
    groups = {kind: or_none(c[f"{kind}_groups"]) for kind in _EXPECTED}
    amounts = {kind: or_zero(c[f"{kind}_amount"]) for kind in _EXPECTED}
    return Sweep(
        source=REQUESTS.outerjoin(journal, c.fund_transaction_id == _request.transaction_id),
        shown=[
            _request.transaction_id, _request.user_id, _request.transaction_type, _request.status, _request.amount,
            *(groups[kind].label(f"{kind}_groups") for kind in _EXPECTED),
            *(amounts[kind].label(f"{kind}_amount") for kind in _EXPECTED),
        ],
        faults={
            "REQUEST_GROUPS": or_(
                *(groups[kind] != case((expected, 1), else_=0) for kind, expected in _EXPECTED.items())
            ),
            "REQUEST_AMOUNT": or_(
                *(
                    and_(groups[kind] == 1, amounts[kind] != case((expected, _request.amount), else_=NO_CASH))
                    for kind, expected in _EXPECTED.items()
                )
            ),
            "REQUEST_FOREIGN_LINES": or_(c.first_user != _request.user_id, c.last_user != _request.user_id),
            "REQUEST_OPERATOR": case(
                (_request.status == "pending", or_(_request.operator_id.is_not(None), _request.automatic)),
                (_request.automatic, or_(_request.operator_id.is_not(None), _request.status != "approved")),
                else_=or_(_request.operator_id.is_(None), _request.operator_id == _request.first_operator_id),
            ),
        },
    )  # fmt: skip


CHECKS: tuple[Check, ...] = (_request_sweep(),)
