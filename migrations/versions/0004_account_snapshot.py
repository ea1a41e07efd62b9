"""Make the table of daily snapshots, and the indexes that the account page needs.

Revision: 0004
Revises: 0003
Created: 2026-11-22 19:00:00
"""

import sqlalchemy as sa
from alembic import op

import models.types

revision = "0004"
down_revision = "0003"
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


def money(name, comment):
    return sa.Column(name, models.types.Money(), nullable=False, comment=comment)


def upgrade():
    op.create_table(
        "account_snapshot",
        sa.Column("user_id", sa.Integer(), nullable=False, comment="The trader"),
        sa.Column("session_date", sa.Date(), nullable=False, comment="Day of the exchange's session"),
        money("cash", "Available and frozen cash, dollars"),
        money("holdings_value", "Shares at the session's close, dollars"),
        money("holdings_cost", "What those shares cost, dollars"),
        money("net_flow", "Deposits less withdrawals, adjustments included, since the beginning, dollars"),
        money("realised_profit", "Sales less average cost, before commission, since the beginning, dollars"),
        money("commission", "Commission of all fills since the beginning, dollars"),
        sa.Column(
            "created_at", models.types.UTCDateTime(), nullable=False, comment="Wall clock when the row was written, UTC"
        ),
        sa.CheckConstraint(
            "cash + holdings_cost = net_flow + realised_profit - commission", name=op.f("ck_account_snapshot_identity")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.user_id"], name=op.f("fk_account_snapshot_user_id_user")),
        sa.PrimaryKeyConstraint("user_id", "session_date", name=op.f("pk_account_snapshot")),
        **SERVER_TABLE_OPTIONS,
    )
    op.create_index("ix_account_snapshot_session_date", "account_snapshot", ["session_date"])


def downgrade():
    op.drop_table("account_snapshot")
