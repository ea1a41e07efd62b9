"""Technical indicators over TA-Lib. The table `INDICATORS` describes each of them once: the API's checks, the forms and
the chart are all driven by it, and a new indicator is one more entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from utils.indicator_formulas import ichimoku, vwap
from utils.indicator_types import BadSpec, Bars, Chosen, Indicator, Line, Parameter, prepare

__all__ = ["INDICATORS", "BadSpec", "Bars", "Chosen", "Indicator", "describe", "prepare", "read_spec"]

MOST_AT_ONCE = 24
LONGEST_SPEC = 600


def read_spec(text: str) -> list[Chosen]:
    """The indicators of a text such as `sma:20,macd:12:26:9,obv`, each once. Raises BadSpec."""
    if len(text) > LONGEST_SPEC:
        raise BadSpec(f"must have at most {LONGEST_SPEC} characters")
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not 1 <= len(parts) <= MOST_AT_ONCE:
        raise BadSpec(f"must name 1 to {MOST_AT_ONCE} indicators with commas between")
    chosen = [_choose(part) for part in parts]
    return list({one.key: one for one in chosen}.values())


def _choose(part: str) -> Chosen:
    name, *texts = part.split(":")
    indicator = INDICATORS.get(name.strip().lower())
    if indicator is None:
        raise BadSpec(f"must name known indicators ({', '.join(INDICATORS)}), not {name.strip()[:20]!r}")
    return indicator.choose(texts)


def describe() -> list[dict[str, Any]]:
    """The table for forms and charts."""
    return [_described(indicator) for indicator in INDICATORS.values()]


def _described(indicator: Indicator) -> dict[str, Any]:
    return {
        "key": indicator.key,
        "name": indicator.name,
        "short": indicator.short,
        "pane": indicator.pane,
        "about": indicator.about,
        "levels": list(indicator.levels),
        "parameters": [
            {"key": p.key, "label": p.label, "default": p.default, "min": p.least, "max": p.most, "step": p.step}
            for p in indicator.parameters
        ],
        "lines": [{"key": line.key, "label": line.label, "style": line.style} for line in indicator.lines],
    }


def _period(default: int, least: int = 2, most: int = 500, key: str = "period", label: str = "Bars") -> Parameter:
    return Parameter(key, label, default, least, most)


def _deviations(default: float) -> Parameter:
    return Parameter("deviations", "Standard deviations", default, 0.5, 5, 0.1)


ONE_LINE = (Line("value", "Value"),)

_ALL = (
    Indicator(
        "sma", "Simple moving average", "SMA", "price", (_period(20),), ONE_LINE,
        lambda ta, bars, period: (ta.SMA(bars.close, period),),
        "Mean of the last closes.",
    ),
    Indicator(
        "ema", "Exponential moving average", "EMA", "price", (_period(20),), ONE_LINE,
        lambda ta, bars, period: (ta.EMA(bars.close, period),),
        "Newer closes weigh more: by 2 / (bars + 1). Begins with the mean of the first bars.",
    ),
    Indicator(
        "wma", "Weighted moving average", "WMA", "price", (_period(20),), ONE_LINE,
        lambda ta, bars, period: (ta.WMA(bars.close, period),),
        "Mean of the last closes with weights 1, 2, 3 up to the newest.",
    ),
    Indicator(
        "bbands", "Bollinger bands", "BB", "price", (_period(20), _deviations(2)),
        (Line("upper", "Upper"), Line("middle", "Middle"), Line("lower", "Lower")),
        lambda ta, bars, period, width: ta.BBANDS(bars.close, period, width, width, 0),
        "Moving average, and so many (population) standard deviations above and below it.",
    ),
    Indicator(
        "vwap", "Volume-weighted average price", "VWAP", "price",
        (Parameter("window", "Bars (0: since the start)", 0, 0, 500),), ONE_LINE,
        lambda _ta, bars, window: (vwap(bars.high, bars.low, bars.close, bars.volume, window, bars.starts),),
        "Mean of (high + low + close) / 3, weighted by volume, since the session or the chart began.",
    ),
    Indicator(
        "sar", "Parabolic SAR", "SAR", "price",
        (
            Parameter("step", "Step", 0.02, 0.001, 0.5, 0.001),
            Parameter("maximum", "Maximum", 0.2, 0.01, 1, 0.01),
        ),
        (Line("value", "Value", "dots"),),
        lambda ta, bars, step, maximum: (ta.SAR(bars.high, bars.low, step, maximum),),
        "Wilder's stop and reverse: a stop that runs after the trend faster and faster.",
        rising=(("step", "maximum"),),
    ),
    Indicator(
        "ichimoku", "Ichimoku cloud", "Ichimoku", "price",
        (
            _period(9, key="conversion", label="Conversion"),
            _period(26, key="base", label="Base and shift"),
            _period(52, key="span", label="Span B"),
        ),
        (
            Line("conversion", "Conversion"), Line("base", "Base"), Line("span_a", "Span A"),
            Line("span_b", "Span B"), Line("lagging", "Lagging"),
        ),
        lambda ta, bars, conversion, base, span: ichimoku(ta, bars.high, bars.low, bars.close, conversion, base, span),
        "Midpoints of high and low. The spans stand `base` bars later, the lagging line (the close) as many earlier.",
        rising=(("conversion", "base"), ("base", "span")),
    ),
    Indicator(
        "rsi", "Relative strength index", "RSI", "own", (_period(14),), ONE_LINE,
        lambda ta, bars, period: (ta.RSI(bars.close, period),),
        "Share of the gains in gains and losses, Wilder's smoothing, 0 to 100.",
        levels=(30, 70),
    ),
    Indicator(
        "macd", "Moving average convergence divergence", "MACD", "own",
        (
            _period(12, key="fast", label="Fast"),
            _period(26, key="slow", label="Slow"),
            _period(9, 1, key="signal", label="Signal"),
        ),
        (Line("macd", "MACD"), Line("signal", "Signal"), Line("histogram", "Histogram", "histogram")),
        lambda ta, bars, fast, slow, signal: ta.MACD(bars.close, fast, slow, signal),
        "Fast less slow exponential average, its own average (signal), and the difference of the two.",
        levels=(0,),
        rising=(("fast", "slow"),),
    ),
    Indicator(
        "stoch", "Stochastic oscillator", "Stoch", "own",
        (
            _period(14, 1, key="period", label="Bars"),
            _period(3, 1, 100, key="slowing", label="%K slowing"),
            _period(3, 1, 100, key="signal", label="%D"),
        ),
        (Line("k", "%K"), Line("d", "%D")),
        lambda ta, bars, period, slowing, signal: ta.STOCH(
            bars.high, bars.low, bars.close, period, slowing, 0, signal, 0
        ),
        "Where the close stands between the lowest low and the highest high, 0 to 100.",
        levels=(20, 80),
    ),
    Indicator(
        "adx", "Average directional index", "ADX", "own", (_period(14, 2, 250),),
        (Line("adx", "ADX"), Line("plus", "+DI"), Line("minus", "−DI")),
        lambda ta, bars, period: tuple(
            function(bars.high, bars.low, bars.close, period) for function in (ta.ADX, ta.PLUS_DI, ta.MINUS_DI)
        ),
        "Strength of the trend, whatever its direction, and the two directional indicators.",
        levels=(25,),
    ),
    Indicator(
        "atr", "Average true range", "ATR", "own", (_period(14, 1),), ONE_LINE,
        lambda ta, bars, period: (ta.ATR(bars.high, bars.low, bars.close, period),),
        "Wilder's average of the daily range, the gap from the close before included, in dollars.",
    ),
    Indicator(
        "cci", "Commodity channel index", "CCI", "own", (_period(20),), ONE_LINE,
        lambda ta, bars, period: (ta.CCI(bars.high, bars.low, bars.close, period),),
        "Distance of the typical price from its average, in mean deviations times 0.015.",
        levels=(-100, 100),
    ),
    Indicator(
        "willr", "Williams %R", "%R", "own", (_period(14),), ONE_LINE,
        lambda ta, bars, period: (ta.WILLR(bars.high, bars.low, bars.close, period),),
        "Where the close stands below the highest high, −100 to 0.",
        levels=(-80, -20),
    ),
    Indicator(
        "mfi", "Money flow index", "MFI", "own", (_period(14),), ONE_LINE,
        lambda ta, bars, period: (ta.MFI(bars.high, bars.low, bars.close, bars.volume, period),),
        "The relative strength index of typical price times volume, 0 to 100.",
        levels=(20, 80),
    ),
    Indicator(
        "roc", "Rate of change", "ROC", "own", (_period(12, 1),), ONE_LINE,
        lambda ta, bars, period: (ta.ROC(bars.close, period),),
        "Change of the close over so many bars, in percent.",
        levels=(0,),
    ),
    Indicator(
        "obv", "On-balance volume", "OBV", "own", (), ONE_LINE,
        lambda ta, bars: (ta.OBV(bars.close, bars.volume),),
        "Volume of rising days less that of falling ones, counted from the first bar that is known.",
    ),
)  # fmt: skip

INDICATORS: Mapping[str, Indicator] = {indicator.key: indicator for indicator in _ALL}
