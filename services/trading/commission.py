"""Commission: so much a share, at least so much an order, never more than a fraction of the order's value.

The shape of the common per-share broker schedule (for example 0.005 dollars a share, at least 1.00, at most 0.5 %).
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from utils.number_utils import ZERO, round_money


class CommissionTerms(NamedTuple):
    """`per_share` and `minimum` in dollars, `maximum_rate` as a fraction of the value, from 0 to 1."""

    per_share: Decimal
    minimum: Decimal
    maximum_rate: Decimal

    def for_order(self, shares: int, value: Decimal) -> Decimal:
        """Commission in dollars for `shares` worth `value` dollars together. Grows with both, never exceeds value."""
        if shares == 0 or not (self.per_share or self.minimum):
            return ZERO
        wanted = max(self.per_share * shares, self.minimum)
        return round_money(min(wanted, self.maximum_rate * value))

    def for_fill(self, shares: int, value: Decimal, shares_before: int, value_before: Decimal) -> Decimal:
        """Commission of one more fill: what the order owes with it, less what it owed before, but never more than the
        fill itself is worth, so that no sell takes money.

        All fills of an order together so pay what the schedule says for the whole, the minimum only once.
        """
        owed = self.for_order(shares_before + shares, value_before + value)
        return min(owed - self.for_order(shares_before, value_before), value)
