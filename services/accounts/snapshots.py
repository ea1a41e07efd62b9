"""Snapshots: what each account was made of at the close of each session.

A pure function of what is only ever added to: fills give shares, cost, realised profit and commission; the journal
gives deposits, withdrawals and adjustments. So a snapshot may be taken late, and comes out the same. Whatever is stored
after a snapshot was taken, though it happened before that close, counts from the next one on: each row by itself, and
with it the difference of any two, is in balance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import Table, and_, func, select
from sqlalchemy.orm import Session, aliased

from models import AccountSnapshot, LedgerEntry, MarketData, Transaction
from services.many_rows import inserting
from services.market.market import ChartMarket, Market
from services.paging import AnySelect
from services.trading import lease
from services.trading.lease import Tenure
from services.transaction import repeatable
from utils import market_source
from utils.number_utils import ZERO, round_money

INSERT_SNAPSHOTS = inserting(
    cast(Table, AccountSnapshot.__table__),
    (
        *("user_id", "session_date", "cash", "holdings_value", "holdings_cost"),
        *("net_flow", "realised_profit", "commission", "created_at"),
    ),
)
CHUNK = 1000
BEFORE = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Figures:
    """An account at one moment, in dollars; flows, realised profit and commission since its beginning. For each:
    equity - net_flow = realised_profit + unrealised_profit - commission.
    """

    cash: Decimal = ZERO
    holdings_value: Decimal = ZERO
    holdings_cost: Decimal = ZERO
    net_flow: Decimal = ZERO
    realised_profit: Decimal = ZERO
    commission: Decimal = ZERO

    @property
    def equity(self) -> Decimal:
        return self.cash + self.holdings_value

    @property
    def unrealised_profit(self) -> Decimal:
        return self.holdings_value - self.holdings_cost


@dataclass(slots=True)
class _Account:
    """One trader's sums up to a moment."""

    net_flow: Decimal = ZERO
    spent: Decimal = ZERO
    received: Decimal = ZERO
    realised: Decimal = ZERO
    commission: Decimal = ZERO
    shares: dict[str, int] = field(default_factory=dict)
    costs: dict[str, Decimal] = field(default_factory=dict)

    def add_fills(self, ticker: str, side: str, quantity: int, amount: Decimal, profit: Decimal) -> None:
        """Average cost: a sale takes its amount less its profit out of the cost."""
        bought = side == "buy"
        self.shares[ticker] = self.shares.get(ticker, 0) + (quantity if bought else -quantity)
        self.costs[ticker] = self.costs.get(ticker, ZERO) + (amount if bought else profit - amount)
        self.spent += amount if bought else ZERO
        self.received += ZERO if bought else amount
        self.realised += ZERO if bought else profit

    def add_given(self, ticker: str, quantity: int, cost: Decimal) -> None:
        """Shares given by hand, bought in the market with money from outside; or taken, both with a minus."""
        self.shares[ticker] = self.shares.get(ticker, 0) + quantity
        self.costs[ticker] = self.costs.get(ticker, ZERO) + cost
        self.spent += cost

    def figures(self, prices: Mapping[str, Decimal]) -> Figures:
        """Shares without a price count with their cost."""
        held = {ticker: quantity for ticker, quantity in self.shares.items() if quantity}
        values = [
            round_money(prices[ticker] * quantity) if ticker in prices else self.costs[ticker]
            for ticker, quantity in held.items()
        ]
        return Figures(
            cash=self.net_flow + self.received - self.spent - self.commission,
            holdings_value=sum(values, ZERO),
            holdings_cost=sum((self.costs[ticker] for ticker in held), ZERO),
            net_flow=self.net_flow,
            realised_profit=self.realised,
            commission=self.commission,
        )


@dataclass(frozen=True, slots=True)
class Closing:
    """All accounts at the close of a session. `unpriced` are held tickers of which no price of that day is known."""

    day: date
    figures: dict[int, Figures]
    unpriced: frozenset[str]


def newest_closed(market: ChartMarket, moment: datetime) -> market_source.Session | None:
    """The newest session that has closed by the moment (market clock)."""
    newest = market.latest_session(moment)
    if newest is not None and newest.closes > moment:
        return market.latest_session(newest.opens - BEFORE)
    return newest


def next_due(
    session: Session, market: ChartMarket, newest: market_source.Session, taken: date | None
) -> market_source.Session | None:
    """The oldest session up to `newest` whose snapshot is missing; None when there is none. `taken` is the last day
    that the caller knows to be done, perhaps without any account. Nothing is due before the books' first line.
    """
    stored = session.execute(select(func.max(AccountSnapshot.session_date))).scalar_one()
    done = max((day for day in (stored, taken) if day is not None), default=None)
    began = session.execute(select(func.min(LedgerEntry.market_time))).scalar_one() if done is None else None
    if done is None and began is None:
        return None
    due = None
    one: market_source.Session | None = newest
    while one is not None and (done is None or one.day > done) and (began is None or one.closes > began):
        due, one = one, market.latest_session(one.opens - BEFORE)
    return due


def at_close(session: Session, market: Market, closed: market_source.Session) -> Closing:
    """All accounts at the close of a session, in two statements, however many accounts and fills there are."""
    accounts = _accounts(session, closed.closes)
    held = {ticker for account in accounts.values() for ticker, quantity in account.shares.items() if quantity}
    prices = _closing_prices(session, market, closed, held)
    older = _older_closes(session, closed.day, held - prices.keys())
    figures = {user_id: account.figures(older | prices) for user_id, account in accounts.items()}
    return Closing(closed.day, figures, frozenset(held - prices.keys()))


@repeatable
def store(session: Session, closing: Closing, wall_time: datetime, tenure: Tenure | None = None) -> int:
    """Unit: store the rows that are not there yet, and answer how many; again, none. Raises LeaseLost."""
    if tenure is not None:
        lease.require(session, tenure)
    query = select(AccountSnapshot.user_id).where(AccountSnapshot.session_date == closing.day)
    present = set(session.scalars(query))
    rows = [_row(user_id, closing.day, figures, wall_time) for user_id, figures in sorted(closing.figures.items())]
    missing = [row for row in rows if row["user_id"] not in present]
    for start in range(0, len(missing), CHUNK):
        INSERT_SNAPSHOTS.run(session, missing[start : start + CHUNK])
    return len(missing)


def _accounts(session: Session, moment: datetime) -> dict[int, _Account]:
    accounts: dict[int, _Account] = {}
    flows = (
        select(LedgerEntry.user_id, func.sum(LedgerEntry.cash))
        # What came from outside was caused by no order: the index on order_id finds these few lines.
        .where(LedgerEntry.order_id.is_(None), LedgerEntry.account == "outside", LedgerEntry.market_time <= moment)
        .group_by(LedgerEntry.user_id)
    )
    for user_id, left_outside in session.execute(flows):
        accounts.setdefault(user_id, _Account()).net_flow = -left_outside
    fills = (
        select(
            Transaction.user_id,
            Transaction.ticker,
            Transaction.transaction_type,
            func.sum(Transaction.transaction_quantity),
            func.sum(Transaction.transaction_amount),
            func.sum(Transaction.realised_profit),
            func.sum(Transaction.commission),
        )
        .where(Transaction.market_time <= moment)
        .group_by(Transaction.user_id, Transaction.ticker, Transaction.transaction_type)
    )
    for user_id, ticker, side, quantity, amount, profit, commission in session.execute(fills):
        account = accounts.setdefault(user_id, _Account())
        account.add_fills(ticker, side, int(quantity), amount, profit or ZERO)
        account.commission += commission
    for row in session.execute(_given_shares(moment)):
        accounts.setdefault(row.user_id, _Account()).add_given(row.ticker, int(row.given), row.cost or ZERO)
    return accounts


def _given_shares(moment: datetime) -> AnySelect:
    """Shares that admins gave or took, by trader and ticker, and the cash that went into the market for them."""
    cash = aliased(LedgerEntry)
    same_group = and_(
        cash.user_id == LedgerEntry.user_id,
        cash.sequence == LedgerEntry.sequence,
        cash.account == "market",
        cash.ticker.is_(None),
    )
    return (
        select(
            LedgerEntry.user_id,
            LedgerEntry.ticker,
            func.sum(LedgerEntry.shares).label("given"),
            func.sum(cash.cash).label("cost"),
        )
        .outerjoin(cash, same_group)
        .where(
            LedgerEntry.order_id.is_(None),
            LedgerEntry.kind == "adjust",
            LedgerEntry.account == "available",
            LedgerEntry.ticker.is_not(None),
            LedgerEntry.market_time <= moment,
        )
        .group_by(LedgerEntry.user_id, LedgerEntry.ticker)
    )


def _closing_prices(
    session: Session, market: Market, closed: market_source.Session, tickers: Iterable[str]
) -> dict[str, Decimal]:
    """The day's stored close, else the newest quote when it is of that day."""
    wanted = sorted(tickers)
    day = closed.day
    query = select(MarketData.ticker, MarketData.close).where(MarketData.date == day, MarketData.ticker.in_(wanted))
    prices: dict[str, Decimal] = {ticker: close for ticker, close in session.execute(query) if close is not None}
    for ticker, quote in market.quotes([ticker for ticker in wanted if ticker not in prices]).items():
        made = quote.provider_time
        following = market.next_session(closed.opens)
        if made is not None and closed.opens <= made and (following is None or made < following.opens):
            prices[ticker] = quote.last
    return prices


def _older_closes(session: Session, day: date, tickers: Iterable[str]) -> dict[str, Decimal]:
    """The newest stored close before the day."""
    newest = (
        select(MarketData.ticker, func.max(MarketData.date).label("day"))
        .where(MarketData.date < day, MarketData.close.is_not(None), MarketData.ticker.in_(sorted(tickers)))
        .group_by(MarketData.ticker)
        .subquery()
    )
    query = select(MarketData.ticker, MarketData.close).join(
        newest, (newest.c.ticker == MarketData.ticker) & (newest.c.day == MarketData.date)
    )
    return {ticker: close for ticker, close in session.execute(query) if close is not None}


def _row(user_id: int, day: date, figures: Figures, wall_time: datetime) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "session_date": day,
        "cash": figures.cash,
        "holdings_value": figures.holdings_value,
        "holdings_cost": figures.holdings_cost,
        "net_flow": figures.net_flow,
        "realised_profit": figures.realised_profit,
        "commission": figures.commission,
        "created_at": wall_time,
    }
