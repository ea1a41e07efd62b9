"""The small curves of the stock list."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from conftest import Books
from factories import Person
from fake_market import NOON
from models import MarketData
from routes.user.sparkline import HEIGHT, WIDTH, sparkline
from services.market.sparklines import DAYS, recent_closes
from web_client import VenueClient

TODAY = NOON.date()


def store(books: Books, ticker: str, day: date, close: str | None) -> None:
    row = MarketData(ticker=ticker, date=day, close=close and Decimal(close))
    books.run(lambda session: session.add(row))


def test_the_closes_of_the_last_weeks_end_with_todays_price(books: Books) -> None:
    store(books, "AAPL", TODAY - DAYS, "1.00")
    store(books, "AAPL", TODAY - timedelta(days=2), "101.00")
    store(books, "AAPL", TODAY - timedelta(days=4), "100.00")
    store(books, "AAPL", TODAY - timedelta(days=3), None)
    store(books, "AAPL", TODAY, "5.00")
    store(books, "AAPL", TODAY + timedelta(days=1), "9.00")
    store(books, "GOOG", TODAY - timedelta(days=2), "500.00")
    books.market.set_quote("AAPL", "102.00")
    with books.session() as session:
        found = recent_closes(session, books.market, ["AAPL", "MSFT"])
    assert found == {"AAPL": [Decimal(100), Decimal(101), Decimal(102)]}


def test_a_curve_fills_its_box_from_left_to_right() -> None:
    curve = sparkline([Decimal(10), Decimal(20), Decimal(15)])
    assert curve is not None
    points = [tuple(map(float, point.split(","))) for point in curve["points"].split()]
    assert points == [(2, HEIGHT - 2), (WIDTH / 2, 2), (WIDTH - 2, HEIGHT / 2)]
    assert curve["rose"] is True


@pytest.mark.parametrize(("closes", "rose"), [([2, 1], False), ([1, 1], True), ([1, 2], True)])
def test_a_curve_says_whether_the_price_rose(closes: list[int], rose: bool) -> None:
    curve = sparkline([Decimal(close) for close in closes])
    assert curve is not None
    assert curve["rose"] is rose


def test_one_price_is_no_curve() -> None:
    assert sparkline([Decimal(1)]) is None
    assert sparkline([]) is None


def test_the_desk_draws_the_curves_it_has(client: VenueClient, alice: Person) -> None:
    client.log_in(alice)
    assert [row["sparkline"] for row in client.get("/user/api/instruments").json["data"]] == [None] * 4
    assert '<polyline points="" />' in client.get("/user/stock_chart").text
