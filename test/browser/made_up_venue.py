"""A venue with people, orders and a past, on the replay market, and who looks at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from page_list import WIDTHS, PageShown
from venue_server import VenueServer
from visitor import PATIENCE, SWITCHES, find_chromium

PASSWORD = "Quiet-river-17!"
TRADERS, ORDERS = 12, 400


@dataclass(frozen=True, slots=True)
class MadeUpVenue:
    """A running server. `known` fills the names in the paths of the page list."""

    server: VenueServer
    known: dict[str, str]
    trader: str

    def path(self, page: PageShown) -> str:
        return page.path.format(**self.known)


@contextmanager
def open_made_up_venue(folder: Path) -> Iterator[MadeUpVenue]:
    """Fill a venue, serve it, and end it afterwards."""
    server = VenueServer(folder, MARKET_SOURCE="replay", REPLAY_SPEED="60", DEFAULT_ADMIN_PASSWORD=PASSWORD)
    for words in (
        ("db", "upgrade"),
        ("demo", "fill", f"--users={TRADERS}", f"--orders={ORDERS}", f"--password={PASSWORD}"),
    ):
        done = server.flask(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    server.start()
    try:
        yield _introduced(server)
    finally:
        server.stop()


def _introduced(server: VenueServer) -> MadeUpVenue:
    """Look up a trader who has something on every page: the one with the most open orders."""
    import sqlite3

    with sqlite3.connect(Path(server.environment["INSTANCE_PATH"]) / "stock_data_v1.db") as database:
        user_id, name = database.execute(
            "SELECT user.user_id, user_name FROM user JOIN orders USING (user_id) "
            "GROUP BY user.user_id ORDER BY SUM(order_status = 'pending') DESC, user.user_id LIMIT 1"
        ).fetchone()
        (order_id,) = database.execute(
            "SELECT MAX(order_id) FROM orders WHERE user_id = ? AND order_status = 'filled'", (user_id,)
        ).fetchone()
    known = {"order_id": str(order_id), "user_id": str(user_id), "user_name": name}
    return MadeUpVenue(server, known, name)


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=find_chromium(), args=SWITCHES)


def enters(
    browser: Browser, venue: MadeUpVenue, who: str, *, touch: bool = False, scripts: bool = True
) -> BrowserContext:
    """A browser profile of a visitor, or of somebody who has logged in."""
    context = browser.new_context(
        base_url=venue.server.address, locale="en-US", has_touch=touch, java_script_enabled=scripts
    )
    context.set_default_timeout(PATIENCE)
    if who == "visitor":
        return context
    page = context.new_page()
    form, fields = {
        "trader": ("/auth/login", {"user_name": venue.trader, "user_password": PASSWORD}),
        "admin": ("/auth/admin-login", {"username": "admin", "password": PASSWORD}),
    }[who]
    page.goto(form)
    for name, text in fields.items():
        page.locator(f"input[name={name}]").fill(text)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(lambda address: "/auth/" not in address)
    page.close()
    return context


def shows(page: Page, venue: MadeUpVenue, shown: PageShown, width: str, theme: str) -> None:
    """Bring a page to the state that its line in the list describes, and wait until it rests."""
    size = WIDTHS[width]
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
    answer = page.goto(venue.path(shown))
    assert answer is not None
    assert answer.status == shown.status, f"{shown.path} answered {answer.status}"
    for control in shown.opens:
        page.locator(control).click()
    _wait_until_drawn(page)


def _wait_until_drawn(page: Page) -> None:
    """Fonts are there, nothing is loading, and the server has answered what the page asked at its start."""
    page.evaluate("document.fonts.ready.then(() => true)")
    page.wait_for_function(
        """() => [...document.querySelectorAll(".skeleton, .chart-loading, [data-progress]:not([hidden])")]
              .every((node) => !node.checkVisibility())"""
    )
