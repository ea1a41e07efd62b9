"""What an admin may do with an instrument: put it on the list, name it, take it out of trading and back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Instrument, Order
from services import audit
from services.audit import Actor, Subject
from services.errors import Conflict, InvalidInput, NotFound
from services.idempotency import Answer, RequestKey
from services.market.instruments import NAME_LENGTH
from services.trading.order_states import OPEN_STATUSES

SUBJECT = "instrument"


def parse_name(value: object) -> str:
    """Read an instrument's name. Raises InvalidInput that names the field."""
    name = value.strip() if isinstance(value, str) else ""
    if not 1 <= len(name) <= NAME_LENGTH or not name.isprintable():
        raise InvalidInput({"name": [f"must have 1 to {NAME_LENGTH} printable characters"]})
    return name


def add(session: Session, ticker: str, actor: Actor, *, now: datetime, key: RequestKey | None = None) -> Answer:
    """Unit: put a known instrument on the stock list. Raises NotFound for one that the source has not told of, and
    Conflict when it is listed already.
    """
    return audit.once_as(session, actor, key, lambda: _add(session, ticker, actor, now))


def _add(session: Session, ticker: str, actor: Actor, now: datetime) -> Answer:
    row = _lock(session, ticker)
    if row.listed and row.is_active:
        raise Conflict(f"{ticker} is on the stock list already.", code="ALREADY_LISTED")
    before = {"listed": row.listed, "deactivated_at": row.deactivated_at}
    row.listed, row.deactivated_at = True, None
    after = {"listed": True, "deactivated_at": None}
    audit.record(session, actor, "add_instrument", Subject(SUBJECT, ticker), before=before, after=after, now=now)
    return {"message": f"{ticker} ({row.name}) is on the stock list. Its prices follow in a moment.", "ticker": ticker}


def rename(
    session: Session, ticker: str, name: str, actor: Actor, *, now: datetime, key: RequestKey | None = None
) -> Answer:
    """Unit: call an instrument by another name, which its source no longer changes."""
    return audit.once_as(session, actor, key, lambda: _rename(session, ticker, name, actor, now))


def _rename(session: Session, ticker: str, name: str, actor: Actor, now: datetime) -> Answer:
    row = _lock(session, ticker)
    before = {"name": row.name}
    if row.name == name:
        raise Conflict(f"{ticker} is called {name} already.", code="SAME_NAME")
    row.name, row.renamed = name, True
    subject = Subject(SUBJECT, ticker)
    audit.record(session, actor, "rename_instrument", subject, before=before, after={"name": name}, now=now)
    return {"message": f"{ticker} is now called {name}.", "ticker": ticker, "name": name}


def deactivate(session: Session, ticker: str, actor: Actor, *, now: datetime, key: RequestKey | None = None) -> Answer:
    """Unit: take an instrument out of trading. Holdings and history stay. Raises Conflict while orders on it are open,
    and when it is out already.
    """
    return audit.once_as(session, actor, key, lambda: _deactivate(session, ticker, actor, now))


def _deactivate(session: Session, ticker: str, actor: Actor, now: datetime) -> Answer:
    row = _lock(session, ticker)
    if not row.is_active:
        raise Conflict(f"{ticker} is out of trading already.", code="ALREADY_INACTIVE")
    waiting = open_orders(session, ticker)
    if waiting:
        raise Conflict(
            f"{waiting:,} orders on {ticker} are still open. Execute or reject them first.",
            code="OPEN_ORDERS",
            details={"ticker": ticker, "open_orders": waiting},
        )
    row.deactivated_at = now
    after = {"deactivated_at": now}
    subject = Subject(SUBJECT, ticker)
    audit.record(
        session, actor, "deactivate_instrument", subject, before={"deactivated_at": None}, after=after, now=now
    )
    return {"message": f"{ticker} is out of trading. Holdings in it stay where they are.", "ticker": ticker}


def activate(session: Session, ticker: str, actor: Actor, *, now: datetime, key: RequestKey | None = None) -> Answer:
    """Unit: let an instrument trade again. Raises Conflict when it does."""
    return audit.once_as(session, actor, key, lambda: _activate(session, ticker, actor, now))


def _activate(session: Session, ticker: str, actor: Actor, now: datetime) -> Answer:
    row = _lock(session, ticker)
    if row.is_active:
        raise Conflict(f"{ticker} is traded already.", code="ALREADY_ACTIVE")
    before = {"deactivated_at": row.deactivated_at}
    row.deactivated_at = None
    subject = Subject(SUBJECT, ticker)
    audit.record(session, actor, "activate_instrument", subject, before=before, after={"deactivated_at": None}, now=now)
    return {"message": f"{ticker} is traded again.", "ticker": ticker}


def open_orders(session: Session, ticker: str) -> int:
    """How many orders on a ticker are open."""
    query = select(func.count()).select_from(Order)
    return session.execute(query.where(Order.ticker == ticker, Order.order_status.in_(OPEN_STATUSES))).scalar_one()


def _lock(session: Session, ticker: str) -> Instrument:
    row = session.get(Instrument, ticker, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(
            f"There is no instrument {ticker}: the price source has not told of it.",
            code="NO_SUCH_INSTRUMENT",
            details={"ticker": ticker},
        )
    return row
