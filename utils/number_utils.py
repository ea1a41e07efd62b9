"""Exact decimal numbers: money in cents, prices in ten-thousandths, and how they are read and shown."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal, InvalidOperation

CENT = Decimal("0.01")
PRICE_STEP = Decimal("0.0001")
MONEY_LIMIT = Decimal("9999999999999.99")  # DECIMAL(15,2)
PRICE_LIMIT = Decimal("99999999.9999")  # DECIMAL(12,4)
ZERO = Decimal("0.00")

# ASCII digits only: Decimal() itself also takes NaN, Infinity, exponents, underscores and other scripts' digits.
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)


def round_money(amount: Decimal) -> Decimal:
    """Round to whole cents, half to even: the one rule by which an amount is posted."""
    return amount.quantize(CENT, rounding=ROUND_HALF_EVEN)


def round_up_to_cent(amount: Decimal) -> Decimal:
    """Round up to the next whole cent, for reservations, which must never be too small."""
    return amount.quantize(CENT, rounding=ROUND_CEILING)


def round_price(price: Decimal) -> Decimal:
    """Round a price to four places, half to even."""
    return price.quantize(PRICE_STEP, rounding=ROUND_HALF_EVEN)


def parse_decimal(value: object) -> Decimal:
    """Read a number from JSON or a form exactly. Raises ValueError with a sentence for people.

    Accepts a plain decimal text in ASCII digits, an integer, a finite Decimal, or a float (read by its shortest
    repr, which is the text the client wrote). Refuses booleans, exponents that overflow, NaN and infinities.
    """
    if isinstance(value, bool) or value is None or not isinstance(value, str | int | float | Decimal):
        raise ValueError("must be a number")
    text = _written(value)
    if not _PLAIN_NUMBER.fullmatch(text):
        raise ValueError("must be a plain number such as 12.50")
    try:
        return Decimal(text)
    except InvalidOperation as error:  # pragma: no cover - the pattern above admits no such text
        raise ValueError("must be a number") from error


def _written(value: str | int | float | Decimal) -> str:
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal):
        # An exponent of many digits must not be written out: that text alone would fill the memory.
        return format(value, "f") if value.is_finite() and abs(value.adjusted()) <= 40 else str(value)
    return str(value)


def decimal_places(value: Decimal) -> int:
    """How many places stand behind the point, trailing zeros not counted. Exact for any number of digits."""
    _, _, behind = format(value, "f").partition(".")
    return len(behind.rstrip("0"))


def safe_round(value: object, precision: int = 2) -> str:
    """Template filter: a number with `precision` places and thousands separators; anything else as "-"."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return "-"
    if not number.is_finite():
        return "-"
    return f"{number.quantize(Decimal(1).scaleb(-precision), rounding=ROUND_HALF_EVEN):,}"
