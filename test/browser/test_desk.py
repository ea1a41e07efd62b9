"""The desk in a browser: orders on the chart, the keyboard, and news in every tab without a reload."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from made_up_venue import MadeUpVenue, enters, launch, open_made_up_venue
from visitor import PATIENCE, find_chromium

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

DESK = "/user/stock_chart?ticker=AAPL&period=3mo"
DIALOG = "dialog[open]:not([popover])"
# Where on the screen the chart shows a price.
HEIGHT_OF = """
async (level) => {
  const script = document.querySelector("script[src*='user/stock_chart.js']").src;
  const { candles, box } = await import(script.replace("stock_chart.js", "desk/chart.js"));
  return box.getBoundingClientRect().top + candles.priceToCoordinate(level);
}
"""


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeUpVenue]:
    find_chromium()
    with open_made_up_venue(tmp_path_factory.mktemp("desk")) as venue:
        yield venue


@pytest.fixture(scope="module")
def trader(venue: MadeUpVenue) -> Iterator[BrowserContext]:
    with sync_playwright() as playwright:
        yield enters(launch(playwright), venue, "trader")


@pytest.fixture
def desk(trader: BrowserContext) -> Iterator[Page]:
    page = opened(trader)
    yield page
    page.close()


def opened(trader: BrowserContext) -> Page:
    page = trader.new_page()
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(DESK)
    chart = page.locator("[data-chart]")
    expect(chart).to_have_attribute("aria-label", re.compile(" last "), timeout=PATIENCE)
    expect(page.locator("#panel-orders")).not_to_contain_text("Loading", timeout=PATIENCE)
    return page


def reads(page: Page, path: str) -> dict[str, Any]:
    answer: dict[str, Any] = page.evaluate("(path) => fetch(path).then((answer) => answer.json())", path)
    return answer


def places_limit(page: Page, part_of_price: float) -> None:
    """A limit order to buy one share, far below the price, without a question before it."""
    price = reads(page, "/user/api/real_time_stock_data?ticker=AAPL")["data"]["price"]
    page.keyboard.press("b")
    page.locator("#execution-type").select_option("limit")
    page.locator("#quantity").fill("1")
    page.locator("#limit-price").fill(f"{price * part_of_price:.2f}")
    page.keyboard.press("Enter")


def newest_order(page: Page) -> dict[str, Any]:
    orders: list[dict[str, Any]] = reads(page, "/user/api/orders?status=open&ticker=AAPL")["orders"]
    return max(orders, key=lambda order: order["order_id"])


def test_a_line_that_is_dragged_changes_the_order_after_a_question(desk: Page) -> None:
    places_limit(desk, 0.95)
    desk.locator(f"{DIALOG} [data-confirm]").click()
    expect(desk.locator("[data-ticket-result]")).to_be_visible(timeout=PATIENCE)
    order = newest_order(desk)
    expect(desk.get_by_role("button", name=f"Cancel order {order['order_id']}", exact=True)).to_be_visible(
        timeout=PATIENCE
    )
    drag(desk, order["order_price"], by=12)
    dialog = desk.locator(DIALOG)
    expect(dialog).to_contain_text(f"Change order {order['order_id']}")
    dialog.locator("[data-cancel]").click()
    assert newest_order(desk)["order_price"] == order["order_price"], "Back leaves the order alone"
    drag(desk, order["order_price"], by=12)
    desk.locator(f"{DIALOG} [data-confirm]").click()
    expect(desk.locator(DIALOG)).to_have_count(0, timeout=PATIENCE)
    changed = newest_order(desk)
    assert changed["order_price"] < order["order_price"]
    expect(desk.locator("#panel-orders")).to_contain_text(f"{changed['order_price']:,.2f}", timeout=PATIENCE)


def drag(desk: Page, level: float, by: int) -> None:
    left = desk.locator("[data-chart]").bounding_box()
    assert left is not None
    x, y = left["x"] + 120, desk.evaluate(HEIGHT_OF, level)
    desk.mouse.move(x, y)
    desk.mouse.down()
    desk.mouse.move(x, y + by / 2)
    desk.mouse.move(x, y + by)
    desk.mouse.up()


def test_every_tab_hears_of_an_order_by_itself(trader: BrowserContext, desk: Page) -> None:
    other = opened(trader)
    asked: list[str] = []
    other.on("request", lambda request: asked.append(request.url))
    desk.bring_to_front()
    places_limit(desk, 0.9)
    desk.locator(f"{DIALOG} [data-confirm]").click()
    expect(desk.locator("[data-ticket-result]")).to_be_visible(timeout=PATIENCE)
    cancel = f"Cancel order {newest_order(desk)['order_id']}"
    expect(other.get_by_role("button", name=cancel, exact=True)).to_be_visible(timeout=PATIENCE)
    assert not any(url.endswith("/user/stock_chart") for url in asked), "the page was not loaded again"
    other.close()


def test_prices_move_without_the_page_asking(desk: Page) -> None:
    asked: list[str] = []
    last = desk.locator("[data-quote=price]")
    # What the page asked at its start is answered by the first move.
    expect(last).not_to_have_text(last.inner_text(), timeout=PATIENCE)
    desk.on("request", lambda request: asked.append(request.url))
    for _ in range(2):
        expect(last).not_to_have_text(last.inner_text(), timeout=PATIENCE)
    assert [url for url in asked if "/api/quotes" in url] == []


def test_an_order_is_sent_at_once_where_the_question_was_switched_off_on_another_device(
    venue: MadeUpVenue, trader: BrowserContext, desk: Page
) -> None:
    assert trader.browser is not None
    elsewhere = enters(trader.browser, venue, "trader")
    settings = elsewhere.new_page()
    settings.goto("/user/profile")
    chooses_confirmation(settings, "off")
    desk.reload()
    expect(desk.locator("[data-submit]")).to_contain_text("AAPL", timeout=PATIENCE)
    places_limit(desk, 0.92)
    expect(desk.locator("[data-ticket-result]")).to_be_visible(timeout=PATIENCE)
    expect(desk.locator(DIALOG)).to_have_count(0)
    chooses_confirmation(settings, "")
    elsewhere.close()


def chooses_confirmation(profile: Page, value: str) -> None:
    with profile.expect_response("**/preferences/display") as kept:
        profile.locator("section [data-setting=confirm]").select_option(value)
    assert kept.value.ok


def test_the_keyboard_reaches_everything_that_matters(desk: Page) -> None:
    desk.keyboard.press("?")
    expect(desk.locator(DIALOG)).to_contain_text("Search a stock")
    desk.keyboard.press("Escape")
    expect(desk.locator(DIALOG)).to_have_count(0)
    desk.keyboard.press("1")
    expect(desk.locator("[data-period-button='1d']")).to_have_attribute("aria-pressed", "true")
    desk.keyboard.press("c")
    expect(desk.locator("[data-chart-kind=line]")).to_have_attribute("aria-pressed", "true")
    desk.keyboard.press("c")
    desk.keyboard.press("/")
    desk.keyboard.type("micro")
    expect(desk.locator("[data-stocks] [data-stock]")).to_have_count(1, timeout=PATIENCE)
    desk.keyboard.press("Enter")
    expect(desk.locator("[data-quote=ticker]")).to_have_text("MSFT")
    desk.keyboard.press("s")
    expect(desk.locator("[data-submit]")).to_contain_text("Sell")
    expect(desk.locator("#quantity")).to_be_focused()
