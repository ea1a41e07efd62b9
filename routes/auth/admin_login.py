"""`/auth/admin-login`: admins, with the lock after too many wrong passwords."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from auth.login_manager import start_login, this_visit
from config import is_loopback
from models import db
from routes.auth import auth_bp
from routes.auth.forms import let_in, read_texts, require, show, show_again
from routes.limits import LoginTry
from routes.shared import settings
from services import admins
from services.errors import DomainError
from services.logins import WrongPassword

TEMPLATE = "auth/admin_login.html"
FORWARDING_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")


@auth_bp.get("/admin-login")
def admin_login() -> str | Response:
    if current_user.is_authenticated and current_user.is_admin:
        return redirect(url_for("admin.dashboard"))
    return show(TEMPLATE, locked_until=None)


@auth_bp.post("/admin-login")
def log_in_admin() -> Response:
    try:
        start_login(_token())
    except DomainError as error:
        return show_again(TEMPLATE, error, locked_until=getattr(error, "locked_until", None))
    return let_in("You are logged in.", to=url_for("admin.dashboard"))


def _token() -> str:
    """Check name and password, and store the login."""
    fields = read_texts("username", "password")
    require(fields)
    attempt = LoginTry("admin")
    try:
        token = admins.log_in_admin(
            db.session, fields["username"], fields["password"], this_visit(), settings(), local=_is_local()
        )
    except WrongPassword:
        raise
    except Exception:
        # Whatever else went wrong, it was no guess at a password; while the account is locked none is looked at.
        attempt.give_back()
        raise
    attempt.give_back()
    return token


def _is_local() -> bool:
    """Whether the request comes from this machine itself: straight, not through a proxy on it that serves others, and
    to one of the machine's own names, not to a foreign name that was made to point here.
    """
    return (
        is_loopback(request.remote_addr or "")
        and is_loopback(_host_name())
        and not any(name in request.headers for name in FORWARDING_HEADERS)
    )


def _host_name() -> str:
    host = request.host
    return host[1 : host.index("]")] if host.startswith("[") and "]" in host else host.partition(":")[0]
