"""The start of the serving process: what begins once, where, and what never begins by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import click
import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import create_app
from config import Config
from databases import ROOT
from models import Admin, db
from tasks import startup


class Task:
    """A background task that only says whether it runs."""

    def __init__(self) -> None:
        self.alive = True

    def stop(self) -> None:
        self.alive = False


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Feed and processor are replaced; their names are noted when they are started."""
    names: list[str] = []

    def start(name: str) -> Task:
        names.append(name)
        return Task()

    monkeypatch.setattr("tasks.market_feed.start_market_feed", lambda _app, feeds: start(f"feed {feeds}"))
    monkeypatch.setattr("tasks.order_processor.start_order_processor", lambda _app: start("processor"))
    return names


def names_of_threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_making_the_application_starts_nothing(app: Flask) -> None:
    assert not {"market-feed", "order-processor"} & names_of_threads()
    assert "market_feed" not in app.extensions


def test_importing_the_application_is_light() -> None:
    """What takes seconds to import is imported where it is used."""
    heavy = "{'yfinance', 'pandas', 'numpy', 'exchange_calendars', 'google.generativeai', 'curl_cffi'}"
    code = f"import sys, app; sys.exit(' '.join({heavy} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


class TestWithProcessor:
    @pytest.fixture
    def settings(self) -> dict[str, str]:
        return {"RUN_ORDER_PROCESSOR": "1"}

    def test_the_background_starts_once_and_ends_once(
        self, app: Flask, started: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        for _ in range(2):
            startup.start_background(app, address="http://127.0.0.1:5003")
        assert started == ["feed True", "processor"]
        out = capsys.readouterr().out
        assert out.count("http://127.0.0.1:5003") == 1
        assert "admin" in out
        assert "Only-for-tests-1" not in out
        tasks = [app.extensions["market_feed"], app.extensions["order_processor"]]
        for _ in range(2):
            startup.stop_background(app)
        assert [task.alive for task in tasks] == [False, False]


def test_a_web_worker_without_processor_only_reads_prices(app: Flask, started: list[str]) -> None:
    startup.start_background(app)
    startup.stop_background(app)
    assert started == ["feed False"]


def test_the_assistants_library_is_loaded_at_the_start_and_not_by_the_first_question(
    app: Flask, started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Model:
        prepared = threading.Event()

        def prepare(self) -> None:
            self.prepared.set()

    monkeypatch.setattr(app.extensions["assistant"], "model", Model())
    startup.start_background(app)
    startup.stop_background(app)
    assert Model.prepared.wait(5)


def test_a_library_that_cannot_be_loaded_does_not_stop_the_venue(
    app: Flask, started: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Model:
        def prepare(self) -> None:
            raise RuntimeError("half installed")

    monkeypatch.setattr(app.extensions["assistant"], "model", Model())
    loading = app.extensions["assistant"].prepare()
    loading.join(5)
    assert "could not be loaded" in caplog.text


def test_the_first_start_makes_the_admin(app: Flask, started: list[str]) -> None:
    startup.start_background(app)
    startup.stop_background(app)
    with app.app_context(), Session(db.engine) as session:
        assert session.execute(select(Admin.admin_name)).scalars().all() == ["admin"]


def test_without_tables_the_start_says_what_to_do(tmp_path: Path, started: list[str]) -> None:
    app = create_app(Config.from_environment({"INSTANCE_PATH": str(tmp_path), "SECRET_KEY": "only-for-tests-0123"}))
    with pytest.raises(startup.NotReady, match="flask db upgrade"):
        startup.start_background(app)
    assert started == []
    with app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize(
    ("command", "reload", "environment", "starts"),
    [
        (None, None, {}, False),
        ("upgrade", None, {}, False),
        ("run", None, {}, True),
        ("run", False, {"FLASK_DEBUG": "1"}, True),
        ("run", True, {}, False),
        ("run", None, {"FLASK_DEBUG": "1"}, False),
        ("run", None, {"FLASK_DEBUG": "1", "WERKZEUG_RUN_MAIN": "true"}, True),
    ],
)
def test_flask_run_starts_the_background_only_where_it_serves(
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    command: str | None,
    reload: bool | None,
    environment: dict[str, str],
    starts: bool,
) -> None:
    addresses: list[Any] = []
    monkeypatch.setattr(startup, "start_background", lambda _app, address: addresses.append(address))
    for name in ("FLASK_DEBUG", "WERKZEUG_RUN_MAIN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    if command is None:
        startup.start_in_flask_run(app)
    else:
        with click.Context(click.Command(command), info_name=command) as context:
            context.params = {"host": "127.0.0.1", "port": 5005, "reload": reload}
            startup.start_in_flask_run(app)
    assert addresses == (["http://127.0.0.1:5005"] if starts else [])


def test_the_order_processor_runs_as_a_process_of_its_own(database_url: str, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "INSTANCE_PATH": str(tmp_path / "instance"),
        "MARKET_SOURCE": "replay",
        "FLASK_APP": "app.py",
    }
    command = [sys.executable, "-m", "flask", "order-processor", "run"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert "runs" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=15)
    finally:
        process.kill()
    assert process.returncode == 0
    assert "has ended" in out


def test_the_first_admin_is_counted_not_named(app: Flask, started: list[str]) -> None:
    """A venue whose admin was renamed does not get the default one again."""
    startup.start_background(app)
    startup.stop_background(app)
    with app.app_context(), Session(db.engine) as session:
        session.execute(Admin.__table__.update().values(admin_name="chief"))
        session.commit()
    startup.start_background(app)
    startup.stop_background(app)
    with app.app_context(), Session(db.engine) as session:
        assert session.execute(select(func.count(Admin.admin_id))).scalar_one() == 1
