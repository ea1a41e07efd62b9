"""The site itself: welcome, about and privacy pages, health, and what belongs to every request and every page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint

if TYPE_CHECKING:
    from flask import Flask

core_bp = Blueprint("core", __name__)

from routes.core import api_docs, health, welcome  # noqa: E402, F401 - the views need the blueprint


def init_core(app: Flask) -> None:
    """Give every request its id, limits, forgery check, headers and error pages, and every template its helpers."""
    from routes.core.assets import init_assets
    from routes.core.context import init_context
    from routes.core.errors import init_errors
    from routes.core.requests import init_requests
    from routes.limits import init_limits

    init_requests(app)
    init_limits(app)
    init_assets(app)
    init_context(app)
    init_errors(app)
