"""Log files: app.log for everything from INFO on, error.log for errors. They rotate, and each line has a request id.

Errors also go to standard error, where whoever started the server sees them.
"""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

LARGEST_FILE_BYTES = 5_000_000
KEPT_FILES = 5
NO_REQUEST = "-"

# The id of the request that this thread works on. The web layer sets it; below it nobody needs to know of requests.
current_request_id: ContextVar[str] = ContextVar("current_request_id", default=NO_REQUEST)


class LineFormatter(logging.Formatter):
    """Writes time (UTC), level, request id, logger and message. What a message brings along cannot forge a line: its
    control characters are escaped. The lines of a traceback carry the request id as well.
    """

    def format(self, record: logging.LogRecord) -> str:
        request_id = current_request_id.get()
        origin = f"{record.levelname} [{request_id}] {record.name}"
        lines = [f"{self.formatTime(record)} {origin}: {_escaped(record.getMessage())}"]
        if record.exc_info:
            lines += self.formatException(record.exc_info).splitlines()
        if record.stack_info:
            lines += record.stack_info.splitlines()
        return "\n".join([lines[0], *(f"    [{request_id}] {_escaped(line)}" for line in lines[1:])])

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - its name in logging
        return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class _VenueFileHandler(RotatingFileHandler):
    """A handler of ours, so that a second start in one process can tell it from others'."""


class _ConsoleHandler(logging.Handler):
    """Writes to whatever standard error is at the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(f"{self.format(record)}\n")


def start_logging(folder: Path, level: str) -> None:
    """Log into `folder` from now on. Called again, the files of the earlier call are closed and let go."""
    folder.mkdir(parents=True, exist_ok=True)
    stop_logging()
    root = logging.getLogger()
    root.addHandler(_handler(folder / "app.log", level))
    root.addHandler(_handler(folder / "error.log", "ERROR"))
    root.addHandler(_console())
    root.setLevel(level)


def stop_logging() -> None:
    """Close the log files."""
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _VenueFileHandler | _ConsoleHandler)]:
        root.removeHandler(handler)
        handler.close()


def errors_since(folder: Path, moment: datetime, kept: int = 5) -> tuple[int, list[str]]:
    """How many errors the log tells of since the moment, and the newest of their lines, newest first. Reads the newest
    file and, where that begins later, the one before it.
    """
    since = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    found: list[str] = []
    for name in ("error.log.1", "error.log"):
        path = folder / name
        if path.is_file():
            with path.open(encoding="utf-8", errors="replace") as lines:
                # Lines of a traceback are indented; every other one begins with its time, which sorts as text.
                found += [line.rstrip("\n") for line in lines if line[:1].isdigit() and line >= since]
    return len(found), found[: -kept - 1 : -1]


def _console() -> logging.Handler:
    handler = _ConsoleHandler("ERROR")
    handler.setFormatter(LineFormatter())
    return handler


def _handler(path: Path, level: str) -> logging.Handler:
    handler = _VenueFileHandler(
        path,
        maxBytes=LARGEST_FILE_BYTES,
        backupCount=KEPT_FILES,
        encoding="utf-8",
        errors="backslashreplace",
        delay=True,
    )
    handler.setLevel(level)
    handler.setFormatter(LineFormatter())
    return handler


def _escaped(text: str) -> str:
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text)
