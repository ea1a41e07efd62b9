"""The assistant of the application: its model, who may ask now, and the threads that answer.

An answer is made on a thread of its own, so that a model that hangs holds neither a database connection nor, beyond
`assistant_at_once` of them, a thread of the server: who asks while all are taken is turned away at once. A circuit
breaker stops asking a model that is away; after its pause one trader alone tries whether it is back.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from queue import Empty, SimpleQueue
from typing import Any

from config import Config
from services.assistant.answering import Event
from services.errors import TooMany, Unavailable
from utils.chat_model import ChatModel, ModelAway, ModelBusy, ModelError, ModelSettings, told_of
from utils.circuit_breaker import CircuitBreaker
from utils.collector import relax_collector
from utils.datetime_utils import Clock, utc_now

NO_KEY = (
    "The assistant has no Gemini key, so it cannot answer free questions. Commands such as /quote AAPL work; "
    "/help lists them. An admin sets GEMINI_API_KEY to change this."
)

logger = logging.getLogger(__name__)

Work = Callable[["Run"], Iterator[Event]]


class Run:
    """One answer under way. Its events are read by whoever asked, who may stop it."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self._events: SimpleQueue[Event | None] = SimpleQueue()

    def put(self, event: Event) -> None:
        self._events.put(event)

    def end(self) -> None:
        self._events.put(None)

    def events(self, patience: float, longest: float) -> Iterator[Event | None]:
        """The events as they come, and None each time that nothing came for `patience` seconds. Ends with the run, or
        after `longest` seconds, when the run is stopped.
        """
        waited = 0.0
        while True:
            try:
                event = self._events.get(timeout=patience)
            except Empty:
                waited += patience
                if waited > longest:
                    self.stopped.set()
                    slow = Unavailable("The answer took too long and was ended.", code="ASSISTANT_TOO_SLOW")
                    yield "failed", {"error": slow}
                    return
                yield None
                continue
            if event is None:
                return
            yield event


class Assistant:
    """See the module. `enter` gives a thread what it needs to reach the database."""

    def __init__(
        self, config: Config, enter: Callable[[], AbstractContextManager[Any]], clock: Clock = utc_now
    ) -> None:
        self.config = config
        self.model: ChatModel | None = make_model(config)
        self._enter = enter
        self._clock = clock
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._breaker = CircuitBreaker()
        self._running = 0

    @property
    def has_model(self) -> bool:
        return self.model is not None

    def status(self) -> dict[str, Any]:
        """For admins: whether there is a key, what runs, and whether the model is asked at the moment."""
        with self._lock:
            return {
                "has_key": self.has_model,
                "model": self.config.gemini_model,
                "library": self.config.gemini_library,
                "running": self._running,
                "at_once": self.config.assistant_at_once,
                "breaker": self._breaker.state(self._clock()),
                "failures": self._breaker.failures,
                "open_until": self._breaker.open_until,
            }

    def start(self, prepare: Callable[[], Work]) -> Run:
        """Begin an answer: take one of the places, `prepare` (which may refuse), then work on a thread. Raises
        Unavailable without a model or while it is known to be away, TooMany when all places are taken.
        """
        self._take_place()
        try:
            work = prepare()
            run = Run()
            threading.Thread(target=self._serve, args=(run, work), name="assistant", daemon=True).start()
        except BaseException:
            self._give_place()
            raise
        return run

    def heard(self, fault: ModelError | None) -> None:
        """Tell the breaker how a call went; None: well. The log hears of a fault, and nothing of what was said."""
        if fault is not None:
            logger.warning("the model failed: %s", told_of(fault))
        with self._lock:
            if fault is None:
                self._breaker.succeeded()
            elif isinstance(fault, ModelAway | ModelBusy):
                self._breaker.failed(self._clock(), at_once=isinstance(fault, ModelBusy))

    def prepare(self) -> threading.Thread | None:
        """Load the model's library on a thread, as the process starts: else the first question would do it, and slow
        down everybody's pages for a second or two. Without a model there is nothing to load.
        """
        if self.model is None:
            return None
        thread = threading.Thread(target=_load, args=(self.model,), name="assistant-library", daemon=True)
        thread.start()
        return thread

    def close(self, patience: float = 5.0) -> None:
        """Wait, at most so many seconds, until no answer is under way, and close the model's connections."""
        with self._idle:
            self._idle.wait_for(lambda: self._running == 0, patience)
        if self.model is not None:
            self.model.close()

    def _serve(self, run: Run, work: Work) -> None:
        try:
            with self._enter():
                for event in work(run):
                    run.put(event)
        except Exception:
            # The answer is made on a thread of its own: nobody above would hear of it, and the trader would wait on.
            logger.exception("an answer of the assistant failed")
            failed = Unavailable("The assistant failed. The error was noted.", code="ASSISTANT_FAILED")
            run.put(("failed", {"error": failed}))
        finally:
            self._give_place()
            run.end()

    def _take_place(self) -> None:
        if not self.has_model:
            raise Unavailable(NO_KEY, code="ASSISTANT_NO_KEY")
        with self._lock:
            now = self._clock()
            if not self._breaker.allows(now) and self._breaker.open_until is not None:
                seconds = max(1, round((self._breaker.open_until - now).total_seconds()))
                raise Unavailable(
                    f"The model did not answer lately. It is asked again in {seconds} seconds. "
                    "Commands such as /quote AAPL work meanwhile.",
                    code="ASSISTANT_AWAY",
                    details={"retry_after": seconds},
                )
            trying = self._running > 0 and self._breaker.state(now) == "half_open"
            if trying or self._running >= self.config.assistant_at_once:
                raise TooMany(
                    "The assistant is answering others at the moment. Try again in a few seconds.",
                    code="ASSISTANT_FULL",
                    details={"retry_after": 5},
                )
            self._running += 1

    def _give_place(self) -> None:
        with self._lock:
            self._running -= 1
            self._idle.notify_all()


def _load(model: ChatModel) -> None:
    try:
        model.prepare()
    except Exception:
        # Whatever a library raises while it is loaded: the venue trades without it, and a question will say it again.
        logger.exception("the model's library could not be loaded")
        return
    relax_collector()


def make_model(config: Config) -> ChatModel | None:
    """The configured implementation, or None without a key. Connects to nothing."""
    if config.gemini_api_key is None:
        return None
    settings = ModelSettings(
        key=config.gemini_api_key,
        name=config.gemini_model,
        temperature=config.gemini_temperature,
        endpoint=config.gemini_api_endpoint,
    )
    if config.gemini_library == "genai":
        from utils.chat_genai import GenAIModel

        return GenAIModel(settings)
    from utils.chat_ai import GenerativeAIModel

    return GenerativeAIModel(settings)
