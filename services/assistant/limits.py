"""How often the assistant may be asked, and how much it was: counted in the database, so that every server process
counts alike. Only counts are kept, never words.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, case, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config import Config
from models import ChatUsage, User
from services.errors import TooMany

DAYS_SHOWN = 30
MOST_USERS_SHOWN = 50


def take(session: Session, user_id: int, config: Config, now: datetime) -> None:
    """Unit: count one question to the model. Raises TooMany, with the seconds to wait, at a limit. The limits of all
    traders together may be passed by those who ask in the same instant, never those of one trader. `now` is the wall
    clock.
    """
    minute, day = now.replace(second=0, microsecond=0), now.date()
    _check_total(session, config, minute, now)
    _make_row(session, user_id, now)
    this_minute = case((ChatUsage.minute == minute, ChatUsage.minute_messages), else_=0)
    counted = (
        update(ChatUsage)
        .where(
            ChatUsage.user_id == user_id,
            ChatUsage.day == day,
            _below(ChatUsage.messages, config.assistant_day_limit),
            _below(this_minute, config.assistant_minute_limit),
            _below(ChatUsage.prompt_tokens + ChatUsage.answer_tokens, config.assistant_token_limit),
        )
        # MySQL sees values that the same statement has set already: what reads the minute comes before it.
        .ordered_values(
            (ChatUsage.messages, ChatUsage.messages + 1),
            (ChatUsage.minute_messages, this_minute + 1),
            (ChatUsage.minute, minute),
        )
    )
    if cast("CursorResult[Any]", session.execute(counted)).rowcount != 1:
        raise _too_many(session, user_id, config, now)


def note(
    session: Session,
    user_id: int,
    now: datetime,
    *,
    prompt_tokens: int = 0,
    answer_tokens: int = 0,
    tool_calls: int = 0,
    failures: int = 0,
) -> None:
    """Unit: add what an answer used to its trader's day."""
    _make_row(session, user_id, now)
    session.execute(
        update(ChatUsage)
        .where(ChatUsage.user_id == user_id, ChatUsage.day == now.date())
        .values(
            prompt_tokens=ChatUsage.prompt_tokens + prompt_tokens,
            answer_tokens=ChatUsage.answer_tokens + answer_tokens,
            tool_calls=ChatUsage.tool_calls + tool_calls,
            failures=ChatUsage.failures + failures,
        )
    )


def usage_by_day(session: Session, now: datetime) -> list[dict[str, Any]]:
    """The last 30 days that had any use, newest first: traders, messages, tokens, tool calls, failures."""
    since = (now - timedelta(days=DAYS_SHOWN)).date()
    query = select(ChatUsage.day.label("day"), func.count().label("traders"), *_sums()).where(ChatUsage.day > since)
    rows = session.execute(query.group_by(ChatUsage.day).order_by(ChatUsage.day.desc()))
    return [_as_counts(dict(row._mapping)) for row in rows]


def usage_by_trader(session: Session, now: datetime) -> list[dict[str, Any]]:
    """Who used it most in the last 30 days. Counts only: nobody reads other people's conversations."""
    since = (now - timedelta(days=DAYS_SHOWN)).date()
    query = (
        select(User.user_id.label("user_id"), User.user_name.label("user_name"), *_sums())
        .join(User, User.user_id == ChatUsage.user_id)
        .where(ChatUsage.day > since)
        .group_by(User.user_id, User.user_name)
        .order_by(func.sum(ChatUsage.messages).desc(), User.user_id)
    )
    return [_as_counts(dict(row._mapping)) for row in session.execute(query.limit(MOST_USERS_SHOWN))]


def _sums() -> list[Any]:
    names = ("messages", "prompt_tokens", "answer_tokens", "tool_calls", "failures")
    return [func.sum(getattr(ChatUsage, name)).label(name) for name in names]


def _as_counts(row: dict[str, Any]) -> dict[str, Any]:
    kept = ("day", "user_name")
    return {name: value if name in kept else int(value or 0) for name, value in row.items()}


def _below(value: Any, limit: int) -> Any:
    return value < limit if limit else value >= 0


def _make_row(session: Session, user_id: int, now: datetime) -> None:
    """A first look would take gap locks on MySQL, and a first insert cost a failure each time: so insert when the row
    of the day is missing, and take a twin's.
    """
    query = select(ChatUsage.messages).where(ChatUsage.user_id == user_id, ChatUsage.day == now.date())
    if session.execute(query).first() is not None:
        return
    try:
        with session.begin_nested():
            session.add(ChatUsage(user_id=user_id, day=now.date()))
    except IntegrityError:
        return


def _check_total(session: Session, config: Config, minute: datetime, now: datetime) -> None:
    tokens = ChatUsage.prompt_tokens + ChatUsage.answer_tokens
    this_minute = case((ChatUsage.minute == minute, ChatUsage.minute_messages), else_=0)
    query = select(func.sum(ChatUsage.messages), func.sum(tokens), func.sum(this_minute))
    sums: Any = session.execute(query.where(ChatUsage.day == now.date())).one()
    messages, used, lately = (int(one or 0) for one in sums)
    if _reached(lately, config.assistant_total_minute_limit):
        raise _refusal("The assistant is asked very much just now.", _seconds_of_minute(now))
    if _reached(messages, config.assistant_total_day_limit) or _reached(used, config.assistant_total_token_limit):
        raise _refusal("The assistant has done all it may for everybody today.", _seconds_of_day(now))


def _reached(value: int, limit: int) -> bool:
    return 0 < limit <= value


def _too_many(session: Session, user_id: int, config: Config, now: datetime) -> TooMany:
    query = select(ChatUsage).where(ChatUsage.user_id == user_id, ChatUsage.day == now.date())
    row = session.scalars(query.execution_options(populate_existing=True)).one()
    if _reached(row.messages, config.assistant_day_limit):
        return _refusal(f"You have asked {row.messages} times today, which is the most.", _seconds_of_day(now))
    if _reached(row.prompt_tokens + row.answer_tokens, config.assistant_token_limit):
        return _refusal("You have used up today's tokens of the assistant.", _seconds_of_day(now))
    return _refusal(f"At most {config.assistant_minute_limit} messages a minute.", _seconds_of_minute(now))


def _refusal(sentence: str, seconds: int) -> TooMany:
    wait = f"{seconds} seconds" if seconds < 120 else f"{seconds // 3600} h {seconds % 3600 // 60} min"
    return TooMany(
        f"{sentence} Try again in {wait}. Commands such as /quote AAPL still work.",
        code="ASSISTANT_LIMIT",
        details={"retry_after": seconds},
    )


def _seconds_of_minute(now: datetime) -> int:
    return 60 - now.second


def _seconds_of_day(now: datetime) -> int:
    return 86_400 - now.hour * 3600 - now.minute * 60 - now.second
