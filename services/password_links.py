"""Links by which somebody sets a password, once: after a reset by an admin, and for accounts that an admin made.

The database keeps only a hash of the link's token. Whoever makes a link brings a `seed`: the same seed and person give
the same token, so that a repeated request can show the same link again although nobody stored it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from models import Admin, PasswordLink, User
from services import logins, users
from services.errors import NotFound
from services.transaction import run_unit
from utils.passwords import hash_password

RESET_LIFE = timedelta(days=1)
INVITATION_LIFE = timedelta(days=14)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LinkOwner:
    """Whose password a link sets."""

    link_id: int
    name: str
    user_id: int | None
    admin_id: int | None


def token_for(seed: bytes, who: str) -> str:
    """The token of somebody's link: 256 bits that nobody can guess without the seed."""
    digest = hmac.new(seed, who.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def store(
    session: Session,
    token: str,
    now: datetime,
    life: timedelta,
    *,
    user_id: int | None = None,
    admin_id: int | None = None,
) -> datetime:
    """Part of a unit: make a link good for `life`, void older ones of the same person, and return when it expires."""
    owner = PasswordLink.user_id == user_id if user_id is not None else PasswordLink.admin_id == admin_id
    session.execute(update(PasswordLink).where(owner, PasswordLink.ended_at.is_(None)).values(ended_at=now))
    expires_at = now + life
    session.add(
        PasswordLink(
            token_hash=logins.hash_token(token),
            user_id=user_id,
            admin_id=admin_id,
            created_at=now,
            expires_at=expires_at,
        )
    )
    session.flush()
    return expires_at


def find(session: Session, token: str, now: datetime) -> LinkOwner:
    """Whose link it is. Raises NotFound when it never was one, was used or replaced, or has expired."""
    query = (
        select(PasswordLink, User.user_name, Admin.admin_name)
        .outerjoin(User, User.user_id == PasswordLink.user_id)
        .outerjoin(Admin, Admin.admin_id == PasswordLink.admin_id)
        .where(
            PasswordLink.token_hash == logins.hash_token(token),
            PasswordLink.ended_at.is_(None),
            PasswordLink.expires_at > now,
        )
    )
    row = session.execute(query).one_or_none()
    if row is None:
        raise _void()
    link, user_name, admin_name = row
    return LinkOwner(link.link_id, user_name or admin_name, link.user_id, link.admin_id)


def set_password(session: Session, token: str, fields: Mapping[str, str], now: datetime) -> LinkOwner:
    """Set the password by the form's fields (new_password, confirm_password), end the person's logins and void the
    link. `session` only reads, and is closed before the password is hashed. Raises NotFound, and InvalidInput by field.
    """
    owner = find(session, token, now)
    session.close()
    new = fields.get("new_password", "")
    users.refuse(
        {
            "new_password": users.password_faults(new),
            "confirm_password": users.confirmation_faults(new, fields.get("confirm_password", "")),
        }
    )
    run_unit(use, owner, hash_password(new), now)
    return owner


def use(session: Session, owner: LinkOwner, password_hash: str, now: datetime) -> None:
    """Unit: store the password of a link that is still good. Raises NotFound when somebody was quicker."""
    ending = (
        update(PasswordLink)
        .where(PasswordLink.link_id == owner.link_id, PasswordLink.ended_at.is_(None))
        .values(ended_at=now)
        .execution_options(synchronize_session=False)
    )
    if cast("CursorResult[Any]", session.execute(ending)).rowcount == 0:
        raise _void()
    if owner.user_id is not None:
        session.execute(update(User).where(User.user_id == owner.user_id).values(user_password=password_hash))
    else:
        values = {"admin_password": password_hash, "must_change_password": False}
        session.execute(update(Admin).where(Admin.admin_id == owner.admin_id).values(values))
    logins.end_all(session, now, user_id=owner.user_id, admin_id=owner.admin_id)
    logger.info("password set by a link: link:%d", owner.link_id)


def _void() -> NotFound:
    return NotFound("This link was used, replaced or has expired. Ask an admin for a new one.", code="LINK_VOID")
