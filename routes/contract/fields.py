"""Types of fields: how each is read, and how it is described. A reader raises ValueError with a sentence."""

from __future__ import annotations

from collections.abc import Callable, Collection
from decimal import Decimal
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from services.accounts.funds import LARGEST_REQUEST, LONGEST_REASON, parse_amount, parse_reason
from services.errors import InvalidInput
from services.market.bars import PERIODS
from services.paging import MAXIMUM_LIMIT
from services.trading import tickets
from utils.number_utils import parse_decimal

LAST_PAGE = 1_000_000
ITEMS_A_PAGE = 25
MOST_TICKERS = 50

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


def ticker_list(value: object) -> list[str]:
    """Tickers with commas between, each once, in upper case."""
    texts = [text for text in str(value or "").split(",") if text.strip()]
    if not 1 <= len(texts) <= MOST_TICKERS:
        raise ValueError(f"must name 1 to {MOST_TICKERS} tickers with commas between")
    return list(dict.fromkeys(tickets.parse_ticker(text) for text in texts))


def text_of(longest: int) -> tuple[PlainValidator, WithJsonSchema]:
    """What makes a field of a query a line of text, without spaces at its ends."""

    def read(value: object) -> str:
        text = str(value).strip()
        if len(text) > longest or not text.isprintable():
            raise ValueError(f"must have at most {longest} printable characters")
        return text

    return PlainValidator(read), WithJsonSchema({"type": "string", "maxLength": longest, "default": ""})


def decimal_of(least: Decimal, most: Decimal) -> tuple[PlainValidator, WithJsonSchema]:
    """What makes a field of a query a decimal number; an empty one counts as left out."""

    def read(value: object) -> Decimal | None:
        text = str(value).strip()
        number = parse_decimal(text) if text else None
        if number is not None and not least <= number <= most:
            raise ValueError(f"must be a number from {least} to {most}")
        return number

    schema = {"type": "number", "minimum": float(least), "maximum": float(most)}
    return PlainValidator(read), WithJsonSchema(schema)


PRICE_SCHEMA = {
    "anyOf": [
        {"type": "number", "exclusiveMinimum": 0, "maximum": 99_999_999},
        {"type": "string", "pattern": DECIMAL_TEXT},
    ]
}
QUANTITY_SCHEMA = {"type": "integer", "minimum": 1, "maximum": tickets.MOST_SHARES}

Page = Annotated[int | None, *number(1, LAST_PAGE, 1)]
Limit = Annotated[int | None, *number(1, MAXIMUM_LIMIT, ITEMS_A_PAGE)]
Period = Annotated[str | None, *word(PERIODS)]
QueryTicker = Annotated[
    str | None, PlainValidator(optional_ticker), WithJsonSchema({"type": "string", "pattern": TICKER_TEXT})
]
Tickers = Annotated[
    list[str],
    PlainValidator(ticker_list),
    WithJsonSchema({"type": "string", "description": f"1 to {MOST_TICKERS} tickers with commas between"}),
]
Amount = Annotated[
    Any,
    PlainValidator(named(parse_amount, "amount")),
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
Percent = Annotated[Any, *in_body(tickets.parse_percent, PRICE_SCHEMA)]
OptionalQuantity = Annotated[int | None, *in_body(tickets.parse_quantity, QUANTITY_SCHEMA)]
