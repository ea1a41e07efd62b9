"""`flask market`: what the venue knows of its market."""

from __future__ import annotations

import click
from flask.cli import with_appcontext
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from models import Instrument, LatestQuote, MarketData, db
from services.market.clock import read_clock
from services.market.source_choice import stored_source


@click.group()
def market() -> None:
    """Look at the market behind this venue."""


@market.command()
@with_appcontext
def status() -> None:
    """Show the chosen source, the replay's clock, and how much market data is stored."""
    table = Table("What", "Value", title="Market")
    for what, value in _facts():
        table.add_row(what, value)
    Console().print(table)


def _facts() -> list[tuple[str, str]]:
    clock = read_clock(db.session())
    bars, newest = db.session.execute(select(func.count(), func.max(MarketData.date)).select_from(MarketData)).one()
    quote = db.session.execute(select(func.max(LatestQuote.provider_time))).scalar_one()
    facts = [
        ("source", stored_source(db.session()) or "not chosen yet: it is at the first start"),
        ("instruments", str(db.session.execute(select(func.count()).select_from(Instrument)).scalar_one())),
        ("daily bars", f"{bars:,}"),
        ("newest bar", str(newest or "-")),
    ]
    if clock is None:
        return [*facts, ("newest quote", f"{quote:%Y-%m-%d %H:%M:%S} UTC" if quote else "-")]
    return [
        *facts,
        ("replay anchor", f"{clock.market:%Y-%m-%d %H:%M:%S} UTC at {clock.wall:%Y-%m-%d %H:%M:%S} UTC"),
        ("replay speed", f"{clock.speed} market seconds a second"),
        ("clock runs until", f"{clock.alive_until:%Y-%m-%d %H:%M:%S} UTC"),
    ]
