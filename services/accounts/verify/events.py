"""The events of every trader: numbered without gaps, and telling of each order and request only legal moves that end
where its row stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from services.accounts.verify.report import Finding
from services.accounts.verify.sweep import AnyRow, AnySelect, Check, numbering, stream
from services.accounts.verify.tables import EVENTS, ORDERS, REQUESTS
from services.trading.order_states import IllegalMove, move_order, move_request

_event, _order, _request = EVENTS.c, ORDERS.c, REQUESTS.c

# Kinds of events that tell of a status, and to which they may lead. Other kinds tell nothing that is checked here.
_FIRST = "pending"
_ORDER_KINDS: dict[str, tuple[str, ...]] = {
    "order_accepted": (_FIRST,),
    "order_filled": ("partially_filled", "filled"),
    "order_cancelled": ("cancelled",),
    "order_rejected": ("rejected",),
    "order_expired": ("expired",),
}
_REQUEST_KINDS: dict[str, tuple[str, ...]] = {
    f"{kind}_{event}": (status,)
    for kind in ("deposit", "withdrawal")
    for event, status in (("requested", _FIRST), ("approved", "approved"), ("rejected", "rejected"))
}


@dataclass(slots=True)
class Story:
    """What the events told so far of one order or request."""

    user_id: int
    status: str
    filled: int = 0


Stories = dict[int, Story]


def stories(connection: Connection) -> Iterator[Finding]:
    """Read all events in each trader's order, then compare with the orders and requests."""
    orders: Stories = {}
    requests: Stories = {}
    query = select(_event.event_id, _event.user_id, _event.sequence, _event.kind, _event.payload).order_by(
        _event.user_id, _event.sequence
    )
    for event in stream(connection, query):
        code = _read(event, orders, requests)
        if code:
            names = ("event_id", "user_id", "sequence", "kind", "payload")
            yield code, {name: getattr(event, name) for name in names}
    yield from _compare(connection, "ORDER_EVENTS", "order_id", _orders(), orders)
    yield from _compare(connection, "REQUEST_EVENTS", "transaction_id", _requests(), requests)


def _read(event: AnyRow, orders: Stories, requests: Stories) -> str:
    """Go on with the story that the event belongs to. Returns the code of what is wrong with it, or ""."""
    try:
        if event.kind in _ORDER_KINDS:
            payload = json.loads(event.payload)
            return "" if _tell_order(orders, event, payload) else "ORDER_MOVE"
        if event.kind in _REQUEST_KINDS:
            payload = json.loads(event.payload)
            return "" if _tell_request(requests, event, payload) else "REQUEST_MOVE"
    except (ValueError, KeyError, TypeError):
        return "EVENT_UNREADABLE"
    return ""


def _tell_order(orders: Stories, event: AnyRow, payload: dict[str, Any]) -> bool:
    """Whether the order may go where the event says, after what was told of it before."""
    number, status = int(payload["order_id"]), str(payload["order_status"])
    before = orders.get(number)
    filled = int(payload["quantity"]) if event.kind == "order_filled" else 0
    orders[number] = Story(event.user_id, status, filled + (before.filled if before else 0))
    return status in _ORDER_KINDS[event.kind] and _legal(move_order, before, status)


def _tell_request(requests: Stories, event: AnyRow, payload: dict[str, Any]) -> bool:
    number, status = int(payload["transaction_id"]), str(payload["status"])
    before = requests.get(number)
    requests[number] = Story(event.user_id, status)
    return status in _REQUEST_KINDS[event.kind] and _legal(move_request, before, status)


def _legal(move: Any, before: Story | None, status: str) -> bool:
    if before is None:
        return status == _FIRST
    try:
        move(before.status, status)
    except IllegalMove:
        return False
    return True


def _orders() -> AnySelect:
    return select(_order.order_id, _order.user_id, _order.order_status, _order.filled_quantity)


def _requests() -> AnySelect:
    return select(_request.transaction_id, _request.user_id, _request.status)


def _compare(connection: Connection, code: str, name: str, rows: AnySelect, told: Stories) -> Iterator[Finding]:
    for row in stream(connection, rows):
        story = told.pop(row[0], None)
        if story != Story(*row[1:]):
            yield code, {name: row[0], "user_id": row[1], "status": row[2], **_shown(story)}
    for number, story in told.items():
        yield code, {name: number, **_shown(story)}


def _shown(story: Story | None) -> dict[str, Any]:
    if story is None:
        return {"events": "none"}
    return {"events_user_id": story.user_id, "events_status": story.status, "events_filled": story.filled}


CHECKS: tuple[Check, ...] = (numbering(EVENTS, "EVENT_GAP"), stories)
