"""Which market a venue shows. Chosen once and stored with the books: live and replayed prices never mix in them."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy.orm import Session

from config import ConfigError, MarketChoice
from services import settings
from utils.market_source import SourceName

SETTING = "market_source"


class SourceMismatch(ConfigError):
    """MARKET_SOURCE asks for another market than the one these books were opened with."""

    def __init__(self, stored: SourceName, configured: MarketChoice) -> None:
        super().__init__(
            f"MARKET_SOURCE is {configured!r}, but the books in this database were opened with {stored!r}: live and "
            f"replayed prices never mix in one set of books. Set MARKET_SOURCE to {stored!r} or auto, or give another "
            "INSTANCE_PATH or DATABASE_URL to open new books."
        )


def stored_source(session: Session) -> SourceName | None:
    """The choice stored with the books; None before the first start."""
    return cast("SourceName | None", settings.get(session, SETTING))


def settle(stored: SourceName | None, configured: MarketChoice) -> SourceName | None:
    """The source to use, or None when it is still to be found out. Raises SourceMismatch."""
    if stored is None:
        return None if configured == "auto" else configured
    if configured not in ("auto", stored):
        raise SourceMismatch(stored, configured)
    return stored


def store_source(session: Session, name: SourceName, wall: datetime) -> SourceName:
    """Unit: store the choice unless there is one, and answer the one that holds."""
    return cast(SourceName, settings.put_once(session, SETTING, name, wall))
