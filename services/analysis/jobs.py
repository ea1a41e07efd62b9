"""Long computations on threads of their own: few at a time, a short queue, and each done once for all who ask.

A request that asks again for what is being computed joins it, and what was computed is kept for a while. The threads
only compute: they never touch the database.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from queue import Empty, SimpleQueue
from typing import Any

from services.errors import TooMany

Progress = Callable[[float], None]
Work = Callable[[Progress], Any]

WORKERS = 1  # the other processors belong to the pages
MOST_WAITING = 24
MOST_WAITING_OF_ONE = 4
MOST_KEPT = 48
IDLE_SECONDS = 30.0


class Cancelled(Exception):
    """The server stops."""


class Job:
    """One computation. `progress` goes from 0 to 1; once `finished` is set there is a `result` or an `error`."""

    def __init__(self, key: Hashable, owner: Hashable, work: Work) -> None:
        self.key = key
        self.owner = owner
        self.work = work
        self.progress = 0.0
        self.started = False
        self.finished = threading.Event()
        self.result: Any = None
        self.error: BaseException | None = None

    def wait(self, seconds: float | None) -> bool:
        """Wait for the end, at most so long; whether it has come. Raises what the computation raised."""
        if not self.finished.wait(seconds):
            return False
        if self.error is not None:
            raise self.error
        return True


class Jobs:
    """The queue, its threads and what they found. Threads start with the first job and end when idle."""

    def __init__(self, workers: int = WORKERS) -> None:
        self._lock = threading.Lock()
        self._workers = workers
        self._threads = 0
        self._queue: SimpleQueue[Job] = SimpleQueue()
        self._open: dict[Hashable, Job] = {}
        self._kept: OrderedDict[Hashable, Job] = OrderedDict()
        self._stopping = False

    def ask(self, key: Hashable, owner: Hashable, work: Work) -> Job:
        """The job of this key: kept, under way, or begun now. `work(progress)` must depend on nothing but the key.
        Raises TooMany when the queue is full, or full of this owner's jobs.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            if key in self._open:
                return self._open[key]
            self._check_room(owner)
            job = self._open[key] = Job(key, owner, work)
            self._queue.put(job)
            if self._threads < self._workers:
                self._threads += 1
                threading.Thread(target=self._serve, name="analysis", daemon=True).start()
            return job

    def stop(self) -> None:
        """Let whatever is computed give up at its next report of progress."""
        self._stopping = True

    def _check_room(self, owner: Hashable) -> None:
        waiting = [job for job in self._open.values() if not job.started]
        if len(waiting) >= MOST_WAITING or sum(job.owner == owner for job in waiting) >= MOST_WAITING_OF_ONE:
            raise TooMany("Too many simulations are waiting. Try again in a few seconds.", code="SIMULATIONS_BUSY")

    def _serve(self) -> None:
        while True:
            try:
                job = self._queue.get(timeout=IDLE_SECONDS)
            except Empty:
                with self._lock:
                    # Somebody may have put a job in between; the lock keeps others out now.
                    if self._queue.empty():
                        self._threads -= 1
                        return
                continue
            self._run(job)

    def _run(self, job: Job) -> None:
        def report(share: float) -> None:
            job.progress = share
            if self._stopping:
                raise Cancelled

        job.started = True
        try:
            job.result = job.work(report)
        except BaseException as error:  # noqa: BLE001 - whatever went wrong belongs to those who wait for the job
            job.error = error
        with self._lock:
            del self._open[job.key]
            if job.error is None:
                self._kept[job.key] = job
                while len(self._kept) > MOST_KEPT:
                    self._kept.popitem(last=False)
        job.work = _nothing  # lets go of the arrays
        job.finished.set()


def _nothing(_progress: Progress) -> None:
    return None
