"""How pages look to a trader, on every device: each setting's choices, of which "" is the usual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from services import preferences
from services.errors import InvalidInput

PREFERENCE = "display"
SETTINGS: Mapping[str, tuple[str, ...]] = {
    "theme": ("", "light", "dark"),
    "gain": ("", "red"),
    "zone": ("", "America/New_York", "UTC"),
    "confirm": ("", "off"),
}


def parse(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The settings to remember; those left out are the usual. Raises InvalidInput naming what is wrong."""
    errors = {name: ["is not known"] for name in fields if name not in SETTINGS}
    for name, choices in SETTINGS.items():
        if fields.get(name, "") not in choices:
            errors[name] = [f"must be one of {', '.join(choice or '(nothing)' for choice in choices)}"]
    if errors:
        raise InvalidInput(errors)
    return {name: str(fields[name]) for name in SETTINGS if fields.get(name)}


def read(session: Session, user_id: int) -> dict[str, str]:
    """The settings of a trader that are not the usual."""
    stored = preferences.get(session, user_id, PREFERENCE)
    return {name: stored[name] for name, choices in SETTINGS.items() if stored.get(name) in choices[1:]}
