"""Asked in a process of its own by `test_warm.py`: what of the kernels `warm_up` loads, and what only comes later.

Prints a JSON object: `left`, functions that Python calls and `warm_up` does not; `late`, functions that got another
compiled copy while plans were made, repaired and explained after it.
"""

from __future__ import annotations

import ast
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from numba.core.dispatcher import Dispatcher

from coordinator.planner import Stop, explain, kernel, relax, search, solve, suggest, warm_up
from coordinator.planner.disruption import Absence, strike
from coordinator.planner.engines import Engine, choose
from coordinator.planner.operations import kernel as days_kernel
from coordinator.planner.plan import Plan
from coordinator.planner.problem import Current, Problem
from coordinator.planner.repair import Budget, Workshop
from tests.planner.builders import random_problem
from tests.planner.test_operations_laws import random_day

ROOM = Path(search.__file__).parent
KERNELS: dict[str, ModuleType] = {"coordinator.planner": kernel, "coordinator.planner.operations": days_kernel}
#: What only tests and benchmarks ask of Python: nobody waits for them.
NOT_ASKED = {"coordinator.planner.operations.earliest", "coordinator.planner.operations.measure"}


def called() -> set[str]:
    """The kernel functions that modules of the planner call from Python, by the name of their package."""
    found = set()
    for path in ROOM.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        names = {
            alias.asname or alias.name: node.module
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module in KERNELS
            for alias in node.names
            if alias.name == "kernel"
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names:
                package = names[node.value.id]
                if isinstance(getattr(KERNELS[package], node.attr), Dispatcher):
                    found.add(f"{package}.{node.attr}")
    return found - NOT_ASKED


def copies() -> dict[str, int]:
    """How many compiled copies each kernel function has in this process."""
    return {
        f"{package}.{name}": len(function.signatures)
        for package, module in KERNELS.items()
        for name, function in vars(module).items()
        if isinstance(function, Dispatcher)
    }


def work() -> None:
    """A little of everything that the planner does."""
    search.PART_VISITS = 3  # large weeks, as it were
    for seed in range(25):
        problem = random_problem(seed)
        _all_doors(problem, solve(problem, Stop(iterations=20), seed=seed).plan)
    for seed in range(10):
        problem = random_day(seed)
        if choose(problem) is Engine.OPERATIONS:
            first = solve(problem, Stop(iterations=6), seed=seed)
            solve(problem, Stop(seconds=0.02), seed=seed, start=first.plan)


def _all_doors(problem: Problem, plan: Plan) -> None:
    solve(problem, Stop(seconds=0.01), start=plan)
    explain(problem, plan)
    placed = plan.by_visit()
    for visit in range(len(problem.visits)):
        suggest(problem, plan, visit)
    left = next((v for v in range(len(problem.visits)) if v not in placed), None)
    if left is not None and not problem.visits[left].locked:
        relax(problem, plan, left, stop=lambda: True)
    stands = tuple(
        replace(v, current=Current(at.clinician, at.day, at.start_minute), locked=False)
        if (at := placed.get(n)) is not None
        else replace(v, current=None, locked=False)
        for n, v in enumerate(problem.visits)
    )
    published = replace(problem, visits=stands)
    shop = Workshop(strike(published, plan, Absence(0, 0, 4 * 1440), now=0), scale=0.01)
    shop.first()
    shop.improve(Budget(1), 0.02)


def main() -> None:
    """Load, look, work, look again."""
    for engine in Engine:
        warm_up(engine)
    warm = copies()
    work()
    late = {name: number - warm[name] for name, number in copies().items() if number != warm[name]}
    sys.stdout.write(json.dumps({"left": sorted(name for name in called() if not warm[name]), "late": late}))


if __name__ == "__main__":
    main()
