"""What the analysis page draws: curves thinned out to what a screen can show, the distribution, the correlations."""

from __future__ import annotations

from typing import Any

import numpy as np

from services.analysis.bar_reader import Floats
from services.analysis.plain import dates, number, numbers
from services.analysis.risk_table import View
from services.analysis.series import Series, on_common_days
from utils import risk_metrics as formulas

MOST_POINTS = 320
BINS = 31
LEAST_SHARED = 30  # returns that two tickers must share for their correlation to mean something
PLACES = 5


def series_for_charts(view: View, rolling: int) -> dict[str, Any]:
    """Dates, growth, drawdown, rolling volatility, rolling beta and rolling drawdown. Where days are too many, each
    point stands for some: with the lowest of their drawdowns, with the last of the others.
    """
    count = len(view.prices)
    marks = _marks(count)
    spread = _behind(formulas.rolling_volatility(view.returns, rolling), count)
    slope = _behind(formulas.rolling_beta(view.joint, view.benchmark, rolling), len(view.joint_days))
    if len(view.joint_days) != count:
        spaced = np.full(count, np.nan)
        spaced[np.searchsorted(view.days, view.joint_days)] = slope
        slope = spaced
    starts = np.concatenate(([0], marks[:-1] + 1))
    return {
        "dates": dates(view.days[marks]),
        "growth": numbers(view.prices[marks] / view.prices[0] - 1.0, PLACES),
        "drawdown": numbers(np.minimum.reduceat(formulas.drawdowns(view.prices), starts), PLACES),
        "rolling_volatility": numbers(spread[marks], PLACES),
        "rolling_beta": numbers(slope[marks], PLACES),
        "rolling_drawdown": numbers(formulas.rolling_drawdown(view.prices, rolling)[marks], PLACES),
    }


def _marks(count: int) -> Any:
    """The positions that are drawn, the last one among them."""
    return np.unique(np.rint(np.linspace(0, count - 1, min(count, MOST_POINTS))).astype(np.int64))


def _behind(values: Floats, count: int) -> Floats:
    """Values of returns, moved to the prices that they lead to."""
    return np.concatenate((np.full(count - len(values), np.nan), values))


def distribution(series: list[Series]) -> dict[str, Any] | None:
    """How often returns fell into each of some bins that all tickers share, as fractions of the days. The outermost
    bins also hold what lies beyond them.
    """
    if not series:
        return None
    returns = {one.ticker: formulas.simple_returns(one.prices) for one in series}
    reach = max(float(np.percentile(np.abs(np.concatenate(list(returns.values()))), 99.5)), 1e-4)
    edges = np.linspace(-reach, reach, BINS + 1)
    shares = {
        ticker: numbers(np.histogram(np.clip(values, -reach, reach), edges)[0] / len(values), PLACES)
        for ticker, values in returns.items()
    }
    return {"edges": numbers(edges, 6), "shares": shares}


def correlations(series: list[Series]) -> dict[str, Any] | None:
    """The matrix of correlations; null for two tickers that share too few days."""
    if len(series) < 2:
        return None
    if all(len(one) == len(series[0]) and (one.days == series[0].days).all() for one in series):
        matrix = formulas.correlation_matrix(formulas.simple_returns(np.column_stack([one.prices for one in series])))
        if len(series[0]) <= LEAST_SHARED:
            matrix[:] = np.nan
    else:
        matrix = _pairwise(series)
    rows = [[number(round(float(value), 4)) for value in row] for row in matrix]
    return {"tickers": [one.ticker for one in series], "matrix": rows}


def _pairwise(series: list[Series]) -> Floats:
    matrix = np.full((len(series), len(series)), np.nan)
    for row, first in enumerate(series):
        for column, second in enumerate(series[: row + 1]):
            _days, prices = on_common_days([first, second])
            if len(prices) > LEAST_SHARED:
                returns = formulas.simple_returns(prices)
                matrix[row, column] = matrix[column, row] = formulas.correlation(returns[:, 0], returns[:, 1])
    return matrix
