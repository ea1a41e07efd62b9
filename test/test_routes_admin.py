"""The admins' pages and endpoints: each works, stores what it says, and otherwise stores nothing."""

from __future__ import annotations

import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from config import Config
from databases import both_databases
from factories import Person, give_cash, place
from fake_market import FakeMarket
from models import AccountBalance, Admin, FundTransaction, Instrument, MarketData, Order, db
from services.accounts import funds
from services.errors import Refused
from services.transaction import run_unit
from web_client import VenueClient
from web_help import assert_refused, books_of, one

HTML = {"Accept": "text/html"}
NO_REASONS = [None, "", "   ", 5, True, [], "r" * 256, "two\nlines", "nul\x00"]


@pytest.fixture(autouse=True)
def price(market: FakeMarket) -> None:
    market.set_quote("AAPL", "100.00")


@pytest.fixture
def admin(client: VenueClient, ada: Person) -> VenueClient:
    """Ada's browser."""
    return client.log_in(ada)


@pytest.fixture
def ask(app: Flask, alice: Person, market: FakeMarket) -> Callable[..., int]:
    """Alice asks for money; the number of the request is returned."""

    def request_money(kind: str = "deposit", amount: str = "250.00") -> int:
        work = funds.request_deposit if kind == "deposit" else funds.request_withdrawal
        with app.app_context():
            return run_unit(work, alice.id, Decimal(amount), market=market, key=None)["transaction_id"]

    return request_money


@pytest.fixture
def resting(app: Flask, alice: Person, ada: Person, market: FakeMarket, config: Config) -> Callable[[], int]:
    """Alice leaves an order to buy 10 AAPL at 90.00, which rests; its number is returned."""
    with app.app_context():
        give_cash(alice, "10000.00", admin=ada, market=market)

    def leave_order() -> int:
        with app.app_context():
            return place(alice, "buy", "AAPL", 10, "90.00", market=market, config=config)["order_id"]

    return leave_order


def cash_of(app: Flask, person: Person) -> tuple[Decimal, Decimal]:
    """Available and frozen dollars."""
    with app.app_context(), Session(db.engine) as session:
        row = session.execute(select(AccountBalance).where(AccountBalance.user_id == person.id)).scalar_one()
        return row.available_balance, row.frozen_balance


def rows_of(page: str) -> list[str]:
    """The text of each row of the page's first table."""
    table = BeautifulSoup(page, "html.parser").select_one("table")
    return [row.get_text(" ", strip=True) for row in table.select("tbody tr")] if table else []


# Deposits and withdrawals.


@both_databases
def test_an_approved_deposit_is_money(app: Flask, admin: VenueClient, alice: Person, ada: Person, ask: Any) -> None:
    number = ask()
    answer = admin.post(f"/admin/fund-transactions/{number}/approve")
    assert answer.status_code == 200
    assert answer.json["success"] is True
    assert answer.json["message"]
    row = one(app, FundTransaction, number)
    assert (row.status, row.operator_id) == ("approved", ada.id)
    assert cash_of(app, alice) == (Decimal("250.00"), 0)


@pytest.mark.parametrize(("verdict", "left"), [("approve", "200.00"), ("reject", "250.00")])
def test_a_decided_withdrawal_leaves_or_returns(
    app: Flask, admin: VenueClient, alice: Person, ask: Any, verdict: str, left: str
) -> None:
    admin.post(f"/admin/fund-transactions/{ask()}/approve")
    number = ask("withdrawal", "50.00")
    assert cash_of(app, alice) == (Decimal("200.00"), Decimal("50.00"))
    answer = admin.post(f"/admin/fund-transactions/{number}/{verdict}", json={"reason": "Not today"})
    assert answer.status_code == 200
    assert cash_of(app, alice) == (Decimal(left), 0)


def test_a_rejected_deposit_keeps_its_reason(app: Flask, admin: VenueClient, alice: Person, ask: Any) -> None:
    number = ask()
    admin.post(f"/admin/fund-transactions/{number}/reject", json={"reason": "Ask for less <b>"})
    row = one(app, FundTransaction, number)
    assert (row.status, row.remark) == ("rejected", "Ask for less <b>")
    assert cash_of(app, alice) == (0, 0)
    page = app.test_client().log_in(alice).get("/user/account?view=funds").text
    assert "Ask for less &lt;b&gt;" in page


@pytest.mark.parametrize("reason", NO_REASONS, ids=repr)
@pytest.mark.parametrize("kind", ["fund-transactions", "orders"])
def test_rejecting_needs_a_reason(
    app: Flask, admin: VenueClient, ask: Any, resting: Any, kind: str, reason: Any
) -> None:
    number = ask() if kind == "fund-transactions" else resting()
    before = books_of(app)
    answer = admin.post(f"/admin/{kind}/{number}/reject", json={"reason": reason})
    assert_refused(answer, 400, "INVALID_INPUT", "reason")
    assert books_of(app) == before


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_a_request_is_decided_once(app: Flask, admin: VenueClient, ask: Any, verdict: str) -> None:
    number = ask()
    admin.post(f"/admin/fund-transactions/{number}/approve")
    before = books_of(app)
    answer = admin.post(f"/admin/fund-transactions/{number}/{verdict}", json={"reason": "late"})
    assert_refused(answer, 409, "REQUEST_NOT_OPEN")
    assert books_of(app) == before


# Orders.


@both_databases
def test_an_executed_order_is_filled_by_hand(
    app: Flask, admin: VenueClient, alice: Person, ada: Person, resting: Any
) -> None:
    number = resting()
    answer = admin.post(f"/admin/orders/{number}/execute")
    assert answer.status_code == 200
    assert answer.json["order_status"] == "filled"
    assert one(app, Order, number).filled_quantity == 10
    assert cash_of(app, alice) == (Decimal("9100.00"), 0)


def test_a_rejected_order_gives_the_cash_back_and_keeps_the_reason(
    app: Flask, admin: VenueClient, alice: Person, resting: Any
) -> None:
    number = resting()
    answer = admin.post(f"/admin/orders/{number}/reject", json={"reason": "Halted"})
    assert answer.json["order_status"] == "rejected"
    order = one(app, Order, number)
    assert order.order_status == "rejected"
    assert "Halted" in order.remark
    assert cash_of(app, alice) == (Decimal("10000.00"), 0)
    assert "Halted" in app.test_client().log_in(alice).get("/user/account").text


@pytest.mark.parametrize("verdict", ["execute", "reject"])
def test_an_order_is_decided_once(app: Flask, admin: VenueClient, resting: Any, verdict: str) -> None:
    number = resting()
    admin.post(f"/admin/orders/{number}/reject", json={"reason": "Halted"})
    before = books_of(app)
    answer = admin.post(f"/admin/orders/{number}/{verdict}", json={"reason": "late"})
    assert_refused(answer, 409, "ORDER_NOT_OPEN")
    assert books_of(app) == before


# What all four have in common.

DECISIONS = [
    ("fund-transactions", "approve"),
    ("fund-transactions", "reject"),
    ("orders", "execute"),
    ("orders", "reject"),
]


@pytest.mark.parametrize(("kind", "verdict"), DECISIONS)
class TestEveryDecision:
    @pytest.fixture
    def path(self, ask: Any, resting: Any, kind: str, verdict: str) -> str:
        number = ask() if kind == "fund-transactions" else resting()
        return f"/admin/{kind}/{number}/{verdict}"

    def test_it_rejects_get(self, admin: VenueClient, path: str) -> None:
        assert admin.get(path).status_code == 405

    def test_the_same_key_has_one_effect(self, app: Flask, admin: VenueClient, path: str) -> None:
        key, body = {"Idempotency-Key": "decide"}, {"reason": "because"}
        first = admin.post(path, json=body, headers=key)
        before = books_of(app)
        second = admin.post(path, json=body, headers=key)
        assert first.status_code == second.status_code == 200
        assert first.json == second.json
        assert books_of(app) == before

    def test_what_is_not_there_is_not_found(self, app: Flask, admin: VenueClient, kind: str, verdict: str) -> None:
        before = books_of(app)
        for number in (999, 2**31, 2**63, 10**30):
            answer = admin.post(f"/admin/{kind}/{number}/{verdict}", json={"reason": "because"})
            assert_refused(answer, 404)
        assert admin.post(f"/admin/{kind}/x/{verdict}").status_code == 404
        assert books_of(app) == before

    def test_it_is_not_for_traders_nor_for_strangers(self, app: Flask, alice: Person, path: str) -> None:
        before = books_of(app)
        trader = app.test_client().log_in(alice)
        assert_refused(trader.post(path, json={"reason": "because"}), 403, "ADMINS_ONLY")
        assert_refused(app.test_client().post(path, json={"reason": "because"}), 401, "LOGIN_REQUIRED")
        assert books_of(app) == before

    def test_a_page_without_scripts_is_led_back(self, admin: VenueClient, path: str, kind: str) -> None:
        referrer = {"Referer": "http://localhost/admin/deposits?status=any"}
        answer = admin.post(path, data={"reason": "because"}, headers={**HTML, **referrer})
        assert (answer.status_code, answer.location) == (303, "/admin/deposits?status=any")

    def test_a_wrong_body_is_refused(self, app: Flask, admin: VenueClient, path: str) -> None:
        before = books_of(app)
        assert admin.post(path, data="reason", content_type="text/plain").status_code == 415
        assert admin.post(path, data="[1]", content_type="application/json").status_code == 400
        assert books_of(app) == before


# Pages.


def test_the_dashboard_counts_and_says_what_waits(admin: VenueClient, ask: Any, resting: Any) -> None:
    ask()
    ask()
    resting()
    page = admin.get("/admin/").text
    assert "Alice" in page
    assert "AAPL" in page


def test_figures_of_the_dashboard(app: Flask, ask: Any, resting: Any) -> None:
    from services import activity

    ask()
    resting()
    with app.app_context(), Session(db.engine) as session:
        assert activity.counts(session) == {
            "users": 1,
            "orders": 1,
            "open_orders": 1,
            "fund_transactions": 2,
            "deposits": 2,
            "withdrawals": 0,
            "pending_deposits": 1,
            "pending_withdrawals": 0,
        }


def test_deposits_and_withdrawals_are_separate_and_begin_with_those_that_wait(admin: VenueClient, ask: Any) -> None:
    admin.post(f"/admin/fund-transactions/{ask(amount='111.00')}/approve")
    ask(amount="222.00")
    ask("withdrawal", "33.00")
    waiting, everything = admin.get("/admin/deposits").text, admin.get("/admin/deposits?status=any").text
    assert "222.00" in waiting
    assert "+111.00" not in waiting
    assert "deposit 111.00, approved" in waiting  # what an admin should know of the trader
    assert "+111.00" in everything
    assert "33.00" not in everything
    assert "33.00" in admin.get("/admin/withdrawals").text
    history = admin.get("/admin/fund-transactions").text
    assert all(amount in history for amount in ("111.00", "222.00", "33.00"))
    assert "33.00" not in admin.get("/admin/fund-transactions?type=deposit&status=all").text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", 2),
        ("user=alice", 2),
        ("user=alice%40example.com", 2),
        ("user=bob", 0),
        ("user=nobody", 0),
        ("ticker=aapl", 2),
        ("ticker=MSFT", 0),
        ("status=open", 1),
        ("status=cancelled", 0),
        ("side=buy&execution_type=limit&status=rejected", 1),
        ("side=&execution_type=&status=&ticker=&user=", 2),
    ],
)
def test_orders_of_all_traders_are_filtered(
    admin: VenueClient, bob: Person, resting: Any, query: str, expected: int
) -> None:
    admin.post(f"/admin/orders/{resting()}/reject", json={"reason": "Halted"})
    resting()
    assert len(rows_of(admin.get(f"/admin/orders?{query}").text)) == expected


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/admin/orders?status=done", "status"),
        ("/admin/orders?side=short", "side"),
        ("/admin/orders?ticker=A%20B", "ticker"),
        ("/admin/orders?user=" + "u" * 121, "user"),
        ("/admin/orders?page=0", "page"),
        ("/admin/deposits?status=open", "status"),
        ("/admin/withdrawals?page=x", "page"),
        ("/admin/fund-transactions?type=gift", "type"),
    ],
)
def test_bad_parameters_are_named(admin: VenueClient, path: str, field: str) -> None:
    assert_refused(admin.get(path, headers={"Accept": "application/json"}), 400, "INVALID_INPUT", field)
    page = admin.get(path, headers=HTML)
    assert page.status_code == 400
    assert field in page.text


# Many at once.


def test_many_requests_are_approved_at_once_and_the_answer_tells_which(
    app: Flask, admin: VenueClient, ask: Any
) -> None:
    numbers = [ask(amount="10.00") for _ in range(3)]
    admin.post(f"/admin/fund-transactions/{numbers[1]}/reject", json={"reason": "no"})
    answer = admin.post("/admin/fund-transactions/approve", json={"ids": [*numbers, 999]})
    assert answer.status_code == 200
    assert [one["transaction_id"] for one in answer.json["succeeded"]] == [numbers[0], numbers[2]]
    assert [(one["id"], one["code"]) for one in answer.json["failed"]] == [
        (numbers[1], "REQUEST_NOT_OPEN"),
        (999, "NO_SUCH_REQUEST"),
    ]
    assert "2 approved" in answer.json["message"]
    assert "already rejected by Ada" in answer.json["message"]


def test_many_requests_are_rejected_with_one_reason_by_a_plain_form(app: Flask, admin: VenueClient, ask: Any) -> None:
    numbers = [ask(amount="10.00") for _ in range(2)]
    page = admin.post("/admin/fund-transactions/reject", data={"ids": numbers, "reason": "Not today"}, headers=HTML)
    assert page.status_code == 303
    for number in numbers:
        row = one(app, FundTransaction, number)
        assert (row.status, row.remark) == ("rejected", "Not today")


def test_many_orders_are_rejected_at_once(app: Flask, admin: VenueClient, resting: Any) -> None:
    numbers = [resting(), resting()]
    answer = admin.post("/admin/orders/reject", json={"ids": numbers, "reason": "Halted"})
    assert [one["order_status"] for one in answer.json["succeeded"]] == ["rejected", "rejected"]
    assert answer.json["failed"] == []


@pytest.mark.parametrize("ids", [None, [], "7", [0.5], ["x"], [True], list(range(1, 102))])
@pytest.mark.parametrize("path", ["/admin/fund-transactions/approve", "/admin/orders/reject"])
def test_which_ones_must_be_said(app: Flask, admin: VenueClient, path: str, ids: Any) -> None:
    before = books_of(app)
    assert_refused(admin.post(path, json={"ids": ids, "reason": "no"}), 400, "INVALID_INPUT", "ids")
    assert books_of(app) == before


def test_the_same_key_decides_about_many_once(app: Flask, admin: VenueClient, ask: Any) -> None:
    body, key = {"ids": [ask(amount="10.00"), ask(amount="10.00")]}, {"Idempotency-Key": "k"}
    first = admin.post("/admin/fund-transactions/approve", json=body, headers=key)
    again = admin.post("/admin/fund-transactions/approve", json=body, headers=key)
    assert first.json == again.json
    assert len(first.json["succeeded"]) == 2


# A price by hand.


def test_an_order_is_executed_at_a_given_price_with_a_reason(app: Flask, admin: VenueClient, resting: Any) -> None:
    number = resting()
    body = {"price": "75.25", "reason": "Agreed in class"}
    answer = admin.post(f"/admin/orders/{number}/execute", json=body)
    assert (answer.status_code, answer.json["average_fill_price"]) == (200, 75.25)
    story = admin.get(f"/admin/orders/{number}").text
    assert "at a price of the admin" in story
    assert "Executed by hand: Agreed in class" in story


def test_a_price_outside_the_limit_is_refused(app: Flask, admin: VenueClient, resting: Any) -> None:
    number = resting()
    before = books_of(app)
    limit = one(app, Order, number).order_price
    body = {"price": str(limit + 1), "reason": "Too dear"}
    assert_refused(admin.post(f"/admin/orders/{number}/execute", json=body), 422, "PRICE_OUTSIDE_LIMIT")
    assert books_of(app) == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"price": "80"}, "reason"),
        ({"price": "80", "reason": " "}, "reason"),
        ({"price": "0", "reason": "x"}, "price"),
        ({"price": "-1", "reason": "x"}, "price"),
        ({"price": "NaN", "reason": "x"}, "price"),
        ({"price": "80.00001", "reason": "x"}, "price"),
        ({"price": True, "reason": "x"}, "price"),
    ],
)
def test_a_price_by_hand_needs_sense_and_a_reason(
    app: Flask, admin: VenueClient, resting: Any, body: dict[str, Any], field: str
) -> None:
    number = resting()
    before = books_of(app)
    assert_refused(admin.post(f"/admin/orders/{number}/execute", json=body), 400, "INVALID_INPUT", field)
    assert books_of(app) == before


def test_no_admin_executes_an_order_of_the_own_trading_account(
    app: Flask, admin: VenueClient, ada: Person, alice: Person, resting: Any
) -> None:
    number = resting()
    with app.app_context():
        run_unit(lambda session: session.execute(update(Admin).values(user_id=alice.id)))
    assert_refused(admin.post(f"/admin/orders/{number}/execute"), 403, "OWN_ACCOUNT")


# Lists.


@pytest.mark.parametrize("path", ["/admin/orders.csv", "/admin/deposits.csv", "/admin/fund-transactions.csv"])
def test_a_list_comes_as_a_file_with_its_filters(admin: VenueClient, ask: Any, resting: Any, path: str) -> None:
    ask()
    resting()
    lines = admin.get(path).text.splitlines()
    assert len(lines) >= 2
    assert "user_name" in lines[0]
    assert len(admin.get(f"{path}?since=2999-01-01").text.splitlines()) == 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("search=ali", 1),
        ("search=ALICE%40example", 1),
        ("search=%25", 0),
        ("since=2999-01-01", 0),
        ("until=2000-01-01", 0),
    ],
)
def test_requests_are_found_by_trader_and_day(admin: VenueClient, ask: Any, query: str, expected: int) -> None:
    ask(amount="12.00")
    assert len(rows_of(admin.get(f"/admin/deposits?{query}").text)) == expected


def test_waiting_requests_come_oldest_first_and_can_be_sorted(admin: VenueClient, ask: Any) -> None:
    for amount in ("30.00", "10.00", "20.00"):
        ask(amount=amount)

    def amounts(query: str = "") -> list[str]:
        cells = BeautifulSoup(admin.get(f"/admin/deposits{query}").text, "html.parser").select(
            'td[data-label="Amount"]'
        )
        return [cell.text.strip() for cell in cells]

    assert amounts() == ["+30.00", "+10.00", "+20.00"]
    assert amounts("?sort=amount") == ["+10.00", "+20.00", "+30.00"]
    assert amounts("?sort=-amount&limit=2") == ["+30.00", "+20.00"]


# Market data.

CSV = "ticker,date,open,high,low,close,adj_close,volume\nAAPL,2008-08-01,1,2,1,1.5,1.5,10\n"


def bars_in(app: Flask) -> int:
    with app.app_context(), Session(db.engine) as session:
        return session.execute(select(func.count()).select_from(MarketData)).scalar_one()


def test_the_data_page_shows_every_instrument_with_its_coverage(app: Flask, admin: VenueClient) -> None:
    admin.post("/admin/data/import", json={"file": CSV})
    rows = rows_of(admin.get("/admin/data").text)
    assert len(rows) == 4
    assert "2008-08-01" in next(row for row in rows if row.startswith("AAPL"))
    assert len(rows_of(admin.get("/admin/data?search=goog").text)) == 1
    assert len(rows_of(admin.get("/admin/data?state=inactive").text)) == 0


def test_a_file_is_tried_before_it_is_imported(app: Flask, admin: VenueClient) -> None:
    tried = admin.post("/admin/data/import", json={"file": CSV, "dry_run": True})
    assert (tried.status_code, tried.json["new"], bars_in(app)) == (200, 1, 0)
    done = admin.post("/admin/data/import", json={"file": CSV})
    assert (done.json["new"], bars_in(app)) == (1, 1)


def test_a_file_comes_by_a_plain_form_too(app: Flask, admin: VenueClient) -> None:
    form = {"file": (io.BytesIO(CSV.encode()), "bars.csv")}
    answer = admin.post("/admin/data/import", data=form, content_type="multipart/form-data", headers=HTML)
    assert (answer.status_code, bars_in(app)) == (303, 1)


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_file_with_a_wrong_line_changes_nothing(app: Flask, admin: VenueClient, dry_run: bool) -> None:
    body = {"file": CSV + "AAPL,2008-08-04,x,2,1,1,1,1\n", "dry_run": dry_run}
    answer = admin.post("/admin/data/import", json=body)
    assert_refused(answer, 422, "FILE_HAS_ERRORS")
    assert answer.json["details"]["lines"][0]["line"] == 3
    assert answer.json["details"]["lines"][0]["field"] == "open"
    assert bars_in(app) == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "file"), ({"file": 5}, "file"), ({"file": "x"}, "file"), ({"file": CSV, "ticker": "A B"}, "ticker")],
)
def test_what_is_no_file_is_refused(app: Flask, admin: VenueClient, body: dict[str, Any], field: str) -> None:
    assert_refused(admin.post("/admin/data/import", json=body), 400, "INVALID_INPUT", field)
    assert bars_in(app) == 0


def test_files_may_be_larger_than_other_bodies(app: Flask, admin: VenueClient) -> None:
    long = CSV + "\n" * 100_000
    assert admin.post("/admin/data/import", json={"file": long}).status_code == 200
    assert admin.post("/admin/data/instruments", json={"ticker": "A" * 100_000}).status_code == 413
    assert admin.post("/admin/data/import", json={"file": CSV + "\n" * 5_000_000}).status_code == 413


def test_an_instrument_out_of_trading_takes_no_orders(
    app: Flask, admin: VenueClient, alice: Person, ada: Person, market: FakeMarket, config: Config
) -> None:
    with app.app_context():
        give_cash(alice, "1000.00", admin=ada, market=market)
    assert admin.post("/admin/data/instruments/deactivate", json={"ticker": "AAPL"}).status_code == 200
    with app.app_context(), pytest.raises(Refused, match="cannot be traded"):
        place(alice, "buy", "AAPL", 1, market=market, config=config)
    assert admin.post("/admin/data/instruments/activate", json={"ticker": "AAPL"}).status_code == 200
    with app.app_context():
        assert place(alice, "buy", "AAPL", 1, market=market, config=config)["order_status"] == "filled"


def test_open_orders_must_be_dealt_with_before_an_instrument_goes(admin: VenueClient, resting: Any) -> None:
    number = resting()
    answer = admin.post("/admin/data/instruments/deactivate", json={"ticker": "AAPL"})
    assert_refused(answer, 409, "OPEN_ORDERS")
    assert answer.json["details"]["open_orders"] == 1
    admin.post("/admin/orders/reject", json={"ids": [number], "reason": "Leaves the list"})
    assert admin.post("/admin/data/instruments/deactivate", json={"ticker": "AAPL"}).status_code == 200


def test_a_name_given_by_an_admin_outlives_the_sources(app: Flask, admin: VenueClient) -> None:
    from services.market import instruments
    from utils.market_source import InstrumentInfo

    admin.post("/admin/data/instruments/rename", json={"ticker": "AAPL", "name": "Apple of ours"})
    with app.app_context():
        run_unit(instruments.store, [InstrumentInfo("AAPL", "Apple Inc.", "NASDAQ", True)], True)
    assert one(app, Instrument, "AAPL").name == "Apple of ours"


@pytest.mark.parametrize("path", ["", "/rename", "/deactivate", "/activate"])
@pytest.mark.parametrize("ticker", ["NOPE", "", None, "A B", 5])
def test_only_known_instruments_are_changed(app: Flask, admin: VenueClient, path: str, ticker: Any) -> None:
    before = books_of(app)
    answer = admin.post(f"/admin/data/instruments{path}", json={"ticker": ticker, "name": "Name"})
    assert answer.status_code in (400, 404)
    assert books_of(app) == before


def test_a_refresh_is_asked_for_followed_and_cancelled(app: Flask, admin: VenueClient) -> None:
    assert admin.post("/admin/data/refresh", json={"all": True}).status_code == 200
    assert admin.get("/admin/data/refresh").json["state"] == "running"
    assert_refused(admin.post("/admin/data/refresh", json={"ticker": "AAPL"}), 409, "REFRESH_RUNNING")
    assert admin.post("/admin/data/refresh/cancel").status_code == 200
    assert admin.get("/admin/data/refresh").json["state"] == "cancelled"
    assert_refused(admin.post("/admin/data/refresh/cancel"), 409, "NO_REFRESH")
    assert_refused(admin.post("/admin/data/refresh"), 400, "INVALID_INPUT", "ticker")


def test_bars_leave_as_a_file_that_can_come_back(app: Flask, admin: VenueClient) -> None:
    admin.post("/admin/data/import", json={"file": CSV})
    text = admin.get("/admin/data/bars.csv?ticker=AAPL").text
    again = admin.post("/admin/data/import", json={"file": text, "dry_run": True})
    assert (again.json["unchanged"], again.json["new"]) == (1, 0)


def test_looking_up_finds_known_instruments(admin: VenueClient) -> None:
    found = admin.get("/admin/data/lookup?q=goo").json["instruments"]
    assert [(row["ticker"], row["listed"]) for row in found] == [("GOOG", True)]
