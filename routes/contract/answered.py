"""What is answered: the payloads of the endpoints. Money and prices are numbers, times ISO 8601 in UTC."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

Success = Literal[True]


class Failure(BaseModel):
    """A request that was not carried out. `code` is stable; `errors` names the fields that were wrong."""

    success: Literal[False]
    code: str
    message: str
    request_id: str
    details: dict[str, Any] = Field(default_factory=dict)
    errors: dict[str, list[str]] = Field(default_factory=dict)


class Answer(BaseModel):
    success: Success


class Done(Answer):
    message: str


class RequestDone(Done):
    transaction_id: int


class RequestDecided(RequestDone):
    status: str


class ManyDone(Done):
    """What was decided, and which of them failed and why."""

    failed: Any


class OrderDone(Done):
    order_id: int
    order_status: str
    filled_quantity: int
    average_fill_price: float | None


class Pagination(BaseModel):
    page: int
    limit: int
    total: int
    pages: int


class OrderRow(BaseModel):
    order_id: int
    user_id: int
    user_name: str
    ticker: str
    order_type: Literal["buy", "sell"]
    order_execution_type: str
    order_price: float | None
    stop_price: float | None
    trail_amount: float | None
    trail_percent: float | None
    time_in_force: str
    expires_at: datetime | None
    extended_hours: bool
    queued: bool
    display_quantity: int | None
    take_profit_price: float | None
    stop_loss_price: float | None
    parent_id: int | None
    oco_id: int | None
    triggered_at: datetime | None
    order_quantity: int
    filled_quantity: int
    remaining_quantity: int
    filled_amount: float
    average_fill_price: float | None
    commission_paid: float
    reserved_amount: float
    order_status: Literal["pending", "partially_filled", "filled", "cancelled", "rejected", "expired"]
    created_at: datetime
    updated_at: datetime
    accepted_at: datetime
    executed_at: datetime | None
    remark: str | None


class FillRow(BaseModel):
    transaction_id: int
    order_id: int
    fill_number: int
    ticker: str
    transaction_type: Literal["buy", "sell"]
    transaction_price: float
    transaction_quantity: int
    transaction_amount: float
    commission: float
    realised_profit: float | None
    transaction_time: datetime
    worst_price: float
    market_time: datetime
    slippage: float
    rule: str
    profile: str
    quote_time: datetime | None
    quote_last: float | None
    quote_bid: float | None
    quote_ask: float | None
    quote_source: str | None


class FundRow(BaseModel):
    transaction_id: int
    user_id: int
    user_name: str
    transaction_type: Literal["deposit", "withdrawal"]
    amount: float
    status: Literal["pending", "approved", "rejected"]
    created_at: datetime
    updated_at: datetime
    remark: str | None
    operator_name: str | None


class OrderStory(OrderRow):
    summary: str
    ended_by_admin: bool
    fills: list[dict[str, Any]]
    legs: list[OrderRow]
    events: list[dict[str, Any]]


class Orders(Answer):
    orders: list[OrderRow]
    pagination: Pagination


class OneOrder(Answer):
    order: OrderStory


class Fills(Answer):
    transactions: list[FillRow]
    pagination: Pagination


class FundRequests(Answer):
    fund_transactions: list[FundRow]
    pagination: Pagination


class Holding(BaseModel):
    ticker: str
    name: str
    quantity: int
    free_quantity: int
    frozen_quantity: int
    average_price: float
    total_cost: float
    price: float | None
    market_value: float | None
    unrealised_profit: float | None
    unrealised_profit_percent: float | None
    realised_profit: float
    quote_time: datetime | None


class Overview(BaseModel):
    available_balance: float
    frozen_balance: float
    total_balance: float
    holdings_value: float
    equity: float
    unrealised_profit: float
    unrealised_profit_percent: float | None
    realised_profit: float = Field(description="Sales less average cost, before commission")
    commission_paid: float
    total_profit: float
    deposits: float
    withdrawals: float
    adjustments: float
    unpriced: list[str]
    holdings: list[Holding]


class Account(Answer):
    data: Overview


class Identity(BaseModel):
    """profit = equity_after - equity_before - flows = realised_profit + unrealised_change - commission."""

    equity_before: float
    equity_after: float
    flows: float
    profit: float
    realised_profit: float = Field(description="Before commission")
    unrealised_change: float
    commission: float
    explained: float
    holds: bool


class Session(Identity):
    date: date
    net_flow: float
    return_percent: float = Field(description="Time-weighted, since the start")
    benchmark: float | None = Field(description="The same payments in the S&P 500, dollars")


class History(BaseModel):
    since: date | None
    today: Identity
    today_percent: float | None
    total: Identity
    time_weighted_percent: float | None
    capital_percent: float | None
    skipped_days: int
    days: list[Session]


class Performance(Answer):
    data: History


class Quote(BaseModel):
    ticker: str
    price: float
    change: float | None
    change_percent: float | None
    bid: float | None
    ask: float | None
    open: float | None
    high: float | None
    low: float | None
    previous_close: float | None
    volume: int | None
    quote_time: datetime | None
    delay: int
    source: str
    market_state: Literal["open", "closed", "ended", "starting"]


class OneQuote(Answer):
    data: Quote
    last_updated: datetime | None


class Quotes(Answer):
    data: dict[str, Quote]
    market: dict[str, Any]


class Instrument(BaseModel):
    ticker: str
    name: str
    tradable: bool


class Instruments(Answer):
    data: list[Instrument]


class Bar(BaseModel):
    """A day (date, adj_close) or, for 1d and 5d, five minutes (time)."""

    date: str = ""
    time: str = ""
    open: float
    high: float
    low: float
    close: float
    adj_close: float = 0
    volume: int


class Bars(Answer):
    data: list[Bar]


class Figures(Answer):
    """Flat figures by name; null with a message where none are known."""

    data: dict[str, Any] | None
    message: str = ""


class Anything(Answer):
    """`data` as its page documents it."""

    data: Any


class Analysis(Answer):
    data: dict[str, Any]
    metrics: dict[str, Any] | None


class Simulation(Answer):
    predictions: list[dict[str, Any]]
    paths: list[Any]
    statistics: dict[str, Any]


class Running(Answer):
    """A simulation that takes longer than a moment: ask the same again."""

    state: Literal["waiting", "running"]
    progress: float


class Preview(Answer):
    data: dict[str, Any]


class Chat(Answer):
    """What the assistant said; figures that no tool vouches for are marked in it."""

    response: str


class Conversations(Answer):
    conversations: list[dict[str, Any]]
