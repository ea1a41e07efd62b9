"""Lists that the database cuts: one page for the eye, every row for a file."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

MAXIMUM_LIMIT = 100
BATCH = 1000  # rows that an export reads at a time
AnySelect = Select[*tuple[Any, ...]]
AnyRow = Row[*tuple[Any, ...]]
Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Some items of a longer list. `page` counts from 1; a page past the end is empty."""

    items: list[Item]
    page: int
    limit: int
    total: int

    @property
    def pages(self) -> int:
        return math.ceil(self.total / self.limit)

    def pagination(self) -> dict[str, int]:
        """The object that list endpoints answer beside their items."""
        return {"page": self.page, "limit": self.limit, "total": self.total, "pages": self.pages}


def only(query: AnySelect, wanted: Mapping[Any, Any]) -> AnySelect:
    """The query, only where each column has the value wanted; None wants any."""
    for column, value in wanted.items():
        if value is not None:
            query = query.where(column == value)
    return query


@dataclass(frozen=True, slots=True)
class Listing:
    """A list with its filters. `query` is not ordered yet; `key` is its row number, which every item carries under
    that column's name; `sorts` are the columns it may be sorted by, under the names that addresses use. `counted` is
    the model whose rows it lists, where the conditions look at nothing else and every join finds one row: counting then
    needs no joins, which in a long list take most of the time.
    """

    query: AnySelect
    key: InstrumentedAttribute[int]
    to_item: Callable[[AnyRow], Item]
    sorts: Mapping[str, Any] = field(default_factory=dict)
    counted: type | None = None

    def page(self, session: Session, page: int = 1, limit: int = 25, sort: str | None = None) -> Page:
        """Page `page` of `limit` items. `sort` is one of `sorts`, with "-" before it for the other way round;
        without it the newest come first. Rows alike in it are told apart by the row number: no page repeats one.
        """
        total: int = session.execute(self._count()).scalar_one()
        return Page(items=self._items(session, page, limit, sort) if total else [], page=page, limit=limit, total=total)

    def _items(self, session: Session, page: int, limit: int, sort: str | None) -> list[Item]:
        rows = session.execute(self._sorted(sort).limit(limit).offset((page - 1) * limit))
        return [self.to_item(row) for row in rows]

    def every_item(self, session: Session) -> Iterator[Item]:
        """All items, newest first, read in batches by row number. Between batches the session is closed, so that a
        slow reader holds no connection; rows that come meanwhile are left out.
        """
        query = self.query.order_by(self.key.desc()).limit(BATCH)
        below: int | None = None
        while True:
            batch = session.execute(query if below is None else query.where(self.key < below))
            items = [self.to_item(row) for row in batch]
            session.close()
            yield from items
            if len(items) < BATCH:
                return
            below = items[-1][self.key.key]

    def _count(self) -> AnySelect:
        if self.counted is None:
            return self.query.with_only_columns(func.count(), maintain_column_froms=True)
        query: AnySelect = select(func.count()).select_from(self.counted)
        conditions = self.query.whereclause
        return query if conditions is None else query.where(conditions)

    def _sorted(self, sort: str | None) -> AnySelect:
        column = self.sorts[sort.removeprefix("-")] if sort else self.key
        downwards = sort is None or sort.startswith("-")
        if downwards:
            return self.query.order_by(column.desc(), self.key.desc())
        return self.query.order_by(column, self.key)
