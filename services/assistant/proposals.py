"""Order proposals: the assistant drafts, the trader decides. A draft stores nothing in the books; its card shows what
the ticket's own preview says, and a confirmation places exactly that order, once, within two minutes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from config import Config
from models import ChatProposal
from services.accounts import ledger
from services.assistant.arguments import Arguments
from services.assistant.sources import plain
from services.errors import Conflict, NotFound, Refused
from services.idempotency import RequestKey, once
from services.market.market import Market
from services.trading import orders, preview
from services.trading.tickets import OrderTicket, parse_ticket
from utils.datetime_utils import Clock, iso_utc, utc_now

if TYPE_CHECKING:
    from services.assistant.toolbox import Asker

GOOD_FOR = timedelta(minutes=2)

# What a draft may say; the rest of a ticket (icebergs, brackets) is for the desk.
FIELDS = (
    "ticker",
    "order_type",
    "execution_type",
    "quantity",
    "price",
    "stop_price",
    "trail_amount",
    "trail_percent",
    "time_in_force",
)
SHOWN = (
    "worst_case_cost",
    "commission",
    "estimated_price",
    "available_balance",
    "available_after",
    "free_quantity",
    "when",
    "opens_at",
    "expires_at",
    "profile",
    "warnings",
    "refused",
)


@dataclass(frozen=True, slots=True)
class Draft:
    """An order that was drafted in an answer: its fields, and what the preview said of it. Plain JSON, both."""

    ticket: Mapping[str, Any]
    preview: Mapping[str, Any]


def draft(session: Session, asker: Asker, given: Arguments) -> Draft:
    """Check and preview an order as the ticket does. Raises InvalidInput that names the field."""
    fields = {name: value for name in FIELDS if (value := given.raw(name)) is not None}
    ticket = parse_ticket(fields)
    found = preview.preview(session, asker.user_id, ticket, market=asker.market, config=asker.config, clock=asker.clock)
    return Draft(fields_of(ticket), plain({name: found[name] for name in SHOWN}))


def fields_of(ticket: OrderTicket) -> dict[str, Any]:
    """A ticket as the fields that make it again: prices as exact decimal texts, what is not set left out."""
    columns = asdict(ticket)
    fields = {"order_type" if name == "side" else name: columns[name] for name in columns}
    written = {name: fields[name] for name in FIELDS if fields[name] is not None}
    return {name: format(value, "f") if isinstance(value, Decimal) else value for name, value in written.items()}


def store(session: Session, user_id: int, message_id: int, drafted: Draft, now: datetime) -> int:
    """Part of a unit: keep a draft with its answer. From now on its time runs. Answers its number."""
    row = ChatProposal(
        user_id=user_id,
        message_id=message_id,
        ticket=json.dumps(dict(drafted.ticket), sort_keys=True),
        preview=json.dumps(dict(drafted.preview)),
        created_at=now,
        expires_at=now + GOOD_FOR,
    )
    session.add(row)
    session.flush()
    return row.proposal_id


def view(row: ChatProposal, now: datetime) -> dict[str, Any]:
    """A proposal as its card shows it. `state` is open, expired or confirmed."""
    state = "confirmed" if row.confirmed_at is not None else "expired" if row.expires_at <= now else "open"
    return {
        "proposal_id": row.proposal_id,
        "ticket": json.loads(row.ticket),
        "preview": json.loads(row.preview),
        "state": state,
        "expires_at": iso_utc(row.expires_at),
        "seconds_left": max(0, round((row.expires_at - now).total_seconds())),
        "order_id": row.order_id,
    }


def confirm(
    session: Session,
    user_id: int,
    proposal_id: int,
    fields: Mapping[str, Any],
    *,
    market: Market,
    config: Config,
    key: RequestKey | None = None,
    clock: Clock = utc_now,
) -> dict[str, Any]:
    """Unit: place the proposed order through the same placing as the ticket. `fields` must be exactly the proposal's.

    Raises NotFound for another trader's proposal, Refused when a field differs or the time is over, Conflict when it
    was confirmed before, and whatever placing refuses; then nothing is stored and the proposal stays open.
    """
    books = ledger.lock_account(session, user_id, clock(), market.now())

    def effect() -> dict[str, Any]:
        ticket = _claim(session, user_id, proposal_id, fields, books.wall_time)
        answer = orders.place(session, user_id, ticket, market=market, config=config, clock=clock)
        session.execute(
            update(ChatProposal).where(ChatProposal.proposal_id == proposal_id).values(order_id=answer["order_id"])
        )
        return answer | {"proposal_id": proposal_id}

    return once(session, key, effect)


def _claim(session: Session, user_id: int, proposal_id: int, fields: Mapping[str, Any], now: datetime) -> OrderTicket:
    """Take the proposal, which only one can, and answer its ticket."""
    query = select(ChatProposal).where(ChatProposal.proposal_id == proposal_id, ChatProposal.user_id == user_id)
    row = session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()
    if row is None:
        raise NotFound(f"There is no proposal {proposal_id}.", code="NO_SUCH_PROPOSAL")
    if row.confirmed_at is not None:
        raise Conflict("This proposal was confirmed already.", code="PROPOSAL_USED", details={"order_id": row.order_id})
    if row.expires_at <= now:
        raise Refused("This proposal is older than two minutes. Ask for a new one.", code="PROPOSAL_EXPIRED")
    stored = json.loads(row.ticket)
    if {str(name): str(value) for name, value in fields.items()} != {name: str(stored[name]) for name in stored}:
        raise Refused("This is not the order that was proposed. Nothing was placed.", code="PROPOSAL_DIFFERS")
    taken = (
        update(ChatProposal)
        .where(
            ChatProposal.proposal_id == proposal_id,
            ChatProposal.user_id == user_id,
            ChatProposal.confirmed_at.is_(None),
            ChatProposal.expires_at > now,
        )
        .values(confirmed_at=now)
    )
    if cast("CursorResult[Any]", session.execute(taken)).rowcount != 1:
        raise Conflict("This proposal was confirmed already.", code="PROPOSAL_USED")
    return parse_ticket(stored)
