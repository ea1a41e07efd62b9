"""Reported figures of companies: key figures, balance sheets, income statements. Stored by the feed, read by pages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import BalanceSheet, FundamentalData, IncomeStatement
from utils.market_source import Statement
from utils.number_utils import PRICE_LIMIT, round_price

FigureTable = type[FundamentalData] | type[BalanceSheet] | type[IncomeStatement]
WHOLE_LIMIT = 2**63 - 1
NOT_FIGURES = ("ticker", "date", "data_collected_at")


def fundamental_data(session: Session, ticker: str) -> dict[str, Any] | None:
    """The newest key figures, flat, by column; None where none are known."""
    return _newest(session, FundamentalData, ticker)


def balance_sheet(session: Session, ticker: str) -> dict[str, Any] | None:
    """The newest balance sheet, flat, by column; None where none is known."""
    return _newest(session, BalanceSheet, ticker)


def income_statement(session: Session, ticker: str) -> dict[str, Any] | None:
    """The newest income statement, flat, by column; None where none is known."""
    return _newest(session, IncomeStatement, ticker)


def _newest(session: Session, table: type[Any], ticker: str) -> dict[str, Any] | None:
    row = session.scalars(
        select(table).where(table.ticker == ticker).order_by(table.date.desc()).limit(1)
    ).one_or_none()
    if row is None:
        return None
    figures = {name: getattr(row, name) for name in _figure_columns(table)}
    return {"ticker": row.ticker, "date": row.date.isoformat(), **figures}


def store(session: Session, table: FigureTable, statements: Iterable[Statement], collected_at: datetime) -> None:
    """Unit: take in reports; one of the same ticker and date is replaced. A figure that does not fit becomes NULL."""
    for statement in statements:
        figures = {name: _fitting(statement.figures.get(name)) for name in _figure_columns(table)}
        session.merge(table(ticker=statement.ticker, date=statement.date, data_collected_at=collected_at, **figures))


def newest_collection(session: Session) -> dict[str, datetime]:
    """When each ticker's key figures were last collected."""
    rows = session.execute(select(FundamentalData.ticker, FundamentalData.data_collected_at))
    newest: dict[str, datetime] = {}
    for ticker, collected_at in rows:
        newest[ticker] = max(newest.get(ticker, collected_at), collected_at)
    return newest


def _figure_columns(table: type[Any]) -> list[str]:
    return [column.key for column in table.__table__.columns if column.key not in NOT_FIGURES]


def _fitting(value: Decimal | int | None) -> Decimal | int | None:
    if isinstance(value, Decimal):
        return round_price(value) if abs(value) <= PRICE_LIMIT else None
    return value if value is None or abs(value) <= WHOLE_LIMIT else None
