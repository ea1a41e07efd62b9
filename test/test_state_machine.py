"""Random sequences of everything that moves money and shares, step by step against a plain model, on both databases.

500 sequences of 50 steps in `make test-full`, fewer in `make test`. Each begins with two new traders.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

import plain_venue as plain
from chaos.venue import tell
from conftest import Books
from factories import Person, make_user, place
from models import AccountBalance, FundTransaction, Order, Portfolio, Transaction
from plain_venue import PlainVenue, half_even
from proof import require_clean
from races import FULL
from services.accounts import funds
from services.errors import DomainError
from services.idempotency import RequestKey
from services.trading import matching, orders

pytestmark = pytest.mark.timeout(3600)
EXAMPLES, STEPS = (500, 50) if FULL else (25, 40)
TICKERS = ("AAPL", "MSFT")
TICK_MILLISECONDS = 100  # of the market clock, between two price updates: all sequences fit into one session

picks = st.integers(0, 10_000)
quantities = st.integers(1, 25)
tickers = st.sampled_from(TICKERS)
users = st.integers(0, 1)
# Around a dollar the least step of a price changes. Half cents a share make an odd number of shares a tie to round.
LOWEST = {"AAPL": 9_500, "MSFT": 1_000_000}
HALF_CENT = 50
steps = st.integers(0, 20)
percents = st.one_of(st.integers(-2, 6), st.integers(-2, 6), st.integers(-40, 40))
volumes = st.sampled_from((20, 50, 100, 400, None))


@pytest.fixture
def settings() -> dict[str, str]:
    return {
        "COMMISSION_PER_SHARE": f"{plain.PER_SHARE / 10_000:.4f}",
        "COMMISSION_MINIMUM": f"{plain.MINIMUM / 100:.2f}",
        "COMMISSION_MAXIMUM_RATE": f"{plain.MAXIMUM_RATE / 10_000:.4f}",
        "REALISM_PROFILE": "standard",
    }


@dataclass(slots=True)
class Stage:
    """The services and their database, for all sequences of a test."""

    books: Books
    admin: Person
    numbers: Any = field(default_factory=count)
    steps: int = 0
    fills: int = 0
    part_fills: int = 0
    refusals: int = 0

    def run(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self.books.run(work, *args, market=self.books.market, **kwargs)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that was answered under a key."""

    send: Callable[[RequestKey], Any]
    key: RequestKey
    answer: Any


class Venue(RuleBasedStateMachine):
    """The rules of a sequence. `stage` is set by the test."""

    stage: Stage

    def __init__(self) -> None:
        super().__init__()
        self.model = PlainVenue()
        self.sent: list[Sent] = []
        self.entries: dict[int, matching.BookEntry] = {}
        with self.stage.books.app.app_context():
            self.people = [make_user(f"Trader{next(self.stage.numbers)}") for _ in range(2)]
        self.ids = [person.id for person in self.people]
        self.model.accounts = {user: plain.Account() for user in self.ids}

    @initialize(cash=st.integers(1_000_000, 5_000_000))
    def begin(self, cash: int) -> None:
        """Prices, and some cash and shares for both."""
        for ticker, price in LOWEST.items():
            self.model.set_price(ticker, price, price + 50, None)
        self._publish()
        for who in (0, 1):
            self.ask_for_money(who, "deposit", cash)
            self.decide_about_money(who, "approved")
            for ticker in TICKERS:
                self._place(who, ticker, "buy", 60, None)
        for ticker, price in LOWEST.items():
            self.model.set_price(ticker, price, price + 50, 50)
        self._publish()

    # Money.

    @rule(who=users, kind=st.sampled_from(("deposit", "withdrawal")), cents=st.integers(1, 1_000_000))
    def ask_for_money(self, who: int, kind: str, cents: int) -> None:
        work = funds.request_deposit if kind == "deposit" else funds.request_withdrawal
        user = self.ids[who]
        refusal = self.model.may_request(user, kind, cents)
        answer = self._send(partial(self.stage.run, work, user, _dollars(cents)), refusal)
        if answer:
            self.model.request(answer["transaction_id"], user, kind, cents)

    @precondition(lambda self: any(request.status == "pending" for request in self.model.requests.values()))
    @rule(pick=picks, status=st.sampled_from(("approved", "approved", "rejected")))
    def decide_about_money(self, pick: int, status: str) -> None:
        number = _pick(self.model.requests, pick, lambda request: request.status == "pending")
        request = self.model.requests[number]
        extra = () if status == "approved" else ("because",)
        work = funds.approve if status == "approved" else funds.reject
        decide = partial(self.stage.run, work, request.user, number, self.stage.admin.actor, *extra)
        if self._send(decide, None if request.status == "pending" else "REQUEST_NOT_OPEN"):
            self.model.decide(number, status)

    # Orders.

    @rule(who=users, ticker=tickers, quantity=quantities)
    def buy(self, who: int, ticker: str, quantity: int) -> None:
        self._place(who, ticker, "buy", quantity, None)

    @rule(who=users, ticker=tickers, quantity=quantities)
    def sell(self, who: int, ticker: str, quantity: int) -> None:
        self._place(who, ticker, "sell", quantity, None)

    @rule(who=users, ticker=tickers, quantity=quantities, percent=percents)
    def buy_at(self, who: int, ticker: str, quantity: int, percent: int) -> None:
        self._place(who, ticker, "buy", quantity, percent)

    @rule(who=users, ticker=tickers, quantity=quantities, percent=percents)
    def sell_at(self, who: int, ticker: str, quantity: int, percent: int) -> None:
        self._place(who, ticker, "sell", quantity, percent)

    def _place(self, who: int, ticker: str, side: str, quantity: int, percent: int | None) -> None:
        """A market order, or one with a limit so many percent better than the market."""
        user, limit = self.ids[who], None
        if percent is not None:
            better = 100 - percent if side == "buy" else 100 + percent
            limit = self.model.prices[ticker].far_side(side) * better // 100
            limit = limit if limit < 10_000 else limit // 100 * 100
        order = self.model.new_order(user, ticker, side, limit, quantity)
        market, config = self.stage.books.market, self.stage.books.config
        price = None if limit is None else str(_price(limit))
        send = partial(place, self.people[who], side, ticker, quantity, price, market=market, config=config)
        answer = self._send(partial(_in_context, self.stage.books, send), self.model.may_place(order))
        if answer:
            self.model.place(answer["order_id"], order)
            self._learn_entries()
            assert answer["order_status"] == order.status
            assert answer["filled_quantity"] == order.filled

    @precondition(lambda self: any(order.is_open for order in self.model.orders.values()))
    @rule(pick=picks, how=st.sampled_from(("cancelled", "cancelled", "rejected", "executed")))
    def end(self, pick: int, how: str) -> None:
        """By the trader, or by an admin."""
        number = _pick(self.model.orders, pick, lambda order: order.is_open)
        order = self.model.orders[number]
        price = self.model.manual_price(order) if how == "executed" else 0
        refusal = "ORDER_NOT_OPEN" if not order.is_open else "NO_PRICE" if price is None else None
        admin = self.stage.admin.actor
        work, extra = {
            "cancelled": (orders.cancel, ()),
            "rejected": (orders.reject, (admin, "because")),
            "executed": (orders.execute, (admin,)),
        }[how]
        if self._send(partial(self.stage.run, work, order.user, number, *extra), refusal):
            if how == "executed":
                self.model.fill(order, price or 0, order.rest)
            else:
                self.model.end(order, how)

    # The market.

    @rule(ticker=tickers, step=steps, spread=st.sampled_from((0, 50, 51)), traded=volumes)
    def price_moves(self, ticker: str, step: int, spread: int, traded: int | None) -> None:
        """By up to 10 %, so that some orders are reached, and some jumped over."""
        bid = LOWEST[ticker] * (200 + step) // 200 // HALF_CENT * HALF_CENT
        self.model.set_price(ticker, bid, bid + spread, traded)
        self._publish()
        self._fill(sorted(self.entries))

    @precondition(lambda self: self.entries)
    @rule(dice=st.randoms(use_true_random=False))
    def some_fill(self, dice: Any) -> None:
        """Any of the orders, finished ones too, in any order: the book in memory is only a hint."""
        self._fill(dice.sample(sorted(self.entries), dice.randint(1, len(self.entries))))

    def _fill(self, numbers: list[int]) -> None:
        if numbers:
            quotes = self.stage.books.market.quotes(TICKERS)
            batch = [self.entries[number] for number in numbers]
            report = self.stage.run(matching.fill_batch, batch, quotes, config=self.stage.books.config)
            assert report.fills == sum(self.model.look(self.model.orders[number]) for number in numbers)

    # The same key again.

    @precondition(lambda self: self.sent)
    @rule(pick=picks, same=st.booleans())
    def repeat(self, pick: int, same: bool) -> None:
        """The same request: the first answer again. Another one: refused. Neither has an effect."""
        sent = self.sent[pick % len(self.sent)]
        if same:
            assert sent.send(sent.key) == sent.answer
        else:
            other = replace(sent.key, request_hash="0" * 64)
            assert _answer_or_code(partial(sent.send, other)) == (None, "KEY_REUSED")

    # What must hold after each step.

    @invariant()
    def the_database_is_as_the_model(self) -> None:
        self.stage.steps += 1
        with self.stage.books.session() as session:
            assert self._rows(session, _ACCOUNTS, AccountBalance.user_id) == self._accounts()
            assert self._rows(session, _HOLDINGS, Portfolio.user_id) == self._holdings()
            assert self._rows(session, _ORDERS, Order.user_id) == self._orders()
            assert self._rows(session, _FILLS, Transaction.user_id) == self._fills()
            assert self._rows(session, _REQUESTS, FundTransaction.user_id) == self._requests()

    def _rows(self, session: Any, columns: tuple[Any, ...], owner: Any) -> list[tuple[Any, ...]]:
        query = select(*columns).where(owner.in_(self.ids)).order_by(*columns[:2])
        return [tuple(row) for row in session.execute(query)]

    def _accounts(self) -> list[tuple[Any, ...]]:
        accounts = self.model.accounts
        return [
            (user, _dollars(one.available), _dollars(one.frozen), _dollars(one.available + one.frozen))
            for user, one in sorted(accounts.items())
        ]

    def _holdings(self) -> list[tuple[Any, ...]]:
        held = [
            (user, ticker, one)
            for user, account in self.model.accounts.items()
            for ticker, one in account.holdings.items()
            if any(order.fills for order in self.model.orders.values() if (order.user, order.ticker) == (user, ticker))
        ]
        return sorted(
            (user, ticker, one.shares, one.frozen, _dollars(one.cost), _average(one.cost, one.shares))
            for user, ticker, one in held
        )

    def _orders(self) -> list[tuple[Any, ...]]:
        return [
            (
                *(number, one.user, one.status, one.wanted, one.filled),
                *map(_dollars, (one.amount, one.paid, one.reserved)),
                _price(one.worst),
            )
            for number, one in sorted(self.model.orders.items())
        ]

    def _fills(self) -> list[tuple[Any, ...]]:
        return [
            (
                *(number, place, _price(fill.price), fill.shares, _dollars(fill.amount), _dollars(fill.commission)),
                None if fill.profit is None else _dollars(fill.profit),
            )
            for number, order in sorted(self.model.orders.items())
            for place, fill in enumerate(order.fills, start=1)
        ]

    def _requests(self) -> list[tuple[Any, ...]]:
        return [
            (number, one.user, one.kind, _dollars(one.amount), one.status)
            for number, one in sorted(self.model.requests.items())
        ]

    def teardown(self) -> None:
        fills = [len(order.fills) for order in self.model.orders.values()]
        self.stage.fills += sum(fills)
        self.stage.part_fills += sum(number for number in fills if number > 1)

    # How the rules talk to the services.

    def _send(self, send: Callable[..., Any], refusal: str | None) -> Any:
        """Send a request under a new key: its answer, or None when it is refused as the model says."""
        key = RequestKey.of("user:1", f"key {next(self.stage.numbers)}", "test", b"")
        answer, code = _answer_or_code(partial(send, key=key))
        assert code == refusal, answer
        self.stage.refusals += code is not None
        if answer is not None:
            self.sent.append(Sent(lambda again: send(key=again), key, answer))
        return answer

    def _publish(self) -> None:
        """Tell the services the model's prices, all as one new price update."""
        market = self.stage.books.market
        market.clock.advance(milliseconds=TICK_MILLISECONDS)
        for ticker, price in self.model.prices.items():
            self.model.set_price(ticker, price.bid, price.ask, price.traded)
            market.set_quote(
                ticker, _price(price.bid), bid=_price(price.bid), ask=_price(price.ask), traded=price.traded
            )

    def _learn_entries(self) -> None:
        with self.stage.books.session() as session:
            known = matching.read_open_orders(session, newer_than=max(self.entries, default=0))
        self.entries |= {entry.order_id: entry for entry in known if entry.order_id in self.model.orders}


_ACCOUNTS = (
    AccountBalance.user_id,
    AccountBalance.available_balance,
    AccountBalance.frozen_balance,
    AccountBalance.total_balance,
)
_HOLDINGS = (
    Portfolio.user_id,
    Portfolio.ticker,
    Portfolio.quantity,
    Portfolio.frozen_quantity,
    Portfolio.total_cost,
    Portfolio.average_price,
)
_ORDERS = (
    Order.order_id,
    Order.user_id,
    Order.order_status,
    Order.order_quantity,
    Order.filled_quantity,
    Order.filled_amount,
    Order.commission_paid,
    Order.reserved_amount,
    Order.worst_price,
)
_FILLS = (
    Transaction.order_id,
    Transaction.fill_number,
    Transaction.transaction_price,
    Transaction.transaction_quantity,
    Transaction.transaction_amount,
    Transaction.commission,
    Transaction.realised_profit,
)
_REQUESTS = (
    FundTransaction.transaction_id,
    FundTransaction.user_id,
    FundTransaction.transaction_type,
    FundTransaction.amount,
    FundTransaction.status,
)


def _dollars(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def _price(ten_thousandths: int) -> Decimal:
    return Decimal(ten_thousandths).scaleb(-4)


def _average(cost: int, shares: int) -> Decimal:
    """Dollars a share, to four places."""
    exact = Fraction(cost * 100, shares) if shares else Fraction(0)
    return _price(half_even(exact.numerator, exact.denominator))


def _pick(rows: dict[int, Any], pick: int, is_open: Callable[[Any], bool]) -> int:
    """One that is still open, where there is any; now and then, any."""
    still_open = [number for number in sorted(rows) if is_open(rows[number])]
    choices = sorted(rows) if pick % 5 == 0 or not still_open else still_open
    return choices[pick // 5 % len(choices)]


def _answer_or_code(send: Callable[[], Any]) -> tuple[Any, str | None]:
    try:
        return send(), None
    except DomainError as error:
        return None, error.code


def _in_context(books: Books, send: Callable[..., Any], **kwargs: Any) -> Any:
    with books.app.app_context():
        return send(**kwargs)


def test_every_sequence_leaves_the_database_as_the_model(books: Books, ada: Person) -> None:
    class Sequence(Venue):
        stage = Stage(books, ada)

    run_state_machine_as_test(
        Sequence,
        settings=hypothesis_settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    require_clean(books)
    done = Sequence.stage
    assert done.fills > 5 * EXAMPLES
    assert min(done.part_fills, done.refusals) > EXAMPLES / 4
    tell(
        f"state machine, {books.config.database_url.partition(':')[0]}",
        examples=EXAMPLES,
        steps=done.steps,
        fills=done.fills,
        part_fills=done.part_fills,
        refusals=done.refusals,
    )
