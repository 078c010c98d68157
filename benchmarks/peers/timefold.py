"""Timefold through its Python package: one entity with a list of visits for each (clinician, day).

As in its vehicle routing quickstart: a list variable that may leave visits unassigned, the start of each visit as a
cascading shadow variable, constraint streams (`timefold_model.py`), the solver's own default phases. Several threads
and nearby selection belong to its commercial edition, so two processes, each with a Java machine and a seed of its own,
run side by side, and the better plan counts.

Starting Java and translating the model takes ten seconds and is done once, before the clock runs (`warm_up`).
"""

from __future__ import annotations

import time
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.pool import Pool

import timefold.solver  # noqa: F401 - its absence should be noticed here, not in a worker

from benchmarks.peers.common import flatten, plan_of
from coordinator.planner import score
from coordinator.planner.plan import Plan
from coordinator.planner.problem import Problem

_workers: list[Pool] = []
"""One process each: Java cannot be forked, and each process has one."""


def warm_up() -> None:
    """Start both workers and let them translate the model."""
    if not _workers:
        _workers.extend(get_context("spawn").Pool(1) for _ in range(2))
        for ready in [worker.apply_async(import_module, ("benchmarks.peers.timefold_worker",)) for worker in _workers]:
            ready.wait()


def solve(problem: Problem, seconds: float, seed: int) -> Plan:
    """The better of two plans that Timefold finds in so many seconds, building the model included."""
    warm_up()
    began = time.monotonic()
    week = flatten(problem)
    answers = [
        worker.apply_async(_solve_there, (problem, seconds - (time.monotonic() - began), 2 * seed + number))
        for number, worker in enumerate(_workers)
    ]
    plans = [plan_of(week, answer.get()) for answer in answers]
    return min(plans, key=lambda plan: score(problem, plan).key)


def _solve_there(problem: Problem, seconds: float, seed: int) -> list[list[int]]:
    """In a worker: the routes by slot."""
    routes: list[list[int]] = import_module("benchmarks.peers.timefold_worker").solve(problem, seconds, seed)
    return routes
