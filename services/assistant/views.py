"""Messages as the page and the API show them: rendered, checked, with their sources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.assistant.conversations import Past, Said
from services.assistant.grounding import Everything, gather, ungrounded
from services.assistant.rendering import marked_text, render, render_own
from services.assistant.sources import Source, describe

MOST_EARLIER = 40  # earlier sources that are asked whether they vouch for a figure

View = dict[str, Any]


def conversation_view(past: Past) -> View:
    """A conversation with all its messages."""
    return {
        "conversation_id": past.conversation_id,
        "title": past.title,
        "messages": [message_view(past, at) for at in range(len(past.messages))],
    }


def message_view(past: Past, at: int) -> View:
    """One message. Its figures are checked against what tools had answered by then, not later."""
    message = past.messages[at]
    view: View = {
        "message_id": message.message_id,
        "role": message.role,
        "state": message.state,
        "created_at": message.created_at,
        "proposals": list(message.proposals),
    }
    if message.role == "user":
        return view | {"text": message.content, "html": render_own(message.content), "sources": [], "unsourced": []}
    said = [one.content for one in past.messages[:at] if one.role == "user"]
    earlier = [source for one in past.messages[:at] for source in one.sources]
    known = Everything() if message.state == "command" else gather([*earlier, *message.sources], said)
    return view | {
        "text": marked_text(message.content, known),
        "html": render(message.content, known),
        "sources": _sources(message, earlier, said),
        "unsourced": ungrounded(message.content, known),
    }


def _sources(message: Said, earlier: Sequence[Source], said: list[str]) -> list[View]:
    """The answer's own sources, and those earlier ones that alone vouch for one of its figures; each once, newest."""
    if message.state == "command":
        earlier = ()
    open_figures = set(ungrounded(message.content, gather(message.sources, said)))
    used = list(message.sources)
    for source in reversed(earlier[-MOST_EARLIER:]):
        if not open_figures:
            break
        left = set(ungrounded(message.content, gather([source]))) & open_figures
        if left != open_figures:
            open_figures = left
            used.append(source)
    by_label: dict[str, View] = {}
    for source in used:
        if not source.failed and source.label not in by_label:
            by_label[source.label] = describe(source)
    return list(by_label.values())
