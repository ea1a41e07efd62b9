"""What the assistant stores, on both databases: conversations, counts and reports, also when many ask at once."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from conftest import Books
from factories import Person
from models import ChatConversation, ChatMessage, ChatReport, ChatToolResult, ChatUsage
from races import race
from services.assistant import conversations, limits, reports
from services.assistant.proposals import Draft
from services.assistant.sources import Source
from services.errors import NotFound, TooMany

NOW = datetime(2026, 1, 5, 10, 0, 30, tzinfo=UTC)
QUOTE = Source("get_quote", {"tickers": ["AAPL"]}, {"last": 166.19}, "Quote of AAPL", NOW)
BUY = Draft({"ticker": "AAPL", "order_type": "buy", "execution_type": "market", "quantity": 1}, {"commission": 0})


BASIS = {"results": [{"ticker": "AAPL", "metrics": {"volatility": 0.31}}], "model": "gemini"}


def with_limits(books: Books, **limits_of: int) -> Any:
    chosen = {"minute": 0, "day": 0, "token": 0, "total_minute": 0, "total_day": 0, "total_token": 0} | limits_of
    return replace(books.config, **{f"assistant_{name}_limit": value for name, value in chosen.items()})


def taken(books: Books, person: Person) -> int:
    with books.session() as session:
        query = select(func.sum(ChatUsage.messages)).where(ChatUsage.user_id == person.id)
        return int(session.scalar(query) or 0)


def rows(session: Session, model: type[Any]) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


class TestLimits:
    @pytest.mark.parametrize("kind", ["day", "minute"])
    def test_eight_threads_do_not_get_past_a_traders_limit(self, books: Books, alice: Person, kind: str) -> None:
        config = with_limits(books, **{kind: 10})
        ended = race([lambda: books.run(limits.take, alice.id, config, NOW)] * 40, threads=8)
        assert ended == {"done": 10, "ASSISTANT_LIMIT": 30}
        assert taken(books, alice) == 10

    def test_the_first_of_a_day_are_counted_each(self, books: Books, alice: Person, bob: Person) -> None:
        """All of them make the day's row at once, and one does."""
        config = with_limits(books)
        asked = [
            lambda person=person, day=day: books.run(limits.take, person.id, config, NOW + timedelta(days=day))
            for day in range(3)
            for person in (alice, bob)
            for _ in range(8)
        ]
        assert race(asked, threads=8) == {"done": 48}
        assert (taken(books, alice), taken(books, bob)) == (24, 24)

    def test_notes_of_many_answers_add_up(self, books: Books, alice: Person) -> None:
        noted = [lambda: books.run(limits.note, alice.id, NOW, prompt_tokens=7, answer_tokens=3, failures=1)] * 24
        assert race(noted, threads=8) == {"done": 24}
        with books.session() as session:
            row = session.scalars(select(ChatUsage)).one()
            assert (row.prompt_tokens, row.answer_tokens, row.failures, row.messages) == (168, 72, 24, 0)

    def test_a_new_minute_a_new_day_and_the_tokens(self, books: Books, alice: Person) -> None:
        config = with_limits(books, minute=1, token=100)
        books.run(limits.take, alice.id, config, NOW)
        with pytest.raises(TooMany):
            books.run(limits.take, alice.id, config, NOW + timedelta(seconds=29))
        books.run(limits.take, alice.id, config, NOW + timedelta(seconds=30))
        books.run(limits.note, alice.id, NOW, prompt_tokens=60, answer_tokens=40)
        with pytest.raises(TooMany) as caught:
            books.run(limits.take, alice.id, config, NOW + timedelta(hours=1))
        assert "tokens" in caught.value.message
        books.run(limits.take, alice.id, config, NOW + timedelta(days=1))
        with books.session() as session:
            used = limits.usage_by_day(session, NOW + timedelta(days=1))
            assert [(one["messages"], one["prompt_tokens"]) for one in used] == [(1, 0), (2, 60)]
            (of_alice,) = limits.usage_by_trader(session, NOW + timedelta(days=1))
            assert (of_alice["user_name"], of_alice["messages"]) == (alice.name, 3)


class TestConversations:
    def test_one_is_begun_continued_renamed_and_deleted(self, books: Books, alice: Person, bob: Person) -> None:
        number = books.run(conversations.begin, alice.id, None, "How is AAPL? \N{CHART WITH UPWARDS TREND}", NOW)
        books.run(conversations.finish, alice.id, number, "It is at 166.19.", "done", [QUOTE], [BUY], NOW)
        books.run(conversations.begin, alice.id, number, "And now?", NOW + timedelta(seconds=1))
        with books.session() as session:
            past = conversations.read(session, alice.id, number, NOW)
            assert [one.role for one in past.messages] == ["user", "assistant", "user"]
            assert past.messages[0].content.endswith("\N{CHART WITH UPWARDS TREND}")
            (source,) = past.sources()
            assert (source.result, source.market_time) == (QUOTE.result, NOW)
            assert past.messages[1].proposals[0]["state"] == "open"
            with pytest.raises(NotFound):
                conversations.read(session, bob.id, number, NOW)
            assert conversations.listed(session, bob.id) == []
        for refused in (
            lambda: books.run(conversations.rename, bob.id, number, "Mine"),
            lambda: books.run(conversations.remove, bob.id, number),
            lambda: books.run(conversations.begin, bob.id, number, "Mine", NOW),
        ):
            with pytest.raises(NotFound):
                refused()
        books.run(conversations.remove, alice.id, number)
        with books.session() as session:
            assert [rows(session, one) for one in (ChatConversation, ChatMessage, ChatToolResult)] == [0, 0, 0]

    def test_messages_of_many_threads_are_all_kept(self, books: Books, alice: Person) -> None:
        number = books.run(conversations.begin, alice.id, None, "First", NOW)
        more = [lambda: books.run(conversations.begin, alice.id, number, "Next", NOW)] * 16
        assert race(more, threads=8) == {"done": 16}
        with books.session() as session:
            assert len(conversations.read(session, alice.id, number, NOW).messages) == 17

    def test_an_answer_to_a_conversation_that_is_deleted_meanwhile_leaves_nothing(
        self, books: Books, alice: Person
    ) -> None:
        number = books.run(conversations.begin, alice.id, None, "First", NOW)
        gate = threading.Barrier(2)

        def answer() -> None:
            gate.wait()
            books.run(conversations.finish, alice.id, number, "It is.", "done", [QUOTE], [BUY], NOW)

        def delete() -> None:
            gate.wait()
            books.run(conversations.remove, alice.id, number)

        ended = race([answer, delete], threads=2)
        assert ended["done"] >= 1
        assert set(ended) <= {"done", "NO_SUCH_CONVERSATION"}
        with books.session() as session:
            assert [rows(session, one) for one in (ChatConversation, ChatMessage, ChatToolResult)] == [0, 0, 0]


def test_a_report_that_many_finish_at_once_is_kept_once(books: Books, alice: Person, bob: Person) -> None:
    kept = [lambda: books.run(reports.store, alice.id, BASIS, "A report", NOW)] * 16
    assert race(kept, threads=8) == {"done": 16}
    books.run(reports.store, bob.id, BASIS, "Another's", NOW)
    with books.session() as session:
        assert rows(session, ChatReport) == 2
        assert session.scalars(select(ChatReport.content).where(ChatReport.user_id == alice.id)).one() == "A report"


def test_deleting_and_answering_at_once_leaves_nothing_behind(books: Books, alice: Person) -> None:
    """Each answer is stored whole before the conversation goes, or finds it gone."""

    def talk(number: int | None) -> int:
        begun: int = books.run(conversations.begin, alice.id, number, "Buy one AAPL", NOW)
        books.run(conversations.finish, alice.id, begun, "See the card.", "done", [QUOTE], [BUY], NOW)
        return begun

    for _ in range(3):
        number = talk(None)
        works = [lambda n=number: books.run(conversations.remove, alice.id, n)] * 2
        works += [lambda n=number: talk(n)] * 6
        ended = race(works, threads=8)
        assert ended["done"] + ended["NO_SUCH_CONVERSATION"] == 8
    with books.session() as session:
        assert [rows(session, one) for one in (ChatConversation, ChatMessage, ChatToolResult)] == [0, 0, 0]
