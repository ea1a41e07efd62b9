"""Indicators of a ticker, aligned to the rows that the chart of the same period shows.

Daily ones are computed from all stored bars and then cut to the period, so that a value does not depend on how much of
the past is shown; what is missing at the very beginning (the warm-up) is null. The day that still runs counts with its
price so far, as in the chart: its last value moves until the close, and `running` says so. Prices are those of the
chart, as traded; with `adjusted`, all of them are adjusted for splits and dividends.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from services.analysis.bar_reader import Floats
from services.analysis.plain import numbers
from services.analysis.series import Table, adjusted_closes, bars, finished_until, require_known, too_few
from services.errors import InvalidInput
from services.market.bars import INTRADAY_DAYS, start_of
from services.market.hours import exchange_day
from services.market.market import ChartMarket
from utils.business_days import next_business_days
from utils.datetime_utils import iso_utc
from utils.indicators import BadSpec, Bars, Chosen, read_spec
from utils.market_source import Bar, IntradayBar

PLACES = 6
LEAST_BARS = 2

Answer = dict[str, Any]


def parse_spec(text: str) -> list[Chosen]:
    """The indicators asked for. Raises InvalidInput that names the parameter `spec`."""
    try:
        return read_spec(text)
    except BadSpec as error:
        raise InvalidInput({"spec": [str(error)]}) from error


def history(
    session: Session, market: ChartMarket, ticker: str, period: str, chosen: Sequence[Chosen], adjusted: bool = False
) -> Answer:
    """The values of the indicators at each bar of the period. Raises NotFound; Refused when there are too few bars."""
    require_known(session, ticker)
    if period in INTRADAY_DAYS:
        return _intraday(ticker, period, market.intraday(ticker, INTRADAY_DAYS[period]), chosen)
    table = bars(session, ticker, finished_until(market))
    running = market.today(ticker)
    is_running = running is not None and (not len(table.days) or running.date > table.days[-1].item())
    if running is not None and is_running:
        table = _with(table, running)
    if len(table.days) < LEAST_BARS:
        raise too_few(ticker, len(table.days), LEAST_BARS)
    today = exchange_day(market.now())
    first = int(np.searchsorted(table.days, np.datetime64(start_of(period, today), "D")))
    first = min(first, len(table.days) - 1)
    factor = _adjustment(session, ticker, table, running if is_running else None) if adjusted else None
    every = _arrays(table, factor, first)
    computed = [_computed(one, every, first) for one in chosen]
    future = next_business_days(table.days[-1].item(), _reach(computed)) if computed else []
    return {
        "ticker": ticker,
        "period": period,
        "adjusted": adjusted,
        "running": is_running,
        "dates": table.dates[first:],
        "future_dates": [day.isoformat() for day in future],
        "indicators": computed,
    }


def _intraday(ticker: str, period: str, rows: Sequence[IntradayBar], chosen: Sequence[Chosen]) -> Answer:
    if len(rows) < LEAST_BARS:
        raise too_few(ticker, len(rows), LEAST_BARS)
    days = [exchange_day(row.time) for row in rows]
    starts = tuple(at for at, day in enumerate(days) if at == 0 or day != days[at - 1])
    columns = np.array([(row.open, row.high, row.low, row.close, row.volume) for row in rows], np.float64).T.copy()
    every = Bars(columns[0], columns[1], columns[2], columns[3], columns[4], starts)
    return {
        "ticker": ticker,
        "period": period,
        "adjusted": False,
        "running": True,
        "times": [iso_utc(row.time) for row in rows],
        "future_dates": [],
        "indicators": [_computed(one, every, 0) for one in chosen],
    }


def _with(table: Table, running: Bar) -> Table:
    """The table and one more bar."""
    return Table(
        dates=[*table.dates, running.date.isoformat()],
        days=np.append(table.days, np.datetime64(running.date, "D")),
        open=np.append(table.open, float(running.open)),
        high=np.append(table.high, float(running.high)),
        low=np.append(table.low, float(running.low)),
        close=np.append(table.close, float(running.close)),
        volume=np.append(table.volume, float(running.volume)),
    )


def _adjustment(session: Session, ticker: str, table: Table, running: Bar | None) -> Floats:
    """What makes an adjusted price of each bar's price."""
    series = adjusted_closes(session, (ticker,), date.min, table.days[-1].item())[ticker]
    stored = table.days if running is None else table.days[:-1]
    adjusted = series.prices[np.searchsorted(series.days, stored)]
    if running is not None:
        adjusted = np.append(adjusted, float(running.adj_close))
    return adjusted / table.close


def _arrays(table: Table, factor: Floats | None, first: int) -> Bars:
    """The bars for the formulas. What counts from a beginning, counts from the first bar that is shown."""
    prices = [table.open, table.high, table.low, table.close]
    if factor is not None:
        prices = [values * factor for values in prices]
    return Bars(prices[0], prices[1], prices[2], prices[3], table.volume, (0, first) if first else (0,))


def _computed(chosen: Chosen, every: Bars, first: int) -> Answer:
    """One indicator with its lines, cut to what is shown. What a line has beyond the last bar goes into `ahead`."""
    indicator, last = chosen.indicator, len(every)
    found = chosen.compute(every)
    lines = []
    for line in indicator.lines:
        values = found[line.key]
        shown: Answer = {"key": line.key, "label": line.label, "style": line.style}
        shown["values"] = numbers(values[first:last], PLACES)
        if len(values) > last:
            shown["ahead"] = numbers(values[last:], PLACES)
        lines.append(shown)
    return {
        "key": chosen.key,
        "name": indicator.name,
        "label": chosen.label,
        "pane": indicator.pane,
        "levels": list(indicator.levels),
        "lines": lines,
    }


def _reach(computed: Sequence[Answer]) -> int:
    """How many bars beyond the last one the longest line reaches."""
    return max((len(line.get("ahead", ())) for one in computed for line in one["lines"]), default=0)
