"""The legal moves of an order's status and of a fund request's status. Every other move raises."""

from __future__ import annotations

from services.errors import Conflict

OPEN_STATUSES = ("pending", "partially_filled")
FINAL_STATUSES = ("filled", "cancelled", "rejected", "expired")

_ORDER_MOVES = {
    "pending": frozenset({"partially_filled", "filled", "cancelled", "rejected", "expired"}),
    "partially_filled": frozenset({"partially_filled", "filled", "cancelled", "rejected", "expired"}),
}
_REQUEST_MOVES = {"pending": frozenset({"approved", "rejected"})}


class IllegalMove(Conflict):
    """The thing is already in a state from which this move does not lead."""


def move_order(current: str, wanted: str) -> str:
    """Return `wanted` when an order may go there from `current`. Raises IllegalMove otherwise."""
    return _move("order", _ORDER_MOVES, current, wanted)


def move_request(current: str, wanted: str) -> str:
    """Return `wanted` when a fund request may go there from `current`. Raises IllegalMove otherwise."""
    return _move("request", _REQUEST_MOVES, current, wanted)


def _move(what: str, moves: dict[str, frozenset[str]], current: str, wanted: str) -> str:
    if wanted in moves.get(current, frozenset()):
        return wanted
    raise IllegalMove(
        f"This {what} is already {current.replace('_', ' ')}.",
        code=f"{what.upper()}_NOT_OPEN",
        details={"status": current, "wanted": wanted},
    )
