"""Fetching stored bars anew, in the background: one job at a time, asked for by an admin and done by the market's feed.

The job is a stored setting, so that any process may ask and the one that feeds does it. How far it is, is told by the
instruments themselves: a ticker is done once its bars were fetched after the job began.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Instrument, Setting
from services import settings
from services.errors import Conflict, NotFound
from utils.datetime_utils import iso_utc

SETTING = "bars_refresh"


@dataclass(slots=True)
class RefreshJob:
    """A job as stored. Times are ISO 8601, UTC; `failed` holds why a ticker could not be fetched."""

    began: str
    asked_by: str
    tickers: list[str]
    cancelled: bool = False
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the newest job is. `state` is idle (there was none), running, done or cancelled."""

    state: str
    total: int = 0
    done: int = 0
    failed: tuple[tuple[str, str], ...] = ()
    began: datetime | None = None
    asked_by: str = ""

    @property
    def left(self) -> int:
        return self.total - self.done - len(self.failed)


def start(session: Session, tickers: Sequence[str], asked_by: str, now: datetime) -> list[str]:
    """Unit: ask for the bars of these tickers, or of all instruments when none are named. Answers which. Raises
    Conflict while another job runs, and NotFound for a ticker that is no instrument.
    """
    _lock(session)
    if progress(session).state == "running":
        raise Conflict("The bars are being refreshed already. Wait, or cancel that first.", code="REFRESH_RUNNING")
    known = list(session.scalars(select(Instrument.ticker).order_by(Instrument.ticker)))
    unknown = sorted(set(tickers) - set(known))
    if unknown:
        raise NotFound(
            f"There is no instrument {unknown[0]}.", code="NO_SUCH_INSTRUMENT", details={"ticker": unknown[0]}
        )
    wanted = [ticker for ticker in known if not tickers or ticker in tickers]
    _put(session, RefreshJob(iso_utc(now) or "", asked_by, wanted), now)
    return wanted


def cancel(session: Session, now: datetime) -> int:
    """Unit: let the running job go no further, and answer how many tickers it has left out. Raises Conflict when none
    runs. What is fetched already stays.
    """
    job = _lock(session)
    found = progress(session)
    if job is None or found.state != "running":
        raise Conflict("No refresh is running any more.", code="NO_REFRESH")
    job.cancelled = True
    _put(session, job, now)
    return found.left


def note_failure(session: Session, ticker: str, message: str, now: datetime) -> None:
    """Unit: remember that the running job could not get a ticker's bars."""
    job = _lock(session)
    if job is not None and ticker in job.tickers:
        job.failed[ticker] = message[:200]
        _put(session, job, now)


def next_ticker(session: Session) -> str | None:
    """The ticker that the feed shall fetch next, or None."""
    job = _read(session)
    if job is None or job.cancelled:
        return None
    done = _done(session, job)
    return next((ticker for ticker in job.tickers if ticker not in done and ticker not in job.failed), None)


def progress(session: Session) -> Progress:
    """How far the newest job is."""
    job = _read(session)
    if job is None:
        return Progress("idle")
    done = _done(session, job)
    failed = tuple((ticker, why) for ticker, why in job.failed.items() if ticker not in done)
    over = len(done) + len(failed) >= len(job.tickers)
    state = "done" if over else "cancelled" if job.cancelled else "running"
    began = datetime.fromisoformat(job.began)
    return Progress(state, len(job.tickers), len(done), failed, began, job.asked_by)


def _done(session: Session, job: RefreshJob) -> set[str]:
    query = select(Instrument.ticker).where(
        Instrument.ticker.in_(job.tickers), Instrument.bars_refreshed_at >= datetime.fromisoformat(job.began)
    )
    return set(session.scalars(query))


def _lock(session: Session) -> RefreshJob | None:
    """Read the job and keep others from changing it meanwhile. Without a job there is no row yet to lock."""
    query = select(Setting).where(Setting.name == SETTING).with_for_update()
    row = session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()
    return None if row is None else _parsed(row.value)


def _read(session: Session) -> RefreshJob | None:
    text = settings.get(session, SETTING)
    return None if text is None else _parsed(text)


def _parsed(text: str) -> RefreshJob:
    fields: dict[str, Any] = json.loads(text)
    return RefreshJob(**fields)


def _put(session: Session, job: RefreshJob, now: datetime) -> None:
    settings.put(session, SETTING, json.dumps(asdict(job)), now)
