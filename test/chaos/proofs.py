"""What must hold after a crash: what was acknowledged is there as it was acknowledged, everything else is there once or
not at all, and the books are right.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Engine, func, select

from chaos.load import ORDER, Intention, Load, Trader
from chaos.server import Server
from chaos.waiting import until
from models import FundTransaction, IdempotencyKey, Order
from services.accounts.verify import verify_books
from services.idempotency import RequestKey

REQUESTS = ("/user/api/deposit", "/user/api/withdraw")


def require_clean_books(engine: Engine) -> None:
    """Every check of `flask ledger verify`, on a server in use."""
    report = verify_books(engine)
    assert report.ok, report.violations


def require_clean_by_command(server: Server) -> None:
    """The command itself, with the server's own configuration."""
    done = server.flask("ledger", "verify", "--json")
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-2000:]}"


def require_same_answers(traders: Iterable[Trader], latest: int) -> int:
    """Send each trader's latest acknowledged intentions again: byte for byte the same answers. Returns how many."""
    repeated = 0
    for trader in traders:
        for intention in [known for known in trader.log if known.answer is not None][-latest:]:
            reply = trader.send(intention)
            assert (reply.status, reply.body) == (200, intention.answer), (intention, reply)
            repeated += 1
    return repeated


class Rows:
    """The rows that people's intentions make, less those that were there before anybody began."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._requests_before = self._numbers(FundTransaction.transaction_id)

    def require_exactly(self, load: Load) -> None:
        """Every acknowledged intention has its one row and its stored answer; no other intention has left any."""
        done = [intention for intention in load.intentions() if intention.answer is not None]
        assert self._numbers(Order.order_id) == _numbers_in(done, (ORDER,), "order_id")
        requests = self._numbers(FundTransaction.transaction_id) - self._requests_before
        assert requests == _numbers_in(done, REQUESTS, "transaction_id")
        told = {_hash(intention): _plain(intention.answer) for intention in done}
        assert len(told) == len(done)
        assert self._answers() == told

    def open_orders(self, of: Iterable[int]) -> int:
        """How many of these orders are still open."""
        query = select(func.count()).where(
            Order.order_id.in_(list(of)), Order.order_status.in_(("pending", "partially_filled"))
        )
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def _numbers(self, column: Any) -> set[int]:
        with self._engine.connect() as connection:
            return set(connection.execute(select(column)).scalars())

    def _answers(self) -> dict[str, Any]:
        with self._engine.connect() as connection:
            rows = connection.execute(select(IdempotencyKey.key_hash, IdempotencyKey.answer))
            return {key_hash: json.loads(answer) for key_hash, answer in rows}


def leave_resting_orders(trader: Trader) -> list[int]:
    """Orders on both sides of the price, so near that one of them is reached soon. Returns those that rest now; none
    when the price ran over them at once, or an order that filled in part stands in the way.
    """
    trader.cancel_all()
    left = []
    for intention in trader.near_the_price():
        reply = trader.want(intention)
        assert reply.status == 200 or reply.json()["code"] == "CROSSES_OWN_ORDER", reply
        if reply.status == 200 and reply.json()["order_status"] == "pending":
            left.append(reply.json()["order_id"])
    return left


def require_resting_orders_go_on(rows: Rows, left: list[int]) -> None:
    """The order processor goes on with orders that rested before."""
    if left:
        until("an order that rested before is filled", lambda: rows.open_orders(left) < len(left), 60)


def _numbers_in(done: Iterable[Intention], paths: tuple[str, ...], name: str) -> set[int]:
    numbers = [_plain(intention.answer)[name] for intention in done if intention.path in paths]
    assert len(numbers) == len(set(numbers)), "two intentions were told the same row"
    return set(numbers)


def _plain(answer: bytes | None) -> dict[str, Any]:
    """The service's answer in the reply's body."""
    fields: dict[str, Any] = json.loads(answer or b"{}")
    assert fields.pop("success") is True
    return fields


def _hash(intention: Intention) -> str:
    return RequestKey.of(actor="", key=intention.key, endpoint="", body=b"").key_hash
