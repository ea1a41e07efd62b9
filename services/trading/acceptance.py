"""What the acceptance of an order needs: the figures for its checks, its row, and the first look at the market."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import cast

from sqlalchemy import Table, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from models import Instrument, MarketData, Order, User
from services.accounts import portfolio
from services.accounts.ledger import Books
from services.market.market import Market
from services.trading.order_state import ORDERS
from services.trading.order_states import OPEN_STATUSES
from services.trading.prices import collar, stop_collar, trailing_stop
from services.trading.risk_checks import LARGEST_PART_OF_VOLUME, CheckContext, RestingOrder
from services.trading.rules import TradingRules
from services.trading.sessions import expiry, session_state
from services.trading.tickets import OrderTicket
from utils.market_source import Quote

USUAL_DAYS = 20
USERS = cast(Table, User.__table__)
INSTRUMENTS = cast(Table, Instrument.__table__)


# What one query tells of trader and ticker. Built once, since every order asks it.
_STANDING = select(
    USERS.c.trading_state,
    select(and_(INSTRUMENTS.c.tradable, INSTRUMENTS.c.deactivated_at.is_(None)))
    .where(INSTRUMENTS.c.ticker == bindparam("ticker"))
    .scalar_subquery(),
    select(func.count())
    .select_from(ORDERS)
    .where(ORDERS.c.user_id == bindparam("user_id"), or_(*(ORDERS.c.order_status == one for one in OPEN_STATUSES)))
    .scalar_subquery(),
).where(USERS.c.user_id == bindparam("user_id"))


def check_context(
    session: Session,
    user_id: int,
    ticket: OrderTicket,
    rules: TradingRules,
    market: Market,
    wall_time: datetime,
    is_preview: bool = False,
    books: Books | None = None,
) -> CheckContext:
    """Read what the checks look at, in a few queries. Cash and holdings come from `books` where they are open."""
    quote = market.quote(ticket.ticker)
    row = session.execute(_STANDING, {"user_id": user_id, "ticker": ticket.ticker}).one()
    context = CheckContext(
        ticket=ticket,
        rules=rules,
        tradable=row[1],
        quote=quote,
        market_ended=market.ended(),
        wall_time=wall_time,
        trading_state=row[0],
        rate_reached_at=_rate_reached_at(session, user_id, rules.order_rate_limit),
        open_orders=row[2],
        resting=_resting(session, user_id, ticket) if row[2] else (),
        usual_volume=_usual_volume(session, ticket, quote, market.now()),
        is_preview=is_preview,
    )
    return _with_equity(session, market, user_id, context, books)


def _rate_reached_at(session: Session, user_id: int, limit: int) -> datetime | None:
    if not limit:
        return None
    newest = select(Order.created_at).where(Order.user_id == user_id).order_by(Order.order_id.desc())
    return session.execute(newest.limit(1).offset(limit - 1)).scalar_one_or_none()


def _resting(session: Session, user_id: int, ticket: OrderTicket) -> tuple[RestingOrder, ...]:
    """The trader's plain open orders on the other side; stops that were not reached and protecting legs never cross."""
    query = select(Order.order_id, Order.order_type, Order.order_price).where(
        Order.user_id == user_id,
        Order.ticker == ticket.ticker,
        Order.order_status.in_(OPEN_STATUSES),
        Order.order_type != ticket.side,
        Order.oco_id.is_(None),
        (Order.stop_price.is_(None)) | (Order.triggered_at.is_not(None)),
    )
    return tuple(RestingOrder(*row) for row in session.execute(query))


def _usual_volume(session: Session, ticket: OrderTicket, quote: Quote | None, now: datetime) -> int | None:
    """The average volume of the last twenty days; not read when today's volume already allows the order."""
    if quote is not None and quote.volume and ticket.quantity <= quote.volume * LARGEST_PART_OF_VOLUME:
        return None
    newest = (
        select(MarketData.volume)
        .where(MarketData.ticker == ticket.ticker, MarketData.date <= now.date())
        .order_by(MarketData.date.desc())
        .limit(USUAL_DAYS)
    )
    volumes = [volume for volume in session.execute(newest).scalars() if volume]
    return sum(volumes) // len(volumes) if volumes else None


def _with_equity(
    session: Session, market: Market, user_id: int, context: CheckContext, books: Books | None
) -> CheckContext:
    """Equity and position are only looked at for buys."""
    if context.ticket.side == "sell":
        return context
    if books is None:
        worth = portfolio.worth(session, market, user_id)
    else:
        account = books.accounts[user_id]
        worth = portfolio.worth_of(account.available + account.frozen, books.load_all_holdings(user_id), market)
    start = portfolio.day_start_equity(session, market, user_id) if context.rules.daily_loss_limit else None
    return replace(
        context,
        equity=worth.equity,
        position_value=worth.by_ticker.get(context.ticket.ticker, Decimal(0)),
        day_start_equity=start,
    )


def new_row(
    user_id: int, ticket: OrderTicket, quote: Quote, rules: TradingRules, market: Market, wall: datetime, now: datetime
) -> Order:
    """The row of a new order; `wall` and `now` are the two clocks' times (UTC)."""
    state = session_state(market, now)
    stop, peak = _first_stop(ticket, quote)
    return Order(
        user_id=user_id,
        ticker=ticket.ticker,
        order_type=ticket.side,
        order_execution_type=ticket.execution_type,
        order_price=ticket.price,
        stop_price=stop,
        trail_amount=ticket.trail_amount,
        trail_percent=ticket.trail_percent,
        trail_peak=peak,
        order_quantity=ticket.quantity,
        worst_price=worst_price(ticket.side, ticket.price, stop, quote),
        time_in_force=ticket.time_in_force,
        expires_at=expiry(market, now, ticket.time_in_force, ticket.extended_hours),
        extended_hours=ticket.extended_hours,
        queued=state == "closed" or (state == "extended" and not ticket.extended_hours),
        display_quantity=ticket.display_quantity,
        take_profit_price=ticket.take_profit_price if ticket.order_class == "bracket" else None,
        stop_loss_price=ticket.stop_loss_price if ticket.order_class == "bracket" else None,
        commission_per_share=rules.commission.per_share,
        commission_minimum=rules.commission.minimum,
        commission_maximum_rate=rules.commission.maximum_rate,
        created_at=wall,
        updated_at=wall,
        accepted_at=now,
    )


def worst_price(side: str, limit: Decimal | None, stop: Decimal | None, quote: Quote) -> Decimal:
    """The worst price an order may fill at: its limit, its stop's collar, or the collar of a market order."""
    if limit is not None:
        return limit
    return collar(side, quote) if stop is None else stop_collar(side, stop)


def _first_stop(ticket: OrderTicket, quote: Quote) -> tuple[Decimal | None, Decimal | None]:
    """The stop an order begins with, and for a trailing one the price it trails."""
    if ticket.execution_type != "trailing_stop":
        return ticket.stop_price, None
    return trailing_stop(ticket.side, quote.last, ticket.trail_amount, ticket.trail_percent), quote.last
