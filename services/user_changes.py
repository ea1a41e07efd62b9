"""What admins change of traders: new ones, name and address, suspension, account state, password. Nothing is deleted:
the journal refers to every trader for good.

Each function is a unit for `run_unit` that locks the trader's account first, so that no order is accepted meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from models import User
from services import audit, logins, password_links, users
from services.accounts import adjustments, ledger
from services.accounts.ledger import Books
from services.audit import Actor, Subject
from services.errors import Conflict, InvalidInput
from services.idempotency import Answer, RequestKey, once
from services.market.market import Market
from services.user_lists import TRADING_STATES, no_such_user
from services.users import NewUser, identity_key
from utils.datetime_utils import Clock, utc_now
from utils.passwords import NO_PASSWORD

Effect = Callable[[Books, User], Answer]


@dataclass(frozen=True, slots=True)
class Names:
    """A trader's name and e-mail address, checked."""

    name: str
    email: str


def parse_names(fields: Mapping[str, object]) -> Names:
    """Check the fields user_name and user_email. Raises InvalidInput by field."""
    texts = {name: fields.get(name, "") for name in ("user_name", "user_email")}
    name, email = (text.strip() if isinstance(text, str) else "" for text in texts.values())
    users.refuse({"user_name": users.name_faults(name), "user_email": users.email_faults(email)})
    return Names(name, email)


def parse_state(value: object) -> str:
    """Check an account state. Raises InvalidInput."""
    if value not in TRADING_STATES:
        raise InvalidInput({"trading_state": [f"must be one of {', '.join(TRADING_STATES)}"]})
    return str(value)


def create(
    session: Session,
    names: Names,
    balance: Decimal,
    link_seed: bytes,
    actor: Actor,
    *,
    market: Market,
    key: RequestKey | None = None,
    clock: Clock = utc_now,
) -> Answer:
    """Make a trader who has no password yet: it is set by the link whose token `link_seed` gives for the name's key
    (see password_links). Raises InvalidInput by field when name or address is taken.
    """

    def effect() -> Answer:
        user_id = make(session, names, NO_PASSWORD, balance, actor, market, clock)
        now = clock()
        token = password_links.token_for(link_seed, identity_key(names.name))
        expires = password_links.store(session, token, now, password_links.INVITATION_LIFE, user_id=user_id)
        return {
            "message": f"{names.name} was added. Hand over the link: it is shown only now.",
            "user_id": user_id,
            "link_name": identity_key(names.name),
            "expires_at": expires.isoformat(),
        }

    return audit.once_as(session, actor, key, effect)


def make(
    session: Session, names: Names, password_hash: str, balance: Decimal, actor: Actor, market: Market, clock: Clock
) -> int:
    """Part of a unit: a new trader with a balance, noted in the audit log. Answers the user_id."""
    keys = (identity_key(names.name), identity_key(names.email))
    user_id = users.create(session, NewUser(names.name, names.email, *keys, password_hash))
    books = ledger.lock_account(session, user_id, clock(), market.now())
    adjustments.give_first_balance(books, user_id, balance)
    after = {"user_name": names.name, "user_email": names.email, "available_balance": books.accounts[user_id].available}
    _audit(books, user_id, actor, "create_user", None, after)
    return user_id


def edit(
    session: Session,
    user_id: int,
    names: Names,
    actor: Actor,
    *,
    market: Market,
    key: RequestKey | None = None,
    clock: Clock = utc_now,
) -> Answer:
    """Change a trader's name and e-mail address. Raises InvalidInput by field when one is taken or nothing differs."""

    def effect(books: Books, user: User) -> Answer:
        before = {"user_name": user.user_name, "user_email": user.user_email}
        after = {"user_name": names.name, "user_email": names.email}
        changed = {name for name in after if after[name] != before[name]}
        if not changed:
            raise InvalidInput({"": ["Nothing was changed."]})
        users.rename(session, user, names.name, names.email)
        old, new = ({name: values[name] for name in sorted(changed)} for values in (before, after))
        _audit(books, user_id, actor, "edit_user", old, new)
        return {"message": f"{names.name} was saved.", "user_id": user_id}

    return _unit(session, user_id, effect, market, key, clock)


def set_status(
    session: Session,
    user_id: int,
    status: str,
    reason: str | None,
    actor: Actor,
    *,
    market: Market,
    key: RequestKey | None = None,
    clock: Clock = utc_now,
) -> Answer:
    """Suspend a trader, whose logins and streams end at once, or activate one. Raises Conflict when nothing changes."""

    def effect(books: Books, user: User) -> Answer:
        if user.account_status == status:
            raise Conflict(f"{user.user_name} is {status} already.", code="NO_CHANGE", details={"status": status})
        before, user.account_status = {"account_status": user.account_status}, status
        ended = logins.end_all(session, books.wall_time, user_id=user_id) if status == "suspended" else 0
        action = "suspend_user" if status == "suspended" else "activate_user"
        _audit(books, user_id, actor, action, before, {"account_status": status, "logins_ended": ended}, reason)
        more = f" {ended} open logins ended." if ended else ""
        return {"message": f"{user.user_name} is {status} now.{more}", "user_id": user_id, "account_status": status}

    return _unit(session, user_id, effect, market, key, clock)


def set_trading_state(
    session: Session,
    user_id: int,
    state: str,
    reason: str,
    actor: Actor,
    *,
    market: Market,
    key: RequestKey | None = None,
    clock: Clock = utc_now,
) -> Answer:
    """Let a trader trade, only sell (reducing) or only cancel (halted). Raises Conflict when it is so already."""

    def effect(books: Books, user: User) -> Answer:
        if user.trading_state == state:
            raise Conflict(
                f"{user.user_name}'s account is {state} already.", code="NO_CHANGE", details={"state": state}
            )
        before, user.trading_state = {"trading_state": user.trading_state}, state
        books.record(user_id, "trading_state", json.dumps({"trading_state": state, "remark": reason}))
        books.write()
        _audit(books, user_id, actor, "set_trading_state", before, {"trading_state": state}, reason)
        return {"message": f"{user.user_name}'s account is {state} now.", "user_id": user_id, "trading_state": state}

    return _unit(session, user_id, effect, market, key, clock)


def reset_password(
    session: Session,
    user_id: int,
    link_seed: bytes,
    actor: Actor,
    *,
    market: Market,
    life: timedelta = password_links.RESET_LIFE,
    key: RequestKey | None = None,
    clock: Clock = utc_now,
) -> Answer:
    """Void a trader's password and logins; a new one is set by the link whose token `link_seed` gives for the answer's
    link_name.
    """

    def effect(books: Books, user: User) -> Answer:
        user.user_password = NO_PASSWORD
        ended = logins.end_all(session, books.wall_time, user_id=user_id)
        token = password_links.token_for(link_seed, user.name_key)
        expires = password_links.store(session, token, books.wall_time, life, user_id=user_id)
        after = {"password": "link made", "link_expires_at": expires, "logins_ended": ended}
        _audit(books, user_id, actor, "reset_password", {"password": "set by the trader"}, after)
        return {
            "message": f"{user.user_name} can set a new password by the link. It is shown only now.",
            "user_id": user_id,
            "link_name": user.name_key,
            "expires_at": expires.isoformat(),
        }

    return _unit(session, user_id, effect, market, key, clock)


def _unit(
    session: Session, user_id: int, effect: Effect, market: Market, key: RequestKey | None, clock: Clock
) -> Answer:
    books = ledger.lock_account(session, user_id, clock(), market.now())
    return once(session, key, lambda: effect(books, _user(session, user_id)))


def _user(session: Session, user_id: int) -> User:
    user = session.get(User, user_id, with_for_update=True, populate_existing=True)
    if user is None:
        raise no_such_user(user_id)
    return user


def _audit(
    books: Books,
    user_id: int,
    actor: Actor,
    action: str,
    before: Mapping[str, object] | None,
    after: Mapping[str, object],
    reason: str | None = None,
) -> None:
    subject = Subject("user", user_id, user_id)
    audit.record(books.session, actor, action, subject, before=before, after=after, now=books.wall_time, reason=reason)
