"""Let names and addresses be searched in an index that holds nothing else.

Revision: 0011
Revises: 0010
Created: 2026-11-22 23:13:00
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade():
    op.create_index("ix_user_name_key_email_key", "user", ["name_key", "email_key"])


def downgrade():
    op.drop_index("ix_user_name_key_email_key", "user")
