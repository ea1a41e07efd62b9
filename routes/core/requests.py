"""What happens to every request: an id, a limit of its size, the check against forgery, and its answer's headers."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from flask import Response, abort, current_app, g, request
from flask.sessions import SecureCookieSessionInterface
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError

from routes.answers import WRITES
from utils.logs import NO_REQUEST, current_request_id

if TYPE_CHECKING:
    from flask import Flask

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; font-src 'self'; "
        "connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")

ONE_YEAR = "max-age=31536000"

csrf = CSRFProtect()


class CookieSessions(SecureCookieSessionInterface):
    """The cookie is for https only when the request came by https: on loopback there is only http."""

    def get_cookie_secure(self, _app: Flask) -> bool:
        return request.is_secure


def init_requests(app: Flask) -> None:
    """Attach the steps. The order counts: the id first, then what may refuse the request."""
    app.session_interface = CookieSessions()
    csrf.init_app(app)
    app.before_request_funcs.setdefault(None, []).insert(0, _give_id)
    app.before_request(_refuse_large_bodies)
    app.before_request(_refuse_forged_writes)
    app.after_request(_add_headers)
    app.teardown_request(_forget_id)


def request_id() -> str:
    """The id of the current request: ours, never one from outside."""
    if "request_id" not in g:
        g.request_id = secrets.token_hex(8)
    identifier: str = g.request_id
    return identifier


def _give_id() -> None:
    current_request_id.set(request_id())


def _forget_id(_error: BaseException | None) -> None:
    current_request_id.set(NO_REQUEST)


def takes_files(most: int) -> Callable[[Callable[Parameters, Answer]], Callable[Parameters, Answer]]:
    """Let a view take bodies of up to `most` bytes. The outermost decorator of its function, below its route."""

    def decorate(view: Callable[Parameters, Answer]) -> Callable[Parameters, Answer]:
        view.largest_body = most  # type: ignore[attr-defined]
        return view

    return decorate


def _refuse_large_bodies() -> None:
    """At once, also where no view would read the body."""
    view = current_app.view_functions.get(request.endpoint or "")
    most = getattr(view, "largest_body", None) or current_app.config["MAX_CONTENT_LENGTH"]
    request.max_content_length = most
    if (request.content_length or 0) > most:
        abort(413)


def _refuse_forged_writes() -> None:
    """A write needs the session's token, and must not come from another site's page."""
    if not current_app.config["WTF_CSRF_ENABLED"] or request.method not in WRITES or not request.endpoint:
        return
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise CSRFError("The request comes from another site.")
    csrf.protect()


def _add_headers(response: Response) -> Response:
    response.headers["X-Request-ID"] = request_id()
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", ONE_YEAR)
    if request.endpoint == "static" and response.status_code == 200:
        # Pages name static files by a versioned path; by the plain one they may change.
        response.headers["Cache-Control"] = "public, max-age=3600"
    response.headers.setdefault("Cache-Control", "no-store")
    return response
