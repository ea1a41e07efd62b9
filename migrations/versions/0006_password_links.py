"""Make the table of links by which passwords are set.

Revision: 0006
Revises: 0005
Created: 2026-11-22 19:05:00
"""

import sqlalchemy as sa
from alembic import op

import models.types

revision = "0006"
down_revision = "0005"
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
        "password_link",
        sa.Column("link_id", sa.Integer(), autoincrement=True, nullable=False, comment="Row number"),
        sa.Column(
            "token_hash",
            models.types.exact_string(64),
            nullable=False,
            comment="SHA-256 of the random token in the link, hex",
        ),
        sa.Column("user_id", sa.Integer(), nullable=True, comment="The trader, or NULL"),
        sa.Column("admin_id", sa.Integer(), nullable=True, comment="The admin, or NULL"),
        sa.Column(
            "created_at", models.types.UTCDateTime(), nullable=False, comment="Wall clock when the row was written, UTC"
        ),
        sa.Column(
            "expires_at",
            models.types.UTCDateTime(),
            nullable=False,
            comment="Wall clock after which it is void, UTC",
        ),
        sa.Column(
            "ended_at",
            models.types.UTCDateTime(),
            nullable=True,
            comment="Wall clock when it was used or replaced by a newer one, or NULL",
        ),
        sa.CheckConstraint("(user_id IS NULL) <> (admin_id IS NULL)", name=op.f("ck_password_link_one_identity")),
        sa.ForeignKeyConstraint(["admin_id"], ["admin.admin_id"], name=op.f("fk_password_link_admin_id_admin")),
        sa.ForeignKeyConstraint(["user_id"], ["user.user_id"], name=op.f("fk_password_link_user_id_user")),
        sa.PrimaryKeyConstraint("link_id", name=op.f("pk_password_link")),
        sa.UniqueConstraint("token_hash", name="uq_password_link_token_hash"),
        sqlite_autoincrement=True,
        **SERVER_TABLE_OPTIONS,
    )
    op.create_index("ix_password_link_user_id", "password_link", ["user_id"])
    op.create_index("ix_password_link_admin_id", "password_link", ["admin_id"])


def downgrade():
    op.drop_table("password_link")
