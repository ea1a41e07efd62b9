"""The exchange's holidays by rule agree with its calendar, which also knows what nobody could know beforehand."""

from __future__ import annotations

from datetime import date

from services.market.hours import exchange_sessions
from utils.business_days import easter, holidays, next_business_days

UNSCHEDULED = {
    *(date(2001, 9, day) for day in (11, 12, 13, 14)),  # the attacks on New York
    *(date(2012, 10, day) for day in (29, 30)),  # a hurricane
    date(2004, 6, 11), date(2007, 1, 2), date(2018, 12, 5), date(2025, 1, 9),  # days of mourning for presidents
}  # fmt: skip


def test_twenty_seven_years_of_sessions() -> None:
    first, last = date(2000, 1, 1), date(2026, 12, 31)
    sessions = {session.day for session in exchange_sessions(first, last)}
    by_rule = {day for day in next_business_days(date(1999, 12, 31), 7000) if day <= last}
    assert by_rule - sessions == UNSCHEDULED
    assert sessions <= by_rule


def test_the_days_after_a_friday() -> None:
    assert next_business_days(date(2008, 8, 29), 3) == [date(2008, 9, 2), date(2008, 9, 3), date(2008, 9, 4)]
    assert next_business_days(date(2008, 8, 29), 0) == []


def test_easter_and_the_holidays_that_move() -> None:
    assert [easter(year) for year in (2000, 2008, 2024)] == [date(2000, 4, 23), date(2008, 3, 23), date(2024, 3, 31)]
    assert date(2021, 7, 5) in holidays(2021)
    assert date(2020, 7, 3) in holidays(2020)
