"""The feed's steps, turned by hand with clocks of our own, on both databases."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from config import Config
from conftest import Books
from fake_market import FakeClock
from models import Instrument, MarketData, db
from services.market import bars, figures, quotes
from services.market.clock import read_clock
from services.market.market import VenueMarket
from services.market.source_choice import SourceMismatch, store_source, stored_source
from standins.yahoo import YahooStandIn
from tasks.live_steps import LiveSteps
from tasks.market_feed import MarketFeed, start_market_feed
from tasks.replay_steps import ReplaySteps
from utils.market_source import (
    Bar,
    InstrumentInfo,
    IntradayBar,
    MarketSourceError,
    Quote,
    RateLimited,
    SourceName,
    Statement,
    UnknownTicker,
)

WALL = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # a Friday, the market is open


@pytest.fixture
def wall() -> FakeClock:
    return FakeClock(WALL)


# The replay.


def replay_steps(
    wall: FakeClock, start: date = date(2008, 9, 2), feeds: bool = True
) -> tuple[VenueMarket, ReplaySteps]:
    market = VenueMarket(wall)
    return market, ReplaySteps(market, start, 60, feeds, wall)


def test_the_first_start_loads_the_past_and_nothing_of_the_future(books: Books, wall: FakeClock) -> None:
    market, steps = replay_steps(wall)
    assert steps.prepare()
    assert market.now() == datetime(2008, 9, 2, 13, 30, tzinfo=UTC)
    with books.session() as session:
        assert max(bars.newest_days(session).values()) == date(2008, 8, 29)
        assert session.scalar(select(func.count()).select_from(MarketData)) == 9568
        assert session.get(Instrument, "FB") is None or "FB" not in bars.newest_days(session)
        assert not session.get_one(Instrument, "^GSPC").tradable


def test_a_day_is_stored_when_it_is_over(books: Books, wall: FakeClock) -> None:
    market, steps = replay_steps(wall)
    steps.prepare()
    for _ in range(40):
        wall.advance(seconds=10)
        steps.step()
    assert market.now() > datetime(2008, 9, 3, 13, 30, tzinfo=UTC)
    with books.session() as session:
        assert set(bars.newest_days(session).values()) == {date(2008, 9, 2)}


def test_a_ticker_appears_on_its_first_day(books: Books, wall: FakeClock) -> None:
    with books.session() as session:
        if (row := session.get(Instrument, "FB")) is not None:
            session.delete(row)
            session.commit()
    market, steps = replay_steps(wall, start=date(2012, 5, 17))
    steps.prepare()
    assert market.quote("FB") is None
    with books.session() as session:
        assert session.get(Instrument, "FB") is None
    for _ in range(40):
        wall.advance(seconds=10)
        steps.step()
    assert market.quote("FB") is not None
    with books.session() as session:
        assert session.get_one(Instrument, "FB").listed
        assert "FB" not in bars.newest_days(session)


def test_a_clean_stop_and_a_new_start_go_on_at_the_same_moment(books: Books, wall: FakeClock) -> None:
    market, steps = replay_steps(wall)
    steps.prepare()
    wall.advance(seconds=12)
    stopped_at = market.now()
    steps.close()
    wall.advance(days=7)
    assert market.now() == stopped_at
    again, second = replay_steps(wall)
    second.prepare()
    assert again.now() == stopped_at


def test_the_clock_is_kept_ahead_only_now_and_then(books: Books, wall: FakeClock) -> None:
    _market, steps = replay_steps(wall)
    steps.prepare()
    marks = set()
    for _ in range(20):
        wall.advance(seconds=1)
        steps.step()
        with books.session() as session:
            marks.add(read_clock(session).alive_until)
    assert len(marks) == 4
    assert max(marks) > wall()


def test_a_process_that_does_not_feed_follows_the_one_that_does(books: Books, wall: FakeClock) -> None:
    follower, following = replay_steps(wall, feeds=False)
    assert not following.prepare()
    leader, leading = replay_steps(wall)
    leading.prepare()
    assert following.prepare()
    wall.advance(seconds=14)
    leading.step()
    wall.advance(seconds=9)
    following.step()
    assert follower.now() == leader.now() == datetime(2008, 9, 2, 13, 53, tzinfo=UTC)
    assert follower.quote("AAPL") == leader.quote("AAPL")
    following.close()
    wall.advance(seconds=1)
    assert leader.now() == datetime(2008, 9, 2, 13, 54, tzinfo=UTC)


def test_the_end_of_the_data_ends_the_market(books: Books, wall: FakeClock) -> None:
    market, steps = replay_steps(wall, start=date(2013, 2, 28))
    steps.prepare()
    for _ in range(100):
        wall.advance(seconds=10)
        steps.step()
    assert market.ended()
    assert market.status().state == "ended"
    with books.session() as session:
        assert set(bars.newest_days(session).values()) == {date(2013, 3, 1)}


# Live prices.


class ScriptedSource:
    """A MarketSource that does what the test says and counts what it was asked."""

    name: SourceName = "yfinance"

    def __init__(self, wall: FakeClock) -> None:
        self.wall = wall
        self.trouble: MarketSourceError | None = None
        self.last = Decimal("100.0000")
        self.adjusted = Decimal(100)  # the adjusted close of every day
        self.asked: list[tuple[str, object]] = []
        self.bar_starts: list[tuple[str, date]] = []

    def now(self) -> datetime:
        return self.wall()

    def _ask(self, what: str, about: object) -> None:
        self.asked.append((what, about))
        if self.trouble is not None:
            raise self.trouble
        if about == "NOPE":
            raise UnknownTicker("NOPE is not known.")

    def count(self, what: str) -> int:
        return sum(asked == what for asked, _about in self.asked)

    def quotes(self, tickers: Iterable[str]) -> dict[str, Quote]:
        wanted = tuple(tickers)
        self._ask("quotes", wanted)
        return {ticker: self.quote(ticker) for ticker in wanted}

    def quote(self, ticker: str) -> Quote:
        step = Decimal("0.0100")
        return Quote(
            ticker, self.last, self.last - step, self.last + step, self.last, self.last, self.last, Decimal(100), 500,
            self.wall(), 0, "yfinance",
        )  # fmt: skip

    def daily_bars(self, ticker: str, start: date, end: date) -> list[Bar]:
        self._ask("bars", ticker)
        self.bar_starts.append((ticker, start))
        days = [date(2026, 10, 1), *(date(2026, 11, day) for day in (18, 19, 20))]
        prices = (Decimal(100), Decimal(100), Decimal(100), Decimal(100), self.adjusted)
        return [Bar(ticker, day, *prices, 1000) for day in days if start <= day <= end]

    def intraday_bars(self, ticker: str, days: int) -> list[IntradayBar]:
        self._ask("intraday", ticker)
        return [IntradayBar(ticker, self.wall(), *(Decimal(100) for _ in range(4)), 10)]

    def search(self, text: str, limit: int) -> list[InstrumentInfo]:
        self._ask("search", text)
        return [InstrumentInfo("NVDA", "NVIDIA Corporation", "NASDAQ", True)]

    def instrument(self, ticker: str) -> InstrumentInfo:
        self._ask("instrument", ticker)
        return InstrumentInfo(ticker, f"{ticker} Corporation", "NASDAQ", True)

    def fundamentals(self, ticker: str) -> Statement | None:
        self._ask("fundamentals", ticker)
        return Statement(ticker, date(2026, 9, 30), {"market_cap": 5})

    def balance_sheets(self, ticker: str) -> list[Statement]:
        self._ask("sheets", ticker)
        return [Statement(ticker, date(2026, 9, 30), {"total_assets": 7})]

    def income_statements(self, ticker: str) -> list[Statement]:
        self._ask("incomes", ticker)
        return []


@pytest.fixture
def source(wall: FakeClock) -> ScriptedSource:
    return ScriptedSource(wall)


def live_steps(
    source: ScriptedSource, wall: FakeClock, feeds: bool = True, prepare: bool = True
) -> tuple[VenueMarket, LiveSteps]:
    market = VenueMarket(wall)
    steps = LiveSteps(market, source, ("AAPL", "MSFT"), feeds, wall)
    if prepare:
        assert steps.prepare()
    return market, steps


def turn(steps: LiveSteps, wall: FakeClock, times: int) -> None:
    for _ in range(times):
        steps.step()
        wall.advance(seconds=1)


def test_live_quotes_reach_the_board_and_the_table(books: Books, source: ScriptedSource, wall: FakeClock) -> None:
    market, steps = live_steps(source, wall)
    assert market.status().state == "open"
    steps.step()
    assert market.quote("AAPL").last == Decimal(100)
    with books.session() as session:
        assert quotes.read(session, "yfinance")["MSFT"].provider_time == WALL


def test_quotes_are_asked_in_one_batch_and_not_too_often(books: Books, source: ScriptedSource, wall: FakeClock) -> None:
    _market, steps = live_steps(source, wall)
    turn(steps, wall, 21)
    batches = [about for what, about in source.asked if what == "quotes"]
    assert len(batches) == 3
    assert {"AAPL", "MSFT"} <= set(batches[0])


def test_outside_sessions_quotes_are_asked_seldom(books: Books, source: ScriptedSource, wall: FakeClock) -> None:
    wall.set(datetime(2026, 11, 21, 15, 0, tzinfo=UTC))
    market, steps = live_steps(source, wall)
    turn(steps, wall, 60)
    assert market.status().state == "closed"
    assert source.count("quotes") == 1


def test_other_jobs_come_one_at_a_time_between_quotes(books: Books, source: ScriptedSource, wall: FakeClock) -> None:
    _market, steps = live_steps(source, wall)
    turn(steps, wall, 60)
    assert source.count("bars") >= 2
    with books.session() as session:
        # The running day is left out: it is not over.
        assert [bar.date.day for bar in bars.daily(session, "AAPL", date.min, date.max)] == [1, 18, 19]
        assert figures.fundamental_data(session, "AAPL")["market_cap"] == 5
        assert figures.balance_sheet(session, "AAPL")["total_assets"] == 7
    asked = source.count("bars"), source.count("fundamentals")
    turn(steps, wall, 60)
    assert (source.count("bars"), source.count("fundamentals")) == asked


def days_stored(books: Books, ticker: str) -> list[tuple[int, Decimal]]:
    with books.session() as session:
        return [(bar.date.day, bar.adj_close) for bar in bars.daily(session, ticker, date.min, date.max)]


def test_after_the_close_only_missing_days_are_fetched(books: Books, source: ScriptedSource, wall: FakeClock) -> None:
    _market, steps = live_steps(source, wall)
    turn(steps, wall, 40)
    wall.set(datetime(2026, 11, 20, 21, 25, tzinfo=UTC))
    turn(steps, wall, 40)
    assert [day for day, _adjusted in days_stored(books, "AAPL")] == [1, 18, 19, 20]
    starts = [start for ticker, start in source.bar_starts if ticker == "AAPL"]
    assert starts == [date(2026, 11, 20) - timedelta(days=20 * 365), date(2026, 11, 9)]


def test_a_past_that_was_adjusted_anew_is_fetched_whole(
    books: Books, source: ScriptedSource, wall: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    _market, steps = live_steps(source, wall)
    turn(steps, wall, 40)
    source.adjusted = Decimal("99.5000")  # a dividend
    wall.set(datetime(2026, 11, 20, 21, 25, tzinfo=UTC))
    with caplog.at_level("INFO"):
        turn(steps, wall, 40)
    assert days_stored(books, "AAPL") == [(day, Decimal("99.5")) for day in (1, 18, 19, 20)]
    assert [start for ticker, start in source.bar_starts if ticker == "AAPL"][1:] == [
        date(2026, 11, 9),
        date(2026, 11, 20) - timedelta(days=20 * 365),
    ]
    assert "3 stored bars of AAPL revised, 2026-10-01 to 2026-11-19" in caplog.text


def test_what_somebody_asks_for_is_looked_up_and_quoted(books: Books, source: ScriptedSource, wall: FakeClock) -> None:
    market, steps = live_steps(source, wall)
    assert market.quote("NVDA") is None
    assert market.quote("NOPE") is None
    turn(steps, wall, 5)
    assert market.quote("NVDA") is not None
    assert source.asked.count(("instrument", "NOPE")) == 1
    turn(steps, wall, 30)
    assert source.asked.count(("instrument", "NOPE")) == 1
    with books.session() as session:
        assert not session.get_one(Instrument, "NVDA").listed


def test_a_search_finds_new_instruments(books: Books, source: ScriptedSource, wall: FakeClock) -> None:
    market, steps = live_steps(source, wall)
    market.look_for("nvidia")
    turn(steps, wall, 3)
    with books.session() as session:
        assert session.get_one(Instrument, "NVDA").name == "NVIDIA Corporation"


def test_the_course_of_the_day_is_fetched_for_who_looks_at_it(
    books: Books, source: ScriptedSource, wall: FakeClock
) -> None:
    market, steps = live_steps(source, wall)
    turn(steps, wall, 3)
    assert source.count("intraday") == 0
    assert market.intraday("AAPL", 1) == []
    turn(steps, wall, 10)
    assert len(market.intraday("AAPL", 1)) == 1
    assert source.count("intraday") == 1


def test_a_source_that_fails_is_left_alone_and_asked_again(
    books: Books, source: ScriptedSource, wall: FakeClock
) -> None:
    market, steps = live_steps(source, wall)
    steps.step()
    source.trouble = MarketSourceError("Yahoo Finance does not answer.")
    turn(steps, wall, 15)
    asked = len(source.asked)
    assert steps.breaker.state(wall()) == "open"
    assert "does not answer" in market.status().message
    assert market.quote("AAPL") is not None  # old, and its time says so
    turn(steps, wall, 10)
    assert len(source.asked) == asked
    source.trouble = None
    wall.advance(minutes=2)
    turn(steps, wall, 2)
    assert steps.breaker.state(wall()) == "closed"
    assert market.status().message == "Live prices by Yahoo Finance."


def test_a_rate_limit_stops_all_requests_at_once(books: Books, source: ScriptedSource, wall: FakeClock) -> None:
    _market, steps = live_steps(source, wall)
    source.trouble = RateLimited("Yahoo Finance asks for fewer requests.")
    turn(steps, wall, 25)
    assert len(source.asked) == 1


def test_an_answer_without_any_quote_counts_as_a_failure(
    books: Books, source: ScriptedSource, wall: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _market, steps = live_steps(source, wall)
    monkeypatch.setattr(source, "quotes", lambda tickers: {})
    steps.step()
    assert steps.breaker.failures == 1


def test_an_implausible_quote_is_held_back(
    books: Books, source: ScriptedSource, wall: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    market, steps = live_steps(source, wall)
    steps.step()
    source.last = Decimal("30.0000")
    turn(steps, wall, 31)
    assert market.quote("AAPL").last == Decimal(100)
    told = [record for record in caplog.records if "quote of AAPL is held back" in record.message]
    assert len(told) == 1


def test_a_process_that_does_not_feed_reads_the_table(books: Books, source: ScriptedSource, wall: FakeClock) -> None:
    reader, reading = live_steps(source, wall, feeds=False)
    assert reader.quote("AAPL") is None
    _market, steps = live_steps(source, wall)
    steps.step()
    reading.step()
    assert reader.quote("AAPL").last == Decimal(100)
    assert source.count("quotes") == 1


def test_made_up_tickers_do_not_pile_up(books: Books, source: ScriptedSource, wall: FakeClock) -> None:
    _market, steps = live_steps(source, wall)
    steps._tried = {("instrument", f"T{number}"): WALL - timedelta(hours=1) for number in range(5000)}
    turn(steps, wall, 3)
    assert len(steps._tried) < 100


# The thread around the steps.


@pytest.fixture
def feed_app(books: Books, config: Config) -> Flask:
    application = books.app
    application.extensions["config"] = config
    application.extensions["market"] = VenueMarket()
    return application


def wait_for(condition: object, seconds: float = 60) -> None:
    """Wait for a thread of ours; the only place where these tests wait."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        threading.Event().wait(0.02)


def test_the_feed_opens_the_market_and_stops_at_once(feed_app: Flask, books: Books) -> None:
    market: VenueMarket = feed_app.extensions["market"]
    feed = start_market_feed(feed_app)
    wait_for(lambda: market.started)
    assert feed.alive
    assert market.source_name == "replay"
    started = time.monotonic()
    feed.stop()
    assert time.monotonic() - started < 1.5
    assert not feed.alive
    with books.session() as session:
        assert stored_source(session) == "replay"
        assert read_clock(session).alive_until <= datetime.now(UTC)


def test_another_source_than_the_stored_one_stops_the_start(feed_app: Flask, books: Books) -> None:
    books.run(store_source, "yfinance", WALL)
    with pytest.raises(SourceMismatch):
        start_market_feed(feed_app)


def with_settings(application: Flask, **changes: object) -> None:
    application.extensions["config"] = replace(application.extensions["config"], **changes)


@pytest.fixture
def yahoo() -> Iterator[YahooStandIn]:
    with YahooStandIn() as stand_in:
        yield stand_in


def turned(feed: MarketFeed, times: int = 4) -> None:
    for _ in range(times):
        feed.turn()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_auto_takes_live_prices_when_yahoo_answers(feed_app: Flask, yahoo: YahooStandIn, tmp_path: Path) -> None:
    with_settings(feed_app, market_source="auto", yahoo_base_url=yahoo.url)
    market: VenueMarket = feed_app.extensions["market"]
    turned(MarketFeed(feed_app, feeds=True))
    assert market.source_name == "yfinance"
    assert market.quote("AAPL") is not None


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_auto_becomes_a_replay_when_yahoo_never_answers_and_stays_one(
    feed_app: Flask, books: Books, yahoo: YahooStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.market_feed.PROBE_SECONDS", 0.3)
    yahoo.mode = "blackhole"
    with_settings(feed_app, market_source="auto", yahoo_base_url=yahoo.url)
    market: VenueMarket = feed_app.extensions["market"]
    turned(MarketFeed(feed_app, feeds=True))
    assert market.source_name == "replay"
    yahoo.mode = "normal"
    feed_app.extensions["market"] = again = VenueMarket()
    turned(MarketFeed(feed_app, feeds=True))
    assert again.source_name == "replay"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_process_that_does_not_feed_waits_for_the_choice(feed_app: Flask) -> None:
    with_settings(feed_app, market_source="auto")
    market: VenueMarket = feed_app.extensions["market"]
    feed = MarketFeed(feed_app, feeds=False)
    assert feed.turn() > 0
    assert not market.started


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_failing_turn_does_not_end_the_feed(
    feed_app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    feed = MarketFeed(feed_app, feeds=True)
    with monkeypatch.context() as broken:
        broken.setattr("tasks.market_feed.stored_source", lambda session: 1 / 0)
        assert feed.turn() > 0
    assert "division by zero" in caplog.text
    turned(feed)
    assert feed_app.extensions["market"].started


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_page_never_waits_for_a_server_that_never_answers(feed_app: Flask, books: Books, yahoo: YahooStandIn) -> None:
    books.run(store_source, "yfinance", WALL)
    yahoo.mode = "blackhole"
    with_settings(feed_app, market_source="auto", yahoo_base_url=yahoo.url)
    market: VenueMarket = feed_app.extensions["market"]
    feed = start_market_feed(feed_app)
    wait_for(lambda: market.started and yahoo.requests)
    started = time.monotonic()
    for _ in range(100):
        market.quotes(["AAPL", "MSFT"])
        market.status()
        market.intraday("AAPL", 1)
    assert time.monotonic() - started < 5  # one question of a blackhole alone may take eight seconds
    started = time.monotonic()
    feed.stop()
    assert time.monotonic() - started < 8
    wait_for(lambda: not feed.alive)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_command_shows_the_market(feed_app: Flask, books: Books) -> None:
    from cli.market import market as group

    runner = feed_app.test_cli_runner()
    assert "not chosen yet" in runner.invoke(group, ["status"]).output
    turned(MarketFeed(feed_app, feeds=True))
    db.session.remove()  # the command shares this test's context, and would see what it saw before
    shown = runner.invoke(group, ["status"]).output
    assert "replay" in shown
    assert "2008-09-02 13:30:00 UTC" in shown
    assert "9,568" in shown
