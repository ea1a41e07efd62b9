"""A refused form comes back with what was typed, and with what is wrong beside the field, also without page scripts."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from factories import Person
from models import AuditEntry, User, db
from web_client import VenueClient

SITE = "http://localhost"
USERS = "/admin/user_management"


@pytest.fixture
def admin(client: VenueClient, ada: Person) -> VenueClient:
    """Ada's browser: she is an owner."""
    return client.log_in(ada)


def send(browser: VenueClient, path: str, page: str, accepts: str = "text/html", **fields: Any) -> TestResponse:
    """Send a form as a browser without scripts does from this page."""
    return browser.post(path, data=fields, headers={"Accept": accepts, "Referer": SITE + page})


def form_of(answer: TestResponse, action: str) -> Tag:
    """The form of the answered page that posts there."""
    found = BeautifulSoup(answer.get_data(as_text=True), "html.parser").select_one(f'form[action="{action}"]')
    assert found is not None
    return found


def control(form: Tag, name: str) -> Tag:
    found = form.select_one(f"[name={name}]")
    assert found is not None
    return found


def errors(form: Tag) -> list[str]:
    return [item.get_text() for item in form.select(".field-errors li")]


def test_a_new_trader_keeps_what_was_typed(admin: VenueClient) -> None:
    answer = send(admin, f"{USERS}/create", f"{USERS}/new", user_name='<b>"Al"', user_email="nowhere")
    assert answer.status_code == 400
    form = form_of(answer, f"{USERS}/create")
    assert control(form, "user_name")["value"] == '<b>"Al"'
    assert control(form, "user_email")["value"] == "nowhere"
    assert control(form, "user_email")["aria-invalid"] == "true"
    assert any(text.startswith("E-mail must") for text in errors(form))
    assert len(control(form, "idempotency_key")["value"]) > 10, "a key of its own for the next try"


def test_a_taken_name_is_answered_on_the_field(admin: VenueClient, alice: Person) -> None:
    answer = send(admin, f"{USERS}/create", f"{USERS}/new", user_name=alice.name, user_email="new@example.com")
    assert answer.status_code in (400, 409)
    assert "taken" in answer.get_data(as_text=True)
    assert control(form_of(answer, f"{USERS}/create"), "user_email")["value"] == "new@example.com"


def test_the_page_shown_again_can_be_sent_again_and_leads_back_to_its_own_address(
    app: Flask, admin: VenueClient
) -> None:
    first = send(admin, f"{USERS}/create", f"{USERS}/new", user_name="", user_email="x")
    page = control(form_of(first, f"{USERS}/create"), "form_page")["value"]
    assert page == f"{USERS}/new"
    again = send(admin, f"{USERS}/create", f"{USERS}/create", user_name="", user_email="x", form_page=page)
    assert again.status_code == 400
    assert errors(form_of(again, f"{USERS}/create"))
    with app.app_context(), Session(db.engine) as session:
        assert session.execute(select(func.count(User.user_id))).scalar_one() == 0
        assert session.execute(select(func.count(AuditEntry.audit_id))).scalar_one() == 0


def test_a_setting_that_does_not_work_says_so_beside_it(admin: VenueClient) -> None:
    page = admin.get("/admin/settings")
    version = control(form_of(page, "/admin/settings"), "version")["value"]
    answer = send(admin, "/admin/settings", "/admin/settings", version=version, starting_balance="much")
    assert answer.status_code == 400
    soup = BeautifulSoup(answer.get_data(as_text=True), "html.parser")
    field = soup.select_one("[data-field=starting_balance]")
    assert field is not None
    assert control(field, "starting_balance")["value"] == "much"
    assert errors(field)


def test_a_folded_form_is_unfolded_and_ticks_are_kept(admin: VenueClient, alice: Person) -> None:
    answer = send(admin, f"{USERS}/give-balance", f"{USERS}?search=al", amount="-1", reason="For all", everybody="1")
    assert answer.status_code == 400
    form = form_of(answer, f"{USERS}/give-balance")
    assert control(form, "everybody").has_attr("checked")
    assert control(form, "reason")["value"] == "For all"
    assert errors(form)
    folded = form.find_parent("details")
    assert folded is not None
    assert folded.has_attr("open")


def test_of_many_forms_of_a_kind_only_the_one_that_was_sent_is_filled(admin: VenueClient) -> None:
    """Every row of the data page has a form that renames its instrument."""
    rename = "/admin/data/instruments/rename"
    answer = send(admin, rename, "/admin/data", ticker="MSFT", name="M" * 200)
    assert answer.status_code == 400
    soup = BeautifulSoup(answer.get_data(as_text=True), "html.parser")
    forms = {control(form, "ticker")["value"]: form for form in soup.select(f'form[action="{rename}"]')}
    assert len(forms) > 2
    assert control(forms["MSFT"], "name")["value"] == "M" * 200
    assert errors(forms.pop("MSFT"))
    assert not any(errors(form) or control(form, "name")["value"] == "M" * 200 for form in forms.values())


def test_links_of_the_page_shown_again_mean_the_page(admin: VenueClient, alice: Person) -> None:
    answer = send(admin, f"{USERS}/give-balance", USERS, amount="-1", reason="x")
    soup = BeautifulSoup(answer.get_data(as_text=True), "html.parser")
    assert not soup.select('a[href^="?"]')
    assert all(form.has_attr("action") for form in soup.select("form"))


def test_a_rule_that_says_no_is_told_on_the_page_with_the_form(admin: VenueClient, alice: Person) -> None:
    page = f"{USERS}/{alice.id}"
    answer = send(admin, f"{page}/adjust-cash", page, amount="-1000000000", reason="Typing error")
    assert answer.status_code in (400, 422)
    assert control(form_of(answer, f"{page}/adjust-cash"), "reason")["value"] == "Typing error"


@pytest.mark.parametrize("page", ["", "/elsewhere", "/user/portfolio", f"{USERS}/create", "/auth/login"])
def test_without_a_page_to_show_the_error_page_answers(admin: VenueClient, page: str) -> None:
    answer = send(admin, f"{USERS}/create", page, user_name="", user_email="")
    assert answer.status_code == 400
    assert "Error 400" in answer.get_data(as_text=True)


def test_another_site_is_no_page_to_show(admin: VenueClient) -> None:
    headers = {"Accept": "text/html", "Referer": f"http://elsewhere.example{USERS}/new"}
    answer = admin.post(f"{USERS}/create", data={"user_name": ""}, headers=headers)
    assert "Error 400" in answer.get_data(as_text=True)


def test_scripts_are_answered_as_before(admin: VenueClient) -> None:
    answer = send(admin, f"{USERS}/create", f"{USERS}/new", accepts="application/json", user_name="", user_email="")
    assert answer.status_code == 400
    assert set(answer.get_json()["errors"]) == {"user_name", "user_email"}
