"""`make bench`: what the venue reaches beside what the machine allows, measured in the same run.

Each module here that has a tuple `MEASURES` (bench/measures.py) takes part; the runner is bench/__main__.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The tests' databases and their market by hand serve here too.
sys.path.insert(0, str(ROOT / "test"))
