"""Who may run a task: a row that names the holder, with an epoch that goes up at each take-over.

Leadership only saves work. Correctness comes from the epoch, which every batch of the holder checks inside its own
transaction: a holder that slept through its lease writes nothing, whatever it believes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import Lease
from services.errors import Conflict
from services.transaction import KeyTaken
from utils.datetime_utils import utc_now

LEASE_LENGTH = timedelta(seconds=15)


class LeaseLost(Conflict):
    """Another process has taken over: stop and write nothing."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Another process runs {name} now.", code="LEASE_LOST", details={"lease": name})


@dataclass(frozen=True, slots=True)
class Tenure:
    """A held lease: which task, and the epoch under which its batches are valid."""

    name: str
    epoch: int


def acquire(session: Session, name: str, holder: str, length: timedelta = LEASE_LENGTH) -> Tenure | None:
    """Take a free or expired lease, or renew one's own. None while somebody else holds it."""
    now = database_time(session)
    row = session.execute(select(Lease).where(Lease.name == name).with_for_update()).scalar_one_or_none()
    if row is None:
        session.add(Lease(name=name, holder=holder, epoch=1, expires_at=now + length))
        try:
            session.flush()
        except IntegrityError as error:
            raise KeyTaken from error  # another process was the first of all: run again and find its row
        return Tenure(name, 1)
    if row.holder != holder:
        if row.expires_at > now:
            return None
        row.holder = holder
        row.epoch += 1
    row.expires_at = now + length
    return Tenure(name, row.epoch)


def require(session: Session, tenure: Tenure) -> None:
    """Check, with a shared lock, that this epoch is still the newest. Raises LeaseLost."""
    query = select(Lease.epoch).where(Lease.name == tenure.name).with_for_update(read=True)
    if session.execute(query).scalar_one_or_none() != tenure.epoch:
        raise LeaseLost(tenure.name)


def give_back(session: Session, tenure: Tenure, holder: str) -> None:
    """Let the next process take over at once."""
    session.execute(
        update(Lease)
        .where(Lease.name == tenure.name, Lease.epoch == tenure.epoch, Lease.holder == holder)
        .values(expires_at=database_time(session))
    )


def database_time(session: Session) -> datetime:
    """The database's own clock (UTC), one for all processes. SQLite has none of its own: there it is this machine's."""
    if session.get_bind().dialect.name == "sqlite":
        return utc_now()
    moment: datetime = session.execute(select(func.utc_timestamp(text("6")))).scalar_one()
    return moment.replace(tzinfo=UTC)
