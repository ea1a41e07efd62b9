"""The thread that turns the hub of the live streams, while somebody listens."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from models import db
from services.streams import Hub
from utils.datetime_utils import Clock, utc_now

if TYPE_CHECKING:
    from flask import Flask

LOOK_EVERY_SECONDS = 0.1
IDLE_SECONDS = 0.5
AFTER_FAILURE_SECONDS = 1.0
STOP_SECONDS = 2.0

logger = logging.getLogger(__name__)


class HubTask:
    """One thread. `serving` says whether this process still takes requests: once it does not, the streams end, since
    a server that shuts down waits for its open requests.
    """

    def __init__(self, app: Flask, hub: Hub, serving: Callable[[], bool], wall_clock: Clock = utc_now) -> None:
        self._app = app
        self._hub = hub
        self._serving = serving
        self._clock = wall_clock
        self._stopping = Event()
        self._thread = Thread(target=self._loop, name="event-hub", daemon=True)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._hub.open()
        self._thread.start()

    def stop(self) -> None:
        """End all streams, then the thread."""
        self._stopping.set()
        self._hub.close()
        if self.alive:
            self._thread.join(STOP_SECONDS)

    def turn(self) -> float:
        """Tell the news once and answer how many seconds to wait."""
        try:
            with Session(db.engine) as session:
                self._hub.turn(session, self._app.extensions["market"], self._clock())
        except Exception:
            # A database that is away, or a bug in one message, must not end the streams of everybody.
            logger.exception("the hub of the live streams failed and goes on")
            return AFTER_FAILURE_SECONDS
        return LOOK_EVERY_SECONDS

    def _loop(self) -> None:
        with self._app.app_context():
            while self._serving() and not self._stopping.is_set():
                if self._hub.wanted.wait(IDLE_SECONDS):
                    self._stopping.wait(self.turn())
        self._hub.close()


def start_event_hub(app: Flask, serving: Callable[[], bool]) -> HubTask:
    """Start the thread that turns the application's hub."""
    task = HubTask(app, app.extensions["hub"], serving)
    task.start()
    return task
