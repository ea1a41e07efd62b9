"""A hundred thousand random amounts add up to the cent, summed in SQL and added by UPDATEs, on both databases.

The expected sums are whole numbers of cents in Python.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, bindparam, func, insert, select, update

from databases import both_databases, open_engine
from models.types import Money, Price
from races import scaled

AMOUNTS = 100_000
ROWS = 100  # an UPDATE of all rows adds so many amounts at once
LARGEST = 10**11  # cents: a hundred thousand of them still fit into one column

METADATA = MetaData()
PURSE = Table(
    "purse", METADATA, Column("number", Integer, primary_key=True), Column("cash", Money), Column("rate", Price)
)


@pytest.fixture
def purses(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url)
    METADATA.create_all(engine)
    yield engine
    METADATA.drop_all(engine)
    engine.dispose()


def _random_cents(seed: int) -> Iterator[int]:
    """Large and small, up and down, and many that a float could not hold."""
    dice = random.Random(seed)
    while True:
        yield dice.choice((dice.randint(-99, 99), dice.randint(-LARGEST, LARGEST)))


@both_databases
def test_a_hundred_thousand_amounts_are_summed_to_the_cent(purses: Engine) -> None:
    cents = list(islice(_random_cents(1), AMOUNTS))
    rows = [
        {"number": number, "cash": Decimal(amount).scaleb(-2), "rate": Decimal(amount % 10**9).scaleb(-4)}
        for number, amount in enumerate(cents, start=1)
    ]
    with purses.connect().execution_options(writes=True) as connection:
        connection.execute(insert(PURSE), rows)
        total = select(func.sum(PURSE.c.cash), func.sum(PURSE.c.rate))
        cash, rate = connection.execute(total).one()
        positive = connection.execute(select(func.sum(PURSE.c.cash)).where(PURSE.c.cash > Decimal("0.00"))).scalar_one()
        connection.rollback()
    assert cash == Decimal(sum(cents)).scaleb(-2)
    assert rate == Decimal(sum(amount % 10**9 for amount in cents)).scaleb(-4)
    assert positive == Decimal(sum(amount for amount in cents if amount > 0)).scaleb(-2)


@both_databases
def test_a_hundred_thousand_amounts_added_in_sql_come_out_to_the_cent(purses: Engine) -> None:
    """Each row adds its own amounts, all rows in one statement, a thousand times (in `make test` a hundred)."""
    amounts = _random_cents(2)
    expected = dict.fromkeys(range(1, ROWS + 1), 0)
    add = (
        update(PURSE)
        .where(PURSE.c.number == bindparam("the_number"))
        .values(cash=PURSE.c.cash + bindparam("amount", type_=PURSE.c.cash.type))
    )
    with purses.connect().execution_options(writes=True) as connection:
        connection.execute(insert(PURSE), [{"number": number, "cash": Decimal("0.00")} for number in expected])
        for _ in range(scaled(AMOUNTS) // ROWS):
            changes = dict(zip(expected, islice(amounts, ROWS), strict=True))
            rows = [{"the_number": number, "amount": Decimal(cents).scaleb(-2)} for number, cents in changes.items()]
            connection.execute(add, rows)
            expected = {number: cents + changes[number] for number, cents in expected.items()}
        stored = dict(connection.execute(select(PURSE.c.number, PURSE.c.cash)).all())
        connection.rollback()
    assert stored == {number: Decimal(cents).scaleb(-2) for number, cents in expected.items()}
