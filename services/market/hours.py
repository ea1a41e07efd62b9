"""When the exchange trades. The one place that knows its zone; everybody else sees sessions in UTC."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from utils.market_source import Session

EXCHANGE_CALENDAR = "XNYS"
EXCHANGE_ZONE = ZoneInfo("America/New_York")
OPENS, CLOSES, CLOSES_EARLY = time(9, 30), time(16), time(13)
BEFORE_OPEN, AFTER_CLOSE = time(4), time(20)

# The early closes of the recorded years. With the recorded days they say the same as the exchange's calendar (a test
# compares them), without the seconds and the memory that loading the calendar takes.
RECORDED_HALF_DAYS = {
    2000: ("07-03", "11-24"),
    2001: ("07-03", "11-23", "12-24"),
    2002: ("07-05", "11-29", "12-24"),
    2003: ("07-03", "11-28", "12-24", "12-26"),
    2004: ("11-26",),
    2005: ("11-25",),
    2006: ("07-03", "11-24"),
    2007: ("07-03", "11-23", "12-24"),
    2008: ("07-03", "11-28", "12-24"),
    2009: ("11-27", "12-24"),
    2010: ("11-26",),
    2011: ("11-25",),
    2012: ("07-03", "11-23", "12-24"),
}


class TradingHours:
    """Sessions, oldest first, and the questions about them. Immutable; a session holds [opens, closes)."""

    def __init__(self, sessions: Sequence[Session]) -> None:
        self.sessions = tuple(sessions)
        self._opens = [session.opens for session in self.sessions]
        self._closes = [session.closes for session in self.sessions]

    def session_at(self, moment: datetime) -> Session | None:
        """The session that contains the moment; None outside sessions."""
        session = self.latest_session(moment)
        return session if session is not None and moment < session.closes else None

    def latest_session(self, moment: datetime) -> Session | None:
        """The newest session that has opened by the moment, still open or not."""
        index = bisect_right(self._opens, moment)
        return self.sessions[index - 1] if index else None

    def closed_session(self, moment: datetime) -> Session | None:
        """The newest session that has closed by the moment."""
        index = bisect_right(self._closes, moment)
        return self.sessions[index - 1] if index else None

    def next_session(self, moment: datetime) -> Session | None:
        """The first session that opens after the moment; None when no more is known."""
        index = bisect_right(self._opens, moment)
        return self.sessions[index] if index < len(self.sessions) else None

    def is_open(self, moment: datetime) -> bool:
        return self.session_at(moment) is not None

    def reach_until(self, moment: datetime) -> bool:
        """Whether sessions are known beyond the moment."""
        return bool(self.sessions) and self.sessions[-1].closes > moment


def recorded_sessions(days: Iterable[date]) -> tuple[Session, ...]:
    """The sessions of the recorded data's days (2000 to 2013), oldest first."""
    return tuple(_session(day) for day in sorted(set(days)))


def _session(day: date) -> Session:
    early = f"{day:%m-%d}" in RECORDED_HALF_DAYS.get(day.year, ())
    return Session(day, _to_utc(day, OPENS), _to_utc(day, CLOSES_EARLY if early else CLOSES))


def _to_utc(day: date, at: time) -> datetime:
    return datetime.combine(day, at, EXCHANGE_ZONE).astimezone(UTC)


def exchange_sessions(start: date, end: date) -> tuple[Session, ...]:
    """The New York Stock Exchange's sessions from `start` to `end`, holidays and half days honoured.

    Takes seconds the first time, because the calendar brings pandas with it: call it in the background only.
    """
    import exchange_calendars

    calendar = exchange_calendars.get_calendar(EXCHANGE_CALENDAR, start=start.isoformat(), end=end.isoformat())
    return tuple(
        Session(row.Index.date(), _plain(row.open), _plain(row.close)) for row in calendar.schedule.itertuples()
    )


def live_sessions(today: date) -> tuple[Session, ...]:
    """The sessions that a live market needs: two years back for old orders, a year ahead for long ones."""
    return exchange_sessions(today - timedelta(days=730), today + timedelta(days=400))


def exchange_day(moment: datetime) -> date:
    """The exchange's calendar day at the moment, which begins at midnight in New York."""
    return moment.astimezone(EXCHANGE_ZONE).date()


def extended_session(session: Session) -> tuple[datetime, datetime]:
    """When a day's trading before the open begins (04:00 in New York) and its trading after the close ends (20:00)."""
    return _to_utc(session.day, BEFORE_OPEN), _to_utc(session.day, AFTER_CLOSE)


def _plain(stamp: object) -> datetime:
    """A pandas timestamp as an ordinary aware time in UTC."""
    moment: datetime = stamp.to_pydatetime()  # type: ignore[attr-defined]
    return moment.astimezone(UTC)
