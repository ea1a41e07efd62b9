"""The key that signs cookies, where the environment gives none: made once and kept in the instance folder."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

FILE_NAME = "secret_key"


def read_or_make_secret_key(folder: Path) -> str:
    """Read the key kept in `folder`, or make one there that only its owner may read. Safe against a twin's start:
    whoever comes second gets the first one's key.
    """
    path = folder / FILE_NAME
    if not path.exists():
        _make(path)
    key = path.read_text(encoding="ascii").strip()
    if len(key) < 32:
        raise RuntimeError(f"{path} does not hold a secret key: delete it, and a new one is made at the next start")
    return key


def _make(path: Path) -> None:
    """Write the whole key beside its place first, then link it there: a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
        os.link(draft, path)
    except FileExistsError:
        pass  # A twin was quicker: its key holds.
    finally:
        draft.unlink()
