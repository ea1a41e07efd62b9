"""`flask settings`: the venue's settings in force, and how to change them without a restart."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.acting import command_line
from config import Config
from models import db
from services import venue_settings
from services.errors import DomainError
from services.transaction import run_unit
from services.venue_settings import KINDS
from utils.datetime_utils import utc_now

setting_name = click.argument("name", type=click.Choice(list(KINDS), case_sensitive=False))


@click.group()
def settings() -> None:
    """Show and change the settings: commission, realism, hours, limits, new traders, stock list, announcement."""


@settings.command()
@with_appcontext
def show() -> None:
    """Show every setting, its value, and where the value comes from."""
    table = Table("Setting", "Value", "From", title=f"Settings, version {venue_settings.version(db.session())}")
    for one in venue_settings.shown(db.session(), _config()):
        table.add_row(one.kind.name, escape(one.value) or "-", "saved setting" if one.saved else "environment")
    Console().print(table)


@settings.command("set")
@setting_name
@click.argument("value")
@with_appcontext
def set_one(name: str, value: str) -> None:
    """Save a setting. It wins over the environment and holds at once."""
    _change(name, value)


@settings.command()
@setting_name
@with_appcontext
def clear(name: str) -> None:
    """Forget a saved setting, so that the environment's value holds again."""
    _change(name, None)


def _change(name: str, value: str | None) -> None:
    seen = venue_settings.version(db.session())
    db.session.close()
    try:
        run_unit(venue_settings.change, {name: value}, seen, command_line(), config=_config(), now=utc_now(), key=None)
    except DomainError as error:
        raise click.ClickException(error.message) from error
    text = venue_settings.as_text(getattr(venue_settings.effective(db.session(), _config()), name))
    click.echo(f"{name} is now {text or 'empty'}{'' if value is not None else ', as the environment says'}.")


def _config() -> Config:
    config: Config = current_app.extensions["config"]
    return config
