"""What belongs to every request: pages, errors, headers, size, forgery, health, and a database that is away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from databases import both_databases
from factories import Person
from fake_market import FakeMarket
from models import MarketData, db
from routes.answers import safe_next
from web_client import VenueClient
from web_help import assert_refused, books_of

JSON = {"Accept": "application/json"}
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@contextmanager
def database_away(app: Flask) -> Iterator[None]:
    """Every statement fails, as when the server has gone."""

    def fail(*_args: object) -> None:
        raise OperationalError("SELECT", {}, Exception(2003, "Can't connect to the secret host"))

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", fail)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", fail)


# Pages for everybody.


@pytest.mark.parametrize("path", ["/about", "/privacy", "/auth/login", "/auth/register", "/auth/admin-login"])
def test_public_pages_need_no_login(client: VenueClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    page = BeautifulSoup(answer.text, "html.parser")
    assert page.select_one("meta[name=csrf-token]")["content"]
    assert page.title.get_text(strip=True)


def test_the_short_ways(client: VenueClient) -> None:
    assert client.get("/logout").location == "/auth/logout"
    assert client.get("/auth/").location == "/auth/login"
    assert client.get("/user/dashboard").location == "/auth/login?next=/user/dashboard"


def test_the_dashboards_lead_on(app: Flask, alice: Person, ada: Person) -> None:
    trader = app.test_client().log_in(alice)
    assert trader.get("/user/dashboard").location == "/user/stock_chart"
    assert trader.get("/user/").location == "/user/stock_chart"
    assert trader.get("/auth/").location == "/"
    admin = app.test_client().log_in(ada)
    assert [admin.get(path).status_code for path in ("/admin/", "/admin/dashboard")] == [200, 200]


# Error answers.


def test_an_unknown_address_is_a_page_for_people_and_json_for_scripts(client: VenueClient) -> None:
    page = client.get("/nothing/here", headers=HTML)
    assert page.status_code == 404
    assert page.mimetype == "text/html"
    assert page.headers["X-Request-ID"] in page.text
    assert_refused(client.get("/nothing/here", headers=JSON), 404, "NOT_FOUND")
    assert_refused(client.get("/user/api/nothing", headers=HTML), 404, "NOT_FOUND")


def test_a_wrong_method_names_the_right_ones(client: VenueClient) -> None:
    answer = client.get("/user/api/deposit")
    assert_refused(answer, 405, "METHOD_NOT_ALLOWED")
    assert "POST" in answer.headers["Allow"]
    assert client.put("/auth/login", headers=HTML).status_code == 405


def test_a_request_id_is_ours_and_new_each_time(client: VenueClient) -> None:
    answers = [client.get("/about", headers={"X-Request-ID": "forged"}) for _ in range(2)]
    ids = [answer.headers["X-Request-ID"] for answer in answers]
    assert len(set(ids)) == 2
    assert all(re.fullmatch("[0-9a-f]{16}", request_id) for request_id in ids)


def test_an_unexpected_error_says_nothing_of_the_inside_and_is_noted(
    app: Flask, client: VenueClient, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.log_in(alice)
    monkeypatch.setattr("services.accounts.portfolio.overview", lambda *_: 1 / 0)
    page, answer = client.get("/user/account", headers=HTML), client.get("/user/api/account")
    assert page.status_code == 500
    assert_refused(answer, 500, "INTERNAL_ERROR")
    for text in (page.text, answer.text):
        assert "division" not in text
        assert "Traceback" not in text
    assert page.headers["X-Request-ID"] in page.text
    log = (app.extensions["config"].log_dir / "error.log").read_text()
    assert "ZeroDivisionError" in log
    assert f"[{answer.json['request_id']}]" in log


def test_a_value_that_a_template_lacks_is_an_error_page_with_a_request_id(
    client: VenueClient, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.log_in(alice)
    monkeypatch.setattr("services.accounts.portfolio.overview", lambda *_: {})
    page = client.get("/user/account", headers=HTML)
    assert page.status_code == 500
    assert page.headers["X-Request-ID"] in page.text
    assert "undefined" not in page.text.lower()
    assert "has no attribute" not in page.text


@pytest.mark.parametrize(
    "path", ["/user/api/deposit", "/user/api/create_order", "/user/orders/1/cancel", "/auth/login"]
)
def test_a_large_body_is_refused_before_anything_reads_it(client: VenueClient, alice: Person, path: str) -> None:
    client.log_in(alice)
    body = b'{"amount": "' + b"1" * 1_000_000 + b'"}'
    assert_refused(client.post(path, data=body, content_type="application/json"), 413)
    form = client.post(path, data={"amount": "1" * 70_000}, headers=HTML)
    assert form.status_code == 413


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/octet-stream", "image/png"])
@pytest.mark.parametrize("path", ["/user/api/deposit", "/user/api/create_order"])
def test_other_types_of_content_are_refused(client: VenueClient, alice: Person, content_type: str, path: str) -> None:
    client.log_in(alice)
    answer = client.post(path, data='{"amount": 10}', content_type=content_type)
    assert_refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("body", ["", "{", "[]", "null", "5", '"text"', "[1, 2]", "{'a': 1}", "[" * 20_000])
def test_a_body_that_is_no_object_is_refused(client: VenueClient, alice: Person, body: str) -> None:
    client.log_in(alice)
    answer = client.post("/user/api/deposit", data=body, content_type="application/json")
    assert_refused(answer, 400, "INVALID_INPUT", "body")


# Forgery.


WRITES = [
    "/auth/login",
    "/auth/register",
    "/auth/admin-login",
    "/auth/logout",
    "/user/api/deposit",
    "/user/api/withdraw",
    "/user/api/create_order",
    "/user/orders/1/cancel",
    "/user/orders/1/replace",
    "/user/api/preview_order",
    "/user/api/preferences/<name>",
    "/user/api/stock_analysis",
    "/admin/fund-transactions/approve",
    "/admin/fund-transactions/reject",
    "/admin/orders/reject",
    "/user/profile",
    "/user/profile/password",
    "/user/logins/1/end",
    "/user/logins/end_others",
    "/admin/data/refresh",
    "/admin/data/refresh/cancel",
    "/admin/data/instruments",
    "/admin/data/instruments/rename",
    "/admin/data/instruments/deactivate",
    "/admin/data/instruments/activate",
    "/admin/data/import",
    "/user/api/analysis_report",
    "/user/api/chat",
    "/user/api/chat/stream",
    "/user/api/chat/conversations/1/rename",
    "/user/api/chat/conversations/1/delete",
    "/user/api/chat/proposals/1/confirm",
    "/admin/fund-transactions/1/approve",
    "/admin/fund-transactions/1/reject",
    "/admin/orders/1/execute",
    "/admin/orders/1/reject",
    "/auth/set-password/<token>",
    "/admin/user_management/create",
    "/admin/user_management/give-balance",
    "/admin/user_management/class-list/check",
    "/admin/user_management/class-list/import",
    "/admin/user_management/1/edit",
    "/admin/user_management/1/suspend",
    "/admin/user_management/1/activate",
    "/admin/user_management/1/state",
    "/admin/user_management/1/reset-password",
    "/admin/user_management/1/adjust-cash",
    "/admin/user_management/1/adjust-shares",
    "/admin/settings",
    "/admin/settings/<name>/clear",
    "/admin/admins",
    "/admin/admins/1/role",
    "/admin/admins/1/deactivate",
    "/admin/admins/1/activate",
    "/admin/admins/1/trader",
    "/admin/admins/1/reset-password",
]


def test_the_list_of_writes_is_whole(app: Flask) -> None:
    writes = {re.sub(r"<row:\w+>", "1", rule.rule) for rule in app.url_map.iter_rules() if "POST" in rule.methods}
    assert writes == {*WRITES, "/auth/admin-password"}


@pytest.mark.parametrize("path", WRITES)
def test_no_write_without_the_sessions_token(app: Flask, alice: Person, ada: Person, path: str) -> None:
    client = app.test_client().log_in(ada if path.startswith("/admin") else alice)
    before = books_of(app)
    body = {"amount": "10.00", "reason": "because"}
    assert_refused(client.post(path, json=body, csrf=False), 403, "CSRF_FAILED")
    strangers = app.test_client().csrf_token()
    wrong = client.post(path, json=body, headers={"X-CSRFToken": strangers})
    assert_refused(wrong, 403, "CSRF_FAILED")
    page = client.post(path, data=body, csrf=False, headers=HTML)
    assert page.status_code == 403
    assert "Reload" in page.text
    assert books_of(app) == before


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_no_write_from_another_sites_page(client: VenueClient, alice: Person, site: str) -> None:
    client.log_in(alice)
    answer = client.post("/user/api/deposit", json={"amount": 10}, headers={"Sec-Fetch-Site": site})
    assert_refused(answer, 403, "CSRF_FAILED")
    own = client.post("/user/api/deposit", json={"amount": 10}, headers={"Sec-Fetch-Site": "same-origin"})
    assert own.status_code == 200


def test_the_token_of_a_page_is_good_in_a_form_and_in_the_header(client: VenueClient, alice: Person) -> None:
    client.log_in(alice)
    page = BeautifulSoup(client.get("/user/account").text, "html.parser")
    token = page.select_one("meta[name=csrf-token]")["content"]
    by_header = client.post("/user/api/deposit", json={"amount": 1}, headers={"X-CSRFToken": token}, csrf=False)
    by_form = client.post("/user/api/deposit", data={"amount": "1", "csrf_token": token}, csrf=False)
    assert (by_header.status_code, by_form.status_code) == (200, 303)


# Headers.


@pytest.mark.parametrize(
    "path", ["/about", "/auth/login", "/user/account", "/user/api/account", "/healthz", "/nothing"]
)
def test_every_answer_carries_the_security_headers(client: VenueClient, path: str) -> None:
    headers = client.get(path).headers
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


def test_no_page_holds_inline_script_or_style(app: Flask, alice: Person, ada: Person) -> None:
    trader, admin, visitor = app.test_client().log_in(alice), app.test_client().log_in(ada), app.test_client()
    pages = [
        *(visitor.get(path) for path in ("/about", "/privacy", "/auth/login", "/auth/register", "/auth/admin-login")),
        *(trader.get(path) for path in ("/user/account", "/user/stock_chart", "/auth/logout", "/nothing")),
        *(admin.get(path) for path in ("/admin/", "/admin/deposits", "/admin/withdrawals", "/admin/orders")),
        admin.get("/admin/fund-transactions"),
    ]
    for page in pages:
        soup = BeautifulSoup(page.text, "html.parser")
        assert not [tag for tag in soup.find_all("script") if tag.string or not tag.get("src")], page.request.path
        assert not soup.find_all("style")
        assert not soup.find_all(style=True)
        assert not [tag for tag in soup.find_all() if any(name.startswith("on") for name in tag.attrs)]


def test_static_files_may_be_kept(client: VenueClient) -> None:
    page = BeautifulSoup(client.get("/auth/login").text, "html.parser")
    with client.get(page.select_one("link[rel=stylesheet]")["href"]) as sheet:
        assert sheet.status_code == 200
        assert "immutable" in sheet.headers["Cache-Control"]


def test_reading_changes_nothing(app: Flask, alice: Person, ada: Person, market: FakeMarket) -> None:
    """Generated from the URL map: every address that answers GET, twice."""
    market.set_quote("AAPL", "100.00")
    browsers = {"user": app.test_client().log_in(alice), "admin": app.test_client().log_in(ada)}
    before = books_of(app)
    for rule in [rule for rule in app.url_map.iter_rules() if "GET" in rule.methods and not rule.arguments]:
        browser = browsers.get(rule.endpoint.partition(".")[0], app.test_client())
        for _ in range(2):
            answer = browser.get(rule.rule, query_string={"ticker": "AAPL", "tickers": "AAPL", "period": "1y"})
            answer.get_data()  # files are read while they leave
            # Nothing runs in the background here: the venue is not healthy, and nobody tells news.
            away = rule.rule == "/healthz" or rule.rule.endswith("/api/stream")
            assert answer.status_code < 500 or away, rule.rule
    assert books_of(app) == before


# JSON.


def test_json_writes_decimals_as_numbers_and_times_in_utc(app: Flask) -> None:
    moment = datetime(2008, 9, 2, 13, 30, 0, 5, tzinfo=UTC)
    assert (
        app.json.dumps({"z": Decimal("12.34"), "a": Decimal("9999999999999.99")})
        == '{"z": 12.34, "a": 9999999999999.99}'
    )
    assert app.json.dumps([moment, moment.date()]) == '["2008-09-02T13:30:00.000005Z", "2008-09-02"]'
    assert app.json.dumps("naïve") == '"naïve"'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), Decimal("Infinity"), object()])
def test_json_never_writes_what_is_no_json(app: Flask, value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        app.json.dumps({"value": value})


def test_json_refuses_a_time_without_a_zone(app: Flask) -> None:
    with pytest.raises(ValueError, match="without a zone"):
        app.json.dumps(datetime(2008, 9, 2))  # noqa: DTZ001 - the case under test


def test_json_reads_amounts_exactly(app: Flask) -> None:
    assert app.json.loads('{"a": 0.1, "b": 3}') == {"a": Decimal("0.1"), "b": 3}


# Where one may be sent.


@pytest.mark.parametrize("target", ["/user/account", "/user/stock_chart?ticker=BRK.B&period=1y", "/"])
def test_paths_of_this_site_are_followed(target: str) -> None:
    assert safe_next(target) == target


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "user/account",
        "//evil.example/x",
        "/\\evil.example",
        "\\\\evil.example",
        "http://evil.example",
        "javascript:alert(1)",
        "/ok\nLocation: http://evil.example",
        "/a b",
        "/\u202eevil",
    ],
)
def test_nothing_else_is_followed(target: str | None) -> None:
    assert safe_next(target) is None


# Health and trouble.


def test_health_waits_for_bars_and_quotes(app: Flask, client: VenueClient, market: FakeMarket) -> None:
    empty = client.get("/healthz")
    assert empty.status_code == 503
    assert empty.json["database"] == {"available": True, "bars_loaded": False}
    with app.app_context(), Session(db.engine) as session:
        session.add(MarketData(ticker="AAPL", date=date(2008, 9, 2), close=Decimal("166.19"), volume=1))
        session.commit()
    assert client.get("/healthz").status_code == 503
    market.set_quote("AAPL", "166.19")
    market.clock.advance(hours=3)
    well = client.get("/healthz")
    assert well.status_code == 200
    assert well.json["success"] is True
    assert well.json["market"]["newest_quote_age_seconds"] == 3 * 3600  # told, but no failure
    assert well.json["order_processor"] == {"started": False, "alive": False}


def test_a_task_that_died_is_a_failure(app: Flask, client: VenueClient, market: FakeMarket) -> None:
    class Dead:
        alive = False
        last_pass = datetime(2026, 1, 1, tzinfo=UTC)

    with app.app_context(), Session(db.engine) as session:
        session.add(MarketData(ticker="AAPL", date=date(2008, 9, 2), close=Decimal("166.19"), volume=1))
        session.commit()
    market.set_quote("AAPL", "166.19")
    app.extensions["order_processor"] = Dead()
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json["order_processor"] == {"started": True, "alive": False, "last_pass": "2026-01-01T00:00:00Z"}


@both_databases
def test_with_the_database_away_everything_says_so_and_recovers(app: Flask, client: VenueClient, alice: Person) -> None:
    client.log_in(alice)
    with database_away(app):
        page = client.get("/user/account", headers=HTML)
        assert page.status_code == 503
        assert page.headers["X-Request-ID"] in page.text
        assert "secret host" not in page.text
        assert_refused(client.get("/user/api/account"), 503, "DATABASE_AWAY")
        assert_refused(client.post("/user/api/deposit", json={"amount": 10}), 503, "DATABASE_AWAY")
        assert client.get("/about", headers=HTML).status_code == 503
        assert app.test_client().get("/about", headers=HTML).status_code == 200
        assert client.get("/healthz").json["database"]["available"] is False
    assert client.get("/user/account").status_code == 200
    assert client.get("/user/api/account").status_code == 200
