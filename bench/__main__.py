"""Runs the benchmarks: `make bench`, or `make bench ONLY=name` with the name of a measure or of a module.

Prints a table, writes bench/results/latest.json, and exits with 1 when a ratio misses its bound.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import platform
import signal
import sqlite3
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import bench
from bench import ROOT
from bench.measures import Measure, SkippedMeasure

RESULTS = ROOT / "bench" / "results"
PACKAGES = ("SQLAlchemy", "PyMySQL", "Flask", "gunicorn", "numpy")
UNDER_CI = os.environ.get("CI", "") == "true"

console = Console(width=150)


def main(only: str) -> int:
    """Run the measures that `only` names (all when it is empty). Answers the exit code."""
    chosen = choose(only)
    if not chosen:
        console.print(f"There is no measure or module named {only!r}. There are: {', '.join(sorted(all_names()))}.")
        return 2
    begin = time.monotonic()
    results = [run(measure) for measure in chosen]
    show(results)
    report = {"at": datetime.now(UTC).isoformat(timespec="seconds"), **machine(), "results": results}
    report["seconds"] = round(time.monotonic() - begin)
    write(report, RESULTS / ("latest.json" if not only else f"only_{only}.json"))
    return 0 if all(result["ok"] for result in results) else 1


def modules() -> dict[str, tuple[Measure, ...]]:
    """The measures of every module of this folder that has some."""
    found = {}
    for module in pkgutil.iter_modules(bench.__path__):
        if module.name != "__main__":
            measures = getattr(importlib.import_module(f"bench.{module.name}"), "MEASURES", ())
            found[module.name] = tuple(measures)
    return {name: measures for name, measures in found.items() if measures}


def choose(only: str) -> list[Measure]:
    """All measures, those of the module, or the one of this name."""
    everything = modules()
    if only in everything:
        return list(everything[only])
    return [one for measures in everything.values() for one in measures if only in ("", one.name)]


def all_names() -> set[str]:
    everything = modules()
    return set(everything) | {one.name for measures in everything.values() for one in measures}


def run(measure: Measure) -> dict[str, Any]:
    """Run one measure. One that cannot be taken counts as reached, except under CI, where nothing may be left out."""
    console.print(f"[dim]{datetime.now(UTC):%H:%M:%S} {measure.name}: {measure.what}[/dim]")
    result: dict[str, Any] = {"name": measure.name, "what": measure.what, "unit": measure.unit, "must": measure.must}
    try:
        figures = measure.run()
    except SkippedMeasure as reason:
        console.print(f"[yellow]left out: {reason}[/yellow]")
        nothing = {"product": None, "limit": None, "ratio": None}
        return {**result, **nothing, "ok": not UNDER_CI, "note": f"left out: {reason}"}
    return {
        **result,
        "aim": measure.aim,
        "product": figures.product,
        "limit": figures.limit,
        "ratio": figures.ratio,
        "ok": figures.ratio >= measure.must,
        "note": figures.note,
    }


def show(results: list[dict[str, Any]]) -> None:
    table = Table("Measure", "What", "Unit", "Product", "Limit", "Ratio", "Must", "", "Note")
    for result in results:
        figures = [rounded(result[name]) for name in ("product", "limit", "ratio", "must")]
        verdict = "[green]yes[/green]" if result["ok"] else "[red]NO[/red]"
        table.add_row(result["name"], result["what"], result["unit"], *figures, verdict, result["note"])
    console.print(table)


def rounded(value: float | None) -> str:
    """Three figures that count."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "machine": {
            "processor": processor_name(),
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "load": os.getloadavg(),
        },
        "versions": {
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            **{name: version(name) for name in PACKAGES},
        },
    }


def processor_name() -> str:
    described = Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def write(report: dict[str, Any], path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n")


def end_orderly(_signal: int, _frame: object) -> None:
    """Whoever ends the run must not leave its servers and databases behind."""
    sys.exit(1)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end_orderly)
    sys.exit(main(os.environ.get("ONLY", "")))
