"""What an admin sees of requests to deposit and withdraw: the lists, and each trader's standing beside them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from models import AccountBalance, Admin, FundTransaction, User
from services.paging import AnyRow, Listing, only

# Rows are numbered as they come: sorting by time is sorting by number, for which the index of every filter will do.
SORTS = {
    "transaction_id": FundTransaction.transaction_id,
    "amount": FundTransaction.amount,
    "created_at": FundTransaction.transaction_id,
}
SHOWN_BEFORE = 3

_COLUMNS = (
    *("transaction_id", "user_id", "transaction_type", "amount", "status", "created_at", "updated_at", "remark"),
    "automatic",
)
_First = aliased(Admin)


def requests(
    *,
    traders: Collection[int] | Select[int] | None = None,
    kind: str | None = None,
    status: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Listing:
    """Requests of all traders, or of `traders` (their numbers, or a query for them), asked for from `since` until
    before `until` (wall clock), with the names of trader and admins.
    """
    query = (
        select(FundTransaction, User.user_name, User.user_email, Admin.admin_name, _First.admin_name)
        .join(User, User.user_id == FundTransaction.user_id)
        .outerjoin(Admin, Admin.admin_id == FundTransaction.operator_id)
        .outerjoin(_First, _First.admin_id == FundTransaction.first_operator_id)
    )
    query = only(query, {FundTransaction.transaction_type: kind, FundTransaction.status: status})
    if since is not None:
        query = query.where(FundTransaction.created_at >= since)
    if until is not None:
        query = query.where(FundTransaction.created_at < until)
    if traders is not None:
        query = query.where(FundTransaction.user_id.in_(traders))
    return Listing(query, FundTransaction.transaction_id, _item, SORTS, counted=FundTransaction)


def standings(session: Session, user_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """What an admin needs to know of these traders to decide: balances (dollars), how many requests were approved and
    rejected, and the newest ones.
    """
    if not user_ids:
        return {}
    wanted = list(user_ids)
    balances = select(AccountBalance.user_id, AccountBalance.available_balance, AccountBalance.frozen_balance).where(
        AccountBalance.user_id.in_(wanted)
    )
    found: dict[int, dict[str, Any]] = {
        row.user_id: {
            "available_balance": row.available_balance,
            "frozen_balance": row.frozen_balance,
            "approved": 0,
            "rejected": 0,
            "newest": [],
        }
        for row in session.execute(balances)
    }
    decided = (
        select(FundTransaction.user_id, FundTransaction.status, func.count())
        .where(FundTransaction.user_id.in_(wanted), FundTransaction.status != "pending")
        .group_by(FundTransaction.user_id, FundTransaction.status)
    )
    for user_id, status, number in session.execute(decided):
        found[user_id][status] = number
    for row in session.execute(_newest(wanted)):
        found[row.user_id]["newest"].append(row._asdict())
    return found


def _newest(user_ids: list[int]) -> Any:
    place = func.row_number().over(partition_by=FundTransaction.user_id, order_by=FundTransaction.transaction_id.desc())
    names = ("transaction_id", "user_id", "transaction_type", "amount", "status", "created_at", "remark")
    ranked = (
        select(*(getattr(FundTransaction, name) for name in names), place.label("place"))
        .where(FundTransaction.user_id.in_(user_ids), FundTransaction.status != "pending")
        .subquery()
    )
    columns = [ranked.c[name] for name in names]
    return select(*columns).where(ranked.c.place <= SHOWN_BEFORE).order_by(ranked.c.transaction_id.desc())


def _item(row: AnyRow) -> dict[str, Any]:
    request, user_name, user_email, admin_name, first_name = row
    return {name: getattr(request, name) for name in _COLUMNS} | {
        "user_name": user_name,
        "user_email": user_email,
        "operator_name": "the venue itself" if request.automatic else admin_name,
        "first_operator_name": first_name,
    }
