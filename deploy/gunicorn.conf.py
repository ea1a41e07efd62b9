"""How gunicorn serves the venue. `make run` does: gunicorn --config deploy/gunicorn.conf.py "app:create_app()"

One process with 64 threads. Address and port come from the same configuration as everything else. The migrations run
first, in the process that then forks the worker: a `flask db upgrade` before it would import everything twice.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gunicorn.arbiter import Arbiter  # noqa: E402

from config import Config, ConfigError  # noqa: E402

if TYPE_CHECKING:
    from gunicorn.workers.base import Worker

try:
    settings = Config.from_environment()
except ConfigError as error:
    sys.exit(f"The server cannot start: {error}")

chdir = str(ROOT)
bind = f"[{settings.host}]:{settings.port}" if ":" in settings.host else f"{settings.host}:{settings.port}"
preload_app = True
worker_class = "gthread"
workers = 1  # not WEB_CONCURRENCY: one process holds the order book and the hub of the streams, see deploy/README.md
threads = 64
timeout = 60
graceful_timeout = 8  # SIGTERM ends everything within 10 seconds, open requests or not
keepalive = 5
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - heartbeats, never on a slow disk
accesslog = None  # logs/app.log tells what happened, with request ids
errorlog = "-"
loglevel = "warning"
proc_name = "stock-trading-venue"


def on_starting(server: Arbiter) -> None:
    """Bring the database to the newest migration, unless the order processor, which then does so, runs elsewhere."""
    from flask_migrate import upgrade
    from sqlalchemy.exc import DBAPIError

    from models import db

    if not settings.run_order_processor:
        return
    with server.app.wsgi().app_context():
        try:
            upgrade()
        except DBAPIError as error:
            sys.exit(f"The server cannot start: the database cannot be used ({error.orig}).")
        finally:
            db.engine.dispose()  # no connection may be shared with the worker that is forked from here


def post_worker_init(worker: Worker) -> None:
    """The application is loaded: start what runs beside the requests, which also says where the venue is."""
    from click import ClickException

    from tasks.startup import start_background
    from utils.collector import relax_collector

    relax_collector()
    try:
        start_background(worker.wsgi, address=f"http://{bind}", serving=lambda: worker.alive)
    except ClickException as error:
        error.show()
        sys.exit(Arbiter.APP_LOAD_ERROR)  # a worker that exits with this is not started again and again


def worker_exit(_server: Arbiter, worker: Worker) -> None:
    """End what `post_worker_init` started, while the interpreter still lives."""
    from tasks.startup import stop_background

    if getattr(worker, "wsgi", None) is not None:
        stop_background(worker.wsgi)
