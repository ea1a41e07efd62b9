"""What the tests of the assistant have in common: fixtures, events of a stream, bars and other people's books."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flask import Flask
from sqlalchemy.orm import Session

from services.transaction import run_unit
from standins.gemini import GeminiStandIn
from utils.market_source import Bar

if TYPE_CHECKING:
    from fake_market import FakeMarket
    from web_client import VenueClient

KEY = "the-secret-key-of-gemini"
CHAT = "/user/api/chat"
STREAM = "/user/api/chat/stream"


def gemini_settings(gemini: GeminiStandIn, **more: str) -> dict[str, str]:
    """Variables by which a venue asks the stand-in, as often as it likes in a minute."""
    base = {"GEMINI_API_KEY": KEY, "GEMINI_API_ENDPOINT": gemini.url, "ASSISTANT_MINUTE_LIMIT": "0"}
    return base | more


def events_of(text: str) -> list[tuple[str, Any]]:
    """The events of a stream as (name, data); heartbeats are left out."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and line[0] != ":")
        if "event" in lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


def ask(client: VenueClient, message: str, **more: Any) -> dict[str, Any]:
    """Ask and expect an answer."""
    answer = client.post(CHAT, json={"message": message, **more})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json
    return body


def give_bars(app: Flask, market: FakeMarket, days: int = 320) -> None:
    """Daily bars of AAPL, MSFT and the benchmark up to the day before the market's."""
    last = market.now().date()
    with app.app_context():
        for number, ticker in enumerate(("AAPL", "MSFT", "^GSPC")):
            run_unit(_store_bars, ticker, last, days, number)


def _store_bars(session: Session, ticker: str, last: date, days: int, number: int) -> None:
    from services.market import bars
    from utils.datetime_utils import utc_now

    weekdays = [day for back in range(1, days * 2) if (day := last - timedelta(days=back)).weekday() < 5][:days]
    made = []
    for at, day in enumerate(reversed(weekdays)):
        close = Decimal(100 + number * 10) + Decimal((at * 37 + number * 11) % 23) / 4
        made.append(Bar(ticker, day, close - 1, close + 2, close - 2, close, close, 1_000_000 + at * 100))
    bars.store(session, made, utc_now())
