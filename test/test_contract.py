"""The contract of the JSON endpoints: 2,000 made-up requests find no fault, and no answer that its schema forbids."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import schemathesis
from bs4 import BeautifulSoup
from flask import Flask
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from assistant_help import gemini_settings
from factories import Person, give_cash
from fake_market import FakeMarket
from routes.contract import asked
from routes.contract.operations import operation_of
from services.analysis import simulation_plan
from services.assistant.assistant import Assistant
from standins.gemini import GeminiStandIn
from utils import monte_carlo
from web_client import VenueClient
from web_help import assert_refused

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)


@pytest.fixture
def settings(gemini: GeminiStandIn) -> dict[str, str]:
    """Questions to the assistant are answered."""
    return gemini_settings(gemini)


def make_requests(app: Flask, cookie: str, area: str, examples: int) -> Counter[int]:
    """So many requests to every endpoint below `area`, each answer held against its schema. Counts the statuses."""
    app.config["WTF_CSRF_ENABLED"] = False
    schema: Any = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    schema.config.generation.update(with_security_parameters=False)  # else it would make up cookies of its own
    cookies = {app.config["SESSION_COOKIE_NAME"]: cookie} if cookie else {}
    statuses: Counter[int] = Counter()
    for found in schema.get_all_operations():
        operation = found.ok()
        if not operation.path.startswith(area):
            continue

        @hypothesis_settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            answer = case.call(cookies=cookies)
            case.validate_response(answer, checks=CHECKS)
            statuses[answer.status_code] += 1

        ask()
    return statuses


def cookie_of(client: VenueClient) -> str:
    cookie = client.get_cookie(client.application.config["SESSION_COOKIE_NAME"])
    return cookie.value if cookie else ""


@pytest.fixture
def trader(app: Flask, alice: Person, ada: Person, market: FakeMarket, assistant: Assistant) -> VenueClient:
    market.set_quote("AAPL", "100.00")
    with app.app_context():
        give_cash(alice, "1000000.00", admin=ada, market=market)
    return app.test_client().log_in(alice)


def test_1100_requests_of_a_trader(app: Flask, trader: VenueClient) -> None:
    statuses = make_requests(app, cookie_of(trader), "/user", 50)
    assert sum(statuses.values()) >= 1100
    assert statuses[200] >= 100
    assert 401 not in statuses


def test_600_requests_of_nobody(app: Flask) -> None:
    statuses = make_requests(app, "", "/", 26)
    assert sum(statuses.values()) >= 600
    assert statuses[200] == 0


def test_300_requests_of_an_admin(app: Flask, ada: Person) -> None:
    statuses = make_requests(app, cookie_of(app.test_client().log_in(ada)), "/admin", 80)
    assert sum(statuses.values()) >= 300
    assert 401 not in statuses


def test_every_json_endpoint_is_in_the_contract(app: Flask, client: VenueClient) -> None:
    """Streams and files are no JSON."""
    paths = client.get("/api/openapi.json").json["paths"]
    scripted = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/user/api/") or (rule.endpoint.startswith("user.") and "_order" in rule.endpoint)
    }
    without = {name for name in scripted if operation_of(app.view_functions[name]) is None}
    assert without == {
        *("user.live_stream", "user.chat_stream", "user.analysis_report", "user.analysis_report_file"),
    }
    assert "/user/api/monte-carlo/{ticker}" in paths


def test_the_contract_refuses_by_the_name_of_the_field(trader: VenueClient) -> None:
    answer = trader.post("/user/api/create_order", json={"ticker": "AAPL", "order_type": "hold", "quantity": "x"})
    assert_refused(answer, 400, "INVALID_INPUT")
    assert answer.json["errors"] == {
        "order_type": ["must be buy or sell"],
        "execution_type": ["must be market, limit, stop, stop_limit or trailing_stop"],
        "quantity": ["must be a whole number of shares from 1 to 10,000,000"],
    }


def test_the_ranges_of_simulations_are_those_of_the_service() -> None:
    assert asked.SIMULATION_RANGES == simulation_plan.RANGES
    assert [float(bound) for bound in asked.SIMULATION_DEGREES] == [monte_carlo.LEAST_DEGREES, monte_carlo.MOST_DEGREES]
    assert (asked.SIMULATION_MODELS, asked.SIMULATION_DRIFTS) == (monte_carlo.MODELS, monte_carlo.DRIFTS)


def test_the_documentation_shows_every_endpoint_without_another_host(client: VenueClient) -> None:
    page = BeautifulSoup(client.get("/api/docs").text, "html.parser")
    document = client.get("/api/openapi.json").json
    headings = {title.get_text(strip=True) for title in page.select("section h2")}
    assert headings == {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    assert all(page.find(id=link["href"][1:]) for link in page.select("a[href^='#schema-']"))
    assert not page.select("script[src^=http], link[href^=http]")
