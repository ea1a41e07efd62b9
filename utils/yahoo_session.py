"""The HTTP session through which yfinance talks: every request is short, and a whole batch ends by a deadline.

yfinance's own time-outs are partly fixed in its code (30 seconds for a cookie), so that a server that accepts
connections and never answers would hold a caller for minutes. This session overrules them all in one place.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

REQUEST_SECONDS = 3.0
SHORTEST_SECONDS = 0.05


class Budget:
    """How many seconds the requests of one call may still take together. `monotonic` is a clock in seconds."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._ends = float("-inf")
        self._cancelled = False

    @contextmanager
    def of(self, seconds: float) -> Iterator[None]:
        """Let the requests inside the block take `seconds` together."""
        self._ends = self._monotonic() + seconds
        try:
            yield
        finally:
            self._ends = float("-inf")

    def cancel(self) -> None:
        """Allow nothing any more: the venue is stopping."""
        self._cancelled = True

    @property
    def spent(self) -> bool:
        return self._cancelled or self._ends - self._monotonic() < SHORTEST_SECONDS

    def next_timeout(self) -> float:
        """Seconds that the next request may take. Raises TimeoutError when there are none left."""
        if self.spent:
            raise TimeoutError("Yahoo Finance took too long")
        return min(REQUEST_SECONDS, self._ends - self._monotonic())


def new_session(budget: Budget, base_url: str | None) -> Any:
    """A session of curl_cffi for yfinance, held to `budget`. With `base_url`, requests to *.yahoo.com go there
    instead, with the host they were meant for in the header X-Stub-Host.
    """
    from curl_cffi import requests

    class CappedSession(requests.Session):  # type: ignore[misc]
        """Made here because importing curl_cffi takes a while."""

        def request(self, method: str, url: str, *args: Any, **options: Any) -> Any:
            options["timeout"] = budget.next_timeout()
            host = urlsplit(url).hostname or ""
            if base_url is not None and (host == "yahoo.com" or host.endswith(".yahoo.com")):
                options["headers"] = {**(options.get("headers") or {}), "X-Stub-Host": host}
                url = redirected(url, base_url)
            return super().request(method, url, *args, **options)

    return CappedSession(impersonate="chrome")


def redirected(url: str, base_url: str) -> str:
    """The same path and query at another origin."""
    parts = urlsplit(url)
    return base_url.rstrip("/") + parts.path + (f"?{parts.query}" if parts.query else "")
