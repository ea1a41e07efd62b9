"""The admins' pages: dashboard, funds, orders, market data."""

from __future__ import annotations

from flask import Blueprint

from auth.permissions import refuse_undeclared

admin_bp = Blueprint("admin", __name__, url_prefix="/admin")
admin_bp.before_request(refuse_undeclared)

from routes.admin import (  # noqa: E402, F401 - the views need the blueprint
    dashboard,
    data_manage,
    fund_manage,
    order_manage,
    stream,
)
