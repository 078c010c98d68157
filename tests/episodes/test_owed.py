"""An episode's papers in the book of deadlines: what they owe, and what they close."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from coordinator.core.errors import Conflict, Forbidden, Invalid
from coordinator.core.work import Work
from coordinator.deadlines.model import Deadline
from coordinator.deadlines.sweep import follow
from coordinator.domain.vocabulary import (
    AbsencePurpose,
    AssessmentKind,
    DischargeStatus,
    Discipline,
    EncounterModality,
    OrderStatus,
    PractitionerType,
    VisitStatus,
)
from coordinator.episodes import service
from coordinator.episodes.model import ComprehensiveAssessment
from coordinator.orders.model import CarePlan
from coordinator.patients import service as patients
from coordinator.rules.discharge import Reason, Step
from tests.builders import make_order, make_visit
from tests.conftest import actor_with
from tests.episodes.conftest import SOC, TODAY, Scene

SECOND_DAY = datetime(2026, 10, 2, 18, tzinfo=UTC)


def book(work: Work) -> dict[tuple[str, str], tuple[date, str]]:
    """Rule and task of every row, with its due day and state."""
    work.session.flush()
    rows = work.session.execute(sa.select(Deadline.rule, Deadline.task, Deadline.due_on, Deadline.status))
    return {(row.rule, row.task): (row.due_on, row.status.value) for row in rows}


def test_an_encounter_is_owed_by_the_thirtieth_day_until_one_serves(scene: Scene) -> None:
    owed = ("F2F-01", "obtain-encounter")
    due = SOC + timedelta(days=30)
    encounter = {
        "modality": EncounterModality.IN_PERSON, "performer_type": PractitionerType.MD,
        "performer_npi": scene.physician.npi, "related_to_primary_reason": True,
    }  # fmt: skip
    with scene.work(now=SECOND_DAY) as work:
        follow(work, scene.branch.id)
        assert book(work)[owed] == (due, "open")
        early = service.record_encounter(work, scene.episode.id, encounter_on=SOC - timedelta(days=91), **encounter)
        assert book(work)[owed] == (due, "open")
        service.correct_encounter(work, early.row.id, reason="typing error", encounter_on=SOC - timedelta(days=9))
        assert book(work)[owed] == (due, "done")


def test_assessments_close_what_they_answer(scene: Scene) -> None:
    owed = ("ASM-01", "comprehensive-assessment")
    with scene.work(now=SECOND_DAY) as work:
        follow(work, scene.branch.id)
        assert book(work)[owed] == (date(2026, 10, 6), "open")
        service.complete_assessment(
            work, scene.episode.id, kind=AssessmentKind.START_OF_CARE, event_on=SOC, completed_on=SOC,
            clinician_id=scene.nurse.id,
        )  # fmt: skip
        assert book(work)[owed][1] == "done"
    with scene.work(now=datetime(2026, 11, 26, 18, tzinfo=UTC)) as work:
        follow(work, scene.branch.id)
        assert book(work)["CERT-02", "recertify"] == (date(2026, 11, 29), "open")
        service.complete_assessment(
            work, scene.episode.id, kind=AssessmentKind.RECERTIFICATION, event_on=date(2026, 11, 26),
            completed_on=date(2026, 11, 26), clinician_id=scene.nurse.id,
        )  # fmt: skip
        assert book(work)["CERT-02", "recertify"] == (date(2026, 11, 29), "done")


def test_summary_and_record_close_what_a_discharge_owes(scene: Scene) -> None:
    with scene.work() as work:
        patients.discharge(work, scene.episode.id, TODAY, "goals_met")
        follow(work, scene.branch.id)
        assert book(work)["DIS-02", "discharge-summary"][1] == "open"
        (made,) = service.discharges(work, scene.episode.id)
        service.record_discharge_step(work, made.row.id, step=Step.SUMMARY, done_on=TODAY)
        after = book(work)
        assert (after["DIS-02", "discharge-summary"][1], after["DIS-02", "close-record"][1]) == ("done", "open")


def test_the_transfer_s_summary_and_assessment_are_owed_and_closed(scene: Scene) -> None:
    """Learned of on the Wednesday before Thanksgiving: the summary is due on Monday."""
    now = datetime(2026, 11, 25, 18, tzinfo=UTC)
    with scene.work(now=now) as work:
        admitted = now - timedelta(hours=30)
        stay = service.record_stay(work, scene.episode.id, left_home_at=admitted, admitted_at=admitted)
        assert book(work)["DIS-02", "transfer-summary"] == (date(2026, 11, 30), "open")
        assert book(work)["ASM-01", "transfer-assessment"] == (date(2026, 11, 26), "open")
        service.send_transfer_summary(work, stay.id)
        service.complete_assessment(
            work, scene.episode.id, kind=AssessmentKind.TRANSFER, event_on=date(2026, 11, 24),
            completed_on=date(2026, 11, 25), clinician_id=scene.nurse.id,
        )  # fmt: skip
        after = book(work)
        assert {after["DIS-02", "transfer-summary"][1], after["ASM-01", "transfer-assessment"][1]} == {"done"}


def test_a_late_start_of_care_assessment_is_an_incident_that_somebody_records(scene: Scene) -> None:
    """Due on 6 October: the next day it is late; completed in time and filed late, it is no incident."""
    late = ("ASM-03", "late-assessment")
    with scene.work(now=datetime(2026, 10, 6, 18, tzinfo=UTC)) as work:
        follow(work, scene.branch.id)
        assert late not in book(work)
    with scene.work(now=datetime(2026, 10, 7, 18, tzinfo=UTC)) as work:
        follow(work, scene.branch.id)
        assert book(work)[late] == (date(2026, 10, 7), "open")
        service.complete_assessment(
            work, scene.episode.id, kind=AssessmentKind.START_OF_CARE, event_on=SOC, completed_on=date(2026, 10, 6),
            clinician_id=scene.nurse.id,
        )  # fmt: skip
        assert book(work)[late][1] == "done"
        filed = work.session.execute(sa.select(ComprehensiveAssessment)).scalar_one()
        filed.completed_on = date(2026, 10, 7)
        follow(work, scene.branch.id)
        assert book(work)[late][1] == "open"  # late after all: it stays until the manager says so
        patients.discharge(work, scene.episode.id, date(2026, 10, 7), "goals_met")
        assert book(work)[late][1] == "open"


def test_a_pattern_of_outings_is_reviewed_once_and_an_assessment_answers_it(scene: Scene) -> None:
    owed = ("HB-02", "review-homebound")
    out = {"purpose": AbsencePurpose.OTHER, "minutes": 90, "taxing_effort": False}
    with scene.work(now=datetime(2026, 11, 7, 18, tzinfo=UTC)) as work:
        service.record_home_absence(work, scene.episode.id, day=date(2026, 11, 2), **out)
        second, _ = service.record_home_absence(work, scene.episode.id, day=date(2026, 11, 4), **out)
        assert book(work)[owed] == (date(2026, 11, 7), "open")
    with scene.work() as work:
        third, _ = service.record_home_absence(work, scene.episode.id, day=date(2026, 11, 6), **out)
        follow(work, scene.branch.id)
        assert book(work)[owed] == (date(2026, 11, 7), "open")  # noticed once
        service.withdraw_home_absence(work, third.id)
        service.withdraw_home_absence(work, second.id)
        assert book(work)[owed][1] == "superseded"
        service.record_home_absence(work, scene.episode.id, day=date(2026, 11, 5), **out)
        assert book(work)[owed] == (TODAY, "open")
        service.assess_homebound(work, scene.episode.id, assessed_on=TODAY, leaves={})
        assert book(work)[owed] == (TODAY, "done")


def test_a_written_notice_stands_until_it_is_delivered(scene: Scene) -> None:
    """Orders end on 29 November. The notice that is written takes the place of the one that was missing."""
    missing, written = ("DIS-04", "noncoverage-notice"), ("DIS-04", "deliver-notice")
    with scene.work(now=datetime(2026, 11, 18, 18, tzinfo=UTC)) as work:
        follow(work, scene.branch.id)
        assert book(work)[missing] == (date(2026, 11, 27), "open")
        planned = service.plan_discharge(work, scene.episode.id, planned_on=date(2026, 11, 20), reason=Reason.GOALS_MET)
        assert book(work)[missing][1] == "superseded"
        assert book(work)[written] == (date(2026, 11, 18), "open")
        (notice, _), *_ = service.notices(work, scene.episode.id)
        service.deliver_notice(work, notice.id, date(2026, 11, 18))
        assert book(work)[written] == (date(2026, 11, 18), "done")
        follow(work, scene.branch.id)
        assert book(work)[missing][1] == "superseded"
        assert planned.row.status is DischargeStatus.PLANNED


@pytest.mark.parametrize(
    ("days", "due"),
    [
        ((), date(2026, 11, 27)),  # nothing is placed: two days before the orders end
        ((date(2026, 11, 26), date(2026, 11, 27)), date(2026, 11, 25)),  # daily: two days before the last visit
        ((date(2026, 11, 20), date(2026, 11, 27)), date(2026, 11, 20)),  # weekly: at the visit before the last
    ],
)
def test_the_notice_is_due_by_the_last_planned_visits(scene: Scene, days: tuple[date, ...], due: date) -> None:
    with scene.work(now=datetime(2026, 11, 18, 18, tzinfo=UTC)) as work:
        for day in days:
            begins = datetime(day.year, day.month, day.day, 18, tzinfo=UTC)
            make_visit(
                work.session, scene.patient, scene.episode, status=VisitStatus.BOOKED, clinician_id=scene.nurse.id,
                window_from=day, window_to=day, starts_at=begins, ends_at=begins + timedelta(minutes=45),
            )  # fmt: skip
        follow(work, scene.branch.id)
        assert book(work)["DIS-04", "noncoverage-notice"] == (due, "open")
        make_visit(work.session, scene.patient, scene.episode, status=VisitStatus.PROPOSED)
        follow(work, scene.branch.id)  # as long as one visit has no day, nobody knows which is the last
        rows = work.session.query(Deadline).filter_by(rule="DIS-04", status="open").all()
        assert [row.due_on for row in rows] == [date(2026, 11, 27)]


def test_a_notice_follows_the_discharge_that_it_tells_of(scene: Scene) -> None:
    written = ("DIS-04", "deliver-notice")
    with scene.work() as work:
        planned = service.plan_discharge(work, scene.episode.id, planned_on=date(2026, 11, 20), reason=Reason.GOALS_MET)
        assert book(work)[written] == (date(2026, 11, 18), "open")
        service.edit_discharge(work, planned.row.id, planned_on=date(2026, 11, 25))
        rows = work.session.query(Deadline).filter_by(task="deliver-notice").order_by(Deadline.due_on).all()
        assert [(row.due_on.day, row.status.value) for row in rows] == [(18, "superseded"), (23, "open")]
        service.withdraw_discharge(work, planned.row.id)
        assert {row.status.value for row in rows} == {"superseded"}
        (notice, said), *_ = service.notices(work, scene.episode.id)
        assert (notice.withdrawn_at, said) == (work.now, ())
        with pytest.raises(Conflict, match="does not come"):
            service.deliver_notice(work, notice.id, TODAY)


def test_an_interval_that_the_practitioner_justifies_keeps_the_plan(scene: Scene) -> None:
    """No covered visit since 1 October: the plan ends on 30 November, or when the practitioner says it may wait."""
    with scene.work(now=datetime(2026, 11, 16, 18, tzinfo=UTC)) as work:
        follow(work, scene.branch.id)
        assert book(work)["CERT-05", "idle-plan"] == (date(2026, 11, 30), "open")
        said = {"said_on": date(2026, 11, 16), "reason": "catheter changed every eight weeks"}
        for wrong in ({"until": date(2027, 1, 16)}, {"until": date(2026, 11, 16)}, {"physician_id": 0}):
            with pytest.raises(Invalid):
                service.justify_interval(
                    work,
                    scene.episode.id,
                    **({"until": date(2026, 12, 20), "physician_id": scene.physician.id} | said | wrong),
                )
        service.justify_interval(
            work, scene.episode.id, until=date(2026, 12, 20), physician_id=scene.physician.id, **said
        )
        assert book(work)["CERT-05", "idle-plan"] == (date(2026, 11, 30), "done")
        assert len(service.intervals(work, scene.episode.id)) == 1
    own = actor_with("physician", physician_id=scene.physician.id)
    with scene.work(own, now=datetime(2026, 12, 5, 18, tzinfo=UTC)) as work:
        with pytest.raises(Forbidden):
            service.justify_interval(
                work, scene.episode.id, until=date(2026, 12, 30), said_on=date(2026, 12, 5), reason="no",
                physician_id=scene.partner.id,
            )  # fmt: skip
        follow(work, scene.branch.id)
        rows = work.session.query(Deadline).filter_by(rule="CERT-05", status="open").all()
        assert [row.due_on for row in rows] == [date(2026, 12, 20)]


def test_the_steps_after_a_discipline_settle_its_end(scene: Scene) -> None:
    owed = ("DIS-03", "discharge-discipline")
    with scene.work() as work:
        plan = work.session.query(CarePlan).one()
        make_order(
            work.session, scene.episode, plan, Discipline.PT, effective_from=SOC, effective_to=date(2026, 11, 8),
            status=OrderStatus.EXPIRED,
        )  # fmt: skip
        follow(work, scene.branch.id)
        assert book(work)[owed] == (date(2026, 11, 10), "open")
        made = service.plan_discharge(work, scene.episode.id, planned_on=date(2026, 11, 8), discipline=Discipline.PT)
        for step in (Step.DISCIPLINE_SUMMARY, Step.PLAN_UPDATED):
            service.record_discharge_step(work, made.row.id, step=step, done_on=TODAY)
        assert book(work)[owed][1] == "open"
        service.record_discharge_step(work, made.row.id, step=Step.WRITTEN_SCHEDULE, done_on=TODAY)
        assert book(work)[owed][1] == "done"
        make_order(
            work.session, scene.episode, plan, Discipline.PT, effective_from=TODAY, effective_to=date(2026, 11, 12),
            status=OrderStatus.EXPIRED,
        )  # fmt: skip
    with scene.work(now=datetime(2026, 11, 13, 18, tzinfo=UTC)) as work:
        follow(work, scene.branch.id)  # another end has steps of its own
        assert book(work)[owed] == (date(2026, 11, 14), "open")
