"""Load the kernels before anybody waits for them."""

from __future__ import annotations

from functools import cache

import numpy as np

from coordinator.planner import operations
from coordinator.planner.engines import Engine
from coordinator.planner.explain import explain
from coordinator.planner.plan import Stop
from coordinator.planner.problem import (
    Break,
    Clinician,
    Current,
    Day,
    Linked,
    Problem,
    Slot,
    Touch,
    Visit,
    Window,
)
from coordinator.planner.search import search_in_parts, solve
from coordinator.planner.suggest import suggest


@cache
def warm_up(engine: Engine = Engine.CALENDAR) -> None:
    """Compile one engine's kernel or load it from the cache, by asking the doors that use it on a tiny problem.

    About a minute and a half cold, under a second warm. What is asked of Python goes by other compiled copies than what
    the search asks of itself, so a plan alone would leave the first question about a visit waiting for the compiler,
    and a plan of a small problem the first large week, which is searched in parts.
    """
    if engine is Engine.OPERATIONS:
        operations.warm_up()
        return
    problem = _tiny()
    first = solve(problem, Stop(iterations=3))
    solve(problem, Stop(iterations=1), start=first.plan)
    search_in_parts(problem, 4)
    explain(problem, first.plan)
    for visit in range(len(problem.visits)):
        suggest(problem, first.plan, visit)


def _tiny() -> Problem:
    """Two clinicians, a pair, a break, a published visit, one that has no place and one too many: something for
    everything that is compiled apart.
    """
    open_all_day = {0: (Window(480, 900),)}
    return Problem(
        name="warm-up",
        days=(Day(0, 1440),),
        travel_seconds=np.array([[0, 600], [600, 0]], dtype=np.int32),
        clinicians=(Clinician("one"), Clinician("another")),
        slots=(
            Slot(0, 0, 0, 0, 480, 1020, max_visits=2, breaks=(Break(690, 780, 30, skip_cost=100),)),
            Slot(1, 0, 0, 0, 480, 1020, max_visits=1),
        ),
        visits=(
            Visit("a", "a", 1, 30, open_all_day, current=Current(0, 0, 600)),
            Visit("b", "b", 1, 30, open_all_day),
            Visit("c", "b", 1, 30, open_all_day),
            Visit("long", "c", 1, 600, open_all_day),
            Visit("one too many", "d", 1, 30, open_all_day, unplaced_cost=50_000),
        ),
        links=(Linked(1, 2),),
        touch=Touch(patient_cost=1),
    )
