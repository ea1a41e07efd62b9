"""A market that says what a test tells it to: quotes, clock and opening hours are all set by hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from utils.market_source import Bar, IntradayBar, Quote, Session, SourceName

if TYPE_CHECKING:
    from services.market.market import MarketStatus

OPENS = time(13, 30, tzinfo=UTC)  # 09:30 in New York, in summer time
CLOSES = time(20, 0, tzinfo=UTC)
NOON = datetime(2008, 9, 2, 16, 0, tzinfo=UTC)  # a Tuesday, in the middle of the session


class FakeClock:
    """A clock that stands still until it is moved. Call it to read it."""

    def __init__(self, moment: datetime = NOON) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **duration: float) -> datetime:
        """Move on by `timedelta(**duration)` and return the new time."""
        self.moment += timedelta(**duration)
        return self.moment

    def set(self, moment: datetime) -> None:
        self.moment = moment


class FakeMarket:
    """The Market protocol of services/market/market.py. Sessions are 13:30 to 20:00 UTC on weekdays, no holidays.

    It begins open, on Tuesday 2008-09-02 at 16:00 UTC, without any quote.
    """

    source_name: SourceName = "replay"

    def __init__(self, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.speed = 1
        self._quotes: dict[str, Quote] = {}
        self._closed_by_hand = False
        self._ended = False

    # What a test sets.

    def set_quote(
        self,
        ticker: str,
        last: str | Decimal,
        *,
        bid: str | Decimal | None = None,
        ask: str | Decimal | None = None,
        **others: object,
    ) -> Quote:
        """Set the newest quote. Its time is the clock's unless `provider_time` is given (None: for display only).

        Without bid and ask both are `last`. `others` are more fields of Quote: volume, delay, previous_close, ...
        """
        price = Decimal(last)
        quote = Quote(
            ticker=ticker,
            last=price,
            bid=price if bid is None else Decimal(bid),
            ask=price if ask is None else Decimal(ask),
            open=price,
            high=price,
            low=price,
            previous_close=price,
            volume=1_000_000,
            provider_time=self.now(),
            delay=0,
            source=self.source_name,
            traded=1_000_000,
        )
        self._quotes[ticker] = replace(quote, **others)  # type: ignore[arg-type]
        return self._quotes[ticker]

    def put(self, quote: Quote) -> None:
        """Set a quote that the test built itself."""
        self._quotes[quote.ticker] = quote

    def remove_quote(self, ticker: str) -> None:
        self._quotes.pop(ticker, None)

    def refresh(self) -> None:
        """Give every quote the clock's time, as if the provider had just sent the same prices again."""
        self._quotes = {name: replace(quote, provider_time=self.now()) for name, quote in self._quotes.items()}

    def close(self) -> None:
        """Close the market, whatever the clock says, until `reopen`."""
        self._closed_by_hand = True

    def reopen(self) -> None:
        self._closed_by_hand = False

    def end(self) -> None:
        """The recorded data have ended: closed for good."""
        self._ended = True

    # The protocol.

    def now(self) -> datetime:
        return self.clock()

    def quote(self, ticker: str) -> Quote | None:
        return self._quotes.get(ticker)

    def quotes(self, tickers: Iterable[str]) -> dict[str, Quote]:
        return {ticker: self._quotes[ticker] for ticker in tickers if ticker in self._quotes}

    def is_open(self, moment: datetime | None = None) -> bool:
        return self.session_at(moment or self.now()) is not None

    def session_at(self, moment: datetime) -> Session | None:
        session = _session_of(moment)
        closed = self._closed_by_hand or self._ended
        return session if session and not closed and session.opens <= moment < session.closes else None

    def next_session(self, moment: datetime) -> Session | None:
        if self._ended:
            return None
        days = (moment + timedelta(days=ahead) for ahead in range(4))
        return next(session for day in days if (session := _session_of(day)) and session.opens > moment)

    def ended(self) -> bool:
        return self._ended

    def latest_session(self, moment: datetime) -> Session | None:
        days = (moment - timedelta(days=back) for back in range(4))
        return next(session for day in days if (session := _session_of(day)) and session.opens <= moment)

    def today(self, ticker: str) -> Bar | None:
        from services.market.books import bar_of

        quote = self.quote(ticker)
        return None if quote is None else bar_of(quote)

    def intraday(self, ticker: str, days: int) -> list[IntradayBar]:
        return []

    def look_for(self, text: str) -> None:
        """Nobody looks anything up in a test's market."""

    def status(self) -> MarketStatus:
        from services.market.market import MarketStatus

        times = [quote.provider_time for quote in self._quotes.values() if quote.provider_time]
        return MarketStatus(
            source_name=self.source_name,
            now=self.now(),
            state="ended" if self._ended else "open" if self.is_open() else "closed",
            speed=self.speed,
            newest_quote_time=max(times, default=None),
            message="",
        )


def _session_of(moment: datetime) -> Session | None:
    day = moment.astimezone(UTC).date()
    if day.weekday() >= 5:
        return None
    return Session(day=day, opens=datetime.combine(day, OPENS), closes=datetime.combine(day, CLOSES))
