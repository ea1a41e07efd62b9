"""`flask ledger verify`: prove that the books are right."""

from __future__ import annotations

import json

import click
from flask.cli import AppGroup
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models import db
from services.accounts.verify import CannotVerify, Report, Violation, verify_books

ledger = AppGroup("ledger", help="The books: money, shares and orders.")

CLEAN, VIOLATED, UNCHECKED = 0, 1, 2
ROWS_SHOWN = 5


@ledger.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")
@click.pass_context
def verify(context: click.Context, as_json: bool) -> None:
    """Recompute the books in one snapshot of the database in use, and compare.

    Exits with 0 when they are right, 1 with codes and rows when they are not, 2 when they could not be checked.
    """
    try:
        report = verify_books(db.engine)
    except CannotVerify as error:
        _tell_why_not(error, as_json)
        context.exit(UNCHECKED)
    if as_json:
        click.echo(json.dumps(report.to_dict(), indent=2))
    else:
        _print(report)
    context.exit(CLEAN if report.ok else VIOLATED)


def _tell_why_not(error: CannotVerify, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"ok": False, "checked": {}, "violations": [], "error": error.message}, indent=2))
    else:
        click.echo(error.message, err=True)


def _print(report: Report) -> None:
    console = Console()
    counts = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in report.checked.items())
    console.print(f"Checked {counts}.")
    if report.ok:
        console.print("[green]The books are right.[/green]")
        return
    console.print(_table(report.violations))
    console.print(f"[red]The books are wrong: {len(report.violations)} kinds of violations.[/red]")


def _table(violations: list[Violation]) -> Table:
    table = Table("Code", "What is wrong, and where", "Rows", show_lines=True)
    for violation in violations:
        where = "\n".join(_described(row) for row in violation.rows[:ROWS_SHOWN])
        more = violation.count - ROWS_SHOWN
        rest = f"\nand {more:,} more (--json names up to 100)" if more > 0 else ""
        table.add_row(violation.code, escape(f"{violation.what}\n{where}{rest}"), f"{violation.count:,}")
    return table


def _described(row: dict[str, object]) -> str:
    return "- " + ", ".join(f"{name} {value}" for name, value in row.items())
