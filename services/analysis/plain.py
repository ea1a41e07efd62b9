"""Figures on their way out: plain Python numbers, and None for whatever is no finite number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def number(value: float) -> float | None:
    """The figure itself, or None for NaN and infinity."""
    return float(value) if math.isfinite(value) else None


def numbers(values: NDArray[Any], places: int) -> list[float | None]:
    """Rounded figures. Gaps at the beginning (the warm-up) are the usual case and cost nothing."""
    known = np.isfinite(values)
    rest: list[float | None]
    if known.all():
        rest = np.round(values, places).tolist()
        return rest
    first = int(np.argmax(known)) if known.any() else len(values)
    rest = np.round(values[first:], places).tolist()
    if not known[first:].all():
        rest = [value if there else None for value, there in zip(rest, known[first:].tolist(), strict=True)]
    return [None] * first + rest


def dates(days: NDArray[np.datetime64]) -> list[str]:
    """ISO dates."""
    texts: list[str] = np.datetime_as_string(days, unit="D").tolist() if len(days) else []
    return texts
