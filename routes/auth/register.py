"""`/auth/register`: a new trader."""

from __future__ import annotations

from flask import redirect, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from routes.auth import auth_bp
from routes.auth.forms import leave, read_texts, show, show_again
from routes.limits import count_registration
from routes.shared import write
from services import users
from services.errors import DomainError

TEMPLATE = "auth/register.html"


@auth_bp.get("/register")
def register() -> str | Response:
    if current_user.is_authenticated:
        return redirect(url_for("core.index"))
    return show(TEMPLATE)


@auth_bp.post("/register")
def create_account() -> Response:
    try:
        count_registration()
        fields = read_texts("user_name", "user_email", "user_password", "confirm_password")
        write(users.create, users.parse_registration(fields))
    except DomainError as error:
        return show_again(TEMPLATE, error)
    return leave("Your account is ready. Log in.", to=url_for("auth.login"), spoken=True)
