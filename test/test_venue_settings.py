"""Settings: the environment gives the first value, a saved one wins everywhere at once; checked, numbered, noted."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from itertools import groupby
from typing import Any

import pytest
from sqlalchemy import select

from config import Config
from conftest import Books
from factories import Person
from models import AuditEntry, Instrument, Setting
from services import settings, venue_settings
from services.errors import Conflict, InvalidInput
from services.market import instruments
from services.market.source_choice import SETTING
from services.trading.rules import SETTING_NAMES, read_rules
from services.venue_settings import KINDS, SETTINGS
from utils.datetime_utils import utc_now


def save(books: Books, admin: Person, changes: dict[str, str | None], seen: int = 0, **more: Any) -> dict[str, Any]:
    return books.run(
        venue_settings.change, changes, seen, admin.actor, config=books.config, now=utc_now(), **({"key": None} | more)
    )


def in_force(books: Books) -> Config:
    with books.session() as session:
        return venue_settings.effective(session, books.config)


def test_every_setting_is_a_field_of_the_configuration() -> None:
    assert set(KINDS) <= {field.name for field in fields(Config)}
    assert set(SETTING_NAMES) <= set(KINDS)


def test_the_page_has_each_group_once() -> None:
    groups = [kind.group for kind in SETTINGS]
    assert [name for name, _ in groupby(groups)] == list(dict.fromkeys(groups))


def test_the_environment_gives_the_first_value_and_a_saved_one_wins(books: Books, ada: Person) -> None:
    assert in_force(books) == books.config
    save(books, ada, {"realism_profile": "strict", "starting_balance": "2500.50"})
    after = in_force(books)
    assert (after.realism_profile, str(after.starting_balance)) == ("strict", "2500.50")
    with books.session() as session:
        assert read_rules(session, books.config).profile.name == "strict"
        marks = {one.kind.name: one.saved for one in venue_settings.shown(session, books.config)}
    assert {name for name, saved in marks.items() if saved} == {"realism_profile", "starting_balance"}
    save(books, ada, {"realism_profile": None}, seen=1)
    assert in_force(books).realism_profile == books.config.realism_profile


def test_a_change_is_numbered_and_noted_once(books: Books, ada: Person) -> None:
    answer = save(books, ada, {"announcement": "Class at nine", "registration": "closed"})
    assert answer["version"] == 1
    with books.session() as session:
        (row,) = session.execute(select(AuditEntry)).scalars()
        assert venue_settings.version(session) == 1
    assert (row.action, row.subject, row.subject_id) == ("change_settings", "setting", "version 1")
    assert json.loads(row.before) == {"announcement": None, "registration": None}
    assert json.loads(row.after) == {"announcement": "Class at nine", "registration": "closed"}


def test_whoever_saw_an_older_version_changes_nothing(books: Books, ada: Person) -> None:
    save(books, ada, {"announcement": "First"})
    for seen in (0, 2):
        with pytest.raises(Conflict, match="meanwhile"):
            save(books, ada, {"announcement": "Second"}, seen=seen)
    assert in_force(books).announcement == "First"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"commission_minimum": "-1"}, "commission_minimum"),
        ({"commission_minimum": ""}, "commission_minimum"),
        ({"realism_profile": "kind"}, "realism_profile"),
        ({"registration": "invitation"}, "invitation_code"),
        ({"invitation_code": "with space"}, "invitation_code"),
        ({"invitation_code": "short"}, "invitation_code"),
        ({"announcement": "two\nlines"}, "announcement"),
        ({"announcement": "x" * 201}, "announcement"),
        ({"tech_tickers": None}, "tech_tickers"),
        ({"tech_tickers": "AAPL;MSFT"}, "tech_tickers"),
        ({"secret_key": "0123456789abcdef"}, "secret_key"),
        ({"order_rate_limit": "ten", "registration": "closed"}, "order_rate_limit"),
        ({}, ""),
    ],
)
def test_a_wrong_value_is_refused_by_its_name_and_nothing_is_saved(
    books: Books, ada: Person, changes: dict[str, str | None], field: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        save(books, ada, changes)
    assert field in refusal.value.errors
    with books.session() as session:
        assert session.execute(select(Setting.name)).all() == []
        assert session.execute(select(AuditEntry)).all() == []


def test_what_is_saved_already_is_no_change(books: Books, ada: Person) -> None:
    save(books, ada, {"registration": "closed"})
    with pytest.raises(InvalidInput, match="already"):
        save(books, ada, {"registration": "closed"}, seen=1)


def test_an_empty_announcement_takes_the_environments_away(books: Books, ada: Person) -> None:
    first = replace(books.config, announcement="From the environment")
    books.run(venue_settings.change, {"announcement": ""}, 0, ada.actor, config=first, now=utc_now(), key=None)
    with books.session() as session:
        assert venue_settings.effective(session, first).announcement is None
        shown = {one.kind.name: one for one in venue_settings.shown(session, first)}
    assert (shown["announcement"].value, shown["announcement"].saved) == ("", True)


def listed(books: Books) -> list[str]:
    with books.session() as session:
        return [row.ticker for row in instruments.listed(session)]


def test_the_stock_list_is_what_was_chosen_and_stays_so_after_a_restart(books: Books, ada: Person) -> None:
    save(books, ada, {"tech_tickers": "msft, goog"})
    assert listed(books) == ["GOOG", "MSFT", "^GSPC"]
    books.run(instruments.list_at_start, ["AAPL"])
    assert listed(books) == ["GOOG", "MSFT", "^GSPC"]
    with books.session() as session:
        assert session.get(Instrument, "AAPL") is not None


def test_the_replay_lists_only_what_it_knows(books: Books, ada: Person) -> None:
    books.run(settings.put, SETTING, "replay", utc_now())
    with pytest.raises(InvalidInput, match="AMZN"):
        save(books, ada, {"tech_tickers": "AAPL,AMZN"})
    assert "AAPL" in listed(books)
    assert "AMZN" not in listed(books)
