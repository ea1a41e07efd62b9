"""The assistant: conversations, what its tools answered, order proposals, reports, and how much it was used."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import NEVER_REUSE_IDS, Base, CreatedAt, RowId, UpdatedAt
from models.types import UTCDateTime, exact_string
from models.user import UserId


class ChatConversation(Base):
    """One conversation of a trader with the assistant. Nobody else sees it, admins neither."""

    __tablename__ = "chat_conversation"
    __table_args__ = (Index("ix_chat_conversation_user_id_updated_at", "user_id", "updated_at"), NEVER_REUSE_IDS)

    conversation_id: Mapped[RowId]
    user_id: Mapped[UserId]
    title: Mapped[str] = mapped_column(String(80), comment="Its name in the list")
    summary: Mapped[str] = mapped_column(Text, default="", comment="What was said up to summarised_through, in short")
    summarised_through: Mapped[int] = mapped_column(default=0, comment="Newest message_id that the summary covers")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]


class ChatMessage(Base):
    """One message of a conversation: the trader's own, or an answer as Markdown."""

    __tablename__ = "chat_message"
    __table_args__ = (
        CheckConstraint("role IN ('user', 'assistant')", name="role"),
        CheckConstraint("state IN ('done', 'stopped', 'failed', 'command')", name="state"),
        Index("ix_chat_message_conversation_id", "conversation_id"),
        NEVER_REUSE_IDS,
    )

    message_id: Mapped[RowId]
    conversation_id: Mapped[int] = mapped_column(
        ForeignKey("chat_conversation.conversation_id"), comment="Conversation it belongs to"
    )
    role: Mapped[str] = mapped_column(exact_string(9), comment="user or assistant")
    content: Mapped[str] = mapped_column(Text, comment="What was said; answers are Markdown")
    state: Mapped[str] = mapped_column(
        exact_string(7), default="done", comment="done, stopped, failed, or command: written here from a tool's result"
    )
    created_at: Mapped[CreatedAt]


class ChatToolResult(Base):
    """What a tool answered for an answer: the source of its figures."""

    __tablename__ = "chat_tool_result"
    __table_args__ = (Index("ix_chat_tool_result_message_id", "message_id"), NEVER_REUSE_IDS)

    result_id: Mapped[RowId]
    message_id: Mapped[int] = mapped_column(
        ForeignKey("chat_message.message_id"), comment="The answer it was asked for"
    )
    tool: Mapped[str] = mapped_column(exact_string(32), comment="Name of the tool")
    arguments: Mapped[str] = mapped_column(Text, comment="What it was asked, JSON")
    result: Mapped[str] = mapped_column(Text, comment="What it answered, JSON")
    label: Mapped[str] = mapped_column(String(120), comment="The source in words")
    market_time: Mapped[datetime | None] = mapped_column(UTCDateTime, comment="Market clock of its figures, UTC")
    created_at: Mapped[CreatedAt]


class ChatProposal(Base):
    """An order that the assistant drafted. It is nothing until its trader confirms exactly it, once, in time."""

    __tablename__ = "chat_proposal"
    __table_args__ = (
        Index("ix_chat_proposal_message_id", "message_id"),
        Index("ix_chat_proposal_user_id", "user_id"),
        NEVER_REUSE_IDS,
    )

    proposal_id: Mapped[RowId]
    user_id: Mapped[UserId]
    message_id: Mapped[int | None] = mapped_column(
        ForeignKey("chat_message.message_id"), comment="The answer that shows it; NULL once that is deleted"
    )
    ticket: Mapped[str] = mapped_column(Text, comment="The order's fields as it would be placed, JSON")
    preview: Mapped[str] = mapped_column(Text, comment="What the ticket's preview said of it, JSON")
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, comment="Wall clock after which it cannot be confirmed")
    confirmed_at: Mapped[datetime | None] = mapped_column(
        UTCDateTime, comment="Wall clock of its confirmation, or NULL"
    )
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.order_id"), comment="The order it became, or NULL")


class ChatUsage(Base):
    """How much a trader used the assistant on one day of the wall clock (UTC). Counts only, no words."""

    __tablename__ = "chat_usage"
    __table_args__ = (Index("ix_chat_usage_day", "day"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("user.user_id"), primary_key=True, comment="The trader")
    day: Mapped[date] = mapped_column(Date, primary_key=True, comment="Day of the wall clock, UTC")
    messages: Mapped[int] = mapped_column(default=0, comment="Messages and reports asked of the model")
    minute: Mapped[datetime | None] = mapped_column(UTCDateTime, comment="The minute that minute_messages counts, UTC")
    minute_messages: Mapped[int] = mapped_column(default=0, comment="Messages in that minute")
    prompt_tokens: Mapped[int] = mapped_column(default=0, comment="Tokens sent, as the model counted them")
    answer_tokens: Mapped[int] = mapped_column(default=0, comment="Tokens answered, as the model counted them")
    tool_calls: Mapped[int] = mapped_column(default=0, comment="Tools that were run")
    failures: Mapped[int] = mapped_column(default=0, comment="Answers that failed")


class ChatReport(Base):
    """A report in words about figures of the analysis, kept by the hash of all that it was made from."""

    __tablename__ = "chat_report"
    __table_args__ = (
        UniqueConstraint("user_id", "basis_hash", name="uq_chat_report_user_id_basis_hash"),
        NEVER_REUSE_IDS,
    )

    report_id: Mapped[RowId]
    user_id: Mapped[UserId]
    basis_hash: Mapped[str] = mapped_column(exact_string(64), comment="SHA-256 of figures, thresholds and model, hex")
    basis: Mapped[str] = mapped_column(Text, comment="Figures, thresholds and model, JSON")
    content: Mapped[str] = mapped_column(Text, comment="The report, Markdown")
    created_at: Mapped[CreatedAt]
