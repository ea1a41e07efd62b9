"""The market as we know it: instruments, bars, reported figures, newest quotes and the replay's clock."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Date, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, CreatedAt
from models.types import Price, Ticker, UTCDateTime, exact_string


class Instrument(Base):
    """A ticker the venue knows."""

    __tablename__ = "instrument"

    ticker: Mapped[str] = mapped_column(Ticker, primary_key=True, comment="Exchange symbol")
    name: Mapped[str] = mapped_column(String(120), comment="Name of the company or index")
    exchange: Mapped[str] = mapped_column(String(32), default="", comment="Where it is listed")
    tradable: Mapped[bool] = mapped_column(default=True, comment="False for an index, which is only a benchmark")
    listed: Mapped[bool] = mapped_column(default=True, comment="Part of the desk's stock list")
    bars_refreshed_at: Mapped[datetime | None] = mapped_column(
        UTCDateTime, comment="Wall clock when its daily bars were last fetched, UTC"
    )
    bars_version: Mapped[int] = mapped_column(default=0, comment="Grows with every change of its daily bars")
    renamed: Mapped[bool] = mapped_column(default=False, comment="An admin named it: its source does not any more")
    deactivated_at: Mapped[datetime | None] = mapped_column(
        UTCDateTime, comment="Wall clock since when an admin took it out of trading, UTC; NULL: it may be traded"
    )
    created_at: Mapped[CreatedAt]

    @property
    def is_active(self) -> bool:
        """Whether it is offered at all: no admin took it out."""
        return self.deactivated_at is None


class MarketData(Base):
    """One daily bar, as traded; adj_close is adjusted for splits and dividends."""

    __tablename__ = "market_data"
    __table_args__ = (CheckConstraint("volume >= 0", name="volume"),)

    ticker: Mapped[str] = mapped_column(Ticker, primary_key=True, comment="Exchange symbol")
    date: Mapped[date] = mapped_column(Date, primary_key=True, comment="Day of the exchange")
    open: Mapped[Decimal | None] = mapped_column(Price, comment="First price, dollars")
    high: Mapped[Decimal | None] = mapped_column(Price, comment="Highest price")
    low: Mapped[Decimal | None] = mapped_column(Price, comment="Lowest price")
    close: Mapped[Decimal | None] = mapped_column(Price, comment="Last price")
    adj_close: Mapped[Decimal | None] = mapped_column(Price, comment="Close adjusted for splits and dividends")
    volume: Mapped[int | None] = mapped_column(BigInteger, comment="Shares traded")
    data_collected_at: Mapped[CreatedAt]


class FundamentalData(Base):
    """Key figures of a company at one report date. NULL where nothing is reported, never 0."""

    __tablename__ = "fundamental_data"

    ticker: Mapped[str] = mapped_column(Ticker, primary_key=True, comment="Exchange symbol")
    date: Mapped[date] = mapped_column(Date, primary_key=True, comment="Report date")
    market_cap: Mapped[int | None] = mapped_column(BigInteger, comment="Market capitalisation, dollars")
    pe_ratio: Mapped[Decimal | None] = mapped_column(Price, comment="Price to earnings")
    pb_ratio: Mapped[Decimal | None] = mapped_column(Price, comment="Price to book")
    dividend_yield: Mapped[Decimal | None] = mapped_column(Price, comment="Dividend yield, fraction")
    revenue: Mapped[int | None] = mapped_column(BigInteger, comment="Revenue, dollars")
    net_income: Mapped[int | None] = mapped_column(BigInteger, comment="Net income, dollars")
    eps: Mapped[Decimal | None] = mapped_column(Price, comment="Earnings per share, dollars")
    operating_cash_flow: Mapped[int | None] = mapped_column(BigInteger, comment="Operating cash flow, dollars")
    data_collected_at: Mapped[CreatedAt]


class BalanceSheet(Base):
    """A reported balance sheet. NULL where nothing is reported, never 0."""

    __tablename__ = "balance_sheet"

    ticker: Mapped[str] = mapped_column(Ticker, primary_key=True, comment="Exchange symbol")
    date: Mapped[date] = mapped_column(Date, primary_key=True, comment="Report date")
    current_assets: Mapped[int | None] = mapped_column(BigInteger, comment="Dollars")
    non_current_assets: Mapped[int | None] = mapped_column(BigInteger, comment="Dollars")
    total_assets: Mapped[int | None] = mapped_column(BigInteger, comment="Dollars")
    current_liabilities: Mapped[int | None] = mapped_column(BigInteger, comment="Dollars")
    non_current_liabilities: Mapped[int | None] = mapped_column(BigInteger, comment="Dollars")
    total_liabilities: Mapped[int | None] = mapped_column(BigInteger, comment="Dollars")
    total_equity: Mapped[int | None] = mapped_column(BigInteger, comment="Shareholders' equity, dollars")
    data_collected_at: Mapped[CreatedAt]


class IncomeStatement(Base):
    """A reported income statement. NULL where nothing is reported, never 0."""

    __tablename__ = "income_statement"

    ticker: Mapped[str] = mapped_column(Ticker, primary_key=True, comment="Exchange symbol")
    date: Mapped[date] = mapped_column(Date, primary_key=True, comment="Report date")
    revenue: Mapped[int | None] = mapped_column(BigInteger, comment="Dollars")
    cost_of_revenue: Mapped[int | None] = mapped_column(BigInteger, comment="Dollars")
    gross_profit: Mapped[int | None] = mapped_column(BigInteger, comment="Dollars")
    operating_income: Mapped[int | None] = mapped_column(BigInteger, comment="Dollars")
    income_before_tax: Mapped[int | None] = mapped_column(BigInteger, comment="Dollars")
    net_income: Mapped[int | None] = mapped_column(BigInteger, comment="Dollars")
    data_collected_at: Mapped[CreatedAt]


class LatestQuote(Base):
    """The newest quote of a ticker, written by the process that asks the source, read by all the others."""

    __tablename__ = "latest_quote"
    __table_args__ = (Index("ix_latest_quote_received_at", "received_at"),)

    ticker: Mapped[str] = mapped_column(Ticker, primary_key=True, comment="Exchange symbol")
    last: Mapped[Decimal] = mapped_column(Price, comment="Last price, dollars")
    bid: Mapped[Decimal | None] = mapped_column(Price, comment="Bid, dollars")
    ask: Mapped[Decimal | None] = mapped_column(Price, comment="Ask, dollars")
    open: Mapped[Decimal | None] = mapped_column(Price, comment="Day's first price")
    high: Mapped[Decimal | None] = mapped_column(Price, comment="Day's highest price")
    low: Mapped[Decimal | None] = mapped_column(Price, comment="Day's lowest price")
    previous_close: Mapped[Decimal | None] = mapped_column(Price, comment="Close of the session before")
    volume: Mapped[int | None] = mapped_column(BigInteger, comment="Day's volume so far, shares")
    provider_time: Mapped[datetime | None] = mapped_column(
        UTCDateTime, comment="Provider's time of the quote, UTC; NULL: for display only"
    )
    traded: Mapped[int | None] = mapped_column(
        BigInteger, comment="Shares traded since the price update before; NULL when unknown"
    )
    delay: Mapped[int] = mapped_column(default=0, comment="Seconds by which the provider says it lags")
    source: Mapped[str] = mapped_column(exact_string(16), comment="Market source")
    received_at: Mapped[datetime] = mapped_column(UTCDateTime, comment="Wall clock when it came, UTC")


class Liquidity(Base):
    """How many shares of the newest price update of a ticker may still be filled. All orders share them: whoever fills
    takes them here, in the same transaction.
    """

    __tablename__ = "liquidity"
    __table_args__ = (CheckConstraint("taken >= 0", name="taken"),)

    ticker: Mapped[str] = mapped_column(Ticker, primary_key=True, comment="Exchange symbol")
    quote_time: Mapped[datetime] = mapped_column(UTCDateTime, comment="Provider's time of the price update, UTC")
    taken: Mapped[int] = mapped_column(BigInteger, comment="Shares filled on this update so far")


class MarketClock(Base):
    """The replay's clock, one row: market time is a pure function of the anchor and the wall clock.

    The clock runs while wall time is before alive_until, which the serving process keeps moving ahead; after that it
    stands still. The market time at alive_until is thus a mark above every time ever used, kept across a crash.
    """

    __tablename__ = "market_clock"
    __table_args__ = (
        CheckConstraint("clock_id = 1", name="one_row"),
        CheckConstraint("speed > 0", name="speed"),
    )

    clock_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, comment="Always 1")
    market_anchor: Mapped[datetime] = mapped_column(UTCDateTime, comment="Market time at the anchor, UTC")
    wall_anchor: Mapped[datetime] = mapped_column(UTCDateTime, comment="Wall time at the anchor, UTC")
    speed: Mapped[int] = mapped_column(comment="Market seconds a wall second")
    alive_until: Mapped[datetime] = mapped_column(UTCDateTime, comment="Wall time until which the clock may run, UTC")
