"""What the tests of all admin routes need: one request for each write, and how to prepare it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import Flask
from sqlalchemy import insert, update
from werkzeug.routing import Rule

from config import Config
from factories import PASSWORD, Person, give_cash, make_admin, make_user, place
from fake_market import FakeMarket
from models import Instrument
from services import admin_accounts, venue_settings
from services.accounts import funds
from services.market import refresh
from services.transaction import run_unit
from utils.datetime_utils import utc_now

NEW_PASSWORD = "Another!horse8"


@dataclass(frozen=True)
class Stage:
    """A venue with a trader who has money, a resting order and requests, and an owner who looks after them."""

    app: Flask
    market: FakeMarket
    config: Config
    trader: Person
    owner: Person

    def asked(self, kind: str = "deposit") -> int:
        """The number of a new request of the trader."""
        work = funds.request_deposit if kind == "deposit" else funds.request_withdrawal
        with self.app.app_context():
            return run_unit(work, self.trader.id, Decimal("50.00"), market=self.market, key=None)["transaction_id"]

    def resting(self) -> int:
        """The number of a new order of the trader, which rests."""
        self.market.set_quote("AAPL", "100.00")
        with self.app.app_context():
            give_cash(self.trader, "5000.00", admin=self.owner, market=self.market)
            order = place(self.trader, "buy", "AAPL", 10, "90.00", market=self.market, config=self.config)
        return order["order_id"]

    def refreshing(self) -> dict[str, Any]:
        """A refresh is under way."""
        with self.app.app_context():
            run_unit(refresh.start, [], "Somebody", utc_now())
        return {}

    def unlisted(self) -> dict[str, Any]:
        """An instrument that is known, but not on the stock list."""
        with self.app.app_context():
            run_unit(lambda session: session.execute(insert(Instrument).values(ticker="IBM", name="IBM", listed=False)))
        return {"ticker": "IBM"}

    def inactive(self) -> dict[str, Any]:
        """An instrument that was taken out of trading."""
        with self.app.app_context():
            taken_out = update(Instrument).where(Instrument.ticker == "GOOG").values(deactivated_at=utc_now())
            run_unit(lambda session: session.execute(taken_out))
        return {"ticker": "GOOG"}

    def trader_at(self, action: str) -> str:
        """The address of what can be done to the trader."""
        return f"/admin/user_management/{self.trader.id}/{action}"

    def suspended(self) -> int:
        """The number of a suspended trader."""
        with self.app.app_context():
            return make_user("Carol", status="suspended").id

    def admin_at(self, action: str) -> str:
        """The address of what can be done to another admin, of support."""
        with self.app.app_context():
            return f"/admin/admins/{make_admin('Sam', role='support').id}/{action}"

    def deactivated(self) -> int:
        """The number of an admin whose account was closed."""
        with self.app.app_context():
            other = make_admin("Sam", role="support")
            run_unit(admin_accounts.set_active, other.id, False, self.owner.actor, utc_now(), key=None)
        return other.id

    def saved_setting(self, name: str, value: str) -> int:
        """The version of the settings after one was saved."""
        with self.app.app_context():
            change = venue_settings.change
            answer = run_unit(change, {name: value}, 0, self.owner.actor, config=self.config, now=utc_now(), key=None)
        return answer["version"]


Request = tuple[str, dict[str, Any]]

# endpoint -> how to make one request to it that works: the path and the body.
ADMIN_WRITES: dict[str, Callable[[Stage], Request]] = {
    "admin.approve_request": lambda stage: (f"/admin/fund-transactions/{stage.asked()}/approve", {}),
    "admin.reject_request": lambda stage: (f"/admin/fund-transactions/{stage.asked()}/reject", {"reason": "no"}),
    "admin.approve_requests": lambda stage: ("/admin/fund-transactions/approve", {"ids": [stage.asked()]}),
    "admin.reject_requests": lambda stage: (
        "/admin/fund-transactions/reject",
        {"ids": [stage.asked()], "reason": "no"},
    ),
    "admin.reject_orders": lambda stage: ("/admin/orders/reject", {"ids": [stage.resting()], "reason": "no"}),
    "admin.start_refresh": lambda _stage: ("/admin/data/refresh", {"ticker": "AAPL"}),
    "admin.cancel_refresh": lambda stage: ("/admin/data/refresh/cancel", stage.refreshing()),
    "admin.add_instrument": lambda stage: ("/admin/data/instruments", stage.unlisted()),
    "admin.rename_instrument": lambda _stage: ("/admin/data/instruments/rename", {"ticker": "AAPL", "name": "Apple"}),
    "admin.deactivate_instrument": lambda _stage: ("/admin/data/instruments/deactivate", {"ticker": "GOOG"}),
    "admin.activate_instrument": lambda stage: ("/admin/data/instruments/activate", stage.inactive()),
    "admin.import_bars": lambda _stage: (
        "/admin/data/import",
        {"file": "date,open,high,low,close\n2008-08-01,1,2,1,1.5\n", "ticker": "AAPL"},
    ),
    "admin.execute_order": lambda stage: (f"/admin/orders/{stage.resting()}/execute", {}),
    "admin.reject_order": lambda stage: (f"/admin/orders/{stage.resting()}/reject", {"reason": "no"}),
    "admin.create_user": lambda stage: (
        "/admin/user_management/create",
        {"user_name": "Dave", "user_email": "dave@example.com"},
    ),
    "admin.edit_user": lambda stage: (
        stage.trader_at("edit"),
        {"user_name": "Alice B", "user_email": "alice@example.com"},
    ),
    "admin.suspend_user": lambda stage: (stage.trader_at("suspend"), {"reason": "away"}),
    "admin.activate_user": lambda stage: (f"/admin/user_management/{stage.suspended()}/activate", {}),
    "admin.set_trading_state": lambda stage: (
        stage.trader_at("state"),
        {"trading_state": "reducing", "reason": "too risky"},
    ),
    "admin.reset_password": lambda stage: (stage.trader_at("reset-password"), {}),
    "admin.adjust_cash": lambda stage: (stage.trader_at("adjust-cash"), {"amount": "5.50", "reason": "prize"}),
    "admin.adjust_shares": lambda stage: (
        stage.trader_at("adjust-shares"),
        {"ticker": "AAPL", "quantity": 3, "price": "10", "reason": "prize"},
    ),
    "admin.give_balance": lambda stage: (
        "/admin/user_management/give-balance",
        {"user_ids": [stage.trader.id], "amount": "10", "reason": "start of term"},
    ),
    "admin.import_class_list": lambda stage: (
        "/admin/user_management/class-list/import",
        {"csv": "name,email\nErin,erin@example.com\n"},
    ),
    "admin.change_settings": lambda stage: ("/admin/settings", {"version": 0, "announcement": "Class at nine"}),
    "admin.clear_setting": lambda stage: (
        "/admin/settings/announcement/clear",
        {"version": stage.saved_setting("announcement", "Old")},
    ),
    "admin.create_admin": lambda stage: ("/admin/admins", {"admin_name": "Grace", "role": "funds"}),
    "admin.change_role": lambda stage: (stage.admin_at("role"), {"role": "read_only"}),
    "admin.deactivate_admin": lambda stage: (stage.admin_at("deactivate"), {}),
    "admin.activate_admin": lambda stage: (f"/admin/admins/{stage.deactivated()}/activate", {}),
    "admin.link_trader": lambda stage: (stage.admin_at("trader"), {"user": stage.trader.name}),
    "admin.reset_admin_password": lambda stage: (stage.admin_at("reset-password"), {}),
    "auth.change_admin_password": lambda stage: (
        "/auth/admin-password",
        {"current_password": PASSWORD, "new_password": NEW_PASSWORD, "confirm_password": NEW_PASSWORD},
    ),
}
# POST routes of the panel that only answer a question and store nothing.
ADMIN_QUESTIONS = {"admin.check_class_list"}


def admin_rules(app: Flask) -> list[Rule]:
    """Every address of the admin panel."""
    return [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/admin/")]


def admin_writes(app: Flask) -> set[str]:
    """The endpoints of every admin write of the URL map."""
    posts = {rule.endpoint for rule in admin_rules(app) if "POST" in (rule.methods or ())}
    return (posts | {"auth.change_admin_password"}) - ADMIN_QUESTIONS


def some_address(rule: Rule) -> str:
    """An address that the rule matches, of a row that is not there."""
    return re.sub(r"<[^>]+>", "999999", rule.rule)
