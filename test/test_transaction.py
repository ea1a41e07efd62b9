"""run_unit: what it repeats, what it gives up, and what it never guesses. On both databases."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pymysql
import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from conftest import Books
from factories import Person
from models import AccountBalance, FundTransaction, Setting, User, db
from services import transaction
from services.accounts import funds
from services.errors import Conflict, Refused, Unavailable
from services.idempotency import RequestKey
from services.transaction import CommitUnknown, KeyTaken, run_unit
from utils.datetime_utils import utc_now


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "FIRST_PAUSE_SECONDS", 0)


def deadlock() -> OperationalError:
    return OperationalError("UPDATE", {}, pymysql.err.OperationalError(1213, "Deadlock found"))


def lost_connection() -> OperationalError:
    return OperationalError("COMMIT", {}, pymysql.err.OperationalError(2013, "Lost connection during query"))


def store(session: Session, name: str) -> str:
    session.add(Setting(name=name, value="1", updated_at=utc_now()))
    session.flush()
    return name


def stored(books: Books) -> int:
    with books.session() as session:
        return session.execute(select(func.count()).select_from(Setting)).scalar_one()


class Failing:
    """A unit that stores a row and then fails, the first `times` times."""

    def __init__(self, error: Exception, times: int) -> None:
        self.error, self.times, self.calls = error, times, 0

    def __call__(self, session: Session) -> str:
        self.calls += 1
        store(session, "row")
        if self.calls <= self.times:
            raise self.error
        return "done"


def test_what_a_unit_returns_is_returned_and_its_rows_are_stored(books: Books) -> None:
    assert run_unit(store, "row") == "row"
    assert stored(books) == 1


def test_a_unit_that_raises_leaves_nothing(books: Books) -> None:
    with pytest.raises(ValueError, match="no"):
        run_unit(Failing(ValueError("no"), 1))
    assert stored(books) == 0


def test_a_deadlock_runs_the_whole_unit_again(books: Books) -> None:
    unit = Failing(deadlock(), 4)
    before = transaction.retries["deadlock"]
    assert run_unit(unit) == "done"
    assert (unit.calls, stored(books)) == (5, 1)
    assert transaction.retries["deadlock"] == before + 4


def test_after_five_tries_it_gives_up_and_nothing_is_stored(books: Books) -> None:
    unit = Failing(deadlock(), 99)
    with pytest.raises(Unavailable) as refusal:
        run_unit(unit)
    assert refusal.value.code == "DATABASE_AWAY"
    assert (unit.calls, stored(books)) == (5, 0)


def test_a_twin_that_never_ends_is_told_as_a_conflict(books: Books) -> None:
    with pytest.raises(Conflict) as refusal:
        run_unit(Failing(KeyTaken(), 99))
    assert refusal.value.code == "STILL_WORKING"


def test_an_error_that_trying_again_would_not_help_is_not_repeated(books: Books) -> None:
    unit = Failing(IntegrityError("INSERT", {}, Exception("duplicate")), 99)
    with pytest.raises(IntegrityError):
        run_unit(unit)
    assert unit.calls == 1


@pytest.mark.parametrize("reaches_the_database", [True, False], ids=["it happened", "it did not happen"])
def test_a_commit_that_breaks_is_never_guessed(
    books: Books, monkeypatch: pytest.MonkeyPatch, reaches_the_database: bool
) -> None:
    _break_next_commit(monkeypatch, reaches_the_database)
    with pytest.raises(CommitUnknown, match="may or may not"):
        run_unit(store, "row")
    assert stored(books) == int(reaches_the_database)


@pytest.mark.parametrize("reaches_the_database", [True, False], ids=["it happened", "it did not happen"])
def test_a_broken_commit_with_a_key_is_resolved_by_the_stored_answer(
    books: Books, alice: Person, monkeypatch: pytest.MonkeyPatch, reaches_the_database: bool
) -> None:
    key = RequestKey.of(f"user:{alice.id}", "k", "deposit", b"")
    _break_next_commit(monkeypatch, reaches_the_database)
    answer = run_unit(funds.request_deposit, alice.id, Decimal("5.00"), market=books.market, key=key)
    with books.session() as session:
        assert session.execute(select(FundTransaction.transaction_id)).scalars().all() == [answer["transaction_id"]]


def _break_next_commit(monkeypatch: pytest.MonkeyPatch, reaches_the_database: bool) -> None:
    """Lose the answer to the next commit, after or before it reached the database."""
    really_commit = Session.commit

    def broken(session: Session) -> None:
        monkeypatch.undo()
        if reaches_the_database:
            really_commit(session)
        raise lost_connection()

    monkeypatch.setattr(Session, "commit", broken)


def test_a_connection_that_dies_as_it_is_taken_is_replaced(books: Books) -> None:
    if db.engine.dialect.name == "sqlite":
        return
    before = transaction.retries["lost"]
    event.listen(db.engine, "checkout", lambda dead, *_: _kill_connection(dead), once=True)
    assert run_unit(store, "row") == "row"
    assert (stored(books), transaction.retries["lost"]) == (1, before + 1)


def test_a_connection_that_dies_as_it_is_given_back_takes_nothing_with_it(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    if db.engine.dialect.name == "sqlite":
        return
    really_roll_back = db.engine.dialect.do_rollback

    def roll_back_and_die(connection: Any) -> None:
        really_roll_back(connection)
        _kill_connection(connection)

    monkeypatch.setattr(db.engine.dialect, "do_rollback", roll_back_and_die)
    assert run_unit(store, "row") == "row"
    monkeypatch.undo()
    assert stored(books) == 1


def _kill_connection(connection: Any) -> None:
    """End it at the server, as when the server dies."""
    address = db.engine.url
    with pymysql.connect(host=address.host or "", port=address.port or 3306, user=address.username or "") as another:
        another.cursor().execute(f"KILL {connection.thread_id()}")


def test_units_that_change_one_account_wait_for_each_other(books: Books, alice: Person) -> None:
    """Eight threads add ten dollars fifty times each: nothing is lost, on either database."""

    def work() -> None:
        for _ in range(50):
            books.run(_add_ten, alice.id)

    run_threads([work] * 8)
    with books.session() as session:
        balance = session.execute(select(AccountBalance.available_balance)).scalar_one()
    assert balance == Decimal("4000.00")


def _add_ten(session: Session, user_id: int) -> None:
    from services.accounts import ledger

    opened = ledger.lock_account(session, user_id, utc_now(), utc_now())
    opened.adjust_cash(user_id, Decimal("10.00"), "test")
    opened.write()


def run_threads(works: list[Any]) -> None:
    """Run callables at once and raise the first error of any."""
    errors: list[BaseException] = []

    def guarded(work: Any) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - it is raised again below, in the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_every_sqlite_connection_enforces_foreign_keys_and_full_durability(books: Books) -> None:
    if db.engine.dialect.name != "sqlite":
        return
    with db.engine.connect() as connection:
        pragmas = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("foreign_keys", "synchronous")]
        assert pragmas == [1, 2]
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"


def test_a_writing_unit_takes_the_write_lock_from_its_first_statement(books: Books) -> None:
    if db.engine.dialect.name != "sqlite":
        return
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    run_unit(store, "row")
    assert statements[0] == "BEGIN IMMEDIATE"


def test_a_refusal_passes_through_unchanged(books: Books, alice: Person) -> None:
    with pytest.raises(Refused):
        run_unit(funds.request_withdrawal, alice.id, Decimal("5.00"), market=books.market)
    with books.session() as session:
        assert session.execute(select(func.count()).select_from(User)).scalar_one() == 1
