"""The figures of the admins' dashboard, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import update

from conftest import Books
from factories import Person, give_cash, give_shares, place
from models import FundTransaction, Order, User
from services import activity
from services.accounts import funds, totals
from utils.datetime_utils import utc_now
from utils.logs import errors_since


def aged(books: Books, model: type, **age: float) -> None:
    """Make every row of a table that much older."""
    books.run(lambda session: session.execute(update(model).values(created_at=utc_now() - timedelta(**age))))


def ask(books: Books, user: Person, amount: str = "100.00") -> int:
    answer = books.run(funds.request_deposit, user.id, Decimal(amount), market=books.market)
    number: int = answer["transaction_id"]
    return number


def test_growth_counts_only_what_is_new(books: Books, alice: Person) -> None:
    ask(books, alice)
    aged(books, FundTransaction, hours=25)
    aged(books, User, hours=25)
    ask(books, alice)
    with books.session() as session:
        grown = activity.new_since(session, utc_now() - activity.DAY)
    assert grown == {"users": 0, "orders": 0, "fund_transactions": 1, "deposits": 1, "withdrawals": 0}


def test_the_chart_has_every_day_also_those_without_anything(books: Books, alice: Person) -> None:
    ask(books, alice)
    aged(books, FundTransaction, days=3)
    now = utc_now()
    ask(books, alice)
    with books.session() as session:
        days = activity.daily(session, now)
    assert len(days) == 30
    assert days[-1]["date"] == now.date().isoformat()
    by_day = {day["date"]: day for day in days}
    assert by_day[(now - timedelta(days=3)).date().isoformat()]["deposits"] == 1
    assert (days[-1]["deposits"], days[-1]["fund_transactions"], days[-1]["users"]) == (1, 1, 1)
    assert sum(day["deposits"] for day in days) == 2


def test_hours_count_orders_and_fills(books: Books, alice: Person, ada: Person) -> None:
    give_shares(alice, "AAPL", 10, "50.00", admin=ada, market=books.market, config=books.config)
    place(alice, "sell", "AAPL", 1, "51.00", market=books.market, config=books.config)
    with books.session() as session:
        hours = activity.hourly(session, utc_now())
    assert len(hours) == 24
    assert (sum(hour["orders"] for hour in hours), sum(hour["fills"] for hour in hours)) == (2, 1)


def test_what_waits_is_told_with_its_sum_and_the_oldest(books: Books, alice: Person, ada: Person) -> None:
    oldest = ask(books, alice, "10.00")
    old = utc_now() - timedelta(days=2)
    books.run(
        lambda session: session.execute(
            update(FundTransaction).where(FundTransaction.transaction_id == oldest).values(created_at=old)
        )
    )
    ask(books, alice, "5.00")
    decided = ask(books, alice, "1.00")
    books.run(funds.approve, alice.id, decided, ada.actor, market=books.market)
    with books.session() as session:
        waiting = activity.waiting(session)
    assert waiting["deposit"] == {"number": 2, "amount": Decimal("15.00"), "oldest": old}
    assert waiting["withdrawal"]["number"] == 0
    assert waiting["orders"] == {"number": 0, "amount": None, "oldest": None}


def test_money_in_the_system_is_cash_and_holdings_at_market(
    books: Books, alice: Person, bob: Person, ada: Person
) -> None:
    give_shares(alice, "AAPL", 10, "50.00", admin=ada, market=books.market, config=books.config)
    give_cash(bob, "100.00", admin=ada, market=books.market)
    books.run(funds.request_withdrawal, bob.id, Decimal("30.00"), market=books.market)
    books.market.set_quote("AAPL", "60.00")
    with books.session() as session:
        found = totals.totals(session, books.market)
    assert (found.frozen, found.holdings, found.unpriced) == (Decimal("30.00"), Decimal("600.00"), ())
    assert found.all == found.cash + Decimal("600.00")
    books.market.remove_quote("AAPL")
    with books.session() as session:
        assert totals.totals(session, books.market).unpriced == ("AAPL",)


def test_most_traded_counts_fills(books: Books, alice: Person, ada: Person) -> None:
    for ticker, times in (("AAPL", 1), ("MSFT", 2)):
        for _ in range(times):
            give_shares(alice, ticker, 10, "50.00", admin=ada, market=books.market, config=books.config)
    with books.session() as session:
        found = activity.most_traded(session, utc_now() - activity.DAY)
    assert [(row["ticker"], row["fills"], row["shares"]) for row in found] == [("MSFT", 2, 20), ("AAPL", 1, 10)]
    assert found[0]["amount"] == Decimal("1000.00")


def test_open_orders_wait_too(books: Books, alice: Person, ada: Person) -> None:
    give_cash(alice, "1000.00", admin=ada, market=books.market)
    books.market.set_quote("AAPL", "50.00")
    number = place(alice, "buy", "AAPL", 1, "40.00", market=books.market, config=books.config)["order_id"]
    with books.session() as session:
        waiting = activity.waiting(session)["orders"]
        placed = session.get_one(Order, number).created_at
    assert (waiting["number"], waiting["oldest"]) == (1, placed)


@pytest.mark.parametrize("ends", ["\n", ""])
def test_errors_of_the_log_are_counted_from_a_moment_on(tmp_path: Path, ends: str) -> None:
    assert errors_since(tmp_path, datetime(2026, 1, 1, tzinfo=UTC)) == (0, [])
    lines = [
        "2026-01-01T10:00:00.000Z ERROR [-] a: too old",
        "2026-01-02T10:00:00.000Z ERROR [-] a: first",
        "    [-] Traceback (most recent call last):",
        "2026-01-02T11:00:00.000Z ERROR [-] a: second",
    ]
    (tmp_path / "error.log").write_text("\n".join(lines) + ends, encoding="utf-8")
    count, newest = errors_since(tmp_path, datetime(2026, 1, 1, 12, tzinfo=UTC))
    assert count == 2
    assert [line.rpartition(" ")[2] for line in newest] == ["second", "first"]
