"""A fault at the n-th database call of every money operation, for every n: nothing is ever half done, and the same
request sent again completes once. On both databases. The idea is SQLite's own out-of-memory tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

import pymysql
import pytest
from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from conftest import Books
from factories import Person, give_cash, give_shares, place
from models import IdempotencyKey, Transaction, db
from proof import require_clean
from races import FULL
from services import transaction
from services.accounts import funds
from services.idempotency import RequestKey
from services.trading import matching, orders, replacing
from services.trading.replacing import parse_changes

pytestmark = pytest.mark.timeout(600)
MOST_CALLS = 60
CALLS = range(1, MOST_CALLS) if FULL else range(1, MOST_CALLS, 5)  # every call, or in `make test` every fifth
FAULTS = ("error", "disconnect", "answer lost")


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "FIRST_PAUSE_SECONDS", 0)


@dataclass(slots=True)
class FaultyDatabase:
    """Breaks the n-th call of an engine, once: a statement fails, the connection is cut before it, or, where the n-th
    call is a commit, the commit happens and its answer is lost.
    """

    engine: Engine
    kind: str
    at: int
    calls: int = 0

    def __enter__(self) -> FaultyDatabase:
        event.listen(self.engine, "before_cursor_execute", self._statement)
        event.listen(Session, "after_commit", self._commit)
        return self

    def __exit__(self, *ending: object) -> None:
        event.remove(self.engine, "before_cursor_execute", self._statement)
        event.remove(Session, "after_commit", self._commit)

    @property
    def happened(self) -> bool:
        return self.calls >= self.at

    def _statement(self, connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if not self._is_due() or self.kind == "answer lost":
            return
        if self.kind == "disconnect":
            raw = connection.connection.dbapi_connection
            assert raw is not None
            raw.close()
            connection.invalidate()
        raise _error(2013 if self.kind == "disconnect" else 1105, statement, lost=self.kind == "disconnect")

    def _commit(self, _session: Session) -> None:
        if self._is_due() and self.kind == "answer lost":
            raise _error(2013, "COMMIT", lost=True)

    def _is_due(self) -> bool:
        self.calls += 1
        return self.calls == self.at


def _error(code: int, statement: str, lost: bool) -> OperationalError:
    error = OperationalError(statement, {}, pymysql.err.OperationalError(code, "planted"))
    error.connection_invalidated = lost
    return error


@dataclass(frozen=True, slots=True)
class Stage:
    """What the operations work on: Alice with cash, shares, resting orders and pending requests, and Ada."""

    books: Books
    alice: Person
    ada: Person

    def run(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self.books.run(work, *args, market=self.books.market, **kwargs)

    def order(self, side: str, price: str | None = None, key: RequestKey | None = None) -> dict[str, Any]:
        return place(self.alice, side, "AAPL", 5, price, market=self.books.market, config=self.books.config, key=key)

    def request(self, kind: str) -> int:
        work = funds.request_deposit if kind == "deposit" else funds.request_withdrawal
        number: int = self.run(work, self.alice.id, Decimal("50.00"))["transaction_id"]
        return number


Operation = Callable[[RequestKey], Any]


def _deposit(stage: Stage) -> Operation:
    return lambda key: stage.run(funds.request_deposit, stage.alice.id, Decimal("5.00"), key=key)


def _withdraw(stage: Stage) -> Operation:
    return lambda key: stage.run(funds.request_withdrawal, stage.alice.id, Decimal("5.00"), key=key)


def _market_buy(stage: Stage) -> Operation:
    return lambda key: stage.order("buy", key=key)


def _market_sell(stage: Stage) -> Operation:
    return lambda key: stage.order("sell", key=key)


def _resting_buy(stage: Stage) -> Operation:
    return lambda key: stage.order("buy", "90.00", key=key)


def _resting_sell(stage: Stage) -> Operation:
    return lambda key: stage.order("sell", "120.00", key=key)


def _bracket(stage: Stage) -> Operation:
    exits = {"order_class": "bracket", "take_profit_price": "120.00", "stop_loss_price": "80.00"}
    alice, market, config = stage.alice, stage.books.market, stage.books.config
    return lambda key: place(alice, "buy", "AAPL", 5, market=market, config=config, key=key, **exits)


def _change(stage: Stage) -> Operation:
    order_id = stage.order("buy", "90.00")["order_id"]
    changes = parse_changes({"price": "91.00", "quantity": 7})
    config = stage.books.config
    return lambda key: stage.run(replacing.replace, stage.alice.id, order_id, changes, config=config, key=key)


def _cancel(stage: Stage) -> Operation:
    order_id = stage.order("buy", "90.00")["order_id"]
    return lambda key: stage.run(orders.cancel, stage.alice.id, order_id, key=key)


def _reject_order(stage: Stage) -> Operation:
    order_id = stage.order("sell", "120.00")["order_id"]
    return lambda key: stage.run(orders.reject, stage.alice.id, order_id, stage.ada.actor, "no", key=key)


def _execute_order(stage: Stage) -> Operation:
    order_id = stage.order("buy", "90.00")["order_id"]
    return lambda key: stage.run(orders.execute, stage.alice.id, order_id, stage.ada.actor, key=key)


def _approve(kind: str, stage: Stage) -> Operation:
    number = stage.request(kind)
    return lambda key: stage.run(funds.approve, stage.alice.id, number, stage.ada.actor, key=key)


def _reject(kind: str, stage: Stage) -> Operation:
    number = stage.request(kind)
    return lambda key: stage.run(funds.reject, stage.alice.id, number, stage.ada.actor, "no", key=key)


OPERATIONS: dict[str, Callable[[Stage], Operation]] = {
    "ask for a deposit": _deposit,
    "ask for a withdrawal": _withdraw,
    "buy at market": _market_buy,
    "sell at market": _market_sell,
    "leave a buy": _resting_buy,
    "leave a sell": _resting_sell,
    "buy with a target and a stop": _bracket,
    "change an order": _change,
    "cancel": _cancel,
    "reject an order": _reject_order,
    "execute an order": _execute_order,
    "approve a deposit": partial(_approve, "deposit"),
    "approve a withdrawal": partial(_approve, "withdrawal"),
    "reject a deposit": partial(_reject, "deposit"),
    "reject a withdrawal": partial(_reject, "withdrawal"),
}


@pytest.fixture
def stage(books: Books, alice: Person, ada: Person) -> Stage:
    give_shares(alice, "AAPL", 500, "100.00", admin=ada, market=books.market, config=books.config)
    give_cash(alice, "100000.00", admin=ada, market=books.market)
    return Stage(books, alice, ada)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_fault_at_any_call_leaves_nothing_half_done_and_a_repeat_completes_once(
    stage: Stage, name: str, fault: str
) -> None:
    for at in CALLS:
        operation = OPERATIONS[name](stage)
        key = RequestKey.of(f"user:{stage.alice.id}", f"{name} {fault} {at}", name, b"")
        with FaultyDatabase(db.engine, fault, at) as database:
            first = _attempt(partial(operation, key))
        require_clean(stage.books)
        answer = operation(key)
        assert first in (None, answer)
        assert _times_stored(stage.books, key) == 1
        require_clean(stage.books)
        if not database.happened:
            assert at > 4, "the operation made fewer database calls than it can do with"
            return
    pytest.fail(f"{name} makes more than {MOST_CALLS} database calls")


def _attempt(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except OperationalError:
        return None


def _times_stored(books: Books, key: RequestKey) -> int:
    with books.session() as session:
        stored = select(func.count()).select_from(IdempotencyKey).where(IdempotencyKey.key_hash == key.key_hash)
        return session.execute(stored).scalar_one()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_call_of_a_batch_fills_each_order_once(stage: Stage, fault: str) -> None:
    filled = 0
    for at in CALLS:
        stage.books.market.set_quote("AAPL", "100.00")
        stage.order("buy", "90.00")
        stage.order("buy", "91.00")
        quotes = {"AAPL": stage.books.market.set_quote("AAPL", "80.00")}
        with stage.books.session() as session:
            entries = matching.read_open_orders(session)
        fill = partial(stage.run, matching.fill_batch, entries, quotes, config=stage.books.config)
        with FaultyDatabase(db.engine, fault, at) as database:
            _attempt(fill)
        fill()
        filled += 2
        assert _fills(stage.books) == filled + 1  # the one with which Alice came by her shares
        require_clean(stage.books)
        if not database.happened:
            return
    pytest.fail(f"a batch makes more than {MOST_CALLS} database calls")


def _fills(books: Books) -> int:
    with books.session() as session:
        return session.execute(select(func.count()).select_from(Transaction)).scalar_one()
