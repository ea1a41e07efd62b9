"""kill -9 of MariaDB while traders post orders: the server says so (503), stays up, and goes on when MariaDB is back.

`make test-full` kills 20 times, `make test` twice. The MariaDB is the test's own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.browser import Browser
from chaos.mariadb import PrivateMariaDB
from chaos.proofs import (
    leave_resting_orders,
    require_clean_books,
    require_clean_by_command,
    require_resting_orders_go_on,
    require_same_answers,
)
from chaos.venue import Venue, open_venue, tell
from chaos.waiting import pause, until
from databases import migrate
from races import FULL

pytestmark = [pytest.mark.timeout(1800), pytest.mark.mariadb]
KILLS = 20 if FULL else 2
TRADERS = 12 if FULL else 4
MOST_ANSWERS = 150 if FULL else 40  # before a kill
LONGEST_OUTAGE = 3.0 if FULL else 0.5
READS = ("/user/api/account", "/user/api/orders", "/user/account")


@pytest.fixture
def mariadb() -> Iterator[PrivateMariaDB]:
    server = PrivateMariaDB()
    try:
        server.start()
        server.make_database()
        migrate(server.url)
        yield server
    finally:
        server.close()


def test_a_killed_database_loses_nothing_and_the_server_goes_on(mariadb: PrivateMariaDB, tmp_path: Path) -> None:
    with open_venue(tmp_path, mariadb.url, TRADERS) as venue:
        unknown = repeated = 0
        recoveries: list[float] = []
        worker = venue.server.worker()
        reader = venue.quiet.browser.twin()
        for _ in range(KILLS):
            left = leave_resting_orders(venue.quiet)
            recoveries.append(_kill_under_load(venue, mariadb, reader))
            require_clean_books(venue.engine)
            unknown += venue.load.settle()
            repeated += require_same_answers(venue.load.traders, latest=10)
            venue.rows.require_exactly(venue.load)
            require_resting_orders_go_on(venue.rows, left)
        reader.close()
        require_clean_by_command(venue.server)
        assert not venue.load.faults()
        assert venue.server.worker() == worker, "the server was restarted"
        tell(
            "MariaDB killed",
            kills=KILLS,
            acknowledged=venue.load.answered(),
            answered_503=venue.load.away(),
            still_unknown_when_it_was_back=unknown,
            repeated_and_equal=repeated,
            lost=0,
            recovery_seconds=[round(min(recoveries), 2), round(max(recoveries), 2)],
        )


def _kill_under_load(venue: Venue, mariadb: PrivateMariaDB, reader: Browser) -> float:
    """Kill MariaDB at a random moment and start it again. Returns seconds from its first answer to the venue's."""
    with venue.load.running(patient=True):
        venue.load.wait_for_answers(venue.dice.randint(5, MOST_ANSWERS))
        pause(venue.dice.uniform(0, 0.03))
        away = venue.load.away()
        mariadb.kill()
        until("traders are told that the database is away", lambda: venue.load.away() > away, 30)
        _require_honest_reads(reader)
        pause(venue.dice.uniform(0, LONGEST_OUTAGE))
        mariadb.start()
        back = time.monotonic()
        venue.load.wait_for_answers(1)
        recovery = time.monotonic() - back
        venue.load.wait_for_answers(5)
    return recovery


def _require_honest_reads(reader: Browser) -> None:
    for path in READS:
        reply = reader.get(path)
        assert reply.status == 503, reply
        assert reply.request_id
