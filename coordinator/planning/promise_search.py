"""What a promise asks the planner: the earliest start of care among what stands, and what fits in the weeks after it.

Pure: problems in, plain answers out; done in a process apart.
"""

import time
from dataclasses import dataclass, replace

from coordinator.planner import Stop, explain, solve
from coordinator.planner.plan import Assignment, Obstacle, Plan
from coordinator.planner.problem import Problem, Reason, Visit, Window

#: An earlier day is worth any drive, and a minute earlier on the same day some seconds of driving, in cents.
DAY_COST, MINUTE_COST = 40_000, 20
MUST = 10_000_000
#: What a visit of the referral may cost before it is rather left out: less than anybody else's is worth.
GUEST_COST = 25_000
#: Rounds of the search for one slot: the visit is put in its cheapest place before the first.
ROUNDS = 3
_TAKEN = Reason.of("offered-already", sentence="Offered already.", cure="")


@dataclass(frozen=True, slots=True)
class Earliest:
    """Slots for the first visit, earliest first, one for each clinician and day; or what stops it everywhere."""

    offers: tuple[Assignment, ...]
    obstacles: tuple[Obstacle, ...]


@dataclass(frozen=True, slots=True)
class Fitted:
    """Where the weeks' visits could go, and what stops those that cannot."""

    plan: Plan
    obstacles: dict[int, tuple[Obstacle, ...]]
    #: Visits of others that find no place, without the referral and with it.
    others_before: int
    others_after: int
    seconds: float


def earliest(problem: Problem, number: int, many: int) -> Earliest:
    """Up to `many` slots for the visit of that number; everything else in the problem is locked."""
    wanted = _eager(problem.visits[number])
    start = _standing(problem)
    offers: list[Assignment] = []
    obstacles: tuple[Obstacle, ...] = ()
    while len(offers) < many:
        trial = _with(problem, number, wanted)
        outcome = solve(trial, Stop(iterations=ROUNDS), start=start)
        at = outcome.plan.by_visit().get(number)
        if at is None:
            if not offers:
                obstacles = explain(trial, outcome.plan, [number]).visits[0].obstacles
            break
        offers.append(at)
        wanted = replace(wanted, forbidden_days=dict(wanted.forbidden_days) | {(at.clinician, at.day): _TAKEN})
    return Earliest(tuple(offers), obstacles)


def _eager(visit: Visit) -> Visit:
    """The visit, wanted at its earliest: by day first, then by the minute."""
    return replace(
        visit,
        unplaced_cost=MUST,
        day_costs={day: DAY_COST * day for day in visit.windows},
        preferred={
            day: (Window(first.earliest_start, first.earliest_start),) for day, (first, *_) in visit.windows.items()
        },
        late_cost=MINUTE_COST,
    )


def fit(problem: Problem, guests: tuple[int, ...], seconds: float, iterations: int | None) -> Fitted:
    """The others first, without the guests; then the guests among them, who push nobody out.

    `seconds` are shared between the two; with `iterations` each search makes so many rounds, whatever the time.
    """
    began = time.monotonic()
    cheap = problem
    for number in guests:
        cheap = _with(cheap, number, replace(problem.visits[number], unplaced_cost=GUEST_COST))
    away = problem
    for number in guests:
        away = _with(away, number, replace(problem.visits[number], windows={}, preferred={}, day_costs={}))
    # The others are put where they fit at once; most of the time is for all of them together.
    first = Stop(seconds=0.25 * seconds) if iterations is None else Stop(iterations=iterations)
    then = Stop(seconds=0.75 * seconds) if iterations is None else first
    before = solve(away, first, start=_standing(problem))
    after = solve(cheap, then, start=before.plan)
    placed = after.plan.by_visit()
    left = [number for number in guests if number not in placed]
    explained = explain(cheap, after.plan, left).visits if left else ()
    others = len(problem.visits) - len(guests)
    inside = set(guests)
    return Fitted(
        plan=after.plan,
        obstacles={entry.visit: entry.obstacles for entry in explained},
        others_before=others - len(before.plan.assignments),
        others_after=others - sum(1 for number in placed if number not in inside),
        seconds=time.monotonic() - began,
    )


def _standing(problem: Problem) -> Plan:
    """What stands, where it stands."""
    return Plan.of(
        [
            Assignment(number, visit.current.clinician, visit.current.day, visit.current.start_minute)
            for number, visit in enumerate(problem.visits)
            if visit.current is not None
        ]
    )


def _with(problem: Problem, number: int, visit: Visit) -> Problem:
    visits = (*problem.visits[:number], visit, *problem.visits[number + 1 :])
    return replace(problem, visits=visits)
