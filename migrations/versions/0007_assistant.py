"""Make the tables of the assistant.

Revision: 0007
Revises: 0006
Created: 2026-11-22 19:00:00
"""

import sqlalchemy as sa
from alembic import op

import models.types

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SERVER_TABLE_OPTIONS = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
}


def upgrade():
    op.create_table(
        "chat_conversation",
        sa.Column("conversation_id", sa.Integer(), autoincrement=True, nullable=False, comment="Row number"),
        sa.Column("user_id", sa.Integer(), nullable=False, comment="The trader"),
        sa.Column("title", sa.String(length=80), nullable=False, comment="Its name in the list"),
        sa.Column("summary", sa.Text(), nullable=False, comment="What was said up to summarised_through, in short"),
        sa.Column(
            "summarised_through", sa.Integer(), nullable=False, comment="Newest message_id that the summary covers"
        ),
        sa.Column(
            "created_at", models.types.UTCDateTime(), nullable=False, comment="Wall clock when the row was written, UTC"
        ),
        sa.Column(
            "updated_at", models.types.UTCDateTime(), nullable=False, comment="Wall clock of the last change, UTC"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.user_id"], name=op.f("fk_chat_conversation_user_id_user")),
        sa.PrimaryKeyConstraint("conversation_id", name=op.f("pk_chat_conversation")),
        **SERVER_TABLE_OPTIONS,
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_chat_conversation_user_id_updated_at", "chat_conversation", ["user_id", "updated_at"], unique=False
    )
    op.create_table(
        "chat_report",
        sa.Column("report_id", sa.Integer(), autoincrement=True, nullable=False, comment="Row number"),
        sa.Column("user_id", sa.Integer(), nullable=False, comment="The trader"),
        sa.Column(
            "basis_hash",
            models.types.exact_string(64),
            nullable=False,
            comment="SHA-256 of figures, thresholds and model, hex",
        ),
        sa.Column("basis", sa.Text(), nullable=False, comment="Figures, thresholds and model, JSON"),
        sa.Column("content", sa.Text(), nullable=False, comment="The report, Markdown"),
        sa.Column(
            "created_at", models.types.UTCDateTime(), nullable=False, comment="Wall clock when the row was written, UTC"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.user_id"], name=op.f("fk_chat_report_user_id_user")),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_chat_report")),
        sa.UniqueConstraint("user_id", "basis_hash", name="uq_chat_report_user_id_basis_hash"),
        **SERVER_TABLE_OPTIONS,
        sqlite_autoincrement=True,
    )
    op.create_table(
        "chat_usage",
        sa.Column("user_id", sa.Integer(), nullable=False, comment="The trader"),
        sa.Column("day", sa.Date(), nullable=False, comment="Day of the wall clock, UTC"),
        sa.Column("messages", sa.Integer(), nullable=False, comment="Messages and reports asked of the model"),
        sa.Column(
            "minute", models.types.UTCDateTime(), nullable=True, comment="The minute that minute_messages counts, UTC"
        ),
        sa.Column("minute_messages", sa.Integer(), nullable=False, comment="Messages in that minute"),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False, comment="Tokens sent, as the model counted them"),
        sa.Column("answer_tokens", sa.Integer(), nullable=False, comment="Tokens answered, as the model counted them"),
        sa.Column("tool_calls", sa.Integer(), nullable=False, comment="Tools that were run"),
        sa.Column("failures", sa.Integer(), nullable=False, comment="Answers that failed"),
        sa.ForeignKeyConstraint(["user_id"], ["user.user_id"], name=op.f("fk_chat_usage_user_id_user")),
        sa.PrimaryKeyConstraint("user_id", "day", name=op.f("pk_chat_usage")),
        **SERVER_TABLE_OPTIONS,
    )
    op.create_index("ix_chat_usage_day", "chat_usage", ["day"], unique=False)
    op.create_table(
        "chat_message",
        sa.Column("message_id", sa.Integer(), autoincrement=True, nullable=False, comment="Row number"),
        sa.Column("conversation_id", sa.Integer(), nullable=False, comment="Conversation it belongs to"),
        sa.Column("role", models.types.exact_string(9), nullable=False, comment="user or assistant"),
        sa.Column("content", sa.Text(), nullable=False, comment="What was said; answers are Markdown"),
        sa.Column("state", models.types.exact_string(7), nullable=False, comment="done, stopped, failed, or command: written here from a tool's result"),
        sa.Column(
            "created_at", models.types.UTCDateTime(), nullable=False, comment="Wall clock when the row was written, UTC"
        ),
        sa.CheckConstraint("role IN ('user', 'assistant')", name=op.f("ck_chat_message_role")),
        sa.CheckConstraint("state IN ('done', 'stopped', 'failed', 'command')", name=op.f("ck_chat_message_state")),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["chat_conversation.conversation_id"],
            name=op.f("fk_chat_message_conversation_id_chat_conversation"),
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_chat_message")),
        **SERVER_TABLE_OPTIONS,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_chat_message_conversation_id", "chat_message", ["conversation_id"], unique=False)
    op.create_table(
        "chat_proposal",
        sa.Column("proposal_id", sa.Integer(), autoincrement=True, nullable=False, comment="Row number"),
        sa.Column("user_id", sa.Integer(), nullable=False, comment="The trader"),
        sa.Column(
            "message_id", sa.Integer(), nullable=True, comment="The answer that shows it; NULL once that is deleted"
        ),
        sa.Column("ticket", sa.Text(), nullable=False, comment="The order's fields as it would be placed, JSON"),
        sa.Column("preview", sa.Text(), nullable=False, comment="What the ticket's preview said of it, JSON"),
        sa.Column(
            "created_at", models.types.UTCDateTime(), nullable=False, comment="Wall clock when the row was written, UTC"
        ),
        sa.Column(
            "expires_at",
            models.types.UTCDateTime(),
            nullable=False,
            comment="Wall clock after which it cannot be confirmed",
        ),
        sa.Column(
            "confirmed_at", models.types.UTCDateTime(), nullable=True, comment="Wall clock of its confirmation, or NULL"
        ),
        sa.Column("order_id", sa.Integer(), nullable=True, comment="The order it became, or NULL"),
        sa.ForeignKeyConstraint(
            ["message_id"], ["chat_message.message_id"], name=op.f("fk_chat_proposal_message_id_chat_message")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_chat_proposal_order_id_orders")),
        sa.ForeignKeyConstraint(["user_id"], ["user.user_id"], name=op.f("fk_chat_proposal_user_id_user")),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_chat_proposal")),
        **SERVER_TABLE_OPTIONS,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_chat_proposal_message_id", "chat_proposal", ["message_id"], unique=False)
    op.create_index("ix_chat_proposal_user_id", "chat_proposal", ["user_id"], unique=False)
    op.create_table(
        "chat_tool_result",
        sa.Column("result_id", sa.Integer(), autoincrement=True, nullable=False, comment="Row number"),
        sa.Column("message_id", sa.Integer(), nullable=False, comment="The answer it was asked for"),
        sa.Column("tool", models.types.exact_string(32), nullable=False, comment="Name of the tool"),
        sa.Column("arguments", sa.Text(), nullable=False, comment="What it was asked, JSON"),
        sa.Column("result", sa.Text(), nullable=False, comment="What it answered, JSON"),
        sa.Column("label", sa.String(length=120), nullable=False, comment="The source in words"),
        sa.Column("market_time", models.types.UTCDateTime(), nullable=True, comment="Market clock of its figures, UTC"),
        sa.Column(
            "created_at", models.types.UTCDateTime(), nullable=False, comment="Wall clock when the row was written, UTC"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["chat_message.message_id"], name=op.f("fk_chat_tool_result_message_id_chat_message")
        ),
        sa.PrimaryKeyConstraint("result_id", name=op.f("pk_chat_tool_result")),
        **SERVER_TABLE_OPTIONS,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_chat_tool_result_message_id", "chat_tool_result", ["message_id"], unique=False)


def downgrade():
    op.drop_table("chat_tool_result")
    op.drop_table("chat_proposal")
    op.drop_table("chat_message")
    op.drop_table("chat_usage")
    op.drop_table("chat_report")
    op.drop_table("chat_conversation")
