"""Figures of risk and return: pure functions over NumPy arrays, each with its definition and its source.

Everywhere: `returns` and `benchmark` are simple returns a trading day (0.01 is one percent), oldest first and, where
both appear, of the same days; `free` is the risk-free return a day. A year has 252 trading days. Results are fractions
or pure numbers. Where a figure is not defined (nothing varies, nothing was lost) the result is NaN; infinity is never
answered. How much data a figure needs before it means something is for the caller to say: see services/analysis.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DAYS_A_YEAR = 252
NEGLIGIBLE = 1e-12  # a spread below this is rounding of equal numbers, not variation
_ROOT = float(np.sqrt(DAYS_A_YEAR))


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall: `depth` as a fraction not above zero, and the positions of its peak, its bottom and the first
    price after it that reaches the peak again (None while it has not).
    """

    depth: float
    peak: int
    bottom: int
    recovery: int | None


def simple_returns(prices: NDArray[Any]) -> Floats:
    """p(t) / p(t-1) - 1, one fewer than prices. Prices along the first axis. Source: Campbell, Lo and MacKinlay, The
    Econometrics of Financial Markets (1997), 1.4.
    """
    returns: Floats = prices[1:] / prices[:-1] - 1.0
    return returns


def daily_rate(annual: float) -> float:
    """The return a day that compounds to `annual` in a year: (1 + annual)^(1/252) - 1."""
    return float((1.0 + annual) ** (1.0 / DAYS_A_YEAR) - 1.0)


def total_return(returns: Floats) -> float:
    """The product of (1 + r), less 1."""
    return float(np.prod(1.0 + returns) - 1.0)


def annual_return(returns: Floats) -> float:
    """Compound annual growth: (product of (1 + r))^(252 / n) - 1. Source: CFA Institute, GIPS 2020, glossary,
    annualised return.
    """
    if not len(returns):
        return float("nan")
    growth = float(np.prod(1.0 + returns))
    return growth ** (DAYS_A_YEAR / len(returns)) - 1.0 if growth > 0 else -1.0


def volatility(returns: Floats) -> float:
    """Sample standard deviation (n - 1) times the root of 252. Source: Hull, Options, Futures, and Other Derivatives,
    "Estimating volatility from historical data".
    """
    return _spread(returns) * _ROOT if len(returns) > 1 else float("nan")


def sharpe_ratio(returns: Floats, free: float = 0.0) -> float:
    """Mean of (r - free) over its sample standard deviation, times the root of 252. Source: Sharpe, The Sharpe Ratio,
    Journal of Portfolio Management 21 (1994).
    """
    return _ratio(_mean(returns) - free, _spread(returns)) * _ROOT


def downside_deviation(returns: Floats, target: float = 0.0) -> float:
    """Root of the mean over all days of min(r - target, 0) squared, times the root of 252: days above the target count
    as zero, they are not left out. Source: Sortino and Price, Performance Measurement in a Downside Risk Framework,
    Journal of Investing 3 (1994).
    """
    if not len(returns):
        return float("nan")
    below = np.minimum(returns - target, 0.0)
    return float(np.sqrt(np.mean(below * below))) * _ROOT


def sortino_ratio(returns: Floats, target: float = 0.0) -> float:
    """Mean of (r - target) times 252 over the downside deviation. Source: as downside_deviation."""
    return _ratio((_mean(returns) - target) * DAYS_A_YEAR, downside_deviation(returns, target))


def drawdowns(prices: Floats) -> Floats:
    """Each price over the highest one so far, less 1: never above zero. Source: Magdon-Ismail and Atiya, Maximum
    Drawdown, Risk Magazine 17 (2004).
    """
    falls: Floats = prices / np.maximum.accumulate(prices) - 1.0
    return falls


def max_drawdown(prices: Floats) -> Drawdown:
    """The deepest of the drawdowns, with where it began, was deepest and ended. Source: as drawdowns."""
    if not len(prices):
        raise ValueError("needs a price")
    falls = drawdowns(prices)
    bottom = int(np.argmin(falls))
    peak = int(np.argmax(prices[: bottom + 1]))
    later = np.flatnonzero(prices[bottom:] >= prices[peak])
    return Drawdown(float(falls[bottom]), peak, bottom, bottom + int(later[0]) if len(later) else None)


def historical_var(returns: Floats, confidence: float) -> float:
    """The return that all but the worst 1 - confidence of the days exceeded: a percentile, linear between neighbours,
    with its sign kept (a loss is negative). Source: Jorion, Value at Risk, "Nonparametric VaR".
    """
    return float(np.percentile(returns, 100.0 * (1.0 - confidence))) if len(returns) else float("nan")


def parametric_var(returns: Floats, confidence: float) -> float:
    """The same for normally distributed returns: mean + z(1 - confidence) times the sample standard deviation. Source:
    Jorion, Value at Risk, "Parametric VaR".
    """
    return _mean(returns) + NormalDist().inv_cdf(1.0 - confidence) * _spread(returns)


def expected_shortfall(returns: Floats, confidence: float) -> float:
    """The mean of the worst days: of the floor((n - 1)(1 - confidence)) + 1 lowest returns, which are those not above
    the historical VaR. Source: Acerbi and Tasche, On the Coherence of Expected Shortfall, Journal of Banking and
    Finance 26 (2002).
    """
    if not len(returns):
        return float("nan")
    last = int((len(returns) - 1) * (1.0 - confidence) + NEGLIGIBLE)
    return _mean(np.partition(returns, last)[: last + 1])


def skewness(returns: Floats) -> float:
    """Third central moment over the second one to the 3/2 (biased, g1). Source: Joanes and Gill, Comparing Measures of
    Sample Skewness and Kurtosis, The Statistician 47 (1998).
    """
    away = returns - _mean(returns)
    return _ratio(float(np.mean(away**3)), float(np.mean(away * away)) ** 1.5, NEGLIGIBLE**3)


def excess_kurtosis(returns: Floats) -> float:
    """Fourth central moment over the second one squared, less 3 (biased, g2). Source: as skewness."""
    squares = (returns - _mean(returns)) ** 2
    return _ratio(float(np.mean(squares * squares)), float(np.mean(squares)) ** 2, NEGLIGIBLE**4) - 3.0


def beta(returns: Floats, benchmark: Floats) -> float:
    """Covariance with the benchmark over the benchmark's variance. Source: Sharpe, Capital Asset Prices, Journal of
    Finance 19 (1964).
    """
    away = benchmark - _mean(benchmark)
    return _ratio(float(np.mean(away * returns)), float(np.mean(away * away)), NEGLIGIBLE**2)


def alpha(returns: Floats, benchmark: Floats, free: float = 0.0) -> float:
    """Jensen's alpha a year: (1 + mean of (r - free) - beta times mean of (b - free))^252 - 1. Source: Jensen, The
    Performance of Mutual Funds, Journal of Finance 23 (1968); compounded to a year.
    """
    daily = (_mean(returns) - free) - beta(returns, benchmark) * (_mean(benchmark) - free)
    return float((1.0 + daily) ** DAYS_A_YEAR - 1.0)


def correlation(returns: Floats, benchmark: Floats) -> float:
    """Pearson's coefficient of correlation. Source: Pearson, Proceedings of the Royal Society 58 (1895)."""
    first, second = returns - _mean(returns), benchmark - _mean(benchmark)
    spread = float(np.sqrt(np.mean(first * first) * np.mean(second * second)))
    return float(np.clip(_ratio(float(np.mean(first * second)), spread, NEGLIGIBLE**2), -1.0, 1.0))


def r_squared(returns: Floats, benchmark: Floats) -> float:
    """The share of the variance that the benchmark explains: the correlation squared. Source: as beta."""
    return correlation(returns, benchmark) ** 2


def systematic_risk(returns: Floats, benchmark: Floats) -> float:
    """|beta| times the benchmark's volatility. Source: as beta."""
    return abs(beta(returns, benchmark)) * volatility(benchmark)


def residual_risk(returns: Floats, benchmark: Floats) -> float:
    """Volatility of what the benchmark does not explain: of r - beta times b. Source: as beta."""
    return volatility(returns - beta(returns, benchmark) * benchmark)


def tracking_error(returns: Floats, benchmark: Floats) -> float:
    """Volatility of r - b. Source: Grinold and Kahn, Active Portfolio Management (1999), ch. 5."""
    return volatility(returns - benchmark)


def information_ratio(returns: Floats, benchmark: Floats) -> float:
    """Mean of (r - b) over its sample standard deviation, times the root of 252. Source: as tracking_error."""
    return sharpe_ratio(returns - benchmark)


def treynor_ratio(returns: Floats, benchmark: Floats, free: float = 0.0) -> float:
    """Mean of (r - free) times 252 over beta. Source: Treynor, How to Rate Management of Investment Funds, Harvard
    Business Review 43 (1965).
    """
    return _ratio((_mean(returns) - free) * DAYS_A_YEAR, beta(returns, benchmark))


def calmar_ratio(returns: Floats, depth: float) -> float:
    """Compound annual growth over the depth of the deepest drawdown. Source: Young, Calmar Ratio: A Smoother Tool,
    Futures 20 (1991); over the whole window.
    """
    return _ratio(annual_return(returns), abs(depth))


def rolling_volatility(returns: Floats, window: int) -> Floats:
    """Volatility of the last `window` returns at each day; NaN for the days before there are that many."""
    return np.sqrt(_rolling_covariance(returns, returns, window)) * _ROOT


def rolling_beta(returns: Floats, benchmark: Floats, window: int) -> Floats:
    """Beta over the last `window` days at each day; NaN before, and where the benchmark stood still."""
    variance = _rolling_covariance(benchmark, benchmark, window)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = _rolling_covariance(returns, benchmark, window) / variance
    return np.where(variance > NEGLIGIBLE**2, found, np.nan)


def rolling_drawdown(prices: Floats, window: int) -> Floats:
    """The deepest drawdown within the last `window` prices at each price; NaN for the first ones."""
    found = np.full(len(prices), np.nan)
    if 0 < window <= len(prices):
        pieces = np.lib.stride_tricks.sliding_window_view(prices, window)
        found[window - 1 :] = (pieces / np.maximum.accumulate(pieces, axis=1)).min(axis=1) - 1.0
    return found


def correlation_matrix(returns: Floats) -> Floats:
    """Pearson's coefficients between the columns; NaN where a column does not vary. Source: as correlation."""
    away = returns - returns.mean(axis=0)
    spread = np.sqrt((away * away).mean(axis=0))
    spread[spread < NEGLIGIBLE] = np.nan
    matrix: Floats = np.clip((away.T @ away) / len(away) / np.outer(spread, spread), -1.0, 1.0)
    return matrix


def risk_contributions(returns: Floats, weights: Floats) -> Floats:
    """What each column adds to the volatility of a portfolio with constant weights: w (Cov w) / sigma, a year; the sum
    is the portfolio's volatility. Source: Litterman, Hot Spots and Hedges, Journal of Portfolio Management 23 (1996).
    """
    away = returns - returns.mean(axis=0)
    covariance = away.T @ (away @ weights) / (len(away) - 1)
    spread = float(np.sqrt(max(weights @ covariance, 0.0)))
    parts: Floats = weights * covariance / (spread if spread > NEGLIGIBLE else np.nan) * _ROOT
    return parts


def _rolling_covariance(first: Floats, second: Floats, window: int) -> Floats:
    """Sample covariance over each window, from running sums of what lies away from the overall means: that keeps the
    sums small, and their rounding far below what a chart shows.
    """
    found = np.full(len(first), np.nan)
    if not 1 < window <= len(first):
        return found
    alone = first is second
    first, second = first - first.mean(), second - second.mean()
    sums = [_window_sums(values, window) for values in (first * second, first, second)]
    spread = (sums[0] - sums[1] * sums[2] / window) / (window - 1)
    found[window - 1 :] = np.maximum(spread, 0.0) if alone else spread
    return found


def _window_sums(values: Floats, window: int) -> Floats:
    sums = np.concatenate(([0.0], np.cumsum(values)))
    return sums[window:] - sums[:-window]


def _mean(values: Floats) -> float:
    return float(np.add.reduce(values)) / len(values) if len(values) else float("nan")


def _spread(values: Floats) -> float:
    """Sample standard deviation."""
    if len(values) < 2:
        return float("nan")
    away = values - _mean(values)
    return float(np.sqrt(away @ away / (len(values) - 1)))


def _ratio(upper: float, lower: float, negligible: float = NEGLIGIBLE) -> float:
    """upper / lower, or NaN where nothing is left to divide by."""
    return upper / lower if abs(lower) > negligible else float("nan")
