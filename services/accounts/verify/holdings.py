"""Holdings replayed from their fills: shares, average cost and realised profit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import attrgetter

from sqlalchemy import Connection, and_, select

from services.accounts.verify.report import Finding
from services.accounts.verify.sweep import AnyRow, AnySelect, Check, stream
from services.accounts.verify.tables import FILLS, HOLDINGS, JOURNAL
from utils.number_utils import ZERO, round_money, round_price

_line, _fill, _holding = JOURNAL.c, FILLS.c, HOLDINGS.c


@dataclass(slots=True)
class Replay:
    """Shares and what they cost, after the steps so far."""

    quantity: int = 0
    cost: Decimal = ZERO

    def step(self, row: AnyRow) -> Decimal | None:
        """Take one step of the journal. Returns the profit that it realised, None where it realised none.

        Shares given by hand cost what the group says, those taken leave with their average cost. A journal group
        without its fill is reported elsewhere.
        """
        if row.kind == "adjust" and row.shares < 0:
            self._take(-row.shares)
        elif row.kind == "adjust":
            self.quantity += row.shares
            self.cost += row.given_cost or ZERO
        elif row.transaction_type == "buy":
            self.quantity += row.transaction_quantity
            self.cost += row.transaction_amount
        elif row.transaction_type == "sell":
            amount: Decimal = row.transaction_amount
            return amount - self._take(row.transaction_quantity)
        return None

    def _take(self, quantity: int) -> Decimal:
        """Take shares out with their average cost; the last ones take what is left of it."""
        cost = self.cost
        if quantity < self.quantity:
            cost = round_money(self.cost * quantity / self.quantity)
        self.quantity -= quantity
        self.cost -= cost
        return cost

    def average(self) -> Decimal:
        return round_price(self.cost / self.quantity) if self.quantity > 0 else ZERO


def holdings(connection: Connection) -> Iterator[Finding]:
    """Replay every trader's fills of every ticker in the order of the journal, and compare the outcomes."""
    columns = (
        _holding.id,
        _holding.user_id,
        _holding.ticker,
        _holding.quantity,
        _holding.total_cost,
        _holding.average_price,
    )
    stored = {(row.user_id, row.ticker): row for row in stream(connection, select(*columns))}
    for key, steps in groupby(stream(connection, _steps()), attrgetter("user_id", "ticker")):
        replay = Replay()
        yield from _profits(replay, steps)
        if key in stored:  # one that is missing is reported by its shares
            yield from _compare(stored.pop(key), replay)
    for row in stored.values():
        yield from _compare(row, Replay())


def _steps() -> AnySelect:
    """The journal's lines of traders' shares that change how many there are, with the fills behind them."""
    market_line = JOURNAL.alias("market_line")
    its_market_cash = and_(
        market_line.c.user_id == _line.user_id,
        market_line.c.sequence == _line.sequence,
        market_line.c.account == "market",
        market_line.c.ticker.is_(None),
        _line.kind == "adjust",
    )
    same_fill = and_(_fill.order_id == _line.order_id, _fill.fill_number == _line.fill_number)
    return (
        select(
            _line.user_id,
            _line.ticker,
            _line.kind,
            _line.shares,
            _fill.transaction_id,
            _fill.transaction_type,
            _fill.transaction_quantity,
            _fill.transaction_amount,
            _fill.realised_profit,
            market_line.c.cash.label("given_cost"),
        )
        .select_from(JOURNAL)
        .outerjoin(FILLS, and_(same_fill, _line.kind == "fill"))
        .outerjoin(market_line, its_market_cash)
        .where(
            _line.ticker.is_not(None),
            _line.kind.in_(("fill", "adjust")),
            _line.account.in_(("available", "frozen")),
        )
        .order_by(_line.user_id, _line.ticker, _line.sequence, _line.line)
    )


def _profits(replay: Replay, steps: Iterable[AnyRow]) -> Iterator[Finding]:
    for row in steps:
        profit = replay.step(row)
        if row.realised_profit != profit:
            yield (
                "FILL_PROFIT",
                {
                    "transaction_id": row.transaction_id,
                    "user_id": row.user_id,
                    "ticker": row.ticker,
                    "realised_profit": row.realised_profit,
                    "replayed": profit,
                },
            )


def _compare(row: AnyRow, replay: Replay) -> Iterator[Finding]:
    pairs = {
        "HOLDING_FILLS": (row.quantity, replay.quantity),
        "HOLDING_COST": (row.total_cost, replay.cost),
        "HOLDING_AVERAGE": (row.average_price, replay.average()),
    }
    for code, (stored, replayed) in pairs.items():
        if stored != replayed:
            where = {"id": row.id, "user_id": row.user_id, "ticker": row.ticker}
            yield code, {**where, "stored": stored, "replayed": replayed}


CHECKS: tuple[Check, ...] = (holdings,)
