"""The rows of a chart, written as JSON once.

Of a chart's thousand rows only the newest changes between two requests, and to write the others down is most of the
work of answering. They are kept as text until a bar of their ticker is stored (`Instrument.bars_version`) or another
day begins; the running day is written anew each time.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date
from threading import Lock

from sqlalchemy.orm import Session

from models import Instrument
from services.market import bars
from services.market.hours import exchange_day
from services.market.market import ChartMarket

MOST_KEPT = 32  # texts, of up to half a megabyte each

Key = tuple[str, date, date, int]


@dataclass(frozen=True, slots=True)
class WrittenRows:
    """The stored days of a chart: JSON objects with commas between, and the newest day ("" without any)."""

    text: str
    newest: str


class ChartRows:
    """Answers charts of daily bars as JSON; one for a whole application, for all its threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, WrittenRows] = OrderedDict()
        self._lock = Lock()

    def written(self, session: Session, market: ChartMarket, instrument: Instrument, period: str) -> str:
        """The JSON list of `bars.history`. Raises InvalidInput for a period that is none."""
        if period in bars.INTRADAY_DAYS:
            return bars.as_json(bars.history(session, market, instrument.ticker, period))
        today = exchange_day(market.now())
        key = (instrument.ticker, bars.start_of(period, today), today, instrument.bars_version)
        stored = self._stored(session, key)
        running = bars.running_row(market, instrument.ticker, stored.newest)
        parts = [stored.text, json.dumps(running) if running else ""]
        return f"[{','.join(part for part in parts if part)}]"

    def _stored(self, session: Session, key: Key) -> WrittenRows:
        """Kept or read. The version was read before the rows: these may be newer than it says, never older."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        ticker, start, end, _ = key
        rows = bars.stored_rows(session, ticker, start, end)
        found = WrittenRows(bars.as_json(rows)[1:-1], rows[-1]["date"] if rows else "")
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return found
