"""How a request fails: as JSON for scripts, as a page with a request id for people, never with what is inside."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from flask import g, jsonify, redirect, render_template, request, url_for
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from jinja2 import UndefinedError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from auth.login_manager import Anonymous
from auth.permissions import LoginRequired, PasswordChangeRequired, TradersOnly
from routes.answers import wants_json
from routes.core.form_again import form_again
from routes.core.requests import request_id
from services.errors import (
    Conflict,
    DomainError,
    Forbidden,
    InvalidInput,
    NotFound,
    Refused,
    TooMany,
    Unavailable,
)
from services.logins import WrongPassword

if TYPE_CHECKING:
    from flask import Flask

logger = logging.getLogger(__name__)

# The first class that fits decides.
STATUS_OF_REFUSALS: tuple[tuple[type[DomainError], int], ...] = (
    (InvalidInput, 400),
    (WrongPassword, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (TooMany, 429),
    (Unavailable, 503),
    (Refused, 422),
)
# What whoever sent a page's form can mend, or must know to go on: the page is shown again with it.
SHOWN_IN_THE_FORM = (InvalidInput, Refused, Conflict)
TITLES = {
    400: "That does not work",
    401: "Please log in",
    403: "Not allowed",
    404: "Not found",
    405: "Not this way",
    409: "Already done",
    413: "Too large",
    415: "Wrong kind of content",
    422: "Refused",
    429: "Too often",
    500: "Something went wrong",
    503: "Not available for the moment",
}
SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address does not answer that kind of request.",
    413: "What you sent is too large.",
    415: "Send application/json, or the form of the page.",
    500: "The error was noted. Tell an admin the request number below if it happens again.",
}
# MariaDB and MySQL call a broken CHECK an operational error: that is our fault, not an outage.
BROKEN_CHECKS = (4025, 3819)
DATABASE_AWAY = "The database does not answer. Nothing was changed; try again in a moment."


def init_errors(app: Flask) -> None:
    """Attach the handlers."""
    app.register_error_handler(DomainError, refused)
    app.register_error_handler(LoginRequired, login_required)
    app.register_error_handler(TradersOnly, traders_only)
    app.register_error_handler(PasswordChangeRequired, password_change_required)
    app.register_error_handler(CSRFError, forged)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(UndefinedError, undefined_value)
    for away in (OperationalError, InterfaceError, PoolTimeout):
        app.register_error_handler(away, database_away)
    app.register_error_handler(Exception, unexpected)


def status_of(error: DomainError) -> int:
    """The HTTP status of a refusal."""
    return next((status for kind, status in STATUS_OF_REFUSALS if isinstance(error, kind)), 422)


def refused(error: DomainError) -> Response:
    """A service said no."""
    status = status_of(error)
    if status in (403, 429, 503):
        logger.warning("%s %s: %s", request.method, request.path, error.code)
    page = form_again(error) if isinstance(error, SHOWN_IN_THE_FORM) else None
    if page is not None:
        return Response(page, status, mimetype="text/html")
    errors = error.errors if isinstance(error, InvalidInput) else None
    response = answer_error(status, error.code, error.message, details=error.details, errors=errors)
    if "retry_after" in error.details:
        response.headers["Retry-After"] = str(error.details["retry_after"])
    return response


def login_required(error: LoginRequired) -> Response:
    """Nobody is logged in: 401 for a script, the login page for a person, who comes back here afterwards."""
    if wants_json():
        return answer_error(401, "LOGIN_REQUIRED", "Please log in.")
    page = "auth.admin_login" if error.as_admin else "auth.login"
    return redirect(url_for(page, next=_this_page()))


def traders_only(error: TradersOnly) -> Response:
    """An admin who strays onto a trader's page belongs to the admin panel."""
    if wants_json() or request.method != "GET":
        return refused(error)
    return redirect(url_for("admin.dashboard"))


def password_change_required(error: PasswordChangeRequired) -> Response:
    if wants_json():
        return refused(error)
    return redirect(url_for("auth.admin_password"))


def forged(error: CSRFError) -> Response:
    """A write without the session's token. A script whose login is gone hears that first: it cannot have a token."""
    if wants_json() and request.blueprint in ("user", "admin") and not _somebody_is_logged_in():
        return answer_error(401, "LOGIN_REQUIRED", "Please log in.")
    logger.warning("%s %s: forgery check failed: %s", request.method, request.path, error.description)
    return answer_error(403, "CSRF_FAILED", "The page is out of date. Reload it and try again.")


def http_error(error: HTTPException) -> Response:
    """What Flask and Werkzeug refuse: unknown address, wrong method, too large, wrong type."""
    status = error.code or 500
    if status < 400:
        return error.get_response()  # type: ignore[return-value]
    message = SENTENCES.get(status) or error.description or TITLES.get(status, "")
    response = answer_error(status, error.name.upper().replace(" ", "_"), message)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def undefined_value(error: UndefinedError) -> Response:
    """A template used a value that nobody gave it."""
    logger.exception("undefined template value at %s: %s", request.path, error.message)
    return answer_error(500, "TEMPLATE_ERROR", SENTENCES[500])


def database_away(error: SQLAlchemyError) -> Response:
    """The database cannot be reached or is not ready. The pool opens new connections when it is back."""
    original = getattr(error, "orig", None)
    if original is not None and original.args[:1] and original.args[0] in BROKEN_CHECKS:
        return unexpected(error)
    logger.error("the database does not answer at %s: %s", request.path, _cause(error))
    _do_without_database()
    return answer_error(503, "DATABASE_AWAY", DATABASE_AWAY)


def unexpected(_error: Exception) -> Response:
    """Whatever nobody thought of: noted with its traceback, answered without it."""
    logger.exception("unexpected error: %s %s", request.method, request.path)
    _do_without_database()
    return answer_error(500, "INTERNAL_ERROR", SENTENCES[500])


def answer_error(
    status: int,
    code: str,
    message: str,
    *,
    details: dict[str, object] | None = None,
    errors: dict[str, list[str]] | None = None,
) -> Response:
    """The error in the form the caller reads."""
    if wants_json():
        body: dict[str, Any] = {"success": False, "code": code, "message": message, "request_id": request_id()}
        body |= {name: value for name, value in (("details", details), ("errors", errors)) if value}
        response: Response = jsonify(body)
    else:
        response = _error_page(status, message)
    response.status_code = status
    return response


def _error_page(status: int, message: str) -> Response:
    values = {"code": status, "title": TITLES.get(status, "Something went wrong"), "message": message}
    try:
        page = render_template("error.html", **values, request_id=request_id())
    except (UndefinedError, DBAPIError, PoolTimeout):
        # The frame of the page can fail for the same reason as the page did: then plain words must do.
        logger.exception("the error page failed at %s", request.path)
        page = f"<!doctype html><title>{values['title']}</title><p>{values['title']} ({request_id()})</p>"
    return Response(page, mimetype="text/html")


def _this_page() -> str | None:
    """The address to come back to after the login, for pages that were only looked at."""
    return request.full_path.rstrip("?") if request.method == "GET" else None


def _somebody_is_logged_in() -> bool:
    return bool(current_user.is_authenticated)


def _do_without_database() -> None:
    """Show the error page as to a stranger, instead of asking the database again who this is."""
    if "_login_user" not in g:
        g._login_user = Anonymous()


def _cause(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error)
