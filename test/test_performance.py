"""Returns: flows kept out, days linked, the benchmark paid into likewise."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

import factories
from conftest import Books
from factories import Person
from fake_market import NOON
from models import MarketData
from services.accounts import performance, portfolio
from tasks.snapshot_step import SnapshotStep
from utils.datetime_utils import utc_now

DAY = date(2008, 9, 2)


def close_session(books: Books, day: int) -> None:
    """Let the session of that day end, and take its snapshot."""
    books.market.clock.set(datetime(2008, 9, 2, 20, 30, tzinfo=UTC) + timedelta(days=day))
    with books.app.app_context():
        SnapshotStep(books.market, utc_now).run(None)


def summary(books: Books, person: Person) -> dict[str, Any]:
    with books.session() as session:
        overview = portfolio.overview(session, books.market, person.id)
        return performance.summary(session, books.market, person.id, overview)


def history(books: Books, person: Person) -> list[dict[str, Any]]:
    with books.session() as session:
        return performance.history(session, books.market, person.id)


@pytest.fixture
def three_days(books: Books, alice: Person, ada: Person) -> Person:
    """1,000 in, all of it in shares that gain 10 % on the first day; 1,100 more on the second, which loses 5 % of what
    is held; on the third day nothing yet.
    """
    market = books.market
    market.set_quote("AAPL", "100.00")
    factories.give_cash(alice, "1050.00", admin=ada, market=market)
    factories.place(alice, "buy", "AAPL", 10, market=market, config=books.config)
    market.set_quote("AAPL", "110.50")
    close_session(books, 0)
    market.clock.set(NOON + timedelta(days=1))
    factories.give_cash(alice, "1155.00", admin=ada, market=market)
    market.set_quote("AAPL", "99.40")
    close_session(books, 1)
    market.clock.set(NOON + timedelta(days=2))
    market.set_quote("AAPL", "99.40")
    return alice


def test_a_deposit_is_no_profit(books: Books, three_days: Person) -> None:
    days = history(books, three_days)
    assert [day["equity_after"] for day in days] == [Decimal(1155), Decimal(2199), Decimal(2199)]
    assert [day["flows"] for day in days] == [Decimal(1050), Decimal(1155), Decimal(0)]
    assert [day["profit"] for day in days] == [Decimal(105), Decimal(-111), Decimal(0)]


def test_the_time_weighted_return_links_the_days(books: Books, three_days: Person) -> None:
    """1155/1050 = 1.1, then 2199/2310: together 1.0471..., whatever was paid in between."""
    found = summary(books, three_days)
    linked = (Decimal(1155) / 1050) * (Decimal(2199) / 2310)
    assert found["time_weighted_percent"] == round((linked - 1) * 100, 2) == Decimal("4.71")
    assert found["skipped_days"] == 0


def test_profit_on_the_capital_that_was_paid_in(books: Books, three_days: Person) -> None:
    """A loss of 6 on (1050 + 2205 + 2205) / 3 = 1820."""
    assert summary(books, three_days)["capital_percent"] == Decimal("-0.33")


def test_today_counts_from_the_close_before(books: Books, three_days: Person, ada: Person) -> None:
    factories.give_cash(three_days, "1.00", admin=ada, market=books.market)
    books.market.set_quote("AAPL", "101.60")
    found = summary(books, three_days)
    assert found["since"] == DAY + timedelta(days=1)
    assert (found["today"]["profit"], found["today"]["flows"]) == (Decimal("22.00"), Decimal("1.00"))
    assert found["today_percent"] == Decimal("1.00")
    assert found["today"]["holds"]
    assert found["total"]["holds"]


def test_after_the_close_today_is_still_the_day_that_ended(books: Books, three_days: Person) -> None:
    books.market.set_quote("AAPL", "101.60")
    close_session(books, 2)
    found = summary(books, three_days)
    assert found["since"] == DAY + timedelta(days=1)
    assert found["today"]["profit"] == Decimal("22.00")


def test_the_benchmark_is_paid_into_at_the_close_before(books: Books, three_days: Person) -> None:
    with books.session() as session:
        for offset, close in ((-1, "100"), (0, "110"), (1, "99")):
            price = Decimal(close)
            session.add(
                MarketData(
                    ticker="^GSPC",
                    date=DAY + timedelta(days=offset),
                    open=price,
                    high=price,
                    low=price,
                    close=price,
                    adj_close=price,
                    volume=1,
                )
            )
        session.commit()
    # 1050 * 1.1 = 1155; (1155 + 1155) * 0.9 = 2079; the third day has no price yet.
    assert [day["benchmark"] for day in history(books, three_days)] == [Decimal(1155), Decimal(2079), Decimal(2079)]


def test_without_prices_there_is_no_benchmark(books: Books, three_days: Person) -> None:
    assert {day["benchmark"] for day in history(books, three_days)} == {None}


def test_a_day_that_began_with_nothing_is_skipped(books: Books, alice: Person, ada: Person) -> None:
    """All was taken out: nothing can earn anything, and nothing is divided by zero."""
    market = books.market
    factories.give_cash(alice, "100.00", admin=ada, market=market)
    close_session(books, 0)
    market.clock.set(NOON + timedelta(days=1))
    factories.take_cash(alice, "100.00", admin=ada, market=market)
    close_session(books, 1)
    market.clock.set(NOON + timedelta(days=2))
    found = summary(books, alice)
    assert found["skipped_days"] == 2
    assert found["time_weighted_percent"] == 0


def test_before_anything_happened_there_is_nothing_to_tell(books: Books, alice: Person) -> None:
    found = summary(books, alice)
    assert (found["since"], found["time_weighted_percent"], found["capital_percent"]) == (None, None, None)
    assert found["total"]["holds"]
    assert history(books, alice) == []
