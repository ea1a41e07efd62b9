"""All traders' orders: list with filters, execute by hand, reject with a reason."""

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
from services import users
from services.accounts import funds
from services.paging import Page
from services.trading import order_views, orders
from services.trading.tickets import EXECUTION_TYPES, SIDES

NOBODY = -1


@admin_bp.get("/orders")
@admin_may(Permission.VIEW)
def order_management() -> str:
    filters = {
        "status": inputs.choice(order_views.STATUSES, "status"),
        "ticker": inputs.optional_ticker(),
        "side": inputs.choice(SIDES, "side", "type"),
        "execution_type": inputs.choice(EXECUTION_TYPES, "execution_type"),
        "user": inputs.text_parameter("user", users.LONGEST_EMAIL) or None,
    }
    shown = {name: value or "" for name, value in filters.items()}
    return render_template("admin/order_management.html", orders=_orders(filters), filters=shown)


@admin_bp.get("/orders/<row:order_id>")
@admin_may(Permission.VIEW)
def order_page(order_id: int) -> str:
    """One order of any trader with its whole life."""
    return render_template("admin/order.html", order=order_views.order_story(db.session, order_id))


@admin_bp.post("/orders/<row:order_id>/execute")
@admin_may(Permission.MANAGE_ORDERS)
def execute_order(order_id: int) -> Response:
    fields = inputs.body_fields()
    key = inputs.request_key(current_user.actor, fields)
    owner = orders.owner_of(db.session, order_id)
    answer = write(orders.execute, owner, order_id, acting_admin(), market=market(), key=key)
    return done(answer, back_to=url_for("admin.order_management"))


@admin_bp.post("/orders/<row:order_id>/reject")
@admin_may(Permission.MANAGE_ORDERS)
def reject_order(order_id: int) -> Response:
    fields = inputs.body_fields()
    reason = funds.parse_reason(fields.get("reason"))
    key = inputs.request_key(current_user.actor, fields)
    owner = orders.owner_of(db.session, order_id)
    answer = write(orders.reject, owner, order_id, acting_admin(), reason, market=market(), key=key)
    return done(answer, back_to=url_for("admin.order_management"))


def _orders(filters: dict[str, str | None]) -> Page:
    """The page of orders that pass the filters; `user` is a trader's name or e-mail address."""
    wanted = {name: value for name, value in filters.items() if name != "user"}
    user = filters["user"]
    user_id = None if user is None else users.find_id(db.session, user) or NOBODY
    return order_views.list_orders(
        db.session, user_id=user_id, **wanted, page=inputs.page_number(), limit=inputs.page_limit()
    )
