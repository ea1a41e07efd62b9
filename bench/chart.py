"""Draws docs/images/sweep_time.svg: how long a pass takes as the resting orders grow. `python -m bench.chart`

It measures afresh: the passes of the order processor, and the same look through the ORM as far as one likes to wait.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from bench import ROOT
from bench.measures import ROUNDS, seconds
from bench.sweep import look_at_each, pass_over, resting_books

TARGET = ROOT / "docs" / "images" / "sweep_time.svg"
OURS = (1_000, 10_000, 100_000, 1_000_000)
THROUGH_ORM = (1_000, 10_000, 100_000)

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 90, 690, 50, 350
ORDERS_FROM, ORDERS_TO = 3, 6  # powers of ten on the axes
TIME_FROM, TIME_TO = -1, 5  # of milliseconds

Point = tuple[int, float]


def main() -> None:
    ours = [(count, pass_over(count) * 1000) for count in OURS]
    others = [(count, orm_seconds(count) * 1000) for count in THROUGH_ORM]
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(drawing(ours, others))
    for name, points in (("order book", ours), ("ORM", others)):
        print(name, ", ".join(f"{count:,}: {time:.3g} ms" for count, time in points))


def orm_seconds(count: int) -> float:
    with resting_books(count) as books:
        return median(seconds(lambda: look_at_each(books)) for _ in range(ROUNDS))


def drawing(ours: Sequence[Point], others: Sequence[Point]) -> str:
    """The chart as SVG."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'font-family="sans-serif" font-size="13">',
        "<title>Time of a pass in which no order triggers, by resting orders</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        text(LEFT, 28, "A pass in which no order triggers, 500 tickers (both axes logarithmic)", size=15),
        *grid(),
        *line(others, "#b3541e", "each order through the ORM"),
        *line(ours, "#1f5fa8", "the order processor's pass"),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def grid() -> list[str]:
    parts = []
    for power in range(TIME_FROM, TIME_TO + 1):
        y = height_of(10.0**power)
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{RIGHT}" y2="{y:.1f}" stroke="#d9dde3"/>')
        parts.append(text(LEFT - 8, y + 4, time_label(power), anchor="end"))
    counts = [10**power for power in range(ORDERS_FROM, ORDERS_TO + 1)]
    parts += [text(place_of(count), BOTTOM + 22, f"{count:,}", anchor="middle") for count in counts]
    parts.append(text((LEFT + RIGHT) / 2, BOTTOM + 48, "resting orders", anchor="middle"))
    return parts


def time_label(power: int) -> str:
    return f"{10 ** (power - 3):g} s" if power >= 3 else f"{10.0**power:g} ms"


def line(points: Sequence[Point], colour: str, name: str) -> list[str]:
    """A line with a dot at each measured point, and its name at the last one."""
    places = [(place_of(count), height_of(time)) for count, time in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in places]
    labels = [
        text(x, y - 10, f"{time:.3g} ms" if time < 1000 else f"{time / 1000:.3g} s", colour, "middle")
        for (x, y), (_, time) in zip(places, points, strict=True)
    ]
    named = name_beside(*places[-1], name, colour)
    return [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>', *dots, *labels, named]


def name_beside(x: float, y: float, name: str, colour: str) -> str:
    """The name of a line right of its last dot, or below it where the picture ends."""
    return text(x + 12, y + 5, name, colour) if x < RIGHT - 150 else text(x, y + 22, name, colour, "end")


def place_of(count: float) -> float:
    return LEFT + 20 + (math.log10(count) - ORDERS_FROM) / (ORDERS_TO - ORDERS_FROM) * (RIGHT - LEFT - 60)


def height_of(milliseconds: float) -> float:
    return BOTTOM - (math.log10(milliseconds) - TIME_FROM) / (TIME_TO - TIME_FROM) * (BOTTOM - TOP)


def text(x: float, y: float, words: str, colour: str = "#333a44", anchor: str = "start", size: int = 13) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" font-size="{size}">{words}</text>'


if __name__ == "__main__":
    main()
