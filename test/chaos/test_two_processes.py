"""Two operating-system processes that fill the same orders, with and without a lease, and a leader that is paused.

2,000 orders and 20 pauses in `make test-full`, a tenth in `make test`; on both databases.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select

from chaos.matcher import epoch_of
from chaos.processes import spawn
from chaos.venue import tell
from chaos.waiting import pause, until
from conftest import Books
from databases import ROOT
from factories import Person, give_cash, make_user, place
from models import Lease, Order, Transaction
from proof import require_clean
from races import FULL, race, scaled
from services.trading import lease
from tasks.order_processor import LEASE_NAME

pytestmark = pytest.mark.timeout(900)
ORDERS = 2000 if FULL else 100
FEW_ORDERS = 20
PAUSES = scaled(20)
ANSWERS_WITHIN = 300


class Matcher:
    """test/chaos/matcher.py at work."""

    def __init__(self, books: Books, task: str) -> None:
        self._process = spawn(
            [sys.executable, "-m", "chaos.matcher", task, books.config.database_url],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'test'}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def hear(self) -> dict[str, Any]:
        """Its next line."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the matcher ended without a word"
        said: dict[str, Any] = json.loads(line)
        return said

    def go_on(self) -> None:
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def close(self) -> None:
        if not self.ended:
            self._process.kill()
        self._process.communicate(timeout=30)


@contextmanager
def matchers(books: Books, *tasks: str) -> Iterator[list[Matcher]]:
    """Matchers that have read the orders and wait for a word."""
    started = [Matcher(books, task) for task in tasks]
    try:
        for matcher in started:
            assert matcher.hear()["ready"]
        yield started
    finally:
        for matcher in started:
            matcher.close()


def leave_resting(books: Books, admin: Person, orders: int) -> None:
    """Resting buys of 20 traders."""
    books.market.set_quote("AAPL", "100.00")
    traders = [make_user(f"Trader{number}") for number in range(20)]
    for trader in traders:
        give_cash(trader, "1000000.00", admin=admin, market=books.market)

    def leave(number: int) -> None:
        with books.app.app_context():
            place(traders[number % 20], "buy", "AAPL", 1, "90.00", market=books.market, config=books.config)

    assert race([partial(leave, number) for number in range(orders)], threads=4) == {"done": orders}


def require_each_filled_once(books: Books, orders: int) -> None:
    with books.session() as session:
        assert session.execute(select(func.count()).where(Order.order_status == "filled")).scalar_one() == orders
        fills = session.execute(select(Transaction.order_id)).scalars().all()
    assert len(fills) == len(set(fills)) == orders
    require_clean(books)


def test_two_processes_without_a_lease_fill_each_order_once(books: Books, ada: Person) -> None:
    leave_resting(books, ada, ORDERS)
    with matchers(books, "forwards", "backwards") as both:
        for matcher in both:
            matcher.go_on()
        fills = [matcher.hear()["fills"] for matcher in both]
    assert sum(fills) == ORDERS
    require_each_filled_once(books, ORDERS)
    tell(f"two processes without a lease, {books.config.database_url.partition(':')[0]}", orders=ORDERS, fills=fills)


def test_a_leader_paused_past_its_lease_writes_nothing(books: Books, ada: Person) -> None:
    leave_resting(books, ada, FEW_ORDERS)
    with matchers(books, "sleep") as (sleeper,):
        sleeper.signal(signal.SIGSTOP)
        successor = until("the lease has run out", lambda: books.run(lease.acquire, LEASE_NAME, "successor"), 30)
        assert successor is not None
        sleeper.go_on()
        sleeper.signal(signal.SIGCONT)
        assert sleeper.hear() == {"lost": True}
    with books.session() as session:
        assert session.execute(select(func.count()).select_from(Transaction)).scalar_one() == 0
    assert successor.epoch == 2


def test_leaders_that_are_paused_at_any_moment_fill_each_order_once(books: Books, ada: Person) -> None:
    """The leading process is stopped past its lease and woken again, over and over, while it fills."""
    leave_resting(books, ada, ORDERS)
    with matchers(books, "lead", "lead") as both:
        for matcher in both:
            matcher.go_on()
        taken_over = sum(_pause_the_leader(books, both) for _ in range(PAUSES))
        for matcher in both:
            assert matcher.hear()["done"]
    require_each_filled_once(books, ORDERS)
    epochs = _require_epochs_in_order(books)
    tell(
        f"leaders paused, {books.config.database_url.partition(':')[0]}",
        orders=ORDERS,
        pauses=PAUSES,
        taken_over=taken_over,
        epochs_that_filled=len(epochs),
    )


def _pause_the_leader(books: Books, both: list[Matcher]) -> bool:
    """SIGSTOP the one that holds the lease until the other has it, then SIGCONT. Returns whether it was taken over.

    A leader that was stopped inside a transaction may keep the other from the lease: it is woken after a while, and
    what it then commits was still its own.
    """
    leader = until("one of them leads, or all is done", lambda: _leader(books, both), 60)
    epoch = _holder(books)[1]
    leader.signal(signal.SIGSTOP)
    try:
        until("the other one takes over", lambda: leader.ended or _holder(books)[1] > epoch, 3)
    except AssertionError:
        return False
    finally:
        leader.signal(signal.SIGCONT)
    pause(0.1)
    return _holder(books)[1] > epoch


def _leader(books: Books, both: list[Matcher]) -> Matcher | None:
    holder, _ = _holder(books)
    leading = [matcher for matcher in both if matcher.ended or f":{matcher.pid}:" in holder]
    return leading[0] if leading else None


def _holder(books: Books) -> tuple[str, int]:
    with books.session() as session:
        row = session.execute(select(Lease.holder, Lease.epoch)).one_or_none()
        return (row.holder, row.epoch) if row else ("", 0)


def _require_epochs_in_order(books: Books) -> list[int]:
    """Rows are numbered as they are written: no fill of an older epoch comes after one of a newer epoch."""
    with books.session() as session:
        times = session.execute(select(Transaction.market_time).order_by(Transaction.transaction_id)).scalars().all()
    epochs = [epoch_of(moment) for moment in times]
    assert epochs == sorted(epochs)
    assert 0 not in epochs, "somebody filled without a lease"
    return sorted(set(epochs))
