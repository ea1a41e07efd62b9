"""Waiting for a condition, never for a time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

PAUSE = 0.02
_never = threading.Event()


def pause(seconds: float = PAUSE) -> None:
    """Let others work before looking again."""
    _never.wait(seconds)


def until(what: str, condition: Callable[[], Value], within: float) -> Value:
    """Ask again and again until the condition answers something true, and return that. Fails after `within` seconds."""
    deadline = time.monotonic() + within
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} s: {what}")
        pause()
    return value


def free_port() -> int:
    """A port of the loopback address that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
