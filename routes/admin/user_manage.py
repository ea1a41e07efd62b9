"""`/admin/user_management`: traders to search, one trader's page, and what can be read of them."""

from __future__ import annotations

from flask import Response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from auth.permissions import admin_may
from auth.roles import Permission
from models import db
from routes import inputs
from routes.admin import admin_bp
from routes.answers import succeed
from routes.exports import csv_answer
from routes.shared import market
from services import audit, user_lists, users
from services.accounts import funds, performance, portfolio
from services.paging import Listing
from services.trading import order_views

ROWS_OF_A_PART = 10
COLUMNS = (
    *("user_id", "user_name", "user_email", "account_status", "trading_state", "available_balance", "frozen_balance"),
    *("total_balance", "created_at", "last_login_at"),
)


@admin_bp.get("/user_management")
@admin_may(Permission.VIEW)
def user_management() -> str:
    sort = inputs.sorting(user_lists.USER_SORTS)
    page = _chosen().page(db.session(), inputs.page_number(), inputs.page_limit(), sort)
    filters = {name: request.args.get(name, "") for name in ("search", "status", "state")}
    return render_template("admin/user_management.html", users=page, filters=filters, sort=sort or "-user_id")


@admin_bp.get("/user_management.csv")
@admin_may(Permission.VIEW)
def export_users() -> Response:
    return csv_answer("traders", COLUMNS, _chosen().every_item(db.session()))


@admin_bp.get("/users")
@admin_may(Permission.VIEW)
def users_by_short_name() -> BaseResponse:
    """Another name of the list."""
    return redirect(url_for("admin.user_management", **request.args.to_dict()))


@admin_bp.get("/users/<row:user_id>")
@admin_may(Permission.VIEW)
def user_by_short_name(user_id: int) -> BaseResponse:
    """Another name of a trader's page."""
    return redirect(url_for("admin.user_detail", user_id=user_id))


@admin_bp.get("/user_management/<row:user_id>")
@admin_may(Permission.VIEW)
def user_detail(user_id: int) -> str:
    """One trader with everything about the account. Each list has its own page parameter."""
    card = user_lists.card(db.session(), user_id)

    def part(listing: Listing, parameter: str) -> object:
        return listing.page(db.session(), inputs.page_number(parameter), ROWS_OF_A_PART)

    trail = part(audit.entries_of(user_id=user_id), "audit_page") if current_user.may(Permission.READ_AUDIT) else None
    return render_template(
        "admin/user_detail.html",
        user=card,
        overview=portfolio.overview(db.session(), market(), user_id),
        orders=part(order_views.orders_of(user_id=user_id), "orders_page"),
        requests=part(funds.requests_of(user_id=user_id), "funds_page"),
        logins=part(user_lists.logins_of(user_id=user_id), "logins_page"),
        trail=trail,
    )


@admin_bp.get("/user_management/<row:user_id>/edit")
@admin_may(Permission.MANAGE_USERS)
def user_edit(user_id: int) -> str:
    return render_template("admin/user_edit.html", user=user_lists.card(db.session(), user_id))


@admin_bp.get("/user_management/<row:user_id>/equity")
@admin_may(Permission.VIEW)
def user_equity(user_id: int) -> Response:
    """The trader's equity day by day, for the page's curve."""
    user_lists.card(db.session(), user_id)
    return succeed(history=performance.history(db.session(), market(), user_id))


def _chosen() -> Listing:
    """The traders that pass the filters of the address."""
    return user_lists.users_of(
        text=inputs.text_parameter("search", users.LONGEST_EMAIL),
        status=inputs.choice(user_lists.STATUSES, "status"),
        state=inputs.choice(user_lists.TRADING_STATES, "state"),
    )
