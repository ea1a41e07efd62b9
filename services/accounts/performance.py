"""How an account has done: today, since the start, and day by day beside a benchmark.

Average cost; realised profit is counted before commission, and commission beside it, so that for any two moments
change in equity - flows = realised profit + change in unrealised profit - commission, to the cent. The time-weighted
return links daily returns, each with the day's flows counted at its start: equity / (equity before + flows) - 1. A day
that began with nothing is skipped. Shares without a price count with their cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import AccountSnapshot, MarketData
from services.accounts import portfolio
from services.accounts.snapshots import Figures
from services.market.hours import exchange_day
from services.market.market import ChartMarket
from utils.number_utils import ZERO, round_money

BENCHMARK = "^GSPC"
ONE = Decimal(1)
HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Day:
    """An account at the close of a session; of the newest one, as it is now."""

    date: date
    figures: Figures


def live_figures(session: Session, market: ChartMarket, user_id: int) -> Figures:
    """The account as it is now, from balances, holdings and fills."""
    return figures_of(portfolio.overview(session, market, user_id))


def figures_of(overview: dict[str, Any]) -> Figures:
    """The same from what `portfolio.overview` answered."""
    holdings = overview["holdings"]
    values = [one["total_cost"] if one["market_value"] is None else one["market_value"] for one in holdings]
    return Figures(
        cash=overview["total_balance"],
        holdings_value=sum(values, ZERO),
        holdings_cost=sum((one["total_cost"] for one in holdings), ZERO),
        net_flow=overview["deposits"] - overview["withdrawals"] + overview["adjustments"],
        realised_profit=overview["realised_profit"],
        commission=overview["commission_paid"],
    )


def identity(before: Figures, after: Figures) -> dict[str, Any]:
    """What changed between two moments, in dollars. `profit` is the change in equity without flows; `explained` is the
    same put together from its causes; `holds` says whether they agree to the cent.
    """
    flows = after.net_flow - before.net_flow
    realised = after.realised_profit - before.realised_profit
    unrealised = after.unrealised_profit - before.unrealised_profit
    commission = after.commission - before.commission
    profit = after.equity - before.equity - flows
    explained = realised + unrealised - commission
    return {
        "equity_before": before.equity,
        "equity_after": after.equity,
        "flows": flows,
        "profit": profit,
        "realised_profit": realised,
        "unrealised_change": unrealised,
        "commission": commission,
        "explained": explained,
        "holds": profit == explained,
    }


def summary(session: Session, market: ChartMarket, user_id: int, overview: dict[str, Any]) -> dict[str, Any]:
    """Today's and the total profit in dollars and percent, and the identity behind each. `since` is the day of the
    close that today is counted from; None when the account is younger.
    """
    now = figures_of(overview)
    days = _days(session, market, user_id, now)
    before = days[-2] if len(days) > 1 else None
    today = identity(before.figures if before else Figures(), now)
    growth, skipped = _growth(days)
    return {
        "since": before.date if before else None,
        "today": today,
        "today_percent": _percent(today["profit"], today["equity_before"] + today["flows"]),
        "total": identity(Figures(), now),
        "time_weighted_percent": None if not growth else _rounded(growth[-1] - ONE),
        "capital_percent": _on_capital(days),
        "skipped_days": skipped,
    }


def history(session: Session, market: ChartMarket, user_id: int) -> list[dict[str, Any]]:
    """Each session's close, oldest first, the newest as it is now: equity, what was paid in that day, what the
    identity consists of, the time-weighted return so far in percent, and what the same payments into the benchmark
    would be worth (None while it has no prices).
    """
    days = _days(session, market, user_id, live_figures(session, market, user_id))
    growth, _ = _growth(days)
    benchmark = _benchmark(session, market, days)
    befores = [Figures(), *(day.figures for day in days)]
    return [
        {"date": day.date, **identity(before, day.figures)}
        | {"net_flow": day.figures.net_flow, "return_percent": _rounded(grown - ONE), "benchmark": compared}
        for before, day, grown, compared in zip(befores, days, growth, benchmark, strict=False)
    ]


def _days(session: Session, market: ChartMarket, user_id: int, now: Figures) -> list[Day]:
    """The stored sessions before the newest one, and that one as it is now. Empty before anything happened."""
    newest = market.latest_session(market.now())
    today = exchange_day(market.now()) if newest is None else newest.day
    query = (
        select(
            AccountSnapshot.session_date,
            AccountSnapshot.cash,
            AccountSnapshot.holdings_value,
            AccountSnapshot.holdings_cost,
            AccountSnapshot.net_flow,
            AccountSnapshot.realised_profit,
            AccountSnapshot.commission,
        )
        .where(AccountSnapshot.user_id == user_id, AccountSnapshot.session_date < today)
        .order_by(AccountSnapshot.session_date)
    )
    days = [Day(row[0], Figures(*row[1:])) for row in session.execute(query)]
    return [*days, Day(today, now)] if days or now != Figures() else []


def _growth(days: Sequence[Day]) -> tuple[list[Decimal], int]:
    """What a dollar of the first day has become by each day, and how many days were skipped."""
    grown, growth, skipped, before = ONE, [], 0, Figures()
    for day in days:
        invested = before.equity + day.figures.net_flow - before.net_flow
        if invested > 0:
            grown *= day.figures.equity / invested
        else:
            skipped += 1
        growth.append(grown)
        before = day.figures
    return growth, skipped


def _on_capital(days: Sequence[Day]) -> Decimal | None:
    """The profit in percent of the money that was paid in, on average over the sessions."""
    if not days:
        return None
    last = days[-1].figures
    average = sum((day.figures.net_flow for day in days), ZERO) / len(days)
    return _percent(last.equity - last.net_flow, average)


def _benchmark(session: Session, market: ChartMarket, days: Sequence[Day]) -> list[Decimal | None]:
    """Every payment put into the benchmark at the close before its day, and taken out of it likewise."""
    if not days:
        return []
    last, closes = _closes(session, market, days)
    worth: Decimal | None = None
    paid, found = ZERO, []
    for day in days:
        close = closes.get(day.date, last)
        if close is not None:
            worth = ((worth or ZERO) + day.figures.net_flow - paid) * close / (last or close)
            paid = day.figures.net_flow
        last = close
        found.append(None if worth is None else round_money(worth))
    return found


def _closes(
    session: Session, market: ChartMarket, days: Sequence[Day]
) -> tuple[Decimal | None, dict[date, Decimal | None]]:
    """The benchmark's last close before the first day, and its close by day; of the newest day its price."""
    known = (MarketData.ticker == BENCHMARK, MarketData.close.is_not(None))
    earlier = select(MarketData.close).where(*known, MarketData.date < days[0].date)
    before = session.execute(earlier.order_by(MarketData.date.desc()).limit(1)).scalar_one_or_none()
    within = select(MarketData.date, MarketData.close).where(*known, MarketData.date >= days[0].date)
    closes = {row.date: row.close for row in session.execute(within)}
    quote = market.quote(BENCHMARK)
    if quote is not None:
        closes.setdefault(days[-1].date, quote.last)
    return before, closes


def _percent(part: Decimal, whole: Decimal) -> Decimal | None:
    return (part / whole * 100).quantize(HUNDREDTH) if whole > 0 else None


def _rounded(fraction: Decimal) -> Decimal:
    return (fraction * 100).quantize(HUNDREDTH)
