"""Conversations as they are stored: each belongs to one trader, whose id every function here demands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from models import ChatConversation, ChatMessage, ChatProposal, ChatToolResult
from services.assistant import proposals
from services.assistant.proposals import Draft
from services.assistant.sources import Source
from services.errors import InvalidInput, NotFound, Refused
from services.transaction import repeatable

LONGEST_MESSAGE = 4_000
LONGEST_ANSWER = 12_000
LONGEST_TITLE = 80
TITLE_OF_MESSAGE = 60
MOST_CONVERSATIONS = 200
MOST_SHOWN = 200
MOST_SOURCES = 400


@dataclass(frozen=True, slots=True)
class Said:
    """A stored message with the sources and the proposals that belong to it."""

    message_id: int
    role: str
    content: str
    state: str
    created_at: datetime
    sources: tuple[Source, ...] = ()
    proposals: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Past:
    """A conversation up to now: what is remembered of its beginning, and its messages, oldest first."""

    conversation_id: int
    title: str
    summary: str
    summarised_through: int
    messages: tuple[Said, ...]

    def sources(self) -> list[Source]:
        """All that tools answered in it."""
        return [source for message in self.messages for source in message.sources]

    def own_words(self) -> list[str]:
        """What the trader said in it."""
        return [message.content for message in self.messages if message.role == "user"]


def parse_message(value: object) -> str:
    """A message as it was written. Raises InvalidInput when it is empty or too long."""
    text = value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""
    if not text:
        raise InvalidInput({"message": ["must be a text that is not empty"]})
    if len(text) > LONGEST_MESSAGE:
        raise InvalidInput({"message": [f"must have at most {LONGEST_MESSAGE:,} characters"]})
    return "".join(mark for mark in text if mark.isprintable() or mark == "\n")


def parse_title(value: object) -> str:
    """A conversation's name. Raises InvalidInput."""
    text = " ".join(value.split()) if isinstance(value, str) else ""
    if not 1 <= len(text) <= LONGEST_TITLE or not text.isprintable():
        raise InvalidInput({"title": [f"must have 1 to {LONGEST_TITLE} printable characters"]})
    return text


def listed(session: Session, user_id: int) -> list[dict[str, Any]]:
    """The trader's conversations, the one used last first."""
    query = select(ChatConversation).where(ChatConversation.user_id == user_id)
    query = query.order_by(ChatConversation.updated_at.desc(), ChatConversation.conversation_id.desc())
    return [
        {"conversation_id": row.conversation_id, "title": row.title, "updated_at": row.updated_at}
        for row in session.scalars(query.limit(MOST_CONVERSATIONS))
    ]


def read(session: Session, user_id: int, conversation_id: int, now: datetime) -> Past:
    """One of the trader's conversations. Raises NotFound, for somebody else's too. `now` is the wall clock."""
    row = _own(session, user_id, conversation_id)
    query = select(ChatMessage).where(ChatMessage.conversation_id == conversation_id)
    newest = list(session.scalars(query.order_by(ChatMessage.message_id.desc()).limit(MOST_SHOWN)))[::-1]
    sources, proposed = _sources(session, conversation_id), _proposals(session, user_id, conversation_id, now)
    messages = tuple(
        Said(
            one.message_id,
            one.role,
            one.content,
            one.state,
            one.created_at,
            tuple(sources.get(one.message_id, ())),
            tuple(proposed.get(one.message_id, ())),
        )
        for one in newest
    )
    return Past(conversation_id, row.title, row.summary, row.summarised_through, messages)


def begin(session: Session, user_id: int, conversation_id: int | None, text: str, now: datetime) -> int:
    """Unit: store a message of the trader, in a new conversation when none is given. Answers the conversation.
    Raises NotFound for somebody else's, Refused when there are too many.
    """
    if conversation_id is None:
        conversation_id = _new(session, user_id, text, now)
    else:
        _touch(session, user_id, conversation_id, now)
    session.add(ChatMessage(conversation_id=conversation_id, role="user", content=text, created_at=now))
    session.flush()
    return conversation_id


def finish(
    session: Session,
    user_id: int,
    conversation_id: int,
    text: str,
    state: str,
    sources: Sequence[Source],
    drafts: Sequence[Draft],
    now: datetime,
) -> tuple[int, list[int]]:
    """Unit: store an answer with its sources and proposals. Answers the message and its proposals. Raises NotFound when
    the conversation was deleted meanwhile.
    """
    _touch(session, user_id, conversation_id, now)
    row = ChatMessage(
        conversation_id=conversation_id,
        role="assistant",
        content=text[:LONGEST_ANSWER],
        state=state,
        created_at=now,
    )
    session.add(row)
    session.flush()
    session.add_all(_source_row(row.message_id, one, now) for one in sources if not one.failed)
    return row.message_id, [proposals.store(session, user_id, row.message_id, one, now) for one in drafts]


@repeatable
def rename(session: Session, user_id: int, conversation_id: int, title: str) -> dict[str, Any]:
    """Unit: give a conversation another name. Raises NotFound."""
    changed = update(ChatConversation).where(*_is(user_id, conversation_id)).values(title=title)
    _require(session, changed.values(updated_at=ChatConversation.updated_at), conversation_id)
    return {"message": "Renamed.", "conversation_id": conversation_id, "title": title}


def remove(session: Session, user_id: int, conversation_id: int) -> dict[str, Any]:
    """Unit: delete a conversation with all that was said in it. Orders that came of it stay. Raises NotFound."""
    # Locked first, as answers do it: one that is stored meanwhile comes before all of this, or finds nothing.
    untouched = update(ChatConversation).where(*_is(user_id, conversation_id))
    _require(session, untouched.values(updated_at=ChatConversation.updated_at), conversation_id)
    of_it = select(ChatMessage.message_id).where(ChatMessage.conversation_id == conversation_id)
    session.execute(update(ChatProposal).where(ChatProposal.message_id.in_(of_it)).values(message_id=None))
    session.execute(delete(ChatToolResult).where(ChatToolResult.message_id.in_(of_it)))
    session.execute(delete(ChatMessage).where(ChatMessage.conversation_id == conversation_id))
    _require(session, delete(ChatConversation).where(*_is(user_id, conversation_id)), conversation_id)
    return {"message": "The conversation is deleted.", "conversation_id": conversation_id}


def summarise(session: Session, user_id: int, conversation_id: int, summary: str, through: int) -> None:
    """Unit: keep in short what was said up to a message. An older summary never replaces a newer one."""
    newer = ChatConversation.summarised_through < through
    session.execute(
        update(ChatConversation)
        .where(*_is(user_id, conversation_id), newer)
        .values(summary=summary, summarised_through=through, updated_at=ChatConversation.updated_at)
    )


def _new(session: Session, user_id: int, text: str, now: datetime) -> int:
    query = select(ChatConversation.conversation_id).where(ChatConversation.user_id == user_id)
    if len(session.scalars(query.limit(MOST_CONVERSATIONS)).all()) >= MOST_CONVERSATIONS:
        raise Refused(
            f"You have {MOST_CONVERSATIONS} conversations. Delete one to begin another.", code="TOO_MANY_CONVERSATIONS"
        )
    row = ChatConversation(user_id=user_id, title=_title_of(text), created_at=now, updated_at=now)
    session.add(row)
    session.flush()
    return row.conversation_id


def _title_of(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= TITLE_OF_MESSAGE else words[: TITLE_OF_MESSAGE - 1].rstrip() + "…"


def _touch(session: Session, user_id: int, conversation_id: int, now: datetime) -> None:
    _require(
        session, update(ChatConversation).where(*_is(user_id, conversation_id)).values(updated_at=now), conversation_id
    )


def _is(user_id: int, conversation_id: int) -> tuple[Any, ...]:
    return ChatConversation.user_id == user_id, ChatConversation.conversation_id == conversation_id


def _own(session: Session, user_id: int, conversation_id: int) -> ChatConversation:
    row = session.scalars(select(ChatConversation).where(*_is(user_id, conversation_id))).one_or_none()
    if row is None:
        raise _not_found(conversation_id)
    return row


def _require(session: Session, statement: Any, conversation_id: int) -> None:
    if cast("CursorResult[Any]", session.execute(statement)).rowcount != 1:
        raise _not_found(conversation_id)


def _not_found(conversation_id: int) -> NotFound:
    return NotFound(f"There is no conversation {conversation_id}.", code="NO_SUCH_CONVERSATION")


def _sources(session: Session, conversation_id: int) -> dict[int, list[Source]]:
    query = select(ChatToolResult).join(ChatMessage, ChatMessage.message_id == ChatToolResult.message_id)
    query = query.where(ChatMessage.conversation_id == conversation_id).order_by(ChatToolResult.result_id.desc())
    found: dict[int, list[Source]] = {}
    for row in list(session.scalars(query.limit(MOST_SOURCES)))[::-1]:
        source = Source(row.tool, json.loads(row.arguments), json.loads(row.result), row.label, row.market_time)
        found.setdefault(row.message_id, []).append(source)
    return found


def _source_row(message_id: int, source: Source, now: datetime) -> ChatToolResult:
    return ChatToolResult(
        message_id=message_id,
        tool=source.tool,
        arguments=json.dumps(dict(source.arguments)),
        result=json.dumps(dict(source.result)),
        label=source.label,
        market_time=source.market_time,
        created_at=now,
    )


def _proposals(session: Session, user_id: int, conversation_id: int, now: datetime) -> dict[int, list[dict[str, Any]]]:
    query = select(ChatProposal).join(ChatMessage, ChatMessage.message_id == ChatProposal.message_id)
    query = query.where(ChatMessage.conversation_id == conversation_id, ChatProposal.user_id == user_id)
    found: dict[int, list[dict[str, Any]]] = {}
    for row in session.scalars(query.order_by(ChatProposal.proposal_id)):
        found.setdefault(row.message_id or 0, []).append(proposals.view(row, now))
    return found
