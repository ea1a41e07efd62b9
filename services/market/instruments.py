"""The tickers that the venue knows."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from models import Instrument
from services import settings
from services.errors import InvalidInput
from services.market.source_choice import stored_source
from utils.market_source import InstrumentInfo

NAME_LENGTH = 120
EXCHANGE_LENGTH = 32
STOCK_LIST = "tech_tickers"  # the setting in which an admin's choice of the list is saved


def find(session: Session, ticker: str) -> Instrument | None:
    """The instrument of exactly this ticker."""
    return session.get(Instrument, ticker)


def listed(session: Session) -> list[Instrument]:
    """The desk's stock list, tradable ones first, by ticker."""
    query = select(Instrument).where(Instrument.listed, Instrument.deactivated_at.is_(None))
    return list(session.scalars(query.order_by(Instrument.tradable.desc(), Instrument.ticker)))


def search(session: Session, text: str, limit: int) -> list[Instrument]:
    """Known instruments in trading whose ticker or name holds the text, whatever its case; the ticker itself first."""
    wanted = text.strip().lower()
    if not wanted:
        return listed(session)[:limit]
    ticker, name = func.lower(Instrument.ticker), func.lower(Instrument.name)
    rank = case((ticker == wanted, 0), (ticker.startswith(wanted, autoescape=True), 1), else_=2)
    query = (
        select(Instrument)
        .where(
            or_(ticker.contains(wanted, autoescape=True), name.contains(wanted, autoescape=True)),
            Instrument.deactivated_at.is_(None),
        )
        .order_by(rank, Instrument.ticker)
        .limit(limit)
    )
    return list(session.scalars(query))


def store(session: Session, infos: Iterable[InstrumentInfo], listed: bool) -> int:
    """Unit: take in what a source knows of instruments and answer how many are new. A listed one stays listed; once an
    admin has chosen the stock list, nothing else puts an instrument on it.
    """
    listed = listed and settings.get(session, STOCK_LIST) is None
    wanted = {info.ticker: info for info in infos}
    known = {row.ticker: row for row in session.scalars(select(Instrument).where(Instrument.ticker.in_(wanted)))}
    for ticker, info in wanted.items():
        if ticker in known:
            _update(known[ticker], info, listed)
        else:
            session.add(_row(info, listed))
    return len(wanted) - len(known)


def list_tickers(session: Session, tickers: Iterable[str]) -> None:
    """Unit: put tickers on the stock list; a new one is called by its ticker until its source has told its name."""
    wanted = list(tickers)
    known = {row.ticker: row for row in session.scalars(select(Instrument).where(Instrument.ticker.in_(wanted)))}
    for ticker in wanted:
        if ticker in known:
            known[ticker].listed = True
        else:
            session.add(_row(InstrumentInfo(ticker, ticker, "", not ticker.startswith("^")), listed=True))


def list_at_start(session: Session, tickers: Iterable[str]) -> None:
    """Unit: put the environment's tickers on the stock list, unless an admin has chosen it."""
    if settings.get(session, STOCK_LIST) is None:
        list_tickers(session, tickers)


def choose_list(session: Session, tickers: Iterable[str]) -> None:
    """Make exactly these the stock list; a benchmark, which nobody trades, stays on it. Raises InvalidInput for tickers
    that do not exist in the replay; with live prices the source is asked for the name of a new one.
    """
    wanted = set(tickers)
    if stored_source(session) == "replay":
        known = set(
            session.scalars(select(Instrument.ticker).where(Instrument.ticker.in_(wanted), Instrument.tradable))
        )
        if wanted - known:
            raise InvalidInput(
                {STOCK_LIST: [f"has what the replay does not know: {', '.join(sorted(wanted - known))}"]}
            )
    for row in session.scalars(select(Instrument).where(Instrument.listed, Instrument.tradable)):
        row.listed = row.ticker in wanted
    list_tickers(session, wanted)


def nameless(session: Session) -> list[str]:
    """Instruments of which no more is known than their ticker."""
    return list(session.scalars(select(Instrument.ticker).where(Instrument.name == Instrument.ticker)))


def _update(row: Instrument, info: InstrumentInfo, listed: bool) -> None:
    if not row.renamed:
        row.name = info.name[:NAME_LENGTH]
    row.exchange = info.exchange[:EXCHANGE_LENGTH]
    row.tradable = info.tradable
    row.listed = row.listed or listed


def _row(info: InstrumentInfo, listed: bool) -> Instrument:
    return Instrument(
        ticker=info.ticker,
        name=info.name[:NAME_LENGTH],
        exchange=info.exchange[:EXCHANGE_LENGTH],
        tradable=info.tradable,
        listed=listed,
    )
