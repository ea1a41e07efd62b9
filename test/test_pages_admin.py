"""What admins see: navigation and buttons follow what their role may do."""

from __future__ import annotations

from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from flask import Flask

from factories import Person, make_admin
from fake_market import FakeMarket
from services.accounts import funds
from services.transaction import run_unit


@pytest.mark.parametrize(("role", "expected"), [("owner", True), ("funds", True), ("support", False)])
def test_only_those_who_may_decide_see_the_buttons(
    app: Flask, alice: Person, market: FakeMarket, role: str, expected: bool
) -> None:
    with app.app_context():
        admin = make_admin("Somebody", role=role)
        run_unit(funds.request_deposit, alice.id, Decimal("5.00"), market=market, key=None)
    page = BeautifulSoup(app.test_client().log_in(admin).get("/admin/deposits").text, "html.parser")
    assert bool(page.select("form[data-action]")) is expected


def test_the_navigation_leads_only_where_one_may_go(app: Flask) -> None:
    with app.app_context():
        admins = {role: make_admin(role.title(), role=role) for role in ("owner", "support")}
    for admin in admins.values():
        client = app.test_client().log_in(admin)
        page = BeautifulSoup(client.get("/admin/").text, "html.parser")
        addresses = [link["href"] for link in page.select('nav[aria-label="Admin"] a')]
        assert len(addresses) >= 5
        assert {client.get(address).status_code for address in addresses} == {200}
