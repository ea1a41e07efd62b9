"""Money and shares under races, on both databases. Sizes are those of docs/reliability.md; `make test` runs a tenth."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select

from conftest import Books
from factories import Person, give_cash, give_shares, make_user, place
from models import AccountBalance, FundTransaction, IdempotencyKey, LedgerEntry, Order, Portfolio, Transaction, db
from proof import require_clean
from races import race, scaled
from services import transaction
from services.accounts import funds
from services.idempotency import RequestKey
from services.trading import lease, matching, orders
from tasks.order_processor import LEASE_NAME

pytestmark = pytest.mark.timeout(600)


def in_context(books: Books, work: Callable[[], Any]) -> Callable[[], Any]:
    """The work in an application context of its own thread."""

    def run() -> Any:
        with books.app.app_context():
            return work()

    return run


def buy(books: Books, user: Person, quantity: int = 1, price: str | None = None, key: RequestKey | None = None) -> Any:
    order = partial(place, user, "buy", "AAPL", quantity, price, market=books.market, config=books.config, key=key)
    return in_context(books, order)


def sell(books: Books, user: Person, quantity: int, price: str | None = None) -> Any:
    return in_context(
        books, partial(place, user, "sell", "AAPL", quantity, price, market=books.market, config=books.config)
    )


def one(books: Books, query: Any) -> Any:
    with books.session() as session:
        return session.execute(query).one()


def test_cash_for_fifty_buys_fifty_however_many_try(books: Books, alice: Person, ada: Person) -> None:
    """64 threads, 2,000 market buys, cash for 50."""
    books.market.set_quote("AAPL", "100.00")
    give_cash(alice, "5005.00", admin=ada, market=books.market)
    endings = race([buy(books, alice)] * scaled(2000), threads=64)
    assert endings == {"done": 50, "INSUFFICIENT_FUNDS": scaled(2000) - 50}
    balance = one(books, select(AccountBalance.available_balance, AccountBalance.frozen_balance))
    assert tuple(balance) == (Decimal("5.00"), Decimal("0.00"))
    assert one(books, select(func.sum(Transaction.transaction_quantity)))[0] == 50
    require_clean(books)


def test_shares_are_promised_once_however_many_sells_rest(books: Books, alice: Person, ada: Person) -> None:
    """64 threads, 2,000 resting sells of 25 shares in lots of 2: twelve rest, and fill to exactly 24 shares."""
    give_shares(alice, "AAPL", 25, "100.00", admin=ada, market=books.market, config=books.config)
    endings = race([sell(books, alice, 2, "120.00")] * scaled(2000), threads=64)
    assert endings == {"done": 12, "INSUFFICIENT_SHARES": scaled(2000) - 12}
    quotes = {"AAPL": books.market.set_quote("AAPL", "125.00")}
    with books.session() as session:
        entries = matching.read_open_orders(session)
    assert books.run(matching.fill_batch, entries, quotes, market=books.market, config=books.config).fills == 12
    assert tuple(one(books, select(Portfolio.quantity, Portfolio.frozen_quantity))) == (1, 0)
    require_clean(books)


def test_withdrawals_buys_cancels_and_fills_race_and_the_books_stay_right(
    books: Books, alice: Person, bob: Person, ada: Person
) -> None:
    """32 threads, 5,000 mixed."""
    books.market.set_quote("AAPL", "100.00")
    for trader in (alice, bob):
        give_cash(trader, "20000.00", admin=ada, market=books.market)
    dice = random.Random(7)
    works = [_anything(books, dice, dice.choice((alice, bob)), ada) for _ in range(scaled(5000))]
    endings = race(works, threads=32)
    assert endings["done"] > scaled(5000) / 4
    unexpected = set(endings) - {
        "done", "INSUFFICIENT_FUNDS", "INSUFFICIENT_SHARES", "ORDER_NOT_OPEN", "REQUEST_NOT_OPEN", "NO_SUCH_ORDER",
        "NO_SUCH_REQUEST",
    }  # fmt: skip
    assert not unexpected
    require_clean(books)


def _anything(books: Books, dice: random.Random, trader: Person, admin: Person) -> Callable[[], Any]:
    quantity, pick = dice.randint(1, 20), dice.random()
    works: list[Callable[[], Any]] = [
        buy(books, trader, quantity),
        buy(books, trader, quantity, "95.00"),
        sell(books, trader, quantity),
        sell(books, trader, quantity, "104.00"),
        in_context(books, partial(_withdraw, books, trader, Decimal(quantity * 50))),
        in_context(books, partial(_cancel_one, books, trader, pick)),
        in_context(books, partial(_decide_one, books, admin, pick)),
        in_context(books, partial(_fill_some, books, pick)),
    ]
    return dice.choice(works)


def _withdraw(books: Books, trader: Person, amount: Decimal) -> None:
    books.run(funds.request_withdrawal, trader.id, amount, market=books.market)


def _cancel_one(books: Books, trader: Person, pick: float) -> None:
    with books.session() as session:
        own = session.execute(select(Order.order_id).where(Order.user_id == trader.id)).scalars().all()
    order_id = own[int(pick * len(own))] if own else 1
    books.run(orders.cancel, trader.id, order_id, market=books.market)


def _decide_one(books: Books, admin: Person, pick: float) -> None:
    with books.session() as session:
        rows = session.execute(select(FundTransaction.transaction_id, FundTransaction.user_id)).all()
    number, owner = rows[int(pick * len(rows))]
    if pick < 0.5:
        books.run(funds.approve, owner, number, admin.actor, market=books.market)
    else:
        books.run(funds.reject, owner, number, admin.actor, "no", market=books.market)


def _fill_some(books: Books, pick: float) -> None:
    """One pass of a matcher, at a price that reaches the resting buys or the resting sells."""
    quote = books.market.quote("AAPL")
    assert quote is not None
    price = Decimal("94.00") if pick < 0.5 else Decimal("105.00")
    moved = type(quote)(**{**_fields(quote), "last": price, "bid": price, "ask": price, "low": None, "high": None})
    with books.session() as session:
        entries = matching.read_open_orders(session)
    if entries:
        books.run(matching.fill_batch, entries, {"AAPL": moved}, market=books.market, config=books.config)


def _fields(quote: Any) -> dict[str, Any]:
    return {name: getattr(quote, name) for name in quote.__slots__}


def test_a_request_decided_by_many_at_once_has_one_outcome(books: Books, alice: Person, ada: Person) -> None:
    """50 requests, 20 simultaneous decisions each, approve against reject."""
    for _ in range(scaled(50)):
        asked = books.run(funds.request_deposit, alice.id, Decimal("10.00"), market=books.market)
        number = asked["transaction_id"]
        approve = partial(books.run, funds.approve, alice.id, number, ada.actor, market=books.market)
        reject = partial(books.run, funds.reject, alice.id, number, ada.actor, "no", market=books.market)
        assert race([approve, reject] * 10, threads=20) == {"done": 1, "REQUEST_NOT_OPEN": 19}
    with books.session() as session:
        approved = select(func.count()).where(FundTransaction.status == "approved")
        groups = select(func.count()).where(LedgerEntry.kind == "deposit", LedgerEntry.account == "available")
        assert session.execute(approved).scalar_one() == session.execute(groups).scalar_one()
    require_clean(books)


def test_an_order_decided_by_many_admins_at_once_has_one_outcome(books: Books, alice: Person, ada: Person) -> None:
    """30 resting orders, 20 simultaneous decisions each, execute against reject."""
    give_cash(alice, "100000.00", admin=ada, market=books.market)
    books.market.set_quote("AAPL", "100.00")
    for _ in range(scaled(30)):
        number = buy(books, alice, 10, "90.00")()["order_id"]
        execute = partial(books.run, orders.execute, alice.id, number, ada.actor, market=books.market)
        reject = partial(books.run, orders.reject, alice.id, number, ada.actor, "no", market=books.market)
        assert race([execute, reject] * 10, threads=20) == {"done": 1, "ORDER_NOT_OPEN": 19}
    filled = select(func.count()).where(Order.order_status == "filled")
    assert one(books, filled) == one(books, select(func.count()).select_from(Transaction))
    require_clean(books)


def test_a_key_sent_many_times_at_once_has_one_effect(books: Books, alice: Person, ada: Person) -> None:
    """200 keys, 50 simultaneous requests each: one order a key, and every request gets its answer."""
    books.market.set_quote("AAPL", "10.00")
    give_cash(alice, "100000.00", admin=ada, market=books.market)
    keys = [RequestKey.of(f"user:{alice.id}", f"key-{number}", "create_order", b"") for number in range(scaled(200))]
    answers: dict[str, list[Any]] = {key.key: [] for key in keys}

    def send(key: RequestKey) -> None:
        answers[key.key].append(buy(books, alice, 1, key=key)())

    for key in keys:
        assert race([partial(send, key)] * 50, threads=50) == {"done": 50}
    assert all(len(given) == 50 and all(answer == given[0] for answer in given) for given in answers.values())
    with books.session() as session:
        assert session.execute(select(func.count()).select_from(Order)).scalar_one() == len(keys)
        assert session.execute(select(func.count()).select_from(IdempotencyKey)).scalar_one() == len(keys)
    require_clean(books)


def test_two_matchers_fill_each_order_once(books: Books, ada: Person) -> None:
    """2,000 resting orders of many traders, filled by two matchers at once without any lease between them."""
    books.market.set_quote("AAPL", "100.00")
    with books.app.app_context():
        traders = [make_user(f"Trader{number}") for number in range(20)]
        for trader in traders:
            give_cash(trader, "1000000.00", admin=ada, market=books.market)
    resting = [buy(books, traders[number % 20], 1, "90.00") for number in range(scaled(2000))]
    assert race(resting, threads=8) == {"done": scaled(2000)}
    quotes = {"AAPL": books.market.set_quote("AAPL", "89.00")}
    with books.session() as session:
        entries = matching.read_open_orders(session)
    batches = matching.batches(entries, 50)
    fill = [
        partial(books.run, matching.fill_batch, batch, quotes, market=books.market, config=books.config)
        for batch in batches
    ]
    assert race(fill + fill[::-1], threads=2) == {"done": 2 * len(batches)}
    assert one(books, select(func.count(Transaction.transaction_id)))[0] == scaled(2000)
    require_clean(books)


def test_a_batch_never_waits_for_accounts_that_are_not_in_it(
    books: Books, alice: Person, bob: Person, ada: Person
) -> None:
    """Bob's account stays locked while the orders of Alice and Carol fill. On SQLite there is but one lock for all."""
    if db.engine.dialect.name == "sqlite":
        return
    books.market.set_quote("AAPL", "100.00")
    for trader in (alice, bob, make_user("Carol")):
        give_cash(trader, "1000.00", admin=ada, market=books.market)
        assert buy(books, trader, 1, "90.00")()["order_status"] == "pending"
    quotes = {"AAPL": books.market.set_quote("AAPL", "89.00")}
    with books.session() as session:
        entries = [one for one in matching.read_open_orders(session) if one.user_id != bob.id]
    with books.session() as elsewhere:
        elsewhere.execute(select(AccountBalance).where(AccountBalance.user_id == bob.id).with_for_update())
        elsewhere.execute(select(Order).where(Order.user_id == bob.id).with_for_update())
        before = transaction.retries.copy()
        assert books.run(matching.fill_batch, entries, quotes, market=books.market, config=books.config).fills == 2
        assert transaction.retries == before
    require_clean(books)


def test_a_leader_that_slept_through_its_lease_writes_nothing(books: Books, alice: Person, ada: Person) -> None:
    books.market.set_quote("AAPL", "100.00")
    give_cash(alice, "1000.00", admin=ada, market=books.market)
    assert buy(books, alice, 1, "90.00")()["order_status"] == "pending"
    slept = books.run(lease.acquire, LEASE_NAME, "sleeper")
    with books.session() as session:
        entries = matching.read_open_orders(session)
        session.execute(select(Order))
    with books.session() as session:
        from models import Lease

        session.get_one(Lease, LEASE_NAME).epoch += 1
        session.commit()
    quotes = {"AAPL": books.market.set_quote("AAPL", "80.00")}
    works = [
        partial(books.run, matching.fill_batch, entries, quotes, market=books.market, config=books.config, tenure=slept)
    ] * 8
    assert race(works, threads=8) == {"LEASE_LOST": 8}
    assert one(books, select(func.count(Transaction.transaction_id)))[0] == 0
