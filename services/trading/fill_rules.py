"""Whether, at which price and how much of an order fills. Pure: plain values in, a decision out.

A simulated fill must be one that the real market would have given: at the far side of the spread, on a price that is
fresh and not older than the order, in the regular session, never beyond the order's limit or collar, and no more than
a part of the shares that were traded behind the price.
"""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from functools import lru_cache
from typing import Literal, NamedTuple

from services.trading.prices import (
    Wait,
    collar,
    dollars,
    far_side,
    slippage,
    stop_reached,
    unusable_because,
    with_slippage,
    within,
)
from services.trading.profiles import STANDARD, Profile
from utils.market_source import Quote
from utils.number_utils import PRICE_STEP

SessionState = Literal["regular", "extended", "closed"]
NO_SLIPPAGE = Decimal("0.0000")
STOP_TYPES = ("stop", "stop_limit", "trailing_stop")


class WorkingOrder(NamedTuple):
    """What the rules need to know of an order. `worst_price` is its limit or collar, `display` what an iceberg shows;
    `stop` is None for orders without one and once it was reached; `queued` means accepted while the market was closed.
    """

    side: str
    limit: Decimal | None
    worst_price: Decimal
    remaining: int
    accepted_at: datetime
    stop: Decimal | None = None
    time_in_force: str = "gtc"
    display: int | None = None
    extended_hours: bool = False
    queued: bool = False


class MarketView(NamedTuple):
    """The market as one order sees it: `allowance` is how many shares this price update still has for everybody,
    None without a cap; `any_hours` lets orders fill on the last price while the market is closed.
    """

    quote: Quote | None
    now: datetime
    session: SessionState
    profile: Profile = STANDARD
    allowance: int | None = None
    any_hours: bool = False


class Execution(NamedTuple):
    """A fill to be booked: shares at a price in dollars, the rule that set it, and what its size cost a share."""

    price: Decimal
    quantity: int
    rule: str
    slippage: Decimal = NO_SLIPPAGE


class Decision(NamedTuple):
    """What becomes of an order at this price: its stop is reached (`triggered`, with the collar it then has), it fills
    (`execution`), what is left of it ends (`cancel`, a sentence), or it waits.
    """

    execution: Execution | None = None
    wait: Wait | None = None
    cancel: str | None = None
    triggered: bool = False
    worst_price: Decimal | None = None


def fill_for(order: WorkingOrder, view: MarketView) -> Decision:
    """Decide about an order at one moment of the market."""
    if view.session == "closed" or (view.session == "extended" and not order.extended_hours):
        return _while_closed(order, view)
    unusable = unusable_because(view.quote, view.now, view.profile, order.accepted_at)
    if view.quote is None or unusable is not None:
        return Decision(wait=unusable or Wait.NO_QUOTE)
    if order.stop is not None:
        return _at_stop(order, view, view.quote)
    return _at_price(order, view, view.quote)


def _while_closed(order: WorkingOrder, view: MarketView) -> Decision:
    """Those who practise at night trade on the last price, which is marked on the fill; everybody else waits."""
    quote = view.quote
    if not view.any_hours or quote is None or quote.provider_time is None or order.stop is not None:
        return Decision(wait=Wait.MARKET_CLOSED)
    return _at_price(order, view._replace(allowance=None), quote, rule="last_price_while_closed")


def _at_stop(order: WorkingOrder, view: MarketView, quote: Quote) -> Decision:
    """Stops look at trades, in the regular session only. Once reached, the order is a market or limit order; after a
    gap that fills at the price behind the gap, not at the stop.
    """
    assert order.stop is not None
    if view.session != "regular":
        return Decision(wait=Wait.MARKET_CLOSED)
    if not stop_reached(order.side, order.stop, quote.last):
        return Decision(wait=Wait.NOT_TRIGGERED)
    worst = order.worst_price
    if order.limit is None and order.side == "sell":
        worst = max(collar("sell", quote), PRICE_STEP)
    then = _at_price(order._replace(stop=None, worst_price=worst), view, quote)
    return then._replace(triggered=True, worst_price=worst)


def _at_price(order: WorkingOrder, view: MarketView, quote: Quote, rule: str = "") -> Decision:
    touch = far_side(order.side, quote)
    quantity = _fillable(order, view)
    price, slip = _price(order, view, quote, touch, quantity)
    if not within(order.side, price, order.worst_price):
        return _not_reached(order, touch)
    if quantity == 0:
        return _without_rest(order, Wait.NO_VOLUME)
    if order.time_in_force == "fok" and quantity < order.remaining:
        return Decision(cancel=f"Fill or kill: only {quantity:,} of {order.remaining:,} shares could fill")
    named = rule or ("market_far_side" if order.limit is None else "limit_or_better")
    ends = "The rest could not fill at once" if order.time_in_force == "ioc" and quantity < order.remaining else None
    return Decision(execution=Execution(price, quantity, named, slip), cancel=ends)


def _price(
    order: WorkingOrder, view: MarketView, quote: Quote, touch: Decimal, quantity: int
) -> tuple[Decimal, Decimal]:
    """The far side, and for orders without a limit what their own size costs. A limit gets the far side or better than
    its limit, min(ask, limit) for a buy, which the check against the limit already says.
    """
    if order.limit is not None:
        return touch, NO_SLIPPAGE
    slip = slippage(touch, quantity, quote.traded, view.profile)
    price = with_slippage(order.side, touch, slip)
    if within(order.side, touch, order.worst_price) and not within(order.side, price, order.worst_price):
        return order.worst_price, abs(order.worst_price - touch)
    return price, slip


def _fillable(order: WorkingOrder, view: MarketView) -> int:
    """Shares that this price update can give the order: what is left of it, what it shows, what there is."""
    parts = [order.remaining]
    if order.display is not None:
        parts.append(order.display)
    if view.allowance is not None:
        parts.append(max(view.allowance, 0))
    return min(parts)


def _not_reached(order: WorkingOrder, touch: Decimal) -> Decision:
    if order.queued and order.limit is None:
        return Decision(
            cancel=f"The market opened at {dollars(touch)}, beyond the {dollars(order.worst_price)} that was reserved"
        )
    return _without_rest(order, Wait.NOT_REACHED)


def _without_rest(order: WorkingOrder, wait: Wait) -> Decision:
    """An order that must fill at once ends when it cannot; any other waits."""
    if order.time_in_force in ("ioc", "fok"):
        return Decision(cancel=f"It could not fill at once: {wait}")
    return Decision(wait=wait)


def allowance_of(quote: Quote, profile: Profile, taken: int) -> int | None:
    """Shares of this price update that are left for orders; None where the profile or the quote sets no bound."""
    if profile.participation is None or quote.traded is None:
        return None
    return max(_participating(quote.traded, profile.participation) - taken, 0)


@lru_cache(maxsize=4096)
def _participating(traded: int, participation: Decimal) -> int:
    """Whole shares of those traded; every order on the same price update asks for the same figure."""
    return int((traded * participation).to_integral_value(rounding=ROUND_FLOOR))
