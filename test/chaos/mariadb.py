"""A MariaDB server of the test's own, which may be killed. Never the one that the other tests use."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pymysql

from chaos.processes import spawn
from chaos.waiting import free_port, until
from databases import give_up

STARTS_WITHIN = 60
DATABASE = "venue_chaos"


class PrivateMariaDB:
    """Installed into a new folder under the system's temporary one, listening on loopback only, gone after `close`."""

    def __init__(self) -> None:
        self._server = _binary("mariadbd")
        installer = _binary("mariadb-install-db")
        self.port = free_port()
        # Not pytest's folder: as root the server runs as the user mysql, who may not look in there; and the path of a
        # socket must be short.
        self.folder = Path(tempfile.mkdtemp(prefix="venue-mariadb-"))
        self._as_user = _unprivileged_user(self.folder)
        self._process: subprocess.Popen[bytes] | None = None
        command = [installer, "--no-defaults", f"--datadir={self._data}"]
        subprocess.run(
            [*command, "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True,
            capture_output=True,
            **self._as_user,
        )

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return f"mysql+pymysql://root@127.0.0.1:{self.port}/{DATABASE}"

    def start(self) -> None:
        """Start it and wait until it answers. It recovers by itself what a kill left behind."""
        with (self.folder / "log").open("ab") as log:
            self._process = spawn(
                [
                    self._server,
                    "--no-defaults",
                    f"--datadir={self._data}",
                    f"--socket={self.folder}/s",
                    f"--port={self.port}",
                    "--bind-address=127.0.0.1",
                    "--innodb-buffer-pool-size=64M",
                ],
                stdout=log,
                stderr=log,
                **self._as_user,
            )
        until(f"MariaDB answers; its log is {self.folder}/log", self._answers, STARTS_WITHIN)

    def make_database(self) -> None:
        self._execute(f"CREATE DATABASE {DATABASE} CHARACTER SET latin1")

    def kill(self) -> None:
        """kill -9."""
        assert self._process
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(30)

    def close(self) -> None:
        """End it and remove its folder."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, (self.folder / "log").read_text(errors="replace")[-2000:]
        try:
            self._execute("SELECT 1")
        except pymysql.err.OperationalError:
            return False
        return True

    def _execute(self, statement: str) -> None:
        with pymysql.connect(host="127.0.0.1", port=self.port, user="root") as connection:
            connection.cursor().execute(statement)


def _binary(name: str) -> str:
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if path is None:
        give_up(f"{name} is not installed")
    assert path is not None
    return path


def _unprivileged_user(folder: Path) -> dict[str, Any]:
    """As root, who may not run the server: hand the folder to the user mysql, as whom it then runs."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("mysql")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": ()}
