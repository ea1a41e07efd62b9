"""Reports of companies: rows by the names that yfinance gives them today, missing figures, and the ratios they make."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from models import db
from services.analysis.ratios import RATIOS, key_ratios
from services.market import figures
from services.transaction import run_unit
from utils.datetime_utils import utc_now
from utils.market_source import Statement
from utils.yahoo_answers import BALANCE_SHEET_ROWS, INCOME_STATEMENT_ROWS, statement

# One column of yfinance's tables: its row names, and the kinds of values that come (whole floats, NaN for a gap).
BALANCE_SHEET = {
    "Ordinary Shares Number": 15_115_823_000.0,
    "Total Liabilities Net Minority Interest": 308_030_000_000.0,
    "Total Non Current Liabilities Net Minority Interest": 131_638_000_000.0,
    "Current Liabilities": 176_392_000_000.0,
    "Total Equity Gross Minority Interest": 56_950_000_000.0,
    "Stockholders Equity": 56_950_000_000.0,
    "Total Assets": 364_980_000_000.0,
    "Total Non Current Assets": 211_993_000_000.0,
    "Current Assets": 152_987_000_000.0,
}
INCOME_STATEMENT = {
    "Net Income": 93_736_000_000.0,
    "Pretax Income": 123_485_000_000.0,
    "Operating Income": float("nan"),
    "Total Operating Income As Reported": 123_216_000_000.0,
    "Gross Profit": 180_683_000_000.0,
    "Cost Of Revenue": 210_352_000_000.0,
    "Total Revenue": 391_035_000_000.0,
}
DAY = date(2024, 9, 30)


@pytest.mark.parametrize("name", [row for rows in (BALANCE_SHEET_ROWS, INCOME_STATEMENT_ROWS) for row in rows.values()])
def test_every_row_name_is_one_of_yfinances(name: tuple[str, ...]) -> None:
    from yfinance.const import fundamentals_keys

    known = {key for kind in ("balance-sheet", "financials") for key in fundamentals_keys[kind]}
    assert {one.replace(" ", "") for one in name} <= known


def test_a_balance_sheet_is_read_by_its_row_names() -> None:
    read = statement("AAPL", DAY, BALANCE_SHEET, BALANCE_SHEET_ROWS).figures
    assert read["current_assets"] == 152_987_000_000
    assert read["total_equity"] == 56_950_000_000
    assert None not in read.values()


def test_a_gap_takes_the_row_that_means_the_same_and_else_is_none() -> None:
    read = statement("AAPL", DAY, INCOME_STATEMENT, INCOME_STATEMENT_ROWS).figures
    assert read["operating_income"] == 123_216_000_000
    without = {name: value for name, value in INCOME_STATEMENT.items() if "Operating" not in name}
    assert statement("AAPL", DAY, without, INCOME_STATEMENT_ROWS).figures["operating_income"] is None


def test_ratios_of_stored_reports(books: object) -> None:
    for day, factor in ((date(2023, 9, 30), 2), (DAY, 1)):
        sheet = statement("AAPL", day, BALANCE_SHEET, BALANCE_SHEET_ROWS)
        income = statement("AAPL", day, {k: v / factor for k, v in INCOME_STATEMENT.items()}, INCOME_STATEMENT_ROWS)
        _store(sheet, income)
    found = {ratio["key"]: ratio for ratio in key_ratios(db.session(), "AAPL") or []}
    assert found.keys() == {ratio.key for ratio in RATIOS}
    assert found["current_ratio"]["value"] == Decimal("0.867313")
    assert found["debt_to_equity"]["value"] == Decimal("5.408780")
    assert found["gross_margin"]["value"] == Decimal("0.462063")
    assert found["return_on_equity"]["value"] == Decimal("1.645935")
    assert [point["date"] for point in found["return_on_assets"]["trend"]] == [date(2023, 9, 30), DAY]
    assert found["return_on_assets"]["trend"][0]["value"] == Decimal("0.128413")


@pytest.mark.parametrize(
    ("report", "value"),
    [
        ({"net_income": -5, "total_equity": 10}, Decimal("-0.5")),
        ({"net_income": 0, "total_equity": 10}, Decimal(0)),
        ({"net_income": -5, "total_equity": -10}, None),
        ({"net_income": 5, "total_equity": 0}, None),
        ({"net_income": None, "total_equity": 10}, None),
        ({}, None),
    ],
)
def test_a_ratio_without_its_parts_is_none(report: dict[str, int | None], value: Decimal | None) -> None:
    equity = next(ratio for ratio in RATIOS if ratio.key == "return_on_equity")
    assert equity.of(report) == value


def test_without_reports_there_are_no_ratios(books: object) -> None:
    assert key_ratios(db.session(), "AAPL") is None


def _store(sheet: Statement, income: Statement) -> None:
    from models import BalanceSheet, IncomeStatement

    run_unit(figures.store, BalanceSheet, [sheet], utc_now())
    run_unit(figures.store, IncomeStatement, [income], utc_now())
