"""Where an order meets its price within a unit: the rules decide, the settlement does it, the liquidity shrinks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from services.market.market import Market
from services.trading.fill_rules import Decision, MarketView, SessionState, WorkingOrder, fill_for
from services.trading.liquidity import LiquidityPool
from services.trading.order_state import OrderState
from services.trading.rules import TradingRules
from services.trading.sessions import session_state
from services.trading.settlement import Settlement
from utils.market_source import Quote


@dataclass(slots=True)
class Matcher:
    """Lets the orders of a settlement meet their prices, by the rules in force. `write` stores what came of it."""

    settlement: Settlement
    market: Market
    rules: TradingRules
    _pool: LiquidityPool = field(init=False)
    _session: tuple[datetime, SessionState] | None = None

    def __post_init__(self) -> None:
        self._pool = LiquidityPool(self.settlement.books.session, self.rules.profile)

    def lock(self, quotes: list[Quote]) -> None:
        """Lock the shares behind all these prices at once, for a batch that is about to fill on them."""
        self._pool.lock(quotes)

    def look(self, order: OrderState, quote: Quote | None) -> Decision:
        """Decide about an order at the quote at hand and do it. The shares behind the price are only locked to fill."""
        decision = self._decide(order.working(), quote, self.settlement.books.market_time)
        filled = self.settlement.apply(order, decision, quote, self.rules.profile.name)
        if filled and quote is not None:
            self._pool.take(quote, filled)
        return decision

    def write(self) -> None:
        """Store everything. Raises BooksError when a row is not as it was read."""
        self._pool.write()
        self.settlement.write()

    def _session_at(self, now: datetime) -> SessionState:
        """A unit has one market time, so that asking the calendar once is enough for all its orders."""
        if self._session is None or self._session[0] != now:
            self._session = (now, session_state(self.market, now))
        return self._session[1]

    def _decide(self, order: WorkingOrder, quote: Quote | None, now: datetime) -> Decision:
        """The allowance only ever makes a fill smaller, so one that is not locked yet is locked only for a fill."""
        if quote is None or self._session_at(now) == "closed":
            return fill_for(order, self._view(quote, now))
        if not self._pool.is_locked(quote):
            decision = fill_for(order, self._view(quote, now))
            if decision.execution is None:
                return decision
            self._pool.lock([quote])
        return fill_for(order, self._view(quote, now, self._pool.left(quote)))

    def _view(self, quote: Quote | None, now: datetime, allowance: int | None = None) -> MarketView:
        return MarketView(quote, now, self._session_at(now), self.rules.profile, allowance, self.rules.any_hours)
