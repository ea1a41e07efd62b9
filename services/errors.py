"""How services say no: a stable code, a sentence for people, and the figures behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """The base of every refusal. `code` is stable and for programs, the message is for people."""

    def __init__(self, message: str, *, code: str, details: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.details = dict(details or {})


class InvalidInput(DomainError):
    """What was sent is malformed. `errors` holds the sentences by the field they belong to."""

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        self.errors = {field: list(sentences) for field, sentences in errors.items()}
        named = "; ".join(f"{field} {' and '.join(sentences)}" for field, sentences in self.errors.items())
        super().__init__(named, code="INVALID_INPUT")


class Refused(DomainError):
    """Well formed, but a rule says no."""


class Forbidden(DomainError):
    """The actor may not do this."""


class NotFound(DomainError):
    """There is no such thing, or it belongs to somebody else."""


class Conflict(DomainError):
    """It was already decided or done by somebody else."""


class TooMany(DomainError):
    """Too often in too short a time."""


class Unavailable(DomainError):
    """Something the answer needs is away for the moment."""
