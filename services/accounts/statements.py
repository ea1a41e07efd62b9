"""The statements by which the ledger stores a unit: journal lines and events, and the guarded updates of the rows that
cache the journal, of which each finds its row only as the lock promised it.
"""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table, Update, bindparam, select, tuple_, update

from models import AccountBalance, AccountEvent, LedgerEntry, Portfolio
from services.many_rows import GuardedUpdate, Values, inserting
from utils.number_utils import ZERO

BALANCE = cast(Table, AccountBalance.__table__)
PORTFOLIO = cast(Table, Portfolio.__table__)

# Where a line belongs, what it moves and what for: the fields of Line and of Cause stand in the middle, in their order.
LINE_COLUMNS = (
    *("user_id", "sequence", "line", "kind"),
    *("account", "ticker", "cash", "shares"),
    *("order_id", "fund_transaction_id", "fill_number", "remark"),
    *("created_at", "market_time"),
)
INSERT_LINES = inserting(cast(Table, LedgerEntry.__table__), LINE_COLUMNS)
INSERT_EVENTS = inserting(cast(Table, AccountEvent.__table__), ("user_id", "sequence", "kind", "payload", "created_at"))
INSERT_HOLDINGS = inserting(
    PORTFOLIO,
    ("user_id", "ticker", "quantity", "frozen_quantity", "average_price", "total_cost", "last_updated"),
)


def _updated_accounts(given: Values) -> Update:
    available = BALANCE.c.available_balance + given["available_change"]
    frozen = BALANCE.c.frozen_balance + given["frozen_change"]
    return (
        update(BALANCE)
        .where(
            BALANCE.c.user_id == given["the_user"],
            BALANCE.c.journal_sequence == given["journal_before"],
            BALANCE.c.event_sequence == given["events_before"],
            available >= ZERO,
            frozen >= ZERO,
        )
        .values(
            available_balance=available,
            frozen_balance=frozen,
            total_balance=BALANCE.c.total_balance + given["total_change"],
            journal_sequence=given["journal_after"],
            event_sequence=given["events_after"],
            updated_at=given["changed_at"],
        )
    )


UPDATE_ACCOUNTS = GuardedUpdate(
    {
        "the_user": BALANCE.c.user_id.type,
        "available_change": BALANCE.c.available_balance.type,
        "frozen_change": BALANCE.c.frozen_balance.type,
        "total_change": BALANCE.c.total_balance.type,
        "journal_before": BALANCE.c.journal_sequence.type,
        "journal_after": BALANCE.c.journal_sequence.type,
        "events_before": BALANCE.c.event_sequence.type,
        "events_after": BALANCE.c.event_sequence.type,
        "changed_at": BALANCE.c.updated_at.type,
    },
    _updated_accounts,
    index="uq_account_balance_user_id",
)


def _updated_holdings(given: Values) -> Update:
    return (
        update(PORTFOLIO)
        .where(
            PORTFOLIO.c.user_id == given["the_user"],
            PORTFOLIO.c.ticker == given["the_ticker"],
            PORTFOLIO.c.quantity == given["quantity_before"],
            PORTFOLIO.c.frozen_quantity == given["frozen_before"],
            PORTFOLIO.c.total_cost == given["cost_before"],
        )
        .values(
            quantity=given["quantity_after"],
            frozen_quantity=given["frozen_after"],
            total_cost=given["cost_after"],
            average_price=given["average_after"],
            last_updated=given["changed_at"],
        )
    )


UPDATE_HOLDINGS = GuardedUpdate(
    {
        "the_user": PORTFOLIO.c.user_id.type,
        "the_ticker": PORTFOLIO.c.ticker.type,
        "quantity_before": PORTFOLIO.c.quantity.type,
        "quantity_after": PORTFOLIO.c.quantity.type,
        "frozen_before": PORTFOLIO.c.frozen_quantity.type,
        "frozen_after": PORTFOLIO.c.frozen_quantity.type,
        "cost_before": PORTFOLIO.c.total_cost.type,
        "cost_after": PORTFOLIO.c.total_cost.type,
        "average_after": PORTFOLIO.c.average_price.type,
        "changed_at": PORTFOLIO.c.last_updated.type,
    },
    _updated_holdings,
    index="uq_portfolio_user_id_ticker",
)

# Built once: an order needs each of them, and building them costs as much as asking.
_ACCOUNTS = (
    select(
        BALANCE.c.user_id,
        BALANCE.c.available_balance,
        BALANCE.c.frozen_balance,
        BALANCE.c.journal_sequence,
        BALANCE.c.event_sequence,
    )
    .order_by(BALANCE.c.user_id)
    .with_for_update()
)
LOCK_ACCOUNTS = _ACCOUNTS.where(BALANCE.c.user_id.in_(bindparam("user_ids", expanding=True, literal_execute=True)))
# A list is written into the statement anew each time, which one trader can do without.
LOCK_ACCOUNT = _ACCOUNTS.where(BALANCE.c.user_id == bindparam("user_id"))
_HOLDINGS = select(
    PORTFOLIO.c.user_id,
    PORTFOLIO.c.ticker,
    PORTFOLIO.c.quantity,
    PORTFOLIO.c.frozen_quantity,
    PORTFOLIO.c.total_cost,
)
# The traders beside the pairs: by pairs alone SQLite reads the whole table.
HOLDINGS = _HOLDINGS.where(
    PORTFOLIO.c.user_id.in_(bindparam("user_ids", expanding=True, literal_execute=True)),
    tuple_(PORTFOLIO.c.user_id, PORTFOLIO.c.ticker).in_(bindparam("keys", expanding=True)),
)
HOLDINGS_OF_ONE = _HOLDINGS.where(PORTFOLIO.c.user_id == bindparam("user_id"))
