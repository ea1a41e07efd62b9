"""The market's services on a real database: choice of source, clock, bars, instruments, quotes, figures."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from config import ConfigError
from conftest import Books
from fake_market import FakeClock
from models import BalanceSheet, FundamentalData, Instrument, MarketClock, MarketData
from services.errors import InvalidInput, Unavailable
from services.market import bars, figures, instruments, quotes, wanted
from services.market.books import LiveBook, ReplayBook, bar_of
from services.market.chart_rows import ChartRows
from services.market.clock import AHEAD, ReplayClock, keep_clock, next_anchor, read_clock, stop_clock
from services.market.demand import MOST_REMEMBERED, Demand, is_ticker
from services.market.hours import TradingHours, live_sessions, recorded_sessions
from services.market.market import VenueMarket
from services.market.source_choice import SourceMismatch, settle, store_source, stored_source
from utils.market_source import Bar, InstrumentInfo, IntradayBar, Quote, Statement
from utils.replay_clock import ReplayTimeline
from utils.replay_market import ReplaySource

WALL = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SESSIONS = recorded_sessions([date(2008, 9, 2), date(2008, 9, 3), date(2008, 9, 4)])
FIRST = SESSIONS[0].opens


def bar(day: date, close: str = "10.50", ticker: str = "AAPL", volume: int = 1000) -> Bar:
    price = Decimal(close)
    return Bar(ticker, day, Decimal("10"), Decimal("12"), Decimal("9"), price, price / 2, volume)


def quote(**others: object) -> Quote:
    base = Quote(
        ticker="AAPL",
        last=Decimal("10.5000"),
        bid=Decimal("10.4900"),
        ask=Decimal("10.5100"),
        open=Decimal("10.0000"),
        high=Decimal("11.0000"),
        low=Decimal("9.0000"),
        previous_close=Decimal("10.0000"),
        volume=1000,
        provider_time=WALL,
        delay=0,
        source="yfinance",
    )
    return replace(base, **others)


# The choice of the source.


def test_the_first_choice_stays(books: Books) -> None:
    assert books.run(store_source, "replay", WALL) == "replay"
    assert books.run(store_source, "yfinance", WALL) == "replay"
    with books.session() as session:
        assert stored_source(session) == "replay"


def test_an_open_choice_is_still_to_be_found_out() -> None:
    assert settle(None, "auto") is None
    assert settle(None, "yfinance") == "yfinance"
    assert settle("replay", "auto") == settle("replay", "replay") == "replay"


def test_another_market_than_the_books_is_refused_in_a_sentence() -> None:
    with pytest.raises(SourceMismatch, match=r"MARKET_SOURCE is 'yfinance'.*'replay'.*never mix") as refusal:
        settle("replay", "yfinance")
    assert isinstance(refusal.value, ConfigError)


# The clock.


def keep(books: Books, wall: datetime, speed: int = 60) -> datetime:
    """Keep the clock and answer the market time at that wall time."""
    anchor = books.run(keep_clock, SESSIONS, FIRST, speed, wall)
    return ReplayTimeline(SESSIONS, anchor.speed).market_time(anchor, wall)


def seconds(count: float) -> datetime:
    return WALL + timedelta(seconds=count)


def test_the_clock_starts_at_the_first_open_and_runs(books: Books) -> None:
    assert keep(books, seconds(0)) == FIRST
    assert keep(books, seconds(10)) == FIRST + timedelta(minutes=10)
    assert keep(books, seconds(24)) == FIRST + timedelta(minutes=24)
    with books.session() as session:
        assert session.scalar(select(func.count()).select_from(MarketClock)) == 1
        assert read_clock(session).wall == WALL


def test_while_the_venue_is_down_the_clock_stands_still(books: Books) -> None:
    keep(books, seconds(0))
    books.run(stop_clock, seconds(7.5))
    assert keep(books, seconds(50_000)) == FIRST + timedelta(minutes=7)
    assert keep(books, seconds(50_003)) == FIRST + timedelta(minutes=10)


def test_after_a_crash_it_goes_on_above_every_time_ever_seen(books: Books) -> None:
    keep(books, seconds(0))
    assert keep(books, seconds(3600)) == FIRST + AHEAD * 60


def test_after_a_quick_restart_it_simply_continues(books: Books) -> None:
    keep(books, seconds(0))
    assert keep(books, seconds(14)) == FIRST + timedelta(minutes=14)


def test_a_stop_later_than_the_mark_changes_nothing(books: Books) -> None:
    keep(books, seconds(0))
    books.run(stop_clock, seconds(3600))
    with books.session() as session:
        assert read_clock(session).alive_until == seconds(0) + AHEAD


def test_another_speed_goes_on_from_the_same_moment(books: Books) -> None:
    keep(books, seconds(0))
    assert keep(books, seconds(10), speed=120) == FIRST + timedelta(minutes=10)
    assert keep(books, seconds(11), speed=120) == FIRST + timedelta(minutes=12)


def test_a_wall_clock_set_back_neither_stops_nor_turns_the_market() -> None:
    timeline = ReplayTimeline(SESSIONS, 60)
    anchor = replace_anchor(alive_until=seconds(7200))
    kept = next_anchor(anchor, timeline, 60, seconds(60))
    assert kept.market == timeline.market_time(anchor, seconds(7200))
    assert kept.wall == seconds(60)


def replace_anchor(**changes: datetime):
    from utils.replay_clock import ReplayAnchor

    return replace(ReplayAnchor(FIRST, WALL, 60, seconds(15)), **changes)


def test_the_running_clock_never_goes_back() -> None:
    wall = FakeClock(seconds(10))
    clock = ReplayClock(SESSIONS, replace_anchor(), wall)
    assert clock() == FIRST + timedelta(minutes=10)
    wall.set(seconds(2))
    assert clock() == FIRST + timedelta(minutes=10)
    clock.follow(replace_anchor(speed=30, alive_until=seconds(1000)))
    wall.set(seconds(30))
    assert clock() == FIRST + timedelta(minutes=15)


# Bars.


def test_bars_are_stored_once_and_changes_replace(books: Books) -> None:
    days = [date(2008, 9, 2), date(2008, 9, 3)]
    assert books.run(bars.store, [bar(day) for day in days], WALL) == 2
    assert books.run(bars.store, [bar(day) for day in days], WALL) == 0
    assert books.run(bars.store, [bar(days[1], "11.00"), bar(date(2008, 9, 4))], WALL) == 2
    with books.session() as session:
        stored = bars.daily(session, "AAPL", days[0], date(2008, 9, 4))
        assert [row.close for row in stored] == [Decimal("10.5"), Decimal("11"), Decimal("10.5")]
        assert bars.newest_days(session) == {"AAPL": date(2008, 9, 4)}


def test_many_bars_at_once(books: Books) -> None:
    many = [bar(date(2000, 1, 1) + timedelta(days=number)) for number in range(4500)]
    assert books.run(bars.store, many, WALL) == 4500


def test_days_with_gaps_are_not_answered(books: Books) -> None:
    def insert(session: object) -> None:
        session.add(MarketData(ticker="AAPL", date=date(2008, 9, 2), open=None, close=Decimal("1")))

    books.run(insert)
    with books.session() as session:
        assert bars.daily(session, "AAPL", date.min, date.max) == []
    assert books.run(bars.store, [bar(date(2008, 9, 2))], WALL) == 1


@pytest.mark.parametrize(
    ("period", "start"),
    [
        ("1mo", date(2008, 2, 29)),
        ("3mo", date(2007, 12, 31)),
        ("6mo", date(2007, 9, 30)),
        ("1y", date(2007, 3, 31)),
        ("2y", date(2006, 3, 31)),
        ("5y", date(2003, 3, 31)),
        ("max", date.min),
    ],
)
def test_periods_are_counted_back_from_today(period: str, start: date) -> None:
    assert bars.start_of(period, date(2008, 3, 31)) == start


def test_another_period_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="period must be one of 1d, 5d, 1mo"):
        bars.start_of("10y", date(2008, 3, 31))


def replay_market(now: datetime) -> tuple[VenueMarket, list[Bar]]:
    recorded = [bar(session.day, volume=390_000) for session in SESSIONS]
    clock = FakeClock(now)
    source = ReplaySource({"AAPL": recorded}, SESSIONS, clock)
    market = VenueMarket(lambda: WALL)
    market.run(ReplayBook(source), TradingHours(SESSIONS), clock, 60, SESSIONS[-1].closes)
    return market, recorded


def test_history_ends_at_the_markets_now(books: Books) -> None:
    market, recorded = replay_market(SESSIONS[1].opens + timedelta(hours=1))
    books.run(bars.store, recorded, WALL)  # even if the table held the future
    with books.session() as session:
        rows = bars.history(session, market, "AAPL", "1mo")
    assert [row["date"] for row in rows] == ["2008-09-02", "2008-09-03"]
    assert set(rows[0]) == {"date", "open", "high", "low", "close", "adj_close", "volume"}


def test_history_adds_the_running_day_once(books: Books) -> None:
    market, recorded = replay_market(SESSIONS[1].opens + timedelta(hours=1))
    books.run(bars.store, recorded[:1], WALL)
    with books.session() as session:
        rows = bars.history(session, market, "AAPL", "max")
        assert [row["date"] for row in rows] == ["2008-09-02", "2008-09-03"]
        assert rows[1]["close"] == float(market.quote("AAPL").last)
        assert bars.history(session, market, "IBM", "1y") == []


def test_a_chart_written_once_follows_revisions_and_the_clock(books: Books) -> None:
    market, recorded = replay_market(SESSIONS[1].opens + timedelta(hours=1))
    charts = ChartRows()

    def chart(period: str = "1mo") -> list[dict[str, object]]:
        with books.session() as session:
            instrument = session.get(Instrument, "AAPL")
            assert instrument is not None
            rows: list[dict[str, object]] = json.loads(charts.written(session, market, instrument, period))
            assert rows == json.loads(bars.as_json(bars.history(session, market, "AAPL", period)))
            return rows

    assert [row["date"] for row in chart()] == ["2008-09-03"]  # only the running day
    books.run(bars.store, recorded, WALL)  # even if the table held the future
    assert [row["date"] for row in chart()] == ["2008-09-02", "2008-09-03"]
    revised = replace(recorded[0], close=Decimal("11.2500"))
    books.run(bars.store, [revised], WALL)
    assert chart()[0]["close"] == 11.25
    assert len(chart("5d")) > 2


def test_only_a_change_of_bars_makes_a_new_version(books: Books) -> None:
    def versions() -> dict[str, int]:
        with books.session() as session:
            rows = session.execute(select(Instrument.ticker, Instrument.bars_version))
            return {ticker: version for ticker, version in rows}  # noqa: C416 - a Row is no pair for the type checker

    before = versions()
    books.run(bars.store, [bar(date(2008, 9, 2))], WALL)
    once = versions()
    assert once["AAPL"] == before["AAPL"] + 1
    assert once["MSFT"] == before["MSFT"]
    books.run(bars.store, [bar(date(2008, 9, 2))], WALL)
    assert versions() == once


def test_short_periods_are_intraday(books: Books) -> None:
    market, _recorded = replay_market(SESSIONS[1].opens + timedelta(minutes=10))
    with books.session() as session:
        day, week = (bars.history(session, market, "AAPL", period) for period in ("1d", "5d"))
        assert bars.history(session, market, "IBM", "1d") == []
    assert [row["time"] for row in day] == ["2008-09-03T13:30:00Z", "2008-09-03T13:35:00Z"]
    assert set(day[0]) == {"time", "open", "high", "low", "close", "volume"}
    assert len(week) == 78 + 2


def test_which_bars_are_due(books: Books) -> None:
    books.run(bars.mark_refreshed, "AAPL", WALL)
    with books.session() as session:
        assert "AAPL" not in bars.due_tickers(session, WALL)
        assert "MSFT" in bars.due_tickers(session, WALL)
        assert "AAPL" in bars.due_tickers(session, WALL + timedelta(seconds=1))


# Instruments.


def test_instruments_are_found_and_listed(books: Books) -> None:
    nvidia = InstrumentInfo("NVDA", "NVIDIA 100% Corporation", "NASDAQ", True)
    assert books.run(instruments.store, [nvidia], False) == 1
    with books.session() as session:
        assert instruments.find(session, "NVDA").name == "NVIDIA 100% Corporation"
        assert instruments.find(session, "nvda") is None
        assert "NVDA" not in [row.ticker for row in instruments.listed(session)]
        for text in ("nvd", "vidia", "NVIDIA", "100%"):
            assert [row.ticker for row in instruments.search(session, text, 5)] == ["NVDA"]
        assert instruments.search(session, "_%_", 5) == []
        assert len(instruments.search(session, "  ", 2)) == 2


def test_a_search_answers_the_ticker_itself_first(books: Books) -> None:
    names = ["XA", "A", "AB"]
    books.run(instruments.store, [InstrumentInfo(name, f"{name} Apple", "", True) for name in names], True)
    with books.session() as session:
        assert instruments.search(session, "a", 2)[0].ticker == "A"


def test_a_listed_ticker_gets_its_name_later(books: Books) -> None:
    books.run(instruments.list_tickers, ["NVDA", "AAPL", "^IXIC"])
    with books.session() as session:
        assert instruments.nameless(session) == ["NVDA", "^IXIC"]
        assert not session.get_one(Instrument, "^IXIC").tradable
    books.run(instruments.store, [InstrumentInfo("NVDA", "N" * 200, "NASDAQ" * 10, True)], False)
    with books.session() as session:
        row = session.get_one(Instrument, "NVDA")
        assert (len(row.name), len(row.exchange), row.listed) == (120, 32, True)


def test_the_venue_needs_what_is_listed(books: Books) -> None:
    with books.session() as session:
        assert wanted.known_tickers(session) >= {"AAPL", "MSFT"}
        assert wanted.needed_tickers(session) == sorted(row.ticker for row in instruments.listed(session))


# Quotes.


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        ({}, ""),
        ({"bid": None, "ask": None, "high": None, "low": None, "previous_close": None}, ""),
        ({"bid": Decimal("10.6")}, "above the ask"),
        ({"last": Decimal("11.01")}, "outside the day's range"),
        ({"last": Decimal("8.99")}, "outside the day's range"),
        ({"last": Decimal(0)}, "not above zero"),
        ({"bid": Decimal(-1)}, "not above zero"),
        ({"previous_close": Decimal("6.9")}, "more than half away"),
        ({"previous_close": Decimal("7.0")}, ""),
        ({"previous_close": Decimal("22")}, "more than half away"),
        ({"provider_time": WALL + timedelta(minutes=5)}, "future"),
        ({"provider_time": None}, ""),
    ],
)
def test_which_quotes_are_believed(others: dict[str, object], reason: str) -> None:
    good, held = quotes.believable({"AAPL": quote(**others)}, {}, WALL)
    assert bool(good) == (reason == "")
    assert reason in held.get("AAPL", "")


def test_an_overtaken_quote_is_dropped_in_silence() -> None:
    known = {"AAPL": quote()}
    older = quote(provider_time=WALL - timedelta(seconds=1), last=Decimal("10.6"))
    assert quotes.believable({"AAPL": older}, known, WALL) == ({}, {})
    assert quotes.believable({"AAPL": quote(last=Decimal("10.6"))}, known, WALL)[0]


def test_quotes_are_stored_and_read(books: Books) -> None:
    books.run(quotes.store, [quote()], WALL)
    newer = quote(last=Decimal("10.7000"), bid=None, provider_time=None)
    other = quote(ticker="MSFT")
    books.run(quotes.store, [newer, other], WALL + timedelta(seconds=5))
    books.run(quotes.store, [], WALL)
    with books.session() as session:
        assert quotes.read(session, "yfinance") == {"AAPL": newer, "MSFT": other}
        assert quotes.read(session, "replay") == {}
        assert quotes.read(session, "yfinance", WALL + timedelta(seconds=6)) == {}


# Figures.


def test_figures_are_answered_flat_and_newest_first(books: Books) -> None:
    old = Statement("AAPL", date(2024, 9, 30), {"total_assets": 5})
    new = Statement("AAPL", date(2025, 9, 30), {"total_assets": 2**70, "current_assets": 3, "unheard_of": 1})
    books.run(figures.store, BalanceSheet, [old, new], WALL)
    books.run(figures.store, BalanceSheet, [new], WALL)
    with books.session() as session:
        sheet = figures.balance_sheet(session, "AAPL")
        assert sheet["date"] == "2025-09-30"
        assert (sheet["current_assets"], sheet["total_assets"], sheet["total_equity"]) == (3, None, None)
        assert figures.income_statement(session, "AAPL") is None
        assert figures.newest_collection(session) == {}


def test_ratios_fit_their_columns(books: Books) -> None:
    ratios = {"pe_ratio": Decimal("25.123456"), "pb_ratio": Decimal("1e12"), "market_cap": 10**12}
    books.run(figures.store, FundamentalData, [Statement("AAPL", date(2025, 9, 30), ratios)], WALL)
    with books.session() as session:
        answer = figures.fundamental_data(session, "AAPL")
        assert answer["pe_ratio"] == Decimal("25.1235")
        assert answer["pb_ratio"] is None
        assert answer["market_cap"] == 10**12
        assert figures.newest_collection(session) == {"AAPL": WALL}


# The market in memory.


def test_a_market_that_is_starting_says_so() -> None:
    market = VenueMarket(lambda: WALL)
    status = market.status()
    assert (status.state, status.source_name, status.now) == ("starting", None, None)
    assert market.quote("AAPL") is None
    assert market.today("AAPL") is None
    assert market.intraday("AAPL", 1) == []
    assert not market.is_open()
    assert not market.ended()
    assert market.session_at(WALL) is market.next_session(WALL) is market.latest_session(WALL) is None
    with pytest.raises(Unavailable) as refusal:
        market.now()
    assert refusal.value.code == "MARKET_STARTING"


def test_a_replay_knows_its_state() -> None:
    market, _recorded = replay_market(FIRST)
    assert market.is_open()
    status = market.status()
    assert (status.state, status.source_name, status.speed) == ("open", "replay", 60)
    assert status.newest_quote_time == FIRST
    assert market.quote("AAPL").provider_time == market.now()
    assert market.today("FB") is None
    closed, _recorded = replay_market(SESSIONS[0].closes)
    assert closed.status().state == "closed"
    assert closed.next_session(closed.now()) == SESSIONS[1]


def test_at_the_end_of_the_data_the_market_is_closed_for_good() -> None:
    market, _recorded = replay_market(SESSIONS[-1].closes)
    assert market.ended()
    assert not market.is_open()
    assert market.next_session(market.now()) is None
    assert "closed for good" in market.status().message


def test_trouble_is_shown_until_it_is_over() -> None:
    market, _recorded = replay_market(FIRST)
    market.say("Yahoo sleeps.")
    assert market.status().message == "Yahoo sleeps."
    market.say("")
    assert market.status().message == "Recorded prices of the past, replayed 60 times as fast."


def test_the_live_book() -> None:
    book = LiveBook()
    assert book.newest_time() is None
    book.put({"AAPL": quote(), "MSFT": quote(ticker="MSFT", provider_time=None)})
    assert set(book.quotes(["AAPL", "IBM"])) == {"AAPL"}
    assert book.newest_time() == WALL
    assert book.today("AAPL").date == date(2026, 11, 22)
    assert book.today("MSFT") is None
    assert bar_of(quote(open=None)) is None
    days = [WALL - timedelta(days=1), WALL]
    parts = [IntradayBar("AAPL", day, *(Decimal(1) for _ in range(4)), 5) for day in days]
    book.put_intraday("AAPL", parts)
    assert book.intraday("AAPL", 1) == parts[1:]
    assert book.intraday("AAPL", 5) == parts


def test_live_hours_honour_the_exchanges_calendar() -> None:
    hours = TradingHours(live_sessions(date(2026, 11, 22)))
    half_day = hours.next_session(datetime(2026, 11, 27, 0, 0, tzinfo=UTC))
    assert half_day.closes == datetime(2026, 11, 27, 18, 0, tzinfo=UTC)
    assert hours.session_at(datetime(2026, 11, 26, 16, 0, tzinfo=UTC)) is None  # Thanksgiving
    assert hours.reach_until(datetime(2027, 11, 1, tzinfo=UTC))


# Demand.


def test_demand_remembers_what_was_asked_lately() -> None:
    clock = FakeClock(WALL)
    demand = Demand(clock)
    demand.ask(["AAPL", "<script>", "TOOLONGTICKER", "aapl"])
    clock.advance(minutes=10)
    demand.ask(["MSFT"])
    demand.ask_intraday("AAPL")
    assert demand.tickers() == ["AAPL", "MSFT"]
    assert demand.intraday_tickers() == ["AAPL"]
    clock.advance(minutes=6)
    assert demand.tickers() == ["MSFT"]


def test_nobody_can_make_demand_grow_for_ever() -> None:
    demand = Demand(lambda: WALL)
    demand.ask(f"T{number}" for number in range(5000))
    assert len(demand.tickers()) == MOST_REMEMBERED


def test_a_search_is_taken_once() -> None:
    demand = Demand(lambda: WALL)
    demand.ask_search("  apple " + "x" * 100)
    assert demand.take_search() == "apple " + "x" * 34
    assert demand.take_search() is None
    demand.ask_search("   ")
    assert demand.take_search() is None


@pytest.mark.parametrize(
    ("text", "good"), [("AAPL", True), ("BRK.B", True), ("^GSPC", True), ("", False), ("ÄPL", False)]
)
def test_the_form_of_a_ticker(text: str, good: bool) -> None:
    assert is_ticker(text) == good
