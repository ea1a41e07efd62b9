"""Who may call a view. The decorators raise; routes/core/errors.py answers as JSON, page or redirect.

Views of admins name the permission they need; auth/roles.py says which role has it. A view of theirs that names none is
closed to everybody.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import current_app, request
from flask_login import current_user

from auth.roles import Permission
from services.errors import Forbidden

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")


class LoginRequired(Exception):
    """Nobody is logged in. `as_admin` says which of the two login pages is meant."""

    def __init__(self, *, as_admin: bool) -> None:
        super().__init__("Please log in.")
        self.as_admin = as_admin


class TradersOnly(Forbidden):
    """An admin on a trader's page: admins do not trade."""

    def __init__(self) -> None:
        super().__init__("Admins do not trade: log in as a trader for this.", code="TRADERS_ONLY")


class AdminsOnly(Forbidden):
    """A trader on an admin's page."""

    def __init__(self) -> None:
        super().__init__("This is for admins only.", code="ADMINS_ONLY")


class NotPermitted(Forbidden):
    """The admin's role does not have the permission that the view needs."""

    def __init__(self, role: str, permission: str) -> None:
        super().__init__(
            f"Your role ({role.replace('_', '-')}) does not include this. Ask an owner.",
            code="NOT_PERMITTED",
            details={"role": role, "permission": permission},
        )


class PasswordChangeRequired(Forbidden):
    """The admin still uses the documented password, which everybody knows."""

    def __init__(self) -> None:
        super().__init__("Choose a new password first.", code="PASSWORD_CHANGE_REQUIRED")


def user_required(view: Callable[Parameters, Answer]) -> Callable[Parameters, Answer]:
    """Only logged-in traders come through."""

    @wraps(view)
    def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Answer:
        if not current_user.is_authenticated:
            raise LoginRequired(as_admin=False)
        if current_user.is_admin:
            raise TradersOnly
        return view(*args, **kwargs)

    return guarded


def admin_may(
    permission: Permission,
) -> Callable[[Callable[Parameters, Answer]], Callable[Parameters, Answer]]:
    """Only logged-in admins come through whose role has the permission, and only with a password of their own."""

    def decorate(view: Callable[Parameters, Answer]) -> Callable[Parameters, Answer]:
        @wraps(view)
        def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Answer:
            _require_admin()
            if current_user.must_change_password:
                raise PasswordChangeRequired
            if not current_user.may(permission):
                raise NotPermitted(current_user.role, permission)
            return view(*args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return decorate


def refuse_undeclared() -> None:
    """Before every request to the admins' blueprint: a view that names no permission is closed to everybody."""
    view = current_app.view_functions[request.endpoint or ""]
    if getattr(view, "permission", None) is None:
        _require_admin()
        raise NotPermitted(current_user.role, "none")


def admin_before_password_change(view: Callable[Parameters, Answer]) -> Callable[Parameters, Answer]:
    """Only logged-in admins come through, those too who have to change their password first."""

    @wraps(view)
    def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Answer:
        _require_admin()
        return view(*args, **kwargs)

    return guarded


def _require_admin() -> None:
    if not current_user.is_authenticated:
        raise LoginRequired(as_admin=True)
    if not current_user.is_admin:
        raise AdminsOnly
