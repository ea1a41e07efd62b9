"""The money of the demo's traders: starting cash, and requests to deposit and withdraw. A batch is one unit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal

from sqlalchemy.orm import Session

from services import users
from services.accounts import fund_steps, ledger
from services.accounts.fund_steps import Asked
from services.accounts.ledger import Books
from services.demo.orders import Moment, Stage
from services.demo.people import new_people
from utils.number_utils import CENT

REASONS = ("Please ask for the sum of the exercise", "One request a week is enough", "The class has ended")
DECIDED_AFTER = timedelta(seconds=50)


def join(
    session: Session, stage: Stage, first_number: int, count: int, password_hash: str, moment: Moment, requests: int
) -> list[int]:
    """A unit: new traders with starting cash, the first `requests` of them by a deposit that was asked for and
    approved, the others by an adjustment. Answers their numbers.
    """
    numbers = users.create_many(session, list(new_people(first_number, count, password_hash)), moment.wall)
    books = _open(session, numbers, moment)
    asked = [Asked(number, "deposit", _starting_cash(stage)) for number in numbers[:requests]]
    rows = fund_steps.enter(books, asked)
    books.wall_time += DECIDED_AFTER
    for row in rows:
        fund_steps.approve(books, row, stage.admin_id)
    for number in numbers[requests:]:
        books.adjust_cash(number, _starting_cash(stage), "Starting balance")
    books.write()
    return numbers


def ask(session: Session, stage: Stage, wanted: Sequence[tuple[int, Moment]], leave_pending: bool) -> int:
    """A unit: a request of each of these traders, who all differ, at its moment, oldest first, and mostly what an admin
    decided about it. With `leave_pending` about half of them wait. Answers how many there are.
    """
    books = _open(session, [user_id for user_id, _ in wanted], wanted[0][1])
    asked = [_request(stage, books, user_id) for user_id, _ in wanted]
    rows = []
    for one, (_, moment) in zip(asked, wanted, strict=True):
        books.wall_time = moment.wall
        rows += fund_steps.enter(books, [one])
    for row in rows:
        if leave_pending and stage.chance.random() < 0.5:
            continue
        books.wall_time = row.created_at + DECIDED_AFTER
        if stage.chance.random() < 0.12:
            fund_steps.reject(books, row, stage.admin_id, stage.chance.choice(REASONS))
        else:
            fund_steps.approve(books, row, stage.admin_id)
    books.write()
    return len(rows)


def _open(session: Session, user_ids: Sequence[int], moment: Moment) -> Books:
    return ledger.lock_accounts(session, user_ids, moment.wall, moment.session.opens)


def _starting_cash(stage: Stage) -> Decimal:
    return Decimal(stage.chance.choice((25_000, 50_000, 100_000, 100_000, 250_000))).quantize(CENT)


def _request(stage: Stage, books: Books, user_id: int) -> Asked:
    cash = books.accounts[user_id].available
    amount = (cash * Decimal(stage.chance.randint(2, 20)) / 100).quantize(CENT, rounding=ROUND_DOWN)
    if stage.chance.random() < 0.4 and amount >= 1:
        return Asked(user_id, "withdrawal", amount)
    return Asked(user_id, "deposit", Decimal(stage.chance.randint(1, 40) * 250).quantize(CENT))
