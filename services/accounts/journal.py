"""The words of the journal: locked accounts and holdings, lines, and the rule that a group sums to zero.

Plain values in memory; services/accounts/ledger.py stores them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

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

    def changes(self) -> dict[str, Any]:
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

    def key(self) -> dict[str, Any]:
        """The columns that name the row."""
        return {"user_id": self.user_id, "ticker": self.ticker}

    def changes(self) -> dict[str, Any]:
        """The guarded update that brings the row from what it holds to these figures."""
        quantity, frozen, cost = self.stored or (0, 0, ZERO)
        average = self.total_cost / self.quantity if self.quantity else ZERO
        return {
            "the_user": self.user_id,
            "the_ticker": self.ticker,
            "quantity_before": quantity,
            "quantity_after": self.quantity,
            "frozen_before": frozen,
            "frozen_after": self.frozen_quantity,
            "cost_before": cost,
            "cost_after": self.total_cost,
            "average_after": round_price(average),
        }

    def cost_of(self, quantity: int) -> Decimal:
        """The part of total_cost that belongs to `quantity` shares: average cost, the last share takes the rest."""
        if quantity == self.quantity:
            return self.total_cost
        return round_money(self.total_cost * quantity / self.quantity)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a group: dollars, or shares of a ticker, into (+) or out of (-) an account."""

    account: str
    cash: Decimal = ZERO
    ticker: str | None = None
    shares: int = 0


@dataclass(frozen=True, slots=True)
class Cause:
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
    shares: dict[str, int] = defaultdict(int)
    for line in lines:
        if line.ticker is not None:
            shares[line.ticker] += line.shares
    if sum((line.cash for line in lines), ZERO) != 0 or any(shares.values()):
        raise BooksError(f"a journal group does not sum to zero: {lines}")
