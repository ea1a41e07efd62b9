"""Who acts at the command line, for the audit log."""

from __future__ import annotations

import getpass

from services.audit import Actor

LONGEST_NAME = 64


def command_line() -> Actor:
    """The account of the operating system under which the command runs."""
    return Actor(admin_id=None, name=f"command line ({getpass.getuser()})"[:LONGEST_NAME])
