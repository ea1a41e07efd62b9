"""The replayed market: its clock, the path inside a day, and that nothing looks ahead. Pure, without a database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config import ROOT
from fake_market import FakeClock
from services.market.hours import TradingHours, exchange_sessions, recorded_sessions
from utils.market_source import Bar, UnknownTicker
from utils.replay_clock import ReplayAnchor, ReplayTimeline
from utils.replay_market import ReplaySource, load_bars
from utils.replay_path import day_path, dollars, spread

WALL = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FAR = WALL + timedelta(days=3650)
# A Friday, the Monday after, and a half day.
DAYS = (date(2008, 11, 21), date(2008, 11, 24), date(2008, 11, 28))
SESSIONS = recorded_sessions(DAYS)
SPEEDS = (1, 60, 3600, 7)
KNOWN_START = (4_380_000, 4_381_799, 4_381_799)  # of AAPL on 2013-03-01


@cache
def recorded() -> dict[str, list[Bar]]:
    return load_bars(ROOT / "data" / "daily_bars_2000_2013.csv.gz")


@cache
def every_session():
    return recorded_sessions(bar.date for bars in recorded().values() for bar in bars)


def source_at(clock: FakeClock) -> ReplaySource:
    return ReplaySource(recorded(), every_session(), clock)


def anchor(market: datetime = SESSIONS[0].opens, speed: int = 60, alive_until: datetime = FAR) -> ReplayAnchor:
    return ReplayAnchor(market, WALL, speed, alive_until)


def at(seconds: float, speed: int = 60, **options: datetime) -> datetime:
    timeline = ReplayTimeline(SESSIONS, speed)
    return timeline.market_time(anchor(speed=speed, **options), WALL + timedelta(seconds=seconds))


# The clock.


def test_a_wall_second_is_a_tick_of_the_speed() -> None:
    assert at(0) == datetime(2008, 11, 21, 14, 30, tzinfo=UTC)
    assert at(0.999) == at(0)
    assert at(1) == datetime(2008, 11, 21, 14, 31, tzinfo=UTC)
    assert at(90.5) == datetime(2008, 11, 21, 16, 0, tzinfo=UTC)


def test_the_close_is_one_tick_and_the_next_one_opens_the_next_session() -> None:
    assert at(390) == SESSIONS[0].closes
    assert at(391) == SESSIONS[1].opens == datetime(2008, 11, 24, 14, 30, tzinfo=UTC)


def test_a_half_day_ends_at_one() -> None:
    assert at(2 * 391 + 210) == datetime(2008, 11, 28, 18, 0, tzinfo=UTC)


def test_after_the_last_close_the_clock_stands_still() -> None:
    assert at(10**6) == at(10**8) == SESSIONS[-1].closes


def test_a_speed_that_does_not_divide_the_session_still_shows_the_close() -> None:
    assert at(6, speed=3600) == SESSIONS[0].opens + timedelta(hours=6)
    assert at(7, speed=3600) == SESSIONS[0].closes
    assert at(8, speed=3600) == SESSIONS[1].opens


def test_an_anchor_between_sessions_counts_as_the_next_open() -> None:
    assert at(0, market=SESSIONS[0].closes + timedelta(hours=3)) == SESSIONS[1].opens


def test_the_clock_stands_still_after_alive_until() -> None:
    stop = WALL + timedelta(seconds=30.7)
    assert at(1000, alive_until=stop) == at(30)


def test_a_wall_clock_before_the_anchor_does_not_move_it_back() -> None:
    assert at(-500) == at(0)


@given(
    speed=st.sampled_from(SPEEDS),
    seconds=st.lists(st.floats(0, 60_000), min_size=2, max_size=6),
)
def test_market_time_never_falls_and_is_always_inside_a_session(speed: int, seconds: list[float]) -> None:
    hours = TradingHours(SESSIONS)
    times = [at(second, speed) for second in sorted(seconds)]
    assert times == sorted(times)
    assert all(hours.is_open(time) or time in {session.closes for session in SESSIONS} for time in times)


@given(speed=st.sampled_from(SPEEDS), first=st.integers(0, 30_000), second=st.integers(0, 30_000))
def test_advancing_in_two_steps_is_advancing_in_one(speed: int, first: int, second: int) -> None:
    timeline = ReplayTimeline(SESSIONS, speed)
    start = SESSIONS[0].opens
    assert timeline.advance(timeline.advance(start, first), second) == timeline.advance(start, first + second)


@given(before=st.sampled_from(SPEEDS), after=st.sampled_from(SPEEDS), seconds=st.integers(0, 2000))
def test_a_change_of_speed_goes_on_from_the_same_moment(before: int, after: int, seconds: int) -> None:
    reached = at(seconds, before)
    assert ReplayTimeline(SESSIONS, after).advance(reached, 0) == reached


def test_the_first_session_on_or_after_a_day() -> None:
    timeline = ReplayTimeline(SESSIONS, 60)
    assert timeline.first_open(date(2008, 11, 22)) == SESSIONS[1].opens
    with pytest.raises(ValueError, match="no session"):
        timeline.first_open(date(2009, 1, 1))


# The sessions.


def test_the_recorded_sessions_are_those_of_the_exchange() -> None:
    assert every_session() == exchange_sessions(date(2000, 3, 1), date(2013, 3, 1))


def test_daylight_saving_moves_the_open_in_utc() -> None:
    winter, summer = recorded_sessions([date(2009, 3, 6), date(2009, 3, 9)])
    assert (winter.opens.hour, summer.opens.hour) == (14, 13)


def test_hours_around_a_weekend() -> None:
    hours = TradingHours(SESSIONS)
    saturday = datetime(2008, 11, 22, 16, 0, tzinfo=UTC)
    assert hours.is_open(SESSIONS[0].opens)
    assert not hours.is_open(SESSIONS[0].closes)
    assert hours.session_at(saturday) is None
    assert hours.latest_session(saturday) == hours.closed_session(saturday) == SESSIONS[0]
    assert hours.next_session(saturday) == SESSIONS[1]
    assert hours.next_session(SESSIONS[2].opens) is None
    assert hours.latest_session(datetime(2001, 1, 1, tzinfo=UTC)) is None


# The path inside a day.


@st.composite
def some_bars(draw: st.DrawFn) -> Bar:
    low = draw(st.integers(1, 3_000_000))
    high = low + draw(st.integers(0, low))
    first, last = draw(st.integers(low, high)), draw(st.integers(low, high))
    return Bar(
        ticker=draw(st.sampled_from(["AAPL", "X"])),
        date=draw(st.dates(date(2005, 1, 1), date(2013, 1, 1))),
        open=dollars(first),
        high=dollars(high),
        low=dollars(low),
        close=dollars(last),
        adj_close=dollars(last),
        volume=draw(st.integers(0, 10**10)),
    )


@given(bar=some_bars(), minutes=st.sampled_from([210, 390]))
@settings(max_examples=150, deadline=None)
def test_a_path_honours_its_bar(bar: Bar, minutes: int) -> None:
    path = day_path(bar, minutes)
    assert len(path.prices) == minutes + 1
    assert dollars(path.prices[0]) == bar.open
    assert dollars(path.prices[-1]) == bar.close
    assert dollars(max(path.prices)) == bar.high
    assert dollars(min(path.prices)) == bar.low
    assert list(path.volumes) == sorted(path.volumes)
    assert path.volumes[-1] == bar.volume


@given(bar=some_bars(), seconds=st.integers(0, 25_000))
@settings(deadline=None)
def test_every_second_of_a_path_stays_inside_what_the_day_has_seen(bar: Bar, seconds: int) -> None:
    path = day_path(bar, 390)
    point, later = path.at(seconds), path.at(seconds + 45)
    assert bar.low <= point.low <= point.last <= point.high <= bar.high
    assert later.high >= point.high
    assert later.low <= point.low
    assert later.volume >= point.volume


def test_the_same_bar_always_has_the_same_path() -> None:
    bar = recorded()["AAPL"][-1]
    day_path.cache_clear()
    first = day_path(bar, 390)
    day_path.cache_clear()
    assert day_path(bar, 390) == first
    assert day_path(bar, 390, seed=1) != first
    # Written down, so that no change of the arithmetic can move the recorded market unseen.
    assert first.prices[:3] == KNOWN_START


def test_a_path_moves_in_ticks_of_a_cent() -> None:
    bar = recorded()["MSFT"][-1]
    path = day_path(bar, 390)
    assert all(price % 100 == 0 for price in path.prices)
    assert len(set(path.prices)) > 20


@given(units=st.integers(1, 99_999_999))
def test_bid_and_ask_stand_around_the_last_price(units: int) -> None:
    last = dollars(units)
    bid, ask = spread(last)
    tick = Decimal("0.01") if last >= 1 else Decimal("0.0001")
    half = max(tick, last * Decimal("0.0005"))
    assert 0 < bid <= last < ask
    assert bid < ask
    assert bid % tick == 0
    assert ask % tick == 0
    assert half <= ask - last < half + 2 * tick
    assert bid == dollars(1) or half <= last - bid < half + 2 * tick


# The source.


def test_a_quote_carries_the_time_of_its_tick() -> None:
    clock = FakeClock(datetime(2008, 9, 2, 15, 17, tzinfo=UTC))
    quote = source_at(clock).quotes(["AAPL"])["AAPL"]
    assert quote.provider_time == clock()
    assert quote.previous_close == Decimal("169.53")
    assert quote.bid is not None
    assert quote.ask is not None
    assert quote.bid < quote.last < quote.ask


def test_an_index_has_no_bid_or_ask_and_is_not_tradable() -> None:
    source = source_at(FakeClock())
    quote = source.quotes(["^GSPC"])["^GSPC"]
    assert (quote.bid, quote.ask) == (None, None)
    assert not source.instrument("^GSPC").tradable


def test_at_the_close_the_day_has_come_to_its_bar() -> None:
    closes = datetime(2008, 9, 2, 20, 0, tzinfo=UTC)
    source = source_at(FakeClock(closes))
    bar = next(bar for bar in recorded()["IBM"] if bar.date == date(2008, 9, 2))
    quote = source.quotes(["IBM"])["IBM"]
    assert (quote.last, quote.high, quote.low, quote.volume) == (bar.close, bar.high, bar.low, bar.volume)
    assert source.daily_bars("IBM", bar.date, bar.date) == [bar]


def test_the_running_day_is_its_path_so_far() -> None:
    clock = FakeClock(datetime(2008, 9, 2, 14, 0, tzinfo=UTC))
    source = source_at(clock)
    quote = source.quotes(["GOOG"])["GOOG"]
    today = source.daily_bars("GOOG", date.min, date.max)[-1]
    assert (today.close, today.high, today.low, today.volume) == (quote.last, quote.high, quote.low, quote.volume)
    assert today.date == date(2008, 9, 2)


@given(offset=st.integers(0, 2 * 391), speed=st.sampled_from([30, 60]))
@settings(max_examples=40, deadline=None)
def test_nothing_looks_ahead(offset: int, speed: int) -> None:
    start = datetime(2008, 9, 2, 13, 30, tzinfo=UTC)
    now = ReplayTimeline(every_session(), speed).advance(start, offset)
    source = source_at(FakeClock(now))
    for quote in source.quotes(recorded()).values():
        assert quote.provider_time is not None
        assert quote.provider_time <= now
    assert all(bar.date <= now.date() for bar in source.daily_bars("AAPL", date.min, date.max))
    parts = source.intraday_bars("AAPL", 2)
    assert parts[-1].time <= now
    assert parts[-1].close == source.quotes(["AAPL"])["AAPL"].last
    assert [part.time for part in parts] == sorted(part.time for part in parts)


def test_intraday_bars_add_up_to_the_day() -> None:
    source = source_at(FakeClock(datetime(2008, 9, 2, 20, 0, tzinfo=UTC)))
    parts = source.intraday_bars("MSFT", 1)
    bar = source.daily_bars("MSFT", date(2008, 9, 2), date(2008, 9, 2))[0]
    assert len(parts) == 78
    assert (parts[0].open, parts[-1].close) == (bar.open, bar.close)
    assert max(part.high for part in parts) == bar.high
    assert min(part.low for part in parts) == bar.low
    assert sum(part.volume for part in parts) == bar.volume


def test_a_ticker_without_bars_yet_does_not_exist() -> None:
    opens = datetime(2012, 5, 18, 13, 30, tzinfo=UTC)
    clock = FakeClock(opens - timedelta(seconds=1))
    source = source_at(clock)
    assert source.quotes(["FB"]) == {}
    assert source.search("face", 5) == []
    for ask in (source.instrument, source.fundamentals, source.balance_sheets, source.income_statements):
        with pytest.raises(UnknownTicker):
            ask("FB")
    with pytest.raises(UnknownTicker):
        source.daily_bars("FB", date.min, date.max)
    clock.set(opens)
    quote = source.quotes(["FB"])["FB"]
    assert quote.previous_close is None
    assert [info.ticker for info in source.search("face", 5)] == ["FB"]


def test_the_replay_has_no_reported_figures() -> None:
    source = source_at(FakeClock())
    assert source.fundamentals("AAPL") is None
    assert list(source.balance_sheets("AAPL")) == list(source.income_statements("AAPL")) == []


def test_before_the_first_session_there_is_nothing() -> None:
    source = source_at(FakeClock(datetime(1999, 1, 1, tzinfo=UTC)))
    assert source.quotes(["AAPL"]) == {}
    assert source.instruments() == []
