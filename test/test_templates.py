"""What must hold for every page, style sheet and script, so that none has to be looked at for it again."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader

from config import ROOT

TEMPLATES = ROOT / "templates"
STATIC = ROOT / "static"
PARTS = ("layout.html", "macros/", "partials/", "auth/layout.html", "user/layout.html", "admin/layout.html")


def _files(folder: Path, pattern: str) -> list[Path]:
    return sorted(path for path in folder.rglob(pattern) if "vendor" not in path.relative_to(folder).parts)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


ALL_TEMPLATES = _files(TEMPLATES, "*.html")
PAGES = [path for path in ALL_TEMPLATES if not path.relative_to(TEMPLATES).as_posix().startswith(PARTS)]
SCRIPTS = _files(STATIC / "js", "*.js")
STYLES = _files(STATIC / "css", "*.css")

# Loads: what a browser fetches by itself. A plain link to another site is no load.
LOADED = re.compile(r"""<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)\s*=\s*["']([^"']+)""", re.S)
STYLE_LOADS = re.compile(r"""(?:url\(\s*|@import\s+)["']?((?:https?:)?//[^"')]+)""")
ASSET = re.compile(r"asset\('([^']+)'\)")
STYLE_IMPORT = re.compile(r"""@import\s+url\(["']([^"']+)["']\)""")
IMPORT = re.compile(r"""(?:from\s+|import\s+|import\()["']([^"']+)["']""")


def test_there_are_pages_to_check() -> None:
    assert len(PAGES) >= 16
    assert SCRIPTS
    assert STYLES


@pytest.mark.parametrize("path", ALL_TEMPLATES, ids=_name)
def test_template_compiles(path: Path) -> None:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    environment.filters |= {"safe_round": str, "format_datetime": str}
    environment.get_template(path.relative_to(TEMPLATES).as_posix())


@pytest.mark.parametrize("path", [page for page in PAGES if page.name != "deposit_withdrawal.html"], ids=_name)
def test_page_sets_a_title(path: Path) -> None:
    title = re.search(r"{% block title %}(.+?){% endblock %}", path.read_text())
    assert title, "every page names itself in {% block title %}"
    assert title.group(1).strip()


@pytest.mark.parametrize("path", ALL_TEMPLATES, ids=_name)
def test_template_keeps_the_content_policy(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<style\b", text), "no style elements"
    assert not re.search(r"""\sstyle\s*=\s*["']""", text), "no style attributes"
    assert not re.search(r"""<[^>]*\son[a-z]+\s*=\s*["']""", text), "no inline event handlers"
    assert not re.search(r"<script\b(?![^>]*\bsrc=)", text), "no inline scripts"
    assert "javascript:" not in text
    assert "|safe" not in text.replace("|safe_round", ""), "values are always escaped"


@pytest.mark.parametrize("path", ALL_TEMPLATES, ids=_name)
def test_template_loads_only_own_files(path: Path) -> None:
    for address in LOADED.findall(path.read_text()):
        assert address.startswith("{{ asset("), f"{address} is not served by asset()"


@pytest.mark.parametrize("path", ALL_TEMPLATES, ids=_name)
def test_assets_that_a_template_names_exist(path: Path) -> None:
    own = [name for name in ASSET.findall(path.read_text()) if not name.startswith("vendor/")]
    assert [name for name in own if not (STATIC / name).is_file()] == []


@pytest.mark.parametrize("path", ALL_TEMPLATES, ids=_name)
def test_forms_that_post_carry_the_token(path: Path) -> None:
    forms = re.findall(r"<form\b[^>]*method=\"post\".*?</form>", path.read_text(), re.S)
    assert [form[:80] for form in forms if "{{ csrf() }}" not in form] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=_name)
def test_script_makes_no_markup_of_data(path: Path) -> None:
    text = path.read_text()
    for forbidden in ("innerHTML", "outerHTML =", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert forbidden not in text, f"{forbidden}: build elements and set textContent instead"
    assert not re.search(r"""setAttribute\(\s*["']style""", text), "the content policy refuses style attributes"
    assert not re.search(r"""\bstyle:\s*["'`]""", text), "element() would set a style attribute"


@pytest.mark.parametrize("path", SCRIPTS, ids=_name)
def test_imports_of_a_script_exist(path: Path) -> None:
    for target in IMPORT.findall(path.read_text()):
        assert target.startswith("."), f"{target}: relative addresses carry the version of the files"
        found = (path.parent / target).resolve()
        assert found.is_relative_to(STATIC)
        assert found.is_file() or "vendor" in found.relative_to(STATIC).parts


@pytest.mark.parametrize("path", [*SCRIPTS, *STYLES], ids=_name)
def test_nothing_is_fetched_from_elsewhere(path: Path) -> None:
    text = path.read_text()
    assert STYLE_LOADS.findall(text.replace("http://www.w3.org/2000/svg", "")) == []
    assert not re.search(r"""(?:fetch|import|get|Intention)\(\s*["'`](?:https?:)?//""", text)


def test_every_own_file_is_used() -> None:
    """A style sheet or a script that no template and no other sheet or script names is dead."""
    named = {name for path in ALL_TEMPLATES for name in ASSET.findall(path.read_text())}
    for path in SCRIPTS:
        targets = IMPORT.findall(path.read_text())
        named |= {
            (path.parent / target).resolve().relative_to(STATIC).as_posix()
            for target in targets
            if target.startswith(".")
        }
    for path in STYLES:
        targets = [target for target in STYLE_IMPORT.findall(path.read_text()) if "vendor/" not in target]
        named |= {(path.parent / target).resolve().relative_to(STATIC).as_posix() for target in targets}
    unused = [path.relative_to(STATIC).as_posix() for path in [*SCRIPTS, *STYLES]]
    assert [name for name in unused if name not in named] == []


@pytest.mark.parametrize("path", [path for path in STYLES if path.name != "tokens.css"], ids=_name)
def test_colours_stand_in_the_tokens_only(path: Path) -> None:
    without_comments = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    assert re.findall(r":[^;{}]*#[0-9a-fA-F]{3,8}\b|\b(?:rgba?|hsla?|oklch)\(", without_comments) == []


def _with_imports(script: Path) -> set[Path]:
    """A script with all that it imports, and what those import. The vendors' files count apart."""
    found: set[Path] = set()
    waiting = [script.resolve()]
    while waiting:
        path = waiting.pop()
        if path in found or "vendor" in path.relative_to(STATIC).parts:
            continue
        found.add(path)
        waiting += [(path.parent / target).resolve() for target in IMPORT.findall(path.read_text())]
    return found


def _own_scripts(page: Path) -> set[Path]:
    """The scripts that a page loads: its own, and those of the layouts it extends."""
    text = page.read_text()
    named = [STATIC / name for name in ASSET.findall(text) if name.startswith("js/")]
    layouts = re.findall(r"""{% extends "([^"]+)\"""", text)
    found = {path for script in named for path in _with_imports(script)}
    return found.union(*(_own_scripts(TEMPLATES / layout) for layout in layouts))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_own_scripts_of_a_page_stay_small(page: Path) -> None:
    """As they travel: see routes/core/assets.py."""
    assert sum(len(gzip.compress(path.read_bytes())) for path in _own_scripts(page)) < 60 * 1024
