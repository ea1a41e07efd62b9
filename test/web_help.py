"""What the route tests have in common: a picture of the books, and the refusals everybody checks for."""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from models import Base, db

NOT_BOOKS = ("login", "user", "admin")  # they change whenever somebody logs in


def books_of(app: Flask) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that a refused request must leave as it was."""
    with app.app_context(), Session(db.engine) as session:
        tables = [table for table in Base.metadata.sorted_tables if table.name not in NOT_BOOKS]
        return {table.name: sorted(map(tuple, session.execute(select(table))), key=repr) for table in tables}


def one(app: Flask, model: Any, number: int) -> Any:
    """The row with this number, as it is stored now."""
    with app.app_context(), Session(db.engine) as session:
        row = session.get(model, number)
        assert row is not None
        return row


def assert_refused(answer: TestResponse, status: int, code: str | None = None, field: str | None = None) -> None:
    """The answer is an error in the agreed form."""
    assert answer.status_code == status, answer.text
    assert answer.json is not None
    assert answer.json["success"] is False
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]
    assert answer.json["message"]
    if code is not None:
        assert answer.json["code"] == code
    if field is not None:
        assert field in answer.json["errors"], answer.text
