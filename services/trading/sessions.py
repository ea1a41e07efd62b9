"""What the exchange's hours mean for orders: which session it is, and when an order expires."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.market.hours import extended_session
from services.market.market import Market
from services.trading.fill_rules import SessionState

LONGEST_LIFE = timedelta(days=90)
# A session opens at most this long after its early trading began and before its late trading ends.
_WITHIN_ONE_DAY = timedelta(hours=16)


def session_state(market: Market, moment: datetime) -> SessionState:
    """Whether the regular session runs, the trading before or after it, or none."""
    if market.is_open(moment):
        return "regular"
    nearest = market.next_session(moment - _WITHIN_ONE_DAY)
    if nearest is None:
        return "closed"
    begins, ends = extended_session(nearest)
    return "extended" if begins <= moment < ends else "closed"


def expiry(market: Market, moment: datetime, time_in_force: str, extended_hours: bool) -> datetime | None:
    """When an order accepted at this moment expires (market clock): a day order with the session it belongs to, which
    after the close is the next one; any other after 90 days. None when no session is left.
    """
    if time_in_force == "gtc":
        return moment + LONGEST_LIFE
    session = market.session_at(moment) or market.next_session(moment)
    if extended_hours:
        nearest = market.next_session(moment - _WITHIN_ONE_DAY)
        if nearest is not None and moment < extended_session(nearest)[1]:
            return extended_session(nearest)[1]
    return None if session is None else session.closes
