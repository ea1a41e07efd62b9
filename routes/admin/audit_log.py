"""`/admin/audit`: what admins did, searched, page by page, and as a file."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from flask import Response, render_template, request

from auth.permissions import admin_may
from auth.roles import Permission
from models import db
from routes import inputs
from routes.admin import admin_bp
from routes.exports import csv_answer
from services import admin_accounts, audit
from services.errors import InvalidInput
from services.paging import Listing

FILTERS = ("search", "admin", "action", "subject", "from", "to")
COLUMNS = (
    *("audit_id", "created_at", "actor_name", "action", "subject", "subject_id", "user_name", "before", "after"),
    *("reason", "address", "request_id"),
)


@admin_bp.get("/audit")
@admin_may(Permission.READ_AUDIT)
def audit_log() -> str:
    page = _chosen().page(db.session(), inputs.page_number(), inputs.page_limit())
    return render_template(
        "admin/audit.html",
        entries=page,
        filters={name: request.args.get(name, "") for name in FILTERS},
        actions=audit.known_actions(db.session()),
        subjects=audit.known_subjects(db.session()),
        admins=admin_accounts.list_admins(db.session()),
    )


@admin_bp.get("/audit.csv")
@admin_may(Permission.READ_AUDIT)
def export_audit() -> Response:
    return csv_answer("audit", COLUMNS, _chosen().every_item(db.session()))


def _chosen() -> Listing:
    """The rows that pass the filters of the address. Days are those of UTC, both ends included."""
    first, last = _day("from"), _day("to")
    return audit.entries_of(
        text=inputs.text_parameter("search", 64),
        admin_id=_number("admin"),
        action=inputs.text_parameter("action", 40) or None,
        subject=inputs.text_parameter("subject", 24) or None,
        start=first,
        end=last + timedelta(days=1) if last else None,
    )


def _day(name: str) -> datetime | None:
    text = inputs.text_parameter(name, 10)
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError as error:
        raise InvalidInput({name: ["must be a day such as 2026-01-31"]}) from error


def _number(name: str) -> int | None:
    text = inputs.text_parameter(name, 9)
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise InvalidInput({name: ["must be a number"]})
    return int(text)
