"""Requests to deposit and withdraw, and what an admin decides about them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import Config
from models import Admin, FundTransaction, User
from services import audit
from services.accounts import fund_steps, ledger
from services.accounts.fund_rules import approves_itself, is_enough, read_fund_rules, require_other_person
from services.accounts.fund_steps import Asked
from services.accounts.ledger import Books
from services.audit import Actor, Subject
from services.errors import InvalidInput, NotFound
from services.idempotency import Answer, RequestKey, once
from services.market.market import Market
from services.paging import AnyRow, Listing, Page, only
from services.trading.order_states import IllegalMove
from utils.datetime_utils import Clock, utc_now
from utils.number_utils import CENT, decimal_places, parse_decimal

LARGEST_REQUEST = Decimal("1000000000.00")
LONGEST_REASON = 255

# What the list of requests may be sorted by: the names are those of its items' fields.
REQUEST_SORTS = {
    "transaction_id": FundTransaction.transaction_id,
    "transaction_type": FundTransaction.transaction_type,
    "amount": FundTransaction.amount,
    "status": FundTransaction.status,
    "created_at": FundTransaction.created_at,
    "updated_at": FundTransaction.updated_at,
}


def parse_amount(value: object) -> Decimal:
    """Read an amount of dollars. Raises InvalidInput that names the field."""
    try:
        amount = parse_decimal(value)
        if amount < CENT or amount > LARGEST_REQUEST:
            raise ValueError(f"must be from 0.01 to {LARGEST_REQUEST:,}")
        if decimal_places(amount) > 2:
            raise ValueError("must be in whole cents")
    except ValueError as error:
        raise InvalidInput({"amount": [str(error)]}) from error
    return amount.quantize(CENT)


def parse_reason(value: object) -> str:
    """Read why something is rejected. Raises InvalidInput that names the field."""
    reason = value.strip() if isinstance(value, str) else ""
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise InvalidInput({"reason": [f"must be given, in at most {LONGEST_REASON} characters"]})
    if not reason.isprintable():
        raise InvalidInput({"reason": ["must be one line of printable text"]})
    return reason


def request_deposit(
    session: Session,
    user_id: int,
    amount: Decimal,
    *,
    market: Market,
    config: Config | None = None,
    key: RequestKey | None = None,
    clock: Clock = utc_now,
) -> Answer:
    """Ask for a deposit. Money arrives when an admin approves. Answers message and transaction_id."""
    books = ledger.lock_account(session, user_id, clock(), market.now())
    return once(session, key, lambda: _request(books, user_id, "deposit", amount, config))


def request_withdrawal(
    session: Session,
    user_id: int,
    amount: Decimal,
    *,
    market: Market,
    config: Config | None = None,
    key: RequestKey | None = None,
    clock: Clock = utc_now,
) -> Answer:
    """Ask for a withdrawal; the amount is frozen until an admin decides. Raises Refused when it is not available."""
    books = ledger.lock_account(session, user_id, clock(), market.now())
    return once(session, key, lambda: _request(books, user_id, "withdrawal", amount, config))


def _request(books: Books, user_id: int, kind: str, amount: Decimal, config: Config | None) -> Answer:
    [row] = fund_steps.enter(books, [Asked(user_id, kind, amount)])
    if approves_itself(books.session, row, read_fund_rules(books.session, config), books.wall_time):
        fund_steps.approve_automatically(books, row)
        message = f"Your {kind} of ${amount:,} was approved at once."
    else:
        message = f"Your {kind} of ${amount:,} was requested and waits for an admin."
    books.session.flush()
    books.write()
    return {"message": message, "transaction_id": row.transaction_id, "status": row.status}


def approve(
    session: Session,
    user_id: int,
    transaction_id: int,
    actor: Actor,
    *,
    market: Market,
    config: Config | None = None,
    key: RequestKey | None = None,
    clock: Clock = utc_now,
) -> Answer:
    """Approve a pending request: a deposit arrives, a held withdrawal is paid out. `user_id` is the request's owner.

    Where two admins are needed the first approval is only noted, and the answer's status stays pending. Raises Conflict
    when somebody has decided already or the same admin approves twice, and Forbidden for an admin's own account.
    """
    books = ledger.lock_account(session, user_id, clock(), market.now())

    def decide(row: FundTransaction) -> None:
        require_other_person(session, actor.admin_id, row.user_id)
        if is_enough(row, actor.admin_id, read_fund_rules(session, config)):
            fund_steps.approve(books, row, actor.admin_id)
        else:
            row.first_operator_id = actor.admin_id

    return once(session, key, lambda: _decide(books, transaction_id, actor, decide))


def reject(
    session: Session,
    user_id: int,
    transaction_id: int,
    actor: Actor,
    reason: str,
    *,
    market: Market,
    key: RequestKey | None = None,
    clock: Clock = utc_now,
) -> Answer:
    """Reject a pending request with a reason, which the trader reads; a held withdrawal is available again.
    `user_id` is the request's owner. Raises Conflict when somebody has decided already.
    """
    books = ledger.lock_account(session, user_id, clock(), market.now())

    def decide(row: FundTransaction) -> None:
        fund_steps.reject(books, row, actor.admin_id, reason)

    return once(session, key, lambda: _decide(books, transaction_id, actor, decide))


def _decide(books: Books, transaction_id: int, actor: Actor, decide: Callable[[FundTransaction], None]) -> Answer:
    row = books.session.get(FundTransaction, transaction_id, with_for_update=True, populate_existing=True)
    if row is None or row.user_id not in books.accounts:
        raise _no_such_request(transaction_id)
    if row.status != "pending":
        raise _decided_already(books.session, row)
    decide(row)
    books.session.flush()
    books.write()
    _audit(books, row, actor)
    what = f"The {row.transaction_type} of ${row.amount:,}"
    waits = row.status == "pending"
    return {
        "message": f"{what} was approved by you; a second admin must too." if waits else f"{what} was {row.status}.",
        "transaction_id": transaction_id,
        "status": row.status,
    }


def _audit(books: Books, row: FundTransaction, actor: Actor) -> None:
    verbs = {"pending": "first_approve", "approved": "approve", "rejected": "reject"}
    after: dict[str, object] = {"status": row.status}
    if row.status == "pending":
        after = {"first_operator_id": row.first_operator_id}
    audit.record(
        books.session,
        actor,
        f"{verbs[row.status]}_{row.transaction_type}",
        Subject("fund_transaction", row.transaction_id, row.user_id),
        before={"first_operator_id": None} if row.status == "pending" else {"status": "pending"},
        after=after | {"amount": row.amount},
        now=books.wall_time,
        reason=row.remark,
    )


def _decided_already(session: Session, row: FundTransaction) -> IllegalMove:
    """Whoever comes second reads who was first."""
    name = session.execute(select(Admin.admin_name).where(Admin.admin_id == row.operator_id)).scalar_one_or_none()
    return IllegalMove(
        f"Request {row.transaction_id} was already {row.status} by {name or 'the venue itself'}.",
        code="REQUEST_NOT_OPEN",
        details={"transaction_id": row.transaction_id, "status": row.status, "decided_by": name},
    )


def owner_of(session: Session, transaction_id: int) -> int:
    """Whose account an admin's unit must lock. Raises NotFound."""
    query = select(FundTransaction.user_id).where(FundTransaction.transaction_id == transaction_id)
    owner = session.execute(query).scalar_one_or_none()
    if owner is None:
        raise _no_such_request(transaction_id)
    return owner


def requests_of(*, user_id: int | None = None, kind: str | None = None, status: str | None = None) -> Listing:
    """Requests of one trader or of all, with the names of trader and admin."""
    query = (
        select(FundTransaction, User.user_name, Admin.admin_name)
        .join(User, User.user_id == FundTransaction.user_id)
        .outerjoin(Admin, Admin.admin_id == FundTransaction.operator_id)
    )
    wanted = {
        FundTransaction.user_id: user_id,
        FundTransaction.transaction_type: kind,
        FundTransaction.status: status,
    }
    return Listing(only(query, wanted), FundTransaction.transaction_id, _item, REQUEST_SORTS, counted=FundTransaction)


def list_requests(session: Session, *, page: int = 1, limit: int = 25, **filters: Any) -> Page:
    """A page of `requests_of`, newest first."""
    return requests_of(**filters).page(session, page, limit)


def _item(row: AnyRow) -> dict[str, Any]:
    request, user_name, admin_name = row
    columns = (
        "transaction_id",
        "user_id",
        "transaction_type",
        "amount",
        "status",
        "created_at",
        "updated_at",
        "remark",
    )
    return {name: getattr(request, name) for name in columns} | {"user_name": user_name, "operator_name": admin_name}


def _no_such_request(transaction_id: int) -> NotFound:
    return NotFound(
        f"There is no request {transaction_id}.", code="NO_SUCH_REQUEST", details={"transaction_id": transaction_id}
    )
