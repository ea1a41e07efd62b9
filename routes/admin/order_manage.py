"""All traders' orders: list with filters, file, execute by hand, reject with a reason, one by one or many at once."""

from __future__ import annotations

from typing import Any

from flask import render_template, url_for
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
from routes.shared import acting_admin, market, write
from services import users
from services.accounts import funds
from services.paging import MOST_COUNTED, Listing
from services.trading import order_views, orders
from services.trading.tickets import EXECUTION_TYPES, SIDES

# Rows are numbered as they come: sorting by time is sorting by number, for which the index of every filter will do.
NUMBER = order_views.ORDER_SORTS["order_id"]
SORTS = {"order_id": NUMBER, "created_at": NUMBER, "ticker": order_views.ORDER_SORTS["ticker"]}
FILE_COLUMNS = (
    *("order_id", "user_id", "user_name", "ticker", "order_type", "order_execution_type", "time_in_force"),
    *("order_quantity", "filled_quantity", "order_price", "stop_price", "average_fill_price", "filled_amount"),
    *("commission_paid", "order_status", "created_at", "accepted_at", "executed_at", "remark"),
)


@admin_bp.get("/orders")
@admin_may(Permission.VIEW)
def order_management() -> str:
    filters = _filters()
    sort = inputs.sorting(SORTS)
    page = _listing(filters).page(db.session, inputs.page_number(), inputs.page_limit(), sort, count_to=MOST_COUNTED)
    shown = {name: value or "" for name, value in filters.items()}
    return render_template("admin/order_management.html", orders=page, filters=shown, sort=sort, limit=page.limit)


@admin_bp.get("/orders.csv")
@admin_may(Permission.VIEW)
def orders_file() -> Response:
    """The list with its filters as a file."""
    return csv_answer("orders", FILE_COLUMNS, _listing(_filters()).every_item(db.session()))


@admin_bp.get("/orders/<row:order_id>")
@admin_may(Permission.VIEW)
def order_page(order_id: int) -> str:
    """One order of any trader with its whole life."""
    order = order_views.order_story(db.session, order_id)
    return render_template("admin/order.html", order=order, quote=market().quote(order["ticker"]))


@admin_bp.post("/orders/<row:order_id>/execute")
@admin_may(Permission.MANAGE_ORDERS)
@operation("Fill a resting order by hand", answered.OrderDone)
def execute_order(order_id: int) -> Response:
    """Fill the rest by hand; body: nothing, or a price and its reason."""
    fields = inputs.body_fields()
    price, reason = orders.parse_manual_price(fields)
    key = inputs.request_key(current_user.actor, fields)
    owner = orders.owner_of(db.session, order_id)
    actor = acting_admin()
    answer = write(orders.execute, owner, order_id, actor, market=market(), price=price, reason=reason, key=key)
    return done(answer, back_to=url_for("admin.order_management"))


@admin_bp.post("/orders/<row:order_id>/reject")
@admin_may(Permission.MANAGE_ORDERS)
@operation("Reject a resting order with a reason", answered.OrderDone, body=asked.ReasonBody)
def reject_order(order_id: int) -> Response:
    reason = read_body(asked.ReasonBody).reason
    key = inputs.request_key(current_user.actor, inputs.body_fields())
    owner = orders.owner_of(db.session, order_id)
    answer = write(orders.reject, owner, order_id, acting_admin(), reason, market=market(), key=key)
    return done(answer, back_to=url_for("admin.order_management"))


@admin_bp.post("/orders/reject")
@admin_may(Permission.MANAGE_ORDERS)
def reject_orders() -> Response:
    """Reject many with one reason; body: ids, reason. The answer tells which succeeded and why the others did not."""
    fields = inputs.body_fields()
    reason, numbers = funds.parse_reason(fields.get("reason")), inputs.row_numbers(fields)
    key = inputs.request_key(current_user.actor, fields | {"ids": numbers})
    db.session.close()
    answer = orders.reject_many(numbers, acting_admin(), reason, market=market(), key=key)
    category = "error" if answer["failed"] else "success"
    return done(answer, back_to=url_for("admin.order_management"), category=category)


def _filters() -> dict[str, str | None]:
    """What the address asks for; `user` is part of a trader's name or e-mail address, or the number."""
    return {
        "status": inputs.choice(order_views.STATUSES, "status"),
        "ticker": inputs.optional_ticker(),
        "side": inputs.choice(SIDES, "side", "type"),
        "execution_type": inputs.choice(EXECUTION_TYPES, "execution_type"),
        "user": inputs.text_parameter("user", users.LONGEST_EMAIL) or None,
        "since": inputs.text_parameter("since", 10) or None,
        "until": inputs.text_parameter("until", 10) or None,
    }


def _listing(filters: dict[str, Any]) -> Listing:
    return order_views.orders_of(
        traders=users.matching(db.session(), filters["user"]) if filters["user"] else None,
        status=filters["status"],
        ticker=filters["ticker"],
        side=filters["side"],
        execution_type=filters["execution_type"],
        since=inputs.day("since"),
        until=inputs.day("until", after=True),
    )
