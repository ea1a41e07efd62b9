"""`flask market`: what the venue knows of its market, and its stored daily bars."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from flask import current_app
from flask.cli import with_appcontext
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cli.acting import command_line
from models import Instrument, LatestQuote, MarketData, db
from services.errors import DomainError
from services.market import bar_files, data_changes, instrument_lists, refresh, source_status
from services.market.clock import read_clock
from services.market.hours import exchange_day
from services.market.source_choice import stored_source
from services.transaction import run_unit
from utils.datetime_utils import utc_now

if TYPE_CHECKING:
    from flask import Flask

MISTAKES_SHOWN = 20
LONGEST_WAIT_SECONDS = 60.0


@click.group()
def market() -> None:
    """Look at the market behind this venue, and look after its daily bars."""


@market.command()
@with_appcontext
def status() -> None:
    """Show the chosen source, the replay's clock, and how whole the stored bars of each instrument are."""
    console = Console()
    table = Table("What", "Value", title="Market")
    for what, value in _facts():
        table.add_row(what, value)
    console.print(table)
    console.print(_coverage())


@market.command()
@click.argument("tickers", nargs=-1)
@with_appcontext
def sync(tickers: tuple[str, ...]) -> None:
    """Fetch the bars of these TICKERS anew, or of all instruments. Ctrl-C ends it after the one it is at.

    Exits with 1 when some could not be fetched.
    """
    application: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    steps = _opened(application)
    wanted = [ticker.upper() for ticker in tickers]
    try:
        answer = run_unit(data_changes.start_refresh, wanted, command_line(), now=utc_now())
    except DomainError as error:
        raise click.ClickException(error.message) from error
    found = _follow(steps, len(answer["tickers"]))
    for ticker, why in found.failed:
        click.echo(f"{ticker}: {why}", err=True)
    click.echo(f"{found.done} of {found.total} instruments fetched ({found.state}).")
    if found.failed:
        raise SystemExit(1)


@market.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--ticker", default=None, help="The ticker, where the file has no such column.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@with_appcontext
def import_(file: Path, ticker: str | None, dry_run: bool) -> None:
    """Take in daily bars from a CSV FILE. With a single wrong line nothing is imported."""
    console = Console()
    try:
        with console.status("Reading ..."):
            read = bar_files.read_file(
                file.read_text(encoding="utf-8-sig"),
                ticker=ticker and ticker.upper(),
                known=bar_files.known_tickers(db.session()),
                until=exchange_day(_market_time()),
            )
        if read.errors:
            console.print(_mistakes(read))
            raise data_changes.wrong_file(read)
        if dry_run:
            click.echo(data_changes.try_import(db.session(), read)["message"])
            return
        db.session.close()
        with console.status(f"Importing {len(read.bars):,} bars ..."):
            answer = run_unit(data_changes.import_bars, read, command_line(), now=utc_now())
    except UnicodeDecodeError as error:
        raise click.ClickException("The file is no text in UTF-8.") from error
    except DomainError as error:
        raise click.ClickException(error.message) from error
    click.echo(answer["message"])


@market.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--ticker", default=None, help="Only the bars of this ticker.")
@with_appcontext
def export(file: Path, ticker: str | None) -> None:
    """Write the stored daily bars to a CSV FILE, in the form that the import takes."""
    counted = select(func.count()).select_from(MarketData)
    chosen = ticker and ticker.upper()
    total = db.session.execute(counted.where(MarketData.ticker == chosen) if chosen else counted).scalar_one()
    with _progress() as progress, file.open("w", newline="", encoding="utf-8") as target:
        task = progress.add_task("bars", total=total)
        writer = csv.writer(target)
        writer.writerow(bar_files.COLUMNS)
        for row in bar_files.exported(db.session(), chosen):
            writer.writerow([row[name] for name in bar_files.COLUMNS])
            progress.advance(task)
    click.echo(f"{total:,} bars written to {file}.")


def _opened(application: Flask) -> Any:
    """The feed's steps of the chosen source, ready to fetch."""
    from tasks.market_feed import MarketFeed

    feed = MarketFeed(application, feeds=True)
    ends = time.monotonic() + LONGEST_WAIT_SECONDS
    while not application.extensions["market"].started and time.monotonic() < ends:
        time.sleep(feed.turn())
    return feed.steps


def _follow(steps: Any, total: int) -> refresh.Progress:
    """Fetch one ticker after the other until the job is over, or somebody presses Ctrl-C."""
    with _progress() as progress:
        task = progress.add_task("instruments", total=total)
        while (found := _read_progress()).state == "running":
            progress.update(task, completed=found.total - found.left)
            try:
                steps.fetch_wanted()
            except KeyboardInterrupt:
                run_unit(data_changes.cancel_refresh, command_line(), now=utc_now())
        progress.update(task, completed=found.total - found.left)
    return found


def _read_progress() -> refresh.Progress:
    with Session(db.engine) as session:
        return refresh.progress(session)


def _market_time() -> Any:
    """The market's now; in a replay the time from which its clock goes on, which nobody has passed yet."""
    clock = read_clock(db.session())
    return utc_now() if clock is None else clock.market


def _progress() -> Progress:
    text = TextColumn("{task.description}")
    return Progress(SpinnerColumn(), text, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())


def _mistakes(read: bar_files.BarFile) -> Table:
    table = Table("Line", "Field", "What is wrong", title="Mistakes")
    for one in read.errors[:MISTAKES_SHOWN]:
        table.add_row(str(one.line), one.field, one.message)
    return table


def _coverage() -> Table:
    listing = instrument_lists.instruments_of()
    items = list(listing.every_item(db.session()))
    heads = ("Ticker", "First bar", "Last bar", "Bars", "Gaps", "Bad prices", "Splits", "Refreshed")
    table = Table(*heads, title="Daily bars")
    for row in reversed(instrument_lists.with_coverage(db.session(), items)):
        covered = row["coverage"]
        splits = ", ".join(f"{day} {ratio}:1" for day, ratio in covered.splits) or "-"
        refreshed = row["bars_refreshed_at"]
        table.add_row(
            *(row["ticker"], str(covered.first or "-"), str(covered.last or "-"), f"{covered.bars:,}"),
            *(str(covered.gaps), str(covered.bad_bars), splits, f"{refreshed:%Y-%m-%d %H:%M}" if refreshed else "-"),
        )
    return table


def _facts() -> list[tuple[str, str]]:
    session = db.session()
    clock = read_clock(session)
    bars, newest = session.execute(select(func.count(), func.max(MarketData.date)).select_from(MarketData)).one()
    quote = session.execute(select(func.max(LatestQuote.provider_time))).scalar_one()
    source = source_status.read(session, utc_now())
    job = refresh.progress(session)
    facts = [
        ("source", stored_source(session) or "not chosen yet: it is at the first start"),
        ("circuit breaker", f"{source.breaker}, {source.failures_in_a_row} failures in a row"),
        ("newest failure", source.recent[0].message if source.recent else "-"),
        ("refresh", f"{job.state}, {job.done} of {job.total}" if job.total else "never asked for"),
        ("instruments", str(session.execute(select(func.count()).select_from(Instrument)).scalar_one())),
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
