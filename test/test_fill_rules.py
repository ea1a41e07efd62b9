"""At which price an order fills, one test a rule, and properties that hold for every price and order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.trading.fill_rules import Decision, Execution, MarketView, SessionState, WorkingOrder, allowance_of
from services.trading.fill_rules import fill_for as decide
from services.trading.prices import (
    Wait,
    ask_of,
    bid_of,
    collar,
    slippage,
    stop_collar,
    tick_size,
    trailing_stop,
    within,
)
from services.trading.profiles import SIMPLE, STANDARD, STRICT
from utils.market_source import Quote

NOON = datetime(2008, 9, 2, 16, 0, tzinfo=UTC)


def quote(last: str = "100.00", **more: object) -> Quote:
    plain = Quote(
        ticker="AAPL",
        last=Decimal(last),
        bid=Decimal("99.95"),
        ask=Decimal("100.05"),
        open=None,
        high=None,
        low=None,
        previous_close=None,
        volume=1_000_000,
        provider_time=NOON,
        delay=0,
        source="replay",
        traded=1_000_000,
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def order(
    side: str = "buy", limit: str | None = None, worst: str = "105.06", accepted: datetime = NOON
) -> WorkingOrder:
    price = None if limit is None else Decimal(limit)
    return WorkingOrder(side, price, Decimal(worst) if price is None else price, remaining=10, accepted_at=accepted)


def fill_for(working: WorkingOrder, seen: Quote | None, now: datetime, session_open: bool) -> Execution | Wait | None:
    """What the standard profile decides, for orders without further conditions."""
    session: SessionState = "regular" if session_open else "closed"
    decision = decide(working, MarketView(seen, now, session))
    return decision.execution or decision.wait


def test_a_market_buy_pays_the_ask() -> None:
    assert fill_for(order(), quote(), NOON, True) == Execution(Decimal("100.05"), 10, "market_far_side")


def test_a_market_sell_gets_the_bid() -> None:
    assert fill_for(order("sell", worst="94.95"), quote(), NOON, True) == Execution(
        Decimal("99.95"), 10, "market_far_side"
    )


def test_without_a_spread_half_of_five_basis_points_a_side_is_assumed() -> None:
    bare = quote(bid=None, ask=None)
    assert (bid_of(bare), ask_of(bare)) == (Decimal("99.95"), Decimal("100.05"))


def test_half_a_spread_is_at_least_a_tick() -> None:
    cheap = quote("2.00", bid=None, ask=None)
    assert (bid_of(cheap), ask_of(cheap)) == (Decimal("1.99"), Decimal("2.01"))


def test_a_market_order_never_fills_beyond_its_collar() -> None:
    assert fill_for(order(worst="100.04"), quote(), NOON, True) is Wait.NOT_REACHED


def test_the_collar_is_five_percent_beyond_the_far_side_in_whole_cents() -> None:
    assert collar("buy", quote()) == Decimal("105.06")
    assert collar("sell", quote()) == Decimal("94.95")


def test_a_limit_buy_fills_at_the_ask_when_that_is_better() -> None:
    assert fill_for(order(limit="101.00"), quote(), NOON, True) == Execution(Decimal("100.05"), 10, "limit_or_better")


def test_a_limit_buy_waits_while_the_ask_is_above_it() -> None:
    assert fill_for(order(limit="100.04"), quote(), NOON, True) is Wait.NOT_REACHED


def test_a_limit_sell_waits_while_the_bid_is_below_it() -> None:
    assert fill_for(order("sell", limit="99.96"), quote(), NOON, True) is Wait.NOT_REACHED


def test_nothing_fills_while_the_market_is_closed() -> None:
    assert fill_for(order(), quote(), NOON, False) is Wait.MARKET_CLOSED


def test_nothing_fills_without_a_quote() -> None:
    assert fill_for(order(), None, NOON, True) is Wait.NO_QUOTE


def test_a_quote_without_its_providers_time_is_for_display_only() -> None:
    assert fill_for(order(), quote(provider_time=None), NOON, True) is Wait.DISPLAY_ONLY


@pytest.mark.parametrize(("age", "fills"), [(0, True), (5, True), (6, False)])
def test_a_price_at_most_five_seconds_older_than_the_order_counts_as_simultaneous(age: int, fills: bool) -> None:
    decision = fill_for(order(accepted=NOON), quote(provider_time=NOON - timedelta(seconds=age)), NOON, True)
    assert isinstance(decision, Execution) is fills
    assert fills or decision is Wait.TOO_OLD


@pytest.mark.parametrize(("age", "fills"), [(90, True), (91, False)])
def test_a_price_older_than_ninety_seconds_is_stale(age: int, fills: bool) -> None:
    now = NOON + timedelta(seconds=age)
    decision = fill_for(order(), quote(), now, True)
    assert isinstance(decision, Execution) is fills
    assert fills or decision is Wait.STALE


def test_the_providers_own_delay_does_not_make_a_price_stale() -> None:
    now = NOON + timedelta(minutes=15)
    assert isinstance(fill_for(order(), quote(delay=900), now, True), Execution)


@pytest.mark.parametrize(
    "broken",
    [
        {"bid": Decimal("100.06")},
        {"last": Decimal(0)},
        {"last": Decimal("NaN")},
        {"ask": Decimal(-1)},
        {"low": Decimal("100.01"), "high": Decimal("101.00")},
    ],
    ids=["crossed", "zero", "not a number", "negative", "outside the day's range"],
)
def test_an_implausible_quote_fills_nothing(broken: dict[str, Decimal]) -> None:
    assert fill_for(order(), quote(**broken), NOON, True) is Wait.IMPLAUSIBLE


def test_a_tick_is_a_cent_from_one_dollar_and_a_hundredth_of_it_below() -> None:
    assert tick_size(Decimal("1.00")) == Decimal("0.01")
    assert tick_size(Decimal("0.9999")) == Decimal("0.0001")


prices = st.decimals(min_value="0.01", max_value="5000", places=2)
sides = st.sampled_from(["buy", "sell"])


@given(side=sides, limit=prices, last=prices, spread=st.integers(min_value=0, max_value=500))
def test_no_price_ever_fills_an_order_outside_its_limit(side: str, limit: Decimal, last: Decimal, spread: int) -> None:
    half = Decimal(spread) / 100
    seen = quote(last=str(last), bid=max(last - half, Decimal("0.01")), ask=last + half)
    decision = fill_for(order(side, limit=str(limit)), seen, NOON, True)
    if isinstance(decision, Execution):
        assert within(side, decision.price, limit)
    else:
        assert not within(side, ask_of(seen) if side == "buy" else bid_of(seen), limit)
