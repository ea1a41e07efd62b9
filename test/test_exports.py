"""Lists as CSV files: whole, filtered like the page, harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import event

import factories
from config import Config
from databases import both_databases
from factories import Person
from fake_market import FakeMarket
from models import db
from routes.exports import cell
from services import paging
from web_client import VenueClient
from web_help import assert_refused


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def trader(app: Flask, alice: Person, ada: Person, market: FakeMarket, config: Config) -> VenueClient:
    """Alice with ten shares of AAPL, a filled order and an open one, and a request that was refused."""
    with app.app_context():
        factories.give_cash(alice, "10000.00", admin=ada, market=market)
        market.set_quote("AAPL", "100.00")
        factories.place(alice, "buy", "AAPL", 10, market=market, config=config)
        factories.place(alice, "buy", "AAPL", 1, "50.00", market=market, config=config)
    return app.test_client().log_in(alice)


def test_each_list_is_a_file(trader: VenueClient) -> None:
    files = {
        name: trader.get(f"/user/account/{name}.csv", buffered=True)
        for name in ("orders", "fills", "funds", "holdings")
    }
    assert {name: len(rows_of(file.text)) for name, file in files.items()} == {
        "orders": 2,
        "fills": 1,
        "funds": 1,
        "holdings": 1,
    }
    assert files["fills"].headers["Content-Disposition"] == 'attachment; filename="fills.csv"'
    assert files["fills"].mimetype == "text/csv"
    fill = rows_of(files["fills"].text)[0]
    assert (fill["ticker"], fill["transaction_quantity"], fill["realised_profit"]) == ("AAPL", "10", "")
    assert rows_of(files["holdings"].text)[0]["total_cost"] == fill["transaction_amount"]


def test_a_file_has_the_pages_filters_and_refuses_wrong_ones(trader: VenueClient) -> None:
    assert [row["order_price"] for row in rows_of(trader.get("/user/account/orders.csv?status=open").text)] == [
        "50.0000"
    ]
    assert rows_of(trader.get("/user/account/orders.csv?ticker=MSFT").text) == []
    assert_refused(
        trader.get("/user/account/orders.csv?status=none", headers={"Accept": "application/json"}),
        400,
        "INVALID_INPUT",
        "status",
    )
    assert trader.get("/user/account/others.csv").status_code == 404


def test_a_file_holds_only_ones_own_rows(app: Flask, trader: VenueClient, bob: Person) -> None:
    stranger = app.test_client().log_in(bob)
    assert rows_of(stranger.get("/user/account/orders.csv").text) == []
    assert app.test_client().get("/user/account/orders.csv").status_code == 302


@both_databases
def test_batches_make_one_whole_list_and_hold_no_connection_between(
    app: Flask, trader: VenueClient, alice: Person, market: FakeMarket, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "BATCH", 2)
    with app.app_context():
        for _ in range(5):
            factories.place(alice, "buy", "AAPL", 1, "50.00", market=market, config=config)
        engine = db.engine
    out: set[int] = set()
    event.listen(engine, "checkout", lambda connection, *_: out.add(id(connection)))
    event.listen(engine, "checkin", lambda connection, *_: out.discard(id(connection)))
    from services.trading import order_views

    with app.app_context():
        seen = []
        for item in order_views.orders_of(user_id=alice.id).every_item(db.session()):
            seen.append(item["order_id"])
            assert not out
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == len(set(seen)) == 7


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "－1"])
def test_text_that_is_a_formula_is_disarmed(text: str) -> None:
    assert cell(text) == f"'{text}"


def test_what_is_no_formula_stays_as_it_is() -> None:
    moment = datetime(2008, 9, 2, 13, 30, tzinfo=UTC)
    values = ["A=B", "^GSPC", Decimal("-12.50"), -3, None, moment, moment.date(), True]
    written = ["A=B", "^GSPC", "-12.50", "-3", "", "2008-09-02T13:30:00Z", "2008-09-02", "yes"]
    assert [cell(value) for value in values] == written


def test_lists_are_sorted_by_the_server(trader: VenueClient) -> None:
    def numbers(sort: str) -> list[int]:
        answer = trader.get(f"/user/api/orders?sort={sort}")
        return [order["order_quantity"] for order in answer.json["orders"]]

    assert numbers("order_quantity") == [1, 10]
    assert numbers("-order_quantity") == [10, 1]
    assert_refused(trader.get("/user/api/orders?sort=password"), 400, "INVALID_INPUT", "sort")
