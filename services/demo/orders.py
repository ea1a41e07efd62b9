"""What the demo's traders order: tickets they can pay for, and what becomes of each. A batch is one unit."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import Config
from models import Order, Portfolio
from services.accounts import ledger
from services.demo.past import PastMarket
from services.trading import acceptance
from services.trading.matcher import Matcher
from services.trading.order_state import OrderState
from services.trading.profiles import SIMPLE
from services.trading.rules import TradingRules, read_rules
from services.trading.settlement import Settlement
from services.trading.tickets import OrderTicket
from utils.market_source import Quote
from utils.market_source import Session as TradingSession
from utils.number_utils import CENT

REASONS = ("Too large for this exercise", "Trading in this stock is paused", "Please plan the trade first")
LARGEST_QUANTITY = 5_000
# Worst price of a market order and its commission, above the price that was seen.
HEADROOM = Decimal("1.07")


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happens: wall clock, and the point of a trading session (0 its open, 1 its close)."""

    wall: datetime
    session: TradingSession
    share: float


@dataclass(frozen=True, slots=True)
class Stage:
    """What all batches of the demo share. `chance` decides everything that is left to chance."""

    past: PastMarket
    config: Config
    admin_id: int
    chance: random.Random


@dataclass(frozen=True, slots=True)
class Plan:
    """One order before it is stored. `fate` is what becomes of it when it does not fill: open, or how it ends."""

    user_id: int
    moment: Moment
    market_time: datetime
    ticket: OrderTicket
    quote: Quote
    fate: str


def trade(session: Session, stage: Stage, wanted: Sequence[tuple[int, Moment]], leave_open: bool) -> int:
    """A unit: an order for each of these traders, who all differ, at its moment, oldest first. Those who can pay for
    nothing are left out; answers how many ordered. Orders that do not fill end, unless `leave_open`.
    """
    first = wanted[0][1]
    books = ledger.lock_accounts(session, [user_id for user_id, _ in wanted], first.wall, first.session.opens)
    free = _free_shares(session, books.accounts)
    plans = [
        plan
        for user_id, moment in wanted
        if (plan := _plan(stage, user_id, moment, books.accounts[user_id].available, free[user_id], leave_open))
    ]
    rules = replace(read_rules(session, stage.config), profile=SIMPLE)
    settlement = Settlement(books)
    orders = settlement.insert_many([_row(stage, plan, rules) for plan in plans])
    books.load_holdings((plan.user_id, plan.ticket.ticker) for plan in plans)
    matcher = Matcher(settlement, stage.past, rules)
    for plan, order in zip(plans, orders, strict=True):
        _live(stage, matcher, plan, order)
    matcher.write()
    return len(plans)


def _free_shares(session: Session, user_ids: Iterable[int]) -> dict[int, dict[str, int]]:
    query = select(Portfolio.user_id, Portfolio.ticker, Portfolio.quantity - Portfolio.frozen_quantity)
    free: dict[int, dict[str, int]] = defaultdict(dict)
    for user_id, ticker, shares in session.execute(query.where(Portfolio.user_id.in_(list(user_ids)))):
        if shares:
            free[user_id][ticker] = shares
    return free


def _plan(
    stage: Stage, user_id: int, moment: Moment, cash: Decimal, free: dict[str, int], leave_open: bool
) -> Plan | None:
    now = stage.past.stand_at(moment.session, moment.share)
    ticket = _sell(stage, free) if free and stage.chance.random() < 0.45 else _buy(stage, cash)
    ticket = ticket or (_sell(stage, free) if free else None)
    quote = None if ticket is None else stage.past.quote(ticket.ticker)
    if ticket is None or quote is None:
        return None
    fate = stage.chance.choices(("open", "cancelled", "expired", "rejected"), (12 if leave_open else 0, 5, 3, 1))[0]
    return Plan(user_id, moment, now, ticket, quote, fate)


def _buy(stage: Stage, cash: Decimal) -> OrderTicket | None:
    quote = _any_quote(stage, stage.past.tickers)
    if quote is None:
        return None
    spend = cash * Decimal(stage.chance.randint(2, 15)) / 100
    quantity = min(int(spend / (quote.last * HEADROOM)), LARGEST_QUANTITY)
    return _ticket(stage, "buy", quote, quantity) if quantity else None


def _sell(stage: Stage, free: dict[str, int]) -> OrderTicket | None:
    quote = _any_quote(stage, sorted(free))
    if quote is None:
        return None
    most = free[quote.ticker]
    return _ticket(stage, "sell", quote, most if most < 5 else stage.chance.randint(most // 4 or 1, most))


def _any_quote(stage: Stage, tickers: Sequence[str]) -> Quote | None:
    """A quote of one of these tickers, those at the front more often."""
    weights = range(len(tickers) + 1, 1, -1)
    return stage.past.quote(stage.chance.choices(tickers, weights)[0])


def _ticket(stage: Stage, side: str, quote: Quote, quantity: int) -> OrderTicket:
    """Mostly market orders and limits that fill at once; some limits and stops away from the market, and icebergs."""
    kind = stage.chance.choices(("market", "near", "away", "stop", "iceberg"), (62, 16, 14, 5, 3))[0]
    away = 1 if side == "buy" else -1
    if kind == "near":
        return OrderTicket(quote.ticker, side, "limit", quantity, _price(quote, Decimal("0.004") * away))
    if kind == "away":
        distance = Decimal(stage.chance.randint(20, 90)) / 1000
        return OrderTicket(quote.ticker, side, "limit", quantity, _price(quote, -distance * away))
    if kind == "stop" and side == "sell":
        return OrderTicket(quote.ticker, side, "stop", quantity, stop_price=_price(quote, Decimal("-0.06")))
    if kind == "iceberg" and quantity >= 10:
        price = _price(quote, Decimal("0.004") * away)
        return OrderTicket(quote.ticker, side, "limit", quantity, price, display_quantity=quantity // 3)
    return OrderTicket(quote.ticker, side, "market", quantity)


def _price(quote: Quote, part: Decimal) -> Decimal:
    return max((quote.last * (1 + part)).quantize(CENT, rounding=ROUND_DOWN), CENT)


def _row(stage: Stage, plan: Plan, rules: TradingRules) -> Order:
    times = (plan.moment.wall, plan.market_time)
    return acceptance.new_row(plan.user_id, plan.ticket, plan.quote, rules, stage.past, *times)


def _live(stage: Stage, matcher: Matcher, plan: Plan, order: OrderState) -> None:
    """Accept the order, let it meet its price, and end it when that is its fate."""
    settlement, books = matcher.settlement, matcher.settlement.books
    books.wall_time, books.market_time = plan.moment.wall, plan.market_time
    settlement.accept(order)
    matcher.look(order, plan.quote)
    if order.is_open and order.display_quantity and stage.chance.random() < 0.7:
        while order.is_open:
            matcher.look(order, plan.quote)
    if not order.is_open or plan.fate == "open":
        return
    books.wall_time += timedelta(seconds=stage.chance.randint(5, 40))
    if plan.fate == "rejected":
        order.operator_id = stage.admin_id
        settlement.end(order, "rejected", stage.chance.choice(REASONS))
    elif plan.fate == "expired":
        settlement.end(order, "expired", f"Its time in force ({order.time_in_force}) was over")
    else:
        settlement.end(order, "cancelled", "Cancelled by the trader")
