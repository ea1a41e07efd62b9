"""Settings stored with the books, such as the market source that was chosen at the first start."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import Setting


def get(session: Session, name: str) -> str | None:
    """The value of a setting, or None when it was never set."""
    return session.execute(select(Setting.value).where(Setting.name == name)).scalar_one_or_none()


def put(session: Session, name: str, value: str, now: datetime) -> None:
    """Set a setting. `now` is the wall clock. A unit for `run_unit`."""
    changed = update(Setting).where(Setting.name == name).values(value=value, updated_at=now)
    if cast("CursorResult[Any]", session.execute(changed)).rowcount == 0:
        session.add(Setting(name=name, value=value, updated_at=now))
        session.flush()


def remove(session: Session, name: str) -> None:
    """Forget a setting. A unit for `run_unit`."""
    session.execute(delete(Setting).where(Setting.name == name))


def put_once(session: Session, name: str, value: str, now: datetime) -> str:
    """Set a setting that was never set, and return what holds: `value`, or what somebody set before."""
    stored = get(session, name)
    if stored is not None:
        return stored
    try:
        with session.begin_nested():
            session.add(Setting(name=name, value=value, updated_at=now))
    except IntegrityError:
        # A twin set it between our look and our insert.
        return session.execute(select(Setting.value).where(Setting.name == name)).scalar_one()
    return value
