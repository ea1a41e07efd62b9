"""Placing, cancelling, executing and rejecting orders, and what becomes of money and shares. On both databases."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from conftest import Books
from factories import Person, give_cash, give_shares, place
from models import AccountBalance, LedgerEntry, Order, Portfolio, Transaction
from services.errors import DomainError, InvalidInput, NotFound, Refused
from services.idempotency import RequestKey
from services.trading import orders
from services.trading.order_states import IllegalMove
from services.trading.tickets import parse_ticket


@pytest.fixture
def rich_alice(books: Books, alice: Person, ada: Person) -> Person:
    """Alice with $10,000.00."""
    give_cash(alice, "10000.00", admin=ada, market=books.market)
    return alice


@pytest.fixture
def holder_alice(books: Books, alice: Person, ada: Person) -> Person:
    """Alice with 25 AAPL bought at $100.00 and no cash."""
    give_shares(alice, "AAPL", 25, "100.00", admin=ada, market=books.market, config=books.config)
    return alice


def order(
    books: Books, user: Person, side: str, quantity: int, price: str | None = None, **more: Any
) -> dict[str, Any]:
    return place(user, side, "AAPL", quantity, price, market=books.market, config=books.config, **more)


def cash(books: Books, user: Person) -> tuple[Decimal, Decimal]:
    """Available and frozen dollars."""
    with books.session() as session:
        columns = (AccountBalance.available_balance, AccountBalance.frozen_balance)
        return session.execute(select(*columns).where(AccountBalance.user_id == user.id)).one()


def shares(books: Books, user: Person) -> tuple[int, int, Decimal]:
    """Shares of AAPL held, of which promised, and what they cost."""
    with books.session() as session:
        columns = (Portfolio.quantity, Portfolio.frozen_quantity, Portfolio.total_cost)
        row = session.execute(select(*columns).where(Portfolio.user_id == user.id)).one_or_none()
        return (0, 0, Decimal("0.00")) if row is None else row


def stored_order(books: Books, order_id: int) -> Order:
    with books.session() as session:
        return session.get_one(Order, order_id)


def count(books: Books, table: Any) -> int:
    with books.session() as session:
        return session.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_market_buy_fills_at_the_ask_at_once(books: Books, rich_alice: Person) -> None:
    books.market.set_quote("AAPL", "100.00", bid="99.95", ask="100.05")
    answer = order(books, rich_alice, "buy", 10)
    assert answer["order_status"] == "filled"
    assert answer["message"] == "Bought 10 AAPL at $100.05."
    assert cash(books, rich_alice) == (Decimal("8999.50"), Decimal("0.00"))
    assert shares(books, rich_alice) == (10, 0, Decimal("1000.50"))


def test_a_market_sell_fills_at_the_bid(books: Books, holder_alice: Person) -> None:
    books.market.set_quote("AAPL", "120.00", bid="119.90", ask="120.10")
    assert order(books, holder_alice, "sell", 10)["average_fill_price"] == 119.9
    assert cash(books, holder_alice) == (Decimal("1199.00"), Decimal("0.00"))
    assert shares(books, holder_alice) == (15, 0, Decimal("1500.00"))
    with books.session() as session:
        sale = session.execute(select(Transaction).where(Transaction.transaction_type == "sell")).scalar_one()
    assert sale.realised_profit == Decimal("199.00")


def test_a_fill_keeps_the_quote_as_its_evidence(books: Books, rich_alice: Person) -> None:
    quote = books.market.set_quote("AAPL", "100.00", bid="99.95", ask="100.05")
    order(books, rich_alice, "buy", 1)
    with books.session() as session:
        fill = session.execute(select(Transaction)).scalar_one()
    assert (fill.quote_last, fill.quote_bid, fill.quote_ask) == (quote.last, quote.bid, quote.ask)
    assert (fill.quote_time, fill.quote_source) == (quote.provider_time, quote.source)
    assert (fill.rule, fill.profile, fill.fill_number) == ("market_far_side", "standard", 1)


def test_a_marketable_limit_buys_at_the_better_price_and_gets_the_rest_back(books: Books, rich_alice: Person) -> None:
    books.market.set_quote("AAPL", "100.00")
    answer = order(books, rich_alice, "buy", 10, "110.00")
    assert answer["order_status"] == "filled"
    assert answer["message"] == "Bought 10 AAPL at $100.00, $10.00 a share better than the limit."
    assert cash(books, rich_alice) == (Decimal("9000.00"), Decimal("0.00"))


def test_a_resting_buy_freezes_its_limit_and_a_cancel_frees_it(books: Books, rich_alice: Person) -> None:
    books.market.set_quote("AAPL", "100.00")
    answer = order(books, rich_alice, "buy", 10, "90.00")
    assert answer["order_status"] == "pending"
    assert cash(books, rich_alice) == (Decimal("9100.00"), Decimal("900.00"))
    books.run(orders.cancel, rich_alice.id, answer["order_id"], market=books.market)
    assert cash(books, rich_alice) == (Decimal("10000.00"), Decimal("0.00"))
    assert stored_order(books, answer["order_id"]).order_status == "cancelled"


def test_a_resting_sell_promises_its_shares_so_that_they_cannot_be_sold_twice(
    books: Books, holder_alice: Person
) -> None:
    order(books, holder_alice, "sell", 20, "120.00")
    with pytest.raises(Refused, match="5 free shares") as refusal:
        order(books, holder_alice, "sell", 6, "130.00")
    assert refusal.value.code == "INSUFFICIENT_SHARES"
    assert shares(books, holder_alice) == (25, 20, Decimal("2500.00"))


def test_a_buy_that_costs_more_than_is_available_is_refused_and_leaves_nothing(
    books: Books, rich_alice: Person
) -> None:
    books.market.set_quote("AAPL", "100.00")
    before = count(books, LedgerEntry)
    with pytest.raises(Refused) as refusal:
        order(books, rich_alice, "buy", 101, "100.00")
    assert refusal.value.code == "INSUFFICIENT_FUNDS"
    assert (count(books, Order), count(books, LedgerEntry)) == (0, before)


def test_a_market_buy_must_be_covered_up_to_its_collar(books: Books, rich_alice: Person) -> None:
    """The price may move before it fills: ask x 1.05 is what a market buy may cost."""
    books.market.set_quote("AAPL", "100.00")
    with pytest.raises(Refused, match=r"10,080\.00"):
        order(books, rich_alice, "buy", 96)
    assert order(books, rich_alice, "buy", 95)["order_status"] == "filled"


def test_a_market_order_sent_on_an_old_price_waits_for_the_next(books: Books, rich_alice: Person) -> None:
    books.market.set_quote("AAPL", "100.00")
    books.market.clock.advance(seconds=6)
    answer = order(books, rich_alice, "buy", 10)
    assert answer["order_status"] == "pending"
    assert answer["message"].endswith("waits for the next price.")
    assert cash(books, rich_alice) == (Decimal("8950.00"), Decimal("1050.00"))


def test_an_order_sent_while_the_market_is_closed_rests(books: Books, rich_alice: Person) -> None:
    books.market.set_quote("AAPL", "100.00")
    books.market.close()
    assert order(books, rich_alice, "buy", 10, "110.00")["order_status"] == "pending"


def test_selling_everything_takes_the_whole_cost_off_the_books(books: Books, holder_alice: Person) -> None:
    books.market.set_quote("AAPL", "90.00")
    order(books, holder_alice, "sell", 25)
    assert shares(books, holder_alice) == (0, 0, Decimal("0.00"))


@pytest.mark.parametrize(
    ("ticker", "error", "code"),
    [("NOPE", Refused, "UNKNOWN_TICKER"), ("^GSPC", Refused, "NOT_TRADABLE"), ("MSFT", Refused, "NO_PRICE")],
)
def test_what_cannot_be_traded_is_refused(
    books: Books, rich_alice: Person, ticker: str, error: type[DomainError], code: str
) -> None:
    with pytest.raises(error) as refusal:
        place(rich_alice, "buy", ticker, 1, market=books.market, config=books.config)
    assert refusal.value.code == code


def test_nothing_trades_once_the_recorded_market_has_ended(books: Books, rich_alice: Person) -> None:
    books.market.set_quote("AAPL", "100.00")
    books.market.end()
    with pytest.raises(Refused) as refusal:
        order(books, rich_alice, "buy", 1)
    assert refusal.value.code == "MARKET_ENDED"


@pytest.mark.parametrize(("price", "code"), [("100.005", "PRICE_OFF_TICK"), ("160.00", "PRICE_TOO_FAR")])
def test_a_limit_off_the_tick_or_far_from_the_market_is_refused(
    books: Books, rich_alice: Person, price: str, code: str
) -> None:
    books.market.set_quote("AAPL", "100.00")
    with pytest.raises(Refused) as refusal:
        order(books, rich_alice, "buy", 1, price)
    assert refusal.value.code == code


def test_a_limit_somewhat_far_from_the_market_only_warns(books: Books, rich_alice: Person) -> None:
    books.market.set_quote("AAPL", "100.00")
    answer = order(books, rich_alice, "buy", 1, "80.00")
    assert answer["order_status"] == "pending"
    assert answer["warnings"] == ["The limit $80.00 is 20% away from the market ($100.00)."]


def test_nobody_cancels_an_order_of_somebody_else(books: Books, rich_alice: Person, bob: Person) -> None:
    books.market.set_quote("AAPL", "100.00")
    order_id = order(books, rich_alice, "buy", 1, "90.00")["order_id"]
    with pytest.raises(NotFound):
        books.run(orders.cancel, bob.id, order_id, market=books.market)
    assert stored_order(books, order_id).order_status == "pending"


def test_a_finished_order_can_be_neither_cancelled_nor_rejected_nor_executed(
    books: Books, rich_alice: Person, ada: Person
) -> None:
    books.market.set_quote("AAPL", "100.00")
    order_id = order(books, rich_alice, "buy", 1)["order_id"]
    with pytest.raises(IllegalMove):
        books.run(orders.cancel, rich_alice.id, order_id, market=books.market)
    with pytest.raises(IllegalMove):
        books.run(orders.reject, rich_alice.id, order_id, ada.actor, "late", market=books.market)
    with pytest.raises(IllegalMove):
        books.run(orders.execute, rich_alice.id, order_id, ada.actor, market=books.market)


def test_an_admin_rejects_an_order_with_a_reason_and_frees_what_it_held(
    books: Books, rich_alice: Person, ada: Person
) -> None:
    books.market.set_quote("AAPL", "100.00")
    order_id = order(books, rich_alice, "buy", 10, "90.00")["order_id"]
    books.run(orders.reject, rich_alice.id, order_id, ada.actor, "wrong class", market=books.market)
    row = stored_order(books, order_id)
    assert (row.order_status, row.remark, row.operator_id) == ("rejected", "wrong class", ada.id)
    assert cash(books, rich_alice) == (Decimal("10000.00"), Decimal("0.00"))


@pytest.mark.parametrize(("last", "paid"), [("100.00", "90.00"), ("85.00", "85.00")])
def test_an_admin_executes_at_the_limit_or_the_market_whichever_is_better(
    books: Books, rich_alice: Person, ada: Person, last: str, paid: str
) -> None:
    books.market.set_quote("AAPL", "100.00")
    order_id = order(books, rich_alice, "buy", 10, "90.00")["order_id"]
    books.market.set_quote("AAPL", last)
    books.market.close()
    answer = books.run(orders.execute, rich_alice.id, order_id, ada.actor, market=books.market)
    assert (answer["order_status"], answer["average_fill_price"]) == ("filled", float(paid))
    assert cash(books, rich_alice) == (10000 - 10 * Decimal(paid), Decimal("0.00"))
    with books.session() as session:
        assert session.execute(select(Transaction.rule)).scalar_one() == "manual"


def test_a_repeated_order_with_the_same_key_has_one_effect_and_one_answer(books: Books, rich_alice: Person) -> None:
    books.market.set_quote("AAPL", "100.00")
    key = RequestKey.of(f"user:{rich_alice.id}", "intention-1", "create_order", b"{}")
    first = order(books, rich_alice, "buy", 10, key=key)
    assert order(books, rich_alice, "buy", 10, key=key) == first
    assert shares(books, rich_alice)[0] == 10


def test_a_key_used_for_another_request_is_refused(books: Books, rich_alice: Person) -> None:
    books.market.set_quote("AAPL", "100.00")
    actor = f"user:{rich_alice.id}"
    order(books, rich_alice, "buy", 10, key=RequestKey.of(actor, "intention-1", "create_order", b"{1}"))
    with pytest.raises(Refused) as refusal:
        order(books, rich_alice, "buy", 11, key=RequestKey.of(actor, "intention-1", "create_order", b"{2}"))
    assert refusal.value.code == "KEY_REUSED"


def test_keys_that_differ_only_in_case_or_accent_are_different_keys(books: Books, rich_alice: Person) -> None:
    books.market.set_quote("AAPL", "100.00")
    for spelling in ("order-a", "Order-A", "Örder-A", "order-a "):
        order(books, rich_alice, "buy", 1, key=RequestKey.of(f"user:{rich_alice.id}", spelling, "create_order", b""))
    assert shares(books, rich_alice)[0] == 4


class TestWithCommission:
    """One cent a share, at least a dollar, at most half a percent of the value."""

    @pytest.fixture
    def settings(self) -> dict[str, str]:
        return {
            "COMMISSION_PER_SHARE": "0.01",
            "COMMISSION_MINIMUM": "1.00",
            "COMMISSION_MAXIMUM_RATE": "0.005",
        }

    def test_a_buy_pays_it_on_top(self, books: Books, rich_alice: Person) -> None:
        books.market.set_quote("AAPL", "50.00")
        order(books, rich_alice, "buy", 100)
        assert cash(books, rich_alice) == (Decimal("4999.00"), Decimal("0.00"))
        assert shares(books, rich_alice) == (100, 0, Decimal("5000.00"))

    def test_a_resting_buy_reserves_it(self, books: Books, rich_alice: Person) -> None:
        books.market.set_quote("AAPL", "50.00")
        order(books, rich_alice, "buy", 100, "45.00")
        assert cash(books, rich_alice) == (Decimal("5499.00"), Decimal("4501.00"))

    def test_a_small_order_pays_no_more_than_the_cap(self, books: Books, rich_alice: Person) -> None:
        books.market.set_quote("AAPL", "50.00")
        order(books, rich_alice, "buy", 1)
        assert cash(books, rich_alice)[0] == Decimal("9949.75")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ticker", "../etc"),
        ("ticker", None),
        ("ticker", ["AAPL"]),
        ("order_type", "hold"),
        ("execution_type", "whenever"),
        ("quantity", 0),
        ("quantity", -1),
        ("quantity", 1.5),
        ("quantity", True),
        ("quantity", "1_000"),
        ("quantity", "١٠"),
        ("quantity", 10**12),
        ("quantity", None),
        ("quantity", "NaN"),
        ("price", "1e400"),
        ("price", Decimal("1e400")),
        ("price", Decimal("1e999999")),
        ("price", "Infinity"),
        ("price", Decimal("NaN")),
        ("price", 0),
        ("price", "-5"),
        ("price", "1.00001"),
        ("price", True),
        ("price", []),
        ("price", None),
    ],
)
def test_a_malformed_field_is_named(field: str, value: object) -> None:
    body: dict[str, object] = {
        "ticker": "AAPL",
        "order_type": "buy",
        "execution_type": "limit",
        "quantity": 10,
        "price": "12.50",
    }
    with pytest.raises(InvalidInput) as refusal:
        parse_ticket(body | {field: value})
    assert list(refusal.value.errors) == [field]
