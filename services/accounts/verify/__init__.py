"""Proof that the books are right: every cache, reservation and total recomputed from the journal and the fills.

`verify_books(engine)` runs every check in one read-only snapshot of a database that may be in use, and reports what
differs by code and row. The arithmetic here is written apart from the services that made the books, so that a mistake
there is not repeated here. What each code means stands in report.py; test/test_ledger_verify.py plants a defect for
each of them.
"""

from services.accounts.verify.report import Report, Violation
from services.accounts.verify.run import CannotVerify, check_books, verify_books

__all__ = ["CannotVerify", "Report", "Violation", "check_books", "verify_books"]
