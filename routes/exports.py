"""Lists as CSV files, streamed: any list of a page, with the page's filters, for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, islice
from typing import Any

from flask import Response, stream_with_context

from utils.datetime_utils import iso_utc

# A cell that begins like this is run by spreadsheets as a formula, full-width forms included.
FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
ROWS_AT_ONCE = 100  # lines that leave together


def csv_answer(name: str, columns: Sequence[str], items: Iterable[dict[str, Any]]) -> Response:
    """The items as the file `name`.csv: a header with the columns' names, then a line an item. Rows leave as they are
    read (see `Listing.every_item`), so that a long list takes no memory.

    Numbers are plain, times ISO 8601 in UTC, nothing is an empty cell. Text that a spreadsheet would run as a formula
    gets an apostrophe before it. The first row is read before the answer begins, so that an error still has its status.
    """
    rows = iter(items)
    first = list(islice(rows, 1))
    lines = _lines(columns, chain(first, rows))
    answer = Response(stream_with_context(lines), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def _lines(columns: Sequence[str], items: Iterable[dict[str, Any]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    for number, item in enumerate(items, start=1):
        writer.writerow([cell(item[column]) for column in columns])
        if number % ROWS_AT_ONCE == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def cell(value: object) -> str:
    """A value as a cell's text, harmless in a spreadsheet. A number keeps its minus: it is no formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return iso_utc(value) or ""
    if isinstance(value, int | float | date):
        return str(value)
    text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_MARKS) else text
