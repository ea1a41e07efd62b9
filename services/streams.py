"""The live stream: one hub tells everybody who listens, by way of bounded queues.

The hub looks at prices and at the outbox once for all listeners. A listener is a queue that one thread of the server
empties into a connection; it needs no database. Who does not read is dropped and may come back: the number of the last
event it has seen is enough to go on without a gap.
"""

from __future__ import annotations

import queue
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from threading import Event as Signal
from threading import Lock
from typing import Any

from sqlalchemy.orm import Session

from services import events, logins
from services.errors import Unavailable
from services.events import Event
from services.market.market import Market, MarketState
from services.market.views import market_view, quote_view
from utils.market_source import Quote

MESSAGES_HELD = 64  # of one listener; who is further behind is dropped
MOST_OF_ONE_LOGIN = 8
STUCK_SECONDS = 10.0  # who takes nothing for so long is dropped too
HEARTBEAT_SECONDS = 15.0
LOGINS_EVERY_SECONDS = 1.0
ACTIVITY_EVERY_SECONDS = 0.5
ACTIVITY_SHOWN = 20

Encode = Callable[[Any], str]


def message(name: str, data: str, number: int | None = None) -> str:
    """A message of the event stream. `data` is JSON on one line; `number` is what a browser sends back as
    Last-Event-ID when it reconnects.
    """
    head = "" if number is None else f"id: {number}\n"
    return f"{head}event: {name}\ndata: {data}\n\n"


class Listener:
    """Who listens on one connection: a trader to tickers and to the own account, an admin (`user_id` None) to what
    happens in all accounts. `position` is the number of the last event that was queued. `cut` breaks the connection,
    whose thread may be stuck in sending; `gone` says whether the other side has hung up.
    """

    def __init__(self, login_id: int, user_id: int | None, tickers: Iterable[str] = (), position: int = 0) -> None:
        self.login_id = login_id
        self.user_id = user_id
        self.tickers = tuple(tickers)
        self.position = position
        self.cut: Callable[[], None] = lambda: None
        self.gone: Callable[[], bool] = lambda: False
        self._queue: queue.Queue[str | None] = queue.Queue(MESSAGES_HELD)
        self._ended = False
        self._last = ""
        self._taken = 0
        self._progress: tuple[int, float] | None = None  # how many had been taken when that last changed, and when

    @property
    def room(self) -> int:
        """How many events may be queued now. Half of the queue stays free for prices and heartbeats."""
        return max(0, MESSAGES_HELD // 2 - self._queue.qsize())

    def put(self, text: str) -> bool:
        """Queue a message. False when the queue is full: this one does not keep up."""
        try:
            self._queue.put_nowait(text)
        except queue.Full:
            return False
        return True

    def is_stuck(self, now: float) -> bool:
        """Whether something waited since the last look, and nothing was taken for STUCK_SECONDS. `now` in seconds."""
        if self._progress is None or self._queue.empty() or self._taken != self._progress[0]:
            self._progress = (self._taken, now)
        return now - self._progress[1] > STUCK_SECONDS

    def messages(self) -> Iterator[str]:
        """What is queued, as it comes, until the listener is ended, or nothing comes for far too long."""
        while True:
            try:
                text = self._queue.get(timeout=3 * HEARTBEAT_SECONDS)
            except queue.Empty:
                return
            if text is None or self._ended:
                break
            self._taken += 1
            yield text
        if self._last:
            yield self._last

    def end(self, last: str = "") -> None:
        """Forget what is queued, say a last word, and end."""
        self._last, self._ended = last, True
        with suppress(queue.Full):  # What is queued wakes the reader as well.
            self._queue.put_nowait(None)


@dataclass(frozen=True, slots=True)
class _Told:
    """A quote as it was last told, and in which state of the market."""

    quote: Quote
    state: MarketState
    text: str


class Hub:
    """Tells all listeners of one process. A task calls `turn` a few times a second; any thread may join and leave.

    `slots` is how many may listen at once. `encode` writes JSON. `clock` counts seconds, for intervals only.
    """

    def __init__(self, slots: int, encode: Encode, clock: Callable[[], float] = time.monotonic) -> None:
        self.wanted = Signal()  # set while somebody listens
        self._slots = slots
        self._encode = encode
        self._clock = clock
        self._lock = Lock()
        self._listeners: list[Listener] = []
        self._open = False
        self._told: dict[str, _Told] = {}
        self._told_state: MarketState | None = None
        self._due: dict[str, float] = {}
        self._counted: int | None = None
        self._shown: deque[int] = deque(maxlen=10 * ACTIVITY_SHOWN)

    @property
    def count(self) -> int:
        """How many listen now."""
        return len(self._listeners)

    def open(self) -> None:
        """Take listeners from now on."""
        self._open = True

    def close(self) -> None:
        """End all listeners and take no more."""
        self._open = False
        for listener in self._everybody():
            self._drop(listener)

    def join(self, listener: Listener, market: Market) -> None:
        """Begin to listen. The first message, with the market's state and the newest quotes, is queued at once.
        Raises Unavailable when all slots are taken: the page then asks by itself.
        """
        self._forget_gone()  # A page that was left keeps its slot until somebody looks.
        with self._lock:
            of_this_login = Counter(one.login_id for one in self._listeners)[listener.login_id]
            if not self._open or len(self._listeners) >= self._slots or of_this_login >= MOST_OF_ONE_LOGIN:
                raise Unavailable("All live streams are taken. The page asks for news by itself.", code="NO_SLOT")
            self._listeners.append(listener)
            number = None if listener.user_id is None else listener.position
            listener.put(message("quotes", self._quotes_now(listener.tickers, market), number))
            self.wanted.set()

    def leave(self, listener: Listener) -> None:
        """Stop listening. Called again, it does nothing."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)
            if not self._listeners:
                self.wanted.clear()

    def turn(self, session: Session, market: Market, now: datetime) -> None:
        """Tell everybody what is new. `session` only reads; `now` is the wall clock. Prices need no database, so they
        come first.
        """
        self._tell_prices(market)
        if self._is_due("heartbeat", HEARTBEAT_SECONDS):
            self._tell(self._everybody(), message("heartbeat", self._encode(market_view(market.status()))))
        if self._is_due("logins", LOGINS_EVERY_SECONDS):
            self._forget_gone()
            self._drop_stuck()
            self._end_with_logins(session, now)
        self._tell_traders(session)
        if self._is_due("activity", ACTIVITY_EVERY_SECONDS):
            self._tell_admins(session)

    # Prices.

    def _tell_prices(self, market: Market) -> None:
        with self._lock:
            listeners = list(self._listeners)
            state = market.status().state
            fresh = self._fresh_quotes(listeners, market, state)
            turned = state != self._told_state
            self._told_state = state
            if not fresh and not turned:
                return
            described = self._encode(market_view(market.status()))
        for listener in listeners:
            news = {ticker: fresh[ticker] for ticker in listener.tickers if ticker in fresh}
            if news or turned:
                self._tell([listener], message("quotes", _answer(news, described)))

    def _fresh_quotes(self, listeners: Iterable[Listener], market: Market, state: MarketState) -> dict[str, str]:
        """The quotes that changed since they were last told, each written once for all."""
        wanted = {ticker for listener in listeners for ticker in listener.tickers}
        quotes = market.quotes(wanted)
        before = self._told
        self._told = {ticker: self._written(quote, state) for ticker, quote in quotes.items()}
        return {ticker: told.text for ticker, told in self._told.items() if told is not before.get(ticker)}

    def _written(self, quote: Quote, state: MarketState) -> _Told:
        told = self._told.get(quote.ticker)
        if told is not None and told.quote == quote and told.state == state:
            return told
        return _Told(quote, state, self._encode(quote_view(quote, state)))

    def _quotes_now(self, tickers: Iterable[str], market: Market) -> str:
        status = market.status()
        quotes = {ticker: self._written(quote, status.state).text for ticker, quote in market.quotes(tickers).items()}
        return _answer(quotes, self._encode(market_view(status)))

    # Accounts.

    def _tell_traders(self, session: Session) -> None:
        listeners = [one for one in self._everybody() if one.user_id is not None]
        if not listeners:
            return
        numbers = events.newest_numbers(session, {one.user_id for one in listeners if one.user_id is not None})
        for listener in listeners:
            if listener.user_id is not None and numbers.get(listener.user_id, 0) > listener.position and listener.room:
                self._tell_events(session, listener, listener.user_id)

    def _tell_events(self, session: Session, listener: Listener, user_id: int) -> None:
        for event in events.following(session, user_id, listener.position, most=listener.room):
            data = self._event_text(event, {"sequence": event.sequence})
            self._tell([listener], message("account", data, event.sequence))
            listener.position = event.sequence

    def _tell_admins(self, session: Session) -> None:
        """Whether anything happened in any account, and about the newest of it: a hint to look."""
        listeners = [one for one in self._everybody() if one.user_id is None]
        if not listeners:
            self._counted = None
            return
        before, self._counted = self._counted, events.count_all(session)
        if before is None or before == self._counted:
            return
        changes = self._counted - before
        found = [one for one in events.newest(session, min(changes, ACTIVITY_SHOWN)) if one.event_id not in self._shown]
        self._shown.extend(one.event_id for one in found)
        shown = ", ".join(self._event_text(one, {"user_id": one.user_id}) for one in found)
        self._tell(listeners, message("activity", f'{{"changes": {changes}, "events": [{shown}]}}'))

    def _event_text(self, event: Event, head: dict[str, int]) -> str:
        """The event as JSON. Its payload is JSON already."""
        described = self._encode({**head, "kind": event.kind, "created_at": event.created_at})
        return f'{described[:-1]}, "payload": {event.payload}}}'

    # Everybody.

    def _end_with_logins(self, session: Session, now: datetime) -> None:
        listeners = self._everybody()
        alive = logins.living(session, {one.login_id for one in listeners}, now) if listeners else set()
        for listener in listeners:
            if listener.login_id not in alive:
                listener.end(message("end", '{"reason": "login"}'))
                self.leave(listener)

    def _tell(self, listeners: Iterable[Listener], text: str) -> None:
        for listener in listeners:
            if not listener.put(text):
                self._drop(listener)

    def _forget_gone(self) -> None:
        for listener in self._everybody():
            if listener.gone():
                self._drop(listener)

    def _drop_stuck(self) -> None:
        for listener in self._everybody():
            if listener.is_stuck(self._clock()):
                self._drop(listener)

    def _drop(self, listener: Listener) -> None:
        self.leave(listener)
        listener.end()
        listener.cut()

    def _everybody(self) -> list[Listener]:
        with self._lock:
            return list(self._listeners)

    def _is_due(self, what: str, seconds: float) -> bool:
        now = self._clock()
        if now < self._due.get(what, now):
            return False
        self._due[what] = now + seconds
        return True


def _answer(quotes: dict[str, str], market: str) -> str:
    """What /user/api/quotes answers too, of parts that are JSON already."""
    listed = ", ".join(f'"{ticker}": {text}' for ticker, text in quotes.items())
    return f'{{"data": {{{listed}}}, "market": {market}}}'
