"""A row of closes as a small curve: the points of an SVG polyline."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

WIDTH, HEIGHT = 56, 22
MARGIN = 2


def sparkline(closes: Sequence[Decimal]) -> dict[str, Any] | None:
    """`points` inside a box of WIDTH by HEIGHT, and whether the price `rose` from the first to the last; None where
    there are too few to draw.
    """
    if len(closes) < 2:
        return None
    low, high = float(min(closes)), float(max(closes))
    step = (WIDTH - 2 * MARGIN) / (len(closes) - 1)
    scale = (HEIGHT - 2 * MARGIN) / (high - low) if high > low else 0
    points = " ".join(
        f"{MARGIN + step * at:.1f},{HEIGHT - MARGIN - scale * (float(close) - low):.1f}"
        for at, close in enumerate(closes)
    )
    return {"points": points, "rose": closes[-1] >= closes[0]}
