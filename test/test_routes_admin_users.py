"""The pages of users, class lists, settings, admins and the audit log: each works, and otherwise stores nothing."""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_stage import NEW_PASSWORD
from databases import both_databases
from factories import Person, make_admin, make_user
from fake_market import FakeMarket
from models import AccountBalance, Admin, AuditEntry, Login, PasswordLink, User, db
from races import race
from services import admin_accounts, password_links
from services.accounts.verify import verify_books
from services.transaction import run_unit
from utils.datetime_utils import utc_now
from web_client import VenueClient
from web_help import assert_refused, books_of, one

HTML = {"Accept": "text/html"}
JSON = {"Accept": "application/json"}
LIST = "/admin/user_management"


@pytest.fixture
def admin(client: VenueClient, ada: Person) -> VenueClient:
    """Ada's browser: she is an owner."""
    return client.log_in(ada)


def cash_of(app: Flask, name: str) -> Decimal:
    with app.app_context(), Session(db.engine) as session:
        query = select(AccountBalance.available_balance).join(User, User.user_id == AccountBalance.user_id)
        return session.execute(query.where(User.user_name == name)).scalar_one()


def assert_books_right(app: Flask) -> None:
    with app.app_context():
        report = verify_books(db.engine)
    assert report.ok, report.to_dict()


def names_on(page: str) -> list[str]:
    soup = BeautifulSoup(page, "html.parser")
    return [cell.get_text(strip=True) for cell in soup.select('tbody th[data-label="Name"]')]


# The list.


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Carol", "Bob", "Alice"]),
        ("?sort=user_name", ["Alice", "Bob", "Carol"]),
        ("?sort=-user_name", ["Carol", "Bob", "Alice"]),
        ("?search=ALI", ["Alice"]),
        ("?search=bob%40example", ["Bob"]),
        ("?search=nobody", []),
        ("?search=%25", []),
        ("?status=suspended", ["Carol"]),
        ("?status=active&sort=user_email", ["Alice", "Bob"]),
        ("?state=halted", []),
        ("?page=2", []),
    ],
)
def test_traders_are_searched_filtered_and_sorted_by_the_server(
    app: Flask, admin: VenueClient, alice: Person, bob: Person, query: str, expected: list[str]
) -> None:
    with app.app_context():
        make_user("Carol", status="suspended")
    assert names_on(admin.get(LIST + query).text) == expected


def test_a_trader_is_found_by_number(admin: VenueClient, alice: Person, bob: Person) -> None:
    assert names_on(admin.get(f"{LIST}?search={bob.id}").text) == ["Bob"]


def test_the_list_is_a_file_with_the_pages_filters(admin: VenueClient, alice: Person, bob: Person) -> None:
    answer = admin.get(f"{LIST}.csv?search=ali")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["user_name"] for row in rows] == ["Alice"]
    assert rows[0]["total_balance"] == "0.00"


def test_the_short_name_leads_to_the_list(admin: VenueClient) -> None:
    assert admin.get("/admin/users?search=x").location == f"{LIST}?search=x"


@pytest.mark.parametrize(
    ("query", "field"),
    [("sort=password", "sort"), ("status=gone", "status"), ("limit=1000", "limit"), ("page=0", "page")],
)
def test_bad_parameters_are_named(admin: VenueClient, query: str, field: str) -> None:
    assert_refused(admin.get(f"{LIST}?{query}", headers=JSON), 400, "INVALID_INPUT", field)


# New traders and their passwords.


def test_a_new_trader_sets_a_password_by_the_link_and_logs_in(app: Flask, admin: VenueClient) -> None:
    answer = admin.post(f"{LIST}/create", json={"user_name": "Dave", "user_email": "dave@example.com"})
    assert answer.status_code == 200
    path = re.sub("^http://[^/]+", "", answer.json["link"])
    stranger = app.test_client()
    assert "Dave" in stranger.get(path).text
    form = {"new_password": NEW_PASSWORD, "confirm_password": NEW_PASSWORD}
    assert stranger.post(path, data=form).status_code == 303
    dave = Person(answer.json["user_id"], "Dave", password=NEW_PASSWORD)
    assert app.test_client().log_in(dave).get("/user/account").status_code == 200
    assert stranger.get(path, headers=HTML).status_code == 404
    assert stranger.post(path, data=form, headers=HTML).status_code == 404


def test_nobody_logs_in_without_a_password_of_their_own(app: Flask, admin: VenueClient) -> None:
    admin.post(f"{LIST}/create", json={"user_name": "Dave", "user_email": "dave@example.com"})
    for password in ("!", "", " "):
        answer = app.test_client().post("/auth/login", json={"user_name": "Dave", "user_password": password})
        assert answer.status_code in (400, 401)


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"new_password": "short", "confirm_password": "short"}, "new_password"),
        ({"new_password": NEW_PASSWORD, "confirm_password": "other"}, "confirm_password"),
        ({}, "new_password"),
    ],
)
def test_a_weak_password_is_refused_and_the_link_stays_good(
    app: Flask, admin: VenueClient, form: dict[str, str], field: str
) -> None:
    link = admin.post(f"{LIST}/create", json={"user_name": "Dave", "user_email": "d@example.com"}).json["link"]
    path = re.sub("^http://[^/]+", "", link)
    assert_refused(app.test_client().post(path, json=form), 400, "INVALID_INPUT", field)
    assert app.test_client().get(path).status_code == 200


def test_a_link_expires(app: Flask, alice: Person) -> None:
    now = utc_now()
    with app.app_context():
        run_unit(
            password_links.store, "token", now - password_links.RESET_LIFE, password_links.RESET_LIFE, user_id=alice.id
        )
    assert app.test_client().get("/auth/set-password/token", headers=HTML).status_code == 404


def test_the_link_is_stored_nowhere(app: Flask, admin: VenueClient, alice: Person) -> None:
    answer = admin.post(f"{LIST}/{alice.id}/reset-password", json={}, headers={"Idempotency-Key": "k"})
    token = answer.json["link"].rpartition("/")[2]
    assert token not in repr(books_of(app))
    with app.app_context(), Session(db.engine) as session:
        assert session.execute(select(PasswordLink.token_hash)).scalar_one() != token


def test_a_repeated_request_shows_the_same_link(app: Flask, admin: VenueClient, alice: Person) -> None:
    key = {"Idempotency-Key": "k"}
    answers = [admin.post(f"{LIST}/{alice.id}/reset-password", json={}, headers=key) for _ in range(2)]
    assert answers[0].json == answers[1].json
    other = admin.post(f"{LIST}/{alice.id}/reset-password", json={}, headers={"Idempotency-Key": "other"})
    assert other.json["link"] != answers[0].json["link"]
    first = re.sub("^http://[^/]+", "", answers[0].json["link"])
    assert app.test_client().get(first, headers=HTML).status_code == 404, "a newer link voids the older one"


def test_a_reset_ends_logins_and_the_old_password(app: Flask, admin: VenueClient, alice: Person) -> None:
    browser = app.test_client().log_in(alice)
    admin.post(f"{LIST}/{alice.id}/reset-password", json={})
    assert browser.get("/user/api/account").status_code == 401
    answer = app.test_client().post("/auth/login", json={"user_name": "Alice", "user_password": alice.password})
    assert_refused(answer, 401, "WRONG_PASSWORD")


def test_without_scripts_the_link_is_a_page(admin: VenueClient, alice: Person) -> None:
    page = admin.post(f"{LIST}/{alice.id}/reset-password", data={}, headers=HTML)
    assert page.status_code == 200
    assert "/auth/set-password/" in page.text


# Edits.


@pytest.mark.parametrize("path", ["create", "edit"])
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"user_name": "bob", "user_email": "new@example.com"}, "user_name"),
        ({"user_name": "New", "user_email": "BOB@example.com"}, "user_email"),
        ({"user_name": "", "user_email": "new@example.com"}, "user_name"),
        ({"user_name": "New", "user_email": "nonsense"}, "user_email"),
        ({"user_name": ["New"], "user_email": 5}, "user_name"),
        ({}, "user_email"),
    ],
)
def test_what_cannot_be_a_name_or_address_is_said_at_its_field(
    app: Flask, admin: VenueClient, alice: Person, bob: Person, path: str, body: dict[str, Any], field: str
) -> None:
    before = books_of(app)
    address = f"{LIST}/create" if path == "create" else f"{LIST}/{alice.id}/edit"
    assert_refused(admin.post(address, json=body), 400, "INVALID_INPUT", field)
    assert books_of(app) == before
    assert one(app, User, alice.id).user_name == "Alice"


@both_databases
def test_an_edit_is_stored_and_told(app: Flask, admin: VenueClient, alice: Person) -> None:
    answer = admin.post(f"{LIST}/{alice.id}/edit", json={"user_name": "Álice", "user_email": "alice@example.com"})
    assert answer.status_code == 200
    row = one(app, User, alice.id)
    assert (row.user_name, row.name_key) == ("Álice", "álice")
    with app.app_context(), Session(db.engine) as session:
        entry = session.execute(select(AuditEntry)).scalar_one()
    assert json.loads(entry.before) == {"user_name": "Alice"}
    assert json.loads(entry.after) == {"user_name": "Álice"}


# Suspension and account state.


@both_databases
def test_a_suspended_trader_is_out_at_once_and_may_come_back(app: Flask, admin: VenueClient, alice: Person) -> None:
    browser = app.test_client().log_in(alice)
    answer = admin.post(f"{LIST}/{alice.id}/suspend", json={"reason": "Away"})
    assert answer.json["account_status"] == "suspended"
    assert browser.get("/user/api/account").status_code == 401
    with app.app_context(), Session(db.engine) as session:
        ended = session.execute(select(Login.ended_at).where(Login.user_id == alice.id)).scalars().all()
    assert all(ended)
    assert_refused(
        app.test_client().post("/auth/login", json={"user_name": "Alice", "user_password": alice.password}), 403
    )
    assert_refused(admin.post(f"{LIST}/{alice.id}/suspend", json={"reason": "Away"}), 409, "NO_CHANGE")
    admin.post(f"{LIST}/{alice.id}/activate")
    app.test_client().log_in(alice)
    assert browser.get("/user/api/account").status_code == 401, "an ended login stays ended"


@pytest.mark.parametrize("state", ["reducing", "halted"])
def test_the_account_state_holds_with_the_next_order(
    app: Flask, admin: VenueClient, alice: Person, market: FakeMarket, state: str
) -> None:
    market.set_quote("AAPL", "100.00")
    admin.post(f"{LIST}/{alice.id}/adjust-cash", json={"amount": "5000", "reason": "start"})
    assert admin.post(f"{LIST}/{alice.id}/state", json={"trading_state": state, "reason": "risky"}).status_code == 200
    order = {"ticker": "AAPL", "order_type": "buy", "execution_type": "market", "quantity": 1, "price": None}
    assert_refused(app.test_client().log_in(alice).post("/user/api/create_order", json=order), 422)


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("state", {"trading_state": "asleep", "reason": "x"}, "trading_state"),
        ("state", {"trading_state": "halted"}, "reason"),
        ("suspend", {}, "reason"),
        ("adjust-cash", {"amount": "5"}, "reason"),
        ("adjust-cash", {"amount": "0", "reason": "x"}, "amount"),
        ("adjust-cash", {"amount": True, "reason": "x"}, "amount"),
        ("adjust-shares", {"ticker": "AAPL", "quantity": "1.5", "reason": "x"}, "quantity"),
        ("adjust-shares", {"ticker": "", "quantity": "1", "reason": "x"}, "ticker"),
        ("adjust-shares", {"ticker": "AAPL", "quantity": "1", "price": "-1", "reason": "x"}, "price"),
    ],
)
def test_bad_fields_are_named_and_change_nothing(
    app: Flask, admin: VenueClient, alice: Person, action: str, body: dict[str, Any], field: str
) -> None:
    before = books_of(app)
    assert_refused(admin.post(f"{LIST}/{alice.id}/{action}", json=body), 400, "INVALID_INPUT", field)
    assert books_of(app) == before


ACTIONS = ["edit", "suspend", "activate", "state", "reset-password", "adjust-cash", "adjust-shares"]
FULL = {
    "user_name": "New",
    "user_email": "new@example.com",
    "reason": "x",
    "trading_state": "halted",
    "amount": "5",
    "ticker": "AAPL",
    "quantity": 1,
    "price": "1",
}


@pytest.mark.parametrize("action", ACTIONS)
def test_a_trader_who_is_not_there_is_not_found(app: Flask, admin: VenueClient, action: str) -> None:
    before = books_of(app)
    for number in (999, 2**31, 10**30):
        assert_refused(admin.post(f"{LIST}/{number}/{action}", json=FULL), 404)
    assert admin.get(f"{LIST}/999", headers=HTML).status_code == 404
    assert books_of(app) == before


@pytest.mark.parametrize("action", ACTIONS)
def test_writes_are_no_reads(admin: VenueClient, alice: Person, action: str) -> None:
    assert admin.get(f"{LIST}/{alice.id}/{action}").status_code == (200 if action == "edit" else 405)


# Money.


def test_cash_and_shares_are_adjusted_on_the_page(
    app: Flask, admin: VenueClient, alice: Person, market: FakeMarket
) -> None:
    market.set_quote("AAPL", "100.00")
    admin.post(f"{LIST}/{alice.id}/adjust-cash", json={"amount": "100.50", "reason": "prize"})
    admin.post(f"{LIST}/{alice.id}/adjust-cash", data={"amount": " -0.50 ", "reason": "typo"}, headers=HTML)
    admin.post(f"{LIST}/{alice.id}/adjust-shares", json={"ticker": "aapl", "quantity": "3", "reason": "prize"})
    assert cash_of(app, "Alice") == Decimal("100.00")
    page = admin.get(f"{LIST}/{alice.id}").text
    assert "400.00" in page
    assert "prize" in page
    assert_books_right(app)


def test_a_balance_for_the_chosen_or_for_everybody_in_the_list(
    app: Flask, admin: VenueClient, alice: Person, bob: Person
) -> None:
    give = {"amount": "10", "reason": "start"}
    admin.post(f"{LIST}/give-balance", json={**give, "user_ids": f"{alice.id},{bob.id}"})
    admin.post(f"{LIST}/give-balance", json={**give, "everybody": "1", "search": "bob"})
    assert (cash_of(app, "Alice"), cash_of(app, "Bob")) == (Decimal("10.00"), Decimal("20.00"))
    assert_books_right(app)


@pytest.mark.parametrize(
    "body",
    [
        {"amount": "10", "reason": "x"},
        {"amount": "10", "reason": "x", "user_ids": "1,x"},
        {"amount": "10", "reason": "x", "user_ids": []},
        {"amount": "10", "reason": "x", "user_ids": {"a": 1}},
        {"amount": "-10", "reason": "x", "user_ids": "1"},
        {"amount": "10", "reason": "x", "everybody": "1", "status": "gone"},
        {"amount": "10", "reason": "x", "everybody": "1", "search": "nobody"},
    ],
)
def test_a_balance_for_nobody_is_refused(app: Flask, admin: VenueClient, alice: Person, body: dict[str, Any]) -> None:
    before = books_of(app)
    assert_refused(admin.post(f"{LIST}/give-balance", json=body), 400, "INVALID_INPUT")
    assert books_of(app) == before


# The class list.

CLASS = "name,email,password,starting_balance\nGrace,grace@example.com,,\nLinus,linus@example.com,Secret!pass1,500\n"


def test_a_class_list_is_looked_at_first_and_stores_nothing(app: Flask, admin: VenueClient) -> None:
    before = books_of(app)
    report = admin.post(f"{LIST}/class-list/check", json={"csv": CLASS}).json
    assert [row["outcome"] for row in report["rows"]] == ["new", "new"]
    assert "2 would be made" in report["message"]
    assert books_of(app) == before


@both_databases
def test_a_class_list_makes_traders_by_password_or_by_link(app: Flask, admin: VenueClient) -> None:
    report = admin.post(f"{LIST}/class-list/import", json={"csv": CLASS}).json
    grace, linus = report["rows"]
    assert (grace["outcome"], linus["outcome"], linus["link"]) == ("created", "created", None)
    assert cash_of(app, "Linus") == Decimal("500.00")
    person = Person(0, "Linus", password="Secret!pass1")
    app.test_client().log_in(person)
    assert "Grace" in app.test_client().get(re.sub("^http://[^/]+", "", grace["link"])).text
    again = admin.post(f"{LIST}/class-list/import", json={"csv": CLASS}).json
    assert [row["outcome"] for row in again["rows"]] == ["known", "known"]
    assert_books_right(app)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("name;email\nGrace;nonsense", "e-mail must be"),
        ("name\temail\nGr\tg@example.com", "name must have"),
        ("name,email\nAlice,other@example.com", "name is already taken"),
        ("name,email\nOther,ALICE@example.com", "e-mail is already registered"),
        ("name,email\nGrace,g@example.com\ngrace,h@example.com", "name is in line 2 too"),
        ("name,email\nGrace,g@example.com\nHedy,G@example.com", "e-mail is in line 2 too"),
        ("name,email,password\nGrace,g@example.com,weak", "password must have"),
        ("name,email,starting_balance\nGrace,g@example.com,-5", "starting balance must be"),
        ("name,email\nGrace", "e-mail is required"),
    ],
)
def test_a_faulty_line_is_named_and_left_out(
    app: Flask, admin: VenueClient, alice: Person, text: str, faults: str
) -> None:
    looked = admin.post(f"{LIST}/class-list/check", json={"csv": text}).json["rows"]
    made = admin.post(f"{LIST}/class-list/import", json={"csv": text}).json["rows"]
    for rows in (looked, made):
        assert rows[-1]["outcome"] == "faulty"
        assert any(faults in fault for fault in rows[-1]["faults"]), rows[-1]


@pytest.mark.parametrize(
    "text", ["", "\n\n", "grace,grace@example.com", "name\nGrace", None, 5, "name,email\n" + "x,y\n" * 501]
)
def test_what_is_no_class_list_is_refused(app: Flask, admin: VenueClient, text: Any) -> None:
    before = books_of(app)
    for step in ("check", "import"):
        assert_refused(admin.post(f"{LIST}/class-list/{step}", json={"csv": text}), 400, "INVALID_INPUT", "csv")
    assert books_of(app) == before


def test_an_uploaded_file_is_read_whatever_its_signs(admin: VenueClient) -> None:
    for content in ("\ufeffname,email\nZoë,z@example.com".encode(), "name,email\nZoë,z@example.com".encode("cp1252")):
        form = {"file": (io.BytesIO(content), "class.csv"), "csv": ""}
        page = admin.post(f"{LIST}/class-list/check", data=form, headers=HTML)
        assert page.status_code == 200
        assert "Zoë" in page.text


# Registration follows the settings.


def test_registration_by_invitation_and_closed(app: Flask, admin: VenueClient) -> None:
    body = {
        "user_name": "Dave",
        "user_email": "dave@example.com",
        "user_password": NEW_PASSWORD,
        "confirm_password": NEW_PASSWORD,
    }
    settings = {"registration": "invitation", "invitation_code": "spring-2026", "starting_balance": "1000"}
    assert admin.post("/admin/settings", json={"version": 0, **settings}).json["version"] == 1
    assert "Invitation code" in app.test_client().get("/auth/register").text
    assert_refused(app.test_client().post("/auth/register", json=body), 400, "INVALID_INPUT", "invitation_code")
    with_code = {**body, "invitation_code": "spring-2026"}
    assert app.test_client().post("/auth/register", json=with_code).status_code == 200
    assert cash_of(app, "Dave") == Decimal("1000.00")
    admin.post("/admin/settings", json={"version": 1, "registration": "closed"})
    other = {**with_code, "user_name": "Erin", "user_email": "erin@example.com"}
    assert_refused(app.test_client().post("/auth/register", json=other), 403, "REGISTRATION_CLOSED")
    assert_books_right(app)


# Settings.


def test_a_saved_setting_wins_at_once_and_the_page_says_so(app: Flask, admin: VenueClient) -> None:
    assert "Class at &lt;nine&gt;" not in app.test_client().get("/about").text
    form = {"version": "0", "announcement": "Class at <nine>", "tech_tickers": "AAPL,GOOG,MSFT"}
    assert admin.post("/admin/settings", data=form, headers=HTML).status_code == 303
    assert "Class at &lt;nine&gt;" in app.test_client().get("/about").text
    page = BeautifulSoup(admin.get("/admin/settings").text, "html.parser").get_text(" ", strip=True)
    assert "Announcement is a saved setting; the environment says nothing" in page
    assert "Version 1" in page
    assert_refused(admin.post("/admin/settings", json={"version": 0, "announcement": "x"}), 409, "SETTINGS_CHANGED")
    assert admin.post("/admin/settings/announcement/clear", json={"version": 1}).status_code == 200
    assert "Class at" not in app.test_client().get("/about").text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"version": 0, "commission_minimum": "-1"}, "commission_minimum"),
        ({"version": 0, "commission_minimum": True}, "commission_minimum"),
        ({"version": 0, "commission_minimum": [1]}, "commission_minimum"),
        ({"version": "x", "announcement": "y"}, "version"),
        ({"announcement": "y"}, "version"),
        ({"version": 0, "secret_key": "0123456789abcdef"}, "secret_key"),
    ],
)
def test_a_wrong_setting_is_named(app: Flask, admin: VenueClient, body: dict[str, Any], field: str) -> None:
    before = books_of(app)
    assert_refused(admin.post("/admin/settings", json=body), 400, "INVALID_INPUT", field)
    assert_refused(admin.post("/admin/settings/secret_key/clear", json={"version": 0}), 400)
    assert books_of(app) == before


# Admins.


def test_a_new_admin_begins_by_the_link_with_the_given_role(app: Flask, admin: VenueClient) -> None:
    answer = admin.post("/admin/admins", json={"admin_name": "Grace", "role": "funds"})
    path = re.sub("^http://[^/]+", "", answer.json["link"])
    form = {"new_password": NEW_PASSWORD, "confirm_password": NEW_PASSWORD}
    assert app.test_client().post(path, data=form).location == "/auth/admin-login"
    grace = Person(answer.json["admin_id"], "Grace", password=NEW_PASSWORD, is_admin=True)
    browser = app.test_client().log_in(grace)
    assert browser.get("/admin/").status_code == 200
    assert_refused(browser.get("/admin/admins", headers=JSON), 403, "NOT_PERMITTED")


def test_a_deactivated_admin_is_out_at_once(app: Flask, admin: VenueClient) -> None:
    with app.app_context():
        sam = make_admin("Sam", role="support")
    browser = app.test_client().log_in(sam)
    admin.post(f"/admin/admins/{sam.id}/deactivate")
    assert browser.get("/admin/", headers=JSON).status_code == 401
    form = {"username": "Sam", "password": sam.password}
    assert_refused(app.test_client().post("/auth/admin-login", json=form), 403, "DEACTIVATED")
    admin.post(f"/admin/admins/{sam.id}/activate")
    app.test_client().log_in(sam)


def test_a_role_changes_with_the_next_request(app: Flask, admin: VenueClient) -> None:
    with app.app_context():
        sam = make_admin("Sam", role="support")
    browser = app.test_client().log_in(sam)
    assert browser.get(f"{LIST}/new").status_code == 200
    admin.post(f"/admin/admins/{sam.id}/role", json={"role": "read_only"})
    assert_refused(browser.get(f"{LIST}/new", headers=JSON), 403, "NOT_PERMITTED")


@pytest.mark.parametrize(("action", "body"), [("deactivate", {}), ("role", {"role": "support"})])
def test_the_last_owner_stays(app: Flask, admin: VenueClient, ada: Person, action: str, body: dict[str, str]) -> None:
    with app.app_context():
        make_admin("Sam", role="support")
    before = books_of(app)
    assert_refused(admin.post(f"/admin/admins/{ada.id}/{action}", json=body), 422, "LAST_OWNER")
    assert one(app, Admin, ada.id).role == "owner"
    assert books_of(app) == before
    with app.app_context():
        make_admin("Olga", role="owner")
    assert admin.post(f"/admin/admins/{ada.id}/{action}", json=body).status_code == 200


@both_databases
def test_two_owners_cannot_take_each_other_away_at_once(app: Flask, ada: Person) -> None:
    with app.app_context():
        olga = make_admin("Olga", role="owner")

    def demote(actor: Person, other: Person) -> None:
        with app.app_context():
            run_unit(admin_accounts.change_role, other.id, "support", actor.actor, utc_now(), key=None)

    endings = race([lambda: demote(ada, olga), lambda: demote(olga, ada)], threads=2)
    assert endings == {"done": 1, "LAST_OWNER": 1}
    roles = sorted(one(app, Admin, person.id).role for person in (ada, olga))
    assert roles == ["owner", "support"]


def test_an_admin_may_be_a_trader_too(app: Flask, admin: VenueClient, ada: Person, alice: Person) -> None:
    assert admin.post(f"/admin/admins/{ada.id}/trader", json={"user": "alice@example.com"}).status_code == 200
    assert one(app, Admin, ada.id).user_id == alice.id
    assert_refused(admin.post(f"/admin/admins/{ada.id}/trader", json={"user": "nobody"}), 400, "INVALID_INPUT", "user")
    admin.post(f"/admin/admins/{ada.id}/trader", json={"user": ""})
    assert one(app, Admin, ada.id).user_id is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"admin_name": "Ada", "role": "funds"}, "admin_name"),
        ({"admin_name": "", "role": "funds"}, "admin_name"),
        ({"admin_name": "Grace", "role": "king"}, "role"),
        ({}, "admin_name"),
    ],
)
def test_a_wrong_admin_is_named(app: Flask, admin: VenueClient, body: dict[str, str], field: str) -> None:
    before = books_of(app)
    assert_refused(admin.post("/admin/admins", json=body), 400, "INVALID_INPUT", field)
    assert books_of(app) == before


def test_nobody_resets_the_own_password_here(admin: VenueClient, ada: Person) -> None:
    assert_refused(admin.post(f"/admin/admins/{ada.id}/reset-password"), 422, "OWN_PASSWORD")


# The audit log.


def test_the_log_is_searched_filtered_and_taken_along(
    app: Flask, admin: VenueClient, alice: Person, ada: Person
) -> None:
    admin.post(f"{LIST}/{alice.id}/suspend", json={"reason": "Away until =May"})
    admin.post(f"{LIST}/{alice.id}/activate")
    admin.post("/admin/settings", json={"version": 0, "announcement": "Hello"})

    def actions(query: str) -> list[str]:
        page = BeautifulSoup(admin.get(f"/admin/audit?{query}").text, "html.parser")
        return [cell.get_text(" ", strip=True).split(" Away")[0] for cell in page.select('td[data-label="What"]')]

    assert actions("") == ["Change settings", "Activate user", "Suspend user"]
    assert actions("search=away") == ["Suspend user"]
    assert actions("search=ALICE") == ["Activate user", "Suspend user"]
    assert actions("subject=setting") == ["Change settings"]
    assert actions(f"action=activate_user&admin={ada.id}") == ["Activate user"]
    assert actions("from=2999-01-01") == []
    assert actions(f"from={utc_now():%Y-%m-%d}&to={utc_now():%Y-%m-%d}") == actions("")
    rows = list(csv.DictReader(io.StringIO(admin.get("/admin/audit.csv?search=away").text)))
    assert [row["action"] for row in rows] == ["suspend_user"]
    assert rows[0]["reason"] == "Away until =May"


@pytest.mark.parametrize(
    ("query", "field"), [("from=yesterday", "from"), ("admin=x", "admin"), ("search=" + "x" * 65, "search")]
)
def test_bad_filters_of_the_log_are_named(admin: VenueClient, query: str, field: str) -> None:
    assert_refused(admin.get(f"/admin/audit?{query}", headers=JSON), 400, "INVALID_INPUT", field)


# The command line.


def test_admins_from_the_command_line(app: Flask, ada: Person) -> None:
    runner = app.test_cli_runner()
    added = runner.invoke(args=["admin", "add", "Grace", "funds"])
    assert added.exit_code == 0, added.output
    token = re.search(r"/auth/set-password/(\S+)", added.output)
    assert token
    assert "Grace" in app.test_client().get(token[0]).text
    assert "waits for a password" in runner.invoke(args=["admin", "list"]).output
    assert runner.invoke(args=["admin", "role", "Grace", "owner"]).exit_code == 0
    assert runner.invoke(args=["admin", "deactivate", "Ada"]).exit_code == 1, "Grace cannot log in yet"
    assert runner.invoke(args=["admin", "deactivate", "Nobody"]).exit_code == 1
    assert "/auth/set-password/" in runner.invoke(args=["admin", "reset-password", "Ada"]).output
    assert "manage_admins" in runner.invoke(args=["admin", "matrix"]).output
    with app.app_context(), Session(db.engine) as session:
        entries = session.execute(select(AuditEntry.actor_name, AuditEntry.admin_id)).all()
    assert len(entries) == 3
    assert all(name.startswith("command line") and number is None for name, number in entries)
