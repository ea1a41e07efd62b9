"""A browser without scripts: Flask's test client, which also knows the CSRF header and how to log in."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import TYPE_CHECKING, Any

from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

if TYPE_CHECKING:
    from factories import Person

WRITES = ("POST", "PUT", "PATCH", "DELETE")


class VenueClient(FlaskClient):
    """Adds a valid CSRF header to every write, unless the test passes `csrf=False` to leave it out."""

    def open(self, *args: Any, csrf: bool = True, **kwargs: Any) -> TestResponse:
        if csrf and str(kwargs.get("method", "")).upper() in WRITES:
            headers = Headers(kwargs.pop("headers", None) or {})
            headers.setdefault("X-CSRFToken", self.csrf_token())
            kwargs["headers"] = headers
        return super().open(*args, **kwargs)

    def csrf_token(self) -> str:
        """A token that Flask-WTF accepts for this client's session, signed as it signs its own."""
        key = self.application.secret_key
        assert key, "the application has no secret key"
        with self.session_transaction() as session:
            raw = session.setdefault("csrf_token", hashlib.sha256(secrets.token_bytes(32)).hexdigest())
        return URLSafeTimedSerializer(key, salt="wtf-csrf-token").dumps(raw)

    def log_in(self, person: Person) -> VenueClient:
        """Log in by the form, as a trader or as an admin. Returns the client itself."""
        if person.is_admin:
            fields = {"username": person.name, "password": person.password}
            answer = self.post("/auth/admin-login", data=fields)
        else:
            fields = {"user_name": person.name, "user_password": person.password}
            answer = self.post("/auth/login", data=fields)
        assert answer.status_code in (302, 303), f"{person.name} could not log in: {_text(answer)}"
        return self


def _text(answer: TestResponse) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))[:600]
