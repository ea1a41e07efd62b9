"""Large simulations in a process of their own, so that they take neither the interpreter's lock nor, being less urgent,
the processor from the requests. The process starts with the first one, ends when idle, and never outlives its parent.

`python -m utils.simulation_process` is the process: it reads tasks from its input and writes shares of the work, then
the outcome, to its output.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import subprocess
import sys
from pathlib import Path
from select import select
from threading import Lock
from typing import Any, BinaryIO

from utils.monte_carlo import Floats, Outcome, Plan, Progress, simulate

ROOT = Path(__file__).resolve().parent.parent
IDLE_SECONDS = 120.0
NICENESS = 10
INLINE_STEPS = 3_000_000  # up to here a simulation takes less time than sending it elsewhere is worth


class SimulationFailed(Exception):
    """The process ended in the middle of a simulation, or could not do it."""


def run(log_returns: Floats, weights: Floats, plan: Plan, progress: Progress) -> Outcome:
    """As monte_carlo.simulate, here when it is small, else in the process."""
    if plan.days * plan.simulations * len(weights) <= INLINE_STEPS:
        return simulate(log_returns, weights, plan, progress)
    return _process.run((log_returns, weights, plan), progress)


class SimulationProcess:
    """One process, used by one thread at a time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, task: tuple[Floats, Floats, Plan], progress: Progress) -> Outcome:
        """The outcome of a task. Whatever `progress` raises stops the process. Raises SimulationFailed."""
        with self._lock:
            process = self._running()
            try:
                return self._converse(process, task, progress)
            except (EOFError, OSError, pickle.UnpicklingError) as error:
                self._end(process)
                raise SimulationFailed("The simulation was interrupted. Try again.") from error
            except BaseException:
                self._end(process)
                raise

    def stop(self) -> None:
        """End the process, if there is one. Whoever waits for it gets SimulationFailed."""
        process = self._process
        if process is not None:
            process.kill()
            process.wait()

    def _converse(self, process: subprocess.Popen[bytes], task: Any, progress: Progress) -> Outcome:
        assert process.stdin is not None
        assert process.stdout is not None
        pickle.dump(task, process.stdin)
        process.stdin.flush()
        while True:
            kind, value = pickle.load(process.stdout)  # noqa: S301 - our own process wrote it
            if kind == "outcome":
                outcome: Outcome = value
                return outcome
            if kind == "error":
                raise SimulationFailed(value)
            progress(value)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and (self._process.poll() is not None or _hung_up(self._process)):
            self._end(self._process)
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, no user input
                [sys.executable, "-m", "utils.simulation_process"],
                cwd=ROOT,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # an interrupt at the terminal is for the server, which ends us
            )
        return self._process

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        self._process = None


def _hung_up(process: subprocess.Popen[bytes]) -> bool:
    """Whether an idle process has said goodbye: it closes its output before it ends."""
    return process.stdout is not None and bool(select([process.stdout], [], [], 0)[0])


_process = SimulationProcess()
atexit.register(_process.stop)


def serve(tasks: BinaryIO, answers: BinaryIO) -> None:
    """Do one task after the other until there are no more, or none has come for a while."""

    def tell(kind: str, value: object) -> None:
        pickle.dump((kind, value), answers)
        answers.flush()

    while select([tasks], [], [], IDLE_SECONDS)[0]:
        try:
            log_returns, weights, plan = pickle.load(tasks)  # noqa: S301 - our own parent wrote it
        except EOFError:
            return
        try:
            outcome = simulate(log_returns, weights, plan, lambda share: tell("progress", share))
        except (ValueError, ArithmeticError, MemoryError) as error:
            tell("error", f"The simulation failed: {error}")
        else:
            tell("outcome", outcome)


if __name__ == "__main__":
    os.nice(NICENESS)
    with contextlib.suppress(BrokenPipeError):
        serve(sys.stdin.buffer, sys.stdout.buffer)
