"""The figures of the risk analysis: what each is called, how many returns it needs to mean something, its formula.

The table drives the analysis, the endpoint's reasons and the page's explanations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from services.analysis.bar_reader import Days, Floats
from utils import risk_metrics as formulas

Kind = Literal["percent", "ratio"]

BOTH_DAYS = "days that it shares with the benchmark"


@dataclass(frozen=True)
class View:
    """One price series of a window, and beside it the benchmark on the days that both have. `free` is the risk-free
    return a day.
    """

    days: Days
    prices: Floats
    joint_days: Days
    joint_prices: Floats
    benchmark_prices: Floats
    free: float

    @cached_property
    def returns(self) -> Floats:
        return formulas.simple_returns(self.prices)

    @cached_property
    def joint(self) -> Floats:
        return formulas.simple_returns(self.joint_prices)

    @cached_property
    def benchmark(self) -> Floats:
        return formulas.simple_returns(self.benchmark_prices)

    @cached_property
    def fall(self) -> formulas.Drawdown:
        return formulas.max_drawdown(self.prices)


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure: `needs` is the least number of daily returns, of days shared with the benchmark where `shared`."""

    key: str
    label: str
    kind: Kind
    needs: int
    compute: Callable[[View], float]
    formula: str
    shared: bool = False
    undefined: str = "the prices do not vary enough"

    def count(self, view: View) -> int:
        return len(view.joint if self.shared else view.returns)

    def lack(self, count: int) -> str:
        """The reason why there is no figure from so few returns."""
        of = f" on {BOTH_DAYS}" if self.shared else ""
        return f"needs {self.needs} daily returns{of}, there are {count}"


# fmt: off
_ALL = (
    Metric("total_return", "Total return", "percent", 1, lambda v: formulas.total_return(v.returns),
           "product of (1 + r), less 1"),
    Metric("annual_return", "Annual return", "percent", 60, lambda v: formulas.annual_return(v.returns),
           "(product of (1 + r)) to the power of 252 / n, less 1"),
    Metric("sharpe_ratio", "Sharpe ratio", "ratio", 2, lambda v: formulas.sharpe_ratio(v.returns, v.free),
           "mean of (r − f) ÷ its sample standard deviation × √252"),
    Metric("sortino_ratio", "Sortino ratio", "ratio", 30, lambda v: formulas.sortino_ratio(v.returns, v.free),
           "mean of (r − f) × 252 ÷ downside deviation", undefined="there was no loss"),
    Metric("calmar_ratio", "Calmar ratio", "ratio", 60, lambda v: formulas.calmar_ratio(v.returns, v.fall.depth),
           "annual return ÷ depth of the maximum drawdown", undefined="there was no drawdown"),
    Metric("volatility", "Annual volatility", "percent", 2, lambda v: formulas.volatility(v.returns),
           "sample standard deviation of r × √252"),
    Metric("downside_deviation", "Downside deviation", "percent", 30,
           lambda v: formulas.downside_deviation(v.returns, v.free),
           "√(mean over all days of min(r − f, 0)²) × √252"),
    Metric("skewness", "Skewness", "ratio", 4, lambda v: formulas.skewness(v.returns),
           "third central moment ÷ variance to the power of 3/2"),
    Metric("kurtosis", "Excess kurtosis", "ratio", 4, lambda v: formulas.excess_kurtosis(v.returns),
           "fourth central moment ÷ variance², less 3"),
    Metric("max_drawdown", "Maximum drawdown", "percent", 1, lambda v: v.fall.depth,
           "lowest of price ÷ highest price so far, less 1"),
    Metric("var_95", "Value at risk 95 %, a day", "percent", 5, lambda v: formulas.historical_var(v.returns, 0.95),
           "5th percentile of r, linear between neighbours"),
    Metric("var_99", "Value at risk 99 %, a day", "percent", 5, lambda v: formulas.historical_var(v.returns, 0.99),
           "1st percentile of r, linear between neighbours"),
    Metric("parametric_var_95", "Normal value at risk 95 %", "percent", 5,
           lambda v: formulas.parametric_var(v.returns, 0.95), "mean of r − 1.645 × its sample standard deviation"),
    Metric("parametric_var_99", "Normal value at risk 99 %", "percent", 5,
           lambda v: formulas.parametric_var(v.returns, 0.99), "mean of r − 2.326 × its sample standard deviation"),
    Metric("expected_shortfall_95", "Expected shortfall 95 %", "percent", 5,
           lambda v: formulas.expected_shortfall(v.returns, 0.95), "mean of the returns not above the value at risk"),
    Metric("expected_shortfall_99", "Expected shortfall 99 %", "percent", 5,
           lambda v: formulas.expected_shortfall(v.returns, 0.99), "mean of the returns not above the value at risk"),
    Metric("beta", "Beta", "ratio", 60, lambda v: formulas.beta(v.joint, v.benchmark),
           "covariance of r and b ÷ variance of b", shared=True),
    Metric("alpha", "Alpha, a year", "percent", 60, lambda v: formulas.alpha(v.joint, v.benchmark, v.free),
           "(1 + mean of (r − f) − beta × mean of (b − f)) to the power of 252, less 1", shared=True),
    Metric("r_squared", "R squared", "ratio", 60, lambda v: formulas.r_squared(v.joint, v.benchmark),
           "correlation of r and b, squared", shared=True),
    Metric("systematic_risk", "Systematic risk", "percent", 60,
           lambda v: formulas.systematic_risk(v.joint, v.benchmark), "|beta| × volatility of b", shared=True),
    Metric("systematic_risk_pct", "Systematic share of the variance", "percent", 60,
           lambda v: formulas.r_squared(v.joint, v.benchmark),
           "(beta × volatility of b ÷ volatility of r)², which is R squared", shared=True),
    Metric("residual_risk", "Residual risk", "percent", 60, lambda v: formulas.residual_risk(v.joint, v.benchmark),
           "volatility of r − beta × b", shared=True),
    Metric("tracking_error", "Tracking error", "percent", 30,
           lambda v: formulas.tracking_error(v.joint, v.benchmark), "volatility of r − b", shared=True),
    Metric("information_ratio", "Information ratio", "ratio", 30,
           lambda v: formulas.information_ratio(v.joint, v.benchmark),
           "mean of (r − b) ÷ its sample standard deviation × √252", shared=True,
           undefined="it moves exactly as the benchmark does"),
    Metric("treynor_ratio", "Treynor ratio", "ratio", 60,
           lambda v: formulas.treynor_ratio(v.joint, v.benchmark, v.free), "mean of (r − f) × 252 ÷ beta", shared=True,
           undefined="beta is zero"),
)
# fmt: on

_LOSSES = ("var", "parametric_var", "expected_shortfall")

METRICS: Mapping[str, Metric] = {metric.key: metric for metric in _ALL}
GROUPS = {
    "Return": ("total_return", "annual_return", "sharpe_ratio", "sortino_ratio", "calmar_ratio"),
    "Spread": ("volatility", "downside_deviation", "skewness", "kurtosis"),
    "Losses": ("max_drawdown", *(f"{name}_{level}" for name in _LOSSES for level in (95, 99))),
    "Against the benchmark": tuple(metric.key for metric in _ALL if metric.shared),
}
LEAST_RETURNS = 5  # below, hardly a figure is left


def measure(view: View) -> tuple[dict[str, float | None], dict[str, str]]:
    """Every figure of a view, null where there is none, and for each null its reason."""
    figures: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    for metric in METRICS.values():
        count = metric.count(view)
        figure = metric.compute(view) if count >= metric.needs else float("nan")
        figures[metric.key] = figure if figure - figure == 0 else None  # neither NaN nor infinite
        if figures[metric.key] is None:
            reasons[metric.key] = metric.undefined if count >= metric.needs else metric.lack(count)
    return figures, reasons


def describe() -> dict[str, list[Metric]]:
    """The table for the page, by group."""
    return {group: [METRICS[key] for key in keys] for group, keys in GROUPS.items()}
