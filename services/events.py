"""The outbox: what happened to the traders' accounts, as the ledger stored it with the effect itself.

Events are numbered per trader under the account's lock, and a number becomes visible only with all before it. Whoever
knows the last number it has seen therefore misses nothing by reading on from there.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import AccountBalance, AccountEvent

MOST_AT_ONCE = 100
_EVENTS = select(
    AccountEvent.event_id,
    AccountEvent.user_id,
    AccountEvent.sequence,
    AccountEvent.kind,
    AccountEvent.payload,
    AccountEvent.created_at,
)


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a trader. `payload` is JSON, `created_at` the wall clock (UTC)."""

    event_id: int
    user_id: int
    sequence: int
    kind: str
    payload: str
    created_at: datetime


def newest_numbers(session: Session, user_ids: Collection[int]) -> dict[int, int]:
    """The number of each trader's newest event; 0 before the first. Traders without an account are left out."""
    query = select(AccountBalance.user_id, AccountBalance.event_sequence).where(AccountBalance.user_id.in_(user_ids))
    return {row.user_id: row.event_sequence for row in session.execute(query)}


def following(session: Session, user_id: int, sequence: int, most: int = MOST_AT_ONCE) -> list[Event]:
    """A trader's events after a number, oldest first, at most `most`."""
    query = _EVENTS.where(AccountEvent.user_id == user_id, AccountEvent.sequence > sequence)
    return [_event(row) for row in session.execute(query.order_by(AccountEvent.sequence).limit(most))]


def count_all(session: Session) -> int:
    """How many events there are of all traders together: it grows with each, whichever commits first."""
    return int(session.execute(select(func.coalesce(func.sum(AccountBalance.event_sequence), 0))).scalar_one())


def newest(session: Session, most: int) -> list[Event]:
    """About the newest events of all traders, oldest first."""
    rows = session.execute(_EVENTS.order_by(AccountEvent.event_id.desc()).limit(most)).all()
    return [_event(row) for row in reversed(rows)]


def _event(row: Any) -> Event:
    return Event(*row)
