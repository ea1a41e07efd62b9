"""Make the table of what pages remember of a trader.

Revision: 0002
Revises: 0001
Created: 2026-11-22 16:08:00
"""

import sqlalchemy as sa
from alembic import op

import models.types

revision = "0002"
down_revision = "0001"
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
        "user_preference",
        sa.Column("user_id", sa.Integer(), nullable=False, comment="The trader"),
        sa.Column("name", models.types.exact_string(32), nullable=False, comment="What is remembered"),
        sa.Column("value", sa.Text(), nullable=False, comment="Its value, JSON"),
        sa.Column(
            "updated_at", models.types.UTCDateTime(), nullable=False, comment="Wall clock of the last change, UTC"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.user_id"], name=op.f("fk_user_preference_user_id_user")),
        sa.PrimaryKeyConstraint("user_id", "name", name=op.f("pk_user_preference")),
        **SERVER_TABLE_OPTIONS,
    )


def downgrade():
    op.drop_table("user_preference")
