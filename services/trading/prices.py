"""What a quote says to an order: the far side, ticks, collars, slippage, and whether it can be used at all. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum

from services.trading.profiles import STANDARD, Profile
from utils.market_source import Quote
from utils.number_utils import CENT, PRICE_STEP, round_price

HALF_SPREAD_RATE = Decimal("0.0005")  # 5 basis points, where a quote has no bid or ask
COLLAR_RATE = Decimal("0.05")
ONE_DOLLAR = Decimal(1)
FIFTY_DOLLARS = Decimal(50)
# A buy stop becomes a limit this far above its stop: the usual brokers' protection (Alpaca's, for one).
STOP_ROOM_BELOW_FIFTY, STOP_ROOM_FROM_FIFTY = Decimal("1.04"), Decimal("1.025")
# The volume share model of QuantConnect Lean: price x min(share of volume, 2.5 %) squared x 0.1.
LARGEST_SHARE, PRICE_IMPACT = Decimal("0.025"), Decimal("0.1")


class Wait(StrEnum):
    """Why an order does not fill now. It rests and is looked at again with the next price."""

    MARKET_CLOSED = "the market is closed"
    NO_QUOTE = "there is no price"
    DISPLAY_ONLY = "the price carries no time of its provider"
    TOO_OLD = "the price is older than the order"
    STALE = "the price is stale"
    IMPLAUSIBLE = "the price is implausible"
    NOT_TRIGGERED = "the stop has not been reached"
    NOT_REACHED = "the price has not been reached"
    NO_VOLUME = "the volume behind this price is used up"


def dollars(price: Decimal | None) -> str:
    """A price with two places, or four where it has them."""
    if price is None:
        return "-"
    return f"${price:,.2f}" if price == round(price, 2) else f"${price:,.4f}"


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


def stop_collar(side: str, stop: Decimal) -> Decimal:
    """The worst price of a stop order: a buy gets 4 % room below fifty dollars and 2.5 % from there; a sell, which
    must get out, takes any price.
    """
    if side == "sell":
        return PRICE_STEP
    room = STOP_ROOM_BELOW_FIFTY if stop < FIFTY_DOLLARS else STOP_ROOM_FROM_FIFTY
    return (stop * room).quantize(CENT, rounding=ROUND_CEILING)


def slippage(price: Decimal, quantity: int, traded: int | None, profile: Profile) -> Decimal:
    """By how much an order of this size moves its own price, dollars a share, never negative."""
    extra = price * profile.extra_slippage
    if not profile.size_slippage:
        return round_price(extra)
    share = min(Decimal(quantity) / traded, LARGEST_SHARE) if traded else LARGEST_SHARE
    return round_price(price * share * share * PRICE_IMPACT + extra)


def with_slippage(side: str, price: Decimal, slip: Decimal) -> Decimal:
    """The price after slippage, which always costs the trader."""
    return price + slip if side == "buy" else max(price - slip, PRICE_STEP)


def within(side: str, price: Decimal, worst_price: Decimal) -> bool:
    """Whether `price` is no worse than `worst_price` for this side."""
    return price <= worst_price if side == "buy" else price >= worst_price


def stop_reached(side: str, stop: Decimal, last: Decimal) -> bool:
    """A buy stop is reached by a rising price, a sell stop by a falling one."""
    return last >= stop if side == "buy" else last <= stop


def trailing_stop(side: str, peak: Decimal, amount: Decimal | None, percent: Decimal | None) -> Decimal:
    """The stop that trails the best price so far by an amount or by a percentage, on a tick on the careful side."""
    away = amount if amount is not None else peak * (percent or 0) / 100
    stop = peak - away if side == "sell" else peak + away
    tick = tick_size(stop)
    rounding = ROUND_FLOOR if side == "sell" else ROUND_CEILING
    return max((stop / tick).to_integral_value(rounding=rounding) * tick, PRICE_STEP)


def _is_price(price: Decimal | None) -> bool:
    return price is None or (price.is_finite() and price > 0)


def plausible(quote: Quote) -> bool:
    """Positive prices, bid not above ask, last within the day's range where there is one."""
    if not (_is_price(quote.last) and _is_price(quote.bid) and _is_price(quote.ask)):
        return False
    if quote.bid is not None and quote.ask is not None and quote.bid > quote.ask:
        return False
    if quote.low and quote.high:
        return quote.low <= quote.last <= quote.high
    return True


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
    if accepted_at is not None and _is_too_old(quote.provider_time, accepted_at, profile):
        return Wait.TOO_OLD
    return None


def _is_too_old(provider_time: datetime, accepted_at: datetime, profile: Profile) -> bool:
    if profile.simultaneity is None:
        return provider_time <= accepted_at
    return provider_time < accepted_at - profile.simultaneity
