"""How the price source does: its recent failures and its circuit breaker, stored by the feed for everybody to read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from services import settings
from utils.circuit_breaker import BreakerState, CircuitBreaker
from utils.datetime_utils import iso_utc

SETTING = "source_status"
FAILURES_KEPT = 20


@dataclass(frozen=True, slots=True)
class SourceFailure:
    """One request that the source did not answer."""

    time: datetime
    what: str
    message: str


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """The breaker at this moment, failures in a row, and the newest failures, newest first."""

    breaker: BreakerState
    failures_in_a_row: int
    open_until: datetime | None
    recent: tuple[SourceFailure, ...]


def read(session: Session, now: datetime) -> SourceStatus:
    """The status as the feed last told it. A source that never failed is well."""
    stored = _stored(session)
    open_until = stored.get("open_until")
    until = None if open_until is None else datetime.fromisoformat(open_until)
    breaker = CircuitBreaker(failures=stored.get("failures", 0), open_until=until)
    recent = tuple(
        SourceFailure(datetime.fromisoformat(one["time"]), one["what"], one["message"])
        for one in stored.get("recent", [])
    )
    return SourceStatus(breaker.state(now), breaker.failures, until, recent)


def note(session: Session, breaker: CircuitBreaker, failure: SourceFailure | None, now: datetime) -> None:
    """Unit: store the breaker as it is now, and a failure if there was one."""
    stored = _stored(session)
    recent = stored.get("recent", [])
    if failure is not None:
        newest = {"time": iso_utc(failure.time), "what": failure.what, "message": failure.message[:300]}
        recent = [newest, *recent][:FAILURES_KEPT]
    value = {"failures": breaker.failures, "open_until": iso_utc(breaker.open_until), "recent": recent}
    settings.put(session, SETTING, json.dumps(value), now)


def _stored(session: Session) -> dict[str, Any]:
    text = settings.get(session, SETTING)
    stored: dict[str, Any] = json.loads(text) if text else {}
    return stored
