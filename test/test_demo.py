"""A made-up venue: as large as asked for, with right books, on both databases."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from sqlalchemy import func, select

from conftest import Books
from factories import PASSWORD_HASH, Person
from models import AccountBalance, AccountSnapshot, FundTransaction, LedgerEntry, Order, Transaction, User, db
from services.accounts.verify import verify_books
from services.demo.fill import Size, fill_venue
from services.demo.past import PastMarket, read_past
from services.errors import Refused
from services.market import bars
from utils.market_source import Bar, SourceName

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def store_bars(books: Books, days: int = 12) -> None:
    """Bars of weekdays before September 2008."""
    weekdays = [day for n in range(days * 2) if (day := date(2008, 8, 29) - timedelta(days=n)).weekday() < 5][:days]
    prices = [Decimal(price) for price in ("100.00", "110.00", "90.00", "105.00", "105.00")]
    made = [Bar(ticker, day, *prices, 1_000_000) for ticker in ("AAPL", "MSFT") for day in weekdays]
    books.run(bars.store, made, NOW)


def past_of(books: Books, source: SourceName = "replay", days: int = 10) -> PastMarket:
    with books.session() as session:
        return read_past(session, source, days, random.Random(5))


def filled(books: Books, ada: Person, size: Size, source: SourceName = "replay") -> dict[str, int]:
    """Fill and answer how many of everything the tool said it made."""
    made: dict[str, int] = {}
    fill_venue(
        size,
        past_of(books, source),
        config=books.config,
        admin_id=ada.id,
        password_hash=PASSWORD_HASH,
        wall_time=NOW,
        report=made.__setitem__,
    )
    return made


def counted(books: Books, *models: type) -> list[int]:
    with books.session() as session:
        return [session.execute(select(func.count()).select_from(model)).scalar_one() for model in models]


@pytest.mark.parametrize("size", [Size(30, 200, 90), Size(7, 41, 3), Size(1, 5, 0)])
def test_the_venue_has_the_size_asked_for_and_right_books(books: Books, ada: Person, size: Size) -> None:
    store_bars(books)
    made = filled(books, ada, size)
    assert counted(books, User, Order, FundTransaction) == [size.users, size.orders, size.requests]
    assert made == {"users": size.users, "orders": size.orders, "requests": size.requests}
    assert verify_books(db.engine).violations == []


def test_the_accounts_have_their_past_at_once(books: Books, ada: Person) -> None:
    """Also beside a server that runs, whose order processor has already looked for snapshots to take."""
    store_bars(books)
    filled(books, ada, Size(5, 60, 10))
    with books.session() as session:
        days = dict(
            session.execute(select(AccountSnapshot.user_id, func.count()).group_by(AccountSnapshot.user_id)).all()
        )
        last = session.scalars(select(AccountSnapshot).where(AccountSnapshot.session_date == date(2008, 8, 29))).all()
        cash = sum(session.scalars(select(AccountBalance.available_balance + AccountBalance.frozen_balance)))
    assert len(days) == 5
    assert max(days.values()) == 10
    assert sum(row.cash for row in last) == cash


def test_every_kind_of_ending_occurs(books: Books, ada: Person) -> None:
    store_bars(books)
    filled(books, ada, Size(40, 500, 150))
    with books.session() as session:
        statuses = set(session.scalars(select(Order.order_status)))
        decided = set(session.scalars(select(FundTransaction.status)))
        sides = set(session.scalars(select(Transaction.transaction_type)))
    assert statuses >= {"pending", "filled", "cancelled", "expired", "rejected"}
    assert decided == {"pending", "approved", "rejected"}
    assert sides == {"buy", "sell"}


def test_each_journal_tells_its_story_in_the_order_of_time(books: Books, ada: Person) -> None:
    store_bars(books)
    filled(books, ada, Size(10, 120, 40))
    with books.session() as session:
        lines = session.execute(
            select(LedgerEntry.user_id, LedgerEntry.created_at, LedgerEntry.market_time).order_by(
                LedgerEntry.user_id, LedgerEntry.sequence
            )
        ).all()
    for before, after in pairwise(lines):
        if before.user_id == after.user_id:
            assert before.created_at <= after.created_at
    assert all(line.created_at < NOW and line.market_time < datetime(2008, 9, 1, tzinfo=UTC) for line in lines)


def test_on_live_prices_both_clocks_are_the_same(books: Books, ada: Person) -> None:
    store_bars(books)
    filled(books, ada, Size(5, 30, 5), source="yfinance")
    with books.session() as session:
        times = session.execute(select(Order.created_at, Order.accepted_at)).all()
    assert all(created == accepted for created, accepted in times)


def test_a_second_filling_adds_to_the_first(books: Books, ada: Person) -> None:
    store_bars(books)
    filled(books, ada, Size(5, 10, 5))
    filled(books, ada, Size(5, 10, 5))
    assert counted(books, User, Order) == [10, 20]
    assert verify_books(db.engine).violations == []


def test_without_prices_it_says_what_to_do(books: Books, ada: Person) -> None:
    with pytest.raises(Refused, match="flask market sync"):
        past_of(books)
