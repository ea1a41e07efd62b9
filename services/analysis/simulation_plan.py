"""What may be asked of a simulation, checked parameter by parameter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from services.errors import InvalidInput
from utils.monte_carlo import DRIFTS, LEAST_DEGREES, MODELS, MOST_DEGREES, Drift, Model, Plan
from utils.number_utils import PRICE_LIMIT

RANGES = {
    "days": (1, 365, 60),
    "simulations": (1, 100_000, 1_000),
    "seed": (0, 2**32 - 1, 1),
    "window": (60, 2_520, 252),
    "block": (1, 60, 10),
}


@dataclass(frozen=True, slots=True)
class Ask:
    """A simulation's plan, the number of past returns it is made from, and the price whose probability is wanted."""

    plan: Plan
    window: int
    target: Decimal | None


def parse_ask(parameters: Mapping[str, str]) -> Ask:
    """The plan in a query's parameters. Raises InvalidInput that names every wrong one."""
    reader = _Reader(parameters)
    days, simulations, seed, window, block = (reader.whole(name, *limits) for name, limits in RANGES.items())
    model = cast(Model, reader.choice("model", MODELS))
    drift = cast(Drift, reader.choice("drift", DRIFTS))
    degrees = reader.number("degrees", Decimal(str(LEAST_DEGREES)), Decimal(str(MOST_DEGREES)))
    target = reader.number("target_price", Decimal("0.0001"), PRICE_LIMIT)
    if reader.errors:
        raise InvalidInput(reader.errors)
    # What a model does not use must not make two plans of one.
    plan = Plan(
        days=days,
        simulations=simulations,
        model=model,
        seed=seed,
        drift=drift,
        block=block if model == "bootstrap" else RANGES["block"][2],
        degrees=float(degrees) if degrees is not None and model == "student_t" else None,
    )
    return Ask(plan, window, target)


class _Reader:
    """Reads one parameter at a time and keeps what is wrong. One that is empty counts as left out."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._parameters = parameters
        self.errors: dict[str, list[str]] = {}

    def whole(self, name: str, least: int, most: int, default: int) -> int:
        text = self._text(name)
        if not text:
            return default
        if not re.fullmatch(r"[0-9]{1,10}", text, re.ASCII) or not least <= int(text) <= most:
            self.errors[name] = [f"must be a whole number from {least} to {most}"]
            return default
        return int(text)

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        text = self._text(name).lower()
        if text and text not in choices:
            self.errors[name] = [f"must be one of {', '.join(choices)}"]
        return text if text in choices else choices[0]

    def number(self, name: str, least: Decimal, most: Decimal) -> Decimal | None:
        text = self._text(name)
        if not text:
            return None
        if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,8})?", text, re.ASCII) or not least <= Decimal(text) <= most:
            self.errors[name] = [f"must be a number from {least} to {most}"]
            return None
        return Decimal(text)

    def _text(self, name: str) -> str:
        return self._parameters.get(name, "").strip()
