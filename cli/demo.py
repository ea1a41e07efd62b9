"""`flask demo`: a venue made up for trying out and for measuring."""

from __future__ import annotations

import random
import secrets
import time
from typing import TYPE_CHECKING

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Admin, MarketData, db
from services.accounts.verify import verify_books
from services.demo.fill import Size, fill_venue
from services.demo.past import PastMarket, read_past
from services.errors import DomainError
from services.market.source_choice import stored_source
from services.setup import ensure_default_admin
from utils.datetime_utils import utc_now
from utils.passwords import hash_password

if TYPE_CHECKING:
    from config import Config

LONGEST_WAIT_SECONDS = 60.0

demo = AppGroup("demo", help="A venue made up for trying out and for measuring.")


@demo.command("fill")
@click.option("--users", type=click.IntRange(1, 100_000), default=200, show_default=True, help="Traders to make.")
@click.option("--orders", type=click.IntRange(0, 5_000_000), default=2_000, show_default=True, help="Orders of theirs.")
@click.option(
    "--requests", type=click.IntRange(0, 1_000_000), default=None, help="Deposits and withdrawals.  [default: 3 each]"
)
@click.option("--days", type=click.IntRange(1, 250), default=45, show_default=True, help="Trading days of history.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same history.")
@click.option("--password", default=None, help="Password of all the traders.  [default: made up and shown]")
@click.pass_context
def fill(
    context: click.Context, users: int, orders: int, requests: int | None, days: int, seed: int, password: str | None
) -> None:
    """Make traders with a history of orders, fills, deposits and withdrawals, and check the books at the end.

    They all share one password. Exits with 1 when the books are wrong afterwards.
    """
    application: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    config: Config = application.extensions["config"]
    console = Console()
    password = password or f"Demo-{secrets.token_urlsafe(9)}-1"
    size = Size(users, orders, users * 3 if requests is None else requests)
    began = time.monotonic()
    try:
        admin_id, past = _prepare(application, config, days, seed)
        with _progress(console) as progress:
            bars = {
                name: progress.add_task(name, total=getattr(size, name)) for name in ("users", "requests", "orders")
            }
            fill_venue(
                size,
                past,
                config=config,
                admin_id=admin_id,
                password_hash=hash_password(password),
                wall_time=utc_now(),
                report=lambda name, done: progress.update(bars[name], completed=done),
                seed=seed,
            )
    except DomainError as error:
        raise click.ClickException(error.message) from error
    console.print(
        f"Made in {time.monotonic() - began:,.0f} s. All traders' password: [bold]{password}[/bold]", highlight=False
    )
    with console.status("Checking the books ..."):
        report = verify_books(db.engine)
    counts = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in report.checked.items())
    console.print(f"Checked {counts}: [green]the books are right.[/green]" if report.ok else f"Checked {counts}.")
    for violation in report.violations:
        console.print(f"[red]{violation.code}[/red] {violation.what}: {violation.count:,} rows")
    context.exit(0 if report.ok else 1)


def _prepare(application: Flask, config: Config, days: int, seed: int) -> tuple[int, PastMarket]:
    """The admin who decides, and the market of the past; both are made first in a new venue."""
    with Session(db.engine) as session:
        ensure_default_admin(session, config)
        has_bars = session.execute(select(func.count()).select_from(MarketData)).scalar_one() > 0
    if not has_bars or stored_source(db.session()) is None:
        db.session.rollback()
        _open_market(application)
    with Session(db.engine) as session:
        source = stored_source(session)
        admin_id = session.execute(select(func.min(Admin.admin_id))).scalar_one()
        return admin_id, read_past(session, source or "replay", days, random.Random(seed))


def _open_market(application: Flask) -> None:
    """Let the market's feed choose its source and store the bars it has, as at the first start of the server."""
    from tasks.market_feed import MarketFeed

    feed = MarketFeed(application, feeds=True)
    ends = time.monotonic() + LONGEST_WAIT_SECONDS
    while not application.extensions["market"].started and time.monotonic() < ends:
        time.sleep(feed.turn())
    feed.stop()


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<9}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )
