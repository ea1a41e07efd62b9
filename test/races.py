"""Many threads at once, and how large a race is: a tenth under `make test`, all of it under `make test-full`."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

FULL = os.environ.get("TEST_FULL", "") == "1"


def scaled(count: int) -> int:
    """`count` in the full run, a tenth of it otherwise."""
    return count if FULL else max(count // 10, 1)


def race(works: Iterable[Callable[[], Any]], threads: int) -> Counter[str]:
    """Run all works on so many threads, begun together, and count how each ended: "done", or the name of its error.

    An error without a code is no refusal but a fault, and is raised again.
    """
    start = threading.Barrier(threads + 1)
    with ThreadPoolExecutor(threads) as pool:
        waiting = [pool.submit(start.wait) for _ in range(threads)]
        endings = [pool.submit(_ending, work) for work in works]
        start.wait()
        for waiter in waiting:
            waiter.result()
        return Counter(ending.result() for ending in endings)


def _ending(work: Callable[[], Any]) -> str:
    from services.errors import DomainError

    try:
        work()
    except DomainError as refusal:
        return refusal.code
    return "done"
