"""What a trader owns and what it is worth: cash, holdings, profit and loss.

Average cost: total_cost is what the shares held were bought for, without commission. Realised profit is a sale's
amount less the average cost of its shares; commission is counted apart. So, to the cent:
equity - deposits + withdrawals = realised + unrealised - commission.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import AccountBalance, FundTransaction, Instrument, LedgerEntry, Portfolio, Transaction
from services.market.market import Market
from utils.market_source import Quote
from utils.number_utils import ZERO, round_money

HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Realised:
    """Sums over a trader's fills, in dollars."""

    by_ticker: dict[str, Decimal]
    profit: Decimal
    commission: Decimal


def overview(session: Session, market: Market, user_id: int) -> dict[str, Any]:
    """A trader's balances, holdings at market and profit. Money as Decimal dollars, percents as Decimal or None.

    A holding without a price is listed under `unpriced` and left out of the sums, never counted as zero.
    """
    balance = session.execute(
        select(AccountBalance.available_balance, AccountBalance.frozen_balance).where(AccountBalance.user_id == user_id)
    ).one()
    realised = _realised(session, user_id)
    holdings = _holdings(session, market, user_id, realised)
    priced = [holding for holding in holdings if holding["market_value"] is not None]
    value = sum((holding["market_value"] for holding in priced), ZERO)
    unrealised = sum((holding["unrealised_profit"] for holding in priced), ZERO)
    cost = sum((holding["total_cost"] for holding in priced), ZERO)
    cash = balance.available_balance + balance.frozen_balance
    return {
        "available_balance": balance.available_balance,
        "frozen_balance": balance.frozen_balance,
        "total_balance": cash,
        "holdings_value": value,
        "equity": cash + value,
        "unrealised_profit": unrealised,
        "unrealised_profit_percent": _percent(unrealised, cost),
        "realised_profit": realised.profit,
        "commission_paid": realised.commission,
        "total_profit": unrealised + realised.profit - realised.commission,
        **_flows(session, user_id),
        "unpriced": [holding["ticker"] for holding in holdings if holding["market_value"] is None],
        "holdings": holdings,
    }


@dataclass(frozen=True, slots=True)
class Worth:
    """What a trader's account is worth at the newest prices, in dollars."""

    equity: Decimal
    by_ticker: dict[str, Decimal]


def worth(session: Session, market: Market, user_id: int) -> Worth:
    """Cash and holdings at the newest prices. A holding without a price counts with its cost."""
    cash = session.execute(select(AccountBalance.total_balance).where(AccountBalance.user_id == user_id)).scalar_one()
    query = select(Portfolio.ticker, Portfolio.quantity, Portfolio.total_cost)
    return worth_of(
        cash, session.execute(query.where(Portfolio.user_id == user_id, Portfolio.quantity > 0)).all(), market
    )


def worth_of(cash: Decimal, holdings: Iterable[Any], market: Market) -> Worth:
    """The same from what was read already: anything with a ticker, a quantity and a total_cost."""
    holdings = list(holdings)
    quotes = market.quotes([one.ticker for one in holdings])
    by_ticker = {
        one.ticker: round_money(quotes[one.ticker].last * one.quantity) if one.ticker in quotes else one.total_cost
        for one in holdings
    }
    return Worth(cash + sum(by_ticker.values(), ZERO), by_ticker)


def day_start_equity(session: Session, market: Market, user_id: int) -> Decimal:
    """What the account was worth when the day began: today's worth less what today's prices, fills and money flows
    changed. Holdings are valued at the previous close, cash is taken back to the day's first moment.
    """
    opened = market.session_at(market.now())
    since = opened.opens if opened is not None else market.now()
    moved = session.execute(
        select(func.sum(LedgerEntry.cash)).where(
            LedgerEntry.user_id == user_id,
            LedgerEntry.account.in_(("available", "frozen")),
            LedgerEntry.kind == "fill",
            LedgerEntry.market_time >= since,
        )
    ).scalar_one()
    cash = session.execute(
        select(AccountBalance.total_balance).where(AccountBalance.user_id == user_id)
    ).scalar_one() - (moved or ZERO)
    return cash + _worth_before(session, market, user_id, since)


def _worth_before(session: Session, market: Market, user_id: int, since: datetime) -> Decimal:
    """The holdings as they were at `since`, at the previous close."""
    query = select(Portfolio.ticker, Portfolio.quantity).where(Portfolio.user_id == user_id)
    quantities = dict(session.execute(query).all())
    todays = select(Transaction.ticker, Transaction.transaction_type, func.sum(Transaction.transaction_quantity))
    todays = todays.where(Transaction.user_id == user_id, Transaction.market_time >= since)
    for ticker, side, quantity in session.execute(todays.group_by(Transaction.ticker, Transaction.transaction_type)):
        quantities[ticker] = quantities.get(ticker, 0) - int(quantity) * (1 if side == "buy" else -1)
    quotes = market.quotes([ticker for ticker, quantity in quantities.items() if quantity])
    return sum(
        (round_money((quote.previous_close or quote.last) * quantities[ticker]) for ticker, quote in quotes.items()),
        ZERO,
    )


def _holdings(session: Session, market: Market, user_id: int, realised: Realised) -> list[dict[str, Any]]:
    query = (
        select(Portfolio, Instrument.name)
        .outerjoin(Instrument, Instrument.ticker == Portfolio.ticker)
        .where(Portfolio.user_id == user_id, Portfolio.quantity > 0)
        .order_by(Portfolio.ticker)
    )
    rows = session.execute(query).all()
    quotes = market.quotes([row.Portfolio.ticker for row in rows])
    return [_holding(row.Portfolio, row.name, quotes.get(row.Portfolio.ticker), realised) for row in rows]


def _holding(row: Portfolio, name: str | None, quote: Quote | None, realised: Realised) -> dict[str, Any]:
    value = None if quote is None else round_money(quote.last * row.quantity)
    unrealised = None if value is None else value - row.total_cost
    return {
        "ticker": row.ticker,
        "name": name or row.ticker,
        "quantity": row.quantity,
        "free_quantity": row.free_quantity,
        "frozen_quantity": row.frozen_quantity,
        "average_price": row.average_price,
        "total_cost": row.total_cost,
        "price": quote and quote.last,
        "market_value": value,
        "unrealised_profit": unrealised,
        "unrealised_profit_percent": None if unrealised is None else _percent(unrealised, row.total_cost),
        "realised_profit": realised.by_ticker.get(row.ticker, ZERO),
        "quote_time": quote and quote.provider_time,
    }


def _realised(session: Session, user_id: int) -> Realised:
    query = (
        select(
            Transaction.ticker,
            func.sum(Transaction.realised_profit),
            func.sum(Transaction.commission),
        )
        .where(Transaction.user_id == user_id)
        .group_by(Transaction.ticker)
    )
    rows = session.execute(query).all()
    return Realised(
        by_ticker={ticker: profit or ZERO for ticker, profit, _ in rows},
        profit=sum((profit or ZERO for _, profit, _ in rows), ZERO),
        commission=sum((commission for _, _, commission in rows), ZERO),
    )


def _flows(session: Session, user_id: int) -> dict[str, Decimal]:
    query = (
        select(FundTransaction.transaction_type, func.sum(FundTransaction.amount))
        .where(FundTransaction.user_id == user_id, FundTransaction.status == "approved")
        .group_by(FundTransaction.transaction_type)
    )
    sums = {kind: total for kind, total in session.execute(query)}  # noqa: C416 - a Row is no pair for the type checker
    adjusted = session.execute(
        select(func.sum(LedgerEntry.cash)).where(
            LedgerEntry.user_id == user_id, LedgerEntry.kind == "adjust", LedgerEntry.account == "outside"
        )
    ).scalar_one()
    return {
        "deposits": sums.get("deposit", ZERO),
        "withdrawals": sums.get("withdrawal", ZERO),
        "adjustments": -(adjusted or ZERO),
    }


def _percent(part: Decimal, whole: Decimal) -> Decimal | None:
    return (part / whole * 100).quantize(HUNDREDTH) if whole else None
