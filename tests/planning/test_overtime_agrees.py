"""The planner prices overtime as the rule counts it: the same week, the same minutes, across both clock changes."""

from dataclasses import fields
from datetime import date, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from coordinator.domain.timeline import at_wall_clock
from coordinator.domain.vocabulary import OvertimeProfile
from coordinator.planner import soft
from coordinator.planner.ledger import write_out
from coordinator.planner.plan import Assignment, Plan
from coordinator.planner.problem import Clinician, Day, Problem, SeventhDay, Visit, Window
from coordinator.planning.horizon import Horizon
from coordinator.rules.workday import in_sum, limits_of, week_hours
from tests.planner.builders import make_problem, make_slot, make_visit
from tests.rules.cases import POLICY

LOS_ANGELES = ZoneInfo("America/Los_Angeles")
#: Sundays: an ordinary week, and those that begin with 23 and with 25 hours.
WEEKS = (date(2026, 11, 8), date(2026, 3, 8), date(2026, 11, 1))


def planned(horizon: Horizon, hours: dict[date, tuple[time, time]], limits) -> tuple[int, int]:
    """The planner's minutes of overtime and of double time for a week with one long visit a day.

    Of a seventh day only double time has a price here, a cent, so that its minutes can be read from that.
    """
    visits, slots, assignments = [], [], []
    for index, day in enumerate(horizon.days):
        begins, ends = horizon.bounds(day)
        if day not in hours:
            continue
        low, high = (horizon.at(day, clock) for clock in hours[day])
        number = len(visits)
        visits.append(make_visit(f"v{index}", place=None, minutes=high - low, windows={index: (Window(low, low),)}))
        slots.append(
            make_slot(
                0, index, start_place=None, end_place=None, shift_start=begins, shift_end=ends,
                overtime_after_minutes=limits.daily, doubletime_after_minutes=limits.double,
            )
        )  # fmt: skip
        assignments.append(Assignment(number, 0, index, low))
    problem: Problem = make_problem(
        visits,
        days=tuple(Day(*horizon.bounds(day), str(day)) for day in horizon.days),
        clinicians=(Clinician("Ada", week_overtime_after_minutes=limits.weekly),),
        slots=tuple(slots),
        seventh_days=(SeventhDay(0, tuple(range(6)), 6, 0, limits.seventh, 1),) if limits.seventh is not None else (),
    )
    ledger = write_out(problem, Plan(tuple(assignments)))
    seventh, double = soft.seventh_day(ledger, ledger.whole)
    overtime = soft.overtime(ledger, ledger.whole)[0] + seventh
    return overtime, soft.doubletime(ledger, ledger.whole)[0] + double


@pytest.mark.parametrize("sunday", WEEKS, ids=str)
@pytest.mark.parametrize(
    "profile", [OvertimeProfile.STANDARD, OvertimeProfile.ALTERNATIVE_10, OvertimeProfile.ALTERNATIVE_12,
                OvertimeProfile.AGREEMENT],
)  # fmt: skip
@pytest.mark.parametrize("seed", range(8))
def test_the_planner_counts_overtime_as_the_rule_does(sunday: date, profile: OvertimeProfile, seed: int) -> None:
    random = Random(seed)
    horizon = Horizon(LOS_ANGELES, sunday, sunday + timedelta(days=6))
    limits = limits_of(POLICY.labour, profile, contracted=2400)
    off = random.choice((None, random.randrange(7)))
    shortest = random.choice((1, 6))  # weeks of short days do not come to overtime before the seventh
    hours = {
        day: (time(0, 30), time(random.randint(shortest, 6 if shortest == 1 else 16), random.choice((0, 15, 59))))
        for index, day in enumerate(horizon.days)
        if index != off
    }
    elapsed = {
        day: int((at_wall_clock(day, ends, LOS_ANGELES) - at_wall_clock(day, begins, LOS_ANGELES)).total_seconds())
        // 60
        for day, (begins, ends) in hours.items()
    }
    rule = in_sum(week_hours(elapsed, sunday, limits).values())
    assert planned(horizon, hours, limits) == (rule.overtime + rule.double, rule.double)


def test_a_day_of_the_change_is_as_long_as_it_lasted() -> None:
    limits = limits_of(POLICY.labour, OvertimeProfile.STANDARD)
    for sunday, overtime in ((WEEKS[1], 30), (WEEKS[2], 150), (WEEKS[0], 90)):
        horizon = Horizon(LOS_ANGELES, sunday, sunday + timedelta(days=6))
        assert planned(horizon, {sunday: (time(0, 30), time(10))}, limits) == (overtime, 0)


@pytest.mark.example("CUL-01", 2)
def test_race_and_ethnicity_are_in_nothing_that_the_planner_is_given() -> None:
    """CUL-01: a ranker asked to filter clinicians by a patient's race has no field to do it by."""
    words = {part.name for kind in (Problem, Visit, Clinician) for part in fields(kind)}
    assert len(words) > 30
    assert not [word for word in words if "race" in word.split("_") or "ethnic" in word]
