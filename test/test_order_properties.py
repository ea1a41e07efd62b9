"""What holds for every order on every course of prices: no fill outside its limit, before its trigger, outside its
session or beyond its size or the volume, and the parts make up the whole. Pure rules on random markets.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.trading.fill_rules import Decision, MarketView, WorkingOrder, allowance_of, fill_for
from services.trading.order_book import OrderBook, Trail, entry, units
from services.trading.prices import bid_of, far_side, stop_reached, trailing_stop, within
from services.trading.profiles import PROFILES
from utils.market_source import Quote

OPEN = datetime(2008, 9, 2, 13, 30, tzinfo=UTC)

steps = st.tuples(
    st.integers(min_value=-300, max_value=300),  # move of the last price, cents
    st.integers(min_value=0, max_value=20),  # half the spread, cents
    st.integers(min_value=0, max_value=3000),  # shares traded
    st.sampled_from(["regular", "regular", "regular", "extended", "closed"]),
    st.integers(min_value=0, max_value=120),  # age of the quote, seconds
)
paths = st.lists(steps, min_size=1, max_size=15)
prices = st.integers(min_value=9000, max_value=11000).map(lambda cents: Decimal(cents) / 100)


@st.composite
def orders(draw: st.DrawFn) -> WorkingOrder:
    """Any order that the tickets let through."""
    side = draw(st.sampled_from(["buy", "sell"]))
    kind = draw(st.sampled_from(["market", "limit", "stop", "stop_limit"]))
    limit = draw(prices) if kind in ("limit", "stop_limit") else None
    worst = limit if limit is not None else Decimal(106 if side == "buy" else 94)
    remaining = draw(st.integers(min_value=1, max_value=400))
    return WorkingOrder(
        side=side,
        limit=limit,
        worst_price=worst,
        remaining=remaining,
        accepted_at=OPEN,
        stop=draw(prices) if kind in ("stop", "stop_limit") else None,
        time_in_force=draw(st.sampled_from(["gtc", "day", "ioc", "fok"] if kind in ("market", "limit") else ["gtc"])),
        display=draw(st.none() | st.integers(min_value=1, max_value=50)) if kind == "limit" else None,
        queued=draw(st.booleans()),
    )


@dataclass(slots=True)
class Life:
    """An order on its way through a course of prices, and what it filled."""

    order: WorkingOrder
    quantity: int
    filled: int = 0
    triggered: bool = False
    ended: bool = False

    def live(self, decision: Decision) -> None:
        if decision.triggered:
            self.triggered = True
            worst = decision.worst_price or self.order.worst_price
            self.order = self.order._replace(stop=None, worst_price=worst)
        if decision.execution is not None:
            self.filled += decision.execution.quantity
            self.order = self.order._replace(remaining=self.order.remaining - decision.execution.quantity)
        self.ended = self.ended or decision.cancel is not None or self.order.remaining == 0


@given(order=orders(), path=paths, profile=st.sampled_from(sorted(PROFILES)))
def test_nothing_fills_that_the_market_would_not_have_filled(
    order: WorkingOrder, path: list[tuple[int, int, int, str, int]], profile: str
) -> None:
    life, last, chosen = Life(order, order.remaining), Decimal(100), PROFILES[profile]
    for number, (move, half, traded, session, age) in enumerate(path):
        last = max(last + Decimal(move) / 100, Decimal(1))
        now = OPEN + timedelta(minutes=number)
        quote = _quote(last, half, traded, now - timedelta(seconds=age))
        allowance = allowance_of(quote, chosen, 0)
        view = MarketView(quote, now, session, chosen, allowance)  # type: ignore[arg-type]
        decision = fill_for(life.order, view)
        before = life.order
        life.live(decision)
        execution = decision.execution
        if execution is not None:
            assert session == "regular"
            assert within(before.side, execution.price, life.order.worst_price)
            assert before.limit is None or within(before.side, execution.price, before.limit)
            assert before.stop is None or stop_reached(before.side, before.stop, last)
            assert 0 < execution.quantity <= before.remaining
            assert before.display is None or execution.quantity <= before.display
            assert allowance is None or execution.quantity <= allowance
            assert age <= 90
            assert execution.price == far_side(before.side, quote) or execution.slippage > 0
        assert life.filled + life.order.remaining == life.quantity
        if life.ended:
            return


def _quote(last: Decimal, half: int, traded: int, time: datetime) -> Quote:
    spread = Decimal(half) / 100
    bid, ask = max(last - spread, Decimal("0.01")), last + spread
    return Quote("AAPL", last, bid, ask, None, None, None, None, None, time, 0, "replay", traded)


@given(path=paths, amount=st.integers(min_value=1, max_value=500))
def test_a_trailing_stop_only_ever_moves_towards_the_market(
    path: list[tuple[int, int, int, str, int]], amount: int
) -> None:
    """The book follows the market exactly as a look at every price does, old stop first."""
    trail = Trail(Decimal(amount) / 100, None, Decimal(100))
    stop, last = trailing_stop("sell", Decimal(100), trail.amount, None), Decimal(100)
    book = OrderBook([entry(1, 1, "AAPL", "sell", None, stop, OPEN, trail)])
    for move, half, traded, _, _ in path:
        last = max(last + Decimal(move) / 100, Decimal(1))
        taken = book.triggered("AAPL", _quote(last, half, traded, OPEN))
        assert bool(taken) is (last <= stop)
        if taken:
            return
        followed = trailing_stop("sell", max(last, trail.peak), trail.amount, None)
        assert followed >= stop
        stop, trail = followed, replace(trail, peak=max(last, trail.peak))


stops = st.lists(
    st.tuples(st.sampled_from(["buy", "sell"]), st.none() | prices, st.none() | prices), min_size=1, max_size=30
)


@given(resting=stops, price=prices)
def test_the_book_answers_each_stop_and_limit_that_a_full_look_finds(
    resting: list[tuple[str, Decimal | None, Decimal | None]], price: Decimal
) -> None:
    quote = _quote(price, 3, 100, OPEN)
    entries = [entry(number, 1, "AAPL", *one, OPEN) for number, one in enumerate(resting, start=1)]
    found = {one.order_id for one in OrderBook(entries).triggered("AAPL", quote)}
    expected = {
        number
        for number, (side, limit, stop) in enumerate(resting, start=1)
        if (stop_reached(side, stop, price) if stop is not None else _marketable(side, limit, quote))
    }
    assert found == expected


def _marketable(side: str, limit: Decimal | None, quote: Quote) -> bool:
    return limit is None or within(side, far_side(side, quote), limit)


def test_prices_in_the_book_are_whole_units() -> None:
    assert units(bid_of(_quote(Decimal("0.1235"), 0, 1, OPEN))) == 1235
