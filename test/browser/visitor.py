"""Somebody at a browser: opens pages, presses buttons, and notes whatever goes wrong on the way."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Locator, Page, expect

from databases import ROOT, give_up

RESULTS = ROOT / "test-results"
DOCUMENTS = ROOT / "docs" / "images"
RENEWS_DOCUMENTS = os.environ.get("DOCS_IMAGES", "") == "1"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
SWITCHES = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE = 20_000  # milliseconds; a busy machine is slow, not wrong


def find_chromium() -> str:
    """The path of the system's Chromium. Skips the test where there is none; under CI fails it."""
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if found is None:
        give_up("there is no Chromium on the PATH")
    assert found
    return found


class Visitor:
    """One person with a browser profile of their own. `troubles` lists what went wrong, `requests` what was fetched."""

    def __init__(self, browser: Browser, address: str, name: str) -> None:
        self.name = name
        self.address = address
        self.troubles: list[str] = []
        self.requests: list[str] = []
        self._context: BrowserContext = browser.new_context(
            base_url=address, viewport={"width": 1440, "height": 900}, locale="en-US", color_scheme="light"
        )
        self._context.set_default_timeout(PATIENCE)
        self.page: Page = self._context.new_page()
        self.page.on("console", self._note_console)
        self.page.on("pageerror", self._note_error)
        self.page.on("request", lambda request: self.requests.append(request.url))

    def goes_to(self, path: str) -> None:
        answer = self.page.goto(path)
        assert answer, path
        assert answer.ok, f"{path} answered {answer.status}"

    def fills(self, **fields: str) -> None:
        """Fill form fields by their names."""
        for name, text in fields.items():
            self.page.locator(f"input[name={name}]:visible").fill(text)

    def presses(self, label: str, within: Locator | None = None) -> None:
        (within or self.page).get_by_role("button", name=label, exact=True).click()

    def confirms(self) -> None:
        """Say yes in the open dialog, and wait until it is done."""
        dialog = self.page.locator("dialog[open]:not([popover])")
        dialog.locator("[data-confirm]").click()
        expect(dialog).to_have_count(0, timeout=PATIENCE)

    def sees(self, text: str | re.Pattern[str], within: str = "body") -> None:
        expect(self.page.locator(within)).to_contain_text(text, timeout=PATIENCE)

    def reads(self, path: str) -> dict[str, Any]:
        """What the page's own scripts would be answered."""
        answer = self._context.request.get(path)
        assert answer.ok, f"{path} answered {answer.status}: {answer.text()[:300]}"
        body: dict[str, Any] = answer.json()
        return body

    def photographs(self, name: str, document: str = "") -> None:
        """Keep a picture in test-results/; when asked for, as `document` in docs/images/ too."""
        RESULTS.mkdir(exist_ok=True)
        picture = RESULTS / f"{name}.png"
        self.page.screenshot(path=picture, animations="disabled")
        if document and RENEWS_DOCUMENTS:
            shutil.copyfile(picture, Path(DOCUMENTS / f"{document}.png"))

    def strangers(self) -> list[str]:
        """Addresses outside the venue that a page asked for."""
        own = urlsplit(self.address).netloc
        return [url for url in self.requests if urlsplit(url).scheme != "data" and urlsplit(url).netloc != own]

    def leaves(self) -> None:
        self._context.close()

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.troubles.append(f"{self.name} at {self.page.url}: {message.text}")

    def _note_error(self, error: Error) -> None:
        self.troubles.append(f"{self.name} at {self.page.url}: {error}")
