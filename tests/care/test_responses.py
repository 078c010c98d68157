"""What scores lead to: a visit inside the order's limit or a question to the physician, safety first, scores after."""

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.care import assessments, proposals, safety, treatments
from coordinator.care.response_model import SafetyProtocol, SymptomTreatment, VisitProposal
from coordinator.core.db import Database
from coordinator.core.errors import Conflict, Forbidden, Invalid, NotFound, RuleBroken
from coordinator.core.http import Coordinator
from coordinator.domain.care import ProposalStatus, SafetyOutcome, SafetyStep
from coordinator.domain.vocabulary import DeadlineStatus, Discipline, OrderStatus, Role, VisitKind
from coordinator.notify.model import Notice
from coordinator.orders.model import Order
from coordinator.patients.model import Episode
from coordinator.staff.model import Physician
from coordinator.visits.model import Visit
from tests import builders
from tests.care.conftest import SOC, TODAY, TUESDAY, Scene, owed
from tests.care.test_assessments import CALM, ESAS, PHQ_9
from tests.conftest import WorkAs
from tests.people import at, browser, pointers


@pytest.fixture
def order(database: Database, scene: Scene) -> int:
    """A nursing order of the patient with two as-needed visits, which names morphine."""
    with database.transaction() as session:
        episode = session.get_one(Episode, scene.episode)
        plan = builders.make_care_plan(session, episode, session.get_one(Physician, scene.physician))
        made = builders.make_order(
            session, episode, plan, frequency="2w4 +2 PRN for pain", effective_from=SOC, prn_limit=2,
            prn_signs="pain", treatments=["assessment", "morphine"], certification_number=1,
            weeks=((date(2026, 11, 8), date(2026, 11, 14), 2, 2),),
        )  # fmt: skip
        return int(made.id)


def waiting(work: Any, scene: Scene) -> list[VisitProposal]:
    return list(work.session.execute(proposals.search(work, scene.patient, waiting=True)).scalars())


def test_pain_that_rises_from_four_to_eight_proposes_a_visit_inside_the_limit_and_the_physician_knows(
    scene: Scene, order: int, work_as: WorkAs
) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY - timedelta(days=1)) as work:
        assessments.record(work, scene.patient, instrument=ESAS, answers=CALM | {"pain": 4})
        assert waiting(work, scene) == []  # moderate and not risen: rated again in two days
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        assessments.record(work, scene.patient, instrument=ESAS, answers=CALM | {"pain": 8})
        (one,) = waiting(work, scene)
        assert (one.status, one.discipline, one.because) == (ProposalStatus.PROPOSED, Discipline.SN, ["pain"])
        assert (one.order_id, one.left) == (order, 2)
        assert ("answer-proposal", TODAY) in owed(work, "INS-02", proposals=True)
        assessments.record(work, scene.patient, instrument=ESAS, answers=CALM | {"pain": 9})
        assert waiting(work, scene) == [one]  # what waits already is not asked for twice
        told = work.session.execute(sa.select(Notice.kind).where(Notice.user_id == scene.users["physician"].id))
        assert "visit.proposed" in set(told.scalars())
        proposals.accept(work, one.id)
        visit = work.session.get_one(Visit, one.visit_id)
        assert (visit.kind, visit.order_id, visit.prn_number, visit.prn_trigger) == (
            VisitKind.PRN, order, 1, "Scores: pain",
        )  # fmt: skip
        assert "answer-proposal" not in [task for task, _ in owed(work, "INS-02", proposals=True)]
        with pytest.raises(Conflict):
            proposals.decline(work, one.id, "too late")
        trend = assessments.trend(work, scene.patient, ESAS)
        assert (trend.change["pain"], trend.direction["pain"], trend.direction["nausea"]) == (1, "worse", "same")


def test_beyond_the_limit_the_physician_is_asked_and_an_order_answers(
    database: Database, scene: Scene, order: int, work_as: WorkAs
) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        for left in (2, 1):
            assessments.record(work, scene.patient, instrument=ESAS, answers=CALM | {"pain": 8})
            (one,) = waiting(work, scene)
            assert one.left == left
            proposals.accept(work, one.id)
        assessments.record(work, scene.patient, instrument=ESAS, answers=CALM | {"pain": 9})
        (second,) = waiting(work, scene)
        assert (second.status, second.order_id, second.physician_id) == (ProposalStatus.ASKED, None, scene.physician)
        assert ("ask-for-order", TODAY) in owed(work, "INS-02", proposals=True)
        told = work.session.execute(sa.select(Notice.kind).where(Notice.user_id == scene.users["physician"].id))
        assert "visit.asked" in set(told.scalars())
        with pytest.raises(Conflict):
            proposals.accept(work, second.id)
    with database.transaction() as session:
        old = session.get_one(Order, order)
        episode = session.get_one(Episode, scene.episode)
        values = {"plan": old.care_plan_id}
        made = {
            status: Order(
                patient_id=scene.patient, episode_id=episode.id, care_plan_id=values["plan"], discipline=Discipline.SN,
                status=status, effective_from=TODAY, effective_to=TODAY + timedelta(days=9), visit_minutes=45,
                physician_id=scene.physician, prn_limit=limit, treatments=[], required_skills=[], visits_per_day=1,
            )
            for status, limit in ((OrderStatus.DRAFT, 2), (OrderStatus.ACTIVE_SIGNED, 2))
        }  # fmt: skip
        session.add_all(made.values())
        session.flush()
        draft, live = made[OrderStatus.DRAFT].id, made[OrderStatus.ACTIVE_SIGNED].id
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        with pytest.raises(Conflict, match="signed first"):
            proposals.answer(work, second.id, draft)
        answered = proposals.answer(work, second.id, live)
        assert (answered.status, answered.order_id, answered.left) == (ProposalStatus.PROPOSED, live, 2)
        assert "ask-for-order" not in [task for task, _ in owed(work, "INS-02", proposals=True)]
        with pytest.raises(Invalid):
            proposals.decline(work, second.id, "  ")
        assert proposals.decline(work, second.id, "Settled by telephone").status is ProposalStatus.DECLINED


def test_answers_in_error_take_their_proposal_and_their_protocol_with_them(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        severe = assessments.record(work, scene.patient, instrument=ESAS, answers=CALM | {"pain": 9})
        harm = assessments.record(work, scene.patient, instrument=PHQ_9, answers={"self_harm": 1})
        for row in (severe, harm):
            assessments.withdraw(work, row.id, "another patient's")
        assert waiting(work, scene) == []
        (protocol,) = work.session.execute(safety.search(work, scene.patient)).scalars().all()
        assert protocol.outcome is SafetyOutcome.ENTERED_IN_ERROR
        assert owed(work, "INS-05") == []


def test_a_safety_protocol_is_told_at_once_and_ends_with_its_steps_and_an_outcome(
    scene: Scene, work_as: WorkAs
) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        assessments.record(work, scene.patient, instrument=PHQ_9, answers={"self_harm": 1})
        (protocol,) = work.session.execute(safety.search(work, scene.patient)).scalars().all()
        told = work.session.execute(sa.select(Notice.role, Notice.user_id).where(Notice.kind == "safety.opened"))
        assert sorted(told.all(), key=str) == sorted(
            [("clinical_manager", None), (None, scene.users["physician"].id)], key=str
        )
        with pytest.raises(RuleBroken) as refusal:
            safety.close(work, protocol.id, None)
        lacking = [finding.facts["missing"] for finding in refusal.value.findings]
        assert lacking == ["outcome", "asked_about_risk", "practitioner_told", "crisis_line_offered"]
        for step in ("asked_about_risk", "practitioner_told", "crisis_line_offered"):
            safety.take_step(work, protocol.id, SafetyStep(step))
        with pytest.raises(Conflict):
            safety.take_step(work, protocol.id, SafetyStep.ASKED_ABOUT_RISK)
        with pytest.raises(RuleBroken):
            safety.close(work, protocol.id, None)
        assert owed(work, "INS-05") == [("safety-protocol", TODAY)]
        closed = safety.close(work, protocol.id, SafetyOutcome.SAFETY_PLAN_AGREED, "Daughter stays")
        assert closed.closed_by == scene.users["rn"].id
        assert owed(work, "INS-05", DeadlineStatus.DONE) == [("safety-protocol", TODAY)]
        with pytest.raises(Conflict):
            safety.take_step(work, protocol.id, SafetyStep.FAMILY_TOLD)
    with work_as(scene.actor("pt"), now=TUESDAY) as work:
        assert work.session.execute(safety.search(work, scene.patient)).scalars().all() == []
        with pytest.raises(Forbidden):
            safety.get(work, protocol.id)
        with pytest.raises(NotFound):
            safety.get(work, 10**9)


def test_a_treatment_needs_a_live_order_that_names_it_and_a_score_after(
    scene: Scene, order: int, work_as: WorkAs
) -> None:
    given: dict[str, Any] = {"order_id": order, "treatment": "morphine", "symptom": "pain", "score_before": 8}
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        for wrong, said in (
            ({"order_id": 10**9}, "no treatment may be given"),
            ({"treatment": "oxygen"}, "does not name"),
            ({"given_at": TUESDAY - timedelta(days=20)}, "does not hold"),
        ):
            with pytest.raises(RuleBroken) as refusal:
                treatments.give(work, scene.patient, **given | wrong)
            assert [finding.rule for finding in refusal.value.findings] == ["ORD-01"]
            assert said in refusal.value.findings[0].sentence()
        for unsound in ({"symptom": "soul"}, {"score_before": 11}, {"given_at": TUESDAY + timedelta(hours=1)}):
            with pytest.raises(Invalid):
                treatments.give(work, scene.patient, **given | unsound)
        assert work.session.execute(sa.select(sa.func.count(SymptomTreatment.id))).scalar() == 0
        row = treatments.give(work, scene.patient, **given)
        assert row.score_due_at == TUESDAY + timedelta(minutes=60)
        assert owed(work, "INS-02") == [("score-after-treatment", TODAY)]
        with pytest.raises(Invalid):
            treatments.score_after(work, row.id, 3, scored_at=TUESDAY - timedelta(minutes=1))
        scored = treatments.score_after(work, row.id, 3)
        assert scored.change == -5
        assert owed(work, "INS-02") == []
        with pytest.raises(Conflict):
            treatments.score_after(work, row.id, 2)
    for who, refused in (("pt", RuleBroken), ("chha", Forbidden), ("scheduler", Forbidden)):
        with work_as(scene.actor(who), now=TUESDAY) as work, pytest.raises(refused):
            treatments.give(work, scene.patient, **given)


def test_over_http(app: Coordinator, database: Database, scene: Scene, order: int) -> None:
    with at(TUESDAY):
        nurse = browser(app, database, Role.CLINICIAN, clinician_id=scene.people["rn"])
        manager = browser(app, database, Role.CLINICAL_MANAGER, branch_ids=[scene.branch])
        clerk = browser(app, database, Role.SCHEDULER, branch_ids=[scene.branch])
        made = nurse.post(
            f"/patients/{scene.patient}/assessments", {"instrument": "ESAS-r", "answers": CALM | {"pain": 8}}
        )
        assert made.status_code == 201
        listed = f"/patients/{scene.patient}/visit-proposals"
        assert clerk.get(listed).status_code == 403
        (one,) = nurse.get(f"{listed}?waiting=true").json["items"]
        path = f"/visit-proposals/{one['id']}"
        assert nurse.post(f"{path}/accept").status_code == 428
        assert pointers(nurse.post(f"{path}/decline", {"reason": ""})) == {"/reason"}
        accepted = nurse.change("POST", f"{path}/accept", {"signs": "Pain is not controlled"}, of=path)
        assert (accepted.status_code, accepted.json["status"]) == (200, "accepted"), accepted.json
        nurse.post(f"/patients/{scene.patient}/assessments", {"instrument": "PHQ-9", "answers": {"self_harm": 2}})
        (protocol,) = manager.get(f"/patients/{scene.patient}/safety-protocols").json["items"]
        path = f"/safety-protocols/{protocol['id']}"
        refused = manager.change("POST", f"{path}/close", {"outcome": "no_present_risk"}, of=path)
        assert (refused.status_code, {one["rule"] for one in refused.json["findings"]}) == (422, {"INS-05"})
        assert manager.post(f"{path}/steps", {"step": "hoped"}).status_code == 422
        for step in protocol["needed"]:
            assert manager.post(f"{path}/steps", {"step": step}).status_code == 201
        closed = manager.change("POST", f"{path}/close", {"outcome": "no_present_risk"}, of=path)
        assert (closed.status_code, closed.json["outcome"]) == (200, "no_present_risk"), closed.json
        given = {"order_id": order, "treatment": "morphine", "symptom": "pain", "score_before": 8}
        assert pointers(nurse.post(f"/patients/{scene.patient}/treatments", given | {"score_before": 11})) == {
            "/score_before"
        }
        row = nurse.post(f"/patients/{scene.patient}/treatments", given)
        assert (row.status_code, row.json["activity"]) == (201, "administer_treatment"), row.json
        path = f"/treatments/{row.json['id']}"
        scored = nurse.change("POST", f"{path}/score", {"score": 3}, of=path)
        assert (scored.json["change"], scored.json["score_after"]) == (-5, 3)
        assert len(nurse.get(f"/patients/{scene.patient}/treatments").json["items"]) == 1
    with database.transaction() as session:
        assert session.execute(sa.select(sa.func.count(SafetyProtocol.id))).scalar() == 1
