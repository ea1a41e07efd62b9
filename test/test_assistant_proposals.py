"""Order proposals: drafting stores nothing in the books, and a confirmation places exactly the proposed order, once,
within two minutes, through the same placing as the ticket.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant_help import ask, gemini_settings
from conftest import Books
from factories import Person, give_cash
from fake_market import FakeMarket
from models import ChatConversation, ChatMessage, ChatProposal, Order, db
from races import race
from services.assistant import proposals
from services.assistant.proposals import Draft, confirm
from services.errors import Conflict, NotFound, Refused
from services.idempotency import RequestKey
from standins.gemini import GeminiStandIn, asks_first, calls
from web_client import VenueClient
from web_help import assert_refused, books_of

NOW = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
TICKET = {"ticker": "AAPL", "order_type": "buy", "execution_type": "limit", "quantity": 10, "price": "150.5",
          "time_in_force": "gtc"}  # fmt: skip


def at(moment: datetime) -> Any:
    return lambda: moment


def propose(session: Session, user_id: int, ticket: dict[str, Any]) -> int:
    conversation = ChatConversation(user_id=user_id, title="Buy", created_at=NOW, updated_at=NOW)
    session.add(conversation)
    session.flush()
    message = ChatMessage(conversation_id=conversation.conversation_id, role="assistant", content="Look at the card.")
    session.add(message)
    session.flush()
    return proposals.store(session, user_id, message.message_id, Draft(ticket, {}), NOW)


@pytest.fixture
def proposal(books: Books, alice: Person, ada: Person, market: FakeMarket) -> int:
    market.set_quote("AAPL", "166.19")
    give_cash(alice, "5000.00", admin=ada, market=market)
    return books.run(propose, alice.id, TICKET)


def confirmed(books: Books, person: Person, number: int, fields: dict[str, Any] | None = None, **more: Any) -> Any:
    given = {"market": books.market, "config": books.config, "clock": at(NOW + timedelta(seconds=119))} | more
    return books.run(confirm, person.id, number, TICKET if fields is None else fields, **given)


def orders_in(books: Books) -> list[Order]:
    with books.session() as session:
        return list(session.scalars(select(Order)))


def test_a_confirmation_places_exactly_the_proposed_order(books: Books, alice: Person, proposal: int) -> None:
    answer = confirmed(books, alice, proposal)
    (order,) = orders_in(books)
    assert (order.order_id, order.user_id, order.ticker) == (answer["order_id"], alice.id, "AAPL")
    assert (order.order_type, order.order_execution_type, order.order_quantity) == ("buy", "limit", 10)
    assert order.order_price == Decimal("150.5")
    assert order.reserved_amount == Decimal("1505.00")
    with books.session() as session:
        row = session.get_one(ChatProposal, proposal)
        assert row.order_id == order.order_id
        assert row.confirmed_at is not None


def test_it_works_once(books: Books, alice: Person, proposal: int) -> None:
    confirmed(books, alice, proposal)
    with pytest.raises(Conflict) as caught:
        confirmed(books, alice, proposal)
    assert caught.value.code == "PROPOSAL_USED"
    assert len(orders_in(books)) == 1


def test_the_same_intention_gets_the_same_answer(books: Books, alice: Person, proposal: int) -> None:
    key = RequestKey.of(f"user:{alice.id}", "one", "POST /confirm", b"{}")
    assert confirmed(books, alice, proposal, key=key) == confirmed(books, alice, proposal, key=key)
    assert len(orders_in(books)) == 1


def test_many_at_once_place_one_order(books: Books, alice: Person, proposal: int) -> None:
    ended = race([lambda: confirmed(books, alice, proposal)] * 12, threads=6)
    assert ended == {"done": 1, "PROPOSAL_USED": 11}
    assert len(orders_in(books)) == 1


def test_it_is_good_for_two_minutes(books: Books, alice: Person, proposal: int) -> None:
    for late in (120, 121, 86_400):
        with pytest.raises(Refused) as caught:
            confirmed(books, alice, proposal, clock=at(NOW + timedelta(seconds=late)))
        assert caught.value.code == "PROPOSAL_EXPIRED"
    assert orders_in(books) == []


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": 11}, {"quantity": "100"}, {"ticker": "MSFT"}, {"order_type": "sell"}, {"price": "150.51"},
        {"execution_type": "market"}, {"time_in_force": "day"}, {"extended_hours": True}, {"display_quantity": 1},
        {"user_id": 1},
    ],
)  # fmt: skip
def test_one_changed_parameter_is_refused(books: Books, alice: Person, proposal: int, change: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        confirmed(books, alice, proposal, TICKET | change)
    assert caught.value.code == "PROPOSAL_DIFFERS"
    with pytest.raises(Refused):
        confirmed(books, alice, proposal, {})
    assert orders_in(books) == []
    confirmed(books, alice, proposal)


def test_somebody_elses_proposal_is_not_there(books: Books, bob: Person, proposal: int) -> None:
    with pytest.raises(NotFound):
        confirmed(books, bob, proposal)
    assert orders_in(books) == []


def test_what_placing_refuses_leaves_the_proposal_open(
    books: Books, alice: Person, ada: Person, market: FakeMarket
) -> None:
    market.set_quote("AAPL", "166.19")
    number = books.run(propose, alice.id, TICKET)
    with pytest.raises(Refused) as caught:
        confirmed(books, alice, number)
    assert caught.value.code == "INSUFFICIENT_FUNDS"
    give_cash(alice, "5000.00", admin=ada, market=market)
    assert confirmed(books, alice, number)["order_status"] == "pending"


# Over HTTP.


class TestOverHttp:
    @pytest.fixture
    def settings(self, gemini: GeminiStandIn) -> dict[str, str]:
        return gemini_settings(gemini)

    @pytest.fixture
    def trader(self, app: Flask, alice: Person, ada: Person, market: FakeMarket, assistant: object) -> VenueClient:
        market.set_quote("AAPL", "166.19")
        with app.app_context():
            give_cash(alice, "5000.00", admin=ada, market=market)
        return app.test_client().log_in(alice)

    def draft(self, trader: VenueClient, gemini: GeminiStandIn, **more: Any) -> dict[str, Any]:
        fields = {"ticker": "aapl", "order_type": "buy", "execution_type": "market", "quantity": 10}
        gemini.reply = asks_first(calls("draft_order", **{**fields, **more}), then="Look at the card.")
        proposed = ask(trader, "Buy 10 AAPL for me.")["message"]["proposals"]
        return proposed[0] if proposed else {}

    def test_the_card_shows_the_tickets_own_preview(
        self, app: Flask, trader: VenueClient, gemini: GeminiStandIn
    ) -> None:
        proposed = self.draft(trader, gemini)
        assert proposed["ticket"] == {
            "ticker": "AAPL", "order_type": "buy", "execution_type": "market", "quantity": 10, "time_in_force": "gtc",
        }  # fmt: skip
        shown = trader.post("/user/api/preview_order", json=proposed["ticket"]).json["data"]
        assert proposed["preview"] == {name: shown[name] for name in proposed["preview"]}
        assert proposed["state"] == "open"
        assert 115 <= proposed["seconds_left"] <= 120
        with app.app_context(), Session(db.engine) as session:
            assert session.scalars(select(Order)).all() == []

    def test_pressing_confirm_places_it(self, app: Flask, trader: VenueClient, gemini: GeminiStandIn) -> None:
        proposed = self.draft(trader, gemini)
        place = f"/user/api/chat/proposals/{proposed['proposal_id']}/confirm"
        key = {"Idempotency-Key": "press"}
        first = trader.post(place, json=proposed["ticket"], headers=key)
        assert first.status_code == 200
        assert first.json["order_status"] == "filled"
        assert trader.post(place, json=proposed["ticket"], headers=key).json == first.json
        assert_refused(trader.post(place, json=proposed["ticket"]), 409, "PROPOSAL_USED")
        with app.app_context(), Session(db.engine) as session:
            assert len(session.scalars(select(Order)).all()) == 1

    def test_nobody_else_can(self, app: Flask, trader: VenueClient, bob: Person, gemini: GeminiStandIn) -> None:
        proposed = self.draft(trader, gemini)
        place = f"/user/api/chat/proposals/{proposed['proposal_id']}/confirm"
        before = books_of(app)
        assert_refused(app.test_client().log_in(bob).post(place, json=proposed["ticket"]), 404, "NO_SUCH_PROPOSAL")
        assert_refused(app.test_client().post(place, json=proposed["ticket"]), 401)
        assert_refused(trader.post(place, json=proposed["ticket"], csrf=False), 403, "CSRF_FAILED")
        assert_refused(trader.post(place, json=proposed["ticket"] | {"quantity": 1000}), 422, "PROPOSAL_DIFFERS")
        assert_refused(trader.get(place), 405)
        assert books_of(app) == before

    def test_two_minutes_later_it_is_over(self, trader: VenueClient, gemini: GeminiStandIn) -> None:
        proposed = self.draft(trader, gemini)
        place = f"/user/api/chat/proposals/{proposed['proposal_id']}/confirm"
        with time_machine.travel(datetime.now(UTC) + timedelta(seconds=121), tick=False):
            assert_refused(trader.post(place, json=proposed["ticket"]), 422, "PROPOSAL_EXPIRED")

    @pytest.mark.parametrize(
        "fields",
        [
            {"quantity": 0}, {"quantity": -5}, {"quantity": 1.5}, {"quantity": "all"}, {"order_type": "short"},
            {"execution_type": "limit"}, {"price": 5}, {"ticker": "../etc"}, {"confirm": True}, {"user_id": 2},
            {"time_in_force": "forever"}, {"quantity": {"$gt": 0}}, {"price": "NaN", "execution_type": "limit"},
        ],
    )  # fmt: skip
    def test_a_malformed_draft_makes_no_card(
        self, trader: VenueClient, gemini: GeminiStandIn, fields: dict[str, Any]
    ) -> None:
        assert self.draft(trader, gemini, **fields) == {}
        result = gemini.requests[-1]["contents"][-1]["parts"][0]["functionResponse"]["response"]["data"]
        assert result["code"] == "INVALID_INPUT"

    def test_an_order_that_would_be_refused_says_so_on_its_card(
        self, trader: VenueClient, gemini: GeminiStandIn
    ) -> None:
        proposed = self.draft(trader, gemini, quantity=1_000)
        assert proposed["preview"]["refused"]["code"] == "INSUFFICIENT_FUNDS"

    def test_an_answer_makes_one_proposal(self, trader: VenueClient, gemini: GeminiStandIn) -> None:
        one = calls("draft_order", ticker="AAPL", order_type="buy", execution_type="market", quantity=1)
        gemini.reply = asks_first(one, one, one, then="Three cards?")
        assert len(ask(trader, "Buy, buy, buy.")["message"]["proposals"]) == 1
        assert "One proposal" in json.dumps(gemini.requests[-1])

    def test_commands_propose_without_a_model(self, trader: VenueClient, gemini: GeminiStandIn) -> None:
        message = ask(trader, "/buy 3 AAPL at 150")["message"]
        (proposed,) = message["proposals"]
        assert proposed["ticket"]["price"] == "150"
        assert proposed["ticket"]["execution_type"] == "limit"
        assert gemini.requests == []
        assert ask(trader, "/sell 3 AAPL")["message"]["proposals"][0]["preview"]["refused"]
        assert ask(trader, "/buy AAPL")["message"]["proposals"] == []
