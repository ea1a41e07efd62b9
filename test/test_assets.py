"""Static files under their version, and the command that installs the third-party ones."""

from __future__ import annotations

import gzip
import posixpath
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from cli import assets as command
from databases import ROOT, give_up
from routes.core.assets import IMMUTABLE, StaticTree, asset, init_assets
from utils.minified import copy_of


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


def test_a_script_goes_out_as_its_small_copy_while_it_is_what_the_copy_was_made_from(folder: Path) -> None:
    script = folder / "js" / "page.js"
    script.parent.mkdir()
    script.write_text("const answer = 42;")
    copy = folder / copy_of(b"const answer = 42;")
    copy.parent.mkdir()
    copy.write_text("const a=42;")
    assert sent_for(folder, "js/page.js") == b"const a=42;"
    assert sent_for(folder, "js/page.js", debug=True) == b"const answer = 42;"
    script.write_text("const answer = 43;")
    assert sent_for(folder, "js/page.js") == b"const answer = 43;"


def sent_for(folder: Path, path: str, *, debug: bool = False) -> bytes:
    app = Flask(__name__, static_folder=str(folder))
    app.debug = debug
    init_assets(app)
    with app.app_context():
        address = asset(path)
    content: bytes = app.test_client().get(address, buffered=True).get_data()
    return content


LARGEST_SCRIPTS = 60_000  # bytes of our own scripts that a page loads, before compression
IMPORTED = re.compile(r'(?:from|import)\s*"(\.[^"]+)"')  # not import("..."), which is loaded when it is needed


@pytest.mark.parametrize("page", ["user/stock_chart", "user/account", "user/stock_analysis", "user/ai_assistant"])
def test_a_page_loads_little_script_of_ours(app: Flask, page: str) -> None:
    if shutil.which("esbuild", path=str(ROOT / "node_modules" / ".bin")) is None:
        give_up("esbuild is not installed: run `flask assets --force`")
    shell = ["layout.html", "user/layout.html", f"{page}.html"]
    texts = [(ROOT / "templates" / name).read_text(encoding="utf-8") for name in shell]
    waiting = [path for text in texts for path in re.findall(r"asset\('(js/[^']+)'\)", text)]
    sizes: dict[str, int] = {}
    while waiting:
        path = waiting.pop()
        if path in sizes or path.startswith("vendor/"):
            continue
        with app.app_context():
            script = app.test_client().get(asset(path), buffered=True).get_data()
        sizes[path] = len(script)
        folder = posixpath.dirname(path)
        waiting += [posixpath.normpath(f"{folder}/{found}") for found in IMPORTED.findall(script.decode())]
    assert len(sizes) > 10
    assert sum(sizes.values()) < LARGEST_SCRIPTS, sorted(sizes.items(), key=lambda one: -one[1])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder whose npm lays the wanted files into node_modules, and counts how often it ran."""
    (tmp_path / "package-lock.json").write_text("{}")
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(command, "STATIC", tmp_path / "static")
    monkeypatch.setattr(command, "VENDOR", tmp_path / "static" / "vendor")
    monkeypatch.setattr(command, "STAMP", tmp_path / "static" / "vendor" / ".stamp")
    monkeypatch.setattr(command, "_npm", lambda: "npm")
    monkeypatch.setattr(command, "_run", lambda words: _install(tmp_path) if words[0] == "npm" else _shrink(words))
    return tmp_path


def _install(project: Path) -> None:
    for source in command.FILES:
        path = project / "node_modules" / source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    runs = project / "runs"
    runs.write_text(runs.read_text() + "x" if runs.exists() else "x")


def _shrink(words: list[str]) -> None:
    """As esbuild does it: a smaller file under the same name in another folder."""
    given = {name: value for name, _, value in (word.partition("=") for word in words if word.startswith("--"))}
    for script in (Path(word) for word in words[1:] if word.endswith(".js")):
        target = Path(given["--outdir"]) / script.relative_to(given["--outbase"])
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(script.read_text().replace(" ", ""))


def test_assets_makes_small_copies_anew_when_a_script_changed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = project / "static" / "js" / "user" / "page.js"
    script.parent.mkdir(parents=True)
    script.write_text("let one = 1")
    assert "served as they are written" in CliRunner().invoke(command.assets).output
    monkeypatch.setattr(command.shutil, "which", lambda name, path=None: name)
    for text in ("let one = 1", "let one = 2"):
        script.write_text(text)
        CliRunner().invoke(command.assets)
        built = list((project / "static" / "built").iterdir())
        assert [(path.name, path.read_text()) for path in built] == [
            (Path(copy_of(text.encode())).name, text.replace(" ", ""))
        ]


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
