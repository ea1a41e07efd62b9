"""`/auth/login`: traders."""

from __future__ import annotations

from flask import redirect, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from auth.login_manager import start_login, this_visit
from models import db
from routes.auth import auth_bp
from routes.auth.forms import let_in, read_texts, require, show, show_again
from routes.limits import LoginTry
from services import logins
from services.errors import DomainError
from services.logins import WrongPassword

TEMPLATE = "auth/login.html"


@auth_bp.get("/login")
def login() -> str | Response:
    if current_user.is_authenticated:
        return redirect(url_for("core.index"))
    return show(TEMPLATE)


@auth_bp.post("/login")
def log_in() -> Response:
    try:
        start_login(_token())
    except DomainError as error:
        return show_again(TEMPLATE, error)
    return let_in("You are logged in.", to=url_for("user.account"))


def _token() -> str:
    """Check name and password, and store the login."""
    fields = read_texts("user_name", "user_password")
    require(fields)
    attempt = LoginTry("user", fields["user_name"])
    try:
        token = logins.log_in_user(db.session, fields["user_name"], fields["user_password"], this_visit())
    except WrongPassword:
        raise
    except Exception:
        # Whatever else went wrong, a suspended account or a lost database: it was no guess at a password.
        attempt.give_back()
        raise
    attempt.give_back()
    return token
