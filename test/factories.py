"""The cast of the tests, and how they come by money and shares: through the services, as in life.

Alice and Bob trade, Ada is an admin. The functions need an application context.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from models import Admin, Instrument, User
from services.accounts import ledger
from services.audit import Actor
from services.transaction import run_unit

if TYPE_CHECKING:
    from config import Config
    from fake_market import FakeMarket

PASSWORD = "Correct-horse-7"
# argon2id of PASSWORD with the least memory and time there is, so that a login in a test takes no time either.
PASSWORD_HASH = "$argon2id$v=19$m=8,t=1,p=1$hE6atrmFM/4$HYsVFcby8GD57rO8MUyObw"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can log in. `id` is a user_id or, for admins, an admin_id."""

    id: int
    name: str
    email: str = ""
    password: str = PASSWORD
    is_admin: bool = False

    @property
    def actor(self) -> Actor:
        """An admin as services know one who acts."""
        return Actor(self.id, self.name, "127.0.0.1", "0123456789abcdef")


def make_user(name: str, email: str | None = None, *, status: str = "active") -> Person:
    """A trader with a zero balance."""
    email = email or f"{name.lower()}@example.com"
    user_id = run_unit(_insert_user, name, email, status)
    return Person(id=user_id, name=name, email=email)


def make_admin(name: str, *, role: str = "owner", must_change_password: bool = False) -> Person:
    """An admin."""
    admin_id = run_unit(_insert_admin, name, role, must_change_password)
    return Person(id=admin_id, name=name, is_admin=True)


def give_cash(user: Person, amount: str | Decimal, *, admin: Person, market: FakeMarket) -> None:
    """Money in the account: a deposit that the admin approves."""
    from services.accounts import funds

    asked = run_unit(funds.request_deposit, user.id, Decimal(amount), market=market, key=None)
    run_unit(funds.approve, user.id, asked["transaction_id"], admin.actor, market=market, key=None)


def take_cash(user: Person, amount: str | Decimal, *, admin: Person, market: FakeMarket) -> None:
    """Money out of the account: a withdrawal that the admin approves."""
    from services.accounts import funds

    asked = run_unit(funds.request_withdrawal, user.id, Decimal(amount), market=market, key=None)
    run_unit(funds.approve, user.id, asked["transaction_id"], admin.actor, market=market, key=None)


def give_shares(
    user: Person, ticker: str, quantity: int, price: str | Decimal, *, admin: Person, market: FakeMarket, config: Config
) -> None:
    """Shares in the account, and no cash more or less than before: a deposit of just enough, and a market buy.

    Sets the ticker's quote to `price`. Config must charge no commission. What the reservation takes beyond the price is
    deposited too and withdrawn afterwards.
    """
    market.set_quote(ticker, price)
    cost = Decimal(price) * quantity
    headroom = (cost / 4 + 1).quantize(Decimal("0.01"))
    give_cash(user, cost + headroom, admin=admin, market=market)
    bought = place(user, "buy", ticker, quantity, market=market, config=config)
    assert bought["order_status"] == "filled", bought
    from services.accounts import funds

    taken = run_unit(funds.request_withdrawal, user.id, headroom, market=market, key=None)
    run_unit(funds.approve, user.id, taken["transaction_id"], admin.actor, market=market, key=None)


def list_instruments() -> None:
    """The instruments that tests trade (AAPL, MSFT, GOOG), and the benchmark, which is not tradable."""
    run_unit(_insert_instruments)


def _insert_instruments(session: Session) -> None:
    names = {"AAPL": "Apple Inc.", "MSFT": "Microsoft Corp.", "GOOG": "Google Inc.", "^GSPC": "S&P 500"}
    session.add_all(Instrument(ticker=ticker, name=name, tradable=ticker != "^GSPC") for ticker, name in names.items())


def place(
    user: Person,
    side: str,
    ticker: str,
    quantity: int,
    price: str | None = None,
    *,
    market: FakeMarket,
    config: Config,
    key: Any = None,
    **more: Any,
) -> dict[str, Any]:
    """Place an order: a limit order when a price is given, else a market order. Returns the service's answer. `more`
    are further fields of the request, such as stop_price.
    """
    body = {
        "ticker": ticker,
        "order_type": side,
        "execution_type": "market" if price is None else "limit",
        "quantity": quantity,
        "price": price,
    }
    from services.trading import orders
    from services.trading.tickets import parse_ticket

    ticket = parse_ticket(body | more)
    return run_unit(orders.place, user.id, ticket, market=market, config=config, key=key)


def _insert_user(session: Session, name: str, email: str, status: str) -> int:
    user = User(
        user_name=name,
        user_email=email,
        name_key=name.casefold(),
        email_key=email.casefold(),
        user_password=PASSWORD_HASH,
        account_status=status,
    )
    session.add(user)
    session.flush()
    ledger.open_account(session, user.user_id)
    return user.user_id


def _insert_admin(session: Session, name: str, role: str, must_change_password: bool) -> int:
    admin = Admin(admin_name=name, admin_password=PASSWORD_HASH, role=role, must_change_password=must_change_password)
    session.add(admin)
    session.flush()
    return admin.admin_id
