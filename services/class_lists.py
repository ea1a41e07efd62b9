"""A class list: many traders at once from the text of a CSV file, looked at first, with a report row by row.

Columns by their names in the first line: name and e-mail (also user_name, user_email, email), and if wanted password
and starting_balance. Commas, semicolons or tabs stand between. Whoever has no password gets a link to set one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import User
from services import audit, password_links, users
from services.accounts import funds
from services.audit import Actor
from services.errors import InvalidInput
from services.idempotency import Answer, RequestKey
from services.market.market import Market
from services.user_changes import Names, make
from services.users import identity_key
from utils.datetime_utils import Clock, utc_now
from utils.number_utils import CENT, ZERO
from utils.passwords import NO_PASSWORD, hash_password

MOST_ROWS = 500
COLUMNS = {
    "name": "user_name",
    "user_name": "user_name",
    "user name": "user_name",
    "e-mail": "user_email",
    "email": "user_email",
    "user_email": "user_email",
    "password": "password",
    "starting_balance": "starting_balance",
    "starting balance": "starting_balance",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list. `outcome`: new (would be made), created, known (is there already) or faulty."""

    line: int
    name: str
    email: str
    password: str = ""
    password_hash: str = NO_PASSWORD
    balance: Decimal | None = None
    outcome: str = "new"
    faults: tuple[str, ...] = ()

    def report(self) -> dict[str, object]:
        """What the admin reads of the line; never the password."""
        return {
            "line": self.line,
            "user_name": self.name,
            "user_email": self.email,
            "outcome": self.outcome,
            "faults": list(self.faults),
            "by_link": not self.password,
        }


def read(text: str) -> list[Row]:
    """The rows of the file, each checked by itself and against the others. Raises InvalidInput for no such file."""
    lines = text.removeprefix("\ufeff").splitlines()
    filled = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not filled:
        raise InvalidInput({"csv": ["is empty"]})
    header = filled[0][1]
    mark = max(",;\t", key=header.count)
    names = [COLUMNS.get(cell.strip().lower(), "") for cell in _cells(header, mark)]
    if "user_name" not in names or "user_email" not in names:
        raise InvalidInput({"csv": ["must begin with a line that names the columns: name, email"]})
    if len(filled) - 1 > MOST_ROWS:
        raise InvalidInput({"csv": [f"must have at most {MOST_ROWS} lines"]})
    rows = [_row(number, dict(zip(names, _cells(line, mark), strict=False))) for number, line in filled[1:]]
    return _without_twins(rows)


def look(session: Session, rows: Sequence[Row]) -> list[Row]:
    """The rows with what the venue says to them: known where name and address are those of one trader already, faulty
    where only one of them is taken. Writes nothing.
    """
    names = {identity_key(row.name) for row in rows}
    emails = {identity_key(row.email) for row in rows}
    query = select(User.name_key, User.email_key).where(User.name_key.in_(names) | User.email_key.in_(emails))
    taken = session.execute(query).all()
    by_name, by_email = dict(taken), {email: name for name, email in taken}
    return [row if row.outcome == "faulty" else _beside(row, by_name, by_email) for row in rows]


def hash_passwords(rows: Sequence[Row]) -> list[Row]:
    """The rows with the hashes of their passwords. Takes time: not inside a transaction."""
    return [
        replace(row, password_hash=hash_password(row.password)) if row.password and row.outcome == "new" else row
        for row in rows
    ]


def create_all(
    session: Session,
    rows: Sequence[Row],
    balance: Decimal,
    link_seed: bytes,
    actor: Actor,
    *,
    market: Market,
    key: RequestKey | None = None,
    clock: Clock = utc_now,
) -> Answer:
    """Unit: make the traders of all rows that are new, with `balance` where the row says nothing else. Answers the
    report; the tokens of their links are password_links.token_for(link_seed, name's key).
    """

    def effect() -> Answer:
        done = [_create(session, row, balance, link_seed, actor, market, clock) for row in look(session, rows)]
        return {"message": summary(done), "rows": [row.report() for row in done]}

    return audit.once_as(session, actor, key, effect)


def summary(rows: Sequence[Row]) -> str:
    """The report in one sentence."""
    counts = {outcome: sum(row.outcome == outcome for row in rows) for outcome in ("new", "created", "known", "faulty")}
    words = {
        "new": "{} would be made",
        "created": "{} made",
        "known": "{} there already",
        "faulty": "{} with faults, left out",
    }
    return ", ".join(words[name].format(number) for name, number in counts.items() if number).capitalize() + "."


def _create(
    session: Session, row: Row, balance: Decimal, link_seed: bytes, actor: Actor, market: Market, clock: Clock
) -> Row:
    if row.outcome != "new":
        return row
    first = balance if row.balance is None else row.balance
    user_id = make(session, Names(row.name, row.email), row.password_hash, first, actor, market, clock)
    if not row.password:
        token = password_links.token_for(link_seed, identity_key(row.name))
        password_links.store(session, token, clock(), password_links.INVITATION_LIFE, user_id=user_id)
    return replace(row, outcome="created")


def _row(line: int, cells: dict[str, str]) -> Row:
    name, email = cells.get("user_name", "").strip(), cells.get("user_email", "").strip()
    password = cells.get("password", "").strip()
    faults = [f"name {fault}" for fault in users.name_faults(name)]
    faults += [f"e-mail {fault}" for fault in users.email_faults(email)]
    faults += [f"password {fault}" for fault in users.password_faults(password)] if password else []
    balance, wrong = _balance(cells.get("starting_balance", "").strip())
    faults += wrong
    return Row(
        line,
        name,
        email,
        password=password,
        balance=balance,
        outcome="faulty" if faults else "new",
        faults=tuple(faults),
    )


def _balance(text: str) -> tuple[Decimal | None, list[str]]:
    if not text:
        return None, []
    if text.strip("0.") == "":
        return ZERO.quantize(CENT), []
    try:
        return funds.parse_amount(text), []
    except InvalidInput as error:
        return None, [f"starting balance {fault}" for fault in error.errors["amount"]]


def _without_twins(rows: list[Row]) -> list[Row]:
    """A name or an address that an earlier line has already is a fault of the later one."""
    names: dict[str, int] = {}
    emails: dict[str, int] = {}
    checked = []
    for row in rows:
        faults = list(row.faults)
        for what, seen, key in (("name", names, identity_key(row.name)), ("e-mail", emails, identity_key(row.email))):
            if key and key in seen:
                faults.append(f"{what} is in line {seen[key]} too")
            seen.setdefault(key, row.line)
        checked.append(replace(row, faults=tuple(faults), outcome="faulty" if faults else row.outcome))
    return checked


def _beside(row: Row, by_name: dict[str, str], by_email: dict[str, str]) -> Row:
    name, email = identity_key(row.name), identity_key(row.email)
    if by_name.get(name) == email:
        return replace(row, outcome="known")
    faults = [f"name {users.NAME_TAKEN}"] * (name in by_name) + [f"e-mail {users.EMAIL_TAKEN}"] * (email in by_email)
    return replace(row, outcome="faulty", faults=tuple(faults)) if faults else row


def _cells(line: str, mark: str) -> list[str]:
    return next(csv.reader(io.StringIO(line), delimiter=mark), [])
