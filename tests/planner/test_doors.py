"""The doors: what they promise, and what they refuse."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from coordinator.planner import Problem, ProblemError, Progress, Stop, score, solve, validate, warm_up
from coordinator.planner.plan import Assignment, Plan
from coordinator.planner.problem import (
    Break,
    Clinician,
    Current,
    DailyLimit,
    Day,
    DayPatterns,
    FacesLimit,
    GroupCap,
    Interval,
    Linked,
    Preference,
    Reason,
    Regularity,
    SeventhDay,
    Spacing,
    Touch,
    Weights,
    Window,
)
from coordinator.planner.reasons import reason, sentence
from tests.planner.builders import DAY, make_problem, make_slot, make_visit, random_problem


def test_a_stop_needs_a_limit():
    with pytest.raises(ValueError, match="seconds or iterations"):
        solve(make_problem([]), Stop())


def test_cancel_ends_the_search_with_a_usable_plan():
    asked = []

    def cancel() -> bool:
        asked.append(1)
        return len(asked) > 3

    outcome = solve(make_problem([make_visit()]), Stop(seconds=60, cancel=cancel))
    assert outcome.stopped_by == "cancel"
    assert outcome.score.measures.placed == 1


def test_seconds_are_kept():
    outcome = solve(random_problem(3), Stop(seconds=0.3))
    assert outcome.stopped_by == "seconds"


def test_iterations_are_counted_exactly():
    assert solve(random_problem(3), Stop(iterations=123)).iterations == 123


def test_the_listener_hears_a_complete_plan_at_once_and_never_a_worse_one():
    heard: list[Progress] = []
    problem = random_problem(3)
    outcome = solve(problem, Stop(iterations=300), listen=heard.append)
    assert heard[0].iteration == 0
    assert heard[0].plan is not None
    costs = [progress.cost for progress in heard]
    assert costs == sorted(costs, reverse=True)
    assert outcome.history[0][1] == 0
    assert outcome.score.cost <= costs[-1]


def test_a_start_that_breaks_a_rule_is_mended():
    problem = make_problem([make_visit("a"), make_visit("b", place=2)])
    wrong = Plan.of([Assignment(0, 0, 0, 600), Assignment(1, 0, 0, 605)])
    outcome = solve(problem, Stop(iterations=50), start=wrong)
    assert outcome.score.hard == ()
    assert outcome.score.measures.placed == 2


def test_another_process_finds_the_same_plan():
    program = (
        "from tests.planner.builders import random_problem\n"
        "from coordinator.planner import Stop, solve\n"
        "print(solve(random_problem(11), Stop(iterations=80), seed=5).fingerprint)"
    )
    again = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert again.stdout.strip() == solve(random_problem(11), Stop(iterations=80), seed=5).fingerprint


def test_warming_up_is_harmless_twice():
    warm_up()
    warm_up()


def test_parts_are_found_by_name():
    result = score(make_problem([make_visit()]), Plan())
    assert result.part("unplaced").cost == 100_000
    with pytest.raises(KeyError):
        result.part("weather")


def test_only_the_planners_own_reasons_have_a_sentence():
    with pytest.raises(KeyError):
        reason("weather")
    assert sentence(Reason.of("skill", needs="wound care")) == "skill"


BAD: list[tuple[str, dict[str, Any]]] = [
    ("travel_seconds", {"travel_seconds": np.zeros((4, 3), dtype=np.int32)}),
    ("travel_seconds", {"travel_seconds": np.full((4, 4), np.nan)}),
    ("travel_seconds", {"travel_seconds": np.full((4, 4), -1, dtype=np.int32)}),
    ("travel_metres", {"travel_metres": np.zeros((3, 3), dtype=np.int32)}),
    ("days[0]", {"days": (Day(10, 10),)}),
    ("days[1]", {"days": (Day(0, 10), Day(9, 20))}),
    ("weights.travel_minute", {"weights": Weights(travel_minute=-1)}),
    ("clinicians[0].week_max_minutes", {"clinicians": (Clinician("a", week_max_minutes=-1),)}),
    ("slots[0].clinician", {"slots": (make_slot(1),)}),
    ("slots[0].shift", {"slots": (make_slot(shift_end=480),)}),
    ("slots[0].breaks[0]", {"slots": (make_slot(breaks=(Break(9, 8, 10),)),)}),
    ("slots[0].unavailable[1]", {"slots": (make_slot(unavailable=(Interval(1, 5), Interval(4, 6))),)}),
    ("slots[1]", {"slots": (make_slot(), make_slot())}),
    ("visits[0].place", {"visits": (make_visit(place=4),)}),
    ("visits[0].minutes", {"visits": (make_visit(minutes=0),)}),
    ("visits[0].minutes", {"visits": (make_visit(minutes=30.5),)}),
    ("visits[0].windows[0]", {"visits": (make_visit(windows={0: (Window(9, 8),)}),)}),
    ("visits[0].windows[0]", {"visits": (make_visit(windows={0: (Window(9, 19), Window(19, 20))}),)}),
    ("visits[0].windows", {"visits": (make_visit(windows={1: (Window(9, 10),)}),)}),
    ("visits[0].unplaced_cost", {"visits": (make_visit(unplaced_cost=float("nan")),)}),
    ("visits[0].preferences[0].costs", {"visits": (make_visit(preferences=(Preference("x", {1: 0}),)),)}),
    ("visits[0].forbidden", {"visits": (make_visit(forbidden={7: Reason.of("x")}),)}),
    ("visits[0].locked", {"visits": (make_visit(locked=True),)}),
    ("visits[0].current.day", {"visits": (make_visit(current=Current(0, 3, 9)),)}),
    ("spacings[0].visits", {"spacings": (Spacing((0, 0)),)}),
    ("daily_limits[0].max_per_day", {"daily_limits": (DailyLimit((0,), -1),)}),
    ("faces_limits[0].held_faces", {"faces_limits": (FacesLimit((0,), 1, 1, ((3, 0),)),)}),
    ("group_caps[0].visits", {"group_caps": (GroupCap((5,)),)}),
    ("links[0].visits", {"links": (Linked(0, 0),)}),
    ("links[0].minutes", {"links": (Linked(0, 1, min_minutes=5, max_minutes=1),)}),
    ("links[1]", {"links": (Linked(0, 1), Linked(1, 0))}),
    ("visits[0].preferred[0]", {"visits": (make_visit(preferred={0: (Window(9, 19), Window(9, 20))}),)}),
    (
        "slots[0].overtime_from",
        {"slots": (make_slot(overtime_after_minutes=60, overtime_from=900),)},
    ),
    (
        "slots[0].breaks",
        {"slots": (make_slot(breaks=(Break(9, 9, 10), Break(10, 10, 10, splits_drive=False))),)},
    ),
    ("patterns[0].patterns", {"patterns": (DayPatterns((0, 1), ((0,),)),)}),
    ("seventh_days[0].last", {"seventh_days": (SeventhDay(0, (), 1, 1),)}),
    ("seventh_days[0].others", {"seventh_days": (SeventhDay(0, (0,), 0, 1),)}),
    (
        "seventh_days[0].others",
        {"days": (Day(0, DAY), Day(DAY, 2 * DAY, week=1)), "seventh_days": (SeventhDay(0, (0,), 1, 1),)},
    ),
    ("seventh_days[0].cost_minute", {"seventh_days": (SeventhDay(0, (), 0, -1),)}),
    ("seventh_days[1]", {"seventh_days": (SeventhDay(0, (), 0, 1), SeventhDay(0, (), 0, 2))}),
    ("touch.patient_cost", {"touch": Touch(patient_cost=-1)}),
    ("regularities[0].visits", {"regularities": (Regularity((7,), 0, 0),)}),
    ("patient_busy['a']", {"patient_busy": {"a": (Interval(5, 5),)}}),
]


@pytest.mark.parametrize(("field", "changes"), BAD, ids=[f"{n}-{field}" for n, (field, _) in enumerate(BAD)])
def test_bad_input_is_refused_by_the_name_of_its_field(field: str, changes: dict[str, Any]):
    problem: Problem = make_problem([make_visit("a"), make_visit("b")])
    with pytest.raises(ProblemError) as refused:
        validate(replace(problem, **changes))
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("field", "assignments"),
    [
        ("assignments[0].visit", [Assignment(9, 0, 0, 500)]),
        ("assignments[0].clinician", [Assignment(0, 9, 0, 500)]),
        ("assignments[1].visit", [Assignment(0, 0, 0, 500), Assignment(0, 0, 0, 600)]),
    ],
)
def test_a_start_that_names_nothing_is_refused(field: str, assignments: list[Assignment]):
    with pytest.raises(ProblemError) as refused:
        solve(make_problem([make_visit()]), Stop(iterations=1), start=Plan.of(assignments))
    assert refused.value.field == field
