"""What an indicator is: its description, the bars it is computed from, and a choice of its parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Pane = Literal["price", "own"]
Style = Literal["line", "histogram", "dots"]


class BadSpec(ValueError):
    """A chosen indicator or one of its parameters is wrong. The text is a sentence that names it."""


@dataclass(frozen=True, slots=True)
class Bars:
    """The bars to compute from, oldest first, all arrays of one length. `starts` are the positions where what counts
    from a beginning (VWAP) begins anew: the first bar of each session, or of the chart.
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    starts: tuple[int, ...] = (0,)

    def __len__(self) -> int:
        return len(self.close)


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a user may set, from `least` to `most`; a whole number unless `step` is below 1."""

    key: str
    label: str
    default: float
    least: float
    most: float
    step: float = 1

    def read(self, text: str) -> float:
        """The text as a value. Raises BadSpec with a sentence without its subject."""
        whole = self.step >= 1
        pattern = r"-?[0-9]{1,6}" if whole else r"-?[0-9]{1,6}(\.[0-9]{1,6})?"
        value = float(text) if re.fullmatch(pattern, text, re.ASCII) else None
        if value is None or not self.least <= value <= self.most:
            kind = "a whole number" if whole else "a number"
            raise BadSpec(f"must be {kind} from {self.least:g} to {self.most:g}")
        return value


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an indicator."""

    key: str
    label: str
    style: Style = "line"


Compute = Callable[..., Sequence[Floats]]


@dataclass(frozen=True, slots=True)
class Indicator:
    """An indicator: `compute(talib, bars, *values)` answers an array for each line, NaN where it is not defined yet.
    `levels` are fixed marks of its own pane. `rising` names pairs of parameters of which the first must be smaller.
    """

    key: str
    name: str
    short: str
    pane: Pane
    parameters: tuple[Parameter, ...]
    lines: tuple[Line, ...]
    compute: Compute
    about: str
    levels: tuple[float, ...] = ()
    rising: tuple[tuple[str, str], ...] = ()

    def choose(self, texts: Sequence[str]) -> Chosen:
        """With parameters given in order; those left out take their default. Raises BadSpec."""
        if len(texts) > len(self.parameters):
            raise BadSpec(f"{self.key} takes {len(self.parameters)} parameters, not {len(texts)}")
        values = [self._value(parameter, text) for parameter, text in zip(self.parameters, texts, strict=False)]
        values += [parameter.default for parameter in self.parameters[len(texts) :]]
        by_key = dict(zip((parameter.key for parameter in self.parameters), values, strict=True))
        for smaller, larger in self.rising:
            if by_key[smaller] >= by_key[larger]:
                raise BadSpec(f"{self.key}: {larger} must be above {smaller}")
        return Chosen(self, tuple(values))

    def _value(self, parameter: Parameter, text: str) -> float:
        try:
            return parameter.read(text.strip()) if text.strip() else parameter.default
        except BadSpec as error:
            raise BadSpec(f"{self.key}: {parameter.key} {error}") from error


@dataclass(frozen=True, slots=True)
class Chosen:
    """An indicator with the values of its parameters."""

    indicator: Indicator
    values: tuple[float, ...] = ()

    @property
    def key(self) -> str:
        """How it is asked for, with every parameter: macd:12:26:9."""
        return ":".join([self.indicator.key, *(f"{value:g}" for value in self.values)])

    @property
    def label(self) -> str:
        """What people call it: MACD 12 26 9."""
        return " ".join([self.indicator.short, *(f"{value:g}" for value in self.values)])

    def compute(self, bars: Bars) -> dict[str, Floats]:
        """The lines by their keys: a value a bar. A line that reaches ahead (the spans of Ichimoku) has more."""
        if not len(bars):
            return {line.key: np.empty(0) for line in self.indicator.lines}
        wanted = [parameter.step >= 1 for parameter in self.indicator.parameters]
        values = [int(value) if whole else value for value, whole in zip(self.values, wanted, strict=True)]
        arrays = self.indicator.compute(prepare(), bars, *values)
        return dict(zip((line.key for line in self.indicator.lines), arrays, strict=True))


def prepare() -> ModuleType:
    """Load TA-Lib, which brings pandas along and takes a second the first time."""
    import talib

    library: ModuleType = talib
    return library
