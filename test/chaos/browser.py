"""What a trader's browser does: logs in by the form, carries cookie and CSRF token, posts with an Idempotency-Key."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlencode

from factories import Person

FORM = "application/x-www-form-urlencoded"
IDLE_SECONDS = 2.0  # the server hangs up after 5
CONNECTION_LOST = (OSError, HTTPException)
_TOKEN = re.compile(rb'<meta name="csrf-token" content="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the server."""

    status: int
    body: bytes
    request_id: str | None

    def json(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.body)
        return answer


class Browser:
    """One connection of one logged-in trader. Its requests raise one of CONNECTION_LOST when no answer came."""

    def __init__(self, port: int, person: Person) -> None:
        self.person = person
        self._port = port
        self._cookies: dict[str, str] = {}
        self._token = ""
        self._connection: HTTPConnection | None = None
        self._used_at = 0.0

    def log_in(self) -> Browser:
        self._read_token("/auth/login")
        fields = {"user_name": self.person.name, "user_password": self.person.password, "csrf_token": self._token}
        reply = self._send(
            "POST", "/auth/login", urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded"}
        )
        assert reply.status in (302, 303), reply
        self._read_token("/user/account")
        return self

    def twin(self) -> Browser:
        """The same login over another connection, as another tab."""
        twin = Browser(self._port, self.person)
        twin._cookies, twin._token = dict(self._cookies), self._token
        return twin

    def get(self, path: str) -> Reply:
        return self._send("GET", path, None, {"Accept": "application/json"})

    def post(self, path: str, fields: dict[str, Any], key: str) -> Reply:
        headers = {"Content-Type": "application/json", "X-CSRFToken": self._token, "Idempotency-Key": key}
        return self._send("POST", path, json.dumps(fields), headers)

    def connect(self) -> None:
        """Have an open connection, a new one when the old one was idle for long."""
        if time.monotonic() - self._used_at > IDLE_SECONDS:
            self.close()
        if self._connection is None:
            self._connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
            self._connection.connect()
        self._used_at = time.monotonic()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _read_token(self, page: str) -> None:
        reply = self._send("GET", page, None, {"Accept": "text/html"})
        found = _TOKEN.search(reply.body)
        assert found, f"{page} answered {reply.status} without a token"
        self._token = found[1].decode()

    def _send(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Reply:
        try:
            self.connect()
            assert self._connection
            self._connection.request(method, path, body, {**headers, "Cookie": self._cookie()})
            response = self._connection.getresponse()
            reply = Reply(response.status, response.read(), response.getheader("X-Request-ID"))
            for cookie in response.headers.get_all("Set-Cookie") or ():
                name, _, value = cookie.partition(";")[0].partition("=")
                self._cookies[name] = value
            self._used_at = time.monotonic()
            if response.will_close:
                self.close()
            return reply
        except CONNECTION_LOST:
            self.close()
            raise

    def _cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())
