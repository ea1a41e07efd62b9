"""A served venue with its traders, and what a test knows about it from outside."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import Engine

from chaos.browser import Browser
from chaos.load import Load, Trader
from chaos.proofs import Rows
from chaos.server import Server
from databases import open_engine
from factories import Person, give_cash, make_admin, make_user
from fake_market import FakeMarket
from models import db, init_db

CASH = "500000000.00"


@dataclass(frozen=True, slots=True)
class Venue:
    """A running server, its database seen from outside, its traders, and one who only does what is asked."""

    server: Server
    engine: Engine
    load: Load
    quiet: Trader
    rows: Rows
    dice: random.Random


@contextmanager
def open_venue(folder: Path, database_url: str, traders: int) -> Iterator[Venue]:
    """Start a server on a migrated, empty database, with rich traders who are logged in. Ends it afterwards."""
    dice = random.Random()
    people = rich_people(database_url, traders + 1)
    server = Server(folder, database_url)
    engine = open_engine(database_url)
    browsers: list[Browser] = []
    try:
        server.start()
        browsers += [Browser(server.port, person).log_in() for person in people]
        everybody = [Trader(browser, random.Random(dice.random())) for browser in browsers]
        for trader in everybody:
            trader.look_at_prices()
        load = Load(everybody[1:], quiet=everybody[:1])
        yield Venue(server, engine, load, everybody[0], Rows(engine), dice)
    finally:
        for browser in browsers:
            browser.close()
        server.stop()
        engine.dispose()


def rich_people(database_url: str, count: int) -> list[Person]:
    """Traders with more cash than they can spend."""
    application = Flask("people")
    application.config["SQLALCHEMY_DATABASE_URI"] = database_url
    init_db(application)
    with application.app_context():
        admin = make_admin("Ada")
        people = [make_user(f"Trader{number}") for number in range(count)]
        for person in people:
            give_cash(person, CASH, admin=admin, market=FakeMarket())
        db.session.remove()
        db.engine.dispose()
    return people


def tell(test: str, **figures: Any) -> None:
    """Print a test's figures for docs/reliability.md, and add them to the file that RELIABILITY_FIGURES names."""
    line = json.dumps({"test": test, **figures})
    print(line)  # noqa: T201 - shown with `pytest -s`
    path = os.environ.get("RELIABILITY_FIGURES")
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
