"""The traders' endpoints: each works, stores what it says, and refuses what it must without storing anything."""

from __future__ import annotations

from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import Config
from databases import both_databases
from factories import Person, give_cash, give_shares
from fake_market import FakeMarket
from models import AccountBalance, FundTransaction, Order, Transaction, db
from web_client import VenueClient
from web_help import assert_refused, books_of, one

HTML = {"Accept": "text/html"}
BUY = {"ticker": "AAPL", "order_type": "buy", "execution_type": "market", "quantity": 10, "price": None}
LIMIT = {**BUY, "execution_type": "limit", "price": "90.00"}

# The ways to write a number that are none, or none that an account may take.
NO_NUMBERS = [
    *(
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "1e5",
        "1_000",
        "٣",
        "１２",
        "0x10",
        "1,000",
        "12.",
        ".5",
        "+-1",
        "",
        " ",
    ),
    *(None, True, False, [], [10], {}, {"amount": 1}, -1, "-1", 0, "0", "0.00", -0.0, 10**12, 10**30, 2**63),
]
NO_TICKERS = ["", None, 5, ["AAPL"], "A" * 11, "AA PL", "ＡＡＰＬ", "A\nB", "<b>"]
RAW_NUMBERS = ["NaN", "Infinity", "-Infinity", "1e400", "1e999999999", "1E-9", "9" * 5000, "-0", "0.001"]


@pytest.fixture(autouse=True)
def price(market: FakeMarket) -> None:
    market.set_quote("AAPL", "100.00")


@pytest.fixture
def rich(app: Flask, alice: Person, ada: Person, market: FakeMarket) -> Person:
    """Alice with $10,000.00."""
    with app.app_context():
        give_cash(alice, "10000.00", admin=ada, market=market)
    return alice


@pytest.fixture
def trader(client: VenueClient, rich: Person) -> VenueClient:
    """Rich Alice's browser."""
    return client.log_in(rich)


def cash_of(app: Flask, person: Person) -> tuple[Decimal, Decimal]:
    """Available and frozen dollars."""
    with app.app_context(), Session(db.engine) as session:
        query = select(AccountBalance).where(AccountBalance.user_id == person.id)
        row = session.execute(query).scalar_one()
        return row.available_balance, row.frozen_balance


def count(app: Flask, model: Any) -> int:
    with app.app_context(), Session(db.engine) as session:
        return session.execute(select(func.count()).select_from(model)).scalar_one()


def place(client: VenueClient, **changes: Any) -> int:
    answer = client.post("/user/api/create_order", json={**LIMIT, **changes})
    assert answer.status_code == 200, answer.text
    return answer.json["order_id"]


# Deposits and withdrawals.


@both_databases
@pytest.mark.parametrize("amount", [2500, 2500.0, "2500", "2500.00", 0.01, "1000000000.00"])
def test_a_deposit_is_stored_and_waits(app: Flask, client: VenueClient, alice: Person, amount: Any) -> None:
    client.log_in(alice)
    answer = client.post("/user/api/deposit", json={"amount": amount})
    assert answer.status_code == 200
    assert answer.json["success"] is True
    assert answer.json["message"]
    row = one(app, FundTransaction, answer.json["transaction_id"])
    assert (row.user_id, row.transaction_type, row.status) == (alice.id, "deposit", "pending")
    assert row.amount == Decimal(str(amount))
    assert cash_of(app, alice) == (0, 0)


def test_a_withdrawal_freezes_its_amount(app: Flask, trader: VenueClient, rich: Person) -> None:
    answer = trader.post("/user/api/withdraw", json={"amount": "400.25"})
    assert one(app, FundTransaction, answer.json["transaction_id"]).transaction_type == "withdrawal"
    assert cash_of(app, rich) == (Decimal("9599.75"), Decimal("400.25"))


def test_a_withdrawal_beyond_the_cash_is_refused_with_the_figures(app: Flask, trader: VenueClient) -> None:
    before = books_of(app)
    answer = trader.post("/user/api/withdraw", json={"amount": "10000.01"})
    assert_refused(answer, 422, "INSUFFICIENT_FUNDS")
    assert answer.json["details"]
    assert books_of(app) == before


@pytest.mark.parametrize("path", ["/user/api/deposit", "/user/api/withdraw"])
@pytest.mark.parametrize("amount", [*NO_NUMBERS, "1.001", 0.001, " 5 ", "five", 1000000000.01], ids=repr)
def test_bad_amounts_are_refused_by_name_and_change_nothing(
    app: Flask, trader: VenueClient, path: str, amount: Any
) -> None:
    before = books_of(app)
    assert_refused(trader.post(path, json={"amount": amount}), 400, "INVALID_INPUT", "amount")
    assert books_of(app) == before


@pytest.mark.parametrize("raw", RAW_NUMBERS, ids=lambda raw: raw[:20])
def test_numbers_that_json_libraries_let_through_are_refused_too(app: Flask, trader: VenueClient, raw: str) -> None:
    before = books_of(app)
    answer = trader.post("/user/api/deposit", data=f'{{"amount": {raw}}}', content_type="application/json")
    assert_refused(answer, 400, "INVALID_INPUT", "amount")
    assert books_of(app) == before


def test_no_amount_at_all_is_named(trader: VenueClient) -> None:
    assert_refused(trader.post("/user/api/deposit", json={}), 400, "INVALID_INPUT", "amount")
    assert_refused(trader.post("/user/api/deposit"), 400, "INVALID_INPUT", "amount")


def test_a_page_without_scripts_is_led_back_with_the_message(app: Flask, trader: VenueClient) -> None:
    referrer = {"Referer": "http://localhost/user/account?funds_page=2"}
    answer = trader.post("/user/api/deposit", data={"amount": " 12.50 "}, headers={**HTML, **referrer})
    assert (answer.status_code, answer.location) == (303, "/user/account?funds_page=2")
    assert "$12.50" in trader.get("/user/account").text
    refused = trader.post("/user/api/deposit", data={"amount": "NaN"}, headers=HTML)
    assert refused.status_code == 400
    assert "amount" in refused.text
    foreign = trader.post(
        "/user/api/deposit", data={"amount": "1"}, headers={**HTML, "Referer": "http://evil.example/x"}
    )
    assert foreign.location == "/user/account"


# Orders.


@both_databases
def test_a_market_order_fills_at_once(app: Flask, trader: VenueClient, rich: Person) -> None:
    answer = trader.post("/user/api/create_order", json=BUY)
    assert answer.status_code == 200
    assert answer.json == {
        "success": True,
        "message": answer.json["message"],
        "order_id": answer.json["order_id"],
        "order_status": "filled",
        "filled_quantity": 10,
        "average_fill_price": 100.0,
        "warnings": [],
    }
    assert "Bought 10 AAPL" in answer.json["message"]
    assert one(app, Order, answer.json["order_id"]).order_status == "filled"
    assert cash_of(app, rich) == (Decimal("9000.00"), 0)


def test_a_limit_order_away_from_the_market_rests_and_freezes_its_cost(
    app: Flask, trader: VenueClient, rich: Person
) -> None:
    order = one(app, Order, place(trader))
    assert (order.order_status, order.order_price, order.order_quantity) == ("pending", Decimal("90.0000"), 10)
    assert cash_of(app, rich) == (Decimal("9100.00"), Decimal("900.00"))


def test_the_columns_names_are_taken_as_well(app: Flask, trader: VenueClient) -> None:
    body = {
        "ticker": "aapl",
        "order_type": "BUY",
        "order_execution_type": "limit",
        "order_quantity": "10",
        "order_price": 90,
    }
    answer = trader.post("/user/api/create_order", json=body)
    assert one(app, Order, answer.json["order_id"]).ticker == "AAPL"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        *(({"quantity": value}, "quantity") for value in [*NO_NUMBERS, 1.5, "1.5", "ten", 10_000_001]),
        *(({"execution_type": "limit", "price": value}, "price") for value in [*NO_NUMBERS[:-3], "1.00001", 10**30]),
        *(
            ({"ticker": value}, "ticker")
            for value in ["", None, 5, ["AAPL"], "A" * 11, "AA PL", "ＡＡＰＬ", "A\nB", "<b>"]
        ),
        *(({"order_type": value}, "order_type") for value in ["", None, "short", 1, ["buy"]]),
        *(({"execution_type": value}, "execution_type") for value in ["", None, "iceberg", True]),
        ({"execution_type": "market", "price": "100"}, "price"),
        ({"execution_type": "limit", "price": None}, "price"),
    ],
    ids=repr,
)
def test_bad_orders_are_refused_by_field_and_change_nothing(
    app: Flask, trader: VenueClient, changes: dict[str, Any], field: str
) -> None:
    before = books_of(app)
    assert_refused(trader.post("/user/api/create_order", json={**BUY, **changes}), 400, "INVALID_INPUT", field)
    assert books_of(app) == before


@pytest.mark.parametrize("field", ["quantity", "price"])
@pytest.mark.parametrize("raw", RAW_NUMBERS[:7], ids=lambda raw: raw[:20])
def test_raw_numbers_in_orders_are_refused_too(app: Flask, trader: VenueClient, field: str, raw: str) -> None:
    fields = {"quantity": "10", "price": "90"} | {field: raw}
    numbers = ", ".join(f'"{name}": {value}' for name, value in fields.items())
    body = f'{{"ticker": "AAPL", "order_type": "buy", "execution_type": "limit", {numbers}}}'
    before = books_of(app)
    answer = trader.post("/user/api/create_order", data=body, content_type="application/json")
    assert_refused(answer, 400, "INVALID_INPUT", field)
    assert books_of(app) == before


def test_all_faults_of_an_order_are_told_at_once(trader: VenueClient) -> None:
    answer = trader.post("/user/api/create_order", json={})
    assert set(answer.json["errors"]) == {"ticker", "order_type", "execution_type", "quantity"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ticker": "NOPE"}, "UNKNOWN_TICKER"),
        ({"ticker": "^GSPC"}, "NOT_TRADABLE"),
        ({"quantity": 1000}, "INSUFFICIENT_FUNDS"),
        ({"order_type": "sell"}, "INSUFFICIENT_SHARES"),
        ({"execution_type": "limit", "price": "10.00"}, "PRICE_TOO_FAR"),
    ],
)
def test_refused_orders_say_why_and_change_nothing(
    app: Flask, trader: VenueClient, changes: dict[str, Any], code: str
) -> None:
    before = books_of(app)
    answer = trader.post("/user/api/create_order", json={**BUY, **changes})
    assert_refused(answer, 422, code)
    if code == "UNKNOWN_TICKER":
        assert answer.json["details"] == {"ticker": "NOPE"}
    assert books_of(app) == before


def test_a_cancelled_order_gives_its_cash_back(app: Flask, trader: VenueClient, rich: Person) -> None:
    number = place(trader)
    answer = trader.post(f"/user/orders/{number}/cancel")
    assert answer.status_code == 200
    assert (answer.json["order_id"], answer.json["order_status"]) == (number, "cancelled")
    assert one(app, Order, number).order_status == "cancelled"
    assert cash_of(app, rich) == (Decimal("10000.00"), 0)


def test_cancelling_twice_is_a_conflict_the_second_time(app: Flask, trader: VenueClient) -> None:
    number = place(trader)
    trader.post(f"/user/orders/{number}/cancel")
    before = books_of(app)
    assert_refused(trader.post(f"/user/orders/{number}/cancel"), 409, "ORDER_NOT_OPEN")
    assert books_of(app) == before


def test_a_page_without_scripts_can_cancel(trader: VenueClient) -> None:
    number = place(trader)
    answer = trader.post(f"/user/orders/{number}/cancel", data={"next": "x"}, headers=HTML)
    assert (answer.status_code, answer.location) == (303, "/user/account")


def test_nobody_can_cancel_anothers_order_nor_learn_of_it(app: Flask, trader: VenueClient, bob: Person) -> None:
    number = place(trader)
    stranger = app.test_client().log_in(bob)
    before = books_of(app)
    theirs, none = stranger.post(f"/user/orders/{number}/cancel"), stranger.post("/user/orders/999/cancel")
    assert_refused(theirs, 404, "NO_SUCH_ORDER")
    assert_refused(none, 404, "NO_SUCH_ORDER")
    assert books_of(app) == before
    for path in ("/user/orders/x/cancel", "/user/orders/-1/cancel"):
        assert trader.post(path).status_code == 404


@pytest.mark.parametrize("number", [2**31, 2**63, 10**30])
def test_numbers_too_large_for_the_database_are_simply_not_found(trader: VenueClient, number: int) -> None:
    assert trader.post(f"/user/orders/{number}/cancel").status_code == 404


# One intention, one effect.


@pytest.mark.parametrize(
    ("path", "body", "model"),
    [
        ("/user/api/deposit", {"amount": "10.00"}, FundTransaction),
        ("/user/api/withdraw", {"amount": "10.00"}, FundTransaction),
        ("/user/api/create_order", BUY, Order),
    ],
)
def test_the_same_key_has_one_effect(
    app: Flask, trader: VenueClient, path: str, body: dict[str, Any], model: Any
) -> None:
    key = {"Idempotency-Key": "once-and-only-once"}
    first, rows = trader.post(path, json=body, headers=key), count(app, model)
    before = books_of(app)
    second = trader.post(path, json=body, headers=key)
    assert first.status_code == second.status_code == 200
    assert first.json == second.json
    assert books_of(app) == before
    assert_refused(trader.post(path, json={**body, "amount": 11, "quantity": 11}, headers=key), 422, "KEY_REUSED")
    trader.post(path, json=body, headers={"Idempotency-Key": "another"})
    assert count(app, model) == rows + 1


def test_the_same_key_cancels_once(app: Flask, trader: VenueClient) -> None:
    key, path = {"Idempotency-Key": "cancel"}, f"/user/orders/{place(trader)}/cancel"
    first, second = trader.post(path, headers=key), trader.post(path, headers=key)
    assert first.json == second.json
    other = f"/user/orders/{place(trader)}/cancel"
    assert_refused(trader.post(other, headers=key), 422, "KEY_REUSED")


def test_a_form_sent_twice_has_one_effect(app: Flask, trader: VenueClient) -> None:
    rows = count(app, FundTransaction)
    for _ in range(2):
        fields = {"amount": "10", "idempotency_key": "page-1", "csrf_token": trader.csrf_token()}
        assert trader.post("/user/api/deposit", data=fields, headers=HTML).status_code == 303
    assert count(app, FundTransaction) == rows + 1


def test_keys_belong_to_whoever_is_logged_in(app: Flask, trader: VenueClient, bob: Person) -> None:
    key, body = {"Idempotency-Key": "mine"}, {"amount": "10.00"}
    mine = trader.post("/user/api/deposit", json=body, headers=key)
    theirs = app.test_client().log_in(bob).post("/user/api/deposit", json=body, headers=key)
    assert mine.json["transaction_id"] != theirs.json["transaction_id"]


@pytest.mark.parametrize("key", ["", "k" * 256, "tab\tkey"])
def test_bad_keys_are_named(app: Flask, trader: VenueClient, key: str) -> None:
    before = books_of(app)
    answer = trader.post("/user/api/deposit", json={"amount": 1}, headers={"Idempotency-Key": key})
    assert_refused(answer, 400, "INVALID_INPUT", "Idempotency-Key")
    assert books_of(app) == before


@both_databases
def test_fifty_at_once_with_one_key_have_one_effect_and_none_is_turned_away(
    app: Flask, trader: VenueClient, rich: Person
) -> None:
    token, cookie = trader.csrf_token(), trader.get_cookie("venue_5003").value
    headers = {"Idempotency-Key": "burst", "X-CSRFToken": token}
    gate, answers = Barrier(50), []

    def send() -> None:
        browser = app.test_client()
        browser.set_cookie("venue_5003", cookie)
        gate.wait()
        answer = browser.post("/user/api/create_order", json=BUY, headers=headers, csrf=False)
        answers.append((answer.status_code, answer.json.get("order_id") or answer.json.get("code")))

    threads = [Thread(target=send) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 50
    done = {answer for answer in answers if answer[0] == 200}
    assert len(done) == 1
    assert {answer for answer in answers if answer[0] != 200} <= {(409, "STILL_WORKING")}
    assert cash_of(app, rich) == (Decimal("9000.00"), 0)
    assert count(app, Transaction) == 1


# Lists.


@pytest.fixture
def lists(app: Flask, trader: VenueClient, bob: Person, ada: Person, market: FakeMarket, config: Config) -> VenueClient:
    """Rich Alice's browser, after three resting orders, a cancelled one and a fill; Bob has orders and money too."""
    for price in ("90.00", "91.00", "92.00"):
        place(trader, price=price)
    trader.post(f"/user/orders/{place(trader)}/cancel")
    trader.post("/user/api/create_order", json=BUY)
    with app.app_context():
        give_shares(bob, "AAPL", 5, "100.00", admin=ada, market=market, config=config)
    return trader


def test_orders_come_newest_first_in_pages(lists: VenueClient) -> None:
    first = lists.get("/user/api/orders?limit=2").json
    assert first["pagination"] == {"page": 1, "limit": 2, "total": 5, "pages": 3}
    assert [order["order_status"] for order in first["orders"]] == ["filled", "cancelled"]
    last = lists.get("/user/api/orders?limit=2&page=3").json
    assert len(last["orders"]) == 1
    assert last["orders"][0]["order_price"] == 90.0
    assert last["orders"][0]["created_at"].endswith("Z")
    assert lists.get("/user/api/orders?page=9").json["orders"] == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=open", 3),
        ("status=pending", 3),
        ("status=filled", 1),
        ("status=cancelled", 1),
        ("status=all", 5),
        ("status=", 5),
        ("type=buy", 5),
        ("type=sell", 0),
        ("type=limit", 4),
        ("type=market", 1),
        ("ticker=aapl", 5),
        ("ticker=MSFT", 0),
        ("status=open&type=limit&ticker=AAPL", 3),
    ],
)
def test_orders_are_filtered(lists: VenueClient, query: str, expected: int) -> None:
    assert lists.get(f"/user/api/orders?{query}").json["pagination"]["total"] == expected


@pytest.mark.parametrize("path", ["/user/api/orders", "/user/api/transactions", "/user/api/fund_transactions"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        *((f"page={value}", "page") for value in ("x", "0", "-1", "1.5", "٣", "99999999999", "1e3", "NaN")),
        *((f"limit={value}", "limit") for value in ("x", "0", "101", "-5")),
    ],
)
def test_bad_pages_are_named(trader: VenueClient, path: str, query: str, field: str) -> None:
    assert_refused(trader.get(f"{path}?{query}"), 400, "INVALID_INPUT", field)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/user/api/orders?status=done", "status"),
        ("/user/api/orders?type=iceberg", "type"),
        ("/user/api/orders?ticker=A%20B", "ticker"),
        ("/user/api/orders?ticker=" + "A" * 11, "ticker"),
        ("/user/api/transactions?ticker=%3Cb%3E", "ticker"),
        ("/user/api/fund_transactions?status=open", "status"),
        ("/user/api/fund_transactions?type=gift", "type"),
        ("/user/api/market_data?ticker=AAPL&period=1h", "period"),
        ("/user/api/market_data?period=1y", "ticker"),
        ("/user/api/real_time_stock_data", "ticker"),
        ("/user/api/quotes", "tickers"),
        ("/user/api/quotes?tickers=A,B%20C", "tickers"),
        ("/user/api/quotes?tickers=" + ",".join(["A"] * 51), "tickers"),
        ("/user/api/instruments?query=" + "a" * 61, "query"),
        ("/user/stock_chart?period=1h", "period"),
        ("/user/account?page=x", "page"),
        ("/user/account?limit=101", "limit"),
        ("/user/account?view=all-of-it", "view"),
        ("/user/account?view=fills&sort=order_quantity", "sort"),
        ("/user/account?view=funds&status=filled", "status"),
    ],
)
def test_bad_parameters_are_named(trader: VenueClient, path: str, field: str) -> None:
    assert_refused(trader.get(path, headers={"Accept": "application/json"}), 400, "INVALID_INPUT", field)


def test_fills_and_requests_are_listed(lists: VenueClient) -> None:
    fills = lists.get("/user/api/transactions").json
    assert fills["pagination"]["total"] == 1
    fill = fills["transactions"][0]
    assert (fill["ticker"], fill["transaction_quantity"], fill["transaction_price"]) == ("AAPL", 10, 100.0)
    lists.post("/user/api/withdraw", json={"amount": 5})
    requests = lists.get("/user/api/fund_transactions?status=pending&type=withdrawal").json
    assert [request["amount"] for request in requests["fund_transactions"]] == [5.0]
    assert lists.get("/user/api/fund_transactions?type=deposit").json["pagination"]["total"] == 1


def test_bob_sees_nothing_of_alices(app: Flask, trader: VenueClient, bob: Person) -> None:
    place(trader)
    trader.post("/user/api/create_order", json=BUY)
    trader.post("/user/api/withdraw", json={"amount": "123.45"})
    stranger = app.test_client().log_in(bob)
    for path, name in [
        ("orders", "orders"),
        ("transactions", "transactions"),
        ("fund_transactions", "fund_transactions"),
    ]:
        answer = stranger.get(f"/user/api/{path}?user_id=1").json
        assert (answer[name], answer["pagination"]["total"]) == ([], 0)
    account = stranger.get("/user/api/account?user_id=1").json["data"]
    assert (account["total_balance"], account["holdings"]) == (0.0, [])
    page = stranger.get("/user/account").text
    assert "Alice" not in page
    assert "123.45" not in page


def test_the_account_tells_what_it_is_worth(trader: VenueClient, market: FakeMarket) -> None:
    trader.post("/user/api/create_order", json=BUY)
    market.set_quote("AAPL", "110.00")
    data = trader.get("/user/api/account").json["data"]
    assert (data["available_balance"], data["holdings_value"], data["equity"]) == (9000.0, 1100.0, 10100.0)
    assert data["unrealised_profit"] == 100.0
    assert data["holdings"][0]["ticker"] == "AAPL"
    page = trader.get("/user/account").text
    assert "10,100.00" in page


def test_an_address_says_which_part_of_which_list_is_shown(trader: VenueClient, market: FakeMarket) -> None:
    market.set_quote("AAPL", "10.00")
    for quantity in range(1, 29):
        place(trader, quantity=quantity, price="9.00")
    address = "/user/account?view=orders&ticker=AAPL&type=buy&sort=order_quantity&limit=25"
    second = BeautifulSoup(trader.get(f"{address}&page=2").text, "html.parser")
    history = second.select_one("#history")
    assert [cell.text for cell in history.select("td[data-label=Shares]")] == ["26", "27", "28"]
    assert history.select_one("a[rel=prev]")["href"] == f"{address}&page=1#history"
    assert history.select_one("th[aria-sort=ascending] a")["href"] == (
        "/user/account?view=orders&ticker=AAPL&type=buy&sort=-order_quantity&limit=25#history"
    )
    assert history.select_one("a[download]")["href"] == "/user/account/orders.csv?view=orders&ticker=AAPL&type=buy"
    assert [option["value"] for option in history.select("select[name=limit] option[selected]")] == ["25"]
    assert history.select_one("input[name=ticker]")["value"] == "AAPL"


@pytest.mark.parametrize("view", ["orders", "fills", "funds"])
def test_each_list_says_when_it_is_empty_and_when_its_filters_are_why(trader: VenueClient, view: str) -> None:
    empty = trader.get(f"/user/account?view={view}").text
    assert "Nothing passes these filters" not in empty
    if view != "funds":
        assert "Nothing passes these filters" in trader.get(f"/user/account?view={view}&type=sell").text


def test_the_account_says_what_each_figure_means_and_that_the_books_agree(lists: VenueClient) -> None:
    page = BeautifulSoup(lists.get("/user/account").text, "html.parser")
    terms = page.select(".worth .term")
    assert {term.text for term in terms} >= {"Equity", "Today", "Total", "Available", "Frozen", "Realised profit, net"}
    assert all(page.find(id=term["aria-describedby"]).text and term["tabindex"] == "0" for term in terms)
    assert "The books agree to the cent" in page.select_one(".identity summary").text
    fill = page.select_one("[data-sell]")
    assert (fill["data-sell"], fill["data-free"]) == ("AAPL", "10")
    fills = BeautifulSoup(lists.get("/user/account?view=fills").text, "html.parser")
    receipt = fills.select_one("#history td[data-label=Fill] a")["href"]
    assert BeautifulSoup(lists.get(receipt).text, "html.parser").find(id=receipt.partition("#")[2])


def test_the_performance_endpoint_has_a_point_a_session(lists: VenueClient) -> None:
    data = lists.get("/user/api/performance").json["data"]
    assert [day["date"] for day in data["days"]] == ["2008-09-02"]
    assert data["days"][0]["equity_after"] == data["total"]["equity_after"]
    assert data["today"]["holds"] is data["total"]["holds"] is True


# The desk and the market.


def test_the_desk_opens_with_the_ticker_asked_for(app: Flask, trader: VenueClient) -> None:
    assert 'data-ticker="AAPL"' in trader.get("/user/stock_chart").text
    page = trader.get("/user/stock_chart?ticker=^gspc&period=5d").text
    assert 'data-ticker="^GSPC"' in page
    assert 'data-period="5d"' in page
    assert trader.get("/user/stock_chart?ticker=NOPE").status_code == 404


def test_a_quote_has_its_time_and_the_markets_state(trader: VenueClient, market: FakeMarket) -> None:
    market.set_quote("AAPL", "101.50", bid="101.40", ask="101.60", previous_close=Decimal("100.00"))
    answer = trader.get("/user/api/real_time_stock_data?ticker=aapl").json
    assert answer["success"] is True
    assert answer["data"] == {
        "ticker": "AAPL",
        "price": 101.5,
        "change": 1.5,
        "change_percent": 1.5,
        "bid": Decimal("101.4"),
        "ask": Decimal("101.6"),
        "open": 101.5,
        "high": 101.5,
        "low": 101.5,
        "previous_close": 100.0,
        "volume": 1_000_000,
        "quote_time": "2008-09-02T16:00:00Z",
        "delay": 0,
        "source": "replay",
        "market_state": "open",
    }
    assert answer["last_updated"] == "2008-09-02T16:00:00Z"


def test_a_ticker_without_a_price_or_unknown_is_told(trader: VenueClient) -> None:
    assert_refused(trader.get("/user/api/real_time_stock_data?ticker=^GSPC"), 503, "NO_QUOTE")
    assert_refused(trader.get("/user/api/real_time_stock_data?ticker=NOPE"), 404, "UNKNOWN_TICKER")
    assert_refused(trader.get("/user/api/market_data?ticker=NOPE&period=1y"), 404, "UNKNOWN_TICKER")


def test_many_quotes_come_at_once_with_the_markets_time(trader: VenueClient) -> None:
    answer = trader.get("/user/api/quotes?tickers=AAPL,^GSPC,aapl").json
    assert list(answer["data"]) == ["AAPL"]
    assert answer["market"]["state"] == "open"
    assert answer["market"]["time"] == "2008-09-02T16:00:00Z"
    assert answer["market"]["source"] == "replay"


def test_instruments_are_listed_and_searched(trader: VenueClient) -> None:
    everything = trader.get("/user/api/instruments").json["data"]
    assert everything[0] == {"ticker": "AAPL", "name": "Apple Inc.", "tradable": True, "sparkline": None}
    assert [row["ticker"] for row in everything if not row["tradable"]] == ["^GSPC"]
    assert [row["ticker"] for row in trader.get("/user/api/instruments?query=apple").json["data"]] == ["AAPL"]
    assert trader.get("/user/api/instruments?query=%25").json["data"] == []


@pytest.mark.parametrize("path", ["fundamental_data", "balance_sheet", "income_statement"])
def test_figures_that_are_not_known_are_null_with_a_sentence(trader: VenueClient, path: str) -> None:
    answer = trader.get(f"/user/api/{path}?ticker=AAPL").json
    assert (answer["success"], answer["data"]) == (True, None)
    assert "AAPL" in answer["message"]
    assert_refused(trader.get(f"/user/api/{path}?ticker=NOPE"), 404, "UNKNOWN_TICKER")


def test_a_preview_answers_figures_and_stores_nothing(
    client: VenueClient, app: Flask, market: FakeMarket, alice: Person
) -> None:
    client.log_in(alice)
    market.set_quote("AAPL", "100.00")
    before = books_of(app)
    body = {"ticker": "AAPL", "order_type": "buy", "execution_type": "market", "quantity": 10}
    answer = client.post("/user/api/preview_order", json=body)
    assert answer.status_code == 200
    assert answer.json["data"]["worst_case_cost"] == 1050
    assert answer.json["data"]["refused"]["code"] == "INSUFFICIENT_FUNDS"
    assert books_of(app) == before


# Changing an order, and its page.


def change(client: VenueClient, number: int, body: dict[str, Any], **headers: str) -> Any:
    return client.post(f"/user/orders/{number}/replace", json=body, headers=headers)


@both_databases
def test_an_open_order_is_changed_in_one_step(app: Flask, trader: VenueClient, rich: Person) -> None:
    number = place(trader)
    answer = change(trader, number, {"price": "80.00", "quantity": 20})
    assert answer.status_code == 200
    assert (answer.json["order_id"], answer.json["order_status"], answer.json["warnings"]) == (
        number,
        "pending",
        ["The limit $80.00 is 20% away from the market ($100.00)."],
    )
    order = one(app, Order, number)
    assert (order.order_price, order.order_quantity) == (Decimal("80.0000"), 20)
    assert cash_of(app, rich) == (Decimal("8400.00"), Decimal("1600.00"))


def test_a_page_without_scripts_can_change_an_order(app: Flask, trader: VenueClient) -> None:
    number = place(trader)
    form = {"quantity": "5", "price": ""}
    answer = trader.post(f"/user/orders/{number}/replace", data=form, headers=HTML)
    assert (answer.status_code, answer.location) == (303, f"/user/orders/{number}")
    order = one(app, Order, number)
    assert (order.order_price, order.order_quantity) == (Decimal("90.0000"), 5)


def test_nobody_changes_an_order_logged_out_or_anothers(app: Flask, trader: VenueClient, bob: Person) -> None:
    number = place(trader)
    before = books_of(app)
    assert_refused(change(app.test_client(), number, {"quantity": 1}), 401, "LOGIN_REQUIRED")
    stranger = app.test_client().log_in(bob)
    assert_refused(change(stranger, number, {"quantity": 1}), 404, "NO_SUCH_ORDER")
    assert_refused(change(stranger, 999, {"quantity": 1}), 404, "NO_SUCH_ORDER")
    assert books_of(app) == before


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({}, 400, "INVALID_INPUT", "quantity"),
        *(({"quantity": value}, 400, "INVALID_INPUT", "quantity") for value in ("1.5", -1, 0, "NaN", 10**12)),
        *(({"price": value}, 400, "INVALID_INPUT", "price") for value in ("abc", "-1", 0, "1.00001")),
        ({"stop_price": "95.00"}, 400, "INVALID_INPUT", "stop_price"),
        ({"trail_amount": "1.00"}, 400, "INVALID_INPUT", "trail_amount"),
        ({"trail_percent": "1"}, 400, "INVALID_INPUT", "trail_percent"),
        ({"price": "90.001"}, 422, "PRICE_OFF_TICK", None),
        ({"price": "10.00"}, 422, "PRICE_TOO_FAR", None),
        ({"quantity": 1000}, 422, "INSUFFICIENT_FUNDS", None),
    ],
    ids=repr,
)
def test_a_change_that_is_refused_leaves_everything_as_it_was(
    app: Flask, trader: VenueClient, body: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    number = place(trader)
    before = books_of(app)
    answer = change(trader, number, body)
    assert_refused(answer, status, code, *([field] if field else []))
    assert books_of(app) == before


def test_the_same_key_changes_once(app: Flask, trader: VenueClient) -> None:
    number, key = place(trader), {"Idempotency-Key": "change-once"}
    first = change(trader, number, {"quantity": 20}, **key)
    before = books_of(app)
    assert change(trader, number, {"quantity": 20}, **key).json == first.json
    assert_refused(change(trader, number, {"quantity": 30}, **key), 422, "KEY_REUSED")
    assert books_of(app) == before


def test_an_orders_page_tells_its_whole_life(app: Flask, trader: VenueClient, bob: Person, ada: Person) -> None:
    number = place(trader)
    change(trader, number, {"quantity": 20})
    trader.post(f"/user/orders/{number}/cancel")
    page = trader.get(f"/user/orders/{number}").text
    for text in ("Accepted: buy 10 AAPL", "Changed: 20 shares, limit 90.00", "Cancelled by the trader"):
        assert text in page
    filled = trader.post("/user/api/create_order", json=BUY).json["order_id"]
    receipt = trader.get(f"/user/orders/{filled}").text
    for text in ("Bought 10 at 100.00", "the ask", "Standard", "Recorded market", "1,000.00"):
        assert text in receipt
    assert f"/user/orders/{filled}" in trader.get("/user/account").text
    stranger = app.test_client().log_in(bob)
    assert stranger.get(f"/user/orders/{number}", headers=HTML).status_code == 404
    assert_refused(stranger.get(f"/user/api/orders/{number}"), 404, "NO_SUCH_ORDER")
    admin = app.test_client().log_in(ada)
    assert "Alice" in admin.get(f"/admin/orders/{filled}").text
    assert f"/admin/orders/{filled}" in admin.get("/admin/orders").text
    assert admin.get("/admin/orders/999", headers=HTML).status_code == 404
    assert trader.get(f"/admin/orders/{filled}", headers=HTML).status_code != 200


def test_a_brackets_page_leads_to_its_legs(trader: VenueClient) -> None:
    bracket = {**BUY, "order_class": "bracket", "take_profit_price": "120.00", "stop_loss_price": "95.00"}
    number = trader.post("/user/api/create_order", json=bracket).json["order_id"]
    story = trader.get(f"/user/api/orders/{number}").json["order"]
    page = trader.get(f"/user/orders/{number}").text
    for leg in story["legs"]:
        assert f"/user/orders/{leg['order_id']}" in page
        leg_page = trader.get(f"/user/orders/{leg['order_id']}").text
        assert f"/user/orders/{number}" in leg_page
        assert "The other order of the pair" in leg_page
    pair = {"ticker": "AAPL", "order_type": "sell", "quantity": 1, "order_class": "oco"}
    preview = {**pair, "take_profit_price": "120.00", "stop_loss_price": "95.00"}
    figures = trader.post("/user/api/preview_order", json=preview).json["data"]
    assert (figures["when"], figures["estimated_price"]) == ("when_reached", 120.0)


def test_a_preview_says_when_an_order_would_end_at_once(trader: VenueClient) -> None:
    figures = trader.post("/user/api/preview_order", json={**LIMIT, "time_in_force": "ioc"}).json["data"]
    assert figures["when"] == "never"
    assert figures["warnings"] == ["It could not fill at once: the price has not been reached."]


def test_the_plain_form_places_market_and_limit_orders(app: Flask, trader: VenueClient) -> None:
    """As the desk's ticket posts it without scripts: every field is there, the empty ones mean nothing."""
    form = {"ticker": "AAPL", "order_type": "buy", "quantity": "3", "time_in_force": "gtc"}
    for execution_type, price in (("market", ""), ("limit", "90.00")):
        body = {**form, "execution_type": execution_type, "price": price, "stop_price": "", "display_quantity": ""}
        answer = trader.post("/user/api/create_order", data=body, headers=HTML)
        assert (answer.status_code, answer.location) == (303, "/user/stock_chart?ticker=AAPL")
    assert count(app, Order) == 2
