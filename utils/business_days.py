"""The exchange's trading days of the future, by its rules for holidays. Days on which it once closed for other reasons
(a hurricane, a funeral) are not known to anybody beforehand, and so not here either.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache

MONDAY, THURSDAY, SATURDAY, SUNDAY = 0, 3, 5, 6
ONE_DAY = timedelta(days=1)


def next_business_days(after: date, count: int) -> list[date]:
    """The first `count` trading days of the New York Stock Exchange after a day."""
    return [day for day, _ in zip(_business_days(after), range(count), strict=False)]


def _business_days(after: date) -> Iterator[date]:
    day = after + ONE_DAY
    while True:
        if day.weekday() < SATURDAY and day not in holidays(day.year):
            yield day
        day += ONE_DAY


@cache
def holidays(year: int) -> frozenset[date]:
    """The exchange's regular holidays on weekdays, as its rule 7.2 has them. On a Saturday one moves to Friday (New
    Year's Day does not), on a Sunday to Monday.
    """
    fixed = [date(year, 7, 4), date(year, 12, 25)] + ([date(year, 6, 19)] if year >= 2022 else [])
    moved = {day - ONE_DAY if day.weekday() == SATURDAY else _off_sunday(day) for day in fixed}
    last_of_may = date(year, 5, 31)
    return frozenset(
        {
            *moved,
            _off_sunday(date(year, 1, 1)),
            _nth(year, 1, MONDAY, 3),
            _nth(year, 2, MONDAY, 3),
            easter(year) - 2 * ONE_DAY,
            last_of_may - last_of_may.weekday() * ONE_DAY,
            _nth(year, 9, MONDAY, 1),
            _nth(year, 11, THURSDAY, 4),
        }
    )


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar. Source: the algorithm in Nature 13 (1876), as in Meeus, Astronomical
    Algorithms, ch. 8.
    """
    century, rest = divmod(year, 100)
    moon = (19 * (year % 19) + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    shift = (year % 19 + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * shift + 114, 31)
    return date(year, month, day + 1)


def _off_sunday(day: date) -> date:
    return day + ONE_DAY if day.weekday() == SUNDAY else day


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    """The so-manieth weekday of a month."""
    first = date(year, month, 1)
    return first + ((weekday - first.weekday()) % 7 + 7 * (number - 1)) * ONE_DAY
