"""Simulated futures of a price or of a portfolio: geometric Brownian motion, block bootstrap of the past, Student-t.

Everything is relative: a path begins at 1, so that the caller may scale it to any price. Times are trading days. Paths
are made in chunks that fit the processor's cache, in float32 with an SFC64 generator, in place; NumPy lets other
threads run while it fills and sorts.

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
MOST_PATHS = 30
TAIL = 0.05
CHUNK_BYTES = 1 << 20
_KEYS = 65534.0  # so many whole numbers of 16 bits are used, with zero in their middle
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
    """What came out, relative to 1 today. `bands` holds a row for each day and a column for each of PERCENTILES,
    `paths` a row for each day and a column for each sample path. `last` are all values of the last day, sorted.
    """

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


def simulate(log_returns: Floats, weights: Floats, plan: Plan, progress: Progress = lambda _share: None) -> Outcome:
    """Simulate a portfolio that holds `weights` (which add up to 1) of the assets today and then is left alone.

    `log_returns` has a row a day, oldest first, and a column an asset; its means, its covariance or its days themselves
    are what the future is made from. `progress` is told shares of the work from time to time, and may raise to stop it.
    """
    values = np.empty((plan.days, plan.simulations), np.float32)
    single = weights.astype(np.float32)
    done = 0
    for logs in _chunks(log_returns, plan):
        np.exp(logs, out=logs)
        width = logs.shape[2]
        # One asset is the usual case, and its weight is 1.
        values[:, done : done + width] = logs[0] if len(single) == 1 else np.einsum("i,ikl->kl", single, logs)
        done += width
        progress(0.8 * done / plan.simulations)
    return _outcome(values, progress)


def _outcome(values: Singles, progress: Progress) -> Outcome:
    """Read the percentiles off each day's values, one by one."""
    bands = np.empty((len(values), len(PERCENTILES)))
    for row, one_day in enumerate(values):
        bands[row] = percentiles(one_day)
        progress(0.8 + 0.2 * (row + 1) / len(values))
    return Outcome(bands, values[:, :MOST_PATHS].copy(), np.sort(values[-1]))


def percentiles(values: Singles) -> Floats:
    """PERCENTILES of the values, linear between neighbours, as numpy.percentile answers them.

    Sorting all values takes four times as long. Here they are sorted by whole numbers of 16 bits that keep their order,
    which NumPy does by radix, and exactly only those near a percentile.
    """
    low, high = values.min(), values.max()
    if low == high:
        return np.full(len(PERCENTILES), low, np.float64)
    places = (len(values) - 1) * np.array(PERCENTILES) / 100.0
    below = places.astype(np.int64)
    keys = ((values - low) * np.float32(_KEYS / (float(high) - float(low))) - np.float32(_KEYS / 2)).astype(np.int16)
    ordered = np.sort(keys, kind="stable")
    neighbours = np.array([_neighbours(values, keys, ordered, place) for place in below.tolist()], np.float64)
    found: Floats = neighbours[:, 0] + (neighbours[:, 1] - neighbours[:, 0]) * (places - below)
    return found


def _neighbours(values: Singles, keys: NDArray[np.int16], ordered: NDArray[np.int16], place: int) -> Singles:
    """The values at `place` and behind it, were all values sorted."""
    first, last = ordered[place], ordered[min(place + 1, len(ordered) - 1)]
    near = np.sort(values[(keys >= first) & (keys <= last)])
    begin = place - int(ordered.searchsorted(first))
    return near[[begin, min(begin + 1, len(near) - 1)]]


def _chunks(log_returns: Floats, plan: Plan) -> Iterator[Singles]:
    """Log values of every day, asset by day by path, a chunk of the paths at a time. Each may be overwritten."""
    make = {"gbm": _brownian, "bootstrap": _bootstrap, "student_t": _student}[plan.model]
    generator = np.random.Generator(np.random.SFC64(plan.seed))
    return make(generator, log_returns, plan)


def _widths(plan: Plan, numbers_a_path: int) -> Iterator[int]:
    """How many paths each chunk holds."""
    width = max(64, CHUNK_BYTES // (4 * numbers_a_path))
    for done in range(0, plan.simulations, width):
        yield min(width, plan.simulations - done)


def _brownian(generator: np.random.Generator, log_returns: Floats, plan: Plan) -> Iterator[Singles]:
    """Normal daily steps with the returns' covariance."""
    mixing, drift = _mixing(log_returns), _drift(log_returns, plan)
    for width in _widths(plan, plan.days * len(drift)):
        noise = np.empty((len(drift), plan.days, width), np.float32)
        generator.standard_normal(out=noise, dtype=np.float32)
        yield _walk(noise, mixing, drift)


def _student(generator: np.random.Generator, log_returns: Floats, plan: Plan) -> Iterator[Singles]:
    """Daily steps of a multivariate t with the returns' covariance: normal ones over the root of a shared chi-square.
    Source: Kotz and Nadarajah, Multivariate t Distributions and Their Applications (2004), 1.1.
    """
    degrees = plan.degrees or degrees_of_freedom(log_returns)
    mixing, drift = _mixing(log_returns), _drift(log_returns, plan)
    for width in _widths(plan, plan.days * (len(drift) + 1)):
        scale = np.empty((plan.days, width), np.float32)
        generator.standard_gamma(degrees / 2.0, out=scale, dtype=np.float32)
        np.divide(np.float32((degrees - 2.0) / 2.0), scale, out=scale)
        np.sqrt(scale, out=scale)
        noise = np.empty((len(drift), plan.days, width), np.float32)
        generator.standard_normal(out=noise, dtype=np.float32)
        noise *= scale
        yield _walk(noise, mixing, drift)


def _walk(noise: Singles, mixing: Singles, drift: Floats) -> Singles:
    """Correlate independent daily steps, add the drift of each asset, and add them up from day to day."""
    if len(mixing) == 1:
        noise *= mixing[0, 0]
    else:
        # Not by BLAS, whose threads wait in loops and would take the other processors from the pages.
        noise = np.einsum("ij,jkl->ikl", mixing, noise)
    noise += drift.astype(np.float32)[:, None, None]
    for day in range(1, noise.shape[1]):  # ten times as fast as np.add.accumulate along this axis
        noise[:, day] += noise[:, day - 1]
    return noise


def _bootstrap(generator: np.random.Generator, log_returns: Floats, plan: Plan) -> Iterator[Singles]:
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
    for width in _widths(plan, plan.days * assets * 4):
        logs = np.empty((assets, plan.days, width), np.float32)
        so_far = np.zeros((assets, width))
        for begin in range(0, plan.days, length):
            first = generator.integers(0, count, width)
            so_far -= sums[:, first]
            for day in range(begin, min(begin + length, plan.days)):
                logs[:, day] = so_far + sums[:, first + (day - begin + 1)]
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
