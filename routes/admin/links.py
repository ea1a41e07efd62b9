"""How a one-time password link is shown: once, to the admin who made it."""

from __future__ import annotations

from typing import Any

from flask import render_template
from werkzeug.wrappers import Response

from routes.answers import succeed, wants_json
from routes.shared import password_link


def show_link(answer: dict[str, Any], seed: bytes, *, back_to: str) -> Response | str:
    """Answer a write that made a link. The stored answer names only whose it is; the token is never stored."""
    shown = {name: value for name, value in answer.items() if name != "link_name"}
    shown["link"] = password_link(seed, answer["link_name"])
    if wants_json():
        return succeed(**shown)
    return render_template("admin/link.html", answer=shown, back_to=back_to)
