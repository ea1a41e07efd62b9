"""JSON as this server reads and writes it: exact amounts in, numbers and ISO 8601 times out."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask.json.provider import JSONProvider

from utils.datetime_utils import iso_utc

LONGEST_NUMBER = 40  # characters; no amount, price or quantity comes near it


class VenueJSONProvider(JSONProvider):
    """Numbers with a point are read as Decimal, so that 0.1 is a tenth. NaN, infinities and absurdly long numbers are
    read as the float NaN, for `routes.inputs` to refuse with the field's name; none is ever written.
    """

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        kwargs.setdefault("ensure_ascii", False)
        return json.dumps(obj, default=_plain, allow_nan=False, **kwargs)

    def loads(self, s: str | bytes, **_kwargs: Any) -> Any:
        """Raises ValueError for whatever is no JSON, also when it is nested too deeply to be read."""
        try:
            return json.loads(s, parse_float=_decimal, parse_int=_whole, parse_constant=_not_a_number)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, datetime):
        return iso_utc(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def _number(value: Decimal) -> int | float:
    """The JSON number with the same shortest digits: a column's 15 digits pass through a float unharmed."""
    if not value.is_finite():
        raise ValueError(f"{value} cannot be written as JSON")
    return float(value)


def _decimal(text: str) -> Decimal | float:
    if len(text) > LONGEST_NUMBER:
        return float("nan")
    value = Decimal(text)
    # 1e999999999 is short, but written out it fills the memory.
    return value if -LONGEST_NUMBER <= value.adjusted() <= LONGEST_NUMBER else float("nan")


def _whole(text: str) -> int | float:
    return int(text) if len(text) <= LONGEST_NUMBER else float("nan")


def _not_a_number(_text: str) -> float:
    return float("nan")
