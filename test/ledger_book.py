"""A book with everything in it, made by the services, for tests of what verifies the books."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import Config
from factories import Person, give_cash, make_admin, make_user, place
from fake_market import FakeMarket
from models import Order
from services.accounts import funds, ledger
from services.trading import orders
from services.trading.fill_rules import Execution
from services.trading.order_state import OrderState
from services.trading.settlement import Settlement
from services.transaction import run_unit
from utils.datetime_utils import utc_now

SETTINGS = {
    "COMMISSION_PER_SHARE": "0.01",
    "COMMISSION_MINIMUM": "1.00",
    "COMMISSION_MAXIMUM_RATE": "0.005",
    "ORDER_RATE_LIMIT": "0",
}


@dataclass(frozen=True, slots=True)
class Book:
    """Who and what is in the book, by number. Carol has an account and never did anything."""

    alice: int
    bob: int
    carol: int
    admin: int
    bought: int  # Alice's market buy of AAPL, filled
    open_buy: int  # Alice's limit buy of MSFT, partially filled
    resting_buy: int  # Alice's limit buy of AAPL, pending
    open_sell: int  # Alice's limit sell of AAPL, partially filled
    in_parts: int  # Bob's limit buy of MSFT, filled by three fills
    pair: int  # Dave's take profit of AAPL, partially filled, which holds the shares of the pair
    pair_stop: int  # the stop loss of that pair
    bracket: int  # Dave's limit buy of MSFT with two legs, filled by two fills
    cancelled: int  # Bob's limit buy of AAPL, cancelled after a part
    rejected: int  # Bob's limit sell of MSFT, rejected
    deposit: int  # Alice's, approved
    pending_deposit: int
    rejected_deposit: int
    withdrawal: int  # Alice's, approved
    pending_withdrawal: int
    rejected_withdrawal: int


@dataclass(slots=True)
class Author:
    """Writes the book, in an application context."""

    market: FakeMarket
    config: Config
    ada: Person

    def order(
        self, user: Person, side: str, ticker: str, quantity: int, price: str | None = None, **more: object
    ) -> int:
        answer = place(user, side, ticker, quantity, price, market=self.market, config=self.config, **more)
        number: int = answer["order_id"]
        return number

    def fill(self, user: Person, order_id: int, price: str, quantity: int) -> None:
        run_unit(_fill_part, user.id, order_id, Execution(Decimal(price), quantity, rule="manual"), self.market)

    def pair(self, user: Person, quantity: int, profit: str, loss: str) -> tuple[int, int]:
        """Two sells of the same AAPL, of which one cancels the other: the one that holds the shares, and the other."""
        prices = {"take_profit_price": profit, "stop_loss_price": loss}
        holder = self.order(user, "sell", "AAPL", quantity, order_class="oco", **prices)
        return holder, run_unit(_other_leg, holder)

    def ask(self, user: Person, kind: str, amount: str, decision: str = "") -> int:
        """A request to deposit or withdraw, and what the admin does with it: "approve", "reject" or nothing."""
        asking = funds.request_deposit if kind == "deposit" else funds.request_withdrawal
        number: int = run_unit(asking, user.id, Decimal(amount), market=self.market)["transaction_id"]
        if decision == "approve":
            run_unit(funds.approve, user.id, number, self.ada.actor, market=self.market)
        elif decision == "reject":
            run_unit(funds.reject, user.id, number, self.ada.actor, "too early", market=self.market)
        return number


def write_book(market: FakeMarket, config: Config) -> Book:
    """Everything that can happen in a book, at least once. Needs an application context and listed instruments."""
    alice, bob, carol, dave = (make_user(name) for name in ("Alice", "Bob", "Carol", "Dave"))
    author = Author(market, config, make_admin("Ada"))
    market.set_quote("AAPL", "100.00", bid="99.95", ask="100.05")
    market.set_quote("MSFT", "27.00", bid="26.99", ask="27.01")
    return Book(
        alice=alice.id, bob=bob.id, carol=carol.id, admin=author.ada.id,
        **_requests(author, alice), **_alices_orders(author, alice), **_bobs_orders(author, bob),
        **_daves_orders(author, dave),
    )  # fmt: skip


def _requests(author: Author, alice: Person) -> dict[str, int]:
    numbers = {
        "deposit": author.ask(alice, "deposit", "50000.00", "approve"),
        "rejected_deposit": author.ask(alice, "deposit", "70.00", "reject"),
        "pending_deposit": author.ask(alice, "deposit", "80.00"),
        "withdrawal": author.ask(alice, "withdrawal", "300.00", "approve"),
        "rejected_withdrawal": author.ask(alice, "withdrawal", "200.00", "reject"),
        "pending_withdrawal": author.ask(alice, "withdrawal", "500.00"),
    }
    run_unit(_adjust, alice.id, Decimal("-12.34"), author.market)
    return numbers


def _alices_orders(author: Author, alice: Person) -> dict[str, int]:
    bought = author.order(alice, "buy", "AAPL", 100)
    open_buy = author.order(alice, "buy", "MSFT", 40, "25.00")
    author.fill(alice, open_buy, "24.995", 15)
    resting_buy = author.order(alice, "buy", "AAPL", 7, "90.00")
    author.market.set_quote("AAPL", "110.00", bid="109.97", ask="110.03")
    author.order(alice, "sell", "AAPL", 33)
    author.order(alice, "buy", "AAPL", 11)
    open_sell = author.order(alice, "sell", "AAPL", 30, "120.00")
    author.fill(alice, open_sell, "121.1234", 10)
    return {"bought": bought, "open_buy": open_buy, "resting_buy": resting_buy, "open_sell": open_sell}


def _bobs_orders(author: Author, bob: Person) -> dict[str, int]:
    give_cash(bob, "10000.00", admin=author.ada, market=author.market)
    in_parts = author.order(bob, "buy", "MSFT", 60, "26.00")
    for price, quantity in (("26.00", 1), ("25.3333", 29), ("25.90", 30)):
        author.fill(bob, in_parts, price, quantity)
    cancelled = author.order(bob, "buy", "AAPL", 20, "100.00")
    author.fill(bob, cancelled, "99.99", 3)
    run_unit(orders.cancel, bob.id, cancelled, market=author.market)
    rejected = author.order(bob, "sell", "MSFT", 25, "30.00")
    run_unit(orders.reject, bob.id, rejected, author.ada.actor, "wrong class", market=author.market)
    expired = author.order(bob, "buy", "MSFT", 5, "20.00")
    run_unit(_expire, bob.id, expired, author.market)
    author.order(bob, "sell", "MSFT", 60)
    author.order(bob, "buy", "MSFT", 3)
    return {"in_parts": in_parts, "cancelled": cancelled, "rejected": rejected}


def _daves_orders(author: Author, dave: Person) -> dict[str, int]:
    """Orders that hang together, and stops."""
    give_cash(dave, "20000.00", admin=author.ada, market=author.market)
    author.order(dave, "buy", "AAPL", 60)
    pair, pair_stop = author.pair(dave, 20, "130.00", "90.00")
    author.fill(dave, pair, "130.00", 5)
    _, stopped = author.pair(dave, 10, "140.00", "80.00")
    author.fill(dave, stopped, "79.50", 10)
    _, called_off = author.pair(dave, 8, "150.00", "85.00")
    run_unit(orders.cancel, dave.id, called_off, market=author.market)
    stop = author.order(dave, "sell", "AAPL", 6, execution_type="stop", stop_price="100.00")
    run_unit(_trigger, dave.id, stop, Decimal("70.00"), author.market)
    author.fill(dave, stop, "72.00", 4)
    legs = {"order_class": "bracket", "take_profit_price": "30.00", "stop_loss_price": "20.00"}
    bracket = author.order(dave, "buy", "MSFT", 30, "26.00", **legs)
    author.fill(dave, bracket, "26.00", 10)
    author.fill(dave, bracket, "25.98", 20)
    iceberg = author.order(dave, "buy", "MSFT", 20, "25.00", display_quantity=5)
    author.fill(dave, iceberg, "25.00", 5)
    run_unit(_enlarge, dave.id, iceberg, 3, author.market)
    run_unit(_enlarge, dave.id, stop, -1, author.market)
    return {"pair": pair, "pair_stop": pair_stop, "bracket": bracket}


def _other_leg(session: Session, holder: int) -> int:
    legs = select(Order.order_id).where(Order.oco_id == holder, Order.order_id != holder)
    return session.execute(legs).scalar_one()


def _adjust(session: Session, user_id: int, amount: Decimal, market: FakeMarket) -> None:
    books = ledger.lock_account(session, user_id, utc_now(), market.now())
    books.adjust_cash(user_id, amount, "Fee of the course")
    books.write()


def _fill_part(session: Session, user_id: int, order_id: int, execution: Execution, market: FakeMarket) -> None:
    settlement, order = _lock(session, user_id, order_id, market)
    settlement.fill(order, execution, None, "manual")
    settlement.write()


def _trigger(session: Session, user_id: int, order_id: int, worst_price: Decimal, market: FakeMarket) -> None:
    settlement, order = _lock(session, user_id, order_id, market)
    settlement.trigger(order, worst_price)
    settlement.write()


def _enlarge(session: Session, user_id: int, order_id: int, more: int, market: FakeMarket) -> None:
    settlement, order = _lock(session, user_id, order_id, market)
    reserved, remaining = order.reserved_amount, order.remaining
    order.quantity += more
    settlement.change_terms(order, reserved, remaining)
    settlement.write()


def _expire(session: Session, user_id: int, order_id: int, market: FakeMarket) -> None:
    settlement, order = _lock(session, user_id, order_id, market)
    settlement.end(order, "expired", "Its day is over")
    settlement.write()


def _lock(session: Session, user_id: int, order_id: int, market: FakeMarket) -> tuple[Settlement, OrderState]:
    books = ledger.lock_account(session, user_id, utc_now(), market.now())
    return orders.lock_open_order(books, user_id, order_id)
