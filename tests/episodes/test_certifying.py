"""Encounters, certifications, who certifies, and what holds the bill (F2F, CERT, HB-03)."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from coordinator.core.errors import Conflict, Forbidden, Invalid, NotFound, RuleBroken
from coordinator.core.work import Work
from coordinator.domain.events import CertificationAsked, CertificationSent, CertificationWithdrawn, FaceToFaceRecorded
from coordinator.domain.vocabulary import (
    CertificationStatus,
    EncounterModality,
    Payer,
    PractitionerType,
    Programme,
    Role,
)
from coordinator.episodes import service
from coordinator.episodes.encounters import Encounter
from coordinator.patients.model import Episode, Patient
from tests.builders import make_branch, make_care_plan, make_episode, make_patient
from tests.conftest import NOW, actor_with
from tests.episodes.conftest import SOC, Scene

WHOLE = {"homebound": True, "skilled_need": True, "plan_established": True, "under_care": True}


def met(work: Work, scene: Scene, **given: Any) -> Encounter:
    values = {
        "encounter_on": date(2026, 9, 20), "modality": EncounterModality.IN_PERSON,
        "performer_type": PractitionerType.MD, "performer_npi": scene.physician.npi, "related_to_primary_reason": True,
    } | given  # fmt: skip
    return service.record_encounter(work, scene.episode.id, **values)


def checked(work: Work, scene: Scene, **given: Any) -> None:
    values = {"checked_on": date(2026, 10, 1), "npi_kind": 1, "enrolled_from": date(2015, 1, 1)} | given
    service.check_practitioner(work, scene.physician.id, **values)


def held(work: Work, scene: Scene, number: int = 1) -> set[str]:
    """The rules that hold the bill of the period, as they are read."""
    answer = next(one for one in service.certifications(work, scene.episode.id) if one.number == number)
    return {finding.rule for finding in answer.findings if finding.severity == "HOLD-BILL"}


# ------------------------------------------------------------------------------------ encounters


def test_an_encounter_that_serves_says_nothing_and_tells_the_rooms(scene: Scene) -> None:
    with scene.work(scene.intake) as work:
        made = met(work, scene)
        assert (made.valid, made.findings) == (True, ())
        (told,) = scene.ears.of(FaceToFaceRecorded)
        assert (told.episode_id, told.valid) == (scene.episode.id, True)


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        ({"encounter_on": SOC - timedelta(days=91)}, {"F2F-01"}),
        ({"performer_type": PractitionerType.OTHER}, {"F2F-02"}),
        ({"performer_type": PractitionerType.CNM, "performer_npi": None}, {"F2F-02"}),
        ({"related_to_primary_reason": False, "performer_type": PractitionerType.OTHER}, {"F2F-01", "F2F-02"}),
    ],
)
def test_all_that_is_wrong_with_an_encounter_is_answered_and_it_is_on_file_anyway(
    scene: Scene, given: dict[str, Any], rules: set[str]
) -> None:
    with scene.work() as work:
        made = met(work, scene, **given)
        assert {finding.rule for finding in made.findings} == rules
        assert rules & {"F2F-02"} <= held(work, scene)


@pytest.mark.parametrize(("soc", "holds"), [(date(2025, 12, 31), True), (date(2026, 1, 1), False)])
def test_the_rule_of_2025_and_that_of_2026_answer_for_their_own_start_of_care(
    scene: Scene, soc: date, holds: bool
) -> None:
    """A community PA who did not work with the certifier, whose findings were sent over."""
    with scene.work() as work:
        episode = work.session.get_one(Episode, scene.episode.id)
        episode.soc_date = soc
        made = met(work, scene, encounter_on=soc, performer_type=PractitionerType.PA, performer_npi=None,
                   coordination_evidence="letter on file")  # fmt: skip
        assert [finding.rule for finding in made.findings] == (["F2F-02"] if holds else [])
        assert ("F2F-02" in held(work, scene)) is holds


def test_a_correction_is_another_row_and_the_old_one_counts_no_more(scene: Scene) -> None:
    with scene.work() as work:
        wrong = met(work, scene, encounter_on=SOC - timedelta(days=100))
        right = service.correct_encounter(work, wrong.row.id, reason="a typing error", encounter_on=SOC)
        assert right.valid
        assert (wrong.row.replaced_by_id, wrong.row.correction_reason) == (right.row.id, "a typing error")
        assert [one.row.encounter_on for one in service.encounters(work, scene.episode.id)] == [
            SOC - timedelta(days=100), SOC,
        ]  # fmt: skip
        with pytest.raises(Conflict, match="corrected already"):
            service.correct_encounter(work, wrong.row.id, reason="again", encounter_on=SOC)


def test_an_encounter_of_tomorrow_and_a_number_that_checks_wrong_are_refused(scene: Scene) -> None:
    with scene.work() as work:
        with pytest.raises(Invalid, match="future"):
            met(work, scene, encounter_on=date(2026, 11, 10))
        with pytest.raises(Invalid, match="NPI"):
            met(work, scene, performer_npi="1234567890")
        assert service.encounters(work, scene.episode.id) == []


def test_without_an_encounter_there_is_a_task_then_a_warning_then_a_hold(scene: Scene) -> None:
    seen = []
    for days in (0, 21, 31):
        with scene.work(now=datetime(2026, 10, 1, 20, tzinfo=UTC) + timedelta(days=days)) as work:
            (period, *_) = service.certifications(work, scene.episode.id)
            seen.append([finding.severity.value for finding in period.findings if finding.rule == "F2F-01"])
    assert seen == [["TASK"], ["WARN", "TASK"], ["HOLD-BILL"]]


# ------------------------------------------------------------------------------------ certifications


def test_a_draft_takes_the_encounter_on_file_and_lacks_only_the_signature(scene: Scene) -> None:
    with scene.work() as work:
        met(work, scene)
        checked(work, scene)
        row = service.draft_certification(work, scene.episode.id, **WHOLE)
        assert (row.physician_id, row.face_to_face_on) == (scene.physician.id, date(2026, 9, 20))
        assert held(work, scene) == {"CERT-01"}
        assert scene.ears.of(CertificationAsked)[-1].holds == ("CERT-01",)
        sent = service.send_certification(work, row.id)
        assert sent.status is CertificationStatus.SENT_FOR_SIGNATURE
        assert [event.number for event in scene.ears.of(CertificationSent)] == [1]


def test_a_certification_without_the_encounter_s_date_holds_the_bill_and_is_not_sent(scene: Scene) -> None:
    with scene.work() as work:
        row = service.draft_certification(work, scene.episode.id, **WHOLE)
        assert "CERT-01" in held(work, scene)
        with pytest.raises(Conflict, match="face_to_face_date") as refusal:
            service.send_certification(work, row.id)
        assert refusal.value.problem_code == "statement-incomplete"
        assert row.status is CertificationStatus.DRAFT


def test_a_recertification_without_an_estimate_holds_the_bill_and_is_not_sent(scene: Scene) -> None:
    with scene.work(now=datetime(2026, 12, 2, 18, tzinfo=UTC)) as work:
        row = service.draft_certification(work, scene.episode.id, number=2)
        assert "CERT-02" in held(work, scene, 2)
        with pytest.raises(Conflict, match="estimated_further_duration"):
            service.send_certification(work, row.id)
        service.edit_certification(work, row.id, estimated_further_duration="two more months")
        assert service.send_certification(work, row.id).sent_at is not None


def test_only_the_period_that_runs_and_the_next_are_certified_and_each_once(scene: Scene) -> None:
    with scene.work() as work:
        service.draft_certification(work, scene.episode.id, number=2)
        with pytest.raises(Conflict, match="has a certification"):
            service.draft_certification(work, scene.episode.id, number=2)
        with pytest.raises(Invalid, match="Period 1 runs now"):
            service.draft_certification(work, scene.episode.id, number=3)


def test_what_was_sent_and_then_edited_is_a_draft_again_and_what_was_withdrawn_makes_room(scene: Scene) -> None:
    with scene.work() as work:
        met(work, scene)
        row = service.draft_certification(work, scene.episode.id, **WHOLE)
        service.send_certification(work, row.id)
        service.edit_certification(work, row.id, homebound=True)
        assert (row.status, row.sent_at) == (CertificationStatus.DRAFT, None)
        service.withdraw_certification(work, row.id, "another practitioner")
        assert len(scene.ears.of(CertificationWithdrawn)) == 2
        assert service.draft_certification(work, scene.episode.id, **WHOLE).id != row.id
        with pytest.raises(Conflict, match="not changed"):
            service.edit_certification(work, row.id, homebound=False)


def test_who_may_certify_is_the_programme_s_own(scene: Scene) -> None:
    """Medicare takes the nurse practitioner, the programme page a physician (HB-03)."""
    with scene.work() as work:
        assert service.draft_certification(work, scene.episode.id, physician_id=scene.partner.id).id
        patient = work.session.get_one(Patient, scene.patient.id)
        kaiser = make_episode(
            work.session,
            patient,
            soc=SOC,
            programme=Programme.KP_HBPC,
            payer=Payer.KP,
        )
        make_care_plan(work.session, kaiser, scene.physician)
        with pytest.raises(RuleBroken) as refusal:
            service.draft_certification(work, kaiser.id, physician_id=scene.partner.id)
        assert [finding.rule for finding in refusal.value.findings] == ["HB-03"]
        assert service.draft_certification(work, kaiser.id).physician_id == scene.physician.id


@pytest.mark.parametrize(
    ("given", "holds"),
    [
        ({}, False),
        ({"npi_kind": 2}, True),
        ({"enrolled_from": None}, True),
        ({"enrolled_to": date(2026, 10, 31)}, True),
        ({"financial_relationship": True}, True),
    ],
)
def test_what_the_registries_say_of_the_certifier_holds_or_clears_the_bill(
    scene: Scene, given: dict[str, Any], holds: bool
) -> None:
    with scene.work() as work:
        service.draft_certification(work, scene.episode.id)
        assert "CERT-06" in held(work, scene)  # nobody asked PECOS yet
        checked(work, scene, **given)
        assert ("CERT-06" in held(work, scene)) is holds
        assert ("CERT-06" in scene.ears.of(CertificationAsked)[-1].holds) is holds


def test_a_programme_that_nobody_certifies_asks_for_nothing(scene: Scene) -> None:
    with scene.work() as work:
        patient = work.session.get_one(Patient, scene.patient.id)
        hospice = make_episode(work.session, patient, soc=SOC, programme=Programme.HOSPICE)
        assert [one.findings for one in service.certifications(work, hospice.id)] == [()]


# ------------------------------------------------------------------------------------ whose


def test_another_branch_s_papers_sound_like_missing_ones_and_aides_read_none(scene: Scene) -> None:
    with scene.work() as work:
        row = service.draft_certification(work, scene.episode.id)
        made = met(work, scene)
        elsewhere = make_branch(work.session)
        stranger = make_episode(work.session, make_patient(work.session, elsewhere))
        for verb in (
            lambda: service.certifications(work, stranger.id),
            lambda: service.certifications(work, 99_999),
            lambda: service.draft_certification(work, stranger.id),
        ):
            with pytest.raises(NotFound, match="episode"):
                verb()
    outsider = actor_with(Role.CLINICAL_MANAGER, branch_ids=frozenset({elsewhere.id}))
    with scene.work(outsider) as work:
        for verb in (
            lambda: service.get_certification(work, row.id),
            lambda: service.withdraw_certification(work, row.id, "no"),
            lambda: service.correct_encounter(work, made.row.id, reason="no"),
        ):
            with pytest.raises(NotFound):
                verb()
    aide = actor_with(Role.CLINICIAN, clinician_id=scene.aide.id, performer="CHHA")
    with scene.work(aide) as work, pytest.raises(Forbidden):
        service.certifications(work, scene.episode.id)


def test_every_reading_and_every_change_leaves_a_line(scene: Scene) -> None:
    with scene.work(now=NOW) as work:
        met(work, scene)
        service.draft_certification(work, scene.episode.id)
        service.certifications(work, scene.episode.id)
        assert {"encounter.recorded", "certification.drafted", "certification.read"} <= {
            line.action for line in work.trail
        }
        assert {line.patient_id for line in work.trail} == {scene.patient.id}
