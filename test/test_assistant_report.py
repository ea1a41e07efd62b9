"""The AI report of the analysis page: from the figures and thresholds, streamed, kept by its hash, downloadable."""

from __future__ import annotations

import pytest
from flask import Flask

from assistant_help import events_of, gemini_settings, give_bars
from factories import Person
from fake_market import FakeMarket
from services.assistant.reports import judge
from standins.gemini import GeminiStandIn, says
from web_client import VenueClient
from web_help import assert_refused

REPORT = "/user/api/analysis_report"
QUESTION = {"tickers": ["AAPL", "MSFT"], "window": 252}


@pytest.fixture
def settings(gemini: GeminiStandIn) -> dict[str, str]:
    return gemini_settings(gemini)


@pytest.fixture
def trader(app: Flask, client: VenueClient, alice: Person, market: FakeMarket, assistant: object) -> VenueClient:
    give_bars(app, market)
    return client.log_in(alice)


def test_a_report_is_written_once_and_kept(trader: VenueClient, gemini: GeminiStandIn) -> None:
    gemini.reply = says("## AAPL\n\nRisky, with 999.99 reasons over 252 days.")
    first = events_of(trader.post(REPORT, json=QUESTION).text)
    assert first[-1][0] == "done"
    report = first[-1][1]
    assert report["unsourced"] == ["999.99"]
    assert "<h4>AAPL</h4>" in report["html"]
    again = events_of(trader.post(REPORT, json=QUESTION).text)
    assert again == [("done", report)]
    assert len(gemini.requests) == 1
    file = trader.get(f"{REPORT}/{report['report_id']}")
    assert file.mimetype == "text/markdown"
    assert "attachment" in file.headers["Content-Disposition"]
    assert "999.99 [not from this system's data]" in file.text


def test_other_thresholds_make_another_report(trader: VenueClient, gemini: GeminiStandIn) -> None:
    trader.post(REPORT, json=QUESTION)
    trader.post("/user/api/preferences/analysis_thresholds", json={"volatility": 10})
    trader.post(REPORT, json=QUESTION)
    assert len(gemini.requests) == 2
    assert '\\"volatility\\": 10.0' in gemini.bodies()
    assert "Alice" not in gemini.bodies()


def test_somebody_elses_report_is_not_there(
    app: Flask, trader: VenueClient, bob: Person, gemini: GeminiStandIn
) -> None:
    number = events_of(trader.post(REPORT, json=QUESTION).text)[-1][1]["report_id"]
    stranger = app.test_client().log_in(bob)
    assert_refused(stranger.get(f"{REPORT}/{number}"), 404, "NO_SUCH_REPORT")


def test_a_fault_is_told_and_nothing_kept(trader: VenueClient, gemini: GeminiStandIn) -> None:
    gemini.mode = "bad_key"
    assert events_of(trader.post(REPORT, json=QUESTION).text)[-1][0] == "failed"
    assert_refused(trader.post(REPORT, json={"tickers": []}), 400, "INVALID_INPUT", "tickers")
    assert_refused(trader.get(f"{REPORT}/1"), 404)


class TestWithoutAKey:
    @pytest.fixture
    def settings(self) -> dict[str, str]:
        return {}

    def test_it_says_so(self, trader: VenueClient) -> None:
        assert_refused(trader.post(REPORT, json=QUESTION), 503, "ASSISTANT_NO_KEY")


def test_levels_are_those_of_the_analysis_page() -> None:
    limit = {"volatility": 30, "max_drawdown": 20, "sharpe_ratio": 0, "beta": 1.2, "var_95": 2, "sortino_ratio": 0}
    good = {"volatility": 0.2, "max_drawdown": -0.1, "sharpe_ratio": 1, "beta": 1, "var_95": -0.01, "sortino_ratio": 1}
    assert judge(good, limit) == {"flagged": [], "level": "low"}
    worse = good | {"volatility": 0.31, "max_drawdown": -0.21}
    assert judge(worse, limit) == {"flagged": ["volatility", "max_drawdown"], "level": "medium"}
    worst = worse | {"beta": 1.3, "sharpe_ratio": -0.1}
    assert judge(worst, limit)["level"] == "high"
    assert judge(dict.fromkeys(good), limit)["level"] == "not rated"
