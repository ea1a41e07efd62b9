"""Reads stored bars as columns of plain numbers: one query, built once, and no look at single rows.

Days and prices come as the driver has them: turning tens of thousands into Decimal and date one by one would take many
times as long as everything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, Double, Select, String, bindparam, func, literal_column, select, type_coerce
from sqlalchemy.orm import Session

from models import MarketData

Floats = NDArray[np.float64]
Days = NDArray[np.datetime64]
Column = Sequence[Any]

_UNITS_A_DOLLAR = 10_000.0  # of a Price on SQLite
_OHLC = (MarketData.open, MarketData.high, MarketData.low, MarketData.close)


def read_closes(session: Session, tickers: Sequence[str], start: date, end: date) -> tuple[Column, Column, Column]:
    """Tickers, days and adjusted closes of all bars of the tickers, by ticker and day. Without an adjusted close, the
    close itself.
    """
    names, days, prices = _read(session, _closes_query(_is_sqlite(session)), tickers, start, end, 3)
    return names, days, prices


def read_bars(session: Session, ticker: str, start: date, end: date) -> list[Column]:
    """Days, open, high, low, close and volume of all whole bars of a ticker, by day."""
    return _read(session, _bars_query(_is_sqlite(session)), (ticker,), start, end, 6)


def dollars(session: Session, numbers: Column) -> Floats:
    """A column of prices as dollars."""
    values = np.array(numbers, np.float64)
    return values / _UNITS_A_DOLLAR if _is_sqlite(session) else values


def as_days(column: Column) -> Days:
    """A column of days; SQLite tells them as ISO texts, the servers as dates."""
    return np.array(column, "datetime64[D]")


def _read(
    session: Session, query: Select[Any], tickers: Sequence[str], start: date, end: date, count: int
) -> list[Column]:
    """The columns, by the driver's own cursor: ORM and result would each look at every row once more."""
    result = session.connection().execute(query, {"tickers": list(tickers), "first": start, "last": end})
    rows = result.cursor.fetchall() if result.cursor is not None else ()
    result.close()
    return list(zip(*rows, strict=True)) if rows else [()] * count


@cache
def _closes_query(sqlite: bool) -> Select[Any]:
    price = func.coalesce(MarketData.adj_close, MarketData.close)
    return _query([type_coerce(MarketData.ticker, String), _day(), _number(price, sqlite)], (MarketData.close,))


@cache
def _bars_query(sqlite: bool) -> Select[Any]:
    volume = func.coalesce(MarketData.volume, 0)
    return _query([_day(), *(_number(column, sqlite) for column in (*_OHLC, volume))], _OHLC)


def _query(columns: list[Any], needed: Sequence[Any]) -> Select[Any]:
    there = [column.is_not(None) for column in needed]
    within = MarketData.date.between(bindparam("first"), bindparam("last"))
    chosen = MarketData.ticker.in_(bindparam("tickers", expanding=True))
    return select(*columns).where(chosen, within, *there).order_by(MarketData.ticker, MarketData.date)


def _day() -> Any:
    return type_coerce(MarketData.date, String)


def _number(column: Any, sqlite: bool) -> Any:
    """A price as a number that needs no conversion: whole units on SQLite, a double on the servers."""
    return type_coerce(column, BigInteger) if sqlite else type_coerce(column, Double) * literal_column("1e0")


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
