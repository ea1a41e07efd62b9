"""How much there is of everything: the figures of the admins' dashboard."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import FundTransaction, Order, User
from services.trading.order_states import OPEN_STATUSES


def counts(session: Session) -> dict[str, int]:
    """Numbers of users, orders, requests by type, and of what waits for somebody."""
    kind, status = FundTransaction.transaction_type, FundTransaction.status
    rows = session.execute(select(kind, status, func.count()).group_by(kind, status)).all()

    def requests(wanted_kind: str | None = None, wanted_status: str | None = None) -> int:
        return sum(
            number
            for of_kind, of_status, number in rows
            if wanted_kind in (None, of_kind) and wanted_status in (None, of_status)
        )

    return {
        "users": session.execute(select(func.count(User.user_id))).scalar_one(),
        "orders": session.execute(select(func.count(Order.order_id))).scalar_one(),
        "open_orders": session.execute(
            select(func.count(Order.order_id)).where(Order.order_status.in_(OPEN_STATUSES))
        ).scalar_one(),
        "fund_transactions": requests(),
        "deposits": requests("deposit"),
        "withdrawals": requests("withdrawal"),
        "pending_deposits": requests("deposit", "pending"),
        "pending_withdrawals": requests("withdrawal", "pending"),
    }
