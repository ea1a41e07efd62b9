"""The order processor, step by step: what a pass fills, what it leaves, and who may run it. On both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select, update

from conftest import Books
from factories import Person, give_cash, place
from fake_market import FakeClock
from models import AccountBalance, Lease, Order, Portfolio, Transaction
from services.trading import lease, matching, orders
from services.trading.lease import LeaseLost, Tenure
from tasks.order_processor import LEASE_NAME, OrderProcessor


@pytest.fixture
def rich_alice(books: Books, alice: Person, ada: Person) -> Person:
    """Alice with $10,000.00."""
    give_cash(alice, "10000.00", admin=ada, market=books.market)
    books.market.set_quote("AAPL", "100.00")
    return alice


@pytest.fixture
def wall() -> FakeClock:
    """The processor's wall clock."""
    return FakeClock(datetime(2026, 11, 22, tzinfo=UTC))


@pytest.fixture
def processor(books: Books, wall: FakeClock) -> Iterator[OrderProcessor]:
    return OrderProcessor(books.app, books.market, books.config, interval=1.0, clock=wall)


def limit_buy(books: Books, user: Person, price: str, quantity: int = 10) -> int:
    answer = place(user, "buy", "AAPL", quantity, price, market=books.market, config=books.config)
    assert answer["order_status"] == "pending"
    number: int = answer["order_id"]
    return number


def status(books: Books, order_id: int) -> str:
    with books.session() as session:
        return session.execute(select(Order.order_status).where(Order.order_id == order_id)).scalar_one()


def fills(books: Books) -> list[tuple[int, Decimal, int]]:
    with books.session() as session:
        columns = (Transaction.order_id, Transaction.transaction_price, Transaction.transaction_quantity)
        return [tuple(row) for row in session.execute(select(*columns).order_by(Transaction.transaction_id))]


def test_a_resting_buy_fills_when_the_price_gets_there(
    books: Books, rich_alice: Person, processor: OrderProcessor
) -> None:
    order_id = limit_buy(books, rich_alice, "90.00")
    assert processor.run_pass() == 0
    books.market.set_quote("AAPL", "89.50")
    assert processor.run_pass() == 1
    assert status(books, order_id) == "filled"
    assert fills(books) == [(order_id, Decimal("89.5000"), 10)]
    with books.session() as session:
        balance = session.execute(select(AccountBalance).where(AccountBalance.user_id == rich_alice.id)).scalar_one()
        assert (balance.available_balance, balance.frozen_balance) == (Decimal("9105.00"), Decimal("0.00"))


def test_an_order_fills_once_however_often_the_price_stays_there(
    books: Books, rich_alice: Person, processor: OrderProcessor
) -> None:
    limit_buy(books, rich_alice, "90.00")
    books.market.set_quote("AAPL", "90.00")
    assert [processor.run_pass(), processor.run_pass()] == [1, 0]
    assert len(fills(books)) == 1


def test_orders_that_come_later_are_seen_at_the_next_pass(
    books: Books, rich_alice: Person, processor: OrderProcessor
) -> None:
    processor.run_pass()
    limit_buy(books, rich_alice, "90.00")
    books.market.set_quote("AAPL", "90.00")
    assert processor.run_pass() == 1


def test_a_market_order_sent_while_closed_fills_at_the_next_open(
    books: Books, rich_alice: Person, processor: OrderProcessor
) -> None:
    books.market.close()
    place(rich_alice, "buy", "AAPL", 10, market=books.market, config=books.config)
    assert processor.run_pass() == 0
    books.market.reopen()
    books.market.clock.advance(hours=1)
    books.market.set_quote("AAPL", "101.00")
    assert processor.run_pass() == 1
    assert fills(books)[0][1] == Decimal("101.0000")


def test_a_stale_price_fills_nothing(books: Books, rich_alice: Person, processor: OrderProcessor) -> None:
    limit_buy(books, rich_alice, "90.00")
    books.market.set_quote("AAPL", "80.00")
    books.market.clock.advance(seconds=91)
    assert processor.run_pass() == 0
    books.market.refresh()
    assert processor.run_pass() == 1


def test_a_cancelled_order_is_not_filled_though_the_book_still_knows_it(
    books: Books, rich_alice: Person, processor: OrderProcessor
) -> None:
    order_id = limit_buy(books, rich_alice, "90.00")
    processor.run_pass()
    books.run(orders.cancel, rich_alice.id, order_id, market=books.market)
    assert order_id in processor.book
    books.market.set_quote("AAPL", "80.00")
    assert processor.run_pass() == 0
    assert order_id not in processor.book


def test_better_prices_fill_first_and_then_older_orders(
    books: Books, rich_alice: Person, processor: OrderProcessor
) -> None:
    low, first, second = (limit_buy(books, rich_alice, price) for price in ("85.00", "90.00", "90.00"))
    books.market.set_quote("AAPL", "80.00")
    processor.run_pass()
    assert [order_id for order_id, _, _ in fills(books)] == [first, second, low]


def test_many_traders_fill_in_one_batch(
    books: Books, rich_alice: Person, bob: Person, ada: Person, processor: OrderProcessor
) -> None:
    give_cash(bob, "1000.00", admin=ada, market=books.market)
    limit_buy(books, rich_alice, "90.00")
    limit_buy(books, bob, "91.00")
    books.market.set_quote("AAPL", "80.00")
    assert processor.run_pass() == 2
    with books.session() as session:
        held = session.execute(select(Portfolio.user_id, Portfolio.quantity)).all()
    assert {tuple(row) for row in held} == {(rich_alice.id, 10), (bob.id, 10)}


def test_a_poison_order_is_set_aside_and_the_others_go_on(
    books: Books, rich_alice: Person, processor: OrderProcessor, wall: FakeClock
) -> None:
    poison, good = limit_buy(books, rich_alice, "91.00"), limit_buy(books, rich_alice, "90.00")
    _set_reserved(books, poison, "0.00")
    books.market.set_quote("AAPL", "80.00")
    assert processor.run_pass() == 1
    assert (status(books, poison), status(books, good)) == ("pending", "filled")
    assert poison not in processor.book
    _set_reserved(books, poison, "910.00")
    wall.advance(seconds=61)
    assert processor.run_pass() == 1
    assert status(books, poison) == "filled"


def _set_reserved(books: Books, order_id: int, amount: str) -> None:
    """Damage an order, or mend it, behind the ledger's back."""
    with books.session() as session:
        session.execute(update(Order).where(Order.order_id == order_id).values(reserved_amount=Decimal(amount)))
        session.commit()


def test_the_book_is_mended_from_the_database_every_minute(
    books: Books, rich_alice: Person, processor: OrderProcessor, wall: FakeClock
) -> None:
    order_id = limit_buy(books, rich_alice, "90.00")
    processor.run_pass()
    processor.book.remove(order_id)
    wall.advance(seconds=61)
    processor.run_pass()
    assert order_id in processor.book


def test_a_second_processor_waits_while_the_first_holds_the_lease(books: Books, rich_alice: Person) -> None:
    limit_buy(books, rich_alice, "90.00")
    books.market.set_quote("AAPL", "80.00")
    first, second = (OrderProcessor(books.app, books.market, books.config, interval=1.0) for _ in range(2))
    assert first.hold_lease()
    assert second.run_pass() == 0
    assert not second.leads
    assert first.run_pass() == 1


def test_an_expired_lease_is_taken_over_and_the_paused_leader_writes_nothing(books: Books, rich_alice: Person) -> None:
    order_id = limit_buy(books, rich_alice, "90.00")
    entries = _open_orders(books)
    old = books.run(lease.acquire, LEASE_NAME, "first", timedelta(seconds=-1))
    new = books.run(lease.acquire, LEASE_NAME, "second")
    assert old is not None
    assert new == replace(old, epoch=old.epoch + 1)
    quotes = {"AAPL": books.market.set_quote("AAPL", "80.00")}
    with pytest.raises(LeaseLost):
        books.run(matching.fill_batch, entries, quotes, market=books.market, config=books.config, tenure=old)
    assert status(books, order_id) == "pending"
    assert (
        books.run(matching.fill_batch, entries, quotes, market=books.market, config=books.config, tenure=new).fills == 1
    )


def test_a_leader_that_lost_its_lease_forgets_its_book(
    books: Books, rich_alice: Person, processor: OrderProcessor
) -> None:
    limit_buy(books, rich_alice, "90.00")
    processor.run_pass()
    with books.session() as session:
        session.execute(update(Lease).values(epoch=Lease.epoch + 1, holder="another"))
        session.commit()
    books.market.set_quote("AAPL", "80.00")
    assert processor.run_pass() == 0
    assert not processor.leads
    assert len(processor.book) == 0


def test_a_leader_that_lost_its_lease_in_the_middle_of_a_pass_ends_the_pass(
    books: Books, rich_alice: Person, processor: OrderProcessor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of the batches that come after the first one may run without an epoch."""
    for _ in range(3):
        limit_buy(books, rich_alice, "90.00", 1)
    monkeypatch.setattr(matching, "batches", lambda entries: [[entry] for entry in entries])
    assert processor.hold_lease()
    processor.top_up()
    with books.session() as session:
        session.execute(update(Lease).values(epoch=Lease.epoch + 1, holder="another"))
        session.commit()
    books.market.set_quote("AAPL", "80.00")
    assert processor.run_pass() == 0
    assert not processor.leads
    assert fills(books) == []


def test_handing_the_lease_back_lets_the_next_one_start_at_once(books: Books) -> None:
    first = books.run(lease.acquire, LEASE_NAME, "first")
    assert isinstance(first, Tenure)
    books.run(lease.give_back, first, "first")
    assert books.run(lease.acquire, LEASE_NAME, "second") is not None


def test_the_same_batch_run_twice_fills_once(books: Books, rich_alice: Person) -> None:
    """A batch may follow a broken commit of itself."""
    limit_buy(books, rich_alice, "90.00")
    entries = _open_orders(books)
    quotes: dict[str, Any] = {"AAPL": books.market.set_quote("AAPL", "80.00")}
    reports = [
        books.run(matching.fill_batch, entries, quotes, market=books.market, config=books.config) for _ in range(2)
    ]
    assert [report.fills for report in reports] == [1, 0]
    with books.session() as session:
        assert session.execute(select(func.count()).select_from(Transaction)).scalar_one() == 1


def _open_orders(books: Books) -> list[matching.BookEntry]:
    with books.session() as session:
        return matching.read_open_orders(session)
