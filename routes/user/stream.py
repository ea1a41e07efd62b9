"""`/user/api/stream`: prices, the market's state and the trader's own events, as they come."""

from __future__ import annotations

from flask import Response
from flask_login import current_user

from auth.permissions import user_required
from models import db
from routes import inputs
from routes.streaming import last_seen_number, stream
from routes.user import user_bp
from services import events
from services.streams import Listener

LONGEST_LIST = 600  # characters, before the tickers are counted


@user_bp.get("/api/stream")
@user_required
def live_stream() -> Response:
    tickers = inputs.tickers() if inputs.text_parameter("tickers", LONGEST_LIST) else []
    newest = events.newest_numbers(db.session, [current_user.id]).get(current_user.id, 0)  # type: ignore[arg-type]
    seen = last_seen_number()
    # A number from the future would wait for an event that is not the next one.
    position = newest if seen is None else min(seen, newest)
    return stream(Listener(current_user.login_id, current_user.id, tickers, position))
