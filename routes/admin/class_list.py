"""`/admin/user_management/class-list`: many traders at once from a CSV file, looked at before they are made."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response

from auth.permissions import admin_may
from auth.roles import Permission
from models import db
from routes import inputs
from routes.admin import admin_bp
from routes.answers import FORM_TYPES, succeed, wants_json
from routes.inputs import Fields
from routes.shared import acting_admin, link_seed, market, password_link, settings_in_force, write
from services import class_lists
from services.errors import InvalidInput
from services.users import identity_key

TEMPLATE = "admin/class_list.html"


@admin_bp.get("/user_management/class-list")
@admin_may(Permission.MANAGE_USERS)
def class_list() -> str:
    return _page("", None)


@admin_bp.post("/user_management/class-list/check")
@admin_may(Permission.MANAGE_USERS)
def check_class_list() -> Response | str:
    """What an import would do, line by line. Stores nothing."""
    text = _text(inputs.body_fields())
    rows = class_lists.look(db.session(), class_lists.read(text))
    report = {"message": class_lists.summary(rows), "rows": [row.report() for row in rows]}
    if wants_json():
        return succeed(**report)
    return _page(text, report, checked=True)


@admin_bp.post("/user_management/class-list/import")
@admin_may(Permission.MANAGE_USERS)
def import_class_list() -> Response | str:
    """Make the traders of all lines without faults. The links to set a password are in this answer only."""
    fields = inputs.body_fields()
    text = _text(fields)
    key = inputs.request_key(current_user.actor, fields | {"csv": text})
    rows = class_lists.look(db.session(), class_lists.read(text))
    balance = settings_in_force().starting_balance
    db.session.close()
    seed = link_seed(key)
    hashed = class_lists.hash_passwords(rows)
    report = write(class_lists.create_all, hashed, balance, seed, acting_admin(), market=market(), key=key)
    report["rows"] = [_with_link(row, seed) for row in report["rows"]]
    if wants_json():
        return succeed(**report)
    return _page("", report)


def _with_link(row: dict[str, Any], seed: bytes) -> dict[str, Any]:
    made_by_link = row["outcome"] == "created" and row["by_link"]
    return row | {"link": password_link(seed, identity_key(row["user_name"])) if made_by_link else None}


def _text(fields: Fields) -> str:
    """The file's text: uploaded, or typed into the page."""
    upload = request.files.get("file") if request.mimetype in FORM_TYPES else None
    if upload is not None and upload.filename:
        return _decoded(upload.read())
    text = fields.get("csv", "")
    if not isinstance(text, str):
        raise InvalidInput({"csv": ["must be a text"]})
    return text


def _decoded(content: bytes) -> str:
    """Spreadsheets write UTF-8, or what they used before."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _page(text: str, report: dict[str, Any] | None, checked: bool = False) -> str:
    balance = settings_in_force().starting_balance
    return render_template(TEMPLATE, text=text, report=report, checked=checked, starting_balance=balance)
