"""What traders change of themselves: name, e-mail address and password. Each needs the password in use."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import User
from services import logins, users
from services.errors import InvalidInput
from services.transaction import run_unit
from services.users import identity_key
from utils.passwords import hash_password, verify_password

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Profile:
    """Who a trader is. Times are UTC, by the wall clock."""

    name: str
    email: str
    created_at: datetime
    last_login_at: datetime | None


def read(session: Session, user_id: int) -> Profile:
    """The profile of a trader who exists."""
    columns = (User.user_name, User.user_email, User.created_at, User.last_login_at)
    return Profile(*session.execute(select(*columns).where(User.user_id == user_id)).one())


def change_identity(session: Session, user_id: int, fields: Mapping[str, str]) -> None:
    """Take over user_name and user_email, after your_password was right. `session` only reads, and is closed before
    the password is checked. Raises InvalidInput by field.
    """
    stored = _password_hash(session, user_id)
    session.close()
    name, email = fields.get("user_name", "").strip(), fields.get("user_email", "").strip()
    users.refuse(
        {
            "user_name": users.name_faults(name),
            "user_email": users.email_faults(email),
            "your_password": [] if verify_password(stored, fields.get("your_password", "")) else ["is wrong"],
        }
    )
    run_unit(store_identity, user_id, name, email)


def store_identity(session: Session, user_id: int, name: str, email: str) -> None:
    """Store a name and an address that were checked. Raises InvalidInput by field when another trader has one of
    them. A unit for `run_unit`.
    """
    keys = {"name_key": identity_key(name), "email_key": identity_key(email)}
    users.refuse(
        {
            "user_name": _taken_by_other(session, user_id, User.name_key == keys["name_key"], users.NAME_TAKEN),
            "user_email": _taken_by_other(session, user_id, User.email_key == keys["email_key"], users.EMAIL_TAKEN),
        }
    )
    changed = update(User).where(User.user_id == user_id).values(user_name=name, user_email=email, **keys)
    try:
        session.execute(changed)
    except IntegrityError as error:
        raise InvalidInput(users.taken_by_constraint(error)) from error
    logger.info("profile changed: user:%d", user_id)


def change_password(session: Session, user_id: int, login_id: int, fields: Mapping[str, str], now: datetime) -> int:
    """Replace the password by the fields (current_password, new_password, confirm_password) and end the trader's other
    logins; returns how many. `session` only reads, and is closed before the passwords are worked on. Raises
    InvalidInput by field.
    """
    stored = _password_hash(session, user_id)
    session.close()
    current, new = fields.get("current_password", ""), fields.get("new_password", "")
    same = ["must not be the current one"] if new and new == current else []
    users.refuse(
        {
            "current_password": [] if verify_password(stored, current) else ["is wrong"],
            "new_password": users.password_faults(new) + same,
            "confirm_password": users.confirmation_faults(new, fields.get("confirm_password", "")),
        }
    )
    return run_unit(store_password, user_id, login_id, stored, hash_password(new), now)


def store_password(session: Session, user_id: int, login_id: int, old_hash: str, new_hash: str, now: datetime) -> int:
    """Store a new password unless it changed meanwhile, and end the trader's other logins. A unit for `run_unit`."""
    changed = update(User).where(User.user_id == user_id, User.user_password == old_hash)
    result = session.execute(changed.values(user_password=new_hash))
    if cast("CursorResult[Any]", result).rowcount == 0:
        raise InvalidInput({"current_password": ["was changed a moment ago"]})
    logger.info("password changed: user:%d", user_id)
    return logins.end_others_of_user(session, user_id, login_id, now)


def _password_hash(session: Session, user_id: int) -> str:
    return session.execute(select(User.user_password).where(User.user_id == user_id)).scalar_one()


def _taken_by_other(session: Session, user_id: int, same: Any, sentence: str) -> list[str]:
    found = session.execute(select(User.user_id).where(same, User.user_id != user_id)).first()
    return [sentence] if found else []
