"""What is checked before an order is accepted. Each check is a small function; the first refusal wins.

A check reads plain values, raises Refused with a stable code and its figures, or adds a warning, which never blocks.
The checks for free cash and free shares are the reservation itself, in the ledger, under the account's lock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from services.errors import Refused
from services.trading.fill_rules import far_side, plausible, tick_size
from services.trading.tickets import OrderTicket
from utils.market_source import Quote
from utils.number_utils import MONEY_LIMIT

WARN_AWAY = Decimal("0.10")
REFUSE_AWAY = Decimal("0.50")


@dataclass(slots=True)
class CheckContext:
    """What the checks look at. `tradable` is None for an unknown ticker, `market_ended` means the replay is over."""

    ticket: OrderTicket
    tradable: bool | None
    quote: Quote | None
    market_ended: bool
    warnings: list[str] = field(default_factory=list)


def check(context: CheckContext) -> None:
    """Run all checks in order. Raises Refused; warnings are left in the context."""
    for one_check in CHECKS:
        one_check(context)


def instrument_is_known(context: CheckContext) -> None:
    if context.tradable is None:
        ticker = context.ticket.ticker
        raise Refused(f"The ticker {ticker} is not traded here.", code="UNKNOWN_TICKER", details={"ticker": ticker})


def instrument_is_tradable(context: CheckContext) -> None:
    if not context.tradable:
        ticker = context.ticket.ticker
        raise Refused(f"{ticker} is a benchmark and cannot be traded.", code="NOT_TRADABLE", details={"ticker": ticker})


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


def limit_is_on_tick(context: CheckContext) -> None:
    limit = context.ticket.price
    if limit is None:
        return
    tick = tick_size(limit)
    if limit % tick:
        raise Refused(
            f"The limit ${limit} is not a multiple of ${tick}, the least step of a price of this size.",
            code="PRICE_OFF_TICK",
            details={"price": limit, "tick": tick},
        )


def limit_is_near_the_market(context: CheckContext) -> None:
    ticket = context.ticket
    if ticket.price is None or context.quote is None:
        return
    market = far_side(ticket.side, context.quote)
    away = abs(ticket.price / market - 1)
    figures = {"price": ticket.price, "market": market, "away": away.quantize(Decimal("0.0001"))}
    sentence = f"The limit ${ticket.price} is {away:.0%} away from the market (${market})."
    if away > REFUSE_AWAY:
        raise Refused(f"{sentence} At most {REFUSE_AWAY:.0%} is accepted.", code="PRICE_TOO_FAR", details=figures)
    if away > WARN_AWAY:
        context.warnings.append(sentence)


def value_is_bookable(context: CheckContext) -> None:
    ticket = context.ticket
    price = ticket.price if ticket.price is not None else context.quote.last * 2 if context.quote else Decimal(0)
    if price * ticket.quantity > MONEY_LIMIT / 100:
        raise Refused(
            f"An order over {ticket.quantity:,} shares at this price is larger than the books can hold.",
            code="ORDER_TOO_LARGE",
            details={"quantity": ticket.quantity},
        )


CHECKS = (
    instrument_is_known,
    instrument_is_tradable,
    market_goes_on,
    price_is_known,
    limit_is_on_tick,
    limit_is_near_the_market,
    value_is_bookable,
)
