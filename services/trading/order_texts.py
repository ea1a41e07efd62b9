"""What became of an order, in words."""

from __future__ import annotations

from services.trading.order_state import OrderState
from services.trading.prices import dollars


def describe(order: OrderState) -> str:
    """One sentence for people: what filled at which price, what waits and for what, or that it ended."""
    if order.status in ("filled", "partially_filled"):
        return _filled(order)
    if order.status == "pending":
        what = f"Order {order.order_id} to {order.side} {order.quantity:,} {order.ticker}"
        return f"{what} waits {_for_what(order)}."
    filled = f" after {order.filled_quantity:,} shares filled" if order.filled_quantity else ""
    reason = f": {order.remark}" if order.remark else ""
    return f"Order {order.order_id} is {order.status}{filled}{reason}. What it held is free again."


def explain_rule(rule: str | None, side: str) -> str:
    """Why a fill has the price it has, in a sentence for people. `rule` as the fill's row keeps it."""
    touch = (
        "the ask, the lowest price a seller offered" if side == "buy" else "the bid, the highest price a buyer offered"
    )
    sentences = {
        "market_far_side": f"Without a limit it trades at {touch}, and pays for what its own size moves the price.",
        "limit_or_better": f"The market reached the limit, so it trades at {touch}: never worse than the limit.",
        "last_price_while_closed": "The market was closed; this venue lets orders fill on the last price at any hour.",
        "manual": "An admin executed it by hand, at the market's price where the order's own allowed that.",
        "manual_price": "An admin executed it by hand, at a price of the admin's own, within the order's limit.",
    }
    return sentences.get(rule or "", "The rule was not noted.")


def _filled(order: OrderState) -> str:
    verb = "Bought" if order.side == "buy" else "Sold"
    done = (
        f"{verb} {order.filled_quantity:,} {order.ticker} at {dollars(order.average_fill_price)}{_improvement(order)}"
    )
    return f"{done}." if order.status == "filled" else f"{done}; {order.remaining:,} more are waiting."


def _for_what(order: OrderState) -> str:
    if order.stop is not None and order.triggered_at is None:
        direction = "rises" if order.side == "buy" else "falls"
        return f"until the price {direction} to {dollars(order.stop)}"
    if order.limit is not None:
        return f"at {dollars(order.limit)} or better"
    return "for the market to open" if order.queued else "for the next price"


def _improvement(order: OrderState) -> str:
    average = order.average_fill_price
    if order.limit is None or average is None or average == order.limit:
        return ""
    return f", {dollars(abs(order.limit - average))} a share better than the limit"
