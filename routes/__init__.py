"""HTTP only: parse, authorise, call one service, render or answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.routing import IntegerConverter, Map

if TYPE_CHECKING:
    from flask import Flask

LARGEST_ROW_NUMBER = 2**31 - 1


class RowNumber(IntegerConverter):
    """`<row:order_id>`: the number of a row. One that no database could hold is simply an unknown address."""

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=LARGEST_ROW_NUMBER)


def register_routes(app: Flask) -> None:
    """Give the application its pages, endpoints, error pages and everything that belongs to every request."""
    from routes.admin import admin_bp
    from routes.auth import auth_bp
    from routes.core import core_bp, init_core
    from routes.user import user_bp

    app.url_map.converters["row"] = RowNumber
    init_core(app)
    for blueprint in (core_bp, auth_bp, user_bp, admin_bp):
        app.register_blueprint(blueprint)
