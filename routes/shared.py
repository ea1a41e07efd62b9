"""What views need of the application: its market, its configuration, and the way to write."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask import current_app, request
from flask_login import current_user

from models import db
from services.audit import Actor
from services.transaction import run_unit
from utils.logs import current_request_id

if TYPE_CHECKING:
    from config import Config
    from services.market.market import ChartMarket

Result = TypeVar("Result")


def market() -> ChartMarket:
    """The market as it is now, from memory."""
    return cast("ChartMarket", current_app.extensions["market"])


def settings() -> Config:
    """The configuration the server was started with."""
    return cast("Config", current_app.extensions["config"])


def acting_admin() -> Actor:
    """The admin behind this request, for the audit log."""
    return Actor(current_user.id, current_user.name, request.remote_addr or "", current_request_id.get())


def write(work: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    """Run a unit. Whatever the request read before is let go first: its connection would only wait, and what the
    request reads afterwards must see what the unit stored.
    """
    db.session.close()
    return run_unit(work, *args, **kwargs)
