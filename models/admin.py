"""Admins: who approve deposits and withdrawals and look after orders, users and data."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import NEVER_REUSE_IDS, Base, CreatedAt, RowId
from models.types import UTCDateTime, exact_string


class Admin(Base):
    """An admin. A separate identity: no admin trades, no trader approves. auth/permissions.py says what a role may."""

    __tablename__ = "admin"
    __table_args__ = (
        UniqueConstraint("admin_name", name="uq_admin_admin_name"),
        CheckConstraint("login_attempts >= 0", name="login_attempts"),
        CheckConstraint("role IN ('owner', 'funds', 'support', 'read_only')", name="role"),
        NEVER_REUSE_IDS,
    )

    admin_id: Mapped[RowId]
    admin_name: Mapped[str] = mapped_column(String(64), comment="Login name")
    admin_password: Mapped[str] = mapped_column(String(128), comment="argon2id hash")
    created_at: Mapped[CreatedAt]
    last_login_at: Mapped[datetime | None] = mapped_column(UTCDateTime, comment="Wall clock of the last login, UTC")
    login_attempts: Mapped[int] = mapped_column(default=0, comment="Wrong passwords since the last right one or lock")
    locked_until: Mapped[datetime | None] = mapped_column(UTCDateTime, comment="No login before this time, UTC")
    must_change_password: Mapped[bool] = mapped_column(
        default=False, comment="The password is the documented one and must be changed at the next login"
    )
    role: Mapped[str] = mapped_column(exact_string(10), default="owner", comment="owner, funds, support or read_only")
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("user.user_id"), comment="The trader who is the same person, whose requests this admin never decides"
    )
    deactivated_at: Mapped[datetime | None] = mapped_column(
        UTCDateTime, comment="Wall clock since when this admin may not log in, UTC; NULL: may"
    )
