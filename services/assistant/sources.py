"""What tools answered: the only figures that an answer may hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from utils.datetime_utils import iso_utc


@dataclass(frozen=True, slots=True)
class Source:
    """One tool's answer. `label` says in words what it is, `market_time` (UTC) as of when; None where it has no time of
    the market. `result` is plain JSON.
    """

    tool: str
    arguments: Mapping[str, Any]
    result: Mapping[str, Any]
    label: str
    market_time: datetime | None

    @property
    def failed(self) -> bool:
        return "error" in self.result


def plain(value: Any) -> Any:
    """A value of the services as plain JSON: decimals as numbers, times and days as ISO texts."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and abs(value) < 2**53 else float(value)
    if isinstance(value, datetime):
        return iso_utc(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def describe(source: Source) -> dict[str, Any]:
    """A source as the page lists it."""
    return {"label": source.label, "market_time": source.market_time}
