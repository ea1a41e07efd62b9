"""One statement for many rows, on every database in the way in which it is fast there.

SQLAlchemy prepares each value of each row by itself. In a batch most values repeat (its two times, zero dollars, a
ticker), so here every column is prepared as a whole, each different value once, by the same types. And PyMySQL sends an
UPDATE of many rows one at a time and waits for each: there all rows go in a single statement, as a JSON text that the
server reads as a table.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Dialect,
    Insert,
    Integer,
    String,
    Subquery,
    Table,
    Text,
    Update,
    bindparam,
    insert,
    text,
)
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from models.types import Money, Price, UTCDateTime

Row = Mapping[str, Any]
# Mappings, or where there are so many that making mappings would show: tuples in the order of the statement's names.
Rows = Sequence[Row] | Sequence[tuple[Any, ...]]
Values = Mapping[str, ColumnElement[Any]]


class ManyRows:
    """A statement with named parameters, run for many rows of their values."""

    def __init__(self, statement: Insert | Update, names: Sequence[str] = ()) -> None:
        self._statement = statement
        self._names = names
        self._prepared: dict[str, _Prepared] = {}

    def run(self, session: Session, rows: Rows) -> int:
        """Run it for all rows. Answers how many rows of the table they found or made."""
        connection = session.connection()
        name = connection.dialect.name
        if name not in self._prepared:
            self._prepared[name] = _Prepared(self._statement, connection.dialect, self._names)
        prepared = self._prepared[name]
        return connection.exec_driver_sql(prepared.sql, prepared.values(rows)).rowcount


class _Prepared:
    """The text of a statement for one database, and how its parameters are made from values."""

    def __init__(self, statement: Insert | Update, dialect: Dialect, names: Sequence[str] = ()) -> None:
        # PyMySQL's own style names the parameters; tuples in their order are less work for it and for us.
        style = "qmark" if dialect.name == "sqlite" else "format"
        positional: Dialect = cast(Any, type(dialect))(paramstyle=style)
        compiled = statement.compile(dialect=positional)
        self.sql = str(compiled)
        self._fixed: Row = compiled.params
        self._names = names
        parameters: list[str] = getattr(compiled, "positiontup", [])
        binds: Mapping[str, Any] = getattr(compiled, "binds", {})
        self._parameters = [(name, _preparation(binds[name].type, dialect)) for name in parameters]

    def values(self, rows: Rows) -> list[tuple[Any, ...]]:
        """The rows as the driver takes them."""
        columns = self._columns(rows)
        prepared = [_prepare(prepare, columns[name]) for name, prepare in self._parameters]
        return list(zip(*prepared, strict=True))

    def _columns(self, rows: Rows) -> dict[str, Sequence[Any]]:
        """The values of all rows by the name of their parameter."""
        if isinstance(rows[0], tuple):
            return dict(zip(self._names, zip(*rows, strict=True), strict=True))
        fixed: dict[str, Sequence[Any]] = {name: (value,) * len(rows) for name, value in self._fixed.items()}
        return fixed | {name: [row[name] for row in cast(Sequence[Row], rows)] for name in rows[0]}


def _prepare(prepare: Callable[[Any], Any] | None, values: Sequence[Any]) -> Iterable[Any]:
    """A column as the driver takes it."""
    if prepare is None:
        return values
    prepared = {value: prepare(value) for value in set(values)}
    return map(prepared.__getitem__, values)


def _preparation(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def inserting(table: Table, names: Sequence[str]) -> ManyRows:
    """An INSERT of rows with these columns."""
    values = {name: bindparam(name, type_=table.c[name].type) for name in names}
    return ManyRows(insert(table).values(values), names)


class GuardedUpdate:
    """An UPDATE whose conditions and new values come from rows of named values.

    `build` makes the statement from the values' expressions; `types` tells their names and types. `index` is the unique
    index of the table in which each row is looked up.
    """

    def __init__(
        self, types: Mapping[str, TypeEngine[Any]], build: Callable[[Values], Update], index: str = "PRIMARY"
    ) -> None:
        self._index = index
        self._names = tuple(types)
        self._each = ManyRows(build({name: bindparam(name, type_=kind) for name, kind in types.items()}), self._names)
        self._together = build(dict(_given(types).c.items()))
        self._prepared: dict[str, _Prepared] = {}

    def run(self, session: Session, rows: Rows) -> int:
        """Update by these rows, each of which is meant for one row of the table, and answer how many were found."""
        if len(rows) == 1 or session.get_bind().dialect.name == "sqlite":
            return self._each.run(session, rows)
        given = json.dumps(rows if isinstance(rows[0], tuple) else self._in_order(rows), default=_plain)
        connection = session.connection()
        name = connection.dialect.name
        if name not in self._prepared:
            self._prepared[name] = _Prepared(self._together, connection.dialect)
            self._prepared[name].sql = _given_first(self._prepared[name].sql, self._index)
        prepared = self._prepared[name]
        return connection.exec_driver_sql(prepared.sql, prepared.values([{"given_rows": given}])[0]).rowcount

    def _in_order(self, rows: Rows) -> list[list[Any]]:
        return [[row[name] for name in self._names] for row in cast(Sequence[Row], rows)]


def _given_first(sql: str, index: str) -> str:
    """The UPDATE of MySQL and MariaDB, made to take the given rows one by one and to look each up in the index. Left to
    itself the server may read the whole table, above all a small one, and then it waits for rows that others have
    locked, who may wait for ours.
    """
    table, _, rest = sql.removeprefix("UPDATE ").partition(", ")
    given, _, changes = rest.partition(" SET ")
    target = f"{table} FORCE INDEX ({index})"
    return f"UPDATE {given} STRAIGHT_JOIN {target} SET {changes}"  # noqa: S608 - SQLAlchemy wrote its parts


def _given(types: Mapping[str, TypeEngine[Any]]) -> Subquery:
    """The rows of the parameter `given_rows` as a table with these columns."""
    columns = ", ".join(f"{name} {_sql_type(kind)} PATH '$[{n}]'" for n, (name, kind) in enumerate(types.items()))
    table = f"SELECT * FROM JSON_TABLE(:given_rows, '$[*]' COLUMNS ({columns})) AS sent"  # noqa: S608 - our own names
    return text(table).columns(**types).subquery("given")


def _sql_type(kind: TypeEngine[Any]) -> str:
    for known, name in _SQL_TYPES:
        if isinstance(kind, known):
            return name
    raise TypeError(f"no type for {kind!r} in a guarded update")


# Text before String, of which it is a kind.
_SQL_TYPES: tuple[tuple[type[Any], str], ...] = (
    (Money, "DECIMAL(15, 2)"),
    (Price, "DECIMAL(12, 4)"),
    (UTCDateTime, "DATETIME(6)"),
    (Boolean, "TINYINT"),
    (Integer, "BIGINT"),
    (Text, "TEXT"),
    (String, "VARCHAR(255)"),
)


def _plain(value: object) -> str:
    """A value that JSON does not know, as its column's type reads it without loss."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    raise TypeError(f"{value!r} cannot be sent")
