"""Home health care routing and scheduling instances of Mankowska et al. (2014), planned and written as solutions.

    python -m benchmarks.hhcrsp FILE... --seconds 60 --seeds 3 --out DIR [--json]

The best known cost is read from `best-known.csv` (columns `instance`, `best_cost`) beside the instance, if it is there.
"""

from __future__ import annotations

import sys

from benchmarks.formats.hhcrsp import load
from benchmarks.published import main

if __name__ == "__main__":
    sys.exit(main("Plan HHCRSP instances and print how good the plans are.", load))
