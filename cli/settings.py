"""`flask settings`: the trading rules in force, and how to change them without a restart."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext
from rich.console import Console
from rich.table import Table

from config import Config, ConfigError
from models import db
from services import settings as stored_settings
from services.trading.rules import SETTING_NAMES
from services.transaction import run_unit
from utils.datetime_utils import utc_now

rule_name = click.argument("name", type=click.Choice(SETTING_NAMES, case_sensitive=False))


@click.group()
def settings() -> None:
    """Show and change the trading rules: realism, hours, limits, commission."""


@settings.command()
@with_appcontext
def show() -> None:
    """Show every rule, its value, and where the value comes from."""
    config: Config = current_app.extensions["config"]
    table = Table("Rule", "Value", "From", title="Trading rules")
    for name in SETTING_NAMES:
        saved = stored_settings.get(db.session(), name)
        table.add_row(name, saved or str(getattr(config, name)), "saved setting" if saved else "environment")
    Console().print(table)


@settings.command("set")
@rule_name
@click.argument("value")
@with_appcontext
def set_rule(name: str, value: str) -> None:
    """Save a rule. It wins over the environment and holds from the next order on."""
    try:
        checked = Config.from_environment({name.upper(): value})
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    run_unit(stored_settings.put, name, str(getattr(checked, name)), utc_now())
    click.echo(f"{name} is now {getattr(checked, name)}.")


@settings.command()
@rule_name
@with_appcontext
def clear(name: str) -> None:
    """Forget a saved rule, so that the environment's value holds again."""
    run_unit(stored_settings.remove, name)
    click.echo(f"{name} is now {getattr(current_app.extensions['config'], name)}, as the environment says.")
