"""The configuration: read strictly, and every wrong value is refused by the name of its variable."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from config import DOCUMENTED_ADMIN_PASSWORD, ROOT, Config, ConfigError, is_loopback


def read(**environment: str) -> Config:
    return Config.from_environment(environment)


def test_without_any_variable_everything_has_its_default() -> None:
    config = read()
    assert (config.host, config.port) == ("127.0.0.1", 5003)
    assert config.database_url == f"sqlite:///{ROOT}/instance/stock_data_v1.db"
    assert (config.instance_path, config.log_dir) == (ROOT / "instance", ROOT / "logs")
    assert config.secret_key is None
    assert (config.default_admin_username, config.default_admin_password) == ("admin", DOCUMENTED_ADMIN_PASSWORD)
    assert (config.admin_max_login_attempts, config.admin_lockout_duration) == (5, 2)
    assert (config.market_source, config.replay_start, config.replay_speed) == ("auto", date(2008, 9, 2), 60)
    assert (config.order_check_interval, config.run_order_processor) == (5.0, True)
    assert config.tech_tickers == ("AAPL", "MSFT", "AMZN", "GOOGL", "META", "NFLX", "TSLA")
    assert config.commission_per_share == 0
    assert config.is_sqlite


def test_two_venues_live_side_by_side(tmp_path: Path) -> None:
    config = read(PORT="5004", INSTANCE_PATH=str(tmp_path / "second"))
    assert config.port == 5004
    assert config.database_url == f"sqlite:///{tmp_path}/second/stock_data_v1.db"
    assert config.log_dir == tmp_path / "second" / "logs"


@pytest.mark.parametrize("value", ["", "   "])
def test_an_empty_variable_counts_as_unset(value: str) -> None:
    assert read(PORT=value, SECRET_KEY=value, GEMINI_API_KEY=value, DATABASE_URL=value) == read()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("PORT", value) for value in ("0", "65536", "-1", "5003.0", "5e3", "five", "٥٠٠٣", "5_003", "0x10")),
        *(("DATABASE_URL", value) for value in ("postgres://x", "sqlite://", "sqlite:///:memory:", "mysql://root@x/y")),
        ("DATABASE_URL", "mysql+mysqlconnector://root@x/y"),
        ("SECRET_KEY", "short"),
        *(("ADMIN_MAX_LOGIN_ATTEMPTS", value) for value in ("0", "101", "-1", "many")),
        *(("ADMIN_LOCKOUT_DURATION", value) for value in ("0", "1441", "2.5")),
        *(("MARKET_SOURCE", value) for value in ("yahoo", "Replay", "live")),
        *(("REPLAY_START", value) for value in ("2005-02-28", "2013-03-01", "02.09.2008", "2008-02-30")),
        *(("REPLAY_SPEED", value) for value in ("0", "3601", "1.5")),
        *(("ORDER_CHECK_INTERVAL", value) for value in ("0", "61", "NaN", "Infinity", "1e1", "-5")),
        *(("RUN_ORDER_PROCESSOR", value) for value in ("2", "maybe")),
        *(("TECH_TICKERS", value) for value in (",", "AAPL MSFT", "AAPL;MSFT", "TOOLONGTICKER")),
        *(("YAHOO_BASE_URL", value) for value in ("example.com", "ftp://example.com", "http://")),
        ("GEMINI_API_ENDPOINT", "example.com"),
        *(("COMMISSION_PER_SHARE", value) for value in ("-0.01", "101", "0.00001", "NaN")),
        *(("COMMISSION_MINIMUM", value) for value in ("-1", "1001", "0.001")),
        *(("COMMISSION_MAXIMUM_RATE", value) for value in ("-0.1", "1.1")),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_value_stops_the_start_and_names_the_variable(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{name} "):
        read(**{name: value})


def test_values_are_read_as_what_they_are() -> None:
    config = read(
        DATABASE_URL="mysql+pymysql://root@127.0.0.1/venue",
        TECH_TICKERS="ibm, aapl,IBM",
        RUN_ORDER_PROCESSOR="no",
        ORDER_CHECK_INTERVAL="0.25",
        COMMISSION_PER_SHARE="0.005",
        YAHOO_BASE_URL="http://127.0.0.1:9999/",
    )
    assert not config.is_sqlite
    assert config.tech_tickers == ("IBM", "AAPL")
    assert config.run_order_processor is False
    assert config.order_check_interval == 0.25
    assert config.commission_per_share == Decimal("0.005")
    assert config.yahoo_base_url == "http://127.0.0.1:9999"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1"])
def test_loopback_is_this_machine_alone(host: str) -> None:
    assert is_loopback(host)
    assert read(HOST=host).on_loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "venue.example", ""])  # noqa: S104 - the cases
def test_anything_else_is_not(host: str) -> None:
    assert not is_loopback(host)
