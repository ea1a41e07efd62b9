"""What Yahoo's answers mean. Pure: decoded JSON and tables in, our own types out; whatever is malformed is refused.

A price must be a finite number above zero; anything else counts as missing. Prices are rounded to four places, because
Yahoo sends binary floats (151.2299957 for 151.23).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from utils.market_source import Bar, InstrumentInfo, IntradayBar, MarketSourceError, Quote, Statement
from utils.number_utils import PRICE_LIMIT, round_price

SOURCE = "yfinance"
ONE_MINUTE = timedelta(minutes=1)
TRADABLE_TYPES = ("EQUITY", "ETF")
TICKER_LENGTH = 10

Json = dict[str, Any]

# Columns of our tables by the name of the figure in yfinance's `info`, first one that is there.
FUNDAMENTAL_FIGURES: dict[str, tuple[str, ...]] = {
    "market_cap": ("marketCap",),
    "pe_ratio": ("trailingPE",),
    "pb_ratio": ("priceToBook",),
    "dividend_yield": ("trailingAnnualDividendYield",),  # dividendYield is a percentage in one of its two sources
    "revenue": ("totalRevenue",),
    "net_income": ("netIncomeToCommon",),
    "eps": ("trailingEps", "epsTrailingTwelveMonths"),
    "operating_cash_flow": ("operatingCashflow",),
}
RATIOS = ("pe_ratio", "pb_ratio", "dividend_yield", "eps")

# Columns of our tables by the name of the row in yfinance's statements.
BALANCE_SHEET_ROWS: dict[str, tuple[str, ...]] = {
    "current_assets": ("Current Assets",),
    "non_current_assets": ("Total Non Current Assets",),
    "total_assets": ("Total Assets",),
    "current_liabilities": ("Current Liabilities",),
    "non_current_liabilities": ("Total Non Current Liabilities Net Minority Interest",),
    "total_liabilities": ("Total Liabilities Net Minority Interest",),
    "total_equity": ("Stockholders Equity", "Total Equity Gross Minority Interest"),
}
INCOME_STATEMENT_ROWS: dict[str, tuple[str, ...]] = {
    "revenue": ("Total Revenue", "Operating Revenue"),
    "cost_of_revenue": ("Cost Of Revenue", "Reconciled Cost Of Revenue"),
    "gross_profit": ("Gross Profit",),
    "operating_income": ("Operating Income", "Total Operating Income As Reported"),
    "income_before_tax": ("Pretax Income",),
    "net_income": ("Net Income", "Net Income Common Stockholders"),
}


def decoded(text: str) -> Json:
    """JSON with exact decimals; NaN and infinities become None. Raises MarketSourceError for anything else."""
    try:
        answer = json.loads(text, parse_float=Decimal, parse_constant=lambda _name: None)
    except ValueError as error:
        raise MarketSourceError("Yahoo Finance answered something that is not JSON.") from error
    if not isinstance(answer, dict):
        raise MarketSourceError("Yahoo Finance answered in an unknown form.")
    return answer


def number(value: object) -> Decimal | None:
    """A finite number, or None. Takes Yahoo's {"raw": 1.5} too."""
    if isinstance(value, Mapping):
        value = value.get("raw")
    if isinstance(value, bool) or value is None:
        return None
    try:
        read = Decimal(str(value))
    except InvalidOperation:
        return None
    return read if read.is_finite() else None


def price(value: object) -> Decimal | None:
    """A price above zero that fits the tables, rounded to four places; otherwise None."""
    read = number(value)
    if read is None or not 0 < read <= PRICE_LIMIT:
        return None
    rounded = round_price(read)
    return rounded if rounded > 0 else None


def whole(value: object) -> int | None:
    """A whole number, cut off behind the point; otherwise None."""
    read = number(value)
    return None if read is None else int(read)


def shares(value: object) -> int | None:
    """A volume: a whole number not below zero; otherwise None."""
    read = whole(value)
    return read if read is not None and read >= 0 else None


def moment(value: object) -> datetime | None:
    """Seconds since 1970 as a time in UTC; otherwise None."""
    seconds = number(value)
    if seconds is None or not 0 < seconds < 2**33:
        return None
    return datetime.fromtimestamp(int(seconds), UTC)


def batch_quotes(answer: Json) -> Iterator[Quote]:
    """The usable quotes of an answer of /v7/finance/quote, in dollars only."""
    for item in _entries(answer, "quoteResponse"):
        last = price(item.get("regularMarketPrice"))
        if last is None or not isinstance(item.get("symbol"), str) or item.get("currency", "USD") != "USD":
            continue
        yield Quote(
            ticker=item["symbol"],
            last=last,
            bid=price(item.get("bid")),
            ask=price(item.get("ask")),
            open=price(item.get("regularMarketOpen")),
            high=price(item.get("regularMarketDayHigh")),
            low=price(item.get("regularMarketDayLow")),
            previous_close=price(item.get("regularMarketPreviousClose")),
            volume=shares(item.get("regularMarketVolume")),
            provider_time=moment(item.get("regularMarketTime")),
            delay=60 * (shares(item.get("exchangeDataDelayedBy")) or 0),
            source=SOURCE,
        )


def chart_meta(answer: Json) -> Json:
    """The description that comes with a chart. Raises MarketSourceError when there is none."""
    meta = _chart(answer).get("meta")
    if not isinstance(meta, dict):
        raise MarketSourceError("Yahoo Finance answered a chart without a description.")
    return meta


def chart_quote(ticker: str, answer: Json, now: datetime) -> Quote | None:
    """The quote that a chart of today's minutes tells; None without a usable price.

    Its time is the provider's: the one beside the price, else the end of the newest minute with that minute's price.
    """
    meta, minutes = chart_meta(answer), list(_minutes(answer))
    last, time = price(meta.get("regularMarketPrice")), moment(meta.get("regularMarketTime"))
    if minutes and (last is None or time is None):
        last, time = minutes[-1].close, min(minutes[-1].time + ONE_MINUTE, now)
    if last is None or meta.get("currency", "USD") != "USD":
        return None
    return Quote(
        ticker=ticker,
        last=last,
        bid=None,
        ask=None,
        open=minutes[0].open if minutes else None,
        high=price(meta.get("regularMarketDayHigh")),
        low=price(meta.get("regularMarketDayLow")),
        previous_close=price(meta.get("previousClose")) or price(meta.get("chartPreviousClose")),
        volume=shares(meta.get("regularMarketVolume")),
        provider_time=time,
        delay=60 * (shares(meta.get("exchangeDataDelayedBy")) or 0),
        source=SOURCE,
    )


def _minutes(answer: Json) -> Iterator[IntradayBar]:
    chart = _chart(answer)
    times = chart.get("timestamp")
    series = _mapping(_first(_mapping(chart.get("indicators")).get("quote")))
    if not isinstance(times, list):
        return
    for index, seconds in enumerate(times):
        row = [_at(series.get(name), index) for name in ("open", "high", "low", "close", "volume")]
        bar = intraday_bar("", moment(seconds), row)
        if bar is not None:
            yield bar


def intraday_bar(ticker: str, time: datetime | None, row: list[object]) -> IntradayBar | None:
    """A bar of [open, high, low, close, volume]; None when anything of it is malformed."""
    prices = [price(value) for value in row[:4]]
    volume = shares(row[4])
    if time is None or volume is None or not _sound(prices):
        return None
    first, high, low, close = (value for value in prices if value is not None)
    return IntradayBar(ticker, time, first, high, low, close, volume)


def daily_bar(ticker: str, day: date, row: list[object]) -> Bar | None:
    """A bar of [open, high, low, close, adj_close, volume]; None when anything of it is malformed."""
    prices, adjusted = [price(value) for value in row[:4]], price(row[4])
    volume = shares(row[5])
    if adjusted is None or volume is None or not _sound(prices):
        return None
    first, high, low, close = (value for value in prices if value is not None)
    return Bar(ticker, day, first, high, low, close, adjusted, volume)


def _sound(prices: list[Decimal | None]) -> bool:
    """Whether open, high, low and close are all there, and the range holds the other two."""
    known = [value for value in prices if value is not None]
    return len(known) == 4 and known[1] == max(known) and known[2] == min(known)


def instrument(ticker: str, meta: Json) -> InstrumentInfo:
    """What a chart's description says of its instrument. Only shares and funds in dollars are tradable here."""
    tradable = meta.get("instrumentType") in TRADABLE_TYPES and meta.get("currency") == "USD"
    name = meta.get("longName") or meta.get("shortName") or ticker
    return InstrumentInfo(ticker, str(name), str(meta.get("fullExchangeName") or ""), tradable)


def found_instruments(items: Iterable[Any]) -> Iterator[InstrumentInfo]:
    """The shares and funds among the results of a search."""
    for item in items:
        ticker = item.get("symbol") if isinstance(item, Mapping) else None
        if not isinstance(ticker, str) or len(ticker) > TICKER_LENGTH or item.get("quoteType") not in TRADABLE_TYPES:
            continue
        name = item.get("longname") or item.get("shortname") or ticker
        yield InstrumentInfo(ticker, str(name), str(item.get("exchDisp") or item.get("exchange") or ""), True)


def fundamentals(ticker: str, info: Mapping[str, Any], today: date) -> Statement | None:
    """Key figures as of the company's newest quarter, or today when that is not told; None when there are none."""
    figures: dict[str, Decimal | int | None] = {
        column: _figure(column, [info.get(name) for name in names]) for column, names in FUNDAMENTAL_FIGURES.items()
    }
    if all(value is None for value in figures.values()):
        return None
    reported = moment(info.get("mostRecentQuarter"))
    return Statement(ticker, reported.date() if reported else today, figures)


def _figure(column: str, values: list[object]) -> Decimal | int | None:
    read = next((value for value in map(number, values) if value is not None), None)
    if read is None:
        return None
    return round_price(read) if column in RATIOS else int(read)


def statement(ticker: str, day: date, column: Mapping[str, Any], rows: Mapping[str, tuple[str, ...]]) -> Statement:
    """One report out of a column of yfinance's table, by row name."""
    figures: dict[str, Decimal | int | None] = {
        ours: next((read for read in (whole(column.get(name)) for name in names) if read is not None), None)
        for ours, names in rows.items()
    }
    return Statement(ticker, day, figures)


def _entries(answer: Json, envelope: str) -> list[Json]:
    results = _mapping(answer.get(envelope)).get("result")
    if not isinstance(results, list):
        raise MarketSourceError(f"Yahoo Finance answered without a {envelope}.")
    return [item for item in results if isinstance(item, dict)]


def _chart(answer: Json) -> Json:
    entries = _entries(answer, "chart")
    if not entries:
        raise MarketSourceError("Yahoo Finance answered an empty chart.")
    return entries[0]


def _mapping(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _first(value: object) -> object:
    return value[0] if isinstance(value, list) and value else None


def _at(series: object, index: int) -> object:
    return series[index] if isinstance(series, list) and index < len(series) else None
