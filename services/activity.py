"""How much there is of everything and how much happens: the figures of the admins' dashboard.

Days and hours are those of the wall clock in UTC.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, String, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models import FundTransaction, Order, Transaction, User
from services.trading.order_states import OPEN_STATUSES

DAY = timedelta(days=1)
CHART_DAYS = 30
DATE_LENGTH, HOUR_LENGTH = len("2008-09-02"), len("2008-09-02 13")
MOST_TRADED = 5

_KINDS = ("deposit", "withdrawal")


def counts(session: Session) -> dict[str, int]:
    """Numbers of users, orders, requests by type, and of what waits for somebody."""
    kind, status = FundTransaction.transaction_type, FundTransaction.status
    rows = session.execute(select(kind, status, func.count()).group_by(kind, status)).all()

    def requests(wanted_kind: str | None = None, wanted_status: str | None = None) -> int:
        return sum(
            number
            for of_kind, of_status, number in rows
            if wanted_kind in (None, of_kind) and wanted_status in (None, of_status)
        )

    return {
        "users": session.execute(select(func.count(User.user_id))).scalar_one(),
        "orders": session.execute(select(func.count(Order.order_id))).scalar_one(),
        "open_orders": session.execute(
            select(func.count(Order.order_id)).where(Order.order_status.in_(OPEN_STATUSES))
        ).scalar_one(),
        "fund_transactions": requests(),
        "deposits": requests("deposit"),
        "withdrawals": requests("withdrawal"),
        "pending_deposits": requests("deposit", "pending"),
        "pending_withdrawals": requests("withdrawal", "pending"),
    }


def new_since(session: Session, moment: datetime) -> dict[str, int]:
    """By how much the five counts have grown since the moment. Nothing is ever deleted, so this is their change."""
    requests = _count_by(
        session, FundTransaction.transaction_type, FundTransaction.created_at >= moment, FundTransaction
    )
    return {
        "users": _count(session, User.created_at >= moment),
        "orders": _count(session, Order.created_at >= moment),
        "fund_transactions": sum(requests.values()),
        "deposits": requests.get("deposit", 0),
        "withdrawals": requests.get("withdrawal", 0),
    }


def daily(session: Session, now: datetime, days: int = CHART_DAYS) -> list[dict[str, Any]]:
    """What came in on each of the last days, today included and days without anything too, oldest first."""
    first = now.date() - timedelta(days=days - 1)
    start = datetime.combine(first, datetime.min.time(), now.tzinfo)
    users = _by_text(session, User.created_at, DATE_LENGTH, start)
    orders = _by_text(session, Order.created_at, DATE_LENGTH, start)
    requests = {kind: _by_text(session, FundTransaction.created_at, DATE_LENGTH, start, kind) for kind in _KINDS}
    return [
        {
            "date": day.isoformat(),
            "users": users.get(day.isoformat(), 0),
            "orders": orders.get(day.isoformat(), 0),
            "fund_transactions": sum(requests[kind].get(day.isoformat(), 0) for kind in _KINDS),
            "deposits": requests["deposit"].get(day.isoformat(), 0),
            "withdrawals": requests["withdrawal"].get(day.isoformat(), 0),
        }
        for day in _days(first, days)
    ]


def hourly(session: Session, now: datetime, hours: int = 24) -> list[dict[str, Any]]:
    """Orders and fills of each of the last hours, the running one included, oldest first."""
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    start = this_hour - timedelta(hours=hours - 1)
    orders = _by_text(session, Order.created_at, HOUR_LENGTH, start)
    fills = _by_text(session, Transaction.transaction_time, HOUR_LENGTH, start)
    found = []
    for number in range(hours):
        hour = start + timedelta(hours=number)
        name = hour.strftime("%Y-%m-%d %H")
        found.append({"hour": hour, "orders": orders.get(name, 0), "fills": fills.get(name, 0)})
    return found


def most_traded(session: Session, since: datetime, most: int = MOST_TRADED) -> list[dict[str, Any]]:
    """The tickers with the most fills since a moment (wall clock): fills, shares, and their value in dollars."""
    fills = func.count()
    query = (
        select(
            Transaction.ticker,
            fills.label("fills"),
            func.sum(Transaction.transaction_quantity).label("shares"),
            func.sum(Transaction.transaction_amount).label("amount"),
        )
        .where(Transaction.transaction_time >= since)
        .group_by(Transaction.ticker)
        .order_by(fills.desc(), Transaction.ticker)
        .limit(most)
    )
    return [
        {"ticker": row.ticker, "fills": row.fills, "shares": int(row.shares), "amount": row.amount}
        for row in session.execute(query)
    ]


def waiting(session: Session) -> dict[str, dict[str, Any]]:
    """What waits for an admin, by type: how many requests, their dollars, and since when the oldest waits."""
    query = (
        select(
            FundTransaction.transaction_type,
            func.count().label("number"),
            func.sum(FundTransaction.amount).label("amount"),
            func.min(FundTransaction.created_at).label("oldest"),
        )
        .where(FundTransaction.status == "pending")
        .group_by(FundTransaction.transaction_type)
    )
    nothing: dict[str, Any] = {"number": 0, "amount": None, "oldest": None}
    found = {
        row.transaction_type: {"number": row.number, "amount": row.amount, "oldest": row.oldest}
        for row in session.execute(query)
    }
    oldest_order = select(func.count(), func.min(Order.created_at)).where(Order.order_status.in_(OPEN_STATUSES))
    number, oldest = session.execute(oldest_order).one()
    orders = {"number": number, "amount": None, "oldest": oldest}
    return {kind: found.get(kind, nothing) for kind in _KINDS} | {"orders": orders}


def _count(session: Session, condition: ColumnElement[bool]) -> int:
    return session.execute(select(func.count()).where(condition)).scalar_one()


def _count_by(
    session: Session, column: InstrumentedAttribute[str], condition: ColumnElement[bool], model: type
) -> dict[str, int]:
    query = select(column, func.count()).select_from(model).where(condition).group_by(column)
    return {name: number for name, number in session.execute(query)}  # noqa: C416 - a Row is no pair for the type checker


def _by_text(
    session: Session, column: InstrumentedAttribute[datetime], length: int, start: datetime, kind: str | None = None
) -> dict[str, int]:
    """How many rows there are by the first characters of a time's text, which are its day or its hour: the one way of
    cutting times that reads the same on every database.
    """
    cut = func.substr(cast(column, String(26)), 1, length)
    query = select(cut, func.count()).where(column >= start).group_by(cut)
    if kind is not None:
        query = query.where(FundTransaction.transaction_type == kind)
    return {str(row[0]): int(row[1]) for row in session.execute(query)}


def _days(first: date, count: int) -> list[date]:
    return [first + timedelta(days=number) for number in range(count)]
