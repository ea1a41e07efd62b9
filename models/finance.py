"""Money: the journal, the balances that cache it, and requests to deposit or withdraw."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import NEVER_REUSE_IDS, Base, CreatedAt, RowId, UpdatedAt
from models.types import Money, Ticker, UTCDateTime, exact_string
from models.user import UserId

ZERO = Decimal("0.00")


class AccountBalance(Base):
    """A trader's cash. A cache of the journal, and the trader's lock: every unit that changes the trader's money,
    shares or orders locks this row first. Only services/accounts/ledger.py writes it.
    """

    __tablename__ = "account_balance"
    __table_args__ = (
        UniqueConstraint("user_id", name="uq_account_balance_user_id"),
        CheckConstraint("available_balance >= 0", name="available_balance"),
        CheckConstraint("frozen_balance >= 0", name="frozen_balance"),
        CheckConstraint("total_balance = available_balance + frozen_balance", name="total_balance"),
        NEVER_REUSE_IDS,
    )

    balance_id: Mapped[RowId]
    user_id: Mapped[UserId]
    available_balance: Mapped[Decimal] = mapped_column(Money, default=ZERO, comment="Cash free to spend, dollars")
    frozen_balance: Mapped[Decimal] = mapped_column(
        Money, default=ZERO, comment="Cash promised to open buys and pending withdrawals, dollars"
    )
    total_balance: Mapped[Decimal] = mapped_column(Money, default=ZERO, comment="available + frozen, dollars")
    journal_sequence: Mapped[int] = mapped_column(default=0, comment="Number of the trader's newest journal group")
    event_sequence: Mapped[int] = mapped_column(default=0, comment="Number of the trader's newest event")
    updated_at: Mapped[UpdatedAt]


class FundTransaction(Base):
    """A request to deposit or withdraw, decided by an admin."""

    __tablename__ = "fund_transaction"
    __table_args__ = (
        CheckConstraint("transaction_type IN ('deposit', 'withdrawal')", name="transaction_type"),
        CheckConstraint("status IN ('pending', 'approved', 'rejected')", name="status"),
        CheckConstraint("amount > 0", name="amount"),
        Index("ix_fund_transaction_user_id", "user_id"),
        Index("ix_fund_transaction_status", "status"),
        Index("ix_fund_transaction_created_at", "created_at"),
        Index("ix_fund_transaction_transaction_type", "transaction_type"),
        Index("ix_fund_transaction_transaction_type_status", "transaction_type", "status"),
        Index("ix_fund_transaction_amount", "amount"),
        NEVER_REUSE_IDS,
    )

    transaction_id: Mapped[RowId]
    user_id: Mapped[UserId]
    transaction_type: Mapped[str] = mapped_column(exact_string(10), comment="deposit or withdrawal")
    amount: Mapped[Decimal] = mapped_column(Money, comment="Dollars, above zero")
    status: Mapped[str] = mapped_column(exact_string(10), default="pending", comment="pending, approved, rejected")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
    remark: Mapped[str | None] = mapped_column(String(255), comment="Why it was rejected, shown to the trader")
    operator_id: Mapped[int | None] = mapped_column(
        ForeignKey("admin.admin_id"), comment="The admin who decided it, NULL while pending"
    )
    automatic: Mapped[bool] = mapped_column(
        default=False, comment="Approved by the venue itself, within the automatic limit"
    )
    first_operator_id: Mapped[int | None] = mapped_column(
        ForeignKey("admin.admin_id"),
        comment="The first of two admins who approve a large request; NULL where one is enough",
    )


class LedgerEntry(Base):
    """One line of the append-only double-entry journal. A group is (user_id, sequence); within a group the cash sums
    to zero, and the shares of each ticker sum to zero. Only services/accounts/ledger.py writes it.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (
        UniqueConstraint("user_id", "sequence", "line", name="uq_ledger_entry_user_id_sequence_line"),
        CheckConstraint("account IN ('available', 'frozen', 'market', 'commission', 'outside')", name="account"),
        CheckConstraint("(ticker IS NULL AND shares = 0) OR (ticker IS NOT NULL AND cash = 0)", name="one_asset"),
        Index("ix_ledger_entry_user_id_kind", "user_id", "kind"),
        Index("ix_ledger_entry_order_id", "order_id"),
        Index("ix_ledger_entry_fund_transaction_id", "fund_transaction_id"),
        NEVER_REUSE_IDS,
    )

    entry_id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
        comment="Row number",
    )
    user_id: Mapped[UserId]
    sequence: Mapped[int] = mapped_column(comment="Number of the group within the trader's journal, from 1, no gaps")
    line: Mapped[int] = mapped_column(comment="Number of the line within the group, from 1")
    kind: Mapped[str] = mapped_column(
        exact_string(16),
        comment="deposit, hold, withdrawal, return, reserve, release, fill, adjust",
    )
    account: Mapped[str] = mapped_column(
        exact_string(12),
        comment="available and frozen are the trader's; market, commission, outside are the system's",
    )
    ticker: Mapped[str | None] = mapped_column(Ticker, comment="The shares' ticker; NULL for a line of cash")
    cash: Mapped[Decimal] = mapped_column(Money, default=ZERO, comment="Dollars into (+) or out of (-) the account")
    shares: Mapped[int] = mapped_column(BigInteger, default=0, comment="Shares into (+) or out of (-) the account")
    order_id: Mapped[int | None] = mapped_column(
        ForeignKey("orders.order_id"), comment="The order, where one caused it"
    )
    fund_transaction_id: Mapped[int | None] = mapped_column(
        ForeignKey("fund_transaction.transaction_id"), comment="The request, where one caused it"
    )
    fill_number: Mapped[int | None] = mapped_column(comment="Number of the fill within the order, where one caused it")
    remark: Mapped[str | None] = mapped_column(String(255), comment="Why, where an admin adjusted by hand")
    created_at: Mapped[CreatedAt]
    market_time: Mapped[datetime] = mapped_column(UTCDateTime, comment="Market clock when it was written, UTC")


class AccountSnapshot(Base):
    """What a trader's account was made of at the close of one session. Every amount counts from the account's
    beginning, so any two rows tell what happened between them. Recomputable from fills and journal; never changed.
    """

    __tablename__ = "account_snapshot"
    __table_args__ = (
        CheckConstraint("cash + holdings_cost = net_flow + realised_profit - commission", name="identity"),
        Index("ix_account_snapshot_session_date", "session_date"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("user.user_id"), primary_key=True, comment="The trader")
    session_date: Mapped[date] = mapped_column(Date, primary_key=True, comment="Day of the exchange's session")
    cash: Mapped[Decimal] = mapped_column(Money, comment="Available and frozen cash, dollars")
    holdings_value: Mapped[Decimal] = mapped_column(Money, comment="Shares at the session's close, dollars")
    holdings_cost: Mapped[Decimal] = mapped_column(Money, comment="What those shares cost, dollars")
    net_flow: Mapped[Decimal] = mapped_column(
        Money, comment="Deposits less withdrawals, adjustments included, since the beginning, dollars"
    )
    realised_profit: Mapped[Decimal] = mapped_column(
        Money, comment="Sales less average cost, before commission, since the beginning, dollars"
    )
    commission: Mapped[Decimal] = mapped_column(Money, comment="Commission of all fills since the beginning, dollars")
    created_at: Mapped[CreatedAt]
