"""A stand-in for Yahoo Finance on a port of this machine: it answers yfinance's requests, and misbehaves on demand.

`with YahooStandIn() as yahoo:` serves until the block ends; give `yahoo.url` as YAHOO_BASE_URL. What it answers is set
by plain attributes, at any time:

- `mode`: "normal", or for every request "rate_limited" (HTTP 429), "html" (a page instead of JSON), "broken" (HTTP 500)
  or "blackhole" (takes the connection and never answers).
- `unknown`: tickers that are answered with 404.
- `quotes`: fields by ticker that replace the ones of /v7/finance/quote (NaN, zero, ...; `None` leaves one out).
- `chart_meta`: the same for a chart's description. `chart_rows`: the same for a chart's series, by its name.
- `batch_refused`: /v7/finance/quote answers 401.
- `quote_time`: the provider's time of all quotes, seconds since 1970.

`requests` lists (host it was meant for, path without query, query) of everything asked so far.
"""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

HOLD_SECONDS = 30
DAY = 86_400
SESSION = 23_400
OPENS = 14 * 3_600 + 1_800  # 09:30 in New York in winter, seconds after midnight UTC
RANGES = {"1d": 1, "5d": 7, "1mo": 31, "3mo": 92, "6mo": 183, "1y": 366, "2y": 731, "5y": 1827, "max": 7305}
STEPS = {"1m": 60, "5m": 300}
REPORTS = ("2023-09-30", "2024-09-30", "2025-09-30")
REPORTED = (
    "TotalRevenue",
    "CostOfRevenue",
    "GrossProfit",
    "NetIncome",
    "TotalAssets",
    "CurrentAssets",
    "StockholdersEquity",
)


class YahooStandIn:
    """The server and its script. See the module."""

    def __init__(self) -> None:
        self.mode = "normal"
        self.unknown: set[str] = {"NOPE"}
        self.quotes: dict[str, dict[str, Any]] = {}
        self.chart_meta: dict[str, Any] = {}
        self.chart_rows: dict[str, list[Any]] = {}
        self.batch_refused = False
        self.quote_time = int(time.time())
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self._released = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def asked(self, part: str) -> int:
        """How many requests had this text in their path."""
        return sum(part in path for _host, path, _query in self.requests)

    def __enter__(self) -> YahooStandIn:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def hold(self) -> None:
        """Say nothing until the block ends."""
        self._released.wait(HOLD_SECONDS)

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, Any]:
        """Status and body (JSON-able, or text) of a request in normal mode."""
        ticker = unquote(path.rsplit("/", 1)[-1])
        if path.endswith("/getcrumb"):
            return 200, "crumb"
        if path.endswith("/v7/finance/quote"):
            return (401, {"finance": {"error": "Invalid Crumb"}}) if self.batch_refused else (200, self._batch(query))
        if path.endswith("/v1/finance/search"):
            return 200, _search(query["q"])
        if ticker in self.unknown:
            return 404, {"chart": {"result": None, "error": {"code": "Not Found", "description": "No data found"}}}
        if "/v8/finance/chart/" in path:
            return 200, self._chart(ticker, query)
        if "/v10/finance/quoteSummary/" in path:
            return 200, _summary(ticker)
        if "/fundamentals-timeseries/" in path:
            return 200, _time_series(query.get("type", ""))
        return 200 if path == "/" else 404, {}

    def _batch(self, query: dict[str, str]) -> dict[str, Any]:
        known = [ticker for ticker in query["symbols"].split(",") if ticker not in self.unknown]
        return {"quoteResponse": {"result": [self._quote(ticker) for ticker in known], "error": None}}

    def _quote(self, ticker: str) -> dict[str, Any]:
        level = _level(ticker)
        fields = {
            "symbol": ticker,
            "currency": "USD",
            "quoteType": "EQUITY",
            "regularMarketPrice": level + 1.2299957,
            "bid": level + 1.2,
            "ask": level + 1.26,
            "regularMarketOpen": level,
            "regularMarketDayHigh": level + 2,
            "regularMarketDayLow": level - 2,
            "regularMarketPreviousClose": level - 0.5,
            "regularMarketVolume": 1_234_567,
            "regularMarketTime": self.quote_time,
            "exchangeDataDelayedBy": 0,
        }
        return {name: value for name, value in {**fields, **self.quotes.get(ticker, {})}.items() if value is not None}

    def _chart(self, ticker: str, query: dict[str, str]) -> dict[str, Any]:
        interval = query.get("interval", "1d")
        times = _times(query, interval)
        level = _level(ticker)
        series = {
            "open": [level + 0.5 for _ in times],
            "high": [level + 2 for _ in times],
            "low": [level - 2 for _ in times],
            "close": [level + 1 + seconds % 97 / 100 for seconds in times],
            "volume": [10_000 + seconds % 1000 for seconds in times],
        }
        series.update(self.chart_rows)
        indicators: dict[str, Any] = {"quote": [series]}
        if interval == "1d":
            indicators["adjclose"] = [{"adjclose": [value and value / 2 for value in series["close"]]}]
        result = {"meta": self._meta(ticker, interval, times), "timestamp": times, "indicators": indicators}
        return {"chart": {"result": [result], "error": None}}

    def _meta(self, ticker: str, interval: str, times: list[int]) -> dict[str, Any]:
        level = _level(ticker)
        opens = times[-1] // DAY * DAY + OPENS
        regular = {"timezone": "EST", "start": opens, "end": opens + SESSION, "gmtoffset": -18_000}
        fields = {
            "symbol": ticker,
            "currency": "USD",
            "instrumentType": "INDEX" if ticker.startswith("^") else "EQUITY",
            "exchangeName": "NMS",
            "fullExchangeName": "NasdaqGS",
            "exchangeTimezoneName": "America/New_York",
            "timezone": "EST",
            "gmtoffset": -18_000,
            "longName": f"{ticker} Incorporated",
            "regularMarketPrice": level + 1.5,
            "regularMarketTime": self.quote_time,
            "regularMarketDayHigh": level + 2,
            "regularMarketDayLow": level - 2,
            "regularMarketVolume": 7_654_321,
            "previousClose": level - 0.5,
            "chartPreviousClose": level - 0.5,
            "priceHint": 2,
            "dataGranularity": interval,
            "range": "",
            "validRanges": list(RANGES),
            "hasPrePostMarketData": True,
            "firstTradeDate": 345_479_400,
            "currentTradingPeriod": {"pre": regular, "regular": regular, "post": regular},
        }
        if interval in STEPS:
            fields["tradingPeriods"] = [[regular]]
        return {name: value for name, value in {**fields, **self.chart_meta}.items() if value is not None}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up waiting is what some of the tests are about."""


def _handler(script: YahooStandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            script.requests.append((self.headers.get("X-Stub-Host", ""), parts.path, query))
            if script.mode == "blackhole":
                script.hold()
                return
            self._send(*self._answer(parts.path, query))

        do_POST = do_GET  # noqa: N815

        def _answer(self, path: str, query: dict[str, str]) -> tuple[int, Any]:
            if script.mode == "rate_limited":
                return 429, "Too Many Requests"
            if script.mode == "html":
                return 200, "<!DOCTYPE html><html><body>We will be right with you</body></html>"
            if script.mode == "broken":
                return 500, "Internal Server Error"
            return script.answer(path, query)

        def _send(self, status: int, body: Any) -> None:
            data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if isinstance(body, str) else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet: `requests` remembers."""

    return Handler


def _level(ticker: str) -> float:
    """The price around which everything of a ticker moves."""
    return 100.0 + sum(map(ord, ticker)) % 50


def _times(query: dict[str, str], interval: str) -> list[int]:
    """The starts of the bars asked for, on weekdays whose open lies between the limits."""
    end = int(query.get("period2", time.time()))
    start = int(query.get("period1", end - DAY * max(4, RANGES.get(query.get("range", "1mo"), 31))))
    days = _weekdays(datetime.fromtimestamp(start, UTC).date(), datetime.fromtimestamp(end, UTC).date())
    opens = [int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) + OPENS for day in days]
    opens = [at for at in opens if at < end]
    if interval not in STEPS:
        return opens
    kept = opens[-(5 if query.get("range") == "5d" else 1) :]
    return [second for at in kept for second in range(at, at + SESSION, STEPS[interval])]


def _weekdays(start: date, end: date) -> list[date]:
    every = (start + timedelta(days=number) for number in range((end - start).days + 1))
    return [day for day in every if day.weekday() < 5]


def _search(text: str) -> dict[str, Any]:
    found = [
        {"symbol": text.upper(), "shortname": f"{text.title()} Corp.", "quoteType": "EQUITY", "exchDisp": "NASDAQ"},
        {"symbol": "EURUSD=X", "shortname": "EUR/USD", "quoteType": "CURRENCY"},
    ]
    return {"quotes": found, "news": []}


def _summary(ticker: str) -> dict[str, Any]:
    modules = {
        "financialData": {"totalRevenue": 400_000_000_000, "operatingCashflow": 110_000_000_000},
        "defaultKeyStatistics": {
            "trailingEps": 6.42,
            "priceToBook": 41.123456,
            "netIncomeToCommon": 99_000_000_000,
            "mostRecentQuarter": 1_759_190_400,
        },
        "summaryDetail": {"trailingPE": 25.1, "marketCap": 2_300_000_000_000, "trailingAnnualDividendYield": 0.0041},
        "quoteType": {"symbol": ticker, "quoteType": "EQUITY"},
    }
    return {"quoteSummary": {"result": [modules], "error": None}}


def _time_series(types: str) -> dict[str, Any]:
    return {"timeseries": {"result": [_series(name) for name in types.split(",") if name], "error": None}}


def _series(name: str) -> dict[str, Any]:
    reported = name.removeprefix("annual") in REPORTED
    if not reported:
        return {"meta": {"type": [name]}}
    stamps = [int(datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp()) for day in REPORTS]
    values = [{"asOfDate": day, "reportedValue": {"raw": 1e9 * (number + 1)}} for number, day in enumerate(REPORTS)]
    return {"meta": {"type": [name]}, "timestamp": stamps, name: values}
