"""Weeks of palliative home care as Cappanera and Scutella publish them, planned.

python -m benchmarks.palliative FILE... --seconds 10 --seeds 3 --out DIR [--json]
"""

from __future__ import annotations

import sys

from benchmarks.formats.palliative import load
from benchmarks.published import main

if __name__ == "__main__":
    sys.exit(main("Plan weeks of palliative home care and print how good the plans are.", load))
