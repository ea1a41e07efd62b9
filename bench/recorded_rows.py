"""What a batch writes, row by row, and how to write the same rows again by nothing but the driver.

The rows are found by comparing the tables before and after the batch, so that they are all there, whoever wrote them
and however. They are written again in the fastest way that we know for each database: many rows in one INSERT, and on
MariaDB changed rows by INSERT ... ON DUPLICATE KEY UPDATE.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from models import AccountBalance, AccountEvent, LedgerEntry, Liquidity, Order, Portfolio, Transaction

Row = tuple[Any, ...]

# In an order in which foreign keys are never without their row.
TABLES = tuple(
    model.__table__ for model in (Order, AccountBalance, Portfolio, Liquidity, Transaction, LedgerEntry, AccountEvent)
)


@dataclass(frozen=True, slots=True)
class TableRows:
    """A table as the driver reads it: names of its columns, how many of the first make its key, rows by key."""

    name: str
    columns: tuple[str, ...]
    rows: dict[Any, Row]


@dataclass(frozen=True, slots=True)
class Written:
    """What one batch wrote to one table: new rows, and rows that have other values now."""

    name: str
    columns: tuple[str, ...]
    inserted: tuple[Row, ...]
    updated: tuple[Row, ...]
    changed: tuple[int, ...]  # positions of the columns that changed in any row


class Driver:
    """A connection of the driver itself: sqlite3 or PyMySQL."""

    def __init__(self, connection: Any, is_sqlite: bool) -> None:
        self.connection = connection
        self.is_sqlite = is_sqlite
        self.cursor = connection.cursor()
        self._mark = "?" if is_sqlite else "%s"

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        self.cursor.execute(statement, values)

    def begin(self) -> None:
        self.run("BEGIN IMMEDIATE" if self.is_sqlite else "START TRANSACTION")

    def commit(self) -> None:
        self.run("COMMIT")

    def read(self, table: Any) -> TableRows:
        """A whole table."""
        key = table.primary_key.columns.values()[0].name
        columns = tuple(column.name for column in table.columns)
        self.run(f"SELECT {_names(columns)} FROM {_name(table.name)}")  # noqa: S608 - names of our own tables
        position = columns.index(key)
        return TableRows(table.name, columns, {row[position]: tuple(row) for row in self.cursor.fetchall()})

    def read_all(self) -> list[TableRows]:
        return [self.read(table) for table in TABLES]

    def put_back(self, tables: Iterable[TableRows]) -> None:
        """Make the tables hold these rows and no others."""
        tables = list(tables)
        self._check_keys(False)
        self.begin()
        for table in tables:
            self.run(f"DELETE FROM {_name(table.name)}")  # noqa: S608
            self._insert(table.name, table.columns, list(table.rows.values()))
        self.commit()
        self._check_keys(True)

    def write(self, batch: Iterable[Written]) -> None:
        """Write the rows of one batch and commit."""
        self.begin()
        for written in batch:
            if written.inserted:
                self._insert(written.name, written.columns, written.inserted)
            if written.updated:
                self._update(written)
        self.commit()

    def _insert(self, name: str, columns: Sequence[str], rows: Sequence[Row], ending: str = "") -> None:
        marks = ", ".join([self._mark] * len(columns))
        statement = f"INSERT INTO {_name(name)} ({_names(columns)}) VALUES ({marks}){ending}"  # noqa: S608
        if rows:
            self.cursor.executemany(statement, rows)

    def _update(self, written: Written) -> None:
        names = [written.columns[position] for position in written.changed]
        if not self.is_sqlite:
            changes = ", ".join(f"`{name}` = VALUES(`{name}`)" for name in names)
            ending = f" ON DUPLICATE KEY UPDATE {changes}"
            self._insert(written.name, written.columns, written.updated, ending)
            return
        changes = ", ".join(f"{_name(name)} = ?" for name in names)
        key = written.columns[0]
        statement = f"UPDATE {_name(written.name)} SET {changes} WHERE {_name(key)} = ?"  # noqa: S608
        values = [(*(row[position] for position in written.changed), row[0]) for row in written.updated]
        self.cursor.executemany(statement, values)

    def _check_keys(self, on: bool) -> None:
        self.run(f"PRAGMA foreign_keys = {int(on)}" if self.is_sqlite else f"SET foreign_key_checks = {int(on)}")


def difference(before: Sequence[TableRows], after: Sequence[TableRows]) -> list[Written]:
    """What happened between two readings. Nothing is ever deleted."""
    return [_difference(old, new) for old, new in zip(before, after, strict=True)]


def _difference(old: TableRows, new: TableRows) -> Written:
    inserted = tuple(row for key, row in new.rows.items() if key not in old.rows)
    updated = tuple(row for key, row in new.rows.items() if key in old.rows and old.rows[key] != row)
    pairs = [(old.rows[key], row) for key, row in new.rows.items() if key in old.rows]
    changed = [n for n in range(len(new.columns)) if any(before[n] != after[n] for before, after in pairs)]
    return Written(new.name, new.columns, inserted, updated, tuple(changed))


def _name(name: str) -> str:
    return f"`{name}`"


def _names(columns: Iterable[str]) -> str:
    return ", ".join(_name(column) for column in columns)
