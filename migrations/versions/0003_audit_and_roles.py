"""Make the audit log, and give admins roles.

Revision: 0003
Revises: 0002
Created: 2026-11-22 18:30:00
"""

import sqlalchemy as sa
from alembic import context, op

import models.types

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NO_TRIGGERS_WHILE_LOGGING = 1419  # MySQL's number of the error

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
        "audit_entry",
        sa.Column("audit_id", sa.Integer(), autoincrement=True, nullable=False, comment="Row number"),
        sa.Column(
            "created_at", models.types.UTCDateTime(), nullable=False, comment="Wall clock when the row was written, UTC"
        ),
        sa.Column(
            "admin_id",
            sa.Integer(),
            nullable=True,
            comment="Who did it; NULL: the command line, or the venue itself",
        ),
        sa.Column(
            "actor_name", sa.String(length=64), nullable=False, comment="Name of who did it, as it was then"
        ),
        sa.Column(
            "action",
            models.types.exact_string(40),
            nullable=False,
            comment="What was done, for example approve_deposit",
        ),
        sa.Column(
            "subject",
            models.types.exact_string(24),
            nullable=False,
            comment="Kind of the row it was done to: its table",
        ),
        sa.Column(
            "subject_id",
            models.types.exact_string(64),
            nullable=False,
            comment="The row: its number, ticker or name",
        ),
        sa.Column("user_id", sa.Integer(), nullable=True, comment="The trader it concerns, or NULL for none"),
        sa.Column(
            "before", sa.Text(), nullable=True, comment="What changed, as it was, JSON; NULL: it was not there"
        ),
        sa.Column(
            "after", sa.Text(), nullable=True, comment="What changed, as it is now, JSON; NULL: it is gone"
        ),
        sa.Column("reason", sa.String(length=255), nullable=True, comment="Why, in the admin's words"),
        sa.Column(
            "address",
            sa.String(length=45),
            nullable=False,
            comment="Network address of the request; empty: this machine",
        ),
        sa.Column(
            "request_id",
            models.types.exact_string(16),
            nullable=False,
            comment="Id of the request, as in the log; - for none",
        ),
        sa.ForeignKeyConstraint(["admin_id"], ["admin.admin_id"], name=op.f("fk_audit_entry_admin_id_admin")),
        sa.ForeignKeyConstraint(["user_id"], ["user.user_id"], name=op.f("fk_audit_entry_user_id_user")),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit_entry")),
        sqlite_autoincrement=True,
        **SERVER_TABLE_OPTIONS,
    )
    op.create_index("ix_audit_entry_admin_id", "audit_entry", ["admin_id"])
    op.create_index("ix_audit_entry_user_id", "audit_entry", ["user_id"])
    op.create_index("ix_audit_entry_action", "audit_entry", ["action"])
    op.create_index("ix_audit_entry_subject", "audit_entry", ["subject", "subject_id"])
    op.create_index("ix_audit_entry_created_at", "audit_entry", ["created_at"])
    for verb in ("update", "delete"):
        _make_trigger(verb)
    with op.batch_alter_table("admin", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.add_column(
            sa.Column(
                "role",
                models.types.exact_string(10),
                nullable=False,
                server_default="owner",
                comment="owner, funds, support or read_only",
            )
        )
        table.add_column(
            sa.Column(
                "user_id",
                sa.Integer(),
                nullable=True,
                comment="The trader who is the same person, whose requests this admin never decides",
            )
        )
        table.add_column(
            sa.Column(
                "deactivated_at",
                models.types.UTCDateTime(),
                nullable=True,
                comment="Wall clock since when this admin may not log in, UTC; NULL: may",
            )
        )
        table.create_check_constraint(
            op.f("ck_admin_role"), "role IN ('owner', 'funds', 'support', 'read_only')"
        )
        table.create_foreign_key(op.f("fk_admin_user_id_user"), "user", ["user_id"], ["user_id"])
    # Every admin so far could do everything. From now on each row says it itself.
    with op.batch_alter_table("admin", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.alter_column(
            "role",
            existing_type=models.types.exact_string(10),
            existing_nullable=False,
            existing_comment="owner, funds, support or read_only",
            server_default=None,
        )


def _make_trigger(verb):
    try:
        op.execute(_trigger(verb))
    except sa.exc.OperationalError as error:
        if error.orig is None or error.orig.args[:1] != (NO_TRIGGERS_WHILE_LOGGING,):
            raise
        raise RuntimeError(
            "The database writes a binary log and lets this user make no triggers, which keep the audit log from being "
            "changed. Let an administrator of the database run SET GLOBAL log_bin_trust_function_creators = 1 (or give "
            "the user the privilege SUPER for the migration). Tables of this step may be there already: begin with an "
            "empty database."
        ) from error


def _trigger(verb):
    if context.get_context().dialect.name == "sqlite":
        return (
            f"CREATE TRIGGER audit_entry_no_{verb} BEFORE {verb.upper()} ON audit_entry "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        )
    return (
        f"CREATE TRIGGER audit_entry_no_{verb} BEFORE {verb.upper()} ON audit_entry FOR EACH ROW "
        "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the audit log is append-only'"
    )


def downgrade():
    with op.batch_alter_table("admin", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_constraint(op.f("fk_admin_user_id_user"), type_="foreignkey")
        table.drop_constraint(op.f("ck_admin_role"), type_="check")
        table.drop_column("deactivated_at")
        table.drop_column("user_id")
        table.drop_column("role")
    op.drop_table("audit_entry")
