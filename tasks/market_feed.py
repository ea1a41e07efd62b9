"""The market's feed: chooses the source, opens the market, and keeps it going. Small steps and a loop without logic."""

from __future__ import annotations

import logging
from threading import Event, Thread
from typing import Protocol

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from config import Config
from models import db
from services.market.market import VenueMarket
from services.market.source_choice import settle, store_source, stored_source
from services.transaction import run_unit
from tasks.live_steps import LiveSteps
from tasks.replay_steps import ReplaySteps
from utils.datetime_utils import Clock, utc_now
from utils.market_source import SourceName
from utils.stock_data import YahooSource

PROBE_SECONDS = 5.0
STOP_SECONDS = 1.5  # a request on its way may take longer; the thread then dies with the process
RETRY_SECONDS = 0.5

logger = logging.getLogger(__name__)


class Steps(Protocol):
    """The feed of one source. `pause` is how many seconds the loop waits between two steps."""

    pause: float

    def prepare(self) -> bool:
        """Open the market; False to be asked again."""
        ...

    def step(self) -> None:
        """Do a little of what is due."""
        ...

    def fetch_wanted(self) -> None:
        """Fetch the bars of the next ticker that an admin wants anew, if there is one."""
        ...

    def cancel(self) -> None:
        """Called from another thread: give up whatever is waiting for a network."""
        ...

    def close(self) -> None:
        """The last step, when the feed stops."""
        ...


def start_market_feed(app: Flask, feeds: bool = True) -> MarketFeed:
    """Start the feed's thread. `feeds`: this process asks the source and writes for all; otherwise it only reads.

    Raises SourceMismatch when MARKET_SOURCE asks for another market than the one stored with the books.
    """
    feed = MarketFeed(app, feeds)
    feed.start()
    return feed


class MarketFeed:
    """One thread that works for the market until it is stopped."""

    def __init__(self, app: Flask, feeds: bool, wall_clock: Clock = utc_now) -> None:
        self._app = app
        self._config: Config = app.extensions["config"]
        self._market: VenueMarket = app.extensions["market"]
        self._feeds = feeds
        self._wall = wall_clock
        self._stop = Event()
        self._steps: Steps | None = None
        self._prepared = False
        self._thread = Thread(target=self._loop, name="market-feed", daemon=True)

    @property
    def steps(self) -> Steps | None:
        """The steps of the chosen source; None before the first turns."""
        return self._steps

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        """Check the stored choice and start the thread. A database that is away is waited for in the thread."""
        with self._app.app_context():
            try:
                self._settled()
            except SQLAlchemyError as error:
                logger.warning("the market waits for the database: %s", error)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, at once if it waits, and wait a little for its last step."""
        self._stop.set()
        if self._steps is not None:
            self._steps.cancel()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def turn(self) -> float:
        """Do what is due and answer how many seconds to wait. Public so that tests turn the loop by hand."""
        try:
            return self._turn()
        except Exception as error:
            # Whatever goes wrong in one turn (database away, a bug in one step) must not end the feed for good.
            logger.exception("the market feed failed and goes on: %s", error)
            return RETRY_SECONDS

    def _loop(self) -> None:
        with self._app.app_context():
            while not self._stop.wait(self.turn()):
                pass
            self._close()

    def _turn(self) -> float:
        if self._steps is None:
            self._steps = self._choose()
        elif not self._prepared:
            self._prepared = self._steps.prepare()
            return 0 if self._prepared else RETRY_SECONDS
        else:
            self._steps.step()
            return self._steps.pause
        return 0 if self._steps is not None else RETRY_SECONDS

    def _choose(self) -> Steps | None:
        """The steps of the source that the books go by; asks Yahoo when that is still open."""
        name = self._settled()
        if name is None and self._feeds:
            name = self._probe()
        if name is not None and self._feeds:
            name = run_unit(store_source, name, self._wall())
        return None if name is None else self._steps_of(name)

    def _settled(self) -> SourceName | None:
        with Session(db.engine) as session:
            return settle(stored_source(session), self._config.market_source)

    def _probe(self) -> SourceName:
        """Ask Yahoo once, for a few seconds; whatever keeps it from answering makes this venue a replay."""
        answers = self._yahoo().answers(self._config.tech_tickers[0], PROBE_SECONDS)
        logger.info("Yahoo Finance %s", "answers: prices are live" if answers else "does not answer: replay")
        return "yfinance" if answers else "replay"

    def _steps_of(self, name: SourceName) -> Steps:
        config = self._config
        if name == "replay":
            return ReplaySteps(self._market, config.replay_start, config.replay_speed, self._feeds, self._wall)
        return LiveSteps(self._market, self._yahoo(), config.tech_tickers, self._feeds, self._wall)

    def _yahoo(self) -> YahooSource:
        return YahooSource(self._config.yahoo_base_url, self._config.instance_path / "yfinance", self._wall)

    def _close(self) -> None:
        if self._steps is not None and self._prepared:
            try:
                self._steps.close()
            except SQLAlchemyError as error:
                # The clock then stops at alive_until, a few seconds from now, as after a crash.
                logger.warning("the market could not be closed in order: %s", error)
