"""When a request is approved by itself, and when one admin is not enough. Both rules are off until they are set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import Config
from models import Admin, FundTransaction, Setting
from services.errors import Conflict, Forbidden
from utils.number_utils import ZERO

AUTOMATIC_LIMIT, SECOND_ABOVE = "automatic_approval_limit", "second_approval_above"
WINDOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class FundRules:
    """The rules in force, in dollars; zero switches one off.

    `automatic_limit`: so much of each kind is approved by itself for each trader in 24 hours. `second_above`: requests
    above it need two admins, and are never approved by themselves.
    """

    automatic_limit: Decimal = ZERO
    second_above: Decimal = ZERO

    def needs_two(self, amount: Decimal) -> bool:
        """Whether a request of this amount needs a second admin."""
        return bool(self.second_above) and amount > self.second_above


def read_fund_rules(session: Session, config: Config | None) -> FundRules:
    """The rules in force: as they are saved, else as the configuration says, else off."""
    query = select(Setting.name, Setting.value).where(Setting.name.in_((AUTOMATIC_LIMIT, SECOND_ABOVE)))
    saved = dict(session.execute(query).all())

    def value(name: str) -> Decimal:
        return Decimal(saved.get(name, str(getattr(config, name, 0))))

    return FundRules(value(AUTOMATIC_LIMIT), value(SECOND_ABOVE))


def approves_itself(session: Session, row: FundTransaction, rules: FundRules, now: datetime) -> bool:
    """Whether a new request is approved without an admin: what was so in the last 24 hours counts too, so that many
    small requests do not get around the limit. The trader's account must be locked.
    """
    if row.amount > rules.automatic_limit or rules.needs_two(row.amount):
        return False
    query = select(func.sum(FundTransaction.amount)).where(
        FundTransaction.user_id == row.user_id,
        FundTransaction.transaction_type == row.transaction_type,
        FundTransaction.automatic,
        FundTransaction.created_at > now - WINDOW,
    )
    before = session.execute(query).scalar_one() or ZERO
    return bool(before + row.amount <= rules.automatic_limit)


def require_other_person(session: Session, admin_id: int | None, user_id: int) -> None:
    """Refuse an admin who is the same person as the trader. The command line is nobody's."""
    if admin_id is None:
        return
    linked = session.execute(select(Admin.user_id).where(Admin.admin_id == admin_id)).scalar_one_or_none()
    if linked == user_id:
        raise Forbidden(
            "This is your own trading account. Another admin must decide.",
            code="OWN_ACCOUNT",
            details={"user_id": user_id},
        )


def is_enough(row: FundTransaction, admin_id: int | None, rules: FundRules) -> bool:
    """Whether this admin's approval settles the request, or is the first of two. Raises Conflict when the same admin
    approves twice.
    """
    if not rules.needs_two(row.amount):
        return True
    if row.first_operator_id is None:
        return False
    if row.first_operator_id == admin_id:
        raise Conflict(
            f"You approved request {row.transaction_id} already. Above ${rules.second_above:,} a second admin must.",
            code="SECOND_ADMIN_NEEDED",
            details={"transaction_id": row.transaction_id},
        )
    return True
