"""What the books need before anybody can log in: the first admin."""

from __future__ import annotations

import logging

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import DOCUMENTED_ADMIN_PASSWORD, Config
from models import Admin
from services.transaction import run_unit
from utils.passwords import hash_password

logger = logging.getLogger(__name__)


def ensure_default_admin(session: Session, config: Config) -> bool:
    """Make the configured admin when there is none at all, and say whether it was made. `session` only reads, and is
    closed before the password is hashed. The documented password must be changed at the first login; one given by the
    environment need not.
    """
    there_is_one = _count(session) > 0
    session.close()
    if there_is_one:
        return False
    documented = config.default_admin_password == DOCUMENTED_ADMIN_PASSWORD
    password_hash = hash_password(config.default_admin_password)
    return run_unit(create_first_admin, config.default_admin_username, password_hash, documented)


def create_first_admin(session: Session, name: str, password_hash: str, must_change_password: bool) -> bool:
    """Store the first admin unless somebody was quicker. A unit for `run_unit`."""
    if _count(session):
        return False
    session.add(Admin(admin_name=name, admin_password=password_hash, must_change_password=must_change_password))
    session.flush()
    logger.info("the first admin was made: %s", name)
    return True


def _count(session: Session) -> int:
    return session.execute(select(func.count(Admin.admin_id))).scalar_one()
