"""Daily snapshots: whole, idempotent, the same when taken late; and the identity, to the cent, on random histories."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

import factories
from conftest import Books
from factories import Person
from fake_market import NOON, FakeMarket
from models import AccountSnapshot, MarketData, db
from services.accounts import snapshots
from services.errors import Refused
from services.transaction import run_unit
from tasks.order_processor import OrderProcessor
from utils.datetime_utils import utc_now

TICKERS = ("AAPL", "MSFT", "GOOG")
EVENING = datetime(2008, 9, 2, 20, 30, tzinfo=UTC)
DAY = date(2008, 9, 2)


def stored(books: Books) -> list[AccountSnapshot]:
    query = select(AccountSnapshot).order_by(AccountSnapshot.session_date, AccountSnapshot.user_id)
    with books.session() as session:
        return list(session.scalars(query))


def add_close(books: Books, ticker: str, day: date, close: str) -> None:
    price = Decimal(close)
    with books.session() as session:
        session.add(
            MarketData(
                ticker=ticker, date=day, open=price, high=price, low=price, close=price, adj_close=price, volume=1
            )
        )
        session.commit()


@pytest.fixture
def processor(books: Books) -> OrderProcessor:
    return OrderProcessor(books.app, books.market, books.config, interval=1.0)


@pytest.fixture
def holder(books: Books, alice: Person, ada: Person) -> Person:
    """Alice with 1,000 dollars paid in, of which ten shares at 50 dollars were bought."""
    factories.give_cash(alice, "1000.00", admin=ada, market=books.market)
    books.market.set_quote("AAPL", "50.00")
    factories.place(alice, "buy", "AAPL", 10, market=books.market, config=books.config)
    return alice


def test_a_session_that_closed_leaves_one_row_an_account(
    books: Books, holder: Person, bob: Person, processor: OrderProcessor
) -> None:
    processor.run_pass()
    assert stored(books) == []
    books.market.set_quote("AAPL", "53.00")
    books.market.clock.set(EVENING)
    for _ in range(3):
        processor.run_pass()
    (row,) = stored(books)
    assert (row.user_id, row.session_date) == (holder.id, DAY)
    assert (row.cash, row.holdings_value, row.holdings_cost) == (Decimal(500), Decimal(530), Decimal(500))
    assert (row.net_flow, row.realised_profit, row.commission) == (Decimal(1000), Decimal(0), Decimal(0))


def test_the_stored_close_goes_before_the_newest_quote(books: Books, holder: Person, processor: OrderProcessor) -> None:
    add_close(books, "AAPL", DAY, "52.5000")
    books.market.clock.set(EVENING)
    processor.run_pass()
    assert [row.holdings_value for row in stored(books)] == [Decimal(525)]


def test_a_day_without_a_price_waits_and_then_takes_an_older_close(
    books: Books, holder: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall = datetime(2026, 1, 1, tzinfo=UTC)
    now = [wall]
    processor = OrderProcessor(books.app, books.market, books.config, interval=1.0, clock=lambda: now[0])
    add_close(books, "AAPL", DAY - timedelta(days=1), "40.0000")
    books.market.remove_quote("AAPL")
    books.market.clock.set(EVENING)
    processor.run_pass()
    assert stored(books) == []
    now[0] = wall + timedelta(minutes=11)
    processor.run_pass()
    assert [row.holdings_value for row in stored(books)] == [Decimal(400)]


def test_after_a_rest_every_missing_session_is_caught_up_as_it_was(
    books: Books, holder: Person, ada: Person, processor: OrderProcessor
) -> None:
    """Nothing that happened later changes an earlier day."""
    for offset, close in ((0, "51.0000"), (1, "52.0000"), (2, "53.0000")):
        add_close(books, "AAPL", DAY + timedelta(days=offset), close)
    books.market.clock.set(NOON + timedelta(days=2))
    books.market.set_quote("AAPL", "52.00")
    factories.place(holder, "sell", "AAPL", 4, market=books.market, config=books.config)
    factories.give_cash(holder, "70.00", admin=ada, market=books.market)
    books.market.clock.set(EVENING + timedelta(days=2))
    for _ in range(5):
        processor.run_pass()
    rows = stored(books)
    assert [(row.session_date - DAY).days for row in rows] == [0, 1, 2]
    assert [row.cash + row.holdings_value for row in rows] == [Decimal(1010), Decimal(1020), Decimal(1096)]
    assert [row.realised_profit for row in rows] == [0, 0, Decimal(8)]


def test_two_processors_and_a_repeat_store_each_row_once(books: Books, holder: Person) -> None:
    books.market.clock.set(EVENING)
    closed = snapshots.newest_closed(books.market, EVENING)
    assert closed is not None
    with books.session() as session:
        closing = snapshots.at_close(session, books.market, closed)
    assert [books.run(snapshots.store, closing, utc_now()) for _ in range(2)] == [1, 0]


def test_the_database_refuses_a_row_out_of_balance(books: Books, holder: Person) -> None:
    """MariaDB raises an OperationalError, SQLite an IntegrityError."""
    wrong = snapshots.Closing(DAY, {holder.id: snapshots.Figures(cash=Decimal(1))}, frozenset())
    with pytest.raises(DBAPIError, match=r"identity|CHECK|CONSTRAINT"):
        books.run(snapshots.store, wrong, utc_now())


def test_before_the_first_line_of_the_books_nothing_is_due(books: Books, alice: Person) -> None:
    closed = snapshots.newest_closed(books.market, EVENING)
    assert closed is not None
    with books.session() as session:
        assert snapshots.next_due(session, books.market, closed, None) is None


# The identity.


def change_at_random(chance: Random, books: Books, people: list[Person], ada: Person) -> None:
    """One thing that a trader or an admin may do; what is refused changes nothing."""
    who, ticker = chance.choice(people), chance.choice(TICKERS)
    market: FakeMarket = books.market
    choice = chance.randrange(6)
    if choice == 0:
        factories.give_cash(who, Decimal(chance.randrange(1, 500_000)) / 100, admin=ada, market=market)
        return
    if choice == 1:
        price = Decimal(chance.randrange(100, 2_000_000)) / 10_000
        market.set_quote(ticker, price if price < 1 else round(price, 2))
        return
    side = "buy" if choice in (2, 3) else "sell"
    try:
        if choice == 5:
            _withdraw(who, Decimal(chance.randrange(1, 50_000)) / 100, ada, market)
        else:
            factories.place(who, side, ticker, chance.randrange(1, 60), market=market, config=books.config)
    except Refused:
        pass


def _withdraw(who: Person, amount: Decimal, ada: Person, market: FakeMarket) -> None:
    from services.accounts import funds

    asked = run_unit(funds.request_withdrawal, who.id, amount, market=market, key=None)
    if asked["transaction_id"] % 2:
        run_unit(funds.approve, who.id, asked["transaction_id"], ada.actor, market=market, key=None)


class TestIdentity:
    @pytest.fixture
    def settings(self) -> dict[str, str]:
        return {"COMMISSION_PER_SHARE": "0.0137", "COMMISSION_MINIMUM": "0.35"}

    @pytest.mark.parametrize("seed", range(12))
    def test_change_less_flows_is_what_was_earned_less_commission_on_every_day(
        self, books: Books, alice: Person, bob: Person, ada: Person, processor: OrderProcessor, seed: int
    ) -> None:
        """Each day's row, any two rows, and the last row against the live books."""
        from services.accounts import performance

        chance = Random(seed)
        for ticker in TICKERS:
            books.market.set_quote(ticker, Decimal(chance.randrange(1000, 90_000)) / 100)
        for person in (alice, bob):
            factories.give_cash(person, "1000.00", admin=ada, market=books.market)
        for day in range(4):
            books.market.clock.set(NOON + timedelta(days=day))
            books.market.refresh()
            for _ in range(12):
                change_at_random(chance, books, [alice, bob], ada)
            books.market.clock.set(EVENING + timedelta(days=day))
            for _ in range(2):
                processor.run_pass()
        rows = stored(books)
        assert len({row.session_date for row in rows}) == 4
        for person in (alice, bob):
            days = [snapshots.Figures()] + [
                snapshots.Figures(
                    row.cash,
                    row.holdings_value,
                    row.holdings_cost,
                    row.net_flow,
                    row.realised_profit,
                    row.commission,
                )
                for row in rows
                if row.user_id == person.id
            ]
            for before, after in [*pairwise(days), (days[1], days[-1])]:
                identity = performance.identity(before, after)
                assert identity["profit"] == identity["explained"]
                assert identity["holds"]
            now = performance.live_figures(db.session(), books.market, person.id)
            assert now.equity == days[-1].equity
            assert (now.cash, now.holdings_cost, now.net_flow) == (
                days[-1].cash,
                days[-1].holdings_cost,
                days[-1].net_flow,
            )
            assert performance.identity(days[0], now)["holds"]
            db.session.remove()
