"""All money in the system: what the traders have free and frozen, and what their holdings are worth."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import AccountBalance, Portfolio
from services.market.market import Market
from utils.number_utils import ZERO, round_money


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all traders in dollars. Holdings without a price are left out of the value and named in `unpriced`."""

    available: Decimal
    frozen: Decimal
    holdings: Decimal
    unpriced: tuple[str, ...]

    @property
    def cash(self) -> Decimal:
        return self.available + self.frozen

    @property
    def all(self) -> Decimal:
        """Cash and holdings together."""
        return self.cash + self.holdings


def totals(session: Session, market: Market) -> Totals:
    """The money in the system at the newest prices."""
    available, frozen = session.execute(
        select(func.sum(AccountBalance.available_balance), func.sum(AccountBalance.frozen_balance))
    ).one()
    held = select(Portfolio.ticker, func.sum(Portfolio.quantity)).where(Portfolio.quantity > 0)
    shares = {ticker: int(number) for ticker, number in session.execute(held.group_by(Portfolio.ticker))}
    quotes = market.quotes(shares)
    value = sum((quotes[ticker].last * number for ticker, number in shares.items() if ticker in quotes), Decimal(0))
    return Totals(
        available=available or ZERO,
        frozen=frozen or ZERO,
        holdings=round_money(value),
        unpriced=tuple(sorted(shares.keys() - quotes.keys())),
    )
