"""`flask admin`: the admins from the machine itself, also when nobody can log in any more."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import select

from auth.roles import role_may
from cli.acting import command_line
from models import Admin, db
from services import admin_accounts, password_links
from services.errors import DomainError
from services.transaction import run_unit
from utils.datetime_utils import utc_now

admin_name = click.argument("name")
role_choice = click.argument("role", type=click.Choice(admin_accounts.ROLES))


@click.group()
def admin() -> None:
    """List admins, add one, change roles, reset a password, close an account."""


@admin.command("list")
@with_appcontext
def list_all() -> None:
    """Show every admin with role, state and last log-in."""
    table = Table("Number", "Name", "Role", "State", "Last log-in", title="Admins")
    for one in admin_accounts.list_admins(db.session()):
        state = "deactivated" if one["deactivated_at"] else "active" if one["has_password"] else "waits for a password"
        last = f"{one['last_login_at']:%Y-%m-%d %H:%M} UTC" if one["last_login_at"] else "never"
        table.add_row(str(one["admin_id"]), escape(one["admin_name"]), one["role"], state, last)
    Console().print(table)


@admin.command()
@admin_name
@role_choice
@with_appcontext
def add(name: str, role: str) -> None:
    """Add an admin, and print the link by which the password is set."""
    seed = secrets.token_bytes(32)
    name = _checked(admin_accounts.parse_name, name)
    answer = _run(admin_accounts.create, name, role, seed, command_line(), utc_now())
    _print_link(answer, seed)


@admin.command("role")
@admin_name
@role_choice
@with_appcontext
def set_role(name: str, role: str) -> None:
    """Give an admin another role. The last owner keeps it."""
    click.echo(_run(admin_accounts.change_role, _number(name), role, command_line(), utc_now())["message"])


@admin.command()
@admin_name
@with_appcontext
def deactivate(name: str) -> None:
    """Close an admin's account; open log-ins end at once."""
    click.echo(_run(admin_accounts.set_active, _number(name), False, command_line(), utc_now())["message"])


@admin.command()
@admin_name
@with_appcontext
def activate(name: str) -> None:
    """Open an admin's account again."""
    click.echo(_run(admin_accounts.set_active, _number(name), True, command_line(), utc_now())["message"])


@admin.command("reset-password")
@admin_name
@with_appcontext
def reset_password(name: str) -> None:
    """Void an admin's password, and print the link by which a new one is set."""
    seed = secrets.token_bytes(32)
    answer = _run(admin_accounts.reset_password, _number(name), seed, command_line(), utc_now())
    _print_link(answer, seed)


@admin.command()
@with_appcontext
def matrix() -> None:
    """Show which role may use which address of the panel."""
    table = Table("Address", "Method", "Permission", *admin_accounts.ROLES, title="Who may do what")
    rules = [rule for rule in current_app.url_map.iter_rules() if rule.rule.startswith("/admin/")]
    for rule in sorted(rules, key=lambda rule: (rule.rule, sorted(rule.methods or ()))):
        permission = getattr(current_app.view_functions[rule.endpoint], "permission", "none")
        method = "POST" if "POST" in (rule.methods or ()) else "GET"
        marks = ["yes" if role_may(role, permission) else "-" for role in admin_accounts.ROLES]
        table.add_row(escape(rule.rule), method, str(permission), *marks)
    Console(width=140).print(table)


def _run(work: Callable[..., dict[str, Any]], *args: Any) -> dict[str, Any]:
    try:
        return run_unit(work, *args, key=None)
    except DomainError as error:
        raise click.ClickException(error.message) from error


def _checked(parse: Callable[[object], str], value: str) -> str:
    try:
        return parse(value)
    except DomainError as error:
        raise click.ClickException(error.message) from error


def _number(name: str) -> int:
    found: int | None = db.session.execute(select(Admin.admin_id).where(Admin.admin_name == name)).scalar_one_or_none()
    db.session.close()
    if found is None:
        raise click.ClickException(f"There is no admin {name}.")
    return found


def _print_link(answer: dict[str, Any], seed: bytes) -> None:
    token = password_links.token_for(seed, answer["link_name"])
    click.echo(answer["message"])
    click.echo(f"/auth/set-password/{token}")
    click.echo(f"Put the venue's address before it. It works once, until {answer['expires_at'][:16]} UTC.")
