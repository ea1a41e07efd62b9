"""The assistant over HTTP against the Gemini stand-in: answers, tools, sources, commands, conversations, faults."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant_help import CHAT, KEY, STREAM, ask, events_of, gemini_settings, give_bars
from factories import Person, give_cash, give_shares
from fake_market import FakeMarket
from models import ChatConversation, ChatMessage, ChatUsage, Order, db
from services.assistant.assistant import Assistant
from services.errors import TooMany, Unavailable
from standins.gemini import GeminiStandIn, asks_first, calls, says
from utils.chat_model import ModelAway
from web_client import VenueClient
from web_help import assert_refused, books_of

MORNING = datetime(2026, 1, 5, 10, 0, 30, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("assistant")


@pytest.fixture
def settings(gemini: GeminiStandIn) -> dict[str, str]:
    return gemini_settings(gemini)


@pytest.fixture
def trader(client: VenueClient, alice: Person, market: FakeMarket) -> VenueClient:
    market.set_quote("AAPL", "166.19", previous_close=Decimal("169.53"))
    return client.log_in(alice)


QUOTE = calls("get_quote", tickers=["AAPL"])


# Answers.


def test_an_answer_is_made_of_a_tools_figures(trader: VenueClient, gemini: GeminiStandIn) -> None:
    gemini.reply = asks_first(
        QUOTE, then=lambda got: f"AAPL is at **{got[0]['response']['data']['quotes'][0]['last']}**."
    )
    answer = ask(trader, "What is AAPL at?")
    assert answer["success"] is True
    assert answer["response"] == "AAPL is at **166.19**."
    assert answer["message"]["html"] == "<p>AAPL is at <strong>166.19</strong>.</p>\n"
    assert answer["message"]["unsourced"] == []
    source = answer["message"]["sources"][0]
    assert source["label"] == "Quote of AAPL"
    assert source["market_time"] == "2008-09-02T16:00:00Z"


def test_an_invented_figure_is_marked(trader: VenueClient, gemini: GeminiStandIn) -> None:
    gemini.reply = asks_first(QUOTE, then="AAPL is at 166.19, and will be at $250 by 2 Jan 2009.")
    answer = ask(trader, "Where will AAPL be?")
    assert answer["message"]["unsourced"] == ["$250", "2 Jan 2009"]
    assert "$250 [not from this system's data]" in answer["response"]
    marks = BeautifulSoup(answer["message"]["html"], "html.parser").find_all("mark")
    assert [mark.text for mark in marks] == ["$250", "2 Jan 2009"]


def test_the_stream_shows_the_answer_as_it_comes(trader: VenueClient, gemini: GeminiStandIn) -> None:
    gemini.reply = asks_first(QUOTE, then="AAPL is at 166.19 now.")
    answer = trader.post(STREAM, json={"message": "AAPL?"})
    assert answer.mimetype == "text/event-stream"
    events = events_of(answer.text)
    names = [name for name, _ in events]
    assert names[:2] == ["begun", "tool"]
    assert "html" in names
    assert names[-1] == "done"
    assert events[-1][1]["message"]["text"] == "AAPL is at 166.19 now."


def test_half_a_figure_is_never_shown(trader: VenueClient, gemini: GeminiStandIn) -> None:
    gemini.reply = says("It is 166.19 or so, and no more.")
    answer = trader.post(STREAM, json={"message": "AAPL?"})
    for name, data in events_of(answer.text):
        if name == "html":
            assert (
                not BeautifulSoup(data["html"], "html.parser")
                .text.rstrip()
                .endswith(("1", "16", "166", "166.", "166.1"))
            )


def test_stop_ends_the_answer_and_keeps_what_was_said(
    app: Flask, trader: VenueClient, gemini: GeminiStandIn, assistant: Assistant
) -> None:
    gemini.reply = says("one two three four five")
    gemini.pause.clear()
    stream = trader.post(STREAM, json={"message": "Count."}, buffered=False)
    pieces = iter(stream.response)
    assert "begun" in _text(next(pieces))
    stream.close()  # the reader has gone
    gemini.pause.set()
    assistant.close()
    with app.app_context(), Session(db.engine) as session:
        message = session.scalars(select(ChatMessage).where(ChatMessage.role == "assistant")).one()
        assert message.state == "stopped"
        assert message.content.strip() in ("", "one")


def _text(piece: bytes | str) -> str:
    return piece.decode() if isinstance(piece, bytes) else piece


def test_tools_see_only_the_askers_account(
    app: Flask, trader: VenueClient, alice: Person, bob: Person, ada: Person, market: FakeMarket, gemini: GeminiStandIn
) -> None:
    with app.app_context():
        config = app.extensions["config"]
        give_cash(alice, "1234.56", admin=ada, market=market)
        give_cash(bob, "98765.43", admin=ada, market=market)
        give_shares(bob, "MSFT", 77, "27.10", admin=ada, market=market, config=config)
    for call in (calls("get_balances", user_id=bob.id), calls("get_holdings", user="Bob"), calls("get_balances")):
        gemini.reply = asks_first(call, then=lambda got: json.dumps(got))
        said = ask(trader, "What has Bob?")["response"]
        assert "98765" not in said
        assert "77" not in said
    assert "1234.56" in said
    assert "98765" not in gemini.bodies()


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (calls("get_quote", tickers=["AAPL", "GOOG"]), "without_a_price"),
        (calls("get_bars", ticker="AAPL", period="3mo"), "change_percent"),
        (calls("get_indicators", ticker="AAPL", spec="sma:20,rsi:14"), "RSI"),
        (calls("get_risk", tickers=["AAPL", "MSFT"], window=252), "sharpe_ratio"),
        (calls("simulate", ticker="AAPL", days=30, simulations=200), "probability_of_gain"),
        (calls("get_fundamentals", ticker="AAPL"), "no reported figures"),
        (calls("get_balances"), "available_balance"),
        (calls("get_holdings"), "number_of_holdings"),
        (calls("get_open_orders"), "number_of_open_orders"),
        (calls("get_market_hours"), "next_opens"),
        (calls("search_instruments", text="apple"), "Apple Inc."),
        (calls("no_such_tool"), "no such tool"),
        (calls("get_quote", tickers="AAPL"), "must be a list"),
        (calls("get_quote", tickers=["NOPE"]), "not known"),
        (calls("get_risk", tickers=["AAPL"], window=10**9), "whole number"),
        (calls("get_bars"), "exchange symbol"),
        (calls("get_bars", ticker="AAPL", period={"deep": []}), "must be one of"),
    ],
)
def test_each_tool_answers_the_model(
    app: Flask, trader: VenueClient, market: FakeMarket, gemini: GeminiStandIn, call: dict[str, Any], expected: str
) -> None:
    give_bars(app, market)
    gemini.reply = asks_first(call, then=lambda got: "`" + json.dumps(got) + "`")
    assert expected in ask(trader, "Tell me.")["response"]


def test_tools_are_asked_at_most_six_rounds(trader: VenueClient, gemini: GeminiStandIn) -> None:
    gemini.reply = lambda _request: [QUOTE]
    assert_refused(trader.post(CHAT, json={"message": "Loop."}), 503, "ASSISTANT_CONFUSED")
    assert len(gemini.requests) == 7
    assert "tools" not in gemini.requests[-1] or not gemini.requests[-1]["tools"]


# What leaves the host.


def test_only_declared_fields_leave_the_host(
    app: Flask, trader: VenueClient, alice: Person, ada: Person, market: FakeMarket, gemini: GeminiStandIn
) -> None:
    give_bars(app, market)
    with app.app_context():
        give_cash(alice, "5000.00", admin=ada, market=market)
    order = {"ticker": "AAPL", "order_type": "buy", "execution_type": "limit", "quantity": 3, "price": 100}
    number = trader.post("/user/api/create_order", json=order).json["order_id"]
    every = [
        calls("get_balances"), calls("get_holdings"), calls("get_open_orders"), calls("get_market_hours"), QUOTE,
        calls("draft_order", ticker="AAPL", order_type="buy", execution_type="market", quantity=1),
    ]  # fmt: skip
    gemini.reply = asks_first(*every, then="Here you are.")
    ask(trader, f"I am Alice, alice@example.com. How do I stand? My order is {number}.")
    for path, head in gemini.heads:
        assert "alice" not in path.lower()
        assert "cookie" not in head
        assert not {name for name in head if name.startswith(("x-csrf", "referer", "origin"))}
    body = gemini.bodies()
    for secret in ("Alice", "alice@", "example.com", "user_id", "order_id", "user_name", KEY, "only-for-tests"):
        assert secret not in body, secret
    names = _field_names(gemini.requests)
    assert not {name for name in names if name.endswith("_id") or "email" in name or "password" in name}
    assert names <= DECLARED, names - DECLARED


def _field_names(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*(_field_names(one) for one in value.values()))
    return set().union(*(_field_names(one) for one in value)) if isinstance(value, list) else set()


# Every name of a field that may be sent to Gemini: the protocol's, the declarations' of tools, their results'.
DECLARED = set(
    """
    contents role parts text functionCall functionResponse name args response data systemInstruction tools
    functionDeclarations description parameters type properties required items enum generationConfig temperature
    topP topK maxOutputTokens safetySettings category threshold model format nullable ticker tickers period spec
    window days simulations order_type execution_type quantity price stop_price trail_percent trail_amount
    time_in_force available_balance frozen_balance total_balance holdings_value equity unrealised_profit
    unrealised_profit_percent realised_profit commission_paid total_profit deposits withdrawals
    holdings_without_a_price holdings number_of_holdings open_orders number_of_open_orders order_execution_type
    order_price order_quantity filled_quantity remaining_quantity reserved_amount order_status accepted_at
    market_time state source speed closes next_opens next_closes quotes last bid ask change change_percent open high
    low previous_close volume quote_time without_a_price placed note order preview worst_case_cost commission
    estimated_price available_after free_quantity when opens_at expires_at profile warnings refused
    """.split()  # noqa: SIM905
)


def test_prompts_and_answers_are_not_logged(app: Flask, trader: VenueClient, gemini: GeminiStandIn) -> None:
    gemini.reply = says("A very private answer.")
    ask(trader, "A very private question.")
    gemini.mode = "broken"
    trader.post(CHAT, json={"message": "Another private question."})
    for log in app.extensions["config"].log_dir.glob("*.log"):
        assert "private" not in log.read_text(encoding="utf-8")
        assert KEY not in log.read_text(encoding="utf-8")


# Conversations.


def test_a_conversation_is_kept_continued_renamed_and_deleted(
    app: Flask, trader: VenueClient, gemini: GeminiStandIn
) -> None:
    gemini.reply = says("First answer.")
    number = ask(trader, "First question")["conversation_id"]
    gemini.reply = says("Second answer.")
    assert ask(trader, "And now?", conversation_id=number)["conversation_id"] == number
    sent = gemini.requests[-1]["contents"]
    assert [(one["role"], one["parts"][0]["text"]) for one in sent] == [
        ("user", "First question"), ("model", "First answer."), ("user", "And now?"),
    ]  # fmt: skip
    listed = trader.get("/user/api/chat/conversations").json["conversations"]
    assert [(one["conversation_id"], one["title"]) for one in listed] == [(number, "First question")]
    place = f"/user/api/chat/conversations/{number}"
    assert trader.post(f"{place}/rename", json={"title": "About <b>AAPL</b>"}).status_code == 200
    shown = trader.get(place).json["data"]
    assert shown["title"] == "About <b>AAPL</b>"
    assert [one["role"] for one in shown["messages"]] == ["user", "assistant"] * 2
    assert trader.post(f"{place}/delete", json={}).status_code == 200
    assert_refused(trader.get(place), 404, "NO_SUCH_CONVERSATION")
    with app.app_context(), Session(db.engine) as session:
        assert session.scalars(select(ChatMessage)).all() == []


def test_somebody_elses_conversation_is_not_there(
    app: Flask, trader: VenueClient, bob: Person, gemini: GeminiStandIn
) -> None:
    number = ask(trader, "My secret question")["conversation_id"]
    stranger = app.test_client().log_in(bob)
    before = books_of(app)
    place = f"/user/api/chat/conversations/{number}"
    assert_refused(stranger.get(place), 404, "NO_SUCH_CONVERSATION")
    assert_refused(stranger.post(f"{place}/rename", json={"title": "Mine"}), 404)
    assert_refused(stranger.post(f"{place}/delete", json={}), 404)
    for path in (CHAT, STREAM):
        assert_refused(stranger.post(path, json={"message": "Go on", "conversation_id": number}), 404)
        assert_refused(stranger.post(path, json={"message": "/help", "conversation_id": number}), 404)
    assert stranger.get("/user/ai_assistant", query_string={"conversation": number}).status_code == 404
    assert stranger.get("/user/api/chat/conversations").json["conversations"] == []
    assert books_of(app) == before


def test_older_turns_are_summarised_and_the_rest_kept_within_the_budget(
    app: Flask, trader: VenueClient, gemini: GeminiStandIn, assistant: Assistant
) -> None:
    def reply(request: dict[str, Any]) -> list[dict[str, Any]]:
        asked_to_summarise = "Summarise" in request["systemInstruction"]["parts"][0]["text"]
        return [{"text": "They spoke of zebras."}] if asked_to_summarise else [{"text": "Well. " * 250}]

    gemini.reply = reply
    number = None
    for turn in range(9):
        more = {} if number is None else {"conversation_id": number}
        number = ask(trader, f"Question {turn}: " + "why? " * 100, **more)["conversation_id"]
        assistant.close()
    assert any("Summarise" in one["systemInstruction"]["parts"][0]["text"] for one in gemini.requests)
    ask(trader, "What did we speak of?", conversation_id=number)
    last = gemini.requests[-1]
    if "Summarise" in last["systemInstruction"]["parts"][0]["text"]:
        last = gemini.requests[-2]
    assert "They spoke of zebras." in last["systemInstruction"]["parts"][0]["text"]
    said = json.dumps(last["contents"])
    assert "Question 0" not in said
    assert "What did we speak of?" in said
    assert len(said) < 4 * 6_000 * 1.2


def test_a_message_that_is_sent_twice_is_answered_once(app: Flask, trader: VenueClient, gemini: GeminiStandIn) -> None:
    head = {"Idempotency-Key": "one-intention"}
    first = trader.post(CHAT, json={"message": "Once."}, headers=head)
    second = trader.post(CHAT, json={"message": "Once."}, headers=head)
    assert first.status_code == 200
    assert_refused(second, 409, "ALREADY_ASKED")
    assert second.json["details"]["conversation_id"] == first.json["conversation_id"]
    assert len(gemini.requests) == 1
    with app.app_context(), Session(db.engine) as session:
        assert len(session.scalars(select(ChatMessage)).all()) == 2
        assert session.scalars(select(ChatUsage)).one().messages == 1


@pytest.mark.parametrize("path", [CHAT, STREAM])
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "message"),
        ({"message": ""}, "message"),
        ({"message": "   "}, "message"),
        ({"message": 5}, "message"),
        ({"message": "x" * 4_001}, "message"),
        ({"message": "Hi", "conversation_id": "1"}, "conversation_id"),
        ({"message": "Hi", "conversation_id": 0}, "conversation_id"),
        ({"message": "Hi", "conversation_id": True}, "conversation_id"),
        ({"message": "Hi", "user_id": 2}, "user_id"),
    ],
)
def test_a_malformed_message_is_refused(
    app: Flask, trader: VenueClient, gemini: GeminiStandIn, path: str, body: dict[str, Any], field: str
) -> None:
    before = books_of(app)
    assert_refused(trader.post(path, json=body), 400, "INVALID_INPUT", field)
    assert gemini.requests == []
    assert books_of(app) == before


# Faults.


@pytest.mark.parametrize(
    ("mode", "status", "code"),
    [
        ("rate_limited", 503, "ASSISTANT_BUSY"),
        ("broken", 503, "ASSISTANT_AWAY"),
        ("bad_key", 503, "ASSISTANT_MISCONFIGURED"),
        ("garbage", 503, "ASSISTANT_CONFUSED"),
        ("malformed", 503, "ASSISTANT_CONFUSED"),
        ("refusal", 422, "ASSISTANT_DECLINED"),
        ("blocked", 422, "ASSISTANT_DECLINED"),
    ],
)
def test_each_fault_is_told_and_kept_in_the_conversation(
    app: Flask, trader: VenueClient, gemini: GeminiStandIn, mode: str, status: int, code: str
) -> None:
    gemini.mode = mode
    assert_refused(trader.post(CHAT, json={"message": "Hello?"}), status, code)
    events = events_of(trader.post(STREAM, json={"message": "Hello?"}).text)
    if events:  # the breaker may be open by now, then there is no stream
        assert events[-1][0] == "failed"
        assert (events[-1][1]["status"], events[-1][1]["code"]) == (status, code)
    with app.app_context(), Session(db.engine) as session:
        states = session.scalars(select(ChatMessage.state).where(ChatMessage.role == "assistant")).all()
        assert set(states) == {"failed"}
        assert session.scalars(select(ChatUsage)).one().failures >= 1


def test_a_megabyte_becomes_a_short_answer_or_none(trader: VenueClient, gemini: GeminiStandIn) -> None:
    gemini.mode = "huge"
    answer = trader.post(CHAT, json={"message": "Tell me everything."})
    assert answer.status_code in (200, 503)
    assert len(answer.text) < 100_000


class TestHanging:
    """Gemini takes the request and says nothing."""

    @pytest.fixture
    def settings(self, gemini: GeminiStandIn) -> dict[str, str]:
        return gemini_settings(gemini, GEMINI_TIMEOUT="0.5", ASSISTANT_AT_ONCE="2")

    def test_who_hangs_is_given_up_and_then_not_asked(self, trader: VenueClient, gemini: GeminiStandIn) -> None:
        gemini.mode = "hang"
        for _ in range(3):
            assert_refused(trader.post(CHAT, json={"message": "Hello?"}), 503, "ASSISTANT_AWAY")
        asked = len(gemini.requests)
        refused = trader.post(CHAT, json={"message": "Hello?"})
        assert_refused(refused, 503, "ASSISTANT_AWAY")
        assert 1 <= int(refused.headers["Retry-After"]) <= 30
        assert len(gemini.requests) == asked == 3

    def test_after_its_pause_one_alone_tries_again(self, assistant: Assistant) -> None:
        """Nobody else waits for a model that is probably still away."""
        asked, answer = threading.Event(), threading.Event()

        def work(_run: Any) -> Any:
            asked.set()
            answer.wait(10)
            return iter(())

        with time_machine.travel(MORNING, tick=False) as moved:
            for _ in range(3):
                assistant.heard(ModelAway("away"))
            with pytest.raises(Unavailable):
                assistant.start(lambda: work)
            moved.shift(timedelta(seconds=31))
            trying = assistant.start(lambda: work)
            assert asked.wait(10)
            with pytest.raises(TooMany):
                assistant.start(lambda: work)
            answer.set()
            assert list(trying.events(10, 10)) == []
            assistant.heard(None)
            assert assistant.status()["breaker"] == "closed"

    def test_at_most_so_many_wait_and_no_connection_with_them(
        self, app: Flask, trader: VenueClient, alice: Person, gemini: GeminiStandIn, assistant: Assistant
    ) -> None:
        """The places are taken, everybody else is turned away at once, and the pool of connections is untouched."""
        gemini.reply = says("one two")
        gemini.pause.clear()
        browsers = [app.test_client().log_in(alice) for _ in range(2)]
        streams = [browser.post(STREAM, json={"message": "Hello?"}, buffered=False) for browser in browsers]
        heard = [iter(stream.response) for stream in streams]
        assert all("begun" in _text(next(one)) for one in heard)
        _until(lambda: len(gemini.requests) == 2)
        assert_refused(trader.post(CHAT, json={"message": "Me too"}), 429, "ASSISTANT_FULL")
        with app.app_context():
            _until(lambda: db.engine.pool.checkedout() == 0)  # type: ignore[attr-defined]
        assert trader.get("/user/api/account").status_code == 200
        assert assistant.status()["running"] == 2
        for stream in streams:
            stream.close()


def _until(holds: Any) -> None:
    waiting = threading.Event()
    for _ in range(500):
        if holds():
            return
        waiting.wait(0.01)
    raise AssertionError("it never came about")


# Limits.


class TestLimits:
    @pytest.fixture
    def settings(self, gemini: GeminiStandIn) -> dict[str, str]:
        return gemini_settings(
            gemini, ASSISTANT_MINUTE_LIMIT="2", ASSISTANT_DAY_LIMIT="4", ASSISTANT_TOTAL_DAY_LIMIT="5"
        )

    def test_the_minute_the_day_and_everybody_together(
        self, app: Flask, trader: VenueClient, alice: Person, bob: Person, gemini: GeminiStandIn
    ) -> None:
        def asked(browser: VenueClient) -> tuple[int, str]:
            answer = browser.post(CHAT, json={"message": "Hi"})
            return answer.status_code, answer.json.get("code", "")

        with time_machine.travel(MORNING, tick=False) as moved:
            trader.log_in(alice)
            assert [asked(trader)[0] for _ in range(3)] == [200, 200, 429]
            moved.shift(timedelta(seconds=31))
            assert [asked(trader)[0] for _ in range(3)] == [200, 200, 429]
            moved.shift(timedelta(seconds=61))
            full = trader.post(CHAT, json={"message": "Hi"})
            assert_refused(full, 429, "ASSISTANT_LIMIT")
            assert "today" in full.json["message"]
            assert int(full.headers["Retry-After"]) > 3_600
            other = app.test_client().log_in(bob)
            assert asked(other)[0] == 200
            assert asked(other) == (429, "ASSISTANT_LIMIT")
            assert ask(trader, "/quote AAPL")["message"]["sources"]
            moved.shift(timedelta(days=1))
            trader.log_in(alice)
            assert asked(trader)[0] == 200
        assert len(gemini.requests) == 6


# Without a key.


class TestWithoutAKey:
    @pytest.fixture
    def settings(self) -> dict[str, str]:
        return {}

    def test_free_text_is_refused_with_the_way_out(self, app: Flask, trader: VenueClient) -> None:
        before = books_of(app)
        for path in (CHAT, STREAM):
            answer = trader.post(path, json={"message": "Hello"})
            assert_refused(answer, 503, "ASSISTANT_NO_KEY")
            assert "GEMINI_API_KEY" in answer.json["message"]
        assert books_of(app) == before

    def test_the_page_says_how_to_set_one(self, trader: VenueClient) -> None:
        page = trader.get("/user/ai_assistant").text
        assert "GEMINI_API_KEY" in page
        assert "/help" in page

    def test_commands_work(
        self, app: Flask, trader: VenueClient, alice: Person, ada: Person, market: FakeMarket
    ) -> None:
        give_bars(app, market)
        with app.app_context():
            give_cash(alice, "2500.00", admin=ada, market=market)
        expected = {
            "/help": "/portfolio",
            "/quote AAPL": "166.19",
            "/quote": "/quote AAPL MSFT",
            "/quote NOPE": "not known",
            "/bars AAPL 1mo": "change percent",
            "/bars AAPL 1century": "must be one of",
            "/indicators AAPL sma:20 rsi:14": "RSI",
            "/risk AAPL MSFT": "Sharpe ratio",
            "/simulate AAPL 20": "Median price",
            "/simulate AAPL soon": "/simulate AAPL 60",
            "/fundamentals AAPL": "no reported figures",
            "/portfolio": "You hold no shares",
            "/balances": "2,500",
            "/orders": "no open orders",
            "/hours": "Next opens",
            "/search apple": "Apple Inc.",
            "/nonsense <script>": "There is no command",
        }
        for command, words in expected.items():
            answer = ask(trader, command)
            assert words.lower() in answer["response"].lower(), (command, answer["response"])
            assert answer["message"]["unsourced"] == []
        stream = events_of(trader.post(STREAM, json={"message": "/quote AAPL"}).text)
        assert [name for name, _ in stream] == ["done"]


# The page.


def test_the_page_lists_the_conversations(trader: VenueClient, gemini: GeminiStandIn) -> None:
    number = ask(trader, "What is <b>AAPL</b> at?")["conversation_id"]
    page = BeautifulSoup(trader.get("/user/ai_assistant", query_string={"conversation": number}).text, "html.parser")
    assert page.select_one("[data-list] a").text == "What is <b>AAPL</b> at?"
    assert page.select_one("[data-chat]")["data-conversation"] == str(number)
    assert "simulation" in page.text


def test_admins_and_strangers_have_no_assistant(app: Flask, ada: Person, gemini: GeminiStandIn) -> None:
    admin = app.test_client().log_in(ada)
    assert_refused(admin.post(CHAT, json={"message": "Hi"}), 403, "TRADERS_ONLY")
    assert_refused(app.test_client().post(CHAT, json={"message": "Hi"}), 401, "LOGIN_REQUIRED")
    assert gemini.requests == []


def test_nothing_of_the_books_changes_by_asking(app: Flask, trader: VenueClient, gemini: GeminiStandIn) -> None:
    gemini.reply = asks_first(QUOTE, calls("get_balances"), then="Done.")
    before = books_of(app)
    ask(trader, "Look around.")
    after = books_of(app)
    chat = {ChatConversation.__tablename__, ChatMessage.__tablename__, "chat_tool_result", ChatUsage.__tablename__}
    assert {name for name in after if after[name] != before[name]} == chat
    with app.app_context(), Session(db.engine) as session:
        assert session.scalars(select(Order)).all() == []


# The admins' page.


def test_admins_see_counts_and_no_words(app: Flask, trader: VenueClient, ada: Person, gemini: GeminiStandIn) -> None:
    gemini.reply = says("A private answer.")
    ask(trader, "A private question")
    page = app.test_client().log_in(ada).get("/admin/assistant")
    assert page.status_code == 200
    rows = [cell.get_text(strip=True) for cell in BeautifulSoup(page.text, "html.parser").select("tbody tr > *")]
    assert rows[1:4] == ["1", "1", "30"]
    assert rows[7:9] == ["Alice", "1"]
    assert "private" not in page.text
    assert trader.get("/admin/assistant").status_code == 403


# The terminal.


def in_terminal(app: Flask, name: str, *lines: str) -> Any:
    return app.test_cli_runner().invoke(args=["chat", name], input="\n".join(lines) + "\n")


def test_the_terminal_asks_for_the_password_and_answers(
    app: Flask, trader: VenueClient, alice: Person, gemini: GeminiStandIn
) -> None:
    gemini.reply = asks_first(QUOTE, then="AAPL is at **166.19**, soon at $999.")
    ended = in_terminal(app, "alice", alice.password, "What is AAPL at?", "/hours", "/nothing", "quit")
    assert ended.exit_code == 0, ended.output
    assert alice.password not in ended.output
    for words in ("166.19", "not from this system", "source: Quote of AAPL", "Next opens", "no command", "Goodbye"):
        assert words in ended.output.replace("\n", " "), ended.output
    assert "**" not in ended.output


def test_the_terminal_lets_nobody_in_without_the_password(app: Flask, alice: Person, gemini: GeminiStandIn) -> None:
    ended = in_terminal(app, "alice", "wrong", "Hello")
    assert ended.exit_code == 1
    assert "wrong" in ended.output
    assert gemini.requests == []


def test_a_fault_and_ctrl_c_do_not_end_the_terminal(
    app: Flask, trader: VenueClient, alice: Person, gemini: GeminiStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.assistant.assistant import Run

    gemini.mode = "bad_key"
    ended = in_terminal(app, "alice", alice.password, "Hello", "quit")
    assert "key or the model" in ended.output.replace("\n", " ")
    assert "Goodbye" in ended.output

    def pressed(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Run, "events", pressed)
    gemini.mode = "normal"
    ended = in_terminal(app, "alice", alice.password, "Hello", "quit")
    assert "Stopped." in ended.output
    assert "Goodbye" in ended.output
