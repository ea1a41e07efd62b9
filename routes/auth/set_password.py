"""`/auth/set-password/<token>`: where a one-time link leads, for a new account or after a reset by an admin."""

from __future__ import annotations

from flask import url_for
from werkzeug.wrappers import Response

from models import db
from routes.auth import auth_bp
from routes.auth.forms import leave, read_texts, show, show_again
from services import password_links
from services.errors import InvalidInput
from utils.datetime_utils import utc_now

TEMPLATE = "auth/set_password.html"


@auth_bp.get("/set-password/<token>")
def set_password(token: str) -> str:
    owner = password_links.find(db.session(), token, utc_now())
    return show(TEMPLATE, name=owner.name)


@auth_bp.post("/set-password/<token>")
def store_password(token: str) -> Response:
    now = utc_now()
    name = password_links.find(db.session(), token, now).name
    try:
        owner = password_links.set_password(db.session(), token, read_texts("new_password", "confirm_password"), now)
    except InvalidInput as error:
        return show_again(TEMPLATE, error, name=name)
    page = "auth.login" if owner.admin_id is None else "auth.admin_login"
    return leave("Your password is set. Log in with it.", to=url_for(page), spoken=True)
