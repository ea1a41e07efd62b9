"""The tables of the books. The checks read columns of tables, which is quicker than reading objects."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table

from models import (
    AccountBalance,
    AccountEvent,
    Base,
    FundTransaction,
    LedgerEntry,
    Order,
    Portfolio,
    Transaction,
    User,
)


def _table(model: type[Base]) -> Table:
    return cast(Table, model.__table__)


USERS = _table(User)
BALANCES = _table(AccountBalance)
JOURNAL = _table(LedgerEntry)
ORDERS = _table(Order)
FILLS = _table(Transaction)
HOLDINGS = _table(Portfolio)
REQUESTS = _table(FundTransaction)
EVENTS = _table(AccountEvent)
