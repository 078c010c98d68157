"""The eight criteria: answers are added, never changed, and follow from their facts (ELG-00, ELG-2, HB-01, HB-03)."""

from datetime import date, timedelta

import pytest

from coordinator.core.errors import Conflict, Forbidden, Invalid, NotFound, RuleBroken
from coordinator.core.work import Work
from coordinator.deadlines.model import Deadline
from coordinator.domain.vocabulary import Criterion, Determination, Eligibility, Payer, PractitionerType, Programme
from coordinator.patients.model import Episode
from coordinator.referrals import service
from tests.builders import make_physician
from tests.conftest import WorkAs, actor_with
from tests.referrals.kit import NEED, TOLD, Scene, homebound_facts, judge, receive

MET, NOT_MET, UNKNOWN = Determination.MET, Determination.NOT_MET, Determination.UNKNOWN


def _determine(work: Work, referral_id: int, criterion: Criterion, result: Determination | None, **more):
    return service.determine(work, referral_id, criterion, result, more.pop("evidence", "seen"), **more)


def test_eligible_is_all_eight_met(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        assert service.eligibility(work, referral.id).unknown == tuple(Criterion)
        judge(work, scene, referral, Criterion.SAFE_HOME)
        assert service.eligibility(work, referral.id).status is Eligibility.PENDING
        _determine(work, referral.id, Criterion.SAFE_HOME, NOT_MET)
        assert service.eligibility(work, referral.id).status is Eligibility.INELIGIBLE
        _determine(work, referral.id, Criterion.SAFE_HOME, MET)
        assert service.eligibility(work, referral.id).status is Eligibility.ELIGIBLE


def test_answers_are_added_and_the_newest_holds(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        _determine(work, referral.id, Criterion.MEMBER, NOT_MET, evidence="card expired")
        _determine(work, referral.id, Criterion.MEMBER, MET, evidence="new card")
        assert [row.result for row in referral.determinations] == [NOT_MET, MET]
        assert {row.determined_by_id for row in referral.determinations} == {scene.intake.user_id}
        assert service.eligibility(work, referral.id).not_met == ()


def test_a_programme_without_criteria_asks_for_none(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene, programme=Programme.MEDICARE_HH, payer=Payer.MEDICARE)
        assert service.eligibility(work, referral.id).status is Eligibility.ELIGIBLE
        with pytest.raises(Invalid):
            _determine(work, referral.id, Criterion.MEMBER, MET)


@pytest.mark.parametrize(
    ("facts", "result"),
    [
        (NEED, MET),
        (NEED | {"desires_home_care": False}, NOT_MET),
        (NEED | {"symptom_needs": []}, NOT_MET),
        (NEED | {"symptom_needs": None}, UNKNOWN),
        (NEED | {"progressive_advanced": None}, UNKNOWN),
    ],
)
def test_condition_need_and_desire_are_three_parts(
    work_as: WorkAs, scene: Scene, facts: dict, result: Determination
) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        assert _determine(work, referral.id, Criterion.CONDITION_NEED_DESIRE, None, facts=facts).result is result


@pytest.mark.parametrize(
    ("change", "result"),
    [
        ({}, MET),
        # A bare check box is no evidence.
        ({"narratives": {}}, UNKNOWN),
        # Walker and effort, but no normal inability: HB-01 example.
        ({"homebound": dict.fromkeys(TOLD, True) | {"normal_inability_to_leave": False}}, NOT_MET),
        ({"certified": None, "certified_by": None, "certification": None}, UNKNOWN),
        ({"certified": False}, NOT_MET),
    ],
)
def test_homebound_is_six_leaves_with_words_and_a_certification(
    work_as: WorkAs, scene: Scene, change: dict, result: Determination
) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        facts = homebound_facts(scene) | change
        assert _determine(work, referral.id, Criterion.HOMEBOUND, None, facts=facts).result is result


def test_what_is_met_and_leaves_something_to_do_is_on_the_checklist(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        assert service.checklist(work, referral.id).findings == ()
        _determine(
            work, referral.id, Criterion.HOMEBOUND, None, facts=homebound_facts(scene) | {"certification": "verbal"}
        )
        directed = {"managing_physician": True, "affiliated": True}
        _determine(work, referral.id, Criterion.DIRECTED, None, facts=directed | {"outside_orders": 2})
        said = service.checklist(work, referral.id).findings
        assert [(finding.rule, finding.severity.value) for finding in said] == [
            ("ELG-4", "HOLD-BILL"), ("ELG-8", "WARN"), ("ELG-8", "TASK"),
        ]  # fmt: skip
        assert said[-1].owner == "intake"
        _determine(
            work, referral.id, Criterion.HOMEBOUND, None, facts=homebound_facts(scene) | {"certification": "signed"}
        )
        _determine(work, referral.id, Criterion.DIRECTED, None, facts=directed)
        assert service.checklist(work, referral.id).findings == ()


def test_a_result_that_contradicts_its_facts_is_refused(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        with pytest.raises(RuleBroken) as refused:
            _determine(
                work, referral.id, Criterion.CONDITION_NEED_DESIRE, MET, facts=NEED | {"desires_home_care": False}
            )
        assert [finding.rule for finding in refused.value.findings] == ["ELG-2"]
        assert referral.determinations == []


@pytest.mark.parametrize("criterion", [Criterion.CONDITION_NEED_DESIRE, Criterion.HOMEBOUND])
def test_met_without_the_parts_is_refused(work_as: WorkAs, scene: Scene, criterion: Criterion) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        with pytest.raises(RuleBroken) as refused:
            _determine(work, referral.id, criterion, MET)
        assert refused.value.problem_code == "determination-without-facts"


def test_only_practitioners_whom_the_programme_accepts_certify(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        nurse = make_physician(work.session, practitioner_type=PractitionerType.NP)
        referral = receive(work, scene)
        with pytest.raises(RuleBroken) as refused:
            _determine(
                work, referral.id, Criterion.HOMEBOUND, None, facts=homebound_facts(scene) | {"certified_by": nurse.id}
            )
        assert [finding.rule for finding in refused.value.findings] == ["HB-03"]


@pytest.mark.parametrize(
    ("criterion", "facts", "pointer"),
    [
        (Criterion.HOMEBOUND, {"homebound": {"walks": True}}, "/facts/homebound/walks"),
        (Criterion.HOMEBOUND, {"homebound": {"needs_another_person": "yes"}}, "/facts/homebound/needs_another_person"),
        (Criterion.HOMEBOUND, {"certified": True}, "/facts/certified_by"),
        (Criterion.CONDITION_NEED_DESIRE, {"symptom_needs": ["BOREDOM"]}, "/facts/symptom_needs"),
        (Criterion.CONDITION_NEED_DESIRE, {"symptom_needs": ["OTHER"]}, "/facts/narratives/symptom_needs"),
        (Criterion.SAFE_HOME, {"safety": "cosy"}, "/facts/safety"),
        (Criterion.WILLING, {"caregivers": [1]}, "/facts/caregivers"),
        (Criterion.DIRECTED, {"outside_orders": -1}, "/facts/outside_orders"),
        (Criterion.MEMBER, {"surprise": True}, "/facts/surprise"),
        (Criterion.REFERRED, {"referrer_type": ["MD"]}, "/facts/referrer_type"),
    ],
)
def test_facts_are_checked_to_the_letter(
    work_as: WorkAs, scene: Scene, criterion: Criterion, facts: dict, pointer: str
) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        with pytest.raises(Invalid) as refused:
            _determine(work, referral.id, criterion, None, facts=facts)
        assert refused.value.extra["errors"][0]["pointer"] == pointer


def test_an_answer_holds_from_today_or_earlier_and_has_evidence_and_a_name(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        for wrong in (
            {"effective_from": date(2026, 11, 10)},
            {"review_on": date(2026, 11, 8)},
            {"evidence": "  "},
        ):
            with pytest.raises(Invalid):
                _determine(work, referral.id, Criterion.MEMBER, MET, **wrong)
        assert _determine(work, referral.id, Criterion.MEMBER, MET).effective_from == date(2026, 11, 9)
    with work_as(actor_with("intake", branch_ids=frozenset({scene.branch_id}))) as work, pytest.raises(Invalid):
        _determine(work, referral.id, Criterion.MEMBER, MET)


def test_who_may_answer_and_whose(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral_id = receive(work, scene).id
    with work_as(scene.scheduler) as work, pytest.raises(Forbidden):
        _determine(work, referral_id, Criterion.MEMBER, MET)
    with work_as(scene.stranger) as work, pytest.raises(NotFound):
        _determine(work, referral_id, Criterion.MEMBER, MET)


def test_the_records_suggest_and_a_person_records(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        suggested = {one.criterion: one for one in service.suggest_determinations(work, referral.id)}
        assert {criterion: one.result for criterion, one in suggested.items()} == {
            Criterion.MEMBER: MET,
            Criterion.SERVICE_AREA: MET,
            Criterion.REFERRED: MET,
        }
        assert referral.determinations == []
        for one in suggested.values():
            assert _determine(work, referral.id, one.criterion, None, facts=one.facts).result is MET


def test_the_records_suggest_a_no_and_do_not_know(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        elsewhere = receive(
            work, scene, zip="90210", payer=Payer.MEDICARE, practitioner_type=PractitionerType.NP, practitioner_npi=None
        )
        assert {one.criterion: one.result for one in service.suggest_determinations(work, elsewhere.id)} == {
            Criterion.MEMBER: NOT_MET,
            Criterion.SERVICE_AREA: NOT_MET,
            Criterion.REFERRED: NOT_MET,
        }
        empty = service.receive(work, scene.branch_id, Programme.KP_HBPC, work.now)
        assert {one.result for one in service.suggest_determinations(work, empty.id)} == {UNKNOWN}


def test_after_acceptance_the_episode_carries_the_answer_and_a_loss_is_the_managers(
    work_as: WorkAs, scene: Scene
) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        judge(work, scene, referral, Criterion.SAFE_HOME)
        patient = service.accept(work, referral.id)
        (episode,) = patient.episodes
        assert episode.eligibility == "pending"
        _determine(work, referral.id, Criterion.SAFE_HOME, MET)
        assert episode.eligibility == "eligible"
    # Tuesday evening: the next business day is Thursday, for Wednesday is Veterans Day.
    with work_as(scene.manager, now=work.now + timedelta(days=1)) as work:
        _determine(work, referral.id, Criterion.WILLING, NOT_MET)
        assert work.session.get_one(Episode, episode.id).eligibility == "ineligible"
        lost = work.session.query(Deadline).filter_by(rule="ELG-00").one()
        assert (lost.due_on, lost.owner_role, lost.status.value) == (date(2026, 11, 12), "clinical_manager", "open")
        assert lost.patient_id == patient.id
        _determine(work, referral.id, Criterion.WILLING, MET)
        assert lost.status.value == "done"


def test_a_closed_referral_is_judged_no_more(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        service.withdraw(work, referral.id, "taken back")
        with pytest.raises(Conflict):
            _determine(work, referral.id, Criterion.MEMBER, MET)
