"""What became of an order, in words."""

from __future__ import annotations

from decimal import Decimal

from services.trading.order_state import OrderState


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


def dollars(price: Decimal | None) -> str:
    """A price with two places, or four where it has them."""
    if price is None:
        return "-"
    return f"${price:,.2f}" if price == round(price, 2) else f"${price:,.4f}"


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
