"""One number for a problem and a plan: equal if and only if (for all practical purposes) both are equal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass

import numpy as np

from coordinator.planner.plan import Plan
from coordinator.planner.problem import Problem


def _canonical(value: object) -> object:
    """The value as lists, strings and numbers, mappings in order of their keys."""
    if isinstance(value, np.ndarray):
        data = np.ascontiguousarray(value, dtype=np.int64)
        return [list(data.shape), hashlib.sha256(data.tobytes()).hexdigest()]
    if is_dataclass(value) and not isinstance(value, type):
        return [_canonical(getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, Mapping):
        return sorted(([_canonical(key), _canonical(item)] for key, item in value.items()), key=repr)
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple | list):
        return [_canonical(item) for item in value]
    if isinstance(value, np.integer):
        return int(value)
    return value


def fingerprint(problem: Problem, plan: Plan) -> str:
    """SHA-256 in hexadecimal of the canonical form of both."""
    text = json.dumps([_canonical(problem), _canonical(plan)], separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
