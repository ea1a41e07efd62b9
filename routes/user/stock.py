"""The trading desk and what it shows of the market: quotes, bars, instruments and reported figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Response, current_app, render_template
from flask_login import current_user
from sqlalchemy.orm import Session

from auth.permissions import user_required
from models import Instrument, db
from routes.answers import succeed
from routes.contract import answered, asked
from routes.contract.operations import operation, read_query
from routes.shared import chart_rows, market
from routes.user import user_bp
from routes.user.sparkline import sparkline
from services.accounts import portfolio
from services.errors import NotFound, Unavailable
from services.market import figures, instruments, sparklines
from services.market.views import market_view, quote_view

DEFAULT_PERIOD = "1y"
FALLBACK_TICKER = "AAPL"  # before the first instruments are loaded
MOST_FOUND = 20


@user_bp.get("/stock_chart")
@user_required
def stock_chart() -> str:
    wanted = read_query(asked.DeskQuery)
    listed = _instrument_views(instruments.listed(db.session))
    return render_template(
        "user/stock_chart.html",
        instruments=listed,
        ticker=_chosen_ticker(listed, wanted.ticker),
        period=wanted.period or DEFAULT_PERIOD,
        overview=portfolio.overview(db.session, market(), current_user.id),
    )


@user_bp.get("/api/real_time_stock_data")
@user_required
@operation("The newest quote of a ticker", answered.OneQuote, query=asked.QuoteQuery)
def real_time_stock_data() -> Response:
    ticker = _known(read_query(asked.QuoteQuery).ticker).ticker
    quote = market().quote(ticker)
    if quote is None:
        raise Unavailable(f"There is no price of {ticker} yet.", code="NO_QUOTE", details={"ticker": ticker})
    view = quote_view(quote, market().status().state)
    return succeed(data=view, last_updated=quote.provider_time)


@user_bp.get("/api/quotes")
@user_required
@operation("The newest quotes of many tickers", answered.Quotes, query=asked.TickersQuery)
def quotes() -> Response:
    """Quotes of many tickers; one without a price is left out."""
    found = market().quotes(read_query(asked.TickersQuery).tickers)
    status = market().status()
    data = {ticker: quote_view(quote, status.state) for ticker, quote in found.items()}
    return succeed(data=data, market=market_view(status))


@user_bp.get("/api/instruments")
@user_required
@operation("Find instruments by ticker or name", answered.Instruments, query=asked.SearchQuery)
def instruments_api() -> Response:
    query = read_query(asked.SearchQuery).query
    if query:
        market().look_for(query)
    found = instruments.search(db.session, query, MOST_FOUND) if query else instruments.listed(db.session)
    return succeed(data=_instrument_views(found))


@user_bp.get("/api/market_data")
@user_required
@operation("Bars of a ticker", answered.Bars, query=asked.MarketDataQuery)
def market_data() -> Response:
    """Written by hand, for most of it is kept as text: see services/market/chart_rows.py."""
    wanted = read_query(asked.MarketDataQuery)
    rows = chart_rows().written(db.session, market(), _known(wanted.ticker), wanted.period or DEFAULT_PERIOD)
    return current_app.response_class(f'{{"success":true,"data":{rows}}}', mimetype="application/json")


@user_bp.get("/api/fundamental_data")
@user_required
@operation("Key figures of a company", answered.Figures, query=asked.TickerQuery)
def fundamental_data() -> Response:
    return _figures(figures.fundamental_data, "key figures")


@user_bp.get("/api/balance_sheet")
@user_required
@operation("The newest balance sheet", answered.Figures, query=asked.TickerQuery)
def balance_sheet() -> Response:
    return _figures(figures.balance_sheet, "balance sheet")


@user_bp.get("/api/income_statement")
@user_required
@operation("The newest income statement", answered.Figures, query=asked.TickerQuery)
def income_statement() -> Response:
    return _figures(figures.income_statement, "income statement")


def _figures(read: Callable[[Session, str], dict[str, Any] | None], what: str) -> Response:
    ticker = _known(read_query(asked.TickerQuery).ticker).ticker
    found = read(db.session, ticker)
    if found is None:
        return succeed(data=None, message=f"There is no {what} of {ticker} here.")
    return succeed(data=found)


def _known(ticker: str) -> Instrument:
    """The instrument asked for, which the venue must know."""
    found = instruments.find(db.session, ticker)
    if found is None:
        raise NotFound(f"{ticker} is not known here.", code="UNKNOWN_TICKER", details={"ticker": ticker})
    return found


def _chosen_ticker(listed: list[dict[str, Any]], wanted: str | None) -> str:
    """The ticker the desk opens with: the one asked for, when the venue knows it; else the first of the list."""
    if wanted is not None:
        return _known(wanted).ticker
    return listed[0]["ticker"] if listed else FALLBACK_TICKER


def _instrument_views(rows: Sequence[Instrument]) -> list[dict[str, Any]]:
    """Instruments with the curve of their last weeks, None where there are no prices."""
    closes = sparklines.recent_closes(db.session, market(), [row.ticker for row in rows])
    return [
        {
            "ticker": row.ticker,
            "name": row.name,
            "tradable": row.tradable,
            "sparkline": sparkline(closes.get(row.ticker, [])),
        }
        for row in rows
    ]
