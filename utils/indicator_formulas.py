"""The indicators that TA-Lib does not have: VWAP and the Ichimoku cloud."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def vwap(high: Floats, low: Floats, close: Floats, volume: Floats, window: int, starts: Sequence[int]) -> Floats:
    """Mean of the typical price (high + low + close) / 3 weighted by volume, over the last `window` bars; for 0 since
    the newest of `starts`. NaN before `window` bars, and where nothing was traded. Source: Berkowitz, Logue and Noser,
    The Total Cost of Transactions on the NYSE, Journal of Finance 43 (1988).
    """
    value = np.concatenate(([0.0], np.cumsum((high + low + close) / 3.0 * volume)))
    traded = np.concatenate(([0.0], np.cumsum(volume)))
    ends = np.arange(1, len(close) + 1)
    begins = ends - window if window else _begins(len(close), starts)
    known = np.maximum(begins, 0)
    weight = traded[ends] - traded[known]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (value[ends] - value[known]) / weight
    return np.where((begins >= 0) & (weight > 0), found, np.nan)


def _begins(length: int, starts: Sequence[int]) -> NDArray[np.int64]:
    """For each bar the newest start not after it."""
    marks = np.zeros(length, np.int64)
    marks[list(starts)] = list(starts)
    return np.maximum.accumulate(marks)


def ichimoku(
    talib: Any, high: Floats, low: Floats, close: Floats, conversion: int, base: int, span: int
) -> tuple[Floats, ...]:
    """Conversion, base, span A, span B and the lagging line. A line's midpoint is (highest high + lowest low) / 2 of
    its bars; span A is the mean of conversion and base. The spans are moved `base` bars ahead, the close as many back:
    their arrays are so much longer than the others, and the caller decides what to show of them.
    Source: Hosoda (1969), as in Elliott, Ichimoku Charts (2007).
    """
    fast, slow = talib.MIDPRICE(high, low, conversion), talib.MIDPRICE(high, low, base)
    ahead = np.full(base, np.nan)
    lagging = np.concatenate((close[base:], np.full(min(base, len(close)), np.nan)))
    return (
        fast,
        slow,
        np.concatenate((ahead, (fast + slow) / 2.0)),
        np.concatenate((ahead, talib.MIDPRICE(high, low, span))),
        lagging,
    )
