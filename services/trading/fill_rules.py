"""At which price an order may fill, if at all. Pure: plain values in, a decision out.

A simulated fill must be one that the real market would have given: at the far side of the spread, on a price that is
fresh and not older than the order, in the regular session, and never beyond the order's limit or collar.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum

from utils.market_source import Quote
from utils.number_utils import CENT, PRICE_STEP

HALF_SPREAD_RATE = Decimal("0.0005")  # 5 basis points, where a quote has no bid or ask
COLLAR_RATE = Decimal("0.05")
ONE_DOLLAR = Decimal(1)


@dataclass(frozen=True, slots=True)
class Profile:
    """How strict fills are: how much older than the order a price may be, and how old at all."""

    name: str
    simultaneity: timedelta
    freshness: timedelta


STANDARD = Profile("standard", simultaneity=timedelta(seconds=5), freshness=timedelta(seconds=90))


class Wait(StrEnum):
    """Why an order does not fill now. It rests and is looked at again with the next price."""

    MARKET_CLOSED = "the market is closed"
    NO_QUOTE = "there is no price"
    DISPLAY_ONLY = "the price carries no time of its provider"
    TOO_OLD = "the price is older than the order"
    STALE = "the price is stale"
    IMPLAUSIBLE = "the price is implausible"
    NOT_REACHED = "the price has not been reached"


@dataclass(frozen=True, slots=True)
class WorkingOrder:
    """What the rules need to know of an order. `limit` is None for a market order; `worst_price` is its collar."""

    side: str
    limit: Decimal | None
    worst_price: Decimal
    remaining: int
    accepted_at: datetime


@dataclass(frozen=True, slots=True)
class Execution:
    """A fill to be booked: shares at a price in dollars, and the rule that set it."""

    price: Decimal
    quantity: int
    rule: str


def tick_size(price: Decimal) -> Decimal:
    """The least step of a price: a cent from one dollar, a hundredth of a cent below (US Rule 612)."""
    return CENT if price >= ONE_DOLLAR else PRICE_STEP


def ask_of(quote: Quote) -> Decimal:
    """What a buyer pays: the ask, or the last price plus half a spread where the quote has none."""
    return quote.ask if quote.ask is not None else quote.last + _half_spread(quote.last)


def bid_of(quote: Quote) -> Decimal:
    """What a seller gets: the bid, or the last price less half a spread where the quote has none."""
    if quote.bid is not None:
        return quote.bid
    return max(quote.last - _half_spread(quote.last), PRICE_STEP)


def far_side(side: str, quote: Quote) -> Decimal:
    """The price at which an order of this side trades at once."""
    return ask_of(quote) if side == "buy" else bid_of(quote)


def _half_spread(last: Decimal) -> Decimal:
    tick = tick_size(last)
    ticks = (last * HALF_SPREAD_RATE / tick).to_integral_value(rounding=ROUND_CEILING)
    return max(tick, ticks * tick)


def collar(side: str, quote: Quote) -> Decimal:
    """The worst price a market order may fill at: 5 % beyond the far side, in whole cents."""
    if side == "buy":
        return (ask_of(quote) * (1 + COLLAR_RATE)).quantize(CENT, rounding=ROUND_CEILING)
    floor = (bid_of(quote) * (1 - COLLAR_RATE)).quantize(CENT, rounding=ROUND_FLOOR)
    return max(floor, PRICE_STEP)


def fill_for(
    order: WorkingOrder, quote: Quote | None, now: datetime, session_open: bool, profile: Profile = STANDARD
) -> Execution | Wait:
    """Decide whether `quote` fills `order` at market time `now`. Answers the execution, or why it waits."""
    if not session_open:
        return Wait.MARKET_CLOSED
    unusable = unusable_because(quote, now, profile, order.accepted_at)
    if quote is None or unusable is not None:
        return unusable or Wait.NO_QUOTE
    price = far_side(order.side, quote)
    if not within(order.side, price, order.worst_price):
        return Wait.NOT_REACHED
    rule = "market_far_side" if order.limit is None else "limit_or_better"
    return Execution(price=price, quantity=order.remaining, rule=rule)


def unusable_because(
    quote: Quote | None, now: datetime, profile: Profile = STANDARD, accepted_at: datetime | None = None
) -> Wait | None:
    """Why a quote may fill nothing, or None when it may. Without `accepted_at` only the quote itself is judged."""
    if quote is None:
        return Wait.NO_QUOTE
    if quote.provider_time is None:
        return Wait.DISPLAY_ONLY
    if not plausible(quote):
        return Wait.IMPLAUSIBLE
    if now - quote.provider_time - timedelta(seconds=quote.delay) > profile.freshness:
        return Wait.STALE
    if accepted_at is not None and quote.provider_time < accepted_at - profile.simultaneity:
        return Wait.TOO_OLD
    return None


def plausible(quote: Quote) -> bool:
    """Positive prices, bid not above ask, last within the day's range where there is one."""
    prices = (quote.last, quote.bid, quote.ask)
    if any(price is not None and (not price.is_finite() or price <= 0) for price in prices):
        return False
    if quote.bid is not None and quote.ask is not None and quote.bid > quote.ask:
        return False
    if quote.low and quote.high:
        return quote.low <= quote.last <= quote.high
    return True


def within(side: str, price: Decimal, worst_price: Decimal) -> bool:
    """Whether `price` is no worse than `worst_price` for this side."""
    return price <= worst_price if side == "buy" else price >= worst_price
