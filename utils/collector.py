"""Less work for Python's garbage collector in a process that serves for long."""

from __future__ import annotations

import gc

# A batch of orders makes some ten thousand objects, nearly none of them in cycles; Python's own 700 would look a dozen
# times in vain.
_NEW_OBJECTS_BEFORE_A_LOOK = 20_000


def relax_collector() -> None:
    """Say that everything loaded so far stays for good, and look for cycles among newer objects less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS_BEFORE_A_LOOK, 10, 10)
