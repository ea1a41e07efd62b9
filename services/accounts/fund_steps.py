"""How requests to deposit and withdraw change, one or many in a unit whose accounts are locked in its books.

Nothing is stored before the unit calls `books.write()`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from models import FundTransaction
from services.accounts.journal import Cause
from services.accounts.ledger import Books
from services.trading.order_states import move_request


@dataclass(frozen=True, slots=True)
class Asked:
    """What a trader asks for: `kind` is deposit or withdrawal, the amount in dollars."""

    user_id: int
    kind: str
    amount: Decimal


def enter(books: Books, asked: Sequence[Asked]) -> list[FundTransaction]:
    """Take in requests in this order. What is to be withdrawn is frozen. Raises Refused when it is not available."""
    rows = [_row(books, one) for one in asked]
    books.session.add_all(rows)
    books.session.flush()
    for row in rows:
        if row.transaction_type == "withdrawal":
            books.hold_withdrawal(row.user_id, row.amount, Cause(fund_transaction_id=row.transaction_id))
        record(books, row, f"{row.transaction_type}_requested")
    return rows


def approve(books: Books, row: FundTransaction, operator_id: int | None) -> None:
    """Approve a pending request: a deposit arrives, a held withdrawal is paid out. Raises IllegalMove."""
    _decide(books, row, "approved", operator_id, None)
    cause = Cause(fund_transaction_id=row.transaction_id)
    book = books.deposit if row.transaction_type == "deposit" else books.pay_withdrawal
    book(row.user_id, row.amount, cause)
    record(books, row, f"{row.transaction_type}_approved")


def approve_automatically(books: Books, row: FundTransaction) -> None:
    """Approve a request by the venue's own rule: no admin did it."""
    row.automatic = True
    approve(books, row, None)


def reject(books: Books, row: FundTransaction, operator_id: int | None, reason: str) -> None:
    """Reject a pending request with a reason; a held withdrawal is available again. Raises IllegalMove."""
    _decide(books, row, "rejected", operator_id, reason)
    if row.transaction_type == "withdrawal":
        books.return_withdrawal(row.user_id, row.amount, Cause(fund_transaction_id=row.transaction_id))
    record(books, row, f"{row.transaction_type}_rejected")


def record(books: Books, row: FundTransaction, kind: str) -> None:
    """Tell the trader what became of a request."""
    payload = {
        "transaction_id": row.transaction_id,
        "amount": float(row.amount),
        "status": row.status,
        "remark": row.remark,
    }
    books.record(row.user_id, kind, json.dumps(payload))


def _row(books: Books, asked: Asked) -> FundTransaction:
    return FundTransaction(
        user_id=asked.user_id,
        transaction_type=asked.kind,
        amount=asked.amount,
        status="pending",
        automatic=False,
        created_at=books.wall_time,
        updated_at=books.wall_time,
    )


def _decide(books: Books, row: FundTransaction, status: str, operator_id: int | None, reason: str | None) -> None:
    row.status = move_request(row.status, status)
    row.operator_id, row.remark, row.updated_at = operator_id, reason, books.wall_time
