"""What views need of the application: its market, its configuration, and the way to write."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask import current_app, request, url_for
from flask_login import current_user

from models import db
from services import password_links, venue_settings
from services.audit import Actor
from services.idempotency import RequestKey
from services.transaction import run_unit
from utils.logs import current_request_id

if TYPE_CHECKING:
    from config import Config
    from services.market.chart_rows import ChartRows
    from services.market.market import ChartMarket

Result = TypeVar("Result")


def market() -> ChartMarket:
    """The market as it is now, from memory."""
    return cast("ChartMarket", current_app.extensions["market"])


def chart_rows() -> ChartRows:
    """Charts written down as JSON."""
    return cast("ChartRows", current_app.extensions["chart_rows"])


def settings() -> Config:
    """The configuration the server was started with."""
    return cast("Config", current_app.extensions["config"])


def acting_admin() -> Actor:
    """The admin behind this request, for the audit log."""
    return Actor(current_user.id, current_user.name, request.remote_addr or "", current_request_id.get())


def settings_in_force() -> Config:
    """The configuration with the saved settings in place of the environment's."""
    return venue_settings.effective(db.session(), settings())


def link_seed(key: RequestKey | None) -> bytes:
    """What the tokens of password links are made from: random, and the same again for a repeated request, which must
    show the same links although nobody stored them.
    """
    if key is None:
        return secrets.token_bytes(32)
    secret = str(current_app.secret_key).encode()
    return hmac.new(secret, f"password link {key.actor} {key.key} {key.request_hash}".encode(), hashlib.sha256).digest()


def password_link(seed: bytes, who: str) -> str:
    """The whole address of somebody's link."""
    return url_for("auth.set_password", token=password_links.token_for(seed, who), _external=True)


def write(work: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    """Run a unit. Whatever the request read before is let go first: its connection would only wait, and what the
    request reads afterwards must see what the unit stored.
    """
    db.session.close()
    return run_unit(work, *args, **kwargs)
