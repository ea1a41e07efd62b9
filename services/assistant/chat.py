"""A message and its answer: counted, stored, answered by the model or, for a command, by the tools themselves."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

from sqlalchemy.orm import Session

from services.assistant import commands, conversations, limits, prompt, views
from services.assistant.answering import Answering, Event, Outcome
from services.assistant.assistant import Assistant, Run, Work
from services.assistant.conversations import Past
from services.assistant.toolbox import Asker
from services.errors import Conflict, DomainError, NotFound
from services.idempotency import RequestKey, once
from services.transaction import run_unit
from utils.chat_model import ChatModel, ModelError, stream_with_retry


def answer_command(asker: Asker, conversation_id: int | None, text: str, key: RequestKey | None) -> dict[str, Any]:
    """Answer a command at once, without the model. Answers the view of the answer and its conversation."""
    outcome = commands.perform(asker, text)
    number = _begin(asker, conversation_id, text, key, counted=False)
    return _finish(asker, number, outcome)


def start_answer(
    assistant: Assistant, asker: Asker, conversation_id: int | None, text: str, key: RequestKey | None
) -> Run:
    """Begin to answer a message by the model. The run's last event is ("done", the answer's view) or ("failed",
    {error}). Raises what `Assistant.start` raises, TooMany at a limit, NotFound for another's conversation.
    """

    def prepare() -> Work:
        number = _begin(asker, conversation_id, text, key, counted=True)
        return lambda run: _answer(assistant, asker, number, run)

    return assistant.start(prepare)


def _begin(asker: Asker, conversation_id: int | None, text: str, key: RequestKey | None, *, counted: bool) -> int:
    """Store the message, counted where a model is asked. Raises Conflict for a message that was sent before."""
    mine = secrets.token_hex(8)

    def unit(session: Session, *, key: RequestKey | None) -> dict[str, Any]:
        def effect() -> dict[str, Any]:
            now = asker.clock()
            if counted:
                limits.take(session, asker.user_id, asker.config, now)
            number = conversations.begin(session, asker.user_id, conversation_id, text, now)
            return {"conversation_id": number, "request": mine}

        return once(session, key, effect)

    begun = run_unit(unit, key=key)
    if begun["request"] != mine:
        raise Conflict(
            "This message was sent before. Its answer is in the conversation.",
            code="ALREADY_ASKED",
            details={"conversation_id": begun["conversation_id"]},
        )
    number: int = begun["conversation_id"]
    return number


def _answer(assistant: Assistant, asker: Asker, number: int, run: Run) -> Iterator[Event]:
    assert assistant.model is not None, "start() refuses without a model"
    yield "begun", {"conversation_id": number}
    past = _read(asker, number)
    answering = Answering(asker, assistant.model, past, run.stopped.is_set)
    yield from answering.events()
    outcome = answering.outcome
    if outcome.state != "stopped":
        assistant.heard(outcome.fault)
    _note(asker, outcome)
    if outcome.error is not None:
        _store_failure(asker, number, outcome)
        yield "failed", {"error": outcome.error, "conversation_id": number}
        return
    try:
        yield "done", _finish(asker, number, outcome)
    except NotFound:
        return  # deleted while it was answered
    _summarise(asker, assistant.model, number)


def _finish(asker: Asker, number: int, outcome: Outcome) -> dict[str, Any]:
    """Store an answer and show it."""
    _store(asker, number, outcome.text, outcome)
    past = _read(asker, number)
    view = views.message_view(past, len(past.messages) - 1)
    return {"conversation_id": number, "title": past.title, "message": view}


def _store_failure(asker: Asker, number: int, outcome: Outcome) -> None:
    assert outcome.error is not None
    said = f"{outcome.text.strip()}\n\n{outcome.error.message}".strip()
    outcome.drafts.clear()
    try:
        _store(asker, number, said, outcome)
    except NotFound:
        return


def _store(asker: Asker, number: int, text: str, outcome: Outcome) -> None:
    run_unit(
        conversations.finish,
        asker.user_id,
        number,
        text,
        outcome.state,
        outcome.sources,
        outcome.drafts,
        asker.clock(),
    )


def _note(asker: Asker, outcome: Outcome) -> None:
    run_unit(
        limits.note,
        asker.user_id,
        asker.clock(),
        prompt_tokens=outcome.prompt_tokens,
        answer_tokens=outcome.answer_tokens,
        tool_calls=outcome.tool_calls,
        failures=1 if outcome.error is not None else 0,
    )


def _read(asker: Asker, number: int) -> Past:
    with asker.open_session() as session:
        return conversations.read(session, asker.user_id, number, asker.clock())


def _summarise(asker: Asker, model: ChatModel, number: int) -> None:
    """Shorten what is older than the budget, after the answer has gone out. What fails is tried after the next one."""
    try:
        past = _read(asker, number)
        older = prompt.to_summarise(asker, past)
        if not older:
            return
        pieces = list(stream_with_retry(model, prompt.summary_request(asker, past, older)))
    except (ModelError, DomainError):
        return
    text = "".join(piece for piece in pieces if isinstance(piece, str))[: prompt.LONGEST_SUMMARY].strip()
    if text:
        run_unit(conversations.summarise, asker.user_id, number, text, older[-1].message_id)
