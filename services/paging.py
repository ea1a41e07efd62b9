"""One page of a list, cut by the database."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

MAXIMUM_LIMIT = 100
AnySelect = Select[*tuple[Any, ...]]
AnyRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Page:
    """Some items of a longer list. `page` counts from 1; a page past the end is empty."""

    items: list[dict[str, Any]]
    page: int
    limit: int
    total: int

    @property
    def pages(self) -> int:
        return math.ceil(self.total / self.limit)

    def pagination(self) -> dict[str, int]:
        """The object that list endpoints answer beside their items."""
        return {"page": self.page, "limit": self.limit, "total": self.total, "pages": self.pages}


def read_page(
    session: Session, query: AnySelect, to_item: Callable[[AnyRow], dict[str, Any]], page: int, limit: int
) -> Page:
    """Read page `page` of an ordered query, `limit` rows each, and how many rows there are in all."""
    total = session.execute(select(func.count()).select_from(query.order_by(None).subquery())).scalar_one()
    rows = session.execute(query.limit(limit).offset((page - 1) * limit))
    return Page(items=[to_item(row) for row in rows], page=page, limit=limit, total=total)
