"""Live market data by Yahoo Finance. The only module that imports yfinance, and only when it is used.

Every call may take seconds and is held to a deadline; none may be made while a page is waiting. The answers are read by
yahoo_answers.py; what this module adds is the conversation: which request, through which session, and what an error
means.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import Any

from utils import yahoo_answers
from utils.datetime_utils import Clock, to_utc, utc_now
from utils.market_source import (
    Bar,
    InstrumentInfo,
    IntradayBar,
    MarketSourceError,
    Quote,
    RateLimited,
    SourceName,
    Statement,
    UnknownTicker,
)
from utils.yahoo_session import Budget, new_session

QUOTE_URL = "https://query1.finance.yahoo.com/v7/finance/quote"
CHART_URL = "https://query2.finance.yahoo.com/v8/finance/chart/"
BATCH_SIZE = 50
CALL_SECONDS = 8.0
BATCH_REFUSED_FOR = timedelta(minutes=10)
INTRADAY_INTERVAL = "5m"

logger = logging.getLogger(__name__)

# yfinance keeps one client for the whole process; so two calls at once would share each other's session.
_one_at_a_time = RLock()


class NoAnswer(MarketSourceError):
    """No connection, or no answer in time: asking for something else would not help."""


class YahooSource:
    """The live MarketSource. Safe for threads, which wait for each other."""

    name: SourceName = "yfinance"

    def __init__(self, base_url: str | None, cache_path: Path, wall_clock: Clock = utc_now) -> None:
        """`base_url` replaces the origin of all of Yahoo's servers (for proxies and tests). `cache_path` is the
        directory of yfinance's small caches.
        """
        self._base_url = base_url
        self._cache_path = cache_path
        self._wall = wall_clock
        self._budget = Budget()
        self._session: Any = None
        self._batch_refused_until: datetime | None = None

    def now(self) -> datetime:
        return self._wall()

    def cancel(self) -> None:
        """Make all further requests fail at once: the venue is stopping. The one on its way ends by itself."""
        self._budget.cancel()

    def answers(self, ticker: str, seconds: float) -> bool:
        """Whether Yahoo gives a price of the ticker within so many seconds."""
        try:
            with self._asking(seconds):
                return bool(self._quotes([ticker]))
        except MarketSourceError as error:
            logger.info("Yahoo Finance was asked and: %s", error)
            return False

    def quotes(self, tickers: Iterable[str]) -> dict[str, Quote]:
        wanted = list(dict.fromkeys(tickers))
        if not wanted:
            return {}
        with self._asking(CALL_SECONDS):
            return self._quotes(wanted)

    def daily_bars(self, ticker: str, start: date, end: date) -> list[Bar]:
        limits: dict[str, Any] = {"period": "max"} if start == date.min else {"start": start}
        if end < date.max:
            limits["end"] = end + timedelta(days=1)
        with self._asking(CALL_SECONDS):
            table = self._ticker(ticker).history(interval="1d", auto_adjust=False, actions=False, **limits)
        names = ["Open", "High", "Low", "Close", "Adj Close", "Volume"]
        bars = [yahoo_answers.daily_bar(ticker, at.date(), row) for at, row in _rows(table, names)]
        return [bar for bar in self._usable(ticker, bars) if start <= bar.date <= end]

    def intraday_bars(self, ticker: str, days: int) -> list[IntradayBar]:
        with self._asking(CALL_SECONDS):
            table = self._ticker(ticker).history(
                period=f"{days}d", interval=INTRADAY_INTERVAL, auto_adjust=False, actions=False
            )
        names = ["Open", "High", "Low", "Close", "Volume"]
        bars = [yahoo_answers.intraday_bar(ticker, to_utc(at), row) for at, row in _rows(table, names)]
        return self._usable(ticker, bars)

    def search(self, text: str, limit: int) -> list[InstrumentInfo]:
        with self._asking(CALL_SECONDS) as yfinance:
            found = yfinance.Search(text, max_results=limit, news_count=0, session=self._session)
            return list(yahoo_answers.found_instruments(found.quotes))[:limit]

    def instrument(self, ticker: str) -> InstrumentInfo:
        with self._asking(CALL_SECONDS):
            meta = yahoo_answers.chart_meta(self._chart(ticker))
        return yahoo_answers.instrument(ticker, meta)

    def fundamentals(self, ticker: str) -> Statement | None:
        with self._asking(CALL_SECONDS):
            info = self._ticker(ticker).info or {}
        return yahoo_answers.fundamentals(ticker, info, self._wall().date())

    def balance_sheets(self, ticker: str) -> Sequence[Statement]:
        with self._asking(CALL_SECONDS):
            table = self._ticker(ticker).balance_sheet
        return _statements(ticker, table, yahoo_answers.BALANCE_SHEET_ROWS)

    def income_statements(self, ticker: str) -> Sequence[Statement]:
        with self._asking(CALL_SECONDS):
            table = self._ticker(ticker).income_stmt
        return _statements(ticker, table, yahoo_answers.INCOME_STATEMENT_ROWS)

    def _quotes(self, tickers: list[str]) -> dict[str, Quote]:
        """All in one request; then one by one those that came without a time, or all when the batch is refused."""
        quotes = self._batch(tickers)
        for ticker in tickers:
            if ticker in quotes and quotes[ticker].provider_time is not None:
                continue
            if self._budget.spent and quotes:
                break
            quote = self._single(ticker, fatal=not quotes)
            if quote is not None:
                quotes[ticker] = quote
        return quotes

    def _batch(self, tickers: list[str]) -> dict[str, Quote]:
        """Quotes with bid and ask. Yahoo gives them only to who has its cookie, and refuses that at times."""
        if self._batch_refused_until is not None and self._wall() < self._batch_refused_until:
            return {}
        found: dict[str, Quote] = {}
        try:
            for start in range(0, len(tickers), BATCH_SIZE):
                answer = self._get(QUOTE_URL, {"symbols": ",".join(tickers[start : start + BATCH_SIZE])})
                found |= {quote.ticker: quote for quote in yahoo_answers.batch_quotes(answer)}
        except (RateLimited, NoAnswer):
            raise
        except MarketSourceError as error:
            logger.info("Yahoo Finance refuses quotes in one batch, so charts are asked: %s", error)
            self._batch_refused_until = self._wall() + BATCH_REFUSED_FOR
        return {ticker: quote for ticker, quote in found.items() if ticker in tickers}

    def _single(self, ticker: str, fatal: bool) -> Quote | None:
        """The quote of one ticker out of its chart. An error counts only when nothing else was heard either."""
        try:
            return yahoo_answers.chart_quote(ticker, self._chart(ticker), self._wall())
        except UnknownTicker:
            return None
        except RateLimited:
            raise
        except MarketSourceError:
            if fatal:
                raise
            return None

    def _chart(self, ticker: str) -> dict[str, Any]:
        return self._get(CHART_URL + ticker, {"range": "1d", "interval": "1m", "includePrePost": "false"})

    def _get(self, url: str, parameters: dict[str, str]) -> dict[str, Any]:
        """A request through yfinance's own client, which adds Yahoo's cookie and crumb."""
        from yfinance.data import YfData

        try:
            answer = YfData(session=self._session).get(url, params=parameters)
        except OSError as error:
            raise _meaning(error) from error
        if answer.status_code >= 400:
            raise _error_of(answer.status_code)
        return yahoo_answers.decoded(answer.text)

    def _ticker(self, ticker: str) -> Any:
        import yfinance

        return yfinance.Ticker(ticker, session=self._session)

    @contextmanager
    def _asking(self, seconds: float) -> Iterator[Any]:
        """Hold the requests inside to `seconds` together, and turn whatever comes out of yfinance into our errors."""
        with _one_at_a_time:
            yfinance = self._connected()
            errors = yfinance.exceptions
            try:
                with self._budget.of(seconds):
                    yield yfinance
            except MarketSourceError:
                raise
            except errors.YFRateLimitError as error:
                raise _error_of(429) from error
            except (errors.YFPricesMissingError, errors.YFTzMissingError) as error:
                raise UnknownTicker("Yahoo Finance knows no prices of this ticker.") from error
            except Exception as error:
                # yfinance documents no set of errors: besides its own and curl_cffi's, malformed answers come out as
                # KeyError, TypeError, ValueError and pandas' own. All of them mean that there is no usable answer.
                raise _meaning(error) from error

    def _connected(self) -> Any:
        """yfinance, set up for this source: our session, our cache, errors raised instead of logged."""
        with warnings.catch_warnings():  # on import it turns deprecation warnings on for everybody
            import yfinance
            from yfinance.data import YfData
        if self._session is None:
            self._cache_path.mkdir(parents=True, exist_ok=True)
            yfinance.set_tz_cache_location(str(self._cache_path))
            yfinance.config.debug.hide_exceptions = False
            logging.getLogger("yfinance").setLevel(logging.ERROR)  # its warnings tell of steps that we tell as a whole
            self._session = new_session(self._budget, self._base_url)
            YfData.cache_get.cache_clear()
        YfData(session=self._session)
        return yfinance

    def _usable(self, ticker: str, bars: list[Any]) -> list[Any]:
        """The bars that are not malformed. Raises MarketSourceError when there were some and none is usable."""
        usable = [bar for bar in bars if bar is not None]
        if bars and not usable:
            raise MarketSourceError(f"Yahoo Finance sent only malformed bars of {ticker}.")
        if len(usable) < len(bars):
            logger.warning("%d malformed bars of %s are left out", len(bars) - len(usable), ticker)
        return usable


def _meaning(error: Exception) -> MarketSourceError:
    """Our error for one that came out of yfinance."""
    status = getattr(getattr(error, "response", None), "status_code", 0)
    if isinstance(status, int) and status >= 400:
        return _error_of(status)
    if isinstance(error, OSError):  # curl_cffi: no connection, no answer in time
        return NoAnswer("Yahoo Finance does not answer.")
    return MarketSourceError(f"Yahoo Finance gave no usable answer ({type(error).__name__}).")


def _error_of(status: int) -> MarketSourceError:
    if status == 404:
        return UnknownTicker("Yahoo Finance does not know this ticker.")
    if status == 429:
        return RateLimited("Yahoo Finance asks for fewer requests.")
    return MarketSourceError(f"Yahoo Finance answered with HTTP status {status}.")


def _rows(table: Any, names: list[str]) -> Iterator[tuple[datetime, list[object]]]:
    """The rows of a table of yfinance with their times, oldest first."""
    if len(table):
        for row in table[names].itertuples(name=None):
            yield row[0].to_pydatetime(), list(row[1:])


def _statements(ticker: str, table: Any, rows: Mapping[str, tuple[str, ...]]) -> list[Statement]:
    """The reports in yfinance's table, one a column, newest first; a column without any of our figures is left out."""
    found = [
        yahoo_answers.statement(ticker, day.date(), table[day].to_dict(), rows)
        for day in sorted(table.columns, reverse=True)
    ]
    return [statement for statement in found if any(value is not None for value in statement.figures.values())]
