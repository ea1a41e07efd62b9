"""`/admin/admins`: the admins themselves, their roles, and their passwords."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from auth.permissions import admin_may
from auth.roles import PERMISSIONS, Permission
from models import db
from routes import inputs
from routes.admin import admin_bp
from routes.admin.links import show_link
from routes.answers import done
from routes.shared import acting_admin, link_seed, write
from services import admin_accounts
from services.errors import InvalidInput
from utils.datetime_utils import utc_now


@admin_bp.get("/admins")
@admin_may(Permission.MANAGE_ADMINS)
def admins() -> str:
    return render_template(
        "admin/admins.html",
        admins=admin_accounts.list_admins(db.session()),
        roles=admin_accounts.ROLES,
        permissions=list(Permission),
        allowed=PERMISSIONS,
    )


@admin_bp.post("/admins")
@admin_may(Permission.MANAGE_ADMINS)
def create_admin() -> Response | str:
    fields = inputs.body_fields()
    key = inputs.request_key(current_user.actor, fields)
    name = admin_accounts.parse_name(fields.get("admin_name"))
    role = admin_accounts.parse_role(fields.get("role"))
    seed = link_seed(key)
    answer = write(admin_accounts.create, name, role, seed, acting_admin(), utc_now(), key=key)
    return show_link(answer, seed, back_to=url_for("admin.admins"))


@admin_bp.post("/admins/<row:admin_id>/role")
@admin_may(Permission.MANAGE_ADMINS)
def change_role(admin_id: int) -> Response:
    fields = inputs.body_fields()
    return _change(admin_accounts.change_role, admin_id, admin_accounts.parse_role(fields.get("role")), fields=fields)


@admin_bp.post("/admins/<row:admin_id>/deactivate")
@admin_may(Permission.MANAGE_ADMINS)
def deactivate_admin(admin_id: int) -> Response:
    """No log-in any more, and open logins end at once. The last owner cannot be closed out."""
    return _change(admin_accounts.set_active, admin_id, False, fields=inputs.body_fields())


@admin_bp.post("/admins/<row:admin_id>/activate")
@admin_may(Permission.MANAGE_ADMINS)
def activate_admin(admin_id: int) -> Response:
    return _change(admin_accounts.set_active, admin_id, True, fields=inputs.body_fields())


@admin_bp.post("/admins/<row:admin_id>/trader")
@admin_may(Permission.MANAGE_ADMINS)
def link_trader(admin_id: int) -> Response:
    """Which trader is the same person, by name or e-mail address; empty for none."""
    fields = inputs.body_fields()
    user = fields.get("user", "")
    if not isinstance(user, str):
        raise InvalidInput({"user": ["must be a text"]})
    return _change(admin_accounts.link_trader, admin_id, user, fields=fields)


@admin_bp.post("/admins/<row:admin_id>/reset-password")
@admin_may(Permission.MANAGE_ADMINS)
def reset_admin_password(admin_id: int) -> Response | str:
    key = inputs.request_key(current_user.actor, inputs.body_fields())
    seed = link_seed(key)
    answer = write(admin_accounts.reset_password, admin_id, seed, acting_admin(), utc_now(), key=key)
    return show_link(answer, seed, back_to=url_for("admin.admins"))


def _change(work: Callable[..., dict[str, Any]], admin_id: int, value: object, *, fields: inputs.Fields) -> Response:
    key = inputs.request_key(current_user.actor, fields)
    answer = write(work, admin_id, value, acting_admin(), utc_now(), key=key)
    return done(answer, back_to=url_for("admin.admins"))
