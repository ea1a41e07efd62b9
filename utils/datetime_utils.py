"""Times: stored in UTC, aware in Python, shown in the reader's zone by the browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The wall clock: an aware time in UTC. Pass it in as a `Clock`; never call it deep inside."""
    return datetime.now(UTC)


def to_utc(moment: datetime) -> datetime:
    """Convert an aware time to UTC. Raises ValueError for a naive one, whose zone nobody can know."""
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone cannot be used: {moment.isoformat()}")
    return moment.astimezone(UTC)


def format_datetime(value: datetime | str | None, pattern: str = "%Y-%m-%d %H:%M") -> str:
    """Template filter: a time, or an ISO 8601 text, by `pattern`; None as "-", any other text unchanged."""
    if value is None:
        return "-"
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value).strftime(pattern)
        except ValueError:
            return value
    return value.strftime(pattern)


def iso_utc(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC with a final Z, as the JSON answers carry times. None stays None."""
    if moment is None:
        return None
    return to_utc(moment).isoformat().replace("+00:00", "Z")
