"""Static files under an address that carries a hash of the whole tree: browsers may keep them for good.

The hash stands in the path, not in the query, so that relative imports between ES modules and relative
addresses in style sheets carry it too. Our scripts go out minified where `flask assets` has made a copy of just this
content, and as they are written while the server runs for debugging.
"""

from __future__ import annotations

import gzip
import hashlib
import time
from pathlib import Path
from threading import Lock

from flask import Flask, Response, current_app, request, send_from_directory

from utils.minified import copy_of

IMMUTABLE = "public, max-age=31536000, immutable"
RECHECK_SECONDS = 0.5
WORTH_COMPRESSING = (".css", ".js", ".mjs", ".svg")


class StaticTree:
    """The folder of static files and a hash of its contents, taken once, or anew at changes if watched."""

    def __init__(self, folder: Path, *, watch: bool) -> None:
        self._folder = folder
        self._watch = watch
        self._lock = Lock()
        self._version: str | None = None
        self._seen: list[tuple[str, int, int]] = []
        self._checked_at = 0.0
        self._compressed: dict[tuple[str, str], bytes] = {}
        self._copies: dict[str, str] = {}

    @property
    def version(self) -> str:
        """The hash, 12 hexadecimal digits."""
        with self._lock:
            if self._version is None or (self._watch and self._changed()):
                self._version = self._hash()
            return self._version

    def to_send(self, path: str) -> str:
        """The path of what is sent for a file: of its small copy where there is one."""
        return path if self._watch else self._copies.get(path, path)

    def compressed(self, path: str, content: bytes) -> bytes:
        """The file's content by gzip, worked out once a version."""
        key = (self.version, path)
        if key not in self._compressed:
            self._compressed[key] = gzip.compress(content, mtime=0)
        return self._compressed[key]

    def _changed(self) -> bool:
        """Whether a file changed since last asked. Looks at most twice a second: a page names many files."""
        now = time.monotonic()
        if now - self._checked_at < RECHECK_SECONDS:
            return False
        self._checked_at = now
        before, self._seen = (
            self._seen,
            [(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in self._files()],
        )
        return before != self._seen

    def _hash(self) -> str:
        digest = hashlib.sha256()
        contents = {path.relative_to(self._folder).as_posix(): path.read_bytes() for path in self._files()}
        for path, content in contents.items():
            digest.update(path.encode())
            digest.update(hashlib.sha256(content).digest())
        copies = {path: copy_of(content) for path, content in contents.items() if path.endswith(".js")}
        self._copies = {path: copy for path, copy in copies.items() if copy in contents}
        return digest.hexdigest()[:12]

    def _files(self) -> list[Path]:
        return sorted(path for path in self._folder.rglob("*") if path.is_file())


def init_assets(app: Flask) -> None:
    """Give the templates `asset(path)` and serve what it names. Files are read when a page first asks."""
    folder = Path(app.static_folder or "static")
    app.extensions["static_tree"] = StaticTree(folder, watch=app.debug)
    app.jinja_env.globals["asset"] = asset
    app.add_url_rule("/static/v/<version>/<path:path>", "versioned_static", serve)
    if not (folder / "vendor").is_dir():
        app.logger.warning("The browser files are missing: run `flask assets`.")


def asset(path: str) -> str:
    """The address of a file of static/, such as "css/base.css"."""
    return f"/static/v/{_tree().version}/{path}"


def serve(version: str, path: str) -> Response:
    """A file of static/. Only the current version may be kept: an old page may ask for an older one."""
    current = version == _tree().version
    response = send_from_directory(current_app.static_folder or "static", _tree().to_send(path))
    response.headers["Cache-Control"] = IMMUTABLE if current else "no-store"
    if current and response.status_code == 200 and path.endswith(WORTH_COMPRESSING):
        _compress(response, path)
    return response


def _compress(response: Response, path: str) -> None:
    """Send less to browsers that understand gzip: the style sheets shrink to a seventh."""
    response.vary.add("Accept-Encoding")
    if request.accept_encodings["gzip"] <= 0 or request.method != "GET":
        return
    response.direct_passthrough = False
    response.set_data(_tree().compressed(path, response.get_data()))
    response.headers["Content-Encoding"] = "gzip"


def _tree() -> StaticTree:
    tree: StaticTree = current_app.extensions["static_tree"]
    return tree
