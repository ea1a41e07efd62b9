"""What comes in: bodies, query parameters and headers. Whatever is wrong is refused by the name of its field."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from routes.answers import FORM_TYPES, PAGE_FIELD
from services.batches import parse_numbers
from services.errors import InvalidInput
from services.idempotency import RequestKey
from services.paging import MAXIMUM_LIMIT
from services.trading.tickets import parse_ticker

LAST_PAGE = 1_000_000
MOST_TICKERS = 50
NOT_PART_OF_THE_BODY = ("csrf_token", "idempotency_key", "next", PAGE_FIELD)

Fields = dict[str, Any]


def body_fields() -> Fields:
    """The fields of the body: of a JSON object, or of a page's form, as they were typed. Raises 415 for other types,
    and InvalidInput.
    """
    if request.mimetype in FORM_TYPES:
        return {name: value for name, value in request.form.items() if name not in NOT_PART_OF_THE_BODY}
    if request.mimetype == "application/json":
        return _json_object()
    if request.mimetype or request.get_data():
        raise UnsupportedMediaType("Send application/json.")
    return {}


def typed_amount(fields: Fields) -> object:
    """The amount. Spaces around a number that somebody typed into a page mean nothing."""
    amount = fields.get("amount")
    return amount.strip() if isinstance(amount, str) and request.mimetype in FORM_TYPES else amount


def request_key(actor: str, fields: Fields) -> RequestKey | None:
    """The intention this write belongs to: the header Idempotency-Key, or the field idempotency_key of a page's form.
    Two requests are the same one when path and fields are.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None and request.mimetype in FORM_TYPES:
        key = request.form.get("idempotency_key") or None
    if key is None:
        return None
    canonical = json.dumps(fields, sort_keys=True, default=str).encode()
    return RequestKey.of(actor=actor, key=key, endpoint=f"{request.method} {request.path}", body=canonical)


def page_number(name: str = "page") -> int:
    """The page asked for, from 1."""
    return _whole_parameter((name,), 1, LAST_PAGE, default=1)


def page_limit(default: int = 25) -> int:
    """How many items a page shall have."""
    return _whole_parameter(("limit", "per_page"), 1, MAXIMUM_LIMIT, default=default)


def sorting(sorts: Collection[str], name: str = "sort") -> str | None:
    """What a list shall be sorted by: one of `sorts`, with "-" before it for the other way round; None: not given."""
    text = request.args.get(name, "").strip()
    if text and text.removeprefix("-") not in sorts:
        raise InvalidInput({name: [f"must be one of {', '.join(sorts)}, with - before it for descending"]})
    return text or None


def choice(choices: Collection[str], *names: str) -> str | None:
    """The value of the first parameter given among `names`, which must be one of the choices; None when none is."""
    name, text = _parameter(names)
    if text is None or text.lower() in ("", "all"):
        return None
    if text.lower() not in choices:
        raise InvalidInput({name: [f"must be one of {', '.join(choices)}"]})
    return text.lower()


def ticker(*names: str) -> str:
    """A ticker that must be given, in upper case."""
    found = optional_ticker(*names)
    if found is None:
        raise InvalidInput({(names or ("ticker",))[0]: ["is required"]})
    return found


def optional_ticker(*names: str) -> str | None:
    """A ticker, in upper case, or None when none is given."""
    name, text = _parameter(names or ("ticker",))
    return checked_ticker(name, text) if text else None


def checked_ticker(name: str, text: str) -> str:
    """The text as a ticker, in upper case. Raises InvalidInput that names the field."""
    try:
        return parse_ticker(text)
    except ValueError as error:
        raise InvalidInput({name: [str(error)]}) from error


def tickers(name: str = "tickers") -> list[str]:
    """Tickers with commas between, each once, in upper case. At least one must be given."""
    texts = [text for text in request.args.get(name, "").split(",") if text.strip()]
    if not 1 <= len(texts) <= MOST_TICKERS:
        raise InvalidInput({name: [f"must name 1 to {MOST_TICKERS} tickers with commas between"]})
    return list(dict.fromkeys(checked_ticker(name, text) for text in texts))


def day(name: str, *, after: bool = False) -> datetime | None:
    """The beginning of a day (UTC) that the address names, such as 2008-09-02; with `after` that of the day behind it.
    None when none is given.
    """
    text = request.args.get(name, "").strip()
    if not text:
        return None
    try:
        found = date.fromisoformat(text) + timedelta(days=after)
    except (ValueError, OverflowError) as error:
        raise InvalidInput({name: ["must be a day such as 2008-09-02"]}) from error
    return datetime.combine(found, time.min, UTC)


def row_numbers(fields: Fields, name: str = "ids") -> list[int]:
    """The row numbers that a body names: a list in JSON, or every ticked box of a page's form."""
    given = request.form.getlist(name) if request.mimetype in FORM_TYPES else fields.get(name)
    if not isinstance(given, list):
        raise InvalidInput({name: ["must be a list of numbers"]})
    return parse_numbers(given, name)


def text_parameter(name: str, longest: int) -> str:
    """A parameter's text without spaces at its ends; "" when it is not given."""
    text = request.args.get(name, "").strip()
    if len(text) > longest or not text.isprintable():
        raise InvalidInput({name: [f"must have at most {longest} printable characters"]})
    return text


def _json_object() -> Fields:
    try:
        body = request.get_json()
    except BadRequest as error:
        raise InvalidInput({"body": ["must be a JSON object"]}) from error
    if not isinstance(body, dict):
        raise InvalidInput({"body": ["must be a JSON object"]})
    faulty = {name: faults for name, value in body.items() if (faults := _faults(value))}
    if faulty:
        raise InvalidInput(faulty)
    if any(_has_surrogates(name) for name in body):
        raise InvalidInput({"body": ["must not contain half characters"]})
    return body


def _faults(value: Any) -> list[str]:
    """What no field may hold, however deep inside: what is no number, and halves of characters."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, float) and not math.isfinite(item):
            return ["must be a finite number of sensible length"]
        if isinstance(item, str) and _has_surrogates(item):
            return ["must not contain half characters"]
        if isinstance(item, dict):
            pending += [*item, *item.values()]
        if isinstance(item, list):
            pending += item
    return []


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= mark <= "\udfff" for mark in text)


def row_parameter(name: str) -> int | None:
    """The number of a row, or None when none is given."""
    return _whole_parameter((name,), 1, 10**9 - 1, default=0) or None


def _whole_parameter(names: tuple[str, ...], least: int, most: int, default: int) -> int:
    name, text = _parameter(names)
    if text is None or text == "":
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and least <= int(text) <= most):
        raise InvalidInput({name: [f"must be a whole number from {least} to {most}"]})
    return int(text)


def _parameter(names: tuple[str, ...]) -> tuple[str, str | None]:
    """Name and text of the first parameter given; the first name and None when none is."""
    for name in names:
        if name in request.args:
            return name, request.args[name].strip()
    return names[0], None
