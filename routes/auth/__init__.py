"""In and out: login, registration, admin login, logout."""

from __future__ import annotations

from flask import Blueprint, redirect, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

auth_bp = Blueprint("auth", __name__, url_prefix="/auth")


@auth_bp.get("/")
def index() -> Response:
    if current_user.is_authenticated:
        return redirect(url_for("core.index"))
    return redirect(url_for("auth.login"))


from routes.auth import (  # noqa: E402, F401 - they need the blueprint
    admin_login,
    admin_password,
    login,
    logout,
    register,
    set_password,
)
