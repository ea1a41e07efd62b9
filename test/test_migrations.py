"""The migrations make exactly what the models say, on every database, and can go back."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateTable

from databases import (
    BOTH,
    ROOT,
    SERVER_URL,
    alembic_config,
    drop_database,
    new_database,
    open_engine,
    require_server,
)
from models import Base


@pytest.fixture(params=BOTH)
def empty_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An engine on an empty database that this test alone uses."""
    yield from empty_database(request.param, tmp_path / "empty.db")


@pytest.fixture
def second_engine(empty_engine: Engine, tmp_path: Path) -> Iterator[Engine]:
    """Another empty database of the same kind."""
    yield from empty_database("sqlite" if empty_engine.dialect.name == "sqlite" else "mariadb", tmp_path / "second.db")


def empty_database(kind: str, path: Path) -> Iterator[Engine]:
    if kind == "sqlite":
        engine = open_engine(f"sqlite:///{path}")
        yield engine
        engine.dispose()
        return
    require_server()
    name = new_database()
    engine = open_engine(f"{SERVER_URL}/{name}")
    yield engine
    engine.dispose()
    drop_database(name)


def test_upgrade_downgrade_upgrade(empty_engine: Engine) -> None:
    config = alembic_config(empty_engine)
    command.upgrade(config, "head")
    tables = set(inspect(empty_engine).get_table_names())
    command.downgrade(config, "base")
    assert inspect(empty_engine).get_table_names() == ["alembic_version"]
    command.upgrade(config, "head")
    assert set(inspect(empty_engine).get_table_names()) == tables == {*Base.metadata.tables, "alembic_version"}


def test_autogenerate_finds_nothing_to_do(empty_engine: Engine) -> None:
    config = alembic_config(empty_engine)
    command.upgrade(config, "head")
    command.check(config)  # raises and lists the differences when there are any


def test_migrated_tables_are_the_models_tables_word_by_word(empty_engine: Engine, second_engine: Engine) -> None:
    """Autogenerate does not look at CHECKs, collations and some options; the database's own words show all of them."""
    command.upgrade(alembic_config(empty_engine), "head")
    Base.metadata.create_all(second_engine)
    migrated, made = words(empty_engine), words(second_engine)
    migrated.pop("alembic_version")
    assert migrated == made


def words(engine: Engine) -> dict[str, list[str]]:
    """How the database itself describes each table: its lines, sorted, since the order of constraints means nothing."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            rows = connection.exec_driver_sql("SELECT tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL").all()
            texts: dict[str, str] = {}
            for table, sql in rows:
                # SQLite quotes the name of a table that a migration has built anew.
                sql = re.sub(r'^CREATE TABLE "(\w+)"', r"CREATE TABLE \1", sql)
                texts[table] = texts.get(table, "") + "\n" + re.sub(r"[ \t]+", " ", sql)
        else:
            names = inspect(connection).get_table_names()
            texts = {name: connection.exec_driver_sql(f"SHOW CREATE TABLE `{name}`").one()[1] for name in names}
    return {table: sorted(line.strip(" ,") for line in text.splitlines()) for table, text in texts.items()}


@pytest.mark.mariadb
def test_tables_are_innodb_and_utf8mb4_whatever_the_defaults_are() -> None:
    for engine in empty_database("mariadb", Path()):
        command.upgrade(alembic_config(engine), "head")
        descriptions = words(engine)
        descriptions.pop("alembic_version")
        for table, lines in descriptions.items():
            last = next(line for line in lines if line.startswith(") ENGINE"))
            assert "ENGINE=InnoDB" in last, table
            assert "CHARSET=utf8mb4" in last, table


def test_there_is_one_line_of_migrations_and_each_says_what_it_does() -> None:
    script = ScriptDirectory(str(ROOT / "migrations"))
    assert len(script.get_heads()) == 1
    assert all(revision.doc for revision in script.walk_revisions())


def test_a_new_migration_names_our_own_types(tmp_path: Path) -> None:
    """It says models.types.Money, not what Money happens to be on the database it was generated on."""
    engine = open_engine(f"sqlite:///{tmp_path / 'empty.db'}")
    config = alembic_config(engine)
    config.set_main_option("version_locations", str(tmp_path))
    command.revision(config, message="all", autogenerate=True, rev_id="1")
    engine.dispose()
    text = (tmp_path / "1_all.py").read_text()
    assert "import models.types" in text
    for name in ("Money()", "Price()", "UTCDateTime()", "exact_string(10)", "exact_text(64)"):
        assert f"models.types.{name}" in text
    assert "VARCHAR" not in text


# MySQL 8: no server can be had here, so the statements are compiled for it and looked at.


def migrations_for_mysql() -> str:
    """The very statements that `flask db upgrade` would send to a MySQL server."""
    written = io.StringIO()
    config = AlembicConfig(ROOT / "migrations" / "alembic.ini", output_buffer=written)
    config.attributes["url"] = "mysql+pymysql://root@127.0.0.1/venue"
    command.upgrade(config, "head", sql=True)
    return written.getvalue()


def models_for_mysql() -> str:
    dialect = mysql.dialect()
    dialect.server_version_info = (8, 0, 36)
    tables = Base.metadata.sorted_tables
    return "".join(f"{CreateTable(table).compile(dialect=dialect)};\n" for table in tables)


@pytest.mark.parametrize("write", [migrations_for_mysql, models_for_mysql])
def test_the_statements_for_mysql(write: Callable[[], str]) -> None:
    statements = [text.strip() for text in write().split(";\n")]
    created = {match.group(1): text for text in statements if (match := re.search(r"CREATE TABLE `?(\w+)`?", text))}
    created.pop("alembic_version", None)
    for text in statements:
        if match := re.search(r"^ALTER TABLE `?(\w+)`? ADD COLUMN", text, re.MULTILINE):
            created[match.group(1)] += f"\n{text}"
    assert set(created) == set(Base.metadata.tables)
    for table, text in created.items():
        assert "ENGINE=InnoDB" in text, table
        assert "CHARSET=utf8mb4" in text, table
        assert not re.search(r"DATETIME(?!\(6\))", text), f"{table} has a time without microseconds"
        for column in Base.metadata.tables[table].columns:
            assert f"COMMENT '{str(column.comment).replace(chr(39), chr(39) * 2)}'" in text, column
    assert "CHARACTER SET ascii COLLATE ascii_bin" in created["orders"]
    assert "CONSTRAINT ck_account_balance_total_balance CHECK" in created["account_balance"]
