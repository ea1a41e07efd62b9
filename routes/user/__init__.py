"""The traders' pages and their JSON endpoints."""

from __future__ import annotations

from flask import Blueprint

user_bp = Blueprint("user", __name__, url_prefix="/user")

from routes.user import (  # noqa: E402 - the views need the blueprint
    account,  # noqa: F401
    ai_assistant,  # noqa: F401
    analysis_report,  # noqa: F401
    dashboard,  # noqa: F401
    indicators,  # noqa: F401
    lists,  # noqa: F401
    monte_carlo,  # noqa: F401
    order,  # noqa: F401
    profile,  # noqa: F401
    stock,  # noqa: F401
    stock_analysis,  # noqa: F401
    stream,  # noqa: F401
)
