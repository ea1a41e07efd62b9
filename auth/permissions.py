"""Who may call a view. The decorators raise; routes/core/errors.py answers as JSON, page or redirect."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask_login import current_user

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


def admin_required(view: Callable[Parameters, Answer]) -> Callable[Parameters, Answer]:
    """Only logged-in admins come through, and only with a password of their own."""

    @wraps(view)
    def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Answer:
        _require_admin()
        if current_user.must_change_password:
            raise PasswordChangeRequired
        return view(*args, **kwargs)

    return guarded


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
