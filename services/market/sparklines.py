"""The small curves of the stock list: how each ticker went in the last weeks."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import MarketData
from services.market.hours import exchange_day
from services.market.market import ChartMarket

DAYS = timedelta(days=42)  # about thirty sessions


def recent_closes(session: Session, market: ChartMarket, tickers: Collection[str]) -> dict[str, list[Decimal]]:
    """The closes of each ticker's last weeks, oldest first and ending with the running day's price. A ticker without
    any is left out, and all are while the market is starting. One query for all.
    """
    now = market.status().now
    if now is None:
        return {}
    today = exchange_day(now)
    query = (
        select(MarketData.ticker, MarketData.close)
        .where(MarketData.ticker.in_(tickers), MarketData.date > today - DAYS, MarketData.date < today)
        .order_by(MarketData.date)
    )
    closes: dict[str, list[Decimal]] = {}
    for ticker, close in session.execute(query):
        if close is not None:
            closes.setdefault(ticker, []).append(close)
    for ticker, quote in market.quotes(tickers).items():
        closes.setdefault(ticker, []).append(quote.last)
    return closes
