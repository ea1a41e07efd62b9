"""Simulated futures of a price or of a portfolio: geometric Brownian motion, block bootstrap of the past, Student-t.

Everything is relative: a path begins at 1, so that the caller may scale it to any price. Times are trading days. Paths
are made in chunks that fit the processor's cache, in float32 with an SFC64 generator, in place; NumPy lets other
threads run while it fills and sorts. Only the days that are drawn are kept.

Drift. The mean m of the daily log returns already is the drift of the logarithm: (mu - sigma^2 / 2) a day. So a log
price after t days is m t + sigma W(t), without any further correction, and the expected price grows by
exp((m + sigma^2 / 2) t). Source: Hull, Options, Futures, and Other Derivatives, "The lognormal property".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Model = Literal["gbm", "bootstrap", "student_t"]
Drift = Literal["historical", "none"]
Progress = Callable[[float], None]

MODELS: tuple[Model, ...] = ("gbm", "bootstrap", "student_t")
DRIFTS: tuple[Drift, ...] = ("historical", "none")
PERCENTILES = (5, 25, 50, 75, 95)
MOST_DRAWN_DAYS = 60
MOST_PATHS = 50
TAIL = 0.05
CHUNK_BYTES = 1 << 20
LEAST_DEGREES, MOST_DEGREES = 4.2, 30.0  # below four a fourth moment does not exist; thirty is all but normal


@dataclass(frozen=True, slots=True)
class Plan:
    """What to simulate. `block` is the length of a bootstrap's blocks in days; `degrees` those of freedom of Student's
    t, None to estimate them from the kurtosis. The same plan on the same returns gives the same outcome.
    """

    days: int
    simulations: int
    model: Model = "gbm"
    seed: int = 1
    drift: Drift = "historical"
    block: int = 10
    degrees: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out, relative to 1 today. `bands` holds a row for each of `days` and a column for each of PERCENTILES,
    `paths` a row for each of `days` and a column for each sample path. `last` are all values of the last day, sorted.
    """

    days: NDArray[np.int64]
    bands: Floats
    paths: Singles
    last: Singles

    @property
    def mean(self) -> float:
        return float(self.last.mean(dtype=np.float64))

    @property
    def deviation(self) -> float:
        """Sample standard deviation; NaN of a single path."""
        return float(self.last.std(dtype=np.float64, ddof=1)) if len(self.last) > 1 else float("nan")

    def probability_at_least(self, value: float) -> float:
        """Share of the paths that end at `value` or above it."""
        return 1.0 - float(np.searchsorted(self.last, np.float32(value), "left")) / len(self.last)

    @property
    def probability_of_gain(self) -> float:
        """Share of the paths that end above 1."""
        return 1.0 - float(np.searchsorted(self.last, np.float32(1.0), "right")) / len(self.last)

    @property
    def expected_shortfall(self) -> float:
        """Mean return of the worst twentieth of the paths, as in risk_metrics.expected_shortfall."""
        count = int((len(self.last) - 1) * TAIL) + 1
        return float(self.last[:count].mean(dtype=np.float64)) - 1.0


def drawn_days(days: int) -> NDArray[np.int64]:
    """The days whose bands are drawn: all, or about sixty evenly spread ones; the last one always."""
    return np.unique(np.rint(np.linspace(1, days, min(days, MOST_DRAWN_DAYS))).astype(np.int64))


def simulate(log_returns: Floats, weights: Floats, plan: Plan, progress: Progress = lambda _share: None) -> Outcome:
    """Simulate a portfolio that holds `weights` (which add up to 1) of the assets today and then is left alone.

    `log_returns` has a row a day, oldest first, and a column an asset; its means, its covariance or its days themselves
    are what the future is made from. `progress` is told shares of the work from time to time, and may raise to stop it.
    """
    days = drawn_days(plan.days)
    values = np.empty((len(days), plan.simulations), np.float32)
    single = weights.astype(np.float32)
    done = 0
    for logs in _chunks(log_returns, days, plan):
        np.exp(logs, out=logs)
        width = logs.shape[2]
        # One asset is the usual case, and its weight is 1.
        values[:, done : done + width] = logs[0] if len(single) == 1 else np.einsum("i,ikl->kl", single, logs)
        done += width
        progress(0.8 * done / plan.simulations)
    return _outcome(days, values, progress)


def _outcome(days: NDArray[np.int64], values: Singles, progress: Progress) -> Outcome:
    """Sort each drawn day's values, one by one, and read the percentiles off them."""
    paths = values[:, :MOST_PATHS].copy()
    bands = np.empty((len(days), len(PERCENTILES)))
    for row, one_day in enumerate(values):
        one_day.sort()
        bands[row] = sorted_percentiles(one_day)
        progress(0.8 + 0.2 * (row + 1) / len(days))
    return Outcome(days, bands, paths, values[-1].copy())


def sorted_percentiles(ordered: Singles) -> Floats:
    """PERCENTILES of sorted values, linear between neighbours, as numpy.percentile answers them."""
    places = (len(ordered) - 1) * np.array(PERCENTILES) / 100.0
    below = places.astype(np.int64)
    low = ordered[below].astype(np.float64)
    high = ordered[np.minimum(below + 1, len(ordered) - 1)].astype(np.float64)
    return low + (high - low) * (places - below)


def _chunks(log_returns: Floats, days: NDArray[np.int64], plan: Plan) -> Iterator[NDArray[np.float32]]:
    """Log values at the drawn days, asset by day by path, a chunk of the paths at a time. Each may be overwritten."""
    make = {"gbm": _brownian, "bootstrap": _bootstrap, "student_t": _student}[plan.model]
    generator = np.random.Generator(np.random.SFC64(plan.seed))
    return make(generator, log_returns, days, plan)


def _widths(plan: Plan, numbers_a_path: int) -> Iterator[int]:
    """How many paths each chunk holds."""
    width = max(64, CHUNK_BYTES // (4 * numbers_a_path))
    for done in range(0, plan.simulations, width):
        yield min(width, plan.simulations - done)


def _brownian(
    generator: np.random.Generator, log_returns: Floats, days: NDArray[np.int64], plan: Plan
) -> Iterator[Singles]:
    """The step from one drawn day to the next is normal with the variance of the days between: exact, no short cut."""
    steps = np.diff(days, prepend=0)
    mixing, drift = _mixing(log_returns), _drift(log_returns, plan)
    root = np.sqrt(steps).astype(np.float32)[:, None]
    push = (drift[:, None] * steps).astype(np.float32)[:, :, None]
    for width in _widths(plan, len(steps) * len(drift)):
        noise = np.empty((len(drift), len(steps), width), np.float32)
        generator.standard_normal(out=noise, dtype=np.float32)
        noise *= root
        yield _walk(noise, mixing, push)


def _student(
    generator: np.random.Generator, log_returns: Floats, days: NDArray[np.int64], plan: Plan
) -> Iterator[Singles]:
    """Daily steps of a multivariate t with the returns' covariance: normal ones over the root of a shared chi-square.
    Source: Kotz and Nadarajah, Multivariate t Distributions and Their Applications (2004), 1.1.
    """
    steps = np.diff(days, prepend=0)
    degrees = plan.degrees or degrees_of_freedom(log_returns)
    mixing, drift = _mixing(log_returns), _drift(log_returns, plan)
    push = (drift[:, None] * steps).astype(np.float32)[:, :, None]
    starts = days - steps
    for width in _widths(plan, plan.days * (len(drift) + 1)):
        scale = np.empty((plan.days, width), np.float32)
        generator.standard_gamma(degrees / 2.0, out=scale, dtype=np.float32)
        np.divide(np.float32((degrees - 2.0) / 2.0), scale, out=scale)
        np.sqrt(scale, out=scale)
        noise = np.empty((len(drift), plan.days, width), np.float32)
        generator.standard_normal(out=noise, dtype=np.float32)
        noise *= scale
        yield _walk(np.add.reduceat(noise, starts, axis=1), mixing, push)


def _walk(noise: Singles, mixing: Singles, push: Singles) -> Singles:
    """Correlate independent steps, add the drift, and add them up from day to day."""
    if len(mixing) == 1:
        noise *= mixing[0, 0]
    else:
        # Not by BLAS, whose threads wait in loops and would take the other processors from the pages.
        noise = np.einsum("ij,jkl->ikl", mixing, noise)
    noise += push
    for day in range(1, noise.shape[1]):  # ten times as fast as np.add.accumulate along this axis
        noise[:, day] += noise[:, day - 1]
    return noise


def _bootstrap(
    generator: np.random.Generator, log_returns: Floats, days: NDArray[np.int64], plan: Plan
) -> Iterator[Singles]:
    """Blocks of days that really followed each other, drawn at random, the end joined to the beginning; all assets take
    the same days, which keeps their correlation. Source: Politis and Romano, A Circular Block-Resampling Procedure for
    Stationary Data (1992).
    """
    count, assets = log_returns.shape
    length = min(plan.block, count)
    moved = log_returns - log_returns.mean(axis=0) + _drift(log_returns, plan)
    circle = np.concatenate((moved, moved[:length]))
    # Sums over any block are differences of two running sums.
    sums = np.concatenate((np.zeros((1, assets)), np.cumsum(circle, axis=0))).T.copy()
    for width in _widths(plan, len(days) * assets * 4):
        logs = np.empty((assets, len(days), width), np.float32)
        so_far, row = np.zeros((assets, width)), 0
        for begin in range(0, plan.days, length):
            first = generator.integers(0, count, width)
            so_far -= sums[:, first]
            while row < len(days) and days[row] <= begin + length:
                logs[:, row] = so_far + sums[:, first + (days[row] - begin)]
                row += 1
            so_far += sums[:, first + length]
        yield logs


def _drift(log_returns: Floats, plan: Plan) -> Floats:
    """The mean log return a day; without drift, the one whose expected price stays where it is."""
    drift: Floats = log_returns.mean(axis=0)
    if plan.drift == "none":
        if plan.model == "bootstrap":
            drift = drift - np.log(np.exp(log_returns).mean(axis=0))
        else:
            drift = -0.5 * log_returns.var(axis=0, ddof=1)
    return drift


def _mixing(log_returns: Floats) -> Singles:
    """A matrix whose product with its transpose is the covariance. By eigenvalues, which also takes singular ones."""
    covariance = np.atleast_2d(np.cov(log_returns, rowvar=False, ddof=1))
    if len(covariance) == 1:
        return np.sqrt(covariance).astype(np.float32)
    values, vectors = np.linalg.eigh(covariance)
    mixing: Singles = (vectors * np.sqrt(np.maximum(values, 0.0))).astype(np.float32)
    return mixing


def degrees_of_freedom(log_returns: Floats) -> float:
    """Of the t that has the (mean) excess kurtosis k of the returns: 4 + 6 / k, by the method of moments."""
    away = log_returns - log_returns.mean(axis=0)
    squares = np.maximum((away * away).mean(axis=0), 1e-24)
    excess = float(np.mean((away**4).mean(axis=0) / squares**2)) - 3.0
    return float(np.clip(4.0 + 6.0 / excess, LEAST_DEGREES, MOST_DEGREES)) if excess > 0 else MOST_DEGREES
