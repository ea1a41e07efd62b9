"""What every test may ask for.

- `books`: the services on a real database, without the web, once on SQLite and once on MariaDB. For tests of money.
- `app`, `client`: the whole application on SQLite, without background threads. With `@both_databases` (databases.py) on
  the test, on both.
- `alice`, `bob` (traders with a zero balance) and `ada` (an admin) of whichever of the two the test uses.
- `market`, `clock`: the FakeMarket in its place, and the market clock it reads.
- `settings`: override it in a module or class to change the configuration: {"COMMISSION_PER_SHARE": "0.01"}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from config import Config
from databases import BOTH, Database, MariaDatabase, SqliteDatabase, require_server
from fake_market import FakeClock, FakeMarket
from models import db, init_db
from web_client import VenueClient

if TYPE_CHECKING:
    from factories import Person
    from services.assistant.assistant import Assistant
    from standins.gemini import GeminiStandIn

Result = TypeVar("Result")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests of money run on both databases without having to say so."""
    marked = any(
        mark.name == "parametrize" and "database" in mark.args[0] for mark in metafunc.definition.iter_markers()
    )
    if "books" in metafunc.fixturenames and "app" not in metafunc.fixturenames and not marked:
        metafunc.parametrize("database", BOTH, indirect=True)


# Databases.


@pytest.fixture(scope="session")
def sqlite_database(tmp_path_factory: pytest.TempPathFactory) -> SqliteDatabase:
    return SqliteDatabase(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def mariadb_database() -> Iterator[MariaDatabase]:
    require_server()
    database = MariaDatabase()
    yield database
    database.close()


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Database:
    """The database of this test: SQLite unless the test is parametrised."""
    chosen: Database = request.getfixturevalue(f"{getattr(request, 'param', 'sqlite')}_database")
    return chosen


@pytest.fixture
def database_url(database: Database, tmp_path: Path) -> Iterator[str]:
    """The address of an empty, migrated database that no other test uses."""
    yield database.fresh(tmp_path)
    database.used()


# Configuration, clock, market.


@pytest.fixture
def settings() -> dict[str, str]:
    """Variables beyond the ones below. Override it where a test needs other ones."""
    return {}


@pytest.fixture
def config(database_url: str, tmp_path: Path, settings: dict[str, str]) -> Config:
    environment = {
        "DATABASE_URL": database_url,
        "INSTANCE_PATH": str(tmp_path / "instance"),
        "MARKET_SOURCE": "replay",
        "RUN_ORDER_PROCESSOR": "0",
        "SECRET_KEY": "only-for-tests-0123456789",
        "DEFAULT_ADMIN_PASSWORD": "Only-for-tests-1",
        "ORDER_RATE_LIMIT": "0",
        "OPEN_ORDER_LIMIT": "0",
    }
    return Config.from_environment({**environment, **settings})


@pytest.fixture
def clock() -> FakeClock:
    """The market clock: it stands still until a test moves it."""
    return FakeClock()


@pytest.fixture
def market(clock: FakeClock) -> FakeMarket:
    return FakeMarket(clock)


# The application, and the services without it.


@pytest.fixture
def app(config: Config, market: FakeMarket) -> Iterator[Flask]:
    """The whole application with the FakeMarket in place of a real one. Never push a context around client calls:
    the requests would share it, and what the first one remembers of its user.
    """
    from app import create_app

    application = create_app(config)
    application.testing = True
    application.test_client_class = VenueClient
    application.extensions["market"] = market
    _list_instruments(application)
    yield application
    _close(application)


@pytest.fixture
def client(app: Flask) -> VenueClient:
    return app.test_client()  # type: ignore[return-value]


@dataclass(frozen=True)
class Books:
    """The services on a database. `app` is a bare Flask that only knows the tables."""

    app: Flask
    market: FakeMarket
    config: Config

    def run(self, work: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
        """`run_unit` in an application context of its own; may be called from any thread."""
        from services.transaction import run_unit

        with self.app.app_context():
            return run_unit(work, *args, **kwargs)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A new session for looking at what was committed."""
        with self.app.app_context(), Session(db.engine) as session:
            yield session


@pytest.fixture
def books(request: pytest.FixtureRequest, config: Config, market: FakeMarket) -> Iterator[Books]:
    """The services on the database of this test, with an application context pushed for the test's own thread."""
    if "app" in request.fixturenames:
        yield Books(request.getfixturevalue("app"), market, config)
        return
    application = Flask("books")
    application.config["SQLALCHEMY_DATABASE_URI"] = config.database_url
    init_db(application)
    _list_instruments(application)
    with application.app_context():
        yield Books(application, market, config)
    _close(application)


def _list_instruments(application: Flask) -> None:
    import factories

    with application.app_context():
        factories.list_instruments()


def _close(application: Flask) -> None:
    with application.app_context():
        db.session.remove()
        db.engine.dispose()


# The assistant.


@pytest.fixture
def gemini() -> Iterator[GeminiStandIn]:
    """A Gemini of the test's own. A venue asks it when `settings` says so: see test/assistant_help.py."""
    from standins.gemini import GeminiStandIn

    with GeminiStandIn() as server:
        yield server


@pytest.fixture
def assistant(app: Flask) -> Iterator[Assistant]:
    """The application's assistant, which has ended its answers when the test does."""
    found: Assistant = app.extensions["assistant"]
    yield found
    found.close()


# The cast.


@pytest.fixture
def _stage(request: pytest.FixtureRequest) -> Flask:
    """The application whose database the cast belongs to."""
    if "app" in request.fixturenames:
        return request.getfixturevalue("app")
    return request.getfixturevalue("books").app


@pytest.fixture
def alice(_stage: Flask) -> Person:
    """A trader with a zero balance."""
    return _join(_stage, "make_user", "Alice")


@pytest.fixture
def bob(_stage: Flask) -> Person:
    """Another trader with a zero balance."""
    return _join(_stage, "make_user", "Bob")


@pytest.fixture
def ada(_stage: Flask) -> Person:
    """An admin whose password needs no change."""
    return _join(_stage, "make_admin", "Ada")


def _join(application: Flask, factory: str, name: str) -> Person:
    import factories

    with application.app_context():
        return getattr(factories, factory)(name)
