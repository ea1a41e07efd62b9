"""Traders: what a new one must bring, and how a trader comes to be."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import User
from services.accounts import ledger
from services.errors import InvalidInput
from utils.passwords import LONGEST_PASSWORD, hash_password

SHORTEST_NAME = 3
LONGEST_NAME = 64
LONGEST_EMAIL = 120
SHORTEST_PASSWORD = 8
FEW = 500  # traders whose numbers are named in a query one by one
SPECIAL_CHARACTERS = '!@#$%^&*(),.?":{}|<>'

NAME_TAKEN = "is already taken"
EMAIL_TAKEN = "is already registered"

_EMAIL = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")

Errors = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class NewUser:
    """A trader-to-be whose fields have been checked and whose password is already hashed."""

    name: str
    email: str
    name_key: str
    email_key: str
    password_hash: str


def parse_registration(fields: Mapping[str, object]) -> NewUser:
    """Check the registration form's fields (user_name, user_email, user_password, confirm_password) and hash the
    password, which takes time: not inside a transaction. Raises InvalidInput that names every fault at once.
    """
    name, email = _text(fields, "user_name").strip(), _text(fields, "user_email").strip()
    password = _text(fields, "user_password")
    errors = {
        "user_name": name_faults(name),
        "user_email": email_faults(email),
        "user_password": password_faults(password),
        "confirm_password": confirmation_faults(password, _text(fields, "confirm_password")),
    }
    refuse(errors)
    return NewUser(name, email, identity_key(name), identity_key(email), hash_password(password))


def create(session: Session, new_user: NewUser) -> int:
    """Store a trader with a zero balance and return the user_id. Raises InvalidInput by field when the name or the
    address is taken already, also when somebody took it a moment ago. A unit for `run_unit`.
    """
    refuse(_taken(session, new_user))
    user = User(
        user_name=new_user.name,
        user_email=new_user.email,
        name_key=new_user.name_key,
        email_key=new_user.email_key,
        user_password=new_user.password_hash,
    )
    session.add(user)
    try:
        session.flush()
    except IntegrityError as error:
        raise InvalidInput(taken_by_constraint(error)) from error
    ledger.open_account(session, user.user_id)
    return user.user_id


def rename(session: Session, user: User, name: str, email: str) -> None:
    """Part of a unit: give a trader another name and address. Raises InvalidInput by field when one is taken."""
    wanted = NewUser(name, email, identity_key(name), identity_key(email), user.user_password)
    refuse(_taken(session, wanted, user.user_id))
    user.user_name, user.user_email = wanted.name, wanted.email
    user.name_key, user.email_key = wanted.name_key, wanted.email_key
    try:
        session.flush()
    except IntegrityError as error:
        raise InvalidInput(taken_by_constraint(error)) from error


def create_many(session: Session, new_users: Sequence[NewUser], created_at: datetime) -> list[int]:
    """Store traders with a zero balance each, in a few statements, and return their user_ids in the same order. The
    caller has seen to it that no name and no address is taken. A unit for `run_unit`.
    """
    rows = [
        User(
            user_name=one.name,
            user_email=one.email,
            name_key=one.name_key,
            email_key=one.email_key,
            user_password=one.password_hash,
            created_at=created_at,
        )
        for one in new_users
    ]
    session.add_all(rows)
    session.flush()
    numbers = [row.user_id for row in rows]
    ledger.open_accounts(session, numbers)
    return numbers


def find_id(session: Session, name_or_email: str) -> int | None:
    """The user_id of the trader with this name or e-mail address, or None."""
    key = identity_key(name_or_email.strip())
    query = select(User.user_id).where((User.name_key == key) | (User.email_key == key)).limit(1)
    return session.execute(query).scalar_one_or_none()


def matching(session: Session, text: str) -> list[int] | Select[int]:
    """The user_ids of traders whose name or e-mail address holds the text, or whose number it is: themselves where they
    are few, so that the lists of what they did need not search again, and otherwise the query for them.
    """
    query = select(User.user_id).where(holding(text))
    found = list(session.execute(query.limit(FEW + 1)).scalars())
    return found if len(found) <= FEW else query


def holding(text: str) -> ColumnElement[bool]:
    """That a trader's name or e-mail address holds the text, or that it is the trader's number."""
    key = identity_key(text.strip())
    wanted = or_(func.instr(User.name_key, key) > 0, func.instr(User.email_key, key) > 0)
    if key.isascii() and key.isdigit() and len(key) <= 9:
        wanted = or_(wanted, User.user_id == int(key))
    return wanted


def count(session: Session) -> int:
    """How many traders there are."""
    return session.execute(select(func.count(User.user_id))).scalar_one()


def identity_key(text: str) -> str:
    """What makes two spellings of a name or an address the same one: NFKC, then casefold."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def name_faults(name: str) -> list[str]:
    """What is wrong with a trader's name; empty when nothing is."""
    if not name:
        return ["is required"]
    faults = []
    if not SHORTEST_NAME <= len(name) <= LONGEST_NAME or len(identity_key(name)) > LONGEST_NAME:
        faults.append(f"must have {SHORTEST_NAME} to {LONGEST_NAME} characters")
    if not name.isprintable() or not identity_key(name).strip():
        faults.append("must not contain control or invisible characters")
    return faults


def email_faults(email: str) -> list[str]:
    """What is wrong with an e-mail address; empty when nothing is. Only its shape is looked at."""
    if not email:
        return ["is required"]
    faults = []
    if len(email) > LONGEST_EMAIL or len(identity_key(email)) > LONGEST_EMAIL:
        faults.append(f"must have at most {LONGEST_EMAIL} characters")
    if not _EMAIL.fullmatch(email) or not email.isprintable():
        faults.append("must be an e-mail address such as name@example.com")
    return faults


def password_faults(password: str) -> list[str]:
    """Which rules a new password breaks; empty when none. The password is taken exactly as typed."""
    if not password:
        return ["is required"]
    rules = [
        (len(password) >= SHORTEST_PASSWORD, f"must have at least {SHORTEST_PASSWORD} characters"),
        (len(password) <= LONGEST_PASSWORD, f"must have at most {LONGEST_PASSWORD} characters"),
        (any(mark.isupper() for mark in password), "must contain an upper-case letter"),
        (any(mark.islower() for mark in password), "must contain a lower-case letter"),
        (any(mark.isdigit() for mark in password), "must contain a digit"),
        (any(mark in SPECIAL_CHARACTERS for mark in password), f"must contain one of {SPECIAL_CHARACTERS}"),
    ]
    return [sentence for kept, sentence in rules if not kept]


def confirmation_faults(password: str, confirmation: str) -> list[str]:
    """What is wrong with the repeated password; empty when nothing is."""
    if not confirmation:
        return ["is required"]
    return [] if confirmation == password else ["must be the same as the password"]


def refuse(errors: Errors) -> None:
    """Raise InvalidInput with the fields that have faults, if any has."""
    faulty = {field: faults for field, faults in errors.items() if faults}
    if faulty:
        raise InvalidInput(faulty)


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name, "")
    return value if isinstance(value, str) else ""


def _taken(session: Session, new_user: NewUser, but: int = 0) -> Errors:
    """What another trader than number `but` has already."""
    query = select(User.name_key, User.email_key).where(
        (User.name_key == new_user.name_key) | (User.email_key == new_user.email_key), User.user_id != but
    )
    errors: Errors = {}
    for name_key, email_key in session.execute(query):
        if name_key == new_user.name_key:
            errors["user_name"] = [NAME_TAKEN]
        if email_key == new_user.email_key:
            errors["user_email"] = [EMAIL_TAKEN]
    return errors


def taken_by_constraint(error: IntegrityError) -> Errors:
    """Which field a unique constraint refused. Only the constraint's name is read: MySQL's message also repeats the
    value, which the client chose.
    """
    constraint = str(error.orig).rpartition("for key")[2].rpartition("constraint failed:")[2]
    return {"user_email": [EMAIL_TAKEN]} if "email" in constraint else {"user_name": [NAME_TAKEN]}
