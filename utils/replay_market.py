"""The replay: recorded daily bars as a market that moves, behind the same protocol as the live one.

Everything is a pure function of the bars, the sessions and the market clock, so that every process and every restart
sees the same prices. Nothing looks ahead: a ticker whose first bar has not opened yet does not exist.
"""

from __future__ import annotations

import csv
import gzip
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from utils.datetime_utils import Clock
from utils.market_source import Bar, InstrumentInfo, IntradayBar, Quote, Session, SourceName, Statement, UnknownTicker
from utils.number_utils import round_price
from utils.replay_clock import ReplayAnchor, ReplayTimeline
from utils.replay_path import DayPath, day_path, spread

__all__ = ["REPLAY_INSTRUMENTS", "ReplayAnchor", "ReplaySource", "ReplayTimeline", "load_bars"]

INTRADAY_STEP = timedelta(minutes=5)

REPLAY_INSTRUMENTS = {
    info.ticker: info
    for info in (
        InstrumentInfo("AAPL", "Apple Inc.", "NASDAQ", tradable=True),
        InstrumentInfo("FB", "Facebook, Inc.", "NASDAQ", tradable=True),
        InstrumentInfo("GOOG", "Google Inc.", "NASDAQ", tradable=True),
        InstrumentInfo("IBM", "International Business Machines Corporation", "NYSE", tradable=True),
        InstrumentInfo("MSFT", "Microsoft Corporation", "NASDAQ", tradable=True),
        InstrumentInfo("^GSPC", "S&P 500 index", "S&P", tradable=False),
    )
}


def load_bars(path: Path) -> dict[str, list[Bar]]:
    """Read the recorded bars by ticker, oldest first. adj_close is rounded to the four places of the tables."""
    bars: dict[str, list[Bar]] = {}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            bars.setdefault(row["ticker"], []).append(_bar(row))
    for series in bars.values():
        series.sort(key=lambda bar: bar.date)
    return bars


def _bar(row: Mapping[str, str]) -> Bar:
    return Bar(
        ticker=row["ticker"],
        date=date.fromisoformat(row["date"]),
        open=Decimal(row["open"]),
        high=Decimal(row["high"]),
        low=Decimal(row["low"]),
        close=Decimal(row["close"]),
        adj_close=round_price(Decimal(row["adj_close"])),
        volume=int(row["volume"]),
    )


class ReplaySource:
    """A MarketSource over recorded bars. Never touches a network, and its calls take microseconds."""

    name: SourceName = "replay"

    def __init__(
        self,
        bars: Mapping[str, Sequence[Bar]],
        sessions: Sequence[Session],
        clock: Clock,
        instruments: Mapping[str, InstrumentInfo] = REPLAY_INSTRUMENTS,
        tick: int = 60,
    ) -> None:
        """`bars` by ticker and `sessions`, both oldest first; every bar's day must be a session. `clock` is the
        market clock, `tick` how many market seconds lie between two price updates.
        """
        self._tick = tick
        self._bars = {ticker: tuple(series) for ticker, series in bars.items() if series}
        self._days = {ticker: [bar.date for bar in series] for ticker, series in self._bars.items()}
        self._sessions = {session.day: session for session in sessions}
        self._opens = [session.opens for session in sessions]
        self._order = tuple(sessions)
        self._clock = clock
        self._instruments = instruments

    def now(self) -> datetime:
        return self._clock()

    def quotes(self, tickers: Iterable[str]) -> dict[str, Quote]:
        now = self._clock()
        found = ((ticker, self._quote(ticker, now)) for ticker in tickers)
        return {ticker: quote for ticker, quote in found if quote is not None}

    def daily_bars(self, ticker: str, start: date, end: date) -> list[Bar]:
        """As MarketSource says; the bar of a session that is still open is the path so far."""
        now = self._clock()
        known = self._known(ticker, now)
        chosen = [bar for bar in known if start <= bar.date <= end]
        if chosen and self._sessions[chosen[-1].date].closes > now:
            chosen[-1] = self._so_far(chosen[-1], now)
        return chosen

    def intraday_bars(self, ticker: str, days: int) -> list[IntradayBar]:
        now = self._clock()
        known = self._known(ticker, now)[-days:] if days > 0 else ()
        return [part for bar in known for part in self._parts(bar, now)]

    def search(self, text: str, limit: int) -> list[InstrumentInfo]:
        wanted = text.strip().casefold()
        matches = [
            info for info in self.instruments() if wanted in info.ticker.casefold() or wanted in info.name.casefold()
        ]
        return matches[:limit]

    def instruments(self) -> list[InstrumentInfo]:
        """Every instrument that exists at the market's now, by ticker."""
        now = self._clock()
        return [self._info(ticker) for ticker in sorted(self._bars) if self._count(ticker, now)]

    def instrument(self, ticker: str) -> InstrumentInfo:
        self._known(ticker, self._clock())
        return self._info(ticker)

    def fundamentals(self, ticker: str) -> Statement | None:
        """None: the recorded data hold prices only."""
        self._known(ticker, self._clock())
        return None

    def balance_sheets(self, ticker: str) -> Sequence[Statement]:
        self._known(ticker, self._clock())
        return ()

    def income_statements(self, ticker: str) -> Sequence[Statement]:
        self._known(ticker, self._clock())
        return ()

    def _info(self, ticker: str) -> InstrumentInfo:
        return self._instruments.get(ticker) or InstrumentInfo(ticker, ticker, "", not ticker.startswith("^"))

    def _count(self, ticker: str, now: datetime) -> int:
        """How many bars of the ticker have begun."""
        begun = bisect_right(self._opens, now)
        if ticker not in self._bars or not begun:
            return 0
        return bisect_right(self._days[ticker], self._order[begun - 1].day)

    def _known(self, ticker: str, now: datetime) -> tuple[Bar, ...]:
        count = self._count(ticker, now)
        if not count:
            raise UnknownTicker(f"{ticker} is not known to the recorded market.")
        return self._bars[ticker][:count]

    def _quote(self, ticker: str, now: datetime) -> Quote | None:
        count = self._count(ticker, now)
        if not count:
            return None
        bar = self._bars[ticker][count - 1]
        session = self._sessions[bar.date]
        point = self._path(bar).at(_seconds(session.opens, now))
        bid, ask = spread(point.last) if self._info(ticker).tradable else (None, None)
        return Quote(
            ticker=ticker,
            last=point.last,
            bid=bid,
            ask=ask,
            open=bar.open,
            high=point.high,
            low=point.low,
            previous_close=self._bars[ticker][count - 2].close if count > 1 else None,
            volume=point.volume,
            provider_time=min(now, session.closes),
            delay=0,
            source=self.name,
            traded=self._traded(bar, _seconds(session.opens, now)),
        )

    def _traded(self, bar: Bar, seconds: int) -> int:
        """Shares traded since the price update before; the first update of a day holds all that came until it."""
        path = self._path(bar)
        before = path.at(seconds - self._tick).volume if seconds >= self._tick else 0
        return path.at(seconds).volume - before

    def _path(self, bar: Bar) -> DayPath:
        session = self._sessions[bar.date]
        return day_path(bar, _seconds(session.opens, session.closes) // 60)

    def _so_far(self, bar: Bar, now: datetime) -> Bar:
        """The bar as it stands now. Its adjustment is the day's own factor, which dividends paid later have set."""
        point = self._path(bar).at(_seconds(self._sessions[bar.date].opens, now))
        adjusted = round_price(point.last * bar.adj_close / bar.close)
        return Bar(bar.ticker, bar.date, bar.open, point.high, point.low, point.last, adjusted, point.volume)

    def _parts(self, bar: Bar, now: datetime) -> list[IntradayBar]:
        session, path = self._sessions[bar.date], self._path(bar)
        ends = min(now, session.closes)
        parts = [_part(bar.ticker, path, session.opens, session.opens, ends)]
        start = session.opens + INTRADAY_STEP
        while start < ends:
            parts.append(_part(bar.ticker, path, session.opens, start, ends))
            start += INTRADAY_STEP
        return parts


def _part(ticker: str, path: DayPath, opens: datetime, start: datetime, ends: datetime) -> IntradayBar:
    """The five minutes from `start`, or as much of them as has passed. The first part holds the opening auction."""
    first = _seconds(opens, start)
    last = _seconds(opens, min(start + INTRADAY_STEP, ends))
    points = [path.at(second) for second in (*range(first, last, 60), last)]
    before = 0 if first == 0 else points[0].volume
    return IntradayBar(
        ticker=ticker,
        time=start,
        open=points[0].last,
        high=max(point.last for point in points),
        low=min(point.last for point in points),
        close=points[-1].last,
        volume=points[-1].volume - before,
    )


def _seconds(start: datetime, end: datetime) -> int:
    return (end - start) // timedelta(seconds=1)
