"""What is checked before an order is accepted. Each check is a small function; the first refusal wins.

A check looks at plain values, raises Refused with a stable code and its figures, or adds a warning, which never blocks.
The checks for free cash and free shares are the reservation itself, in the ledger, under the account's lock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from services.errors import Refused, TooMany
from services.trading.prices import dollars, far_side, plausible, tick_size
from services.trading.rules import TradingRules
from services.trading.tickets import OrderTicket
from utils.market_source import Quote
from utils.number_utils import MONEY_LIMIT

WARN_AWAY, REFUSE_AWAY = Decimal("0.10"), Decimal("0.50")
WARN_CONCENTRATION = Decimal("0.25")
LARGEST_PART_OF_VOLUME = Decimal("0.10")
RATE_WINDOW = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class RestingOrder:
    """An open order of the same trader on the same ticker, for the crossing check."""

    order_id: int
    side: str
    limit: Decimal | None


@dataclass(slots=True)
class CheckContext:
    """What the checks look at, read under the account's lock.

    `tradable` is None for an unknown ticker, `market_ended` means the replay is over. `rate_reached_at` is when the
    trader sent the order that is as many orders back as the rate limit, `usual_volume` the average daily volume of the
    last 20 days.
    `equity`, `position_value` and `day_start_equity` are dollars, None when they are not needed or not known.
    """

    ticket: OrderTicket
    rules: TradingRules
    tradable: bool | None
    quote: Quote | None
    market_ended: bool
    wall_time: datetime
    trading_state: str = "active"
    rate_reached_at: datetime | None = None
    open_orders: int = 0
    resting: tuple[RestingOrder, ...] = ()
    usual_volume: int | None = None
    equity: Decimal | None = None
    position_value: Decimal | None = None
    day_start_equity: Decimal | None = None
    is_preview: bool = False
    warnings: list[str] = field(default_factory=list)


def check(context: CheckContext) -> None:
    """Run all checks in order. Raises Refused; warnings are left in the context."""
    for one_check in CHECKS:
        one_check(context)


def account_may_trade(context: CheckContext) -> None:
    if context.trading_state == "halted":
        raise Refused("Your account is halted: you can cancel orders, but not send any.", code="ACCOUNT_HALTED")
    if context.trading_state == "reducing" and context.ticket.side == "buy":
        raise Refused("Your account may only sell at the moment.", code="ACCOUNT_REDUCING")


def rate_is_humane(context: CheckContext) -> None:
    limit = context.rules.order_rate_limit
    reached_at = context.rate_reached_at
    if limit and not context.is_preview and reached_at and context.wall_time - reached_at < RATE_WINDOW:
        raise TooMany(f"At most {limit} orders a second are taken.", code="ORDER_RATE", details={"limit": limit})


def not_too_many_are_open(context: CheckContext) -> None:
    limit = context.rules.open_order_limit
    if limit and context.open_orders >= limit:
        raise Refused(
            f"You have {context.open_orders} open orders, the most is {limit}. Cancel some first.",
            code="TOO_MANY_OPEN_ORDERS",
            details={"open": context.open_orders, "limit": limit},
        )


def instrument_is_known(context: CheckContext) -> None:
    if context.tradable is None:
        ticker = context.ticket.ticker
        raise Refused(f"{ticker} is not traded here.", code="UNKNOWN_TICKER", details={"ticker": ticker})


def instrument_is_tradable(context: CheckContext) -> None:
    if not context.tradable:
        ticker = context.ticket.ticker
        raise Refused(f"{ticker} cannot be traded here.", code="NOT_TRADABLE", details={"ticker": ticker})


def market_goes_on(context: CheckContext) -> None:
    if context.market_ended:
        raise Refused("The recorded market has ended; nothing trades any more.", code="MARKET_ENDED")


def price_is_known(context: CheckContext) -> None:
    if context.quote is None or not plausible(context.quote):
        raise Refused(
            f"There is no usable price of {context.ticket.ticker} at the moment. Try again shortly.",
            code="NO_PRICE",
            details={"ticker": context.ticket.ticker},
        )


def prices_are_on_tick(context: CheckContext) -> None:
    ticket = context.ticket
    for price in (ticket.price, ticket.stop_price, ticket.take_profit_price, ticket.stop_loss_price):
        if price is not None and price % tick_size(price):
            tick = tick_size(price)
            raise Refused(
                f"{dollars(price)} is not a multiple of {dollars(tick)}, the least step of a price of this size.",
                code="PRICE_OFF_TICK",
                details={"price": price, "tick": tick},
            )


def stop_is_on_its_side(context: CheckContext) -> None:
    """A stop that the market has reached already would be a market order by mistake."""
    ticket = context.ticket
    if ticket.stop_price is None or context.quote is None:
        return
    last = context.quote.last
    beyond = ticket.stop_price <= last if ticket.side == "buy" else ticket.stop_price >= last
    if beyond:
        where = "above" if ticket.side == "buy" else "below"
        at = dollars(ticket.stop_price)
        raise Refused(
            f"A {ticket.side} stop must be {where} the market ({dollars(last)}), this one is at {at}.",
            code="STOP_ON_WRONG_SIDE",
            details={"stop_price": ticket.stop_price, "last": last},
        )


def legs_are_on_their_sides(context: CheckContext) -> None:
    ticket = context.ticket
    if ticket.take_profit_price is None or ticket.stop_loss_price is None or context.quote is None:
        return
    base = ticket.price if ticket.price is not None else context.quote.last
    if not ticket.stop_loss_price < base < ticket.take_profit_price:
        raise Refused(
            f"The stop loss must be below {dollars(base)} and the take profit above it.",
            code="LEGS_ON_WRONG_SIDE",
            details={"stop_loss": ticket.stop_loss_price, "take_profit": ticket.take_profit_price, "price": base},
        )


def limit_is_near_the_market(context: CheckContext) -> None:
    ticket = context.ticket
    if ticket.price is None or context.quote is None:
        return
    market = far_side(ticket.side, context.quote)
    away = abs(ticket.price / market - 1)
    figures = {"price": ticket.price, "market": market, "away": away.quantize(Decimal("0.0001"))}
    sentence = f"The limit {dollars(ticket.price)} is {away:.0%} away from the market ({dollars(market)})."
    if away > REFUSE_AWAY:
        raise Refused(f"{sentence} At most {REFUSE_AWAY:.0%} is accepted.", code="PRICE_TOO_FAR", details=figures)
    if away > WARN_AWAY:
        context.warnings.append(sentence)


def value_is_bookable(context: CheckContext) -> None:
    if _dearest(context) * context.ticket.quantity > MONEY_LIMIT / 100:
        raise Refused(
            f"An order over {context.ticket.quantity:,} shares at this price is larger than the books can hold.",
            code="ORDER_TOO_LARGE",
            details={"quantity": context.ticket.quantity},
        )


def does_not_cross_itself(context: CheckContext) -> None:
    """Two orders of one trader that would trade with each other are a wash; others on both sides are fine."""
    ticket = context.ticket
    for other in context.resting:
        if other.side != ticket.side and _would_cross(ticket, other, context.quote):
            raise Refused(
                f"It would trade with your own order {other.order_id}. Cancel that one first.",
                code="CROSSES_OWN_ORDER",
                details={"order_id": other.order_id},
            )


def _would_cross(ticket: OrderTicket, other: RestingOrder, quote: Quote | None) -> bool:
    if ticket.stop_price is not None or ticket.execution_type == "trailing_stop" or quote is None:
        return False
    own = ticket.price if ticket.price is not None else far_side(ticket.side, quote)
    theirs = other.limit if other.limit is not None else far_side(other.side, quote)
    return own >= theirs if ticket.side == "buy" else own <= theirs


def size_suits_the_volume(context: CheckContext) -> None:
    volume = max(context.usual_volume or 0, (context.quote.volume or 0) if context.quote else 0)
    if volume and context.ticket.quantity > volume * LARGEST_PART_OF_VOLUME:
        most = int(volume * LARGEST_PART_OF_VOLUME)
        raise Refused(
            f"{context.ticket.quantity:,} shares are more than a tenth of a day's volume: at most {most:,} are taken.",
            code="SIZE_ABOVE_VOLUME",
            details={"quantity": context.ticket.quantity, "most": most},
        )


def not_all_eggs_in_one_basket(context: CheckContext) -> None:
    if context.ticket.side == "sell" or not context.equity or context.position_value is None:
        return
    part = (context.position_value + _dearest(context) * context.ticket.quantity) / context.equity
    sentence = f"{context.ticket.ticker} would be {part:.0%} of your equity."
    limit = context.rules.concentration_limit
    if limit and part > limit:
        raise Refused(f"{sentence} At most {limit:.0%} is allowed.", code="TOO_CONCENTRATED", details={"part": part})
    if part > WARN_CONCENTRATION:
        context.warnings.append(sentence)


def loss_of_the_day_is_bearable(context: CheckContext) -> None:
    limit, start = context.rules.daily_loss_limit, context.day_start_equity
    if not limit or context.ticket.side == "sell" or not start or context.equity is None:
        return
    loss = 1 - context.equity / start
    if loss > limit:
        raise Refused(
            f"You have lost {loss:.1%} today; from {limit:.0%} on only sells are taken until the next session.",
            code="DAILY_LOSS_LOCK",
            details={"loss": loss.quantize(Decimal("0.0001")), "limit": limit},
        )


def _dearest(context: CheckContext) -> Decimal:
    """About the most a share may cost, for bounds that need no exact figure."""
    ticket = context.ticket
    if ticket.price is not None:
        return ticket.price
    market = Decimal(0) if context.quote is None else far_side(ticket.side, context.quote)
    return max(ticket.stop_price or market, market)


CHECKS: tuple[Callable[[CheckContext], None], ...] = (
    account_may_trade,
    rate_is_humane,
    not_too_many_are_open,
    instrument_is_known,
    instrument_is_tradable,
    market_goes_on,
    price_is_known,
    prices_are_on_tick,
    value_is_bookable,
    stop_is_on_its_side,
    legs_are_on_their_sides,
    limit_is_near_the_market,
    does_not_cross_itself,
    size_suits_the_volume,
    not_all_eggs_in_one_basket,
    loss_of_the_day_is_bearable,
)
