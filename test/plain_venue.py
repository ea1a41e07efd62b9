"""What the venue should do, written a second time: plain Python, whole numbers, nothing of the services.

Amounts are cents, prices ten-thousandths of a dollar. One price update at a time; the market is always open, and the
realism profile is `standard`. It answers like the services: a dict of figures, or the code of a refusal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

PER_SHARE, MINIMUM, MAXIMUM_RATE = 137, 100, 200  # $0.0137 a share, at least $1.00, at most 2 % of the value
DONE = ("filled", "cancelled", "rejected")


def half_even(numerator: int, denominator: int) -> int:
    """The nearest whole number; exactly between two, the even one."""
    whole, rest = divmod(numerator, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1))


def commission(shares: int, value: int) -> int:
    """What an order owes for so many shares worth so many cents."""
    if shares == 0:
        return 0
    wanted = max(PER_SHARE * shares * 100, MINIMUM * 10_000)  # millionths of a dollar
    return half_even(min(wanted, MAXIMUM_RATE * value), 10_000)


@dataclass(slots=True)
class Price:
    """The newest price update of a ticker. `left`: shares that orders may still fill on it; None: any number."""

    bid: int
    ask: int
    traded: int | None = None
    left: int | None = None

    def far_side(self, side: str) -> int:
        return self.ask if side == "buy" else self.bid

    def slipped(self, side: str, shares: int) -> int:
        """What a market order of this size pays or gets a share."""
        part = min(Fraction(shares, self.traded), Fraction(1, 40)) if self.traded else Fraction(1, 40)
        touch = self.far_side(side)
        slip = touch * part * part / 10
        cents = half_even(slip.numerator, slip.denominator)
        return touch + cents if side == "buy" else max(touch - cents, 1)


@dataclass(slots=True)
class Fill:
    price: int
    shares: int
    amount: int
    commission: int
    profit: int | None


@dataclass(slots=True)
class Order:
    user: int
    ticker: str
    side: str
    limit: int | None
    worst: int
    wanted: int
    filled: int = 0
    amount: int = 0
    paid: int = 0
    reserved: int = 0
    status: str = "pending"
    fills: list[Fill] = field(default_factory=list)

    @property
    def rest(self) -> int:
        return self.wanted - self.filled

    @property
    def is_open(self) -> bool:
        return self.status not in DONE

    def reaches(self, price: int) -> bool:
        return price <= self.worst if self.side == "buy" else price >= self.worst

    def owes(self, shares: int, amount: int) -> int:
        """Commission of so many more shares: what the whole owes with them less what it owed, at most their worth."""
        more = commission(self.filled + shares, self.amount + amount) - commission(self.filled, self.amount)
        return min(more, amount)

    def needs(self) -> int:
        """The dearest that the rest of a buy may still become."""
        if self.side == "sell" or not self.is_open:
            return 0
        rest = -(-self.worst // 100) * self.rest
        return rest + self.owes(self.rest, rest)


@dataclass(slots=True)
class Holding:
    shares: int = 0
    frozen: int = 0
    cost: int = 0


@dataclass(slots=True)
class Account:
    available: int = 0
    frozen: int = 0
    holdings: dict[str, Holding] = field(default_factory=dict)


@dataclass(slots=True)
class Request:
    user: int
    kind: str
    amount: int
    status: str = "pending"


@dataclass(slots=True)
class PlainVenue:
    """Accounts, orders and requests by their numbers in the database."""

    prices: dict[str, Price] = field(default_factory=dict)
    accounts: dict[int, Account] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    requests: dict[int, Request] = field(default_factory=dict)

    def set_price(self, ticker: str, bid: int, ask: int, traded: int | None) -> None:
        """A new price update. Orders may fill a tenth of the shares traded behind it."""
        self.prices[ticker] = Price(bid, ask, traded, None if traded is None else traded // 10)

    # Money.

    def may_request(self, user: int, kind: str, amount: int) -> str | None:
        """The code by which a request is refused, if it is."""
        short = kind == "withdrawal" and amount > self.accounts[user].available
        return "INSUFFICIENT_FUNDS" if short else None

    def request(self, number: int, user: int, kind: str, amount: int) -> None:
        self.requests[number] = Request(user, kind, amount)
        if kind == "withdrawal":
            self._freeze(user, amount)

    def decide(self, number: int, status: str) -> None:
        request = self.requests[number]
        request.status = status
        account = self.accounts[request.user]
        if request.kind == "withdrawal":
            account.frozen -= request.amount
        if (request.kind == "deposit") == (status == "approved"):
            account.available += request.amount

    # Orders.

    def new_order(self, user: int, ticker: str, side: str, limit: int | None, shares: int) -> Order:
        """An order that is not accepted yet."""
        return Order(user, ticker, side, limit, limit if limit is not None else self._collar(ticker, side), shares)

    def may_place(self, order: Order) -> str | None:
        """The code by which an order is refused, if it is."""
        if any(self._crosses(order, other) for other in self.orders.values()):
            return "CROSSES_OWN_ORDER"
        account = self.accounts[order.user]
        if order.side == "buy":
            return "INSUFFICIENT_FUNDS" if order.needs() > account.available else None
        holding = account.holdings.get(order.ticker, Holding())
        return "INSUFFICIENT_SHARES" if order.wanted > holding.shares - holding.frozen else None

    def place(self, number: int, order: Order) -> None:
        self.orders[number] = order
        holding = self.accounts[order.user].holdings.setdefault(order.ticker, Holding())
        if order.side == "sell":
            holding.frozen += order.wanted
        else:
            order.reserved = order.needs()
            self._freeze(order.user, order.reserved)
        self.look(order)

    def look(self, order: Order) -> bool:
        """Fill what the newest price allows of an open order. Returns whether it filled anything."""
        price = self.prices[order.ticker]
        touch = price.far_side(order.side)
        if not order.is_open or not order.reaches(touch):
            return False
        shares = order.rest if price.left is None else min(order.rest, price.left)
        if shares == 0:
            return False
        paid = touch if order.limit is not None else price.slipped(order.side, shares)
        self.fill(order, paid if order.reaches(paid) else order.worst, shares)
        if price.left is not None:
            price.left -= shares
        return True

    def manual_price(self, order: Order) -> int | None:
        """At which an admin's decision fills an order; None when there is none."""
        touch = self.prices[order.ticker].far_side(order.side)
        return touch if order.reaches(touch) else order.limit

    def fill(self, order: Order, price: int, shares: int) -> None:
        amount = half_even(price * shares, 100)
        owed = order.owes(shares, amount)
        order.filled, order.amount, order.paid = order.filled + shares, order.amount + amount, order.paid + owed
        order.status = "filled" if order.rest == 0 else "partially_filled"
        account = self.accounts[order.user]
        holding = account.holdings[order.ticker]
        profit = None
        if order.side == "buy":
            freed = order.reserved - order.needs()
            assert amount + owed <= freed, "the reservation was too small"
            order.reserved -= freed
            account.frozen -= freed
            account.available += freed - amount - owed
            holding.shares, holding.cost = holding.shares + shares, holding.cost + amount
        else:
            cost = half_even(holding.cost * shares, holding.shares)
            profit = amount - cost
            account.available += amount - owed
            holding.shares, holding.frozen = holding.shares - shares, holding.frozen - shares
            holding.cost -= cost
        order.fills.append(Fill(price, shares, amount, owed, profit))

    def end(self, order: Order, status: str) -> None:
        order.status = status
        if order.side == "sell":
            self.accounts[order.user].holdings[order.ticker].frozen -= order.rest
        else:
            self._freeze(order.user, -order.reserved)
            order.reserved = 0

    def _freeze(self, user: int, amount: int) -> None:
        self.accounts[user].available -= amount
        self.accounts[user].frozen += amount

    def _collar(self, ticker: str, side: str) -> int:
        """5 % beyond the far side, in whole cents."""
        touch = self.prices[ticker].far_side(side)
        if side == "buy":
            return -(-touch * 105 // 10_000) * 100
        return max(touch * 95 // 10_000 * 100, 1)

    def _crosses(self, order: Order, other: Order) -> bool:
        if not other.is_open or (other.user, other.ticker) != (order.user, order.ticker) or other.side == order.side:
            return False
        price = self.prices[order.ticker]
        own = order.limit if order.limit is not None else price.far_side(order.side)
        theirs = other.limit if other.limit is not None else price.far_side(other.side)
        return own >= theirs if order.side == "buy" else own <= theirs
