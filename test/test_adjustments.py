"""Cash and shares given and taken by hand: to the cent, in the journal, in balance, noted with their reason."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from conftest import Books
from factories import Person, give_cash, make_user, place
from models import AccountBalance, AuditEntry, LedgerEntry, Portfolio, db
from services.accounts import adjustments, grants, portfolio, snapshots
from services.accounts.verify import verify_books
from services.errors import InvalidInput, NotFound, Refused
from services.idempotency import RequestKey

REASON = "Prize of the week"


def adjust(books: Books, user: Person, admin: Person, amount: str, **more: Any) -> dict[str, Any]:
    return books.run(
        adjustments.adjust_cash,
        user.id,
        Decimal(amount),
        REASON,
        admin.actor,
        market=books.market,
        **({"key": None} | more),
    )


def shares(books: Books, user: Person, admin: Person, quantity: int, price: str | None = None) -> dict[str, Any]:
    cost = None if price is None else Decimal(price)
    return books.run(
        adjustments.adjust_shares, user.id, "AAPL", quantity, cost, REASON, admin.actor, market=books.market, key=None
    )


def cash_of(books: Books, user: Person) -> Decimal:
    with books.session() as session:
        return session.execute(
            select(AccountBalance.available_balance).where(AccountBalance.user_id == user.id)
        ).scalar_one()


def overview(books: Books, user: Person) -> dict[str, Any]:
    with books.session() as session:
        return portfolio.overview(session, books.market, user.id)


def assert_right(books: Books) -> None:
    report = verify_books(db.engine)
    assert report.ok, report.to_dict()


def test_cash_is_given_and_taken_with_its_reason_in_the_journal(books: Books, alice: Person, ada: Person) -> None:
    adjust(books, alice, ada, "100.10")
    answer = adjust(books, alice, ada, "-0.10")
    assert "$100.00" in answer["message"]
    assert cash_of(books, alice) == Decimal("100.00")
    with books.session() as session:
        remarks = session.execute(select(LedgerEntry.remark).where(LedgerEntry.kind == "adjust")).scalars()
        assert set(remarks) == {REASON}
        rows = list(session.execute(select(AuditEntry).order_by(AuditEntry.audit_id)).scalars())
    assert [row.action for row in rows] == ["adjust_cash", "adjust_cash"]
    assert json.loads(rows[0].before) == {"available_balance": "0.00"}
    assert json.loads(rows[0].after) == {"available_balance": "100.10"}
    assert_right(books)


def test_no_more_is_taken_than_there_is(books: Books, alice: Person, ada: Person) -> None:
    adjust(books, alice, ada, "5.00")
    with pytest.raises(Refused):
        adjust(books, alice, ada, "-5.01")
    assert cash_of(books, alice) == Decimal("5.00")
    assert_right(books)


def test_given_shares_cost_the_market_price_and_are_no_profit(books: Books, alice: Person, ada: Person) -> None:
    books.market.set_quote("AAPL", "100.00")
    shares(books, alice, ada, 10)
    figures = overview(books, alice)
    (holding,) = figures["holdings"]
    assert (holding["quantity"], holding["total_cost"]) == (10, Decimal("1000.00"))
    assert figures["total_profit"] == 0
    assert figures["adjustments"] == Decimal("1000.00")
    assert cash_of(books, alice) == 0
    assert_right(books)


def test_taken_shares_leave_with_their_average_cost(books: Books, alice: Person, ada: Person) -> None:
    books.market.set_quote("AAPL", "100.00")
    shares(books, alice, ada, 3, "33.3333")
    shares(books, alice, ada, -1)
    assert overview(books, alice)["holdings"][0]["total_cost"] == Decimal("66.67")
    assert_right(books)
    shares(books, alice, ada, -2)
    with books.session() as session:
        row = session.execute(select(Portfolio).where(Portfolio.user_id == alice.id)).scalar_one()
        assert (row.quantity, row.total_cost, row.average_price) == (0, 0, 0)
    assert_right(books)


def test_shares_for_nothing_and_then_a_trade(books: Books, alice: Person, ada: Person) -> None:
    give_cash(alice, "1000.00", admin=ada, market=books.market)
    books.market.set_quote("AAPL", "50.00")
    shares(books, alice, ada, 4, "0")
    place(alice, "buy", "AAPL", 4, market=books.market, config=books.config)
    place(alice, "sell", "AAPL", 2, market=books.market, config=books.config)
    shares(books, alice, ada, -1)
    assert_right(books)


def test_promised_shares_are_not_taken(books: Books, alice: Person, ada: Person) -> None:
    books.market.set_quote("AAPL", "100.00")
    shares(books, alice, ada, 10)
    place(alice, "sell", "AAPL", 8, "150.00", market=books.market, config=books.config)
    with pytest.raises(Refused, match="2 free shares"):
        shares(books, alice, ada, -3)
    assert_right(books)


@pytest.mark.parametrize(
    ("ticker", "code"), [("^GSPC", "UNKNOWN_TICKER"), ("NOPE", "UNKNOWN_TICKER"), ("MSFT", "NO_PRICE")]
)
def test_shares_that_have_no_price_here_are_refused(
    books: Books, alice: Person, ada: Person, ticker: str, code: str
) -> None:
    with pytest.raises(Refused) as refusal:
        books.run(
            adjustments.adjust_shares, alice.id, ticker, 1, None, REASON, ada.actor, market=books.market, key=None
        )
    assert refusal.value.code == code


def test_a_snapshot_counts_given_shares_as_a_flow(books: Books, alice: Person, ada: Person) -> None:
    books.market.set_quote("AAPL", "100.00")
    adjust(books, alice, ada, "500.00")
    shares(books, alice, ada, 10, "90.00")
    shares(books, alice, ada, -4)
    with books.session() as session:
        accounts = snapshots._accounts(session, books.market.now())
    figures = accounts[alice.id].figures({"AAPL": Decimal("100.00")})
    assert figures.cash == Decimal("500.00")
    assert figures.holdings_value == Decimal("600.00")
    assert figures.holdings_cost == Decimal("540.00")
    assert figures.net_flow == Decimal("1040.00")
    assert figures.equity - figures.net_flow == figures.unrealised_profit


def test_many_get_the_same_at_once_all_or_none(books: Books, alice: Person, bob: Person, ada: Person) -> None:
    give = (Decimal("1000.00"), "Start of term", ada.actor)
    with pytest.raises(NotFound):
        books.run(adjustments.give_to_many, [alice.id, 999], *give, market=books.market, key=None)
    assert cash_of(books, alice) == 0
    answer = books.run(adjustments.give_to_many, [alice.id, bob.id, bob.id], *give, market=books.market, key=None)
    assert answer["given"] == 2
    assert cash_of(books, alice) == cash_of(books, bob) == Decimal("1000.00")
    with books.session() as session:
        assert session.execute(select(func.count(AuditEntry.audit_id))).scalar_one() == 2
    assert_right(books)


def test_a_crowd_gets_its_balance_in_one_unit(books: Books, ada: Person) -> None:
    crowd = [make_user(f"Trader {number}", f"t{number}@example.com").id for number in range(60)]
    give = (Decimal("0.01"), "Start of term", ada.actor)
    books.run(adjustments.give_to_many, crowd, *give, market=books.market, key=None)
    with books.session() as session:
        assert session.execute(select(func.sum(AccountBalance.available_balance))).scalar_one() == Decimal("0.60")
    assert_right(books)


def test_everybody_gets_it_once_although_the_first_try_broke_off_half_way(
    books: Books, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = [make_user(f"Trader {number}", f"t{number}@example.com").id for number in range(6)]
    monkeypatch.setattr(grants, "RANGE", 2)
    key = RequestKey.of("admin:1", "term", "POST /give", b"same")
    give = (Decimal("5.00"), "Start of term", ada.actor)
    with pytest.raises(NotFound):
        grants.give_to_everybody([*crowd, 999], *give, market=books.market, key=key)
    answer = grants.give_to_everybody(crowd, *give, market=books.market, key=key)
    assert (answer["given"], answer["message"]) == (6, "6 traders got $5.00 each.")
    with books.session() as session:
        assert session.execute(select(func.sum(AccountBalance.available_balance))).scalar_one() == Decimal("30.00")
        assert session.execute(select(func.count(AuditEntry.audit_id))).scalar_one() == 6
    assert_right(books)


@pytest.mark.parametrize("amount", ["0", "0.001", "1000000000.01", "-1000000000.01", "x", None, True, "1e3", "NaN"])
def test_wrong_amounts_are_named(amount: Any) -> None:
    with pytest.raises(InvalidInput) as refusal:
        adjustments.parse_change(amount)
    assert "amount" in refusal.value.errors


@pytest.mark.parametrize("quantity", ["0", "1.5", "", None, True, "10000001", "1e3", 2.5, "--1"])
def test_wrong_numbers_of_shares_are_named(quantity: Any) -> None:
    with pytest.raises(InvalidInput) as refusal:
        adjustments.parse_shares(quantity)
    assert "quantity" in refusal.value.errors


@pytest.mark.parametrize(("given", "read"), [("5", 5), ("-5", -5), (7, 7), (-7, -7), (" 12 ", 12)])
def test_numbers_of_shares_are_read(given: Any, read: int) -> None:
    assert adjustments.parse_shares(given) == read
