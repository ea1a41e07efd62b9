"""`/admin/api/stream`: a hint, as it comes, that something happened in the traders' accounts."""

from __future__ import annotations

from flask import Response
from flask_login import current_user

from auth.permissions import admin_may
from auth.roles import Permission
from routes.admin import admin_bp
from routes.streaming import stream
from services.streams import Listener


@admin_bp.get("/api/stream")
@admin_may(Permission.VIEW)
def live_stream() -> Response:
    return stream(Listener(current_user.login_id, None))
