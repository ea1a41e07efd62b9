"""Key ratios out of stored reports, each with its formula, its newest value and its course over the reported years."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import BalanceSheet, IncomeStatement

MOST_REPORTS = 12
SIX_PLACES = Decimal("0.000001")

Report = Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Ratio:
    """`upper` over `lower`, two columns of the reports. `kind` says how to write it."""

    key: str
    label: str
    upper: str
    lower: str
    formula: str
    kind: str = "percent"

    def of(self, report: Report) -> Decimal | None:
        """The ratio, or None where a part is missing. Equity and the like must be above zero to divide by: a loss over
        negative equity would look like a gain.
        """
        upper, lower = report.get(self.upper), report.get(self.lower)
        if upper is None or lower is None or lower <= 0:
            return None
        return (Decimal(upper) / Decimal(lower)).quantize(SIX_PLACES)


RATIOS = (
    Ratio("current_ratio", "Current ratio", "current_assets", "current_liabilities",
          "current assets ÷ current liabilities", "ratio"),
    Ratio("debt_to_equity", "Debt to equity", "total_liabilities", "total_equity",
          "total liabilities ÷ shareholders' equity", "ratio"),
    Ratio("gross_margin", "Gross margin", "gross_profit", "revenue", "gross profit ÷ revenue"),
    Ratio("operating_margin", "Operating margin", "operating_income", "revenue", "operating income ÷ revenue"),
    Ratio("net_margin", "Net margin", "net_income", "revenue", "net income ÷ revenue"),
    Ratio("return_on_equity", "Return on equity", "net_income", "total_equity",
          "net income ÷ shareholders' equity at the end of the year"),
    Ratio("return_on_assets", "Return on assets", "net_income", "total_assets",
          "net income ÷ total assets at the end of the year"),
)  # fmt: skip


def key_ratios(session: Session, ticker: str) -> list[dict[str, Any]] | None:
    """The ratios: key, label, kind, formula, `value` and `date` of the newest report that has it (null without one),
    and `trend`, oldest first. None where there are no reports at all.
    """
    reports = _reports(session, ticker)
    if not reports:
        return None
    return [_course(ratio, reports) for ratio in RATIOS]


def _course(ratio: Ratio, reports: list[tuple[date, Report]]) -> dict[str, Any]:
    trend = [{"date": day, "value": ratio.of(report)} for day, report in reports]
    known = [point for point in trend if point["value"] is not None]
    newest = known[-1] if known else {"date": None, "value": None}
    return {
        "key": ratio.key,
        "label": ratio.label,
        "kind": ratio.kind,
        "formula": ratio.formula,
        **newest,
        "trend": trend,
    }


def _reports(session: Session, ticker: str) -> list[tuple[date, Report]]:
    """Balance sheet and income statement of each report date in one, oldest first."""
    together: dict[date, dict[str, int | None]] = {}
    tables: tuple[Any, ...] = (BalanceSheet, IncomeStatement)
    for table in tables:
        query = select(table).where(table.ticker == ticker).order_by(table.date.desc()).limit(MOST_REPORTS)
        rows: list[Any] = list(session.scalars(query))
        for row in rows:
            columns = (column.key for column in table.__table__.columns)
            figures = {name: getattr(row, name) for name in columns if name not in ("ticker", "date")}
            together.setdefault(row.date, {}).update(figures)
    return sorted(together.items())
