"""The rules in force: realism profile, trading hours, risk limits, commission. A saved setting wins over the
environment, which gives the first value, and takes effect with the next order.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from sqlalchemy import Table, or_, select
from sqlalchemy.orm import Session

from config import Config
from models import Setting
from services.trading.commission import CommissionTerms
from services.trading.profiles import PROFILES, Profile

SETTING_NAMES = (
    "realism_profile",
    "trading_hours",
    "order_rate_limit",
    "open_order_limit",
    "concentration_limit",
    "daily_loss_limit",
    "commission_per_share",
    "commission_minimum",
    "commission_maximum_rate",
)


_SETTINGS = cast(Table, Setting.__table__)
_SAVED = select(_SETTINGS.c.name, _SETTINGS.c.value).where(or_(*(_SETTINGS.c.name == name for name in SETTING_NAMES)))


@dataclass(frozen=True, slots=True)
class TradingRules:
    """What is in force at one moment. Limits of zero are switched off; rates are fractions."""

    profile: Profile
    any_hours: bool
    order_rate_limit: int
    open_order_limit: int
    concentration_limit: Decimal
    daily_loss_limit: Decimal
    commission: CommissionTerms


def read_rules(session: Session, config: Config) -> TradingRules:
    """The rules in force, in one query. `session` may be a unit's or a reading one."""
    saved: dict[str, str] = {row.name: row.value for row in session.execute(_SAVED)}

    def value(name: str) -> str:
        return saved.get(name, str(getattr(config, name)))

    return TradingRules(
        profile=PROFILES[value("realism_profile")],
        any_hours=value("trading_hours") == "always",
        order_rate_limit=int(value("order_rate_limit")),
        open_order_limit=int(value("open_order_limit")),
        concentration_limit=Decimal(value("concentration_limit")),
        daily_loss_limit=Decimal(value("daily_loss_limit")),
        commission=CommissionTerms(
            Decimal(value("commission_per_share")),
            Decimal(value("commission_minimum")),
            Decimal(value("commission_maximum_rate")),
        ),
    )
