"""The trader's account: balances, holdings and lists, and requests to deposit and withdraw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from auth.permissions import user_required
from models import db
from routes import inputs
from routes.answers import done, succeed
from routes.shared import market, settings, write
from routes.user import lists, user_bp
from services.accounts import funds, portfolio
from services.trading import order_views

ROWS_ON_PAGE = 10


@user_bp.get("/account")
@user_required
def account() -> str:
    """Each list has its own page parameter, so that the page also works without scripts."""
    trader = current_user.id

    def at(parameter: str) -> dict[str, Any]:
        return {"user_id": trader, "page": inputs.page_number(parameter), "limit": ROWS_ON_PAGE}

    return render_template(
        "user/account.html",
        overview=portfolio.overview(db.session, market(), trader),
        orders=order_views.list_orders(db.session, **at("orders_page")),
        fills=order_views.list_fills(db.session, **at("fills_page")),
        funds=funds.list_requests(db.session, **at("funds_page")),
        user={"name": current_user.name, "last_login_at": current_user.last_login_at},
    )


@user_bp.get("/api/account")
@user_required
def account_api() -> Response:
    return succeed(data=portfolio.overview(db.session, market(), current_user.id))


@user_bp.get("/api/transactions")
@user_required
def transactions_api() -> Response:
    """The trader's fills."""
    listing = lists.fills()
    page = listing.page(db.session(), inputs.page_number(), inputs.page_limit(), inputs.sorting(listing.sorts))
    return succeed(transactions=page.items, pagination=page.pagination())


@user_bp.get("/api/fund_transactions")
@user_required
def fund_transactions_api() -> Response:
    listing = lists.fund_requests()
    page = listing.page(db.session(), inputs.page_number(), inputs.page_limit(), inputs.sorting(listing.sorts))
    return succeed(fund_transactions=page.items, pagination=page.pagination())


@user_bp.post("/api/deposit")
@user_required
def deposit() -> BaseResponse:
    return _ask_for(funds.request_deposit)


@user_bp.post("/api/withdraw")
@user_required
def withdraw() -> BaseResponse:
    return _ask_for(funds.request_withdrawal)


def _ask_for(request_money: Callable[..., dict[str, Any]]) -> BaseResponse:
    fields = inputs.body_fields()
    amount = funds.parse_amount(inputs.typed_amount(fields))
    key = inputs.request_key(current_user.actor, fields)
    answer = write(request_money, current_user.id, amount, market=market(), config=settings(), key=key)
    return done(answer, back_to=url_for("user.account"))
