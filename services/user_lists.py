"""Traders as admins see them: lists to search, and one trader's card."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import AccountBalance, Admin, Login, User
from services import users
from services.errors import NotFound
from services.paging import AnyRow, Item, Listing, only

STATUSES = ("active", "suspended")
TRADING_STATES = ("active", "reducing", "halted")

USER_SORTS = {
    "user_id": User.user_id,
    "user_name": User.name_key,
    "user_email": User.email_key,
    "created_at": User.user_id,  # they are numbered as they come
    "last_login_at": User.last_login_at,
    "total_balance": AccountBalance.total_balance,
}
_USER_COLUMNS = (
    *("user_id", "user_name", "user_email", "account_status", "trading_state", "created_at", "last_login_at"),
)
_BALANCE_COLUMNS = ("available_balance", "frozen_balance", "total_balance")


def users_of(*, text: str = "", status: str | None = None, state: str | None = None) -> Listing:
    """Traders whose name or e-mail address holds the text, whatever its case, or whose number it is."""
    query = select(User, AccountBalance).join(AccountBalance, AccountBalance.user_id == User.user_id)
    query = only(query, {User.account_status: status, User.trading_state: state})
    if text:
        query = query.where(users.holding(text))
    return Listing(query, User.user_id, _user_item, USER_SORTS, counted=User)


def card(session: Session, user_id: int) -> Item:
    """One trader with the balances, and the admin who is the same person. Raises NotFound."""
    query = (
        select(User, AccountBalance, Admin.admin_name)
        .join(AccountBalance, AccountBalance.user_id == User.user_id)
        .outerjoin(Admin, Admin.user_id == User.user_id)
        .where(User.user_id == user_id)
        .limit(1)
    )
    row = session.execute(query).one_or_none()
    if row is None:
        raise no_such_user(user_id)
    return _user_item(row) | {"admin_name": row[2]}


def logins_of(*, user_id: int | None = None, admin_id: int | None = None) -> Listing:
    """Logins of one trader or of one admin."""
    query = only(select(Login), {Login.user_id: user_id, Login.admin_id: admin_id})
    return Listing(query, Login.login_id, _login_item)


def numbers_of(session: Session, listing: Listing) -> list[int]:
    """The user_ids of a list of traders."""
    query = listing.query.with_only_columns(User.user_id, maintain_column_froms=True)
    return list(session.execute(query.order_by(User.user_id)).scalars())


def no_such_user(user_id: int) -> NotFound:
    """There is no trader with this number."""
    return NotFound(f"There is no trader {user_id}.", code="NO_SUCH_USER", details={"user_id": user_id})


def _user_item(row: AnyRow) -> Item:
    user, balance = row[0], row[1]
    item: dict[str, Any] = {name: getattr(user, name) for name in _USER_COLUMNS}
    return item | {name: getattr(balance, name) for name in _BALANCE_COLUMNS}


def _login_item(row: AnyRow) -> Item:
    columns = ("login_id", "created_at", "last_seen_at", "ended_at", "address", "user_agent")
    return {name: getattr(row[0], name) for name in columns}
