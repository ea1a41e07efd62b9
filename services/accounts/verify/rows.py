"""Rows by themselves: numbers are whole, and what a row names exists."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, ForeignKey, Integer, Table, and_, func, literal, or_, select

from models.types import ExactDecimal
from services.accounts.verify.report import Finding
from services.accounts.verify.sweep import AnySelect, Check, Column, stream
from services.accounts.verify.tables import BALANCES, EVENTS, FILLS, HOLDINGS, JOURNAL, ORDERS, REQUESTS

TABLES = (BALANCES, REQUESTS, JOURNAL, ORDERS, FILLS, HOLDINGS, EVENTS)


def numbers(connection: Connection) -> Iterator[Finding]:
    """SQLite stores whatever it is given, such as half a cent or a word; other databases have typed columns."""
    if connection.dialect.name != "sqlite":
        return
    for table in TABLES:
        for row in stream(connection, _with_odd_numbers(table)):
            yield "AMOUNT_NOT_WHOLE", row._asdict()


def _with_odd_numbers(table: Table) -> AnySelect:
    columns = [column for column in table.c if isinstance(column.type, ExactDecimal | Integer)]
    odd = [and_(column.is_not(None), func.typeof(column) != "integer") for column in columns]
    return select(literal(table.name).label("table"), _number(table)).where(or_(*odd))


def orphans(connection: Connection) -> Iterator[Finding]:
    """Foreign keys may have been off when the row was written."""
    for table in TABLES:
        for key in sorted(table.foreign_keys, key=lambda key: key.parent.name):
            for row in stream(connection, _without_parent(table, key)):
                yield "ORPHAN", row._asdict()


def _without_parent(table: Table, key: ForeignKey) -> AnySelect:
    parent = key.column.table.alias("parent")
    named = parent.c[key.column.name]
    return (
        select(literal(table.name).label("table"), _number(table), literal(key.parent.name).label("column"))
        .select_from(table.outerjoin(parent, key.parent == named))
        .where(key.parent.is_not(None), named.is_(None))
    )


def _number(table: Table) -> Column:
    (number,) = table.primary_key.columns
    return number.label("row_id")


CHECKS: tuple[Check, ...] = (orphans,)
