"""Market data: instruments, how whole their bars are, fetching them anew, files in and out, the source's state."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Response as FlaskResponse
from flask import render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from auth.permissions import admin_may
from auth.roles import Permission
from models import db
from routes import inputs
from routes.admin import admin_bp
from routes.answers import done, succeed, wants_json
from routes.core.requests import takes_files
from routes.exports import csv_answer
from routes.shared import acting_admin, market, write
from services.errors import InvalidInput
from services.market import (
    bar_files,
    coverage,
    data_changes,
    instrument_changes,
    instrument_lists,
    instruments,
    refresh,
    source_status,
)
from services.market.hours import exchange_day
from utils.datetime_utils import utc_now

LARGEST_FILE = 8 * 1024 * 1024
LONGEST_SEARCH = 60
MOST_FOUND = 10
YES = (True, "on")  # what JSON and a form's box say
GAPS_SHOWN = 20
FILE_COLUMNS = ("ticker", "name", "exchange", "tradable", "listed", "deactivated_at", "bars_refreshed_at")


@admin_bp.get("/data")
@admin_may(Permission.VIEW)
def market_data() -> str:
    filters = _filters()
    sort = inputs.sorting(instrument_lists.SORTS)
    listing = instrument_lists.instruments_of(search=filters["search"], state=filters["state"] or None)
    page = listing.page(db.session, inputs.page_number(), inputs.page_limit(), sort or "ticker")
    return render_template(
        "admin/data.html",
        rows=page,
        instruments=instrument_lists.with_coverage(db.session(), page.items),
        filters=filters,
        sort=sort,
        limit=page.limit,
        progress=refresh.progress(db.session()),
        source=source_status.read(db.session(), utc_now()),
    )


@admin_bp.get("/data/instruments.csv")
@admin_may(Permission.VIEW)
def instruments_file() -> Response:
    """The list of instruments as a file."""
    filters = _filters()
    listing = instrument_lists.instruments_of(search=filters["search"], state=filters["state"] or None)
    return csv_answer("instruments", FILE_COLUMNS, listing.every_item(db.session()))


@admin_bp.get("/data/bars.csv")
@admin_may(Permission.VIEW)
def bars_file() -> Response:
    """The stored daily bars of one ticker, or of all, in the form that the import takes."""
    ticker = inputs.optional_ticker()
    name = f"bars-{ticker.strip('^')}" if ticker else "bars"
    return csv_answer(name, bar_files.COLUMNS, bar_files.exported(db.session(), ticker))


@admin_bp.get("/data/gaps")
@admin_may(Permission.VIEW)
def gaps() -> FlaskResponse | str:
    """The newest days that a ticker lacks."""
    ticker = inputs.ticker()
    days = coverage.gap_days(db.session(), ticker, GAPS_SHOWN)
    if wants_json():
        return succeed(ticker=ticker, days=[day.isoformat() for day in days])
    return render_template("admin/gaps.html", ticker=ticker, days=days, most=GAPS_SHOWN)


@admin_bp.get("/data/lookup")
@admin_may(Permission.MANAGE_DATA)
def look_up() -> FlaskResponse:
    """Instruments that match `q`, and a word to the feed that somebody looks for it: asked again a moment later, the
    source's own answers are among them.
    """
    text = inputs.text_parameter("q", LONGEST_SEARCH)
    if text:
        market().look_for(text)
    found = instruments.search(db.session, text, MOST_FOUND) if text else []
    return succeed(
        instruments=[{"ticker": row.ticker, "name": row.name, "listed": row.listed} for row in found],
        searching=bool(text),
    )


@admin_bp.get("/data/refresh")
@admin_may(Permission.VIEW)
def refresh_progress() -> FlaskResponse:
    """How far the newest refresh is."""
    found = refresh.progress(db.session())
    failed = [{"ticker": ticker, "message": why} for ticker, why in found.failed]
    return succeed(state=found.state, total=found.total, done=found.done, failed=failed)


@admin_bp.post("/data/refresh")
@admin_may(Permission.MANAGE_DATA)
def start_refresh() -> Response:
    """Have bars fetched anew in the background; body: ticker, or all."""
    fields = inputs.body_fields()
    tickers = [] if fields.get("all") in YES else [_ticker(fields)]
    return _written(data_changes.start_refresh, fields, tickers)


@admin_bp.post("/data/refresh/cancel")
@admin_may(Permission.MANAGE_DATA)
def cancel_refresh() -> Response:
    return _written(data_changes.cancel_refresh, inputs.body_fields())


@admin_bp.post("/data/instruments")
@admin_may(Permission.MANAGE_DATA)
def add_instrument() -> Response:
    """Put a known instrument on the stock list; body: ticker."""
    fields = inputs.body_fields()
    return _written(instrument_changes.add, fields, _ticker(fields))


@admin_bp.post("/data/instruments/rename")
@admin_may(Permission.MANAGE_DATA)
def rename_instrument() -> Response:
    """Body: ticker, name."""
    fields = inputs.body_fields()
    return _written(
        instrument_changes.rename, fields, _ticker(fields), instrument_changes.parse_name(fields.get("name"))
    )


@admin_bp.post("/data/instruments/deactivate")
@admin_may(Permission.MANAGE_DATA)
def deactivate_instrument() -> Response:
    """Take out of trading; body: ticker."""
    fields = inputs.body_fields()
    return _written(instrument_changes.deactivate, fields, _ticker(fields))


@admin_bp.post("/data/instruments/activate")
@admin_may(Permission.MANAGE_DATA)
def activate_instrument() -> Response:
    """Let trade again; body: ticker."""
    fields = inputs.body_fields()
    return _written(instrument_changes.activate, fields, _ticker(fields))


@admin_bp.post("/data/import")
@takes_files(LARGEST_FILE)
@admin_may(Permission.MANAGE_DATA)
def import_bars() -> Response:
    """Take in daily bars; body: file (a form's file, or the text in JSON), ticker where it has no such column, and
    dry_run to be told only what would happen.
    """
    fields = inputs.body_fields()
    text = _file_text(fields)
    file = bar_files.read_file(
        text,
        ticker=_ticker(fields) if fields.get("ticker") else None,
        known=bar_files.known_tickers(db.session()),
        until=exchange_day(market().now()),
    )
    if fields.get("dry_run") in YES:
        if file.errors or not file.bars:
            raise data_changes.wrong_file(file)
        return done(data_changes.try_import(db.session(), file), back_to=url_for("admin.market_data"), category="info")
    same = fields | {"file": hashlib.sha256(text.encode()).hexdigest()}
    return _written(data_changes.import_bars, same, file)


def _written(unit: Any, fields: inputs.Fields, *arguments: Any) -> Response:
    """Run a unit of this page for the admin who asks, and answer."""
    key = inputs.request_key(current_user.actor, fields)
    answer = write(unit, *arguments, acting_admin(), now=utc_now(), key=key)
    return done(answer, back_to=url_for("admin.market_data"))


def _ticker(fields: inputs.Fields) -> str:
    return inputs.checked_ticker("ticker", str(fields.get("ticker") or ""))


def _file_text(fields: inputs.Fields) -> str:
    upload = request.files.get("file")
    if upload is None:
        text = fields.get("file")
        if not isinstance(text, str):
            raise InvalidInput({"file": ["must be given"]})
        return text
    try:
        return upload.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput({"file": ["must be a text in UTF-8"]}) from error


def _filters() -> dict[str, str]:
    return {
        "search": inputs.text_parameter("search", LONGEST_SEARCH),
        "state": inputs.choice(instrument_lists.STATES, "state") or "",
    }
