"""The admin panel in a browser that runs no scripts: plain forms do the same, and say what was wrong on their page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from made_up_venue import enters, launch, open_made_up_venue
from visitor import find_chromium

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """An admin's page without scripts."""
    find_chromium()
    with open_made_up_venue(tmp_path_factory.mktemp("plain")) as venue, sync_playwright() as playwright:
        yield enters(launch(playwright), venue, "admin", scripts=False).new_page()


def test_a_trader_is_made_after_a_mistake(page: Page) -> None:
    page.goto("/admin/user_management/new")
    page.get_by_label("User name").fill("Zoë")
    page.get_by_label("E-mail").fill("nowhere")
    page.get_by_role("button", name="Add").click()
    expect(page).to_have_title("Add a trader · Stock Trading")
    expect(page.locator("#user_email-errors")).to_contain_text("must be an e-mail address")
    expect(page.get_by_label("User name")).to_have_value("Zoë")
    page.get_by_label("E-mail").fill("zoe@example.com")
    page.get_by_role("button", name="Add").click()
    expect(page.locator("main input[value*='/auth/set-password/']")).to_be_visible()


def test_a_setting_is_saved_after_a_mistake(page: Page) -> None:
    page.goto("/admin/settings")
    field = page.locator("[name=starting_balance]")
    form = page.locator("form", has=field)
    field.fill("a lot")
    form.get_by_role("button").click()
    expect(page.locator("#starting_balance-errors")).not_to_be_empty()
    expect(field).to_have_value("a lot")
    field.fill("2500")
    form.get_by_role("button").click()
    expect(page.locator("#starting_balance-errors")).to_be_empty()
    expect(page.locator("[name=starting_balance]")).to_have_value("2500")


def test_a_request_is_rejected_with_a_reason(page: Page) -> None:
    page.goto("/admin/deposits")
    all_chosen = ":not([action='/admin/fund-transactions/reject'])"
    first = page.locator(f"form[action$='/reject']{all_chosen}", has=page.locator("[name=reason]")).first
    action = first.get_attribute("action")
    form = page.locator(f"form[action='{action}']")
    form.locator("[name=reason]").fill("   ")
    form.get_by_role("button").click()
    expect(page.locator("main [role=alert]")).to_contain_text("Reason")
    form.locator("[name=reason]").fill("The bank sent it back")
    form.get_by_role("button").click()
    expect(page.locator("main")).to_contain_text("rejected")
    expect(form).to_have_count(0)
