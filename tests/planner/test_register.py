"""Every constraint is one named thing; by each, a change costs what it costs after less what it cost before."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordinator.planner import Problem, score
from coordinator.planner.constraints import SOFT, constraints_of
from coordinator.planner.hard import HARD
from coordinator.planner.ledger import write_out
from coordinator.planner.plan import Assignment, Plan, Rest
from coordinator.planner.problem import DayPatterns, Linked, LinkKind, Regularity, Touch, Window
from tests.planner.builders import DAY, random_problem, random_seventh_days
from tests.planner.checker import day_faults, faults_of


def wide_problem(seed: int) -> Problem:
    """A random week that says everything a problem can say, whoever may plan it."""
    problem = random_problem(seed)
    rng = random.Random(seed)
    count = len(problem.visits)

    def some() -> tuple[int, ...]:
        return tuple(rng.sample(range(count), k=min(count, 4)))

    visits = [
        replace(
            visit,
            preferred={
                day: (*windows, Window(windows[-1].latest_start + 40, windows[-1].latest_start + rng.randint(20, 90)))
                if windows[-1].latest_start + 40 > windows[-1].earliest_start
                else windows
                for day, windows in visit.preferred.items()
            },
            current=None if visit.current is None else replace(visit.current, told=rng.random() < 0.5),
        )
        for visit in problem.visits
    ]
    slots = []
    for slot in problem.slots:
        lot = rng.random()
        if lot < 0.3:
            whole = tuple(replace(b, splits_drive=False, owed_after_minutes=-1) for b in slot.breaks)
            slot = replace(slot, breaks=whole, unavailable=())  # noqa: PLW2901
        if rng.random() < 0.3:
            slot = replace(slot, overtime_after_minutes=None, overtime_from=slot.shift_start + 100)  # noqa: PLW2901
        slots.append(
            replace(
                slot,
                leaves_at_shift_start=rng.random() < 0.3,
                counts_idle=rng.random() < 0.8,
                doubletime_after_minutes=rng.choice((None, 120)),
            )
        )
    pairs = {frozenset((link.first, link.second)) for link in problem.links}
    extra = [
        Linked(*sorted(two), LinkKind.BOTH) for two in [some()[:2]] if len(two) == 2 and frozenset(two) not in pairs
    ]
    return replace(
        problem,
        visits=tuple(visits),
        slots=tuple(slots),
        links=(*problem.links, *extra),
        regularities=(Regularity(some(), rng.choice((0, 45)), 3, (600,) if rng.random() < 0.5 else ()),),
        patterns=tuple(
            DayPatterns(visits, tuple(tuple(rng.randrange(len(problem.days)) for _ in visits) for _ in range(2)))
            for visits in [some()]
        ),
        seventh_days=random_seventh_days(rng, problem.days, len(problem.clinicians)),
        touch=Touch(
            patient_cost=300,
            told_patient_cost=700,
            clinician_cost=110,
            max_patients=rng.choice((None, 0, 1)),
            exempt_patients=("p0",),
        ),
        weights=replace(
            problem.weights,
            worst_late_minute=13,
            longest_wait_minute=17,
            longest_idle_minute=19,
            balance_minute=23,
            doubletime_minute=29,
            idle_gap_minute=31,
            idle_gap_after_minutes=20,
        ),
    )


def place(problem: Problem, visit: int, rng: random.Random) -> Assignment:
    """Anywhere, allowed or not; mostly where it is now, or on a day with a slot."""
    now = problem.visits[visit].current
    if now is not None and rng.random() < 0.4:
        return Assignment(visit, now.clinician, now.day, now.start_minute + rng.choice((0, 0, 10, 40)))
    if problem.slots and rng.random() < 0.9:
        slot = rng.choice(problem.slots)
        return Assignment(visit, slot.clinician, slot.day, rng.randint(slot.shift_start, slot.shift_end))
    day = rng.randrange(len(problem.days))
    return Assignment(visit, rng.randrange(len(problem.clinicians)), day, day * DAY + rng.randint(400, 1200))


def rests(problem: Problem, rng: random.Random) -> list[Rest]:
    """Some of the breaks, some of them at a wrong time."""
    return [
        Rest(slot.clinician, slot.day, number, rng.randint(owed.earliest_start, owed.latest_start + 20))
        for slot in problem.slots
        for number, owed in enumerate(slot.breaks)
        if rng.random() < 0.6
    ]


def test_no_two_constraints_have_one_name_and_all_have_a_sentence():
    assert len({constraint.name for constraint in SOFT}) == len(SOFT)
    assert len({rule.name for rule in HARD}) == len(HARD)
    assert all("{count}" in constraint.sentence for constraint in SOFT)
    assert all(rule.sentence.endswith(".") for rule in HARD)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1_000_000))
def test_a_change_costs_by_every_constraint_what_it_costs_after_less_what_it_cost_before(seed: int):
    problem = wide_problem(seed)
    rng = random.Random(seed)
    if not problem.visits:
        return
    plan = Plan.of(
        [place(problem, v, rng) for v in range(len(problem.visits)) if rng.random() < 0.7], rests(problem, rng)
    )
    ledger = write_out(problem, plan)
    for _ in range(4):
        visit = rng.randrange(len(problem.visits))
        to = None if rng.random() < 0.25 else place(problem, visit, rng)
        after, scope = ledger.moved(visit, to)
        kept = [a for a in plan.assignments if a.visit != visit]
        plan_after = Plan.of(kept if to is None else [*kept, to], list(plan.rests))
        fresh = write_out(problem, plan_after)
        assert after.sheets == fresh.sheets
        total = 0
        for constraint in constraints_of(problem):
            delta = constraint.delta(ledger, after, scope)
            assert delta == constraint.full(fresh).cost - constraint.full(ledger).cost, constraint.name
            total += delta
        for rule in HARD:
            more = len(rule.full(fresh)) - len(rule.full(ledger))
            assert rule.delta(ledger, after, scope) == more, rule.name
        was, now = score(problem, plan), score(problem, plan_after)
        assert total == now.cost - was.cost
        assert len(now.hard) == sum(len(rule.full(fresh)) for rule in HARD)
        ledger, plan = after, plan_after


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1_000_000))
def test_score_and_checker_agree_on_what_is_broken(seed: int):
    problem = wide_problem(seed)
    rng = random.Random(seed)
    if not problem.visits:
        return
    # Few visits on a day, so that some plans are allowed.
    made = [place(problem, v, rng) for v in range(len(problem.visits)) if rng.random() < 0.3]
    plan = Plan.of(made, rests(problem, rng))
    result = score(problem, plan)
    assert bool(faults_of(problem, plan)) == bool(result.hard)
    ledger = write_out(problem, plan)
    for a in made:
        sheet = ledger.sheets.get((a.clinician, a.day))
        faults, worked = day_faults(problem, plan, a.clinician, a.day)
        if sheet is not None:
            assert bool(sheet.broken) == bool(faults), (sheet, faults)
            assert faults or sheet.worked == worked


def test_breaks_of_a_day_can_change_with_the_visit():
    seed = next(
        s for s in range(100) if any(slot.breaks for slot in random_problem(s).slots) and random_problem(s).visits
    )
    problem = random_problem(seed)
    slot = next(slot for slot in problem.slots if slot.breaks)
    shift = (slot.clinician, slot.day)
    rest = Rest(*shift, 0, slot.breaks[0].earliest_start)
    to = Assignment(0, *shift, slot.shift_start + 60)
    after, _ = write_out(problem, Plan()).moved(0, to, {shift: [rest]})
    assert after.sheets == write_out(problem, Plan.of([to], [rest])).sheets
