"""The traders' pages and their JSON endpoints."""

from __future__ import annotations

from flask import Blueprint

user_bp = Blueprint("user", __name__, url_prefix="/user")

from routes.user import account, dashboard, order, stock  # noqa: E402, F401 - the views need the blueprint
