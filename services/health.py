"""Whether the venue does its work: database, bars, quotes and background tasks."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import Lease, MarketData
from services.market.market import MarketStatus
from services.transaction import retries

PROCESSOR = "order_processor"  # the name of its lease

logger = logging.getLogger(__name__)


def report(session: Session, market: MarketStatus, tasks: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Describe the venue. `healthy` only when bars are loaded, quotes exist and no task that was started has died; an
    old quote is told, but is no failure. `tasks` holds the background tasks by name, None where one was not started
    in this process. `now` is the wall clock. `unit_retries` counts why units of work had to be run again.
    """
    bars_loaded = _bars_loaded(session)
    described = {name: _task(task) for name, task in tasks.items()}
    healthy = (
        bool(bars_loaded)
        and market.newest_quote_time is not None
        and not any(task["started"] and not task["alive"] for task in described.values())
    )
    return {
        "healthy": healthy,
        "database": {"available": bars_loaded is not None, "bars_loaded": bool(bars_loaded)},
        "market": _market(market),
        **described,
        "unit_retries": dict(retries),
        "time": now,
    }


def processor(session: Session, now: datetime) -> dict[str, Any]:
    """The order processor as all processes see it, by its lease: whether anybody runs it, who, and until when the lease
    holds. A holder renews it every few seconds. `now` is the wall clock.
    """
    row = session.execute(select(Lease.holder, Lease.expires_at).where(Lease.name == PROCESSOR)).one_or_none()
    if row is None:
        return {"runs": False, "holder": None, "until": None}
    return {"runs": row.expires_at > now, "holder": row.holder, "until": row.expires_at}


def _bars_loaded(session: Session) -> bool | None:
    """Whether any daily bar is stored; None when the database does not answer."""
    try:
        return session.execute(select(MarketData.ticker).limit(1)).first() is not None
    except SQLAlchemyError as error:
        logger.error("the database does not answer: %s", error)
        session.close()
        return None


def _market(market: MarketStatus) -> dict[str, Any]:
    newest = market.newest_quote_time
    age = (market.now - newest).total_seconds() if newest is not None and market.now is not None else None
    return {
        "source": market.source_name,
        "state": market.state,
        "time": market.now,
        "speed": market.speed,
        "newest_quote_time": newest,
        "newest_quote_age_seconds": age,
        "message": market.message,
    }


def _task(task: Any) -> dict[str, Any]:
    if task is None:
        return {"started": False, "alive": False}
    described: dict[str, Any] = {"started": True, "alive": bool(task.alive)}
    if hasattr(task, "last_pass"):
        described["last_pass"] = task.last_pass
    return described
