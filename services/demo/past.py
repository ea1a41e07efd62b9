"""The market of finished days, as the demo's traders saw it: sessions and quotes made from stored bars."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Instrument, MarketData
from services.errors import Refused
from services.market import bars as bar_store
from services.market.hours import TradingHours, recorded_sessions
from services.market.market import MarketStatus
from utils.market_source import Bar, Quote, SourceName
from utils.market_source import Session as TradingSession
from utils.number_utils import CENT

HALF_SPREAD = CENT


class PastMarket:
    """A Market that stands at any moment of the finished days, and has a quote only at the prices it is asked to make.

    `stand_at` moves it. A quote lies within its day's range, the same for the same seed.
    """

    def __init__(self, source: SourceName, days: dict[str, dict[TradingSession, Bar]], chance: random.Random) -> None:
        self._source = source
        self._bars = days
        self._chance = chance
        self.tickers = sorted(days)
        self.sessions = sorted({session for bars in days.values() for session in bars}, key=lambda one: one.opens)
        self._hours = TradingHours(self.sessions)
        self._now = self.sessions[0].opens
        self._session = self.sessions[0]
        self._quotes: dict[str, Quote] = {}

    @property
    def source_name(self) -> SourceName:
        return self._source

    def stand_at(self, session: TradingSession, share: float) -> datetime:
        """Move to a moment of a session: 0 is its open, 1 its close. Every ticker has a new price there."""
        self._session = session
        self._now = session.opens + (session.closes - session.opens - timedelta(seconds=1)) * share
        self._quotes = {}
        return self._now

    def now(self) -> datetime:
        return self._now

    def quote(self, ticker: str) -> Quote | None:
        if ticker not in self._quotes and self._session in self._bars.get(ticker, {}):
            self._quotes[ticker] = self._made(self._bars[ticker][self._session])
        return self._quotes.get(ticker)

    def quotes(self, tickers: Iterable[str]) -> dict[str, Quote]:
        found = {ticker: self.quote(ticker) for ticker in tickers}
        return {ticker: quote for ticker, quote in found.items() if quote is not None}

    def is_open(self, moment: datetime | None = None) -> bool:
        return self._hours.is_open(moment or self._now)

    def session_at(self, moment: datetime) -> TradingSession | None:
        return self._hours.session_at(moment)

    def next_session(self, moment: datetime) -> TradingSession | None:
        return self._hours.next_session(moment)

    def ended(self) -> bool:
        return False

    def status(self) -> MarketStatus:
        return MarketStatus(self._source, self._now, "open", 1, self._now, "")

    def _made(self, bar: Bar) -> Quote:
        last = (bar.low + (bar.high - bar.low) * Decimal(repr(self._chance.random()))).quantize(CENT)
        last = min(max(last, bar.low), bar.high)
        return Quote(
            ticker=bar.ticker,
            last=last,
            bid=max(last - HALF_SPREAD, CENT),
            ask=last + HALF_SPREAD,
            open=bar.open,
            high=bar.high,
            low=bar.low,
            previous_close=bar.open,
            volume=bar.volume,
            provider_time=self._now,
            delay=0,
            source=self._source,
            traded=bar.volume,
        )


def read_past(session: Session, source: SourceName, days: int, chance: random.Random) -> PastMarket:
    """The newest `days` finished days of all tradable instruments that have a bar on most of them. Raises Refused when
    no bars are stored.
    """
    may_trade = select(Instrument.ticker).where(Instrument.tradable, Instrument.deactivated_at.is_(None))
    tradable = list(session.scalars(may_trade.order_by(Instrument.ticker)))
    newest = session.execute(select(func.max(MarketData.date)).where(MarketData.ticker.in_(tradable))).scalar_one()
    if newest is None:
        raise Refused(
            "No daily bars are stored yet, so there are no prices to trade at. Start the venue once, or run "
            "`flask market sync`.",
            code="NO_BARS",
        )
    start = newest - timedelta(days=days * 2 + 10)
    bars = {ticker: bar_store.daily(session, ticker, start, newest) for ticker in tradable}
    counted = Counter(bar.date for series in bars.values() for bar in series)
    wanted = sorted(counted)[-days:]
    sessions = {one.day: one for one in recorded_sessions(wanted)}
    return PastMarket(
        source, {ticker: _by_session(sessions, series) for ticker, series in bars.items() if series}, chance
    )


def _by_session(sessions: dict[date, TradingSession], series: Sequence[Bar]) -> dict[TradingSession, Bar]:
    return {sessions[bar.date]: bar for bar in series if bar.date in sessions and bar.low > CENT}
