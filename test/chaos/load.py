"""Traders who post orders, cancels and requests as fast as they are answered, and remember what they were told."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

from chaos.browser import CONNECTION_LOST, Browser, Reply
from chaos.waiting import pause, until

TICKERS = ("AAPL", "MSFT", "IBM")
ORDER = "/user/api/create_order"
ANSWERS_WITHIN = 60


@dataclass(slots=True)
class Intention:
    """One thing that a trader wants, once, under one key. `answer` is the first answer that said it was done, `code`
    the refusal that said it was not; while both are None, nobody knows.
    """

    path: str
    fields: dict[str, Any]
    key: str = field(default_factory=lambda: str(uuid4()))
    answer: bytes | None = None
    code: str | None = None

    @property
    def is_open(self) -> bool:
        return self.answer is None and self.code is None


class Trader:
    """One trader with a log of own intentions. Not for several threads at once."""

    def __init__(self, browser: Browser, dice: random.Random) -> None:
        self.browser = browser
        self.log: list[Intention] = []
        self.away = 0  # answers 503
        self.faults: list[str] = []  # answers that must never be given
        self._dice = dice
        self._resting: list[int] = []
        self._prices: dict[str, dict[str, float]] = {}

    def look_at_prices(self) -> None:
        reply = self.browser.get(f"/user/api/quotes?tickers={','.join(TICKERS)}")
        assert reply.status == 200, reply
        self._prices = reply.json()["data"]

    def want(self, intention: Intention) -> Reply:
        """Note an intention and post it."""
        self.log.append(intention)
        return self.send(intention)

    def rest_far_away(self) -> int:
        """Leave a buy far below the price. Returns its number."""
        limit = f"{self._prices[TICKERS[0]]['price'] * 0.8:.2f}"
        ticket = {"ticker": TICKERS[0], "order_type": "buy", "execution_type": "limit", "quantity": 1, "price": limit}
        reply = self.want(Intention(ORDER, ticket))
        assert reply.json()["order_status"] == "pending", reply
        number: int = reply.json()["order_id"]
        return number

    def cancel_all(self) -> None:
        """Cancel whatever was told to rest and may still do so."""
        while self._resting:
            self.want(Intention(f"/user/orders/{self._resting.pop()}/cancel", {}))

    def trade_until(self, stop: threading.Event, patient: bool) -> None:
        """Go on until told to stop. At a lost connection, with which the server died, leave the intention open and
        end; a patient trader asks again under the same key while the answer is 503.
        """
        try:
            while not stop.is_set():
                intention = self._next()
                self.want(intention)
                while intention.is_open and patient and not stop.is_set():
                    pause(0.05)
                    self.send(intention)
        except CONNECTION_LOST as error:
            if patient:
                self.faults.append(f"the server hung up: {error!r}")

    def send(self, intention: Intention) -> Reply:
        """Post it, and note what came back."""
        reply = self.browser.post(intention.path, intention.fields, intention.key)
        if reply.status == 200:
            self._note_answer(intention, reply)
        elif reply.status == 503:
            self.away += 1
            if not reply.request_id or reply.json().get("request_id") != reply.request_id:
                self.faults.append(f"503 without a request id: {reply}")
        elif reply.status < 500 and reply.status != 429:
            intention.code = reply.json()["code"]
        else:
            self.faults.append(f"{intention.path} answered {reply}")
        return reply

    def settle(self) -> int:
        """Ask again under the keys that nobody answered, until it is known what became of them. Returns how many."""
        unknown = [intention for intention in self.log if intention.is_open]
        for intention in unknown:
            until(f"an answer to {intention}", partial(self._ask_again, intention), ANSWERS_WITHIN)
        return len(unknown)

    def _ask_again(self, intention: Intention) -> bool:
        self.send(intention)
        return not intention.is_open

    def _note_answer(self, intention: Intention, reply: Reply) -> None:
        if intention.answer not in (None, reply.body):
            self.faults.append(f"{intention} was answered differently: {reply.body!r}")
        first = intention.answer is None
        intention.answer = reply.body
        answer = reply.json()
        if first and answer.get("order_status") in ("pending", "partially_filled"):
            self._resting.append(answer["order_id"])

    def _next(self) -> Intention:
        kind = self._dice.random()
        if kind < 0.08 and self._resting:
            order_id = self._resting.pop(self._dice.randrange(len(self._resting)))
            return Intention(f"/user/orders/{order_id}/cancel", {})
        if kind < 0.13:
            return Intention("/user/api/deposit", {"amount": f"{self._dice.randint(1, 99999) / 100:.2f}"})
        if kind < 0.18:
            return Intention("/user/api/withdraw", {"amount": f"{self._dice.randint(1, 999) / 100:.2f}"})
        return Intention(ORDER, self._ticket())

    def near_the_price(self) -> list[Intention]:
        """A buy just below the price and a sell just above, of one share that is bought first."""
        self.look_at_prices()
        ticker, price = TICKERS[0], self._prices[TICKERS[0]]["price"]
        ticket = {"ticker": ticker, "quantity": 1}
        limits = (("buy", price * 0.9995), ("sell", price * 1.0005))
        first = Intention(ORDER, {**ticket, "order_type": "buy", "execution_type": "market"})
        resting = [
            Intention(ORDER, {**ticket, "order_type": side, "execution_type": "limit", "price": f"{limit:.2f}"})
            for side, limit in limits
        ]
        return [first, *resting]

    def _ticket(self) -> dict[str, Any]:
        """Market orders, limits far away that rest, and limits so near that the order processor fills them soon."""
        ticker = self._dice.choice(TICKERS)
        side = self._dice.choice(("buy", "buy", "sell"))
        ticket: dict[str, Any] = {"ticker": ticker, "order_type": side, "quantity": self._dice.randint(1, 9)}
        distance = self._dice.choice((None, 0.001, 0.2))
        if distance is None:
            return {**ticket, "execution_type": "market"}
        price = self._prices[ticker]["price"] * (1 - distance if side == "buy" else 1 + distance)
        return {**ticket, "execution_type": "limit", "price": f"{price:.2f}"}


class Load:
    """Many traders, each in a thread of its own while the load runs."""

    def __init__(self, traders: Sequence[Trader], quiet: Sequence[Trader] = ()) -> None:
        self.traders = traders
        self._everybody = [*traders, *quiet]  # the quiet ones only do what a test asks of them

    @contextmanager
    def running(self, patient: bool = False) -> Iterator[None]:
        """Trade in the background. Afterwards every trader has got its last answer, or lost its connection."""
        stop = threading.Event()
        threads = [threading.Thread(target=trader.trade_until, args=(stop, patient)) for trader in self.traders]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(120)
            for trader in self._everybody:
                trader.browser.close()  # whatever serves next must be asked anew
        assert not any(thread.is_alive() for thread in threads)

    def wait_for_answers(self, more: int) -> None:
        """Wait until so many more intentions are answered."""
        wanted = self.answered() + more
        until(f"{more} more answers", lambda: self.answered() >= wanted, ANSWERS_WITHIN)

    def intentions(self) -> list[Intention]:
        return [intention for trader in self._everybody for intention in list(trader.log)]

    def answered(self) -> int:
        """How many intentions were acknowledged."""
        return sum(1 for intention in self.intentions() if intention.answer is not None)

    def away(self) -> int:
        return sum(trader.away for trader in self._everybody)

    def settle(self) -> int:
        return sum(trader.settle() for trader in self._everybody)

    def faults(self) -> list[str]:
        return [fault for trader in self._everybody for fault in trader.faults]
