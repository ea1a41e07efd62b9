"""The audit log: one row for each write of an admin, stored with the write in one transaction.

Every unit that writes for an admin takes an `Actor` and calls `record` once for each row it changed. Nothing updates or
deletes a row of the log: triggers of the database refuse it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models import Admin, AuditEntry, User
from services.idempotency import Answer, RequestKey, once
from services.paging import AnyRow, Item, Listing, only

NO_REQUEST = "-"

Figures = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and from where. `admin_id` is None for the command line and for the venue itself, which then has a
    `name` that says so. `address` is empty for this machine.
    """

    admin_id: int | None
    name: str
    address: str = ""
    request_id: str = NO_REQUEST


@dataclass(frozen=True, slots=True)
class Subject:
    """The row that was written: its table, its number, ticker or name, and the trader whom it concerns."""

    table: str
    key: int | str
    user_id: int | None = None


def once_as(session: Session, actor: Actor, key: RequestKey | None, effect: Callable[[], Answer]) -> Answer:
    """`once` for units of admins that lock no trader's account: the row of the admin who acts is the lock at which a
    twin waits. The first statement of such a unit.
    """
    if actor.admin_id is not None:
        session.execute(select(Admin.admin_id).where(Admin.admin_id == actor.admin_id).with_for_update())
    return once(session, key, effect)


def record(
    session: Session,
    actor: Actor,
    action: str,
    subject: Subject,
    *,
    before: Figures | None,
    after: Figures | None,
    now: datetime,
    reason: str | None = None,
) -> None:
    """Add the row of one write to the unit. `before` and `after` hold only what changed, by column; None says that
    there was no row before, or is none now. `now` is the wall clock. Secrets never belong here.
    """
    session.add(
        AuditEntry(
            created_at=now,
            admin_id=actor.admin_id,
            actor_name=actor.name,
            action=action,
            subject=subject.table,
            subject_id=str(subject.key),
            user_id=subject.user_id,
            before=_as_json(before),
            after=_as_json(after),
            reason=reason,
            address=actor.address,
            request_id=actor.request_id,
        )
    )
    session.flush()


def entries_of(
    *,
    text: str = "",
    admin_id: int | None = None,
    user_id: int | None = None,
    action: str | None = None,
    subject: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Listing:
    """Rows of the log: by who did it, the trader concerned, what was done, to what, from `start` on and before `end`
    (wall clock), and by a text in the names of actor and trader, in the reason or the address, or the row's number or
    the request's id.
    """
    query = select(AuditEntry, User.user_name).outerjoin(User, User.user_id == AuditEntry.user_id)
    wanted = {AuditEntry.admin_id: admin_id, AuditEntry.user_id: user_id, AuditEntry.action: action}
    query = only(query, wanted | {AuditEntry.subject: subject})
    if start is not None:
        query = query.where(AuditEntry.created_at >= start)
    if end is not None:
        query = query.where(AuditEntry.created_at < end)
    if text:
        searched = (AuditEntry.actor_name, User.user_name, AuditEntry.reason, AuditEntry.address)
        found = [column.icontains(text, autoescape=True) for column in searched]
        query = query.where(or_(*found, AuditEntry.subject_id == text, AuditEntry.request_id == text))
    return Listing(query, AuditEntry.audit_id, _item)


def known_actions(session: Session) -> list[str]:
    """Every kind of action that the log holds."""
    return list(session.execute(select(AuditEntry.action).distinct().order_by(AuditEntry.action)).scalars())


def known_subjects(session: Session) -> list[str]:
    """Every kind of row that the log names."""
    return list(session.execute(select(AuditEntry.subject).distinct().order_by(AuditEntry.subject)).scalars())


def _item(row: AnyRow) -> Item:
    entry, user_name = row[0], row[1]
    columns = (
        *("audit_id", "created_at", "admin_id", "actor_name", "action", "subject", "subject_id", "user_id"),
        *("before", "after", "reason", "address", "request_id"),
    )
    item: Item = {name: getattr(entry, name) for name in columns}
    return item | {"user_name": user_name, "changes": _changes(entry.before, entry.after)}


def _changes(before: str | None, after: str | None) -> list[dict[str, Any]]:
    """What changed, column by column: its name, what it was and what it is; None where it was or is not there."""
    old, new = json.loads(before or "{}"), json.loads(after or "{}")
    return [{"name": name, "before": old.get(name), "after": new.get(name)} for name in {**old, **new}]


def _as_json(figures: Figures | None) -> str | None:
    return None if figures is None else json.dumps(figures, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> str:
    """Amounts and times as text, exactly as they are."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} does not belong in the audit log")
