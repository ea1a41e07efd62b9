"""What verifying the books found: counts of what was looked at, and violations by code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

MOST_ROWS = 100  # shown of one code; the count is of all

Finding = tuple[str, dict[str, Any]]

MEANINGS = {
    # Rows by themselves.
    "AMOUNT_NOT_WHOLE": "A number is not stored as a whole number of its smallest unit.",
    "ORPHAN": "A row names another row that does not exist.",
    # The journal.
    "LINE_ASSET": "A journal line is of both cash and shares, or of neither, or its account or kind is unknown.",
    "LINE_GAP": "The lines of a journal group are not numbered 1, 2, 3 and so on.",
    "GROUP_GAP": "A trader's journal groups are not numbered 1, 2, 3 and so on.",
    "GROUP_CASH": "The cash of a journal group does not sum to zero.",
    "GROUP_SHARES": "The shares of a ticker in a journal group do not sum to zero.",
    "GROUP_CAUSE": "The lines of a journal group do not share one kind and the one cause that belongs to it.",
    "GROUP_SHAPE": "A journal group moves between other accounts than its kind does, or the other way.",
    "CASH_NEGATIVE": "Available or frozen cash was below zero after this journal group.",
    "SHARES_NEGATIVE": "Available or frozen shares were below zero after this journal group.",
    # What caches the journal.
    "ACCOUNT_MISSING": "A trader has no balance.",
    "BALANCE": "Available or frozen cash of a balance is not what the journal says.",
    "BALANCE_TOTAL": "The total of a balance is not available plus frozen.",
    "JOURNAL_SEQUENCE": "A balance does not know the number of the trader's newest journal group.",
    "EVENT_SEQUENCE": "A balance does not know the number of the trader's newest event.",
    "HOLDING_SHARES": "The shares or frozen shares of a holding are not what the journal says.",
    "FROZEN_CASH": "A trader's frozen cash is not what open buys and pending withdrawals need.",
    "FROZEN_SHARES": "A trader's frozen shares of a ticker are not what open sells still have to sell.",
    # Orders.
    "ORDER_STATUS": "An order's status does not agree with its filled quantity or its time of execution.",
    "ORDER_LIMIT": "The worst price of an order with a limit is not the limit.",
    "ORDER_HOLDS": "A finished order, or a sell, still has a reservation of cash.",
    "ORDER_RESERVATION": "The reservation of an open buy is not its worst case with commission.",
    "ORDER_FROZEN_CASH": "The journal froze another amount for an order than its reservation.",
    "ORDER_FROZEN_SHARES": "The journal froze other shares for an order than it still has to sell.",
    "ORDER_RESERVES": "An order never reserved what it needs.",
    "ORDER_RELEASES": "An order that ended unfilled never released what it held.",
    "ORDER_FOREIGN_LINES": "A journal line of an order belongs to another trader or ticker than the order.",
    "ORDER_PAIR": "Of two orders of which one cancels the other, one lives on alone or has another rest.",
    # Fills.
    "ORDER_FILLED_QUANTITY": "The filled quantity of an order is not the sum of its fills.",
    "ORDER_FILLED_AMOUNT": "The filled amount of an order is not the sum of its fills.",
    "ORDER_COMMISSION": "The commission of an order is not the sum of its fills.",
    "FILL_GAP": "The fills of an order are not numbered 1, 2, 3 and so on.",
    "FILL_FOREIGN": "A fill has another trader, ticker or side than its order.",
    "FILL_PRICE": "A fill is priced worse than its order allows.",
    "FILL_AMOUNT": "The amount of a fill is not price times quantity.",
    "FILL_COMMISSION": "The commission of a fill is not what the order's terms say.",
    "FILL_WITHOUT_GROUP": "A fill has no journal group.",
    "GROUP_WITHOUT_FILL": "A journal group of a fill has no fill.",
    "FILL_GROUPS": "A fill has more than one journal group.",
    "FILL_NOT_JOURNAL": "The journal group of a fill has other figures, or another trader or ticker.",
    # Holdings replayed from the fills.
    "FILL_PROFIT": "The realised profit of a fill is not its amount less the average cost.",
    "HOLDING_FILLS": "The shares of a holding are not what its fills add up to.",
    "HOLDING_COST": "The cost of a holding is not what its fills add up to.",
    "HOLDING_AVERAGE": "The average price of a holding is not its cost divided by its shares.",
    # Requests to deposit or withdraw.
    "REQUEST_GROUPS": "A request does not have exactly the journal groups that belong to its status.",
    "REQUEST_AMOUNT": "A journal group of a request is of another amount.",
    "REQUEST_FOREIGN_LINES": "A journal line of a request belongs to another trader.",
    "REQUEST_OPERATOR": "A decided request names no admin, or a pending one does.",
    # Events.
    "EVENT_GAP": "A trader's events are not numbered 1, 2, 3 and so on.",
    "EVENT_UNREADABLE": "An event of an order or a request does not say which one, or what became of it.",
    "ORDER_MOVE": "An order went from one status to another that does not follow it.",
    "ORDER_EVENTS": "An order's events do not end where its row stands.",
    "REQUEST_MOVE": "A request went from one status to another that does not follow it.",
    "REQUEST_EVENTS": "A request's events do not end where its row stands.",
}


@dataclass(slots=True)
class Violation:
    """One thing that must hold and does not. `rows` names the first rows where, `count` says how many there are."""

    code: str
    count: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def what(self) -> str:
        return MEANINGS[self.code]

    def add(self, row: dict[str, Any]) -> None:
        self.count += 1
        if self.count <= MOST_ROWS:
            self.rows.append({name: _plain(value) for name, value in row.items() if value is not None})

    def to_dict(self) -> dict[str, Any]:
        """For JSON: amounts as decimal strings."""
        return {"code": self.code, "what": self.what, "count": self.count, "rows": self.rows}


@dataclass(slots=True)
class Report:
    """How many rows were looked at, by name, and what was found. No violations: the books are right."""

    checked: dict[str, int]
    violations: list[Violation] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.violations

    @property
    def codes(self) -> set[str]:
        return {violation.code for violation in self.violations}

    def add(self, findings: Iterable[Finding]) -> None:
        """Sort findings under their codes."""
        known = {violation.code: violation for violation in self.violations}
        for code, row in findings:
            if code not in known:
                known[code] = Violation(code)
                self.violations.append(known[code])
            known[code].add(row)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        violations = [violation.to_dict() for violation in self.violations]
        return {"ok": self.ok, "checked": self.checked, "violations": violations}


def _plain(value: Any) -> str | int:
    """Amounts as text with their places. MySQL sums whole numbers to decimals without places: those become int."""
    if isinstance(value, Decimal):
        return int(value) if value.as_tuple().exponent == 0 else str(value)
    return value if isinstance(value, int) else str(value)
