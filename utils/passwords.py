"""Password hashes: argon2id at 19 MiB, 2 passes, 1 lane, 97 characters long."""

from __future__ import annotations

from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

LONGEST_PASSWORD = 128
NO_PASSWORD = "!"  # noqa: S105 - in place of a hash: no password fits until one is set by a link
MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1

_hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, type=Type.ID)

# Each hash takes 19 MiB and a processor for about 20 ms: a crowd at the door must not take all memory.
_at_work = BoundedSemaphore(4)


def hash_password(password: str) -> str:
    """Hash a password, exactly as it was typed. Takes time on purpose: never call it inside a transaction."""
    with _at_work:
        return _hasher.hash(password)


def verify_password(stored_hash: str | None, password: str) -> bool:
    """Whether the password belongs to the hash. Without a hash (an unknown name, or no password set yet) it takes as
    long and says no.
    """
    if len(password) > LONGEST_PASSWORD:
        return False
    real = None if stored_hash == NO_PASSWORD else stored_hash
    with _at_work:
        try:
            right = _hasher.verify(real or _nobodys_hash(), password)
        except (VerificationError, InvalidHashError, UnicodeEncodeError):
            return False
    return right and bool(real)


def needs_rehash(stored_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    try:
        return _hasher.check_needs_rehash(stored_hash)
    except InvalidHashError:
        return False


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("the password of nobody")
