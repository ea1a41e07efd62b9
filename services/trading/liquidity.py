"""How many shares of a price update are left. All orders on a ticker share what was traded behind its newest price.

The rows are locked after the accounts, in ascending order of tickers, and only by units that are about to fill.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import Liquidity
from services.trading.fill_rules import allowance_of
from services.trading.profiles import Profile
from services.transaction import KeyTaken
from utils.market_source import Quote

_LOCK = (
    select(Liquidity)
    .where(Liquidity.ticker.in_(bindparam("tickers", expanding=True)))
    .order_by(Liquidity.ticker)
    .with_for_update()
    .execution_options(populate_existing=True)
)


@dataclass(slots=True)
class LiquidityPool:
    """What the current price updates still have, within one unit. Rows are stored when the session flushes."""

    session: Session
    profile: Profile
    _rows: dict[str, Liquidity] = field(default_factory=dict)

    def lock(self, quotes: Iterable[Quote]) -> None:
        """Lock the rows of these tickers. Profiles without a bound need none."""
        if self.profile.participation is None:
            return
        wanted = {quote.ticker: quote for quote in quotes if quote.traded is not None and quote.provider_time}
        wanted = {ticker: quote for ticker, quote in wanted.items() if ticker not in self._rows}
        if not wanted:
            return
        rows = self.session.execute(_LOCK, {"tickers": sorted(wanted)}).scalars()
        self._rows.update({row.ticker: row for row in rows})
        self._insert_missing([quote for ticker, quote in sorted(wanted.items()) if ticker not in self._rows])

    def is_locked(self, quote: Quote) -> bool:
        """Whether the row of its ticker is locked already."""
        return quote.ticker in self._rows

    def left(self, quote: Quote) -> int | None:
        """Shares that orders may still fill on this price update; None without a bound. Its row must be locked."""
        row = self._rows.get(quote.ticker)
        if row is None or quote.provider_time is None:
            return None if self.profile.participation is None else allowance_of(quote, self.profile, 0)
        if row.quote_time > quote.provider_time:
            return 0  # somebody has filled on a newer price already: this one is over
        return allowance_of(quote, self.profile, row.taken if row.quote_time == quote.provider_time else 0)

    def take(self, quote: Quote, quantity: int) -> None:
        """Note that an order filled so many shares on this price update."""
        row = self._rows.get(quote.ticker)
        if row is None or quote.provider_time is None:
            return
        row.taken = quantity + (row.taken if row.quote_time == quote.provider_time else 0)
        row.quote_time = quote.provider_time

    def _insert_missing(self, quotes: list[Quote]) -> None:
        for quote in quotes:
            time: datetime | None = quote.provider_time
            assert time is not None
            self._rows[quote.ticker] = Liquidity(ticker=quote.ticker, quote_time=time, taken=0)
            self.session.add(self._rows[quote.ticker])
        try:
            self.session.flush()
        except IntegrityError as error:
            # A twin inserted the row of a ticker that nobody had traded before: run again and find it.
            raise KeyTaken from error
