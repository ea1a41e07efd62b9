"""One effect per intention: a repeated request with the same key gets the first answer again.

The key row is stored in the effect's own transaction, after the account lock, with the answer. So a twin that comes
while the first is at work waits at the account lock and then finds the answer; a refused request stores nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import IdempotencyKey
from services.errors import InvalidInput, Refused
from services.transaction import KeyTaken

LONGEST_KEY = 255
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RequestKey:
    """Who asked, under which key, for what."""

    actor: str
    key: str
    request_hash: str

    @property
    def key_hash(self) -> str:
        """SHA-256 of the key, hex."""
        return hashlib.sha256(self.key.encode()).hexdigest()

    @classmethod
    def of(cls, actor: str, key: str, endpoint: str, body: bytes) -> RequestKey:
        """Build the key of a request. Raises InvalidInput when the key is empty or too long."""
        if not 1 <= len(key) <= LONGEST_KEY or not key.isprintable():
            raise InvalidInput({"Idempotency-Key": [f"must have 1 to {LONGEST_KEY} printable characters"]})
        digest = hashlib.sha256(endpoint.encode() + b"\n" + body).hexdigest()
        return cls(actor=actor, key=key, request_hash=digest)


def once(session: Session, key: RequestKey | None, effect: Callable[[], Answer]) -> Answer:
    """Return the stored answer of `key`, or run `effect` and store its answer. Without a key the effect just runs.

    The account must be locked already. The answer is the same JSON on every call. Raises Refused when the key was used
    for another request, and KeyTaken (for run_unit) when a twin under another account stored it meanwhile.
    """
    if key is None:
        return _as_json(effect())
    stored = _find(session, key)
    if stored is not None:
        if stored.request_hash != key.request_hash:
            raise Refused("This Idempotency-Key was already used for another request.", code="KEY_REUSED")
        return _as_answer(stored.answer)
    answer = _as_json(effect())
    _store(session, key, answer)
    return answer


def _find(session: Session, key: RequestKey) -> IdempotencyKey | None:
    query = select(IdempotencyKey).where(IdempotencyKey.actor == key.actor, IdempotencyKey.key_hash == key.key_hash)
    return session.execute(query).scalar_one_or_none()


def _store(session: Session, key: RequestKey, answer: Answer) -> None:
    row = IdempotencyKey(
        actor=key.actor, key_hash=key.key_hash, request_hash=key.request_hash, answer=json.dumps(answer)
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise KeyTaken from error


def _as_json(answer: Answer) -> Answer:
    return _as_answer(json.dumps(answer))


def _as_answer(text: str) -> Answer:
    answer: Answer = json.loads(text)
    return answer
