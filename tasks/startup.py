"""The start of the serving process: the first admin, the market's feed and the order processor, once, after boot."""

from __future__ import annotations

import atexit
import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from config import ConfigError
from models import db
from services.setup import ensure_default_admin

if TYPE_CHECKING:
    from flask import Flask

    from config import Config
    from tasks.market_feed import MarketFeed

TASKS = ("event_hub", "order_processor", "market_feed")  # in the order in which they are stopped

logger = logging.getLogger(__name__)


class NotReady(click.ClickException):
    """The start stops here, with a sentence that says what to do."""


def start_background(app: Flask, *, address: str | None = None, serving: Callable[[], bool] = lambda: True) -> None:
    """Make the first admin, start feed, order processor and live streams, and see to it that they end with the process.
    The assistant's library is loaded meanwhile. `serving` says whether the process still takes requests; the streams
    end once it does not. Called again, it does nothing. Raises NotReady when the database cannot be used.
    """
    # Imported here, since no other command than the serving ones needs them.
    from tasks.event_hub import start_event_hub
    from tasks.order_processor import start_order_processor

    if "market_feed" in app.extensions:
        return
    config: Config = app.extensions["config"]
    _ensure_admin(app, config)
    app.extensions["market_feed"] = _opened_market(app, config)
    if config.run_order_processor:
        app.extensions["order_processor"] = start_order_processor(app)
    app.extensions["event_hub"] = start_event_hub(app, serving)
    app.extensions["assistant"].prepare()
    atexit.register(stop_background, app)
    _announce(config, address or f"http://{config.host}:{config.port}")


def stop_background(app: Flask) -> None:
    """End what `start_background` started. Called again, it does nothing."""
    for name in TASKS:
        task: Any = app.extensions.pop(name, None)
        if task is not None:
            task.stop()
    atexit.unregister(stop_background)


def start_in_flask_run(app: Flask) -> None:
    """Start the background when this process is the one in which `flask run` serves: not for any other command, and
    not in the reloader's parent, which only watches the files.
    """
    context = click.get_current_context(silent=True)
    if context is None or context.info_name != "run" or not _serves(context):
        return
    host, port = context.params.get("host"), context.params.get("port")
    start_background(app, address=f"http://{host}:{port}")


def _serves(context: click.Context) -> bool:
    reload = context.params.get("reload")
    if reload is None:
        reload = os.environ.get("FLASK_DEBUG", "").lower() not in ("", "0", "false", "no")
    return not reload or os.environ.get("WERKZEUG_RUN_MAIN") == "true"


def _ensure_admin(app: Flask, config: Config) -> None:
    try:
        with app.app_context(), Session(db.engine) as session:
            ensure_default_admin(session, config)
    except DBAPIError as error:
        logger.error("the database cannot be used: %s", error)
        raise NotReady(
            f"The database cannot be used ({error.orig}). Is it there, and did you run `flask db upgrade`?"
        ) from error


def _opened_market(app: Flask, config: Config) -> MarketFeed:
    from tasks.market_feed import start_market_feed

    try:
        return start_market_feed(app, feeds=config.run_order_processor)
    except ConfigError as error:  # MARKET_SOURCE asks for another market than these books hold
        raise NotReady(str(error)) from error


def _announce(config: Config, address: str) -> None:
    logger.info("serving at %s", address)
    click.echo(f"The venue is at {address} (the admin's name: {config.default_admin_username}).")
