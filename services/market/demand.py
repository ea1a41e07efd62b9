"""Which tickers somebody wants to see. Pages ask, the feed fetches: a page never waits for the source."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta
from threading import Lock

from utils.datetime_utils import Clock

TICKER_PATTERN = re.compile(r"[A-Z0-9^][A-Z0-9.\-=^]{0,9}", re.ASCII)
REMEMBERED_FOR = timedelta(minutes=15)
MOST_REMEMBERED = 100  # so that nobody can make the feed ask for thousands of tickers
LONGEST_SEARCH = 40


def is_ticker(text: str) -> bool:
    """Whether the text has the form of a ticker."""
    return TICKER_PATTERN.fullmatch(text) is not None


class Demand:
    """The tickers asked for lately, at most MOST_REMEMBERED, the newest kept. Safe for many threads."""

    def __init__(self, wall_clock: Clock) -> None:
        self._clock = wall_clock
        self._lock = Lock()
        self._asked: OrderedDict[str, datetime] = OrderedDict()
        self._intraday: OrderedDict[str, datetime] = OrderedDict()
        self._search: str | None = None

    def ask(self, tickers: Iterable[str]) -> None:
        """Somebody wants quotes of these."""
        self._note(self._asked, tickers)

    def ask_intraday(self, ticker: str) -> None:
        """Somebody looks at this ticker's course of the day."""
        self._note(self._intraday, (ticker,))

    def ask_search(self, text: str) -> None:
        """Somebody looks for an instrument that may not be known yet. Only the newest text is kept."""
        self._search = text.strip()[:LONGEST_SEARCH] or None

    def take_search(self) -> str | None:
        """The text somebody looked for since the last call; None when nobody did."""
        text, self._search = self._search, None
        return text

    def tickers(self) -> list[str]:
        """What was asked for lately, oldest first."""
        return self._recent(self._asked)

    def intraday_tickers(self) -> list[str]:
        """Whose course of the day was looked at lately, oldest first."""
        return self._recent(self._intraday)

    def _note(self, asked: OrderedDict[str, datetime], tickers: Iterable[str]) -> None:
        now = self._clock()
        with self._lock:
            for ticker in tickers:
                if is_ticker(ticker):
                    asked[ticker] = now
                    asked.move_to_end(ticker)
            while len(asked) > MOST_REMEMBERED:
                asked.popitem(last=False)

    def _recent(self, asked: OrderedDict[str, datetime]) -> list[str]:
        oldest = self._clock() - REMEMBERED_FOR
        with self._lock:
            return [ticker for ticker, at in asked.items() if at >= oldest]
