"""Quotes: which ones can be believed, and the table by which the feeding process tells the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from models import LatestQuote
from utils.market_source import Quote
from utils.number_utils import PRICE_LIMIT

GREATEST_MOVE = Decimal("0.5")  # against the previous close; more is held back until somebody knows why
CLOCK_TOLERANCE = timedelta(seconds=60)
_COLUMNS = tuple(field.name for field in fields(Quote))


def believable(
    quotes: Mapping[str, Quote], known: Mapping[str, Quote], now: datetime
) -> tuple[dict[str, Quote], dict[str, str]]:
    """Sort fresh quotes into those to take over, and the reasons by ticker why the others are held back.

    A quote older than the known one of its ticker is dropped without a reason: answers may overtake each other.
    """
    good: dict[str, Quote] = {}
    held: dict[str, str] = {}
    for ticker, quote in quotes.items():
        reason = doubt(quote, now)
        if reason:
            held[ticker] = reason
        elif not overtaken(quote, known.get(ticker)):
            good[ticker] = quote
    return good, held


def doubt(quote: Quote, now: datetime) -> str:
    """Why a quote cannot be believed; "" when it can."""
    prices = (quote.last, quote.bid, quote.ask, quote.open, quote.high, quote.low, quote.previous_close)
    if any(price is not None and not 0 < price <= PRICE_LIMIT for price in prices):
        return "a price is not above zero"
    if quote.bid is not None and quote.ask is not None and quote.bid > quote.ask:
        return f"the bid {quote.bid} is above the ask {quote.ask}"
    if (quote.low is not None and quote.last < quote.low) or (quote.high is not None and quote.last > quote.high):
        return f"the price {quote.last} is outside the day's range {quote.low} to {quote.high}"
    if quote.previous_close is not None and abs(quote.last / quote.previous_close - 1) > GREATEST_MOVE:
        return f"the price {quote.last} is more than half away from the previous close {quote.previous_close}"
    if quote.provider_time is not None and quote.provider_time > now + CLOCK_TOLERANCE:
        return "its time lies in the future"
    return ""


def overtaken(quote: Quote, known: Quote | None) -> bool:
    """Whether a newer quote is known already."""
    if known is None or known.provider_time is None or quote.provider_time is None:
        return False
    return quote.provider_time < known.provider_time


def store(session: Session, quotes: Iterable[Quote], received_at: datetime) -> None:
    """Unit: write the quotes as the newest ones of their tickers."""
    rows = {quote.ticker: {**_row(quote), "received_at": received_at} for quote in quotes}
    known = set(session.scalars(select(LatestQuote.ticker).where(LatestQuote.ticker.in_(rows))))
    new = [row for ticker, row in rows.items() if ticker not in known]
    old = [row for ticker, row in rows.items() if ticker in known]
    if new:
        session.execute(insert(LatestQuote), new)
    if old:
        session.execute(update(LatestQuote), old)


def read(session: Session, source: str, received_after: datetime | None = None) -> dict[str, Quote]:
    """The stored quotes of a source by ticker, all or those received since a wall time."""
    query = select(LatestQuote).where(LatestQuote.source == source)
    if received_after is not None:
        query = query.where(LatestQuote.received_at >= received_after)
    return {row.ticker: _quote(row) for row in session.scalars(query)}


def _row(quote: Quote) -> dict[str, Any]:
    return {name: getattr(quote, name) for name in _COLUMNS}


def _quote(row: LatestQuote) -> Quote:
    return Quote(**{name: getattr(row, name) for name in _COLUMNS})
