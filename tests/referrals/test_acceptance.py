"""Accepting and closing: all of it or nothing, nobody twice, and never without somewhere else to turn to (REF-03)."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from coordinator.agency.model import Branch
from coordinator.core.db import Database
from coordinator.core.errors import Conflict, Forbidden, Invalid, NotFound, Refusal, RuleBroken
from coordinator.deadlines.model import Deadline
from coordinator.domain import events
from coordinator.domain.vocabulary import (
    Criterion,
    Determination,
    HomeSafety,
    Payer,
    ReferralDeclineReason,
    ReferralStatus,
    VisitStatus,
)
from coordinator.notify.model import Notice
from coordinator.orders import plans
from coordinator.orders.model import CarePlan
from coordinator.patients import service as patients
from coordinator.patients.model import Episode, Patient
from coordinator.referrals import service
from coordinator.referrals.model import Referral
from coordinator.visits.model import Visit
from tests.builders import NPIS, make_clinician, make_user
from tests.conftest import NOW, WorkAs, actor_with
from tests.referrals.kit import OPEN_AT_THE_DOOR, Scene, homebound_facts, judge, receive


def _count(work, row) -> int:
    return work.session.execute(sa.select(sa.func.count()).select_from(row)).scalar_one()


def test_an_accepted_referral_is_a_patient_an_episode_and_a_plan(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        heard: list[events.Event] = []
        work.handlers = {**work.handlers, events.ReferralAccepted: (lambda _, event: heard.append(event),)}
        referral = receive(work, scene)
        judge(work, scene, referral)
        patient = service.accept(work, referral.id)
        assert (referral.status, referral.patient_id, referral.decided_at) == (
            ReferralStatus.ACCEPTED, patient.id, NOW,
        )  # fmt: skip
        assert heard == [events.ReferralAccepted(referral.id, patient.id, referral.due_at)]
    with work_as() as work:
        kept = work.session.get_one(Patient, patient.id)
        assert (kept.given_name, kept.family_name, kept.spoken_language, kept.written_language) == (
            "Mei", "Lee", "yue", "zh-Hant",
        )  # fmt: skip
        assert (kept.home.zip, kept.home.safety) == ("94114", HomeSafety.NOT_ASSESSED)
        assert [(one.payer, one.member_id) for one in kept.coverages] == [(Payer.KP, "KP1")]
        assert [one.code for one in kept.diagnoses] == ["C34.90"]
        (episode,) = kept.episodes
        assert (episode.eligibility, episode.referral_id, episode.soc_date) == ("eligible", referral.id, None)
        assert episode.initial_visit_due_at == referral.due_at
        plan = work.session.execute(sa.select(CarePlan)).scalar_one()
        assert plan.episode_id == episode.id
        assert plan.managing_physician_id == kept.managing_physician_id == referral.physician_id


def test_what_the_initial_visit_settles_may_be_open(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        judge(work, scene, referral, *OPEN_AT_THE_DOOR)
        assert service.accept(work, referral.id).episodes[0].eligibility == "pending"


@pytest.mark.parametrize("criterion", sorted(set(Criterion) - set(OPEN_AT_THE_DOOR)))
def test_no_other_criterion_may_be_open(work_as: WorkAs, scene: Scene, criterion: Criterion) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        judge(work, scene, referral, criterion)
        with pytest.raises(RuleBroken) as refused:
            service.accept(work, referral.id)
        assert [finding.rule for finding in refused.value.findings] == [criterion.value]
        assert _count(work, Patient) == 0


def test_a_refusal_carries_every_finding(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene, payer=None, address=None)
        judge(work, scene, referral, Criterion.REFERRED, Criterion.SAFE_HOME)
        service.determine(work, referral.id, Criterion.SAFE_HOME, Determination.NOT_MET, "no floor")
        with pytest.raises(RuleBroken) as refused:
            service.accept(work, referral.id)
        assert {finding.rule for finding in refused.value.findings} == {"REF-01", "ELG-6", "ELG-7"}
        assert refused.value.extra["missing"] == ["care_address", "payer"]


def test_the_same_referral_is_not_accepted_twice(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        judge(work, scene, referral)
        patient = service.accept(work, referral.id)
        with pytest.raises(Conflict) as refused:
            service.accept(work, referral.id)
        assert refused.value.extra["blocking"] == [{"patient": patient.id}]


def test_two_at_once_accept_once(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        judge(work, scene, referral)
    barrier, answers = threading.Barrier(2), []

    def accept() -> None:
        barrier.wait()
        try:
            with work_as(scene.intake) as work:
                answers.append(service.accept(work, referral.id).id)
        except Refusal as refusal:
            answers.append(refusal.problem_code)

    threads = [threading.Thread(target=accept) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(answer, int) for answer in answers) == 1
    assert "already-accepted" in answers
    with work_as() as work:
        assert (_count(work, Patient), _count(work, Episode), _count(work, CarePlan)) == (1, 1, 1)


def test_two_referrals_for_one_person_at_once_make_one_patient(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        ids = []
        for _ in range(2):
            referral = receive(work, scene)
            judge(work, scene, referral)
            ids.append(referral.id)
    barrier, answers = threading.Barrier(2), []

    def accept(referral_id: int) -> None:
        barrier.wait()
        try:
            with work_as(scene.intake) as work:
                answers.append(service.accept(work, referral_id).id)
        except Refusal as refusal:
            answers.append(refusal.problem_code)

    threads = [threading.Thread(target=accept, args=(one,)) for one in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "possible-duplicate" in answers
    with work_as() as work:
        assert _count(work, Patient) == 1


def test_a_failure_in_the_middle_leaves_nothing(work_as: WorkAs, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        judge(work, scene, referral)
        before = _count(work, Notice), _count(work, Deadline)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the light went out")

    monkeypatch.setattr(plans, "open_plan", fail)
    with pytest.raises(RuntimeError), work_as(scene.intake) as work:
        service.accept(work, referral.id)
    with work_as() as work:
        assert (_count(work, Patient), _count(work, Episode), _count(work, CarePlan)) == (0, 0, 0)
        assert (_count(work, Notice), _count(work, Deadline)) == before
        kept = work.session.get_one(Referral, referral.id)
        assert (kept.status, kept.patient_id) == (ReferralStatus.SCREENING, None)
    monkeypatch.undo()
    with work_as(scene.intake) as work:
        assert service.accept(work, referral.id).id


def test_somebody_of_that_name_and_birth_date_is_asked_about(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        first = receive(work, scene)
        judge(work, scene, first)
        known = service.accept(work, first.id)
        again = receive(work, scene, given_name=" MEI ", family_name="lee")
        judge(work, scene, again)
        with pytest.raises(Conflict) as refused:
            service.accept(work, again.id)
        assert refused.value.problem_code == "possible-duplicate"
        assert refused.value.extra["blocking"] == [{"patient": known.id}]
        another = service.accept(work, again.id, confirm_new=True)
        assert another.id != known.id
        assert [one.referral_id for one in known.episodes] == [first.id]


def test_somebody_who_is_back_has_a_second_episode_and_one_record(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        first = receive(work, scene)
        judge(work, scene, first)
        known = service.accept(work, first.id)
        service.not_admit(work, first.id, ReferralDeclineReason.PATIENT_DECLINED, "mettle")
        again = receive(work, scene, practitioner_npi=NPIS[5], practitioner_name="Ben Ito")
        judge(work, scene, again)
        assert service.accept(work, again.id, existing_patient_id=known.id).id == known.id
        assert [one.referral_id for one in known.episodes] == [first.id, again.id]
        assert known.managing_physician_id == again.physician_id
        other = receive(work, scene, birth_date=None)
        judge(work, scene, other)
        with pytest.raises(Refusal):
            service.accept(work, other.id, existing_patient_id=known.id)


@pytest.mark.parametrize(
    ("reason", "key", "findings"),
    [
        (None, None, 2),
        (ReferralDeclineReason.ELG_5, None, 1),
        (None, "mettle", 1),
    ],
)
def test_a_refusal_needs_a_reason_and_somewhere_to_turn_to(
    work_as: WorkAs, scene: Scene, reason: ReferralDeclineReason | None, key: str | None, findings: int
) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        with pytest.raises(RuleBroken) as refused:
            service.decline(work, referral.id, reason, key)
        assert [finding.rule for finding in refused.value.findings] == ["REF-03"] * findings
        with pytest.raises(Invalid):
            service.decline(work, referral.id, ReferralDeclineReason.ELG_5, "nobody")
        assert referral.status is ReferralStatus.RECEIVED


def test_a_declined_referral_keeps_reason_and_onward_resource(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        service.decline(work, referral.id, ReferralDeclineReason.ELG_5, "mettle", "lives in Nevada")
        assert (referral.status, referral.decline_reason, referral.onward_resource_key) == (
            ReferralStatus.DECLINED, ReferralDeclineReason.ELG_5, "mettle",
        )  # fmt: skip
        assert "Nevada" not in str([line.facts for line in work.trail])
        with pytest.raises(Conflict):
            service.decline(work, referral.id, ReferralDeclineReason.ELG_5, "mettle")
        with pytest.raises(Conflict):
            service.accept(work, referral.id)


def test_not_admitting_ends_the_episode(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        with pytest.raises(Conflict):
            service.not_admit(work, referral.id, ReferralDeclineReason.UNSAFE_HOME, "mettle")
        judge(work, scene, referral)
        episode = service.accept(work, referral.id).episodes[0]
        with pytest.raises(RuleBroken):
            service.not_admit(work, referral.id, ReferralDeclineReason.UNSAFE_HOME, None)
        service.not_admit(work, referral.id, ReferralDeclineReason.UNSAFE_HOME, "mettle")
        assert referral.status is ReferralStatus.NOT_ADMITTED
        assert (episode.discharge_reason, episode.discharged_on is not None) == ("not_admitted", True)


def test_after_acceptance_only_the_clock_is_edited_here(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene, setting="inpatient", expected_discharge_on=NOW.date())
        judge(work, scene, referral)
        episode = service.accept(work, referral.id).episodes[0]
        assert episode.initial_visit_due_at is None
        with pytest.raises(Conflict) as refused:
            service.edit(work, referral.id, phone="+1")
        assert refused.value.problem_code == "referral-accepted"
        service.edit(work, referral.id, returned_home_at=NOW)
        assert episode.initial_visit_due_at == referral.due_at is not None


def test_the_nurse_at_the_door_settles_what_was_open(work_as: WorkAs, scene: Scene) -> None:
    """ELG-4 and ELG-6 are answered by whoever makes the initial visit, and by nobody else's nurse."""
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        judge(work, scene, referral, *OPEN_AT_THE_DOOR)
        patient = service.accept(work, referral.id)
        branch = work.session.get_one(Branch, scene.branch_id)
        nurse, other = make_clinician(work.session, branch), make_clinician(work.session, branch)
        actors = [
            actor_with(
                "clinician", clinician_id=one.id,
                user_id=make_user(work.session, "none", "clinician", clinician_id=one.id).id,
            )
            for one in (nurse, other)
        ]  # fmt: skip
        visit = work.session.execute(sa.select(Visit).where(Visit.patient_id == patient.id)).scalar_one()
        visit.clinician_id, visit.status = nurse.id, VisitStatus.BOOKED
        visit.starts_at, visit.ends_at = NOW + timedelta(hours=4), NOW + timedelta(hours=5)
    with work_as(actors[1]) as work, pytest.raises(NotFound):
        service.determine(work, referral.id, Criterion.SAFE_HOME, Determination.MET, "never there")
    with work_as(actors[0], now=NOW + timedelta(hours=5)) as work:
        service.determine(work, referral.id, Criterion.SAFE_HOME, None, "seen", {"safety": "safe"})
        assert work.session.get_one(Episode, patient.episodes[0].id).eligibility == "pending"
        service.determine(work, referral.id, Criterion.HOMEBOUND, None, "tested", homebound_facts(scene))
        assert work.session.get_one(Episode, patient.episodes[0].id).eligibility == "eligible"


def test_once_admitted_the_clock_is_history(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        judge(work, scene, referral)
        episode = service.accept(work, referral.id).episodes[0]
        patients.start_of_care(work, episode.id, NOW.date())
        with pytest.raises(Conflict):
            service.edit(work, referral.id, ordered_soc_date=NOW.date())
        with pytest.raises(Conflict):
            service.withdraw(work, referral.id, "too late")


def test_a_scheduler_reads_and_does_not_decide(work_as: WorkAs, scene: Scene, database: Database) -> None:
    with work_as(scene.intake) as work:
        referral_id = receive(work, scene).id
    with work_as(scene.scheduler) as work:
        assert service.get(work, referral_id).id == referral_id
        for verb in (
            lambda: service.accept(work, referral_id),
            lambda: service.decline(work, referral_id, ReferralDeclineReason.CAPACITY, "mettle"),
            lambda: service.edit(work, referral_id, phone=None),
        ):
            with pytest.raises(Forbidden):
                verb()
