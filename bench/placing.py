"""Orders placed over HTTP: market buys with all checks, stored durably before the answer.

Beside it the least that a page of a logged-in trader does: a route of the same server that reads one row.
"""

from __future__ import annotations

from functools import partial

from bench.measures import ROUNDS, Figures, Measure, rates
from bench.server import PREFERENCE, Client, rate, running_venue

READS, ORDERS = 800, 320
WARM_UP = 80
TICKERS = ("AAPL", "MSFT", "IBM")


def placing(kind: str, clients: int) -> Figures:
    """Orders a second by so many clients."""
    with running_venue(kind, traders=clients) as venue:
        for ask in (read_one, place_one):
            rate(clients, venue, WARM_UP, ask)
        limit, product = [], []
        for _ in range(ROUNDS):
            limit.append(rate(clients, venue, READS, read_one))
            product.append(rate(clients, venue, ORDERS, place_one))
        venue.require_clean()
    return rates(product, limit)


def read_one(client: Client, _number: int) -> None:
    client.get(f"/user/api/preferences/{PREFERENCE}")


def place_one(client: Client, number: int) -> None:
    order = {
        "ticker": TICKERS[number % len(TICKERS)],
        "order_type": "buy",
        "execution_type": "market",
        "quantity": 1 + number % 5,
    }
    client.post("/user/api/create_order", order)


def measure(kind: str, clients: int, must: float, aim: float) -> Measure:
    """One line of the table."""
    what = f"market buys over HTTP, {kind}, {clients} client{'s' if clients > 1 else ''} | a route that reads one row"
    return Measure(f"place_{clients}_{kind}", what, "requests/s", must, partial(placing, kind, clients), aim)


MEASURES = (
    measure("sqlite", 1, 0.35, 0.6),
    measure("sqlite", 8, 0.35, 0.6),
    measure("mariadb", 1, 0.2, 0.35),
    measure("mariadb", 8, 0.2, 0.35),
)
