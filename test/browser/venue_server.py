"""A venue of its own for the browser: the server of `make run`, with its own port and folder."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from databases import ROOT
from test_docs import variables

STARTS_WITHIN = 240  # seconds; a fresh clone installs packages and browser files first
ENDS_WITHIN = 10


class VenueServer:
    """Started by `make run` in a process group of its own. `settings` are variables of the configuration."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = folder / "make-run.log"
        self.instance = folder / "instance"
        # An empty variable counts as unset, so nothing of the developer's own .env comes through.
        chosen = {"HOST": "127.0.0.1", "PORT": str(self.port), "INSTANCE_PATH": str(self.instance), **settings}
        self.environment = {**os.environ, **dict.fromkeys(variables(), ""), **chosen}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["make", "run"], cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        self._wait_until_healthy()

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> float:
        """End it with SIGTERM and return how many seconds that took. Kills it when it takes too long."""
        assert self._process
        began = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=ENDS_WITHIN + 5)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        return time.monotonic() - began

    def flask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a flask command on the same venue."""
        command = [str(ROOT / ".venv" / "bin" / "flask"), *words]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )

    def _wait_until_healthy(self) -> None:
        assert self._process
        deadline = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise AssertionError(f"make run ended with {self._process.returncode}:\n{self.output()}")
            if healthy(self.address):
                return
            time.sleep(0.2)
        self.stop()
        raise AssertionError(f"the venue was not healthy after {STARTS_WITHIN} s:\n{self.output()}")

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:]


def healthy(address: str) -> bool:
    try:
        with urlopen(f"{address}/healthz", timeout=5) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except HTTPError as error:
        error.close()
        return False
    except (URLError, OSError):
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
