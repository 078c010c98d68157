"""Unified home healthcare instances of Ceschia et al. (2026), planned and written as solutions.

    python -m benchmarks.uhhc FILE... --seconds 60 --seeds 3 --out DIR [--json]

The best known cost is that of a solution named `sol-INSTANCE-NUMBER.json`, beside the instance or in `../solutions`.
"""

from __future__ import annotations

import sys

from benchmarks.formats.uhhc import load
from benchmarks.published import main

if __name__ == "__main__":
    sys.exit(main("Plan UHHC instances and print how good the plans are.", load))
