"""`/auth/logout`: asks by GET, because a mere link must not end a login; does it by POST."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from auth.login_manager import end_login
from routes.auth import auth_bp
from routes.auth.forms import leave


@auth_bp.get("/logout")
def logout() -> str | Response:
    if not current_user.is_authenticated:
        return redirect(url_for("auth.login"))
    return render_template("auth/logout.html", form={}, errors={})


@auth_bp.post("/logout")
def log_out() -> Response:
    """End the login. Nobody being logged in is no error: the wish is fulfilled."""
    page = "auth.login"
    if current_user.is_authenticated:
        page = "auth.admin_login" if current_user.is_admin else "auth.login"
        end_login(current_user)
    return leave("You are logged out.", to=url_for(page), spoken=True)
