"""Nobody waits for the compiler after a warm start, whatever they ask and whichever engine answers."""

import json
import subprocess
import sys

from coordinator.planner import warm_up
from coordinator.planner.engines import Engine


def test_nothing_is_compiled_after_a_warm_start():
    warm_up(Engine.OPERATIONS)  # compiled at most once: the other process finds it in the cache
    said = subprocess.run(
        [sys.executable, "-m", "tests.planner.loaded"], capture_output=True, text=True, check=True
    ).stdout
    assert json.loads(said) == {"left": [], "late": {}}
