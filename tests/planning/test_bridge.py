"""From rows to the planner's problem: the facts it must carry over exactly."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from coordinator.core.work import Work
from coordinator.domain.team import CoverReason, CoverRole
from coordinator.domain.vocabulary import (
    Discipline,
    Gender,
    OrderStatus,
    OvertimeProfile,
    Payer,
    Performer,
    VisitKind,
    VisitStatus,
)
from coordinator.patients.model import Authorisation, NoVisitWindow, Unavailability
from coordinator.planner import Stop, score, solve, validate
from coordinator.planner.engines import Engine, choose
from coordinator.planner.plan import Plan
from coordinator.planning.bridge import Bridge, build
from coordinator.planning.decode import reasons
from coordinator.planning.horizon import Horizon
from coordinator.rules.facts import Moment
from coordinator.rules.terms import refusals
from coordinator.rules.visit import ask_clinician_side, ask_patient_side
from coordinator.staff.model import Exclusion, TimeOff
from coordinator.teams.model import Cover
from coordinator.visits import cases
from coordinator.visits.model import Visit
from tests.builders import make_visit
from tests.conftest import WorkAs
from tests.planning.conftest import EVE, WEEK, Person, TestAgency, make_agency
from tests.rules.cases import POLICY


@pytest.fixture
def agency(session: Session) -> TestAgency:
    return make_agency(session)


def _built(agency: TestAgency, work_as: WorkAs, days: tuple[date, date] = WEEK, now: datetime = EVE) -> Bridge:
    agency.session.commit()
    with work_as(now=now) as work:
        return _build(work, agency, days)


def _build(work: Work, agency: TestAgency, days: tuple[date, date] = WEEK) -> Bridge:
    bridge = build(work, agency.branch.id, Horizon(ZoneInfo(agency.branch.zone), *days))
    validate(bridge.problem)
    return bridge


def test_a_week_of_wanted_visits_becomes_a_problem_that_makes_sense(agency: TestAgency, work_as: WorkAs) -> None:
    nurse = agency.hire()
    person = agency.admit(visits=2, primary=nurse)
    bridge = _built(agency, work_as)
    assert [wanted.key for wanted in bridge.problem.visits] == [str(visit.id) for visit in person.visits]
    assert [day.label for day in bridge.problem.days][1] == "2026-11-09"
    # Five shifts, Monday to Friday; the visit may begin from the first minute of each day.
    assert len(bridge.problem.slots) == 5
    shift = bridge.problem.slots[0]
    assert (shift.shift_start, shift.shift_end) == (1440 + 8 * 60, 1440 + 16 * 60 + 30)
    assert set(bridge.problem.visits[0].windows) == set(range(7))
    assert bridge.problem.visits[0].preferences[0].costs == {0: 0}
    assert bridge.problem.spacings[0].at_most_one_per_day
    assert bridge.problem.spacings[0].ideal_gap_days == 3
    assert bridge.wanted == (0, 1)
    assert bridge.problem.group_caps[0].week_cap_minutes == 1680
    assert bridge.problem.group_caps[0].day_cap_minutes == 479


def test_who_stands_in_for_the_primary_is_a_known_face_in_those_days(agency: TestAgency, work_as: WorkAs) -> None:
    nurse, deputy, _ = agency.hire(), agency.hire(), agency.hire()
    person = agency.admit(visits=2, primary=nurse)
    person.visits[0].window_to = person.visits[0].window_from = WEEK[0]
    agency.session.add(
        Cover(
            role=CoverRole.PRIMARY, reason=CoverReason.SICK, clinician_id=nurse.id, by_clinician_id=deputy.id,
            starts_on=WEEK[1], ends_on=WEEK[1], recorded_at=EVE,
        )
    )  # fmt: skip
    before, during = _built(agency, work_as).problem.visits
    assert before.preferences[0].costs == {0: 0}
    assert during.preferences[0].costs == {0: 0, 1: 0}


def test_a_day_on_which_the_clocks_go_back_has_twenty_five_hours(agency: TestAgency, work_as: WorkAs) -> None:
    """1 November 2026 in San Francisco: a shift from 08:00 begins nine hours after midnight."""
    agency.hire(weekdays=(6, 0))
    person = agency.admit()
    person.visits[0].window_from = date(2026, 11, 1)
    bridge = _built(agency, work_as, (date(2026, 11, 1), date(2026, 11, 2)), datetime(2026, 10, 31, 12, tzinfo=UTC))
    sunday, monday = bridge.problem.days
    assert (sunday.start_minute, sunday.end_minute) == (0, 25 * 60)
    assert (monday.start_minute, monday.end_minute) == (25 * 60, 49 * 60)
    assert bridge.problem.slots[0].shift_start == 9 * 60
    assert bridge.problem.slots[1].shift_start == 25 * 60 + 8 * 60
    assert bridge.scene.horizon.instant(9 * 60) == datetime(2026, 11, 1, 16, tzinfo=UTC)


def test_a_shift_owes_its_meal_before_the_end_of_the_fifth_hour(agency: TestAgency, work_as: WorkAs) -> None:
    agency.hire(starts=time(8), ends=time(16, 30))
    agency.hire(starts=time(8), ends=time(13))
    agency.hire(starts=time(7), ends=time(18, 30))
    long, short, longest = (
        next(slot for slot in _built(agency, work_as).problem.slots if slot.clinician == number) for number in range(3)
    )
    (meal,) = long.breaks
    assert meal.latest_start == long.shift_start + 299
    assert (meal.minutes, meal.owed_after_minutes, meal.skip_cost) == (30, 300, None)
    assert short.breaks == ()
    assert [pause.latest_start - longest.shift_start for pause in longest.breaks] == [299, 599]
    assert long.overtime_after_minutes == 480
    assert long.max_minutes == 720
    assert long.max_visits == 8


def test_time_off_within_a_shift_is_no_time_for_visits(agency: TestAgency, work_as: WorkAs) -> None:
    nurse = agency.hire()
    nurse.time_off.append(
        TimeOff(
            starts_at=datetime(2026, 11, 9, 19, tzinfo=UTC), ends_at=datetime(2026, 11, 9, 21, tzinfo=UTC), reason="x"
        )
    )  # fmt: skip
    nurse.time_off.append(
        TimeOff(
            starts_at=datetime(2026, 11, 10, 8, tzinfo=UTC), ends_at=datetime(2026, 11, 11, 8, tzinfo=UTC), reason="y"
        )
    )
    slots = _built(agency, work_as).problem.slots
    assert [slot.day for slot in slots] == [1, 3, 4, 5]
    assert [(off.start_minute, off.end_minute) for off in slots[0].unavailable] == [(1440 + 11 * 60, 1440 + 13 * 60)]


def test_what_the_patient_keeps_free_cuts_the_day(agency: TestAgency, work_as: WorkAs) -> None:
    agency.hire()
    person = agency.admit(visits=1)
    person.patient.no_visit_windows.append(NoVisitWindow(weekday=0, starts=time(9), ends=time(11), reason="dialysis"))
    person.patient.no_visit_windows.append(NoVisitWindow(weekday=1, starts=time(0), ends=time(23, 30), reason="family"))
    person.patient.unavailabilities.append(
        Unavailability(
            starts_at=datetime(2026, 11, 11, 20, tzinfo=UTC), ends_at=datetime(2026, 11, 12, 8, tzinfo=UTC), reason="x"
        )
    )  # fmt: skip
    wanted = _built(agency, work_as).problem.visits[0]
    monday = [(w.earliest_start - 1440, w.latest_start - 1440) for w in wanted.windows[1]]
    # 45 minutes: the last start before 09:00 is 08:15, the first after is 11:00.
    assert monday == [(0, 8 * 60 + 15), (11 * 60, 24 * 60 - 45)]
    assert 2 not in wanted.windows
    assert wanted.closed_days[2].code == "CUL-01"
    said = str(wanted.closed_days[2].facts()["sentence"])
    assert "from 00:00 to 23:30" in said
    assert "family" not in said
    # Wednesday from noon on is taken: 11:15 is the last start.
    assert [(w.earliest_start - 3 * 1440, w.latest_start - 3 * 1440) for w in wanted.windows[3]] == [(0, 11 * 60 + 15)]


def test_nothing_begins_in_the_past_nor_after_it_is_due(agency: TestAgency, work_as: WorkAs) -> None:
    agency.hire()
    person = agency.admit(visits=1)
    person.visits[0].due_at = datetime(2026, 11, 11, 20, tzinfo=UTC)
    bridge = _built(agency, work_as, now=datetime(2026, 11, 10, 18, 0, tzinfo=UTC))
    wanted = bridge.problem.visits[0]
    assert set(wanted.windows) == {2, 3}
    assert wanted.windows[2][0].earliest_start == 2 * 1440 + 10 * 60 + POLICY.planning.notice_minutes
    assert wanted.windows[3][0].latest_start == 3 * 1440 + 12 * 60
    assert wanted.closed_days[1].code == "day-past"
    assert wanted.closed_days[4].code == "too-late"
    assert wanted.unplaced_cost == POLICY.prices.unplaced_due
    assert [slot.day for slot in bridge.problem.slots] == [2, 3, 4, 5]


def test_the_dearer_the_promise_the_dearer_its_change(agency: TestAgency, work_as: WorkAs) -> None:
    nurse = agency.hire()
    visits = [agency.admit(visits=1).visits[0] for _ in range(4)]
    for hour, visit in enumerate(visits):
        agency.book(visit, nurse, datetime(2026, 11, 10, 17 + hour, tzinfo=UTC))
    visits[1].published_at = EVE
    visits[2].published_at = visits[2].told_patient_at = EVE
    visits[3].status = VisitStatus.PENDING
    now = [wanted.current for wanted in _built(agency, work_as).problem.visits]
    costs = [(one.clinician_change_cost, one.day_change_cost, one.time_change_cost) for one in now if one]
    booked, published, told, held = costs
    assert held < booked < published < told
    assert [one.told for one in now if one] == [False, False, True, False]
    assert now[0] is not None
    assert (now[0].day, now[0].start_minute) == (2, 2 * 1440 + 9 * 60)


def test_what_has_begun_or_is_locked_is_fixed_exactly(agency: TestAgency, work_as: WorkAs) -> None:
    nurse = agency.hire(weekdays=(1,))
    begun, locked, free = (agency.admit(visits=1).visits[0] for _ in range(3))
    agency.book(begun, nurse, datetime(2026, 11, 10, 17, tzinfo=UTC))
    begun.status = VisitStatus.EN_ROUTE
    # On a Saturday, when she does not work: a fact all the same.
    agency.book(locked, nurse, datetime(2026, 11, 14, 17, tzinfo=UTC), locked=True)
    bridge = _built(agency, work_as)
    assert [wanted.locked for wanted in bridge.problem.visits] == [True, True, False]
    assert bridge.wanted == (2,)
    saturday = next(slot for slot in bridge.problem.slots if slot.day == 6)
    assert saturday.max_visits == 1
    assert saturday.shift_start < 6 * 1440 + 9 * 60 < saturday.shift_end
    assert free.status is VisitStatus.PROPOSED


def test_a_visit_that_the_rules_would_not_confirm_is_left_to_a_person(agency: TestAgency, work_as: WorkAs) -> None:
    nurse = agency.hire()
    person = agency.admit(visits=1)
    agency.book(person.visits[0], nurse, datetime(2026, 11, 10, 17, tzinfo=UTC), published_at=EVE)
    person.order.status = OrderStatus.DISCONTINUED
    bridge = _built(agency, work_as)
    assert bridge.unconfirmable == {0}
    assert bridge.problem.visits[0].locked
    assert {finding.rule for refused in bridge.answers[person.visits[0].id].closed.values() for finding in refused} >= {
        "ORD-01"
    }


def test_forbidden_pairs_say_what_the_rules_say(agency: TestAgency, work_as: WorkAs) -> None:
    """Asked once more by hand, for each clinician and day, the rules give the same sentences."""
    agency.hire()
    agency.hire(expires_on=date(2026, 11, 11))
    agency.hire(Performer.PT)
    agency.hire(Performer.LVN)
    shunned = agency.hire()
    person = agency.admit(visits=1, preferred_clinician_gender=Gender.MALE)
    shunned.exclusions.append(Exclusion(patient_id=person.patient.id, reason="patient asked"))
    agency.session.commit()
    seen = 0
    with work_as(now=EVE) as work:
        bridge = _build(work, agency)
        wanted, visit = bridge.problem.visits[0], bridge.visits[0]
        book = cases.load(work, [visit], bridge.scene.clinicians)
        for index, day in enumerate(bridge.scene.horizon.days):
            patient_side = refusals(ask_patient_side(book.case(visit, day=day), Moment.CONFIRM, work.policy))
            assert bool(patient_side) == (index in wanted.closed_days)
            for number, clinician in enumerate(bridge.scene.clinicians):
                case = book.case(visit, clinician=clinician, day=day)
                refused = refusals(ask_clinician_side(case, Moment.CONFIRM, work.policy))
                reason = wanted.forbidden.get(number) or wanted.forbidden_days.get((number, index))
                assert (reason is None) == (not refused)
                if reason is not None:
                    seen += 1
                    assert (reason.code, reason.facts()["sentence"]) == (refused[0].rule, refused[0].sentence())
    assert seen == 3 + 7 + 7  # lapsed on three days; the therapist and the one she shuns on all


def test_an_interpreter_wish_and_a_gender_wish_cost_and_do_not_forbid(agency: TestAgency, work_as: WorkAs) -> None:
    agency.hire(gender=Gender.MALE)
    speaks = agency.hire(languages=("en", "es"))
    agency.admit(visits=1, spoken_language="es", preferred_clinician_gender=Gender.MALE)
    wanted = _built(agency, work_as).problem.visits[0]
    wishes = {wish.name: wish for wish in wanted.preferences}
    assert wanted.forbidden == {}
    assert (wishes["language"].costs, wishes["language"].otherwise) == ({1: 0}, POLICY.prices.other_language)
    assert (wishes["gender"].costs, wishes["gender"].otherwise) == ({0: 0}, POLICY.prices.other_gender)
    assert speaks.id


def test_hours_of_care_outside_the_run_count_against_its_cap(agency: TestAgency, work_as: WorkAs) -> None:
    """A run from Wednesday: what stands on Monday of that week is used up, and its day is kept clear of."""
    nurse = agency.hire()
    person = agency.admit(visits=3)
    agency.book(person.visits[0], nurse, datetime(2026, 11, 9, 17, tzinfo=UTC))
    problem = _built(agency, work_as, (date(2026, 11, 11), date(2026, 11, 14))).problem
    assert len(problem.visits) == 2
    assert problem.group_caps[0].used_by_week == (45,)
    assert problem.spacings[0].held_days == (-2,)
    assert problem.clinicians[0].already_worked_minutes == (45,)


def test_the_second_person_begins_with_the_first_and_is_no_second_visit(agency: TestAgency, work_as: WorkAs) -> None:
    agency.hire()
    agency.hire()
    person = agency.admit(visits=1)
    make_visit(
        agency.session, person.patient, person.episode, order_id=person.order.id, discipline=Discipline.SN,
        joint_with_id=person.visits[0].id, window_from=WEEK[0], window_to=WEEK[1],
    )  # fmt: skip
    problem = _built(agency, work_as).problem
    (link,) = problem.links
    assert (link.first, link.second, link.different_clinicians) == (0, 1, True)
    assert problem.spacings[0].visits == (0,)


def _second(agency: TestAgency, person: Person) -> Visit:
    """Another person's visit beside the first of these."""
    return make_visit(
        agency.session, person.patient, person.episode, order_id=person.order.id, discipline=Discipline.SN,
        joint_with_id=person.visits[0].id, window_from=WEEK[0], window_to=WEEK[1],
    )  # fmt: skip


def test_a_second_person_without_the_first_is_not_planned_by_halves(agency: TestAgency, work_as: WorkAs) -> None:
    """The first one stands on Monday, the run begins on Wednesday; or the first one goes with somebody already."""
    nurse, other = agency.hire(), agency.hire()
    person = agency.admit(visits=1)
    second = _second(agency, person)
    agency.book(person.visits[0], nurse, datetime(2026, 11, 9, 17, tzinfo=UTC))
    bridge = _built(agency, work_as, (date(2026, 11, 11), date(2026, 11, 14)))
    (wanted,) = bridge.problem.visits
    assert (wanted.key, wanted.windows, bridge.problem.links) == (str(second.id), {}, ())
    assert {reason.code for reason in wanted.closed_days.values()} == {"second-alone"}
    (said,) = reasons(bridge, 0, ())
    assert str(person.visits[0].id) in said["sentence"]
    # With the day of the first in the run the second is planned; a third person beside them is not.
    third = _second(agency, person)
    bridge = _built(agency, work_as)
    (link,) = bridge.problem.links
    assert [bridge.visits[number].id for number in (link.first, link.second)] == [person.visits[0].id, second.id]
    assert [wanted.key for wanted in bridge.problem.visits if not wanted.windows and not wanted.locked] == [
        str(third.id)
    ]
    # One who stands so stays, whatever else moves, and is nobody's second visit of the day.
    agency.book(third, other, datetime(2026, 11, 9, 17, tzinfo=UTC))
    bridge = _built(agency, work_as)
    assert [bridge.visits[number].id for number in sorted(bridge.fixed)] == [third.id]
    assert bridge.problem.spacings[0].visits == (0,)


def test_a_pair_in_a_workweek_without_a_day_off_is_planned_with_both(agency: TestAgency, work_as: WorkAs) -> None:
    """Every word that the bridge makes is known to one engine together: no week is refused, none loses a rule."""
    for _ in range(2):
        agency.hire(weekdays=tuple(range(7)))
    person = agency.admit(visits=4)
    _second(agency, person)
    problem = _built(agency, work_as).problem
    assert len(problem.seventh_days) == 2
    assert len(problem.links) == 1
    assert choose(problem) is Engine.CALENDAR
    outcome = solve(problem, Stop(iterations=200))
    placed = outcome.plan.by_visit()
    assert outcome.score.hard == ()
    assert placed[0].start_minute == placed[4].start_minute
    assert placed[0].clinician != placed[4].clinician


def test_a_first_visit_is_dearest_to_leave_out_and_to_put_off(agency: TestAgency, work_as: WorkAs) -> None:
    agency.hire()
    person = agency.admit(visits=1)
    person.visits[0].is_optional = True
    first = make_visit(
        agency.session, person.patient, person.episode, kind=VisitKind.INITIAL, window_from=WEEK[0], window_to=WEEK[1],
        due_at=datetime(2026, 11, 12, 20, tzinfo=UTC),
    )  # fmt: skip
    optional, initial = _built(agency, work_as).problem.visits
    assert initial.key == str(first.id)
    assert optional.unplaced_cost < POLICY.prices.unplaced_needed < initial.unplaced_cost
    assert initial.day_costs[3] > initial.day_costs[1] > 0
    assert optional.day_costs == {}


@pytest.mark.parametrize(("maximum", "open_visits"), [(3, 3), (2, 2), (0, 0)])
def test_one_run_wants_no_more_visits_than_the_payer_authorised(
    agency: TestAgency, work_as: WorkAs, maximum: int, open_visits: int
) -> None:
    agency.hire()
    person = agency.admit(visits=3)
    agency.session.add(
        Authorisation(
            patient_id=person.patient.id, payer=Payer.KP, discipline=Discipline.SN, maximum_visits=maximum,
            starts_on=date(2026, 10, 1), ends_on=date(2026, 12, 31),
        )
    )  # fmt: skip
    bridge = _built(agency, work_as)
    may = [wanted for wanted in bridge.problem.visits if wanted.windows]
    assert len(may) == open_visits
    for wanted in bridge.problem.visits:
        if not wanted.windows:
            assert {reason.code for reason in wanted.closed_days.values()} == {"INT-04"}


def test_an_order_keeps_its_time_of_day_with_what_stands_around_the_run(agency: TestAgency, work_as: WorkAs) -> None:
    """A run from Wednesday: nine o'clock on Monday is what the rest of the week is held against."""
    nurse = agency.hire()
    person = agency.admit(visits=3)
    agency.admit(visits=3, order={"visits_per_day": 2})
    agency.admit(visits=1)
    agency.book(person.visits[0], nurse, datetime(2026, 11, 9, 17, tzinfo=UTC))
    problem = _built(agency, work_as, (date(2026, 11, 11), date(2026, 11, 14))).problem
    (tie,) = problem.regularities  # two a day are meant to lie apart, and one visit has nobody to stray from
    assert [problem.visits[n].key for n in tie.visits] == [str(visit.id) for visit in person.visits[1:]]
    assert tie.held_minutes == (9 * 60,)
    assert tie.tolerance_minutes == POLICY.planning.usual_time_tolerance_minutes
    assert tie.cost_minute == POLICY.prices.stray_minute > 0


def test_a_day_and_a_week_have_the_hours_of_the_law_and_of_the_contract(agency: TestAgency, work_as: WorkAs) -> None:
    agency.hire(weekly_minutes=1200)
    agency.hire(weekly_minutes=2640, weekly_maximum_minutes=2900)
    agency.admit(visits=1)
    problem = _built(agency, work_as).problem
    short, long = problem.clinicians
    assert (short.week_overtime_after_minutes, short.fair_share_minutes) == (1200, 1080)
    assert (long.week_overtime_after_minutes, long.fair_share_minutes) == (2400, 2376)
    assert {slot.doubletime_after_minutes for slot in problem.slots} == {720}
    assert problem.weights.doubletime_minute == POLICY.prices.doubletime_minute > 0
    assert problem.weights.fairness_minute == POLICY.prices.fairness_minute > 0


def test_a_workweek_without_a_day_off_makes_its_last_day_dearer(agency: TestAgency, work_as: WorkAs) -> None:
    everyday, exempt = (agency.hire(weekdays=tuple(range(7))) for _ in range(2))
    exempt.ot_profile = OvertimeProfile.AGREEMENT
    agency.hire()
    person = agency.admit(visits=4)
    (tie,) = _built(agency, work_as).problem.seventh_days
    assert (tie.clinician, tie.others, tie.last) == (0, (0, 1, 2, 3, 4, 5), 6)
    assert (tie.cost_minute, tie.double_cost_minute) == (POLICY.prices.overtime_minute, POLICY.prices.doubletime_minute)
    assert tie.double_after_minutes == POLICY.labour.seventh_day_overtime_minutes == 480
    from_wednesday = (date(2026, 11, 11), date(2026, 11, 14))
    for visit, day in zip(person.visits, (8, 9), strict=False):
        agency.book(visit, everyday, datetime(2026, 11, day, 17, tzinfo=UTC))
    assert _built(agency, work_as, from_wednesday).problem.seventh_days == ()  # nothing stands on Tuesday
    agency.book(person.visits[2], everyday, datetime(2026, 11, 10, 17, tzinfo=UTC))
    (tie,) = _built(agency, work_as, from_wednesday).problem.seventh_days
    assert (tie.others, tie.last) == ((0, 1, 2), 3)


@pytest.mark.parametrize("told", [True, False])
def test_a_change_of_what_was_told_costs_the_patient_and_the_day(
    agency: TestAgency, work_as: WorkAs, told: bool
) -> None:
    nurse = agency.hire()
    visit = agency.admit(visits=1).visits[0]
    nine = datetime(2026, 11, 9, 17, tzinfo=UTC)
    agency.book(visit, nurse, nine, published_at=EVE, told_patient_at=EVE if told else None)
    bridge = _built(agency, work_as)
    moved = Plan.of([replace(bridge.start.assignments[0], day=2, start_minute=2 * 1440 + 9 * 60)])
    parts = {part.name: part for part in score(bridge.problem, moved).parts}
    assert parts["touched-patient"].cost == (POLICY.prices.touched_told_patient if told else 0)
    assert parts["touched-day"].cost == (POLICY.prices.touched_told_day if told else 0)
    assert parts["touched-patient"].sentence == "1 patients are touched by changes."
    assert parts["moved-day"].cost == (POLICY.prices.told.day if told else POLICY.prices.published.day)
