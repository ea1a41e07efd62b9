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
EXECUTION_TYPES = ("market", "limit", "stop", "stop_limit", "trailing_stop")
TIMES_IN_FORCE = ("gtc", "day", "ioc", "fok")
ORDER_CLASSES = ("simple", "bracket", "oco")
LARGEST_TRAIL_PERCENT = Decimal(50)
_TICKER = re.compile(r"[A-Z0-9^][A-Z0-9.\-=^]{0,9}", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,12}", re.ASCII)

# The documented names first, then the columns' names, which may be sent instead.
_ALIASES = {
    "execution_type": ("execution_type", "order_execution_type"),
    "quantity": ("quantity", "order_quantity"),
    "price": ("price", "order_price"),
}
_WITH_LIMIT = ("limit", "stop_limit")
_WITH_STOP = ("stop", "stop_limit")


@dataclass(frozen=True, slots=True)
class OrderTicket:
    """What a trader wants. Prices in dollars a share; `price` is the limit, None without one.

    A bracket is a buy with `take_profit_price` and `stop_loss_price` for what it fills; an OCO pair is a sell with
    both, of which one cancels the other.
    """

    ticker: str
    side: str
    execution_type: str
    quantity: int
    price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    time_in_force: str = "gtc"
    display_quantity: int | None = None
    extended_hours: bool = False
    order_class: str = "simple"
    take_profit_price: Decimal | None = None
    stop_loss_price: Decimal | None = None


class FieldReader:
    """Reads the fields of a request one by one and collects what is wrong with each."""

    def __init__(self, body: Mapping[str, object]) -> None:
        self.errors: dict[str, list[str]] = {}
        self._body = body

    def given(self, name: str) -> object:
        """The field under its documented name or an alias; None when it is absent or empty."""
        value = next((self._body[alias] for alias in _ALIASES.get(name, (name,)) if alias in self._body), None)
        return None if value == "" else value

    def required(self, name: str, read: Callable[[object], Value]) -> Value | None:
        """Read a field that must be there. None, and an error, when it cannot be read."""
        try:
            return read(self.given(name))
        except ValueError as error:
            self.errors[name] = [str(error)]
            return None

    def optional(self, name: str, read: Callable[[object], Value]) -> Value | None:
        """Read a field that may be left out."""
        return None if self.given(name) is None else self.required(name, read)

    def refuse(self, name: str, sentence: str) -> None:
        """Note what is wrong with a field that could be read."""
        self.errors.setdefault(name, [sentence])

    def only_with(self, name: str, allowed: bool, of_what: str) -> None:
        """A field that makes no sense with the rest must be left out."""
        if self.given(name) is not None and not allowed:
            self.refuse(name, f"must be left out of {of_what}")

    def finish(self) -> None:
        """Raise InvalidInput when anything was wrong."""
        if self.errors:
            raise InvalidInput(self.errors)


def parse_ticket(body: Mapping[str, object]) -> OrderTicket:
    """Read an order from a request's fields. Raises InvalidInput that names every field with its fault."""
    reader = FieldReader(body)
    order_class = reader.optional("order_class", choice_of(ORDER_CLASSES)) or "simple"
    is_pair = order_class == "oco"
    kind = "limit" if is_pair else reader.required("execution_type", choice_of(EXECUTION_TYPES))
    ticket = OrderTicket(
        ticker=reader.required("ticker", parse_ticker) or "",
        side=reader.required("order_type", choice_of(SIDES)) or "",
        execution_type=kind or "",
        quantity=reader.required("quantity", parse_quantity) or 0,
        price=_price(reader, "price", "a limit order", _is_one_of(kind, () if is_pair else _WITH_LIMIT)),
        stop_price=_price(reader, "stop_price", "a stop order", _is_one_of(kind, _WITH_STOP)),
        trail_amount=reader.optional("trail_amount", parse_price),
        trail_percent=reader.optional("trail_percent", parse_percent),
        time_in_force=reader.optional("time_in_force", choice_of(TIMES_IN_FORCE)) or "gtc",
        display_quantity=reader.optional("display_quantity", parse_quantity),
        extended_hours=reader.optional("extended_hours", parse_flag) or False,
        order_class=order_class,
        take_profit_price=_price(reader, "take_profit_price", "a bracket or pair", order_class != "simple"),
        stop_loss_price=_price(reader, "stop_loss_price", "a bracket or pair", order_class != "simple"),
    )
    _check_together(reader, ticket)
    reader.finish()
    return ticket


def _is_one_of(kind: str | None, kinds: tuple[str, ...]) -> bool | None:
    return None if kind is None else kind in kinds


def _price(reader: FieldReader, name: str, of_what: str, wanted: bool | None) -> Decimal | None:
    """A price that goes with some orders and not with others; None where nobody can tell yet with which."""
    if wanted is None:
        return reader.optional(name, parse_price)
    if wanted and reader.given(name) is None:
        reader.refuse(name, f"must be given for {of_what}")
        return None
    if not wanted and reader.given(name) is not None:
        reader.refuse(name, f"goes only with {of_what}")
        return None
    return reader.optional(name, parse_price)


def _check_together(reader: FieldReader, ticket: OrderTicket) -> None:
    """Fields that each are right may still not go together."""
    kind = ticket.execution_type
    trails = kind == "trailing_stop"
    reader.only_with("trail_amount", trails, "an order that is no trailing stop")
    reader.only_with("trail_percent", trails, "an order that is no trailing stop")
    if trails and (reader.given("trail_amount") is None) == (reader.given("trail_percent") is None):
        reader.refuse("trail_amount", "or trail_percent must be given for a trailing stop, one of the two")
    if kind not in ("market", "limit") and ticket.time_in_force in ("ioc", "fok"):
        reader.refuse("time_in_force", "must be gtc or day for a stop order")
    if ticket.order_class != "simple" and ticket.time_in_force in ("ioc", "fok"):
        reader.refuse("time_in_force", "must be gtc or day for a bracket or pair")
    if ticket.extended_hours and (kind != "limit" or ticket.time_in_force != "day" or ticket.order_class != "simple"):
        reader.refuse("extended_hours", "goes only with a plain limit order whose time_in_force is day")
    _check_iceberg(reader, ticket)
    _check_legs(reader, ticket)


def _check_iceberg(reader: FieldReader, ticket: OrderTicket) -> None:
    if ticket.display_quantity is None:
        return
    if ticket.execution_type != "limit" or ticket.time_in_force in ("ioc", "fok") or ticket.order_class != "simple":
        reader.refuse("display_quantity", "goes only with a plain limit order that may rest")
    elif ticket.display_quantity >= ticket.quantity:
        reader.refuse("display_quantity", "must be less than the quantity")


def _check_legs(reader: FieldReader, ticket: OrderTicket) -> None:
    wanted_side = {"bracket": "buy", "oco": "sell"}.get(ticket.order_class)
    if wanted_side is None:
        return
    if ticket.side and ticket.side != wanted_side:
        reader.refuse("order_type", f"must be {wanted_side} for this order class")
    profit, loss = ticket.take_profit_price, ticket.stop_loss_price
    if profit is not None and loss is not None and profit <= loss:
        reader.refuse("take_profit_price", "must be above stop_loss_price")
    base = ticket.price
    if base is not None and profit is not None and profit <= base:
        reader.refuse("take_profit_price", "must be above the price of the buy")
    if base is not None and loss is not None and loss >= base:
        reader.refuse("stop_loss_price", "must be below the price of the buy")


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


def parse_percent(value: object) -> Decimal:
    """Read a trailing stop's distance in percent. Raises ValueError with a sentence for people."""
    percent = parse_price(value)
    if percent > LARGEST_TRAIL_PERCENT:
        raise ValueError(f"must be at most {LARGEST_TRAIL_PERCENT}")
    return percent


def parse_flag(value: object) -> bool:
    """Read a yes or no from JSON or a form. Raises ValueError with a sentence for people."""
    words = {True: True, False: False, "true": True, "1": True, "on": True, "false": False, "0": False}
    if not isinstance(value, bool | str) or value not in words:
        raise ValueError("must be true or false")
    return words[value]


def choice_of(choices: tuple[str, ...]) -> Callable[[object], str]:
    """A reader of one of some words, in any case."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value.lower() not in choices:
            raise ValueError(f"must be {', '.join(choices[:-1])} or {choices[-1]}")
        return value.lower()

    return read
