"""Every page at three widths in two themes: readable by everybody, nothing beside the screen, no error, no stranger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from databases import ROOT, give_up
from made_up_venue import MadeUpVenue, enters, launch, open_made_up_venue, shows
from page_list import PAGES, THEMES, PageShown
from visitor import find_chromium

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")
TOUCH = 44  # pixels
# What a finger must hit: everything that can be pressed, but links inside sentences and what is hidden from sight.
SMALL_TARGETS = """
(least) => [...document.querySelectorAll("button, summary, select, input, a.btn, nav a, [role=tab]")]
  .filter((node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
  .filter((node) => !node.closest(".visually-hidden, .skip-link, [inert], footer"))
  .filter((node) => !["hidden", "radio", "checkbox"].includes(node.type))
  .filter((node) => {
    const { width, height } = node.getBoundingClientRect();
    return width > 2 && height > 2 && height < least - 0.5;
  })
  .map((node) => `${node.tagName}.${node.className} "${node.textContent.trim().slice(0, 20)}"`)
"""
TOO_WIDE = """
() => document.documentElement.scrollWidth > innerWidth
  ? [...document.querySelectorAll("body *")].filter((node) => node.getBoundingClientRect().right > innerWidth + 1)
      .slice(0, 5).map((node) => `${node.tagName.toLowerCase()}.${node.className}`).concat(["too wide"])
  : []
"""


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeUpVenue]:
    find_chromium()
    if not AXE.is_file():
        give_up("axe-core is not installed: run `flask assets --force`")
    with open_made_up_venue(tmp_path_factory.mktemp("pages")) as venue:
        yield venue


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield launch(playwright)


@pytest.fixture(scope="module")
def contexts(browser: Browser, venue: MadeUpVenue) -> dict[tuple[str, bool], BrowserContext]:
    """One browser profile for each kind of visitor, with a mouse and with a screen that is touched."""
    return {
        (who, touch): enters(browser, venue, who, touch=touch)
        for who in ("visitor", "trader", "admin")
        for touch in (False, True)
    }


@pytest.mark.parametrize("shown", PAGES, ids=lambda shown: shown.name)
def test_a_page_is_whole(
    shown: PageShown, venue: MadeUpVenue, contexts: dict[tuple[str, bool], BrowserContext]
) -> None:
    troubles: list[str] = []
    for width in shown.widths:
        page = contexts[shown.who, width == "phone"].new_page()
        said: list[str] = []
        listen_to(page, venue, said)
        shows(page, venue, shown, width, THEMES[0])
        found = page.evaluate(TOO_WIDE)
        found += [f"too small: {target}" for target in page.evaluate(SMALL_TARGETS, TOUCH) if width == "phone"]
        page.emulate_media(color_scheme="dark")
        # Before axe comes: what it does to the page itself is not asked about.
        found += [text for text in said if f"status of {shown.status} " not in text]
        found += [f"{theme}: {fault}" for theme in reversed(THEMES) for fault in faults_by_axe(page, theme)]
        troubles += [f"{width}: {trouble}" for trouble in found]
        page.close()
    assert not troubles, "\n".join(troubles)


def listen_to(page: Page, venue: MadeUpVenue, said: list[str]) -> None:
    """Note errors, what the console says, and requests that leave the host."""
    page.on("pageerror", lambda error: said.append(f"error: {error}"))
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("request", lambda request: said.extend(strangers(venue, request.url)))


def strangers(venue: MadeUpVenue, url: str) -> list[str]:
    parts = urlsplit(url)
    own = parts.scheme in ("data", "blob") or parts.netloc == urlsplit(venue.server.address).netloc
    return [] if own else [f"asked a stranger: {url}"]


def faults_by_axe(page: Page, theme: str) -> list[str]:
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = page.evaluate("axe.run().then((found) => found.violations)")
    return [
        f"{fault['impact']} {fault['id']}: {[node['target'] for node in fault['nodes']][:4]}"
        for fault in found
        if fault["impact"] in GRAVE
    ]
