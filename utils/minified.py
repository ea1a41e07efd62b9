"""Where the small copies of our scripts lie: `flask assets` writes them, the server sends them.

A copy is named by the hash of the script it was made from. So a copy that is out of date is never found, and the script
itself is sent instead; nothing has to be built to run a change.
"""

from __future__ import annotations

import hashlib

FOLDER = "built"  # in static/


def copy_of(script: bytes) -> str:
    """The path in static/ of the small copy of a script with this content."""
    return f"{FOLDER}/{hashlib.sha256(script).hexdigest()[:16]}.js"
