"""Checks every figure of an answer against what tools answered in its conversation.

A figure is grounded when a tool's figure, rounded to as many places as the answer writes, is the same: also as a
percentage of a fraction, in basis points, thousands, millions or billions where the answer says so, and whatever its
sign (a loss of 3 % is a change of -3 %), save that what is written with a plus was not negative. A bare whole number
may also be one that the trader wrote, that a tool was asked with, or that stands in a name ("S&P 500"); never an amount
of money, a percentage or a day. Numbers in words are looked up as numbers, days as days. Everything else is marked;
nothing is computed here. Emphasis and invisible characters are looked through: they do not make two figures of one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from services.assistant.number_words import ALONE, PHRASE, value_of
from services.assistant.sources import Source

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_SCALES = {"k": 3, "thousand": 3, "m": 6, "mn": 6, "million": 6, "b": 9, "bn": 9, "billion": 9, "trillion": 12, "t": 12}
_NUMBER = r"[0-9](?:[0-9,]*[0-9])?(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?|\.[0-9]+"
_MONEY = r"usd|eur|gbp|dollars?|euros?|cents?|bucks|[$€£¥₹]"
_POINTS = r"bps?|basis\s+points?"
_NOUNS = rf"(?:percent|per\s+cent|%|shares?|points?|{_MONEY})"

_FIGURES = re.compile(
    rf"(?P<iso>\b[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}\b)"
    rf"|(?P<slashed>\b[0-9]{{1,2}}/[0-9]{{1,2}}/[0-9]{{4}}\b)"
    rf"|(?P<day>\b[0-9]{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH},?\s+[0-9]{{4}}\b)"
    rf"|(?P<us>\b{_MONTH}\s+[0-9]{{1,2}}(?:st|nd|rd|th)?,?\s+[0-9]{{4}}\b)"
    rf"|(?P<month>\b{_MONTH}\s+[0-9]{{4}}\b)"
    rf"|(?P<yearless>\b(?:{_MONTH}\s+[0-9]{{1,2}}|[0-9]{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH})(?![\w.,]*[0-9%]))"
    rf"|(?P<time>\b[0-9]{{1,2}}:[0-9]{{2}}(?::[0-9]{{2}})?\b(?:\s?(?P<half>[ap])\.?m\b)?)"
    rf"|(?P<words>\b(?:{PHRASE}\b|{ALONE}(?=[\s-]+{_NOUNS}))(?:[\s-]+{_NOUNS}(?!\w))?)"
    r"|(?P<fraction>[\u00bc-\u00be\u2150-\u218b])"
    rf"|(?P<number>(?P<plus>(?<![\w.)])\+)?(?P<sign>(?:[$€£¥₹]|\b(?:usd|eur|gbp)\b)\s?)?\+?(?<![0-9.,])(?P<digits>{_NUMBER})"
    rf"(?P<unit>\s?(?:%|percent\b|per\s+cent\b)|\s?(?:{_POINTS})\b"
    rf"|\s?(?:k|mn?|bn?|t|thousand|million|billion|trillion)\b)?(?P<money>\s?(?:{_MONEY})(?!\w))?)",
    re.IGNORECASE,
)
_LOOKED_THROUGH = frozenset("*_`~")
_WIDE_SPACES = "\u00a0\u2007\u2009\u202f'\u2019"


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
    plain, places = _bared(_digits(text))
    for match in _FIGURES.finditer(plain):
        start, end = places[match.start()], places[match.end() - 1] + 1
        yield Figure(text[start:end], start, end, _is_grounded(match, known))


def ungrounded(text: str, known: Known) -> list[str]:
    """The figures of a text that come from no tool, each once."""
    return list(dict.fromkeys(figure.text.strip() for figure in check(text, known) if not figure.grounded))


def _is_grounded(match: re.Match[str], known: Known) -> bool:
    for kind, holds in _DAYS.items():
        if match[kind]:
            return any(holds(match[kind], day) for day in known.days)
    if match["time"]:
        return _on_24_hours(match) in known.times
    if match["words"]:
        return _words_are_known(match["words"], known)
    return match["fraction"] is None and _number_is_known(match, known)


def _words_are_known(words: str, known: Known) -> bool:
    value = value_of(words)
    if value is None:
        return False
    unit = re.search(rf"{_NOUNS}$", words, re.IGNORECASE)
    if value in known.bare and (unit is None or unit[0].lower() in ("share", "shares", "point", "points")):
        return True
    figures = known.figures
    if unit is not None and unit[0].lower().startswith(("per", "%")):
        figures = figures | {one * 100 for one in figures}
    return _any_rounds_to(figures, value, 0)


def _number_is_known(match: re.Match[str], known: Known) -> bool:
    unit = (match["unit"] or "").strip().lower()
    value = Decimal(match["digits"].replace(",", ""))
    places = max(0, -int(value.as_tuple().exponent))
    is_bare = not match["sign"] and not match["money"] and not unit and places == 0
    if is_bare and value in known.bare:
        return True
    figures = known.figures
    if match["plus"]:
        figures = frozenset(one for one in figures if one >= 0)
    if unit in _SCALES:
        return any(_is_about(one.scaleb(-_SCALES[unit]), value, places) for one in figures)
    if unit.startswith(("bp", "basis")):
        return any(_rounds_to(one.scaleb(shift), value, places) for one in figures for shift in (2, 4))
    if _any_rounds_to(figures, value, places):
        return True
    return unit != "" and any(_rounds_to(one * 100, value, places) for one in figures)


def _any_rounds_to(figures: Iterable[Decimal], value: Decimal, places: int) -> bool:
    return any(_rounds_to(one, value, places) for one in figures)


def _rounds_to(figure: Decimal, value: Decimal, places: int) -> bool:
    """Whether the figure is written as the value: half a last place apart at most. A rounded zero tells nothing."""
    if value == 0:
        return figure == 0
    return abs(abs(figure) - value) <= Decimal(5).scaleb(-places - 1)


def _is_about(figure: Decimal, value: Decimal, places: int) -> bool:
    """In thousands or millions no more than a tenth may be lost: 501,000 is not "1 million"."""
    return _rounds_to(figure, value, places) and abs(abs(figure) - value) * 10 <= value


def _on_24_hours(match: re.Match[str]) -> str:
    hours, minutes = re.findall(r"[0-9]+", match["time"])[:2]
    if match["half"]:
        hours = str(int(hours) % 12 + (12 if match["half"].lower() == "p" else 0))
    return f"{hours.zfill(2)}:{minutes}"


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
    years = {Decimal(found) for found in re.findall(r"\b([0-9]{4})-[0-9]{2}-[0-9]{2}", text)}
    names = re.sub(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+)?", " ", text)
    bare |= years | {Decimal(found) for found in re.findall(r"(?<![\d.])\d{1,9}(?![\d.]*\d)", names)}


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


def _bared(text: str) -> tuple[str, list[int]]:
    """The text without what a reader does not see between two digits, and where each mark of it stood."""
    kept = [
        at
        for at, mark in enumerate(text)
        if mark not in _LOOKED_THROUGH
        and unicodedata.category(mark) != "Cf"
        and not (
            mark in _WIDE_SPACES and text[at - 1 : at].isdigit() and re.match(r"[0-9]{3}(?![0-9])", text[at + 1 :])
        )
    ]
    return "".join(text[at] for at in kept), kept


def _iso(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _numbers(text: str) -> list[int]:
    return [int(one) for one in re.findall(r"[0-9]+", text)]


def _month(text: str) -> int | None:
    return next((at for at, name in enumerate(MONTHS, 1) if re.search(rf"\b{name}", text.lower())), None)


def _is_iso(text: str, day: date) -> bool:
    return text == day.isoformat()


def _is_slashed(text: str, day: date) -> bool:
    """The American way and the European one."""
    return _numbers(text) in ([day.month, day.day, day.year], [day.day, day.month, day.year])


def _is_day(text: str, day: date) -> bool:
    return (_month(text), _numbers(text)) == (day.month, [day.day, day.year])


def _is_day_of_a_year(text: str, day: date) -> bool:
    return (_month(text), _numbers(text)) == (day.month, [day.day])


def _is_month(text: str, day: date) -> bool:
    return (_month(text), _numbers(text)) == (day.month, [day.year])


_DAYS = {
    "iso": _is_iso,
    "slashed": _is_slashed,
    "day": _is_day,
    "us": _is_day,
    "month": _is_month,
    "yearless": _is_day_of_a_year,
}
