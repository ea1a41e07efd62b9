"""`/auth/admin-password`: an admin chooses another password, forced while it is the documented one."""

from __future__ import annotations

from flask import url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from auth.permissions import admin_before_password_change
from models import db
from routes.auth import auth_bp
from routes.auth.forms import leave, read_texts, show, show_again
from routes.limits import LoginTry
from routes.shared import acting_admin
from services import admins
from services.errors import DomainError, InvalidInput
from utils.datetime_utils import utc_now

TEMPLATE = "auth/admin_password.html"


@auth_bp.get("/admin-password")
@admin_before_password_change
def admin_password() -> str:
    return show(TEMPLATE)


@auth_bp.post("/admin-password")
@admin_before_password_change
def change_admin_password() -> Response:
    try:
        _change()
    except DomainError as error:
        return show_again(TEMPLATE, error)
    return leave("Your password is changed.", to=url_for("admin.dashboard"), spoken=True)


def _change() -> None:
    """Change the password. Wrong guesses at the current one are counted as at the door."""
    fields = read_texts("current_password", "new_password", "confirm_password")
    attempt = LoginTry("admin-password", current_user.name)
    try:
        admins.change_password(db.session, acting_admin(), current_user.login_id, fields, utc_now())
    except InvalidInput as error:
        if "current_password" not in error.errors:
            attempt.give_back()
        raise
    attempt.give_back()
