"""Reads what the model wrote as a tool's arguments. They are as little to be trusted as a stranger's request."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from services.errors import InvalidInput
from services.trading.tickets import parse_ticker

LONGEST_TEXT = 60


class Arguments:
    """The arguments of one call. What a tool does not declare is refused, so that nobody's user id can be slipped in.
    Raises InvalidInput that names the argument.
    """

    def __init__(self, given: Mapping[str, Any], declared: Collection[str]) -> None:
        unknown = [str(name)[:40] for name in given if name not in declared]
        if unknown:
            raise InvalidInput({name: ["is not an argument of this tool"] for name in unknown})
        self._given = given

    def __contains__(self, name: str) -> bool:
        return self._given.get(name) is not None

    def raw(self, name: str) -> Any:
        """The argument unread, for a reader of its own; None when it is not given."""
        return self._given.get(name)

    def ticker(self, name: str = "ticker") -> str:
        try:
            return parse_ticker(self._given.get(name))
        except ValueError as error:
            raise InvalidInput({name: [str(error)]}) from error

    def tickers(self, name: str, most: int) -> tuple[str, ...]:
        given = self._given.get(name)
        if not isinstance(given, list) or not 1 <= len(given) <= most:
            raise InvalidInput({name: [f"must be a list of 1 to {most} tickers"]})
        try:
            return tuple(dict.fromkeys(parse_ticker(one) for one in given))
        except ValueError as error:
            raise InvalidInput({name: [str(error)]}) from error

    def choice(self, name: str, choices: Collection[str], default: str) -> str:
        value = self._given.get(name)
        if value is None:
            return default
        if not isinstance(value, str) or value.lower() not in choices:
            raise InvalidInput({name: [f"must be one of {', '.join(choices)}"]})
        return value.lower()

    def whole(self, name: str, least: int, most: int, default: int) -> int:
        value = self._given.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise InvalidInput({name: [f"must be a whole number from {least} to {most}"]})
        return int(value)

    def text(self, name: str, default: str = "", longest: int = LONGEST_TEXT) -> str:
        value = self._given.get(name, default)
        if not isinstance(value, str) or len(value) > longest or not value.isprintable():
            raise InvalidInput({name: [f"must be a text of at most {longest} printable characters"]})
        return value.strip()
