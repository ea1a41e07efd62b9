"""Who may do what in the admin panel: every route against every role, a trader and a stranger, from the URL map."""

from __future__ import annotations

import pytest
from flask import Flask

from admin_stage import admin_rules, some_address
from auth.permissions import admin_may
from auth.roles import PERMISSIONS, Permission, role_may
from factories import Person, make_admin
from fake_market import FakeMarket
from routes.admin import admin_bp
from web_client import VenueClient
from web_help import assert_refused, books_of

ROLES = ("owner", "funds", "support", "read_only")
EVERYBODY = frozenset(ROLES)
OWNER = frozenset({"owner"})
FUNDS = OWNER | {"funds"}
SUPPORT = OWNER | {"support"}
AUDITORS = OWNER | {"read_only"}

# The matrix: endpoint -> the roles that may use it. A new route needs an entry here, or the first test fails.
MAY_USE: dict[str, frozenset[str]] = {
    "admin.dashboard": EVERYBODY,
    "admin.activity_figures": EVERYBODY,
    "admin.fund_transactions": EVERYBODY,
    "admin.deposits": EVERYBODY,
    "admin.withdrawals": EVERYBODY,
    "admin.fund_transactions_file": EVERYBODY,
    "admin.approve_request": FUNDS,
    "admin.approve_requests": FUNDS,
    "admin.reject_requests": FUNDS,
    "admin.reject_request": FUNDS,
    "admin.market_data": EVERYBODY,
    "admin.instruments_file": EVERYBODY,
    "admin.bars_file": EVERYBODY,
    "admin.gaps": EVERYBODY,
    "admin.assistant_usage": EVERYBODY,
    "admin.refresh_progress": EVERYBODY,
    "admin.look_up": SUPPORT,
    "admin.start_refresh": SUPPORT,
    "admin.cancel_refresh": SUPPORT,
    "admin.add_instrument": SUPPORT,
    "admin.rename_instrument": SUPPORT,
    "admin.deactivate_instrument": SUPPORT,
    "admin.activate_instrument": SUPPORT,
    "admin.import_bars": SUPPORT,
    "admin.order_management": EVERYBODY,
    "admin.order_page": EVERYBODY,
    "admin.orders_file": EVERYBODY,
    "admin.reject_orders": SUPPORT,
    "admin.execute_order": SUPPORT,
    "admin.reject_order": SUPPORT,
    "admin.live_stream": EVERYBODY,
    "admin.user_management": EVERYBODY,
    "admin.export_users": EVERYBODY,
    "admin.users_by_short_name": EVERYBODY,
    "admin.user_detail": EVERYBODY,
    "admin.user_by_short_name": EVERYBODY,
    "admin.user_equity": EVERYBODY,
    "admin.new_user": SUPPORT,
    "admin.create_user": SUPPORT,
    "admin.user_edit": SUPPORT,
    "admin.edit_user": SUPPORT,
    "admin.suspend_user": SUPPORT,
    "admin.activate_user": SUPPORT,
    "admin.set_trading_state": SUPPORT,
    "admin.reset_password": SUPPORT,
    "admin.adjust_cash": FUNDS,
    "admin.adjust_shares": FUNDS,
    "admin.give_balance": FUNDS,
    "admin.class_list": SUPPORT,
    "admin.check_class_list": SUPPORT,
    "admin.import_class_list": SUPPORT,
    "admin.venue_settings_page": EVERYBODY,
    "admin.change_settings": OWNER,
    "admin.clear_setting": OWNER,
    "admin.audit_log": AUDITORS,
    "admin.export_audit": AUDITORS,
    "admin.admins": OWNER,
    "admin.create_admin": OWNER,
    "admin.change_role": OWNER,
    "admin.deactivate_admin": OWNER,
    "admin.activate_admin": OWNER,
    "admin.link_trader": OWNER,
    "admin.reset_admin_password": OWNER,
}
ENDPOINTS = sorted(MAY_USE)


def ask(client: VenueClient, app: Flask, endpoint: str) -> list[tuple[int, str]]:
    """Status and code of every way to use the endpoint, with a body that fits nothing."""
    answers = []
    for rule in [rule for rule in admin_rules(app) if rule.endpoint == endpoint]:
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
            body = {} if method == "GET" else {"json": {}}
            answer = client.open(some_address(rule), method=method, headers={"Accept": "application/json"}, **body)
            answer.get_data()  # files are read while they leave
            answers.append((answer.status_code, (answer.json or {}).get("code", "") if answer.is_json else ""))
    assert answers, f"{endpoint} is not in the URL map"
    return answers


@pytest.fixture
def price(market: FakeMarket) -> None:
    market.set_quote("AAPL", "100.00")


def test_every_route_of_the_panel_has_an_entry(app: Flask) -> None:
    assert {rule.endpoint for rule in admin_rules(app)} == set(MAY_USE)


def test_every_view_of_the_panel_names_its_permission(app: Flask) -> None:
    for rule in admin_rules(app):
        permission = app.view_functions[rule.endpoint].permission
        assert {role for role in ROLES if role_may(role, permission)} == MAY_USE[rule.endpoint], rule.endpoint


@pytest.mark.parametrize("role", ROLES)
def test_a_role_comes_as_far_as_the_matrix_says(app: Flask, role: str) -> None:
    with app.app_context():
        admin = make_admin("Somebody", role=role)
    client = app.test_client().log_in(admin)
    before = books_of(app)
    for endpoint in ENDPOINTS:
        for status, code in ask(client, app, endpoint):
            if role in MAY_USE[endpoint]:
                assert status not in (401, 403), f"{role} is kept from {endpoint}: {code}"
                # No hub runs in tests: whoever may listen to the stream hears that there is no room.
                assert status < 500 or code == "NO_SLOT", endpoint
            else:
                assert (status, code) == (403, "NOT_PERMITTED"), f"{role} comes through to {endpoint}"
    assert books_of(app) == before


def test_a_trader_comes_nowhere(app: Flask, alice: Person) -> None:
    client = app.test_client().log_in(alice)
    for endpoint in ENDPOINTS:
        assert set(ask(client, app, endpoint)) == {(403, "ADMINS_ONLY")}, endpoint


def test_nobody_comes_nowhere(app: Flask) -> None:
    client = app.test_client()
    for endpoint in ENDPOINTS:
        assert set(ask(client, app, endpoint)) == {(401, "LOGIN_REQUIRED")}, endpoint


def test_an_owner_who_must_change_the_password_comes_nowhere(app: Flask) -> None:
    with app.app_context():
        admin = make_admin("Fresh", must_change_password=True)
    client = app.test_client().log_in(admin)
    for endpoint in ENDPOINTS:
        assert set(ask(client, app, endpoint)) == {(403, "PASSWORD_CHANGE_REQUIRED")}, endpoint


def test_a_view_without_a_permission_is_closed_even_to_owners(app: Flask, ada: Person) -> None:
    app.view_functions["admin.dashboard"] = lambda: "open to everybody"
    assert_refused(
        app.test_client().log_in(ada).get("/admin/", headers={"Accept": "application/json"}), 403, "NOT_PERMITTED"
    )
    assert_refused(app.test_client().get("/admin/", headers={"Accept": "application/json"}), 401, "LOGIN_REQUIRED")


def test_the_check_does_not_need_the_blueprint(app: Flask, ada: Person) -> None:
    """The decorator itself refuses, so that a view elsewhere is as safe."""
    with app.app_context():
        reader = make_admin("Reader", role="read_only")
    app.add_url_rule("/elsewhere", view_func=admin_may(Permission.CHANGE_SETTINGS)(lambda: "in"), endpoint="elsewhere")
    accept = {"Accept": "application/json"}
    assert app.test_client().log_in(ada).get("/elsewhere").text == "in"
    assert_refused(app.test_client().log_in(reader).get("/elsewhere", headers=accept), 403, "NOT_PERMITTED")


def test_an_unknown_role_may_nothing() -> None:
    for role in (None, "", "root", "Owner"):
        assert not any(role_may(role, permission) for permission in Permission)
    assert not any(role_may(role, "unheard_of") for role in PERMISSIONS)


def test_only_owners_may_everything() -> None:
    assert set(PERMISSIONS) == set(ROLES)
    assert PERMISSIONS["owner"] == frozenset(Permission)
    for role in ROLES[1:]:
        assert Permission.MANAGE_ADMINS not in PERMISSIONS[role]
        assert Permission.CHANGE_SETTINGS not in PERMISSIONS[role]


def test_the_blueprint_checks_before_every_view() -> None:
    names = [function.__name__ for function in admin_bp.before_request_funcs[None]]
    assert "refuse_undeclared" in names
