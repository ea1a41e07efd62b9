"""Whose quotes the venue needs, whoever looks at a page or nobody."""

from __future__ import annotations

from sqlalchemy import select, union
from sqlalchemy.orm import Session

from models import Instrument, Order, Portfolio
from services.trading.order_states import OPEN_STATUSES


def needed_tickers(session: Session) -> list[str]:
    """The stock list, and everything that somebody holds or has an open order in, by ticker."""
    query = union(
        select(Instrument.ticker).where(Instrument.listed, Instrument.deactivated_at.is_(None)),
        select(Order.ticker).where(Order.order_status.in_(OPEN_STATUSES)),
        select(Portfolio.ticker).where(Portfolio.quantity > 0),
    )
    return sorted(session.scalars(query))


def known_tickers(session: Session) -> set[str]:
    """Every ticker of which the venue knows the instrument."""
    return set(session.scalars(select(Instrument.ticker)))
