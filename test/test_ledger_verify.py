"""`flask ledger verify`: it calls right books right, sees every planted defect, writes nothing. On both databases."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import Connection, Engine, event, select
from sqlalchemy.exc import DBAPIError

from cli.ledger import ledger
from config import Config
from databases import BOTH, Database, open_engine
from factories import list_instruments
from fake_market import FakeMarket
from ledger_book import SETTINGS, Book, write_book
from ledger_damage import Damage
from ledger_defects import DEFECTS, Defect
from models import Base, db, init_db
from services.accounts.verify import check_books, verify_books
from services.accounts.verify.report import MEANINGS
from services.accounts.verify.run import snapshot
from services.accounts.verify.tables import BALANCES, JOURNAL

ONLY_IN_SQLITE = "AMOUNT_NOT_WHOLE"  # other databases have typed columns


@dataclass(frozen=True, slots=True)
class Bed:
    """A book that is right, on one of the databases. Nobody changes it for good."""

    app: Flask
    engine: Engine
    book: Book

    @contextmanager
    def damage(self) -> Iterator[Damage]:
        """Change the book in a transaction that is rolled back."""
        with self.engine.connect() as connection:
            _let_anything_in(connection)
            yield Damage(connection, self.book)
            connection.rollback()


@pytest.fixture(scope="module", params=BOTH)
def bed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    database: Database = request.getfixturevalue(f"{request.param}_database")
    folder = tmp_path_factory.mktemp("bed")
    url = database.fresh(folder)
    app = _application(url)
    engine = open_engine(url)
    event.listen(engine, "connect", _unlock_sqlite)
    with app.app_context():
        list_instruments()
        book = write_book(FakeMarket(), _config(url, folder))
    yield Bed(app, engine, book)
    with app.app_context():
        db.engine.dispose()
    engine.dispose()
    database.used()


def _application(url: str) -> Flask:
    app = Flask("books")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    init_db(app)
    app.cli.add_command(ledger)
    return app


def _config(url: str, folder: Path) -> Config:
    return Config.from_environment(
        {
            "DATABASE_URL": url,
            "INSTANCE_PATH": str(folder),
            "MARKET_SOURCE": "replay",
            "SECRET_KEY": "only-for-tests-0123456789",
            "DEFAULT_ADMIN_PASSWORD": "Only-for-tests-1",
            **SETTINGS,
        }
    )


def _unlock_sqlite(connection: object, _record: object) -> None:
    """Let rows in that break constraints, which SQLite decides before a transaction begins."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA ignore_check_constraints = ON")


def _let_anything_in(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql("SET SESSION foreign_key_checks = 0, check_constraint_checks = 0")


def test_a_book_made_by_the_services_is_right(bed: Bed) -> None:
    report = verify_books(bed.engine)
    assert report.violations == []
    assert all(report.checked.values())
    with bed.engine.connect() as connection:
        assert report.checked["journal_lines"] == len(connection.execute(select(JOURNAL.c.entry_id)).all())


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.sentence.replace(" ", "_"))
def test_a_planted_defect_is_seen(bed: Bed, defect: Defect) -> None:
    with bed.damage() as damage:
        defect.plant(damage)
        report = check_books(damage.connection)
    assert defect.code in report.codes
    assert all(violation.rows and violation.what for violation in report.violations)


def test_every_code_has_been_seen() -> None:
    assert {defect.code for defect in DEFECTS} == MEANINGS.keys() - {ONLY_IN_SQLITE}


def test_half_a_cent_is_seen_where_the_database_lets_it_in(bed: Bed) -> None:
    with bed.damage() as damage:
        if bed.engine.dialect.name == "sqlite":
            damage.connection.exec_driver_sql("UPDATE ledger_entry SET cash = 'much' WHERE entry_id = 1")
            assert check_books(damage.connection).codes == {ONLY_IN_SQLITE}
            return
        with pytest.raises(DBAPIError):
            damage.connection.exec_driver_sql("UPDATE ledger_entry SET cash = 'much'")


def test_of_many_rows_the_first_are_named_and_all_are_counted(bed: Bed) -> None:
    with bed.damage() as damage:
        damage.add(JOURNAL, {"ticker": None}, cash=Decimal("0.01"))
        row = damage.find(JOURNAL, {})
        for sequence in range(1_000, 1_120):
            damage.insert(JOURNAL, row | {"entry_id": sequence, "sequence": sequence})
        report = check_books(damage.connection)
    (violation,) = [violation for violation in report.violations if violation.code == "GROUP_CASH"]
    assert violation.count > 120
    assert len(violation.rows) == 100


def test_it_writes_nothing_and_could_not(bed: Bed) -> None:
    before = _content(bed)
    verify_books(bed.engine)
    with snapshot(bed.engine) as connection, pytest.raises(DBAPIError, match=r"(?i)read.?only"):
        connection.execute(BALANCES.update().values(journal_sequence=0))
    assert _content(bed) == before


def _content(bed: Bed) -> list[object]:
    with bed.engine.connect() as connection:
        return [connection.execute(select(table)).all() for table in Base.metadata.sorted_tables]


def test_it_sees_one_moment_while_others_write(bed: Bed) -> None:
    with snapshot(bed.engine) as connection:
        before = connection.execute(select(JOURNAL.c.entry_id)).all()
        with wrong_for_everybody(bed):
            assert verify_books(bed.engine).codes == {"JOURNAL_SEQUENCE"}
            assert check_books(connection).ok
        assert connection.execute(select(JOURNAL.c.entry_id)).all() == before


@contextmanager
def wrong_for_everybody(bed: Bed) -> Iterator[None]:
    """A defect that is committed, and mended afterwards."""
    change = BALANCES.update().where(BALANCES.c.user_id == bed.book.carol)
    for sequence in (7, 0):
        with bed.engine.begin() as connection:
            connection.execute(change.values(journal_sequence=sequence))
        if sequence:
            yield


def run(app: Flask, *options: str) -> Result:
    return app.test_cli_runner().invoke(args=["ledger", "verify", *options])


def test_the_command_exits_with_0_when_the_books_are_right(bed: Bed) -> None:
    result = run(bed.app)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "24 orders" in result.output
    assert "The books are right." in result.output


def test_the_command_exits_with_1_and_names_codes_and_rows(bed: Bed) -> None:
    with wrong_for_everybody(bed):
        result = run(bed.app)
    assert result.exit_code == 1
    assert "JOURNAL_SEQUENCE" in result.output
    assert f"user_id {bed.book.carol}" in result.output


def test_the_command_answers_in_json(bed: Bed) -> None:
    right = json.loads(run(bed.app, "--json").output)
    assert (right["ok"], right["violations"], right["checked"]["orders"]) == (True, [], 24)
    with wrong_for_everybody(bed):
        wrong = json.loads(run(bed.app, "--json").output)
    (violation,) = wrong["violations"]
    assert wrong["ok"] is False
    assert violation["code"] == "JOURNAL_SEQUENCE"
    assert violation["count"] == 1
    assert violation["rows"][0]["user_id"] == bed.book.carol
    assert violation["rows"][0]["available_balance"] == "0.00"


@pytest.mark.parametrize("url", ["sqlite:///{folder}/nowhere/venue.db", "sqlite:///{folder}/empty.db",
                                 "mysql+pymysql://root:secret@127.0.0.1:1/venue"])  # fmt: skip
def test_the_command_exits_with_2_when_the_books_cannot_be_read(tmp_path: Path, url: str) -> None:
    app = _application(url.format(folder=tmp_path))
    plain, in_json = run(app), run(app, "--json")
    assert (plain.exit_code, in_json.exit_code) == (2, 2)
    assert plain.stderr.startswith("The books could not be checked: ")
    assert "Traceback" not in plain.output
    assert "secret" not in plain.output + in_json.output
    assert json.loads(in_json.stdout)["ok"] is False
