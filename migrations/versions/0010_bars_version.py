"""Tell by one number of an instrument whether its daily bars are still the same.

Revision: 0010
Revises: 0009
Created: 2026-11-22 22:05:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


COMMENT = "Grows with every change of its daily bars"


def upgrade():
    with op.batch_alter_table("instrument") as table:
        table.add_column(sa.Column("bars_version", sa.Integer(), nullable=False, server_default="0", comment=COMMENT))
    with op.batch_alter_table("instrument") as table:
        table.alter_column(
            "bars_version",
            existing_type=sa.Integer(),
            existing_nullable=False,
            existing_comment=COMMENT,
            server_default=None,
        )


def downgrade():
    with op.batch_alter_table("instrument") as table:
        table.drop_column("bars_version")
