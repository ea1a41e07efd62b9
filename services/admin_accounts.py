"""The admins themselves: new ones, roles, deactivation, and which trader is the same person. An owner always remains.

Each function is a unit for `run_unit`. An admin who acted once is never deleted: requests, orders and the audit log
name who decided.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import Admin, Login, User
from services import audit, logins, password_links, users
from services.audit import Actor, Subject
from services.errors import Conflict, InvalidInput, NotFound, Refused
from services.idempotency import Answer, RequestKey
from services.paging import AnyRow, Item
from utils.passwords import NO_PASSWORD

ROLES = ("owner", "funds", "support", "read_only")


def list_admins(session: Session) -> list[Item]:
    """Every admin, active ones first, by name, with the trader who is the same person and the number of open logins."""
    open_logins = (
        select(func.count(Login.login_id))
        .where(Login.admin_id == Admin.admin_id, Login.ended_at.is_(None))
        .correlate(Admin)
        .scalar_subquery()
    )
    query = (
        select(Admin, User.user_name, open_logins)
        .outerjoin(User, User.user_id == Admin.user_id)
        .order_by(Admin.deactivated_at.is_not(None), Admin.admin_name)
    )
    return [_item(row) for row in session.execute(query)]


def parse_name(value: object) -> str:
    """Check the name of a new admin. Raises InvalidInput."""
    name = value.strip() if isinstance(value, str) else ""
    users.refuse({"admin_name": users.name_faults(name)})
    return name


def parse_role(value: object) -> str:
    """Check a role. Raises InvalidInput."""
    if value not in ROLES:
        raise InvalidInput({"role": [f"must be one of {', '.join(ROLES)}"]})
    return str(value)


def create(
    session: Session, name: str, role: str, link_seed: bytes, actor: Actor, now: datetime, key: RequestKey | None = None
) -> Answer:
    """Make an admin without a password; it is set by the link whose token `link_seed` gives for the name. Raises
    InvalidInput when the name is taken.
    """

    def effect() -> Answer:
        if session.execute(select(Admin.admin_id).where(Admin.admin_name == name)).first():
            raise InvalidInput({"admin_name": [users.NAME_TAKEN]})
        admin = Admin(admin_name=name, admin_password=NO_PASSWORD, role=role, created_at=now)
        session.add(admin)
        try:
            session.flush()
        except IntegrityError as error:
            raise InvalidInput({"admin_name": [users.NAME_TAKEN]}) from error
        token = password_links.token_for(link_seed, name)
        expires = password_links.store(session, token, now, password_links.INVITATION_LIFE, admin_id=admin.admin_id)
        _audit(session, actor, "create_admin", admin.admin_id, None, {"admin_name": name, "role": role}, now)
        return {
            "message": f"{name} was added. Hand over the link: it is shown only now.",
            "admin_id": admin.admin_id,
            "link_name": name,
            "expires_at": expires.isoformat(),
        }

    return audit.once_as(session, actor, key, effect)


def change_role(
    session: Session, admin_id: int, role: str, actor: Actor, now: datetime, key: RequestKey | None = None
) -> Answer:
    """Give an admin another role. Raises Conflict when it is the same, and Refused for the last owner."""

    def effect(admin: Admin) -> Answer:
        if admin.role == role:
            raise Conflict(f"{admin.admin_name} has this role already.", code="NO_CHANGE")
        if admin.role == "owner":
            _require_another_owner(session, admin)
        before, admin.role = {"role": admin.role}, role
        _audit(session, actor, "change_role", admin_id, before, {"role": role}, now)
        return {"message": f"{admin.admin_name} has the role {role.replace('_', '-')} now.", "admin_id": admin_id}

    return _unit(session, admin_id, effect, actor, key)


def set_active(
    session: Session, admin_id: int, active: bool, actor: Actor, now: datetime, key: RequestKey | None = None
) -> Answer:
    """Close an admin's account, whose logins end at once, or open it again. Raises Conflict when it is so already, and
    Refused for the last owner.
    """

    def effect(admin: Admin) -> Answer:
        if (admin.deactivated_at is None) == active:
            raise Conflict(f"{admin.admin_name} is {'active' if active else 'deactivated'} already.", code="NO_CHANGE")
        if not active and admin.role == "owner":
            _require_another_owner(session, admin)
        admin.deactivated_at = None if active else now
        ended = 0 if active else logins.end_all(session, now, admin_id=admin_id)
        action = "activate_admin" if active else "deactivate_admin"
        after = {"active": active, "logins_ended": ended}
        _audit(session, actor, action, admin_id, {"active": not active}, after, now)
        word = "may log in again" if active else "cannot log in any more"
        return {"message": f"{admin.admin_name} {word}.", "admin_id": admin_id}

    return _unit(session, admin_id, effect, actor, key)


def link_trader(
    session: Session, admin_id: int, user_name: str, actor: Actor, now: datetime, key: RequestKey | None = None
) -> Answer:
    """Say which trader is the same person as an admin, by name or e-mail address; "" for none. Raises InvalidInput."""

    def effect(admin: Admin) -> Answer:
        user_id = users.find_id(session, user_name) if user_name.strip() else None
        if user_name.strip() and user_id is None:
            raise InvalidInput({"user": ["is no trader's name or e-mail address"]})
        if admin.user_id == user_id:
            raise Conflict("It is so already.", code="NO_CHANGE")
        before, admin.user_id = {"user_id": admin.user_id}, user_id
        _audit(session, actor, "link_trader", admin_id, before, {"user_id": user_id}, now)
        return {
            "message": f"{admin.admin_name} is trader {user_id}, and never decides that trader's requests."
            if user_id
            else f"{admin.admin_name} is no trader.",
            "admin_id": admin_id,
        }

    return _unit(session, admin_id, effect, actor, key)


def reset_password(
    session: Session, admin_id: int, link_seed: bytes, actor: Actor, now: datetime, key: RequestKey | None = None
) -> Answer:
    """Void an admin's password and logins; a new one is set by the link whose token `link_seed` gives for the name."""

    def effect(admin: Admin) -> Answer:
        if admin.admin_id == actor.admin_id:
            raise Refused("Change your own password under your name.", code="OWN_PASSWORD")
        admin.admin_password = NO_PASSWORD
        admin.login_attempts, admin.locked_until = 0, None
        ended = logins.end_all(session, now, admin_id=admin_id)
        token = password_links.token_for(link_seed, admin.admin_name)
        expires = password_links.store(session, token, now, password_links.RESET_LIFE, admin_id=admin_id)
        before, after = {"password": "set by the admin"}, {"password": "link made", "logins_ended": ended}
        _audit(session, actor, "reset_admin_password", admin_id, before, after, now)
        return {
            "message": f"{admin.admin_name} can set a new password by the link. It is shown only now.",
            "admin_id": admin_id,
            "link_name": admin.admin_name,
            "expires_at": expires.isoformat(),
        }

    return _unit(session, admin_id, effect, actor, key)


def _unit(
    session: Session, admin_id: int, effect: Callable[[Admin], Answer], actor: Actor, key: RequestKey | None
) -> Answer:
    # Two owners who take each other's role away at once would leave none: whoever changes admins locks all owners.
    session.execute(select(Admin.admin_id).where(Admin.role == "owner").order_by(Admin.admin_id).with_for_update())
    return audit.once_as(session, actor, key, lambda: effect(_admin(session, admin_id)))


def _admin(session: Session, admin_id: int) -> Admin:
    admin = session.get(Admin, admin_id, with_for_update=True, populate_existing=True)
    if admin is None:
        raise NotFound(f"There is no admin {admin_id}.", code="NO_SUCH_ADMIN", details={"admin_id": admin_id})
    return admin


def _require_another_owner(session: Session, admin: Admin) -> None:
    others = select(Admin.admin_id).where(
        Admin.role == "owner",
        Admin.deactivated_at.is_(None),
        Admin.admin_id != admin.admin_id,
        Admin.admin_password != NO_PASSWORD,
    )
    if admin.deactivated_at is None and session.execute(others).first() is None:
        raise Refused(
            f"{admin.admin_name} is the last owner who can log in. Make another owner first.", code="LAST_OWNER"
        )


def _audit(
    session: Session,
    actor: Actor,
    action: str,
    admin_id: int,
    before: Mapping[str, object] | None,
    after: Mapping[str, object],
    now: datetime,
) -> None:
    audit.record(session, actor, action, Subject("admin", admin_id), before=before, after=after, now=now)


def _item(row: AnyRow) -> Item:
    admin, user_name, open_logins = row[0], row[1], row[2]
    columns = ("admin_id", "admin_name", "role", "user_id", "created_at", "last_login_at", "locked_until")
    return {name: getattr(admin, name) for name in columns} | {
        "user_name": user_name,
        "deactivated_at": admin.deactivated_at,
        "open_logins": open_logins,
        "has_password": admin.admin_password != NO_PASSWORD,
    }
