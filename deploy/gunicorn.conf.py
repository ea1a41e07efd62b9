"""How gunicorn serves the venue: `gunicorn -c deploy/gunicorn.conf.py "app:create_app()"`, which is what `make run` does.

One process with 64 threads. Address and port come from the same configuration as everything else.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from config import Config, ConfigError  # noqa: E402

if TYPE_CHECKING:
    from gunicorn.workers.base import Worker

try:
    config = Config.from_environment()
except ConfigError as error:
    sys.exit(f"The server cannot start: {error}")

chdir = str(ROOT)
bind = f"[{config.host}]:{config.port}" if ":" in config.host else f"{config.host}:{config.port}"
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


def post_worker_init(worker: Worker) -> None:
    """The application is loaded: start what runs beside the requests, and say where the venue is."""
    from tasks.startup import start_background

    start_background(worker.wsgi)
    scheme_and_host = f"http://[{config.host}]" if ":" in config.host else f"http://{config.host}"
    lines = (
        f"The venue is open at {scheme_and_host}:{config.port}",
        f"Admins log in at {scheme_and_host}:{config.port}/auth/admin-login as {config.default_admin_username}"
        " (README.md tells the first password). Ctrl-C ends it.",
    )
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
