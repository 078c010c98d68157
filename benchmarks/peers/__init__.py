"""Other solvers on the same week, each modelled as its own documentation advises (see README.md beside this folder).

Each module has `VERSION` and `solve(problem, seconds, seed) -> Plan`. They are extras: `requirements-bench.txt`.
"""

from __future__ import annotations

from importlib import import_module, metadata
from types import ModuleType

PEERS = {"vroom": "pyvroom", "pyvrp": "pyvrp", "ortools": "ortools", "timefold": "timefold"}
"""The package of each peer, by the name it has on the command line."""


class PeerError(Exception):
    """A peer that cannot take part, and why, in one line."""


def peer(name: str) -> ModuleType:
    """The module of a peer. Raises PeerError if there is none of that name or its package is not installed."""
    if name not in PEERS:
        raise PeerError(f"{name}: no such peer; there are {', '.join(PEERS)}")
    try:
        return import_module(f"benchmarks.peers.{name}")
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("benchmarks"):
            raise
        raise PeerError(f"{name}: {missing.name} is not installed; pip install -r requirements-bench.txt") from None


def version(name: str) -> str:
    """The installed version of a peer's package."""
    return metadata.version(PEERS[name])
