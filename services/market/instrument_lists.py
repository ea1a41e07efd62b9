"""The instruments as an admin sees them, with how whole their bars are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

from sqlalchemy import func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models import Instrument, Order, Portfolio
from services.market import coverage
from services.paging import AnyRow, Listing
from services.trading.order_states import OPEN_STATUSES

STATES = ("listed", "known", "inactive")
SORTS = {"ticker": Instrument.ticker, "name": Instrument.name, "bars_refreshed_at": Instrument.bars_refreshed_at}

_COLUMNS = ("ticker", "name", "exchange", "tradable", "listed", "renamed", "deactivated_at", "bars_refreshed_at")


def instruments_of(*, search: str | None = None, state: str | None = None) -> Listing:
    """Instruments whose ticker or name holds the text. `state`: listed (on the stock list), known (off it), inactive
    (taken out of trading).
    """
    query = select(Instrument)
    if search:
        text = search.lower()
        ticker, name = func.lower(Instrument.ticker), func.lower(Instrument.name)
        query = query.where(or_(ticker.contains(text, autoescape=True), name.contains(text, autoescape=True)))
    if state == "inactive":
        query = query.where(Instrument.deactivated_at.is_not(None))
    elif state is not None:
        query = query.where(Instrument.listed.is_(state == "listed"), Instrument.deactivated_at.is_(None))
    key = cast("InstrumentedAttribute[int]", Instrument.ticker)  # its row number is its ticker
    return Listing(query, key, _item, SORTS, counted=Instrument)


def with_coverage(session: Session, items: Collection[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items with the coverage of their bars, and how many orders and holdings hang on each."""
    tickers = [item["ticker"] for item in items]
    covered = coverage.coverage(session, tickers)
    orders = _counted(session, select(Order.ticker, func.count()).where(Order.order_status.in_(OPEN_STATUSES)), Order)
    holders = _counted(session, select(Portfolio.ticker, func.count()).where(Portfolio.quantity > 0), Portfolio)
    return [
        item
        | {
            "coverage": covered[item["ticker"]],
            "open_orders": orders.get(item["ticker"], 0),
            "holders": holders.get(item["ticker"], 0),
        }
        for item in items
    ]


def _counted(session: Session, query: Any, model: Any) -> dict[str, int]:
    return {row[0]: row[1] for row in session.execute(query.group_by(model.ticker))}


def _item(row: AnyRow) -> dict[str, Any]:
    return {name: getattr(row[0], name) for name in _COLUMNS}
