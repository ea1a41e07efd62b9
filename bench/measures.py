"""What a benchmark is made of: a measure with its bound, and the figures that it found."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

ROUNDS = 3


class SkippedMeasure(Exception):
    """Something that this measure needs is not there. Says what."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a measure found. `ratio` is what counts: the higher the better. `note` says more in a few words."""

    product: float
    limit: float
    ratio: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table. `run` measures product and limit side by side; `must` is the least ratio, `aim` a better
    one that is hoped for. `unit` is that of product and limit. May raise SkippedMeasure.
    """

    name: str
    what: str
    unit: str
    must: float
    run: Callable[[], Figures]
    aim: float | None = None


def rates(product: Iterable[float], limit: Iterable[float], note: str = "") -> Figures:
    """Figures of which more is better: the medians, and the product as a part of the limit."""
    reached, possible = median(product), median(limit)
    return Figures(reached, possible, reached / possible, note)


def durations(product: Iterable[float], limit: Iterable[float], note: str = "") -> Figures:
    """Figures of which less is better: the medians, and how many times the product fits into the limit."""
    needed, allowed = median(product), median(limit)
    return Figures(needed, allowed, allowed / needed, note)


def seconds(work: Callable[[], object]) -> float:
    """How long a piece of work takes, in seconds, with the collector of garbage out of the way before it begins."""
    gc.collect()
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def percentile(values: Iterable[float], part: float) -> float:
    """The value that `part` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
