"""`/api/openapi.json` and `/api/docs`: the contract of the JSON endpoints, for programs and for people."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, jsonify, render_template

from routes.contract.document import describe
from routes.core import core_bp


@core_bp.get("/api/openapi.json")
def openapi() -> Response:
    return jsonify(_document())


@core_bp.get("/api/docs")
def api_docs() -> str:
    document = _document()
    return render_template("api_docs.html", document=document, schemas=document["components"]["schemas"])


def _document() -> dict[str, Any]:
    """Made once: the views do not change while the server runs."""
    made: dict[str, Any] = current_app.extensions.setdefault("openapi", {})
    if not made:
        made.update(describe(current_app._get_current_object()))  # type: ignore[attr-defined]
    return made
