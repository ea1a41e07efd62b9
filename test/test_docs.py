"""What the documents say about names, defaults and commands is true."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from config import Config
from databases import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("deploy/*.md"), *ROOT.glob("data/*.md")])


class Asked(Mapping[str, str]):
    """An empty environment that remembers which variables were asked for."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __getitem__(self, name: str) -> str:
        self.names.append(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def variables() -> list[str]:
    """The variables that config.py reads, in its order."""
    asked = Asked()
    Config.from_environment(asked)
    return list(dict.fromkeys(asked.names))


def documented() -> dict[str, str]:
    """README's table: the variables with their defaults."""
    return dict(re.findall(r"^\| `([A-Z_]+)` \| ([^|]+?) \|", README, flags=re.MULTILINE))


def test_the_table_lists_exactly_the_variables_that_are_read() -> None:
    assert sorted(documented()) == sorted(variables())


def test_the_example_file_lists_exactly_the_variables_that_are_read() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert re.findall(r"^#([A-Z_]+)=", example, flags=re.MULTILINE) == list(documented())


def as_written(value: Any) -> str | None:
    """How README's table writes a default; None for those it describes in words."""
    if isinstance(value, bool):
        return "`1`" if value else "`0`"
    if isinstance(value, tuple):
        return f"`{','.join(value)}`"
    if isinstance(value, float | Decimal):
        return f"`{value:g}`"
    return f"`{value}`" if isinstance(value, str | int | date) else None


@pytest.mark.parametrize("name", sorted(documented()))
def test_defaults_are_what_the_table_says(name: str) -> None:
    value = getattr(Config.from_environment({}), name.lower())
    in_words = {
        "SECRET_KEY": "made at first start",
        "DATABASE_URL": "SQLite in `INSTANCE_PATH`",
        "INSTANCE_PATH": "`instance/` here",
        "LOG_DIR": "`logs/` here",
    }
    assert documented()[name] == (in_words.get(name) or as_written(value) or "none")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_pictures_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)]+)\)", document.read_text(encoding="utf-8"))
    for target in targets:
        if not target.startswith(("http://", "https://")):
            assert (document.parent / target.split("#")[0]).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_make_targets_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = re.findall(r"`(?:[A-Z_]+=\S+ )*make ([a-z-]+)`", document.read_text(encoding="utf-8"))
    assert set(named) <= targets


def test_named_flask_commands_exist(app: Any) -> None:
    named = {tuple(words.split()) for words in re.findall(r"`flask ([a-z -]+)`", README)} - {("run",)}
    for words in named:
        command = app.cli
        for word in words:
            command = command.commands.get(word) or pytest.fail(f"there is no command flask {' '.join(words)}")


def test_named_tests_exist() -> None:
    """Documents quote rules by their tests; a renamed test must not leave a rule without one."""
    written = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "test").glob("test_*.py"))
    existing = set(re.findall(r"def (test_\w+)", written))
    for document in DOCUMENTS:
        named = set(re.findall(r"`(test_\w+)`", document.read_text(encoding="utf-8")))
        assert named <= existing, f"{document.name}: {sorted(named - existing)}"


def test_every_make_target_is_explained() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", makefile, flags=re.MULTILINE)
    assert phony
    explained = set(re.findall(r"^([a-z-]+):.*## ", makefile, flags=re.MULTILINE))
    assert set(phony[1].split()) == explained
