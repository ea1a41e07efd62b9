"""How often an address may try to log in or register. Counted in memory; what a logged-in user does is not limited."""

from __future__ import annotations

import ipaddress
import time
from typing import TYPE_CHECKING

from flask import request
from flask_limiter import Limiter
from limits import RateLimitItem, parse

from services.errors import TooMany
from services.users import identity_key

if TYPE_CHECKING:
    from flask import Flask

FAILURES_OF_A_NAME = parse("10 per 5 minutes")
FAILURES_OF_AN_ADDRESS = parse("100 per 5 minutes")
REGISTRATIONS = parse("60 per minute")  # a whole classroom sits behind one address


def client_network() -> str:
    """Where the request comes from: the address, or its /64 network where one household has 2^64 of them. Headers
    that anybody can write are not looked at.
    """
    address = request.remote_addr or "unknown"
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6 and not parsed.is_loopback:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address


limiter = Limiter(client_network, storage_uri="memory://", strategy="fixed-window")


def init_limits(app: Flask) -> None:
    """Start counting from zero."""
    limiter.init_app(app)


class LoginTry:
    """One try to log in under a name. It is counted before the password is looked at, so that many at once cannot get
    past the limit, and given back when it turns out not to be a wrong password. Raises TooMany at the limit. Without
    a name only the address is counted: an admin's name has its own lock.
    """

    def __init__(self, kind: str, name: str | None = None) -> None:
        network = client_network()
        self._taken: list[tuple[RateLimitItem, tuple[str, ...]]] = []
        if name is not None:
            self._take(FAILURES_OF_A_NAME, kind, identity_key(name.strip())[:64], network)
        self._take(FAILURES_OF_AN_ADDRESS, kind, network)

    def give_back(self) -> None:
        for item, keys in self._taken:
            limiter.storage.decr(item.key_for(*keys))
        self._taken.clear()

    def _take(self, item: RateLimitItem, *keys: str) -> None:
        self._taken.append((item, keys))
        if not limiter.limiter.hit(item, *keys):
            raise _too_many(item, keys, "Too many failed attempts.")


def count_registration() -> None:
    """Count one registration. Raises TooMany at the limit."""
    keys = ("register", client_network())
    if not limiter.limiter.hit(REGISTRATIONS, *keys):
        raise _too_many(REGISTRATIONS, keys, "Too many registrations from your network.")


def _too_many(item: RateLimitItem, keys: tuple[str, ...], sentence: str) -> TooMany:
    seconds = max(1, round(limiter.limiter.get_window_stats(item, *keys).reset_time - time.time()))
    details = {"retry_after": seconds}
    return TooMany(f"{sentence} Try again in {seconds} seconds.", code="TOO_MANY_ATTEMPTS", details=details)
