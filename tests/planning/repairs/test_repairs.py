"""A day breaks: proposals that touch nothing, approval that does it all, and refusals with a way out."""

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.core.errors import Conflict, Forbidden, Invalid, Refusal, RuleBroken, StaleVersion
from coordinator.domain.vocabulary import RepairStatus, VisitStatus
from coordinator.notify.model import Notice
from coordinator.patients.model import Episode
from coordinator.planning.model import RosterVersion
from coordinator.planning.repairs import approval, calls, service
from coordinator.staff.model import Clinician, TimeOff
from coordinator.visits import service as visits
from tests.builders import make_user
from tests.conftest import WorkAs
from tests.planning.conftest import EVE, MONDAY, TestAgency
from tests.planning.repairs.conftest import AWAY, ELEVEN, EVENING, NINE, ONE, SIX, Propose, booked, change_of, rows


def test_a_sick_call_becomes_a_proposal_that_touches_no_row(agency: TestAgency, propose: Propose) -> None:
    ill, well = agency.hire(), agency.hire()
    person = agency.admit(visits=1, primary=ill)
    visit = booked(agency, person, ill, NINE, told_patient_at=EVE)
    repair = propose("absence", AWAY | {"clinician_id": ill.id})
    (change,) = repair.changes
    assert (change.change, change.hit, change.told, change.visit_id) == ("moved", True, True, visit.id)
    assert change.cause == {"code": "clinician-away", "sentence": f"Clinician {ill.id} is away."}
    assert change.clinician_id == well.id
    assert change.face == "new"
    assert repair.result["touched"] == {"patients": 0, "visits": 0, "hit_patients": 1, "hit_visits": 1}
    assert repair.result["violations"] == 0
    now = rows(agency)[visit.id]
    assert (now.clinician_id, now.starts_at, now.version) == (ill.id, NINE, visit.version)
    assert agency.session.execute(sa.select(TimeOff)).first() is None


def test_approval_records_the_absence_and_moves_the_visits_in_one_go(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any
) -> None:
    ill, well = agency.hire(), agency.hire()
    person, other = agency.admit(visits=1, primary=ill), agency.admit(visits=1, primary=well)
    visit = booked(agency, person, ill, NINE, told_patient_at=EVE)
    kept = booked(agency, other, well, ONE)
    make_user(agency.session, "no password", "clinician", username="well", clinician_id=well.id)
    repair = propose("absence", AWAY | {"clinician_id": ill.id})
    planned = change_of(repair, visit)
    with work_as(scheduler, now=SIX) as work:
        done = approval.approve(work, repair.id, repair.version)
        assert done.status is RepairStatus.APPROVED
    now = rows(agency)
    assert (now[visit.id].clinician_id, now[visit.id].starts_at) == (well.id, planned.starts_at)
    assert (now[kept.id].clinician_id, now[kept.id].starts_at) == (well.id, ONE)
    (off,) = agency.session.execute(sa.select(TimeOff)).scalars()
    assert (off.clinician_id, off.starts_at, off.ends_at, off.reason) == (ill.id, SIX, EVENING, "sick")
    versions = agency.session.execute(sa.select(RosterVersion).order_by(RosterVersion.clinician_id)).scalars()
    assert [(row.clinician_id, row.day, row.number, row.cause) for row in versions] == [
        (ill.id, MONDAY, 1, "repair"),
        (well.id, MONDAY, 1, "repair"),
    ]
    kinds = set(agency.session.execute(sa.select(Notice.kind)).scalars())
    # The one who is ill is the primary: the scheduler is asked, by a task, who stands in.
    assert kinds == {"visit.given", "roster.repaired", "task.yours"}


def test_a_second_approval_is_refused_by_its_state(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any
) -> None:
    ill, _ = agency.hire(), agency.hire()
    booked(agency, agency.admit(visits=1), ill, NINE)
    repair = propose("absence", AWAY | {"clinician_id": ill.id})
    with work_as(scheduler, now=SIX) as work:
        repair = approval.approve(work, repair.id, repair.version)
    for verb in (approval.approve, approval.reject):
        with pytest.raises(Conflict) as refused, work_as(scheduler, now=SIX) as work:
            verb(work, repair.id, repair.version)
        assert refused.value.problem_code == "repair-decided"


def test_days_that_changed_since_refuse_the_approval_with_the_way_out(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any
) -> None:
    ill, well = agency.hire(), agency.hire()
    booked(agency, agency.admit(visits=1), ill, NINE)
    late = agency.admit(visits=1)
    repair = propose("absence", AWAY | {"clinician_id": ill.id})
    with work_as(scheduler, now=SIX) as work:
        visits.assign(work, late.visits[0].id, well.id, ONE)
    with work_as(scheduler, now=SIX) as work:
        assert service.stale_days(work, service.get(work, repair.id)) == [
            {"clinician_id": well.id, "day": "2026-11-09"}
        ]
    before = {number: (row.clinician_id, row.starts_at) for number, row in rows(agency).items()}
    with pytest.raises(StaleVersion, match="POST /repairs") as refused, work_as(scheduler, now=SIX) as work:
        approval.approve(work, repair.id, repair.version)
    assert refused.value.problem_code == "repair-stale"
    assert {number: (row.clinician_id, row.starts_at) for number, row in rows(agency).items()} == before
    assert agency.session.execute(sa.select(TimeOff)).first() is None


def test_an_old_version_of_the_repair_is_refused(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any
) -> None:
    ill, _ = agency.hire(), agency.hire()
    booked(agency, agency.admit(visits=1), ill, NINE)
    repair = propose("absence", AWAY | {"clinician_id": ill.id})
    with pytest.raises(StaleVersion, match="Read it again"), work_as(scheduler, now=SIX) as work:
        approval.approve(work, repair.id, repair.version - 1)


def test_the_rules_are_asked_again_about_the_rows_as_they_are(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any
) -> None:
    """Between proposal and approval the only stand-in's licence turned out to have lapsed."""
    ill, well = agency.hire(), agency.hire()
    booked(agency, agency.admit(visits=1), ill, NINE)
    repair = propose("absence", AWAY | {"clinician_id": ill.id})
    agency.session.get_one(Clinician, well.id).credentials[0].expires_on = date(2026, 11, 1)
    agency.session.commit()
    with pytest.raises(RuleBroken) as refused, work_as(scheduler, now=SIX) as work:
        approval.approve(work, repair.id, repair.version)
    assert {finding.rule for finding in refused.value.findings} == {"CRD-01"}
    assert agency.session.execute(sa.select(TimeOff)).first() is None


def test_some_patients_are_approved_and_the_others_wait_for_a_person(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any
) -> None:
    ill, _ = agency.hire(), agency.hire()
    one, two = agency.admit(visits=1), agency.admit(visits=1)
    first, second = booked(agency, one, ill, NINE), booked(agency, two, ill, ONE)
    repair = propose("absence", AWAY | {"clinician_id": ill.id})
    with pytest.raises(Invalid) as refused, work_as(scheduler, now=SIX) as work:
        approval.approve(work, repair.id, repair.version, [10**9])
    assert refused.value.extra["errors"][0]["pointer"] == "/patient_ids"
    with pytest.raises(Invalid), work_as(scheduler, now=SIX) as work:
        approval.approve(work, repair.id, repair.version, [])
    with work_as(scheduler, now=SIX) as work:
        done = approval.approve(work, repair.id, repair.version, [one.patient.id])
        told = calls.calls(work, done.id)
    now = rows(agency)
    assert now[first.id].clinician_id != ill.id
    assert now[second.id].clinician_id == ill.id
    assert {change.patient_id: change.approved for change in done.changes} == {
        one.patient.id: True, two.patient.id: False
    }  # fmt: skip
    assert [call["patient_id"] for call in told if call["whom"] == "patient"] == [one.patient.id]
    assert agency.session.execute(sa.select(TimeOff)).first() is not None


def test_a_rejected_repair_does_nothing(agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any) -> None:
    ill, _ = agency.hire(), agency.hire()
    visit = booked(agency, agency.admit(visits=1), ill, NINE)
    repair = propose("absence", AWAY | {"clinician_id": ill.id})
    with work_as(scheduler, now=SIX) as work:
        assert approval.reject(work, repair.id, repair.version).status is RepairStatus.REJECTED
    assert rows(agency)[visit.id].clinician_id == ill.id
    assert agency.session.execute(sa.select(TimeOff)).first() is None


def test_what_nobody_can_take_over_says_why_and_is_wanted_again_when_approved(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any
) -> None:
    ill = agency.hire()
    other = agency.hire()
    person = agency.admit(visits=1)
    visit = booked(agency, person, ill, NINE)
    other.credentials[0].expires_on = date(2026, 11, 1)
    week_off = {"starts_at": SIX, "ends_at": datetime(2026, 11, 16, 8, tzinfo=UTC), "clinician_id": ill.id}
    repair = propose("absence", week_off)
    change = change_of(repair, visit)
    assert change.change == "removed"
    said = {number: reason["code"] for reason in change.reasons for number in reason["clinician_ids"]}
    assert said == {ill.id: "no-shift", other.id: "CRD-01"}
    with work_as(scheduler, now=SIX) as work:
        told = calls.calls(work, repair.id)
        assert [(call["whom"], call["messages"][0]["kind"]) for call in told] == [("patient", "visit-open")]
        approval.approve(work, repair.id, repair.version)
    now = rows(agency)[visit.id]
    assert (now.status, now.clinician_id, now.starts_at) == (VisitStatus.PROPOSED, None, None)


def test_what_has_begun_is_never_touched(agency: TestAgency, propose: Propose) -> None:
    ill, _ = agency.hire(), agency.hire()
    begun = booked(agency, agency.admit(visits=1), ill, NINE, status=VisitStatus.IN_PROGRESS, actual_start_at=NINE)
    ahead = booked(agency, agency.admit(visits=1), ill, ONE)
    repair = propose(
        "absence", {"clinician_id": ill.id, "ends_at": EVENING}, now=NINE + timedelta(minutes=10)
    )  # fmt: skip
    assert [change.visit_id for change in repair.changes] == [ahead.id]
    assert begun.id not in {change.visit_id for change in repair.changes}


def test_a_locked_visit_of_who_is_away_waits_for_a_person(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any
) -> None:
    ill, _ = agency.hire(), agency.hire()
    visit = booked(agency, agency.admit(visits=1), ill, NINE, locked=True)
    repair = propose("absence", AWAY | {"clinician_id": ill.id})
    change = change_of(repair, visit)
    assert (change.change, change.reasons[0]["code"]) == ("decide", "visit-locked")
    with work_as(scheduler, now=SIX) as work:
        approval.approve(work, repair.id, repair.version)
    assert rows(agency)[visit.id].clinician_id == ill.id


def test_a_budget_of_nobody_leaves_others_alone_and_the_curve_says_what_one_more_buys(
    agency: TestAgency, propose: Propose
) -> None:
    """The other nurse is full; room is made only by moving somebody to another day."""
    ill, well = agency.hire(), agency.hire(max_visits_per_day=1)
    person, other = agency.admit(visits=1), agency.admit(visits=1)
    visit, stands = booked(agency, person, ill, NINE), booked(agency, other, well, NINE)
    visit.window_from = visit.window_to = MONDAY
    none = propose("absence", AWAY | {"clinician_id": ill.id}, max_patients=0)
    assert [(change.visit_id, change.change) for change in none.changes] == [(visit.id, "removed")]
    curve = {point["max_patients"]: (point["open"], point["patients"]) for point in none.result["curve"]}
    assert (curve[0], curve[1]) == ((1, 0), (0, 1))
    one = propose("absence", AWAY | {"clinician_id": ill.id}, max_patients=1)
    assert change_of(one, visit).clinician_id == well.id
    moved = change_of(one, stands)
    assert (moved.hit, moved.what, moved.cause["code"], moved.cause["visit"]) == (
        False, ["day"], "makes-room", visit.id
    )  # fmt: skip
    assert one.result["touched"]["patients"] == 1
    assert one.result["cost"]["total"] < none.result["cost"]["total"]


def test_a_cancelled_visit_finds_another_day_in_its_week(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any
) -> None:
    nurse = agency.hire()
    visit = booked(agency, agency.admit(visits=1), nurse, NINE, told_patient_at=EVE)
    repair = propose("cancelled", {"visit_id": visit.id})
    change = change_of(repair, visit)
    assert (change.change, "day" in change.what) == ("moved", True)
    with work_as(scheduler, now=SIX) as work:
        approval.approve(work, repair.id, repair.version)
    now = rows(agency)
    fresh = next(row for row in now.values() if row.replaces_id == visit.id)
    assert now[visit.id].status is VisitStatus.CANCELLED
    assert (fresh.status, fresh.starts_at, fresh.clinician_id) == (VisitStatus.BOOKED, change.starts_at, nurse.id)


def test_an_urgent_visit_is_placed_in_time(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any
) -> None:
    nurse = agency.hire()
    booked(agency, agency.admit(visits=1), nurse, NINE)
    urgent = agency.admit(visits=1).visits[0]
    repair = propose("urgent", {"visit_id": urgent.id, "latest_at": ONE})
    change = change_of(repair, urgent)
    assert change.change == "added"
    assert change.starts_at is not None
    assert change.starts_at <= ONE
    with work_as(scheduler, now=SIX) as work:
        approval.approve(work, repair.id, repair.version)
    assert rows(agency)[urgent.id].starts_at == change.starts_at


def test_a_visit_that_runs_long_pushes_whom_it_reaches(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any
) -> None:
    nurse = agency.hire()
    long = booked(agency, agency.admit(visits=1), nurse, NINE, status=VisitStatus.IN_PROGRESS, actual_start_at=NINE)
    soon = booked(agency, agency.admit(visits=1), nurse, ELEVEN, told_patient_at=EVE)
    far = booked(agency, agency.admit(visits=1), nurse, ONE + timedelta(hours=1))
    now = NINE + timedelta(minutes=20)
    repair = propose("overrun", {"visit_id": long.id, "minutes": 90}, now=now)
    change = change_of(repair, soon)
    assert change.starts_at is not None
    assert change.starts_at >= NINE + timedelta(minutes=45 + 90)
    assert {c.visit_id for c in repair.changes} == {soon.id}
    with work_as(scheduler, now=now) as work:
        told = calls.calls(work, repair.id)
        approval.approve(work, repair.id, repair.version)
    assert told[0]["patient_id"] == soon.patient_id
    assert told[0]["messages"][0]["kind"].startswith("new-")
    after = rows(agency)
    assert after[soon.id].starts_at == change.starts_at
    assert (after[long.id].starts_at, after[far.id].starts_at) == (NINE, ONE + timedelta(hours=1))


def test_a_patient_in_hospital_rests_by_whoever_may_hold_the_episode(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any, manager: Any
) -> None:
    nurse = agency.hire()
    person = agency.admit(visits=2)
    visit = booked(agency, person, nurse, NINE)
    repair = propose("hospital", {"patient_id": person.patient.id})
    assert [(change.visit_id, change.change) for change in repair.changes] == [(visit.id, "rests")]
    assert "episode:hold" in service.needs(repair)
    with pytest.raises(Forbidden, match="episode:hold"), work_as(scheduler, now=SIX) as work:
        approval.approve(work, repair.id, repair.version)
    with work_as(manager, now=SIX) as work:
        assert [call["whom"] for call in calls.calls(work, repair.id)] == ["clinician"]
        approval.approve(work, repair.id, repair.version)
    assert {row.status for row in rows(agency).values()} == {VisitStatus.ON_HOLD}
    assert agency.session.scalar(sa.select(Episode.on_hold_since).where(Episode.id == person.episode.id)) == SIX


def test_calls_go_to_the_soonest_patient_first_told_before_untold_then_to_clinicians(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any
) -> None:
    ill, well = agency.hire(), agency.hire()
    third = agency.hire()
    late, told, untold = (agency.admit(visits=1) for _ in range(3))
    booked(agency, late, ill, ONE, told_patient_at=EVE)
    booked(agency, untold, ill, NINE)
    booked(agency, told, well, NINE, told_patient_at=EVE)
    agency.session.flush()
    repair = propose("absence", AWAY | {"clinician_id": ill.id})
    # The other nurse falls ill too: both calls are about nine o'clock.
    both = propose("absence", AWAY | {"clinician_id": well.id})
    with work_as(scheduler, now=SIX) as work:
        first = calls.calls(work, repair.id)
        second = calls.calls(work, both.id)
    assert [call["patient_id"] for call in first if call["whom"] == "patient"] == [untold.patient.id, late.patient.id]
    assert [call["order"] for call in first] == list(range(1, len(first) + 1))
    whom = [call["whom"] for call in first]
    assert whom == sorted(whom, reverse=True)
    assert ill.id not in {call["clinician_id"] for call in first}
    assert second[0]["messages"][0]["kind"].startswith("new-clinician")
    assert {call["clinician_id"] for call in first if call["whom"] == "clinician"} <= {well.id, third.id}


def test_of_two_who_approve_at_once_one_wins(
    agency: TestAgency, propose: Propose, work_as: WorkAs, scheduler: Any
) -> None:
    ill, _ = agency.hire(), agency.hire()
    booked(agency, agency.admit(visits=1), ill, NINE)
    repair = propose("absence", AWAY | {"clinician_id": ill.id})
    answers: list[str] = []
    ready = threading.Barrier(2)

    def decide() -> None:
        ready.wait()
        try:
            with work_as(scheduler, now=SIX) as work:
                answers.append(approval.approve(work, repair.id, repair.version).status.value)
        except Refusal as refusal:
            answers.append(refusal.problem_code)

    threads = [threading.Thread(target=decide) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == ["approved", "repair-decided"]
    assert len(agency.session.execute(sa.select(TimeOff)).all()) == 1
    assert {row.number for row in agency.session.execute(sa.select(RosterVersion)).scalars()} == {1}
