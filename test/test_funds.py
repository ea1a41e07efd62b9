"""Deposits and withdrawals: asked for by traders, decided by admins, once. On both databases."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import func, select

from conftest import Books
from factories import Person, give_cash
from models import AccountBalance, AccountEvent, FundTransaction, LedgerEntry
from services.accounts import funds
from services.errors import InvalidInput, NotFound, Refused
from services.idempotency import RequestKey
from services.trading.order_states import IllegalMove


def ask(books: Books, user: Person, kind: str, amount: str, key: RequestKey | None = None) -> int:
    work = funds.request_deposit if kind == "deposit" else funds.request_withdrawal
    answer = books.run(work, user.id, Decimal(amount), market=books.market, key=key)
    number: int = answer["transaction_id"]
    return number


def cash(books: Books, user: Person) -> tuple[Decimal, Decimal]:
    with books.session() as session:
        columns = (AccountBalance.available_balance, AccountBalance.frozen_balance)
        return session.execute(select(*columns).where(AccountBalance.user_id == user.id)).one()


def row(books: Books, number: int) -> FundTransaction:
    with books.session() as session:
        return session.get_one(FundTransaction, number)


def test_a_deposit_arrives_when_an_admin_approves(books: Books, alice: Person, ada: Person) -> None:
    number = ask(books, alice, "deposit", "100000.00")
    assert cash(books, alice) == (0, 0)
    books.run(funds.approve, alice.id, number, ada.actor, market=books.market)
    assert cash(books, alice) == (Decimal("100000.00"), 0)
    assert (row(books, number).status, row(books, number).operator_id) == ("approved", ada.id)


def test_a_rejected_deposit_never_arrives_and_says_why(books: Books, alice: Person, ada: Person) -> None:
    number = ask(books, alice, "deposit", "100.00")
    books.run(funds.reject, alice.id, number, ada.actor, "too early", market=books.market)
    assert cash(books, alice) == (0, 0)
    assert (row(books, number).status, row(books, number).remark) == ("rejected", "too early")


def test_a_withdrawal_is_frozen_from_the_request_on(books: Books, alice: Person, ada: Person) -> None:
    give_cash(alice, "500.00", admin=ada, market=books.market)
    number = ask(books, alice, "withdrawal", "200.00")
    assert cash(books, alice) == (Decimal("300.00"), Decimal("200.00"))
    books.run(funds.approve, alice.id, number, ada.actor, market=books.market)
    assert cash(books, alice) == (Decimal("300.00"), 0)


def test_a_rejected_withdrawal_is_available_again(books: Books, alice: Person, ada: Person) -> None:
    give_cash(alice, "500.00", admin=ada, market=books.market)
    number = ask(books, alice, "withdrawal", "200.00")
    books.run(funds.reject, alice.id, number, ada.actor, "no", market=books.market)
    assert cash(books, alice) == (Decimal("500.00"), 0)


def test_nobody_withdraws_more_than_is_available(books: Books, alice: Person, ada: Person) -> None:
    give_cash(alice, "500.00", admin=ada, market=books.market)
    ask(books, alice, "withdrawal", "400.00")
    with pytest.raises(Refused, match=r"\$100\.00 are available"):
        ask(books, alice, "withdrawal", "100.01")
    with books.session() as session:
        assert session.execute(select(func.count()).select_from(FundTransaction)).scalar_one() == 2


@pytest.mark.parametrize("second", ["approve", "reject"])
@pytest.mark.parametrize("first", ["approve", "reject"])
def test_a_request_is_decided_once(books: Books, alice: Person, ada: Person, first: str, second: str) -> None:
    number = ask(books, alice, "deposit", "100.00")

    def decide(how: str) -> None:
        if how == "approve":
            books.run(funds.approve, alice.id, number, ada.actor, market=books.market)
        else:
            books.run(funds.reject, alice.id, number, ada.actor, "no", market=books.market)

    decide(first)
    settled = cash(books, alice)
    with pytest.raises(IllegalMove, match="already"):
        decide(second)
    assert cash(books, alice) == settled


def test_a_request_is_found_only_under_its_owners_account(
    books: Books, alice: Person, bob: Person, ada: Person
) -> None:
    number = ask(books, alice, "deposit", "100.00")
    with pytest.raises(NotFound):
        books.run(funds.approve, bob.id, number, ada.actor, market=books.market)
    assert cash(books, bob) == (0, 0)


def test_the_same_key_asks_once(books: Books, alice: Person) -> None:
    key = RequestKey.of(f"user:{alice.id}", "k", "deposit", b"")
    assert ask(books, alice, "deposit", "5.00", key) == ask(books, alice, "deposit", "5.00", key)


def test_two_traders_may_use_the_same_key(books: Books, alice: Person, bob: Person) -> None:
    hers = ask(books, alice, "deposit", "5.00", RequestKey.of(f"user:{alice.id}", "k", "deposit", b""))
    his = ask(books, bob, "deposit", "5.00", RequestKey.of(f"user:{bob.id}", "k", "deposit", b""))
    assert hers != his


def test_every_group_of_the_journal_sums_to_zero(books: Books, alice: Person, ada: Person) -> None:
    give_cash(alice, "500.00", admin=ada, market=books.market)
    ask(books, alice, "withdrawal", "200.00")
    with books.session() as session:
        sums = select(func.sum(LedgerEntry.cash)).group_by(LedgerEntry.user_id, LedgerEntry.sequence)
        assert set(session.execute(sums).scalars()) == {Decimal("0.00")}


def test_events_are_numbered_without_gaps(books: Books, alice: Person, ada: Person) -> None:
    give_cash(alice, "500.00", admin=ada, market=books.market)
    ask(books, alice, "withdrawal", "200.00")
    with books.session() as session:
        kinds = select(AccountEvent.sequence, AccountEvent.kind).order_by(AccountEvent.sequence)
        assert [tuple(found) for found in session.execute(kinds)] == [
            (1, "deposit_requested"),
            (2, "deposit_approved"),
            (3, "withdrawal_requested"),
        ]


@pytest.mark.parametrize(
    "value",
    [
        "NaN", "Infinity", "-Infinity", "1e400", "1e-9", "-0", "0", "0.001", "-5", "1_000", True, False, None, [], {},
        "٣", " 5 ", "", "5.005", 10**40, "1000000000.01", float("nan"), float("inf"), 0.001, Decimal("1e999999"),
        "100000000.00000000000000000001",
    ],
)  # fmt: skip
def test_what_is_no_amount_of_money_is_refused_by_name(value: object) -> None:
    with pytest.raises(InvalidInput) as refusal:
        funds.parse_amount(value)
    assert list(refusal.value.errors) == ["amount"]


@pytest.mark.parametrize(("value", "amount"), [("12.5", "12.50"), (12, "12.00"), (0.01, "0.01"), ("12.500", "12.50")])
def test_an_amount_is_read_to_the_cent(value: object, amount: str) -> None:
    assert funds.parse_amount(value) == Decimal(amount)


@pytest.mark.parametrize("value", ["", "   ", None, 5, "x" * 256, "a\nb"])
def test_a_reason_must_be_given(value: object) -> None:
    with pytest.raises(InvalidInput) as refusal:
        funds.parse_reason(value)
    assert list(refusal.value.errors) == ["reason"]
