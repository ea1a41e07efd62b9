"""The one place that commits, rolls back and retries.

A unit of work is a function whose first argument is a session. It runs in a session of its own and either happens
wholly or not at all. Whatever only hit a passing obstacle (a deadlock, a lock time-out, a busy SQLite file) is rolled
back wholly and run again, at most five times. A deadlock must never be caught inside a unit or a savepoint: the
database has already thrown away the whole transaction, and a later commit would succeed with nothing in it.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models import db
from services.errors import Conflict, Unavailable

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 0.01

_PASSING_MYSQL_CODES = {1213: "deadlock", 1205: "lock_timeout", 1020: "row_changed", 1040: "too_many_connections"}
_PASSING_SQLITE_NAMES = ("SQLITE_BUSY", "SQLITE_LOCKED")
# The connection broke: the server went away, was lost during the query, or could not be reached.
_LOST_MYSQL_CODES = frozenset({2002, 2003, 2006, 2013, 2055, 1927, 1053, 1077, 1078, 1079, 1080})

logger = logging.getLogger(__name__)
retries: Counter[str] = Counter()
_sqlite_turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


class KeyTaken(Exception):
    """A twin stored the same idempotency key first: the unit runs again and finds the twin's answer."""


class CommitUnknown(Unavailable):
    """The connection broke while committing, and no idempotency key tells whether it happened."""

    def __init__(self) -> None:
        super().__init__(
            "The connection to the database broke while your request was being stored. "
            "It may or may not have happened: look before you try again.",
            code="COMMIT_UNKNOWN",
        )


def run_unit(
    work: Callable[Concatenate[Session, Parameters], Result],
    *args: Parameters.args,
    **kwargs: Parameters.kwargs,
) -> Result:
    """Run `work(session, *args, **kwargs)` as one transaction and return its result, which must be plain values.

    Needs an application context for its engine. With a keyword `key` (an idempotency key), or `repeatable=True` in the
    attributes of `work` (see `repeatable`), a broken commit is resolved by running the unit again: it then finds what
    the first try stored. Otherwise a broken commit raises CommitUnknown, which is never guessed away.
    Raises Unavailable when the obstacle does not pass or the database is away, and whatever `work` raises.
    """
    answers_twice = kwargs.get("key") is not None or getattr(work, "repeatable", False)
    return _run(writing_engine(db.engine), lambda session: work(session, *args, **kwargs), answers_twice)


def repeatable(work: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Mark a unit that finds by itself what an earlier try already did, so that it may follow a broken commit."""
    work.repeatable = True  # type: ignore[attr-defined]
    return work


def writing_engine(engine: Engine) -> Engine:
    """The view of the engine that units use: BEGIN IMMEDIATE on SQLite, READ COMMITTED on MySQL and MariaDB."""
    return engine.execution_options(writes=True)


def _run(engine: Engine, work: Callable[[Session], Result], answers_twice: bool) -> Result:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _attempt(engine, work, answers_twice)
        except KeyTaken:
            reason = "key_taken"
        except DBAPIError as error:
            reason = passing_obstacle(error) or ("lost" if connection_lost(error) else "")
            if not reason:
                raise
            logger.warning("unit %s: %s, attempt %d of %d", _name(work), reason, attempt, ATTEMPTS)
        retries[reason] += 1
        if attempt < ATTEMPTS:
            time.sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))
    raise _gave_up(reason)


def _attempt(engine: Engine, work: Callable[[Session], Result], answers_twice: bool) -> Result:
    with _turn(engine), Session(engine, expire_on_commit=False) as session:
        result = work(session)
        try:
            session.commit()
        except DBAPIError as error:
            if connection_lost(error) and not answers_twice:
                raise CommitUnknown from error
            raise
        return result


def _turn(engine: Engine) -> AbstractContextManager[object]:
    """SQLite takes one writer at a time. Threads of this process queue here, at a lock that wakes the next one at once,
    instead of at the file, which they could only ask again and again; other processes still meet at the file.
    """
    return _sqlite_turns[str(engine.url)] if engine.dialect.name == "sqlite" else nullcontext()


def passing_obstacle(error: DBAPIError) -> str:
    """Name the passing obstacle behind a database error, or "" when trying again would not help."""
    original = error.orig
    if original is None:
        return ""
    sqlite_name = getattr(original, "sqlite_errorname", "")
    if sqlite_name.startswith(_PASSING_SQLITE_NAMES):
        return "busy"
    return _PASSING_MYSQL_CODES.get(_code(original), "")


def connection_lost(error: DBAPIError) -> bool:
    """Whether the connection broke, so that nobody knows how far the statement came."""
    return error.connection_invalidated or (error.orig is not None and _code(error.orig) in _LOST_MYSQL_CODES)


def _code(original: BaseException) -> int:
    first: Any = original.args[0] if original.args else 0
    return first if isinstance(first, int) else 0


def _gave_up(reason: str) -> Exception:
    if reason in ("lock_timeout", "key_taken"):
        return Conflict(
            "An earlier request of yours is still being worked on. Try again in a moment.",
            code="STILL_WORKING",
        )
    return Unavailable(
        "The database is busy or away. Nothing was changed; try again in a moment.", code="DATABASE_AWAY"
    )


def _name(work: Callable[..., Any]) -> str:
    return getattr(work, "__qualname__", repr(work))
