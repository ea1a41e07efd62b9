"""Defects planted in a book that is right, one for each thing that `flask ledger verify` must see, and more."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ledger_damage import CENT, DOLLAR, Damage
from services.accounts.verify.tables import BALANCES, EVENTS, FILLS, HOLDINGS, JOURNAL, ORDERS, REQUESTS


class Defect(NamedTuple):
    """What is wrong, the code it must be reported under, and how it is planted."""

    sentence: str
    code: str
    plant: Callable[[Damage], None]


def _lose_newest_group(d: Damage) -> None:
    d.drop(JOURNAL, d.newest_group(d.book.bob))


def _sell_before_buying(d: Damage) -> None:
    alice = d.book.alice
    sale = d.group(user_id=alice, kind="reserve", ticker="AAPL")
    d.swap_groups(d.group(user_id=alice, kind="fill", ticker="AAPL"), sale)


def _exchange_reservations(d: Damage) -> None:
    one, other = (d.group(order_id=number, kind="reserve") for number in (d.book.open_buy, d.book.resting_buy))
    d.change(JOURNAL, one, order_id=d.book.resting_buy)
    d.change(JOURNAL, other, order_id=d.book.open_buy)


def _skip_fill_number(d: Damage) -> None:
    where = {"order_id": d.book.in_parts, "fill_number": 3}
    d.change(FILLS, where, fill_number=4)
    d.change(JOURNAL, where, fill_number=4)


def _pay_a_cent_more(d: Damage) -> None:
    d.shift_group(d.group(order_id=d.book.bought, kind="fill"), CENT, "available", "market")
    d.carry(d.book.alice)


def _let_a_fill_pay_no_commission(d: Damage) -> None:
    fill = {"order_id": d.book.in_parts, "fill_number": 2}
    d.shift_group(d.group(**fill, kind="fill"), d.find(FILLS, fill)["commission"], "commission", "available")
    d.change(FILLS, fill, commission=0)


def _sell_below_the_limit(d: Damage) -> None:
    d.change(FILLS, d.fill(d.book.open_sell), transaction_price=CENT)


def _freeze_for_nothing(d: Damage) -> None:
    d.add(BALANCES, {"user_id": d.book.alice}, available_balance=-DOLLAR, frozen_balance=DOLLAR)


def _shares_out_of_the_market(d: Damage) -> None:
    d.change(JOURNAL, d.line(order_id=d.book.rejected, kind="release", account="frozen"), account="market")


JOURNAL_DEFECTS = [
    Defect("a journal line is lost", "GROUP_CASH", lambda d: d.drop(JOURNAL, d.line(kind="deposit"))),
    Defect("a cent is lost", "GROUP_CASH", lambda d: d.add(JOURNAL, d.line(kind="hold"), cash=-CENT)),
    Defect("a line moved to another trader", "GROUP_CASH",
           lambda d: d.change(JOURNAL, d.line(kind="deposit"), user_id=d.book.carol)),
    Defect("a line of cash is doubled", "GROUP_CASH", lambda d: d.copy(JOURNAL, d.line(kind="return"), line=3)),
    Defect("a share is lost", "GROUP_SHARES", lambda d: d.add(JOURNAL, d.line(kind="fill", ticker="MSFT"), shares=1)),
    Defect("a line has a wrong number", "LINE_GAP", lambda d: d.change(JOURNAL, d.line(kind="deposit"), line=3)),
    Defect("a group is lost", "GROUP_GAP", lambda d: d.drop(JOURNAL, d.group(user_id=d.book.alice, kind="hold"))),
    Defect("the newest group is lost", "JOURNAL_SEQUENCE", _lose_newest_group),
    Defect("the first group is lost", "GROUP_GAP", lambda d: d.drop(JOURNAL, d.group(user_id=d.book.bob))),
    Defect("a line is of cash and of shares", "LINE_ASSET", lambda d: d.change(JOURNAL, d.line(kind="hold"), shares=1)),
    Defect("a line is of nothing", "LINE_ASSET", lambda d: d.change(JOURNAL, d.line(kind="hold"), cash=0)),
    Defect("a line is of an unknown account", "LINE_ASSET",
           lambda d: d.change(JOURNAL, d.line(account="outside"), account="elsewhere")),
    Defect("a group is of two kinds", "GROUP_CAUSE",
           lambda d: d.change(JOURNAL, d.line(kind="withdrawal"), kind="adjust")),
    Defect("a deposit names no request", "GROUP_CAUSE",
           lambda d: d.change(JOURNAL, d.group(kind="deposit"), fund_transaction_id=None)),
    Defect("a fill's group names no fill", "GROUP_CAUSE",
           lambda d: d.change(JOURNAL, d.group(kind="fill"), fill_number=None)),
    Defect("a deposit came out of the market", "GROUP_SHAPE",
           lambda d: d.change(JOURNAL, d.line(kind="deposit", account="outside"), account="market")),
    Defect("released shares came out of the market", "GROUP_SHAPE", _shares_out_of_the_market),
    Defect("money was spent before it came", "CASH_NEGATIVE",
           lambda d: d.swap_groups(d.group(user_id=d.book.alice), d.group(user_id=d.book.alice, kind="hold"))),
    Defect("shares were promised before they were bought", "SHARES_NEGATIVE", _sell_before_buying),
    Defect("a line names an order that does not exist", "ORPHAN",
           lambda d: d.change(JOURNAL, d.line(kind="reserve"), order_id=999_999)),
]  # fmt: skip

BALANCE_DEFECTS = [
    Defect("a trader has no balance", "ACCOUNT_MISSING", lambda d: d.drop(BALANCES, {"user_id": d.book.carol})),
    Defect("a balance belongs to nobody", "ORPHAN",
           lambda d: d.change(BALANCES, {"user_id": d.book.carol}, user_id=999_999)),
    Defect("a balance has a cent too much", "BALANCE",
           lambda d: d.add(BALANCES, {"user_id": d.book.bob}, available_balance=CENT, total_balance=CENT)),
    Defect("money appeared out of nowhere", "BALANCE",
           lambda d: d.add(BALANCES, {"user_id": d.book.carol}, available_balance=DOLLAR, total_balance=DOLLAR)),
    Defect("a total is not the sum of its parts", "BALANCE_TOTAL",
           lambda d: d.add(BALANCES, {"user_id": d.book.bob}, total_balance=CENT)),
    Defect("a balance counted a group too many", "JOURNAL_SEQUENCE",
           lambda d: d.add(BALANCES, {"user_id": d.book.bob}, journal_sequence=1)),
    Defect("a balance counted an event too few", "EVENT_SEQUENCE",
           lambda d: d.add(BALANCES, {"user_id": d.book.bob}, event_sequence=-1)),
    Defect("a holding has a share too many", "HOLDING_SHARES",
           lambda d: d.add(HOLDINGS, {"user_id": d.book.alice, "ticker": "AAPL"}, quantity=1)),
    Defect("a trader holds what nobody bought", "HOLDING_SHARES",
           lambda d: d.copy(HOLDINGS, {"user_id": d.book.alice, "ticker": "AAPL"}, ticker="GOOG")),
    Defect("a holding is lost", "HOLDING_SHARES",
           lambda d: d.drop(HOLDINGS, {"user_id": d.book.alice, "ticker": "MSFT"})),
    Defect("cash is frozen for nothing", "FROZEN_CASH", _freeze_for_nothing),
    Defect("promised shares are free again", "FROZEN_SHARES",
           lambda d: d.add(HOLDINGS, {"user_id": d.book.alice, "ticker": "AAPL"}, frozen_quantity=-1)),
    Defect("a holding belongs to another trader", "HOLDING_SHARES",
           lambda d: d.change(HOLDINGS, {"user_id": d.book.alice, "ticker": "MSFT"}, user_id=d.book.carol)),
    Defect("a holding has a wrong cost", "HOLDING_COST",
           lambda d: d.add(HOLDINGS, {"user_id": d.book.alice, "ticker": "AAPL"}, total_cost=CENT)),
    Defect("a holding has a wrong average price", "HOLDING_AVERAGE",
           lambda d: d.add(HOLDINGS, {"user_id": d.book.alice, "ticker": "AAPL"}, average_price=CENT)),
]  # fmt: skip

ORDER_DEFECTS = [
    Defect("a pending order says it is partly filled", "ORDER_STATUS",
           lambda d: d.change(ORDERS, d.order("resting_buy"), order_status="partially_filled")),
    Defect("a filled order does not say when", "ORDER_STATUS",
           lambda d: d.change(ORDERS, d.order("bought"), executed_at=None)),
    Defect("a limit order may fill beyond its limit", "ORDER_LIMIT",
           lambda d: d.add(ORDERS, d.order("resting_buy"), worst_price=CENT)),
    Defect("a cancelled order still has a reservation", "ORDER_HOLDS",
           lambda d: d.change(ORDERS, d.order("cancelled"), reserved_amount=DOLLAR)),
    Defect("a sell has a reservation of cash", "ORDER_HOLDS",
           lambda d: d.change(ORDERS, d.order("open_sell"), reserved_amount=DOLLAR)),
    Defect("a reservation is a cent short", "ORDER_RESERVATION",
           lambda d: d.add(ORDERS, d.order("open_buy"), reserved_amount=-CENT)),
    Defect("a reservation is that of before the last fill", "ORDER_RESERVATION",
           lambda d: d.change(ORDERS, d.order("open_buy"), reserved_amount=DOLLAR * 1001)),
    Defect("commission terms changed after the order", "ORDER_RESERVATION",
           lambda d: d.add(ORDERS, d.order("resting_buy"), commission_minimum=DOLLAR)),
    Defect("a cancelled order is open again", "ORDER_RESERVATION",
           lambda d: d.change(ORDERS, d.order("cancelled"), order_status="partially_filled")),
    Defect("two orders exchanged their reservations", "ORDER_FROZEN_CASH", _exchange_reservations),
    Defect("an open sell has more shares to sell than it promised", "ORDER_FROZEN_SHARES",
           lambda d: d.add(ORDERS, d.order("open_sell"), order_quantity=1)),
    Defect("an order reserved twice", "ORDER_FROZEN_CASH",
           lambda d: d.repeat_group(d.group(order_id=d.book.resting_buy, kind="reserve"))),
    Defect("an order released twice", "ORDER_FROZEN_CASH",
           lambda d: d.repeat_group(d.group(order_id=d.book.cancelled, kind="release"))),
    Defect("an order never reserved", "ORDER_RESERVES",
           lambda d: d.drop(JOURNAL, d.group(order_id=d.book.open_sell, kind="reserve"))),
    Defect("a rejected order never released", "ORDER_RELEASES",
           lambda d: d.drop(JOURNAL, d.group(order_id=d.book.rejected, kind="release"))),
    Defect("an order belongs to another trader", "ORDER_FOREIGN_LINES",
           lambda d: d.give_order("bought", d.book.bob)),
    Defect("an order is of another ticker", "ORDER_FOREIGN_LINES",
           lambda d: d.change(ORDERS, d.order("open_sell"), ticker="MSFT")),
    Defect("a pair holds more shares than it can sell", "ORDER_FROZEN_SHARES",
           lambda d: d.add(ORDERS, d.order("pair"), order_quantity=-1)),
    Defect("the legs of a pair sell different numbers", "ORDER_PAIR",
           lambda d: d.add(ORDERS, d.order("pair_stop"), order_quantity=1)),
    Defect("one leg of a pair lives on alone", "ORDER_PAIR",
           lambda d: d.change(ORDERS, d.order("pair"), order_status="cancelled")),
    Defect("a pair has one leg", "ORDER_PAIR", lambda d: d.change(ORDERS, d.order("pair_stop"), oco_id=None)),
    Defect("an order counts a share too many", "ORDER_FILLED_QUANTITY",
           lambda d: d.add(ORDERS, d.order("open_buy"), filled_quantity=1)),
    Defect("an order counts a cent too much", "ORDER_FILLED_AMOUNT",
           lambda d: d.add(ORDERS, d.order("in_parts"), filled_amount=CENT)),
    Defect("an order counts commission nobody paid", "ORDER_COMMISSION",
           lambda d: d.add(ORDERS, d.order("in_parts"), commission_paid=CENT)),
]  # fmt: skip

FILL_DEFECTS = [
    Defect("a fill is doubled", "FILL_WITHOUT_GROUP", lambda d: d.copy(FILLS, d.fill(d.book.open_buy), fill_number=2)),
    Defect("a fill was booked twice", "FILL_GROUPS",
           lambda d: d.repeat_group(d.group(order_id=d.book.bought, kind="fill"))),
    Defect("a fill is lost", "GROUP_WITHOUT_FILL", lambda d: d.drop(FILLS, d.fill(d.book.bought))),
    Defect("a holding has shares without a fill", "HOLDING_FILLS", lambda d: d.drop(FILLS, d.fill(d.book.in_parts, 2))),
    Defect("a fill number is left out", "FILL_GAP", _skip_fill_number),
    Defect("a fill is another trader's", "FILL_FOREIGN",
           lambda d: d.change(FILLS, d.fill(d.book.bought), user_id=d.book.bob)),
    Defect("a fill is on the other side", "FILL_FOREIGN",
           lambda d: d.change(FILLS, d.fill(d.book.bought), transaction_type="sell")),
    Defect("a fill is of another ticker", "FILL_NOT_JOURNAL",
           lambda d: d.change(FILLS, d.fill(d.book.bought), ticker="GOOG")),
    Defect("a buy filled beyond its limit", "FILL_PRICE",
           lambda d: d.add(FILLS, d.fill(d.book.in_parts), transaction_price=CENT)),
    Defect("a sell filled beyond its limit", "FILL_PRICE", _sell_below_the_limit),
    Defect("a fill's amount is a cent off", "FILL_AMOUNT",
           lambda d: d.add(FILLS, d.fill(d.book.in_parts, 2), transaction_amount=CENT)),
    Defect("a fill paid no commission", "FILL_COMMISSION", _let_a_fill_pay_no_commission),
    Defect("the market got a cent more than the fill says", "FILL_NOT_JOURNAL", _pay_a_cent_more),
    Defect("a sale realised another profit", "FILL_PROFIT",
           lambda d: d.add(FILLS, d.fill(d.book.open_sell), realised_profit=CENT)),
    Defect("a buy realised a profit", "FILL_PROFIT",
           lambda d: d.change(FILLS, d.fill(d.book.bought), realised_profit=CENT)),
]  # fmt: skip

REQUEST_DEFECTS = [
    Defect("an approved deposit never arrived", "REQUEST_GROUPS",
           lambda d: d.change(REQUESTS, d.request("pending_deposit"), status="approved", operator_id=d.book.admin)),
    Defect("a rejected deposit arrived", "REQUEST_GROUPS",
           lambda d: d.change(REQUESTS, d.request("deposit"), status="rejected")),
    Defect("a deposit arrived twice", "REQUEST_GROUPS", lambda d: d.repeat_group(d.group(kind="deposit"))),
    Defect("a rejected withdrawal was not returned", "REQUEST_GROUPS",
           lambda d: d.drop(JOURNAL, d.group(kind="return"))),
    Defect("a paid withdrawal waits for a decision", "REQUEST_GROUPS",
           lambda d: d.change(REQUESTS, d.request("withdrawal"), status="pending", operator_id=None)),
    Defect("a request is of another amount than its group", "REQUEST_AMOUNT",
           lambda d: d.add(REQUESTS, d.request("rejected_withdrawal"), amount=CENT)),
    Defect("a request belongs to another trader", "REQUEST_FOREIGN_LINES",
           lambda d: d.change(REQUESTS, d.request("deposit"), user_id=d.book.bob)),
    Defect("nobody approved an approved request", "REQUEST_OPERATOR",
           lambda d: d.change(REQUESTS, d.request("deposit"), operator_id=None)),
]  # fmt: skip

EVENT_DEFECTS = [
    Defect("an event is lost", "EVENT_GAP", lambda d: d.drop(EVENTS, {"user_id": d.book.bob, "sequence": 3})),
    Defect("the first event is lost", "EVENT_GAP", lambda d: d.drop(EVENTS, {"user_id": d.book.bob, "sequence": 1})),
    Defect("an event is no JSON", "EVENT_UNREADABLE",
           lambda d: d.change(EVENTS, {"user_id": d.book.bob, "sequence": 3}, payload="{")),
    Defect("an event names no order", "EVENT_UNREADABLE",
           lambda d: d.change(EVENTS, {"kind": "order_expired"}, payload="{}")),
    Defect("an order was cancelled twice", "ORDER_MOVE",
           lambda d: d.copy(EVENTS, {"user_id": d.book.bob, "kind": "order_cancelled"}, sequence=1_000)),
    Defect("an order filled without having been accepted", "ORDER_MOVE",
           lambda d: d.drop(EVENTS, {"user_id": d.book.bob, "kind": "order_accepted"})),
    Defect("an event says another status than its kind", "ORDER_MOVE",
           lambda d: d.change(EVENTS, {"kind": "order_expired"}, kind="order_rejected")),
    Defect("an order has another end than its events", "ORDER_EVENTS",
           lambda d: d.change(ORDERS, d.order("cancelled"), order_status="rejected")),
    Defect("events tell of more fills than the order has", "ORDER_EVENTS",
           lambda d: d.copy(EVENTS, {"user_id": d.book.alice, "kind": "order_filled"}, sequence=1_000)),
    Defect("a request was decided twice", "REQUEST_MOVE",
           lambda d: d.copy(EVENTS, {"kind": "withdrawal_rejected"}, sequence=1_000)),
    Defect("a request has another end than its events", "REQUEST_EVENTS",
           lambda d: d.change(REQUESTS, d.request("rejected_deposit"), status="approved")),
]  # fmt: skip

DEFECTS = [
    *JOURNAL_DEFECTS,
    *BALANCE_DEFECTS,
    *ORDER_DEFECTS,
    *FILL_DEFECTS,
    *REQUEST_DEFECTS,
    *EVENT_DEFECTS,
]
