"""What views need of the application: its market, its configuration, and the way to write."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask import current_app

from models import db
from services.transaction import run_unit

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


def write(work: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    """Run a unit. Whatever the request read before is let go first: its connection would only wait, and what the
    request reads afterwards must see what the unit stored.
    """
    db.session.close()
    return run_unit(work, *args, **kwargs)
