"""What the pages at the door have in common: their fields, and how a refusal comes back onto the form."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request
from werkzeug.wrappers import Response

from routes.answers import safe_next, succeed, wants_json
from routes.core.errors import refused, status_of
from routes.inputs import body_fields
from services.errors import DomainError, InvalidInput

SECRET_FIELDS = ("password", "your_password", "user_password", "confirm_password", "current_password", "new_password")
ADMIN_AREA = "/admin"


def read_texts(*names: str) -> dict[str, str]:
    """The named fields of the body. Raises InvalidInput for one that is no text."""
    fields = body_fields()
    errors = {name: ["must be a text"] for name in names if not isinstance(fields.get(name, ""), str)}
    if errors:
        raise InvalidInput(errors)
    return {name: fields.get(name, "") for name in names}


def require(texts: dict[str, str]) -> None:
    """Raise InvalidInput with every field that is empty."""
    errors = {name: ["is required"] for name, text in texts.items() if not text.strip()}
    if errors:
        raise InvalidInput(errors)


def show(template: str, **values: Any) -> str:
    """The empty form."""
    return render_template(template, form={}, errors={}, next=wanted_page() or "", **values)


def show_again(template: str, error: DomainError, **values: Any) -> Response:
    """The form with what was typed, never a password, and what was wrong with it; JSON for a script."""
    answer = refused(error)
    if wants_json():
        return answer
    kept = {name: text for name, text in request.form.items() if name not in SECRET_FIELDS}
    errors = error.errors if isinstance(error, InvalidInput) else {"": [error.message]}
    page = render_template(template, form=kept, errors=errors, next=wanted_page() or "", **values)
    response = Response(page, status=status_of(error), mimetype="text/html")
    if "Retry-After" in answer.headers:
        response.headers["Retry-After"] = answer.headers["Retry-After"]
    return response


def let_in(message: str, *, to: str) -> Response:
    """After the door has opened: to the page that was asked for, or to `to`."""
    target = wanted_page() or to
    if target.startswith(ADMIN_AREA) != to.startswith(ADMIN_AREA):
        target = to
    return leave(message, to=target)


def leave(message: str, *, to: str, category: str = "success", spoken: bool = False) -> Response:
    """Go to a page of this site. The message is shown there when it is to be `spoken`; a script always gets it."""
    if wants_json():
        return succeed(message=message, redirect=to)
    if spoken:
        flash(message, category)
    return redirect(to, 303)


def wanted_page() -> str | None:
    """The page inside this site that somebody wanted before being asked to log in."""
    target = safe_next(request.form.get("next") or request.args.get("next"))
    return None if target is not None and target.startswith(("/auth", "/logout")) else target
