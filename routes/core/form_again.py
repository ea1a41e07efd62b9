"""A page's own form that was refused, shown again: the page it was on, with what was typed still in it, the reason at
the top, and what is wrong with a field beside that field.

Page scripts send forms themselves and show refusals in place. This is for a browser without scripts, and one mechanism
for every form of every page: the page is made again by its own view, and the form that was sent is filled while its
markup passes by. Passwords and files are never filled in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from html.parser import HTMLParser
from io import BytesIO
from urllib.parse import urlsplit

from flask import current_app, flash, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from models import db
from routes.answers import FORM_TYPES, PAGE_FIELD, page_before, wants_json
from services.errors import DomainError, InvalidInput

NEW_ON_EVERY_PAGE = ("csrf_token", "idempotency_key", PAGE_FIELD)
NEVER_FILLED = ("hidden", "password", "file", "submit", "button", "image", "reset")
Attributes = list[tuple[str, str | None]]


def form_again(error: DomainError) -> str | None:
    """The page with the form that was refused, or None where a script asked, or nobody knows the page."""
    if request.method != "POST" or request.mimetype not in FORM_TYPES or wants_json():
        return None
    address = page_before()
    if address is None:
        return None
    page = _page_at(address, error.message[:1].upper() + error.message[1:])
    if page is None:
        return None
    faults = error.errors if isinstance(error, InvalidInput) else {}
    which = _FormFinder(request.path, address, request.form).which(page)
    return None if which is None else _FormFiller(request.path, address, request.form, faults, which).filled(page)


def _page_at(address: str, message: str) -> str | None:
    """What the page at this address shows to whoever sent the form, with a message. Only of the same part of the site,
    whose checks the form has passed; the view makes its own again.
    """
    part = request.blueprint
    parts = urlsplit(address)
    own = {"REQUEST_METHOD": "GET", "PATH_INFO": parts.path, "QUERY_STRING": parts.query, "wsgi.input": BytesIO()}
    left_out = ("CONTENT_TYPE", "CONTENT_LENGTH", "werkzeug.request")
    environ = {name: value for name, value in request.environ.items() if name not in left_out}
    inner = current_app.request_context(environ | own)
    db.session.close()
    with inner:
        if request.routing_exception is not None or request.endpoint is None or request.blueprint != part:
            return None
        flash(message, "error")
        try:
            answer = current_app.ensure_sync(current_app.view_functions[request.endpoint])(**(request.view_args or {}))
        except (DomainError, HTTPException):
            return None
    if isinstance(answer, Response):
        return answer.get_data(as_text=True) if answer.status_code == 200 and answer.mimetype == "text/html" else None
    return answer if isinstance(answer, str) else None


class _FormFinder(HTMLParser):
    """Finds which of the forms that post to `action` was sent. In a table every row may have one: its fields, and what
    is hidden in it, tell them apart. Tokens and keys are new on every page.
    """

    def __init__(self, action: str, address: str, values: MultiDict[str, str]) -> None:
        super().__init__()
        self._action = action
        self._path = urlsplit(address).path
        self._values = values
        self._matches: list[bool] = []
        self._missing: set[str] = set()
        self._inside = False

    def which(self, page: str) -> int | None:
        """Its number among the forms with this action: the first that agrees, or the only one; None without any."""
        self.feed(page)
        if True in self._matches:
            return self._matches.index(True)
        return 0 if len(self._matches) == 1 else None

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        given = dict(attrs)
        if tag == "form":
            self._inside = _posts_to(given, self._path, self._action)
            if self._inside:
                self._matches.append(True)
                self._missing = set(self._values) - set(NEW_ON_EVERY_PAGE)
        elif self._inside and given.get("name"):
            name = given["name"] or ""
            self._missing.discard(name)
            if given.get("type") == "hidden" and name in self._values and name not in NEW_ON_EVERY_PAGE:
                self._matches[-1] &= (given.get("value") or "") in self._values.getlist(name)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._inside:
            self._inside = False
            self._matches[-1] &= not self._missing


def _posts_to(form: Mapping[str, str | None], path: str, action: str) -> bool:
    """Whether a form of the page at `path` is sent to `action`."""
    return (form.get("method") or "get").lower() == "post" and urlsplit(form.get("action") or path).path == action


class _FormFiller(HTMLParser):
    """Copies a page, and changes one of the forms that post to `action` on the way: number `which` of them."""

    def __init__(
        self, action: str, address: str, values: MultiDict[str, str], faults: Mapping[str, Sequence[str]], which: int
    ) -> None:
        super().__init__(convert_charrefs=False)
        self._action = action
        self._before = which  # forms with this action that still come before it
        self._address = address
        self._values = values
        self._faults = faults
        self._out: list[str] = []
        self._details: list[int] = []  # where those that are open around this place begin
        self._inside = False  # the form that was sent
        self._label = ""
        self._select: str | None = None
        self._skipping = False
        self._last: str | None = None  # the field just written, while its end tag is still to come
        self._owed: dict[str, tuple[int, str]] = {}  # a field's faults that stand nowhere yet: where, and its label

    def filled(self, page: str) -> str:
        """The page with the form filled in."""
        self.feed(page)
        self.close()
        return "".join(self._out)

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        given = dict(attrs)
        if tag == "details":
            self._details.append(len(self._out))
        elif tag == "form":
            self._begin_form(given)
            return
        elif tag == "a" and (given.get("href") or "").startswith("?"):
            self._write(tag, given | {"href": urlsplit(self._address).path + (given["href"] or "")})
            return
        elif tag == "label":
            self._label = ""
        if self._inside and (tag in ("input", "select", "textarea", "option") or given.get("class") == "field-errors"):
            self._fill(tag, given)
        else:
            self._out.append(self.get_starttag_text() or "")

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        if tag == "input":
            self.handle_starttag(tag, attrs)
        else:
            self._out.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "details" and self._details:
            self._details.pop()
        elif tag == "form" and self._inside:
            self._end_form()
        elif tag == "textarea":
            self._skipping = False
        elif tag == "select":
            self._select = None
        self._out.append(f"</{tag}>")
        if tag in ("select", "textarea") and self._last in self._owed:
            self._owed[self._last or ""] = (len(self._out), self._owed[self._last or ""][1])

    def handle_data(self, data: str) -> None:
        if not self._skipping:
            self._label += data
            self._out.append(data)

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name};")

    def handle_comment(self, data: str) -> None:
        self._out.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self._out.append(f"<!{decl}>")

    def _begin_form(self, given: dict[str, str | None]) -> None:
        path = urlsplit(self._address).path
        posts = (given.get("method") or "get").lower() == "post"
        # The page stands at the address that the form was sent to: what is relative must still mean the page's own.
        self._write("form", {"action": path} | given if not posts else given)
        if not posts:
            return
        self._out.append(f'<input type="hidden" name="{PAGE_FIELD}" value="{escape(self._address)}">')
        if _posts_to(given, path, self._action):
            self._before -= 1
            self._inside = self._before == -1
        if self._inside:
            for place in self._details:
                if " open" not in self._out[place]:
                    self._out[place] = f"{self._out[place][:-1]} open>"

    def _end_form(self) -> None:
        self._inside = False
        for name, (place, label) in sorted(self._owed.items(), key=lambda owed: owed[1], reverse=True):
            self._out.insert(place, f'<ul class="field-errors">{self._sentences(name, label)}</ul>')
        self._owed = {}

    def _fill(self, tag: str, given: dict[str, str | None]) -> None:
        if tag == "option":
            self._fill_option(given)
            return
        if tag not in ("input", "select", "textarea"):
            self._write(tag, given)
            place = f"-{given.get('id') or ''}"
            name = next((one for one in self._faults if place.endswith(f"-{one}-errors")), None)
            if name is not None:
                self._out.append(self._sentences(name, self._owed.pop(name, (0, ""))[1]))
            return
        name = given.get("name") or ""
        kind = (given.get("type") or "text").lower()
        if name in self._faults and kind != "hidden":
            given |= {"aria-invalid": "true"}
        if tag == "input" and kind not in NEVER_FILLED and name:
            given = self._input(given, name, kind)
        self._write(tag, given)
        if tag == "select":
            self._select = name
        if tag == "textarea" and name in self._values:
            self._skipping = True
            self._out.append("\n" + escape(self._values[name]))
        if name in self._faults and kind != "hidden":
            self._owed[name] = (len(self._out), " ".join(self._label.split()))
            self._last = name if tag != "input" else None

    def _input(self, given: dict[str, str | None], name: str, kind: str) -> dict[str, str | None]:
        if kind in ("checkbox", "radio"):
            given = {key: value for key, value in given.items() if key != "checked"}
            ticked = (given.get("value") or "on") in self._values.getlist(name)
            return given | {"checked": None} if ticked else given
        return given | {"value": self._values[name]} if name in self._values else given

    def _fill_option(self, given: dict[str, str | None]) -> None:
        if self._select in self._values and "value" in given:
            given = {key: value for key, value in given.items() if key != "selected"}
            if given["value"] == self._values[self._select or ""]:
                given |= {"selected": None}
        self._write("option", given)

    def _sentences(self, name: str, label: str) -> str:
        """As the macro field_errors writes them: "must be ..." is read after the field's name."""
        called = label or escape(name.replace("_", " ").capitalize())
        texts = (
            f"{called} {escape(text)}." if text[:1].islower() else escape(text) for text in self._faults.get(name, ())
        )
        return "".join(f"<li>{text}</li>" for text in texts)

    def _write(self, tag: str, given: Mapping[str, str | None]) -> None:
        parts = [name if value is None else f'{name}="{escape(value)}"' for name, value in given.items()]
        self._out.append(f"<{' '.join([tag, *parts])}>")
