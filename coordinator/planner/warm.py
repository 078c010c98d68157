"""Load the kernels before anybody waits for them."""

from __future__ import annotations

import numpy as np

from coordinator.planner import operations
from coordinator.planner.engines import Engine
from coordinator.planner.explain import explain
from coordinator.planner.plan import Stop
from coordinator.planner.problem import Break, Clinician, Day, Linked, Problem, Slot, Visit, Window
from coordinator.planner.search import solve
from coordinator.planner.suggest import suggest


def warm_up(engine: Engine = Engine.CALENDAR) -> None:
    """Compile one engine's kernel or load it from the cache, by asking the doors that use it on a tiny problem.

    About a minute and a half cold, under a second warm. What is asked of Python goes by other compiled copies than what
    the search asks of itself, so a plan alone would leave the first question about a visit waiting for the compiler.
    """
    if engine is Engine.OPERATIONS:
        operations.warm_up()
        return
    problem = _tiny()
    first = solve(problem, Stop(iterations=3))
    solve(problem, Stop(iterations=1), start=first.plan)
    explain(problem, first.plan)
    for visit in range(len(problem.visits)):
        suggest(problem, first.plan, visit)


def _tiny() -> Problem:
    """Two clinicians, a pair, a break, and a visit that has no place: one of everything that is compiled apart."""
    open_all_day = {0: (Window(480, 900),)}
    return Problem(
        name="warm-up",
        days=(Day(0, 1440),),
        travel_seconds=np.array([[0, 600], [600, 0]], dtype=np.int32),
        clinicians=(Clinician("one"), Clinician("another")),
        slots=(
            Slot(0, 0, 0, 0, 480, 1020, max_visits=2, breaks=(Break(690, 780, 30, skip_cost=100),)),
            Slot(1, 0, 0, 0, 480, 1020, max_visits=2),
        ),
        visits=(
            Visit("a", "a", 1, 30, open_all_day),
            Visit("b", "b", 1, 30, open_all_day),
            Visit("c", "b", 1, 30, open_all_day),
            Visit("long", "c", 1, 600, open_all_day),
            Visit("one too many", "d", 1, 30, open_all_day, unplaced_cost=50_000),
        ),
        links=(Linked(1, 2),),
    )
