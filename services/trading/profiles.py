"""How strict fills are: three named realism profiles. One is chosen by a setting and stamped on every fill."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Profile:
    """The figures of a profile.

    `simultaneity`: how much older than the order a price may be and still fill it; None: it must be newer.
    `freshness`: how old a price may be at all. `participation`: the part of the shares traded behind a price update
    that all orders together may fill; None: any size fills. `size_slippage`: whether the order's own size moves its
    price; `extra_slippage`: a further part of the price, paid by market orders and triggered stops.
    """

    name: str
    simultaneity: timedelta | None
    freshness: timedelta
    participation: Decimal | None
    size_slippage: bool
    extra_slippage: Decimal


_FRESHNESS = timedelta(seconds=90)

SIMPLE = Profile("simple", _FRESHNESS, _FRESHNESS, None, False, Decimal(0))
STANDARD = Profile("standard", timedelta(seconds=5), _FRESHNESS, Decimal("0.10"), True, Decimal(0))
STRICT = Profile("strict", None, _FRESHNESS, Decimal("0.025"), True, Decimal("0.0005"))

PROFILES = {profile.name: profile for profile in (SIMPLE, STANDARD, STRICT)}
