"""Compile kernels before anybody waits for them: python -m coordinator.planner --warm calendar operations."""

from __future__ import annotations

import argparse

from coordinator.planner.engines import Engine
from coordinator.planner.warm import warm_up


def main(given: list[str] | None = None) -> None:
    """Load the kernels of the engines named; what the cache does not hold is compiled and kept there."""
    parser = argparse.ArgumentParser(prog="python -m coordinator.planner")
    parser.add_argument("--warm", nargs="+", required=True, type=Engine, choices=list(Engine), metavar="ENGINE")
    for engine in parser.parse_args(given).warm:
        warm_up(engine)


if __name__ == "__main__":
    main()
