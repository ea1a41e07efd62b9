"""`/auth/register`: a new trader."""

from __future__ import annotations

from typing import Any

from flask import redirect, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from models import db
from routes.auth import auth_bp
from routes.auth.forms import leave, read_texts, show, show_again
from routes.limits import count_registration
from routes.shared import market, settings, settings_in_force, write
from services import registration, users
from services.errors import DomainError

TEMPLATE = "auth/register.html"


@auth_bp.get("/register")
def register() -> str | Response:
    if current_user.is_authenticated:
        return redirect(url_for("core.index"))
    return show(TEMPLATE, **_rules())


@auth_bp.post("/register")
def create_account() -> Response:
    try:
        count_registration()
        fields = read_texts("user_name", "user_email", "user_password", "confirm_password", "invitation_code")
        code = fields["invitation_code"]
        registration.require_open(db.session(), settings(), code)
        write(registration.register, users.parse_registration(fields), code, market=market(), config=settings())
    except DomainError as error:
        return show_again(TEMPLATE, error, **_rules())
    return leave("Your account is ready. Log in.", to=url_for("auth.login"), spoken=True)


def _rules() -> dict[str, Any]:
    """What the page says of registration: who may, and the balance to begin with."""
    in_force = settings_in_force()
    return {"registration": in_force.registration, "starting_balance": in_force.starting_balance}
