"""`make screenshots`: a picture of every page, three widths, two themes, into screenshots/ (ONLY=desk: some).

With DOCS_IMAGES=1 those in docs/images are renewed, too.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from databases import ROOT
from made_up_venue import MadeUpVenue, enters, launch, open_made_up_venue, shows
from page_list import PAGES, THEMES, PageShown
from visitor import DOCUMENTS, RENEWS_DOCUMENTS

FOLDER = ROOT / "screenshots"
# Pictures of the documents, each as high as a screen.
IN_DOCUMENTS = {
    "account-wide-light": "account",
    "desk-wide-dark": "trading-desk-dark",
    "desk-phone-light": "trading-desk-phone",
    "desk-simulation-wide-light": "simulation",
    "analysis-wide-light": "analysis",
}


def take_all(only: str) -> int:
    """Take the pictures of all pages, or of those whose name begins with `only`. Answers how many."""
    chosen = [shown for shown in PAGES if shown.name.startswith(only)]
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, open_made_up_venue(Path(folder)) as venue:
        return sum(take(venue, who, chosen) for who in sorted({shown.who for shown in chosen}))


def take(venue: MadeUpVenue, who: str, chosen: list[PageShown]) -> int:
    """Take the pictures that this kind of visitor sees. A page is as high as what stands on it."""
    count = 0
    with sync_playwright() as playwright:
        context = enters(launch(playwright), venue, who)
        page = context.new_page()
        for shown in (one for one in chosen if one.who == who):
            for width in shown.widths:
                for theme in THEMES:
                    shows(page, venue, shown, width, theme)
                    name = f"{shown.name}-{width}-{theme}"
                    page.screenshot(path=FOLDER / f"{name}.png", full_page=not shown.opens)
                    if RENEWS_DOCUMENTS and name in IN_DOCUMENTS:
                        page.screenshot(path=DOCUMENTS / f"{IN_DOCUMENTS[name]}.png")
                    count += 1
    return count


if __name__ == "__main__":
    taken = take_all(os.environ.get("ONLY", ""))
    print(f"{taken} pictures in {FOLDER.name}/")  # noqa: T201 - a command
