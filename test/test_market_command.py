"""`flask market`: the same as the data page does, at the command line."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import AuditEntry, MarketData, db

CSV = "ticker,date,open,high,low,close,adj_close,volume\nAAPL,2008-08-01,1,2,1,1.5,1.5,10\n"


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["market", *words])


def count(app: Flask, model: type) -> int:
    with app.app_context(), Session(db.engine) as session:
        return session.execute(select(func.count()).select_from(model)).scalar_one()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bars.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


def test_a_file_is_tried_imported_and_exported_again(app: Flask, file: Path, tmp_path: Path) -> None:
    tried = run(app, "import", str(file), "--dry-run")
    assert (tried.exit_code, count(app, MarketData)) == (0, 0), tried.output
    done = run(app, "import", str(file))
    assert (done.exit_code, count(app, MarketData), count(app, AuditEntry)) == (0, 1, 1), done.output
    copy = tmp_path / "copy.csv"
    assert run(app, "export", str(copy), "--ticker", "aapl").exit_code == 0
    assert "1 are the same" in run(app, "import", str(copy), "--dry-run").output


def test_a_file_with_a_wrong_line_changes_nothing_and_names_it(app: Flask, file: Path) -> None:
    file.write_text(CSV + "AAPL,2008-08-04,zero,2,1,1,1,1\n", encoding="utf-8")
    refused = run(app, "import", str(file))
    assert (refused.exit_code, count(app, MarketData)) == (1, 0)
    assert "open" in refused.output


def test_status_tells_how_whole_the_bars_are(app: Flask, file: Path) -> None:
    run(app, "import", str(file))
    shown = run(app, "status")
    assert shown.exit_code == 0, shown.output
    assert "2008-08-01" in shown.output
    assert "circuit breaker" in shown.output


def test_sync_stores_the_recorded_bars(app: Flask) -> None:
    from services.market.market import VenueMarket

    app.extensions["market"] = VenueMarket(lambda: datetime(2026, 5, 4, tzinfo=UTC))
    done = run(app, "sync", "ibm")
    assert done.exit_code == 0, done.output
    assert "1 of 1 instruments fetched (done)" in done.output
    with app.app_context(), Session(db.engine) as session:
        newest = session.execute(select(func.max(MarketData.date)).where(MarketData.ticker == "IBM")).scalar_one()
    assert newest == date(2008, 8, 29)


def test_sync_refuses_what_it_does_not_know(app: Flask) -> None:
    from services.market.market import VenueMarket

    app.extensions["market"] = VenueMarket()
    assert "no instrument NOPE" in run(app, "sync", "nope").output
