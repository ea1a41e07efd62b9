"""`/admin/settings`: the venue's settings; what is saved wins over the environment, at once and in every process."""

from __future__ import annotations

from itertools import groupby

from flask import render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from auth.permissions import admin_may
from auth.roles import Permission
from models import db
from routes import inputs
from routes.admin import admin_bp
from routes.answers import done
from routes.inputs import Fields
from routes.shared import acting_admin, settings, write
from services import audit, venue_settings
from services.errors import InvalidInput
from utils.datetime_utils import utc_now

CHANGES_SHOWN = 10


@admin_bp.get("/settings")
@admin_may(Permission.VIEW)
def venue_settings_page() -> str:
    shown = venue_settings.shown(db.session(), settings())
    groups = [(name, list(members)) for name, members in groupby(shown, lambda one: one.kind.group)]
    changes = audit.entries_of(subject="setting").page(db.session(), 1, CHANGES_SHOWN)
    return render_template(
        "admin/settings.html",
        groups=groups,
        version=venue_settings.version(db.session()),
        changes=changes,
        labels={kind.name: kind.label for kind in venue_settings.SETTINGS},
    )


@admin_bp.post("/settings")
@admin_may(Permission.CHANGE_SETTINGS)
def change_settings() -> Response:
    """Save the settings of the body; `version` is the one that the page showed."""
    fields = inputs.body_fields()
    wanted = {name: value for name, value in fields.items() if name != "version"}
    texts = {name: _text(name, value) for name, value in wanted.items()}
    return _change(fields, dict(texts))


@admin_bp.post("/settings/<name>/clear")
@admin_may(Permission.CHANGE_SETTINGS)
def clear_setting(name: str) -> Response:
    """Forget a saved setting, so that the environment's value holds again."""
    return _change(inputs.body_fields(), {name: None})


def _change(fields: Fields, changes: dict[str, str | None]) -> Response:
    key = inputs.request_key(current_user.actor, fields)
    seen = _version(fields.get("version"))
    answer = write(venue_settings.change, changes, seen, acting_admin(), config=settings(), now=utc_now(), key=key)
    return done(answer, back_to=url_for("admin.venue_settings_page"))


def _text(name: str, value: object) -> str:
    """A form's text, or a number or text of JSON."""
    if isinstance(value, bool) or (not isinstance(value, str | int | float) and not hasattr(value, "as_tuple")):
        raise InvalidInput({name: ["must be a text or a number"]})
    return venue_settings.as_text(value)


def _version(value: object) -> int:
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise InvalidInput({"version": ["must be the number that the page showed"]})
    return int(text)
