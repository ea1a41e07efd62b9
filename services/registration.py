"""Registration by the traders themselves: open, by invitation, or closed, and the balance everybody begins with."""

from __future__ import annotations

import hmac

from sqlalchemy.orm import Session

from config import Config
from services import users, venue_settings
from services.accounts import adjustments, ledger
from services.errors import Forbidden, InvalidInput
from services.market.market import Market
from services.users import NewUser
from utils.datetime_utils import Clock, utc_now


def mode(session: Session, config: Config) -> str:
    """open, invitation or closed."""
    return venue_settings.effective(session, config).registration


def require_open(session: Session, config: Config, code: str) -> None:
    """Raise Forbidden while registration is closed, and InvalidInput for a wrong invitation code."""
    _require(venue_settings.effective(session, config), code)


def register(
    session: Session, new_user: NewUser, code: str, *, market: Market, config: Config, clock: Clock = utc_now
) -> int:
    """Unit: a new trader with the starting balance in force. Returns the user_id. Raises as `require_open` and
    `users.create` do.
    """
    in_force = venue_settings.effective(session, config)
    _require(in_force, code)
    user_id = users.create(session, new_user)
    if in_force.starting_balance:
        books = ledger.lock_account(session, user_id, clock(), market.now())
        adjustments.give_first_balance(books, user_id, in_force.starting_balance)
    return user_id


def _require(in_force: Config, code: str) -> None:
    if in_force.registration == "closed":
        raise Forbidden("Registration is closed. Ask an admin for an account.", code="REGISTRATION_CLOSED")
    right = in_force.invitation_code or ""
    if in_force.registration == "invitation" and not (
        right and hmac.compare_digest(code.strip().encode(), right.encode())
    ):
        raise InvalidInput({"invitation_code": ["is wrong: ask your teacher or admin for it"]})
