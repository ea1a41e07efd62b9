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
from services.trading.profiles import SIMPLE, STANDARD, STRICT, Profile
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


def view(seen: Quote, **more: object) -> MarketView:
    return MarketView(seen, NOON, "regular")._replace(**more)  # type: ignore[arg-type]


def stop_order(side: str = "sell", stop: str = "95.00", **more: object) -> WorkingOrder:
    plain = order(side, worst="0.0001" if side == "sell" else "106.00")
    return plain._replace(stop=Decimal(stop), **more)  # type: ignore[arg-type]


def at(last: str) -> Quote:
    return quote(last, bid=Decimal(last), ask=Decimal(last))


def test_a_stop_looks_at_the_last_trade_and_not_at_bid_or_ask() -> None:
    wide = quote("95.01", bid=Decimal("94.00"), ask=Decimal("96.00"))
    assert decide(stop_order(), view(wide)) == Decision(wait=Wait.NOT_TRIGGERED)


def test_a_stop_fires_in_the_regular_session_only() -> None:
    decision = decide(stop_order(extended_hours=True), view(at("90.00"), session="extended"))
    assert (decision.triggered, decision.wait) == (False, Wait.MARKET_CLOSED)


def test_a_gap_over_the_stop_fills_at_the_price_behind_the_gap() -> None:
    decision = decide(stop_order(), view(at("80.00")))
    assert decision.execution is not None
    assert (decision.triggered, decision.execution.price) == (True, Decimal("80.00"))


def test_a_triggered_sell_gets_the_collar_of_a_market_order() -> None:
    assert decide(stop_order(), view(at("80.00"))).worst_price == Decimal("76.00")


def test_a_triggered_stop_limit_fills_only_within_its_limit() -> None:
    limited = stop_order()._replace(limit=Decimal("94.50"), worst_price=Decimal("94.50"))
    decision = decide(limited, view(at("94.00")))
    assert (decision.triggered, decision.execution, decision.wait) == (True, None, Wait.NOT_REACHED)


@pytest.mark.parametrize(("stop", "worst"), [("40.00", "41.60"), ("50.00", "51.25"), ("100.00", "102.50")])
def test_a_buy_stop_gets_four_percent_of_room_below_fifty_dollars_and_two_and_a_half_from_there(
    stop: str, worst: str
) -> None:
    assert stop_collar("buy", Decimal(stop)) == Decimal(worst)


def test_a_trailing_stop_stands_below_the_peak_by_an_amount_or_a_percentage() -> None:
    assert trailing_stop("sell", Decimal(120), Decimal(5), None) == Decimal("115.00")
    assert trailing_stop("sell", Decimal(120), None, Decimal(10)) == Decimal("108.00")
    assert trailing_stop("buy", Decimal(120), Decimal(5), None) == Decimal("125.00")


def test_an_orders_share_of_the_volume_moves_its_price_by_the_square() -> None:
    """price x min(share, 2.5 %) squared x 0.1: a fortieth of the volume costs 0.625 basis points, and more no more."""
    assert slippage(Decimal(100), 25, 1000, STANDARD) == Decimal("0.0062")
    assert slippage(Decimal(100), 900, 1000, STANDARD) == Decimal("0.0062")
    assert slippage(Decimal(100), 1, 1_000_000, STANDARD) == 0


def test_the_strict_profile_costs_five_basis_points_more_and_the_simple_one_nothing() -> None:
    assert slippage(Decimal(100), 1, 1_000_000, STRICT) == Decimal("0.0500")
    assert slippage(Decimal(100), 900, 1000, SIMPLE) == 0


@pytest.mark.parametrize(("profile", "shares"), [(SIMPLE, None), (STANDARD, 100), (STRICT, 25)])
def test_orders_may_fill_a_part_of_what_was_traded_behind_a_price(profile: Profile, shares: int | None) -> None:
    assert allowance_of(quote(traded=1000), profile, 0) == shares


def test_what_others_took_of_a_price_is_gone() -> None:
    assert allowance_of(quote(traded=1000), STANDARD, 70) == 30
    assert allowance_of(quote(traded=1000), STANDARD, 170) == 0


def test_a_used_up_price_fills_nothing() -> None:
    assert decide(order(), view(quote(), allowance=0)) == Decision(wait=Wait.NO_VOLUME)


def test_an_iceberg_fills_only_what_it_shows() -> None:
    shown = order(limit="101.00")._replace(display=3)
    execution = decide(shown, view(quote())).execution
    assert execution is not None
    assert execution.quantity == 3


def test_immediate_or_cancel_fills_what_it_can_and_ends() -> None:
    decision = decide(order(limit="101.00")._replace(time_in_force="ioc"), view(quote(), allowance=4))
    assert decision.execution is not None
    assert (decision.execution.quantity, decision.cancel) == (4, "The rest could not fill at once")


def test_fill_or_kill_ends_when_it_cannot_fill_whole() -> None:
    decision = decide(order(limit="101.00")._replace(time_in_force="fok"), view(quote(), allowance=9))
    assert decision.execution is None
    assert decision.cancel == "Fill or kill: only 9 of 10 shares could fill"


@pytest.mark.parametrize(
    ("profile", "age", "fills"), [(SIMPLE, 89, True), (STANDARD, 5, True), (STRICT, 0, False), (STRICT, -1, True)]
)
def test_a_profile_says_how_much_older_than_the_order_a_price_may_be(profile: Profile, age: int, fills: bool) -> None:
    seen = quote(provider_time=NOON - timedelta(seconds=age))
    now = NOON + timedelta(seconds=1)
    assert (decide(order(), MarketView(seen, now, "regular", profile)).execution is not None) is fills


def test_who_practises_at_night_fills_on_the_last_price_marked_as_such() -> None:
    decision = decide(order(), view(quote(), session="closed", now=NOON + timedelta(hours=6), any_hours=True))
    assert decision.execution is not None
    assert decision.execution.rule == "last_price_while_closed"


def test_only_orders_for_extended_hours_fill_before_the_open_and_after_the_close() -> None:
    early = view(quote(), session="extended")
    assert decide(order(limit="101.00"), early).wait is Wait.MARKET_CLOSED
    assert decide(order(limit="101.00")._replace(extended_hours=True), early).execution is not None


def test_a_market_order_that_waited_for_the_open_ends_when_it_opens_beyond_its_reservation() -> None:
    decision = decide(order(worst="99.00")._replace(queued=True), view(quote()))
    assert decision.cancel == "The market opened at $100.05, beyond the $99.00 that was reserved"
