"""The tools that the model may ask for: their declarations, and the one place that runs them.

All read, as the trader who asks, through the same services as the pages. `draft_order` stores nothing either: it
only previews an order that the trader may then confirm. Whose account is meant never comes from the model.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from config import Config
from services.assistant import account_tools, market_tools, proposals
from services.assistant.arguments import Arguments
from services.assistant.proposals import Draft
from services.assistant.sources import Source, plain
from services.errors import DomainError
from services.market.bars import MONTHS
from services.market.market import ChartMarket
from services.trading.tickets import SIDES
from utils.chat_model import Tool, ToolCall
from utils.datetime_utils import Clock

if TYPE_CHECKING:
    from services.analysis.jobs import Jobs

LARGEST_RESULT = 12_000  # characters of JSON; the largest that a tool here makes is about half of it

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and where the figures come from. `user_id` is that of the login. `open_session` opens a session for
    one tool, so that no connection is held while the model is waited for.
    """

    user_id: int
    name: str
    market: ChartMarket
    config: Config
    jobs: Jobs
    open_session: Callable[[], AbstractContextManager[Session]]
    clock: Clock

    @property
    def actor(self) -> str:
        return f"user:{self.user_id}"


Handler = Callable[[Session, Asker, Arguments], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Entry:
    """A tool with what runs it, and its source's label with places for its arguments."""

    tool: Tool
    run: Handler
    label: str


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "STRING", "description": description, **more}


def _whole(description: str) -> dict[str, Any]:
    return {"type": "INTEGER", "description": description}


def _tickers(most: int) -> dict[str, Any]:
    return {"type": "ARRAY", "items": {"type": "STRING"}, "description": f"1 to {most} exchange symbols"}


def _entry(
    name: str, description: str, run: Handler, label: str, required: tuple[str, ...] = (), **parameters: Any
) -> Entry:
    schema = {"type": "OBJECT", "properties": parameters, "required": list(required)} if parameters else {}
    return Entry(Tool(name, description, schema), run, label)


TICKER = _text("An exchange symbol such as AAPL")
DRAFT = "draft_order"

_READING = (
    _entry("get_quote", "Newest prices: last, bid, ask, change, the day's range, volume, the provider's time.",
           market_tools.quote, "Quote of {tickers}", ("tickers",), tickers=_tickers(market_tools.MOST_QUOTES)),
    _entry("get_bars", "The course of daily prices over a period: first, last, highest, lowest, change, newest days.",
           market_tools.bars_summary, "Daily bars of {ticker}", ("ticker",), ticker=TICKER,
           period=_text("How far back", enum=[*MONTHS, "max"])),
    _entry("get_indicators", "Newest values of technical indicators.", market_tools.indicators,
           "Indicators of {ticker}", ("ticker",), ticker=TICKER,
           spec=_text("Indicators with their parameters, such as sma:20,rsi:14,macd:12:26:9,bbands:20:2")),
    _entry("get_risk", "Risk and return of tickers: volatility, Sharpe, Sortino, drawdown, value at risk, beta, alpha.",
           market_tools.risk, "Risk figures of {tickers}", ("tickers",), tickers=_tickers(market_tools.MOST_RISK),
           window=_whole("How many daily returns, 5 to 5040; 252 is a year")),
    _entry("simulate", "Monte Carlo simulation of a ticker's price: percentiles, mean, probability of a gain.",
           market_tools.simulation, "Simulation of {ticker}", ("ticker",), ticker=TICKER,
           days=_whole("Days ahead, 1 to 365"), simulations=_whole("Number of paths, 100 to 10000")),
    _entry("get_fundamentals", "Reported figures of a company: key figures, balance sheet, income statement, ratios.",
           market_tools.fundamentals, "Reported figures of {ticker}", ("ticker",), ticker=TICKER),
    _entry("get_balances", "The asking trader's own balances, equity and profit.", account_tools.balances,
           "Your balances"),
    _entry("get_holdings", "The asking trader's own holdings with value and profit and loss.", account_tools.holdings,
           "Your holdings"),
    _entry("get_open_orders", "The asking trader's own open orders.", account_tools.open_orders, "Your open orders"),
    _entry("get_market_hours", "The market's time, whether it is open, when it opens and closes.", market_tools.hours,
           "Market hours"),
    _entry("search_instruments", "Known instruments whose ticker or company name holds a text.", market_tools.search,
           "Search for instruments", ("text",), text=_text("Part of a ticker or a name")),
)  # fmt: skip
_ENTRIES: Mapping[str, Entry] = {entry.tool.name: entry for entry in _READING}

DRAFT_TOOL = Tool(
    DRAFT,
    "Show the trader a card with an order that they may confirm themselves. Places nothing. Only when they ask for it.",
    {
        "type": "OBJECT",
        "properties": {
            "ticker": TICKER,
            "order_type": _text("Side", enum=list(SIDES)),
            "execution_type": _text("Kind", enum=["market", "limit", "stop", "stop_limit", "trailing_stop"]),
            "quantity": _whole("Number of shares"),
            "price": {"type": "NUMBER", "description": "Limit in dollars, for limit and stop_limit"},
            "stop_price": {"type": "NUMBER", "description": "Stop in dollars, for stop and stop_limit"},
            "trail_percent": {"type": "NUMBER", "description": "Distance in percent, for trailing_stop"},
            "trail_amount": {"type": "NUMBER", "description": "Distance in dollars, for trailing_stop"},
            "time_in_force": _text("How long it rests", enum=["gtc", "day", "ioc", "fok"]),
        },
        "required": ["ticker", "order_type", "execution_type", "quantity"],
    },
)
TOOLS: tuple[Tool, ...] = (*(entry.tool for entry in _ENTRIES.values()), DRAFT_TOOL)


def run_tool(asker: Asker, call: ToolCall) -> Source:
    """Run one reading tool. Whatever is wrong becomes part of the answer, for the model to read; nothing is raised."""
    entry = _ENTRIES.get(call.name)
    if entry is None:
        return _failed(call, "NO_SUCH_TOOL", "There is no such tool.")
    try:
        given = Arguments(call.arguments, entry.tool.parameters.get("properties", {}))
        with asker.open_session() as session:
            result = plain(entry.run(session, asker, given))
    except DomainError as error:
        return _failed(call, error.code, error.message)
    except Exception:
        # A bug in one tool must not end the answer: the model reads that there is nothing, and the log has the error.
        logger.exception("the assistant's tool %s failed", entry.tool.name)
        return _failed(call, "TOOL_FAILED", "This tool failed.")
    if len(json.dumps(result)) > LARGEST_RESULT:
        return _failed(call, "TOO_LARGE", "The answer of this tool is too large. Ask for less.")
    return Source(call.name, dict(call.arguments), result, _label(entry.label, call), market_time(asker))


def run_draft(asker: Asker, call: ToolCall) -> tuple[Source, Draft | None]:
    """Draft an order. What the model gets back says that nothing was placed."""
    try:
        given = Arguments(call.arguments, DRAFT_TOOL.parameters["properties"])
        with asker.open_session() as session:
            drafted = proposals.draft(session, asker, given)
    except DomainError as error:
        return _failed(call, error.code, error.message), None
    result = {"placed": False, "note": "A card is shown. The trader decides.", "order": dict(drafted.ticket)}
    source = Source(
        DRAFT,
        dict(call.arguments),
        result | {"preview": dict(drafted.preview)},
        f"Preview of an order in {drafted.ticket['ticker']}",
        market_time(asker),
    )
    return source, drafted


def market_time(asker: Asker) -> datetime | None:
    """The market's now, or None while it starts."""
    try:
        return asker.market.now()
    except DomainError:
        return None


def _label(pattern: str, call: ToolCall) -> str:
    """The pattern with the arguments in it, which were checked when this is called."""
    tickers = call.arguments.get("tickers")
    names = ", ".join(str(one).strip().upper() for one in tickers) if isinstance(tickers, list) else ""
    return pattern.format(ticker=str(call.arguments.get("ticker", "")).strip().upper(), tickers=names)[:120]


def _failed(call: ToolCall, code: str, message: str) -> Source:
    return Source(call.name[:32], {}, {"error": message, "code": code}, "", None)
