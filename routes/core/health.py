"""`/healthz`: whether this server does its work, for supervisors and for `make run`."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, jsonify

from models import db
from routes.core import core_bp
from routes.shared import market
from services import health
from utils.datetime_utils import utc_now


@core_bp.get("/healthz")
def healthz() -> tuple[Response, int]:
    report = health_report()
    return jsonify(report), 200 if report["healthy"] else 503


def health_report() -> dict[str, Any]:
    """The state of database, market and background tasks as plain values."""
    tasks = {name: current_app.extensions.get(name) for name in ("market_feed", "order_processor", "event_hub")}
    report = health.report(db.session, market().status(), tasks, utc_now())
    return {"success": report["healthy"], **report}
