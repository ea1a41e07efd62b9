"""Tools that damage a book behind the services' backs, as a bug or a hand in the database would."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, select, update

from ledger_book import Book
from services.accounts.verify.tables import BALANCES, FILLS, JOURNAL, ORDERS

CENT = Decimal("0.01")
DOLLAR = Decimal("1.00")


@dataclass(frozen=True, slots=True)
class Damage:
    """Direct changes of tables, in a transaction that is never committed. Rows are named by values of columns."""

    connection: Connection
    book: Book

    def change(self, table: Table, where: dict[str, Any], **values: Any) -> None:
        """Set columns of all rows that match."""
        assert self.connection.execute(update(table).where(*_match(table, where)).values(values)).rowcount

    def add(self, table: Table, where: dict[str, Any], **amounts: Any) -> None:
        """Raise columns of all rows that match."""
        self.change(table, where, **{name: table.c[name] + amount for name, amount in amounts.items()})

    def drop(self, table: Table, where: dict[str, Any]) -> None:
        assert self.connection.execute(delete(table).where(*_match(table, where))).rowcount

    def find(self, table: Table, where: dict[str, Any], *, last: bool = False) -> dict[str, Any]:
        """The first (or last) row that matches."""
        (number,) = table.primary_key.columns
        query = select(table).where(*_match(table, where)).order_by(number.desc() if last else number)
        return dict(self.connection.execute(query).mappings().first() or {})

    def insert(self, table: Table, row: dict[str, Any]) -> None:
        self.connection.execute(insert(table).values(row))

    def copy(self, table: Table, where: dict[str, Any], **changes: Any) -> None:
        """Write a matching row a second time, with some columns changed."""
        (number,) = table.primary_key.columns
        row = self.find(table, where)
        assert row
        self.insert(table, {name: value for name, value in row.items() if name != number.name} | changes)

    def line(self, **where: Any) -> dict[str, Any]:
        """What names the first journal line that matches."""
        return {"entry_id": self.find(JOURNAL, where)["entry_id"]}

    def group(self, **where: Any) -> dict[str, Any]:
        """What names the journal group of the first line that matches."""
        return _names(self.find(JOURNAL, where), "user_id", "sequence")

    def newest_group(self, user_id: int) -> dict[str, Any]:
        return _names(self.find(JOURNAL, {"user_id": user_id}, last=True), "user_id", "sequence")

    def fill(self, order_id: int, number: int = 1) -> dict[str, Any]:
        return _names(self.find(FILLS, {"order_id": order_id, "fill_number": number}), "transaction_id")

    def repeat_group(self, group: dict[str, Any]) -> None:
        """Write a journal group a second time, as the trader's newest, and carry the balance along."""
        lines = self.connection.execute(select(JOURNAL).where(*_match(JOURNAL, group))).mappings().all()
        sequence = self.newest_group(group["user_id"])["sequence"] + 1
        for line in lines:
            row = {name: value for name, value in line.items() if name != "entry_id"}
            self.insert(JOURNAL, row | {"sequence": sequence})
        self.carry(group["user_id"])

    def swap_groups(self, one: dict[str, Any], other: dict[str, Any]) -> None:
        """Exchange the places of two groups of a trader in the journal."""
        aside = one | {"sequence": 1_000_000}
        for source, target in ((one, aside), (other, one), (aside, other)):
            self.change(JOURNAL, source, sequence=target["sequence"])

    def carry(self, user_id: int) -> None:
        """Bring a balance in line with the journal, so that only what caused it is wrong."""
        values = {}
        for account in ("available", "frozen"):
            lines = _match(JOURNAL, {"user_id": user_id, "account": account})
            values[f"{account}_balance"] = self.connection.execute(
                select(func.sum(JOURNAL.c.cash)).where(*lines)
            ).scalar_one()
        values["total_balance"] = values["available_balance"] + values["frozen_balance"]
        sequence = self.newest_group(user_id)["sequence"]
        self.change(BALANCES, {"user_id": user_id}, journal_sequence=sequence, **values)

    def order(self, name: str) -> dict[str, Any]:
        """What names one of the book's orders."""
        return {"order_id": getattr(self.book, name)}

    def request(self, name: str) -> dict[str, Any]:
        """What names one of the book's requests."""
        return {"transaction_id": getattr(self.book, name)}

    def shift_group(self, group: dict[str, Any], amount: Decimal, *accounts: str) -> None:
        """Move an amount from the first to the second account of a group, which stays balanced."""
        for account, change in zip(accounts, (-amount, amount), strict=True):
            self.add(JOURNAL, self.line(**group, account=account, ticker=None), cash=change)

    def give_order(self, name: str, user_id: int) -> None:
        self.change(ORDERS, self.order(name), user_id=user_id)


def _match(table: Table, where: dict[str, Any]) -> list[Any]:
    return [table.c[name].is_(None) if value is None else table.c[name] == value for name, value in where.items()]


def _names(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names}
