"""The risk of tickers and of a trader's holdings, out of stored bars.

Days without a bar of a ticker are left out for it, and its returns span them; figures against the benchmark, and those
of a portfolio, use the days that all of them have.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from services.accounts import portfolio as accounts
from services.analysis import risk_table
from services.analysis.bar_reader import Floats
from services.analysis.charts import correlations, distribution, series_for_charts
from services.analysis.plain import number
from services.analysis.questions import RiskQuestion
from services.analysis.risk_table import LEAST_RETURNS, View
from services.analysis.series import Series, adjusted_closes, finished_until, on_common_days, require_known, too_few
from services.errors import Refused
from services.market.market import Market
from utils import risk_metrics as formulas

BENCHMARK = "^GSPC"
CALENDAR_DAYS_A_BAR = 1.5  # 365 / 252, and some for holidays
STALE_AFTER = timedelta(days=5)  # longer than any week-end with holidays
MOST_HOLDINGS = 30

Answer = dict[str, Any]


def analyse(session: Session, market: Market, question: RiskQuestion) -> Answer:
    """The figures of the tickers: `results`, one for each with `ticker`, `metrics`, `reasons`, dates and series or with
    an `error`, and what compares them. Raises NotFound for an unknown ticker; Refused when it is the only one and has
    too few bars.
    """
    for ticker in question.tickers:
        require_known(session, ticker)
    series = _windows(session, market, question, question.tickers)
    chosen = [series[ticker] for ticker in question.tickers]
    if len(chosen) == 1 and len(chosen[0]) <= LEAST_RETURNS:
        raise too_few(chosen[0].ticker, len(chosen[0]), LEAST_RETURNS + 1)
    results = [_result(one, series[BENCHMARK], question, market) for one in chosen]
    return _together(results, chosen, chosen, question)


def analyse_holdings(session: Session, market: Market, user_id: int, question: RiskQuestion) -> Answer:
    """The same for a trader's holdings, with one more result first: the portfolio, which holds each at today's weight
    all along, and what each holding adds to its volatility. Cash is left out. Raises Refused without holdings.
    """
    holdings = accounts.overview(session, market, user_id)["holdings"][:MOST_HOLDINGS]
    if not holdings:
        raise Refused("You hold no shares, so there is no portfolio to analyse.", code="NO_HOLDINGS")
    series = _windows(session, market, question, tuple(row["ticker"] for row in holdings))
    kept = [row for row in holdings if len(series[row["ticker"]]) > LEAST_RETURNS]
    if not kept:
        worst = holdings[0]["ticker"]
        raise too_few(worst, len(series[worst]), LEAST_RETURNS + 1)
    chosen = [series[row["ticker"]] for row in kept]
    weights = weights_of(kept, chosen)
    whole, contributions = _portfolio(chosen, weights)
    if len(whole) <= LEAST_RETURNS:
        raise too_few("The portfolio", len(whole), LEAST_RETURNS + 1)
    results = [_result(one, series[BENCHMARK], question, market) for one in (whole, *chosen)]
    answer = _together(results, [whole, *chosen], chosen, question)
    left_out = [row["ticker"] for row in holdings if row not in kept]
    return {**answer, "contributions": contributions, "left_out": left_out}


def weights_of(holdings: list[Answer], series: list[Series]) -> Floats:
    """Each holding's share of their value: at its quote, or at its last close where there is none."""
    values = [
        float(row["market_value"]) if row["market_value"] is not None else row["quantity"] * one.prices[-1]
        for row, one in zip(holdings, series, strict=True)
    ]
    return np.array(values) / sum(values)


def _portfolio(chosen: list[Series], weights: Floats) -> tuple[Series, list[Answer]]:
    days, prices = on_common_days(chosen)
    returns = formulas.simple_returns(prices)
    value = np.concatenate(([1.0], np.cumprod(1.0 + returns @ weights)))
    parts = formulas.risk_contributions(returns, weights) if len(returns) > 1 else np.full(len(weights), np.nan)
    rows = [
        {
            "ticker": one.ticker,
            "weight": number(weight),
            "volatility": number(formulas.volatility(returns[:, at])),
            "contribution": number(part),
            "share": number(part / parts.sum()),
        }
        for at, (one, weight, part) in enumerate(zip(chosen, weights, parts, strict=True))
    ]
    return Series("Portfolio", days, value), rows


def _windows(session: Session, market: Market, question: RiskQuestion, tickers: tuple[str, ...]) -> dict[str, Series]:
    """The series of the tickers and of the benchmark, cut to the question's days."""
    end = min(question.end or date.max, finished_until(market))
    wanted = tuple(dict.fromkeys((*tickers, BENCHMARK)))
    if question.window is None:
        return adjusted_closes(session, wanted, question.start or date.min, end)
    reach = timedelta(days=round(question.window * CALENDAR_DAYS_A_BAR) + 30)
    found = adjusted_closes(session, wanted, end - reach, end)
    return {ticker: series.last(question.window + 1) for ticker, series in found.items()}


def view_of(series: Series, benchmark: Series, annual_free: float) -> View:
    """A series with the benchmark beside it."""
    days, joint = on_common_days([series, benchmark])
    free = formulas.daily_rate(annual_free)
    return View(series.days, series.prices, days, joint[:, 0], joint[:, 1], free)


def _result(series: Series, benchmark: Series, question: RiskQuestion, market: Market) -> Answer:
    if len(series) <= LEAST_RETURNS:
        refusal = too_few(series.ticker, len(series), LEAST_RETURNS + 1)
        return {"ticker": series.ticker, "error": {"code": refusal.code, "message": refusal.message}}
    view = view_of(series, benchmark, question.risk_free_rate)
    metrics, reasons = risk_table.measure(view)
    return {
        "ticker": series.ticker,
        "metrics": metrics,
        "reasons": reasons,
        "start": view.days[0].item(),
        "end": series.last_day,
        "observations": len(view.returns),
        "shared_observations": len(view.joint),
        "message": _staleness(series, question, market),
        "drawdown": _fall(view),
        "series": series_for_charts(view, question.rolling),
    }


def _fall(view: View) -> Answer:
    fall = view.fall
    recovery = None if fall.recovery is None else view.days[fall.recovery].item()
    return {"peak": view.days[fall.peak].item(), "bottom": view.days[fall.bottom].item(), "recovery": recovery}


def _staleness(series: Series, question: RiskQuestion, market: Market) -> str | None:
    """A sentence when the newest stored bar is older than it should be."""
    expected = min(question.end or date.max, finished_until(market))
    if expected - series.last_day <= STALE_AFTER:
        return None
    return f"The newest bar of {series.ticker} here is of {series.last_day:%-d %b %Y}: newer ones could not be fetched."


def _together(results: list[Answer], drawn: list[Series], chosen: list[Series], question: RiskQuestion) -> Answer:
    enough = [one for one in chosen if len(one) > LEAST_RETURNS]
    return {
        "benchmark": BENCHMARK,
        "risk_free_rate": question.risk_free_rate,
        "rolling_window": question.rolling,
        "results": results,
        "correlation": correlations(enough),
        "distribution": distribution([one for one in drawn if len(one) > LEAST_RETURNS]),
    }
