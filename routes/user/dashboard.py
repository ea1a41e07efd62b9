"""`/user/dashboard`: leads to the trading desk."""

from __future__ import annotations

from flask import redirect, url_for
from werkzeug.wrappers import Response

from auth.permissions import user_required
from routes.user import user_bp


@user_bp.get("/")
@user_bp.get("/dashboard")
@user_required
def dashboard() -> Response:
    return redirect(url_for("user.stock_chart"))
