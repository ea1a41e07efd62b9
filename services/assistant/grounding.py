"""Checks every figure of an answer against what tools answered in its conversation.

A figure is grounded when a tool's figure, rounded to as many places as the answer writes, is the same: also as a
percentage of a fraction, in thousands, millions or billions where the answer says so, and whatever its sign (a loss of
3 % is a change of -3 %). A bare whole number may also be one that the trader wrote, that a tool was asked with, or that
stands in a name ("S&P 500"). Days are looked up as days. Everything else is marked; nothing is computed here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from services.assistant.sources import Source

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?"
_SCALES = {"k": 3, "thousand": 3, "m": 6, "mn": 6, "million": 6, "b": 9, "bn": 9, "billion": 9, "trillion": 12, "t": 12}
_WORDS = (
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|"
    "eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|billion|half|dozen"
)
_NUMBER = r"[0-9](?:[0-9,]*[0-9])?(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?|\.[0-9]+"

_FIGURES = re.compile(
    rf"(?P<iso>\b[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}\b)"
    rf"|(?P<day>\b[0-9]{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH},?\s+[0-9]{{4}}\b)"
    rf"|(?P<us>\b{_MONTH}\s+[0-9]{{1,2}}(?:st|nd|rd|th)?,?\s+[0-9]{{4}}\b)"
    rf"|(?P<time>\b[0-9]{{1,2}}:[0-9]{{2}}(?::[0-9]{{2}})?\b)"
    rf"|(?P<words>\b(?:{_WORDS})(?:[\s-]+(?:and\s+)?(?:{_WORDS}))*[\s-]+"
    rf"(?:dollars?|cents?|percent|per cent|%|shares?|points?)\b)"
    rf"|(?P<number>(?P<sign>[$€£]\s?)?(?<![0-9.,])(?:{_NUMBER})"
    rf"(?P<unit>\s?(?:%|percent\b|per cent\b)|\s?(?:k|mn?|bn?|t|thousand|million|billion|trillion)\b)?)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure in a text, at text[start:end]."""

    text: str
    start: int
    end: int
    grounded: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What tools answered, ready to be asked: their figures, their days and times, and numbers that are only names."""

    figures: frozenset[Decimal]
    days: frozenset[date]
    times: frozenset[str]
    bare: frozenset[Decimal]


class Everything(Known):
    """For texts that this system writes itself: every figure in them is its own."""

    def __init__(self) -> None:
        super().__init__(frozenset(), frozenset(), frozenset(), frozenset())


def gather(sources: Iterable[Source], said: Iterable[str] = ()) -> Known:
    """All that the sources hold. `said` are the trader's own words, whose whole numbers may be repeated bare."""
    figures: set[Decimal] = set()
    days: set[date] = set()
    times: set[str] = set()
    bare: set[Decimal] = set()
    for source in sources:
        if source.failed:
            continue
        for value in _leaves(source.result):
            _sort_in(value, figures, days, times, bare)
        for value in _leaves(source.arguments):
            _sort_in(value, bare, days, times, bare)
    for text in said:
        bare |= {Decimal(one) for one in re.findall(r"(?<![\d.,$])\d{1,9}(?![\d.,]*\d|\s?%)", _digits(text))}
    return Known(frozenset(figures), frozenset(days), frozenset(times), frozenset(bare))


def check(text: str, known: Known) -> Iterator[Figure]:
    """Every figure of a text, in its order, and whether it is grounded."""
    if isinstance(known, Everything):
        return
    plain = _digits(text)
    for match in _FIGURES.finditer(plain):
        start, end = match.span()
        yield Figure(text[start:end], start, end, _is_grounded(match, known))


def ungrounded(text: str, known: Known) -> list[str]:
    """The figures of a text that come from no tool, each once."""
    return list(dict.fromkeys(figure.text.strip() for figure in check(text, known) if not figure.grounded))


def _is_grounded(match: re.Match[str], known: Known) -> bool:
    for kind, read in _DAYS.items():
        if match[kind]:
            return read(match[kind]) in known.days
    if match["time"]:
        return match["time"].zfill(5)[:5] in known.times
    if match["words"]:
        return False  # figures in words are not looked up: they are to be written as figures
    return _number_is_known(match, known)


def _number_is_known(match: re.Match[str], known: Known) -> bool:
    unit = (match["unit"] or "").strip().lower()
    digits = match["number"][len(match["sign"] or "") :]
    digits = digits[: len(digits) - len(match["unit"] or "")].replace(",", "")
    value = Decimal(digits)
    places = max(0, -int(value.as_tuple().exponent))
    is_bare = not match["sign"] and not unit and places == 0
    if is_bare and value in known.bare:
        return True
    if unit in _SCALES:
        return any(_rounds_to(one.scaleb(-_SCALES[unit]), value, places) for one in known.figures)
    if _any_rounds_to(known.figures, value, places):
        return True
    return unit != "" and any(_rounds_to(one * 100, value, places) for one in known.figures)


def _any_rounds_to(figures: Iterable[Decimal], value: Decimal, places: int) -> bool:
    return any(_rounds_to(one, value, places) for one in figures)


def _rounds_to(figure: Decimal, value: Decimal, places: int) -> bool:
    """Whether the figure is written as the value: half a last place apart at most. A rounded zero tells nothing."""
    if value == 0:
        return figure == 0
    return abs(abs(figure) - value) <= Decimal(5).scaleb(-places - 1)


def _sort_in(value: Any, figures: set[Decimal], days: set[date], times: set[str], bare: set[Decimal]) -> None:
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int | float | Decimal):
        figures.add(Decimal(str(value)))
        return
    text = _digits(str(value))
    for found in re.findall(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        day = _iso(found)
        if day is not None:
            days.add(day)
    times |= {found for found in re.findall(r"(?<=T)[0-9]{2}:[0-9]{2}", text)}  # noqa: C416
    if re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,10})?", text):
        figures.add(Decimal(text))
        return
    bare |= {Decimal(found) for found in re.findall(r"(?<![\d.])\d{1,9}(?![\d.]*\d)", text)}


def _leaves(value: Any) -> Iterator[Any]:
    """The values inside, the numbers in names of fields (var_95), and how many there are of each list."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield name
            yield from _leaves(item)
    elif isinstance(value, list | tuple):
        yield f"count {len(value)}"
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _digits(text: str) -> str:
    """The same text with the digits of every script as 0 to 9, mark by mark, so that places stay."""
    return "".join(str(unicodedata.digit(mark)) if mark.isdigit() and not mark.isascii() else mark for mark in text)


def _iso(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _in_words(text: str) -> date | None:
    month = next((at for at, name in enumerate(MONTHS, 1) if re.search(rf"\b{name}", text.lower())), None)
    numbers = [int(one) for one in re.findall(r"[0-9]+", text)]
    try:
        return date(numbers[1], month or 0, numbers[0])
    except ValueError:
        return None


_DAYS = {"iso": _iso, "day": _in_words, "us": _in_words}
