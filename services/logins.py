"""Logins: who is let in, and the rows by which a login lives and ends.

A login is a row of the table `login`. The browser only carries a random token, of which the row keeps the SHA-256, so
that ending the row ends the login at once, wherever the cookie is, and a copy of the table lets nobody in.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, or_, select, update
from sqlalchemy.orm import Session

from models import Admin, Login, User
from services.errors import Forbidden, NotFound, Refused
from services.transaction import run_unit
from services.users import identity_key
from utils.passwords import hash_password, needs_rehash, verify_password
from utils.user_agents import describe_browser

IDLE_LIMIT = timedelta(hours=12)
ABSOLUTE_LIMIT = timedelta(days=30)
SEEN_EVERY = timedelta(minutes=1)
LONGEST_ADDRESS = 45
LONGEST_USER_AGENT = 255

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a login comes from and when. `now` is the wall clock."""

    address: str
    user_agent: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is behind a login: a trader or an admin. `id` is a user_id or an admin_id, `role` an admin's."""

    id: int
    name: str
    is_admin: bool
    login_id: int
    last_seen_at: datetime
    last_login_at: datetime | None
    must_change_password: bool
    role: str | None = None


class WrongPassword(Refused):
    """No such name, or not its password: nobody is told which."""

    def __init__(self) -> None:
        super().__init__("The name or the password is wrong.", code="WRONG_PASSWORD")


def log_in_user(session: Session, name: str, password: str, visit: Visit) -> str:
    """Let a trader in and return the new login's token. `session` only reads, and is closed before the password is
    checked. Raises WrongPassword, and Forbidden for a suspended trader whose password was right.
    """
    query = select(User.user_id, User.user_password, User.account_status).where(
        User.name_key == identity_key(name.strip())
    )
    row = session.execute(query).one_or_none()
    session.close()
    if not verify_password(row.user_password if row else None, password) or row is None:
        logger.warning("login refused: %s from %s", f"user:{row.user_id}" if row else "unknown name", visit.address)
        raise WrongPassword
    if row.account_status != "active":
        logger.warning("login refused: user:%d is suspended", row.user_id)
        raise Forbidden("This account is suspended. Ask an admin.", code="SUSPENDED")
    better_hash = hash_password(password) if needs_rehash(row.user_password) else None
    return run_unit(begin_user_login, row.user_id, visit, better_hash)


def begin_user_login(session: Session, user_id: int, visit: Visit, better_hash: str | None = None) -> str:
    """Store a trader's login and return its token. A unit for `run_unit`."""
    changes: dict[str, Any] = {"last_login_at": visit.now}
    if better_hash:
        changes["user_password"] = better_hash
    session.execute(update(User).where(User.user_id == user_id).values(changes))
    logger.info("login: user:%d from %s", user_id, visit.address)
    return store_login(session, visit, user_id=user_id)


def store_login(session: Session, visit: Visit, *, user_id: int | None = None, admin_id: int | None = None) -> str:
    """Insert the row of a login and return its token: 256 random bits."""
    token = secrets.token_urlsafe(32)
    session.add(
        Login(
            token_hash=hash_token(token),
            user_id=user_id,
            admin_id=admin_id,
            created_at=visit.now,
            last_seen_at=visit.now,
            address=visit.address[:LONGEST_ADDRESS],
            user_agent=visit.user_agent[:LONGEST_USER_AGENT],
        )
    )
    session.flush()
    return token


def find(session: Session, token: str, now: datetime) -> Identity | None:
    """Who is logged in with this token, in one query; None when the login has ended, is too old, was idle for too
    long, or its trader is suspended or its admin deactivated.
    """
    query = (
        select(Login, User, Admin)
        .outerjoin(User, Login.user_id == User.user_id)
        .outerjoin(Admin, Login.admin_id == Admin.admin_id)
        .where(Login.token_hash == hash_token(token), *_still_lives(now))
    )
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    login, user, admin = row
    return _user_identity(login, user) if user is not None else _admin_identity(login, admin)


def living(session: Session, login_ids: Collection[int], now: datetime) -> set[int]:
    """Those of the logins that `find` would still find."""
    query = (
        select(Login.login_id)
        .outerjoin(User, Login.user_id == User.user_id)
        .where(
            Login.login_id.in_(login_ids),
            or_(Login.user_id.is_(None), User.account_status == "active"),
            *_still_lives(now),
        )
    )
    return set(session.scalars(query))


def _still_lives(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Login.ended_at.is_(None),
        Login.last_seen_at > now - IDLE_LIMIT,
        Login.created_at > now - ABSOLUTE_LIMIT,
    )


def touch(session: Session, login_id: int, now: datetime) -> None:
    """Note that a login is in use, at most once a minute. A unit for `run_unit`."""
    old = Login.last_seen_at < now - SEEN_EVERY
    session.execute(update(Login).where(Login.login_id == login_id, old).values(last_seen_at=now))


def end(session: Session, login_id: int, now: datetime) -> None:
    """End a login. Ending it again changes nothing. A unit for `run_unit`."""
    session.execute(_ending(now).where(Login.login_id == login_id))
    logger.info("logout: login:%d", login_id)


@dataclass(frozen=True, slots=True)
class OpenLogin:
    """A login that lives, as its owner sees it. Times are UTC."""

    login_id: int
    created_at: datetime
    last_seen_at: datetime
    address: str
    user_agent: str

    @property
    def browser(self) -> str:
        """The browser and its system, for people."""
        return describe_browser(self.user_agent)


def of_user(session: Session, user_id: int, now: datetime) -> list[OpenLogin]:
    """The logins of a trader that live, the one used last first."""
    columns = (Login.login_id, Login.created_at, Login.last_seen_at, Login.address, Login.user_agent)
    query = select(*columns).where(Login.user_id == user_id, *_still_lives(now))
    rows = session.execute(query.order_by(Login.last_seen_at.desc(), Login.login_id.desc())).all()
    return [OpenLogin(*row) for row in rows]


def end_own(session: Session, user_id: int, login_id: int, now: datetime) -> None:
    """End one of a trader's own logins. Ending it again changes nothing. Raises NotFound for somebody else's. A unit
    for `run_unit`.
    """
    own = select(Login.login_id).where(Login.login_id == login_id, Login.user_id == user_id)
    if session.execute(own).first() is None:
        raise NotFound("There is no such login of yours.", code="NO_LOGIN")
    end(session, login_id, now)


def end_others_of_user(session: Session, user_id: int, login_id: int, now: datetime) -> int:
    """End every login of a trader but one, and return how many there were. A unit for `run_unit`."""
    ended = session.execute(_ending(now).where(Login.user_id == user_id, Login.login_id != login_id))
    return cast("CursorResult[Any]", ended).rowcount


def end_others_of_admin(session: Session, admin_id: int, login_id: int, now: datetime) -> int:
    """End every login of an admin but one, and return how many there were."""
    ended = session.execute(_ending(now).where(Login.admin_id == admin_id, Login.login_id != login_id))
    return cast("CursorResult[Any]", ended).rowcount


def end_all(session: Session, now: datetime, *, user_id: int | None = None, admin_id: int | None = None) -> int:
    """End every login of a trader or of an admin, and return how many there were."""
    owner = Login.user_id == user_id if user_id is not None else Login.admin_id == admin_id
    return cast("CursorResult[Any]", session.execute(_ending(now).where(owner))).rowcount


def _ending(now: datetime) -> Any:
    return update(Login).where(Login.ended_at.is_(None)).values(ended_at=now)


def _user_identity(login: Login, user: User) -> Identity | None:
    if not user.is_active:
        return None
    return Identity(
        id=user.user_id,
        name=user.user_name,
        is_admin=False,
        login_id=login.login_id,
        last_seen_at=login.last_seen_at,
        last_login_at=user.last_login_at,
        must_change_password=False,
    )


def _admin_identity(login: Login, admin: Admin) -> Identity | None:
    if admin.deactivated_at is not None:
        return None
    return Identity(
        id=admin.admin_id,
        name=admin.admin_name,
        is_admin=True,
        login_id=login.login_id,
        last_seen_at=login.last_seen_at,
        last_login_at=admin.last_login_at,
        must_change_password=admin.must_change_password,
        role=admin.role,
    )


def hash_token(token: str) -> str:
    """What is kept of a token: SHA-256, hex."""
    return hashlib.sha256(token.encode()).hexdigest()
