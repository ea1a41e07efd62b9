"""The risk analysis: its page, its figures, key ratios, and what pages remember of a trader.

The services of analysis bring NumPy along, so each view imports its own when it is first called.
"""

from __future__ import annotations

from flask import Response, render_template
from flask_login import current_user

from auth.permissions import user_required
from models import db
from routes import inputs
from routes.answers import succeed
from routes.contract import answered, asked
from routes.contract.operations import operation, read_body, read_query
from routes.shared import market, settings, write
from routes.user import user_bp
from services import preferences
from services.accounts import portfolio
from services.market import instruments
from services.market.hours import exchange_day
from utils.datetime_utils import utc_now


@user_bp.get("/stock_analysis")
@user_required
def stock_analysis() -> str:
    from services.analysis import choices, questions, risk_table

    remembered = preferences.get(db.session, current_user.id, "analysis_thresholds")
    holdings = portfolio.overview(db.session, market(), current_user.id)["holdings"]
    listed = instruments.listed(db.session)
    asked = inputs.optional_ticker()
    first = asked or (holdings[0]["ticker"] if holdings else next((row.ticker for row in listed if row.tradable), ""))
    return render_template(
        "user/stock_analysis.html",
        ticker=first,
        instruments=listed,
        holdings=[row["ticker"] for row in holdings],
        thresholds=choices.THRESHOLDS,
        remembered=remembered,
        metrics=risk_table.describe(),
        risk_free_rate=settings().risk_free_rate,
        limits=questions,
    )


@user_bp.post("/api/stock_analysis")
@user_required
@operation("Risk and return of tickers or of the holdings", answered.Analysis, body=asked.RiskBody)
def stock_analysis_api() -> Response:
    """{ticker, window} answers `data` and flat `metrics` of one ticker. {tickers | portfolio, window | dates} answers
    `data.results`, and `metrics` by ticker.
    """
    from services.analysis import risk
    from services.analysis.questions import parse_risk

    question = parse_risk(read_body(asked.RiskBody).given(), exchange_day(market().now()), settings().risk_free_rate)
    if question.portfolio:
        found = risk.analyse_holdings(db.session, market(), current_user.id, question)
    else:
        found = risk.analyse(db.session, market(), question)
    if not question.single:
        return succeed(data=found, metrics={one["ticker"]: one.get("metrics") for one in found["results"]})
    result = found.pop("results")[0]
    metrics = result.pop("metrics")
    return succeed(data={**found, **result}, metrics=metrics)


@user_bp.get("/api/key_ratios")
@user_required
@operation("Ratios made of reported figures", answered.Figures, query=asked.TickerQuery)
def key_ratios() -> Response:
    from services.analysis import ratios
    from services.analysis.series import require_known

    ticker = read_query(asked.TickerQuery).ticker
    require_known(db.session, ticker)
    found = ratios.key_ratios(db.session, ticker)
    if found is None:
        reason = "The recorded market has no reports of companies." if market().source_name == "replay" else ""
        return succeed(data=None, message=reason or f"There are no reports of {ticker} here yet.")
    return succeed(data=found)


@user_bp.get("/api/preferences/<name>")
@user_required
@operation("What a page remembers", answered.Figures)
def preference(name: str) -> Response:
    return succeed(data=preferences.get(db.session, current_user.id, name))


@user_bp.post("/api/preferences/<name>")
@user_required
@operation("Remember a value for a page", answered.Figures, body=asked.AnyBody)
def remember(name: str) -> Response:
    """Remember the fields of the body under a name. The same again changes nothing, so it needs no key."""
    from services.analysis.choices import parse_preference

    value = parse_preference(name, inputs.body_fields())
    return succeed(data=write(preferences.put, current_user.id, name, value, utc_now()))
