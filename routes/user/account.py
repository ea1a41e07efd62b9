"""The trader's account: balances, holdings and lists, and requests to deposit and withdraw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, render_template, request, url_for
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
from services.accounts import funds, performance, portfolio
from services.trading import order_views

OPEN_ON_PAGE = 25
LATEST_REQUESTS = 2
NAMED_PARTS = 7  # holdings that the allocation names; the smaller ones together are the last part
VIEWS = ("orders", "fills", "funds")
SORT_NAMES = {
    "ticker": "Ticker",
    "amount": "Amount, smallest first",
    "-amount": "Amount, largest first",
    "-transaction_amount": "Amount, largest first",
    "-order_quantity": "Shares, most first",
    "-realised_profit": "Realised, most first",
    "realised_profit": "Realised, least first",
    "created_at": "Oldest first",
    "transaction_time": "Oldest first",
}


@user_bp.get("/account")
@user_required
def account() -> str:
    """`view` chooses the list of the history; its filters, `sort`, `page` and `limit` are in the address, too."""
    overview = portfolio.overview(db.session(), market(), current_user.id)
    view = inputs.choice(VIEWS, "view") or VIEWS[0]
    shown = lists.shown(view)
    resting = order_views.orders_of(user_id=current_user.id, status="open")
    filters = {name: request.args.get(name, "").strip() for name in ("ticker", "type", "status")}
    return render_template(
        "user/account.html",
        overview=overview,
        performance=performance.summary(db.session(), market(), current_user.id, overview),
        allocation=_allocation(overview),
        open_orders=resting.page(db.session(), limit=OPEN_ON_PAGE),
        latest_requests=funds.requests_of(user_id=current_user.id).page(db.session(), limit=LATEST_REQUESTS),
        view=view,
        rows=shown.page,
        sort=shown.sort,
        sort_choices=[(name, text) for name, text in SORT_NAMES.items() if name.removeprefix("-") in shown.sorts],
        filters=filters,
        filtered=any(filters.values()),
        user={"name": current_user.name, "last_login_at": current_user.last_login_at},
    )


@user_bp.get("/api/performance")
@user_required
@operation("How the account has done, session by session", answered.Performance)
def performance_api() -> Response:
    """How the account has done: today and in all, and each session's close beside the benchmark."""
    overview = portfolio.overview(db.session(), market(), current_user.id)
    summary = performance.summary(db.session(), market(), current_user.id, overview)
    return succeed(data=summary | {"days": performance.history(db.session(), market(), current_user.id)})


@user_bp.get("/api/account")
@user_required
@operation("Balances, holdings and profit", answered.Account)
def account_api() -> Response:
    return succeed(data=portfolio.overview(db.session, market(), current_user.id))


@user_bp.get("/api/transactions")
@user_required
@operation("The trader's fills", answered.Fills, query=asked.FillsQuery)
def transactions_api() -> Response:
    """The trader's fills."""
    page = lists.shown("fills").page
    return succeed(transactions=page.items, pagination=page.pagination())


@user_bp.get("/api/fund_transactions")
@user_required
@operation("The trader's requests to deposit and withdraw", answered.FundRequests, query=asked.FundsQuery)
def fund_transactions_api() -> Response:
    page = lists.shown("funds").page
    return succeed(fund_transactions=page.items, pagination=page.pagination())


@user_bp.post("/api/deposit")
@user_required
@operation("Ask for a deposit", answered.RequestDone, body=asked.AmountBody)
def deposit() -> BaseResponse:
    return _ask_for(funds.request_deposit)


@user_bp.post("/api/withdraw")
@user_required
@operation("Ask for a withdrawal", answered.RequestDone, body=asked.AmountBody)
def withdraw() -> BaseResponse:
    return _ask_for(funds.request_withdrawal)


def _ask_for(request_money: Callable[..., dict[str, Any]]) -> BaseResponse:
    amount = read_body(asked.AmountBody).amount
    key = inputs.request_key(current_user.actor, inputs.body_fields())
    answer = write(request_money, current_user.id, amount, market=market(), config=settings(), key=key)
    return done(answer, back_to=url_for("user.account"))


def _allocation(overview: dict[str, Any]) -> list[dict[str, Any]]:
    """The account's parts, largest holding first, cash last: name, value, share in percent, and where that begins."""
    priced = [one for one in overview["holdings"] if one["market_value"]]
    ranked = sorted(((one["ticker"], one["market_value"]) for one in priced), key=lambda part: -part[1])
    parts = ranked[:NAMED_PARTS]
    if len(ranked) > NAMED_PARTS:
        parts.append(("Others", sum(value for _, value in ranked[NAMED_PARTS:])))
    coloured = [(name, value, number) for number, (name, value) in enumerate(parts, start=1)]
    if overview["total_balance"]:
        coloured.append(("Cash", overview["total_balance"], "cash"))
    whole = sum(value for _, value, _ in coloured)
    shares = [round(value * 100 / whole, 1) for _, value, _ in coloured]
    return [
        {"name": name, "value": value, "color": color, "share": share, "start": sum(shares[:number])}
        for number, ((name, value, color), share) in enumerate(zip(coloured, shares, strict=True))
    ]
