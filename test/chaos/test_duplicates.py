"""One trader's browser sends one request fifty times at once, under one Idempotency-Key, over HTTP: one effect, and
the same answer, byte for byte, to all of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from chaos.browser import Browser, Reply
from chaos.load import ORDER, Intention
from chaos.proofs import require_clean_books
from chaos.venue import Venue, open_venue, tell
from databases import both_databases
from races import FULL

pytestmark = pytest.mark.timeout(900)
TWINS = 50
KEYS = 65 if FULL else 2  # of each kind

Making = Callable[[Venue], tuple[str, dict[str, Any]]]


def _deposit(_venue: Venue) -> tuple[str, dict[str, Any]]:
    return "/user/api/deposit", {"amount": "12.34"}


def _order(_venue: Venue) -> tuple[str, dict[str, Any]]:
    return ORDER, {"ticker": "AAPL", "order_type": "buy", "execution_type": "market", "quantity": 2}


def _cancel(venue: Venue) -> tuple[str, dict[str, Any]]:
    return f"/user/orders/{venue.quiet.rest_far_away()}/cancel", {}


@both_databases
def test_fifty_simultaneous_twins_have_one_effect_and_one_answer(database_url: str, tmp_path: Path) -> None:
    with open_venue(tmp_path, database_url, traders=0) as venue, _twins(venue.quiet.browser) as twins:
        for make in (_deposit, _order, _cancel):
            for _ in range(KEYS):
                path, fields = make(venue)
                intention = Intention(path, fields, key=str(uuid4()))
                replies = _send_at_once(twins, intention)
                assert {reply.status for reply in replies} == {200}, replies[0]
                assert len({reply.body for reply in replies}) == 1
                intention.answer = replies[0].body
                venue.quiet.log.append(intention)
        venue.rows.require_exactly(venue.load)
        require_clean_books(venue.engine)
        tell(f"twins over HTTP, {venue.engine.dialect.name}", keys=3 * KEYS, at_once=TWINS, different_answers=0)


@contextmanager
def _twins(browser: Browser) -> Iterator[list[Browser]]:
    """The same login over so many connections."""
    with ExitStack() as stack:
        yield [stack.enter_context(closing(browser.twin())) for _ in range(TWINS)]


def _send_at_once(twins: list[Browser], intention: Intention) -> list[Reply]:
    """All connections are open before the first request leaves."""
    start = threading.Barrier(len(twins))

    def send(twin: Browser) -> Reply:
        twin.connect()
        start.wait()
        return twin.post(intention.path, intention.fields, intention.key)

    with ThreadPoolExecutor(len(twins)) as pool:
        return list(pool.map(send, twins))
