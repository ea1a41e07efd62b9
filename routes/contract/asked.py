"""What may be asked: the query parameters and bodies of the endpoints."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, PlainValidator, ValidationInfo, WithJsonSchema

from routes.contract.fields import (
    Amount,
    Limit,
    OptionalQuantity,
    Page,
    Period,
    Price,
    Quantity,
    QueryTicker,
    Reason,
    Ticker,
    in_body,
    number,
    word,
)
from services.accounts.funds import REQUEST_SORTS
from services.trading import order_views, tickets

LONGEST_SPEC = 600
# As in services/analysis/simulation_plan.py, which brings NumPy along; a test compares them.
SIMULATION_RANGES = {
    "days": (1, 365, 60),
    "simulations": (1, 100_000, 1_000),
    "seed": (0, 2**32 - 1, 1),
    "window": (60, 2_520, 252),
    "block": (1, 60, 10),
}
SIMULATION_MODELS = ("gbm", "bootstrap", "student_t")
SIMULATION_DRIFTS = ("historical", "none")


def sorts(names: Any) -> list[str]:
    """The columns of a list, each either way."""
    return [mark + name for name in names for mark in ("", "-")]


def choice(choices: tuple[str, ...]) -> Any:
    return in_body(tickets.choice_of(choices), {"type": "string", "enum": list(choices)})


class Asked(BaseModel):
    """Base of all: what is not named here is left to the view."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class Nothing(Asked):
    """No parameter, no field."""


class Paged(Asked):
    page: Page = None
    limit: Annotated[Limit, Field(validation_alias=AliasChoices("limit", "per_page"))] = None


class OrdersQuery(Paged):
    status: Annotated[str | None, *word(order_views.STATUSES)] = None
    ticker: QueryTicker | None = None
    type: Annotated[
        Annotated[str | None, *word((*tickets.SIDES, *tickets.EXECUTION_TYPES))],
        Field(validation_alias=AliasChoices("type", "order_type")),
    ] = None
    sort: Annotated[str | None, *word(sorts(order_views.ORDER_SORTS))] = None


class FillsQuery(Paged):
    ticker: QueryTicker | None = None
    type: Annotated[str | None, *word(tickets.SIDES)] = None
    sort: Annotated[str | None, *word(sorts(order_views.FILL_SORTS))] = None


class FundsQuery(Paged):
    type: Annotated[str | None, *word(("deposit", "withdrawal"))] = None
    status: Annotated[str | None, *word(("pending", "approved", "rejected"))] = None
    sort: Annotated[str | None, *word(sorts(REQUEST_SORTS))] = None


class TickerQuery(Asked):
    ticker: QueryTicker


class QuoteQuery(Asked):
    ticker: Annotated[QueryTicker, Field(validation_alias=AliasChoices("ticker", "symbol"))]


class TickersQuery(Asked):
    tickers: Annotated[str, Field(description="1 to 50 tickers with commas between", examples=["AAPL,MSFT"])]


class SearchQuery(Asked):
    query: Annotated[str, Field(max_length=60, description="Part of a ticker or a name; empty lists all")] = ""


class MarketDataQuery(TickerQuery):
    period: Period = None


class IndicatorsQuery(MarketDataQuery):
    spec: Annotated[str, Field(max_length=LONGEST_SPEC, examples=["sma:20,macd:12:26:9"])] = ""
    prices: Annotated[str | None, *word(("raw", "adjusted"))] = None


class SimulationQuery(Asked):
    days: Annotated[int | None, *number(*SIMULATION_RANGES["days"])] = None
    simulations: Annotated[int | None, *number(*SIMULATION_RANGES["simulations"])] = None
    seed: Annotated[int | None, *number(*SIMULATION_RANGES["seed"])] = None
    window: Annotated[int | None, *number(*SIMULATION_RANGES["window"])] = None
    block: Annotated[int | None, *number(*SIMULATION_RANGES["block"])] = None
    model: Annotated[str | None, *word(SIMULATION_MODELS)] = None
    drift: Annotated[str | None, *word(SIMULATION_DRIFTS)] = None
    progress: Annotated[str | None, *word(("0", "1"))] = None


class AmountBody(Asked):
    amount: Amount


class ReasonBody(Asked):
    reason: Reason


def _execution_type(value: object, info: ValidationInfo) -> str | None:
    """Every order has one but a pair, whose legs have theirs."""
    if info.data.get("order_class") == "oco":
        return None
    return tickets.choice_of(tickets.EXECUTION_TYPES)(value)


class OrderBody(Asked):
    """An order. Which fields go together depends on execution_type and order_class; see docs/orders.md."""

    ticker: Ticker
    order_type: Annotated[
        str, PlainValidator(tickets.choice_of(tickets.SIDES)), WithJsonSchema({"enum": list(tickets.SIDES)})
    ]
    order_class: Annotated[str | None, *choice(tickets.ORDER_CLASSES)] = None
    execution_type: Annotated[
        str | None,
        PlainValidator(_execution_type),
        WithJsonSchema({"enum": [*tickets.EXECUTION_TYPES, None]}),
        Field(validate_default=True, validation_alias=AliasChoices("execution_type", "order_execution_type")),
    ] = None
    quantity: Annotated[Quantity, Field(validation_alias=AliasChoices("quantity", "order_quantity"))]
    price: Annotated[Price, Field(validation_alias=AliasChoices("price", "order_price"))] = None
    stop_price: Price = None
    trail_amount: Price = None
    trail_percent: Price = None
    time_in_force: Annotated[str | None, *choice(tickets.TIMES_IN_FORCE)] = None
    display_quantity: OptionalQuantity = None
    extended_hours: Annotated[bool | None, Field(description="Also before the open and after the close")] = None
    take_profit_price: Price = None
    stop_loss_price: Price = None


class ChangesBody(Asked):
    """What is to be changed of an open order; what is left out stays."""

    quantity: OptionalQuantity = None
    price: Price = None
    stop_price: Price = None
    trail_amount: Price = None
    trail_percent: Price = None


class RiskBody(Asked):
    """`ticker`, or `tickers`, or `portfolio`; `window` returns, or the days from start_date to end_date."""

    ticker: str | None = None
    tickers: Annotated[list[str] | None, Field(min_length=1, max_length=8)] = None
    portfolio: bool = False
    window: Annotated[int | None, Field(ge=5, le=5040)] = None
    start_date: str | None = None
    end_date: str | None = None
    rolling_window: Annotated[int | None, Field(ge=10, le=252)] = None
    risk_free_rate: Annotated[float | None, Field(ge=-0.05, le=0.5)] = None


class ChatBody(Asked):
    message: Annotated[Any, Field(json_schema_extra={"type": "string", "minLength": 1})] = None
    conversation_id: Annotated[Any, Field(json_schema_extra={"type": "integer", "minimum": 1})] = None


class AnyBody(Asked):
    """Fields of the value to remember."""
