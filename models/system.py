"""What keeps the system honest: idempotency keys, events, the lease of the order processor, and settings."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import NEVER_REUSE_IDS, Base, CreatedAt, RowId
from models.types import UTCDateTime, exact_string
from models.user import UserId


class IdempotencyKey(Base):
    """One intention of one actor, stored with its effect in one transaction, so that a repeat answers the same."""

    __tablename__ = "idempotency_key"
    __table_args__ = (
        UniqueConstraint("actor", "key_hash", name="uq_idempotency_key_actor_key_hash"),
        Index("ix_idempotency_key_created_at", "created_at"),
        NEVER_REUSE_IDS,
    )

    id: Mapped[RowId]
    actor: Mapped[str] = mapped_column(exact_string(24), comment="Who asked: user:1 or admin:1")
    key_hash: Mapped[str] = mapped_column(
        exact_string(64), comment="SHA-256 of the Idempotency-Key header, hex: MySQL would ignore trailing spaces"
    )
    request_hash: Mapped[str] = mapped_column(exact_string(64), comment="SHA-256 of endpoint and body, hex")
    answer: Mapped[str] = mapped_column(Text, comment="The first answer, JSON")
    created_at: Mapped[CreatedAt]


class AccountEvent(Base):
    """What happened to a trader's account, numbered per trader under the account lock: the outbox of the stream."""

    __tablename__ = "account_event"
    __table_args__ = (
        UniqueConstraint("user_id", "sequence", name="uq_account_event_user_id_sequence"),
        NEVER_REUSE_IDS,
    )

    event_id: Mapped[RowId]
    user_id: Mapped[UserId]
    sequence: Mapped[int] = mapped_column(comment="Number within the trader's events, from 1, no gaps")
    kind: Mapped[str] = mapped_column(exact_string(32), comment="For example order_filled")
    payload: Mapped[str] = mapped_column(Text, comment="What happened, JSON")
    created_at: Mapped[CreatedAt]


class Lease(Base):
    """Who runs a task. The epoch goes up with each take-over and is checked inside every batch of the holder."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(exact_string(32), primary_key=True, comment="The task")
    holder: Mapped[str] = mapped_column(exact_string(64), comment="Process that runs it")
    epoch: Mapped[int] = mapped_column(comment="Goes up by one at each take-over")
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, comment="Database time after which anyone may take over")


class Setting(Base):
    """A setting stored with the books, such as the market source chosen at first start."""

    __tablename__ = "setting"

    name: Mapped[str] = mapped_column(exact_string(64), primary_key=True, comment="Name of the setting")
    value: Mapped[str] = mapped_column(Text, comment="Its value")
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, comment="Wall clock of the last change, UTC")
