"""How many shares of a price update are left. All orders on a ticker share what was traded behind its newest price.

The rows are locked after the accounts, in ascending order of tickers, and only by units that are about to fill.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from sqlalchemy import Table, Update, bindparam, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import Liquidity
from services.accounts.journal import BooksError
from services.many_rows import GuardedUpdate, Values, inserting
from services.trading.fill_rules import allowance_of
from services.trading.profiles import Profile
from services.transaction import KeyTaken
from utils.market_source import Quote

LIQUIDITY = cast(Table, Liquidity.__table__)
_LOCK = (
    select(LIQUIDITY.c.ticker, LIQUIDITY.c.quote_time, LIQUIDITY.c.taken)
    .where(LIQUIDITY.c.ticker.in_(bindparam("tickers", expanding=True)))
    .order_by(LIQUIDITY.c.ticker)
    .with_for_update()
)
_INSERT = inserting(LIQUIDITY, ("ticker", "quote_time", "taken"))


def _updated(given: Values) -> Update:
    changes = {"quote_time": given["new_time"], "taken": given["new_taken"]}
    return update(LIQUIDITY).where(LIQUIDITY.c.ticker == given["the_ticker"]).values(changes)


_UPDATE = GuardedUpdate(
    {
        "the_ticker": LIQUIDITY.c.ticker.type,
        "new_time": LIQUIDITY.c.quote_time.type,
        "new_taken": LIQUIDITY.c.taken.type,
    },
    _updated,
)


@dataclass(slots=True)
class Taken:
    """Shares that orders have taken of the price update of this time."""

    quote_time: datetime
    shares: int


@dataclass(slots=True)
class LiquidityPool:
    """What the current price updates still have, within one unit. `write` stores what was taken."""

    session: Session
    profile: Profile
    _taken: dict[str, Taken] = field(default_factory=dict)
    _changed: set[str] = field(default_factory=set)

    def lock(self, quotes: Iterable[Quote]) -> None:
        """Lock the rows of these tickers. Profiles without a bound need none."""
        if self.profile.participation is None:
            return
        wanted = {quote.ticker: quote for quote in quotes if quote.traded is not None and quote.provider_time}
        wanted = {ticker: quote for ticker, quote in wanted.items() if ticker not in self._taken}
        if not wanted:
            return
        rows = self.session.execute(_LOCK, {"tickers": sorted(wanted)})
        self._taken.update({row.ticker: Taken(row.quote_time, row.taken) for row in rows})
        self._insert_missing([quote for ticker, quote in sorted(wanted.items()) if ticker not in self._taken])

    def is_locked(self, quote: Quote) -> bool:
        """Whether the row of its ticker is locked already."""
        return quote.ticker in self._taken

    def left(self, quote: Quote) -> int | None:
        """Shares that orders may still fill on this price update; None without a bound. Its row must be locked."""
        taken = self._taken.get(quote.ticker)
        if taken is None or quote.provider_time is None:
            return None if self.profile.participation is None else allowance_of(quote, self.profile, 0)
        if taken.quote_time > quote.provider_time:
            return 0  # somebody has filled on a newer price already: this one is over
        return allowance_of(quote, self.profile, taken.shares if taken.quote_time == quote.provider_time else 0)

    def take(self, quote: Quote, quantity: int) -> None:
        """Note that an order filled so many shares on this price update."""
        taken = self._taken.get(quote.ticker)
        if taken is None or quote.provider_time is None:
            return
        taken.shares = quantity + (taken.shares if taken.quote_time == quote.provider_time else 0)
        taken.quote_time = quote.provider_time
        self._changed.add(quote.ticker)

    def write(self) -> None:
        """Store what was taken. The rows are locked, so each is found."""
        changed = [(ticker, self._taken[ticker]) for ticker in sorted(self._changed)]
        rows = [
            {"the_ticker": ticker, "new_time": taken.quote_time, "new_taken": taken.shares} for ticker, taken in changed
        ]
        if rows and _UPDATE.run(self.session, rows) != len(rows):
            raise BooksError(f"liquidity: not all of {sorted(self._changed)} were found")
        self._changed = set()

    def _insert_missing(self, quotes: list[Quote]) -> None:
        for quote in quotes:
            time: datetime | None = quote.provider_time
            assert time is not None
            self._taken[quote.ticker] = Taken(time, 0)
        rows = [{"ticker": one.ticker, "quote_time": one.provider_time, "taken": 0} for one in quotes]
        try:
            if rows:
                _INSERT.run(self.session, rows)
        except IntegrityError as error:
            # A twin inserted the row of a ticker that nobody had traded before: run again and find it.
            raise KeyTaken from error
