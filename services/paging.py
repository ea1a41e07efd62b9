"""Lists that the database cuts: one page for the eye, every row for a file."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Select, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session

MAXIMUM_LIMIT = 100
MOST_COUNTED = 10_000  # what a list of everybody's rows counts up to: counting more takes longer than the page
BATCH = 1000  # rows that an export reads at a time
AnySelect = Select[*tuple[Any, ...]]
AnyRow = Row[*tuple[Any, ...]]
Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Some items of a longer list. `page` counts from 1; a page past the end is empty. With `more` there are more rows
    than `total`, and nobody counted how many.
    """

    items: list[Item]
    page: int
    limit: int
    total: int
    more: bool = False

    @property
    def pages(self) -> int:
        return math.ceil(self.total / self.limit)

    @property
    def goes_on(self) -> bool:
        """Whether there is a next page, as far as anybody knows."""
        return self.page < self.pages or (self.more and len(self.items) == self.limit)

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
    the model whose rows it lists, where the conditions look at nothing else and every join finds one row: then rows are
    counted and chosen without the joins, and only those of the page are joined. Left to itself MariaDB may begin with
    the joined table, and sort the whole list for every page.
    """

    query: AnySelect
    key: InstrumentedAttribute[int]
    to_item: Callable[[AnyRow], Item]
    sorts: Mapping[str, Any] = field(default_factory=dict)
    counted: type | None = None

    def page(
        self, session: Session, page: int = 1, limit: int = 25, sort: str | None = None, *, count_to: int | None = None
    ) -> Page:
        """Page `page` of `limit` items. `sort` is one of `sorts`, with "-" before it for the other way round;
        without it the newest come first. Rows alike in it are told apart by the row number: no page repeats one.
        `count_to` says how far to count.
        """
        total: int = session.execute(self._count(count_to)).scalar_one()
        items = self._items(session, page, limit, sort) if total else []
        if count_to is not None and total > count_to:
            return Page(items=items, page=page, limit=limit, total=count_to, more=True)
        return Page(items=items, page=page, limit=limit, total=total)

    def _items(self, session: Session, page: int, limit: int, sort: str | None) -> list[Item]:
        order = self._order(sort)
        if self.counted is None:
            rows = session.execute(self.query.order_by(*order).limit(limit).offset((page - 1) * limit))
            return [self.to_item(row) for row in rows]
        numbers = self._chosen(session, page, limit, sort)
        found = [self.to_item(row) for row in session.execute(self.query.where(self.key.in_(numbers)))]
        place = {number: index for index, number in enumerate(numbers)}
        return sorted(found, key=lambda item: place[item[self.key.key]])

    def _chosen(self, session: Session, page: int, limit: int, sort: str | None) -> list[int]:
        """The row numbers of the page, in order."""
        of_the_model = self._column(sort).class_ is self.counted
        query = self._bare(self.key) if of_the_model else self._only(self.key)
        rows = session.execute(query.order_by(*self._order(sort)).limit(limit).offset((page - 1) * limit))
        return list(rows.scalars())

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

    def _count(self, most: int | None) -> AnySelect:
        bare = self.counted is not None
        if most is None:
            number = func.count()
            return self._bare(number) if bare else self._only(number)
        some = (self._bare(literal(1)) if bare else self._only(literal(1))).limit(most + 1).subquery()
        return select(func.count()).select_from(some)

    def _only(self, column: Any) -> AnySelect:
        """The list with its joins, and this column alone."""
        return self.query.with_only_columns(column, maintain_column_froms=True)

    def _bare(self, column: Any) -> AnySelect:
        """The rows of the model, without the joins, and this column alone."""
        assert self.counted is not None
        query: AnySelect = select(column).select_from(self.counted)
        conditions = self.query.whereclause
        return query if conditions is None else query.where(conditions)

    def _column(self, sort: str | None) -> Any:
        return self.sorts[sort.removeprefix("-")] if sort else self.key

    def _order(self, sort: str | None) -> list[Any]:
        columns = list(dict.fromkeys((self._column(sort), self.key)))
        return [column.desc() for column in columns] if sort is None or sort.startswith("-") else columns
