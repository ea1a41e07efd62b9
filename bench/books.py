"""Books for the benchmarks: an empty migrated database, traders with cash, orders at rest. All of it is real, so that
`flask ledger verify` must find the books clean at the end.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pymysql
from flask import Flask
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from bench.measures import SkippedMeasure
from config import Config
from databases import SERVER_URL, drop_database, migrate, new_database
from fake_market import FakeMarket
from models import AccountBalance, Instrument, User, db, init_db
from services.accounts import ledger
from services.accounts.verify import verify_books
from services.trading import orders
from services.trading.tickets import OrderTicket
from services.transaction import run_unit
from utils.collector import relax_collector
from utils.datetime_utils import utc_now

CASH = Decimal("10000000.00")
# Nobody logs in with a password here; this is no hash of any.
NO_PASSWORD = "-"  # noqa: S105


@dataclass(frozen=True, slots=True)
class BenchBooks:
    """A database with the services on it, a market by hand, and the configuration."""

    app: Flask
    market: FakeMarket
    config: Config

    def require_clean(self) -> None:
        """Hold the books against every check of `flask ledger verify`."""
        report = verify_books(db.engine)
        assert report.ok, [(one.code, one.count, one.rows[:2]) for one in report.violations]


@contextmanager
def database_url(kind: str) -> Iterator[str]:
    """An empty, migrated database of its own on "sqlite" or "mariadb", gone afterwards. Raises SkippedMeasure."""
    with tempfile.TemporaryDirectory(prefix="venue_bench_") as folder:
        if kind == "sqlite":
            url = f"sqlite:///{Path(folder) / 'bench.db'}"
            migrate(url)
            yield url
            return
        try:
            name = new_database()
        except pymysql.err.OperationalError as error:
            raise SkippedMeasure(f"no MariaDB answers at {SERVER_URL}") from error
        try:
            migrate(f"{SERVER_URL}/{name}")
            yield f"{SERVER_URL}/{name}"
        finally:
            drop_database(name)


@contextmanager
def open_books(kind: str) -> Iterator[BenchBooks]:
    """The services on an empty database, within an application context."""
    with database_url(kind) as url, tempfile.TemporaryDirectory() as folder:
        environment = {"DATABASE_URL": url, "INSTANCE_PATH": folder, "MARKET_SOURCE": "replay"}
        no_limits = {"ORDER_RATE_LIMIT": "0", "OPEN_ORDER_LIMIT": "0", "SECRET_KEY": "only-for-benchmarks-0123456789"}
        config = Config.from_environment({**environment, **no_limits})
        app = Flask("bench", instance_path=folder)
        app.config["SQLALCHEMY_DATABASE_URI"] = url
        init_db(app)
        relax_collector()  # as the server does when it starts
        with app.app_context():
            yield BenchBooks(app, FakeMarket(), config)
            db.session.remove()
            db.engine.dispose()


def plant_traders(session: Session, count: int, market: FakeMarket | None = None) -> list[int]:
    """A unit: traders, each with the same cash, booked as adjustments. Answers their numbers."""
    now = utc_now()
    names = [f"trader{number}" for number in range(1, count + 1)]
    common = {"user_password": NO_PASSWORD, "account_status": "active", "trading_state": "active", "created_at": now}
    users = [
        {
            "user_id": number,
            "user_name": name,
            "name_key": name,
            "user_email": f"{name}@bench",
            "email_key": f"{name}@bench",
        }
        | common
        for number, name in enumerate(names, start=1)
    ]
    session.execute(insert(User), users)
    session.execute(insert(AccountBalance), [{"user_id": user["user_id"], "updated_at": now} for user in users])
    numbers = [user["user_id"] for user in users]
    books = ledger.lock_accounts(session, numbers, now, market.now() if market else now)
    for number in numbers:
        books.adjust_cash(number, CASH, "Cash for the benchmark")
    books.write()
    return numbers


def plant_instruments(session: Session, tickers: Sequence[str]) -> None:
    """A unit: instruments that may be traded."""
    session.execute(
        insert(Instrument), [{"ticker": ticker, "name": ticker, "tradable": True, "listed": True} for ticker in tickers]
    )


def rest_orders(books: BenchBooks, users: Sequence[int], tickers: Sequence[str], rounds: int) -> list[int]:
    """Limit buys a tenth below the market: in each round one for each trader, the tickers in turn. Answers their
    numbers in the order of acceptance.
    """
    for ticker in tickers:
        books.market.set_quote(ticker, "100.00", volume=1_000_000_000, traded=1_000_000_000)

    def place(session: Session) -> list[int]:
        placed = []
        for number, user in enumerate(user for _ in range(rounds) for user in users):
            ticket = OrderTicket(tickers[number % len(tickers)], "buy", "limit", 10, Decimal("92.00"))
            answer = orders.place(session, user, ticket, market=books.market, config=books.config, key=None)
            placed.append(answer["order_id"])
        return placed

    return run_unit(place)


def unit(work: Callable[..., object], *args: object) -> None:
    """Run a piece of planting as one unit."""
    run_unit(lambda session: work(session, *args))


def refresh_statistics() -> None:
    """Let the database know how large its tables have become."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(text("ANALYZE"))
        else:
            connection.execute(
                text("ANALYZE TABLE orders, portfolio, account_balance, ledger_entry, fund_transaction, user")
            )
