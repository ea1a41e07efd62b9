"""Deposits and withdrawals: asked for by traders, decided by admins, once. On both databases."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from sqlalchemy import func, select, update

from conftest import Books
from factories import Person, give_cash, make_admin
from models import AccountBalance, AccountEvent, Admin, FundTransaction, LedgerEntry, db
from races import race, scaled
from services import settings
from services.accounts import funds
from services.accounts.verify import verify_books
from services.errors import Conflict, Forbidden, InvalidInput, NotFound, Refused
from services.idempotency import RequestKey
from services.trading.order_states import IllegalMove
from utils.datetime_utils import utc_now


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


# Rules: approved by itself, a second admin, one's own account.


def rule(books: Books, name: str, value: str) -> None:
    books.run(settings.put, name, value, utc_now())


def another_admin(name: str = "Ben") -> Person:
    return make_admin(name)


def approve(books: Books, user: Person, number: int, admin: Person) -> str:
    answer = books.run(funds.approve, user.id, number, admin.actor, market=books.market)
    status: str = answer["status"]
    return status


def test_without_a_limit_nothing_is_approved_by_itself(books: Books, alice: Person) -> None:
    assert row(books, ask(books, alice, "deposit", "0.01")).status == "pending"


def test_a_request_within_the_limit_is_approved_by_itself(books: Books, alice: Person) -> None:
    rule(books, "automatic_approval_limit", "100")
    number = ask(books, alice, "deposit", "100.00")
    assert cash(books, alice) == (Decimal("100.00"), 0)
    found = row(books, number)
    assert (found.status, found.automatic, found.operator_id) == ("approved", True, None)
    assert row(books, ask(books, alice, "withdrawal", "30.00")).status == "approved"
    assert cash(books, alice) == (Decimal("70.00"), 0)
    assert verify_books(db.engine).violations == []


def test_many_small_requests_do_not_get_around_the_limit(books: Books, alice: Person, bob: Person) -> None:
    rule(books, "automatic_approval_limit", "100")
    statuses = [row(books, ask(books, alice, "deposit", "40.00")).status for _ in range(3)]
    assert statuses == ["approved", "approved", "pending"]
    assert row(books, ask(books, alice, "deposit", "20.00")).status == "approved"
    assert row(books, ask(books, bob, "deposit", "100.00")).status == "approved"


def test_the_limit_holds_for_each_day(books: Books, alice: Person) -> None:
    rule(books, "automatic_approval_limit", "100")
    yesterday = utc_now() - timedelta(hours=25)
    books.run(funds.request_deposit, alice.id, Decimal("100.00"), market=books.market, clock=lambda: yesterday)
    assert row(books, ask(books, alice, "deposit", "100.00")).status == "approved"


def test_the_same_key_is_approved_by_itself_once(books: Books, alice: Person) -> None:
    rule(books, "automatic_approval_limit", "100")
    key = RequestKey.of(f"user:{alice.id}", "k", "deposit", b"")
    assert ask(books, alice, "deposit", "60.00", key) == ask(books, alice, "deposit", "60.00", key)
    assert cash(books, alice) == (Decimal("60.00"), 0)


def test_a_large_request_needs_two_admins(books: Books, alice: Person, ada: Person) -> None:
    rule(books, "second_approval_above", "1000")
    small, large = ask(books, alice, "deposit", "1000.00"), ask(books, alice, "deposit", "1000.01")
    assert approve(books, alice, small, ada) == "approved"
    assert approve(books, alice, large, ada) == "pending"
    assert cash(books, alice) == (Decimal("1000.00"), 0)
    with pytest.raises(Conflict, match="second admin") as refusal:
        approve(books, alice, large, ada)
    assert refusal.value.code == "SECOND_ADMIN_NEEDED"
    ben = another_admin()
    assert approve(books, alice, large, ben) == "approved"
    found = row(books, large)
    assert (found.first_operator_id, found.operator_id) == (ada.id, ben.id)
    assert cash(books, alice) == (Decimal("2000.01"), 0)
    assert verify_books(db.engine).violations == []


def test_one_admin_is_enough_to_reject_a_large_request(books: Books, alice: Person, ada: Person) -> None:
    rule(books, "second_approval_above", "1000")
    number = ask(books, alice, "deposit", "5000.00")
    approve(books, alice, number, ada)
    books.run(funds.reject, alice.id, number, ada.actor, "After all not", market=books.market)
    assert (row(books, number).status, cash(books, alice)) == ("rejected", (0, 0))


def test_what_needs_two_admins_is_never_approved_by_itself(books: Books, alice: Person) -> None:
    rule(books, "automatic_approval_limit", "100000")
    rule(books, "second_approval_above", "1000")
    assert row(books, ask(books, alice, "deposit", "1000.01")).status == "pending"


def test_an_admin_never_approves_for_the_trader_who_is_the_same_person(
    books: Books, alice: Person, bob: Person, ada: Person
) -> None:
    books.run(lambda session: session.execute(update(Admin).where(Admin.admin_id == ada.id).values(user_id=alice.id)))
    own, others = ask(books, alice, "deposit", "10.00"), ask(books, bob, "deposit", "10.00")
    with pytest.raises(Forbidden, match="own trading account"):
        approve(books, alice, own, ada)
    assert (cash(books, alice), row(books, own).status) == ((0, 0), "pending")
    assert approve(books, bob, others, ada) == "approved"
    assert approve(books, alice, own, another_admin()) == "approved"


def test_whoever_comes_second_reads_who_was_first(books: Books, alice: Person, ada: Person) -> None:
    number = ask(books, alice, "deposit", "10.00")
    approve(books, alice, number, ada)
    with pytest.raises(IllegalMove, match=f"Request {number} was already approved by Ada"):
        approve(books, alice, number, another_admin())


def test_two_admins_at_once_settle_a_request_once(books: Books, alice: Person, ada: Person) -> None:
    ben = another_admin()
    numbers = [ask(books, alice, "deposit", "10.00") for _ in range(scaled(60))]
    works = [
        partial(books.run, funds.approve, alice.id, number, admin.actor, market=books.market)
        for number in numbers
        for admin in (ada, ben)
    ]
    assert race(works, 4) == {"done": len(numbers), "REQUEST_NOT_OPEN": len(numbers)}
    assert cash(books, alice) == (10 * len(numbers), 0)
    assert verify_books(db.engine).violations == []


def test_approving_and_rejecting_at_once_have_one_outcome(books: Books, alice: Person, ada: Person) -> None:
    give_cash(alice, "1000.00", admin=ada, market=books.market)
    numbers = [ask(books, alice, "withdrawal", "1.00") for _ in range(scaled(60))]
    approving = [partial(approve, books, alice, number, ada) for number in numbers]
    rejecting = [
        partial(books.run, funds.reject, alice.id, number, ada.actor, "no", market=books.market) for number in numbers
    ]
    assert race([*approving, *rejecting], 4) == {"done": len(numbers), "REQUEST_NOT_OPEN": len(numbers)}
    assert verify_books(db.engine).violations == []


def test_first_and_second_approval_by_one_admin_at_once_are_never_both(
    books: Books, alice: Person, ada: Person
) -> None:
    rule(books, "second_approval_above", "1")
    numbers = [ask(books, alice, "deposit", "10.00") for _ in range(scaled(40))]
    works = [partial(approve, books, alice, number, ada) for number in numbers for _ in range(3)]
    assert race(works, 4) == {"done": len(numbers), "SECOND_ADMIN_NEEDED": 2 * len(numbers)}
    assert cash(books, alice) == (0, 0)


def test_requests_that_approve_themselves_race_within_the_limit(books: Books, alice: Person) -> None:
    rule(books, "automatic_approval_limit", "100")
    count = max(scaled(120), 12)
    works = [partial(ask, books, alice, kind, "10.00") for kind in ["deposit"] * count]
    assert race(works, 4) == {"done": count}
    assert cash(books, alice) == (Decimal("100.00"), 0)
    assert verify_books(db.engine).violations == []


def test_automatic_approval_races_withdrawals_without_losing_a_cent(books: Books, alice: Person, ada: Person) -> None:
    give_cash(alice, "50.00", admin=ada, market=books.market)
    rule(books, "automatic_approval_limit", "1000")
    count = scaled(60)
    deposits = [partial(ask, books, alice, "deposit", "3.00") for _ in range(count)]
    withdrawals = [partial(ask, books, alice, "withdrawal", "2.00") for _ in range(count)]
    endings = race([*deposits, *withdrawals], 4)
    with books.session() as session:
        amounts = select(FundTransaction.transaction_type, func.count()).where(FundTransaction.status == "approved")
        made = dict(session.execute(amounts.group_by(FundTransaction.transaction_type)).all())
    assert endings["done"] == made["deposit"] - 1 + made.get("withdrawal", 0)
    assert cash(books, alice) == (50 + 3 * (made["deposit"] - 1) - 2 * made.get("withdrawal", 0), 0)
    assert verify_books(db.engine).violations == []


def test_a_long_list_is_counted_only_so_far_and_still_goes_on(books: Books, alice: Person) -> None:
    numbers = [ask(books, alice, "deposit", f"{amount}.00") for amount in range(10, 16)]
    with books.session() as session:
        first, second, last = (
            funds.requests_of().page(session, page, limit=2, sort="transaction_id", count_to=3) for page in (1, 2, 3)
        )
        assert (first.total, first.more, first.goes_on, second.goes_on) == (3, True, True, True)
        assert [item["transaction_id"] for page in (first, second, last) for item in page.items] == numbers
        whole = funds.requests_of().page(session, 3, limit=2, count_to=6)
        assert (whole.total, whole.more, whole.goes_on) == (6, False, False)
