"""The live source: the real yfinance client against a stand-in for Yahoo, in good days and bad ones."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from standins.yahoo import YahooStandIn
from utils import yahoo_answers
from utils.circuit_breaker import CircuitBreaker
from utils.market_source import MarketSourceError, RateLimited, UnknownTicker
from utils.stock_data import YahooSource
from utils.yahoo_session import Budget, redirected

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
NAN = float("nan")


@pytest.fixture
def yahoo() -> Iterator[YahooStandIn]:
    with YahooStandIn() as stand_in:
        stand_in.quote_time = int(NOW.timestamp())
        yield stand_in


@pytest.fixture
def source(yahoo: YahooStandIn, tmp_path: Path) -> YahooSource:
    return YahooSource(yahoo.url, tmp_path / "yfinance", lambda: NOW)


# Quotes.


def test_quotes_of_many_tickers_come_in_one_request(yahoo: YahooStandIn, source: YahooSource) -> None:
    quotes = source.quotes(["AAPL", "MSFT", "AAPL"])
    assert set(quotes) == {"AAPL", "MSFT"}
    assert yahoo.asked("/v7/finance/quote") == 1
    assert yahoo.asked("/v8/finance/chart") == 0


def test_a_quote_carries_the_providers_time_and_exact_prices(source: YahooSource) -> None:
    quote = source.quotes(["AAPL"])["AAPL"]
    assert quote.provider_time == NOW
    assert quote.last == Decimal("137.2300")  # 137.2299957 on the wire
    assert (quote.bid, quote.ask) == (Decimal("137.2000"), Decimal("137.2600"))
    assert quote.previous_close == Decimal("135.5000")
    assert quote.volume == 1_234_567
    assert quote.source == "yfinance"


def test_every_request_goes_to_the_stand_in(yahoo: YahooStandIn, source: YahooSource) -> None:
    source.quotes(["AAPL"])
    hosts = {host for host, _path, _query in yahoo.requests}
    assert "query1.finance.yahoo.com" in hosts
    assert all(host.endswith("yahoo.com") for host in hosts)


def test_a_quote_without_a_time_is_asked_for_as_a_chart(yahoo: YahooStandIn, source: YahooSource) -> None:
    yahoo.quotes["AAPL"] = {"regularMarketTime": None}
    quotes = source.quotes(["AAPL", "MSFT"])
    assert quotes["AAPL"].provider_time == NOW
    assert quotes["AAPL"].last == Decimal("137.5000")
    assert yahoo.asked("/v8/finance/chart") == 1


def test_the_newest_minute_gives_the_time_when_the_chart_names_none(yahoo: YahooStandIn, tmp_path: Path) -> None:
    yahoo.batch_refused = True
    yahoo.chart_meta["regularMarketTime"] = None
    now = datetime.now(UTC) + timedelta(days=1)
    quote = YahooSource(yahoo.url, tmp_path, lambda: now).quotes(["AAPL"])["AAPL"]
    assert quote.provider_time is not None
    assert quote.provider_time.second == 0
    assert quote.last != Decimal("137.5000")


def test_without_any_time_a_quote_is_for_display_only(yahoo: YahooStandIn, source: YahooSource) -> None:
    yahoo.quotes["AAPL"] = {"regularMarketTime": None}
    yahoo.chart_meta["regularMarketTime"] = None
    yahoo.chart_rows = {"close": []}
    quote = source.quotes(["AAPL"])["AAPL"]
    assert quote.provider_time is None
    assert quote.last == Decimal("137.5000")


def test_charts_are_asked_when_the_batch_is_refused(yahoo: YahooStandIn, source: YahooSource) -> None:
    yahoo.batch_refused = True
    assert set(source.quotes(["AAPL", "MSFT"])) == {"AAPL", "MSFT"}
    refused = yahoo.asked("/v7/finance/quote")
    source.quotes(["AAPL"])
    assert yahoo.asked("/v7/finance/quote") == refused  # not again for a while


def test_an_unknown_ticker_is_left_out(source: YahooSource) -> None:
    assert set(source.quotes(["NOPE", "AAPL"])) == {"AAPL"}


@pytest.mark.parametrize("value", [NAN, float("inf"), 0, -5, "abc", True, [1], 1e300])
def test_a_malformed_price_is_no_quote(yahoo: YahooStandIn, source: YahooSource, value: object) -> None:
    yahoo.quotes["AAPL"] = {"regularMarketPrice": value}
    yahoo.chart_meta["regularMarketPrice"] = value
    yahoo.chart_rows = {"close": [value] * 390}
    assert set(source.quotes(["AAPL", "MSFT"])) == {"MSFT"}


@pytest.mark.parametrize("value", [NAN, 0, -1])
def test_a_malformed_bid_is_left_out(yahoo: YahooStandIn, source: YahooSource, value: float) -> None:
    yahoo.quotes["AAPL"] = {"bid": value, "ask": value}
    quote = source.quotes(["AAPL"])["AAPL"]
    assert (quote.bid, quote.ask) == (None, None)


def test_a_price_in_another_currency_is_no_quote(yahoo: YahooStandIn, source: YahooSource) -> None:
    yahoo.quotes["SAP"] = {"currency": "EUR"}
    yahoo.chart_meta["currency"] = "EUR"
    assert source.quotes(["SAP"]) == {}


def test_a_stale_quote_keeps_its_old_time(yahoo: YahooStandIn, source: YahooSource) -> None:
    yahoo.quote_time = int((NOW - timedelta(days=3)).timestamp())
    assert source.quotes(["AAPL"])["AAPL"].provider_time == NOW - timedelta(days=3)


def test_nothing_is_asked_for_nothing(yahoo: YahooStandIn, source: YahooSource) -> None:
    assert source.quotes([]) == {}
    assert yahoo.requests == []


# Trouble.


def test_a_rate_limit_says_so(yahoo: YahooStandIn, source: YahooSource) -> None:
    yahoo.mode = "rate_limited"
    for ask in (lambda: source.quotes(["AAPL"]), lambda: source.daily_bars("AAPL", date(2026, 1, 2), date.max)):
        with pytest.raises(RateLimited):
            ask()


@pytest.mark.parametrize("mode", ["html", "broken"])
def test_nonsense_is_an_error_and_never_data(yahoo: YahooStandIn, source: YahooSource, mode: str) -> None:
    yahoo.mode = mode
    asks = (
        lambda: source.quotes(["AAPL"]),
        lambda: source.daily_bars("AAPL", date(2026, 1, 2), date(2026, 3, 2)),
        lambda: source.intraday_bars("AAPL", 1),
        lambda: source.instrument("AAPL"),
        lambda: source.search("apple", 5),
        lambda: source.fundamentals("AAPL"),
        lambda: source.balance_sheets("AAPL"),
    )
    for ask in asks:
        with pytest.raises(MarketSourceError):
            ask()


def test_a_server_that_never_answers_costs_a_bounded_time(
    yahoo: YahooStandIn, source: YahooSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("utils.stock_data.CALL_SECONDS", 1.0)
    yahoo.mode = "blackhole"
    source._connected()
    for ask in (lambda: source.quotes(["AAPL", "MSFT"]), lambda: source.intraday_bars("AAPL", 1)):
        started = time.monotonic()
        with pytest.raises(MarketSourceError):
            ask()
        assert time.monotonic() - started < 2.5
    assert not source.answers("AAPL", 0.3)


def test_a_cancelled_source_asks_nothing_more(yahoo: YahooStandIn, source: YahooSource) -> None:
    source.cancel()
    with pytest.raises(MarketSourceError):
        source.quotes(["AAPL"])
    assert yahoo.requests == []


def test_nobody_listens(tmp_path: Path) -> None:
    with YahooStandIn() as gone:
        url = gone.url
    assert not YahooSource(url, tmp_path).answers("AAPL", 2)


def test_the_probe_sees_a_server_that_answers(source: YahooSource) -> None:
    assert source.answers("AAPL", 5)


# Bars.


def test_daily_bars(source: YahooSource) -> None:
    bars = source.daily_bars("AAPL", date(2026, 1, 5), date(2026, 1, 16))
    assert [bar.date for bar in bars] == [date(2026, 1, day) for day in (5, 6, 7, 8, 9, 12, 13, 14, 15, 16)]
    assert bars[0].low <= bars[0].open <= bars[0].high
    assert bars[0].adj_close == (bars[0].close / 2).quantize(Decimal("0.0001"))
    assert bars[0].open == Decimal("136.5000")


@pytest.mark.parametrize(("name", "value"), [("close", NAN), ("open", 0), ("low", -3), ("volume", -1), ("high", 1)])
def test_malformed_bars_are_left_out(yahoo: YahooStandIn, source: YahooSource, name: str, value: float) -> None:
    good = {"open": 136.5, "high": 138, "low": 134, "close": 137, "volume": 5}[name]
    yahoo.chart_rows = {name: [good, value, good]}
    bars = source.daily_bars("AAPL", date(2026, 1, 5), date(2026, 1, 7))
    assert [bar.date.day for bar in bars] == [5, 7]


def test_only_malformed_bars_are_an_error(yahoo: YahooStandIn, source: YahooSource) -> None:
    yahoo.chart_rows = {"open": [0, -1, 0]}
    with pytest.raises(MarketSourceError, match="malformed"):
        source.daily_bars("AAPL", date(2026, 1, 5), date(2026, 1, 7))


def test_bars_of_an_unknown_ticker(source: YahooSource) -> None:
    with pytest.raises(UnknownTicker):
        source.daily_bars("NOPE", date(2026, 1, 5), date(2026, 1, 7))
    with pytest.raises(UnknownTicker):
        source.intraday_bars("NOPE", 1)


def test_intraday_bars_are_in_utc(source: YahooSource) -> None:
    bars = source.intraday_bars("AAPL", 5)
    assert len(bars) == 5 * 78
    assert bars[0].time.tzinfo is UTC
    assert bars == sorted(bars, key=lambda bar: bar.time)


# Instruments and reported figures.


def test_an_instrument(source: YahooSource) -> None:
    info = source.instrument("AAPL")
    assert (info.name, info.exchange, info.tradable) == ("AAPL Incorporated", "NasdaqGS", True)
    assert not source.instrument("^GSPC").tradable
    with pytest.raises(UnknownTicker):
        source.instrument("NOPE")


def test_a_search_finds_shares_only(source: YahooSource) -> None:
    assert [info.ticker for info in source.search("nvda", 5)] == ["NVDA"]


def test_fundamentals(source: YahooSource) -> None:
    statement = source.fundamentals("AAPL")
    assert statement is not None
    assert statement.date == date(2025, 9, 30)
    assert statement.figures == {
        "market_cap": 2_300_000_000_000,
        "pe_ratio": Decimal("25.1000"),
        "pb_ratio": Decimal("41.1235"),
        "dividend_yield": Decimal("0.0041"),
        "revenue": 400_000_000_000,
        "net_income": 99_000_000_000,
        "eps": Decimal("6.4200"),
        "operating_cash_flow": 110_000_000_000,
    }


def test_statements_come_newest_first_and_what_is_not_reported_is_null(source: YahooSource) -> None:
    sheets = source.balance_sheets("AAPL")
    assert [sheet.date for sheet in sheets] == [date(2025, 9, 30), date(2024, 9, 30), date(2023, 9, 30)]
    assert sheets[0].figures["total_assets"] == 3_000_000_000
    assert sheets[0].figures["total_equity"] == 3_000_000_000
    assert sheets[0].figures["current_liabilities"] is None
    incomes = source.income_statements("AAPL")
    assert incomes[0].figures["revenue"] == incomes[0].figures["net_income"] == 3_000_000_000
    assert incomes[0].figures["operating_income"] is None


def test_no_figures_are_none() -> None:
    assert yahoo_answers.fundamentals("AAPL", {"trailingPE": NAN}, date(2026, 1, 1)) is None


# The parts.


def test_a_redirected_address_keeps_path_and_query() -> None:
    asked = redirected("https://query1.finance.yahoo.com/v7/a?b=c%20d", "http://127.0.0.1:9/")
    assert asked == "http://127.0.0.1:9/v7/a?b=c%20d"


def test_a_budget_runs_out() -> None:
    seconds = [0.0]
    budget = Budget(lambda: seconds[0])
    with pytest.raises(TimeoutError):
        budget.next_timeout()
    with budget.of(8):
        assert budget.next_timeout() == 3
        seconds[0] = 6
        assert budget.next_timeout() == 2
        seconds[0] = 8
        with pytest.raises(TimeoutError):
            budget.next_timeout()


def test_a_breaker_opens_after_failures_in_a_row_and_tries_again() -> None:
    breaker = CircuitBreaker(threshold=2, first_pause=timedelta(seconds=30), longest_pause=timedelta(seconds=100))
    breaker.failed(NOW)
    breaker.succeeded()
    breaker.failed(NOW)
    assert breaker.state(NOW) == "closed"
    breaker.failed(NOW)
    assert not breaker.allows(NOW + timedelta(seconds=29))
    later = NOW + timedelta(seconds=30)
    assert breaker.state(later) == "half_open"
    breaker.failed(later)
    assert not breaker.allows(later + timedelta(seconds=59))
    assert breaker.allows(later + timedelta(seconds=60))
    for _ in range(40):
        later = breaker.open_until or later
        breaker.failed(later)
    assert breaker.open_until == later + timedelta(seconds=100)
    breaker.succeeded()
    assert breaker.state(later) == "closed"


def test_requests_that_fail_together_make_one_pause_of_the_first_length() -> None:
    breaker = CircuitBreaker(threshold=3, first_pause=timedelta(seconds=30))
    for _ in range(16):
        breaker.failed(NOW)
    assert breaker.open_until == NOW + timedelta(seconds=30)


def test_a_breaker_opens_at_once_when_told_to() -> None:
    breaker = CircuitBreaker()
    breaker.failed(NOW, at_once=True)
    assert breaker.state(NOW) == "open"
    assert breaker.open_until == NOW + timedelta(seconds=30)
