"""Roles of admins and what each may do. Whatever is not listed is not allowed."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """One kind of thing that an admin may be allowed to do."""

    VIEW = "view"  # read every list and every page of the panel but the ones below
    DECIDE_FUNDS = "decide_funds"  # approve and reject deposits and withdrawals
    ADJUST_ACCOUNTS = "adjust_accounts"  # give and take cash and shares by hand
    MANAGE_ORDERS = "manage_orders"  # execute and reject resting orders
    MANAGE_USERS = "manage_users"  # create, edit, suspend, reset passwords, set the account state
    MANAGE_DATA = "manage_data"  # instruments, refresh, import
    CHANGE_SETTINGS = "change_settings"
    READ_AUDIT = "read_audit"
    MANAGE_ADMINS = "manage_admins"


_SEES = frozenset({Permission.VIEW})

PERMISSIONS: dict[str, frozenset[Permission]] = {
    "owner": frozenset(Permission),
    "funds": _SEES | {Permission.DECIDE_FUNDS, Permission.ADJUST_ACCOUNTS},
    "support": _SEES | {Permission.MANAGE_ORDERS, Permission.MANAGE_USERS, Permission.MANAGE_DATA},
    "read_only": _SEES | {Permission.READ_AUDIT},
}


def role_may(role: str | None, permission: str) -> bool:
    """Whether the role has the permission. An unknown role, or None, has none."""
    return permission in PERMISSIONS.get(role or "", frozenset())
