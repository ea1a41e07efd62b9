"""The admins' lists in a venue of 10,000 traders, 100,000 orders and 50,000 requests, beside the same lists in a venue
of a hundred.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from statistics import median
from typing import Any

from flask import Flask

from app import create_app
from bench.books import database_url, refresh_statistics, unit
from bench.measures import Figures, Measure, SkippedMeasure, seconds
from bench.planted_lists import SOUGHT, Size, plant_lists
from config import Config
from factories import Person, make_admin
from fake_market import FakeMarket
from models import db
from services.market.market import VenueMarket
from tasks.replay_steps import ReplaySteps
from utils.datetime_utils import utc_now
from web_client import VenueClient

SMALL, LARGE = Size(100, 100, 300), Size(10_000, 100_000, 50_000)
AIM = 1.5  # times as long as with a hundred
TRIES = 21
WARM_UP = 3

PAGES = {
    "dashboard": "/admin/",
    "deposits": "/admin/deposits?status=any",
    "withdrawals": "/admin/withdrawals?status=any",
    "fund_history": "/admin/fund-transactions",
    "fund_amounts": "/admin/fund-transactions?sort=-amount",
    "fund_search": f"/admin/fund-transactions?search=.{SOUGHT}%40demo.example",
    "orders": "/admin/orders",
    "orders_filled": "/admin/orders?status=filled&sort=created_at",
    "orders_search": f"/admin/orders?user=.{SOUGHT}%40demo.example",
    "users": "/admin/user_management",
    "data": "/admin/data",
    "audit": "/admin/audit",
    "admins": "/admin/admins",
}
# Pages that are no lists are measured for information only.
NO_LISTS = ("dashboard",)


@dataclass(frozen=True, slots=True)
class FilledVenue:
    """An application on a filled database, and an admin's browser."""

    app: Flask
    client: VenueClient

    def require(self, path: str) -> None:
        """Ask for the page some times, so that everything it needs is at hand."""
        for _ in range(WARM_UP):
            answer = self.client.get(path)
            if answer.status_code == 404:
                raise SkippedMeasure(f"there is no {path}")
            assert answer.status_code == 200, (path, answer.status_code)

    def milliseconds(self, path: str) -> float:
        """How long the page takes once."""
        return seconds(lambda: self.client.get(path).get_data()) * 1000


@contextmanager
def filled_venue(kind: str, size: Size) -> Iterator[FilledVenue]:
    """A venue of this size on a database of its own."""
    with database_url(kind) as url, tempfile.TemporaryDirectory() as folder:
        environment = {"DATABASE_URL": url, "INSTANCE_PATH": folder, "MARKET_SOURCE": "replay"}
        own = {"RUN_ORDER_PROCESSOR": "0", "SECRET_KEY": "only-for-benchmarks-0123456789", "LOG_LEVEL": "ERROR"}
        app = create_app(Config.from_environment({**environment, **own}))
        app.testing = True
        app.test_client_class = VenueClient
        with app.app_context():
            admin = fill(kind, size)
            db.session.remove()
        app.extensions["market"] = FakeMarket()
        client: Any = app.test_client()
        yield FilledVenue(app, client.log_in(admin))
        with app.app_context():
            db.engine.dispose()


def fill(kind: str, size: Size) -> Person:
    """Bars, an admin, and what the lists read. Answers the admin."""
    ReplaySteps(VenueMarket(), date(2008, 9, 2), 60, True, utc_now).prepare()
    admin = make_admin("Ada")
    unit(plant_lists, size, utc_now(), admin.id)
    if kind != "sqlite":
        refresh_statistics()  # MariaDB does so by itself, but only some seconds later
    return admin


def both(large: FilledVenue, small: FilledVenue, path: str) -> tuple[float, float]:
    """Milliseconds of one page in both venues, taken in turns, so that the machine's other work meets both alike."""
    large.require(path)
    small.require(path)
    times = [(large.milliseconds(path), small.milliseconds(path)) for _ in range(TRIES)]
    return median(time for time, _ in times), median(time for _, time in times)


@cache
def page_times(kind: str) -> dict[str, tuple[float, float] | str]:
    """Milliseconds of each page in the large and in the small venue, or why there are none."""
    with filled_venue(kind, SMALL) as small, filled_venue(kind, LARGE) as large:
        found: dict[str, tuple[float, float] | str] = {}
        for name, path in PAGES.items():
            try:
                found[name] = both(large, small, path)
            except SkippedMeasure as reason:
                found[name] = str(reason)
        return found


def list_page(kind: str, name: str) -> Figures:
    """One page in the large venue against 1.5 times what it takes in the small one."""
    times = page_times(kind)[name]
    if isinstance(times, str):
        raise SkippedMeasure(times)
    large, small = times
    return Figures(large, small * AIM, small * AIM / large, f"{small:.1f} ms with a hundred")


MEASURES = tuple(
    Measure(
        f"list_{name}_{kind}",
        f"{PAGES[name]}, {kind}, 10,000 traders | 1.5 times a hundred's",
        "ms",
        0 if name in NO_LISTS else 1,
        partial(list_page, kind, name),
    )
    for kind in ("sqlite", "mariadb")
    for name in PAGES
)
