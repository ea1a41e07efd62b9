"""A serving process as `make run` starts it, on its own port and folder, that can be killed and started again."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from chaos.processes import spawn
from chaos.waiting import free_port, until
from config import Config
from databases import ROOT

STARTS_WITHIN = 60
ENDS_WITHIN = 15
GUNICORN = [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "app:create_app()"]


class Server:
    """gunicorn with its worker, in a process group of their own. `settings` are variables of the configuration."""

    def __init__(self, folder: Path, database_url: str, **settings: str) -> None:
        self.port = free_port()
        self.log = folder / "server.log"
        # An empty variable counts as unset, so nothing of the developer's own .env comes through.
        unset = {field.name.upper(): "" for field in dataclasses.fields(Config)}
        chosen = {
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "DATABASE_URL": database_url,
            "INSTANCE_PATH": str(folder / "instance"),
            "MARKET_SOURCE": "replay",
            "REPLAY_SPEED": "600",
            "ORDER_RATE_LIMIT": "0",
            "OPEN_ORDER_LIMIT": "0",
            "SECRET_KEY": "only-for-tests-0123456789",
            "DEFAULT_ADMIN_PASSWORD": "Only-for-tests-1",
        }
        self.environment = {**os.environ, **unset, **chosen, **settings}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The number of the process that `start` started."""
        assert self._process
        return self._process.pid

    def start(self) -> float:
        """Start it, wait until it is healthy, and return how many seconds that took."""
        began = time.monotonic()
        with self.log.open("ab") as log:
            self._process = spawn(
                GUNICORN, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        until(f"the server is healthy; its log is {self.log}", self._healthy_or_ended, STARTS_WITHIN)
        return time.monotonic() - began

    def kill(self) -> None:
        """kill -9 of gunicorn and its worker at once."""
        os.killpg(self.pid, signal.SIGKILL)
        self._wait()

    def kill_worker(self) -> None:
        """kill -9 of the worker alone; gunicorn starts another one."""
        dead = self.worker()
        os.kill(dead, signal.SIGKILL)
        until("another worker serves", lambda: self.worker(dead) and self.healthy(), STARTS_WITHIN)

    def worker(self, other_than: int = 0) -> int:
        """The number of the process that serves; 0 while there is none."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii").split()
        return next((int(child) for child in children if int(child) != other_than), 0)

    def stop(self) -> None:
        """End it as a supervisor does, or by force when it takes too long. Does nothing when it does not run."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()

    def flask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a flask command on the same venue."""
        command = [sys.executable, "-m", "flask", *words]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )

    def healthy(self) -> bool:
        """Whether /healthz says so."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def _healthy_or_ended(self) -> bool:
        assert self._process
        ended = self._process.poll()
        assert ended is None, f"the server ended with {ended}:\n{self.log.read_text(errors='replace')[-4000:]}"
        return self.healthy()

    def _wait(self) -> None:
        assert self._process
        self._process.wait(ENDS_WITHIN)
