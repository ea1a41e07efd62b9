"""What admins did: one row for each write, which nobody changes or removes any more."""

from __future__ import annotations

from sqlalchemy import DDL, ForeignKey, Index, String, Text, event
from sqlalchemy.orm import Mapped, mapped_column

from models.base import NEVER_REUSE_IDS, Base, CreatedAt, RowId
from models.types import exact_string


class AuditEntry(Base):
    """One write of an admin. Rows are only ever added: triggers of the database refuse every change."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_admin_id", "admin_id"),
        Index("ix_audit_entry_user_id", "user_id"),
        Index("ix_audit_entry_action", "action"),
        Index("ix_audit_entry_subject", "subject", "subject_id"),
        Index("ix_audit_entry_created_at", "created_at"),
        NEVER_REUSE_IDS,
    )

    audit_id: Mapped[RowId]
    created_at: Mapped[CreatedAt]
    admin_id: Mapped[int | None] = mapped_column(
        ForeignKey("admin.admin_id"), comment="Who did it; NULL: the command line, or the venue itself"
    )
    actor_name: Mapped[str] = mapped_column(String(64), comment="Name of who did it, as it was then")
    action: Mapped[str] = mapped_column(exact_string(40), comment="What was done, for example approve_deposit")
    subject: Mapped[str] = mapped_column(exact_string(24), comment="Kind of the row it was done to: its table")
    subject_id: Mapped[str] = mapped_column(exact_string(64), comment="The row: its number, ticker or name")
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("user.user_id"), comment="The trader it concerns, or NULL for none"
    )
    before: Mapped[str | None] = mapped_column(Text, comment="What changed, as it was, JSON; NULL: it was not there")
    after: Mapped[str | None] = mapped_column(Text, comment="What changed, as it is now, JSON; NULL: it is gone")
    reason: Mapped[str | None] = mapped_column(String(255), comment="Why, in the admin's words")
    address: Mapped[str] = mapped_column(String(45), comment="Network address of the request; empty: this machine")
    request_id: Mapped[str] = mapped_column(exact_string(16), comment="Id of the request, as in the log; - for none")


# The words of the migration: a table made from the models must be the same one.
APPEND_ONLY = {
    "sqlite": (
        "CREATE TRIGGER audit_entry_no_{verb} BEFORE {VERB} ON audit_entry "
        "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
    ),
    "mysql": (
        "CREATE TRIGGER audit_entry_no_{verb} BEFORE {VERB} ON audit_entry FOR EACH ROW "
        "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the audit log is append-only'"
    ),
}


def append_only_triggers(dialect: str) -> list[str]:
    """The statements that make the table refuse changes on this kind of database."""
    template = APPEND_ONLY["sqlite" if dialect == "sqlite" else "mysql"]
    return [template.format(verb=verb, VERB=verb.upper()) for verb in ("update", "delete")]


for _dialect in ("sqlite", "mysql", "mariadb"):
    for _statement in append_only_triggers(_dialect):
        _trigger = DDL(_statement).execute_if(dialect=_dialect)  # type: ignore[no-untyped-call]
        event.listen(AuditEntry.__table__, "after_create", _trigger)
