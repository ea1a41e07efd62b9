"""Deciding about many requests to deposit and withdraw at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from config import Config
from services import batches
from services.accounts import funds
from services.audit import Actor
from services.idempotency import Answer, RequestKey
from services.market.market import Market
from services.transaction import run_unit


def approve_many(
    numbers: Sequence[int], actor: Actor, *, market: Market, config: Config, key: RequestKey | None
) -> dict[str, Any]:
    """Approve each of these requests, as `funds.approve` does, and answer the summary of services/batches.py."""

    def approve(number: int, own_key: RequestKey | None) -> Answer:
        owner = run_unit(funds.owner_of, number)
        return run_unit(funds.approve, owner, number, actor, market=market, config=config, key=own_key)

    return batches.decide_each(numbers, "approved", key, approve)


def reject_many(
    numbers: Sequence[int], actor: Actor, reason: str, *, market: Market, key: RequestKey | None
) -> dict[str, Any]:
    """Reject each of these requests with the same reason, and answer the summary."""

    def reject(number: int, own_key: RequestKey | None) -> Answer:
        owner = run_unit(funds.owner_of, number)
        return run_unit(funds.reject, owner, number, actor, reason, market=market, key=own_key)

    return batches.decide_each(numbers, "rejected", key, reject)
