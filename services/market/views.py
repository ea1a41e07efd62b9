"""Quotes and the state of the market as the endpoints and the stream answer them."""

from __future__ import annotations

from typing import Any

from services.market.market import MarketState, MarketStatus
from utils.market_source import Quote


def quote_view(quote: Quote, market_state: MarketState) -> dict[str, Any]:
    """A quote. Prices in dollars, `quote_time` the provider's time (UTC), `delay` in minutes."""
    return {
        "ticker": quote.ticker,
        "price": quote.last,
        "change": quote.change,
        "change_percent": quote.change_percent,
        "bid": quote.bid,
        "ask": quote.ask,
        "open": quote.open,
        "high": quote.high,
        "low": quote.low,
        "previous_close": quote.previous_close,
        "volume": quote.volume,
        "quote_time": quote.provider_time,
        "delay": quote.delay,
        "source": quote.source,
        "market_state": market_state,
    }


def market_view(status: MarketStatus) -> dict[str, Any]:
    """Which market this is, its time (UTC), its state, and how many times as fast as ours its clock runs."""
    return {
        "source": status.source_name,
        "time": status.now,
        "state": status.state,
        "speed": status.speed,
        "message": status.message,
    }
