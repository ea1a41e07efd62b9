"""One pass over the database that looks for several faults at once, and the words its queries are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, Table, and_, case, func, literal, or_, select

from models.types import Money
from services.accounts.verify.report import Finding
from utils.number_utils import ZERO

Check = Callable[[Connection], Iterator[Finding]]
Column = ColumnElement[Any]
AnyRow = Row[*tuple[Any, ...]]
AnySelect = Select[*tuple[Any, ...]]

ROWS_AT_A_TIME = 2000
NO_CASH: Column = literal(ZERO, Money)  # an untyped zero would be bound as another type than the columns'


@dataclass(frozen=True, slots=True)
class Sweep:
    """A check in pure SQL. Rows of `source` on which a condition of `faults` holds are reported under its code, with
    the figures of `shown`. A condition that is NULL does not hold: compare with `differs` where a side may be NULL.
    """

    source: FromClause
    shown: Sequence[Column]
    faults: Mapping[str, Column]

    def __call__(self, connection: Connection) -> Iterator[Finding]:
        for row in stream(connection, self.query()):
            figures = row._asdict()
            found = [code for code in self.faults if figures.pop(code)]
            for code in found:
                yield code, figures

    def query(self) -> AnySelect:
        """The rows with any fault, and a column of 0 or 1 for each fault."""
        flags = [case((condition, 1), else_=0).label(code) for code, condition in self.faults.items()]
        return select(*self.shown, *flags).select_from(self.source).where(or_(*self.faults.values()))


def numbering(table: Table, code: str) -> Sweep:
    """A sweep for numbers left out of the column `sequence`, which counts 1, 2, 3 and so on for each trader. Several
    rows may have the same number.
    """
    (key,) = table.primary_key.columns
    owner, number = table.c.user_id, table.c.sequence
    before = func.lag(number).over(partition_by=owner, order_by=number)
    numbered = select(key, owner, number, before.label("sequence_before")).subquery("numbered")
    c = numbered.c
    gap = or_(c.sequence > c.sequence_before + 1, and_(c.sequence_before.is_(None), c.sequence != 1))
    return Sweep(numbered, list(c), {code: gap})


def stream(connection: Connection, query: AnySelect) -> Iterator[AnyRow]:
    """Rows of a query that may be large, a few at a time. Read to the end before the next query."""
    yield from connection.execute(query, execution_options={"yield_per": ROWS_AT_A_TIME})


def differs(one: Column, other: Any) -> Column:
    """Whether two values differ, where NULL is a value like others."""
    return one.is_distinct_from(other)


def cash_where(condition: Column, cash: Column) -> Column:
    """Sum of the dollars of those lines of a group on which the condition holds."""
    return func.sum(case((condition, cash), else_=NO_CASH))


def number_where(condition: Column, number: Any = 1) -> Column:
    """Sum of a whole number over those rows of a group on which the condition holds; without one, how many."""
    return func.sum(case((condition, number), else_=0))


def or_zero(sum_of_cash: Column) -> Column:
    """A sum of dollars that is zero where an outer join found nothing."""
    return func.coalesce(sum_of_cash, NO_CASH)


def or_none(number: Column) -> Column:
    """A whole number that is 0 where an outer join found nothing."""
    return func.coalesce(number, 0)


def mixed(column: Column) -> Column:
    """Whether a group holds more than one value of a column. NULL is not counted."""
    return func.min(column) != func.max(column)
