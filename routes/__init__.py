"""HTTP only: parse, authorise, call one service, render or answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register_routes(app: Flask) -> None:
    """Give the application its pages, endpoints, error pages and everything that belongs to every request."""
    from routes.admin import admin_bp
    from routes.auth import auth_bp
    from routes.core import core_bp, init_core
    from routes.user import user_bp

    init_core(app)
    for blueprint in (core_bp, auth_bp, user_bp, admin_bp):
        app.register_blueprint(blueprint)
