"""The profile: name, e-mail, password and log-ins, each changed only by their owner."""

from __future__ import annotations

import pytest
from flask import Flask

from factories import PASSWORD, Person
from models import Login, User
from web_client import VenueClient
from web_help import assert_refused, one

NEW_PASSWORD = "Another-horse-8!"
HTML = {"Accept": "text/html"}
IDENTITY = {"user_name": "Alicia", "user_email": "alicia@example.com", "your_password": PASSWORD}
CHANGE = {"current_password": PASSWORD, "new_password": NEW_PASSWORD, "confirm_password": NEW_PASSWORD}


def test_a_new_name_and_address_hold_from_the_next_login_on(app: Flask, client: VenueClient, alice: Person) -> None:
    answer = client.log_in(alice).post("/user/profile", data=IDENTITY)
    assert (answer.status_code, answer.location) == (303, "/user/profile")
    stored = one(app, User, alice.id)
    assert (stored.user_name, stored.user_email, stored.name_key) == ("Alicia", "alicia@example.com", "alicia")
    assert "Alicia" in client.get("/user/profile").text
    app.test_client().log_in(Person(alice.id, "Alicia"))  # type: ignore[attr-defined]


def test_saving_the_same_again_is_no_conflict_with_oneself(client: VenueClient, alice: Person) -> None:
    client.log_in(alice)
    for _ in range(2):
        assert client.post("/user/profile", json=IDENTITY).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_name", ""),
        ("user_name", "Al"),
        ("user_name", "BOB"),
        ("user_email", "nobody"),
        ("user_email", "BOB@example.com"),
        ("your_password", "wrong"),
        ("your_password", ""),
    ],
)
def test_a_refused_change_names_the_field_and_keeps_what_was(
    app: Flask, client: VenueClient, alice: Person, bob: Person, field: str, value: str
) -> None:
    client.log_in(alice)
    assert_refused(client.post("/user/profile", json={**IDENTITY, field: value}), 400, field=field)
    page = client.post("/user/profile", data={**IDENTITY, field: value}, headers=HTML)
    assert page.status_code == 400
    assert 'aria-invalid="true"' in page.text
    assert PASSWORD not in page.text
    stored = one(app, User, alice.id)
    assert (stored.user_name, stored.user_email) == ("Alice", "alice@example.com")


def test_a_new_password_ends_the_other_logins_and_keeps_this_one(
    app: Flask, client: VenueClient, alice: Person, bob: Person
) -> None:
    elsewhere, stranger = app.test_client(), app.test_client()
    elsewhere.log_in(alice)  # type: ignore[attr-defined]
    stranger.log_in(bob)  # type: ignore[attr-defined]
    answer = client.log_in(alice).post("/user/profile/password", data=CHANGE)
    assert answer.status_code == 303, answer.text
    assert client.get("/user/profile").status_code == 200
    assert elsewhere.get("/user/profile").status_code == 302
    assert stranger.get("/user/profile").status_code == 200
    app.test_client().log_in(Person(alice.id, "Alice", password=NEW_PASSWORD))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("current_password", "wrong"),
        ("new_password", "short"),
        ("new_password", PASSWORD),
        ("confirm_password", "Something-else-9"),
    ],
)
def test_a_refused_password_changes_nothing(
    app: Flask, client: VenueClient, alice: Person, field: str, value: str
) -> None:
    client.log_in(alice)  # which makes a better hash of the password
    before = one(app, User, alice.id).user_password
    assert_refused(client.post("/user/profile/password", json={**CHANGE, field: value}), 400, field=field)
    assert one(app, User, alice.id).user_password == before


def test_guesses_at_the_password_are_counted_as_at_the_door(client: VenueClient, alice: Person) -> None:
    client.log_in(alice)
    for _ in range(10):
        client.post("/user/profile", json={**IDENTITY, "your_password": "guess"})
    assert_refused(client.post("/user/profile", json=IDENTITY), 429, "TOO_MANY_ATTEMPTS")


def test_one_login_is_ended_and_the_list_says_which_is_this_one(app: Flask, client: VenueClient, alice: Person) -> None:
    elsewhere = app.test_client()
    elsewhere.log_in(alice)  # type: ignore[attr-defined]
    page = client.log_in(alice).get("/user/profile").text
    assert page.count("This one") == 1
    assert "/user/logins/1/end" in page
    for _ in range(2):
        assert client.post("/user/logins/1/end").status_code in (200, 303)
    assert one(app, Login, 1).ended_at is not None
    assert elsewhere.get("/user/profile").status_code == 302
    assert client.get("/user/profile").status_code == 200


def test_nobody_ends_somebody_elses_login(app: Flask, client: VenueClient, alice: Person, bob: Person) -> None:
    app.test_client().log_in(bob)  # type: ignore[attr-defined]
    client.log_in(alice)
    assert_refused(client.post("/user/logins/1/end", json={}), 404, "NO_LOGIN")
    assert_refused(client.post("/user/logins/99/end", json={}), 404, "NO_LOGIN")
    assert one(app, Login, 1).ended_at is None


def test_all_others_are_ended_at_once(app: Flask, client: VenueClient, alice: Person) -> None:
    others = [app.test_client().log_in(alice) for _ in range(3)]  # type: ignore[attr-defined]
    client.log_in(alice)
    answer = client.post("/user/logins/end_others", json={})
    assert answer.json == {"success": True, "message": "3 log-ins are ended.", "ended": 3}
    assert client.post("/user/logins/end_others", json={}).json["ended"] == 0
    assert {other.get("/user/profile").status_code for other in others} == {302}


def test_display_settings_stand_on_every_page_of_their_trader_on_every_device(
    app: Flask, client: VenueClient, alice: Person, bob: Person, ada: Person
) -> None:
    client.log_in(alice)
    chosen = {"theme": "dark", "gain": "", "zone": "UTC", "confirm": "off"}
    answer = client.post("/user/api/preferences/display", json=chosen)
    assert answer.json["data"] == {"theme": "dark", "zone": "UTC", "confirm": "off"}
    phone, other, admin, nobody = (app.test_client() for _ in range(4))
    for visitor, person in ((phone, alice), (other, bob), (admin, ada)):
        visitor.log_in(person)  # type: ignore[attr-defined]
    for path in ("/user/profile", "/user/account", "/about", "/no/such/page"):
        assert (
            '<html lang="en" data-display data-theme="dark" data-zone="UTC" data-confirm="off">' in phone.get(path).text
        )
    assert '<html lang="en" data-display>' in other.get("/user/profile").text
    assert '<html lang="en">' in admin.get("/admin/").text
    assert '<html lang="en">' in nobody.get("/auth/login").text


def test_the_page_is_for_traders_who_are_logged_in(app: Flask, alice: Person, ada: Person) -> None:
    nobody, admin = app.test_client(), app.test_client()
    admin.log_in(ada)  # type: ignore[attr-defined]
    assert nobody.get("/user/profile").status_code == 302
    for path in ("/user/profile", "/user/profile/password", "/user/logins/1/end", "/user/logins/end_others"):
        assert_refused(nobody.post(path, json={}), 401, "LOGIN_REQUIRED")
        assert_refused(admin.post(path, json={}), 403, "TRADERS_ONLY")
    assert nobody.put("/user/profile").status_code == 405
