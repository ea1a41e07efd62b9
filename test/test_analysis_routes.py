"""The analysis over HTTP: its shapes, its refusals, and that nothing looks ahead."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy.orm import Session

import factories
from config import ROOT
from databases import both_databases
from factories import Person
from fake_market import FakeClock, FakeMarket
from models import Instrument, db
from services.analysis.risk_table import GROUPS, METRICS
from services.market import bars
from services.transaction import run_unit
from utils import risk_metrics
from utils.datetime_utils import utc_now
from utils.market_source import Bar
from web_client import VenueClient
from web_help import assert_refused

RISK = "/user/api/stock_analysis"
TODAY = date(2008, 9, 2)  # the FakeMarket's day, in the middle of its session


@cache
def recorded() -> dict[str, list[Bar]]:
    from utils.replay_market import load_bars

    return load_bars(ROOT / "data" / "daily_bars_2000_2013.csv.gz")


def past(ticker: str, count: int = 420, until: date = TODAY) -> list[Bar]:
    """The newest bars before a day."""
    return [bar for bar in recorded()[ticker] if bar.date < until][-count:]


def keep(app: Flask, rows: list[Bar]) -> None:
    with app.app_context():
        run_unit(bars.store, rows, utc_now())


def add_instrument(app: Flask, ticker: str) -> None:
    with app.app_context(), Session(db.engine) as session:
        session.add(Instrument(ticker=ticker, name=ticker))
        session.commit()


@pytest.fixture
def trader(app: Flask, client: VenueClient, alice: Person) -> VenueClient:
    """Alice, logged in, with the past of all tickers in the books."""
    keep(app, [bar for ticker in ("AAPL", "MSFT", "GOOG", "^GSPC") for bar in past(ticker)])
    return client.log_in(alice)


def plain(answer: Any) -> Any:
    """The body with ordinary floats."""
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text)


def ask(client: VenueClient, **fields: Any) -> Any:
    return plain(client.post(RISK, json=fields))


# Risk.


def test_one_ticker_answers_flat_metrics(trader: VenueClient) -> None:
    answer = ask(trader, ticker="aapl", window=252)
    assert answer["success"] is True
    assert answer["metrics"].keys() == METRICS.keys()
    assert None not in answer["metrics"].values()
    data = answer["data"]
    assert (data["ticker"], data["observations"], data["end"]) == ("AAPL", 252, "2008-08-29")
    assert data["reasons"] == {}
    assert data["benchmark"] == "^GSPC"
    assert data["message"] is None


@both_databases
def test_the_metrics_are_those_of_the_stored_bars(trader: VenueClient) -> None:
    metrics = ask(trader, ticker="AAPL", window=100)["metrics"]
    prices = np.array([float(bar.adj_close) for bar in past("AAPL", 101)])
    market = risk_metrics.simple_returns(np.array([float(bar.adj_close) for bar in past("^GSPC", 101)]))
    returns = risk_metrics.simple_returns(prices)
    assert metrics["volatility"] == pytest.approx(risk_metrics.volatility(returns), rel=1e-12)
    assert metrics["beta"] == pytest.approx(risk_metrics.beta(returns, market), rel=1e-12)
    assert metrics["max_drawdown"] == pytest.approx(risk_metrics.max_drawdown(prices).depth, rel=1e-12)


def test_several_tickers_are_compared(trader: VenueClient) -> None:
    answer = ask(trader, tickers=["AAPL", "MSFT", "GOOG", "aapl"], window=252)
    data = answer["data"]
    assert [one["ticker"] for one in data["results"]] == ["AAPL", "MSFT", "GOOG"]
    assert answer["metrics"].keys() == {"AAPL", "MSFT", "GOOG"}
    matrix = data["correlation"]["matrix"]
    assert [matrix[at][at] for at in range(3)] == [1, 1, 1]
    assert matrix[0][1] == matrix[1][0]
    assert len(data["distribution"]["edges"]) == len(data["distribution"]["shares"]["AAPL"]) + 1
    assert sum(data["distribution"]["shares"]["MSFT"]) == pytest.approx(1, abs=1e-3)


def test_dates_choose_the_days(trader: VenueClient) -> None:
    data = ask(trader, tickers=["AAPL"], start_date="2008-01-02", end_date="2008-06-30")["data"]["results"][0]
    assert (data["start"], data["end"]) == ("2008-01-02", "2008-06-30")
    fall = data["drawdown"]
    assert data["start"] <= fall["peak"] < fall["bottom"] <= data["end"]


def test_curves_have_a_value_or_null_for_each_date(trader: VenueClient) -> None:
    series = ask(trader, ticker="AAPL", window=400, rolling_window=21)["data"]["series"]
    dates = series.pop("dates")
    assert len(dates) <= 320
    assert dates == sorted(dates)
    assert {len(values) for values in series.values()} == {len(dates)}
    assert series["growth"][0] == 0
    assert series["rolling_volatility"][0] is None
    assert series["rolling_beta"][-1] is not None
    assert min(series["drawdown"]) == pytest.approx(min(series["rolling_drawdown"][20:], default=0), abs=0.5)


def test_the_deepest_fall_is_never_thinned_out(trader: VenueClient) -> None:
    answer = ask(trader, ticker="AAPL", window=400)
    assert min(answer["data"]["series"]["drawdown"]) == pytest.approx(answer["metrics"]["max_drawdown"], abs=1e-5)


def test_the_running_day_does_not_count(app: Flask, trader: VenueClient, clock: FakeClock) -> None:
    """Its bar, and everything later, may even be in the table: nothing looks ahead, and a half day is no day."""
    before = ask(trader, ticker="AAPL")
    keep(app, [bar for bar in recorded()["AAPL"] if TODAY <= bar.date < TODAY + timedelta(days=30)])
    assert ask(trader, ticker="AAPL") == before
    clock.set(datetime(2008, 9, 2, 20, 0, tzinfo=UTC))  # the close
    assert ask(trader, ticker="AAPL")["data"]["end"] == "2008-09-02"


def test_too_little_data_is_null_with_a_reason_and_never_low_risk(app: Flask, trader: VenueClient) -> None:
    keep(app, [replace(bar, ticker="NEW") for bar in past("AAPL", 21)])
    add_instrument(app, "NEW")
    answer = ask(trader, ticker="NEW")
    assert answer["metrics"]["volatility"] is not None
    assert answer["metrics"]["beta"] is None
    assert "needs 60 daily returns" in answer["data"]["reasons"]["beta"]
    assert "there are 20" in answer["data"]["reasons"]["beta"]
    missing = {key for key, value in answer["metrics"].items() if value is None}
    assert answer["data"]["reasons"].keys() == missing


def test_a_price_that_never_moves_has_no_ratios(app: Flask, trader: VenueClient) -> None:
    one = past("AAPL", 1)[0]
    keep(app, [replace(bar, ticker="FLAT", close=one.close, adj_close=one.close) for bar in past("AAPL", 100)])
    add_instrument(app, "FLAT")
    answer = ask(trader, ticker="FLAT", risk_free_rate=0)
    assert answer["metrics"]["volatility"] == 0
    for key in ("sharpe_ratio", "sortino_ratio", "skewness", "kurtosis", "treynor_ratio", "calmar_ratio", "r_squared"):
        assert answer["metrics"][key] is None
        assert answer["data"]["reasons"][key]


def test_too_few_bars_of_the_only_ticker_are_refused(app: Flask, trader: VenueClient) -> None:
    keep(app, [replace(bar, ticker="NEW") for bar in past("AAPL", 5)])
    add_instrument(app, "NEW")
    answer = trader.post(RISK, json={"ticker": "NEW"})
    assert_refused(answer, 422, "TOO_FEW_BARS")
    assert answer.json["details"] == {"ticker": "NEW", "bars": 5, "needed": 6}
    together = ask(trader, tickers=["AAPL", "NEW"])
    assert together["data"]["results"][1]["error"]["code"] == "TOO_FEW_BARS"
    assert together["metrics"]["NEW"] is None


def test_old_bars_are_used_and_say_so(app: Flask, trader: VenueClient) -> None:
    keep(app, [replace(bar, ticker="OLD") for bar in past("AAPL", 300, date(2008, 6, 1))])
    add_instrument(app, "OLD")
    data = ask(trader, ticker="OLD")["data"]
    assert data["end"] == "2008-05-30"
    assert "30 May 2008" in data["message"]


def test_an_unknown_ticker_comes_with_suggestions(trader: VenueClient) -> None:
    answer = trader.post(RISK, json={"tickers": ["AAPL", "APPL"]})
    assert_refused(answer, 404, "UNKNOWN_TICKER")
    assert "AAPL" in answer.json["details"]["suggestions"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "tickers"),
        ({"tickers": []}, "tickers"),
        ({"tickers": "AAPL"}, "tickers"),
        ({"tickers": ["A"] * 9}, "tickers"),
        ({"tickers": [5]}, "tickers"),
        ({"ticker": None}, "ticker"),
        ({"ticker": "no such thing"}, "ticker"),
        ({"ticker": "AAPL", "tickers": ["MSFT"]}, "tickers"),
        ({"ticker": "AAPL", "window": 4}, "window"),
        ({"ticker": "AAPL", "window": 5041}, "window"),
        ({"ticker": "AAPL", "window": "252"}, "window"),
        ({"ticker": "AAPL", "window": 2.5}, "window"),
        ({"ticker": "AAPL", "window": True}, "window"),
        ({"ticker": "AAPL", "window": 100, "start_date": "2008-01-01"}, "window"),
        ({"ticker": "AAPL", "start_date": "2008-09-02"}, "start_date"),
        ({"ticker": "AAPL", "start_date": "2008-05-01", "end_date": "2008-04-01"}, "start_date"),
        ({"ticker": "AAPL", "end_date": "2008-09-03"}, "end_date"),
        ({"ticker": "AAPL", "start_date": "1.5.2008"}, "start_date"),
        ({"ticker": "AAPL", "start_date": "0001-01-01"}, "start_date"),
        ({"ticker": "AAPL", "rolling_window": 9}, "rolling_window"),
        ({"ticker": "AAPL", "risk_free_rate": 1}, "risk_free_rate"),
        ({"ticker": "AAPL", "risk_free_rate": "0.02"}, "risk_free_rate"),
        ({"ticker": "AAPL", "portfolio": 1}, "portfolio"),
        ({"ticker": "AAPL", "windows": 5}, "windows"),
    ],
)
def test_what_is_wrong_is_named(trader: VenueClient, fields: dict[str, Any], field: str) -> None:
    assert_refused(trader.post(RISK, json=fields), 400, "INVALID_INPUT", field)


def test_the_risk_free_rate_lowers_the_ratios(trader: VenueClient) -> None:
    plain, dear = (ask(trader, ticker="AAPL", risk_free_rate=rate)["metrics"] for rate in (0, 0.05))
    assert dear["sharpe_ratio"] < plain["sharpe_ratio"]
    assert dear["volatility"] == plain["volatility"]


@pytest.mark.parametrize("settings", [{"RISK_FREE_RATE": "0.05"}])
def test_the_risk_free_rate_is_a_setting(trader: VenueClient) -> None:
    assert ask(trader, ticker="AAPL")["data"]["risk_free_rate"] == 0.05


@pytest.mark.parametrize("address", [RISK, "/user/api/preferences/desk_indicators"])
def test_strangers_are_turned_away(client: VenueClient, address: str) -> None:
    assert_refused(client.post(address, json={"ticker": "AAPL"}), 401)


def test_while_the_market_starts_nothing_is_computed(app: Flask, trader: VenueClient) -> None:
    from services.market.market import VenueMarket

    app.extensions["market"] = VenueMarket()
    assert_refused(trader.post(RISK, json={"ticker": "AAPL"}), 503, "MARKET_STARTING")


# The trader's holdings.


@pytest.fixture
def holder(app: Flask, trader: VenueClient, alice: Person, ada: Person, market: FakeMarket) -> VenueClient:
    """Alice holds Apple and Microsoft, three dollars of the one for each of the other."""
    with app.app_context():
        config = app.extensions["config"]
        factories.give_shares(alice, "AAPL", 30, "100", admin=ada, market=market, config=config)
        factories.give_shares(alice, "MSFT", 10, "100", admin=ada, market=market, config=config)
        db.session.remove()
    return trader


def test_holdings_are_analysed_as_one(holder: VenueClient) -> None:
    answer = ask(holder, portfolio=True, window=252)
    data = answer["data"]
    assert [one["ticker"] for one in data["results"]] == ["Portfolio", "AAPL", "MSFT"]
    parts = {one["ticker"]: one for one in data["contributions"]}
    assert parts["AAPL"]["weight"] == pytest.approx(0.75)
    assert sum(one["share"] for one in parts.values()) == pytest.approx(1)
    whole = sum(one["contribution"] for one in parts.values())
    assert whole == pytest.approx(answer["metrics"]["Portfolio"]["volatility"], rel=1e-9)
    assert whole < 0.75 * parts["AAPL"]["volatility"] + 0.25 * parts["MSFT"]["volatility"]
    assert data["left_out"] == []


def test_without_holdings_there_is_no_portfolio(trader: VenueClient) -> None:
    assert_refused(trader.post(RISK, json={"portfolio": True}), 422, "NO_HOLDINGS")
    assert_refused(trader.get("/user/api/portfolio/monte-carlo"), 422, "NO_HOLDINGS")


def test_holdings_are_simulated_as_one(holder: VenueClient) -> None:
    answer = plain(holder.get("/user/api/portfolio/monte-carlo?days=20&simulations=2000"))
    assert answer["statistics"]["current_price"] == pytest.approx(4000)
    assert sum(answer["model"]["weights"].values()) == pytest.approx(1)


# Monte Carlo.


def simulate(client: VenueClient, **parameters: Any) -> Any:
    return plain(client.get("/user/api/monte-carlo/AAPL", query_string=parameters))


@both_databases
def test_a_simulation_answers_bands_paths_and_statistics(trader: VenueClient, market: FakeMarket) -> None:
    market.set_quote("AAPL", "166.00")
    answer = simulate(trader, days=30, simulations=500, target_price="180")
    rows = answer["predictions"]
    assert rows[0].keys() == {"date", "p5", "p25", "p50", "p75", "p95"}
    assert [row["date"] for row in rows[:5]] == ["2008-09-03", "2008-09-04", "2008-09-05", "2008-09-08", "2008-09-09"]
    assert len(rows) == 30
    assert (len(answer["paths"]), len(answer["paths"][0])) == (30, 30)
    statistics = answer["statistics"]
    assert statistics["current_price"] == 166
    assert statistics["percentile_5"] < statistics["median_price"] < statistics["percentile_95"]
    assert statistics["target_price"] == 180
    assert 0 < statistics["probability_of_target"] < statistics["probability_of_gain"] < 1
    assert None not in statistics.values()
    assert answer["model"]["last_bar"] == "2008-08-29"


def test_without_a_quote_the_last_close_is_the_price(trader: VenueClient) -> None:
    assert simulate(trader)["statistics"]["current_price"] == float(past("AAPL", 1)[0].close)


def test_the_same_seed_is_the_same_answer(trader: VenueClient) -> None:
    assert simulate(trader, seed=5) == simulate(trader, seed=5)
    assert simulate(trader, seed=5)["paths"] != simulate(trader, seed=6)["paths"]


def test_a_kept_simulation_follows_the_price(app: Flask, trader: VenueClient, market: FakeMarket) -> None:
    market.set_quote("AAPL", "100")
    first = simulate(trader)
    market.set_quote("AAPL", "200")
    second = simulate(trader)
    assert len(app.extensions["jobs"]._kept) == 1
    assert second["statistics"]["mean_price"] == pytest.approx(2 * first["statistics"]["mean_price"])


@pytest.mark.parametrize("model", ["gbm", "bootstrap", "student_t"])
def test_the_largest_answer_is_under_200_kilobytes(trader: VenueClient, model: str) -> None:
    answer = trader.get(f"/user/api/monte-carlo/AAPL?days=365&simulations=20000&model={model}")
    assert answer.status_code == 200
    assert len(answer.data) < 200_000
    assert answer.json["predictions"][-1]["date"] == "2010-02-11"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("days", value) for value in ("0", "366", "-1", "x", "1.5", "1e2", "٣")),
        *(("simulations", value) for value in ("0", "100001", "many", "99999999999")),
        *(("seed", value) for value in ("-1", "4294967296")),
        *(("window", value) for value in ("59", "2521")),
        *(("block", value) for value in ("0", "61")),
        ("degrees", "4"),
        ("degrees", "nan"),
        ("model", "magic"),
        ("drift", "up"),
        *(("target_price", value) for value in ("0", "-5", "1e5", "Infinity")),
    ],
)
def test_a_parameter_out_of_range_is_named(trader: VenueClient, name: str, value: str) -> None:
    answer = trader.get("/user/api/monte-carlo/AAPL", query_string={name: value})
    assert_refused(answer, 400, "INVALID_INPUT", name)


def test_simulations_of_unknown_and_of_young_tickers_are_refused(app: Flask, trader: VenueClient) -> None:
    answer = trader.get("/user/api/monte-carlo/MSFF")
    assert_refused(answer, 404, "UNKNOWN_TICKER")
    assert "MSFT" in answer.json["details"]["suggestions"]
    keep(app, [replace(bar, ticker="NEW") for bar in past("AAPL", 60)])
    add_instrument(app, "NEW")
    answer = trader.get("/user/api/monte-carlo/NEW")
    assert_refused(answer, 422, "TOO_FEW_BARS")
    assert answer.json["details"]["needed"] == 61


def test_a_long_simulation_shows_progress(trader: VenueClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from routes.user import monte_carlo

    monkeypatch.setattr(monte_carlo, "PATIENCE", 0.0)
    address = "/user/api/monte-carlo/AAPL?days=365&simulations=60000&model=student_t&progress=1"
    answer = trader.get(address)
    assert answer.status_code == 202
    assert answer.json["state"] in ("waiting", "running")
    shares = [answer.json["progress"]]
    monkeypatch.setattr(monte_carlo, "PATIENCE", 0.05)
    while answer.status_code == 202:
        shares.append(answer.json["progress"])
        answer = trader.get(address)
    assert shares == sorted(shares)
    assert answer.status_code == 200
    assert len(answer.json["predictions"]) == 365


# Indicators.


def indicators(client: VenueClient, spec: str, **others: str) -> Any:
    query = {"ticker": "AAPL", "spec": spec, **others}
    return plain(client.get("/user/api/indicators", query_string=query))["data"]


@both_databases
def test_several_indicators_are_aligned_to_the_charts_bars(trader: VenueClient, market: FakeMarket) -> None:
    market.set_quote("AAPL", "166")
    rows = plain(trader.get("/user/api/market_data?ticker=AAPL&period=6mo"))["data"]
    data = indicators(trader, "sma:20,macd,obv", period="6mo")
    assert data["dates"] == [row["date"] for row in rows]
    assert data["running"] is True
    assert [one["key"] for one in data["indicators"]] == ["sma:20", "macd:12:26:9", "obv"]
    for one in data["indicators"]:
        for line in one["lines"]:
            assert len(line["values"]) == len(rows)
            assert None not in line["values"], "the past before the period warms up"
    closes = [row["close"] for row in rows[-20:]]
    assert data["indicators"][0]["lines"][0]["values"][-1] == pytest.approx(sum(closes) / 20, abs=1e-6)


def test_the_warm_up_is_null(trader: VenueClient) -> None:
    values = indicators(trader, "sma:50", period="max")["indicators"][0]["lines"][0]["values"]
    assert values[:49] == [None] * 49
    assert values[49] is not None


def test_ichimoku_reaches_ahead_of_the_bars(trader: VenueClient) -> None:
    data = indicators(trader, "ichimoku", period="1y")
    spans = {line["key"]: line for line in data["indicators"][0]["lines"]}
    assert len(data["future_dates"]) == len(spans["span_a"]["ahead"]) == 26
    assert data["future_dates"][0] > data["dates"][-1]
    assert spans["lagging"]["values"][-26:] == [None] * 26


def test_prices_may_be_adjusted(trader: VenueClient) -> None:
    raw, adjusted = (
        indicators(trader, "sma:2", prices=prices)["indicators"][0]["lines"][0]["values"][-1]
        for prices in ("raw", "adjusted")
    )
    newest = past("AAPL", 1)[0]
    assert adjusted / raw == pytest.approx(float(newest.adj_close / newest.close), rel=1e-3)


def test_the_running_day_may_be_adjusted_too(trader: VenueClient, market: FakeMarket) -> None:
    market.set_quote("AAPL", "166")
    data = indicators(trader, "sma:2", prices="adjusted", period="1mo")
    values = data["indicators"][0]["lines"][0]["values"]
    assert data["dates"][-1] == "2008-09-02"
    assert len(values) == len(data["dates"])
    assert values[-1] == pytest.approx((float(past("AAPL", 1)[0].adj_close) + 166) / 2)


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"spec": ""}, "spec"),
        ({}, "spec"),
        ({"spec": "sma:0"}, "spec"),
        ({"spec": "magic"}, "spec"),
        ({"spec": "sma:20", "period": "3w"}, "period"),
        ({"spec": "sma:20", "prices": "both"}, "prices"),
        ({"spec": "sma:20", "ticker": ""}, "ticker"),
    ],
)
def test_wrong_indicators_are_named(trader: VenueClient, parameters: dict[str, str], field: str) -> None:
    answer = trader.get("/user/api/indicators", query_string={"ticker": "AAPL", **parameters})
    assert_refused(answer, 400, "INVALID_INPUT", field)


def test_indicators_of_unknown_and_of_empty_tickers_are_refused(app: Flask, trader: VenueClient) -> None:
    assert_refused(trader.get("/user/api/indicators?ticker=MSFF&spec=obv"), 404, "UNKNOWN_TICKER")
    add_instrument(app, "NEW")
    assert_refused(trader.get("/user/api/indicators?ticker=NEW&spec=obv"), 422, "TOO_FEW_BARS")
    assert_refused(trader.get("/user/api/indicators?ticker=AAPL&period=5d&spec=obv"), 422, "TOO_FEW_BARS")


def test_the_catalogue_describes_every_indicator(trader: VenueClient) -> None:
    found = plain(trader.get("/user/api/indicators/catalogue"))["data"]
    assert len(found) >= 15
    assert found[0]["parameters"][0] == {
        "key": "period", "label": "Bars", "default": 20, "min": 2, "max": 500, "step": 1,
    }  # fmt: skip


# Key ratios.


@pytest.fixture
def reports(app: Flask) -> Iterator[None]:
    from models import BalanceSheet, IncomeStatement

    with app.app_context():
        for year, income in ((2006, 10), (2007, 20)):
            day = date(year, 12, 31)
            db.session.add(BalanceSheet(ticker="AAPL", date=day, total_assets=400, total_equity=100, current_assets=50))
            db.session.add(IncomeStatement(ticker="AAPL", date=day, revenue=200, net_income=income))
        db.session.commit()
        db.session.remove()
    return


@pytest.mark.usefixtures("reports")
def test_key_ratios_have_formula_value_and_course(trader: VenueClient) -> None:
    found = {one["key"]: one for one in plain(trader.get("/user/api/key_ratios?ticker=AAPL"))["data"]}
    assert found["return_on_equity"]["value"] == 0.2
    assert [point["value"] for point in found["net_margin"]["trend"]] == [0.05, 0.1]
    assert found["return_on_assets"]["date"] == "2007-12-31"
    assert "÷" in found["net_margin"]["formula"]
    assert found["current_ratio"]["value"] is None, "what is missing is null and never zero"


def test_in_the_replay_there_are_no_reports_and_it_says_so(trader: VenueClient) -> None:
    answer = trader.get("/user/api/key_ratios?ticker=AAPL").json
    assert answer["data"] is None
    assert "recorded market has no reports" in answer["message"]


# What is remembered.


@both_databases
def test_thresholds_and_indicators_are_remembered_for_each_trader(app: Flask, trader: VenueClient, bob: Person) -> None:
    thresholds = "/user/api/preferences/analysis_thresholds"
    assert trader.get(thresholds).json["data"] == {}
    for value in (25, 40.5):
        assert trader.post(thresholds, json={"volatility": value}).json["data"] == {"volatility": value}
    chosen = "/user/api/preferences/desk_indicators"
    assert trader.post(chosen, json={"spec": "SMA:50,macd"}).json["data"] == {"spec": "sma:50,macd:12:26:9"}
    assert trader.post(chosen, json={"spec": ""}).json["data"] == {"spec": ""}
    assert trader.get(thresholds).json["data"] == {"volatility": 40.5}
    assert app.test_client().log_in(bob).get(thresholds).json["data"] == {}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "fields", "field"),
    [
        ("analysis_thresholds", {"volatility": 51}, "volatility"),
        ("analysis_thresholds", {"volatility": "30"}, "volatility"),
        ("analysis_thresholds", {"charm": 1}, "charm"),
        ("desk_indicators", {"spec": "sma:0"}, "spec"),
        ("desk_indicators", {"spec": 5}, "spec"),
        ("desk_indicators", {}, "spec"),
        ("display", {"theme": "pink"}, "theme"),
        ("display", {"confirm": None}, "confirm"),
        ("display", {"zone": ["UTC"]}, "zone"),
        ("display", {"font": "large"}, "font"),
    ],
)
def test_only_what_can_be_used_is_remembered(
    trader: VenueClient, name: str, fields: dict[str, Any], field: str
) -> None:
    assert_refused(trader.post(f"/user/api/preferences/{name}", json=fields), 400, "INVALID_INPUT", field)


def test_nothing_else_is_remembered(trader: VenueClient) -> None:
    assert_refused(trader.post("/user/api/preferences/other", json={}), 404, "UNKNOWN_PREFERENCE")


def test_every_answer_is_strict_json(trader: VenueClient) -> None:
    def refuse(text: str) -> float:
        raise AssertionError(f"{text} is no JSON")

    for answer in (
        trader.post(RISK, json={"tickers": ["AAPL", "^GSPC"], "window": 30}),
        trader.get("/user/api/indicators?ticker=AAPL&spec=sma:500,ichimoku&period=max"),
        trader.get("/user/api/monte-carlo/AAPL?simulations=1&days=1"),
    ):
        assert answer.status_code == 200
        json.loads(answer.text, parse_constant=refuse)


# The pages.


def test_the_page_offers_the_six_thresholds_and_every_figure(trader: VenueClient) -> None:
    page = BeautifulSoup(trader.get("/user/stock_analysis").text, "html.parser")
    sliders = {slider["data-threshold"]: slider for slider in page.select("[data-threshold]")}
    assert {key: slider["value"] for key, slider in sliders.items()} == {
        "volatility": "30", "max_drawdown": "20", "sharpe_ratio": "0", "beta": "1.2", "var_95": "2",
        "sortino_ratio": "0",
    }  # fmt: skip
    assert {row["data-metric"] for row in page.select("tr[data-metric]")} == METRICS.keys()
    assert page.select_one("#mode-portfolio[disabled]"), "without holdings there is no portfolio to choose"
    assert page.select_one("[data-question]")["data-ticker"] == "AAPL"
    assert [link["href"] for link in page.select('.top-nav [aria-current="page"]')] == ["/user/stock_analysis"]


def test_the_page_knows_what_was_remembered_and_what_is_held(holder: VenueClient) -> None:
    holder.post("/user/api/preferences/analysis_thresholds", json={"beta": 1.5})
    page = BeautifulSoup(holder.get("/user/stock_analysis").text, "html.parser")
    assert page.select_one('[data-threshold="beta"]')["value"] == "1.5"
    assert not page.select_one("#mode-portfolio[disabled]")


def test_the_desk_has_the_same_simulation(trader: VenueClient) -> None:
    for address in ("/user/stock_analysis", "/user/stock_chart"):
        page = BeautifulSoup(trader.get(address).text, "html.parser")
        fields = {field["name"] for field in page.select("[data-simulation] [name]")}
        assert fields == {"days", "simulations", "model", "target_price", "drift", "window", "block", "seed"}


def test_every_figure_belongs_to_one_group() -> None:
    assert sorted(key for keys in GROUPS.values() for key in keys) == sorted(METRICS)
