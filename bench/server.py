"""The real server, as `make run` starts it, on a port and a folder of its own, and clients that cost little."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import insert
from sqlalchemy.orm import Session

from bench import ROOT
from bench.books import database_url, plant_traders, unit
from config import Config
from models import UserPreference, db, init_db
from services.accounts.verify import verify_books
from services.logins import Visit, store_login
from services.transaction import run_unit
from utils.datetime_utils import utc_now

START_SECONDS = 60
STOP_SECONDS = 15
SECRET_KEY = "only-for-benchmarks-0123456789"  # noqa: S105 - of a server that lives for a minute on loopback
PREFERENCE = "analysis_thresholds"


@dataclass(frozen=True, slots=True)
class Trader:
    """Somebody who is logged in: the headers that say so."""

    user_id: int
    cookie: str
    csrf_token: str


@dataclass(frozen=True, slots=True)
class Venue:
    """A running server with traders who are logged in. `app` only knows its tables."""

    port: int
    app: Flask
    traders: list[Trader]

    def client(self, trader: Trader) -> Client:
        return Client(self.port, trader)

    def require_clean(self) -> None:
        """Hold the books against every check of `flask ledger verify`."""
        report = verify_books(db.engine)
        assert report.ok, [(one.code, one.count, one.rows[:2]) for one in report.violations]


class Client:
    """One connection that is kept open, with no more of HTTP than our own server speaks."""

    def __init__(self, port: int, trader: Trader) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._common = (
            f"Host: 127.0.0.1:{port}\r\nCookie: {trader.cookie}\r\nX-CSRFToken: {trader.csrf_token}\r\n"
            "Accept: application/json\r\n"
        )
        self._rest = b""

    def get(self, path: str) -> dict[str, Any]:
        """Read and expect success."""
        return self._answer(f"GET {path} HTTP/1.1\r\n{self._common}\r\n".encode())

    def post(self, path: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Write and expect success."""
        body = json.dumps(fields)
        about = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return self._answer(f"POST {path} HTTP/1.1\r\n{self._common}{about}\r\n{body}".encode())

    def close(self) -> None:
        self._socket.close()

    def _answer(self, request: bytes) -> dict[str, Any]:
        self._socket.sendall(request)
        while b"\r\n\r\n" not in self._rest:
            self._receive()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        while len(self._rest) < length:
            self._receive()
        body, self._rest = self._rest[:length], self._rest[length:]
        answer: dict[str, Any] = json.loads(body)
        if not head.startswith(b"HTTP/1.1 200"):
            raise AssertionError(f"{head.partition(chr(13).encode())[0]!r}: {answer}")
        return answer

    def _receive(self) -> None:
        received = self._socket.recv(65536)
        if not received:
            raise ConnectionError("the server closed the connection")
        self._rest += received


@contextmanager
def running_venue(kind: str, traders: int, **variables: str) -> Iterator[Venue]:
    """Start the server on an empty database of this kind, with traders who have cash and are logged in."""
    with database_url(kind) as url, tempfile.TemporaryDirectory(prefix="venue_bench_") as folder:
        environment = {
            "HOST": "127.0.0.1",
            "PORT": str(_free_port()),
            "DATABASE_URL": url,
            "INSTANCE_PATH": folder,
            "LOG_DIR": folder,
            "SECRET_KEY": SECRET_KEY,
            "MARKET_SOURCE": "replay",
            "REPLAY_SPEED": "60",
            "ORDER_RATE_LIMIT": "0",
            "OPEN_ORDER_LIMIT": "0",
            **variables,
        }
        config = Config.from_environment(environment)
        app = _tables_only(config)
        with app.app_context():
            people = _plant(app, config, traders)
            process = _start(environment)
            try:
                _await_open_market(config.port, people[0], process)
                yield Venue(config.port, app, people)
            finally:
                _stop(process)
                db.session.remove()
                db.engine.dispose()


def rate(clients: int, venue: Venue, count: int, ask: Callable[[Client, int], object]) -> float:
    """Requests a second when so many clients, each a trader of its own, share `count` requests."""
    each = count // clients
    connections = [venue.client(trader) for trader in venue.traders[:clients]]
    troubles: list[BaseException] = []
    ready = threading.Barrier(clients + 1)

    def work(client: Client) -> None:
        try:
            ready.wait()
            for number in range(each):
                ask(client, number)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the measure must fail with it, not hang
            troubles.append(error)

    threads = [threading.Thread(target=work, args=(client,)) for client in connections]
    for thread in threads:
        thread.start()
    ready.wait()
    begin = time.perf_counter()
    for thread in threads:
        thread.join()
    passed = time.perf_counter() - begin
    for client in connections:
        client.close()
    if troubles:
        raise troubles[0]
    return each * clients / passed


def _tables_only(config: Config) -> Flask:
    app = Flask("bench", instance_path=str(config.instance_path))
    app.config.from_mapping(SQLALCHEMY_DATABASE_URI=config.database_url, SECRET_KEY=config.secret_key)
    init_db(app)
    return app


def _plant(app: Flask, config: Config, count: int) -> list[Trader]:
    """Traders with cash, a login and one remembered preference each."""
    unit(plant_traders, count)
    unit(_plant_preferences, count)
    tokens: list[str] = run_unit(_plant_logins, count)
    return [_logged_in(app, config, number, token) for number, token in enumerate(tokens, start=1)]


def _plant_preferences(session: Session, count: int) -> None:
    rows = [
        {"user_id": number, "name": PREFERENCE, "value": "{}", "updated_at": utc_now()}
        for number in range(1, count + 1)
    ]
    session.execute(insert(UserPreference), rows)


def _plant_logins(session: Session, count: int) -> list[str]:
    visit = Visit("127.0.0.1", "bench", utc_now())
    return [store_login(session, visit, user_id=number) for number in range(1, count + 1)]


def _logged_in(app: Flask, config: Config, user_id: int, token: str) -> Trader:
    """The cookie that the server would have set, and the token of its pages."""
    secret = secrets.token_hex(20)
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None
    value = signer.dumps({"_user_id": token, "_fresh": True, "_permanent": True, "csrf_token": secret})
    csrf_token = URLSafeTimedSerializer(SECRET_KEY, salt="wtf-csrf-token").dumps(secret)
    return Trader(user_id, f"venue_{config.port}={value}", csrf_token)


def _start(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "app:create_app()"]
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    log = (Path(environment["INSTANCE_PATH"]) / "server.log").open("wb")
    return subprocess.Popen(command, cwd=ROOT, env=kept | environment, stdout=log, stderr=subprocess.STDOUT)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _await_open_market(port: int, trader: Trader, process: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers and its market has prices in an open session."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        if _market_is_open(port, trader):
            return
        time.sleep(0.2)
    raise AssertionError("the server did not open its market in time")


def _market_is_open(port: int, trader: Trader) -> bool:
    try:
        client = Client(port, trader)
        answer = client.get("/user/api/quotes?tickers=AAPL")
    except (OSError, AssertionError):
        return False
    client.close()
    return answer["market"]["state"] == "open" and "AAPL" in answer["data"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
