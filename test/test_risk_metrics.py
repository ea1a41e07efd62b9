"""Every figure of risk agrees with another implementation on the recorded bars, and says NaN where it is undefined.

The other one is empyrical-reloaded where it has the figure, SciPy for the moments, and otherwise the definition written
out in plain Python here (`plain_...`), without NumPy and without a look at ours. Run this file for the table:
python -m pytest test/test_risk_metrics.py -k agreement -s
"""

from __future__ import annotations

import math
import statistics
import sys
import warnings
from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pytest

from config import ROOT
from utils import risk_metrics as ours

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import empyrical
    import scipy.stats

TICKERS = ("AAPL", "GOOG", "IBM", "MSFT", "^GSPC")
SPANS = {"one year": 252, "ten years": 2520, "all": None}
ANNUAL_FREE = 0.03
CLOSE = 1e-9


@cache
def recorded() -> dict[str, dict[date, float]]:
    from utils.replay_market import load_bars

    bars = load_bars(ROOT / "data" / "daily_bars_2000_2013.csv.gz")
    return {ticker: {bar.date: float(bar.adj_close) for bar in bars[ticker]} for ticker in TICKERS}


@cache
def pair(ticker: str, span: str) -> tuple[Any, Any]:
    """Prices of a ticker and of the benchmark on their common days."""
    series, benchmark = recorded()[ticker], recorded()["^GSPC"]
    days = sorted(series.keys() & benchmark.keys())
    count = SPANS[span]
    days = days if count is None else days[-count - 1 :]
    return np.array([series[day] for day in days]), np.array([benchmark[day] for day in days])


# The definitions in plain Python.


def plain_parametric_var(returns: list[float], confidence: float) -> float:
    z = scipy.stats.norm.ppf(1 - confidence)
    return statistics.fmean(returns) + z * statistics.stdev(returns)


def plain_beta(returns: list[float], benchmark: list[float]) -> float:
    return statistics.covariance(returns, benchmark) / statistics.variance(benchmark)


def plain_residuals(returns: list[float], benchmark: list[float]) -> list[float]:
    slope = plain_beta(returns, benchmark)
    return [r - slope * b for r, b in zip(returns, benchmark, strict=True)]


def plain_drawdown(prices: list[float], window: int) -> list[float]:
    """The deepest drawdown within each window of prices, one price after the other."""
    found = []
    for end in range(window, len(prices) + 1):
        highest, deepest = 0.0, 0.0
        for price in prices[end - window : end]:
            highest = max(highest, price)
            deepest = min(deepest, price / highest - 1)
        found.append(deepest)
    return found


FREE = ours.daily_rate(ANNUAL_FREE)
Compare = Callable[[Any, Any, Any, Any], tuple[float, float]]

# Figure -> (ours, theirs) of prices p, benchmark prices q, returns r, benchmark returns b.
COMPARED: dict[str, Compare] = {
    "total_return": lambda p, q, r, b: (ours.total_return(r), empyrical.cum_returns_final(r)),
    "annual_return": lambda p, q, r, b: (ours.annual_return(r), empyrical.annual_return(r)),
    "volatility": lambda p, q, r, b: (ours.volatility(r), empyrical.annual_volatility(r)),
    "sharpe_ratio": lambda p, q, r, b: (ours.sharpe_ratio(r, FREE), empyrical.sharpe_ratio(r, FREE)),
    "downside_deviation": lambda p, q, r, b: (ours.downside_deviation(r, FREE), empyrical.downside_risk(r, FREE)),
    "sortino_ratio": lambda p, q, r, b: (ours.sortino_ratio(r, FREE), empyrical.sortino_ratio(r, FREE)),
    "max_drawdown": lambda p, q, r, b: (ours.max_drawdown(p).depth, empyrical.max_drawdown(r)),
    "calmar_ratio": lambda p, q, r, b: (
        ours.calmar_ratio(r, ours.max_drawdown(p).depth),
        empyrical.calmar_ratio(r),
    ),
    "var_95": lambda p, q, r, b: (ours.historical_var(r, 0.95), empyrical.value_at_risk(r, 0.05)),
    "var_99": lambda p, q, r, b: (ours.historical_var(r, 0.99), empyrical.value_at_risk(r, 0.01)),
    "parametric_var_95": lambda p, q, r, b: (ours.parametric_var(r, 0.95), plain_parametric_var(list(r), 0.95)),
    "parametric_var_99": lambda p, q, r, b: (ours.parametric_var(r, 0.99), plain_parametric_var(list(r), 0.99)),
    "expected_shortfall_95": lambda p, q, r, b: (
        ours.expected_shortfall(r, 0.95),
        empyrical.conditional_value_at_risk(r, 0.05),
    ),
    "expected_shortfall_99": lambda p, q, r, b: (
        ours.expected_shortfall(r, 0.99),
        empyrical.conditional_value_at_risk(r, 0.01),
    ),
    "skewness": lambda p, q, r, b: (ours.skewness(r), scipy.stats.skew(r)),
    "kurtosis": lambda p, q, r, b: (ours.excess_kurtosis(r), scipy.stats.kurtosis(r)),
    "beta": lambda p, q, r, b: (ours.beta(r, b), empyrical.beta(r, b, FREE)),
    "alpha": lambda p, q, r, b: (ours.alpha(r, b, FREE), empyrical.alpha(r, b, FREE)),
    "r_squared": lambda p, q, r, b: (ours.r_squared(r, b), statistics.correlation(list(r), list(b)) ** 2),
    "systematic_risk": lambda p, q, r, b: (
        ours.systematic_risk(r, b),
        abs(plain_beta(list(r), list(b))) * empyrical.annual_volatility(b),
    ),
    "residual_risk": lambda p, q, r, b: (
        ours.residual_risk(r, b),
        statistics.stdev(plain_residuals(list(r), list(b))) * math.sqrt(252),
    ),
    "tracking_error": lambda p, q, r, b: (ours.tracking_error(r, b), empyrical.annual_volatility(r - b)),
    # Theirs is a day's, ours a year's: the definition is the same.
    "information_ratio": lambda p, q, r, b: (ours.information_ratio(r, b), empyrical.excess_sharpe(r, b) * 252**0.5),
    "treynor_ratio": lambda p, q, r, b: (
        ours.treynor_ratio(r, b, FREE),
        statistics.fmean(x - FREE for x in r) * 252 / plain_beta(list(r), list(b)),
    ),
}
NOT_OF_THE_BENCHMARK_ITSELF = ("information_ratio", "tracking_error", "residual_risk")


def show(title: str, rows: list[tuple[str, float, float]]) -> None:
    """The table of agreement, for `pytest -s`."""
    lines = [f"{name:24}{mine:>24.15g}{theirs:>24.15g}{mine - theirs:>12.1e}" for name, mine, theirs in rows]
    sys.stdout.write("\n".join(["", title, *lines, ""]))


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("ticker", TICKERS)
def test_agreement_with_another_implementation(ticker: str, span: str) -> None:
    prices, benchmark = pair(ticker, span)
    returns, market = ours.simple_returns(prices), ours.simple_returns(benchmark)
    rows = []
    for name, compare in COMPARED.items():
        if ticker == "^GSPC" and name in NOT_OF_THE_BENCHMARK_ITSELF:
            continue  # nothing is left to compare: 0 here, rounding errors over rounding errors there
        mine, theirs = compare(prices, benchmark, returns, market)
        rows.append((name, mine, theirs))
    show(f"{ticker}, {span}, {len(returns)} returns", rows)
    assert {name: mine for name, mine, _ in rows} == pytest.approx(
        {name: float(theirs) for name, _, theirs in rows}, rel=CLOSE, abs=CLOSE
    )


def test_the_days_of_the_deepest_fall() -> None:
    found = ours.max_drawdown(np.array([5.0, 8.0, 10.0, 6.0, 7.0, 4.0, 9.0, 10.0, 12.0]))
    assert found == ours.Drawdown(pytest.approx(-0.6), peak=2, bottom=5, recovery=7)
    assert ours.max_drawdown(np.array([1.0, 2.0, 1.0])).recovery is None
    assert ours.max_drawdown(np.array([1.0, 2.0])).depth == 0


def test_rolling_figures_are_the_figures_of_each_window() -> None:
    prices, benchmark = pair("AAPL", "ten years")
    prices, benchmark = prices[:400], benchmark[:400]
    returns, market = ours.simple_returns(prices), ours.simple_returns(benchmark)
    window = 63
    ends = range(window, len(returns) + 1)
    spread = [ours.volatility(returns[end - window : end]) for end in ends]
    slope = [ours.beta(returns[end - window : end], market[end - window : end]) for end in ends]
    assert ours.rolling_volatility(returns, window)[window - 1 :] == pytest.approx(spread, abs=CLOSE)
    assert ours.rolling_beta(returns, market, window)[window - 1 :] == pytest.approx(slope, abs=CLOSE)
    fallen = plain_drawdown(list(prices), window)
    assert ours.rolling_drawdown(prices, window)[window - 1 :] == pytest.approx(fallen, abs=CLOSE)
    for series in (ours.rolling_volatility(returns, window), ours.rolling_beta(returns, market, window)):
        assert np.isnan(series[: window - 1]).all()


def test_a_window_longer_than_the_data_is_all_undefined() -> None:
    returns = np.array([0.01, -0.02, 0.03])
    assert np.isnan(ours.rolling_volatility(returns, 4)).all()
    assert np.isnan(ours.rolling_drawdown(returns, 4)).all()


def test_correlation_matrix() -> None:
    series = [ours.simple_returns(pair(ticker, "one year")[0]) for ticker in TICKERS]
    found = ours.correlation_matrix(np.column_stack(series))
    for row, first in enumerate(series):
        for column, second in enumerate(series):
            assert found[row, column] == pytest.approx(statistics.correlation(list(first), list(second)), abs=CLOSE)


def test_contributions_to_risk_add_up_to_the_portfolios_volatility() -> None:
    returns = np.column_stack([ours.simple_returns(pair(ticker, "one year")[0]) for ticker in TICKERS])
    weights = np.array([0.4, 0.3, 0.2, 0.05, 0.05])
    parts = ours.risk_contributions(returns, weights)
    assert parts.sum() == pytest.approx(ours.volatility(returns @ weights), rel=CLOSE)
    covariance = np.cov(returns.T) * 252
    assert parts == pytest.approx(weights * (covariance @ weights) / np.sqrt(weights @ covariance @ weights), rel=CLOSE)


STILL = np.zeros(100)
UNDEFINED: dict[str, Callable[[], float]] = {
    "Sharpe of what never moves": lambda: ours.sharpe_ratio(STILL),
    "Sortino without a loss": lambda: ours.sortino_ratio(np.full(100, 0.01)),
    "skewness of what never moves": lambda: ours.skewness(STILL),
    "kurtosis of what never moves": lambda: ours.excess_kurtosis(STILL),
    "skewness of rounding errors": lambda: ours.skewness(np.full(100, 0.01) + np.tile([0.0, 1e-17], 50)),
    "beta against what never moves": lambda: ours.beta(np.arange(100.0), STILL),
    "correlation with what never moves": lambda: ours.correlation(np.arange(100.0), STILL),
    "Treynor without a beta": lambda: ours.treynor_ratio(STILL, np.tile([0.01, -0.01], 50)),
    "Calmar without a fall": lambda: ours.calmar_ratio(np.full(100, 0.01), 0.0),
    "information ratio of the benchmark itself": lambda: ours.information_ratio(np.arange(9.0), np.arange(9.0)),
    "volatility of one return": lambda: ours.volatility(np.array([0.1])),
    "VaR of nothing": lambda: ours.historical_var(np.array([]), 0.95),
    "shortfall of nothing": lambda: ours.expected_shortfall(np.array([]), 0.95),
    "growth of nothing": lambda: ours.annual_return(np.array([])),
}


@pytest.mark.parametrize("case", UNDEFINED)
def test_what_is_undefined_is_nan_and_never_infinite(case: str) -> None:
    assert math.isnan(UNDEFINED[case]())


def test_one_single_loss_is_enough_for_a_downside() -> None:
    returns = np.array([0.01] * 29 + [-0.03])
    assert ours.downside_deviation(returns) == pytest.approx(math.sqrt(0.03**2 / 30) * math.sqrt(252))


def test_a_total_loss_is_minus_one_a_year() -> None:
    assert ours.annual_return(np.array([0.1, -1.0])) == -1.0
