"""A trading day, end to end, in a real browser against the server of `make run` on the replay market."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from config import DOCUMENTED_ADMIN_PASSWORD
from venue_server import ENDS_WITHIN, VenueServer
from visitor import PATIENCE, SWITCHES, Visitor, find_chromium

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

NEW_ADMIN_PASSWORD = "Harbour-lights-42!"
TRADER_PASSWORD = "Quiet-river-17!"
FILLS_WITHIN = 180  # seconds: the falling day and half the next are over by then


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueServer]:
    find_chromium()
    # A day on which AAPL fell from 108 to 100 dollars, at four market minutes a second: it takes 98 seconds.
    venue = VenueServer(
        tmp_path_factory.mktemp("venue"), MARKET_SOURCE="replay", REPLAY_START="2008-10-02", REPLAY_SPEED="240"
    )
    venue.start()
    yield venue
    if venue.runs:
        venue.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=SWITCHES)
        yield chromium
        chromium.close()


def test_a_trading_day(server: VenueServer, browser: Browser) -> None:
    trader = Visitor(browser, server.address, "the trader")
    admin = Visitor(browser, server.address, "the admin")
    try:
        lives_through_the_day(trader, admin)
    except BaseException:
        for visitor in (trader, admin):
            visitor.photographs(f"failed-{visitor.name.replace(' ', '-')}")
        raise
    for visitor in (trader, admin):
        assert visitor.troubles == []
        assert visitor.strangers() == []
        visitor.leaves()

    verdict = server.flask("ledger", "verify")
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    assert server.stop() < ENDS_WITHIN
    again = server.flask("ledger", "verify")
    assert again.returncode == 0, again.stdout + again.stderr


def lives_through_the_day(trader: Visitor, admin: Visitor) -> None:
    registers_and_logs_in(trader)
    asks_for_a_deposit(trader, "100000")
    takes_office(admin)
    approves(admin, "deposits", "+100,000.00")
    sees_the_money(trader)

    looks_at_the_chart(trader)
    buys_at_market(trader, 100)
    limit = leaves_a_limit_order(trader, 50)
    watches_it_fill(trader, limit)
    sees_holdings_and_profit(trader)
    sells_everything(trader, 150)

    asks_for_a_withdrawal(trader, "500")
    rejects(admin, "Not before Friday")
    reads_the_reason(trader, "Not before Friday")
    asks_for_a_withdrawal(trader, "1000")
    approves(admin, "withdrawals", "−1,000.00")
    checks_the_sum(trader, deposits="100000", withdrawals="1000")

    looks_around(trader, admin)
    logs_out(trader)


def registers_and_logs_in(trader: Visitor) -> None:
    trader.goes_to("/")
    trader.page.get_by_role("link", name="Create an account").click()
    trader.fills(
        user_name="Alice",
        user_email="alice@example.com",
        user_password=TRADER_PASSWORD,
        confirm_password=TRADER_PASSWORD,
    )
    trader.photographs("01-register")
    trader.presses("Create account")
    trader.page.wait_for_url("**/auth/login")
    trader.sees("Your account is ready")
    trader.fills(user_name="Alice", user_password=TRADER_PASSWORD)
    trader.presses("Log in")
    trader.page.wait_for_url("**/user/**")


def asks_for_a_deposit(trader: Visitor, amount: str) -> None:
    trader.goes_to("/user/account")
    trader.presses("Deposit")
    trader.fills(amount=amount)
    trader.photographs("02-deposit")
    trader.presses("Ask for the deposit")
    trader.sees("Pending")
    trader.photographs("03-deposit-waits")


def takes_office(admin: Visitor) -> None:
    admin.goes_to("/auth/admin-login")
    admin.fills(username="admin", password=DOCUMENTED_ADMIN_PASSWORD)
    admin.presses("Log in")
    admin.sees("Choose a new password")
    admin.photographs("04-admin-must-change-password")
    admin.fills(
        current_password=DOCUMENTED_ADMIN_PASSWORD,
        new_password=NEW_ADMIN_PASSWORD,
        confirm_password=NEW_ADMIN_PASSWORD,
    )
    admin.presses("Change password")
    admin.page.wait_for_url("**/admin/**")
    admin.goes_to("/admin/")
    admin.photographs("05-admin-dashboard")


def approves(admin: Visitor, page: str, amount: str) -> None:
    admin.goes_to(f"/admin/{page}")
    row = admin.page.get_by_role("row").filter(has_text=amount)
    admin.photographs(f"06-{page}", document="admin-deposits" if page == "deposits" else "")
    row.get_by_role("button", name=re.compile("Approve")).click()
    expect(row).to_have_count(0, timeout=PATIENCE)


def rejects(admin: Visitor, reason: str) -> None:
    admin.goes_to("/admin/withdrawals")
    admin.page.get_by_role("button", name=re.compile("^Reject withdrawal")).click()
    admin.page.locator("dialog[open] textarea").fill(reason)
    admin.photographs("12-admin-rejects")
    admin.confirms()
    admin.sees("No withdrawal waits")


def sees_the_money(trader: Visitor) -> None:
    """The account page keeps itself true: no reload."""
    trader.sees("Approved")
    trader.sees("100,000.00", within=".balances")


def looks_at_the_chart(trader: Visitor) -> None:
    trader.goes_to("/user/stock_chart?ticker=AAPL&period=6mo")
    expect(trader.page.locator("[data-chart]")).to_have_attribute(
        "aria-label", re.compile("Price chart of AAPL, 6mo, from .* last "), timeout=PATIENCE
    )
    expect(trader.page.locator("[data-chart-state]")).to_be_empty()
    assert colours_drawn(trader) > 5, "the chart is empty"
    expect(trader.page.locator("[data-quote=ask]")).to_have_text(re.compile(r"\d"), timeout=PATIENCE)
    trader.photographs("07-trading-desk")


def colours_drawn(visitor: Visitor) -> int:
    """How many different colours the chart's canvases hold: a drawn one has many, an empty one a single."""
    script = """() => {
      const colours = new Set();
      for (const canvas of document.querySelectorAll("[data-chart] canvas")) {
        if (!canvas.width || !canvas.height) continue;
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        for (let at = 0; at < data.length; at += 4) colours.add((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
      }
      return colours.size;
    }"""
    return int(visitor.page.evaluate(script))


def sends_ticket(trader: Visitor, side: str, quantity: int, price: Decimal | None = None) -> None:
    page = trader.page
    page.locator(f"label[for=side-{side}]").click()
    page.locator("#execution-type").select_option("market" if price is None else "limit")
    page.locator("#quantity").fill(str(quantity))
    if price is not None:
        page.locator("#limit-price").fill(str(price))
    page.locator("[data-submit]").click()
    trader.photographs(f"08-ticket-{side}-{'market' if price is None else 'limit'}")
    trader.confirms()
    expect(page.locator("[data-ticket-result]")).to_be_visible(timeout=PATIENCE)


def buys_at_market(trader: Visitor, quantity: int) -> None:
    sends_ticket(trader, "buy", quantity)
    holding = waits_for_holding(trader, quantity)
    assert holding["ticker"] == "AAPL"
    fill = trader.reads("/user/api/transactions")["transactions"][0]
    assert Decimal(str(fill["transaction_price"])) > 0


def leaves_a_limit_order(trader: Visitor, quantity: int) -> Decimal:
    ask = Decimal(str(trader.reads("/user/api/real_time_stock_data?ticker=AAPL")["data"]["ask"]))
    limit = (ask * Decimal("0.99")).quantize(Decimal("0.01"))
    sends_ticket(trader, "buy", quantity, limit)
    expect(trader.page.locator("#panel-orders")).to_contain_text(f"{limit:,.2f}", timeout=PATIENCE)
    (order,) = trader.reads("/user/api/orders?status=open")["orders"]
    assert order["order_status"] == "pending"
    trader.page.mouse.move(0, 0)
    trader.photographs("09-limit-order-rests", document="trading-desk")
    return limit


def watches_it_fill(trader: Visitor, limit: Decimal) -> None:
    """Nobody does anything: the order processor fills it when the price gets there."""
    panel = trader.page.locator("#panel-orders")
    expect(panel).to_contain_text("No order is waiting", timeout=FILLS_WITHIN * 1000)
    fill = trader.reads("/user/api/transactions")["transactions"][0]
    assert Decimal(str(fill["transaction_price"])) <= limit
    trader.page.get_by_role("tab", name="Fills").click()
    expect(trader.page.locator("#panel-fills tbody tr")).to_have_count(2, timeout=PATIENCE)
    trader.photographs("10-limit-order-filled")


def sees_holdings_and_profit(trader: Visitor) -> None:
    account = trader.reads("/user/api/account")["data"]
    (holding,) = account["holdings"]
    fills = trader.reads("/user/api/transactions")["transactions"]
    cost = sum(Decimal(str(fill["transaction_amount"])) for fill in fills)
    assert holding["quantity"] == 150
    assert Decimal(str(holding["total_cost"])) == cost
    profit = Decimal(str(holding["market_value"])) - cost
    assert Decimal(str(holding["unrealised_profit"])) == profit
    assert Decimal(str(account["available_balance"])) == 100_000 - cost
    trader.goes_to("/user/account")
    trader.sees(f"{cost:,.2f}", within="[data-live=holdings]")
    trader.photographs("11-account")


def sells_everything(trader: Visitor, quantity: int) -> None:
    trader.goes_to("/user/stock_chart?ticker=AAPL")
    expect(trader.page.locator("[data-holding]")).to_contain_text("150", timeout=PATIENCE)
    sends_ticket(trader, "sell", quantity)
    waits_for_holding(trader, 0)
    sale = trader.reads("/user/api/transactions")["transactions"][0]
    assert (sale["transaction_type"], sale["transaction_quantity"]) == ("sell", quantity)


def waits_for_holding(trader: Visitor, quantity: int) -> dict[str, Any]:
    """Wait until the trader holds so many shares of AAPL. A market order placed at the bell waits for the next day."""
    deadline = time.monotonic() + FILLS_WITHIN
    while time.monotonic() < deadline:
        holdings = trader.reads("/user/api/account")["data"]["holdings"]
        held = next((one for one in holdings if one["ticker"] == "AAPL"), {"quantity": 0})
        if held["quantity"] == quantity:
            return dict(held)
        time.sleep(0.3)
    raise AssertionError(f"the trader never held {quantity} shares: {held}")


def asks_for_a_withdrawal(trader: Visitor, amount: str) -> None:
    trader.goes_to("/user/account")
    trader.presses("Withdraw")
    trader.fills(amount=amount)
    trader.presses("Ask for the withdrawal")
    trader.sees("Pending")
    account = trader.reads("/user/api/account")["data"]
    assert Decimal(str(account["frozen_balance"])) == Decimal(amount)


def reads_the_reason(trader: Visitor, reason: str) -> None:
    trader.sees(reason)
    trader.photographs("13-withdrawal-rejected")
    assert trader.reads("/user/api/account")["data"]["frozen_balance"] == 0


def checks_the_sum(trader: Visitor, deposits: str, withdrawals: str) -> None:
    """What is left is what came in, less what went out, plus what the trades brought."""
    account = trader.reads("/user/api/account")["data"]
    fills = trader.reads("/user/api/transactions")["transactions"]
    signs = {"buy": -1, "sell": 1}
    traded = sum(Decimal(str(fill["transaction_amount"])) * signs[fill["transaction_type"]] for fill in fills)
    assert len(fills) == 3
    assert Decimal(str(account["total_balance"])) == Decimal(deposits) - Decimal(withdrawals) + traded
    assert Decimal(str(account["realised_profit"])) == traded
    trader.sees(f"{Decimal(deposits) - Decimal(withdrawals) + traded:,.2f}", within=".balances")
    trader.photographs("14-account-at-the-end")


def looks_around(trader: Visitor, admin: Visitor) -> None:
    """The pages that the story has not opened show up whole too."""
    for path in ("/about", "/privacy"):
        trader.goes_to(path)
    for path in ("/admin/", "/admin/orders", "/admin/deposits?status=any", "/admin/withdrawals?status=any"):
        admin.goes_to(path)
        admin.sees("Alice")
    admin.goes_to("/admin/orders")
    admin.photographs("15-admin-orders")


def logs_out(trader: Visitor) -> None:
    trader.goes_to("/auth/logout")
    trader.presses("Log out")
    trader.page.wait_for_url(re.compile("/auth/login"))
    trader.goes_to("/user/account")
    trader.page.wait_for_url(re.compile("/auth/login"))
