"""Traders, and the logins of traders and admins."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import NEVER_REUSE_IDS, Base, CreatedAt, RowId, UpdatedAt
from models.types import UTCDateTime, exact_string, exact_text

AccountStatus = Literal["active", "suspended"]


class User(Base):
    """A trader."""

    __tablename__ = "user"
    __table_args__ = (
        UniqueConstraint("user_name", name="uq_user_user_name"),
        UniqueConstraint("user_email", name="uq_user_user_email"),
        UniqueConstraint("name_key", name="uq_user_name_key"),
        UniqueConstraint("email_key", name="uq_user_email_key"),
        Index("ix_user_name_key_email_key", "name_key", "email_key"),
        CheckConstraint("account_status IN ('active', 'suspended')", name="account_status"),
        CheckConstraint("trading_state IN ('active', 'reducing', 'halted')", name="trading_state"),
        NEVER_REUSE_IDS,
    )

    user_id: Mapped[RowId]
    user_name: Mapped[str] = mapped_column(String(64), comment="Name as the trader wrote it")
    user_email: Mapped[str] = mapped_column(String(120), comment="E-mail address as the trader wrote it")
    name_key: Mapped[str] = mapped_column(exact_text(64), comment="Name after NFKC and casefold: one a trader")
    email_key: Mapped[str] = mapped_column(exact_text(120), comment="E-mail after NFKC and casefold: one a trader")
    user_password: Mapped[str] = mapped_column(String(128), comment="argon2id hash")
    account_status: Mapped[str] = mapped_column(
        exact_string(10), default="active", comment="active, or suspended: may not log in"
    )
    trading_state: Mapped[str] = mapped_column(
        exact_string(10), default="active", comment="active, reducing (may only sell) or halted (may only cancel)"
    )
    created_at: Mapped[CreatedAt]
    last_login_at: Mapped[datetime | None] = mapped_column(UTCDateTime, comment="Wall clock of the last login, UTC")

    @property
    def is_active(self) -> bool:
        return self.account_status == "active"


class Login(Base):
    """One login of a trader or of an admin. The cookie carries only its token; ending the row ends the login."""

    __tablename__ = "login"
    __table_args__ = (
        UniqueConstraint("token_hash", name="uq_login_token_hash"),
        CheckConstraint("(user_id IS NULL) <> (admin_id IS NULL)", name="one_identity"),
        Index("ix_login_user_id", "user_id"),
        Index("ix_login_admin_id", "admin_id"),
        NEVER_REUSE_IDS,
    )

    login_id: Mapped[RowId]
    token_hash: Mapped[str] = mapped_column(exact_string(64), comment="SHA-256 of the random token in the cookie, hex")
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.user_id"), comment="The trader, or NULL")
    admin_id: Mapped[int | None] = mapped_column(ForeignKey("admin.admin_id"), comment="The admin, or NULL")
    created_at: Mapped[CreatedAt]
    last_seen_at: Mapped[datetime] = mapped_column(UTCDateTime, comment="Wall clock of the last request, about, UTC")
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime, comment="Wall clock when it was ended, or NULL")
    address: Mapped[str] = mapped_column(String(45), comment="Network address it was made from")
    user_agent: Mapped[str] = mapped_column(String(255), comment="Browser, as it named itself")


class PasswordLink(Base):
    """A link by which a trader or an admin sets a password, once. As of a login, only the token's hash is kept."""

    __tablename__ = "password_link"
    __table_args__ = (
        UniqueConstraint("token_hash", name="uq_password_link_token_hash"),
        CheckConstraint("(user_id IS NULL) <> (admin_id IS NULL)", name="one_identity"),
        Index("ix_password_link_user_id", "user_id"),
        Index("ix_password_link_admin_id", "admin_id"),
        NEVER_REUSE_IDS,
    )

    link_id: Mapped[RowId]
    token_hash: Mapped[str] = mapped_column(exact_string(64), comment="SHA-256 of the random token in the link, hex")
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.user_id"), comment="The trader, or NULL")
    admin_id: Mapped[int | None] = mapped_column(ForeignKey("admin.admin_id"), comment="The admin, or NULL")
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, comment="Wall clock after which it is void, UTC")
    ended_at: Mapped[datetime | None] = mapped_column(
        UTCDateTime, comment="Wall clock when it was used or replaced by a newer one, or NULL"
    )


UserId = Annotated[int, mapped_column(ForeignKey("user.user_id"), comment="The trader")]


class UserPreference(Base):
    """What a page remembers of a trader, such as the thresholds of the analysis. One row a trader and a page."""

    __tablename__ = "user_preference"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.user_id"), primary_key=True, comment="The trader")
    name: Mapped[str] = mapped_column(exact_string(32), primary_key=True, comment="What is remembered")
    value: Mapped[str] = mapped_column(Text, comment="Its value, JSON")
    updated_at: Mapped[UpdatedAt]
