"""Admins at the door: the lock after too many wrong passwords, and the change of the documented password."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, or_, select, update
from sqlalchemy.orm import Session

from config import DOCUMENTED_ADMIN_PASSWORD, Config
from models import Admin
from services import audit, logins, users
from services.audit import Actor, Subject
from services.errors import Forbidden, InvalidInput, TooMany
from services.logins import Visit, WrongPassword
from services.transaction import run_unit
from utils.passwords import hash_password, needs_rehash, verify_password

logger = logging.getLogger(__name__)


class AdminLocked(TooMany):
    """Too many wrong passwords: no password is looked at before `locked_until` (UTC)."""

    def __init__(self, locked_until: datetime) -> None:
        super().__init__(
            "Too many failed attempts. This account is locked for a while.",
            code="ADMIN_LOCKED",
            details={"locked_until": locked_until},
        )
        self.locked_until = locked_until


@dataclass(frozen=True, slots=True)
class Lock:
    """After how many wrong passwords in a row an admin is locked, and for how long."""

    attempts: int
    duration: timedelta

    @classmethod
    def of(cls, config: Config) -> Lock:
        return cls(config.admin_max_login_attempts, timedelta(minutes=config.admin_lockout_duration))


def log_in_admin(session: Session, name: str, password: str, visit: Visit, config: Config, *, local: bool) -> str:
    """Let an admin in and return the new login's token. `session` only reads, and is closed before the password is
    checked. `local` says that the request comes from this machine itself. Raises WrongPassword, AdminLocked, and
    Forbidden for the documented password where others could use it too, and for an admin who was deactivated.
    """
    if password == DOCUMENTED_ADMIN_PASSWORD and not (local and config.on_loopback):
        raise Forbidden(
            "The documented password only works on the machine itself. Start the server with DEFAULT_ADMIN_PASSWORD, "
            "or bound to 127.0.0.1 once to choose another password.",
            code="DOCUMENTED_PASSWORD",
        )
    query = select(Admin.admin_id, Admin.admin_password, Admin.deactivated_at).where(Admin.admin_name == name.strip())
    row = session.execute(query).one_or_none()
    session.close()
    if row is None:
        verify_password(None, password)
        logger.warning("admin login refused: unknown name from %s", visit.address)
        raise WrongPassword
    locked_until = run_unit(take_attempt, row.admin_id, Lock.of(config), visit.now)
    if not verify_password(row.admin_password, password):
        logger.warning("admin login refused: admin:%d from %s", row.admin_id, visit.address)
        if locked_until is not None:
            raise AdminLocked(locked_until)
        raise WrongPassword
    if row.deactivated_at is not None:
        logger.warning("admin login refused: admin:%d is deactivated", row.admin_id)
        raise Forbidden("This admin account was closed. Ask an owner.", code="DEACTIVATED")
    better_hash = hash_password(password) if needs_rehash(row.admin_password) else None
    return run_unit(begin_admin_login, row.admin_id, visit, better_hash)


def take_attempt(session: Session, admin_id: int, lock: Lock, now: datetime) -> datetime | None:
    """Take one of the attempts an admin has, before the password is looked at, so that guesses racing each other
    cannot get more. The last one locks the account at once, and the lock's end is returned: a right password lifts it
    again. Raises AdminLocked when there is no attempt left. A unit for `run_unit`.
    """
    free = or_(Admin.locked_until.is_(None), Admin.locked_until <= now)
    taken = (
        update(Admin)
        .where(Admin.admin_id == admin_id, free)
        .values(login_attempts=Admin.login_attempts + 1)
        .execution_options(synchronize_session=False)
    )
    if cast("CursorResult[Any]", session.execute(taken)).rowcount == 0:
        raise AdminLocked(_locked_until(session, admin_id) or now + lock.duration)
    until = now + lock.duration
    last = (
        update(Admin)
        .where(Admin.admin_id == admin_id, Admin.login_attempts >= lock.attempts)
        .values(login_attempts=0, locked_until=until)
        .execution_options(synchronize_session=False)
    )
    return until if cast("CursorResult[Any]", session.execute(last)).rowcount else None


def begin_admin_login(session: Session, admin_id: int, visit: Visit, better_hash: str | None = None) -> str:
    """Store an admin's login, forget the wrong passwords, and return the token. A unit for `run_unit`."""
    changes: dict[str, Any] = {"last_login_at": visit.now, "login_attempts": 0, "locked_until": None}
    if better_hash:
        changes["admin_password"] = better_hash
    session.execute(update(Admin).where(Admin.admin_id == admin_id).values(changes))
    logger.info("login: admin:%d from %s", admin_id, visit.address)
    return logins.store_login(session, visit, admin_id=admin_id)


def change_password(session: Session, actor: Actor, login_id: int, fields: Mapping[str, str], now: datetime) -> int:
    """Replace the acting admin's password by the form's fields (current_password, new_password, confirm_password) and
    end the admin's other logins; returns how many. `session` only reads, and is closed before the passwords are worked
    on. Raises InvalidInput by field.
    """
    stored = session.execute(select(Admin.admin_password).where(Admin.admin_id == actor.admin_id)).scalar_one()
    session.close()
    current, new = fields.get("current_password", ""), fields.get("new_password", "")
    users.refuse(
        {
            "current_password": [] if verify_password(stored, current) else ["is wrong"],
            "new_password": _new_password_faults(current, new),
            "confirm_password": users.confirmation_faults(new, fields.get("confirm_password", "")),
        }
    )
    return run_unit(store_password, actor, login_id, stored, hash_password(new), now)


def store_password(session: Session, actor: Actor, login_id: int, old_hash: str, new_hash: str, now: datetime) -> int:
    """Store an admin's new password unless it changed meanwhile, and end the admin's other logins. A unit."""
    admin_id = actor.admin_id
    assert admin_id is not None, "only an admin has an admin's password"
    changed = (
        update(Admin)
        .where(Admin.admin_id == admin_id, Admin.admin_password == old_hash)
        .values(admin_password=new_hash, must_change_password=False)
    )
    if cast("CursorResult[Any]", session.execute(changed)).rowcount == 0:
        raise InvalidInput({"current_password": ["was changed a moment ago"]})
    logger.info("password changed: admin:%d", admin_id)
    ended = logins.end_others_of_admin(session, admin_id, login_id, now)
    after = {"other_logins_ended": ended}
    audit.record(session, actor, "change_own_password", Subject("admin", admin_id), before={}, after=after, now=now)
    return ended


def _new_password_faults(current: str, new: str) -> list[str]:
    faults = users.password_faults(new)
    if new and new in (current, DOCUMENTED_ADMIN_PASSWORD):
        faults.append("must not be the current or the documented password")
    return faults


def _locked_until(session: Session, admin_id: int) -> datetime | None:
    return session.execute(select(Admin.locked_until).where(Admin.admin_id == admin_id)).scalar_one_or_none()
