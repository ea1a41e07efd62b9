"""The account page of a trader with a long history beside that of one with a short one, and a chart's data beside the
bare writing of its JSON.
"""

from __future__ import annotations

import http.client
import json
from statistics import median

from bench.measures import Figures, Measure, seconds
from bench.server import Trader, Venue, running_venue

FEW, MANY = 100, 5_000
VISITS = 30
LARGEST_HTML = 60 * 1024
SLOWER = 1.3
ENCODINGS = 3.0
CHART = "/user/api/market_data?ticker=AAPL&period=5y"


def account_page() -> Figures:
    """The page's time with MANY orders and fills, and what it may take: SLOWER times that with FEW."""
    with running_venue("sqlite", 2) as venue:
        few, many = venue.traders[:2]
        _trade(venue, few, FEW)
        _trade(venue, many, MANY)
        times: dict[str, list[float]] = {few.cookie: [], many.cookie: []}
        for _ in range(VISITS):
            for trader in (few, many):
                times[trader.cookie].append(seconds(lambda trader=trader: fetch(venue, trader, "/user/account")))
        size = len(fetch(venue, many, "/user/account"))
    short, long = median(times[few.cookie]), median(times[many.cookie])
    allowed = short * SLOWER
    fits = min(allowed / long, LARGEST_HTML / size)
    return Figures(long * 1000, allowed * 1000, fits, f"{long / short:.2f} times as long; {size / 1024:.0f} KB of HTML")


def market_data() -> Figures:
    """The time of five years of bars, and what it may take: ENCODINGS times the writing of the same JSON."""
    with running_venue("sqlite", 1) as venue:
        trader = venue.traders[0]
        rows = json.loads(fetch(venue, trader, CHART))
        product = median(seconds(lambda: fetch(venue, trader, CHART)) for _ in range(VISITS))
        limit = median(seconds(lambda: json.dumps(rows)) for _ in range(VISITS)) * ENCODINGS
    return Figures(product * 1000, limit * 1000, limit / product, f"{len(rows['data'])} rows")


def fetch(venue: Venue, trader: Trader, path: str) -> bytes:
    """The bytes that the server answers."""
    connection = http.client.HTTPConnection("127.0.0.1", venue.port, timeout=30)
    connection.request("GET", path, headers={"Cookie": trader.cookie})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 200, (answer.status, body[:200])
    return body


def _trade(venue: Venue, trader: Trader, count: int) -> None:
    """So many market orders over HTTP, which fill at once: buys and sells in turn."""
    client = venue.client(trader)
    for number in range(count):
        side = "buy" if number % 2 == 0 else "sell"
        order = {"ticker": "AAPL", "order_type": side, "execution_type": "market", "quantity": 1}
        client.post("/user/api/create_order", order)
    client.close()


MEASURES = (
    Measure("account_page", f"account page, {MANY:,} orders | 1.3 times that of {FEW}", "ms", 1.0, account_page),
    Measure("market_data", "five years of bars | 3 times the bare JSON encoding", "ms", 1.0, market_data),
)
