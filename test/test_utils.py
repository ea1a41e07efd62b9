"""The ground floor: numbers, times, passwords, the secret key, and log files."""

from __future__ import annotations

import logging
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.datetime_utils import format_datetime, iso_utc, to_utc, utc_now
from utils.logs import current_request_id, start_logging, stop_logging
from utils.number_utils import (
    decimal_places,
    parse_decimal,
    round_money,
    round_price,
    round_up_to_cent,
    safe_round,
)
from utils.passwords import hash_password, needs_rehash, verify_password
from utils.secret_key import read_or_make_secret_key
from utils.user_agents import describe_browser

# Numbers.


@pytest.mark.parametrize(
    ("value", "expected"),
    [("12.50", "12.50"), ("-3", "-3"), (7, "7"), (0.1, "0.1"), (1e-7, "0.0000001"), (Decimal("1E+3"), "1000")],
)
def test_plain_numbers_are_read_exactly(value: Any, expected: str) -> None:
    assert parse_decimal(value) == Decimal(expected)


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, False, [], {}, b"1", Ellipsis, float("nan"), float("inf"), Decimal("NaN"), Decimal("Infinity")),
        *("", " 1", "1 ", "NaN", "1e5", "1_000", "1,000", "٣", "１", ".5", "5.", "--1", "1" * 21, "0." + "1" * 21, "½"),
    ],
    ids=repr,
)
def test_whatever_is_no_plain_number_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="must be a"):
        parse_decimal(value)


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=4))
def test_reading_what_was_written_gives_the_same_number(value: Decimal) -> None:
    assert parse_decimal(format(value, "f")) == value


def test_rounding_follows_one_rule() -> None:
    assert round_money(Decimal("1.005")) == Decimal("1.00")  # half to even
    assert round_money(Decimal("1.015")) == Decimal("1.02")
    assert round_price(Decimal("1.00005")) == Decimal("1.0000")
    assert round_up_to_cent(Decimal("1.0001")) == Decimal("1.01")


@pytest.mark.parametrize(("value", "places"), [("1", 0), ("1.50", 1), ("1.2345", 4), ("100", 0), ("0.00", 0)])
def test_trailing_zeros_are_no_places(value: str, places: int) -> None:
    assert decimal_places(Decimal(value)) == places


@pytest.mark.parametrize(
    ("value", "precision", "shown"),
    [
        (Decimal("1234.5"), 2, "1,234.50"),
        (1234.5678, 1, "1,234.6"),
        ("12", 2, "12.00"),
        (-0.004, 2, "-0.00"),
        (None, 2, "-"),
        ("word", 2, "-"),
        (float("nan"), 2, "-"),
        (float("inf"), 2, "-"),
    ],
)
def test_safe_round_shows_a_number_or_a_dash(value: Any, precision: int, shown: str) -> None:
    assert safe_round(value, precision) == shown


# Times.


def test_format_datetime_takes_times_texts_and_nothing() -> None:
    moment = datetime(2008, 9, 2, 13, 30, tzinfo=UTC)
    assert format_datetime(moment) == "2008-09-02 13:30"
    assert format_datetime("2008-09-02T13:30:00+00:00") == "2008-09-02 13:30"
    assert format_datetime(moment, "%d.%m.") == "02.09."
    assert format_datetime(None) == "-"
    assert format_datetime("no time") == "no time"


def test_times_leave_in_utc_and_never_without_a_zone() -> None:
    eastern = datetime(2008, 9, 2, 9, 30, tzinfo=timezone(timedelta(hours=-4)))
    assert iso_utc(eastern) == "2008-09-02T13:30:00Z"
    assert iso_utc(None) is None
    assert utc_now().tzinfo is UTC
    with pytest.raises(ValueError, match="without a zone"):
        to_utc(datetime(2008, 9, 2))  # noqa: DTZ001 - the case under test


# Passwords.


def test_hashes_are_argon2id_at_19_mib_and_differ() -> None:
    first, second = hash_password("Correct!horse7"), hash_password("Correct!horse7")
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second
    assert len(first) <= 128
    assert verify_password(first, "Correct!horse7")
    assert not verify_password(first, "correct!horse7")
    assert not needs_rehash(first)


@pytest.mark.parametrize("stored", [None, "", "plain text", "$argon2id$broken"])
def test_what_is_no_hash_lets_nobody_in(stored: str | None) -> None:
    assert not verify_password(stored, "the password of nobody")
    assert not verify_password(stored, "")


def test_a_password_that_cannot_be_written_or_is_too_long_is_only_wrong() -> None:
    stored = hash_password("x")
    assert not verify_password(stored, "\ud800")
    assert not verify_password(stored, "x" * 1_000_000)


def test_a_weaker_hash_asks_to_be_renewed() -> None:
    assert needs_rehash("$argon2id$v=19$m=8,t=1,p=1$hE6atrmFM/4$HYsVFcby8GD57rO8MUyObw")


# The secret key.


def test_the_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    key = read_or_make_secret_key(folder)
    assert len(key) == 64
    assert read_or_make_secret_key(folder) == key
    assert stat.S_IMODE((folder / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == ["secret_key"]


def test_many_first_starts_at_once_agree_on_one_key(tmp_path: Path) -> None:
    gate, keys = Barrier(8), []

    def start() -> None:
        gate.wait()
        keys.append(read_or_make_secret_key(tmp_path))

    threads = [Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


def test_a_broken_key_file_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("")
    with pytest.raises(RuntimeError, match="secret_key does not hold a secret key"):
        read_or_make_secret_key(tmp_path)


# Log files.


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Path]:
    """The folder that is logged into."""
    start_logging(tmp_path / "logs", "INFO")
    yield tmp_path / "logs"
    stop_logging()


def test_each_line_has_a_request_id_and_errors_go_to_both_files(logs: Path) -> None:
    logging.getLogger("venue").info("outside a request")
    token = current_request_id.set("0123456789abcdef")
    logging.getLogger("venue").error("inside one")
    current_request_id.reset(token)
    app_log, error_log = (logs / "app.log").read_text(), (logs / "error.log").read_text()
    assert "INFO [-] venue: outside a request" in app_log
    assert "ERROR [0123456789abcdef] venue: inside one" in app_log
    assert "inside one" in error_log
    assert "outside" not in error_log


def test_a_message_cannot_forge_a_line(logs: Path) -> None:
    logging.getLogger("venue").info("name: %s", "x\n2026-01-01 ERROR [-] venue: forged\r\x1b[2J\u2028end")
    lines = (logs / "app.log").read_text().splitlines()
    assert len(lines) == 1
    assert "\\n2026-01-01 ERROR" in lines[0]


def test_the_lines_of_a_traceback_carry_the_request_id_too(logs: Path) -> None:
    token = current_request_id.set("0123456789abcdef")
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("venue").exception("it failed")
    finally:
        current_request_id.reset(token)
    lines = (logs / "error.log").read_text().splitlines()
    assert len(lines) > 3
    assert all("[0123456789abcdef]" in line for line in lines)


def test_files_rotate(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("utils.logs.LARGEST_FILE_BYTES", 1000)
    start_logging(logs, "INFO")
    for _ in range(100):
        logging.getLogger("venue").info("a line of some length, to fill the file")
    assert sorted(path.name for path in logs.iterdir()) == ["app.log", *(f"app.log.{n}" for n in range(1, 6))]
    assert (logs / "app.log").stat().st_size <= 1000


def test_starting_again_writes_each_line_once(logs: Path) -> None:
    start_logging(logs, "INFO")
    start_logging(logs, "INFO")
    logging.getLogger("venue").warning("once")
    assert (logs / "app.log").read_text().count("once") == 1


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36",
            "Chrome on Linux",
        ),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0 Safari/537.36 Edg/130.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) Version/17.6 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) Version/17.6 Mobile Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0", "Firefox on Android"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("x" * 200, "x" * 60),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_is_named_in_a_few_words(user_agent: str, words: str) -> None:
    assert describe_browser(user_agent) == words
