"""The clocks of visits: missed ones, aides who are supervised every fourteen days, assessments, and who left."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from coordinator.core.db import Database
from coordinator.core.work import Work
from coordinator.deadlines.remind import look_after
from coordinator.deadlines.watch import watch
from coordinator.domain import events
from coordinator.domain.timeline import at_wall_clock
from coordinator.domain.vocabulary import Discipline, MissedReason, OrderStatus, Performer, VisitKind, VisitStatus
from coordinator.episodes.model import InpatientStay
from coordinator.orders.model import CarePlan, Order, OrderWeek
from coordinator.patients.model import Episode, Patient
from coordinator.visits.model import Supervision, Visit
from tests.builders import (
    make_branch,
    make_care_plan,
    make_clinician,
    make_episode,
    make_order,
    make_patient,
    make_physician,
    make_visit,
)
from tests.conftest import NOW, WorkAs
from tests.deadlines.kit import DONE, OPEN, PACIFIC, SUPERSEDED, book, listen, nights, one


@dataclass(frozen=True)
class Case:
    branch_id: int
    patient_id: int
    episode_id: int
    plan_id: int
    aide_id: int
    nurse_id: int


@pytest.fixture
def case(database: Database) -> Case:
    with database.transaction() as session:
        branch = make_branch(session)
        patient = make_patient(session, branch)
        episode = make_episode(session, patient, soc=date(2026, 10, 1))
        plan = make_care_plan(session, episode, make_physician(session))
        aide = make_clinician(session, branch, Performer.CHHA)
        return Case(branch.id, patient.id, episode.id, plan.id, aide.id, make_clinician(session, branch).id)


def _order(work: Work, case: Case, discipline: Discipline, **given: Any) -> Order:
    values = {"effective_from": date(2026, 10, 1), "effective_to": date(2027, 6, 1)} | given
    return make_order(
        work.session, work.session.get_one(Episode, case.episode_id), work.session.get_one(CarePlan, case.plan_id),
        discipline, **values,
    )  # fmt: skip


def _visit(work: Work, case: Case, on: date, status: VisitStatus, **given: Any) -> Visit:
    begins = at_wall_clock(on, time(10), PACIFIC)
    values: dict[str, Any] = {"status": status, "window_from": on, "window_to": on} | given
    if status is VisitStatus.COMPLETED:
        values |= {
            "clinician_id": given.get("clinician_id", case.aide_id), "starts_at": begins, "actual_start_at": begins,
            "ends_at": begins + timedelta(minutes=45), "actual_end_at": begins + timedelta(minutes=45),
        }  # fmt: skip
    patient, episode = work.session.get_one(Patient, case.patient_id), work.session.get_one(Episode, case.episode_id)
    return make_visit(work.session, patient, episode, **values)


# ------------------------------------------------------------------------------------ aides


def _aide_visit(work: Work, case: Case, on: date) -> Visit:
    visit = _visit(work, case, on, VisitStatus.COMPLETED, discipline=Discipline.HHA)
    work.publish(events.VisitCompleted(visit.id))
    return visit


def _supervise(work: Work, case: Case, on: date, *, concern: bool = False) -> None:
    work.session.add(
        Supervision(
            patient_id=case.patient_id, aide_id=case.aide_id, supervisor_id=case.nurse_id, supervised_on=on,
            method="on_site", concern=concern, recorded_at=work.now,
        )
    )  # fmt: skip
    work.session.flush()
    work.publish(events.AideSupervised(case.patient_id, on))


def _noon(on: date) -> datetime:
    return at_wall_clock(on, time(12), PACIFIC)


def test_supervision_is_due_fourteen_days_after_the_first_aide_visit(work_as: WorkAs, case: Case) -> None:
    """SUP-01: first aide visit Monday 5 October, due 19 October; done on the 15th, due on the 29th."""
    with work_as(now=_noon(date(2026, 10, 5))) as work:
        _order(work, case, Discipline.HHA)
        _order(work, case, Discipline.SN)
        _aide_visit(work, case, date(2026, 10, 5))
        due = one(work, "SUP-01")
        assert (due.due_on, due.owner_role, due.facts["remind_on"]) == (
            date(2026, 10, 19), "clinical_manager", ["2026-10-16"],
        )  # fmt: skip
    with work_as(now=_noon(date(2026, 10, 8))) as work:
        _aide_visit(work, case, date(2026, 10, 8))  # the clock runs already
        assert one(work, "SUP-01").due_on == date(2026, 10, 19)
    with work_as(now=_noon(date(2026, 10, 15))) as work:
        _supervise(work, case, date(2026, 10, 15))
        assert [(row.due_on, row.status) for row in book(work, "SUP-01")] == [
            (date(2026, 10, 19), DONE), (date(2026, 10, 29), OPEN),
        ]  # fmt: skip


def test_an_earlier_supervision_recorded_late_moves_nothing(work_as: WorkAs, case: Case) -> None:
    with work_as(now=_noon(date(2026, 10, 20))) as work:
        _order(work, case, Discipline.HHA)
        _order(work, case, Discipline.SN)
        _aide_visit(work, case, date(2026, 10, 12))
        _supervise(work, case, date(2026, 10, 20))
        _supervise(work, case, date(2026, 10, 14))
        assert one(work, "SUP-01").due_on == date(2026, 11, 3)


def test_without_a_skilled_service_it_is_sixty_days(work_as: WorkAs, case: Case) -> None:
    with work_as(now=_noon(date(2026, 10, 5))) as work:
        _order(work, case, Discipline.HHA)
        _aide_visit(work, case, date(2026, 10, 5))
        # The nurse comes within sixty days, and watches this aide here within six months.
        assert {row.task: row.due_on for row in book(work, "SUP-04", OPEN)} == {
            "supervise-aide": date(2026, 12, 4), "observe-aide-here": date(2027, 4, 5),
        }  # fmt: skip
        assert book(work, "SUP-01") == []


def test_the_clock_stops_with_the_last_aide_order_and_starts_with_the_next_visit(work_as: WorkAs, case: Case) -> None:
    with work_as(now=_noon(date(2026, 10, 5))) as work:
        first = _order(work, case, Discipline.HHA)
        second = _order(work, case, Discipline.HHA)
        _order(work, case, Discipline.SN)
        _aide_visit(work, case, date(2026, 10, 5))
        for order, left in ((first, OPEN), (second, SUPERSEDED)):
            order.status, order.ended_on = OrderStatus.DISCONTINUED, date(2026, 10, 5)
            work.session.flush()
            work.publish(events.OrderEnded(order.id, "discontinued", date(2026, 10, 5)))
            assert one(work, "SUP-01", None).status is left
    with work_as(now=_noon(date(2026, 11, 2))) as work:
        _order(work, case, Discipline.HHA, effective_from=date(2026, 11, 2))
        _aide_visit(work, case, date(2026, 11, 2))
        assert one(work, "SUP-01").due_on == date(2026, 11, 16)


def test_a_superseded_aide_order_goes_on_as_its_successor(work_as: WorkAs, case: Case) -> None:
    with work_as(now=_noon(date(2026, 10, 5))) as work:
        order = _order(work, case, Discipline.HHA)
        _order(work, case, Discipline.SN)
        _aide_visit(work, case, date(2026, 10, 5))
        order.status, order.ended_on = OrderStatus.SUPERSEDED, date(2026, 10, 4)
        _order(work, case, Discipline.HHA, effective_from=date(2026, 10, 5))
        work.session.flush()
        work.publish(events.OrderEnded(order.id, "superseded", date(2026, 10, 5)))
        assert one(work, "SUP-01").due_on == date(2026, 10, 19)


def test_the_night_stops_the_clock_of_an_aide_order_that_ran_out(work_as: WorkAs, case: Case) -> None:
    with work_as(now=_noon(date(2026, 10, 5))) as work:
        _order(work, case, Discipline.HHA, effective_to=date(2026, 10, 12))
        _order(work, case, Discipline.SN)
        _aide_visit(work, case, date(2026, 10, 5))
    with work_as(now=at_wall_clock(date(2026, 10, 12), time(3, 15), PACIFIC)) as work:
        look_after(work, case.branch_id)
        assert one(work, "SUP-01").due_on == date(2026, 10, 19)
    with work_as(now=at_wall_clock(date(2026, 10, 13), time(3, 15), PACIFIC)) as work:
        look_after(work, case.branch_id)
        assert one(work, "SUP-01", None).status is SUPERSEDED


@pytest.mark.parametrize("first", [date(2026, 10, 19), date(2027, 3, 1)])
def test_the_warning_comes_on_day_eleven_over_both_clock_changes(work_as: WorkAs, case: Case, first: date) -> None:
    with work_as(now=_noon(first)) as work:
        _order(work, case, Discipline.HHA)
        _order(work, case, Discipline.SN)
        _aide_visit(work, case, first)
    told = []
    for night in nights(first + timedelta(days=1), first + timedelta(days=16)):
        with work_as(now=night) as work:
            heard = listen(work)
            look_after(work, case.branch_id)
            told += [
                ((night.astimezone(PACIFIC).date() - first).days, event.stage)
                for event in heard
                if event.deadline_id == one(work, "SUP-01").id
            ]
    assert told == [(11, "reminder"), (15, "overdue")]


def test_a_concern_is_looked_into_in_three_days(work_as: WorkAs, case: Case) -> None:
    with work_as(now=_noon(date(2026, 11, 16))) as work:
        _order(work, case, Discipline.HHA)
        _supervise(work, case, date(2026, 11, 16), concern=True)
        assert one(work, "SUP-02").due_on == date(2026, 11, 19)


# ------------------------------------------------------------------------------------ missed visits


def _miss(work: Work, case: Case, reason: MissedReason, **given: Any) -> Visit:
    visit = _visit(
        work, case, given.pop("on", date(2026, 11, 9)), VisitStatus.MISSED,
        **{"missed_at": work.now, "missed_reason": reason, "discipline": Discipline.PT} | given,
    )  # fmt: skip
    work.publish(events.VisitMissed(visit.id, reason.value))
    return visit


@pytest.mark.parametrize(
    ("now", "impact", "due_on"),
    [
        (NOW, None, date(2026, 11, 10)),
        (NOW, False, date(2026, 11, 10)),
        (NOW, True, date(2026, 11, 9)),
        # Tuesday before Veterans Day.
        (NOW + timedelta(days=1), None, date(2026, 11, 12)),
        # Friday evening in California, Saturday in London.
        (datetime(2026, 11, 14, 2, tzinfo=UTC), None, date(2026, 11, 16)),
    ],
)
def test_the_practitioner_is_told_the_next_business_day_or_the_same(
    work_as: WorkAs, case: Case, now: datetime, impact: bool | None, due_on: date
) -> None:
    with work_as(now=now) as work:
        visit = _miss(work, case, MissedReason.NO_STAFF_AVAILABLE, clinical_impact=impact)
        task = one(work, "VIS-01")
        assert (task.due_on, task.subject) == (due_on, f"visit:{visit.id}")
        assert task.facts["task"] == ("tell-practitioner" if impact is False else "decide-missed")
        work.publish(events.MissedVisitDecided(visit.id, "skip"))
        assert one(work, "VIS-01", None).status is DONE


def test_daily_orders_are_told_of_the_same_day(work_as: WorkAs, case: Case) -> None:
    with work_as() as work:
        week = OrderWeek(number=1, starts_on=date(2026, 11, 8), ends_on=date(2026, 11, 14), minimum=7, maximum=7)
        order = _order(work, case, Discipline.SN)
        order.weeks.append(week)
        work.session.flush()
        _miss(work, case, MissedReason.STAFF_ILLNESS, order_id=order.id, order_week_id=week.id, unit=1)
        assert one(work, "VIS-01").due_on == date(2026, 11, 9)


def test_nobody_is_told_of_a_visit_on_hold_or_asked_about_the_dead(work_as: WorkAs, case: Case) -> None:
    with work_as() as work:
        _miss(work, case, MissedReason.ON_HOLD)
        _miss(work, case, MissedReason.DECEASED)
        assert book(work, "VIS-01") == []


def test_not_found_twice_in_a_week_is_a_welfare_check_today(work_as: WorkAs, case: Case) -> None:
    with work_as(now=NOW - timedelta(days=3)) as work:
        _miss(work, case, MissedReason.NOT_HOME_NOT_FOUND)
        assert [row.facts["task"] for row in book(work, "VIS-01")] == ["decide-missed"]
    with work_as() as work:
        _miss(work, case, MissedReason.NOT_HOME_NOT_FOUND)
        checks = [row for row in book(work, "VIS-01") if row.facts["task"] == "welfare-check"]
        assert [row.due_on for row in checks] == [date(2026, 11, 9)]


def test_the_second_refusal_goes_to_the_team_once(work_as: WorkAs, case: Case) -> None:
    with work_as() as work:
        for _ in range(3):
            _miss(work, case, MissedReason.PATIENT_REFUSED)
        team = [row for row in book(work, "VIS-01") if row.facts["task"] == "team-review"]
        assert [(row.subject, row.facts["refusals"]) for row in team] == [(f"patient:{case.patient_id}:missed", 2)]


# ------------------------------------------------------------------------------------ assessments


@pytest.mark.parametrize(
    ("on", "reason"),
    [
        (date(2026, 11, 24), None),
        (date(2026, 11, 25), "assessed"),
        (date(2026, 11, 29), "assessed"),
        (date(2026, 11, 30), "assessed late"),
    ],
)
def test_recertification_counts_inside_its_window(work_as: WorkAs, case: Case, on: date, reason: str | None) -> None:
    """CERT-02, start of care 1 October: 24 November is too early."""
    with work_as(now=_noon(date(2026, 11, 20))) as work:
        look_after(work, case.branch_id)
        assert one(work, "CERT-02").due_on == date(2026, 11, 29)
    with work_as(now=_noon(on)) as work:
        visit = _visit(
            work, case, on, VisitStatus.COMPLETED, kind=VisitKind.RECERTIFICATION, clinician_id=case.nurse_id
        )
        work.publish(events.VisitCompleted(visit.id))
        row = book(work, "CERT-02")[0]  # on 30 November the next period's stands as well
        assert (row.status, row.close_reason) == ((OPEN, None) if reason is None else (DONE, reason))


def test_the_next_period_has_its_own_recertification(work_as: WorkAs, case: Case) -> None:
    for on in (date(2026, 11, 29), date(2026, 11, 30), date(2026, 11, 30)):
        with work_as(now=at_wall_clock(on, time(3, 15), PACIFIC)) as work:
            look_after(work, case.branch_id)
    with work_as(now=_noon(date(2026, 11, 30))) as work:
        assert [row.due_on for row in book(work, "CERT-02")] == [date(2026, 11, 29), date(2027, 1, 28)]


def test_resumption_is_watched_by_the_hour(work_as: WorkAs, case: Case) -> None:
    """ASM-02: home Tuesday 24 November 15:00, due Thursday 15:00, Thanksgiving or not."""
    home = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)
    with work_as(now=home) as work:
        work.publish(events.EpisodeResumed(case.patient_id, case.episode_id))
        assert one(work, "ASM-02").due_at == home + timedelta(hours=48)
    told = []
    for hours in (1, 35, 36, 37, 48, 49, 50):
        with work_as(now=home + timedelta(hours=hours)) as work:
            heard = listen(work)
            watch(work, case.branch_id)
            told += [(hours, event.stage) for event in heard]
    assert told == [(36, "warning"), (49, "overdue")]
    with work_as(now=home + timedelta(hours=51)) as work:
        visit = _visit(
            work, case, date(2026, 11, 26), VisitStatus.COMPLETED, kind=VisitKind.RESUMPTION, clinician_id=case.nurse_id
        )
        work.publish(events.VisitCompleted(visit.id))
        assert one(work, "ASM-02", None).status is DONE


def test_nothing_is_owed_to_who_left_but_signatures(work_as: WorkAs, case: Case) -> None:
    with work_as(now=_noon(date(2026, 10, 5))) as work:
        _order(work, case, Discipline.HHA)
        order = _order(
            work, case, Discipline.SN, status=OrderStatus.ACTIVE_VERBAL,
            verbal_received_at=work.now, responsible_signed_at=work.now,
        )  # fmt: skip
        work.publish(events.OrderActivated(order.id, verbal=True))
        _aide_visit(work, case, date(2026, 10, 5))
        episode = work.session.get_one(Episode, case.episode_id)
        episode.discharged_on, episode.discharge_reason = date(2026, 10, 5), "goals_met"
        work.session.flush()
        work.publish(events.PatientDischarged(case.patient_id, case.episode_id, date(2026, 10, 5), "goals_met"))
        # What was given is to be signed, and a discharge asks for papers and the visit for its note.
        assert {row.task for row in book(work, status=OPEN)} == {
            "sign-order", "discharge-assessment", "discharge-summary", "close-record", "sign-note",
        }  # fmt: skip
    with work_as(now=_noon(date(2026, 10, 6))) as work:
        look_after(work, case.branch_id)
        # The aide's year runs wherever the aide works.
        assert [(row.task, row.due_on) for row in book(work, "SUP-03")] == [("observe-aide-yearly", date(2027, 10, 5))]


def test_a_return_of_which_nobody_told_is_found_by_night(work_as: WorkAs, case: Case) -> None:
    """Home on Tuesday at 15:00: the visit is due on Thursday at 15:00, once, and not once it was made (ASM-02)."""
    home = datetime(2026, 11, 24, 23, tzinfo=UTC)
    with work_as(now=home + timedelta(hours=12)) as work:
        work.session.add(
            InpatientStay(
                patient_id=case.patient_id, episode_id=case.episode_id, left_home_at=home - timedelta(days=7),
                admitted_at=home - timedelta(days=7), learned_at=home - timedelta(days=7),
                transferred_at=home - timedelta(days=7), home_at=home,
            )
        )  # fmt: skip
        for _ in range(2):
            look_after(work, case.branch_id)
            row = one(work, "ASM-02")
            assert (row.due_at, row.due_on) == (home + timedelta(hours=48), date(2026, 11, 26))
    with work_as(now=home + timedelta(days=2)) as work:
        visit = _visit(
            work, case, date(2026, 11, 25), VisitStatus.COMPLETED, kind=VisitKind.RESUMPTION, clinician_id=case.nurse_id
        )
        work.publish(events.VisitCompleted(visit.id))
        look_after(work, case.branch_id)
        assert one(work, "ASM-02", None).status is DONE


def test_the_schedule_is_due_at_the_first_visit_under_the_order(work_as: WorkAs, case: Case) -> None:
    """A week after the order at the latest; earlier once somebody comes earlier (VIS-05)."""
    with work_as(now=_noon(date(2026, 10, 5))) as work:
        order = _order(work, case, Discipline.SN, effective_from=date(2026, 10, 5))
        look_after(work, case.branch_id)
        assert one(work, "VIS-05").due_on == date(2026, 10, 11)
        begins = at_wall_clock(date(2026, 10, 7), time(20), PACIFIC)  # already the eighth in Greenwich
        values = {"starts_at": begins, "ends_at": begins + timedelta(minutes=45), "clinician_id": case.nurse_id}
        _visit(work, case, date(2026, 10, 7), VisitStatus.BOOKED, order_id=order.id, **values)
        look_after(work, case.branch_id)
        assert one(work, "VIS-05").due_on == date(2026, 10, 7)
        work.publish(events.WrittenScheduleGiven(case.patient_id, date(2026, 10, 5)))
        look_after(work, case.branch_id)
        assert book(work, "VIS-05", OPEN) == []
