"""The assistant's page in a real browser against the Gemini stand-in: an answer, Stop, a proposal, a report, no key."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect, sync_playwright

from standins.gemini import GeminiStandIn, asks_first, calls, says
from venue_server import VenueServer
from visitor import PATIENCE, SWITCHES, Visitor, find_chromium

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

PASSWORD = "Quiet-river-17!"
SIZES = ((1440, 900), (768, 1024), (390, 844))
ANSWER = (
    "AAPL stands at **{last}**, {change} against the close before.\n\n"
    "| Figure | AAPL |\n|---|---|\n| Last | {last} |\n| Previous close | {previous_close} |\n\n"
    "Some expect $250 by the end of the year."
)


@pytest.fixture(scope="module")
def gemini() -> Iterator[GeminiStandIn]:
    with GeminiStandIn() as server:
        yield server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, gemini: GeminiStandIn) -> Iterator[VenueServer]:
    find_chromium()
    folder = tmp_path_factory.mktemp("venue")
    venue = VenueServer(folder, MARKET_SOURCE="replay", GEMINI_API_KEY="none", GEMINI_API_ENDPOINT=gemini.url)
    venue.start()
    made = venue.flask("demo", "fill", "--users", "2", "--orders", "60", "--password", PASSWORD)
    assert made.returncode == 0, made.stdout + made.stderr
    yield venue
    venue.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=SWITCHES)
        yield chromium
        chromium.close()


@pytest.fixture
def trader(server: VenueServer, browser: Browser) -> Iterator[Visitor]:
    visitor = Visitor(browser, server.address, "the trader")
    logs_in(visitor, server)
    yield visitor
    assert visitor.troubles == []
    assert visitor.strangers() == []
    visitor.leaves()


def logs_in(visitor: Visitor, server: VenueServer) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(server.instance / "stock_data_v1.db")) as database:
        query = "SELECT user_name FROM user JOIN portfolio USING (user_id) WHERE quantity > 0 ORDER BY user_id"
        (name,) = database.execute(query).fetchone()
    visitor.goes_to("/auth/login")
    visitor.fills(user_name=name, user_password=PASSWORD)
    visitor.presses("Log in")
    visitor.page.wait_for_url("**/user/**")


def asks(trader: Visitor, text: str) -> None:
    trader.goes_to("/user/ai_assistant")
    trader.page.get_by_label("Your message").fill(text)
    trader.presses("Send")


# The page may still make room after it became wider or narrower, so what is shown is scrolled to until it is there.
IS_IN_SIGHT = """it => {
    it.scrollIntoView({block: 'center', behavior: 'instant'});
    const box = it.getBoundingClientRect();
    const there = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return there !== null && (it.contains(there) || there.contains(it));
}"""


def pictures(trader: Visitor, name: str, shown: Locator, document: str = "") -> None:
    """At each width and in both themes; nothing may lie over what is shown once it is scrolled to."""
    page = trader.page
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for theme in ("light", "dark"):
            page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
            page.wait_for_function(IS_IN_SIGHT, arg=shown.element_handle(), timeout=PATIENCE)
            is_for_document = (width, theme) == (1440, "light")
            trader.photographs(f"{name}-{width}-{theme}", document=document if is_for_document else "")


def test_an_answer_comes_with_its_sources_and_an_invented_figure_is_marked(
    trader: Visitor, gemini: GeminiStandIn
) -> None:
    def told(results: list[dict[str, object]]) -> str:
        quote = results[0]["response"]["data"]["quotes"][0]  # type: ignore[index]
        return ANSWER.format_map(quote)

    gemini.reply = asks_first(calls("get_quote", tickers=["AAPL"]), then=told)
    asks(trader, "How is AAPL doing today?")
    trader.sees("Quote of AAPL", "[data-messages]")
    expect(trader.page.locator("[data-messages] mark", has_text="$250")).to_be_visible(timeout=PATIENCE)
    expect(trader.page.locator("[data-messages] td", has_text=re.compile(r"\d"))).to_have_count(2)
    pictures(trader, "assistant-answer", trader.page.locator("[data-messages] table"), document="assistant")


def test_stop_ends_an_answer_midway_and_the_next_question_is_answered(trader: Visitor, gemini: GeminiStandIn) -> None:
    gemini.reply = says("one two three four five six seven")
    gemini.pause.clear()
    asks(trader, "Count.")
    trader.presses("Stop")
    expect(trader.page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    gemini.pause.set()
    gemini.reply = says("Here I am.")
    trader.page.get_by_label("Your message").fill("Are you there?")
    trader.presses("Send")
    trader.sees("Here I am.", "[data-messages]")
    expect(trader.page.locator("[data-messages]")).not_to_contain_text("seven")


def test_a_proposal_is_confirmed_on_its_card_and_is_then_an_order(trader: Visitor, gemini: GeminiStandIn) -> None:
    draft = calls("draft_order", ticker="AAPL", order_type="buy", execution_type="limit", quantity=2, price=150)
    gemini.reply = asks_first(draft, then="I drafted it. Confirm it on the card if it is what you want.")
    before = trader.reads("/user/api/account")["data"]["available_balance"]
    asks(trader, "Buy 2 AAPL at 150.")
    button = trader.page.get_by_role("button", name="Confirm: Buy 2 AAPL")
    expect(button).to_be_visible(timeout=PATIENCE)
    assert trader.reads("/user/api/account")["data"]["available_balance"] == before
    pictures(trader, "assistant-proposal", button, document="assistant-proposal")
    button.click()
    link = trader.page.get_by_role("link", name=re.compile(r"^Order \d+$"))
    expect(link).to_be_visible(timeout=PATIENCE)
    expect(button).to_have_count(0)
    assert before - trader.reads("/user/api/account")["data"]["available_balance"] == pytest.approx(300)
    link.click()
    trader.sees("AAPL", "main")
    trader.sees("150", "main")
    trader.page.go_back()
    trader.page.reload()
    trader.sees("Confirmed.", "[data-messages]")
    expect(button).to_have_count(0)


def test_a_report_is_written_on_the_analysis_page_and_downloaded(trader: Visitor, gemini: GeminiStandIn) -> None:
    gemini.reply = says("#### AAPL\n\nLevel as the page says. **Volatility** is flagged; an invented 77.77 is marked.")
    trader.goes_to("/user/stock_analysis?tickers=AAPL")
    expect(trader.page.locator("[data-results]")).to_be_visible(timeout=PATIENCE)
    trader.page.locator("[data-report-write]").click()
    file = trader.page.locator("[data-report-file]")
    expect(file).to_be_visible(timeout=PATIENCE)
    expect(trader.page.locator("[data-report-text] mark").first).to_have_text("77.77")
    pictures(trader, "assistant-report", trader.page.locator("[data-report-text]"))
    with trader.page.expect_download() as download:
        file.click()
    with open(download.value.path(), encoding="utf-8") as written:
        assert "77.77 [not from this system's data]" in written.read()


def test_without_a_key_the_page_says_so_and_commands_work(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    venue = VenueServer(tmp_path_factory.mktemp("no-key"), MARKET_SOURCE="replay")
    venue.start()
    try:
        made = venue.flask("demo", "fill", "--users", "2", "--orders", "20", "--password", PASSWORD)
        assert made.returncode == 0, made.stdout + made.stderr
        visitor = Visitor(browser, venue.address, "the trader")
        logs_in(visitor, venue)
        asks(visitor, "/quote AAPL")
        visitor.sees("Quote of AAPL", "[data-messages]")
        visitor.sees("GEMINI_API_KEY")
        pictures(visitor, "assistant-no-key", visitor.page.locator("[data-messages]").locator("> *").last,
                 document="assistant-no-key")  # fmt: skip
        assert visitor.troubles == []
        visitor.leaves()
    finally:
        venue.stop()
