"""Flask-Login, tied to the rows of the table `login`: the cookie carries a login's token, never a user's number."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import request, session
from flask_login import LoginManager, current_user, login_user, logout_user

from auth.roles import role_may
from models import db
from services import logins
from services.errors import DomainError
from services.logins import SEEN_EVERY, Identity, Visit
from services.transaction import run_unit
from utils.datetime_utils import utc_now

if TYPE_CHECKING:
    from flask import Flask

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """`current_user` of somebody who is logged in: a trader or an admin, as plain values."""

    identity: Identity
    token: str

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """What Flask-Login keeps in the session cookie."""
        return self.token

    @property
    def id(self) -> int:
        """The user_id of a trader, the admin_id of an admin."""
        return self.identity.id

    @property
    def name(self) -> str:
        return self.identity.name

    @property
    def is_admin(self) -> bool:
        return self.identity.is_admin

    @property
    def login_id(self) -> int:
        return self.identity.login_id

    @property
    def last_login_at(self) -> datetime | None:
        return self.identity.last_login_at

    @property
    def must_change_password(self) -> bool:
        return self.identity.must_change_password

    @property
    def role(self) -> str | None:
        """An admin's role; None for a trader."""
        return self.identity.role

    def may(self, permission: str) -> bool:
        """Whether this admin's role has the permission. Traders have none."""
        return role_may(self.role, permission)

    @property
    def actor(self) -> str:
        """The name under which idempotency keys know this one."""
        return f"{'admin' if self.is_admin else 'user'}:{self.id}"


class Anonymous:
    """`current_user` of everybody else."""

    is_authenticated = False
    is_active = False
    is_anonymous = True
    is_admin = False
    must_change_password = False
    name = ""
    role = None

    def get_id(self) -> None:
        return None

    def may(self, _permission: str) -> bool:
        return False


def init_login_manager(app: Flask) -> None:
    """Let Flask-Login find the current user of each request."""
    manager = LoginManager(app)
    manager.anonymous_user = Anonymous
    # It only tells browsers apart by address and name, which change on the move; logins are random and can be ended.
    manager.session_protection = None
    manager.user_loader(load_user)


def load_user(token: str) -> LoggedIn | None:
    """Who is logged in with the token of the cookie, or None: one query, in a read that is closed at once, so that
    what the request reads or writes later sees the books as they are then.
    """
    now = utc_now()
    identity = logins.find(db.session, token, now)  # type: ignore[arg-type]  # the scoped session acts as the session
    db.session.close()
    if identity is None:
        return None
    if identity.last_seen_at < now - SEEN_EVERY:
        _note_use(identity, now)
    return LoggedIn(identity, token)


def start_login(token: str) -> None:
    """Make the browser carry a new login. The one it carried before ends; whatever else the session held is dropped,
    the CSRF token too.
    """
    if current_user.is_authenticated:
        run_unit(logins.end, current_user.login_id, utc_now())
    session.clear()
    session.permanent = True
    user = load_user(token)
    assert user is not None, "a login that was just stored cannot be missing"
    login_user(user)


def end_login(user: Any) -> None:
    """End the login on the server, whatever copies of the cookie there are, and in this browser."""
    run_unit(logins.end, user.login_id, utc_now())
    logout_user()
    session.clear()


def this_visit() -> Visit:
    """Where the current request comes from."""
    return Visit(
        address=request.remote_addr or "",
        user_agent=request.user_agent.string,
        now=utc_now(),
    )


def _note_use(identity: Identity, now: datetime) -> None:
    try:
        run_unit(logins.touch, identity.login_id, now)
    except DomainError as error:
        # A busy database must not turn a page away only because the time of the last use could not be noted.
        logger.warning("last use of login:%d not noted: %s", identity.login_id, error)
