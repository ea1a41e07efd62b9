"""The same amount for everybody: in units of some hundred accounts each, so that no lock lasts long."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from itertools import groupby

from services.accounts import adjustments
from services.audit import Actor
from services.errors import InvalidInput
from services.idempotency import Answer, RequestKey
from services.market.market import Market
from services.transaction import run_unit

RANGE = 500  # numbers of traders that one unit covers


def give_to_everybody(
    user_ids: Iterable[int], amount: Decimal, reason: str, actor: Actor, *, market: Market, key: RequestKey | None
) -> Answer:
    """Give each of these traders the amount. What was given before an obstacle stays; the request with the same key
    goes on from there, and gives nobody twice: a unit covers a fixed range of numbers, under a key of its own.
    """
    if amount <= 0:
        raise InvalidInput({"amount": ["must be above 0"]})
    given = 0
    for number, members in groupby(sorted(set(user_ids)), lambda user_id: user_id // RANGE):
        own_key = None if key is None else replace(key, key=f"{key.key}#{number}")
        answer = run_unit(adjustments.give_to_many, list(members), amount, reason, actor, market=market, key=own_key)
        given += answer["given"]
    return {"message": f"{adjustments.so_many(given)} got ${amount:,} each.", "given": given}
