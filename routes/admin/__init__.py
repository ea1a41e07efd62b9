"""The admins' pages: dashboard, funds, orders, users, market data, settings, audit log, admins."""

from __future__ import annotations

from flask import Blueprint

from auth.permissions import refuse_undeclared

admin_bp = Blueprint("admin", __name__, url_prefix="/admin")
admin_bp.before_request(refuse_undeclared)

from routes.admin import (  # noqa: E402 - the views need the blueprint
    admin_manage,  # noqa: F401
    assistant_usage,  # noqa: F401
    audit_log,  # noqa: F401
    class_list,  # noqa: F401
    dashboard,  # noqa: F401
    data_manage,  # noqa: F401
    fund_manage,  # noqa: F401
    order_manage,  # noqa: F401
    settings_manage,  # noqa: F401
    stream,  # noqa: F401
    user_change,  # noqa: F401
    user_manage,  # noqa: F401
)
