"""Commands: "/quote AAPL" and the like run the tools directly, without a model, and so work without a key.

What they answer is written here from the tools' results, as Markdown, so that it is grounded by its making.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.assistant.answering import Outcome
from services.assistant.toolbox import DRAFT, Asker, run_draft, run_tool
from services.market.bars import MONTHS
from utils.chat_model import ToolCall

Result = Mapping[str, Any]
PERIODS = (*MONTHS, "max")


@dataclass(frozen=True, slots=True)
class Command:
    """A command: how it is written, what it does, the tool calls of its words, and how their results are written."""

    usage: str
    about: str
    calls: Callable[[Sequence[str]], list[ToolCall]]
    written: Callable[[Result], str]


def is_command(text: str) -> bool:
    """Whether a message is a command: a slash and a word."""
    return re.match(r"/[a-zA-Z]", text) is not None


def perform(asker: Asker, text: str) -> Outcome:
    """Run a command. What is wrong with it is answered in words, with its usage."""
    name, *words = text[1:].split()
    command = COMMANDS.get(name.lower())
    if command is None:
        return Outcome(state="command", text=f"There is no command `/{name[:20]}`.\n\n{help_page()}")
    if command is COMMANDS["help"]:
        return Outcome(state="command", text=help_page())
    try:
        calls = command.calls(words)
    except (ValueError, IndexError):
        return Outcome(state="command", text=f"Write it as `{command.usage}`: {command.about}")
    outcome = Outcome(state="command")
    outcome.text = "\n\n".join(_run(asker, command, call, outcome) for call in calls)
    return outcome


def help_page() -> str:
    """All commands as a table."""
    rows = [(f"`{command.usage}`", command.about) for command in COMMANDS.values()]
    return table(("Command", "What it tells"), rows)


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table. Cells are texts or figures; what is missing is a dash."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(one) for one in line) + " |" for line in lines)


def _run(asker: Asker, command: Command, call: ToolCall, outcome: Outcome) -> str:
    outcome.tool_calls += 1
    if call.name == DRAFT:
        source, drafted = run_draft(asker, call)
        outcome.drafts += [drafted] if drafted is not None else []
    else:
        source = run_tool(asker, call)
    outcome.sources.append(source)
    if source.failed:
        return f"{str(source.result['error']).rstrip('.')}. Usage: `{command.usage}`"
    return command.written(source.result)


def _cell(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4f}" if abs(value) < 1 else f"{value:,.2f}"
    return str(value).replace("|", "/").replace("\n", " ")


def _pairs(values: Mapping[str, Any]) -> str:
    return table(("What", "Figure"), [(_words(name), value) for name, value in values.items()])


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _tickers(tool: str, one_each: bool = False) -> Callable[[Sequence[str]], list[ToolCall]]:
    def calls(words: Sequence[str]) -> list[ToolCall]:
        tickers = [one for word in words for one in word.split(",") if one]
        if not tickers:
            raise ValueError("no ticker")
        return [ToolCall(tool, {"tickers": tickers})]

    def single(words: Sequence[str]) -> list[ToolCall]:
        return [ToolCall(tool, {"ticker": words[0]})]

    return single if one_each else calls


def _plain(tool: str) -> Callable[[Sequence[str]], list[ToolCall]]:
    return lambda _words: [ToolCall(tool, {})]


def _bars_calls(words: Sequence[str]) -> list[ToolCall]:
    return [ToolCall("get_bars", {"ticker": words[0], "period": words[1] if len(words) > 1 else "3mo"})]


def _indicator_calls(words: Sequence[str]) -> list[ToolCall]:
    more = {"spec": ",".join(words[1:])} if len(words) > 1 else {}
    return [ToolCall("get_indicators", {"ticker": words[0], **more})]


def _simulation_calls(words: Sequence[str]) -> list[ToolCall]:
    more = {"days": int(words[1])} if len(words) > 1 else {}
    return [ToolCall("simulate", {"ticker": words[0], **more})]


def _search_calls(words: Sequence[str]) -> list[ToolCall]:
    if not words:
        raise ValueError("no text")
    return [ToolCall("search_instruments", {"text": " ".join(words)})]


def _order_calls(side: str) -> Callable[[Sequence[str]], list[ToolCall]]:
    """/buy 10 AAPL, /buy 10 AAPL at 150"""

    def calls(words: Sequence[str]) -> list[ToolCall]:
        fields: dict[str, Any] = {"order_type": side, "quantity": words[0], "ticker": words[1]}
        price = [word for word in words[2:] if word.lower() != "at"]
        if len(price) > 1:
            raise ValueError("too many words")
        fields |= {"execution_type": "limit", "price": price[0]} if price else {"execution_type": "market"}
        return [ToolCall(DRAFT, fields)]

    return calls


def _quotes(result: Result) -> str:
    head = ("Ticker", "Name", "Last", "Change", "Change %", "Bid", "Ask", "Volume")
    names = ("ticker", "name", "last", "change", "change_percent", "bid", "ask", "volume")
    missing = result["without_a_price"]
    text = table(head, [[one[name] for name in names] for one in result["quotes"]]) if result["quotes"] else ""
    return text + (f"\n\nNo price yet: {', '.join(missing)}." if missing else "")


def _bars(result: Result) -> str:
    left_out = ("newest", "ticker")
    newest = table(("Day", "Open", "High", "Low", "Close", "Volume"), [list(row.values()) for row in result["newest"]])
    summary = _pairs({name: value for name, value in result.items() if name not in left_out})
    return f"**{result['ticker']}**\n\n{summary}\n\n{newest}"


def _indicators(result: Result) -> str:
    rows = [(one["indicator"], label, value) for one in result["indicators"] for label, value in one["values"].items()]
    return f"**{result['ticker']}**, {result['date']}\n\n{table(('Indicator', 'Line', 'Value'), rows)}"


def _risk(result: Result) -> str:
    good = [one for one in result["results"] if "metrics" in one]
    lines = [f"{one['ticker']}: {one['missing']}" for one in result["results"] if "missing" in one]
    if good:
        names = list(good[0]["metrics"])
        rows = [[_words(name), *(_metric(one["metrics"][name]) for one in good)] for name in names]
        days = [f"{one['ticker']}: {one['start']} to {one['end']}, {one['observations']} daily returns" for one in good]
        lines += [table(("Figure", *(one["ticker"] for one in good)), rows), *days, "Fractions: 0.31 means 31 %."]
    return "\n\n".join(lines)


def _metric(value: float | None) -> str | None:
    return None if value is None else f"{value:.4f}"


def _simulation(result: Result) -> str:
    model = result["model"]
    about = f"**{result['ticker']}**, {model['days']} days, {model['simulations']:,} paths, {model['name']}"
    return f"{about}\n\n{_pairs({name: value for name, value in result['statistics'].items() if value is not None})}"


def _fundamentals(result: Result) -> str:
    parts = [f"**{result['ticker']}**"]
    for name in ("key_figures", "balance_sheet", "income_statement"):
        if result[name]:
            known = {key: value for key, value in result[name].items() if value is not None and key != "ticker"}
            parts.append(f"{_words(name)}\n\n{_pairs(known)}")
    if result["ratios"]:
        rows = [(one["label"], one["value"], one["date"]) for one in result["ratios"]]
        parts.append(table(("Ratio", "Value", "Date"), rows))
    return "\n\n".join(parts)


def _holdings(result: Result) -> str:
    if not result["holdings"]:
        return "You hold no shares. Buy some at the desk, or try `/buy 1 AAPL`."
    head = ("Ticker", "Shares", "Average cost", "Price", "Value", "P&L", "P&L %")
    names = ("ticker", "quantity", "average_price", "price", "market_value", "unrealised_profit",
             "unrealised_profit_percent")  # fmt: skip
    rows = table(head, [[one[name] for name in names] for one in result["holdings"]])
    totals = {name: result[name] for name in ("holdings_value", "unrealised_profit", "equity")}
    return f"{rows}\n\n{_pairs(totals)}"


def _open_orders(result: Result) -> str:
    if not result["open_orders"]:
        return "You have no open orders."
    head = ("Ticker", "Side", "Kind", "Limit", "Stop", "Shares", "Filled", "Status")
    names = ("ticker", "order_type", "order_execution_type", "order_price", "stop_price", "order_quantity",
             "filled_quantity", "order_status")  # fmt: skip
    return table(head, [[one[name] for name in names] for one in result["open_orders"]])


def _found(result: Result) -> str:
    if not result["found"]:
        return "Nothing by that name is known here."
    rows = [(one["ticker"], one["name"], one["exchange"], one["tradable"]) for one in result["found"]]
    return table(("Ticker", "Name", "Exchange", "Tradable"), rows)


def _drafted(result: Result) -> str:
    refused = result["preview"]["refused"]
    if refused:
        return f"As things stand this order would be refused: {refused['message']}"
    return "Nothing is placed yet. Look at the card, and confirm it within two minutes if it is what you want."


COMMANDS: Mapping[str, Command] = {
    "help": Command("/help", "these commands", _plain("help"), _pairs),
    "quote": Command("/quote AAPL MSFT", "newest prices", _tickers("get_quote"), _quotes),
    "bars": Command("/bars AAPL 3mo", f"the course of a period: {', '.join(PERIODS)}", _bars_calls, _bars),
    "indicators": Command("/indicators AAPL rsi:14", "newest values of indicators", _indicator_calls, _indicators),
    "risk": Command(
        "/risk AAPL MSFT", "volatility, Sharpe, drawdown, value at risk, beta", _tickers("get_risk"), _risk
    ),
    "simulate": Command("/simulate AAPL 60", "a Monte Carlo simulation, days ahead", _simulation_calls, _simulation),
    "fundamentals": Command(
        "/fundamentals AAPL", "reported figures", _tickers("get_fundamentals", True), _fundamentals
    ),
    "portfolio": Command("/portfolio", "your holdings with profit and loss", _plain("get_holdings"), _holdings),
    "balances": Command("/balances", "your money", _plain("get_balances"), _pairs),
    "orders": Command("/orders", "your open orders", _plain("get_open_orders"), _open_orders),
    "hours": Command("/hours", "the market's time and sessions", _plain("get_market_hours"), _pairs),
    "search": Command("/search apple", "tickers by name", _search_calls, _found),
    "buy": Command("/buy 10 AAPL at 150", "a buy to confirm; without a price at market", _order_calls("buy"), _drafted),
    "sell": Command("/sell 10 AAPL", "a sell to confirm", _order_calls("sell"), _drafted),
}
