"""The analysis page in a real browser: figures, thresholds, portfolio mode, simulation and export."""

from __future__ import annotations

import csv
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from venue_server import VenueServer
from visitor import PATIENCE, SWITCHES, Visitor, find_chromium

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

PASSWORD = "Quiet-river-17!"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueServer]:
    find_chromium()
    venue = VenueServer(tmp_path_factory.mktemp("venue"), MARKET_SOURCE="replay")
    venue.start()
    made = venue.flask("demo", "fill", "--users", "2", "--orders", "60", "--password", PASSWORD)
    assert made.returncode == 0, made.stdout + made.stderr
    yield venue
    venue.stop()


@pytest.fixture(scope="module")
def holder(server: VenueServer) -> str:
    """The name of a trader who holds shares of more than one company."""
    with closing(sqlite3.connect(server.instance / "stock_data_v1.db")) as database:
        query = """
            SELECT user_name FROM user JOIN portfolio USING (user_id)
            WHERE quantity > 0 GROUP BY user_name HAVING count(*) > 1
        """
        name: str = database.execute(query).fetchone()[0]
        return name


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=SWITCHES)
        yield chromium
        chromium.close()


@pytest.fixture
def trader(server: VenueServer, holder: str, browser: Browser) -> Iterator[Visitor]:
    visitor = Visitor(browser, server.address, "the trader")
    visitor.goes_to("/auth/login")
    visitor.fills(user_name=holder, user_password=PASSWORD)
    visitor.presses("Log in")
    visitor.page.wait_for_url("**/user/**")
    yield visitor
    assert visitor.troubles == []
    assert visitor.strangers() == []
    visitor.leaves()


def analyses(trader: Visitor, query: str) -> None:
    trader.goes_to(f"/user/stock_analysis?{query}")
    expect(trader.page.locator("[data-results]")).to_be_visible(timeout=PATIENCE)


def test_three_tickers_are_compared_and_the_figures_leave_as_csv(trader: Visitor) -> None:
    analyses(trader, "tickers=AAPL,MSFT,IBM&window=504")
    trader.photographs("analysis", document="analysis")
    volatility = trader.page.locator('[data-metric="volatility"] td')
    expect(volatility).to_have_count(3)
    with trader.page.expect_download() as download:
        trader.presses("Export CSV")
    with open(download.value.path(), newline="") as file:
        table = {row[0]: row[1:] for row in csv.reader(file)}
    assert table["metric"] == ["AAPL", "MSFT", "IBM"]
    assert table["daily returns"] == ["504"] * 3
    answer = trader.page.evaluate(
        """async () => (await (await fetch('/user/api/stock_analysis', {
            method: 'POST', body: JSON.stringify({ticker: 'MSFT', window: 504}),
            headers: {'Content-Type': 'application/json',
                      'X-CSRFToken': document.querySelector('meta[name=csrf-token]').content},
        })).json()).metrics"""
    )
    assert float(table["volatility"][1]) == answer["volatility"]


def test_a_threshold_judges_anew_without_a_request_and_is_remembered(trader: Visitor) -> None:
    analyses(trader, "tickers=AAPL")
    slider = trader.page.get_by_label(re.compile("^Volatility"))
    badge = trader.page.locator('[data-metric="volatility"] .tag')
    expect(badge).to_have_text("High risk")
    asked = len([url for url in trader.requests if "stock_analysis" in url])
    slider.press("End")
    expect(badge).to_have_text("Within")
    assert len([url for url in trader.requests if "stock_analysis" in url]) == asked
    trader.sees("Remembered.", "[data-thresholds]")
    analyses(trader, "tickers=AAPL")
    expect(trader.page.locator('[data-metric="volatility"] .tag')).to_have_text("Within")


def test_the_own_holdings_are_weighed_and_simulated(trader: Visitor) -> None:
    analyses(trader, "mode=portfolio")
    held = trader.page.locator("[data-contributions] tbody tr")
    expect(held.first).to_be_visible()
    trader.photographs("analysis-portfolio", document="analysis-portfolio")
    shares = [float(text.strip("% ").replace("−", "-")) for text in held.locator("td:nth-child(3)").all_inner_texts()]
    assert sum(shares) == pytest.approx(100, abs=0.1 * len(shares))
    trader.page.get_by_label("Simulations").fill("2000")
    trader.presses("Simulate")
    trader.sees("2,000 paths of your holdings", "[data-outcome]")
    trader.page.locator("[data-statistics]").scroll_into_view_if_needed()
    trader.photographs("simulation", document="simulation")


def test_a_ticker_that_is_not_known_and_a_window_out_of_range_say_so(trader: Visitor) -> None:
    trader.goes_to("/user/stock_analysis?tickers=AAPLE")
    trader.sees("AAPLE", "[data-problem]")
    trader.troubles.clear()  # the browser notes the 404 that was asked for
    trader.presses("AAPL")
    expect(trader.page.locator("[data-results]")).to_be_visible(timeout=PATIENCE)
    trader.page.get_by_label("Rolling days").fill("1")
    trader.presses("Analyse")
    trader.sees("Rolling days", "[data-problem]")
    trader.troubles.clear()
