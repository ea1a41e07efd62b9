"""`/admin/`: what waits, how much there is of everything, and whether the venue does its work."""

from __future__ import annotations

from flask import render_template

from auth.permissions import admin_may
from auth.roles import Permission
from models import db
from routes.admin import admin_bp
from routes.core.health import health_report
from services import activity
from services.accounts import funds
from services.trading import order_views

RECENT = 5


@admin_bp.get("/dashboard")
@admin_bp.get("/")
@admin_may(Permission.VIEW)
def dashboard() -> str:
    return render_template(
        "admin/dashboard.html",
        counts=activity.counts(db.session),
        recent_orders=order_views.list_orders(db.session, limit=RECENT).items,
        recent_requests=funds.list_requests(db.session, limit=RECENT).items,
        health=health_report(),
    )
