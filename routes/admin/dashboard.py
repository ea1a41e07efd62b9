"""`/admin/`: what waits, how much there is of everything and how it grows, the money, and whether the venue works."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template

from auth.permissions import admin_may
from auth.roles import Permission
from models import db
from routes.admin import admin_bp
from routes.answers import succeed
from routes.core.health import health_report
from routes.shared import market, settings
from services import activity, health
from services.accounts import funds, totals
from services.market import source_status
from services.trading import order_views
from utils.datetime_utils import utc_now
from utils.logs import errors_since

RECENT = 5


@admin_bp.get("/dashboard")
@admin_bp.get("/")
@admin_may(Permission.VIEW)
def dashboard() -> str:
    now = utc_now()
    session = db.session()
    return render_template(
        "admin/dashboard.html",
        counts=activity.counts(session),
        grown=activity.new_since(session, now - activity.DAY),
        waiting=activity.waiting(session),
        money_in=totals.totals(session, market()),
        most_traded=activity.most_traded(session, now - activity.DAY),
        recent_orders=order_views.orders_of().page(session, limit=RECENT, count_to=0).items,
        recent_requests=funds.requests_of().page(session, limit=RECENT, count_to=0).items,
        system=_system(now),
    )


@admin_bp.get("/api/activity")
@admin_may(Permission.VIEW)
def activity_figures() -> Response:
    """What the dashboard's charts draw: 30 days, and the last 24 hours."""
    now = utc_now()
    return succeed(days=activity.daily(db.session(), now), hours=activity.hourly(db.session(), now))


def _system(now: Any) -> dict[str, Any]:
    """The state of everything that must run."""
    errors, newest_errors = errors_since(settings().log_dir, now - activity.DAY)
    session = db.session()
    return {
        "health": health_report(),
        "source": source_status.read(session, now),
        "processor": health.processor(session, now),
        "database": "SQLite" if settings().is_sqlite else "MariaDB or MySQL",
        "errors": errors,
        "newest_errors": newest_errors,
    }
