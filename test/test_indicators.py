"""Every indicator agrees with its definition written out in plain Python, and its table with itself."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import talib

from config import ROOT
from utils.indicators import INDICATORS, BadSpec, Bars, describe, read_spec

Plain = list[float]
NAN = math.nan


@cache
def bars(count: int = 400) -> Bars:
    from utils.replay_market import load_bars

    recorded = load_bars(ROOT / "data" / "daily_bars_2000_2013.csv.gz")["IBM"][-count:]
    names = ("open", "high", "low", "close", "volume")
    return Bars(*(np.array([float(getattr(bar, name)) for bar in recorded]) for name in names))


def windows(values: Plain, size: int) -> list[Plain]:
    return [values[end - size : end] for end in range(size, len(values) + 1)]


def led(values: Plain, length: int) -> Plain:
    """With as many gaps in front as are missing."""
    return [NAN] * (length - len(values)) + values


# The definitions. o, h, l, c, v are open, high, low, close and volume.


def sma(c: Plain, n: int) -> Plain:
    return [statistics.fmean(window) for window in windows(c, n)]


def ema(c: Plain, n: int) -> Plain:
    found = [statistics.fmean(c[:n])]
    for value in c[n:]:
        found.append(found[-1] + (value - found[-1]) * 2 / (n + 1))
    return found


def wma(c: Plain, n: int) -> Plain:
    weights = range(1, n + 1)
    return [sum(w * x for w, x in zip(weights, window, strict=True)) / sum(weights) for window in windows(c, n)]


def wilder(values: Plain, n: int) -> Plain:
    found = [statistics.fmean(values[:n])]
    for value in values[n:]:
        found.append((found[-1] * (n - 1) + value) / n)
    return found


def rsi(c: Plain, n: int) -> Plain:
    moves = [b - a for a, b in itertools.pairwise(c)]
    gains, losses = wilder([max(x, 0) for x in moves], n), wilder([max(-x, 0) for x in moves], n)
    return [100 * up / (up + down) for up, down in zip(gains, losses, strict=True)]


def true_ranges(h: Plain, low: Plain, c: Plain) -> Plain:
    return [max(a, y) - min(b, y) for a, b, y in zip(h[1:], low[1:], c, strict=False)]


def macd(c: Plain, fast: int, slow: int, signal: int) -> list[Plain]:
    """The fast average begins so late that both begin on the same bar."""
    quick, long = ema(c[slow - fast :], fast), ema(c, slow)
    line = [a - b for a, b in zip(quick, long, strict=True)]
    mean = ema(line, signal)
    line = line[signal - 1 :]
    return [line, mean, [a - b for a, b in zip(line, mean, strict=True)]]


def stochastic(h: Plain, low: Plain, c: Plain, n: int, slowing: int, signal: int) -> list[Plain]:
    spans = zip(windows(h, n), windows(low, n), c[n - 1 :], strict=True)
    k = sma([100 * (x - min(b)) / (max(a) - min(b)) for a, b, x in spans], slowing)
    d = sma(k, signal)
    return [k[signal - 1 :], d]


def typical(b: Bars) -> Plain:
    return list((b.high + b.low + b.close) / 3)


def cci(b: Bars, n: int) -> Plain:
    found = []
    for window in windows(typical(b), n):
        mean = statistics.fmean(window)
        found.append((window[-1] - mean) / (0.015 * statistics.fmean(abs(x - mean) for x in window)))
    return found


def directional(b: Bars, n: int) -> list[Plain]:
    """Wilder's ADX: his sums begin with n - 1 bars, which are then smoothed from the next bar on."""
    h, low, c = list(b.high), list(b.low), list(b.close)
    ups = [y - x for x, y in itertools.pairwise(h)]
    downs = [x - y for x, y in itertools.pairwise(low)]
    plus = [up if up > max(down, 0) else 0 for up, down in zip(ups, downs, strict=True)]
    minus = [down if down > max(up, 0) else 0 for up, down in zip(ups, downs, strict=True)]

    def smoothed(values: Plain) -> Plain:
        total, found = sum(values[: n - 1]), []
        for value in values[n - 1 :]:
            total += value - total / n
            found.append(total)
        return found

    ranges = smoothed(true_ranges(h, low, c))
    plus_di = [100 * a / b for a, b in zip(smoothed(plus), ranges, strict=True)]
    minus_di = [100 * a / b for a, b in zip(smoothed(minus), ranges, strict=True)]
    index = [100 * abs(a - b) / (a + b) for a, b in zip(plus_di, minus_di, strict=True)]
    return [wilder(index, n), plus_di, minus_di]


def parabolic(b: Bars, step: float, most: float) -> Plain:
    """Wilder's rules, one bar after the other."""
    h, low = list(b.high), list(b.low)
    down, up = low[0] - low[1], h[1] - h[0]
    long = not (down > up and down > 0)
    stop, extreme, speed = (low[0], h[1], step) if long else (h[0], low[1], step)
    found = []
    for at in range(1, len(h)):
        if (low[at] <= stop) if long else (h[at] >= stop):
            long = not long
            past = (h[at], h[at - 1]) if not long else (low[at], low[at - 1])
            stop = max(extreme, *past) if not long else min(extreme, *past)
            found.append(stop)
            extreme, speed = (h[at] if long else low[at]), step
        else:
            found.append(stop)
            better = h[at] > extreme if long else low[at] < extreme
            if better:
                extreme, speed = (h[at] if long else low[at]), min(speed + step, most)
        stop += speed * (extreme - stop)
        near = (low[at], low[at - 1]) if long else (h[at], h[at - 1])
        stop = min(stop, *near) if long else max(stop, *near)
    return found


def middle(b: Bars, n: int) -> Plain:
    spans = zip(windows(list(b.high), n), windows(list(b.low), n), strict=True)
    return [(max(high) + min(low)) / 2 for high, low in spans]


def bands(c: Plain, n: int, width: float) -> list[Plain]:
    mean, spread = sma(c, n), [statistics.pstdev(window) for window in windows(c, n)]
    return [
        [m + width * s for m, s in zip(mean, spread, strict=True)],
        mean,
        [m - width * s for m, s in zip(mean, spread, strict=True)],
    ]


def money_flow(b: Bars, n: int) -> Plain:
    prices = typical(b)
    flows = [
        math.copysign(y * v, y - x) if y != x else 0.0
        for x, y, v in zip(prices, prices[1:], list(b.volume)[1:], strict=False)
    ]
    return [100 * sum(x for x in w if x > 0) / sum(abs(x) for x in w) for w in windows(flows, n)]


def balance(b: Bars) -> Plain:
    found, c = [float(b.volume[0])], list(b.close)
    for before, now, volume in zip(c, c[1:], list(b.volume)[1:], strict=False):
        found.append(found[-1] + (volume if now > before else -volume if now < before else 0))
    return found


def average_price(b: Bars) -> Plain:
    value, traded, found = 0.0, 0.0, []
    for price, volume in zip(typical(b), b.volume, strict=True):
        value, traded = value + price * volume, traded + volume
        found.append(value / traded)
    return found


PLAIN: dict[str, Callable[[Bars], list[Plain]]] = {
    "sma:20": lambda b: [sma(list(b.close), 20)],
    "ema:20": lambda b: [ema(list(b.close), 20)],
    "wma:20": lambda b: [wma(list(b.close), 20)],
    "bbands:20:2": lambda b: bands(list(b.close), 20, 2),
    "vwap:0": lambda b: [average_price(b)],
    "sar:0.02:0.2": lambda b: [parabolic(b, 0.02, 0.2)],
    "rsi:14": lambda b: [rsi(list(b.close), 14)],
    "macd:12:26:9": lambda b: macd(list(b.close), 12, 26, 9),
    "stoch:14:3:3": lambda b: stochastic(list(b.high), list(b.low), list(b.close), 14, 3, 3),
    "adx:14": lambda b: directional(b, 14),
    "atr:14": lambda b: [wilder(true_ranges(list(b.high), list(b.low), list(b.close)), 14)],
    "cci:20": lambda b: [cci(b, 20)],
    "willr:14": lambda b: [
        [
            -100 * (max(high) - x) / (max(high) - min(low))
            for high, low, x in zip(windows(list(b.high), 14), windows(list(b.low), 14), b.close[13:], strict=True)
        ]
    ],
    "mfi:14": lambda b: [money_flow(b, 14)],
    "roc:12": lambda b: [[100 * (y / x - 1) for x, y in zip(b.close, b.close[12:], strict=False)]],
    "obv": lambda b: [balance(b)],
}


@pytest.mark.parametrize("spec", PLAIN)
def test_agreement_with_the_definition(spec: str) -> None:
    found = read_spec(spec)[0].compute(bars())
    for values, expected in zip(found.values(), PLAIN[spec](bars()), strict=True):
        assert list(values) == pytest.approx(led(expected, len(bars())), rel=1e-9, abs=1e-7, nan_ok=True)


def test_ichimoku_moves_its_spans_ahead_and_the_close_back() -> None:
    b = bars()
    found = read_spec("ichimoku")[0].compute(b)
    count, fast, slow = len(b), led(middle(b, 9), len(b)), led(middle(b, 26), len(b))
    assert list(found["conversion"]) == pytest.approx(fast, nan_ok=True)
    assert list(found["base"]) == pytest.approx(slow, nan_ok=True)
    assert list(found["span_a"][26:]) == pytest.approx(
        [(x + y) / 2 for x, y in zip(fast, slow, strict=True)], nan_ok=True
    )
    assert list(found["span_b"][26:]) == pytest.approx(led(middle(b, 52), count), nan_ok=True)
    assert list(found["lagging"][: count - 26]) == pytest.approx(list(b.close[26:]))
    assert np.isnan(found["lagging"][count - 26 :]).all()


def test_vwap_begins_anew_with_each_session_and_rolls_with_a_window() -> None:
    flat = np.ones(6)
    price = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    b = Bars(price, price, price, price, flat, starts=(0, 3))
    assert list(read_spec("vwap:0")[0].compute(b)["value"]) == pytest.approx([1, 1.5, 2, 4, 4.5, 5])
    assert list(read_spec("vwap:2")[0].compute(b)["value"]) == pytest.approx(
        [NAN, 1.5, 2.5, 3.5, 4.5, 5.5], nan_ok=True
    )


def test_vwap_without_volume_is_undefined() -> None:
    price = np.array([1.0, 2.0])
    found = read_spec("vwap")[0].compute(Bars(price, price, price, price, np.array([0.0, 1.0])))["value"]
    assert list(found) == pytest.approx([NAN, 2.0], nan_ok=True)


def test_nothing_looks_ahead() -> None:
    """What is known of 300 bars does not change when 100 more follow. The lagging line is the close itself."""
    whole, part = bars(), Bars(*(getattr(bars(), name)[:300] for name in ("open", "high", "low", "close", "volume")))
    for indicator in INDICATORS.values():
        chosen = indicator.choose([])
        after, before = chosen.compute(whole), chosen.compute(part)
        for line in indicator.lines:
            if line.key != "lagging":
                found, known = after[line.key][:300], before[line.key][:300]
                assert list(found) == pytest.approx(list(known), rel=1e-9, nan_ok=True), (chosen.key, line.key)


@pytest.mark.parametrize("count", [0, 1, 2, 5])
@pytest.mark.parametrize("key", INDICATORS)
def test_few_bars_are_all_warm_up_and_no_error(key: str, count: int) -> None:
    few = Bars(*(getattr(bars(), name)[:count] for name in ("open", "high", "low", "close", "volume")))
    for values in INDICATORS[key].choose([]).compute(few).values():
        assert len(values) >= count


def test_there_are_at_least_fifteen_and_the_table_describes_all() -> None:
    documented = {
        "sma", "ema", "wma", "rsi", "macd", "bbands", "atr", "stoch", "adx", "obv", "vwap", "cci", "willr", "sar",
        "ichimoku",
    }  # fmt: skip
    assert documented <= INDICATORS.keys()
    for described, indicator in zip(describe(), INDICATORS.values(), strict=True):
        chosen = indicator.choose([])
        assert described["key"] == indicator.key
        assert list(chosen.compute(bars())) == [line["key"] for line in described["lines"]]
        for parameter in described["parameters"]:
            assert parameter["min"] <= parameter["default"] <= parameter["max"]


@pytest.mark.parametrize("key", INDICATORS)
def test_the_ends_of_every_range_can_be_computed(key: str) -> None:
    indicator = INDICATORS[key]
    for pick in ("least", "most"):
        values = {parameter.key: getattr(parameter, pick) for parameter in indicator.parameters}
        for smaller, larger in indicator.rising if pick == "least" else reversed(indicator.rising):
            if values[smaller] >= values[larger]:
                values[larger if pick == "least" else smaller] = (
                    values[smaller] + 1 if pick == "least" else values[larger] - 1
                )
        texts = [f"{values[parameter.key]:g}" for parameter in indicator.parameters]
        if key == "sar" and pick == "most":
            texts = ["0.5", "1"]
        for line in indicator.choose(texts).compute(bars()).values():
            assert len(line) >= len(bars())


def test_a_spec_is_read_whole() -> None:
    chosen = read_spec(" SMA:50, macd ,sma:50,bbands:20:2.5,")
    assert [one.key for one in chosen] == ["sma:50", "macd:12:26:9", "bbands:20:2.5"]
    assert [one.label for one in chosen] == ["SMA 50", "MACD 12 26 9", "BB 20 2.5"]


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("", "1 to 24 indicators"),
        ("sma:0", "sma: period must be a whole number from 2 to 500"),
        ("sma:501", "sma: period"),
        ("sma:2.5", "sma: period"),
        ("sma:٥", "sma: period"),
        ("sma:1e2", "sma: period"),
        ("sma:nan", "sma: period"),
        ("sma:20:5", "sma takes 1 parameters"),
        ("bbands:20:9", "bbands: deviations must be a number from 0.5 to 5"),
        ("macd:26:12", "macd: slow must be above fast"),
        ("sar:0.3:0.2", "sar: maximum must be above step"),
        ("magic:3", "not 'magic'"),
        (",".join(["obv"] * 25), "1 to 24 indicators"),
        ("x" * 601, "at most 600 characters"),
    ],
)
def test_a_wrong_spec_is_refused_by_name(spec: str, sentence: str) -> None:
    with pytest.raises(BadSpec, match=sentence.replace("(", r"\(")):
        read_spec(spec)


def test_ta_lib_is_the_version_that_was_tried() -> None:
    assert f"ta-lib=={talib.__version__}" in (ROOT / "requirements.txt").read_text()
