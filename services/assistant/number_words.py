"""Numbers in words ("one hundred and eighty"), read as numbers, so that they can be looked up like figures."""

from __future__ import annotations

import re
from decimal import Decimal

SMALL = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
LARGE = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12}

_LARGER = "|".join([*(word for word in SMALL if SMALL[word] > 12), "hundred", *TENS, *LARGE])
_ANY = f"{'|'.join(SMALL)}|{_LARGER}"
_JOINT = r"(?:\s*-\s*|\s+(?:and\s+)?)"

# One word up to twelve alone is everyday speech ("one of the two"); everything larger or longer tells an amount.
PHRASE = rf"(?:(?:{_ANY}){_JOINT}(?:{_ANY})(?:{_JOINT}(?:{_ANY}))*|(?:{_LARGER}))"
ALONE = rf"(?:{_ANY}|half|dozen)"


def value_of(phrase: str) -> Decimal | None:
    """The number that a phrase of such words tells; None when it tells none."""
    total, group, seen = 0, 0, False
    for word in re.findall(r"[a-z]+", phrase.lower()):
        if word in SMALL or word in TENS:
            group += SMALL.get(word, TENS.get(word, 0))
        elif word == "hundred":
            group = max(group, 1) * 100
        elif word in LARGE:
            total += max(group, 1) * 10 ** LARGE[word]
            group = 0
        else:
            continue
        seen = True
    return Decimal(total + group) if seen else None
