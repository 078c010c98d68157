"""How a patient, or one discipline, leaves (DIS-01 to DIS-04)."""

from datetime import date, timedelta

import pytest

from coordinator.core.errors import Conflict, Forbidden, Invalid, RuleBroken
from coordinator.domain.events import (
    CoverageNoticeDelivered,
    CoverageNoticeOwed,
    DischargePlanned,
    DischargeStepDone,
    DisciplineDischarged,
    PatientDischarged,
    SummarySent,
)
from coordinator.domain.vocabulary import DischargeStatus, Discipline, NoticeKind, Payer, Programme, Role, VisitStatus
from coordinator.episodes import service
from coordinator.orders import service as orders
from coordinator.orders.model import CarePlan
from coordinator.patients import service as patients
from coordinator.patients.model import Episode, Patient
from coordinator.rules.discharge import REQUIRED, Reason, Step
from coordinator.visits.model import Visit
from tests.builders import make_episode, make_order, make_visit
from tests.conftest import NOW
from tests.episodes.conftest import SOC, TODAY, Scene

PT, HHA = Discipline.PT, Discipline.HHA


def rules_of(findings):
    return [(finding.rule, finding.severity.value) for finding in findings]


def tasks_of(findings):
    return {finding.facts["task"] for finding in findings if finding.severity == "TASK"}


# ------------------------------------------------------------------------------------ the patient


def test_a_discharge_without_a_reason_is_planned_but_not_final(scene: Scene) -> None:
    with scene.work() as work:
        made = service.plan_discharge(work, scene.episode.id, planned_on=TODAY)
        assert rules_of(made.findings) == [("DIS-01", "BLOCK")]
        with pytest.raises(RuleBroken) as refusal:
            service.finalise_discharge(work, made.row.id)
        assert rules_of(refusal.value.findings) == [("DIS-01", "BLOCK")]
        assert work.session.get_one(Episode, scene.episode.id).discharged_on is None


def test_a_discharge_for_cause_is_final_only_with_every_documented_step(scene: Scene) -> None:
    with scene.work() as work:
        made = service.plan_discharge(work, scene.episode.id, planned_on=TODAY, reason=Reason.CAUSE)
        for step in REQUIRED[Reason.CAUSE]:
            with pytest.raises(RuleBroken) as refusal:
                service.finalise_discharge(work, made.row.id)
            assert step.value in tasks_of(refusal.value.findings)
            service.record_discharge_step(work, made.row.id, step=step, done_on=TODAY)
        final = service.finalise_discharge(work, made.row.id)
        assert final.row.status is DischargeStatus.FINAL
        assert tasks_of(final.findings) == {"practitioner_notified", "patient_notified", "summary", "record"}
        (left,) = scene.ears.of(PatientDischarged)
        assert (left.on, left.reason) == (TODAY, "cause")


def test_the_short_way_out_refuses_cause_without_steps_as_well(scene: Scene) -> None:
    with scene.work() as work:
        with pytest.raises(RuleBroken) as refusal:
            patients.discharge(work, scene.episode.id, TODAY, "cause")
        assert refusal.value.problem_code == "discharge-not-documented"
        assert scene.ears.of(PatientDischarged) == []


def test_whoever_leaves_by_the_short_way_owes_summary_and_record_too(scene: Scene) -> None:
    with scene.work() as work:
        patients.discharge(work, scene.episode.id, TODAY, "goals_met")
        (made,) = service.discharges(work, scene.episode.id)
        assert (made.row.status, made.row.reason) == (DischargeStatus.FINAL, "goals_met")
        assert {"summary", "record", "practitioner_agreed"} <= tasks_of(made.findings)
        service.record_discharge_step(work, made.row.id, step=Step.SUMMARY, done_on=TODAY)
        assert [event.kind for event in scene.ears.of(SummarySent)] == ["discharge"]
        assert [event.step for event in scene.ears.of(DischargeStepDone)] == ["summary"]
        (made,) = service.discharges(work, scene.episode.id)
        assert "summary" not in tasks_of(made.findings)


def test_a_death_ends_what_was_planned_otherwise(scene: Scene) -> None:
    with scene.work() as work:
        planned = service.plan_discharge(work, scene.episode.id, planned_on=TODAY + timedelta(days=3),
                                         reason=Reason.GOALS_MET)  # fmt: skip
        other = service.plan_discharge(work, scene.episode.id, planned_on=TODAY, discipline=PT)
        patients.edit(work, scene.patient.id, deceased_on=TODAY)
        assert (planned.row.reason, planned.row.planned_on) == ("death", TODAY)
        assert other.row.status is DischargeStatus.WITHDRAWN


def test_summary_and_record_follow_the_discharge_and_no_step_lies_ahead(scene: Scene) -> None:
    with scene.work() as work:
        made = service.plan_discharge(work, scene.episode.id, planned_on=TODAY, reason=Reason.GOALS_MET)
        with pytest.raises(Conflict, match="follow the discharge"):
            service.record_discharge_step(work, made.row.id, step=Step.SUMMARY, done_on=TODAY)
        with pytest.raises(Invalid, match="not ahead"):
            service.record_discharge_step(
                work, made.row.id, step=Step.PRACTITIONER_NOTIFIED, done_on=TODAY + timedelta(days=1)
            )
        assert made.row.steps == {}


def test_a_planned_discharge_may_move_or_be_withdrawn_and_there_is_one_at_a_time(scene: Scene) -> None:
    with scene.work() as work:
        made = service.plan_discharge(work, scene.episode.id, planned_on=TODAY + timedelta(days=7))
        with pytest.raises(Conflict, match="planned already"):
            service.plan_discharge(work, scene.episode.id, planned_on=TODAY)
        with pytest.raises(Invalid, match="before care began"):
            service.edit_discharge(work, made.row.id, planned_on=SOC - timedelta(days=1))
        service.edit_discharge(work, made.row.id, reason=Reason.PATIENT_ELECTED)
        with pytest.raises(Invalid, match="its day has come"):
            service.finalise_discharge(work, made.row.id)
        service.withdraw_discharge(work, made.row.id)
        with pytest.raises(Conflict, match="final or withdrawn"):
            service.edit_discharge(work, made.row.id, planned_on=TODAY)
        assert len(scene.ears.of(DischargePlanned)) == 1


def test_a_nurse_plans_and_does_not_make_it_final(scene: Scene) -> None:
    with scene.work() as work:
        made = service.plan_discharge(work, scene.episode.id, planned_on=TODAY, reason=Reason.GOALS_MET)
    with scene.work(scene.office(Role.SCHEDULER)) as work, pytest.raises(Forbidden):
        service.finalise_discharge(work, made.row.id)


# ------------------------------------------------------------------------------------ one discipline


@pytest.fixture
def in_therapy(scene: Scene):
    """Physical therapy is ordered beside the nurse, and an aide is booked twice."""
    with scene.work() as work:
        plan = work.session.query(CarePlan).filter_by(episode_id=scene.episode.id).one()
        order = make_order(work.session, scene.episode, plan, PT, effective_from=SOC, effective_to=date(2026, 11, 29))
        aide = make_order(work.session, scene.episode, plan, HHA, effective_from=SOC, effective_to=date(2026, 11, 29))
        visit = make_visit(
            work.session, scene.patient, scene.episode, discipline=HHA, order_id=aide.id, clinician_id=scene.aide.id,
            status=VisitStatus.BOOKED, starts_at=NOW + timedelta(days=2), ends_at=NOW + timedelta(days=2, hours=1),
        )  # fmt: skip
        return order.id, visit.id


def test_a_discipline_ends_with_its_order_and_a_practitioner_who_knows(scene: Scene, in_therapy) -> None:
    order_id, _ = in_therapy
    with scene.work() as work:
        made = service.plan_discharge(work, scene.episode.id, planned_on=TODAY, discipline=PT)
        with pytest.raises(RuleBroken) as refusal:
            service.finalise_discharge(work, made.row.id)
        assert rules_of(refusal.value.refusing) == [("DIS-03", "BLOCK"), ("DIS-03", "BLOCK")]
        orders.discontinue(work, order_id, last_day=TODAY, reason="goals met")
        service.record_discharge_step(work, made.row.id, step=Step.PRACTITIONER_NOTIFIED, done_on=TODAY)
        final = service.finalise_discharge(work, made.row.id)
        assert tasks_of(final.findings) == {"discipline_summary", "plan_updated", "written_schedule"}
        assert {finding.due for finding in final.findings} == {TODAY + timedelta(days=2)}
        (ended,) = scene.ears.of(DisciplineDischarged)
        assert (ended.discipline, ended.on) == ("PT", TODAY)
        assert work.session.get_one(Episode, scene.episode.id).discharged_on is None


@pytest.mark.parametrize("nursing", [True, False])
def test_what_depends_on_a_skilled_service_is_asked_again_when_one_ends(
    scene: Scene, in_therapy, nursing: bool
) -> None:
    """While the nurse still comes the aide does too; without her nothing carries the aide's visit."""
    order_id, visit_id = in_therapy
    with scene.work() as work:
        made = service.plan_discharge(work, scene.episode.id, planned_on=TODAY, discipline=PT)
        service.record_discharge_step(work, made.row.id, step=Step.PRACTITIONER_NOTIFIED, done_on=TODAY)
        orders.discontinue(work, order_id, last_day=TODAY, reason="goals met")
        if not nursing:
            (nurse,) = orders.live_orders(work, scene.patient.id, Discipline.SN, TODAY)
            orders.discontinue(work, nurse.id, last_day=TODAY, reason="no need")
        service.finalise_discharge(work, made.row.id)
        visit = work.session.get_one(Visit, visit_id)
        assert ("QUAL-02" in visit.warnings) is not nursing


# ------------------------------------------------------------------------------------ notices


def test_under_medicare_a_planned_end_owes_the_notice_two_days_before(scene: Scene) -> None:
    with scene.work() as work:
        service.plan_discharge(work, scene.episode.id, planned_on=date(2026, 12, 11), reason=Reason.GOALS_MET)
        (owed,) = scene.ears.of(CoverageNoticeOwed)
        assert (owed.kind, owed.due_on) == ("NOMNC", date(2026, 12, 9))
        service.deliver_notice(work, owed.notice_id, TODAY)
        ((row, findings),) = service.notices(work, scene.episode.id)
        assert (row.delivered_on, findings) == (TODAY, ())
        assert len(scene.ears.of(CoverageNoticeDelivered)) == 1
        with pytest.raises(Conflict):
            service.deliver_notice(work, owed.notice_id, TODAY)


def test_one_discipline_s_end_owes_the_change_of_care_notice_and_other_payers_none(scene: Scene) -> None:
    with scene.work() as work:
        service.plan_discharge(work, scene.episode.id, planned_on=TODAY, discipline=PT)
        patient = work.session.get_one(Patient, scene.patient.id)
        kaiser = make_episode(
            work.session,
            patient,
            soc=SOC,
            programme=Programme.KP_HBPC,
            payer=Payer.KP,
        )
        service.plan_discharge(work, kaiser.id, planned_on=TODAY, reason=Reason.GOALS_MET)
        assert [event.kind for event in scene.ears.of(CoverageNoticeOwed)] == ["HHCCN"]


def test_a_notice_that_names_a_range_is_refused(scene: Scene) -> None:
    with scene.work() as work:
        given = {"kind": NoticeKind.HHCCN, "last_covered_on": date(2026, 12, 11), "discipline": PT}
        with pytest.raises(RuleBroken) as refusal:
            service.write_notice(work, scene.episode.id, frequency="1-2w4", **given)
        assert rules_of(refusal.value.findings) == [("DIS-04", "BLOCK")]
        row = service.write_notice(
            work, scene.episode.id, frequency="1w4", next_to_last_visit_on=date(2026, 12, 4), **given
        )
        assert row.due_on == date(2026, 12, 4)
