"""The audit log: every write of an admin leaves exactly one row, whose words are true, and nobody changes it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from admin_stage import ADMIN_WRITES, Stage, admin_writes
from config import Config
from databases import both_databases
from factories import Person
from fake_market import FakeMarket
from models import AuditEntry, db
from services import audit
from services.audit import Actor, Subject
from services.transaction import run_unit
from utils.datetime_utils import utc_now
from web_client import VenueClient
from web_help import assert_refused

OWN_ADDRESS = "127.0.0.1"


@pytest.fixture
def stage(app: Flask, market: FakeMarket, config: Config, alice: Person, ada: Person) -> Stage:
    return Stage(app, market, config, alice, ada)


@pytest.fixture
def admin(client: VenueClient, ada: Person) -> VenueClient:
    return client.log_in(ada)


def entries(app: Flask, after: int = 0) -> list[AuditEntry]:
    """The rows of the log that came after row `after`."""
    with app.app_context(), Session(db.engine) as session:
        query = select(AuditEntry).where(AuditEntry.audit_id > after).order_by(AuditEntry.audit_id)
        return list(session.execute(query).scalars())


def last_number(app: Flask) -> int:
    return max((entry.audit_id for entry in entries(app)), default=0)


def test_every_admin_write_of_the_url_map_is_tried_here(app: Flask) -> None:
    assert admin_writes(app) == set(ADMIN_WRITES)


@pytest.mark.parametrize("endpoint", ADMIN_WRITES)
def test_an_admin_write_leaves_exactly_one_row(
    app: Flask, admin: VenueClient, stage: Stage, ada: Person, endpoint: str
) -> None:
    path, body = ADMIN_WRITES[endpoint](stage)
    before = last_number(app)
    answer = admin.post(path, json=body, headers={"Idempotency-Key": "once"})
    assert answer.status_code == 200, answer.text
    (row,) = entries(app, before)
    assert (row.admin_id, row.actor_name, row.address) == (ada.id, "Ada", OWN_ADDRESS)
    assert row.request_id == answer.headers["X-Request-ID"]
    assert row.action
    assert row.subject
    assert row.subject_id
    assert row.before is None or isinstance(json.loads(row.before), dict)
    assert row.after is None or isinstance(json.loads(row.after), dict)
    assert row.before != row.after


@pytest.mark.parametrize("endpoint", [name for name in ADMIN_WRITES if name.startswith("admin.")])
def test_a_repeated_write_leaves_no_second_row(app: Flask, admin: VenueClient, stage: Stage, endpoint: str) -> None:
    path, body = ADMIN_WRITES[endpoint](stage)
    before = last_number(app)
    answers = [admin.post(path, json=body, headers={"Idempotency-Key": "once"}) for _ in range(2)]
    assert answers[0].json == answers[1].json
    assert len(entries(app, before)) == 1


def test_a_refused_write_leaves_no_row(app: Flask, admin: VenueClient, stage: Stage) -> None:
    number = stage.asked()
    admin.post(f"/admin/fund-transactions/{number}/approve")
    before = last_number(app)
    assert_refused(admin.post(f"/admin/fund-transactions/{number}/approve"), 409)
    assert_refused(admin.post(f"/admin/fund-transactions/{number}/reject", json={"reason": ""}), 400)
    assert entries(app, before) == []


def test_the_row_tells_what_changed(app: Flask, admin: VenueClient, stage: Stage) -> None:
    number = stage.asked()
    admin.post(f"/admin/fund-transactions/{number}/reject", json={"reason": "Not today"})
    row = entries(app)[-1]
    assert (row.action, row.subject, row.subject_id) == ("reject_deposit", "fund_transaction", str(number))
    assert (row.user_id, row.reason) == (stage.trader.id, "Not today")
    assert json.loads(row.before) == {"status": "pending"}
    assert json.loads(row.after) == {"status": "rejected", "amount": "50.00"}


@both_databases
@pytest.mark.parametrize("statement", ["UPDATE audit_entry SET reason = 'x'", "DELETE FROM audit_entry"])
def test_the_database_itself_refuses_to_change_the_log(app: Flask, statement: str) -> None:
    def work(session: Session) -> None:
        actor, subject = Actor(None, "command line"), Subject("setting", "market_source")
        audit.record(session, actor, "change_setting", subject, before=None, after={}, now=utc_now())

    with app.app_context():
        run_unit(work)
        before = entries(app)
        with db.engine.begin() as connection, pytest.raises(DBAPIError, match="append-only"):
            connection.execute(text(statement))
    assert [row.audit_id for row in entries(app)] == [row.audit_id for row in before]
    assert len(before) == 1


@pytest.mark.parametrize("secret", [object(), b"bytes", {1, 2}])
def test_what_has_no_plain_words_is_refused(app: Flask, secret: Any) -> None:
    def work(session: Session) -> None:
        subject = Subject("setting", "x")
        audit.record(session, Actor(None, "x"), "x", subject, before={"x": secret}, after=None, now=utc_now())

    with app.app_context(), pytest.raises(TypeError):
        run_unit(work)
    assert entries(app) == []
