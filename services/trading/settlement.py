"""How an order changes once the rules have decided: it fills, is triggered, or ends. Orders and fills are written here.

Works on orders read under their account's lock. The changes of a unit are collected and stored together by `write`:
the fills, the guarded updates of the orders, and through the ledger the journal, balances and holdings.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from models import Order
from services.accounts.journal import BooksError, Cause
from services.accounts.ledger import Books
from services.trading.fill_rules import Decision, Execution
from services.trading.order_state import INSERT_FILLS, OrderState, from_order, insert_order, lock_legs, write_orders
from services.trading.order_states import move_order
from services.trading.prices import stop_collar, within
from utils.market_source import Quote
from utils.number_utils import ZERO, round_money

LONGEST_LIFE = timedelta(days=90)
SIBLING_FILLED = "The other order of the pair filled"
SIBLING_ENDED = "The other order of the pair ended"


@dataclass(slots=True)
class Settlement:
    """The changes of one unit to `orders`, whose accounts are locked in `books`. New orders join them."""

    books: Books
    orders: dict[int, OrderState] = field(default_factory=dict)
    _changed: set[int] = field(default_factory=set)
    _fills: list[tuple[Any, ...]] = field(default_factory=list)

    def accept(self, order: OrderState) -> None:
        """Reserve what a new order needs. Raises Refused when the trader does not have it."""
        self.orders[order.order_id] = order
        self._reserve(order)
        self._record(order, "order_accepted", quantity=order.quantity)

    def apply(self, order: OrderState, decision: Decision, quote: Quote | None, profile: str) -> int:
        """Do what the rules decided. Returns how many shares filled."""
        if decision.triggered and order.triggered_at is None:
            self.trigger(order, decision.worst_price)
        filled = 0
        if decision.execution is not None:
            self.fill(order, decision.execution, quote, profile)
            filled = decision.execution.quantity
        if decision.cancel is not None and order.is_open:
            self.end(order, "cancelled", decision.cancel)
        return filled

    def trigger(self, order: OrderState, worst_price: Decimal | None) -> None:
        """The stop was reached: from now on it is a market or limit order, within the collar it has from here."""
        order.triggered_at = self.books.market_time
        if worst_price is not None:
            order.worst_price = worst_price
        self._touch(order)
        self._record(order, "order_triggered", stop_price=str(order.stop))

    def follow(self, order: OrderState, peak: Decimal, stop: Decimal) -> None:
        """A trailing stop has followed the market."""
        order.trail_peak, order.stop = peak, stop
        self._touch(order)

    def fill(self, order: OrderState, execution: Execution, quote: Quote | None, profile: str) -> None:
        """Book one fill of an open order, with the quote that is its evidence."""
        if not within(order.side, execution.price, order.worst_price) or not 0 < execution.quantity <= order.remaining:
            raise BooksError(f"order {order.order_id} must not fill by {execution}")
        amount = round_money(execution.price * execution.quantity)
        commission = order.terms.for_fill(execution.quantity, amount, order.filled_quantity, order.filled_amount)
        self._advance(order, execution.quantity, amount, commission)
        cause = Cause(order_id=order.order_id, fill_number=order.fills)
        profit = self._pay(order, execution.quantity, amount, commission, cause)
        self._fills.append(self._fill_row(order, execution, (amount, commission, profit), profile, quote))
        self._record(
            order, "order_filled", quantity=execution.quantity, price=str(execution.price), fill_number=order.fills
        )
        self._shrink_sibling(order, execution.quantity)
        self._protect(order, execution.quantity)

    def end(self, order: OrderState, status: str, remark: str | None) -> None:
        """End an open order without filling it: cancelled, rejected or expired. What it held returns to the trader, and
        the other leg of its pair ends with it.
        """
        sibling = self._sibling(order)
        self._close(order, status, remark)
        if sibling is not None:
            self._close(sibling, "cancelled", SIBLING_ENDED)

    def change_terms(self, order: OrderState, reserve_before: Decimal, remaining_before: int) -> None:
        """Move the reservation of a replaced order, whose fields are new already, to what it needs now."""
        cause = Cause(order_id=order.order_id)
        more = order.remaining - remaining_before
        if order.holds_shares and more > 0:
            self.books.reserve_shares(order.user_id, order.ticker, more, cause)
        elif order.holds_shares and more < 0:
            self.books.release_shares(order.user_id, order.ticker, -more, cause)
        order.reserved_amount = order.needed_reservation()
        dearer = order.reserved_amount - reserve_before
        if dearer > 0:
            self.books.reserve_cash(order.user_id, dearer, cause)
        elif dearer < 0:
            self.books.release_cash(order.user_id, -dearer, cause)
        self._touch(order)
        prices = {"price": order.limit, "stop_price": order.stop}
        written = {name: str(price) for name, price in prices.items() if price is not None}
        self._record(order, "order_replaced", quantity=order.quantity, **written)

    def write(self) -> None:
        """Store everything. Raises BooksError when an order is not as it was read."""
        if self._fills:
            INSERT_FILLS.run(self.books.session, self._fills)
        changed = [self.orders[order_id] for order_id in sorted(self._changed)]
        if changed:
            found = write_orders(self.books.session, changed, self.books.wall_time)
            if found != len(changed):
                raise BooksError(f"orders: {found} of {len(changed)} guarded updates found their row")
        self.books.write()
        self._changed, self._fills = set(), []

    def _touch(self, order: OrderState) -> None:
        self.orders[order.order_id] = order
        self._changed.add(order.order_id)

    def _reserve(self, order: OrderState) -> None:
        cause = Cause(order_id=order.order_id)
        if order.holds_shares:
            self.books.reserve_shares(order.user_id, order.ticker, order.remaining, cause)
        elif order.side == "buy":
            order.reserved_amount = order.needed_reservation()
            self.books.reserve_cash(order.user_id, order.reserved_amount, cause)
            self._touch(order)

    def _close(self, order: OrderState, status: str, remark: str | None) -> None:
        order.status = move_order(order.status, status)
        order.remark = remark
        cause = Cause(order_id=order.order_id)
        if order.holds_shares:
            self.books.release_shares(order.user_id, order.ticker, order.remaining, cause)
        elif order.side == "buy":
            self.books.release_cash(order.user_id, order.reserved_amount, cause)
            order.reserved_amount = ZERO
        self._touch(order)
        self._record(order, f"order_{status}", remark=remark)

    def _advance(self, order: OrderState, quantity: int, amount: Decimal, commission: Decimal) -> None:
        order.filled_quantity += quantity
        order.filled_amount += amount
        order.commission_paid += commission
        order.fills += 1
        order.status = move_order(order.status, "filled" if order.remaining == 0 else "partially_filled")
        if order.remaining == 0:
            order.executed_at = self.books.wall_time
        elif order.display_quantity is not None:
            order.accepted_at = self.books.market_time  # an iceberg shows its next part at the back of the queue
        self._touch(order)

    def _pay(
        self, order: OrderState, quantity: int, amount: Decimal, commission: Decimal, cause: Cause
    ) -> Decimal | None:
        if order.side == "sell":
            return self.books.settle_sell(order.user_id, order.ticker, quantity, amount, commission, cause)
        needed = order.needed_reservation()
        freed, order.reserved_amount = order.reserved_amount - needed, needed
        self.books.settle_buy(order.user_id, order.ticker, quantity, amount, commission, freed, cause)
        return None

    def _sibling(self, order: OrderState) -> OrderState | None:
        """The other leg of its pair, while it is open."""
        if order.oco_id is None:
            return None
        legs = (one for one in self.orders.values() if one.oco_id == order.oco_id and one.order_id != order.order_id)
        return next((leg for leg in legs if leg.is_open), None)

    def _shrink_sibling(self, order: OrderState, quantity: int) -> None:
        """A part fill of one leg shrinks the other by as much; a full fill cancels it. The shares are gone already."""
        sibling = self._sibling(order)
        if sibling is None:
            return
        if order.remaining == 0:
            sibling.status = move_order(sibling.status, "cancelled")
            sibling.remark = SIBLING_FILLED
            self._record(sibling, "order_cancelled", remark=SIBLING_FILLED)
        else:
            sibling.quantity -= quantity
        self._touch(sibling)

    def _protect(self, order: OrderState, quantity: int) -> None:
        """A bracket protects each part of itself as it fills: its legs are made, or grow by as much."""
        if order.take_profit_price is None or order.stop_loss_price is None:
            return
        legs = [leg for leg in self.orders.values() if leg.parent_id == order.order_id and leg.is_open]
        if not legs:
            legs = list(lock_legs(self.books.session, [order.order_id]).values())
        if not legs:
            self._make_legs(order, quantity)
            return
        for leg in legs:
            leg.quantity += quantity
            self._touch(leg)
            if leg.holds_shares:
                cause = Cause(order_id=leg.order_id)
                self.books.reserve_shares(leg.user_id, leg.ticker, quantity, cause)

    def _make_legs(self, parent: OrderState, quantity: int) -> None:
        profit, loss = parent.take_profit_price, parent.stop_loss_price
        assert profit is not None
        assert loss is not None
        self.accept_pair(
            self.insert_leg(parent, quantity, "limit", limit=profit),
            self.insert_leg(parent, quantity, "stop", stop=loss),
        )

    def accept_pair(self, holder: OrderState, other: OrderState) -> None:
        """Accept two sells of the same shares, of which one cancels the other; the first holds the shares of both."""
        for leg in (holder, other):
            leg.oco_id = holder.order_id
            row = self.books.session.get_one(Order, leg.order_id)
            row.oco_id = holder.order_id
        self.books.session.flush()
        self.accept(holder)
        self.accept(other)

    def insert_leg(
        self,
        like: OrderState,
        quantity: int,
        execution_type: str,
        limit: Decimal | None = None,
        stop: Decimal | None = None,
    ) -> OrderState:
        """Store a sell that protects what `like` bought."""
        worst = limit if limit is not None else stop_collar("sell", stop or ZERO)
        row = Order(
            user_id=like.user_id,
            ticker=like.ticker,
            order_type="sell",
            order_execution_type=execution_type,
            order_price=limit,
            stop_price=stop,
            order_quantity=quantity,
            worst_price=worst,
            time_in_force="gtc",
            expires_at=self.books.market_time + LONGEST_LIFE,
            parent_id=like.order_id,
            commission_per_share=like.terms.per_share,
            commission_minimum=like.terms.minimum,
            commission_maximum_rate=like.terms.maximum_rate,
            created_at=self.books.wall_time,
            updated_at=self.books.wall_time,
            accepted_at=self.books.market_time,
        )
        return self.insert(row)

    def insert(self, row: Order) -> OrderState:
        """Store a new order and answer its state. Nothing is reserved yet."""
        return insert_order(self.books.session, row)

    def insert_many(self, rows: Sequence[Order]) -> list[OrderState]:
        """Store new orders in a few statements and answer their states, in the same order. Nothing is reserved yet."""
        self.books.session.add_all(rows)
        self.books.session.flush()
        return [from_order(row) for row in rows]

    def _fill_row(
        self,
        order: OrderState,
        execution: Execution,
        figures: tuple[Decimal, Decimal, Decimal | None],
        profile: str,
        quote: Quote | None,
    ) -> tuple[Any, ...]:
        evidence = (quote.provider_time, quote.last, quote.bid, quote.ask, quote.source) if quote else (None,) * 5
        amount, commission, profit = figures
        return (
            order.order_id,
            order.fills,
            order.user_id,
            order.ticker,
            order.side,
            execution.price,
            execution.quantity,
            amount,
            commission,
            profit,
            self.books.wall_time,
            order.worst_price,
            self.books.market_time,
            execution.rule,
            profile,
            execution.slippage,
            *evidence,
        )

    def _record(self, order: OrderState, kind: str, **figures: object) -> None:
        payload = {
            "order_id": order.order_id,
            "ticker": order.ticker,
            "order_type": order.side,
            "order_status": order.status,
            **figures,
        }
        self.books.record(order.user_id, kind, json.dumps(payload))
