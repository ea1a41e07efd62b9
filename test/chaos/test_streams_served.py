"""Live streams of the served venue: slots, news, readers that do not read, and the end within ten seconds."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from chaos.browser import Browser
from chaos.venue import Venue, open_venue
from chaos.waiting import until
from models import AccountBalance, AccountEvent
from services.streams import MOST_OF_ONE_LOGIN
from utils.datetime_utils import utc_now

SLOTS = 40
ENDS_WITHIN = 10.0
SMALL_BUFFER = 4096
LONG_PAYLOAD = json.dumps({"text": "x" * 4000})


class Ear:
    """One raw connection to the stream. It reads only when it is told to."""

    def __init__(self, browser: Browser, port: int, query: str = "", **headers: str) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        self._socket.settimeout(20)
        self._socket.connect(("127.0.0.1", port))
        lines = {"Host": "127.0.0.1", "Cookie": browser._cookie(), "Accept": "text/event-stream", **headers}
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
        self._socket.sendall(f"GET /user/api/stream{query} HTTP/1.1\r\n{head}\r\n".encode())
        self.heard = ""

    def hears(self, what: str) -> bool:
        """Read on until the text is there. False when the stream ends before."""
        while what not in self.heard:
            try:
                part = self._socket.recv(65536)
            except OSError:
                return False
            if not part:
                return False
            self.heard += part.decode()
        return True

    def status(self) -> int:
        assert self.hears("\r\n\r\n")
        return int(self.heard.split()[1])

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def venue(database_url: str, tmp_path: Path) -> Iterator[Venue]:
    with open_venue(tmp_path, database_url, traders=SLOTS // MOST_OF_ONE_LOGIN) as venue:
        yield venue


@pytest.fixture
def listen(venue: Venue) -> Iterator[Callable[..., Ear]]:
    ears: list[Ear] = []

    def one(browser: Browser, query: str = "?tickers=AAPL,MSFT,GOOG,IBM", **headers: str) -> Ear:
        ears.append(Ear(browser, venue.server.port, query, **headers))
        return ears[-1]

    yield one
    for ear in ears:
        ear.close()


def browsers(venue: Venue) -> list[Browser]:
    return [trader.browser for trader in venue.load.traders]


def test_with_every_slot_taken_pages_answer_and_sigterm_ends_all_within_ten_seconds(
    venue: Venue, listen: Callable[..., Ear]
) -> None:
    ears = [listen(browser) for browser in browsers(venue) for _ in range(MOST_OF_ONE_LOGIN)]
    assert [ear.status() for ear in ears] == [200] * SLOTS
    refused = listen(venue.quiet.browser)
    assert refused.status() == 503
    assert refused.hears("NO_SLOT")
    for ear in ears[1:]:
        assert ear.hears('"AAPL"'), ear.heard
    for browser in browsers(venue):
        assert browser.get("/user/api/account").status == 200
    began = time.monotonic()
    venue.server.stop()
    seconds = time.monotonic() - began
    assert seconds < ENDS_WITHIN, f"it took {seconds:.1f} s"
    assert not any(ear.hears("never said") for ear in ears)
    log = venue.server.log.read_text()
    assert "Traceback" not in log, log[-3000:]


def test_an_order_is_heard_in_both_tabs_and_after_a_reconnect(venue: Venue, listen: Callable[..., Ear]) -> None:
    trader = venue.quiet
    tabs = [listen(trader.browser) for _ in range(2)]
    assert all(tab.hears('"AAPL"') for tab in tabs)
    price = trader.browser.get("/user/api/real_time_stock_data?ticker=AAPL").json()["data"]["price"]
    body: dict[str, Any] = {
        "ticker": "AAPL", "order_type": "buy", "execution_type": "limit", "quantity": 1, "price": f"{price * 0.9:.2f}",
    }  # fmt: skip
    answer = trader.browser.post("/user/api/create_order", body, "heard-1")
    began = time.monotonic()
    assert answer.status in (200, 201), answer
    assert all(tab.hears("order_accepted") for tab in tabs)
    seconds = time.monotonic() - began
    assert seconds < 5, "the hub looks several times a second"
    number = tabs[0].heard.split("event: account")[0].rsplit("id: ", 1)[1].split()[0]
    again = listen(trader.browser, Last_Event_ID=number)
    trader.browser.post("/user/api/create_order", body, "heard-2")
    assert again.hears("order_accepted")
    assert f"id: {int(number) + 1}\n" in again.heard


def test_a_reader_that_does_not_read_is_dropped_and_frees_its_thread(venue: Venue, listen: Callable[..., Ear]) -> None:
    trader = venue.quiet
    _write_events(venue, trader.browser.person.id, 400)
    deaf = listen(trader.browser, "?after=0")
    others = [listen(trader.browser) for _ in range(MOST_OF_ONE_LOGIN - 1)]
    assert all(ear.hears("event: quotes") for ear in others)
    assert listen(trader.browser).status() == 503
    until("the slot of the deaf one is free", lambda: listen(trader.browser).status() == 200, within=40)
    assert not deaf.hears("never said")
    assert "id: 400\n" not in deaf.heard
    assert all(ear.hears("heartbeat") for ear in others)


def test_logging_out_ends_the_stream(venue: Venue, listen: Callable[..., Ear]) -> None:
    browser = venue.quiet.browser
    ear = listen(browser)
    assert ear.hears('"AAPL"')
    browser.post("/auth/logout", {}, "out")
    assert ear.hears("event: end")
    assert not ear.hears("never said")


def _write_events(venue: Venue, user_id: int, count: int) -> None:
    """A long history at once. The books do not look at events of a kind they do not know."""
    with venue.engine.begin() as connection:
        first = (
            connection.execute(
                AccountBalance.__table__.select().where(AccountBalance.user_id == user_id)  # type: ignore[attr-defined]
            )
            .one()
            .event_sequence
        )
        rows = [
            {
                "user_id": user_id,
                "sequence": first + at,
                "kind": "note",
                "payload": LONG_PAYLOAD,
                "created_at": utc_now(),
            }
            for at in range(1, count + 1)
        ]
        connection.execute(insert(AccountEvent), rows)
        connection.execute(
            update(AccountBalance).where(AccountBalance.user_id == user_id).values(event_sequence=first + count)
        )
