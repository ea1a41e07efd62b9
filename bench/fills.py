"""Durable fills: resting orders that a price reaches, filled in batches by the order processor's own unit.

Beside it the same rows (orders, balances, holdings, fills, journal, events) written in the same batches by nothing but
the driver, and the way of the earlier implementation: one commit a fill through the ORM. Every round begins with the
same tables, and the books must be clean after the last.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bench.books import BenchBooks, open_books, plant_instruments, plant_traders, refresh_statistics, rest_orders, unit
from bench.measures import ROUNDS, Figures, Measure, rates, seconds
from bench.recorded_rows import Driver, TableRows, Written, difference
from models import AccountBalance, AccountEvent, LedgerEntry, Order, Portfolio, Transaction, db
from services.accounts.journal import Line, move_shares
from services.trading import matching
from services.trading.order_book import BookEntry
from services.transaction import run_unit, writing_engine
from utils.datetime_utils import utc_now
from utils.market_source import Quote
from utils.number_utils import ZERO, round_price

TICKERS = tuple(f"T{number:02d}" for number in range(50))
TRADERS = 500
ORDERS_EACH = 4
ORM_FILLS = 150


@dataclass(slots=True)
class Scene:
    """Resting orders, the prices that reach them, and the tables as they are before."""

    books: BenchBooks
    driver: Driver
    batches: list[list[BookEntry]]
    quotes: dict[str, Quote]
    before: list[TableRows]

    @property
    def orders(self) -> int:
        return sum(len(batch) for batch in self.batches)

    def start_again(self) -> None:
        self.driver.put_back(self.before)

    def fill(self, batch: Sequence[BookEntry]) -> None:
        report = run_unit(
            matching.fill_batch, batch, self.quotes, market=self.books.market, config=self.books.config, tenure=None
        )
        assert report.fills == len(batch)

    def fill_all(self) -> None:
        for batch in self.batches:
            self.fill(batch)

    def record(self) -> list[list[Written]]:
        """The rows that each batch writes."""
        self.start_again()
        recorded, last = [], self.before
        for batch in self.batches:
            self.fill(batch)
            now = self.driver.read_all()
            recorded.append(difference(last, now))
            last = now
        return recorded

    def write_all(self, recorded: Sequence[Sequence[Written]]) -> None:
        for written in recorded:
            self.driver.write(written)


@contextmanager
def scene(kind: str) -> Iterator[Scene]:
    """A trading day's worth of limit buys, all reached at once."""
    with open_books(kind) as books:
        unit(plant_instruments, TICKERS)
        unit(plant_traders, TRADERS, books.market)
        rest_orders(books, range(1, TRADERS + 1), TICKERS, ORDERS_EACH)
        books.market.clock.advance(seconds=30)
        quotes = {
            ticker: books.market.set_quote(ticker, "91.50", volume=10**9, traded=10**9, ask="91.52")
            for ticker in TICKERS
        }
        entries = matching.read_open_orders(db.session())
        db.session.remove()
        refresh_statistics()
        with db.engine.connect() as connection:
            driver = Driver(connection.connection.driver_connection, kind == "sqlite")
            connection.rollback()
            if kind != "sqlite":
                driver.connection.autocommit(True)
            yield Scene(books, driver, matching.batches(entries), quotes, driver.read_all())


def against_raw(kind: str) -> Figures:
    """The same rows in the same batches, by us and by the driver alone."""
    with scene(kind) as stage:
        recorded = stage.record()
        product, limit = [], []
        for _ in range(ROUNDS):
            stage.start_again()
            limit.append(stage.orders / seconds(partial(stage.write_all, recorded)))
            stage.start_again()
            product.append(stage.orders / seconds(stage.fill_all))
        stage.books.require_clean()
        rows = sum(len(table.inserted) + len(table.updated) for batch in recorded for table in batch)
    return rates(product, limit, f"{rows / stage.orders:.1f} rows a fill, batches of {len(stage.batches[0])}")


def against_orm(kind: str) -> Figures:
    """One commit a fill through the ORM. The ratio is a tenth of how many times faster the batches are."""
    with scene(kind) as stage:
        few = [one for batch in stage.batches for one in batch][:ORM_FILLS]
        product, limit = [], []
        for _ in range(ROUNDS):
            stage.start_again()
            limit.append(ORM_FILLS / seconds(partial(fill_by_orm, few, stage.quotes)))
            stage.books.require_clean()
            stage.start_again()
            product.append(stage.orders / seconds(stage.fill_all))
    return rates(product, limit)


def fill_by_orm(entries: Sequence[BookEntry], quotes: dict[str, Quote]) -> None:
    for one in entries:
        with Session(writing_engine(db.engine)) as session:
            _fill_by_orm(session, one, quotes[one.ticker])
            session.commit()


def _fill_by_orm(session: Session, one: BookEntry, quote: Quote) -> None:
    """Load, change and add, as one writes it first."""
    balance = session.get_one(AccountBalance, one.user_id, with_for_update=True)
    order = session.get_one(Order, one.order_id, with_for_update=True)
    same = (Portfolio.user_id == one.user_id, Portfolio.ticker == one.ticker)
    holding = session.execute(select(Portfolio).where(*same).with_for_update()).scalar_one_or_none()
    if holding is None:
        holding = Portfolio(user_id=one.user_id, ticker=one.ticker, quantity=0, frozen_quantity=0, total_cost=ZERO)
        session.add(holding)
    assert quote.ask is not None
    quantity, amount, freed = order.order_quantity, quote.ask * order.order_quantity, order.reserved_amount
    balance.frozen_balance -= freed
    balance.available_balance += freed - amount
    balance.total_balance -= amount
    balance.journal_sequence += 1
    balance.event_sequence += 1
    holding.quantity += quantity
    holding.total_cost += amount
    holding.average_price = round_price(holding.total_cost / holding.quantity)
    order.order_status, order.filled_quantity, order.filled_amount = "filled", quantity, amount
    order.reserved_amount, order.executed_at = ZERO, utc_now()
    session.add(_fill_row(order, quote, amount))
    session.add_all(_journal_rows(order, balance, freed, amount))
    session.add(_event_row(order, balance, quote))


def _fill_row(order: Order, quote: Quote, amount: Any) -> Transaction:
    return Transaction(
        order_id=order.order_id,
        fill_number=1,
        user_id=order.user_id,
        ticker=order.ticker,
        transaction_type="buy",
        transaction_price=quote.ask,
        transaction_quantity=order.order_quantity,
        transaction_amount=amount,
        worst_price=order.worst_price,
        market_time=quote.provider_time,
        rule="limit",
        profile="standard",
        quote_time=quote.provider_time,
        quote_last=quote.last,
        quote_bid=quote.bid,
        quote_ask=quote.ask,
        quote_source=quote.source,
    )


def _event_row(order: Order, balance: AccountBalance, quote: Quote) -> AccountEvent:
    payload = {
        "order_id": order.order_id,
        "ticker": order.ticker,
        "order_type": order.order_type,
        "order_status": order.order_status,
        "quantity": order.order_quantity,
        "price": str(quote.ask),
        "fill_number": 1,
    }
    return AccountEvent(
        user_id=order.user_id, sequence=balance.event_sequence, kind="order_filled", payload=json.dumps(payload)
    )


def _journal_rows(order: Order, balance: AccountBalance, freed: Any, amount: Any) -> list[LedgerEntry]:
    lines = [Line("frozen", cash=-freed), Line("available", cash=freed - amount), Line("market", cash=amount)]
    lines += move_shares("market", "available", order.ticker, order.order_quantity)
    return [
        LedgerEntry(
            user_id=order.user_id,
            sequence=balance.journal_sequence,
            line=number,
            kind="fill",
            account=line.account,
            ticker=line.ticker,
            cash=line.cash,
            shares=line.shares,
            order_id=order.order_id,
            fill_number=1,
            market_time=order.accepted_at,
        )
        for number, line in enumerate(lines, start=1)
    ]


def measures(kind: str) -> tuple[Measure, ...]:
    """The lines of one database."""
    raw, orm = partial(against_raw, kind), partial(against_orm, kind)
    return (
        Measure(f"fills_{kind}", f"durable fills, {kind} | the rows by raw SQL", "fills/s", 0.5, raw, 0.7),
        Measure(f"fills_orm_{kind}", f"durable fills, {kind} | one commit a fill, ORM", "fills/s", 10, orm),
    )


MEASURES = (*measures("sqlite"), *measures("mariadb"))
