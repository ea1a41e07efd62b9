"""Static files under their version, and the command that installs the third-party ones."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from cli import assets as command
from routes.core.assets import IMMUTABLE, StaticTree, asset, init_assets


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "static" / "css").mkdir(parents=True)
    (tmp_path / "static" / "vendor").mkdir()
    (tmp_path / "static" / "css" / "base.css").write_text("body { margin: 0 }")
    (tmp_path / "secret.txt").write_text("not for browsers")
    return tmp_path / "static"


@pytest.fixture
def site(folder: Path) -> Flask:
    app = Flask(__name__, static_folder=str(folder))
    init_assets(app)
    return app


@pytest.fixture
def browser(site: Flask) -> FlaskClient:
    return site.test_client()


def test_a_file_is_served_under_its_version_for_good(site: Flask, browser: FlaskClient) -> None:
    with site.app_context():
        address = asset("css/base.css")
    answer = browser.get(address, buffered=True)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == IMMUTABLE
    assert answer.get_data() == b"body { margin: 0 }"


def test_another_version_is_served_but_not_kept(browser: FlaskClient) -> None:
    answer = browser.get("/static/v/000000000000/css/base.css", buffered=True)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_browser_that_understands_gzip_gets_it(site: Flask, browser: FlaskClient) -> None:
    with site.app_context():
        address = asset("css/base.css")
    answer = browser.get(address, headers={"Accept-Encoding": "gzip, br"}, buffered=True)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.get_data()) == b"body { margin: 0 }"
    assert "Accept-Encoding" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "path", ["../secret.txt", "%2e%2e/secret.txt", "css/../../secret.txt", "/etc/passwd", "no.css"]
)
def test_nothing_outside_the_folder_is_served(site: Flask, browser: FlaskClient, path: str) -> None:
    with site.app_context():
        version = asset("").split("/")[3]
    assert browser.get(f"/static/v/{version}/{path}").status_code in (308, 404)


def test_the_version_follows_the_content(folder: Path) -> None:
    before = StaticTree(folder, watch=False)
    old = before.version
    (folder / "css" / "base.css").write_text("body { margin: 1px }")
    assert before.version == old, "taken once"
    assert StaticTree(folder, watch=False).version != old


def test_a_watched_tree_sees_changes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routes.core.assets.RECHECK_SECONDS", -1)
    tree = StaticTree(folder, watch=True)
    old = tree.version
    (folder / "css" / "base.css").write_text("body { margin: 1px solid }")
    assert tree.version != old


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder whose npm lays the wanted files into node_modules, and counts how often it ran."""
    (tmp_path / "package-lock.json").write_text("{}")
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(command, "VENDOR", tmp_path / "static" / "vendor")
    monkeypatch.setattr(command, "STAMP", tmp_path / "static" / "vendor" / ".stamp")
    monkeypatch.setattr(command, "_npm", lambda: "npm")
    monkeypatch.setattr(command, "_run", lambda _command: _install(tmp_path))
    return tmp_path


def _install(project: Path) -> None:
    for source in command.FILES:
        path = project / "node_modules" / source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    runs = project / "runs"
    runs.write_text(runs.read_text() + "x" if runs.exists() else "x")


def test_assets_copies_what_is_needed_and_only_when_something_changed(project: Path) -> None:
    runner = CliRunner()
    assert runner.invoke(command.assets).exit_code == 0
    assert all((project / "static" / "vendor" / target).is_file() for target in command.FILES.values())
    assert "up to date" in runner.invoke(command.assets).output
    assert (project / "runs").read_text() == "x"

    (project / "package-lock.json").write_text('{"changed": true}')
    runner.invoke(command.assets)
    assert (project / "runs").read_text() == "xx"


def test_assets_mends_a_file_that_is_gone(project: Path) -> None:
    CliRunner().invoke(command.assets)
    gone = project / "static" / "vendor" / "bootstrap" / "bootstrap.min.css"
    gone.unlink()
    CliRunner().invoke(command.assets)
    assert gone.is_file()


def test_assets_says_which_command_failed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "package-lock.json").write_text("{}")
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(command, "VENDOR", tmp_path / "vendor")
    monkeypatch.setattr(command, "STAMP", tmp_path / "vendor" / ".stamp")
    monkeypatch.setattr(command, "_npm", lambda: "/nowhere/npm")
    answer = CliRunner().invoke(command.assets)
    assert answer.exit_code == 1
    assert "/nowhere/npm ci" in answer.output
