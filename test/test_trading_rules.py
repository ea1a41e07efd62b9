"""Commission, legal moves of a status, and the order book in memory. Pure rules, no database."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.trading.commission import CommissionTerms
from services.trading.order_book import BookEntry, OrderBook
from services.trading.order_book import entry as book_entry
from services.trading.order_state import OrderState
from services.trading.order_states import (
    FINAL_STATUSES,
    OPEN_STATUSES,
    IllegalMove,
    move_order,
    move_request,
)
from utils.market_source import Quote
from utils.number_utils import round_money

ORDER_STATUSES = (*OPEN_STATUSES, *FINAL_STATUSES)
REQUEST_STATUSES = ("pending", "approved", "rejected")
LEGAL_ORDER_MOVES = {(current, wanted) for current in OPEN_STATUSES for wanted in ("partially_filled", *FINAL_STATUSES)}
LEGAL_REQUEST_MOVES = {("pending", "approved"), ("pending", "rejected")}


@pytest.mark.parametrize(("current", "wanted"), product(ORDER_STATUSES, ORDER_STATUSES))
def test_an_order_moves_only_as_the_table_says(current: str, wanted: str) -> None:
    if (current, wanted) in LEGAL_ORDER_MOVES:
        assert move_order(current, wanted) == wanted
    else:
        with pytest.raises(IllegalMove):
            move_order(current, wanted)


@pytest.mark.parametrize(("current", "wanted"), product(REQUEST_STATUSES, REQUEST_STATUSES))
def test_a_request_moves_only_as_the_table_says(current: str, wanted: str) -> None:
    if (current, wanted) in LEGAL_REQUEST_MOVES:
        assert move_request(current, wanted) == wanted
    else:
        with pytest.raises(IllegalMove):
            move_request(current, wanted)


FREE = CommissionTerms(Decimal(0), Decimal(0), Decimal(1))
BROKER = CommissionTerms(Decimal("0.005"), Decimal("1.00"), Decimal("0.005"))


def test_no_commission_is_charged_out_of_the_box() -> None:
    assert FREE.for_order(100, Decimal("10000.00")) == 0


@pytest.mark.parametrize(
    ("shares", "value", "commission"),
    [(1000, "50000.00", "5.00"), (100, "5000.00", "1.00"), (10, "100.00", "0.50"), (0, "0.00", "0.00")],
    ids=["a share", "at least", "at most", "nothing"],
)
def test_commission_is_so_much_a_share_at_least_and_at_most_so_much(shares: int, value: str, commission: str) -> None:
    assert BROKER.for_order(shares, Decimal(value)) == Decimal(commission)


terms = st.builds(
    CommissionTerms,
    per_share=st.decimals(min_value=0, max_value=1, places=4),
    minimum=st.decimals(min_value=0, max_value=20, places=2),
    maximum_rate=st.decimals(min_value=0, max_value=1, places=4),
)
prices = st.decimals(min_value="0.0001", max_value=2000, places=4)


@given(terms=terms, parts=st.lists(st.tuples(st.integers(1, 500), prices), min_size=1, max_size=12))
def test_the_parts_of_an_order_pay_no_more_than_the_whole_and_no_part_more_than_its_worth(
    terms: CommissionTerms, parts: list[tuple[int, Decimal]]
) -> None:
    shares, value, paid = 0, Decimal(0), Decimal(0)
    for quantity, price in parts:
        amount = round_money(price * quantity)
        part = terms.for_fill(quantity, amount, shares, value)
        assert 0 <= part <= amount
        shares, value, paid = shares + quantity, value + amount, paid + part
    assert paid <= terms.for_order(shares, value) <= value


def test_parts_of_an_order_pay_the_minimum_once() -> None:
    paid = [BROKER.for_fill(10, Decimal("500.00"), before, Decimal(before * 50)) for before in (0, 10, 20)]
    assert paid == [Decimal("1.00"), 0, 0]


@given(
    terms=terms,
    worst=prices,
    parts=st.lists(st.tuples(st.integers(1, 200), st.integers(0, 100)), min_size=1, max_size=12),
)
def test_a_reservation_covers_every_way_in_which_a_buy_may_fill(
    terms: CommissionTerms, worst: Decimal, parts: list[tuple[int, int]]
) -> None:
    """However the fills are cut and rounded, each is paid from the reservation and never more than is left of it."""
    order = OrderState(
        order_id=1,
        user_id=1,
        ticker="AAPL",
        side="buy",
        execution_type="limit",
        limit=worst,
        worst_price=worst,
        quantity=sum(quantity for quantity, _ in parts),
        accepted_at=datetime(2008, 9, 2, tzinfo=UTC),
        terms=terms,
    )
    left = order.needed_reservation()
    for quantity, improvement in parts:
        price = max((worst * (100 - improvement) / 100).quantize(Decimal("0.0001")), Decimal("0.0001"))
        amount = round_money(price * quantity)
        cost = amount + terms.for_fill(quantity, amount, order.filled_quantity, order.filled_amount)
        order.filled_quantity += quantity
        order.filled_amount += amount
        order.status = "partially_filled" if order.remaining else "filled"
        assert cost + order.needed_reservation() <= left
        left = order.needed_reservation()
    assert left == 0


def quote(price: int) -> Quote:
    last = Decimal(price)
    return Quote("AAPL", last, last, last, None, None, None, None, None, datetime(2008, 9, 2, tzinfo=UTC), 0, "replay")


def entry(order_id: int, side: str, limit: int | None) -> BookEntry:
    return book_entry(order_id, 1, "AAPL", side, None if limit is None else Decimal(limit))


def ids(entries: list[BookEntry]) -> list[int]:
    return [one.order_id for one in entries]


def test_the_book_answers_best_price_first_then_oldest_first() -> None:
    book = OrderBook([entry(1, "buy", 90), entry(2, "buy", 95), entry(3, "buy", 95), entry(4, "buy", None)])
    assert ids(book.triggered("AAPL", quote(90))) == [4, 2, 3, 1]


def test_the_book_leaves_what_the_price_does_not_reach() -> None:
    book = OrderBook([entry(1, "buy", 90), entry(2, "sell", 110)])
    assert book.triggered("AAPL", quote(100)) == []
    assert ids(book.triggered("AAPL", quote(110))) == [2]
    assert 1 in book
    assert 2 not in book


def test_a_removed_order_is_never_answered() -> None:
    book = OrderBook([entry(1, "buy", 90), entry(2, "buy", 90)])
    book.remove(1)
    assert ids(book.triggered("AAPL", quote(80))) == [2]


def test_an_order_put_back_is_answered_again_once() -> None:
    book = OrderBook([entry(1, "buy", 90)])
    for found in book.triggered("AAPL", quote(90)):
        book.add(found)
    assert ids(book.triggered("AAPL", quote(90))) == [1]
    assert len(book) == 0


def test_the_book_names_its_tickers() -> None:
    assert OrderBook([entry(1, "buy", 90)]).tickers() == {"AAPL"}


orders = st.lists(st.tuples(st.sampled_from(["buy", "sell"]), st.none() | st.integers(50, 150)), max_size=40)


@given(orders=orders, removed=st.sets(st.integers(0, 40)), price=st.integers(50, 150))
def test_the_book_finds_exactly_what_a_look_at_every_order_finds(
    orders: list[tuple[str, int | None]], removed: set[int], price: int
) -> None:
    entries = [entry(number, side, limit) for number, (side, limit) in enumerate(orders)]
    book = OrderBook(entries)
    for number in removed:
        book.remove(number)
    reached = {
        one.order_id
        for one in entries
        if one.order_id not in removed
        and (one.limit is None or (one.limit >= price * 10_000 if one.side == "buy" else one.limit <= price * 10_000))
    }
    assert set(ids(book.triggered("AAPL", quote(price)))) == reached
