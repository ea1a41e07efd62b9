"""The configuration: read once, strictly, from the environment and the file `.env`.

An empty variable counts as unset. A wrong value raises ConfigError, whose text names the variable, and stops the start.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal, TypeVar, cast
from urllib.parse import urlsplit

from dotenv import dotenv_values

from utils.number_utils import parse_decimal

ROOT = Path(__file__).resolve().parent
DOCUMENTED_ADMIN_PASSWORD = "admin123secure"  # noqa: S105 - printed in the specification; must be changed at first login
EARLIEST_REPLAY_START = date(2005, 3, 1)
LATEST_REPLAY_START = date(2013, 2, 28)

MarketChoice = Literal["auto", "yfinance", "replay"]
Value = TypeVar("Value")


class ConfigError(Exception):
    """A variable of the environment has a value that cannot be used. The text names the variable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Every setting of the server. Durations carry their unit in the comment."""

    host: str
    port: int
    database_url: str
    instance_path: Path
    log_dir: Path
    log_level: str
    secret_key: str | None  # None: made at first start and kept in instance_path
    default_admin_username: str
    default_admin_password: str
    admin_max_login_attempts: int
    admin_lockout_duration: int  # minutes
    market_source: MarketChoice
    replay_start: date
    replay_speed: int  # market seconds a wall second
    order_check_interval: float  # seconds
    run_order_processor: bool
    tech_tickers: tuple[str, ...]
    yahoo_base_url: str | None
    gemini_api_endpoint: str | None
    gemini_api_key: str | None
    gemini_library: str  # generativeai (the specification's) or genai (its successor)
    gemini_model: str
    gemini_temperature: float
    gemini_timeout: float  # seconds without a byte after which a call is given up
    assistant_at_once: int  # answers under way at the same time, of all traders together
    assistant_time_limit: float  # seconds an answer may take, its tools and calls together
    assistant_minute_limit: int  # messages a trader; 0 switches it off, as in the five below
    assistant_day_limit: int  # messages a trader
    assistant_token_limit: int  # tokens a trader and day
    assistant_total_minute_limit: int  # messages of all traders
    assistant_total_day_limit: int  # messages of all traders
    assistant_total_token_limit: int  # tokens a day of all traders
    assistant_prompt_tokens: int  # of a conversation's past, sent along with a message
    assistant_answer_tokens: int  # longest answer of one call
    commission_per_share: Decimal  # dollars
    commission_minimum: Decimal  # dollars an order
    commission_maximum_rate: Decimal  # fraction of the order's value; 1 means no other cap than the value itself
    risk_free_rate: Decimal  # fraction a year, for Sharpe, Sortino, Treynor and alpha
    realism_profile: str
    trading_hours: str  # exchange: regular sessions; always: also on the last price while closed
    order_rate_limit: int  # orders a second and trader; 0 switches it off
    open_order_limit: int  # open orders a trader; 0 switches it off
    concentration_limit: Decimal  # largest fraction of equity in one ticker; 0 switches it off
    daily_loss_limit: Decimal  # fraction of the day's first equity after which only sells pass; 0 switches it off
    starting_balance: Decimal  # dollars that a new trader begins with
    automatic_approval_limit: Decimal  # dollars of requests that need no admin, a trader, kind and day; 0: none
    second_approval_above: Decimal  # dollars of a request from which on two admins must approve; 0 switches it off
    registration: str  # open: anybody; invitation: with the code; closed: admins make the accounts
    invitation_code: str | None  # what a new trader must know while registration is by invitation
    announcement: str | None  # one line at the top of every page
    stream_slots: int  # live streams at once; each keeps one of the server's 64 threads

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Config:
        """Read the configuration. Without an argument: `.env` beside this file, overruled by os.environ."""
        reader = _Reader(_environment_and_file() if environment is None else environment)
        instance_path = reader.path("INSTANCE_PATH", ROOT / "instance")
        return cls(
            host=reader.text("HOST", "127.0.0.1"),
            port=reader.whole("PORT", 5003, 1, 65535),
            database_url=reader.convert(
                "DATABASE_URL", _database_url, f"sqlite:///{instance_path / 'stock_data_v1.db'}"
            ),
            instance_path=instance_path,
            log_dir=reader.path(
                "LOG_DIR", ROOT / "logs" if instance_path == ROOT / "instance" else instance_path / "logs"
            ),
            log_level=reader.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO"),
            secret_key=reader.optional("SECRET_KEY", _secret_key),
            default_admin_username=reader.text("DEFAULT_ADMIN_USERNAME", "admin"),
            default_admin_password=reader.text("DEFAULT_ADMIN_PASSWORD", DOCUMENTED_ADMIN_PASSWORD),
            admin_max_login_attempts=reader.whole("ADMIN_MAX_LOGIN_ATTEMPTS", 5, 1, 100),
            admin_lockout_duration=reader.whole("ADMIN_LOCKOUT_DURATION", 2, 1, 1440),
            market_source=cast(MarketChoice, reader.choice("MARKET_SOURCE", ("auto", "yfinance", "replay"), "auto")),
            replay_start=reader.convert("REPLAY_START", _replay_start, "2008-09-02"),
            replay_speed=reader.whole("REPLAY_SPEED", 60, 1, 3600),
            order_check_interval=float(reader.number("ORDER_CHECK_INTERVAL", "5", "0.05", "60")),
            run_order_processor=reader.flag("RUN_ORDER_PROCESSOR", True),
            tech_tickers=reader.convert("TECH_TICKERS", _tickers, "AAPL,MSFT,AMZN,GOOGL,META,NFLX,TSLA"),
            yahoo_base_url=reader.optional("YAHOO_BASE_URL", _http_url),
            gemini_api_endpoint=reader.optional("GEMINI_API_ENDPOINT", _http_url),
            gemini_api_key=reader.optional("GEMINI_API_KEY", str),
            gemini_library=reader.choice("GEMINI_LIBRARY", ("generativeai", "genai"), "generativeai"),
            gemini_model=reader.convert("GEMINI_MODEL", _model_name, "gemini-2.0-flash"),
            gemini_temperature=float(reader.number("GEMINI_TEMPERATURE", "0.2", "0", "2")),
            gemini_timeout=float(reader.number("GEMINI_TIMEOUT", "20", "0.1", "300")),
            assistant_at_once=reader.whole("ASSISTANT_AT_ONCE", 4, 1, 16),
            assistant_time_limit=float(reader.number("ASSISTANT_TIME_LIMIT", "90", "1", "600")),
            assistant_minute_limit=reader.whole("ASSISTANT_MINUTE_LIMIT", 10, 0, 1_000_000),
            assistant_day_limit=reader.whole("ASSISTANT_DAY_LIMIT", 200, 0, 1_000_000),
            assistant_token_limit=reader.whole("ASSISTANT_TOKEN_LIMIT", 400_000, 0, 999_999_999),
            assistant_total_minute_limit=reader.whole("ASSISTANT_TOTAL_MINUTE_LIMIT", 60, 0, 1_000_000),
            assistant_total_day_limit=reader.whole("ASSISTANT_TOTAL_DAY_LIMIT", 5_000, 0, 1_000_000),
            assistant_total_token_limit=reader.whole("ASSISTANT_TOTAL_TOKEN_LIMIT", 4_000_000, 0, 999_999_999),
            assistant_prompt_tokens=reader.whole("ASSISTANT_PROMPT_TOKENS", 6_000, 500, 100_000),
            assistant_answer_tokens=reader.whole("ASSISTANT_ANSWER_TOKENS", 2_048, 64, 8_192),
            commission_per_share=reader.number("COMMISSION_PER_SHARE", "0", "0", "100", places=4),
            commission_minimum=reader.number("COMMISSION_MINIMUM", "0", "0", "1000", places=2),
            commission_maximum_rate=reader.number("COMMISSION_MAXIMUM_RATE", "1", "0", "1", places=4),
            risk_free_rate=reader.number("RISK_FREE_RATE", "0", "-0.05", "0.5", places=4),
            realism_profile=reader.choice("REALISM_PROFILE", ("simple", "standard", "strict"), "standard"),
            trading_hours=reader.choice("TRADING_HOURS", ("exchange", "always"), "exchange"),
            order_rate_limit=reader.whole("ORDER_RATE_LIMIT", 10, 0, 1_000_000),
            open_order_limit=reader.whole("OPEN_ORDER_LIMIT", 200, 0, 1_000_000),
            concentration_limit=reader.number("CONCENTRATION_LIMIT", "0", "0", "1", places=4),
            daily_loss_limit=reader.number("DAILY_LOSS_LIMIT", "0", "0", "1", places=4),
            starting_balance=reader.number("STARTING_BALANCE", "0", "0", "1000000000", places=2),
            automatic_approval_limit=reader.number("AUTOMATIC_APPROVAL_LIMIT", "0", "0", "1000000000", places=2),
            second_approval_above=reader.number("SECOND_APPROVAL_ABOVE", "0", "0", "1000000000", places=2),
            registration=reader.choice("REGISTRATION", ("open", "invitation", "closed"), "open"),
            invitation_code=reader.optional("INVITATION_CODE", _invitation_code),
            announcement=reader.optional("ANNOUNCEMENT", _announcement),
            stream_slots=reader.whole("STREAM_SLOTS", 40, 0, 60),
        )

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _environment_and_file() -> dict[str, str]:
    from_file = {name: value for name, value in dotenv_values(ROOT / ".env").items() if value is not None}
    return {**from_file, **os.environ}


class _Reader:
    """Reads one variable at a time; whatever is wrong becomes a ConfigError that names it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def convert(self, name: str, read: Callable[[str], Value], default: str) -> Value:
        text = self._environment.get(name, "").strip() or default
        try:
            return read(text)
        except ValueError as error:
            raise ConfigError(f"{name} {error} (it is {text!r})") from error

    def optional(self, name: str, read: Callable[[str], Value]) -> Value | None:
        return self.convert(name, read, "-") if self._environment.get(name, "").strip() else None

    def text(self, name: str, default: str) -> str:
        return self.convert(name, str, default)

    def path(self, name: str, default: Path) -> Path:
        return self.convert(name, lambda text: Path(text).expanduser().resolve(), str(default))

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        def read(text: str) -> int:
            if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
                raise ValueError(f"must be a whole number from {least} to {most}")
            return int(text)

        return self.convert(name, read, str(default))

    def number(self, name: str, default: str, least: str, most: str, places: int = 4) -> Decimal:
        def read(text: str) -> Decimal:
            value = parse_decimal(text)
            if not Decimal(least) <= value <= Decimal(most) or value != round(value, places):
                raise ValueError(f"must be a number from {least} to {most} with at most {places} places")
            return value

        return self.convert(name, read, default)

    def flag(self, name: str, default: bool) -> bool:
        words = {
            "1": True,
            "true": True,
            "yes": True,
            "on": True,
            "0": False,
            "false": False,
            "no": False,
            "off": False,
        }

        def read(text: str) -> bool:
            if text.lower() not in words:
                raise ValueError("must be 1 or 0")
            return words[text.lower()]

        return self.convert(name, read, "1" if default else "0")

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        def read(text: str) -> str:
            if text not in choices:
                raise ValueError(f"must be one of {', '.join(choices)}")
            return text

        return self.convert(name, read, default)


def _database_url(text: str) -> str:
    if text.startswith("mysql+mysqlconnector:"):
        raise ValueError("must start with mysql+pymysql://: mysql-connector-python is not supported, see README.md")
    if not text.startswith(("sqlite:///", "mysql+pymysql://", "mariadb+pymysql://")):
        raise ValueError("must start with sqlite:/// or mysql+pymysql://")
    if text.startswith("sqlite:///") and (":memory:" in text or text == "sqlite:///"):
        raise ValueError("must name a file: a database in memory would be lost, and is not shared between threads")
    return text


def _secret_key(text: str) -> str:
    if len(text) < 16:
        raise ValueError("must have at least 16 characters")
    return text


def _invitation_code(text: str) -> str:
    if not re.fullmatch(r"[!-~]{6,64}", text):
        raise ValueError("must have 6 to 64 letters, digits or signs, without spaces")
    return text


def _announcement(text: str) -> str:
    if len(text) > 200 or not text.isprintable():
        raise ValueError("must be one line of at most 200 characters")
    return text


def _replay_start(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a date such as 2008-09-02") from None
    if day < EARLIEST_REPLAY_START:
        raise ValueError(
            f"must not be before {EARLIEST_REPLAY_START}: the recorded prices hold splits until then, "
            "and corporate actions are not simulated yet"
        )
    if day > LATEST_REPLAY_START:
        raise ValueError(f"must not be after {LATEST_REPLAY_START}: the recorded prices end there")
    return day


def _tickers(text: str) -> tuple[str, ...]:
    tickers = tuple(dict.fromkeys(part.strip().upper() for part in text.split(",") if part.strip()))
    if not tickers or not all(re.fullmatch(r"[A-Z0-9^][A-Z0-9.\-=^]{0,9}", ticker) for ticker in tickers):
        raise ValueError("must be tickers with commas between, such as AAPL,MSFT")
    return tickers


def _model_name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9.\-]{0,63}", text):
        raise ValueError("must be the name of a model such as gemini-2.0-flash")
    return text


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an address such as https://example.com")
    return text.rstrip("/")
