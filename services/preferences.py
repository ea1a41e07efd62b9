"""What pages remember of a trader: one JSON value a page."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import UserPreference
from services.transaction import repeatable


def get(session: Session, user_id: int, name: str) -> dict[str, Any]:
    """What is remembered under a name; empty when nothing is, or nothing that can be read."""
    query = select(UserPreference.value).where(UserPreference.user_id == user_id, UserPreference.name == name)
    text = session.execute(query).scalar_one_or_none()
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


@repeatable
def put(session: Session, user_id: int, name: str, value: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Unit: remember a value, which must be checked already. `now` is the wall clock."""
    text = json.dumps(value)
    if _replace(session, user_id, name, text, now):
        return value
    try:
        with session.begin_nested():
            session.add(UserPreference(user_id=user_id, name=name, value=text, updated_at=now))
    except IntegrityError:
        # Another window of the same trader stored it between our look and our insert.
        _replace(session, user_id, name, text, now)
    return value


def _replace(session: Session, user_id: int, name: str, text: str, now: datetime) -> bool:
    changed = (
        update(UserPreference)
        .where(UserPreference.user_id == user_id, UserPreference.name == name)
        .values(value=text, updated_at=now)
    )
    return cast("CursorResult[Any]", session.execute(changed)).rowcount > 0
