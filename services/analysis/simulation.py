"""Simulated futures of a ticker or of a trader's holdings, from stored bars.

The simulation itself is relative to 1 and made from finished bars only, so that it can be kept by ticker, last bar and
parameters; the answer scales it to the newest price.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import MarketData
from services.accounts import portfolio as accounts
from services.analysis.bar_reader import Floats
from services.analysis.plain import number
from services.analysis.risk import CALENDAR_DAYS_A_BAR, MOST_HOLDINGS
from services.analysis.series import Series, adjusted_closes, finished_until, on_common_days, require_known, too_few
from services.analysis.simulation_plan import Ask
from services.errors import Refused, Unavailable
from services.market.hours import exchange_day
from services.market.market import Market
from utils import simulation_process
from utils.business_days import next_business_days
from utils.monte_carlo import PERCENTILES, Outcome, Progress
from utils.risk_metrics import DAYS_A_YEAR

LEAST_RETURNS = 60
BAND_NAMES = tuple(f"p{percent}" for percent in PERCENTILES)

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """A simulation that is ready to run, and what its answer needs beside the outcome. `price` is what 1 stands for, in
    dollars; `today` the day of that price, `last_day` that of the newest bar it is made from.
    """

    name: str
    key: Hashable
    log_returns: Floats
    weights: Floats
    ask: Ask
    price: float
    today: date
    last_day: date
    extra: Mapping[str, Any]

    def run(self, progress: Progress) -> Outcome:
        """The outcome; large ones are made in another process. Raises Unavailable when that fails."""
        try:
            return simulation_process.run(self.log_returns, self.weights, self.ask.plan, progress)
        except simulation_process.SimulationFailed as error:
            raise Unavailable(str(error), code="SIMULATION_FAILED") from error


def ticker_task(session: Session, market: Market, ticker: str, ask: Ask) -> Task:
    """The future of one ticker's price. Raises NotFound, and Refused when there are too few bars."""
    require_known(session, ticker)
    series = _past(session, market, (ticker,), ask.window)[ticker]
    if len(series) <= LEAST_RETURNS:
        raise too_few(ticker, len(series), LEAST_RETURNS + 1)
    quote = market.quote(ticker)
    price = float(quote.last) if quote is not None else float(_raw_close(session, ticker, series.last_day))
    today = finished_until(market) if quote is None else _day(market)
    key = ("ticker", ticker, series.last_day, ask.window, ask.plan)
    logs = np.diff(np.log(series.prices))[:, None]
    return Task(ticker, key, logs, np.ones(1), ask, price, today, series.last_day, {"ticker": ticker})


def portfolio_task(session: Session, market: Market, user_id: int, ask: Ask) -> Task:
    """The future of a trader's holdings, left alone; cash is left out. Raises Refused without holdings, or when they
    share too few days.
    """
    holdings = accounts.overview(session, market, user_id)["holdings"][:MOST_HOLDINGS]
    if not holdings:
        raise Refused("You hold no shares, so there is no portfolio to simulate.", code="NO_HOLDINGS")
    series = _past(session, market, tuple(row["ticker"] for row in holdings), ask.window)
    chosen = [series[row["ticker"]] for row in holdings]
    for one in chosen:
        if len(one) <= LEAST_RETURNS:
            raise too_few(one.ticker, len(one), LEAST_RETURNS + 1)
    days, prices = on_common_days(chosen)
    if len(days) <= LEAST_RETURNS:
        raise too_few("The portfolio", len(days), LEAST_RETURNS + 1)
    # By the last closes, not by quotes: the outcome then holds for all of the day.
    closes = [float(_raw_close(session, one.ticker, one.last_day)) for one in chosen]
    values = np.array([row["quantity"] * close for row, close in zip(holdings, closes, strict=True)])
    quoted = [row["market_value"] for row in holdings]
    now = sum(float(quote if quote is not None else value) for quote, value in zip(quoted, values, strict=True))
    shares = tuple((row["ticker"], row["quantity"]) for row in holdings)
    key = ("portfolio", shares, days[-1].item(), ask.window, ask.plan)
    weights = values / values.sum()
    extra = {"weights": {row["ticker"]: number(weight) for row, weight in zip(holdings, weights, strict=True)}}
    logs = np.diff(np.log(prices), axis=0)
    return Task("Portfolio", key, logs, weights, ask, now, _day(market), days[-1].item(), extra)


def answer(task: Task, outcome: Outcome) -> Answer:
    """What the endpoint answers: predictions, paths, statistics, and how they came about."""
    dates = next_business_days(task.today, len(outcome.bands))
    bands = np.round(outcome.bands * task.price, 4).tolist()
    rows = [
        {"date": day.isoformat(), **dict(zip(BAND_NAMES, band, strict=True))}
        for day, band in zip(dates, bands, strict=True)
    ]
    return {
        "predictions": rows,
        "paths": np.round(outcome.paths.T.astype(np.float64) * task.price, 2).tolist(),
        "statistics": _statistics(task, outcome),
        "model": _model(task),
    }


def _statistics(task: Task, outcome: Outcome) -> Answer:
    price, last, target = task.price, outcome.bands[-1], task.ask.target
    quantiles = {f"percentile_{percent}": number(price * band) for percent, band in zip(PERCENTILES, last, strict=True)}
    return {
        "current_price": number(price),
        "mean_price": number(price * outcome.mean),
        "median_price": number(price * float(last[2])),
        **quantiles,
        "standard_deviation": number(price * outcome.deviation),
        "probability_of_gain": number(outcome.probability_of_gain),
        "target_price": None if target is None else float(target),
        "probability_of_target": None
        if target is None
        else number(outcome.probability_at_least(float(target) / price)),
        "expected_shortfall": number(outcome.expected_shortfall),
        **_past_figures(task),
    }


def _past_figures(task: Task) -> Answer:
    """Annual return and volatility of the past that the simulation was made from, with today's weights."""
    returns = np.expm1(task.log_returns) @ task.weights
    growth = float(np.log1p(returns).mean()) * DAYS_A_YEAR
    return {
        "annual_return": number(float(np.expm1(growth))),
        "annual_volatility": number(float(np.log1p(returns).std(ddof=1)) * DAYS_A_YEAR**0.5),
    }


def _model(task: Task) -> Answer:
    plan = task.ask.plan
    return {
        **task.extra,
        "name": plan.model,
        "days": plan.days,
        "simulations": plan.simulations,
        "seed": plan.seed,
        "drift": plan.drift,
        "block": plan.block if plan.model == "bootstrap" else None,
        "window": len(task.log_returns),
        "start_date": task.today,
        "last_bar": task.last_day,
    }


def _past(session: Session, market: Market, tickers: tuple[str, ...], window: int) -> dict[str, Series]:
    end = finished_until(market)
    reach = timedelta(days=round(window * CALENDAR_DAYS_A_BAR) + 30)
    found = adjusted_closes(session, tickers, end - reach, end)
    return {ticker: one.last(window + 1) for ticker, one in found.items()}


def _raw_close(session: Session, ticker: str, day: date) -> Any:
    query = select(MarketData.close).where(MarketData.ticker == ticker, MarketData.date == day)
    return session.execute(query).scalar_one()


def _day(market: Market) -> date:
    return exchange_day(market.now())
