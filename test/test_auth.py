"""Registration, logins and logouts of traders and admins, and who may go where."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy import event, func, select, update
from sqlalchemy.orm import Session

from databases import both_databases
from factories import Person, make_admin, make_user
from models import AccountBalance, Admin, Login, User, db
from services.admins import Lock, take_attempt
from services.errors import DomainError
from services.transaction import run_unit
from utils import passwords
from web_client import VenueClient
from web_help import assert_refused

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
GOOD = {
    "user_name": "Carol",
    "user_email": "carol@example.com",
    "user_password": "Tr1cky!password",
    "confirm_password": "Tr1cky!password",
}
JSON = {"Accept": "application/json"}


def register(client: VenueClient, **changes: str):
    return client.post("/auth/register", data={**GOOD, **changes})


def log_in(client: VenueClient, name: str, password: str, **more: str):
    return client.post("/auth/login", data={"user_name": name, "user_password": password, **more})


def log_in_admin(client: VenueClient, name: str, password: str, **options):
    return client.post("/auth/admin-login", data={"username": name, "password": password}, **options)


def errors_on(page: str) -> dict[str, list[str]]:
    """The sentences under each field of a form."""
    fields = BeautifulSoup(page, "html.parser").select("[data-field]")
    found = {field["data-field"]: [item.get_text() for item in field.select("li")] for field in fields}
    return {name: sentences for name, sentences in found.items() if sentences}


# Registration.


@both_databases
def test_a_registered_trader_has_a_hashed_password_and_a_zero_balance(app: Flask, client: VenueClient) -> None:
    answer = register(client)
    assert (answer.status_code, answer.location) == (303, "/auth/login")
    with app.app_context(), Session(db.engine) as session:
        user = session.execute(select(User)).scalar_one()
        assert (user.user_name, user.user_email, user.name_key) == ("Carol", "carol@example.com", "carol")
        assert user.user_password.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert len(user.user_password) <= 128
        balance = session.execute(select(AccountBalance)).scalar_one()
        assert (balance.user_id, balance.total_balance) == (user.user_id, 0)
    assert "Your account is ready" in client.get("/auth/login").text
    assert log_in(client, "Carol", GOOD["user_password"]).location == "/user/account"


def test_all_faults_are_said_at_once_and_what_was_typed_is_kept(app: Flask, client: VenueClient) -> None:
    answer = register(
        client, user_name="x", user_email="carol at example", user_password="short", confirm_password="other"
    )
    assert answer.status_code == 400
    errors = errors_on(answer.text)
    assert set(errors) == {"user_name", "user_email", "user_password", "confirm_password"}
    assert len(errors["user_password"]) == 4  # too short, no upper case, no digit, no special character
    page = BeautifulSoup(answer.text, "html.parser")
    assert page.select_one("#user_name")["value"] == "x"
    assert page.select_one("#user_email")["value"] == "carol at example"
    assert not page.select_one("#user_password")["value"]
    with app.app_context(), Session(db.engine) as session:
        assert session.execute(select(func.count(User.user_id))).scalar_one() == 0


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("Sh0rt!p", "at least 8"),
        ("A1!" + "a" * 126, "at most 128"),
        ("lower!case1", "upper-case letter"),
        ("UPPER-CASE1!", "lower-case letter"),
        ("No-digits!", "a digit"),
        ("NoSpecial1", "one of !@#"),
    ],
)
def test_each_password_rule_is_told(client: VenueClient, password: str, sentence: str) -> None:
    errors = errors_on(register(client, user_password=password, confirm_password=password).text)
    assert any(sentence in told for told in errors["user_password"])


@pytest.mark.parametrize("password", ["Sh0rt!pw", "A1!" + "a" * 125, "Pässwörd 1!", " Leading1! "])
def test_passwords_within_the_rules_are_taken_exactly_as_typed(client: VenueClient, password: str) -> None:
    assert register(client, user_password=password, confirm_password=password).status_code == 303
    assert log_in(client, "Carol", password.strip() + "x").status_code == 401
    assert log_in(client, "Carol", password).status_code == 303


def test_two_passwords_that_share_their_first_72_bytes_differ(client: VenueClient) -> None:
    long = "A1!" + "a" * 100
    register(client, user_password=long, confirm_password=long)
    assert log_in(client, "Carol", long[:-1] + "b").status_code == 401


@pytest.mark.parametrize("name", ["carol", "CAROL", " Carol ", "Ｃarol"])
def test_another_spelling_of_a_taken_name_is_refused_on_its_field(client: VenueClient, name: str) -> None:
    register(client)
    answer = register(client, user_name=name, user_email="other@example.com")
    assert answer.status_code == 400
    assert errors_on(answer.text) == {"user_name": ["User name is already taken."]}


def test_a_taken_name_and_a_taken_address_are_both_told(client: VenueClient) -> None:
    register(client)
    errors = errors_on(register(client, user_email="CAROL@example.com").text)
    assert errors == {
        "user_name": ["User name is already taken."],
        "user_email": ["E-mail is already registered."],
    }


@both_databases
@pytest.mark.parametrize(
    ("changes", "field"),
    [({"user_email": "other@example.com"}, "user_name"), ({"user_name": "Email"}, "user_email")],
)
def test_somebody_quicker_is_answered_on_the_field_too(
    app: Flask, client: VenueClient, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], field: str
) -> None:
    """The look before the insert sees nothing: the database's own constraint must answer."""
    register(client)
    monkeypatch.setattr("services.users._taken", lambda *_: {})
    answer = register(client, **changes)
    assert answer.status_code == 400
    assert list(errors_on(answer.text)) == [field]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_name", "ab"),
        ("user_name", "n" * 65),
        ("user_name", "ß" * 40),  # 40 characters that casefold to 80
        ("user_name", "new\nline"),
        ("user_name", "zero\u200bwidth"),
        ("user_email", "a@b"),
        ("user_email", "a b@example.com"),
        ("user_email", "a@exam\nple.com"),
        ("user_email", "a@" + "e" * 120 + ".com"),
        ("user_email", "a@.com"),
    ],
)
def test_bad_names_and_addresses_are_refused(client: VenueClient, field: str, value: str) -> None:
    answer = client.post("/auth/register", json={**GOOD, field: value})
    assert_refused(answer, 400, "INVALID_INPUT", field)


@pytest.mark.parametrize("value", [None, 5, True, ["Carol"], {"a": 1}])
def test_what_is_no_text_is_refused_by_its_field(client: VenueClient, value: object) -> None:
    assert_refused(client.post("/auth/register", json={**GOOD, "user_name": value}), 400, field="user_name")


def test_registrations_are_limited_by_the_minute(client: VenueClient) -> None:
    for _ in range(60):
        assert client.post("/auth/register", data={}).status_code == 400
    answer = register(client)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) <= 60
    assert "Too many registrations" in answer.text


# Login and logout of traders.


def test_a_login_is_a_row_and_the_cookie_holds_no_more_than_a_token(app: Flask, alice: Person) -> None:
    client = app.test_client()
    assert client.log_in(alice).get("/user/api/account").status_code == 200
    with client.session_transaction() as session:
        token = session["_user_id"]
    assert len(token) >= 43
    with app.app_context(), Session(db.engine) as database:
        row = database.execute(select(Login)).scalar_one()
        assert row.token_hash == hashlib.sha256(token.encode()).hexdigest()
        assert (row.user_id, row.admin_id, row.address) == (alice.id, None, "127.0.0.1")


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(client: VenueClient, alice: Person) -> None:
    answer = log_in(client, "Alice", alice.password)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("venue_5003=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    secure = client.get("/auth/login", base_url="https://localhost").headers
    assert all("Secure" in cookie for cookie in secure.getlist("Set-Cookie"))
    assert "Strict-Transport-Security" in secure


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(client: VenueClient, alice: Person) -> None:
    wrong, unknown = log_in(client, "Alice", "Wrong-1-password"), log_in(client, "Nobody", "Wrong-1-password")
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    told = [
        BeautifulSoup(answer.text, "html.parser").select_one(".notice-error").get_text() for answer in (wrong, unknown)
    ]
    assert told[0] == told[1]
    assert 'value="Alice"' in wrong.text
    assert "Wrong-1-password" not in wrong.text


def test_an_unknown_name_costs_as_many_hashes_as_a_known_one(
    client: VenueClient, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords.verify_password(None, "-")  # the hash of nobody is made once
    hashes: list[str] = []

    class Counting:
        def verify(self, stored: str, password: str) -> bool:
            hashes.append(stored)
            return False

    monkeypatch.setattr(passwords, "_hasher", Counting())
    log_in(client, "Alice", "Wrong-1-password")
    log_in(client, "Nobody", "Wrong-1-password")
    assert len(hashes) == 2
    assert hashes[1].startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_names_are_found_in_any_case(client: VenueClient, alice: Person) -> None:
    assert log_in(client, " aLICE ", alice.password).status_code == 303


@pytest.mark.parametrize("fields", [{}, {"user_name": "Alice"}, {"user_password": "x"}])
def test_empty_fields_are_named(client: VenueClient, fields: dict[str, str]) -> None:
    answer = client.post("/auth/login", data=fields)
    assert answer.status_code == 400
    assert set(errors_on(answer.text)) == {"user_name", "user_password"} - set(fields)


def test_an_old_hash_is_renewed_at_login(app: Flask, client: VenueClient, alice: Person) -> None:
    client.log_in(alice)
    with app.app_context(), Session(db.engine) as session:
        user = session.get(User, alice.id)
        assert user.user_password.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert user.last_login_at is not None
    assert app.test_client().log_in(alice)


@pytest.mark.parametrize(
    ("target", "lands_on"),
    [
        ("/user/stock_chart?ticker=AAPL", "/user/stock_chart?ticker=AAPL"),
        ("//evil.example", "/user/account"),
        ("https://evil.example/", "/user/account"),
        ("/\\evil.example", "/user/account"),
        ("/\tevil", "/user/account"),
        ("javascript:alert(1)", "/user/account"),
        ("/admin/orders", "/user/account"),
        ("/auth/logout", "/user/account"),
        ("", "/user/account"),
    ],
)
def test_next_leads_only_to_where_the_trader_belongs(
    client: VenueClient, alice: Person, target: str, lands_on: str
) -> None:
    assert log_in(client, "Alice", alice.password, next=target).location == lands_on


def test_a_page_comes_back_after_the_login(client: VenueClient, alice: Person) -> None:
    sent_to = client.get("/user/stock_chart?ticker=IBM").location
    page = BeautifulSoup(client.get(sent_to).text, "html.parser")
    wanted = page.select_one("input[name=next]")["value"]
    assert log_in(client, "Alice", alice.password, next=wanted).location == "/user/stock_chart?ticker=IBM"


def test_a_suspended_trader_cannot_log_in_and_only_hears_why_with_the_password(app: Flask) -> None:
    with app.app_context():
        make_user("Sue", status="suspended")
    client = app.test_client()
    assert log_in(client, "Sue", "Wrong-1-password").status_code == 401
    answer = log_in(client, "Sue", "Correct-horse-7")
    assert answer.status_code == 403
    assert "suspended" in answer.text
    assert client.get("/user/api/account").status_code == 401


def test_a_suspended_trader_is_out_at_once(app: Flask, client: VenueClient, alice: Person) -> None:
    client.log_in(alice)
    with app.app_context(), Session(db.engine) as session:
        session.execute(update(User).values(account_status="suspended"))
        session.commit()
    assert_refused(client.get("/user/api/account"), 401, "LOGIN_REQUIRED")
    assert client.get("/user/account").location == "/auth/login?next=/user/account"


def test_failed_logins_are_limited_by_name_and_address(app: Flask, alice: Person, bob: Person) -> None:
    client = app.test_client()
    for _ in range(10):
        assert log_in(client, "Alice", "Wrong-1-password").status_code == 401
    refused = log_in(client, "ALICE", alice.password)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 300
    assert log_in(client, "Bob", bob.password).status_code == 303
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    fields = {"user_name": "Alice", "user_password": alice.password}
    assert app.test_client().post("/auth/login", data=fields, environ_overrides=elsewhere).status_code == 303


def test_successful_logins_are_not_limited(client: VenueClient, alice: Person) -> None:
    assert [log_in(client, "Alice", alice.password).status_code for _ in range(12)] == [303] * 12


def test_forged_forwarding_headers_do_not_make_new_addresses(client: VenueClient, alice: Person) -> None:
    fields = {"user_name": "Alice", "user_password": "Wrong-1-password"}
    answers = [
        client.post("/auth/login", data=fields, headers={"X-Forwarded-For": f"192.0.2.{number}"}).status_code
        for number in range(11)
    ]
    assert answers == [401] * 10 + [429]


def test_the_limit_passes_with_time(client: VenueClient, alice: Person) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        for _ in range(11):
            log_in(client, "Alice", "Wrong-1-password")
        clock.shift(timedelta(minutes=5, seconds=1))
        assert log_in(client, "Alice", alice.password).status_code == 303


def test_logout_asks_first_and_ends_the_login_on_the_server(app: Flask, client: VenueClient, alice: Person) -> None:
    client.log_in(alice)
    stolen = client.get_cookie("venue_5003").value
    assert client.get("/auth/logout").status_code == 200
    assert client.get("/user/api/account").status_code == 200
    answer = client.post("/auth/logout")
    assert (answer.status_code, answer.location) == (303, "/auth/login")
    assert client.get("/user/api/account").status_code == 401
    thief = app.test_client()
    thief.set_cookie("venue_5003", stolen)
    assert thief.get("/user/api/account").status_code == 401


def test_logging_out_twice_is_no_error(client: VenueClient, alice: Person) -> None:
    client.log_in(alice)
    assert [client.post("/auth/logout").status_code for _ in range(2)] == [303, 303]
    assert client.get("/auth/logout").location == "/auth/login"


def test_a_new_login_ends_the_one_before_and_has_a_new_token(
    app: Flask, client: VenueClient, alice: Person, bob: Person
) -> None:
    client.log_in(alice)
    before = client.get_cookie("venue_5003").value
    client.log_in(bob)
    thief = app.test_client()
    thief.set_cookie("venue_5003", before)
    assert thief.get("/user/api/account").status_code == 401


def test_an_idle_login_ends_after_twelve_hours(client: VenueClient, alice: Person) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        client.log_in(alice)
        clock.shift(timedelta(hours=11, minutes=59))
        assert client.get("/user/api/account").status_code == 200
        clock.shift(timedelta(hours=11, minutes=59))
        assert client.get("/user/api/account").status_code == 200
        clock.shift(timedelta(hours=12, seconds=1))
        assert client.get("/user/api/account").status_code == 401


def test_a_login_ends_after_thirty_days_however_busy(client: VenueClient, alice: Person) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        client.log_in(alice)
        for _ in range(60):
            clock.shift(timedelta(hours=11, minutes=59))
            assert client.get("/user/api/account").status_code == 200
        clock.shift(timedelta(hours=11, minutes=59))
        assert client.get("/user/api/account").status_code == 401


def test_the_last_use_is_noted_at_most_once_a_minute(app: Flask, client: VenueClient, alice: Person) -> None:
    def last_seen() -> datetime:
        with app.app_context(), Session(db.engine) as session:
            return session.execute(select(Login.last_seen_at)).scalar_one()

    with time_machine.travel(NOW, tick=False) as clock:
        client.log_in(alice)
        clock.shift(timedelta(seconds=59))
        client.get("/user/api/account")
        assert last_seen() == NOW
        clock.shift(timedelta(seconds=2))
        client.get("/user/api/account")
        assert last_seen() == NOW + timedelta(seconds=61)


def test_finding_out_who_is_logged_in_takes_one_query(app: Flask, client: VenueClient, alice: Person) -> None:
    client.log_in(alice)
    statements: list[str] = []

    def note(_connection, _cursor, statement: str, *_rest) -> None:
        statements.append(statement)

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", note)
    client.get("/")
    assert statements[0] == "BEGIN"
    assert len(statements) == 2
    assert "FROM login" in statements[1]


def test_whoever_is_logged_in_is_led_home_from_the_door(app: Flask, alice: Person, ada: Person) -> None:
    trader, admin = app.test_client().log_in(alice), app.test_client().log_in(ada)
    for path in ("/auth/login", "/auth/register"):
        assert trader.get(path).location == "/"
        assert admin.get(path).location == "/"
    assert admin.get("/auth/admin-login").location == "/admin/"
    assert trader.get("/").location == "/user/stock_chart"
    assert admin.get("/").location == "/admin/"
    assert app.test_client().get("/").location == "/auth/login"


def test_scripts_log_in_by_json_too(client: VenueClient, alice: Person) -> None:
    good = {"user_name": "Alice", "user_password": alice.password}
    answer = client.post("/auth/login", json=good)
    assert answer.json == {"success": True, "message": "You are logged in.", "redirect": "/user/account"}
    assert_refused(client.post("/auth/login", json={**good, "user_password": "no"}), 401, "WRONG_PASSWORD")


# Admins.


def test_an_admin_logs_in_to_the_panel_and_out_to_the_admins_door(client: VenueClient, ada: Person) -> None:
    assert log_in_admin(client, "Ada", ada.password).location == "/admin/"
    assert client.post("/auth/logout").location == "/auth/admin-login"


def test_traders_and_admins_are_separate_people(app: Flask, client: VenueClient) -> None:
    with app.app_context():
        make_user("Sam")
        make_admin("Max")
    assert log_in_admin(client, "Sam", "Correct-horse-7").status_code == 401
    assert log_in(client, "Max", "Correct-horse-7").status_code == 401


def test_five_failures_lock_an_admin_and_the_page_counts_down(client: VenueClient, ada: Person) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        for _ in range(4):
            assert log_in_admin(client, "Ada", "Wrong-1-password").status_code == 401
        fifth = log_in_admin(client, "Ada", "Wrong-1-password")
        assert fifth.status_code == 429
        until = BeautifulSoup(fifth.text, "html.parser").select_one("[data-locked-until]")["data-locked-until"]
        assert datetime.fromisoformat(until) == NOW + timedelta(minutes=2)
        assert log_in_admin(client, "Ada", ada.password).status_code == 429
        clock.shift(timedelta(minutes=2, seconds=-1))
        locked = log_in_admin(client, "Ada", ada.password, headers=JSON)
        assert_refused(locked, 429, "ADMIN_LOCKED")
        assert locked.json["details"] == {"locked_until": "2026-03-02T09:02:00Z"}
        clock.shift(timedelta(seconds=2))
        assert log_in_admin(client, "Ada", ada.password).status_code == 303


def test_a_success_forgets_the_failures(app: Flask, client: VenueClient, ada: Person) -> None:
    for _ in range(3):
        for _ in range(4):
            log_in_admin(client, "Ada", "Wrong-1-password")
        assert log_in_admin(app.test_client(), "Ada", ada.password).status_code == 303
    with app.app_context(), Session(db.engine) as session:
        assert session.execute(select(Admin.login_attempts, Admin.locked_until)).one() == (0, None)


def test_the_right_password_at_the_last_attempt_lets_in(client: VenueClient, ada: Person) -> None:
    for _ in range(4):
        log_in_admin(client, "Ada", "Wrong-1-password")
    assert log_in_admin(client, "Ada", ada.password).status_code == 303


@both_databases
def test_racing_guesses_get_no_more_attempts_than_there_are(app: Flask, ada: Person) -> None:
    gate, looked_at, refused = Barrier(12), [], []

    def guess() -> None:
        gate.wait()
        try:
            with app.app_context():
                run_unit(take_attempt, ada.id, Lock(attempts=5, duration=timedelta(minutes=2)), NOW)
            looked_at.append(1)
        except DomainError as error:
            refused.append(error.code)

    threads = [Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(looked_at), refused) == (5, ["ADMIN_LOCKED"] * 7)


class TestOtherLockSettings:
    @pytest.fixture
    def settings(self) -> dict[str, str]:
        return {"ADMIN_MAX_LOGIN_ATTEMPTS": "2", "ADMIN_LOCKOUT_DURATION": "10"}

    def test_attempts_and_duration_are_configured(self, client: VenueClient, ada: Person) -> None:
        with time_machine.travel(NOW, tick=False):
            assert log_in_admin(client, "Ada", "Wrong-1-password").status_code == 401
            locked = log_in_admin(client, "Ada", "Wrong-1-password", headers=JSON)
        assert locked.json["details"] == {"locked_until": "2026-03-02T09:10:00Z"}


# The documented password.


class TestDocumentedPassword:
    @pytest.fixture
    def settings(self) -> dict[str, str]:
        return {"DEFAULT_ADMIN_PASSWORD": "admin123secure"}

    @pytest.fixture
    def seeded(self, app: Flask) -> Flask:
        seed(app)
        return app

    def test_it_opens_only_the_page_that_replaces_it(self, seeded: Flask, client: VenueClient) -> None:
        assert log_in_admin(client, "admin", "admin123secure").location == "/admin/"
        assert client.get("/admin/").location == "/auth/admin-password"
        assert_refused(client.post("/admin/orders/1/execute", headers=JSON), 403, "PASSWORD_CHANGE_REQUIRED")
        assert client.get("/auth/admin-password").status_code == 200

    def test_a_new_one_is_chosen_by_the_rules(self, seeded: Flask, client: VenueClient) -> None:
        log_in_admin(client, "admin", "admin123secure")
        other = seeded.test_client()
        log_in_admin(other, "admin", "admin123secure")
        fields = {
            "current_password": "admin123secure",
            "new_password": "Own!choice1",
            "confirm_password": "Own!choice1",
        }
        for field, value in [
            ("current_password", "Wrong-1"),
            ("new_password", "admin123secure"),
            ("confirm_password", ""),
        ]:
            answer = client.post("/auth/admin-password", data={**fields, field: value})
            assert answer.status_code == 400
            assert field in errors_on(answer.text)
        assert client.post("/auth/admin-password", data=fields).location == "/admin/"
        assert client.get("/admin/").status_code == 200
        assert other.get("/auth/admin-password").location.startswith("/auth/admin-login")  # its login was ended
        assert log_in_admin(seeded.test_client(), "admin", "admin123secure").status_code == 401
        assert log_in_admin(seeded.test_client(), "admin", "Own!choice1").status_code == 303

    @pytest.mark.parametrize(
        "options",
        [
            {"environ_overrides": {"REMOTE_ADDR": "192.0.2.1"}},
            {"headers": {"X-Forwarded-For": "192.0.2.1"}},
        ],
    )
    def test_from_elsewhere_it_is_refused_outright(self, seeded: Flask, client: VenueClient, options) -> None:
        answer = log_in_admin(client, "admin", "admin123secure", **options)
        assert answer.status_code == 403
        assert "only works on the machine itself" in answer.text


@pytest.mark.parametrize(
    ("host", "local"),
    [("localhost:5003", True), ("127.0.0.1:5003", True), ("[::1]:5003", True), ("venue.example:5003", False)],
)
def test_a_foreign_name_that_points_here_is_not_this_machine(app: Flask, host: str, local: bool) -> None:
    from routes.auth.admin_login import _is_local

    with app.test_request_context(headers={"Host": host}, environ_overrides={"REMOTE_ADDR": "127.0.0.1"}):
        assert _is_local() is local


class TestBoundElsewhere:
    @pytest.fixture
    def settings(self) -> dict[str, str]:
        return {"DEFAULT_ADMIN_PASSWORD": "admin123secure", "HOST": "0.0.0.0"}  # noqa: S104 - the case under test

    def test_the_documented_password_is_refused_even_here(self, app: Flask, client: VenueClient) -> None:
        seed(app)
        assert log_in_admin(client, "admin", "admin123secure").status_code == 403


def test_a_password_from_the_environment_needs_no_change(app: Flask, client: VenueClient) -> None:
    seed(app)
    seed(app)
    log_in_admin(client, "admin", "Only-for-tests-1")
    assert client.get("/admin/").status_code == 200
    with app.app_context(), Session(db.engine) as session:
        assert session.execute(select(func.count(Admin.admin_id))).scalar_one() == 1


def seed(app: Flask) -> None:
    from services.setup import ensure_default_admin

    with app.app_context():
        ensure_default_admin(db.session, app.extensions["config"])


# Who may go where.


def test_every_trader_and_admin_address_asks_for_a_login(app: Flask) -> None:
    """Generated from the URL map: a new address cannot be forgotten."""
    client = app.test_client()
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith(("user.", "admin."))]
    assert len(rules) > 20
    for rule in rules:
        method = "POST" if "POST" in rule.methods else "GET"
        path = re.sub(r"<row:\w+>", "1", rule.rule)
        assert_refused(client.open(path, method=method, headers=JSON), 401, "LOGIN_REQUIRED")
        assert client.open(path, method=method, headers=JSON, csrf=False).status_code == 401


def test_traders_do_not_come_into_the_panel_nor_admins_to_the_desk(app: Flask, alice: Person, ada: Person) -> None:
    trader, admin = app.test_client().log_in(alice), app.test_client().log_in(ada)
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith(("user.", "admin.")):
            continue
        method = "POST" if "POST" in rule.methods else "GET"
        stranger = trader if rule.endpoint.startswith("admin.") else admin
        answer = stranger.open(re.sub(r"<row:\w+>", "1", rule.rule), method=method, headers=JSON)
        assert_refused(answer, 403)
    assert admin.get("/user/account").location == "/admin/"
    assert trader.get("/admin/").status_code == 403
