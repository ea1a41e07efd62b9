"""Requests to deposit and withdraw: the waiting ones, lists, files, approve and reject one by one or many at once."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from auth.permissions import admin_may
from auth.roles import Permission
from models import db
from routes import inputs
from routes.admin import admin_bp
from routes.answers import done
from routes.contract import answered, asked
from routes.contract.operations import operation, read_body
from routes.exports import csv_answer
from routes.shared import acting_admin, market, settings, write
from services import users
from services.accounts import fund_batches, fund_views, funds
from services.paging import MOST_COUNTED, Listing

STATUSES = ("pending", "approved", "rejected")
KINDS = ("deposit", "withdrawal")
FILE_COLUMNS = (
    *("transaction_id", "user_id", "user_name", "user_email", "transaction_type", "amount", "status", "created_at"),
    *("updated_at", "operator_name", "first_operator_name", "remark"),
)


@admin_bp.get("/fund-transactions")
@admin_may(Permission.VIEW)
def fund_transactions() -> str:
    return _page("admin/transaction_history.html", None)


@admin_bp.get("/deposits")
@admin_may(Permission.VIEW)
def deposits() -> str:
    return _page("admin/deposits.html", "deposit")


@admin_bp.get("/withdrawals")
@admin_may(Permission.VIEW)
def withdrawals() -> str:
    return _page("admin/withdrawals.html", "withdrawal")


@admin_bp.get("/deposits.csv")
@admin_bp.get("/withdrawals.csv")
@admin_bp.get("/fund-transactions.csv")
@admin_may(Permission.VIEW)
def fund_transactions_file() -> Response:
    """The list of each of the three pages as a file."""
    kind = {"/admin/deposits.csv": "deposit", "/admin/withdrawals.csv": "withdrawal"}.get(request.path)
    filters = _filters(kind or inputs.choice(KINDS, "type"), default="any" if kind is None else "pending")
    return csv_answer("fund-requests", FILE_COLUMNS, _listing(filters).every_item(db.session()))


@admin_bp.post("/fund-transactions/<row:transaction_id>/approve")
@admin_may(Permission.DECIDE_FUNDS)
@operation("Approve a request", answered.RequestDecided)
def approve_request(transaction_id: int) -> Response:
    fields = inputs.body_fields()
    key = inputs.request_key(current_user.actor, fields)
    owner = funds.owner_of(db.session, transaction_id)
    actor = acting_admin()
    answer = write(funds.approve, owner, transaction_id, actor, market=market(), config=settings(), key=key)
    return done(answer, back_to=url_for("admin.fund_transactions"))


@admin_bp.post("/fund-transactions/<row:transaction_id>/reject")
@admin_may(Permission.DECIDE_FUNDS)
@operation("Reject a request with a reason", answered.RequestDecided, body=asked.ReasonBody)
def reject_request(transaction_id: int) -> Response:
    reason = read_body(asked.ReasonBody).reason
    key = inputs.request_key(current_user.actor, inputs.body_fields())
    owner = funds.owner_of(db.session, transaction_id)
    answer = write(funds.reject, owner, transaction_id, acting_admin(), reason, market=market(), key=key)
    return done(answer, back_to=url_for("admin.fund_transactions"))


@admin_bp.post("/fund-transactions/approve")
@admin_may(Permission.DECIDE_FUNDS)
def approve_requests() -> Response:
    """Approve many; body: ids. The answer tells which succeeded and why the others did not."""
    fields = inputs.body_fields()
    numbers = inputs.row_numbers(fields)
    key = inputs.request_key(current_user.actor, fields | {"ids": numbers})
    db.session.close()
    answer = fund_batches.approve_many(numbers, acting_admin(), market=market(), config=settings(), key=key)
    return done(answer, back_to=url_for("admin.fund_transactions"), category=_category(answer))


@admin_bp.post("/fund-transactions/reject")
@admin_may(Permission.DECIDE_FUNDS)
def reject_requests() -> Response:
    """Reject many with one reason; body: ids, reason."""
    fields = inputs.body_fields()
    reason, numbers = funds.parse_reason(fields.get("reason")), inputs.row_numbers(fields)
    key = inputs.request_key(current_user.actor, fields | {"ids": numbers})
    db.session.close()
    answer = fund_batches.reject_many(numbers, acting_admin(), reason, market=market(), key=key)
    return done(answer, back_to=url_for("admin.fund_transactions"), category=_category(answer))


def _category(answer: dict[str, Any]) -> str:
    return "error" if answer["failed"] else "success"


def _page(template: str, kind: str | None) -> str:
    """A page of requests. On the pages of one kind the waiting ones come first, the others on demand."""
    filters = _filters(kind or inputs.choice(KINDS, "type"), default="any" if kind is None else "pending")
    sort = inputs.sorting(fund_views.SORTS)
    waiting_first = filters["status"] == "pending" and sort is None
    order = "transaction_id" if waiting_first else sort
    page = _listing(filters).page(db.session, inputs.page_number(), inputs.page_limit(), order, count_to=MOST_COUNTED)
    return render_template(
        template,
        requests=page,
        standings=fund_views.standings(db.session, {row["user_id"] for row in page.items}),
        filters=filters,
        status=filters["status"],
        kind=kind,
        sort=sort,
        limit=page.limit,
    )


def _filters(kind: str | None, default: str) -> dict[str, Any]:
    """What the address asks for, as the page's own form writes it."""
    return {
        "search": inputs.text_parameter("search", users.LONGEST_EMAIL),
        "type": kind or "",
        "status": inputs.choice((*STATUSES, "any"), "status") or default,
        "since": inputs.text_parameter("since", 10),
        "until": inputs.text_parameter("until", 10),
    }


def _listing(filters: dict[str, Any]) -> Listing:
    return fund_views.requests(
        traders=users.matching(db.session(), filters["search"]) if filters["search"] else None,
        kind=filters["type"] or None,
        status=None if filters["status"] == "any" else filters["status"],
        since=inputs.day("since"),
        until=inputs.day("until", after=True),
    )
