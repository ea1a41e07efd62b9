"""How an answer leaves: as JSON for scripts, as a page or a redirect with a message for people."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Response, flash, jsonify, redirect, request
from werkzeug.wrappers import Response as BaseResponse

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
API_PREFIXES = ("/user/api/", "/healthz")
SCRIPTED_AREAS = ("/user/", "/admin/")
PAGE_FIELD = "form_page"  # of a form on a page that was shown again at the address it was sent to
WRITES = ("POST", "PUT", "PATCH", "DELETE")


def wants_json() -> bool:
    """Whether the caller is a script. Reads of the API and live streams always are; a write is one unless it comes
    from a page's own form; everything else says so by `Accept: application/json` or by sending JSON.
    """
    if request.mimetype == "application/json" or _accepts("application/json"):
        return not (_accepts("text/html") and request.mimetype != "application/json")
    if _accepts("text/event-stream"):
        return True
    if request.method not in WRITES:
        return request.path.startswith(API_PREFIXES)
    if request.path.startswith(SCRIPTED_AREAS):
        return request.mimetype not in FORM_TYPES and not _accepts("text/html")
    return False


def done(answer: dict[str, Any], *, back_to: str, category: str = "success") -> BaseResponse:
    """Answer a write: the service's answer to a script; its message on the page it came from to a person."""
    if wants_json():
        return succeed(**answer)
    flash(str(answer["message"]), category)
    return redirect(page_before() or back_to, 303)


def succeed(**fields: Any) -> Response:
    """{"success": true, ...}"""
    return jsonify({"success": True, **fields})


def safe_next(target: str | None) -> str | None:
    """The target when it is a path inside this site, else None."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    if any(not mark.isprintable() or mark in " \\" for mark in target):
        return None
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    return None if parts.scheme or parts.netloc else target


def page_before() -> str | None:
    """The page of this site that the form was on."""
    shown_again = safe_next(request.form.get(PAGE_FIELD))
    if shown_again is not None:
        return shown_again
    try:
        before = urlsplit(request.referrer or "")
    except ValueError:
        return None
    if before.netloc != request.host:
        return None
    return safe_next(before._replace(scheme="", netloc="", fragment="").geturl())


def _accepts(mimetype: str) -> bool:
    """Whether the caller names the type; `*/*` names none."""
    return any(value.lower() == mimetype and quality > 0 for value, quality in request.accept_mimetypes)
