"""How a live stream leaves the server: messages of the hub, sent as they come, to readers that may not read."""

from __future__ import annotations

import socket
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, cast

from flask import Response, current_app, request

from models import db
from routes.shared import market
from services.errors import InvalidInput

if TYPE_CHECKING:
    from services.streams import Hub, Listener

RECONNECT_MILLISECONDS = 2000
SENDING_BUFFER_BYTES = 32 * 1024  # what the system may hold of a slow reader, beside the listener's own queue
LARGEST_NUMBER = 2**31 - 1
SOCKETS = ("gunicorn.socket", "werkzeug.socket")


def stream(listener: Listener) -> Response:
    """Answer the current request with what the listener hears. No database connection is held meanwhile.
    Raises Unavailable when there is no room.
    """
    db.session.close()
    hub = cast("Hub", current_app.extensions["hub"])
    _guard_connection(listener)
    hub.join(listener, market())
    retry = f"retry: {RECONNECT_MILLISECONDS}\n\n"
    response = Response(chain([retry], listener.messages()), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"  # nginx would hold messages back
    response.call_on_close(lambda: hub.leave(listener))
    return response


def last_seen_number() -> int | None:
    """The number of the last event the page has seen: Last-Event-ID when the browser reconnects by itself, the
    parameter `after` when the page does. None for a new page.
    """
    name, text = "Last-Event-ID", request.headers.get("Last-Event-ID", "").strip()
    if not text:
        name, text = "after", request.args.get("after", "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= LARGEST_NUMBER):
        raise InvalidInput({name: ["must be the number of an event"]})
    return int(text)


def _guard_connection(listener: Listener) -> None:
    """Let the hub see that a reader has hung up, and break the connection of one that does not read, in which this
    thread would wait for ever.
    """
    connection: socket.socket | None = next(
        (request.environ[name] for name in SOCKETS if name in request.environ), None
    )
    if connection is None:
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SENDING_BUFFER_BYTES)

    def cut() -> None:
        with suppress(OSError):  # It may be closed already.
            connection.shutdown(socket.SHUT_RDWR)

    def gone() -> bool:
        try:
            return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    listener.cut, listener.gone = cut, gone
