"""The databases the tests run on: each is migrated by Alembic to head once a run, and emptied after each test.

Units commit for real, in sessions of their own, so no outer transaction could take their rows back.
"""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path
from typing import Protocol

import pymysql
import pytest
from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Engine, create_engine, delete, make_url, select

from models import AuditEntry, Base
from models.database import engine_options, prepare_engine

ROOT = Path(__file__).resolve().parent.parent
SERVER_URL = "mysql+pymysql://root@127.0.0.1:3306"
UNDER_CI = os.environ.get("CI", "") == "true"

BOTH = ["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)]
both_databases = pytest.mark.parametrize("database", BOTH, indirect=True)


class Database(Protocol):
    """A migrated database. `fresh` hands out the address of an empty one, `used` takes it back."""

    def fresh(self, folder: Path) -> str: ...

    def used(self) -> None: ...

    def close(self) -> None: ...


def open_engine(url: str) -> Engine:
    """An engine with the same connections as the application's."""
    engine = create_engine(url, **engine_options(url))
    prepare_engine(engine)
    return engine


def alembic_config(engine: Engine) -> AlembicConfig:
    """Alembic's configuration for this engine instead of the application's."""
    config = AlembicConfig(ROOT / "migrations" / "alembic.ini")
    config.attributes["engine"] = engine
    return config


def migrate(url: str) -> None:
    """Bring a database to the newest migration."""
    engine = open_engine(url)
    command.upgrade(alembic_config(engine), "head")
    engine.dispose()


class SqliteDatabase:
    """One migrated file, copied for each test."""

    def __init__(self, folder: Path) -> None:
        self._template = folder / "template.db"
        migrate(f"sqlite:///{self._template}")

    def fresh(self, folder: Path) -> str:
        copy = folder / "test.db"
        shutil.copyfile(self._template, copy)
        return f"sqlite:///{copy}"

    def used(self) -> None:
        """The copy goes with the test's folder."""

    def close(self) -> None:
        """The template goes with the run's folder."""


class MariaDatabase:
    """One database of the server, with a name of its own for each run, dropped at the end."""

    def __init__(self) -> None:
        self.name = new_database()
        self._url = f"{SERVER_URL}/{self.name}"
        migrate(self._url)
        self._engine = open_engine(self._url)

    def fresh(self, folder: Path) -> str:
        return self._url

    def used(self) -> None:
        """Empty the tables. DELETE, since TRUNCATE makes each table anew and takes seconds in all."""
        with self._engine.begin() as connection:
            # Orders name other orders, and no order of deleting suits all of them.
            connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")
            for table in reversed(Base.metadata.sorted_tables):
                if table is not AuditEntry.__table__:
                    connection.execute(delete(table))
            if connection.execute(select(AuditEntry.audit_id).limit(1)).first():
                # Its triggers refuse DELETE, as they should.
                connection.exec_driver_sql("TRUNCATE audit_entry")
            connection.exec_driver_sql("SET SESSION foreign_key_checks = 1")

    def close(self) -> None:
        self._engine.dispose()
        drop_database(self.name)


def new_database() -> str:
    """Make an empty database with a name of its own. Its default character set is the wrong one on purpose: the
    migrations must not depend on it.
    """
    name = f"venue_test_{uuid.uuid4().hex[:12]}"
    _on_server(f"CREATE DATABASE `{name}` CHARACTER SET latin1")
    return name


def drop_database(name: str) -> None:
    _on_server(f"DROP DATABASE IF EXISTS `{name}`")


def _on_server(statement: str) -> None:
    url = make_url(SERVER_URL)
    with pymysql.connect(host=url.host or "", port=url.port or 0, user=url.username or "") as connection:
        connection.cursor().execute(statement)


def require_server() -> None:
    """Skip the test, saying why, when no MariaDB answers; under CI that is a failure."""
    try:
        _on_server("SELECT 1")
    except pymysql.err.OperationalError as error:
        give_up(f"no MariaDB answers at {SERVER_URL}: {error}")


def give_up(reason: str) -> None:
    """Skip the test; under CI, where nothing may be left out, fail it."""
    if UNDER_CI:
        pytest.fail(reason)
    pytest.skip(reason)
