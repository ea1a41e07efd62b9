"""Stops, trailing stops, brackets, pairs, icebergs, times in force, replacing and previewing. On both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update

from conftest import Books
from factories import Person, give_cash, give_shares, place
from fake_market import FakeClock
from models import AccountBalance, Order, Portfolio, Transaction, User
from proof import require_clean
from services.errors import InvalidInput, Refused, TooMany
from services.trading import order_views, orders
from services.trading.preview import preview
from services.trading.replacing import parse_changes, replace
from services.trading.tickets import parse_ticket
from tasks.order_processor import OrderProcessor


@pytest.fixture
def trader(books: Books, alice: Person, ada: Person) -> Iterator[Person]:
    """Alice with 100 AAPL bought at $100.00 and $100,000.00. Whatever a test did, the books hold afterwards."""
    give_shares(alice, "AAPL", 100, "100.00", admin=ada, market=books.market, config=books.config)
    give_cash(alice, "100000.00", admin=ada, market=books.market)
    books.market.clock.advance(seconds=60)
    books.market.refresh()
    yield alice
    require_clean(books)


@pytest.fixture
def processor(books: Books) -> OrderProcessor:
    return OrderProcessor(
        books.app, books.market, books.config, interval=1.0, clock=FakeClock(datetime(2026, 11, 22, tzinfo=UTC))
    )


def send(books: Books, user: Person, side: str, quantity: int, price: str | None = None, **more: Any) -> int:
    answer = place(user, side, "AAPL", quantity, price, market=books.market, config=books.config, **more)
    number: int = answer["order_id"]
    return number


def stop_sell(books: Books, user: Person, quantity: int, stop: str, **more: Any) -> int:
    return send(books, user, "sell", quantity, execution_type="stop", stop_price=stop, **more)


def tick(books: Books, processor: OrderProcessor, last: str, **more: Any) -> int:
    """The next price, and a pass of the processor. Returns its fills."""
    books.market.clock.advance(seconds=60)
    books.market.set_quote("AAPL", last, **more)
    return processor.run_pass()


def order(books: Books, order_id: int) -> Order:
    with books.session() as session:
        return session.get_one(Order, order_id)


def legs(books: Books, order_id: int) -> list[Order]:
    with books.session() as session:
        return list(
            session.execute(select(Order).where(Order.parent_id == order_id).order_by(Order.order_id)).scalars()
        )


def fills(books: Books, order_id: int) -> list[tuple[Decimal, int]]:
    with books.session() as session:
        columns = (Transaction.transaction_price, Transaction.transaction_quantity)
        rows = session.execute(
            select(*columns).where(Transaction.order_id == order_id).order_by(Transaction.fill_number)
        )
        return [tuple(row) for row in rows]


def frozen_shares(books: Books) -> int:
    with books.session() as session:
        return session.execute(select(Portfolio.frozen_quantity)).scalar_one()


def test_a_stop_sell_waits_until_the_price_falls_to_it(books: Books, trader: Person, processor: OrderProcessor) -> None:
    stop = stop_sell(books, trader, 40, "95.00")
    assert (order(books, stop).order_status, frozen_shares(books)) == ("pending", 40)
    assert tick(books, processor, "95.01") == 0
    assert tick(books, processor, "95.00", bid="94.98") == 1
    assert fills(books, stop) == [(Decimal("94.9800"), 40)]
    assert order(books, stop).triggered_at == books.market.now()


def test_a_stop_that_is_jumped_over_fills_at_the_price_behind_the_gap(
    books: Books, trader: Person, processor: OrderProcessor
) -> None:
    stop = stop_sell(books, trader, 40, "95.00")
    tick(books, processor, "80.00")
    assert fills(books, stop) == [(Decimal("80.0000"), 40)]


def test_a_stop_never_fires_outside_the_regular_session(
    books: Books, trader: Person, processor: OrderProcessor
) -> None:
    stop = stop_sell(books, trader, 40, "95.00")
    books.market.close()
    assert tick(books, processor, "80.00") == 0
    assert order(books, stop).triggered_at is None


def test_a_buy_stop_reserves_its_stop_and_some_room(books: Books, trader: Person, processor: OrderProcessor) -> None:
    """2.5 % from fifty dollars on."""
    stop = send(books, trader, "buy", 10, execution_type="stop", stop_price="110.00")
    assert order(books, stop).reserved_amount == Decimal("1127.50")
    tick(books, processor, "111.00")
    assert fills(books, stop) == [(Decimal("111.0000"), 10)]


def test_a_triggered_stop_limit_is_a_limit_order(books: Books, trader: Person, processor: OrderProcessor) -> None:
    stop = send(books, trader, "sell", 10, "94.50", execution_type="stop_limit", stop_price="95.00")
    tick(books, processor, "94.00")
    assert order(books, stop).triggered_at is not None
    assert fills(books, stop) == []
    tick(books, processor, "94.60")
    assert fills(books, stop) == [(Decimal("94.6000"), 10)]


def test_a_trailing_stop_follows_the_market_up_and_fires_on_the_way_down(
    books: Books, trader: Person, processor: OrderProcessor
) -> None:
    trailing = send(books, trader, "sell", 10, execution_type="trailing_stop", trail_amount="5.00")
    assert order(books, trailing).stop_price == Decimal("95.0000")
    tick(books, processor, "110.00")
    assert (order(books, trailing).trail_peak, order(books, trailing).stop_price) == (110, 105)
    tick(books, processor, "106.00")
    assert order(books, trailing).stop_price == 105
    assert tick(books, processor, "105.00") == 1


def test_a_trailing_stop_tests_its_old_stop_before_it_moves(
    books: Books, trader: Person, processor: OrderProcessor
) -> None:
    trailing = send(books, trader, "sell", 10, execution_type="trailing_stop", trail_percent="10")
    assert order(books, trailing).stop_price == 90
    assert tick(books, processor, "90.00") == 1


def test_a_trailing_stop_remembers_its_peak_over_a_restart(
    books: Books, trader: Person, processor: OrderProcessor
) -> None:
    send(books, trader, "sell", 10, execution_type="trailing_stop", trail_amount="5.00")
    tick(books, processor, "120.00")
    processor.book = type(processor.book)()
    processor._forget()
    assert tick(books, processor, "114.00") == 1


def test_a_bracket_protects_what_it_bought(books: Books, trader: Person, processor: OrderProcessor) -> None:
    parent = send(books, trader, "buy", 10, order_class="bracket", take_profit_price="120.00", stop_loss_price="90.00")
    profit, loss = legs(books, parent)
    assert (profit.order_execution_type, profit.order_price, profit.order_quantity) == ("limit", 120, 10)
    assert (loss.order_execution_type, loss.stop_price, loss.order_quantity) == ("stop", 90, 10)
    assert frozen_shares(books) == 10
    tick(books, processor, "121.00")
    profit, loss = legs(books, parent)
    assert (profit.order_status, loss.order_status) == ("filled", "cancelled")
    assert frozen_shares(books) == 0


def test_the_legs_of_a_bracket_grow_with_each_part_that_fills(
    books: Books, trader: Person, processor: OrderProcessor
) -> None:
    books.market.set_quote("AAPL", "100.00", traded=60)
    parent = send(books, trader, "buy", 10, order_class="bracket", take_profit_price="120.00", stop_loss_price="90.00")
    assert [leg.order_quantity for leg in legs(books, parent)] == [6, 6]
    tick(books, processor, "100.00")
    assert [leg.order_quantity for leg in legs(books, parent)] == [10, 10]
    assert frozen_shares(books) == 10


def test_a_stop_and_its_target_never_both_fill(books: Books, trader: Person, processor: OrderProcessor) -> None:
    pair = send(books, trader, "sell", 50, order_class="oco", take_profit_price="120.00", stop_loss_price="90.00")
    assert frozen_shares(books) == 50
    tick(books, processor, "89.00")
    tick(books, processor, "130.00")
    other = pair + 1
    assert (order(books, pair).order_status, order(books, other).order_status) == ("cancelled", "filled")
    assert (fills(books, pair), frozen_shares(books)) == ([], 0)


def test_a_part_fill_of_one_leg_shrinks_the_other(books: Books, trader: Person, processor: OrderProcessor) -> None:
    pair = send(books, trader, "sell", 50, order_class="oco", take_profit_price="120.00", stop_loss_price="90.00")
    tick(books, processor, "120.00", traded=200)
    assert (order(books, pair).filled_quantity, order(books, pair + 1).order_quantity) == (20, 30)
    assert frozen_shares(books) == 30
    tick(books, processor, "90.00", traded=100_000)
    assert fills(books, pair + 1) == [(Decimal("90.0000"), 30)] or fills(books, pair + 1)[0][1] == 30
    assert order(books, pair).order_status == "cancelled"


def test_cancelling_one_leg_of_a_pair_ends_both_and_frees_the_shares_once(books: Books, trader: Person) -> None:
    pair = send(books, trader, "sell", 50, order_class="oco", take_profit_price="120.00", stop_loss_price="90.00")
    books.run(orders.cancel, trader.id, pair + 1, market=books.market)
    assert {order(books, pair).order_status, order(books, pair + 1).order_status} == {"cancelled"}
    assert frozen_shares(books) == 0


def test_all_orders_share_a_tenth_of_what_was_traded(books: Books, trader: Person, bob: Person, ada: Person) -> None:
    give_cash(bob, "100000.00", admin=ada, market=books.market)
    books.market.set_quote("AAPL", "100.00", traded=1000)
    first, second = send(books, trader, "buy", 70), send(books, bob, "buy", 70)
    assert [sum(quantity for _, quantity in fills(books, one)) for one in (first, second)] == [70, 30]
    assert order(books, second).order_status == "partially_filled"


def test_the_rest_of_a_part_fill_fills_on_the_next_price(
    books: Books, trader: Person, processor: OrderProcessor
) -> None:
    books.market.set_quote("AAPL", "100.00", traded=300)
    partly = send(books, trader, "buy", 50)
    tick(books, processor, "101.00", traded=300)
    assert [quantity for _, quantity in fills(books, partly)] == [30, 20]
    assert order(books, partly).order_status == "filled"


def test_an_iceberg_fills_no_more_than_it_shows_at_each_price(
    books: Books, trader: Person, processor: OrderProcessor
) -> None:
    iceberg = send(books, trader, "buy", 25, "100.00", display_quantity=10)
    tick(books, processor, "100.00")
    tick(books, processor, "100.00")
    assert [quantity for _, quantity in fills(books, iceberg)] == [10, 10, 5]


def test_immediate_or_cancel_ends_what_could_not_fill_at_once(books: Books, trader: Person) -> None:
    books.market.set_quote("AAPL", "100.00", traded=300)
    partly = send(books, trader, "buy", 50, "101.00", time_in_force="ioc")
    row = order(books, partly)
    assert (row.order_status, row.filled_quantity, row.reserved_amount) == ("cancelled", 30, 0)


def test_fill_or_kill_fills_whole_or_not_at_all(books: Books, trader: Person) -> None:
    books.market.set_quote("AAPL", "100.00", traded=300)
    killed = send(books, trader, "buy", 50, "101.00", time_in_force="fok")
    assert (order(books, killed).order_status, fills(books, killed)) == ("cancelled", [])
    filled = send(books, trader, "buy", 30, "101.00", time_in_force="fok")
    assert order(books, filled).order_status == "filled"


def test_a_day_order_expires_with_its_session(books: Books, trader: Person, processor: OrderProcessor) -> None:
    day = send(books, trader, "buy", 10, "90.00", time_in_force="day")
    books.market.clock.set(datetime(2008, 9, 2, 20, 0, tzinfo=UTC))
    processor.run_pass()
    assert (order(books, day).order_status, order(books, day).reserved_amount) == ("expired", 0)


def test_an_order_for_ninety_days_expires_after_them(books: Books, trader: Person, processor: OrderProcessor) -> None:
    gtc = send(books, trader, "buy", 10, "90.00")
    books.market.clock.advance(days=89, hours=23)
    processor.run_pass()
    assert order(books, gtc).order_status == "pending"
    books.market.clock.advance(hours=1)
    processor.run_pass()
    assert order(books, gtc).order_status == "expired"


def test_a_market_order_that_waited_for_the_open_ends_when_it_opens_beyond_its_reservation(
    books: Books, trader: Person, processor: OrderProcessor
) -> None:
    books.market.close()
    queued = send(books, trader, "buy", 10)
    books.market.reopen()
    tick(books, processor, "106.00")
    assert order(books, queued).order_status == "cancelled"
    assert "opened at $106" in (order(books, queued).remark or "")


def test_replacing_moves_the_reservation(books: Books, trader: Person) -> None:
    resting = send(books, trader, "buy", 10, "90.00")
    changes = parse_changes({"price": "95.00", "quantity": 20})
    books.run(replace, trader.id, resting, changes, market=books.market, config=books.config)
    row = order(books, resting)
    assert (row.order_price, row.order_quantity, row.reserved_amount) == (95, 20, Decimal("1900.00"))
    with books.session() as session:
        assert session.execute(select(AccountBalance.frozen_balance)).scalar_one() == Decimal("1900.00")


def test_an_order_that_only_shrinks_keeps_its_place(books: Books, trader: Person) -> None:
    resting = send(books, trader, "buy", 10, "90.00")
    accepted = order(books, resting).accepted_at
    books.market.clock.advance(seconds=1)
    books.run(replace, trader.id, resting, parse_changes({"quantity": 5}), market=books.market, config=books.config)
    assert order(books, resting).accepted_at == accepted
    books.run(replace, trader.id, resting, parse_changes({"quantity": 8}), market=books.market, config=books.config)
    assert order(books, resting).accepted_at == books.market.now()


def test_a_replaced_order_fills_at_once_when_its_new_price_is_reached(books: Books, trader: Person) -> None:
    resting = send(books, trader, "buy", 10, "90.00")
    changes = parse_changes({"price": "100.00"})
    answer = books.run(replace, trader.id, resting, changes, market=books.market, config=books.config)
    assert answer["order_status"] == "filled"


@pytest.mark.parametrize(
    ("changes", "error"),
    [({"stop_price": "80.00"}, InvalidInput), ({"quantity": 2000}, Refused), ({"price": "10.00"}, Refused)],
)
def test_a_change_that_does_not_fit_leaves_the_order_as_it_was(
    books: Books, trader: Person, changes: dict[str, Any], error: type[Exception]
) -> None:
    resting = send(books, trader, "buy", 10, "90.00")
    with pytest.raises(error):
        books.run(replace, trader.id, resting, parse_changes(changes), market=books.market, config=books.config)
    assert (order(books, resting).order_quantity, order(books, resting).order_price) == (10, 90)


def test_a_preview_says_what_the_order_would_cost_and_stores_nothing(books: Books, trader: Person) -> None:
    ticket = parse_ticket({"ticker": "AAPL", "order_type": "buy", "execution_type": "market", "quantity": 10})
    with books.session() as session:
        seen = preview(session, trader.id, ticket, market=books.market, config=books.config)
        orders_before = session.execute(select(Order.order_id)).scalars().all()
    assert (seen["worst_case_cost"], seen["when"], seen["refused"]) == (Decimal("1050.00"), "now", None)
    assert len(orders_before) == 1


def test_a_preview_says_why_an_order_would_be_refused(books: Books, trader: Person) -> None:
    ticket = parse_ticket({"ticker": "AAPL", "order_type": "sell", "execution_type": "market", "quantity": 101})
    with books.session() as session:
        seen = preview(session, trader.id, ticket, market=books.market, config=books.config)
    assert seen["refused"]["code"] == "INSUFFICIENT_SHARES"


def test_the_story_of_an_order_tells_its_whole_life(books: Books, trader: Person, processor: OrderProcessor) -> None:
    stop = stop_sell(books, trader, 40, "95.00")
    tick(books, processor, "94.00")
    with books.session() as session:
        story = order_views.order_story(session, stop, trader.id)
    assert [event["kind"] for event in story["events"]] == ["order_accepted", "order_triggered", "order_filled"]
    assert story["fills"][0]["quote_last"] == 94


def test_a_halted_account_sends_no_order_and_a_reducing_one_only_sells(books: Books, trader: Person) -> None:
    for state, code in (("halted", "ACCOUNT_HALTED"), ("reducing", "ACCOUNT_REDUCING")):
        with books.session() as session:
            session.execute(update(User).values(trading_state=state))
            session.commit()
        with pytest.raises(Refused) as refusal:
            send(books, trader, "buy", 1)
        assert refusal.value.code == code
    assert order(books, send(books, trader, "sell", 1)).order_status == "filled"


def test_two_orders_of_one_trader_never_trade_with_each_other(books: Books, trader: Person) -> None:
    resting = send(books, trader, "sell", 10, "105.00")
    with pytest.raises(Refused) as refusal:
        send(books, trader, "buy", 10, "105.00")
    assert (refusal.value.code, refusal.value.details) == ("CROSSES_OWN_ORDER", {"order_id": resting})
    send(books, trader, "buy", 10, "95.00")


def test_more_than_a_tenth_of_a_days_volume_is_refused(books: Books, trader: Person) -> None:
    books.market.set_quote("AAPL", "100.00", volume=500)
    with pytest.raises(Refused) as refusal:
        send(books, trader, "buy", 51)
    assert refusal.value.code == "SIZE_ABOVE_VOLUME"


class TestLimits:
    """Three orders a second, two open ones, no more than half of the equity in one ticker."""

    @pytest.fixture
    def settings(self) -> dict[str, str]:
        return {"ORDER_RATE_LIMIT": "3", "OPEN_ORDER_LIMIT": "2", "CONCENTRATION_LIMIT": "0.5"}

    @pytest.fixture
    def trader(self, books: Books, alice: Person, ada: Person) -> Person:
        """Alice with $100,000.00 and no shares."""
        give_cash(alice, "100000.00", admin=ada, market=books.market)
        books.market.set_quote("AAPL", "100.00")
        return alice

    def test_the_fourth_order_of_a_second_is_too_many(self, books: Books, trader: Person) -> None:
        for _ in range(3):
            send(books, trader, "buy", 1)
        with pytest.raises(TooMany):
            send(books, trader, "buy", 1)

    def test_the_third_open_order_is_too_many(self, books: Books, trader: Person) -> None:
        for _ in range(2):
            send(books, trader, "buy", 1, "90.00")
        with pytest.raises(Refused) as refusal:
            send(books, trader, "buy", 1, "90.00")
        assert refusal.value.code == "TOO_MANY_OPEN_ORDERS"

    def test_more_than_half_in_one_ticker_is_refused(self, books: Books, trader: Person) -> None:
        with pytest.raises(Refused) as refusal:
            send(books, trader, "buy", 501)
        assert refusal.value.code == "TOO_CONCENTRATED"


class TestTheSimpleProfile:
    @pytest.fixture
    def settings(self) -> dict[str, str]:
        return {"REALISM_PROFILE": "simple"}

    def test_any_fresh_price_fills_any_size_at_the_touch(self, books: Books, trader: Person) -> None:
        books.market.set_quote("AAPL", "100.00", traded=10)
        books.market.clock.advance(seconds=90)
        whole = send(books, trader, "buy", 500)
        assert fills(books, whole) == [(Decimal("100.0000"), 500)]


class TestTheStrictProfile:
    @pytest.fixture
    def settings(self) -> dict[str, str]:
        return {"REALISM_PROFILE": "strict"}

    @pytest.fixture
    def trader(self, books: Books, alice: Person, ada: Person) -> Iterator[Person]:
        give_cash(alice, "100000.00", admin=ada, market=books.market)
        books.market.set_quote("AAPL", "100.00")
        yield alice
        require_clean(books)

    def test_only_a_later_price_fills_a_fortieth_of_the_volume_at_a_worse_price(
        self, books: Books, trader: Person, processor: OrderProcessor
    ) -> None:
        strict = send(books, trader, "buy", 50)
        assert fills(books, strict) == []
        tick(books, processor, "100.00", traded=1000)
        assert fills(books, strict) == [(Decimal("100.0562"), 25)]


class TestTradingAtAllHours:
    @pytest.fixture
    def settings(self) -> dict[str, str]:
        return {"TRADING_HOURS": "always"}

    def test_orders_fill_on_the_last_price_while_closed_and_say_so(self, books: Books, trader: Person) -> None:
        books.market.close()
        books.market.clock.advance(hours=5)
        send(books, trader, "buy", 5)
        with books.session() as session:
            newest = select(Transaction.rule).order_by(Transaction.transaction_id.desc()).limit(1)
            assert session.execute(newest).scalar_one() == "last_price_while_closed"
