"""The same decision about many things: each in a unit of its own, so that one refusal keeps no other from happening."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from services.errors import DomainError, InvalidInput
from services.idempotency import Answer, RequestKey

MOST_AT_ONCE = 100


def parse_numbers(values: Sequence[object], name: str = "ids") -> list[int]:
    """Read row numbers, each once, in ascending order. Raises InvalidInput that names the field."""
    numbers = set()
    for value in values:
        text = str(value)
        if isinstance(value, bool) or not (text.isascii() and text.isdigit() and 0 < len(text) <= 10):
            raise InvalidInput({name: ["must be whole numbers"]})
        numbers.add(int(text))
    if not 1 <= len(numbers) <= MOST_AT_ONCE:
        raise InvalidInput({name: [f"must be 1 to {MOST_AT_ONCE}"]})
    return sorted(numbers)


def decide_each(
    numbers: Sequence[int], done: str, key: RequestKey | None, decide: Callable[[int, RequestKey | None], Answer]
) -> dict[str, Any]:
    """Decide about each number and answer a summary: message, succeeded (the answers), failed (id, code, message).
    `done` is the word for what was done, as in "3 approved". Each decision has an idempotency key of its own, made from
    the request's, so that a repeated request repeats none of them.
    """
    succeeded: list[Answer] = []
    failed: list[dict[str, Any]] = []
    for number in numbers:
        try:
            succeeded.append(decide(number, None if key is None else replace(key, key=f"{key.key}#{number}")))
        except DomainError as error:
            failed.append({"id": number, "code": error.code, "message": error.message})
    return {"message": _summary(succeeded, failed, done), "succeeded": succeeded, "failed": failed}


def _summary(succeeded: list[Answer], failed: list[dict[str, Any]], done: str) -> str:
    waiting = sum(answer.get("status") == "pending" for answer in succeeded)
    parts = [f"{len(succeeded) - waiting} {done}"] if len(succeeded) > waiting or not succeeded else []
    if waiting:
        parts.append(f"{waiting} approved by you and waiting for a second admin")
    if failed:
        parts.append(f"{len(failed)} not: {' '.join(one['message'] for one in failed[:3])}")
    return f"{', '.join(parts)}." if not failed else ", ".join(parts)
