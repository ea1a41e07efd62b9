"""The application: wires the parts together. Nothing happens at import, and no thread starts here.

The one exception is `flask run`, which offers no later moment: see tasks/startup.py.
"""

from __future__ import annotations

import click
from flask import Flask
from flask_migrate import Migrate

from auth import init_login_manager
from cli import register_commands
from config import ROOT, Config, ConfigError
from models import db, init_db
from routes import register_routes
from routes.json_provider import VenueJSONProvider
from services.assistant.assistant import Assistant
from services.logins import ABSOLUTE_LIMIT
from services.market.chart_rows import ChartRows
from services.market.market import VenueMarket
from services.streams import Hub
from tasks.startup import start_in_flask_run
from utils.logs import start_logging
from utils.secret_key import read_or_make_secret_key

LARGEST_BODY_BYTES = 64 * 1024


def create_app(config: Config | None = None) -> Flask:
    """Make the application. Without an argument the configuration is read from the environment."""
    config = config or configuration()
    start_logging(config.log_dir, config.log_level)
    app = Flask(__name__, root_path=str(ROOT), instance_path=str(config.instance_path))
    app.json = VenueJSONProvider(app)
    app.config.from_mapping(flask_settings(config))
    app.extensions["config"] = config
    app.extensions["market"] = VenueMarket()
    app.extensions["chart_rows"] = ChartRows()
    app.extensions["hub"] = Hub(config.stream_slots, app.json.dumps)
    app.extensions["assistant"] = Assistant(config, app.app_context)
    init_db(app)
    Migrate(app, db, directory=str(ROOT / "migrations"), render_as_batch=config.is_sqlite, compare_type=True)
    init_login_manager(app)
    register_routes(app)
    register_commands(app)
    start_in_flask_run(app)
    return app


def configuration() -> Config:
    """The configuration of the environment. A wrong value ends a flask command with one sentence."""
    try:
        return Config.from_environment()
    except ConfigError as error:
        if click.get_current_context(silent=True) is None:
            raise
        raise click.ClickException(str(error)) from error


def flask_settings(config: Config) -> dict[str, object]:
    """What Flask and its extensions read from `app.config`."""
    config.instance_path.mkdir(parents=True, exist_ok=True)
    return {
        "SECRET_KEY": config.secret_key or read_or_make_secret_key(config.instance_path),
        "SQLALCHEMY_DATABASE_URI": config.database_url,
        "MAX_CONTENT_LENGTH": LARGEST_BODY_BYTES,
        "MAX_FORM_PARTS": 100,
        # Cookies do not know ports: two venues on one machine would log each other's people out.
        "SESSION_COOKIE_NAME": f"venue_{config.port}",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_REFRESH_EACH_REQUEST": False,
        "PERMANENT_SESSION_LIFETIME": ABSOLUTE_LIMIT,
        # The token lives as long as its session; the check runs after the size check, in routes/core/requests.py.
        "WTF_CSRF_TIME_LIMIT": None,
        "WTF_CSRF_CHECK_DEFAULT": False,
        "RATELIMIT_HEADERS_ENABLED": False,
    }
