"""The planner: a problem in, a plan out, with a score that can be read and reasons that are true. Pure.

It knows no law, no database and no clock. The doors are the functions named here; the words are in `problem.py`
(what is
given) and `plan.py` (what comes back).
"""

from coordinator.planner.constraints import score
from coordinator.planner.diff import diff
from coordinator.planner.explain import explain
from coordinator.planner.plan import Outcome, Plan, Progress, Score, Stop
from coordinator.planner.problem import Problem, ProblemError
from coordinator.planner.relax import Relaxation, Relaxations, relax
from coordinator.planner.search import solve
from coordinator.planner.suggest import Suggestion, suggest
from coordinator.planner.validate import validate
from coordinator.planner.warm import warm_up

__all__ = [
    "Outcome",
    "Plan",
    "Problem",
    "ProblemError",
    "Progress",
    "Relaxation",
    "Relaxations",
    "Score",
    "Stop",
    "Suggestion",
    "diff",
    "explain",
    "relax",
    "score",
    "solve",
    "suggest",
    "validate",
    "warm_up",
]
