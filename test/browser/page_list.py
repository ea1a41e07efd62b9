"""Every page of the venue, for the pictures of `make screenshots` and for the tests that look at each of them.

A new page is one line here. `who` opens it: "visitor" (nobody is logged in), "trader" or "admin". `path` may name
{order_id}, {user_id} and {user_name}, of a trader of the made-up venue. `opens` are the controls to press, one after
the other, before the page is looked at: its dialogs, menus and tabs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Who = Literal["visitor", "trader", "admin"]
WIDTHS = {"wide": (1440, 900), "middle": (768, 1024), "phone": (390, 844)}
THEMES = ("light", "dark")


@dataclass(frozen=True, slots=True)
class PageShown:
    """One page, or one state of it. `widths` leaves out those in which its control does not exist."""

    name: str
    who: Who
    path: str
    opens: tuple[str, ...] = ()
    status: int = 200
    widths: tuple[str, ...] = tuple(WIDTHS)


PAGES = (
    PageShown("login", "visitor", "/auth/login"),
    PageShown("register", "visitor", "/auth/register"),
    PageShown("admin-login", "visitor", "/auth/admin-login"),
    PageShown("about", "visitor", "/about"),
    PageShown("privacy", "visitor", "/privacy"),
    PageShown("api-docs", "trader", "/api/docs"),
    PageShown("not-found", "visitor", "/nothing/here", status=404),
    PageShown("desk", "trader", "/user/stock_chart?ticker=AAPL&period=1y"),
    PageShown("desk-today", "trader", "/user/stock_chart?ticker=AAPL&period=1d"),
    PageShown("desk-fills", "trader", "/user/stock_chart", opens=("#tab-fills",)),
    PageShown("desk-holdings", "trader", "/user/stock_chart", opens=("#tab-holdings",)),
    PageShown("desk-simulation", "trader", "/user/stock_chart", opens=("#tab-simulation", ".simulation-run")),
    PageShown("desk-fundamentals", "trader", "/user/stock_chart", opens=("#tab-fundamentals",)),
    PageShown("desk-indicators", "trader", "/user/stock_chart", opens=("[data-open-indicators]",)),
    PageShown("desk-line", "trader", "/user/stock_chart?period=5d", opens=("[data-chart-kind=line]",)),
    PageShown("desk-help", "trader", "/user/stock_chart", opens=("[data-open-help]",), widths=("wide", "middle")),
    PageShown("desk-ticket", "trader", "/user/stock_chart", opens=("[data-open-ticket=buy]",), widths=("phone",)),
    PageShown("desk-stocks", "trader", "/user/stock_chart", opens=(".list-button",), widths=("middle", "phone")),
    PageShown("account", "trader", "/user/account"),
    PageShown("order", "trader", "/user/orders/{order_id}"),
    PageShown("analysis", "trader", "/user/stock_analysis"),
    PageShown("profile", "trader", "/user/profile"),
    PageShown("menu", "trader", "/user/account", opens=("[data-menu] summary",)),
    PageShown("assistant", "trader", "/user/ai_assistant"),
    PageShown("logout", "trader", "/auth/logout"),
    PageShown("admin-dashboard", "admin", "/admin/"),
    PageShown("admin-orders", "admin", "/admin/orders"),
    PageShown("admin-deposits", "admin", "/admin/deposits"),
    PageShown("admin-withdrawals", "admin", "/admin/withdrawals"),
    PageShown("admin-funds", "admin", "/admin/fund-transactions"),
    PageShown("admin-order", "admin", "/admin/orders/{order_id}"),
    PageShown("admin-users", "admin", "/admin/user_management"),
    PageShown("admin-user", "admin", "/admin/user_management/{user_id}"),
    PageShown("admin-user-edit", "admin", "/admin/user_management/{user_id}/edit"),
    PageShown("admin-user-new", "admin", "/admin/user_management/new"),
    PageShown("admin-class-list", "admin", "/admin/user_management/class-list"),
    PageShown("admin-data", "admin", "/admin/data"),
    PageShown("admin-gaps", "admin", "/admin/data/gaps?ticker=IBM"),
    PageShown("admin-settings", "admin", "/admin/settings"),
    PageShown("admin-admins", "admin", "/admin/admins"),
    PageShown("admin-audit", "admin", "/admin/audit"),
    PageShown("admin-assistant", "admin", "/admin/assistant"),
    PageShown("admin-password", "admin", "/auth/admin-password"),
    PageShown("admin-users-give", "admin", "/admin/user_management", opens=(".give-card summary",)),
)
