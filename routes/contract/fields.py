"""Types of fields: how each is read, and how it is described. A reader raises ValueError with a sentence."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from services.accounts.funds import LARGEST_REQUEST, LONGEST_REASON, parse_amount, parse_reason
from services.errors import InvalidInput
from services.market.bars import PERIODS
from services.paging import MAXIMUM_LIMIT
from services.trading import tickets

LAST_PAGE = 1_000_000
LONGEST_LIST = 50

DECIMAL_TEXT = r"^[0-9]{1,15}(\.[0-9]{1,4})?$"
TICKER_TEXT = r"^[A-Za-z0-9^][A-Za-z0-9.\-=^]{0,9}$"


def whole(least: int, most: int) -> Callable[[object], int | None]:
    """A reader of a whole number in a query's text; an empty one counts as left out."""

    def read(value: object) -> int | None:
        text = str(value).strip()
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= 12 and least <= int(text) <= most):
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(text)

    return read


def one_of(choices: Collection[str]) -> Callable[[object], str | None]:
    """A reader of one of some words in a query's text; an empty one, or "all", counts as left out."""

    def read(value: object) -> str | None:
        text = str(value).strip().lower()
        if text in ("", "all"):
            return None
        if text not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return text

    return read


def word(choices: Collection[str]) -> tuple[PlainValidator, WithJsonSchema]:
    """What makes a field of a query one of some words."""
    return PlainValidator(one_of(choices)), WithJsonSchema({"type": "string", "enum": list(choices)})


def number(least: int, most: int, default: int | None = None) -> tuple[PlainValidator, WithJsonSchema]:
    """What makes a field of a query a whole number."""
    schema: dict[str, Any] = {"type": "integer", "minimum": least, "maximum": most}
    return PlainValidator(whole(least, most)), WithJsonSchema(
        schema | ({} if default is None else {"default": default})
    )


def in_body(read: Callable[[Any], Any], schema: dict[str, Any]) -> tuple[PlainValidator, WithJsonSchema]:
    """What makes a field of a body that may be null or empty."""
    nothing: dict[str, Any] = {"type": "null"}
    optional = PlainValidator(lambda value: None if value in (None, "") else read(value))
    return optional, WithJsonSchema({"anyOf": [schema, nothing]})


def named(read: Callable[[Any], Any], name: str) -> Callable[[object], Any]:
    """A service's reader that raises InvalidInput for its one field, as a reader of that field."""

    def plain(value: object) -> Any:
        try:
            return read(value)
        except InvalidInput as error:
            raise ValueError(error.errors[name][0]) from error

    return plain


def optional_ticker(value: object) -> str | None:
    """A ticker of a query; an empty one counts as left out."""
    return tickets.parse_ticker(value) if str(value).strip() else None


def amount_as_typed(value: object) -> Any:
    """An amount. Spaces around what somebody typed into a page mean nothing."""
    return parse_amount(value.strip() if isinstance(value, str) else value)


PRICE_SCHEMA = {
    "anyOf": [
        {"type": "number", "exclusiveMinimum": 0, "maximum": 99_999_999},
        {"type": "string", "pattern": DECIMAL_TEXT},
    ]
}
QUANTITY_SCHEMA = {"type": "integer", "minimum": 1, "maximum": tickets.MOST_SHARES}

Page = Annotated[int | None, *number(1, LAST_PAGE, 1)]
Limit = Annotated[int | None, *number(1, MAXIMUM_LIMIT, 25)]
Period = Annotated[str | None, *word(PERIODS)]
QueryTicker = Annotated[
    str, PlainValidator(optional_ticker), WithJsonSchema({"type": "string", "pattern": TICKER_TEXT})
]
Amount = Annotated[
    Any,
    PlainValidator(named(amount_as_typed, "amount")),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0.01, "maximum": int(LARGEST_REQUEST), "multipleOf": 0.01},
                {"type": "string", "pattern": r"^[0-9]{1,9}(\.[0-9]{1,2})?$"},
            ]
        }
    ),
]
Reason = Annotated[
    str,
    PlainValidator(named(parse_reason, "reason")),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": LONGEST_REASON}),
]
Ticker = Annotated[
    str, PlainValidator(tickets.parse_ticker), WithJsonSchema({"type": "string", "pattern": TICKER_TEXT})
]
Quantity = Annotated[int, PlainValidator(tickets.parse_quantity), WithJsonSchema(QUANTITY_SCHEMA)]
Price = Annotated[Any, *in_body(tickets.parse_price, PRICE_SCHEMA)]
OptionalQuantity = Annotated[int | None, *in_body(tickets.parse_quantity, QUANTITY_SCHEMA)]
