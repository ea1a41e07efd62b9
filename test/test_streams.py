"""The live stream: who hears what, in which order, and who is dropped. On both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from conftest import Books
from factories import Person, give_cash, place
from fake_market import FakeMarket
from models import Login, User, db
from services import logins, streams
from services.errors import Unavailable
from services.logins import Visit
from services.streams import Hub, Listener
from utils.datetime_utils import utc_now
from web_client import VenueClient
from web_help import assert_refused


@dataclass
class Seconds:
    """A clock for intervals, moved by hand."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Room:
    """A hub on real books, turned by hand."""

    books: Books
    hub: Hub
    seconds: Seconds
    logins: dict[int, int] = field(default_factory=dict)

    def listen(self, person: Person, *tickers: str, position: int = 0) -> Listener:
        """One more connection of this person, all by one login."""
        if person.id not in self.logins:
            self.logins[person.id] = begin_login(self.books, person)
        listener = Listener(self.logins[person.id], None if person.is_admin else person.id, tickers, position)
        self.hub.join(listener, self.books.market)
        return listener

    def turn(self) -> None:
        with self.books.session() as session:
            self.hub.turn(session, self.books.market, utc_now())
        self.seconds.now += 2


@pytest.fixture
def room(books: Books) -> Iterator[Room]:
    seconds = Seconds()
    hub = Hub(6, encode, clock=seconds)
    hub.open()
    yield Room(books, hub, seconds)
    hub.close()


def encode(value: Any) -> str:
    return json.dumps(value, default=str)


def begin_login(books: Books, person: Person) -> int:
    visit = Visit(address="127.0.0.1", user_agent="test", now=utc_now())
    column = {"admin_id" if person.is_admin else "user_id": person.id}
    token = books.run(logins.store_login, visit, **column)
    with books.session() as session:
        identity = logins.find(session, token, utc_now())
    assert identity is not None
    return identity.login_id


def queued(listener: Listener) -> list[dict[str, Any]]:
    """Take what is queued, as a browser would understand it."""
    return [read_message(text) for text in islice(listener.messages(), listener._queue.qsize())]


def read_message(text: str) -> dict[str, Any]:
    fields = dict(line.split(": ", 1) for line in text.strip().splitlines())
    return {"event": fields.get("event"), "id": fields.get("id"), "data": json.loads(fields.get("data", "null"))}


def numbers(messages: list[dict[str, Any]]) -> list[int]:
    return [message["data"]["sequence"] for message in messages if message["event"] == "account"]


def deposit(room: Room, person: Person, admin: Person, times: int = 1) -> None:
    """Two events each: asked for and approved."""
    for _ in range(times):
        give_cash(person, "10.00", admin=admin, market=room.books.market)


def test_the_first_message_is_there_at_once_with_prices_state_and_a_number(room: Room, alice: Person) -> None:
    room.books.market.set_quote("AAPL", "166.19")
    (first,) = queued(room.listen(alice, "AAPL", position=7))
    assert (first["event"], first["id"]) == ("quotes", "7")
    assert list(first["data"]["data"]) == ["AAPL"]
    assert first["data"]["market"]["state"] == "open"


def test_only_prices_that_changed_are_told_and_only_to_those_who_asked(room: Room, alice: Person, bob: Person) -> None:
    market = room.books.market
    market.set_quote("AAPL", "166.19")
    market.set_quote("MSFT", "27.10")
    hers, his = room.listen(alice, "AAPL", "MSFT"), room.listen(bob, "MSFT")
    room.turn()
    queued(hers), queued(his)
    market.set_quote("AAPL", "166.20")
    room.turn()
    room.turn()
    (told,) = queued(hers)
    assert list(told["data"]["data"]) == ["AAPL"]
    assert queued(his) == []


def test_the_end_of_the_session_is_told_without_a_new_price(room: Room, alice: Person) -> None:
    listener = room.listen(alice)
    room.turn()
    queued(listener)
    room.books.market.close()
    room.turn()
    assert [message["data"]["market"]["state"] for message in queued(listener)] == ["closed"]


def test_both_tabs_of_a_trader_hear_what_happens_and_nobody_else_does(
    room: Room, alice: Person, bob: Person, ada: Person
) -> None:
    first, second, stranger = room.listen(alice), room.listen(alice), room.listen(bob)
    deposit(room, alice, ada)
    room.turn()
    for tab in (first, second):
        events = [message for message in queued(tab) if message["event"] == "account"]
        assert [(one["id"], one["data"]["kind"]) for one in events] == [
            ("1", "deposit_requested"),
            ("2", "deposit_approved"),
        ]
        assert events[1]["data"]["payload"]["status"] == "approved"
    assert numbers(queued(stranger)) == []


def test_an_order_is_told_with_its_fill(room: Room, alice: Person, ada: Person) -> None:
    market = room.books.market
    market.set_quote("AAPL", "100.00")
    deposit(room, alice, ada, times=20)
    listener = room.listen(alice, position=40)
    place(alice, "buy", "AAPL", 1, market=market, config=room.books.config)
    room.turn()
    kinds = [one["data"]["kind"] for one in queued(listener) if one["event"] == "account"]
    assert kinds == ["order_accepted", "order_filled"]


@pytest.mark.parametrize("seen", range(7))
def test_a_reconnect_misses_and_repeats_nothing(room: Room, alice: Person, ada: Person, seen: int) -> None:
    deposit(room, alice, ada, times=2)
    before = room.listen(alice)
    room.turn()
    heard = numbers(queued(before))[:seen]
    room.hub.leave(before)
    deposit(room, alice, ada)
    after = room.listen(alice, position=heard[-1] if heard else 0)
    room.turn()
    room.turn()
    assert heard + numbers(queued(after)) == [1, 2, 3, 4, 5, 6]


def test_a_long_absence_is_told_whole_through_a_short_queue(room: Room, alice: Person, ada: Person) -> None:
    deposit(room, alice, ada, times=60)
    listener = room.listen(alice)
    heard: list[int] = []
    for _ in range(10):
        room.turn()
        heard += numbers(queued(listener))
    assert heard == list(range(1, 121))


def test_who_does_not_read_is_dropped_and_the_others_hear_on(room: Room, alice: Person, bob: Person) -> None:
    cuts: list[str] = []
    slow, quick = room.listen(alice, "AAPL"), room.listen(bob, "AAPL")
    slow.cut = lambda: cuts.append("slow")
    heard = 0
    for cents in range(streams.MESSAGES_HELD + 5):
        room.seconds.now -= 2  # no time passes: the queue alone decides
        room.books.market.set_quote("AAPL", f"100.{cents:02d}")
        room.turn()
        heard += len(queued(quick))
    assert cuts == ["slow"]
    assert room.hub.count == 1
    assert heard >= streams.MESSAGES_HELD + 5
    assert list(slow.messages()) == []


def test_who_takes_nothing_for_ten_seconds_is_dropped_however_short_the_queue(room: Room, alice: Person) -> None:
    cuts: list[str] = []
    listener = room.listen(alice)
    listener.cut = lambda: cuts.append("cut")
    for _ in range(8):
        room.turn()
    assert cuts == ["cut"]
    assert room.hub.count == 0


def test_a_quiet_reader_is_not_a_stuck_one(room: Room, alice: Person) -> None:
    listener = room.listen(alice)
    for _ in range(20):
        queued(listener)
        room.turn()
    assert room.hub.count == 1


def test_a_heartbeat_comes_every_fifteen_seconds(room: Room, alice: Person) -> None:
    listener = room.listen(alice)
    beats = 0
    for _ in range(31):
        room.turn()
        beats += sum(message["event"] == "heartbeat" for message in queued(listener))
    assert beats == 4  # at 0, 16, 32 and 48 of 62 seconds, which pass in steps of two


@pytest.mark.parametrize("how", ["ended", "suspended", "idle"])
def test_the_stream_ends_with_the_login(room: Room, alice: Person, bob: Person, how: str) -> None:
    listener, other = room.listen(alice), room.listen(bob)
    room.turn()
    queued(listener)
    room.books.run(end_login, room.logins[alice.id], alice.id, how)
    room.turn()
    *_, last = map(read_message, listener.messages())
    assert (last["event"], last["data"]) == ("end", {"reason": "login"})
    assert room.hub.count == 1
    assert "end" not in [message["event"] for message in queued(other)]


def end_login(session: Session, login_id: int, user_id: int, how: str) -> None:
    if how == "ended":
        logins.end(session, login_id, utc_now())
    elif how == "suspended":
        session.execute(update(User).where(User.user_id == user_id).values(account_status="suspended"))
    else:
        long_ago = utc_now() - logins.IDLE_LIMIT
        session.execute(update(Login).where(Login.login_id == login_id).values(last_seen_at=long_ago))


def test_no_more_listen_than_there_are_slots(room: Room, alice: Person) -> None:
    listeners = [room.listen(alice) for _ in range(6)]
    with pytest.raises(Unavailable, match="by itself"):
        room.listen(alice)
    room.hub.leave(listeners[0])
    room.hub.leave(listeners[0])
    room.listen(alice)
    assert room.hub.count == 6


def test_one_login_cannot_take_every_slot(books: Books, alice: Person, bob: Person) -> None:
    hub = Hub(40, encode)
    hub.open()
    for _ in range(streams.MOST_OF_ONE_LOGIN):
        hub.join(Listener(1, alice.id), books.market)
    with pytest.raises(Unavailable):
        hub.join(Listener(1, alice.id), books.market)
    hub.join(Listener(2, bob.id), books.market)


def test_a_page_that_was_left_gives_its_slot_to_the_next(room: Room, alice: Person) -> None:
    left = [room.listen(alice) for _ in range(6)]
    left[2].gone = lambda: True
    room.listen(alice)
    assert room.hub.count == 6
    assert list(left[2].messages()) == []
    left[3].gone = lambda: True
    room.turn()
    assert room.hub.count == 5


def test_closing_ends_everybody_and_takes_nobody(room: Room, alice: Person) -> None:
    cuts: list[str] = []
    listener = room.listen(alice)
    listener.cut = lambda: cuts.append("cut")
    room.hub.close()
    assert (cuts, room.hub.count, list(listener.messages())) == (["cut"], 0, [])
    with pytest.raises(Unavailable):
        room.listen(alice)


def test_an_admin_hears_that_something_happened_in_any_account(
    room: Room, alice: Person, bob: Person, ada: Person
) -> None:
    listener = room.listen(ada)
    room.turn()
    queued(listener)
    deposit(room, alice, ada)
    deposit(room, bob, ada)
    room.turn()
    room.turn()
    (told,) = [message for message in queued(listener) if message["event"] == "activity"]
    assert told["id"] is None
    assert told["data"]["changes"] == 4
    assert [(one["user_id"], one["kind"]) for one in told["data"]["events"]] == [
        (alice.id, "deposit_requested"),
        (alice.id, "deposit_approved"),
        (bob.id, "deposit_requested"),
        (bob.id, "deposit_approved"),
    ]


# The endpoint.


@pytest.fixture
def hub(app: Flask) -> Iterator[Hub]:
    """The application's hub, taking listeners; nobody turns it."""
    app.extensions["hub"].open()
    yield app.extensions["hub"]
    app.extensions["hub"].close()


def first_message(answer: Any) -> dict[str, Any]:
    """What comes at once after the line about reconnecting."""
    parts = answer.iter_encoded()
    assert next(parts).startswith(b"retry: ")
    return read_message(next(parts).decode())


def test_the_stream_answers_at_once_and_holds_no_connection(
    app: Flask, client: VenueClient, alice: Person, market: FakeMarket, hub: Hub
) -> None:
    market.set_quote("AAPL", "166.19")
    answer = client.log_in(alice).get("/user/api/stream?tickers=aapl")
    assert (answer.status_code, answer.mimetype) == (200, "text/event-stream")
    first = first_message(answer)
    assert first["data"]["data"]["AAPL"]["price"] == 166.19
    with app.app_context():
        assert db.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert hub.count == 1
    answer.close()
    assert hub.count == 0


def test_a_page_without_prices_may_listen_too(client: VenueClient, alice: Person, hub: Hub) -> None:
    first = first_message(client.log_in(alice).get("/user/api/stream"))
    assert (first["event"], first["id"], first["data"]["data"]) == ("quotes", "0", {})


@pytest.mark.parametrize(
    ("query", "headers", "position"),
    [
        ("", {}, "4"),
        ("?after=1", {}, "1"),
        ("?after=1", {"Last-Event-ID": "3"}, "3"),
        ("", {"Last-Event-ID": "99"}, "4"),
        ("?after=0", {}, "0"),
    ],
)
def test_the_stream_goes_on_after_the_last_number_seen(
    app: Flask,
    client: VenueClient,
    alice: Person,
    ada: Person,
    market: FakeMarket,
    hub: Hub,
    query: str,
    headers: dict[str, str],
    position: str,
) -> None:
    with app.app_context():
        give_cash(alice, "1.00", admin=ada, market=market)
        give_cash(alice, "1.00", admin=ada, market=market)
    answer = client.log_in(alice).get(f"/user/api/stream{query}", headers=headers)
    assert first_message(answer)["id"] == position


@pytest.mark.parametrize("number", ["-1", "x", "1.5", "99999999999", "٣"])
def test_a_number_that_is_none_is_refused(client: VenueClient, alice: Person, hub: Hub, number: str) -> None:
    assert_refused(client.log_in(alice).get("/user/api/stream", query_string={"after": number}), 400, field="after")
    assert hub.count == 0


def test_without_a_free_slot_the_page_is_told_so(client: VenueClient, alice: Person) -> None:
    assert_refused(client.log_in(alice).get("/user/api/stream"), 503, "NO_SLOT")


def test_only_their_own_people_listen(app: Flask, alice: Person, ada: Person, hub: Hub) -> None:
    events = {"Accept": "text/event-stream"}
    nobody, trader, admin = (app.test_client() for _ in range(3))
    trader.log_in(alice)  # type: ignore[attr-defined]
    admin.log_in(ada)  # type: ignore[attr-defined]
    for path in ("/user/api/stream", "/admin/api/stream"):
        assert_refused(nobody.get(path, headers=events), 401, "LOGIN_REQUIRED")
    assert_refused(trader.get("/admin/api/stream", headers=events), 403, "ADMINS_ONLY")
    assert_refused(admin.get("/user/api/stream", headers=events), 403, "TRADERS_ONLY")
    assert first_message(admin.get("/admin/api/stream", headers=events))["event"] == "quotes"
