"""`/user/profile`: what traders change of themselves, where they are logged in, and how pages look to them."""

from __future__ import annotations

from collections.abc import Callable

from flask import render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from auth.permissions import user_required
from models import db
from routes.answers import done
from routes.auth.forms import leave, read_texts, show_again
from routes.limits import LoginTry
from routes.shared import write
from routes.user import user_bp
from services import logins, profile
from services.errors import DomainError, InvalidInput
from services.logins import OpenLogin
from services.profile import Profile
from utils.datetime_utils import utc_now

TEMPLATE = "user/profile.html"


@user_bp.get("/profile")
@user_required
def show_profile() -> str:
    own = _profile()
    form = {"user_name": own.name, "user_email": own.email}
    return render_template(TEMPLATE, form=form, errors={}, profile=own, open_logins=_open_logins())


@user_bp.post("/profile")
@user_required
def change_identity() -> Response:
    def change() -> str:
        fields = read_texts("user_name", "user_email", "your_password")
        _guess("your_password", lambda: profile.change_identity(db.session, current_user.id, fields))
        return "Name and e-mail address are changed."

    return _answer(change)


@user_bp.post("/profile/password")
@user_required
def change_password() -> Response:
    def change() -> str:
        fields = read_texts("current_password", "new_password", "confirm_password")
        mine = (current_user.id, current_user.login_id)
        _guess("current_password", lambda: profile.change_password(db.session, *mine, fields, utc_now()))
        return "Your password is changed, and your other log-ins are ended."

    return _answer(change)


@user_bp.post("/logins/<row:login_id>/end")
@user_required
def end_login(login_id: int) -> Response:
    write(logins.end_own, current_user.id, login_id, utc_now())
    return done({"message": "That log-in is ended."}, back_to=url_for("user.show_profile"))


@user_bp.post("/logins/end_others")
@user_required
def end_other_logins() -> Response:
    ended = write(logins.end_others_of_user, current_user.id, current_user.login_id, utc_now())
    message = {0: "There was no other log-in.", 1: "The other log-in is ended."}.get(
        ended, f"{ended} log-ins are ended."
    )
    return done({"message": message, "ended": ended}, back_to=url_for("user.show_profile"))


def _answer(change: Callable[[], str]) -> Response:
    """Change something; a refusal comes back onto the form."""
    try:
        message = change()
    except DomainError as error:
        own = _profile()
        return show_again(TEMPLATE, error, profile=own, open_logins=_open_logins())
    return leave(message, to=url_for("user.show_profile"), spoken=True)


def _guess(field: str, work: Callable[[], object]) -> None:
    """Do what needs the password. Wrong ones are counted as at the door."""
    attempt = LoginTry("profile", current_user.name)
    try:
        work()
    except InvalidInput as error:
        if field not in error.errors:
            attempt.give_back()
        raise
    attempt.give_back()


def _profile() -> Profile:
    return profile.read(db.session, current_user.id)


def _open_logins() -> list[OpenLogin]:
    return logins.of_user(db.session, current_user.id, utc_now())
