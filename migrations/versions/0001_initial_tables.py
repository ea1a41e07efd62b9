"""Make every table of the trading day: accounts, journal, orders, market and what keeps them honest.

Revision: 0001
Revises:
Created: 2026-11-22 15:45:01.330928
"""

import sqlalchemy as sa
from alembic import op

import models.types

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Whatever the server's and the database's defaults are; SQLite does not read them.
SERVER_TABLE_OPTIONS = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
}


def upgrade():
    op.create_table(
        "admin",
        sa.Column("admin_id", sa.Integer(), autoincrement=True, nullable=False, comment="Row number"),
        sa.Column("admin_name", sa.String(length=64), nullable=False, comment="Login name"),
        sa.Column("admin_password", sa.String(length=128), nullable=False, comment="argon2id hash"),
        sa.Column(
            "created_at", models.types.UTCDateTime(), nullable=False, comment="Wall clock when the row was written, UTC"
        ),
        sa.Column(
            "last_login_at", models.types.UTCDateTime(), nullable=True, comment="Wall clock of the last login, UTC"
        ),
        sa.Column(
            "login_attempts", sa.Integer(), nullable=False, comment="Wrong passwords since the last right one or lock"
        ),
        sa.Column("locked_until", models.types.UTCDateTime(), nullable=True, comment="No login before this time, UTC"),
        sa.Column(
            "must_change_password",
            sa.Boolean(),
            nullable=False,
            comment="The password is the documented one and must be changed at the next login",
        ),
        sa.CheckConstraint("login_attempts >= 0", name=op.f("ck_admin_login_attempts")),
        sa.PrimaryKeyConstraint("admin_id", name=op.f("pk_admin")),
        sa.UniqueConstraint("admin_name", name="uq_admin_admin_name"),
        sqlite_autoincrement=True,
        **SERVER_TABLE_OPTIONS,
    )
    op.create_table(
        "balance_sheet",
        sa.Column("ticker", models.types.exact_string(10), nullable=False, comment="Exchange symbol"),
        sa.Column("date", sa.Date(), nullable=False, comment="Report date"),
        sa.Column("current_assets", sa.BigInteger(), nullable=True, comment="Dollars"),
        sa.Column("non_current_assets", sa.BigInteger(), nullable=True, comment="Dollars"),
        sa.Column("total_assets", sa.BigInteger(), nullable=True, comment="Dollars"),
        sa.Column("current_liabilities", sa.BigInteger(), nullable=True, comment="Dollars"),
        sa.Column("non_current_liabilities", sa.BigInteger(), nullable=True, comment="Dollars"),
        sa.Column("total_liabilities", sa.BigInteger(), nullable=True, comment="Dollars"),
        sa.Column("total_equity", sa.BigInteger(), nullable=True, comment="Shareholders' equity, dollars"),
        sa.Column(
            "data_collected_at",
            models.types.UTCDateTime(),
            nullable=False,
            comment="Wall clock when the row was written, UTC",
        ),
        sa.PrimaryKeyConstraint("ticker", "date", name=op.f("pk_balance_sheet")),
        **SERVER_TABLE_OPTIONS,
    )
    op.create_table(
        "fundamental_data",
        sa.Column("ticker", models.types.exact_string(10), nullable=False, comment="Exchange symbol"),
        sa.Column("date", sa.Date(), nullable=False, comment="Report date"),
        sa.Column("market_cap", sa.BigInteger(), nullable=True, comment="Market capitalisation, dollars"),
        sa.Column("pe_ratio", models.types.Price(), nullable=True, comment="Price to earnings"),
        sa.Column("pb_ratio", models.types.Price(), nullable=True, comment="Price to book"),
        sa.Column("dividend_yield", models.types.Price(), nullable=True, comment="Dividend yield, fraction"),
        sa.Column("revenue", sa.BigInteger(), nullable=True, comment="Revenue, dollars"),
        sa.Column("net_income", sa.BigInteger(), nullable=True, comment="Net income, dollars"),
        sa.Column("eps", models.types.Price(), nullable=True, comment="Earnings per share, dollars"),
        sa.Column("operating_cash_flow", sa.BigInteger(), nullable=True, comment="Operating cash flow, dollars"),
        sa.Column(
            "data_collected_at",
            models.types.UTCDateTime(),
            nullable=False,
            comment="Wall clock when the row was written, UTC",
        ),
        sa.PrimaryKeyConstraint("ticker", "date", name=op.f("pk_fundamental_data")),
        **SERVER_TABLE_OPTIONS,
    )
    op.create_table(
        "idempotency_key",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False, comment="Row number"),
        sa.Column("actor", models.types.exact_string(24), nullable=False, comment="Who asked: user:1 or admin:1"),
        sa.Column(
            "key_hash",
            models.types.exact_string(64),
            nullable=False,
            comment="SHA-256 of the Idempotency-Key header, hex: MySQL would ignore trailing spaces",
        ),
        sa.Column(
            "request_hash", models.types.exact_string(64), nullable=False, comment="SHA-256 of endpoint and body, hex"
        ),
        sa.Column("answer", sa.Text(), nullable=False, comment="The first answer, JSON"),
        sa.Column(
            "created_at", models.types.UTCDateTime(), nullable=False, comment="Wall clock when the row was written, UTC"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_key")),
        sa.UniqueConstraint("actor", "key_hash", name="uq_idempotency_key_actor_key_hash"),
        sqlite_autoincrement=True,
        **SERVER_TABLE_OPTIONS,
    )
    op.create_index("ix_idempotency_key_created_at", "idempotency_key", ["created_at"])
    op.create_table(
        "income_statement",
        sa.Column("ticker", models.types.exact_string(10), nullable=False, comment="Exchange symbol"),
        sa.Column("date", sa.Date(), nullable=False, comment="Report date"),
        sa.Column("revenue", sa.BigInteger(), nullable=True, comment="Dollars"),
        sa.Column("cost_of_revenue", sa.BigInteger(), nullable=True, comment="Dollars"),
        sa.Column("gross_profit", sa.BigInteger(), nullable=True, comment="Dollars"),
        sa.Column("operating_income", sa.BigInteger(), nullable=True, comment="Dollars"),
        sa.Column("income_before_tax", sa.BigInteger(), nullable=True, comment="Dollars"),
        sa.Column("net_income", sa.BigInteger(), nullable=True, comment="Dollars"),
        sa.Column(
            "data_collected_at",
            models.types.UTCDateTime(),
            nullable=False,
            comment="Wall clock when the row was written, UTC",
        ),
        sa.PrimaryKeyConstraint("ticker", "date", name=op.f("pk_income_statement")),
        **SERVER_TABLE_OPTIONS,
    )
    op.create_table(
        "instrument",
        sa.Column("ticker", models.types.exact_string(10), nullable=False, comment="Exchange symbol"),
        sa.Column("name", sa.String(length=120), nullable=False, comment="Name of the company or index"),
        sa.Column("exchange", sa.String(length=32), nullable=False, comment="Where it is listed"),
        sa.Column("tradable", sa.Boolean(), nullable=False, comment="False for an index, which is only a benchmark"),
        sa.Column("listed", sa.Boolean(), nullable=False, comment="Part of the desk's stock list"),
        sa.Column(
            "bars_refreshed_at",
            models.types.UTCDateTime(),
            nullable=True,
            comment="Wall clock when its daily bars were last fetched, UTC",
        ),
        sa.Column(
            "created_at", models.types.UTCDateTime(), nullable=False, comment="Wall clock when the row was written, UTC"
        ),
        sa.PrimaryKeyConstraint("ticker", name=op.f("pk_instrument")),
        **SERVER_TABLE_OPTIONS,
    )
    op.create_table(
        "latest_quote",
        sa.Column("ticker", models.types.exact_string(10), nullable=False, comment="Exchange symbol"),
        sa.Column("last", models.types.Price(), nullable=False, comment="Last price, dollars"),
        sa.Column("bid", models.types.Price(), nullable=True, comment="Bid, dollars"),
        sa.Column("ask", models.types.Price(), nullable=True, comment="Ask, dollars"),
        sa.Column("open", models.types.Price(), nullable=True, comment="Day's first price"),
        sa.Column("high", models.types.Price(), nullable=True, comment="Day's highest price"),
        sa.Column("low", models.types.Price(), nullable=True, comment="Day's lowest price"),
        sa.Column("previous_close", models.types.Price(), nullable=True, comment="Close of the session before"),
        sa.Column("volume", sa.BigInteger(), nullable=True, comment="Day's volume so far, shares"),
        sa.Column(
            "provider_time",
            models.types.UTCDateTime(),
            nullable=True,
            comment="Provider's time of the quote, UTC; NULL: for display only",
        ),
        sa.Column(
            "traded",
            sa.BigInteger(),
            nullable=True,
            comment="Shares traded since the price update before; NULL when unknown",
        ),
        sa.Column("delay", sa.Integer(), nullable=False, comment="Seconds by which the provider says it lags"),
        sa.Column("source", models.types.exact_string(16), nullable=False, comment="Market source"),
        sa.Column("received_at", models.types.UTCDateTime(), nullable=False, comment="Wall clock when it came, UTC"),
        sa.PrimaryKeyConstraint("ticker", name=op.f("pk_latest_quote")),
        **SERVER_TABLE_OPTIONS,
    )
    op.create_index("ix_latest_quote_received_at", "latest_quote", ["received_at"])
    op.create_table(
        "lease",
        sa.Column("name", models.types.exact_string(32), nullable=False, comment="The task"),
        sa.Column("holder", models.types.exact_string(64), nullable=False, comment="Process that runs it"),
        sa.Column("epoch", sa.Integer(), nullable=False, comment="Goes up by one at each take-over"),
        sa.Column(
            "expires_at",
            models.types.UTCDateTime(),
            nullable=False,
            comment="Database time after which anyone may take over",
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
        **SERVER_TABLE_OPTIONS,
    )
    op.create_table(
        "liquidity",
        sa.Column("ticker", models.types.exact_string(10), nullable=False, comment="Exchange symbol"),
        sa.Column(
            "quote_time", models.types.UTCDateTime(), nullable=False, comment="Provider's time of the price update, UTC"
        ),
        sa.Column("taken", sa.BigInteger(), nullable=False, comment="Shares filled on this update so far"),
        sa.CheckConstraint("taken >= 0", name=op.f("ck_liquidity_taken")),
        sa.PrimaryKeyConstraint("ticker", name=op.f("pk_liquidity")),
        **SERVER_TABLE_OPTIONS,
    )
    op.create_table(
        "market_clock",
        sa.Column("clock_id", sa.Integer(), autoincrement=False, nullable=False, comment="Always 1"),
        sa.Column(
            "market_anchor", models.types.UTCDateTime(), nullable=False, comment="Market time at the anchor, UTC"
        ),
        sa.Column("wall_anchor", models.types.UTCDateTime(), nullable=False, comment="Wall time at the anchor, UTC"),
        sa.Column("speed", sa.Integer(), nullable=False, comment="Market seconds a wall second"),
        sa.Column(
            "alive_until",
            models.types.UTCDateTime(),
            nullable=False,
            comment="Wall time until which the clock may run, UTC",
        ),
        sa.CheckConstraint("clock_id = 1", name=op.f("ck_market_clock_one_row")),
        sa.CheckConstraint("speed > 0", name=op.f("ck_market_clock_speed")),
        sa.PrimaryKeyConstraint("clock_id", name=op.f("pk_market_clock")),
        **SERVER_TABLE_OPTIONS,
    )
    op.create_table(
        "market_data",
        sa.Column("ticker", models.types.exact_string(10), nullable=False, comment="Exchange symbol"),
        sa.Column("date", sa.Date(), nullable=False, comment="Day of the exchange"),
        sa.Column("open", models.types.Price(), nullable=True, comment="First price, dollars"),
        sa.Column("high", models.types.Price(), nullable=True, comment="Highest price"),
        sa.Column("low", models.types.Price(), nullable=True, comment="Lowest price"),
        sa.Column("close", models.types.Price(), nullable=True, comment="Last price"),
        sa.Column("adj_close", models.types.Price(), nullable=True, comment="Close adjusted for splits and dividends"),
        sa.Column("volume", sa.BigInteger(), nullable=True, comment="Shares traded"),
        sa.Column(
            "data_collected_at",
            models.types.UTCDateTime(),
            nullable=False,
            comment="Wall clock when the row was written, UTC",
        ),
        sa.CheckConstraint("volume >= 0", name=op.f("ck_market_data_volume")),
        sa.PrimaryKeyConstraint("ticker", "date", name=op.f("pk_market_data")),
        **SERVER_TABLE_OPTIONS,
    )
    op.create_table(
        "setting",
        sa.Column("name", models.types.exact_string(64), nullable=False, comment="Name of the setting"),
        sa.Column("value", sa.Text(), nullable=False, comment="Its value"),
        sa.Column(
            "updated_at", models.types.UTCDateTime(), nullable=False, comment="Wall clock of the last change, UTC"
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_setting")),
        **SERVER_TABLE_OPTIONS,
    )
    op.create_table(
        "user",
        sa.Column("user_id", sa.Integer(), autoincrement=True, nullable=False, comment="Row number"),
        sa.Column("user_name", sa.String(length=64), nullable=False, comment="Name as the trader wrote it"),
        sa.Column("user_email", sa.String(length=120), nullable=False, comment="E-mail address as the trader wrote it"),
        sa.Column(
            "name_key",
            models.types.exact_text(64),
            nullable=False,
            comment="Name after NFKC and casefold: one a trader",
        ),
        sa.Column(
            "email_key",
            models.types.exact_text(120),
            nullable=False,
            comment="E-mail after NFKC and casefold: one a trader",
        ),
        sa.Column("user_password", sa.String(length=128), nullable=False, comment="argon2id hash"),
        sa.Column(
            "account_status",
            models.types.exact_string(10),
            nullable=False,
            comment="active, or suspended: may not log in",
        ),
        sa.Column(
            "trading_state",
            models.types.exact_string(10),
            nullable=False,
            comment="active, reducing (may only sell) or halted (may only cancel)",
        ),
        sa.Column(
            "created_at", models.types.UTCDateTime(), nullable=False, comment="Wall clock when the row was written, UTC"
        ),
        sa.Column(
            "last_login_at", models.types.UTCDateTime(), nullable=True, comment="Wall clock of the last login, UTC"
        ),
        sa.CheckConstraint("account_status IN ('active', 'suspended')", name=op.f("ck_user_account_status")),
        sa.CheckConstraint("trading_state IN ('active', 'reducing', 'halted')", name=op.f("ck_user_trading_state")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_user")),
        sa.UniqueConstraint("email_key", name="uq_user_email_key"),
        sa.UniqueConstraint("name_key", name="uq_user_name_key"),
        sa.UniqueConstraint("user_email", name="uq_user_user_email"),
        sa.UniqueConstraint("user_name", name="uq_user_user_name"),
        sqlite_autoincrement=True,
        **SERVER_TABLE_OPTIONS,
    )
    op.create_table(
        "account_balance",
        sa.Column("balance_id", sa.Integer(), autoincrement=True, nullable=False, comment="Row number"),
        sa.Column("user_id", sa.Integer(), nullable=False, comment="The trader"),
        sa.Column("available_balance", models.types.Money(), nullable=False, comment="Cash free to spend, dollars"),
        sa.Column(
            "frozen_balance",
            models.types.Money(),
            nullable=False,
            comment="Cash promised to open buys and pending withdrawals, dollars",
        ),
        sa.Column("total_balance", models.types.Money(), nullable=False, comment="available + frozen, dollars"),
        sa.Column(
            "journal_sequence", sa.Integer(), nullable=False, comment="Number of the trader's newest journal group"
        ),
        sa.Column("event_sequence", sa.Integer(), nullable=False, comment="Number of the trader's newest event"),
        sa.Column(
            "updated_at", models.types.UTCDateTime(), nullable=False, comment="Wall clock of the last change, UTC"
        ),
        sa.CheckConstraint("available_balance >= 0", name=op.f("ck_account_balance_available_balance")),
        sa.CheckConstraint("frozen_balance >= 0", name=op.f("ck_account_balance_frozen_balance")),
        sa.CheckConstraint(
            "total_balance = available_balance + frozen_balance", name=op.f("ck_account_balance_total_balance")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.user_id"], name=op.f("fk_account_balance_user_id_user")),
        sa.PrimaryKeyConstraint("balance_id", name=op.f("pk_account_balance")),
        sa.UniqueConstraint("user_id", name="uq_account_balance_user_id"),
        sqlite_autoincrement=True,
        **SERVER_TABLE_OPTIONS,
    )
    op.create_table(
        "account_event",
        sa.Column("event_id", sa.Integer(), autoincrement=True, nullable=False, comment="Row number"),
        sa.Column("user_id", sa.Integer(), nullable=False, comment="The trader"),
        sa.Column(
            "sequence", sa.Integer(), nullable=False, comment="Number within the trader's events, from 1, no gaps"
        ),
        sa.Column("kind", models.types.exact_string(32), nullable=False, comment="For example order_filled"),
        sa.Column("payload", sa.Text(), nullable=False, comment="What happened, JSON"),
        sa.Column(
            "created_at", models.types.UTCDateTime(), nullable=False, comment="Wall clock when the row was written, UTC"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.user_id"], name=op.f("fk_account_event_user_id_user")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_account_event")),
        sa.UniqueConstraint("user_id", "sequence", name="uq_account_event_user_id_sequence"),
        sqlite_autoincrement=True,
        **SERVER_TABLE_OPTIONS,
    )
    op.create_table(
        "fund_transaction",
        sa.Column("transaction_id", sa.Integer(), autoincrement=True, nullable=False, comment="Row number"),
        sa.Column("user_id", sa.Integer(), nullable=False, comment="The trader"),
        sa.Column("transaction_type", models.types.exact_string(10), nullable=False, comment="deposit or withdrawal"),
        sa.Column("amount", models.types.Money(), nullable=False, comment="Dollars, above zero"),
        sa.Column("status", models.types.exact_string(10), nullable=False, comment="pending, approved, rejected"),
        sa.Column(
            "created_at", models.types.UTCDateTime(), nullable=False, comment="Wall clock when the row was written, UTC"
        ),
        sa.Column(
            "updated_at", models.types.UTCDateTime(), nullable=False, comment="Wall clock of the last change, UTC"
        ),
        sa.Column("remark", sa.String(length=255), nullable=True, comment="Why it was rejected, shown to the trader"),
        sa.Column("operator_id", sa.Integer(), nullable=True, comment="The admin who decided it, NULL while pending"),
        sa.CheckConstraint("status IN ('pending', 'approved', 'rejected')", name=op.f("ck_fund_transaction_status")),
        sa.CheckConstraint(
            "transaction_type IN ('deposit', 'withdrawal')", name=op.f("ck_fund_transaction_transaction_type")
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_fund_transaction_amount")),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["admin.admin_id"], name=op.f("fk_fund_transaction_operator_id_admin")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.user_id"], name=op.f("fk_fund_transaction_user_id_user")),
        sa.PrimaryKeyConstraint("transaction_id", name=op.f("pk_fund_transaction")),
        sqlite_autoincrement=True,
        **SERVER_TABLE_OPTIONS,
    )
    op.create_index("ix_fund_transaction_created_at", "fund_transaction", ["created_at"])
    op.create_index("ix_fund_transaction_status", "fund_transaction", ["status"])
    op.create_index("ix_fund_transaction_user_id", "fund_transaction", ["user_id"])
    op.create_table(
        "login",
        sa.Column("login_id", sa.Integer(), autoincrement=True, nullable=False, comment="Row number"),
        sa.Column(
            "token_hash",
            models.types.exact_string(64),
            nullable=False,
            comment="SHA-256 of the random token in the cookie, hex",
        ),
        sa.Column("user_id", sa.Integer(), nullable=True, comment="The trader, or NULL"),
        sa.Column("admin_id", sa.Integer(), nullable=True, comment="The admin, or NULL"),
        sa.Column(
            "created_at", models.types.UTCDateTime(), nullable=False, comment="Wall clock when the row was written, UTC"
        ),
        sa.Column(
            "last_seen_at",
            models.types.UTCDateTime(),
            nullable=False,
            comment="Wall clock of the last request, about, UTC",
        ),
        sa.Column(
            "ended_at", models.types.UTCDateTime(), nullable=True, comment="Wall clock when it was ended, or NULL"
        ),
        sa.Column("address", sa.String(length=45), nullable=False, comment="Network address it was made from"),
        sa.Column("user_agent", sa.String(length=255), nullable=False, comment="Browser, as it named itself"),
        sa.CheckConstraint("(user_id IS NULL) <> (admin_id IS NULL)", name=op.f("ck_login_one_identity")),
        sa.ForeignKeyConstraint(["admin_id"], ["admin.admin_id"], name=op.f("fk_login_admin_id_admin")),
        sa.ForeignKeyConstraint(["user_id"], ["user.user_id"], name=op.f("fk_login_user_id_user")),
        sa.PrimaryKeyConstraint("login_id", name=op.f("pk_login")),
        sa.UniqueConstraint("token_hash", name="uq_login_token_hash"),
        sqlite_autoincrement=True,
        **SERVER_TABLE_OPTIONS,
    )
    op.create_index("ix_login_admin_id", "login", ["admin_id"])
    op.create_index("ix_login_user_id", "login", ["user_id"])
    op.create_table(
        "orders",
        sa.Column("order_id", sa.Integer(), autoincrement=True, nullable=False, comment="Row number"),
        sa.Column("user_id", sa.Integer(), nullable=False, comment="The trader"),
        sa.Column("ticker", models.types.exact_string(10), nullable=False, comment="What is traded"),
        sa.Column("order_type", models.types.exact_string(4), nullable=False, comment="Side: buy or sell"),
        sa.Column(
            "order_execution_type",
            models.types.exact_string(16),
            nullable=False,
            comment="market, limit, stop, stop_limit or trailing_stop",
        ),
        sa.Column(
            "order_price", models.types.Price(), nullable=True, comment="Limit, dollars a share; NULL without one"
        ),
        sa.Column(
            "stop_price",
            models.types.Price(),
            nullable=True,
            comment="Price that triggers a stop, dollars a share; a trailing stop's moves with the market",
        ),
        sa.Column(
            "trail_amount", models.types.Price(), nullable=True, comment="Trailing stop: distance, dollars a share"
        ),
        sa.Column("trail_percent", models.types.Price(), nullable=True, comment="Trailing stop: distance, percent"),
        sa.Column(
            "trail_peak",
            models.types.Price(),
            nullable=True,
            comment="Trailing stop: best price since acceptance (highest for a sell, lowest for a buy)",
        ),
        sa.Column(
            "triggered_at",
            models.types.UTCDateTime(),
            nullable=True,
            comment="Market clock when its stop was reached, UTC; NULL before",
        ),
        sa.Column("time_in_force", models.types.exact_string(3), nullable=False, comment="gtc, day, ioc or fok"),
        sa.Column(
            "expires_at", models.types.UTCDateTime(), nullable=True, comment="Market clock at which it expires, UTC"
        ),
        sa.Column(
            "extended_hours", sa.Boolean(), nullable=False, comment="May fill before the open and after the close"
        ),
        sa.Column("queued", sa.Boolean(), nullable=False, comment="Accepted while closed: waits for the next open"),
        sa.Column(
            "display_quantity", sa.Integer(), nullable=True, comment="Iceberg: shares shown at a time; NULL shows all"
        ),
        sa.Column(
            "take_profit_price",
            models.types.Price(),
            nullable=True,
            comment="Bracket: limit of the sell that takes the profit of what this buy fills",
        ),
        sa.Column(
            "stop_loss_price",
            models.types.Price(),
            nullable=True,
            comment="Bracket: stop of the sell that limits the loss of what this buy fills",
        ),
        sa.Column("parent_id", sa.Integer(), nullable=True, comment="The buy whose fills this bracket leg protects"),
        sa.Column(
            "oco_id",
            sa.Integer(),
            nullable=True,
            comment="Pair in which one cancels the other: number of the leg that holds the shares of both",
        ),
        sa.Column("order_quantity", sa.Integer(), nullable=False, comment="Shares wanted"),
        sa.Column("filled_quantity", sa.Integer(), nullable=False, comment="Shares filled so far"),
        sa.Column("filled_amount", models.types.Money(), nullable=False, comment="Sum of the fills' amounts, dollars"),
        sa.Column(
            "commission_paid", models.types.Money(), nullable=False, comment="Sum of the fills' commission, dollars"
        ),
        sa.Column(
            "order_status",
            models.types.exact_string(20),
            nullable=False,
            comment="pending, partially_filled, filled, cancelled, rejected, expired",
        ),
        sa.Column(
            "worst_price",
            models.types.Price(),
            nullable=False,
            comment="Worst price it may fill at: the limit, or the collar of a market order, dollars a share",
        ),
        sa.Column(
            "reserved_amount",
            models.types.Money(),
            nullable=False,
            comment="Frozen cash that still belongs to this buy, dollars; 0 for sells",
        ),
        sa.Column(
            "commission_per_share",
            models.types.Price(),
            nullable=False,
            comment="Commission terms at acceptance: dollars a share",
        ),
        sa.Column(
            "commission_minimum",
            models.types.Money(),
            nullable=False,
            comment="Commission terms: least, dollars an order",
        ),
        sa.Column(
            "commission_maximum_rate",
            models.types.Price(),
            nullable=False,
            comment="Commission terms: most, fraction of the value",
        ),
        sa.Column(
            "created_at", models.types.UTCDateTime(), nullable=False, comment="Wall clock when the row was written, UTC"
        ),
        sa.Column(
            "updated_at", models.types.UTCDateTime(), nullable=False, comment="Wall clock of the last change, UTC"
        ),
        sa.Column(
            "accepted_at", models.types.UTCDateTime(), nullable=False, comment="Market clock when it was accepted, UTC"
        ),
        sa.Column(
            "executed_at", models.types.UTCDateTime(), nullable=True, comment="Wall clock of complete execution, UTC"
        ),
        sa.Column("remark", sa.Text(), nullable=True, comment="Why it was cancelled or rejected"),
        sa.Column(
            "operator_id", sa.Integer(), nullable=True, comment="The admin who executed or rejected it by hand, or NULL"
        ),
        sa.CheckConstraint(
            "(order_execution_type IN ('limit', 'stop_limit')) = (order_price IS NOT NULL)",
            name=op.f("ck_orders_limit_has_price"),
        ),
        sa.CheckConstraint(
            "(order_execution_type IN ('stop', 'stop_limit', 'trailing_stop')) = (stop_price IS NOT NULL)",
            name=op.f("ck_orders_stop_has_price"),
        ),
        sa.CheckConstraint(
            "order_execution_type IN ('market', 'limit', 'stop', 'stop_limit', 'trailing_stop')",
            name=op.f("ck_orders_order_execution_type"),
        ),
        sa.CheckConstraint(
            "order_status IN ('pending', 'partially_filled', 'filled', 'cancelled', 'rejected', 'expired')",
            name=op.f("ck_orders_order_status"),
        ),
        sa.CheckConstraint("order_type IN ('buy', 'sell')", name=op.f("ck_orders_order_type")),
        sa.CheckConstraint("time_in_force IN ('gtc', 'day', 'ioc', 'fok')", name=op.f("ck_orders_time_in_force")),
        sa.CheckConstraint(
            "filled_quantity >= 0 AND filled_quantity <= order_quantity", name=op.f("ck_orders_filled_quantity")
        ),
        sa.CheckConstraint("order_quantity > 0", name=op.f("ck_orders_order_quantity")),
        sa.CheckConstraint("reserved_amount >= 0", name=op.f("ck_orders_reserved_amount")),
        sa.ForeignKeyConstraint(["operator_id"], ["admin.admin_id"], name=op.f("fk_orders_operator_id_admin")),
        sa.ForeignKeyConstraint(["parent_id"], ["orders.order_id"], name=op.f("fk_orders_parent_id_orders")),
        sa.ForeignKeyConstraint(["user_id"], ["user.user_id"], name=op.f("fk_orders_user_id_user")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_orders")),
        sqlite_autoincrement=True,
        **SERVER_TABLE_OPTIONS,
    )
    op.create_index("ix_orders_created_at", "orders", ["created_at"])
    op.create_index("ix_orders_oco_id", "orders", ["oco_id"])
    op.create_index("ix_orders_order_execution_type", "orders", ["order_execution_type"])
    op.create_index("ix_orders_order_status", "orders", ["order_status"])
    op.create_index("ix_orders_order_status_expires_at", "orders", ["order_status", "expires_at"])
    op.create_index("ix_orders_order_type", "orders", ["order_type"])
    op.create_index("ix_orders_parent_id", "orders", ["parent_id"])
    op.create_index("ix_orders_ticker", "orders", ["ticker"])
    op.create_index("ix_orders_user_id", "orders", ["user_id"])
    op.create_index("ix_orders_user_id_order_status", "orders", ["user_id", "order_status"])
    op.create_table(
        "portfolio",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False, comment="Row number"),
        sa.Column("user_id", sa.Integer(), nullable=False, comment="The trader"),
        sa.Column("ticker", models.types.exact_string(10), nullable=False, comment="What is held"),
        sa.Column("quantity", sa.Integer(), nullable=False, comment="Shares held, promised ones included"),
        sa.Column("frozen_quantity", sa.Integer(), nullable=False, comment="Shares promised to open sells"),
        sa.Column(
            "average_price", models.types.Price(), nullable=False, comment="total_cost / quantity, dollars a share"
        ),
        sa.Column(
            "total_cost",
            models.types.Money(),
            nullable=False,
            comment="What the shares held were bought for, without commission, dollars",
        ),
        sa.Column(
            "last_updated", models.types.UTCDateTime(), nullable=False, comment="Wall clock of the last change, UTC"
        ),
        sa.CheckConstraint(
            "frozen_quantity >= 0 AND frozen_quantity <= quantity", name=op.f("ck_portfolio_frozen_quantity")
        ),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_portfolio_quantity")),
        sa.CheckConstraint("total_cost >= 0", name=op.f("ck_portfolio_total_cost")),
        sa.ForeignKeyConstraint(["user_id"], ["user.user_id"], name=op.f("fk_portfolio_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portfolio")),
        sa.UniqueConstraint("user_id", "ticker", name="uq_portfolio_user_id_ticker"),
        sqlite_autoincrement=True,
        **SERVER_TABLE_OPTIONS,
    )
    op.create_table(
        "ledger_entry",
        sa.Column(
            "entry_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="Row number",
        ),
        sa.Column("user_id", sa.Integer(), nullable=False, comment="The trader"),
        sa.Column(
            "sequence",
            sa.Integer(),
            nullable=False,
            comment="Number of the group within the trader's journal, from 1, no gaps",
        ),
        sa.Column("line", sa.Integer(), nullable=False, comment="Number of the line within the group, from 1"),
        sa.Column(
            "kind",
            models.types.exact_string(16),
            nullable=False,
            comment="deposit, hold, withdrawal, return, reserve, release, fill, adjust",
        ),
        sa.Column(
            "account",
            models.types.exact_string(12),
            nullable=False,
            comment="available and frozen are the trader's; market, commission, outside are the system's",
        ),
        sa.Column(
            "ticker",
            models.types.exact_string(10),
            nullable=True,
            comment="The shares' ticker; NULL for a line of cash",
        ),
        sa.Column("cash", models.types.Money(), nullable=False, comment="Dollars into (+) or out of (-) the account"),
        sa.Column("shares", sa.BigInteger(), nullable=False, comment="Shares into (+) or out of (-) the account"),
        sa.Column("order_id", sa.Integer(), nullable=True, comment="The order, where one caused it"),
        sa.Column("fund_transaction_id", sa.Integer(), nullable=True, comment="The request, where one caused it"),
        sa.Column(
            "fill_number",
            sa.Integer(),
            nullable=True,
            comment="Number of the fill within the order, where one caused it",
        ),
        sa.Column("remark", sa.String(length=255), nullable=True, comment="Why, where an admin adjusted by hand"),
        sa.Column(
            "created_at", models.types.UTCDateTime(), nullable=False, comment="Wall clock when the row was written, UTC"
        ),
        sa.Column(
            "market_time", models.types.UTCDateTime(), nullable=False, comment="Market clock when it was written, UTC"
        ),
        sa.CheckConstraint(
            "account IN ('available', 'frozen', 'market', 'commission', 'outside')",
            name=op.f("ck_ledger_entry_account"),
        ),
        sa.CheckConstraint(
            "(ticker IS NULL AND shares = 0) OR (ticker IS NOT NULL AND cash = 0)",
            name=op.f("ck_ledger_entry_one_asset"),
        ),
        sa.ForeignKeyConstraint(
            ["fund_transaction_id"],
            ["fund_transaction.transaction_id"],
            name=op.f("fk_ledger_entry_fund_transaction_id_fund_transaction"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_ledger_entry_order_id_orders")),
        sa.ForeignKeyConstraint(["user_id"], ["user.user_id"], name=op.f("fk_ledger_entry_user_id_user")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint("user_id", "sequence", "line", name="uq_ledger_entry_user_id_sequence_line"),
        sqlite_autoincrement=True,
        **SERVER_TABLE_OPTIONS,
    )
    op.create_index("ix_ledger_entry_fund_transaction_id", "ledger_entry", ["fund_transaction_id"])
    op.create_index("ix_ledger_entry_order_id", "ledger_entry", ["order_id"])
    op.create_table(
        "transaction",
        sa.Column("transaction_id", sa.Integer(), autoincrement=True, nullable=False, comment="Row number"),
        sa.Column("order_id", sa.Integer(), nullable=False, comment="The order it fills"),
        sa.Column(
            "fill_number", sa.Integer(), nullable=False, comment="Number of the fill within its order, from 1, no gaps"
        ),
        sa.Column("user_id", sa.Integer(), nullable=False, comment="The trader"),
        sa.Column("ticker", models.types.exact_string(10), nullable=False, comment="What was traded"),
        sa.Column("transaction_type", models.types.exact_string(4), nullable=False, comment="Side: buy or sell"),
        sa.Column("transaction_price", models.types.Price(), nullable=False, comment="Dollars a share"),
        sa.Column("transaction_quantity", sa.Integer(), nullable=False, comment="Shares"),
        sa.Column(
            "transaction_amount",
            models.types.Money(),
            nullable=False,
            comment="Price times quantity, to the cent, half to even",
        ),
        sa.Column("commission", models.types.Money(), nullable=False, comment="Commission of this fill, dollars"),
        sa.Column(
            "realised_profit",
            models.types.Money(),
            nullable=True,
            comment="Sells: amount less the average cost of the shares, before commission; NULL for buys",
        ),
        sa.Column(
            "transaction_time",
            models.types.UTCDateTime(),
            nullable=False,
            comment="Wall clock when the row was written, UTC",
        ),
        sa.Column(
            "worst_price",
            models.types.Price(),
            nullable=False,
            comment="Limit or collar that was in force, dollars a share; a replaced order has another one later",
        ),
        sa.Column("market_time", models.types.UTCDateTime(), nullable=False, comment="Market clock of the fill, UTC"),
        sa.Column("rule", models.types.exact_string(24), nullable=False, comment="The fill rule that set the price"),
        sa.Column("profile", models.types.exact_string(12), nullable=False, comment="Realism profile in force"),
        sa.Column(
            "quote_time", models.types.UTCDateTime(), nullable=True, comment="Provider's time of the quote used, UTC"
        ),
        sa.Column("quote_last", models.types.Price(), nullable=True, comment="Last price of that quote"),
        sa.Column("quote_bid", models.types.Price(), nullable=True, comment="Bid of that quote"),
        sa.Column("quote_ask", models.types.Price(), nullable=True, comment="Ask of that quote"),
        sa.Column("quote_source", sa.String(length=16), nullable=True, comment="Market source of that quote"),
        sa.Column(
            "slippage",
            models.types.Price(),
            nullable=False,
            comment="Part of the price that the order's own size cost, dollars a share",
        ),
        sa.CheckConstraint("transaction_type IN ('buy', 'sell')", name=op.f("ck_transaction_transaction_type")),
        sa.CheckConstraint("transaction_price > 0", name=op.f("ck_transaction_transaction_price")),
        sa.CheckConstraint("transaction_quantity > 0", name=op.f("ck_transaction_transaction_quantity")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_transaction_order_id_orders")),
        sa.ForeignKeyConstraint(["user_id"], ["user.user_id"], name=op.f("fk_transaction_user_id_user")),
        sa.PrimaryKeyConstraint("transaction_id", name=op.f("pk_transaction")),
        sa.UniqueConstraint("order_id", "fill_number", name="uq_transaction_order_id_fill_number"),
        sqlite_autoincrement=True,
        **SERVER_TABLE_OPTIONS,
    )
    op.create_index("ix_transaction_order_id", "transaction", ["order_id"])
    op.create_index("ix_transaction_transaction_time", "transaction", ["transaction_time"])
    op.create_index("ix_transaction_user_id", "transaction", ["user_id"])


def downgrade():
    # Each table takes its indexes along; the ones that point at others go first.
    op.drop_table("transaction")
    op.drop_table("ledger_entry")
    op.drop_table("portfolio")
    op.drop_table("orders")
    op.drop_table("login")
    op.drop_table("fund_transaction")
    op.drop_table("account_event")
    op.drop_table("account_balance")
    op.drop_table("user")
    op.drop_table("setting")
    op.drop_table("market_data")
    op.drop_table("market_clock")
    op.drop_table("liquidity")
    op.drop_table("lease")
    op.drop_table("latest_quote")
    op.drop_table("instrument")
    op.drop_table("income_statement")
    op.drop_table("idempotency_key")
    op.drop_table("fundamental_data")
    op.drop_table("balance_sheet")
    op.drop_table("admin")
