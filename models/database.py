"""How connections are opened on each database, so that the same code is safe on both.

SQLite: the driver's own transaction start is switched off, and BEGIN is sent here: plain for reading, IMMEDIATE for a
unit that writes (execution option `writes=True`), because a deferred transaction that turns into a writer fails at once
when another one was quicker. MySQL and MariaDB: strict mode, and short lock waits, since `run_unit` tries again; a unit
that writes is READ COMMITTED. That is said for the one transaction, as its first statement: SQLAlchemy's own
isolation_level is set while a connection is taken and reset while it is given back, where a server that has just died
shows as the driver's error, which nobody expects there, even after the commit.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import make_url

BUSY_TIMEOUT_SECONDS = 10
LOCK_WAIT_SECONDS = 5


def engine_options(url: str) -> dict[str, Any]:
    """The options of create_engine for this database. The pool has room for each of a server's 64 threads and for those
    that work in the background; two such servers still stay below MariaDB's usual 151 connections.
    """
    options: dict[str, Any] = {"pool_size": 20, "max_overflow": 52, "pool_timeout": 10}
    if make_url(url).get_backend_name() == "sqlite":
        options["connect_args"] = {"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False}
        return options
    options["pool_pre_ping"] = True
    options["pool_recycle"] = 1800
    options["connect_args"] = {
        "charset": "utf8mb4",
        "connect_timeout": 5,
        "read_timeout": 60,
        "write_timeout": 60,
        "init_command": (
            f"SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), time_zone = '+00:00', "
            f"innodb_lock_wait_timeout = {LOCK_WAIT_SECONDS}"
        ),
    }
    return options


def prepare_engine(engine: Engine) -> None:
    """Attach the listeners that every connection needs. Called again, it does nothing."""
    if engine.dialect.name != "sqlite":
        if not event.contains(engine, "begin", _begin_mysql):
            event.listen(engine, "begin", _begin_mysql)
    elif not event.contains(engine, "connect", _open_sqlite):
        event.listen(engine, "connect", _open_sqlite)
        event.listen(engine, "begin", _begin_sqlite)


def _open_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    for pragma in ("foreign_keys = ON", "journal_mode = WAL", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _begin_mysql(connection: Connection) -> None:
    if connection.get_execution_options().get("writes", False):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
