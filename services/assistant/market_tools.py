"""Tools about the market: the same services as the pages ask, cut down to the figures that an answer needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from services.assistant.arguments import Arguments
from services.errors import DomainError, NotFound
from services.market import bars, figures, instruments
from services.market.hours import exchange_day
from services.market.market import ChartMarket
from utils.market_source import Quote

if TYPE_CHECKING:
    from services.assistant.toolbox import Asker

MOST_QUOTES = 8
MOST_RISK = 4
MOST_FOUND = 8
MOST_SIMULATIONS = 10_000
NEWEST_BARS = 5
PLACES = 6
WAIT_SECONDS = 20.0

Answer = dict[str, Any]


def quote(session: Session, asker: Asker, given: Arguments) -> Answer:
    tickers = given.tickers("tickers", MOST_QUOTES)
    names = {ticker: _known(session, ticker).name for ticker in tickers}
    found = asker.market.quotes(tickers)
    return {
        "quotes": [_quote_view(one, names[ticker]) for ticker, one in found.items()],
        "without_a_price": [ticker for ticker in tickers if ticker not in found],
    }


def _quote_view(one: Quote, name: str) -> Answer:
    return {
        "ticker": one.ticker,
        "name": name,
        "last": one.last,
        "bid": one.bid,
        "ask": one.ask,
        "change": one.change,
        "change_percent": None if one.change_percent is None else round(one.change_percent, 2),
        "open": one.open,
        "high": one.high,
        "low": one.low,
        "previous_close": one.previous_close,
        "volume": one.volume,
        "quote_time": one.provider_time,
    }


def bars_summary(session: Session, asker: Asker, given: Arguments) -> Answer:
    ticker = given.ticker()
    _known(session, ticker)
    period = given.choice("period", bars.MONTHS | {"max": 0}, "3mo")
    rows = bars.history(session, asker.market, ticker, period)
    if not rows:
        raise NotFound(f"There are no bars of {ticker} here yet.", code="NO_BARS")
    first, last = rows[0], rows[-1]
    highest, lowest = max(rows, key=lambda row: row["high"]), min(rows, key=lambda row: row["low"])
    return {
        "ticker": ticker,
        "period": period,
        "bars": len(rows),
        "first_date": first["date"],
        "last_date": last["date"],
        "first_close": first["close"],
        "last_close": last["close"],
        "change": round(last["close"] - first["close"], 4),
        "change_percent": round((last["close"] / first["close"] - 1) * 100, 2),
        "highest": highest["high"],
        "highest_date": highest["date"],
        "lowest": lowest["low"],
        "lowest_date": lowest["date"],
        "average_volume": round(sum(row["volume"] for row in rows) / len(rows)),
        "newest": [{name: row[name] for name in ("date", "open", "high", "low", "close", "volume")}
                   for row in rows[-NEWEST_BARS:]],
    }  # fmt: skip


def indicators(session: Session, asker: Asker, given: Arguments) -> Answer:
    from services.analysis import indicators as service

    ticker = given.ticker()
    chosen = service.parse_spec(given.text("spec", "sma:20,sma:50,rsi:14,macd:12:26:9", longest=200))
    found = service.history(session, asker.market, ticker, "1y", chosen)
    return {
        "ticker": ticker,
        "date": found["dates"][-1],
        "day_still_runs": found["running"],
        "indicators": [
            {"indicator": one["label"], "values": {line["label"]: line["values"][-1] for line in one["lines"]}}
            for one in found["indicators"]
        ],
    }


def risk(session: Session, asker: Asker, given: Arguments) -> Answer:
    from services.analysis import risk as service
    from services.analysis.questions import parse_risk

    fields: Answer = {"tickers": list(given.tickers("tickers", MOST_RISK))}
    if "window" in given:
        fields["window"] = given.whole("window", 5, 5040, 252)
    question = parse_risk(fields, exchange_day(asker.market.now()), asker.config.risk_free_rate)
    return risk_view(service.analyse(session, asker.market, question))


def risk_view(found: Answer) -> Answer:
    """An answer of the risk analysis without its series. Fractions are fractions: 0.31 is 31 %."""
    return {
        "benchmark": found["benchmark"],
        "risk_free_rate": found["risk_free_rate"],
        "fractions": "returns, volatility, drawdown, value at risk and the like are fractions: 0.31 is 31 %",
        "results": [_risk_result(one) for one in found["results"]],
    }


def _risk_result(one: Answer) -> Answer:
    if "error" in one:
        return {"ticker": one["ticker"], "missing": one["error"]["message"]}
    metrics = {name: None if value is None else round(value, PLACES) for name, value in one["metrics"].items()}
    about = {name: one[name] for name in ("ticker", "start", "end", "observations")}
    return about | {"metrics": metrics, "drawdown": dict(one["drawdown"])}


def simulation(session: Session, asker: Asker, given: Arguments) -> Answer:
    from services.analysis import simulation as service
    from services.analysis.simulation_plan import parse_ask

    wanted = {
        "days": str(given.whole("days", 1, 365, 60)),
        "simulations": str(given.whole("simulations", 100, MOST_SIMULATIONS, 1_000)),
    }
    task = service.ticker_task(session, asker.market, given.ticker(), parse_ask(wanted))
    session.close()  # nobody's connection waits while it is computed
    job = asker.jobs.ask(task.key, asker.actor, task.run)
    if not job.wait(WAIT_SECONDS):
        raise DomainError("The simulation takes too long.", code="SIMULATION_TOO_LONG")
    answer = service.answer(task, job.result)
    last = answer["predictions"][-1]
    statistics = {name: None if value is None else round(value, 4) for name, value in answer["statistics"].items()}
    model = {name: answer["model"][name] for name in ("name", "days", "simulations", "seed", "drift", "last_bar")}
    return {"ticker": given.ticker(), "statistics": statistics, "last_day": last, "model": model}


def fundamentals(session: Session, _asker: Asker, given: Arguments) -> Answer:
    from services.analysis import ratios

    ticker = given.ticker()
    _known(session, ticker)
    found = {
        "key_figures": figures.fundamental_data(session, ticker),
        "balance_sheet": figures.balance_sheet(session, ticker),
        "income_statement": figures.income_statement(session, ticker),
        "ratios": [
            {name: ratio[name] for name in ("label", "value", "date", "formula")}
            for ratio in ratios.key_ratios(session, ticker) or ()
        ],
    }
    if not any(found.values()):
        raise NotFound(f"There are no reported figures of {ticker} here.", code="NO_FIGURES")
    return {"ticker": ticker, **found}


def hours(_session: Session, asker: Asker, _given: Arguments) -> Answer:
    market: ChartMarket = asker.market
    now, status = market.now(), market.status()
    running, following = market.session_at(now), market.next_session(now)
    return {
        "market_time": now,
        "state": status.state,
        "source": status.source_name,
        "speed": status.speed,
        "closes": running and running.closes,
        "next_opens": following and following.opens,
        "next_closes": following and following.closes,
    }


def search(session: Session, asker: Asker, given: Arguments) -> Answer:
    text = given.text("text")
    if text:
        asker.market.look_for(text)
    rows = instruments.search(session, text, MOST_FOUND)
    return {
        "found": [
            {"ticker": row.ticker, "name": row.name, "exchange": row.exchange, "tradable": row.tradable} for row in rows
        ]
    }


def _known(session: Session, ticker: str) -> Any:
    from services.analysis.series import require_known

    return require_known(session, ticker)
