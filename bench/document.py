"""Writes the newest full results into the table of docs/performance.md. `python -m bench.document`"""

from __future__ import annotations

import json
from typing import Any

from bench import ROOT
from bench.__main__ import RESULTS, rounded

TARGET = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- results -->\n", "<!-- end of results -->\n"


def main() -> None:
    report = json.loads((RESULTS / "latest.json").read_text())
    before, _, rest = TARGET.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    TARGET.write_text(before + BEGIN + "\n".join(lines(report)) + "\n" + END + after)


def lines(report: dict[str, Any]) -> list[str]:
    machine = report["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    return [
        f"Measured at {report['at']} in {report['seconds']} s on {machine['cores']} cores ({machine['processor']}).",
        f"Versions: {versions}.",
        "",
        "| `make bench ONLY=` | Product | Limit beside it | Product reached | Limit reached | Ratio | Must |",
        "|---|---|---|---|---|---|---|",
        *(line(result) for result in report["results"]),
        "",
    ]


def line(result: dict[str, Any]) -> str:
    product, _, limit = result["what"].partition(" | ")
    reached, possible, ratio, must = (rounded(result[name]) for name in ("product", "limit", "ratio", "must"))
    unit, missed = result["unit"], "" if result["ok"] else " **missed**"
    cells = (result["name"], product, limit, f"{reached} {unit}", f"{possible} {unit}", ratio + missed, must)
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
