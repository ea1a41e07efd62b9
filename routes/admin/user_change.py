"""What admins change of traders: new ones, edits, suspension, account state, password, cash and shares."""

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
from routes.admin.links import show_link
from routes.answers import done
from routes.inputs import Fields
from routes.shared import acting_admin, link_seed, market, settings_in_force, write
from services import user_changes, user_lists, users
from services.accounts import adjustments, funds, grants
from services.errors import InvalidInput
from services.idempotency import RequestKey

LIST = "admin.user_management"
MOST_AT_ONCE = 1000


@admin_bp.get("/user_management/new")
@admin_may(Permission.MANAGE_USERS)
def new_user() -> str:
    return render_template("admin/user_new.html", starting_balance=settings_in_force().starting_balance)


@admin_bp.post("/user_management/create")
@admin_may(Permission.MANAGE_USERS)
def create_user() -> Response | str:
    fields, key = _asked()
    names = user_changes.parse_names(fields)
    seed, balance = link_seed(key), settings_in_force().starting_balance
    answer = write(user_changes.create, names, balance, seed, acting_admin(), market=market(), key=key)
    return show_link(answer, seed, back_to=url_for(LIST))


@admin_bp.post("/user_management/<row:user_id>/edit")
@admin_may(Permission.MANAGE_USERS)
def edit_user(user_id: int) -> Response:
    fields, key = _asked()
    names = user_changes.parse_names(fields)
    answer = write(user_changes.edit, user_id, names, acting_admin(), market=market(), key=key)
    return done(answer, back_to=_page_of(user_id))


@admin_bp.post("/user_management/<row:user_id>/suspend")
@admin_may(Permission.MANAGE_USERS)
def suspend_user(user_id: int) -> Response:
    """No log-in any more; open logins and streams end at once. The reason stands in the audit log."""
    fields, key = _asked()
    reason = funds.parse_reason(fields.get("reason"))
    return _set_status(user_id, "suspended", reason, key)


@admin_bp.post("/user_management/<row:user_id>/activate")
@admin_may(Permission.MANAGE_USERS)
def activate_user(user_id: int) -> Response:
    _, key = _asked()
    return _set_status(user_id, "active", None, key)


@admin_bp.post("/user_management/<row:user_id>/state")
@admin_may(Permission.MANAGE_USERS)
def set_trading_state(user_id: int) -> Response:
    """active, reducing (may only sell) or halted (may only cancel)."""
    fields, key = _asked()
    state = user_changes.parse_state(fields.get("trading_state"))
    reason = funds.parse_reason(fields.get("reason"))
    answer = write(user_changes.set_trading_state, user_id, state, reason, acting_admin(), market=market(), key=key)
    return done(answer, back_to=_page_of(user_id))


@admin_bp.post("/user_management/<row:user_id>/reset-password")
@admin_may(Permission.MANAGE_USERS)
def reset_password(user_id: int) -> Response | str:
    """The old password and every login end at once; the answer holds a link, which is shown only now."""
    _, key = _asked()
    seed = link_seed(key)
    answer = write(user_changes.reset_password, user_id, seed, acting_admin(), market=market(), key=key)
    return show_link(answer, seed, back_to=_page_of(user_id))


@admin_bp.post("/user_management/<row:user_id>/adjust-cash")
@admin_may(Permission.ADJUST_ACCOUNTS)
def adjust_cash(user_id: int) -> Response:
    fields, key = _asked()
    amount = adjustments.parse_change(inputs.typed_amount(fields))
    reason = funds.parse_reason(fields.get("reason"))
    answer = write(adjustments.adjust_cash, user_id, amount, reason, acting_admin(), market=market(), key=key)
    return done(answer, back_to=_page_of(user_id))


@admin_bp.post("/user_management/<row:user_id>/adjust-shares")
@admin_may(Permission.ADJUST_ACCOUNTS)
def adjust_shares(user_id: int) -> Response:
    fields, key = _asked()
    ticker = inputs.checked_ticker("ticker", str(fields.get("ticker") or ""))
    quantity = adjustments.parse_shares(fields.get("quantity"))
    price = adjustments.parse_cost(fields.get("price"))
    reason = funds.parse_reason(fields.get("reason"))
    answer = write(
        adjustments.adjust_shares, user_id, ticker, quantity, price, reason, acting_admin(), market=market(), key=key
    )
    return done(answer, back_to=_page_of(user_id))


@admin_bp.post("/user_management/give-balance")
@admin_may(Permission.ADJUST_ACCOUNTS)
def give_balance() -> Response:
    """The same amount for many: for those with the numbers `user_ids`, or for all who pass the list's filters."""
    fields, key = _asked()
    amount = funds.parse_amount(inputs.typed_amount(fields))
    reason = funds.parse_reason(fields.get("reason"))
    if fields.get("user_ids") in (None, "", []) and fields.get("everybody") in ("1", "true", True):
        everybody = _filtered(fields)
        db.session.close()
        answer = grants.give_to_everybody(everybody, amount, reason, acting_admin(), market=market(), key=key)
    else:
        chosen = _chosen(fields)
        answer = write(adjustments.give_to_many, chosen, amount, reason, acting_admin(), market=market(), key=key)
    return done(answer, back_to=url_for(LIST))


def _set_status(user_id: int, status: str, reason: str | None, key: RequestKey | None) -> Response:
    answer = write(user_changes.set_status, user_id, status, reason, acting_admin(), market=market(), key=key)
    return done(answer, back_to=_page_of(user_id))


def _asked() -> tuple[Fields, RequestKey | None]:
    fields = inputs.body_fields()
    return fields, inputs.request_key(current_user.actor, fields)


def _page_of(user_id: int) -> str:
    return url_for("admin.user_detail", user_id=user_id)


def _chosen(fields: Fields) -> list[int]:
    """The traders' numbers, of a list or of a text with commas."""
    given: Any = fields.get("user_ids") or []
    parts = given if isinstance(given, list) else str(given).split(",")
    texts = [str(part).strip() for part in parts]
    if not all(text.isascii() and text.isdigit() and len(text) <= 9 for text in texts):
        raise InvalidInput({"user_ids": ["must be traders' numbers"]})
    if not 1 <= len(texts) <= MOST_AT_ONCE:
        raise InvalidInput({"user_ids": [f"must be 1 to {MOST_AT_ONCE:,} traders, or everybody"]})
    return [int(text) for text in texts]


def _filtered(fields: Fields) -> list[int]:
    """The numbers of everybody who passes the list's filters. Raises InvalidInput when nobody does."""
    status, state = fields.get("status") or None, fields.get("state") or None
    for name, value, choices in (("status", status, user_lists.STATUSES), ("state", state, user_lists.TRADING_STATES)):
        if value is not None and value not in choices:
            raise InvalidInput({name: [f"must be one of {', '.join(choices)}"]})
    text = str(fields.get("search") or "").strip()[: users.LONGEST_EMAIL]
    listing = user_lists.users_of(text=text, status=status, state=state)
    numbers = user_lists.numbers_of(db.session(), listing)
    if not numbers:
        raise InvalidInput({"user_ids": ["must be at least one trader"]})
    return numbers
