"""Let requests be approved by themselves or by two admins, and instruments be named and taken out of trading.

Revision: 0005
Revises: 0004
Created: 2026-11-22 18:50:00
"""

import sqlalchemy as sa
from alembic import op

import models.types

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEEP_NUMBERS = {"sqlite_autoincrement": True}


def upgrade():
    with op.batch_alter_table("fund_transaction", table_kwargs=KEEP_NUMBERS) as table:
        table.add_column(
            sa.Column(
                "automatic",
                sa.Boolean(),
                nullable=False,
                server_default=sa.false(),
                comment="Approved by the venue itself, within the automatic limit",
            )
        )
        table.add_column(
            sa.Column(
                "first_operator_id",
                sa.Integer(),
                nullable=True,
                comment="The first of two admins who approve a large request; NULL where one is enough",
            )
        )
        table.create_foreign_key(
            op.f("fk_fund_transaction_first_operator_id_admin"), "admin", ["first_operator_id"], ["admin_id"]
        )
    with op.batch_alter_table("fund_transaction", table_kwargs=KEEP_NUMBERS) as table:
        table.alter_column(
            "automatic",
            existing_type=sa.Boolean(),
            existing_nullable=False,
            existing_comment="Approved by the venue itself, within the automatic limit",
            server_default=None,
        )
    with op.batch_alter_table("instrument") as table:
        table.add_column(
            sa.Column(
                "renamed",
                sa.Boolean(),
                nullable=False,
                server_default=sa.false(),
                comment="An admin named it: its source does not any more",
            )
        )
        table.add_column(
            sa.Column(
                "deactivated_at",
                models.types.UTCDateTime(),
                nullable=True,
                comment="Wall clock since when an admin took it out of trading, UTC; NULL: it may be traded",
            )
        )
    with op.batch_alter_table("instrument") as table:
        table.alter_column(
            "renamed",
            existing_type=sa.Boolean(),
            existing_nullable=False,
            existing_comment="An admin named it: its source does not any more",
            server_default=None,
        )


def downgrade():
    with op.batch_alter_table("instrument") as table:
        table.drop_column("deactivated_at")
        table.drop_column("renamed")
    with op.batch_alter_table("fund_transaction", table_kwargs=KEEP_NUMBERS) as table:
        table.drop_constraint(op.f("fk_fund_transaction_first_operator_id_admin"), type_="foreignkey")
        table.drop_column("first_operator_id")
        table.drop_column("automatic")
