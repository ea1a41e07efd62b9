"""kill -9 of the server while traders post orders: nothing acknowledged is lost, nothing happens twice.

`make test-full` kills 50 times on each database, `make test` a few times.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from chaos.proofs import (
    leave_resting_orders,
    require_clean_books,
    require_clean_by_command,
    require_resting_orders_go_on,
    require_same_answers,
)
from chaos.venue import Venue, open_venue, tell
from chaos.waiting import pause
from databases import both_databases
from races import FULL

pytestmark = pytest.mark.timeout(1800)
KILLS = {"sqlite": 50, "mysql": 50} if FULL else {"sqlite": 2, "mysql": 1}
TRADERS = 12 if FULL else 4
MOST_ANSWERS = 150 if FULL else 40  # before a kill
WORKER_ONLY = 0.3  # of the kills; gunicorn then starts another worker by itself


@both_databases
def test_a_killed_server_loses_nothing_and_does_nothing_twice(database_url: str, tmp_path: Path) -> None:
    with open_venue(tmp_path, database_url, TRADERS) as venue:
        kills = KILLS[venue.engine.dialect.name]
        unknown = repeated = 0
        starts: list[float] = []
        for kill in range(kills):
            left = leave_resting_orders(venue.quiet)
            starts.append(_kill_under_load(venue))
            require_clean_books(venue.engine)
            repeated += require_same_answers(venue.load.traders, latest=10)
            unknown += venue.load.settle()
            venue.rows.require_exactly(venue.load)
            if FULL or kill == kills - 1:  # it waits until the lease of the killed process has run out
                require_resting_orders_go_on(venue.rows, left)
        require_clean_by_command(venue.server)
        assert not venue.load.faults()
        tell(
            f"server killed, {venue.engine.dialect.name}",
            kills=kills,
            acknowledged=venue.load.answered(),
            unknown_at_the_kill=unknown,
            repeated_and_equal=repeated,
            lost=0,
            start_seconds=[round(min(starts), 1), round(max(starts), 1)],
        )


def _kill_under_load(venue: Venue) -> float:
    """Kill the server, or its worker alone, at a random moment. Returns seconds until the next one was healthy."""
    with venue.load.running():
        venue.load.wait_for_answers(venue.dice.randint(5, MOST_ANSWERS))
        pause(venue.dice.uniform(0, 0.03))
        began = time.monotonic()
        if venue.dice.random() < WORKER_ONLY:
            venue.server.kill_worker()
        else:
            venue.server.kill()
            venue.server.start()
    return time.monotonic() - began
