"""`/`, about, privacy, and the short way to the log-out."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from routes.core import core_bp


def home_of(user: object) -> str:
    """Where somebody belongs: the trading desk, the admin panel, or the login page."""
    if not getattr(user, "is_authenticated", False):
        return url_for("auth.login")
    return url_for("admin.dashboard") if getattr(user, "is_admin", False) else url_for("user.stock_chart")


@core_bp.get("/")
def index() -> Response:
    return redirect(home_of(current_user))


@core_bp.get("/about")
def about() -> str:
    return render_template("about.html")


@core_bp.get("/privacy")
def privacy() -> str:
    return render_template("privacy.html")


@core_bp.get("/logout")
def logout() -> Response:
    return redirect(url_for("auth.logout"))
