"""One day's price path, made up inside the day's recorded bar. Pure and deterministic: same bar and seed, same path.

A daily bar tells where the price began, how high and low it came, and where it ended, not when. The path fills that in:
from the open through the high and the low, in a drawn order and at drawn minutes, to the close, with noise that is
pinned at these four points and never leaves the bar. Prices are held as whole ten-thousandths of a dollar.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate, pairwise
from random import Random

from utils.market_source import Bar

PATH_SEED = 20080902  # changing it changes every price between open and close ever shown
SECONDS_A_STEP = 60
UNITS_A_DOLLAR = 10_000
UNITS_A_CENT = 100
HALF_SPREAD_DIVISOR = 2_000  # 5 basis points: one part in two thousand
NOISE = 0.35  # share of the day's range by which the price strays from the straight line


@dataclass(frozen=True, slots=True)
class PathPoint:
    """What a day has come to at one moment: the last price, the extremes and the shares traded so far."""

    last: Decimal
    high: Decimal
    low: Decimal
    volume: int


@dataclass(frozen=True, slots=True)
class DayPath:
    """A path by the minute, from the open (index 0) to the close (the last index); straight lines in between."""

    prices: tuple[int, ...]
    highs: tuple[int, ...]
    lows: tuple[int, ...]
    volumes: tuple[int, ...]

    def at(self, seconds: int) -> PathPoint:
        """The day `seconds` seconds after its open; beyond its end the day as a whole."""
        step, rest = divmod(max(0, seconds), SECONDS_A_STEP)
        if step >= len(self.prices) - 1:
            step, rest = len(self.prices) - 1, 0
        price, volume = self.prices[step], self.volumes[step]
        if rest:
            price = _between(price, self.prices[step + 1], rest)
            volume += (self.volumes[step + 1] - volume) * rest // SECONDS_A_STEP
        high, low = max(self.highs[step], price), min(self.lows[step], price)
        return PathPoint(dollars(price), dollars(high), dollars(low), volume)


def dollars(units: int) -> Decimal:
    """Ten-thousandths of a dollar as dollars."""
    return Decimal(units).scaleb(-4)


def tick_units(units: int) -> int:
    """The least step of a price: a cent from one dollar, a ten-thousandth below."""
    return UNITS_A_CENT if units >= UNITS_A_DOLLAR else 1


def spread(last: Decimal) -> tuple[Decimal, Decimal]:
    """Bid and ask around a last price: 5 basis points, at least one tick, to each side, rounded outwards to ticks."""
    units = int(last.scaleb(4))
    tick = tick_units(units)
    half = max(tick, -(-units // HALF_SPREAD_DIVISOR))
    bid, ask = (units - half) // tick * tick, -(-(units + half) // tick) * tick
    return dollars(max(1, bid)), dollars(ask)


@lru_cache(maxsize=512)
def day_path(bar: Bar, minutes: int, seed: int = PATH_SEED) -> DayPath:
    """The path of `bar` over a session of `minutes` minutes (at least 4). It reaches the bar's high and low exactly,
    stays between them, begins at its open and ends at its close; its volume rises to the bar's.
    """
    random = Random(f"{seed}:{bar.ticker}:{bar.date.isoformat()}")
    prices = tuple(_prices(bar, minutes, random))
    return DayPath(
        prices=prices,
        highs=tuple(accumulate(prices, max)),
        lows=tuple(accumulate(prices, min)),
        volumes=_volumes(bar.volume, minutes, random),
    )


def _prices(bar: Bar, minutes: int, random: Random) -> Iterator[int]:
    """Segment by segment; a segment's end is left to the next one, which begins with it."""
    low, high = _units(bar.low), _units(bar.high)
    turns = _turning_points(bar, minutes, random)
    for (start, first), (end, last) in pairwise(turns):
        for price in _segment(first, last, end - start, (high - low) * NOISE, random):
            yield min(max(price, low), high)
    yield _units(bar.close)


def _turning_points(bar: Bar, minutes: int, random: Random) -> list[tuple[int, int]]:
    """Open, the two extremes and close as (minute, price). A rising day more often sees its low first."""
    extremes = [_units(bar.low), _units(bar.high)]
    rising = bar.close >= bar.open
    if (random.random() < 0.75) != rising:
        extremes.reverse()
    first = 1 + int(random.random() * (minutes // 2 - 1))
    second = first + 1 + int(random.random() * (minutes - first - 2))
    return [(0, _units(bar.open)), (first, extremes[0]), (second, extremes[1]), (minutes, _units(bar.close))]


def _segment(first: int, last: int, steps: int, noise: float, random: Random) -> Iterator[int]:
    """Prices of a segment without its end: the straight line plus a random walk bent back to zero at both ends."""
    walk = [0.0, *accumulate(_shock(random) for _ in range(steps))]
    scale = noise / max(1.0, steps**0.5)
    yield first
    for step in range(1, steps):
        share = step / steps
        straight = first + (last - first) * share
        yield _to_tick(straight + scale * (walk[step] - walk[-1] * share))


def _shock(random: Random) -> float:
    """Bell-shaped, mean 0, deviation 1/2. Only random() itself is promised to stay the same across Python versions."""
    return random.random() + random.random() + random.random() - 1.5


def _volumes(total: int, minutes: int, random: Random) -> tuple[int, ...]:
    """Shares so far by the minute: busy after the open and before the close, the opening auction first."""
    weights = [(0.5 + 1.5 * (2 * minute / minutes - 1) ** 2) * (0.5 + random.random()) for minute in range(minutes + 1)]
    sums = list(accumulate(weights))
    return (*(int(total * (part / sums[-1])) for part in sums[:-1]), total)


def _between(first: int, second: int, rest: int) -> int:
    price = _to_tick(first + (second - first) * rest / SECONDS_A_STEP)
    return min(max(price, min(first, second)), max(first, second))


def _to_tick(units: float) -> int:
    whole = round(units)
    tick = tick_units(whole)
    return round(whole / tick) * tick


def _units(price: Decimal) -> int:
    return int(price.scaleb(4))
