"""The admins' pages: dashboard, funds, orders."""

from __future__ import annotations

from flask import Blueprint

admin_bp = Blueprint("admin", __name__, url_prefix="/admin")

from routes.admin import dashboard, fund_manage, order_manage  # noqa: E402, F401 - the views need the blueprint
