"""`flask chat`: the assistant in the terminal, for a trader who gives the password."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import click
from flask import current_app
from flask.cli import with_appcontext
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table
from sqlalchemy.orm import Session

from models import db
from services import logins
from services.errors import DomainError
from utils.datetime_utils import iso_utc, utc_now

if TYPE_CHECKING:
    from services.assistant.toolbox import Asker

LEAVE = ("quit", "exit")
HEARTBEAT = 0.2  # seconds: how soon Ctrl-C is noticed while the model is waited for
DESCRIBED = {"user_agent": "flask chat", "address": "terminal"}


@click.command()
@click.argument("user_name")
@click.option("--continue", "continues", is_flag=True, help="Go on with the newest conversation.")
@with_appcontext
def chat(user_name: str, continues: bool) -> None:
    """Talk to the assistant as the trader USER_NAME. Commands such as /quote AAPL work too; quit ends it."""
    asker = _asker(user_name, click.prompt("Password", hide_input=True))
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 - arrow keys bring earlier lines back; nothing is written to a file
    with _market():
        _Terminal(asker, continues).talk()


@contextlib.contextmanager
def _market() -> Iterator[None]:
    """The running venue's market, read beside it. Where the application has one already, that is used."""
    from tasks.market_feed import start_market_feed

    if getattr(current_app.extensions["market"], "started", True):
        yield
        return
    feed = start_market_feed(cast("Any", current_app)._get_current_object(), feeds=False)
    try:
        yield
    finally:
        feed.stop()


class _Terminal:
    """One talk: reads lines, shows answers, remembers its conversation."""

    def __init__(self, asker: Asker, continues: bool) -> None:
        from services.assistant import conversations

        self._asker = asker
        self._console = Console()
        self._conversation: int | None = None
        with asker.open_session() as session:
            known = conversations.listed(session, asker.user_id)
        if continues and known:
            self._conversation = known[0]["conversation_id"]
            self._show_past()

    def talk(self) -> None:
        self._console.print("Ask, or /help for commands. quit or Ctrl-D ends. A simulation; nothing here is advice.")
        while True:
            try:
                line = self._console.input("[bold]> [/bold]").strip()
            except (EOFError, KeyboardInterrupt):
                self._console.print("\nGoodbye.")
                return
            if line.lower() in LEAVE:
                self._console.print("Goodbye.")
                return
            if line:
                self._answer(line)

    def _answer(self, line: str) -> None:
        from services.assistant import conversations

        try:
            text = conversations.parse_message(line)
            answer = self._asked(text)
        except DomainError as error:
            self._console.print(f"[red]{error.message}[/red]", highlight=False)
            return
        if answer is None:
            self._console.print("[yellow]Stopped.[/yellow]")
            return
        self._conversation = answer["conversation_id"]
        self._show(answer["message"])

    def _asked(self, text: str) -> dict[str, Any] | None:
        """The answer, or None when it was stopped by Ctrl-C."""
        from services.assistant import chat as service
        from services.assistant import commands

        if commands.is_command(text):
            return service.answer_command(self._asker, self._conversation, text, None)
        assistant = current_app.extensions["assistant"]
        run = service.start_answer(assistant, self._asker, self._conversation, text, None)
        longest = self._asker.config.assistant_time_limit
        try:
            with self._console.status("Thinking") as status:
                for event in run.events(HEARTBEAT, longest):
                    if event is None:
                        continue
                    kind, data = event
                    if kind == "begun":
                        self._conversation = data["conversation_id"]
                    if kind == "tool":
                        status.update(f"Looking up: {data['label']}")
                    if kind == "failed":
                        raise data["error"]
                    if kind == "done":
                        return data
        except KeyboardInterrupt:
            run.stopped.set()
        return None

    def _show(self, message: dict[str, Any]) -> None:
        self._console.print(Markdown(message["text"]))
        for source in message["sources"]:
            time = f", {iso_utc(source['market_time'])}" if source["market_time"] else ""
            self._console.print(f"  source: {source['label']}{time}", style="dim", highlight=False)
        if message["proposals"]:
            self._console.print(
                "A proposal waits: confirm it on the assistant's page within two minutes.", style="yellow"
            )

    def _show_past(self) -> None:
        from services.assistant import conversations, views

        assert self._conversation is not None
        with self._asker.open_session() as session:
            past = conversations.read(session, self._asker.user_id, self._conversation, utc_now())
        table = Table(show_header=False, box=None, title=past.title)
        for message in views.conversation_view(past)["messages"][-6:]:
            table.add_row("you" if message["role"] == "user" else "", message["text"])
        self._console.print(table)


def _asker(user_name: str, password: str) -> Asker:
    """The trader behind the name. The login that checks the password is ended at once: there is no browser."""
    from services.analysis.jobs import Jobs
    from services.assistant.toolbox import Asker
    from services.transaction import run_unit

    try:
        token = logins.log_in_user(db.session(), user_name, password, logins.Visit(**DESCRIBED, now=utc_now()))
    except DomainError as error:
        raise click.ClickException(error.message) from error
    found = logins.find(db.session(), token, utc_now())
    assert found is not None, "a login that was just stored cannot be missing"
    db.session.close()
    run_unit(logins.end, found.login_id, utc_now())
    return Asker(
        user_id=found.id,
        name=found.name,
        market=current_app.extensions["market"],
        config=current_app.extensions["config"],
        jobs=Jobs(),
        open_session=lambda: Session(db.engine),
        clock=utc_now,
    )
