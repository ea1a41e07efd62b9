"""What every template may use besides its own values."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import request
from flask_login import current_user
from jinja2 import StrictUndefined
from sqlalchemy.exc import SQLAlchemyError

from models import db
from routes.shared import market, settings
from services import display, venue_settings
from utils.datetime_utils import format_datetime
from utils.number_utils import safe_round

if TYPE_CHECKING:
    from flask import Flask

PAGING = ("page", "limit", "per_page", "sort")  # what an address says of the page's cut, not of its rows


def init_context(app: Flask) -> None:
    """A value that a template uses and nobody gave is an error (see errors.py), never an empty place."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.filters["safe_round"] = safe_round
    app.jinja_env.filters["format_datetime"] = format_datetime
    app.jinja_env.globals["page_address"] = page_address
    app.jinja_env.globals["export_address"] = export_address
    app.jinja_env.globals["announcement"] = announcement
    app.jinja_env.globals["display_settings"] = display_settings
    app.jinja_env.globals["fresh_key"] = lambda: secrets.token_hex(16)
    app.context_processor(_market_status)


def page_address(parameter: str, value: object) -> str:
    """This page's address with another page or order of one of its lists; all other parameters are kept, but another
    order begins with its first page.
    """
    kept = {name: text for name, text in request.args.items() if parameter != "sort" or name != "page"}
    parameters = {**kept, parameter: str(value)}
    return f"{request.path}?{urlencode(parameters)}"


def export_address(path: str) -> str:
    """The address of a list's file (see routes/exports.py) with this page's filters."""
    filters = {name: value for name, value in request.args.items() if name not in PAGING and value}
    return f"{path}?{urlencode(filters)}" if filters else path


def announcement() -> str:
    """The line that every page shows; empty for none, and while the database does not answer."""
    try:
        return venue_settings.current(db.session(), settings(), "announcement") or ""
    except SQLAlchemyError:
        return ""


def display_settings() -> dict[str, str] | None:
    """How pages look to the trader who is logged in; None for visitors and admins, and while the database does not
    answer: then their browser's own copy holds.
    """
    try:
        if not current_user.is_authenticated or current_user.is_admin:
            return None
        return display.read(db.session(), current_user.id)
    except SQLAlchemyError:
        return None


def _market_status() -> dict[str, Any]:
    return {"market_status": market().status()}
