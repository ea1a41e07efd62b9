"""How whole the stored daily bars of each ticker are: first and last day, gaps, impossible prices, splits."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from models import MarketData

# Between two days the adjusted and the plain close change alike, but for dividends of a few percent. A change that
# differs by a sixth or more is a split: the smallest usual one is six shares for five.
SPLIT = (6, 5)
PRICES = (MarketData.open, MarketData.high, MarketData.low, MarketData.close)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is stored of a ticker. `gaps` are days of the market between its first and last bar without a bar of it,
    `bad_bars` bars with a price that is missing, zero or below. `splits` are days and new shares for an old one.
    """

    ticker: str
    first: date | None = None
    last: date | None = None
    bars: int = 0
    gaps: int = 0
    bad_bars: int = 0
    splits: tuple[tuple[date, Decimal], ...] = ()


def coverage(session: Session, tickers: Collection[str]) -> dict[str, Coverage]:
    """The coverage of each of these tickers, in four queries. A market day is one on which any of them, or an index,
    has a bar.
    """
    if not tickers:
        return {}
    days = _market_days(session, tickers)
    splits = _splits(session, tickers)
    found = {
        row.ticker: Coverage(
            ticker=row.ticker,
            first=row.first,
            last=row.last,
            bars=row.bars,
            gaps=_days_between(days, row.first, row.last) - row.bars,
            bad_bars=int(row.bad),
            splits=tuple(splits[row.ticker]),
        )
        for row in session.execute(_sums(tickers))
    }
    return {ticker: found.get(ticker, Coverage(ticker)) for ticker in tickers}


def gap_days(session: Session, ticker: str, most: int) -> list[date]:
    """The newest market days between a ticker's first and last bar on which it has none, at most so many."""
    own = set(session.scalars(select(MarketData.date).where(MarketData.ticker == ticker)))
    if not own:
        return []
    days = _market_days(session, [ticker])
    return [day for day in reversed(days) if min(own) < day < max(own) and day not in own][:most]


def _sums(tickers: Iterable[str]) -> Any:
    return (
        select(
            MarketData.ticker,
            func.min(MarketData.date).label("first"),
            func.max(MarketData.date).label("last"),
            func.count().label("bars"),
            func.sum(case((_is_bad(), 1), else_=0)).label("bad"),
        )
        .where(MarketData.ticker.in_(list(tickers)))
        .group_by(MarketData.ticker)
    )


def _is_bad() -> ColumnElement[bool]:
    return or_(*(or_(price.is_(None), price <= Decimal(0)) for price in PRICES))


def _market_days(session: Session, tickers: Iterable[str]) -> list[date]:
    query = select(MarketData.date).where(or_(MarketData.ticker.in_(list(tickers)), MarketData.ticker.like("^%")))
    return list(session.scalars(query.distinct().order_by(MarketData.date)))


def _days_between(days: list[date], first: date, last: date) -> int:
    return bisect_right(days, last) - bisect_left(days, first)


def _splits(session: Session, tickers: Iterable[str]) -> dict[str, list[tuple[date, Decimal]]]:
    """Days on which the adjusted close changed by another factor than the close. By multiplying across, since the
    prices are whole numbers on SQLite.
    """
    window = {"partition_by": MarketData.ticker, "order_by": MarketData.date}
    pairs = (
        select(
            MarketData.ticker,
            MarketData.date,
            MarketData.close,
            MarketData.adj_close,
            func.lag(MarketData.close).over(**window).label("close_before"),  # type: ignore[arg-type]
            func.lag(MarketData.adj_close).over(**window).label("adjusted_before"),  # type: ignore[arg-type]
        )
        .where(MarketData.ticker.in_(list(tickers)), MarketData.close > Decimal(0), MarketData.adj_close > Decimal(0))
        .subquery()
    )
    c = pairs.c
    more, less = SPLIT
    up, down = c.adj_close * c.close_before, c.adjusted_before * c.close
    query = select(c.ticker, c.date, c.close, c.adj_close, c.close_before, c.adjusted_before).where(
        and_(c.close_before.is_not(None), or_(up * less > down * more, up * more < down * less))
    )
    found: dict[str, list[tuple[date, Decimal]]] = defaultdict(list)
    for row in session.execute(query.order_by(c.ticker, c.date)):
        ratio = row.adj_close * row.close_before / (row.adjusted_before * row.close)
        found[row.ticker].append((row.date, round(ratio, 2)))
    return found
