"""Let an account's page sum a long history from indexes: adjustments of the journal, profit and commission of the fills.

Revision: 0009
Revises: 0008
Created: 2026-11-22 20:35:00
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade():
    op.create_index("ix_ledger_entry_user_id_kind", "ledger_entry", ["user_id", "kind"])
    op.create_index(
        "ix_transaction_user_id_sums", "transaction", ["user_id", "ticker", "realised_profit", "commission"]
    )


def downgrade():
    op.drop_index("ix_transaction_user_id_sums", "transaction")
    op.drop_index("ix_ledger_entry_user_id_kind", "ledger_entry")
