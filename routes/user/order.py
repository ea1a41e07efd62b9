"""The trader's orders: place, list, cancel."""

from __future__ import annotations

from flask import Response, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from auth.permissions import user_required
from models import db
from routes import inputs
from routes.answers import done, succeed
from routes.contract import answered, asked
from routes.contract.operations import operation, read_body
from routes.shared import market, settings, write
from routes.user import lists, user_bp
from services.trading import order_views, orders, preview, replacing


@user_bp.get("/api/orders")
@user_required
@operation("The trader's orders", answered.Orders, query=asked.OrdersQuery)
def orders_api() -> Response:
    """`type` takes a side (buy, sell) or an execution type (market, limit)."""
    page = lists.shown("orders").page
    return succeed(orders=page.items, pagination=page.pagination())


@user_bp.post("/api/create_order")
@user_required
@operation("Place an order", answered.OrderDone, body=asked.OrderBody)
def create_order() -> BaseResponse:
    ticket = read_body(asked.OrderBody).ticket()
    key = inputs.request_key(current_user.actor, inputs.body_fields())
    answer = write(orders.place, current_user.id, ticket, market=market(), config=settings(), key=key)
    return done(answer, back_to=url_for("user.stock_chart", ticker=ticket.ticker))


@user_bp.get("/api/orders/<row:order_id>")
@user_required
@operation("One order with its whole life", answered.OneOrder)
def order_api(order_id: int) -> Response:
    """One order with its whole life: acceptance, triggers, each fill with the evidence of its price, its end."""
    return succeed(order=order_views.order_story(db.session, order_id, current_user.id))


@user_bp.get("/orders/<row:order_id>")
@user_required
def order_page(order_id: int) -> str:
    """The same on a page. Somebody else's order is not found."""
    return render_template("user/order.html", order=order_views.order_story(db.session, order_id, current_user.id))


@user_bp.post("/api/preview_order")
@user_required
@operation("What an order would do now; stores nothing", answered.Preview, body=asked.OrderBody)
def preview_order() -> Response:
    """What would happen to an order if it were sent now. Stores nothing."""
    ticket = read_body(asked.OrderBody).ticket()
    return succeed(data=preview.preview(db.session, current_user.id, ticket, market=market(), config=settings()))


@user_bp.post("/orders/<row:order_id>/replace")
@user_required
@operation("Change an open order", answered.OrderDone, body=asked.ChangesBody)
def replace_order(order_id: int) -> BaseResponse:
    """Change the price, stop or quantity of an open order in one step."""
    changes = read_body(asked.ChangesBody).changes()
    key = inputs.request_key(current_user.actor, inputs.body_fields())
    answer = write(replacing.replace, current_user.id, order_id, changes, market=market(), config=settings(), key=key)
    return done(answer, back_to=url_for("user.order_page", order_id=order_id))


@user_bp.post("/orders/<row:order_id>/cancel")
@user_required
@operation("Cancel an open order", answered.Done)
def cancel_order(order_id: int) -> BaseResponse:
    fields = inputs.body_fields()
    key = inputs.request_key(current_user.actor, fields)
    answer = write(orders.cancel, current_user.id, order_id, market=market(), key=key)
    return done(answer, back_to=url_for("user.account"))
