"""One pass of the order processor over resting orders of which the prices reach none.

The product is the pass's own step `OrderProcessor.fill_reached`, with its query for the rules in force. Beside it the
way of the earlier implementation: load every open order through the ORM and look at it. The book of a million orders
is filled in memory, since nothing but the number of orders is to differ.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from functools import cache
from statistics import median

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from bench.books import BenchBooks, open_books, plant_instruments, plant_traders, unit
from bench.measures import ROUNDS, Figures, Measure, durations, seconds
from models import Order, db
from services.trading import matching
from services.trading.order_book import BookEntry, OrderBook, entry
from services.trading.order_states import OPEN_STATUSES
from tasks.order_processor import OrderProcessor
from utils.datetime_utils import utc_now

TICKERS = tuple(f"T{number:03d}" for number in range(500))
TRADERS = 100
PASSES = 20


def sweep_100k() -> Figures:
    """A pass over 100,000 orders against loading them through the ORM."""
    with resting_books(100_000) as books:
        processor = new_processor(books)
        processor.book = OrderBook(matching.read_open_orders(db.session()))
        db.session.remove()
        assert len(processor.book) == 100_000
        product = [pass_seconds(processor) for _ in range(ROUNDS)]
        limit = [seconds(lambda: look_at_each(books)) for _ in range(ROUNDS)]
    return in_milliseconds(durations(product, limit))


def sweep_1m() -> Figures:
    """How a pass grows with ten times the orders. The ratio is three times the smaller pass over the larger one."""
    small, large = pass_over(100_000), pass_over(1_000_000)
    return in_milliseconds(durations([large], [3 * small]))


def in_milliseconds(figures: Figures) -> Figures:
    return Figures(figures.product * 1000, figures.limit * 1000, figures.ratio, figures.note)


@cache
def pass_over(count: int) -> float:
    """Seconds of one pass over so many orders in memory, none of which triggers."""
    with open_books("sqlite") as books:
        quote_all(books)
        processor = new_processor(books)
        processor.book = OrderBook(entries(count))
        return median(pass_seconds(processor) for _ in range(ROUNDS))


def new_processor(books: BenchBooks) -> OrderProcessor:
    return OrderProcessor(books.app, books.market, books.config, interval=1.0)


def pass_seconds(processor: OrderProcessor) -> float:
    def passes() -> None:
        for _ in range(PASSES):
            assert processor.fill_reached() == 0

    return seconds(passes) / PASSES


def quote_all(books: BenchBooks) -> None:
    for ticker in TICKERS:
        books.market.set_quote(ticker, "100.00")


def look_at_each(books: BenchBooks) -> None:
    """Load every open order and compare its limit with the newest price."""
    with Session(db.engine) as session:
        for order in session.scalars(select(Order).where(Order.order_status.in_(OPEN_STATUSES))):
            quote = books.market.quote(order.ticker)
            assert quote is not None
            assert order.order_price is not None
            reached = quote.ask <= order.order_price if order.order_type == "buy" else quote.bid >= order.order_price
            assert not reached


@contextmanager
def resting_books(count: int) -> Iterator[BenchBooks]:
    """Books with so many limit orders at rest. Only read here: the orders reserve nothing, so nobody verifies them."""
    with open_books("sqlite") as books:
        unit(plant_traders, TRADERS)
        unit(plant_instruments, TICKERS)
        quote_all(books)
        accepted = books.market.now() - timedelta(days=1)
        unit(lambda session: session.execute(insert(Order), [order_row(one, accepted) for one in entries(count)]))
        yield books


def order_row(one: BookEntry, accepted: object) -> dict[str, object]:
    price = Decimal(one.limit or 0) / 10_000
    now = utc_now()
    return {
        "order_id": one.order_id,
        "user_id": one.user_id,
        "ticker": one.ticker,
        "order_type": one.side,
        "order_execution_type": "limit",
        "order_price": price,
        "worst_price": price,
        "order_quantity": 10,
        "commission_per_share": Decimal("0.0000"),
        "commission_minimum": Decimal("0.00"),
        "commission_maximum_rate": Decimal("1.0000"),
        "created_at": now,
        "updated_at": now,
        "accepted_at": accepted,
    }


def entries(count: int) -> Iterator[BookEntry]:
    """Limit orders at random prices: buys from 1 % to 20 % below the market, sells as far above it."""
    chance = random.Random(7)
    accepted = utc_now()
    for number in range(1, count + 1):
        cents = chance.randrange(100, 2000)
        side = "buy" if number % 2 else "sell"
        price = Decimal(10_000 - cents if side == "buy" else 10_000 + cents) / 100
        ticker = TICKERS[chance.randrange(len(TICKERS))]
        yield entry(number, 1 + number % TRADERS, ticker, side, price, accepted_at=accepted)


MEASURES = (
    Measure("sweep_100k", "a pass over 100,000 resting orders | each through the ORM", "ms", 1000, sweep_100k),
    Measure("sweep_1m", "a pass over 1,000,000 resting orders | 3 passes over 100,000", "ms", 1, sweep_1m),
)
