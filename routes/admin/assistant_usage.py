"""How much the assistant is used, and whether its model answers. Counts only: no admin reads conversations."""

from __future__ import annotations

from flask import current_app, render_template

from auth.permissions import admin_may
from auth.roles import Permission
from models import db
from routes.admin import admin_bp
from routes.shared import settings
from services.assistant import limits
from utils.datetime_utils import utc_now


@admin_bp.get("/assistant")
@admin_may(Permission.VIEW)
def assistant_usage() -> str:
    now = utc_now()
    return render_template(
        "admin/assistant.html",
        status=current_app.extensions["assistant"].status(),
        days=limits.usage_by_day(db.session, now),
        traders=limits.usage_by_trader(db.session, now),
        limits=settings(),
    )
