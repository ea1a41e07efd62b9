"""Proof that the books are right, for tests that tried hard to make them wrong."""

from __future__ import annotations

from conftest import Books
from models import db
from services.accounts.verify import verify_books


def require_clean(books: Books) -> None:
    """The books hold by every check of `flask ledger verify`."""
    with books.app.app_context():
        report = verify_books(db.engine)
    assert not report.violations, report.violations
