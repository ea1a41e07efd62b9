"""The tables. `db` ties them to the application; `init_db` wires its engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.base import Base, db
from models.database import engine_options, prepare_engine

if TYPE_CHECKING:
    from flask import Flask

from models.admin import Admin
from models.assistant import (
    ChatConversation,
    ChatMessage,
    ChatProposal,
    ChatReport,
    ChatToolResult,
    ChatUsage,
)
from models.audit import AuditEntry
from models.finance import AccountBalance, AccountSnapshot, FundTransaction, LedgerEntry
from models.market import (
    BalanceSheet,
    FundamentalData,
    IncomeStatement,
    Instrument,
    LatestQuote,
    Liquidity,
    MarketClock,
    MarketData,
)
from models.system import AccountEvent, IdempotencyKey, Lease, Setting
from models.trade import Order, Portfolio, Transaction
from models.user import Login, PasswordLink, User, UserPreference

__all__ = [
    "AccountBalance",
    "AccountEvent",
    "AccountSnapshot",
    "Admin",
    "AuditEntry",
    "BalanceSheet",
    "Base",
    "ChatConversation",
    "ChatMessage",
    "ChatProposal",
    "ChatReport",
    "ChatToolResult",
    "ChatUsage",
    "FundTransaction",
    "FundamentalData",
    "IdempotencyKey",
    "IncomeStatement",
    "Instrument",
    "LatestQuote",
    "Lease",
    "LedgerEntry",
    "Liquidity",
    "Login",
    "MarketClock",
    "MarketData",
    "Order",
    "PasswordLink",
    "Portfolio",
    "Setting",
    "Transaction",
    "User",
    "UserPreference",
    "db",
    "init_db",
]


def init_db(app: Flask) -> None:
    """Tie the tables to the application and prepare every connection of its engine. Creates nothing:
    `flask db upgrade` makes the tables, `services.setup` fills them.
    """
    app.config.setdefault("SQLALCHEMY_ENGINE_OPTIONS", engine_options(app.config["SQLALCHEMY_DATABASE_URI"]))
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
