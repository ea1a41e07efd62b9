"""Requests to deposit and withdraw: lists, approve, reject with a reason."""

from __future__ import annotations

from flask import render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from auth.permissions import admin_may
from auth.roles import Permission
from models import db
from routes import inputs
from routes.admin import admin_bp
from routes.answers import done
from routes.shared import acting_admin, market, write
from services.accounts import funds
from services.paging import Page

STATUSES = ("pending", "approved", "rejected")
KINDS = ("deposit", "withdrawal")


@admin_bp.get("/fund-transactions")
@admin_may(Permission.VIEW)
def fund_transactions() -> str:
    kind, status = inputs.choice(KINDS, "type"), inputs.choice(STATUSES, "status")
    return render_template(
        "admin/transaction_history.html",
        requests=_requests(kind, status),
        filters={"type": kind or "all", "status": status or "all"},
    )


@admin_bp.get("/deposits")
@admin_may(Permission.VIEW)
def deposits() -> str:
    return _filtered("admin/deposits.html", "deposit")


@admin_bp.get("/withdrawals")
@admin_may(Permission.VIEW)
def withdrawals() -> str:
    return _filtered("admin/withdrawals.html", "withdrawal")


@admin_bp.post("/fund-transactions/<row:transaction_id>/approve")
@admin_may(Permission.DECIDE_FUNDS)
def approve_request(transaction_id: int) -> Response:
    fields = inputs.body_fields()
    key = inputs.request_key(current_user.actor, fields)
    owner = funds.owner_of(db.session, transaction_id)
    answer = write(funds.approve, owner, transaction_id, acting_admin(), market=market(), key=key)
    return done(answer, back_to=url_for("admin.fund_transactions"))


@admin_bp.post("/fund-transactions/<row:transaction_id>/reject")
@admin_may(Permission.DECIDE_FUNDS)
def reject_request(transaction_id: int) -> Response:
    fields = inputs.body_fields()
    reason = funds.parse_reason(fields.get("reason"))
    key = inputs.request_key(current_user.actor, fields)
    owner = funds.owner_of(db.session, transaction_id)
    answer = write(funds.reject, owner, transaction_id, acting_admin(), reason, market=market(), key=key)
    return done(answer, back_to=url_for("admin.fund_transactions"))


def _filtered(template: str, kind: str) -> str:
    """Waiting requests first; the others on demand."""
    status = inputs.choice((*STATUSES, "any"), "status") or "pending"
    requests = _requests(kind, None if status == "any" else status)
    return render_template(template, requests=requests, status=status, kind=kind)


def _requests(kind: str | None, status: str | None) -> Page:
    return funds.list_requests(
        db.session, kind=kind, status=status, page=inputs.page_number(), limit=inputs.page_limit()
    )
