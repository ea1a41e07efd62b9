"""An order as it was asked for, and how a request's fields become one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from services.errors import InvalidInput
from utils.number_utils import PRICE_LIMIT, decimal_places, parse_decimal

Value = TypeVar("Value")

MOST_SHARES = 10_000_000
SIDES = ("buy", "sell")
EXECUTION_TYPES = ("market", "limit")
_TICKER = re.compile(r"[A-Z0-9^][A-Z0-9.\-=^]{0,9}", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,12}", re.ASCII)

# The documented names first, then the columns' names, which may be sent instead.
_ALIASES = {
    "ticker": ("ticker",),
    "order_type": ("order_type",),
    "execution_type": ("execution_type", "order_execution_type"),
    "quantity": ("quantity", "order_quantity"),
    "price": ("price", "order_price"),
}


@dataclass(frozen=True, slots=True)
class OrderTicket:
    """What a trader wants: `price` is the limit in dollars a share, None for a market order."""

    ticker: str
    side: str
    execution_type: str
    quantity: int
    price: Decimal | None


def parse_ticket(body: Mapping[str, object]) -> OrderTicket:
    """Read an order from a request's fields. Raises InvalidInput that names every field with its fault."""
    errors: dict[str, list[str]] = {}

    def read(name: str) -> object:
        return next((body[alias] for alias in _ALIASES[name] if alias in body), None)

    ticker = _checked(errors, "ticker", lambda: parse_ticker(read("ticker")))
    side = _checked(errors, "order_type", lambda: _choice(read("order_type"), SIDES))
    execution_type = _checked(errors, "execution_type", lambda: _choice(read("execution_type"), EXECUTION_TYPES))
    quantity = _checked(errors, "quantity", lambda: parse_quantity(read("quantity")))
    price = _checked(errors, "price", lambda: _limit(read("price"), execution_type))
    if errors:
        raise InvalidInput(errors)
    assert ticker is not None
    assert side is not None
    assert execution_type is not None
    assert quantity is not None
    return OrderTicket(ticker, side, execution_type, quantity, price)


def parse_ticker(value: object) -> str:
    """Read a ticker, in upper case. Raises ValueError with a sentence for people."""
    if not isinstance(value, str) or not _TICKER.fullmatch(value.strip().upper()):
        raise ValueError("must be an exchange symbol such as AAPL")
    return value.strip().upper()


def parse_quantity(value: object) -> int:
    """Read a number of shares. Raises ValueError with a sentence for people."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(value, Decimal | float) and decimal_places(parse_decimal(value)) == 0:
        text = str(int(parse_decimal(value)))
    if not isinstance(text, str) or not _WHOLE.fullmatch(text) or not 1 <= int(text) <= MOST_SHARES:
        raise ValueError(f"must be a whole number of shares from 1 to {MOST_SHARES:,}")
    return int(text)


def parse_price(value: object) -> Decimal:
    """Read a price in dollars a share. Raises ValueError with a sentence for people."""
    price = parse_decimal(value)
    if price <= 0 or price > PRICE_LIMIT:
        raise ValueError("must be above zero and below 100,000,000")
    if decimal_places(price) > 4:
        raise ValueError("must have at most four places")
    return price


def _limit(value: object, execution_type: str | None) -> Decimal | None:
    if execution_type == "limit":
        if value is None or value == "":
            raise ValueError("must be given for a limit order")
        return parse_price(value)
    if execution_type == "market" and value not in (None, ""):
        raise ValueError("must be left out of a market order")
    return None


def _choice(value: object, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value.lower() not in choices:
        raise ValueError(f"must be {' or '.join(choices)}")
    return value.lower()


def _checked(errors: dict[str, list[str]], field: str, read: Callable[[], Value]) -> Value | None:
    try:
        return read()
    except ValueError as error:
        errors[field] = [str(error)]
        return None
