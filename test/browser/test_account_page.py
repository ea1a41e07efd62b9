"""The account page in a browser: its lists, selling from a row, and nothing that needs a reload. On a phone, a line of
the desk's chart under a finger.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from made_up_venue import MadeUpVenue, enters, launch, open_made_up_venue
from visitor import PATIENCE, find_chromium

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

DIALOG = "dialog[open]:not([popover])"
ROWS = "[data-live=history] tbody tr"


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeUpVenue]:
    find_chromium()
    with open_made_up_venue(tmp_path_factory.mktemp("account")) as venue:
        yield venue


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield launch(playwright)


@pytest.fixture(scope="module")
def trader(browser: Browser, venue: MadeUpVenue) -> BrowserContext:
    return enters(browser, venue, "trader")


@pytest.fixture
def account(trader: BrowserContext) -> Iterator[Page]:
    """The page, which must never be loaded again."""
    page = trader.new_page()
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto("/user/account")
    page.evaluate("window.stays = true")
    yield page
    assert page.evaluate("window.stays"), "the page was loaded again"
    page.close()


def reads(page: Page, path: str) -> dict[str, Any]:
    answer: dict[str, Any] = page.evaluate("(path) => fetch(path).then((answer) => answer.json())", path)
    return answer


def cells(page: Page, label: str) -> list[str]:
    return page.locator(f"{ROWS} [data-label='{label}']").all_inner_texts()


def test_filters_choose_rows_and_stand_in_the_address(account: Page) -> None:
    account.locator("[data-list-filters] [name=status]").select_option("filled")
    expect(account).to_have_url(re.compile("status=filled"))
    expect(account.locator(ROWS).filter(has_not_text="Filled")).to_have_count(0, timeout=PATIENCE)
    account.locator("[data-list-filters] [name=ticker]").fill("msft")
    account.keyboard.press("Enter")
    expect(account.locator(ROWS).filter(has_not_text="MSFT")).to_have_count(0, timeout=PATIENCE)
    assert set(cells(account, "Ticker")) == {"MSFT"}
    account.go_back()
    expect(account.locator(ROWS).filter(has_not_text="MSFT")).not_to_have_count(0, timeout=PATIENCE)
    expect(account.locator("[data-list-filters] [name=ticker]")).to_have_value("")


def test_a_list_is_sorted_by_its_heads_and_turned_page_by_page(account: Page) -> None:
    wanted = reads(account, "/user/api/orders?sort=-order_quantity&limit=25")
    assert wanted["pagination"]["pages"] > 1
    head = account.locator("[data-live=history] thead a").filter(has_text="Shares")
    head.click()
    for _ in range(2):  # up first, or down: a second press turns it
        if re.search("sort=-order_quantity", account.url):
            break
        expect(account).to_have_url(re.compile("sort=order_quantity"))
        head.click()
        expect(account).to_have_url(re.compile("sort=-order_quantity"))
    first = [f"{order['order_quantity']:,}" for order in wanted["orders"]]
    expect(account.locator(f"{ROWS} [data-label=Shares]").first).to_have_text(first[0], timeout=PATIENCE)
    assert cells(account, "Shares") == first
    account.get_by_role("link", name=re.compile("^Next")).click()
    expect(account).to_have_url(re.compile("page=2"))
    second = reads(account, "/user/api/orders?sort=-order_quantity&limit=25&page=2")["orders"]
    number = account.locator(f"{ROWS} [data-label=Order]").first
    expect(number).to_contain_text(str(second[0]["order_id"]), timeout=PATIENCE)


def test_a_holding_is_sold_from_its_row_after_a_question(account: Page) -> None:
    holding = next(one for one in reads(account, "/user/api/account")["data"]["holdings"] if one["free_quantity"] > 1)
    row = account.locator(f"[data-row='holding-{holding['ticker']}']")
    row.get_by_role("link", name=f"Sell {holding['ticker']}").click()
    dialog = account.locator(DIALOG)
    expect(dialog).to_contain_text(f"Sell {holding['ticker']} at market")
    quantity = dialog.locator("input[name=quantity]")
    expect(quantity).to_have_value(str(holding["free_quantity"]))
    quantity.fill(str(holding["quantity"] + 1))
    dialog.locator("[data-confirm]").click()
    expect(dialog.locator("[data-problem]")).to_contain_text(
        f"{holding['free_quantity']} free shares", timeout=PATIENCE
    )
    quantity.fill("1")
    dialog.locator("[data-confirm]").click()
    expect(dialog).to_have_count(0, timeout=PATIENCE)
    (newest,) = reads(account, "/user/api/orders?limit=1")["orders"]
    assert (newest["order_type"], newest["order_quantity"]) == ("sell", 1)
    expect(account.locator("#toasts")).to_contain_text(holding["ticker"])
    expect(account.locator(ROWS).first).to_contain_text(str(newest["order_id"]), timeout=PATIENCE)
    left = f"{holding['free_quantity'] - 1:,}"
    expect(row.locator("[data-label=Free]")).to_have_text(left, timeout=PATIENCE)


def test_a_deposit_shows_at_once_and_its_approval_too(account: Page, browser: Browser, venue: MadeUpVenue) -> None:
    account.get_by_role("button", name="Deposit", exact=True).click()
    account.locator("input[name=amount]:visible").fill("1,234.56")
    account.get_by_role("button", name="Ask for the deposit").click()
    latest = account.locator("[data-live]").filter(has_text="1,234.56").first
    expect(latest).to_contain_text("Pending", timeout=PATIENCE)
    before = reads(account, "/user/api/account")["data"]["available_balance"]
    office = enters(browser, venue, "admin")
    desk = office.new_page()
    desk.goto("/admin/deposits")
    row = desk.get_by_role("row").filter(has_text="1,234.56")
    row.get_by_role("button", name=re.compile("Approve")).click()
    expect(row).to_have_count(0, timeout=PATIENCE)
    expect(account.locator(".balances")).to_contain_text(f"{before + 1234.56:,.2f}", timeout=PATIENCE)
    office.close()


def test_a_finger_drags_a_resting_order_on_a_phone(browser: Browser, venue: MadeUpVenue) -> None:
    phone = enters(browser, venue, "trader", touch=True)
    page = phone.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/user/stock_chart?ticker=AAPL&period=3mo")
    expect(page.locator("[data-chart]")).to_have_attribute("aria-label", re.compile(" last "), timeout=PATIENCE)
    order = leaves_order(page)
    expect(page.get_by_role("button", name=f"Cancel order {order['order_id']}", exact=True)).to_be_attached(
        timeout=PATIENCE
    )
    page.evaluate("scrollTo(0, 0)")
    drag(page, order["order_price"], by=24)
    dialog = page.locator(DIALOG)
    expect(dialog).to_contain_text(f"Change order {order['order_id']}", timeout=PATIENCE)
    assert page.evaluate("scrollY") == 0, "the finger moved the line, not the page"
    dialog.locator("[data-confirm]").click()
    expect(dialog).to_have_count(0, timeout=PATIENCE)
    changed = reads(page, f"/user/api/orders/{order['order_id']}")["order"]
    assert changed["order_price"] < order["order_price"]
    phone.close()


def leaves_order(page: Page) -> dict[str, Any]:
    """A limit order to buy one share a little below the price, placed as the page's scripts would."""
    price = reads(page, "/user/api/real_time_stock_data?ticker=AAPL")["data"]["price"]
    answer: dict[str, Any] = page.evaluate(
        """async (price) => {
          const headers = {
            "Content-Type": "application/json", Accept: "application/json",
            "X-CSRFToken": document.querySelector("meta[name=csrf-token]").content,
          };
          const order = { ticker: "AAPL", order_type: "buy", execution_type: "limit", quantity: 1, price };
          const options = { method: "POST", headers, body: JSON.stringify(order) };
          return (await fetch("/user/api/create_order", options)).json();
        }""",
        f"{price * 0.93:.2f}",
    )
    assert answer["success"], answer
    return dict(reads(page, f"/user/api/orders/{answer['order_id']}")["order"])


def drag(page: Page, level: float, by: int) -> None:
    """One finger: down on the line, over the chart, and up."""
    x, y = page.evaluate(
        """async (level) => {
          const script = document.querySelector("script[src*='user/stock_chart.js']").src;
          const { candles, box } = await import(script.replace("stock_chart.js", "desk/chart.js"));
          const { left, top } = box.getBoundingClientRect();
          return [left + 90, top + candles.priceToCoordinate(level)];
        }""",
        level,
    )
    finger = page.context.new_cdp_session(page)
    for kind, moved in (("touchStart", 0), ("touchMove", by / 3), ("touchMove", by), ("touchEnd", None)):
        points = [] if moved is None else [{"x": x, "y": y + moved}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
