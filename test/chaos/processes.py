"""Starting the processes that a test kills."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

_SET_PARENT_DEATH_SIGNAL = 1  # of prctl(2)


def spawn(command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
    """Start a process that dies with this one, however this one ends. Call it in a thread that lives as long."""
    return subprocess.Popen(command, preexec_fn=_die_with_parent, **options)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
