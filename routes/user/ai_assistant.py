"""The AI assistant: its page, messages and their answers, conversations, and the confirmation of proposals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

from flask import Response, current_app, render_template
from flask_login import current_user
from sqlalchemy.orm import Session

from auth.permissions import user_required
from models import db
from routes import inputs
from routes.answers import succeed
from routes.contract import answered, asked
from routes.contract.operations import operation, read_body
from routes.core.errors import status_of
from routes.shared import market, settings, write
from routes.user import user_bp
from routes.user.monte_carlo import jobs
from services.assistant import conversations
from services.errors import DomainError, InvalidInput
from services.idempotency import once
from utils.datetime_utils import utc_now

if TYPE_CHECKING:
    from services.assistant.assistant import Assistant, Run
    from services.assistant.toolbox import Asker

HEARTBEAT = 1.0  # seconds: how soon the server notices that a reader has gone
GRACE = 10.0  # seconds beyond the answer's own limit until the reader is told that it takes too long
Dumps = Callable[[Any], str]
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
SUGGESTIONS = (
    "How is AAPL doing today?",
    "How risky are my holdings?",
    "Compare MSFT and IBM over the last year",
    "/portfolio",
    "/risk AAPL MSFT",
    "/help",
)


@user_bp.get("/ai_assistant")
@user_required
def ai_assistant() -> str:
    """The page, with the conversation that `conversation` names."""
    number = inputs.row_parameter("conversation")
    shown = None if number is None else conversations.read(db.session, current_user.id, number, utc_now())
    return render_template(
        "user/ai_assistant.html",
        conversations=conversations.listed(db.session, current_user.id),
        shown=shown and shown.conversation_id,
        title=shown and shown.title,
        has_key=assistant().has_model,
        suggestions=SUGGESTIONS,
        longest=conversations.LONGEST_MESSAGE,
    )


@user_bp.post("/api/chat")
@user_required
@operation("Ask the assistant", answered.Chat, body=asked.ChatBody)
def chat_api() -> Response:
    """{message, conversation_id?} answers {response} when it is whole; figures that no tool vouches for are marked."""
    ask = _read_message()
    answer = ask() if ask.is_command else _wait_for(ask.start())
    message = answer["message"]
    return succeed(response=message["text"], **answer)


@user_bp.post("/api/chat/stream")
@user_required
def chat_stream() -> Response:
    """The same as server-sent events: begun, tool, html (the answer so far), then done or failed. Whoever stops
    reading stops the answer.
    """
    ask = _read_message()
    if ask.is_command:
        return event_stream(iter([stream_event("done", ask(), current_app.json.dumps)]))
    return stream_of(ask.start())


@user_bp.get("/api/chat/conversations")
@user_required
@operation("The trader's conversations", answered.Conversations)
def chat_conversations() -> Response:
    return succeed(conversations=conversations.listed(db.session, current_user.id))


@user_bp.get("/api/chat/conversations/<row:conversation_id>")
@user_required
@operation("One conversation", answered.Anything)
def chat_conversation(conversation_id: int) -> Response:
    """One of the trader's conversations. Somebody else's is not found."""
    return succeed(data=_conversation(conversation_id))


@user_bp.post("/api/chat/conversations/<row:conversation_id>/rename")
@user_required
@operation("Rename a conversation", answered.Answer, body=asked.TitleBody)
def rename_conversation(conversation_id: int) -> Response:
    title = read_body(asked.TitleBody).title
    return succeed(**write(conversations.rename, current_user.id, conversation_id, title))


@user_bp.post("/api/chat/conversations/<row:conversation_id>/delete")
@user_required
@operation("Delete a conversation", answered.Answer)
def delete_conversation(conversation_id: int) -> Response:
    trader, key = current_user.id, inputs.request_key(current_user.actor, inputs.body_fields())

    def unit(session: Session, *, key: Any) -> dict[str, Any]:
        return once(session, key, lambda: conversations.remove(session, trader, conversation_id))

    return succeed(**write(unit, key=key))


@user_bp.post("/api/chat/proposals/<row:proposal_id>/confirm")
@user_required
@operation("Place the order of a proposal", answered.OrderDone, body=asked.AnyBody)
def confirm_proposal(proposal_id: int) -> Response:
    """Place the order of a proposal. The body must hold exactly its fields."""
    from services.assistant import proposals

    fields = inputs.body_fields()
    key = inputs.request_key(current_user.actor, fields)
    answer = write(proposals.confirm, current_user.id, proposal_id, fields, market=market(), config=settings(), key=key)
    return succeed(**answer)


def assistant() -> Assistant:
    """The application's assistant."""
    return cast("Assistant", current_app.extensions["assistant"])


def asker() -> Asker:
    """Who is logged in, for the assistant's tools."""
    from services.assistant.toolbox import Asker

    return Asker(
        user_id=current_user.id,
        name=current_user.name,
        market=market(),
        config=settings(),
        jobs=jobs(),
        open_session=lambda: Session(db.engine),
        clock=utc_now,
    )


def stream_of(run: Run) -> Response:
    """A run's events as a response."""
    return event_stream(_events_of(run, current_app.json.dumps, settings().assistant_time_limit + GRACE))


class _Message:
    """A message that was read. Calling it answers a command, `start` begins a model's answer."""

    def __init__(self, text: str, conversation_id: int | None, fields: inputs.Fields) -> None:
        from services.assistant import commands

        self.is_command = commands.is_command(text)
        self._parts = (asker(), conversation_id, text, inputs.request_key(current_user.actor, fields))

    def __call__(self) -> dict[str, Any]:
        from services.assistant import chat

        return _unbound(lambda: chat.answer_command(*self._parts))

    def start(self) -> Run:
        from services.assistant import chat

        return _unbound(lambda: chat.start_answer(assistant(), *self._parts))


def _read_message() -> _Message:
    given = read_body(asked.ChatBody)
    return _Message(given.message, given.conversation_id, inputs.body_fields())


def _unbound(work: Callable[[], Any]) -> Any:
    """Do something long without holding the request's own connection."""
    db.session.close()
    return work()


def _conversation(number: int) -> dict[str, Any]:
    from services.assistant import views

    return views.conversation_view(conversations.read(db.session, current_user.id, number, utc_now()))


def _wait_for(run: Run) -> dict[str, Any]:
    """The whole answer. Raises what made it fail."""
    longest = settings().assistant_time_limit + GRACE
    for event in run.events(HEARTBEAT, longest):
        if event is not None and event[0] == "failed":
            raise event[1]["error"]
        if event is not None and event[0] == "done":
            answer: dict[str, Any] = event[1]
            return answer
    raise InvalidInput({"conversation_id": ["was deleted while it was answered"]})


def _events_of(run: Run, dumps: Dumps, longest: float) -> Iterator[str]:
    """Runs after the request's own context has gone, and needs nothing of it."""
    try:
        for event in run.events(HEARTBEAT, longest):
            yield ": waiting\n\n" if event is None else stream_event(event[0], _told(*event), dumps)
    finally:
        # Closed early by whoever read it, this stops the answer; at its end it changes nothing.
        run.stopped.set()


def _told(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    if kind != "failed":
        return data
    error: DomainError = data["error"]
    told = {"status": status_of(error), "code": error.code, "message": error.message, "details": error.details}
    return told | {name: value for name, value in data.items() if name != "error"}


def stream_event(kind: str, data: dict[str, Any], dumps: Dumps) -> str:
    """One server-sent event."""
    return f"event: {kind}\ndata: {dumps(data)}\n\n"


def event_stream(events: Iterator[str]) -> Response:
    """Events as a response that nothing on the way may hold back."""
    return Response(events, mimetype="text/event-stream", headers=STREAM_HEADERS)
