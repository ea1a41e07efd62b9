"""Give the lists of requests the indexes they are filtered and sorted by.

Revision: 0008
Revises: 0007
Created: 2026-11-22 19:55:00
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade():
    op.create_index("ix_fund_transaction_transaction_type", "fund_transaction", ["transaction_type"])
    op.create_index(
        "ix_fund_transaction_transaction_type_status", "fund_transaction", ["transaction_type", "status"]
    )
    op.create_index("ix_fund_transaction_amount", "fund_transaction", ["amount"])


def downgrade():
    op.drop_index("ix_fund_transaction_amount", "fund_transaction")
    op.drop_index("ix_fund_transaction_transaction_type_status", "fund_transaction")
    op.drop_index("ix_fund_transaction_transaction_type", "fund_transaction")
