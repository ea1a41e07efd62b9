"""Running all checks in one snapshot of a live database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, NullPool, create_engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from models.database import engine_options, prepare_engine
from services.accounts.verify import balances, events, fills, holdings, journal, orders, requests, rows
from services.accounts.verify.report import Report
from services.accounts.verify.sweep import Check
from services.accounts.verify.tables import BALANCES, EVENTS, FILLS, HOLDINGS, JOURNAL, ORDERS, REQUESTS
from services.errors import Unavailable

LONGEST_QUERY_SECONDS = 3600

# Grouping a million lines in the few megabytes that servers give a session by default goes by way of the disk.
_WORKING_MEMORY = "".join(
    f", {name} = {megabytes * 2**20}"
    for name, megabytes in (("tmp_table_size", 256), ("max_heap_table_size", 256), ("sort_buffer_size", 64))
)

COUNTED = {
    "accounts": BALANCES,
    "journal_lines": JOURNAL,
    "orders": ORDERS,
    "fills": FILLS,
    "holdings": HOLDINGS,
    "fund_requests": REQUESTS,
    "events": EVENTS,
}
CHECKS: tuple[Check, ...] = (
    *rows.CHECKS,
    *journal.CHECKS,
    *balances.CHECKS,
    *orders.CHECKS,
    *fills.CHECKS,
    *holdings.CHECKS,
    *requests.CHECKS,
    *events.CHECKS,
)


class CannotVerify(Unavailable):
    """The books could not be read, so nothing is known about them."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The books could not be checked: {reason}", code="CANNOT_VERIFY")


def verify_books(engine: Engine) -> Report:
    """Check everything in one snapshot of the engine's database, on a connection of its own, writing nothing.

    Others may go on writing meanwhile. Raises CannotVerify when the database is away or holds no books.
    """
    try:
        with snapshot(engine) as connection:
            return check_books(connection)
    except SQLAlchemyError as error:
        raise CannotVerify(_reason(error)) from error


def check_books(connection: Connection) -> Report:
    """Run every check on the transaction that the connection is in. Numbers that are no whole numbers end it early:
    nothing could be computed with them.
    """
    report = Report(_counts(connection))
    report.add(rows.numbers(connection))
    for check in CHECKS if report.ok else ():
        report.add(check(connection))
    return report


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection of its own in a read-only transaction that sees one moment of the database throughout.

    SQLite: the first read of a transaction in WAL mode fixes the moment. MySQL and MariaDB: a consistent snapshot.
    """
    own = _own_engine(engine)
    try:
        with own.connect() as connection:
            if own.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA query_only = ON")
            else:
                connection.execution_options(isolation_level="REPEATABLE READ")
                connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
            yield connection
    finally:
        own.dispose()


def _own_engine(engine: Engine) -> Engine:
    """An engine without a pool whose queries may take longer than a request's."""
    arguments = dict(engine_options(engine.url.render_as_string(hide_password=False))["connect_args"])
    if engine.dialect.name != "sqlite":
        arguments["read_timeout"] = LONGEST_QUERY_SECONDS
        arguments["init_command"] += _WORKING_MEMORY
    own = create_engine(engine.url, poolclass=NullPool, connect_args=arguments)
    prepare_engine(own)
    return own


def _counts(connection: Connection) -> dict[str, int]:
    counts = {name: select(func.count()).select_from(table) for name, table in COUNTED.items()}
    return {name: connection.execute(query).scalar_one() for name, query in counts.items()}


def _reason(error: SQLAlchemyError) -> str:
    """What the driver says, without the statement."""
    original = getattr(error, "orig", None) or error
    return " ".join(str(original.args[-1] if original.args else original).split())
