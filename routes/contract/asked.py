"""What may be asked: the query parameters and bodies of the endpoints."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, PlainValidator, ValidationInfo, WithJsonSchema

from routes.contract.fields import (
    Amount,
    Limit,
    OptionalQuantity,
    Page,
    Percent,
    Period,
    Price,
    Quantity,
    QueryTicker,
    Reason,
    Ticker,
    Tickers,
    decimal_of,
    in_body,
    named,
    number,
    text_of,
    word,
)
from services.accounts.funds import REQUEST_SORTS
from services.analysis.questions import (
    LEAST_FREE,
    LEAST_ROLLING,
    LEAST_WINDOW,
    MOST_FREE,
    MOST_ROLLING,
    MOST_TICKERS,
    MOST_WINDOW,
)
from services.assistant import conversations
from services.trading import order_views, replacing, tickets
from services.trading.replacing import OrderChanges
from services.trading.tickets import OrderTicket
from utils.number_utils import PRICE_LIMIT

LONGEST_SPEC = 600
# As in services/analysis/simulation_plan.py, which brings NumPy along; a test compares them.
SIMULATION_RANGES = {
    "days": (1, 365, 60),
    "simulations": (1, 100_000, 1_000),
    "seed": (0, 2**32 - 1, 1),
    "window": (60, 2_520, 252),
    "block": (1, 60, 10),
}
SIMULATION_DEGREES = (Decimal("4.2"), Decimal(30))
SIMULATION_MODELS = ("gbm", "bootstrap", "student_t")
SIMULATION_DRIFTS = ("historical", "none")


def sorts(names: Any) -> list[str]:
    """The columns of a list, each either way."""
    return [mark + name for name in names for mark in ("", "-")]


def choice(choices: tuple[str, ...]) -> Any:
    return in_body(tickets.choice_of(choices), {"type": "string", "enum": list(choices)})


class Asked(BaseModel):
    """Base of all. What is not named here is ignored."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    def given(self) -> dict[str, Any]:
        """What was read, by the documented names, without what was left out."""
        return self.model_dump(exclude_none=True)


class Nothing(Asked):
    """No parameter, no field."""


class Paged(Asked):
    page: Page = None
    limit: Annotated[Limit, Field(validation_alias=AliasChoices("limit", "per_page"))] = None


class SortedQuery(Paged):
    """A list's address; each list names its own columns."""

    sort: str | None = None


class OrdersQuery(SortedQuery):
    status: Annotated[str | None, *word(order_views.STATUSES)] = None
    ticker: QueryTicker = None
    type: Annotated[
        Annotated[str | None, *word((*tickets.SIDES, *tickets.EXECUTION_TYPES))],
        Field(validation_alias=AliasChoices("type", "order_type")),
    ] = None
    sort: Annotated[str | None, *word(sorts(order_views.ORDER_SORTS))] = None


class FillsQuery(SortedQuery):
    ticker: QueryTicker = None
    type: Annotated[str | None, *word(tickets.SIDES)] = None
    sort: Annotated[str | None, *word(sorts(order_views.FILL_SORTS))] = None


class FundsQuery(SortedQuery):
    type: Annotated[str | None, *word(("deposit", "withdrawal"))] = None
    status: Annotated[str | None, *word(("pending", "approved", "rejected"))] = None
    sort: Annotated[str | None, *word(sorts(REQUEST_SORTS))] = None


class TickerQuery(Asked):
    ticker: Ticker


class QuoteQuery(Asked):
    ticker: Annotated[Ticker, Field(validation_alias=AliasChoices("ticker", "symbol"))]


class TickersQuery(Asked):
    tickers: Annotated[Tickers, Field(examples=["AAPL,MSFT"])]


class SearchQuery(Asked):
    query: Annotated[Annotated[str, *text_of(60)], Field(description="Part of a ticker or a name; empty lists all")] = (
        ""
    )


class DeskQuery(Asked):
    """What the desk opens with."""

    ticker: QueryTicker = None
    period: Period = None


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
    degrees: Annotated[Decimal | None, *decimal_of(*SIMULATION_DEGREES)] = None
    target_price: Annotated[Decimal | None, *decimal_of(Decimal("0.0001"), PRICE_LIMIT)] = None
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
    trail_percent: Percent = None
    time_in_force: Annotated[str | None, *choice(tickets.TIMES_IN_FORCE)] = None
    display_quantity: OptionalQuantity = None
    extended_hours: Annotated[
        Annotated[bool | None, *in_body(tickets.parse_flag, {"type": "boolean"})],
        Field(description="Also before the open and after the close"),
    ] = None
    take_profit_price: Price = None
    stop_loss_price: Price = None

    def ticket(self) -> OrderTicket:
        """The order, when its fields go together. Raises InvalidInput that names those that do not."""
        return tickets.parse_ticket(self.given())


class ChangesBody(Asked):
    """What is to be changed of an open order; what is left out stays."""

    quantity: OptionalQuantity = None
    price: Price = None
    stop_price: Price = None
    trail_amount: Price = None
    trail_percent: Price = None

    def changes(self) -> OrderChanges:
        """Raises InvalidInput when there are none."""
        return replacing.parse_changes(self.given())


def _rate(value: object) -> int | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not LEAST_FREE <= value <= MOST_FREE:
        raise ValueError(f"must be a number from {LEAST_FREE} to {MOST_FREE}, a fraction a year")
    return value


RATE_SCHEMA = {"type": "number", "minimum": float(LEAST_FREE), "maximum": float(MOST_FREE)}


class RiskBody(Asked):
    """`ticker`, or `tickers`, or `portfolio`; `window` returns, or the days from start_date to end_date."""

    model_config = ConfigDict(extra="forbid")

    ticker: Ticker = Field(default=None)  # left out, never null
    tickers: Annotated[list[Ticker] | None, Field(min_length=1, max_length=MOST_TICKERS)] = None
    portfolio: Annotated[bool, Field(strict=True)] = False
    window: Annotated[int | None, Field(strict=True, ge=LEAST_WINDOW, le=MOST_WINDOW)] = None
    start_date: str | None = None
    end_date: str | None = None
    rolling_window: Annotated[int | None, Field(strict=True, ge=LEAST_ROLLING, le=MOST_ROLLING)] = None
    risk_free_rate: Annotated[Any, *in_body(_rate, RATE_SCHEMA)] = None


def _row_number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**31:
        raise ValueError("must be the number of a conversation")
    return value


class ChatBody(Asked):
    model_config = ConfigDict(extra="forbid")

    message: Annotated[
        str,
        PlainValidator(named(conversations.parse_message, "message")),
        WithJsonSchema({"type": "string", "minLength": 1, "maxLength": conversations.LONGEST_MESSAGE}),
    ]
    conversation_id: Annotated[int | None, *in_body(_row_number, {"type": "integer", "minimum": 1})] = None


class TitleBody(Asked):
    title: Annotated[
        str,
        PlainValidator(named(conversations.parse_title, "title")),
        WithJsonSchema({"type": "string", "minLength": 1, "maxLength": conversations.LONGEST_TITLE}),
    ]


class AnyBody(Asked):
    """Fields of the value to remember."""
