"""How soon and how light the pages are: in Chromium, on the replay market, against a server that is warm.

The desk is usable when its chart is drawn and its ticket has a price and a preview. A browser that has been here before
has the scripts, which are served under their content's hash for good; only HTML and data come anew.
"""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from playwright.sync_api import Page, Response, sync_playwright

from bench.measures import Figures, Measure, SkippedMeasure
from bench.server import Venue, running_venue

DESK = "/user/stock_chart?ticker=AAPL&period=1y"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
VISITS = 9
USABLE_SECONDS = 1.0
LARGEST_HTML = 60 * 1024
LARGEST_SCRIPTS = 60 * 1024
OWN_SCRIPT = re.compile(r"/static/v/[0-9a-f]+/js/")
# Milliseconds from the navigation's start, once the chart's label tells its last price and the preview its cost.
USABLE = """
() => / last /.test(document.querySelector("[data-chart]")?.getAttribute("aria-label"))
  && /\\d/.test(document.querySelector("[data-quote=ask]").textContent)
  && !document.querySelector("[data-submit]").disabled
  && /\\d/.test(document.querySelector("[data-preview=after]").textContent)
  && performance.now()
"""


def desk_usable() -> Figures:
    """The median time until the desk is usable, of some visits after the first two."""

    def visit(page: Page) -> float:
        page.goto(DESK, wait_until="commit")
        milliseconds: float = page.wait_for_function(USABLE, polling=10).json_value()
        return milliseconds / 1000

    with running_venue("sqlite", 1) as venue, opened_page(venue) as page:
        waits = [visit(page) for _ in range(VISITS + 2)][2:]
    note = f"slowest of {VISITS}: {max(waits) * 1000:.0f} ms"
    return Figures(median(waits) * 1000, USABLE_SECONDS * 1000, USABLE_SECONDS / median(waits), note)


def desk_html() -> Figures:
    """The bytes of the desk's HTML, as they are before anything is compressed."""
    with running_venue("sqlite", 1) as venue, opened_page(venue) as page:
        answer = page.goto(DESK)
        assert answer is not None
        size = len(answer.body())
    return Figures(size / 1024, LARGEST_HTML / 1024, LARGEST_HTML / size)


def desk_scripts() -> Figures:
    """The bytes of our own scripts that the desk loads, before they are compressed on their way."""
    with running_venue("sqlite", 1) as venue, opened_page(venue) as page:
        answers: list[Response] = []
        page.on("response", lambda answer: answers.append(answer))  # a lambda: Playwright marks its listeners
        page.goto(DESK, wait_until="load")
        texts = [answer.body() for answer in answers if OWN_SCRIPT.search(answer.url)]
    size = sum(map(len, texts))
    note = f"{len(texts)} files, {sum(len(gzip.compress(text)) for text in texts) / 1024:.0f} KB compressed"
    return Figures(size / 1024, LARGEST_SCRIPTS / 1024, LARGEST_SCRIPTS / size, note)


@contextmanager
def opened_page(venue: Venue) -> Iterator[Page]:
    """A page of Chromium, logged in as the venue's first trader."""
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        raise SkippedMeasure("there is no Chromium on the PATH")
    address = f"http://127.0.0.1:{venue.port}"
    name, _, value = venue.traders[0].cookie.partition("=")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        context = chromium.new_context(base_url=address, viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": name, "value": value, "url": address}])
        yield context.new_page()
        chromium.close()


MEASURES = (
    Measure("desk_usable", "The desk can be used: chart drawn, ticket live", "ms", 1.0, desk_usable),
    Measure("desk_html", "HTML of the desk", "KB", 1.0, desk_html),
    Measure("desk_scripts", "Our scripts on the desk, before compression", "KB", 1.0, desk_scripts),
)
