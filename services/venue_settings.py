"""The settings of the venue that owners change while it runs. The environment gives each its first value, a saved one
wins. Every process reads them where they are used, so that a change holds at once, without a restart.

A setting is a field of Config: what config.py accepts from the environment, it accepts here, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config import Config, ConfigError
from models import Setting
from services import audit, settings
from services.accounts.fund_rules import AUTOMATIC_LIMIT, SECOND_ABOVE
from services.audit import Actor, Subject
from services.errors import Conflict, InvalidInput
from services.idempotency import Answer, RequestKey
from services.market import instruments

VERSION = "settings_version"


@dataclass(frozen=True, slots=True)
class SettingKind:
    """One setting as people see it. `choices` are its values with their names, empty where anything goes that config.py
    accepts. An `optional` one may be empty. One that `stays` cannot go back to the environment's value.
    """

    name: str
    group: str
    label: str
    help: str
    choices: tuple[tuple[str, str], ...] = ()
    optional: bool = False
    stays: bool = False


SETTINGS: tuple[SettingKind, ...] = (
    SettingKind("commission_per_share", "Commission", "For each share", "Dollars."),
    SettingKind("commission_minimum", "Commission", "At least", "Dollars an order."),
    SettingKind(
        "commission_maximum_rate", "Commission", "At most", "A fraction of the order's value: 0.005 is half a percent."
    ),
    SettingKind(
        "realism_profile",
        "Trading",
        "Realism",
        "How strict fills are. It is stamped on every fill.",
        (
            ("simple", "Simple: any size fills at the quote"),
            ("standard", "Standard: part of the volume, size moves the price"),
            ("strict", "Strict: a newer price, a small part of the volume, extra slippage"),
        ),
    ),
    SettingKind(
        "trading_hours",
        "Trading",
        "Trading hours",
        "When orders may fill.",
        (("exchange", "The exchange's sessions"), ("always", "Always, on the last price while it is closed")),
    ),
    SettingKind("order_rate_limit", "Risk limits", "Orders a second", "For each trader; 0 switches it off."),
    SettingKind("open_order_limit", "Risk limits", "Open orders", "For each trader; 0 switches it off."),
    SettingKind(
        "concentration_limit",
        "Risk limits",
        "Largest part in one stock",
        "A fraction of the trader's equity: 0.25 is a quarter. 0 only warns.",
    ),
    SettingKind(
        "daily_loss_limit",
        "Risk limits",
        "Largest loss a day",
        "A fraction of the day's first equity, after which only sells are taken. 0 switches it off.",
    ),
    SettingKind(
        AUTOMATIC_LIMIT,
        "Funds",
        "Approved by itself",
        "Dollars of deposits, and as many of withdrawals, that a trader may have approved in 24 hours without an "
        "admin. 0 switches it off.",
    ),
    SettingKind(
        SECOND_ABOVE,
        "Funds",
        "Two admins above",
        "A request of more dollars needs the approval of two different admins. 0 switches it off.",
    ),
    SettingKind("starting_balance", "New traders", "Starting balance", "Dollars that a new trader begins with."),
    SettingKind(
        "registration",
        "New traders",
        "Registration",
        "Who may make an account.",
        (
            ("open", "Anybody"),
            ("invitation", "Whoever knows the invitation code"),
            ("closed", "Nobody: admins make the accounts"),
        ),
    ),
    SettingKind(
        "invitation_code",
        "New traders",
        "Invitation code",
        "6 to 64 characters without spaces. Asked for while registration is by invitation.",
        optional=True,
    ),
    SettingKind(
        instruments.STOCK_LIST, "Venue", "Stock list", "Tickers with commas between, such as AAPL, MSFT.", stays=True
    ),
    SettingKind(
        "announcement",
        "Venue",
        "Announcement",
        "One line at the top of every page, at most 200 characters; empty for none.",
        optional=True,
    ),
)
KINDS = {kind.name: kind for kind in SETTINGS}

# What saving a setting does besides; part of the same unit.
_EFFECTS: dict[str, Callable[[Session, Any], None]] = {instruments.STOCK_LIST: instruments.choose_list}


@dataclass(frozen=True, slots=True)
class Shown:
    """A setting with the value in force. `saved` says that it wins over `first`, the environment's."""

    kind: SettingKind
    value: str
    first: str
    saved: bool


def effective(session: Session, config: Config) -> Config:
    """The configuration with the saved settings in place of the environment's. One query."""
    saved = _saved(session)
    return replace(config, **{name: parse(name, text) for name, text in saved.items()}) if saved else config


def current(session: Session, config: Config, name: str) -> Any:
    """The value in force of one setting."""
    saved = settings.get(session, name)
    return getattr(config, name) if saved is None else parse(name, saved)


def shown(session: Session, config: Config) -> list[Shown]:
    """Every setting with its value and where it comes from. The stock list is the one at the desk."""
    saved = _saved(session)
    firsts = {kind.name: as_text(getattr(config, kind.name)) for kind in SETTINGS}
    listed = [row.ticker for row in instruments.listed(session) if row.tradable]
    firsts[instruments.STOCK_LIST] = as_text(tuple(listed))
    return [
        Shown(kind, saved.get(kind.name, firsts[kind.name]), firsts[kind.name], kind.name in saved) for kind in SETTINGS
    ]


def version(session: Session) -> int:
    """How often settings were changed. Whoever changes them says which version was seen."""
    return int(settings.get(session, VERSION) or 0)


def parse(name: str, text: str) -> Any:
    """The value of a setting as config.py reads it. Raises InvalidInput that names the setting."""
    if KINDS[name].optional and not text.strip():
        return None
    if not text.strip():
        raise InvalidInput({name: ["is required"]})
    try:
        return getattr(Config.from_environment({name.upper(): text}), name)
    except ConfigError as error:
        raise InvalidInput({name: [_sentence(name, error)]}) from error


def as_text(value: object) -> str:
    """A setting's value as it is stored and as it can be typed in again."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ",".join(value)
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def change(
    session: Session,
    changes: Mapping[str, str | None],
    seen_version: int,
    actor: Actor,
    *,
    config: Config,
    now: datetime,
    key: RequestKey | None = None,
) -> Answer:
    """Unit: save settings, or forget saved ones (None), so that the environment's hold again. What has the value
    already is left alone. Raises InvalidInput by name, and Conflict when settings changed since `seen_version`.
    """
    checked = _checked(changes)
    return audit.once_as(session, actor, key, lambda: _change(session, checked, seen_version, actor, config, now))


def _change(
    session: Session, checked: Mapping[str, str | None], seen_version: int, actor: Actor, config: Config, now: datetime
) -> Answer:
    _take_version(session, seen_version, now)
    before = _saved(session)
    in_force = {one.kind.name: one.value for one in shown(session, config)}
    new = {name: text for name, text in checked.items() if _differs(before, in_force, name, text)}
    if not new:
        raise InvalidInput({"": ["Nothing was changed: these are the values in force already."]})
    _require_whole(effective(session, config), new)
    for name, text in new.items():
        _store(session, name, text, now)
        if name in _EFFECTS and text is not None:
            _EFFECTS[name](session, parse(name, text))
    was = {name: before.get(name) for name in new}
    subject = Subject("setting", f"version {seen_version + 1}")
    audit.record(session, actor, "change_settings", subject, before=was, after=new, now=now)
    labels = ", ".join(KINDS[name].label.lower() for name in new)
    return {"message": f"Saved: {labels}. It holds from now on.", "version": seen_version + 1}


def _differs(saved: Mapping[str, str], in_force: Mapping[str, str], name: str, text: str | None) -> bool:
    """A form sends every field: what is in force already is no change, and not to be saved."""
    return name in saved if text is None else in_force[name] != text


def _checked(changes: Mapping[str, str | None]) -> dict[str, str | None]:
    """The texts to store, checked all at once. Raises InvalidInput with every fault."""
    errors: dict[str, list[str]] = {}
    texts: dict[str, str | None] = {}
    for name, text in changes.items():
        if name not in KINDS:
            errors[name] = ["is no setting"]
            continue
        if text is None and KINDS[name].stays:
            errors[name] = ["cannot go back to the environment's value: type in what it shall be"]
            continue
        try:
            texts[name] = None if text is None else as_text(parse(name, text))
        except InvalidInput as error:
            errors |= error.errors
    if errors:
        raise InvalidInput(errors)
    return texts


def _require_whole(old: Config, new: Mapping[str, str | None]) -> None:
    """Registration by invitation needs a code that somebody can know."""
    registration = new.get("registration", old.registration)
    code = new.get("invitation_code", old.invitation_code)
    if registration == "invitation" and not code:
        raise InvalidInput({"invitation_code": ["is required while registration is by invitation"]})


def _take_version(session: Session, seen: int, now: datetime) -> None:
    """Go to the next version, under a lock, unless somebody was quicker."""
    if seen == 0 and settings.get(session, VERSION) is None:
        try:
            with session.begin_nested():
                session.add(Setting(name=VERSION, value="1", updated_at=now))
        except IntegrityError as error:
            raise _too_late() from error
        return
    step = (
        update(Setting)
        .where(Setting.name == VERSION, Setting.value == str(seen))
        .values(value=str(seen + 1), updated_at=now)
        .execution_options(synchronize_session=False)
    )
    if cast("CursorResult[Any]", session.execute(step)).rowcount == 0:
        raise _too_late()


def _too_late() -> Conflict:
    return Conflict(
        "Somebody changed the settings meanwhile. Reload the page, look, and change them again.",
        code="SETTINGS_CHANGED",
    )


def _store(session: Session, name: str, text: str | None, now: datetime) -> None:
    if text is None:
        settings.remove(session, name)
    else:
        settings.put(session, name, text, now)


def _saved(session: Session) -> dict[str, str]:
    query = select(Setting.name, Setting.value).where(Setting.name.in_(KINDS))
    return dict(session.execute(query).all())


def _sentence(name: str, error: ConfigError) -> str:
    """The configuration's sentence without the name of the variable and the value."""
    return str(error).removeprefix(f"{name.upper()} ").rpartition(" (it is ")[0] or str(error)
