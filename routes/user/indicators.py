"""Technical indicators for the chart."""

from __future__ import annotations

from flask import Response

from auth.permissions import user_required
from models import db
from routes.answers import succeed
from routes.contract import answered, asked
from routes.contract.operations import operation, read_query
from routes.shared import market
from routes.user import user_bp
from routes.user.stock import DEFAULT_PERIOD


@user_bp.get("/api/indicators")
@user_required
@operation("Technical indicators at each bar", answered.Anything, query=asked.IndicatorsQuery)
def indicators_api() -> Response:
    """The values of `spec` (such as sma:20,macd:12:26:9) at each bar of the period. `prices` is raw or adjusted."""
    from services.analysis import indicators

    wanted = read_query(asked.IndicatorsQuery)
    period, adjusted = wanted.period or DEFAULT_PERIOD, wanted.prices == "adjusted"
    chosen = indicators.parse_spec(wanted.spec)
    return succeed(data=indicators.history(db.session, market(), wanted.ticker, period, chosen, adjusted))


@user_bp.get("/api/indicators/catalogue")
@user_required
@operation("All indicators with their parameters", answered.Anything)
def indicator_catalogue() -> Response:
    """All indicators with their parameters and ranges, for forms."""
    from utils.indicators import describe

    return succeed(data=describe())
