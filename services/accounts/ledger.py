"""The only writer of cash and shares.

Every change is a balanced group of journal lines, and the guarded updates of the rows that cache the journal
(account_balance, portfolio), written together in the unit that holds the account's lock. Lines of one group sum to
zero in cash, and in the shares of each ticker: what a trader gains, the market, the commission account or the outside
world loses. Those system accounts have no row of their own, since one hot row would serialise every fill.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from models import AccountBalance
from services.accounts.journal import (
    BooksError,
    Cause,
    Line,
    LockedAccount,
    LockedHolding,
    move_cash,
    move_shares,
    require_balance,
)
from services.accounts.statements import (
    HOLDINGS,
    HOLDINGS_OF_ONE,
    INSERT_EVENTS,
    INSERT_HOLDINGS,
    INSERT_LINES,
    LOCK_ACCOUNT,
    LOCK_ACCOUNTS,
    UPDATE_ACCOUNTS,
    UPDATE_HOLDINGS,
)
from services.errors import NotFound, Refused
from services.many_rows import GuardedUpdate


@dataclass(slots=True)
class Books:
    """The open books of one unit: locked accounts, and the groups and events it writes. `write` stores them all.

    `wall_time` and `market_time` are the two clocks' times (UTC) that every line of the unit carries.
    """

    session: Session
    accounts: dict[int, LockedAccount]
    wall_time: datetime
    market_time: datetime
    holdings: dict[tuple[int, str], LockedHolding] = field(default_factory=dict)
    _lines: list[tuple[Any, ...]] = field(default_factory=list)
    _events: list[dict[str, Any]] = field(default_factory=list)
    _touched: set[int] = field(default_factory=set)

    def reserve_cash(self, user_id: int, amount: Decimal, cause: Cause) -> None:
        """Promise available cash to a buy order. Raises Refused when there is not enough."""
        self._require_cash(user_id, amount)
        self._post(user_id, "reserve", move_cash("available", "frozen", amount), cause)

    def release_cash(self, user_id: int, amount: Decimal, cause: Cause) -> None:
        """Give back what an ended buy order no longer needs."""
        self._post(user_id, "release", move_cash("frozen", "available", amount), cause)

    def reserve_shares(self, user_id: int, ticker: str, quantity: int, cause: Cause) -> None:
        """Promise free shares to a sell order. Raises Refused when there are not enough."""
        free = self.holding(user_id, ticker).free_quantity
        if quantity > free:
            raise Refused(
                f"You have {free} free shares of {ticker}, this order sells {quantity}.",
                code="INSUFFICIENT_SHARES",
                details={"ticker": ticker, "free": free, "needed": quantity},
            )
        self._post(user_id, "reserve", move_shares("available", "frozen", ticker, quantity), cause)

    def release_shares(self, user_id: int, ticker: str, quantity: int, cause: Cause) -> None:
        """Give back the shares that an ended sell order no longer promises."""
        self._post(user_id, "release", move_shares("frozen", "available", ticker, quantity), cause)

    def settle_buy(
        self,
        user_id: int,
        ticker: str,
        quantity: int,
        amount: Decimal,
        commission: Decimal,
        freed: Decimal,
        cause: Cause,
    ) -> None:
        """Book a buy: `freed` dollars leave the reservation, pay amount and commission, and the rest returns.
        Raises BooksError when the reservation does not cover the cost.
        """
        if amount + commission > freed:
            raise BooksError(
                f"order {cause.order_id} costs {amount} + {commission}, its reservation gives only {freed}"
            )
        lines = [
            Line("frozen", cash=-freed),
            Line("available", cash=freed - amount - commission),
            Line("market", cash=amount),
            Line("commission", cash=commission),
            *move_shares("market", "available", ticker, quantity),
        ]
        self.holding(user_id, ticker).total_cost += amount
        self._post(user_id, "fill", lines, cause)

    def settle_sell(
        self, user_id: int, ticker: str, quantity: int, amount: Decimal, commission: Decimal, cause: Cause
    ) -> Decimal:
        """Book a sell of promised shares. Returns the realised profit: amount less average cost, before commission."""
        holding = self.holding(user_id, ticker)
        cost = holding.cost_of(quantity)
        lines = [
            *move_shares("frozen", "market", ticker, quantity),
            Line("market", cash=-amount),
            Line("available", cash=amount - commission),
            Line("commission", cash=commission),
        ]
        holding.total_cost -= cost
        self._post(user_id, "fill", lines, cause)
        return amount - cost

    def deposit(self, user_id: int, amount: Decimal, cause: Cause) -> None:
        """Bring money in from the outside world."""
        self._post(user_id, "deposit", move_cash("outside", "available", amount), cause)

    def hold_withdrawal(self, user_id: int, amount: Decimal, cause: Cause) -> None:
        """Freeze money that is asked to be paid out. Raises Refused when there is not enough."""
        self._require_cash(user_id, amount)
        self._post(user_id, "hold", move_cash("available", "frozen", amount), cause)

    def return_withdrawal(self, user_id: int, amount: Decimal, cause: Cause) -> None:
        """Give back money whose withdrawal was rejected."""
        self._post(user_id, "return", move_cash("frozen", "available", amount), cause)

    def pay_withdrawal(self, user_id: int, amount: Decimal, cause: Cause) -> None:
        """Pay held money out to the outside world."""
        self._post(user_id, "withdrawal", move_cash("frozen", "outside", amount), cause)

    def adjust_cash(self, user_id: int, amount: Decimal, remark: str) -> None:
        """Correct a trader's available cash by hand, up or down. Raises ValueError for an amount of zero."""
        if not amount:
            raise ValueError("an adjustment of zero would be a group without lines")
        if amount < 0:
            self._require_cash(user_id, -amount)
        self._post(user_id, "adjust", move_cash("outside", "available", amount), Cause(remark=remark))

    def give_shares(self, user_id: int, ticker: str, quantity: int, cost: Decimal, remark: str) -> None:
        """Hand shares to a trader: the outside world buys them in the market for `cost` dollars in all, so that they
        are neither profit nor loss on the day they come.
        """
        lines = [
            *move_cash("outside", "market", cost),
            *move_shares("market", "available", ticker, quantity),
        ]
        self.holding(user_id, ticker).total_cost += cost
        self._post(user_id, "adjust", lines, Cause(remark=remark))

    def take_shares(self, user_id: int, ticker: str, quantity: int, remark: str) -> None:
        """Take free shares away, at their average cost. Raises Refused when there are not enough."""
        holding = self.holding(user_id, ticker)
        if quantity > holding.free_quantity:
            raise Refused(
                f"The trader has {holding.free_quantity} free shares of {ticker}.",
                code="INSUFFICIENT_SHARES",
                details={"ticker": ticker, "free": holding.free_quantity, "needed": quantity},
            )
        cost = holding.cost_of(quantity)
        lines = [
            *move_shares("available", "market", ticker, quantity),
            *move_cash("market", "outside", cost),
        ]
        holding.total_cost -= cost
        self._post(user_id, "adjust", lines, Cause(remark=remark))

    def record(self, user_id: int, kind: str, payload: str) -> None:
        """Number an event of this trader and store it with the unit. `payload` is JSON."""
        account = self.accounts[user_id]
        account.event_sequence += 1
        self._touched.add(user_id)
        self._events.append(
            {
                "user_id": user_id,
                "sequence": account.event_sequence,
                "kind": kind,
                "payload": payload,
                "created_at": self.wall_time,
            }
        )

    def holding(self, user_id: int, ticker: str) -> LockedHolding:
        """The holding under the account's lock, read on first use; one without shares when there is no row."""
        if (user_id, ticker) not in self.holdings:
            self.load_holdings([(user_id, ticker)])
        return self.holdings[user_id, ticker]

    def load_holdings(self, keys: Iterable[tuple[int, str]]) -> None:
        """Read many holdings at once, for a batch."""
        wanted = sorted(set(keys) - self.holdings.keys())
        if not wanted:
            return
        for user_id, ticker in wanted:
            self.holdings[user_id, ticker] = LockedHolding(user_id, ticker)
        user_ids = sorted({user_id for user_id, _ in wanted})
        self._keep_holdings(self.session.execute(HOLDINGS, {"keys": wanted, "user_ids": user_ids}))

    def load_all_holdings(self, user_id: int) -> list[LockedHolding]:
        """Read every holding of one trader, before the unit changes any of them, and answer those that have shares."""
        self._keep_holdings(self.session.execute(HOLDINGS_OF_ONE, {"user_id": user_id}))
        return [holding for holding in self.holdings.values() if holding.user_id == user_id and holding.quantity]

    def _keep_holdings(self, rows: Iterable[Any]) -> None:
        for user_id, ticker, quantity, frozen, cost in rows:
            stored = (quantity, frozen, cost)
            self.holdings[user_id, ticker] = LockedHolding(user_id, ticker, quantity, frozen, cost, stored)

    def write(self) -> None:
        """Store the journal lines, the caches and the events of the unit. Raises BooksError when a guard fails."""
        if self._lines:
            INSERT_LINES.run(self.session, self._lines)
            self._write_holdings()
        self._write_accounts()
        if self._events:
            INSERT_EVENTS.run(self.session, self._events)
        self._lines, self._events, self._touched = [], [], set()

    def _require_cash(self, user_id: int, amount: Decimal) -> None:
        available = self.accounts[user_id].available
        if amount > available:
            raise Refused(
                f"This needs ${amount:,}, and ${available:,} are available.",
                code="INSUFFICIENT_FUNDS",
                details={"available": available, "needed": amount},
            )

    def _post(self, user_id: int, kind: str, lines: Sequence[Line], cause: Cause) -> None:
        lines = [line for line in lines if line.cash or line.shares]
        require_balance(lines)
        account = self.accounts[user_id]
        account.journal_sequence += 1
        self._touched.add(user_id)
        sequence, wall, market = account.journal_sequence, self.wall_time, self.market_time
        for number, line in enumerate(lines, start=1):
            self._apply(account, line)
            self._lines.append((user_id, sequence, number, kind, *line, *cause, wall, market))

    def _apply(self, account: LockedAccount, line: Line) -> None:
        if line.account not in ("available", "frozen"):
            return
        if line.ticker is None:
            setattr(account, line.account, getattr(account, line.account) + line.cash)
            return
        holding = self.holding(account.user_id, line.ticker)
        holding.quantity += line.shares
        if line.account == "frozen":
            holding.frozen_quantity += line.shares

    def _write_accounts(self) -> None:
        touched = [self.accounts[user_id] for user_id in sorted(self._touched)]
        if touched:
            rows = [account.changes(self.wall_time) for account in touched]
            _require_rows(self.session, UPDATE_ACCOUNTS, rows, "account_balance")
        for account in touched:
            account.stored = account.figures()

    def _write_holdings(self) -> None:
        changed = [holding for _, holding in sorted(self.holdings.items()) if holding.stored != holding.figures()]
        new = [holding.row(self.wall_time) for holding in changed if holding.stored is None]
        if new:
            INSERT_HOLDINGS.run(self.session, new)
        known = [holding for holding in changed if holding.stored is not None]
        if known:
            rows = [holding.changes(self.wall_time) for holding in known]
            _require_rows(self.session, UPDATE_HOLDINGS, rows, "portfolio")
        for holding in changed:
            holding.stored = holding.figures()


def open_account(session: Session, user_id: int) -> None:
    """Give a new trader a balance of zero."""
    session.add(AccountBalance(user_id=user_id))
    session.flush()


def open_accounts(session: Session, user_ids: Iterable[int]) -> None:
    """Give many new traders a balance of zero, in one statement."""
    session.add_all([AccountBalance(user_id=user_id) for user_id in user_ids])
    session.flush()


def lock_account(session: Session, user_id: int, wall_time: datetime, market_time: datetime) -> Books:
    """Lock one trader's account and open the books on it. The first statement of every unit that changes the trader's
    money, shares or orders. Raises NotFound when there is no such trader.
    """
    return lock_accounts(session, [user_id], wall_time, market_time)


def lock_accounts(session: Session, user_ids: Iterable[int], wall_time: datetime, market_time: datetime) -> Books:
    """Lock many accounts in ascending order, so that two batches never wait for each other in a circle."""
    wanted = sorted(set(user_ids))
    rows: Iterable[Any] = (
        session.execute(LOCK_ACCOUNT, {"user_id": wanted[0]})
        if len(wanted) == 1
        else session.execute(LOCK_ACCOUNTS, {"user_ids": wanted})
    )
    accounts = {account.user_id: account for account in (LockedAccount.from_row(*row) for row in rows)}
    missing = [user_id for user_id in wanted if user_id not in accounts]
    if missing:
        raise NotFound("There is no such trader.", code="NO_ACCOUNT", details={"user_ids": missing})
    return Books(session, accounts, wall_time, market_time)


def _require_rows(session: Session, statement: GuardedUpdate, rows: list[dict[str, Any]], table: str) -> None:
    found = statement.run(session, rows)
    if found != len(rows):
        raise BooksError(f"{table}: {found} of {len(rows)} guarded updates found their row")
