"""What an admin does to stored bars: fetch them anew, give that up, and take them in from a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from services import audit
from services.audit import Actor, Subject
from services.errors import Refused
from services.idempotency import Answer, RequestKey
from services.market import bar_files, refresh
from services.market.bar_files import BarFile, ImportReport

JOB = Subject("setting", refresh.SETTING)


def start_refresh(
    session: Session, tickers: Sequence[str], actor: Actor, *, now: datetime, key: RequestKey | None = None
) -> Answer:
    """Unit: have the bars of these tickers fetched anew, of all when none are named. See `refresh.start`."""

    def start() -> Answer:
        wanted = refresh.start(session, tickers, actor.name, now)
        after = {"tickers": wanted if tickers else "all"}
        audit.record(session, actor, "refresh_bars", JOB, before=None, after=after, now=now)
        what = wanted[0] if len(wanted) == 1 else f"{len(wanted)} instruments"
        return {"message": f"The bars of {what} are being fetched.", "tickers": wanted}

    return audit.once_as(session, actor, key, start)


def cancel_refresh(session: Session, actor: Actor, *, now: datetime, key: RequestKey | None = None) -> Answer:
    """Unit: let the running refresh go no further. Raises Conflict when none runs."""

    def cancel() -> Answer:
        left = refresh.cancel(session, now)
        audit.record(
            session, actor, "cancel_refresh", JOB, before={"cancelled": False}, after={"cancelled": True}, now=now
        )
        return {"message": f"The refresh was cancelled; {left} instruments were left as they were.", "left": left}

    return audit.once_as(session, actor, key, cancel)


def try_import(session: Session, file: BarFile) -> dict[str, Any]:
    """What importing a file would do. Reads only."""
    return _told(bar_files.compare(session, file), "would be")


def import_bars(
    session: Session, file: BarFile, actor: Actor, *, now: datetime, key: RequestKey | None = None
) -> Answer:
    """Unit: store all bars of a file. Raises Refused, with the lines, when any is wrong: then none is stored."""
    if file.errors or not file.bars:
        raise wrong_file(file)

    def take_in() -> Answer:
        report = bar_files.store(session, file, now)
        subject = Subject("market_data", report.tickers[0] if len(report.tickers) == 1 else "several tickers")
        after = {"tickers": list(report.tickers), "new": report.new, "changed": report.changed}
        audit.record(session, actor, "import_bars", subject, before=None, after=after, now=now)
        return _told(report, "were")

    return audit.once_as(session, actor, key, take_in)


def wrong_file(file: BarFile) -> Refused:
    """The refusal that names every wrong line, or says that there is none at all."""
    lines = [{"line": one.line, "field": one.field, "message": one.message} for one in file.errors]
    shown = lines[: bar_files.MOST_ERRORS]
    mistakes = "1 mistake" if len(lines) == 1 else f"{len(lines):,} mistakes"
    what = mistakes if lines else "no line with a bar"
    return Refused(f"The file has {what}; nothing was imported.", code="FILE_HAS_ERRORS", details={"lines": shown})


def _told(report: ImportReport, verb: str) -> dict[str, Any]:
    return {
        "message": f"{report.new:,} bars {verb} added, {report.changed:,} changed, {report.unchanged:,} are the same.",
        "lines": report.lines,
        "tickers": list(report.tickers),
        "new": report.new,
        "changed": report.changed,
        "unchanged": report.unchanged,
    }
