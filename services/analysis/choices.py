"""What pages remember of a trader: thresholds, indicators and display settings, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services import display
from services.analysis.indicators import parse_spec
from services.errors import InvalidInput, NotFound

LONGEST_SPEC = 600


@dataclass(frozen=True, slots=True)
class Threshold:
    """A slider: a figure on the wrong side of it is flagged. `scale` makes a fraction of the slider's number (percent
    by -0.01 where a loss is negative). `above`: what is above it is flagged, else what is below.
    """

    key: str
    label: str
    least: Decimal
    most: Decimal
    step: Decimal
    default: Decimal
    scale: Decimal
    above: bool
    word: str


def _threshold(
    key: str, label: str, numbers: tuple[str, str, str, str], scale: str, above: bool, word: str
) -> Threshold:
    least, most, step, default = (Decimal(text) for text in numbers)
    return Threshold(key, label, least, most, step, default, Decimal(scale), above, word)


THRESHOLDS = (
    _threshold("volatility", "Volatility, %", ("10", "50", "5", "30"), "0.01", True, "High risk"),
    _threshold("max_drawdown", "Maximum drawdown, %", ("5", "40", "5", "20"), "-0.01", False, "High risk"),
    _threshold("sharpe_ratio", "Sharpe ratio", ("-1", "2", "0.5", "0"), "1", False, "Poor"),
    _threshold("beta", "Beta", ("0.5", "2", "0.1", "1.2"), "1", True, "High risk"),
    _threshold("var_95", "Value at risk 95, %", ("1", "5", "0.5", "2"), "-0.01", False, "High risk"),
    _threshold("sortino_ratio", "Sortino ratio", ("-1", "2", "0.5", "0"), "1", False, "Poor"),
)


def parse_preference(name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The value to remember under a name. Raises NotFound for an unknown name, InvalidInput naming what is wrong."""
    if name not in _PARSERS:
        raise NotFound(f"Nothing is remembered under {name[:32]!r}.", code="UNKNOWN_PREFERENCE")
    return _PARSERS[name](fields)


def _thresholds(fields: Mapping[str, Any]) -> dict[str, Any]:
    known = {threshold.key: threshold for threshold in THRESHOLDS}
    errors = {name: ["is not known"] for name in fields if name not in known}
    for name, value in fields.items():
        if name in known and not _on_slider(known[name], value):
            errors[name] = [f"must be a number from {known[name].least} to {known[name].most}"]
    if errors:
        raise InvalidInput(errors)
    return {name: float(value) for name, value in fields.items()}


def _on_slider(threshold: Threshold, value: Any) -> bool:
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return is_number and threshold.least <= value <= threshold.most


def _indicators(fields: Mapping[str, Any]) -> dict[str, Any]:
    spec = fields.get("spec")
    if not isinstance(spec, str) or len(spec) > LONGEST_SPEC or set(fields) != {"spec"}:
        raise InvalidInput({"spec": ["must be a text such as sma:20,rsi:14, and nothing else is remembered"]})
    return {"spec": ",".join(chosen.key for chosen in parse_spec(spec)) if spec.strip() else ""}


_PARSERS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "analysis_thresholds": _thresholds,
    "desk_indicators": _indicators,
    display.PREFERENCE: display.parse,
}
