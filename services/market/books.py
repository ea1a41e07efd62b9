"""The prices in memory, one kind for each source: computed from the recorded bars, or as the feed last heard them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from threading import Lock

from services.market.hours import exchange_day
from utils.market_source import Bar, IntradayBar, Quote, SourceName, UnknownTicker
from utils.replay_market import ReplaySource


class ReplayBook:
    """The replay needs no storing: every quote is computed from the bars and the clock, alike in every process."""

    name: SourceName = "replay"

    def __init__(self, source: ReplaySource) -> None:
        self._source = source

    def quotes(self, tickers: Iterable[str]) -> dict[str, Quote]:
        return self._source.quotes(tickers)

    def today(self, ticker: str) -> Bar | None:
        try:
            bars = self._source.daily_bars(ticker, date.min, date.max)
        except UnknownTicker:
            return None
        return bars[-1]

    def intraday(self, ticker: str, days: int) -> list[IntradayBar]:
        try:
            return self._source.intraday_bars(ticker, days)
        except UnknownTicker:
            return []

    def newest_time(self) -> datetime | None:
        quotes = self._source.quotes(info.ticker for info in self._source.instruments())
        return max((quote.provider_time for quote in quotes.values() if quote.provider_time), default=None)


class LiveBook:
    """What the feed last heard from the live source. The feed writes, many threads read."""

    name: SourceName = "yfinance"

    def __init__(self) -> None:
        self._lock = Lock()
        self._quotes: dict[str, Quote] = {}
        self._intraday: dict[str, list[IntradayBar]] = {}

    def quotes(self, tickers: Iterable[str]) -> dict[str, Quote]:
        known = self._quotes
        return {ticker: known[ticker] for ticker in tickers if ticker in known}

    def everything(self) -> dict[str, Quote]:
        """All quotes by ticker; must not be changed."""
        return self._quotes

    def put(self, quotes: Mapping[str, Quote]) -> None:
        """Take over newer quotes. The whole board is replaced, so that a reader never sees it half changed."""
        with self._lock:
            fresh = {ticker: with_traded(quote, self._quotes.get(ticker)) for ticker, quote in quotes.items()}
            self._quotes = {**self._quotes, **fresh}

    def put_intraday(self, ticker: str, bars: list[IntradayBar]) -> None:
        with self._lock:
            self._intraday = {**self._intraday, ticker: bars}

    def today(self, ticker: str) -> Bar | None:
        quote = self._quotes.get(ticker)
        return None if quote is None else bar_of(quote)

    def intraday(self, ticker: str, days: int) -> list[IntradayBar]:
        bars = self._intraday.get(ticker, [])
        kept = sorted({exchange_day(bar.time) for bar in bars})[-days:]
        return [bar for bar in bars if exchange_day(bar.time) in kept]

    def newest_time(self) -> datetime | None:
        return max((quote.provider_time for quote in self._quotes.values() if quote.provider_time), default=None)


def with_traded(quote: Quote, before: Quote | None) -> Quote:
    """The quote with the shares traded since the one before it; unknown at first. A smaller volume is a new day's."""
    if quote.traded is not None or quote.volume is None or before is None or before.volume is None:
        return quote
    if quote.provider_time == before.provider_time:
        return replace(quote, traded=before.traded)
    return replace(quote, traded=quote.volume - before.volume if quote.volume >= before.volume else quote.volume)


def bar_of(quote: Quote) -> Bar | None:
    """The day so far as a quote tells it; None where the quote lacks its time, open, high or low.

    The newest day's close needs no adjustment: adjusted prices are counted back from it.
    """
    if quote.provider_time is None or quote.open is None or quote.high is None or quote.low is None:
        return None
    return Bar(
        ticker=quote.ticker,
        date=exchange_day(quote.provider_time),
        open=quote.open,
        high=quote.high,
        low=quote.low,
        close=quote.last,
        adj_close=quote.last,
        volume=quote.volume or 0,
    )
