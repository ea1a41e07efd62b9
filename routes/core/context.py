"""What every template may use besides its own values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import request
from jinja2 import StrictUndefined

from routes.shared import market
from utils.datetime_utils import format_datetime
from utils.number_utils import safe_round

if TYPE_CHECKING:
    from flask import Flask


def init_context(app: Flask) -> None:
    """A value that a template uses and nobody gave is an error (see errors.py), never an empty place."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.filters["safe_round"] = safe_round
    app.jinja_env.filters["format_datetime"] = format_datetime
    app.jinja_env.globals["page_address"] = page_address
    app.jinja_env.globals["has_page"] = lambda address: any(rule.rule == address for rule in app.url_map.iter_rules())
    app.context_processor(_market_status)


def page_address(parameter: str, number: int) -> str:
    """This page's address with another page of one of its lists; all other parameters are kept."""
    parameters = {**request.args.to_dict(), parameter: str(number)}
    return f"{request.path}?{urlencode(parameters)}"


def _market_status() -> dict[str, Any]:
    return {"market_status": market().status()}
