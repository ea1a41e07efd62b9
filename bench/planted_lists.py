"""The rows that the admins' lists read, planted at once: traders, their balances, orders with a fill each, requests.

Lists read nothing else, so there is no journal behind these rows. A venue with one takes `flask demo fill` some minutes
to make; its books are checked where it is made and in the tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from bench.books import NO_PASSWORD
from models import AccountBalance, FundTransaction, Order, Transaction, User

TICKERS = ("AAPL", "MSFT", "IBM")
CASH = Decimal("10000.00")
PRICE = Decimal("100.0000")
SOUGHT = 57  # the trader whom the searches find
SOUGHT_ROWS = 5  # of each kind, in a venue of any size, so that a search shows as much in all of them
BATCH = 10_000
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Size:
    """How many of each there are."""

    traders: int
    orders: int
    requests: int


def plant_lists(session: Session, size: Size, now: datetime, admin_id: int) -> None:
    """A unit: everything of this size, the newest rows at `now` and the others a minute apart before it."""
    _store(session, User, (_trader(number, now) for number in range(1, size.traders + 1)))
    balances = ({"user_id": number, "available_balance": CASH, "total_balance": CASH} for number in _traders(size))
    _store(session, AccountBalance, balances)
    _store(session, Order, (_order(number, size, now) for number in range(1, size.orders + 1)))
    filled = (_fill(number, size, now) for number in range(1, size.orders + 1) if _status(number) == "filled")
    _store(session, Transaction, filled)
    _store(session, FundTransaction, (_request(number, size, now, admin_id) for number in range(1, size.requests + 1)))


def _traders(size: Size) -> range:
    return range(1, size.traders + 1)


def _store(session: Session, model: type[Any], rows: Iterator[Row]) -> None:
    while batch := [row for _, row in zip(range(BATCH), rows, strict=False)]:
        session.execute(insert(model.__table__), batch)


def _trader(number: int, now: datetime) -> Row:
    name = f"trader.{number}"
    address = f"{name}@demo.example"
    keys = {"user_name": name, "name_key": name, "user_email": address, "email_key": address}
    return keys | {"user_id": number, "user_password": NO_PASSWORD, "created_at": now - timedelta(minutes=number)}


def _owner(number: int, size: Size) -> int:
    """Whose row it is: the first few the sought trader's, the others everybody else's in turn."""
    if number <= SOUGHT_ROWS:
        return SOUGHT
    other = (number - SOUGHT_ROWS - 1) % (size.traders - 1) + 1
    return other if other < SOUGHT else other + 1


def _status(number: int) -> str:
    """Three of four orders fill; of the others most end, and every hundredth rests."""
    if number % 100 == 0:
        return "pending"
    return "cancelled" if number % 4 == 0 else "filled"


def _order(number: int, size: Size, now: datetime) -> Row:
    created, status = now - timedelta(minutes=size.orders - number), _status(number)
    filled = 5 if status == "filled" else 0
    return {
        "order_id": number,
        "user_id": _owner(number, size),
        "ticker": TICKERS[number % len(TICKERS)],
        "order_type": "buy",
        "order_execution_type": "limit",
        "order_price": PRICE,
        "worst_price": PRICE,
        "order_quantity": 5,
        "filled_quantity": filled,
        "filled_amount": PRICE.quantize(Decimal("0.01")) * filled,
        "order_status": status,
        "commission_per_share": Decimal("0.0000"),
        "commission_minimum": Decimal("0.00"),
        "commission_maximum_rate": Decimal("0.0000"),
        "created_at": created,
        "updated_at": created,
        "accepted_at": created,
        "executed_at": created if filled else None,
    }


def _fill(number: int, size: Size, now: datetime) -> Row:
    filled_at = now - timedelta(minutes=size.orders - number)
    return {
        "order_id": number,
        "fill_number": 1,
        "user_id": _owner(number, size),
        "ticker": TICKERS[number % len(TICKERS)],
        "transaction_type": "buy",
        "transaction_price": PRICE,
        "transaction_quantity": 5,
        "transaction_amount": Decimal("500.00"),
        "transaction_time": filled_at,
        "market_time": filled_at,
        "worst_price": PRICE,
        "rule": "limit_or_better",
        "profile": "standard",
    }


def _request(number: int, size: Size, now: datetime, admin_id: int) -> Row:
    created = now - timedelta(minutes=size.requests - number)
    status = "pending" if number % 50 == 0 else "rejected" if number % 9 == 0 else "approved"
    return {
        "transaction_id": number,
        "user_id": _owner(number, size),
        "transaction_type": "withdrawal" if number % 3 == 0 else "deposit",
        "amount": Decimal(number % 5000 + 1),
        "status": status,
        "created_at": created,
        "updated_at": created,
        "remark": "Not this time" if status == "rejected" else None,
        "operator_id": None if status == "pending" else admin_id,
    }
