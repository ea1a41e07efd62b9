"""The words of the journal: locked accounts and holdings, lines, and the rule that a group sums to zero.

Plain values in memory; services/accounts/ledger.py stores them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from utils.number_utils import ZERO, round_money, round_price


class BooksError(Exception):
    """A guarded update found other figures than the lock promised, or a group does not balance. A bug, not a refusal:
    the unit is rolled back and the request answers 500.
    """


AccountFigures = tuple[Decimal, Decimal, int, int]  # available, frozen, journal sequence, event sequence
HoldingFigures = tuple[int, int, Decimal]  # quantity, frozen quantity, total cost


@dataclass(slots=True)
class LockedAccount:
    """A trader's cash as read under the lock, kept up to date with what the unit has posted so far."""

    user_id: int
    available: Decimal
    frozen: Decimal
    journal_sequence: int
    event_sequence: int
    stored: AccountFigures

    @classmethod
    def from_row(cls, user_id: int, available: Decimal, frozen: Decimal, journal: int, events: int) -> LockedAccount:
        return cls(user_id, available, frozen, journal, events, (available, frozen, journal, events))

    def figures(self) -> AccountFigures:
        """What the row should hold now."""
        return self.available, self.frozen, self.journal_sequence, self.event_sequence

    def changes(self, wall_time: datetime) -> dict[str, Any]:
        """The guarded update that brings the row from what it holds to these figures."""
        available, frozen, journal, events = self.stored
        return {
            "the_user": self.user_id,
            "available_change": self.available - available,
            "frozen_change": self.frozen - frozen,
            "total_change": self.available + self.frozen - available - frozen,
            "journal_before": journal,
            "journal_after": self.journal_sequence,
            "events_before": events,
            "events_after": self.event_sequence,
            "changed_at": wall_time,
        }


@dataclass(slots=True)
class LockedHolding:
    """A trader's shares of one ticker as read under the account's lock, kept up to date like the account."""

    user_id: int
    ticker: str
    quantity: int = 0
    frozen_quantity: int = 0
    total_cost: Decimal = ZERO
    stored: HoldingFigures | None = None  # what the row holds; None: there is no row yet

    @property
    def free_quantity(self) -> int:
        return self.quantity - self.frozen_quantity

    def figures(self) -> HoldingFigures:
        """What the row should hold now."""
        return self.quantity, self.frozen_quantity, self.total_cost

    @property
    def average_price(self) -> Decimal:
        """Dollars that a share has cost on average, to four places."""
        return round_price(self.total_cost / self.quantity if self.quantity else ZERO)

    def row(self, wall_time: datetime) -> dict[str, Any]:
        """The row of a holding that has none yet."""
        return {
            "user_id": self.user_id,
            "ticker": self.ticker,
            "quantity": self.quantity,
            "frozen_quantity": self.frozen_quantity,
            "average_price": self.average_price,
            "total_cost": self.total_cost,
            "last_updated": wall_time,
        }

    def changes(self, wall_time: datetime) -> dict[str, Any]:
        """The guarded update that brings the row from what it holds to these figures."""
        quantity, frozen, cost = self.stored or (0, 0, ZERO)
        return {
            "the_user": self.user_id,
            "the_ticker": self.ticker,
            "quantity_before": quantity,
            "quantity_after": self.quantity,
            "frozen_before": frozen,
            "frozen_after": self.frozen_quantity,
            "cost_before": cost,
            "cost_after": self.total_cost,
            "average_after": self.average_price,
            "changed_at": wall_time,
        }

    def cost_of(self, quantity: int) -> Decimal:
        """The part of total_cost that belongs to `quantity` shares: average cost, the last share takes the rest."""
        if quantity == self.quantity:
            return self.total_cost
        return round_money(self.total_cost * quantity / self.quantity)


class Line(NamedTuple):
    """One line of a group: dollars, or shares of a ticker, into (+) or out of (-) an account."""

    account: str
    ticker: str | None = None
    cash: Decimal = ZERO
    shares: int = 0


class Cause(NamedTuple):
    """What a group was written for. `remark` says why an admin adjusted by hand."""

    order_id: int | None = None
    fund_transaction_id: int | None = None
    fill_number: int | None = None
    remark: str | None = None


def move_cash(source: str, target: str, amount: Decimal) -> list[Line]:
    """Two lines that move dollars from one account to another."""
    return [Line(source, cash=-amount), Line(target, cash=amount)]


def move_shares(source: str, target: str, ticker: str, quantity: int) -> list[Line]:
    """Two lines that move shares from one account to another."""
    return [Line(source, ticker=ticker, shares=-quantity), Line(target, ticker=ticker, shares=quantity)]


def require_balance(lines: Sequence[Line]) -> None:
    """Raise BooksError unless the lines of a group sum to zero, in cash and in the shares of each ticker."""
    cash, shares = ZERO, dict[str, int]()
    for line in lines:
        if line.ticker is None:
            cash += line.cash
        else:
            shares[line.ticker] = shares.get(line.ticker, 0) + line.shares
    if cash or any(shares.values()):
        raise BooksError(f"a journal group does not sum to zero: {lines}")
