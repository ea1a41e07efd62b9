"""Orders, fills (the table `transaction`) and holdings (the table `portfolio`)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import NEVER_REUSE_IDS, Base, CreatedAt, RowId, UpdatedAt
from models.types import Money, Price, Ticker, UTCDateTime, exact_string
from models.user import UserId

ZERO = Decimal("0.00")
Side = Literal["buy", "sell"]
ExecutionType = Literal["market", "limit", "stop", "stop_limit", "trailing_stop"]
TimeInForce = Literal["gtc", "day", "ioc", "fok"]


class Order(Base):
    """An order to buy or sell. `services/trading/order_states.py` holds the legal moves of its status."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("order_type IN ('buy', 'sell')", name="order_type"),
        CheckConstraint(
            "order_execution_type IN ('market', 'limit', 'stop', 'stop_limit', 'trailing_stop')",
            name="order_execution_type",
        ),
        CheckConstraint("time_in_force IN ('gtc', 'day', 'ioc', 'fok')", name="time_in_force"),
        CheckConstraint(
            "order_status IN ('pending', 'partially_filled', 'filled', 'cancelled', 'rejected', 'expired')",
            name="order_status",
        ),
        CheckConstraint("order_quantity > 0", name="order_quantity"),
        CheckConstraint("filled_quantity >= 0 AND filled_quantity <= order_quantity", name="filled_quantity"),
        CheckConstraint("reserved_amount >= 0", name="reserved_amount"),
        CheckConstraint(
            "(order_execution_type IN ('limit', 'stop_limit')) = (order_price IS NOT NULL)", name="limit_has_price"
        ),
        CheckConstraint(
            "(order_execution_type IN ('stop', 'stop_limit', 'trailing_stop')) = (stop_price IS NOT NULL)",
            name="stop_has_price",
        ),
        Index("ix_orders_user_id", "user_id"),
        Index("ix_orders_ticker", "ticker"),
        Index("ix_orders_order_type", "order_type"),
        Index("ix_orders_order_execution_type", "order_execution_type"),
        Index("ix_orders_order_status", "order_status"),
        Index("ix_orders_created_at", "created_at"),
        Index("ix_orders_user_id_order_status", "user_id", "order_status"),
        Index("ix_orders_order_status_expires_at", "order_status", "expires_at"),
        Index("ix_orders_parent_id", "parent_id"),
        Index("ix_orders_oco_id", "oco_id"),
        NEVER_REUSE_IDS,
    )

    order_id: Mapped[RowId]
    user_id: Mapped[UserId]
    ticker: Mapped[str] = mapped_column(Ticker, comment="What is traded")
    order_type: Mapped[str] = mapped_column(exact_string(4), comment="Side: buy or sell")
    order_execution_type: Mapped[str] = mapped_column(
        exact_string(16), comment="market, limit, stop, stop_limit or trailing_stop"
    )
    order_price: Mapped[Decimal | None] = mapped_column(Price, comment="Limit, dollars a share; NULL without one")
    stop_price: Mapped[Decimal | None] = mapped_column(
        Price, comment="Price that triggers a stop, dollars a share; a trailing stop's moves with the market"
    )
    trail_amount: Mapped[Decimal | None] = mapped_column(Price, comment="Trailing stop: distance, dollars a share")
    trail_percent: Mapped[Decimal | None] = mapped_column(Price, comment="Trailing stop: distance, percent")
    trail_peak: Mapped[Decimal | None] = mapped_column(
        Price, comment="Trailing stop: best price since acceptance (highest for a sell, lowest for a buy)"
    )
    triggered_at: Mapped[datetime | None] = mapped_column(
        UTCDateTime, comment="Market clock when its stop was reached, UTC; NULL before"
    )
    time_in_force: Mapped[str] = mapped_column(exact_string(3), default="gtc", comment="gtc, day, ioc or fok")
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime, comment="Market clock at which it expires, UTC")
    extended_hours: Mapped[bool] = mapped_column(default=False, comment="May fill before the open and after the close")
    queued: Mapped[bool] = mapped_column(default=False, comment="Accepted while closed: waits for the next open")
    display_quantity: Mapped[int | None] = mapped_column(comment="Iceberg: shares shown at a time; NULL shows all")
    take_profit_price: Mapped[Decimal | None] = mapped_column(
        Price, comment="Bracket: limit of the sell that takes the profit of what this buy fills"
    )
    stop_loss_price: Mapped[Decimal | None] = mapped_column(
        Price, comment="Bracket: stop of the sell that limits the loss of what this buy fills"
    )
    parent_id: Mapped[int | None] = mapped_column(
        ForeignKey("orders.order_id"), comment="The buy whose fills this bracket leg protects"
    )
    oco_id: Mapped[int | None] = mapped_column(
        comment="Pair in which one cancels the other: number of the leg that holds the shares of both"
    )
    order_quantity: Mapped[int] = mapped_column(comment="Shares wanted")
    filled_quantity: Mapped[int] = mapped_column(default=0, comment="Shares filled so far")
    filled_amount: Mapped[Decimal] = mapped_column(Money, default=ZERO, comment="Sum of the fills' amounts, dollars")
    commission_paid: Mapped[Decimal] = mapped_column(
        Money, default=ZERO, comment="Sum of the fills' commission, dollars"
    )
    order_status: Mapped[str] = mapped_column(
        exact_string(20),
        default="pending",
        comment="pending, partially_filled, filled, cancelled, rejected, expired",
    )
    worst_price: Mapped[Decimal] = mapped_column(
        Price,
        comment="Worst price it may fill at: the limit, or the collar of a market order, dollars a share",
    )
    reserved_amount: Mapped[Decimal] = mapped_column(
        Money, default=ZERO, comment="Frozen cash that still belongs to this buy, dollars; 0 for sells"
    )
    commission_per_share: Mapped[Decimal] = mapped_column(
        Price, comment="Commission terms at acceptance: dollars a share"
    )
    commission_minimum: Mapped[Decimal] = mapped_column(Money, comment="Commission terms: least, dollars an order")
    commission_maximum_rate: Mapped[Decimal] = mapped_column(
        Price, comment="Commission terms: most, fraction of the value"
    )
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
    accepted_at: Mapped[datetime] = mapped_column(UTCDateTime, comment="Market clock when it was accepted, UTC")
    executed_at: Mapped[datetime | None] = mapped_column(UTCDateTime, comment="Wall clock of complete execution, UTC")
    remark: Mapped[str | None] = mapped_column(Text, comment="Why it was cancelled or rejected")
    operator_id: Mapped[int | None] = mapped_column(
        ForeignKey("admin.admin_id"), comment="The admin who executed or rejected it by hand, or NULL"
    )

    @property
    def remaining_quantity(self) -> int:
        """Shares still to be filled."""
        return self.order_quantity - self.filled_quantity


class Transaction(Base):
    """A fill: part or all of an order executed at one price, with the evidence for that price."""

    __tablename__ = "transaction"
    __table_args__ = (
        UniqueConstraint("order_id", "fill_number", name="uq_transaction_order_id_fill_number"),
        CheckConstraint("transaction_type IN ('buy', 'sell')", name="transaction_type"),
        CheckConstraint("transaction_price > 0", name="transaction_price"),
        CheckConstraint("transaction_quantity > 0", name="transaction_quantity"),
        Index("ix_transaction_order_id", "order_id"),
        Index("ix_transaction_user_id", "user_id"),
        Index("ix_transaction_user_id_sums", "user_id", "ticker", "realised_profit", "commission"),
        Index("ix_transaction_transaction_time", "transaction_time"),
        NEVER_REUSE_IDS,
    )

    transaction_id: Mapped[RowId]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.order_id"), comment="The order it fills")
    fill_number: Mapped[int] = mapped_column(comment="Number of the fill within its order, from 1, no gaps")
    user_id: Mapped[UserId]
    ticker: Mapped[str] = mapped_column(Ticker, comment="What was traded")
    transaction_type: Mapped[str] = mapped_column(exact_string(4), comment="Side: buy or sell")
    transaction_price: Mapped[Decimal] = mapped_column(Price, comment="Dollars a share")
    transaction_quantity: Mapped[int] = mapped_column(Integer, comment="Shares")
    transaction_amount: Mapped[Decimal] = mapped_column(
        Money, comment="Price times quantity, to the cent, half to even"
    )
    commission: Mapped[Decimal] = mapped_column(Money, default=ZERO, comment="Commission of this fill, dollars")
    realised_profit: Mapped[Decimal | None] = mapped_column(
        Money, comment="Sells: amount less the average cost of the shares, before commission; NULL for buys"
    )
    transaction_time: Mapped[CreatedAt]
    worst_price: Mapped[Decimal] = mapped_column(
        Price, comment="Limit or collar that was in force, dollars a share; a replaced order has another one later"
    )
    market_time: Mapped[datetime] = mapped_column(UTCDateTime, comment="Market clock of the fill, UTC")
    rule: Mapped[str] = mapped_column(exact_string(24), comment="The fill rule that set the price")
    profile: Mapped[str] = mapped_column(exact_string(12), comment="Realism profile in force")
    quote_time: Mapped[datetime | None] = mapped_column(UTCDateTime, comment="Provider's time of the quote used, UTC")
    quote_last: Mapped[Decimal | None] = mapped_column(Price, comment="Last price of that quote")
    quote_bid: Mapped[Decimal | None] = mapped_column(Price, comment="Bid of that quote")
    quote_ask: Mapped[Decimal | None] = mapped_column(Price, comment="Ask of that quote")
    quote_source: Mapped[str | None] = mapped_column(String(16), comment="Market source of that quote")
    slippage: Mapped[Decimal] = mapped_column(
        Price, default=Decimal("0.0000"), comment="Part of the price that the order's own size cost, dollars a share"
    )


class Portfolio(Base):
    """A holding. total_cost is the truth and average_price is derived from it. A cache of the journal (shares) and of
    the fills (cost). Only services/accounts/ledger.py writes it. A row whose shares are all sold stays, with zeros.
    """

    __tablename__ = "portfolio"
    __table_args__ = (
        UniqueConstraint("user_id", "ticker", name="uq_portfolio_user_id_ticker"),
        CheckConstraint("quantity >= 0", name="quantity"),
        CheckConstraint("frozen_quantity >= 0 AND frozen_quantity <= quantity", name="frozen_quantity"),
        CheckConstraint("total_cost >= 0", name="total_cost"),
        NEVER_REUSE_IDS,
    )

    id: Mapped[RowId]
    user_id: Mapped[UserId]
    ticker: Mapped[str] = mapped_column(Ticker, comment="What is held")
    quantity: Mapped[int] = mapped_column(default=0, comment="Shares held, promised ones included")
    frozen_quantity: Mapped[int] = mapped_column(default=0, comment="Shares promised to open sells")
    average_price: Mapped[Decimal] = mapped_column(
        Price, default=Decimal("0.0000"), comment="total_cost / quantity, dollars a share"
    )
    total_cost: Mapped[Decimal] = mapped_column(
        Money, default=ZERO, comment="What the shares held were bought for, without commission, dollars"
    )
    last_updated: Mapped[UpdatedAt]

    @property
    def free_quantity(self) -> int:
        """Shares that may be sold: held and not promised."""
        return self.quantity - self.frozen_quantity
