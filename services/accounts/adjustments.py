"""Cash and shares that an admin gives or takes by hand, with a reason, in the journal and in the audit log."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from services import audit
from services.accounts import ledger
from services.accounts.ledger import Books
from services.audit import Actor, Subject
from services.errors import InvalidInput, Refused
from services.idempotency import Answer, RequestKey, once
from services.market import instruments
from services.market.market import Market
from utils.datetime_utils import Clock, utc_now
from utils.number_utils import CENT, ZERO, decimal_places, parse_decimal, round_money

LARGEST_ADJUSTMENT = Decimal("1000000000.00")
LARGEST_SHARES = 10_000_000
LARGEST_PRICE = Decimal("1000000")
STARTING_BALANCE = "Starting balance"


def parse_change(value: object) -> Decimal:
    """Read an amount of dollars to give, or with a minus to take. Raises InvalidInput that names the field."""
    try:
        amount = parse_decimal(value)
        if not amount or abs(amount) > LARGEST_ADJUSTMENT:
            raise ValueError(f"must be up to {LARGEST_ADJUSTMENT:,}, with a minus to take it away, and not 0")
        if decimal_places(amount) > 2:
            raise ValueError("must be in whole cents")
    except ValueError as error:
        raise InvalidInput({"amount": [str(error)]}) from error
    return amount.quantize(CENT)


def parse_shares(value: object) -> int:
    """Read a number of shares to give, or with a minus to take. Raises InvalidInput that names the field."""
    text = str(value).strip() if isinstance(value, int | str | Decimal) and not isinstance(value, bool) else ""
    digits = text.removeprefix("-").removeprefix("−")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9 and 0 < int(digits) <= LARGEST_SHARES):
        raise InvalidInput(
            {
                "quantity": [
                    f"must be a whole number up to {LARGEST_SHARES:,}, with a minus to take them away, and not 0"
                ]
            }
        )
    return -int(digits) if text != digits else int(digits)


def adjust_cash(
    session: Session,
    user_id: int,
    amount: Decimal,
    reason: str,
    actor: Actor,
    *,
    market: Market,
    key: RequestKey | None = None,
    clock: Clock = utc_now,
) -> Answer:
    """Unit: give available cash, or take it (a negative amount). Raises Refused when there is not enough to take."""
    books = ledger.lock_account(session, user_id, clock(), market.now())
    return once(session, key, lambda: _adjust_cash(books, user_id, amount, reason, actor))


def _adjust_cash(books: Books, user_id: int, amount: Decimal, reason: str, actor: Actor) -> Answer:
    _move(books, user_id, amount, reason, actor, "adjust_cash")
    books.write()
    done = f"${amount:,} were given" if amount > 0 else f"${-amount:,} were taken"
    return {"message": f"{done}. Available now: ${books.accounts[user_id].available:,}.", "user_id": user_id}


def adjust_shares(
    session: Session,
    user_id: int,
    ticker: str,
    quantity: int,
    price: Decimal | None,
    reason: str,
    actor: Actor,
    *,
    market: Market,
    key: RequestKey | None = None,
    clock: Clock = utc_now,
) -> Answer:
    """Unit: give shares, or take free ones (a negative quantity). Given shares cost `price` each, or what they cost in
    the market now; taken ones leave at their average cost. Raises Refused.
    """
    books = ledger.lock_account(session, user_id, clock(), market.now())
    return once(session, key, lambda: _adjust_shares(books, user_id, ticker, quantity, price, reason, actor, market))


def _adjust_shares(
    books: Books,
    user_id: int,
    ticker: str,
    quantity: int,
    price: Decimal | None,
    reason: str,
    actor: Actor,
    market: Market,
) -> Answer:
    before = _shares(books, user_id, ticker)
    if quantity > 0:
        cost = round_money(_price_of(books.session, ticker, price, market) * quantity)
        books.give_shares(user_id, ticker, quantity, cost, reason)
    else:
        books.take_shares(user_id, ticker, -quantity, reason)
    books.record(user_id, "shares_adjusted", json.dumps({"ticker": ticker, "quantity": quantity, "remark": reason}))
    books.write()
    after = _shares(books, user_id, ticker)
    _audit(books, user_id, actor, "adjust_shares", before, {"ticker": ticker} | after, reason)
    done = f"{quantity:,} {ticker} were given" if quantity > 0 else f"{-quantity:,} {ticker} were taken"
    return {"message": f"{done}. Held now: {after['quantity']:,}.", "user_id": user_id}


def give_to_many(
    session: Session,
    user_ids: Iterable[int],
    amount: Decimal,
    reason: str,
    actor: Actor,
    *,
    market: Market,
    key: RequestKey | None = None,
    clock: Clock = utc_now,
) -> Answer:
    """Unit: give each of these traders the same amount, all or none. Each has a row of its own in the audit log."""
    if amount <= 0:
        raise InvalidInput({"amount": ["must be above 0"]})
    wanted = sorted(set(user_ids))
    books = ledger.lock_accounts(session, wanted, clock(), market.now())
    return once(session, key, lambda: _give_to_many(books, wanted, amount, reason, actor))


def _give_to_many(books: Books, user_ids: list[int], amount: Decimal, reason: str, actor: Actor) -> Answer:
    for user_id in user_ids:
        _move(books, user_id, amount, reason, actor, "give_balance")
    books.write()
    return {"message": f"{so_many(len(user_ids))} got ${amount:,} each.", "given": len(user_ids)}


def so_many(traders: int) -> str:
    return "1 trader" if traders == 1 else f"{traders:,} traders"


def give_first_balance(books: Books, user_id: int, amount: Decimal) -> None:
    """Part of the unit that makes a trader: the balance to begin with."""
    if amount > 0:
        books.adjust_cash(user_id, amount.quantize(CENT), STARTING_BALANCE)
        books.write()


def _move(books: Books, user_id: int, amount: Decimal, reason: str, actor: Actor, action: str) -> None:
    account = books.accounts[user_id]
    before = {"available_balance": account.available}
    books.adjust_cash(user_id, amount, reason)
    books.record(user_id, "cash_adjusted", json.dumps({"amount": float(amount), "remark": reason}))
    _audit(books, user_id, actor, action, before, {"available_balance": account.available}, reason)


def _audit(
    books: Books,
    user_id: int,
    actor: Actor,
    action: str,
    before: dict[str, Any],
    after: dict[str, Any],
    reason: str,
) -> None:
    subject = Subject("user", user_id, user_id)
    audit.record(books.session, actor, action, subject, before=before, after=after, now=books.wall_time, reason=reason)


def _shares(books: Books, user_id: int, ticker: str) -> dict[str, Any]:
    holding = books.holding(user_id, ticker)
    return {"quantity": holding.quantity, "total_cost": holding.total_cost}


def _price_of(session: Session, ticker: str, price: Decimal | None, market: Market) -> Decimal:
    instrument = instruments.find(session, ticker)
    if instrument is None or not instrument.tradable:
        raise Refused(f"{ticker} is not traded here.", code="UNKNOWN_TICKER", details={"ticker": ticker})
    if price is not None:
        return price
    quote = market.quote(ticker)
    if quote is None:
        raise Refused(f"There is no price of {ticker} now: say what a share costs.", code="NO_PRICE")
    return quote.last


def parse_cost(value: object) -> Decimal | None:
    """Read what a given share costs; None when nothing is given. Raises InvalidInput that names the field."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        price = parse_decimal(value.strip() if isinstance(value, str) else value)
        if not ZERO <= price <= LARGEST_PRICE or decimal_places(price) > 4:
            raise ValueError(f"must be from 0 to {LARGEST_PRICE:,} with at most 4 places")
    except ValueError as error:
        raise InvalidInput({"price": [str(error)]}) from error
    return price
