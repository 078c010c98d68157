"""The scene of intake: a branch, somebody of intake, an onward resource, and a referral that lacks nothing."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from coordinator.core.db import Database
from coordinator.core.work import Actor, Work
from coordinator.directory.model import Resource
from coordinator.domain.vocabulary import (
    Criterion,
    Determination,
    Discipline,
    Gender,
    Payer,
    PractitionerType,
    Programme,
    ReferralSetting,
)
from coordinator.referrals import service
from coordinator.referrals.model import Referral
from tests.builders import NPIS, make_branch, make_physician, make_user
from tests.conftest import NOW, actor_with

#: Everything that a complete referral holds (REF-01).
FULL: dict[str, Any] = {
    "setting": ReferralSetting.HOME, "given_name": "Mei", "family_name": "Lee", "birth_date": date(1944, 5, 1),
    "gender": Gender.FEMALE, "phone": "+1 415 555 0100", "address": "500 Noe Street", "city": "San Francisco",
    "state": "CA", "zip": "94114", "spoken_language": "yue", "written_language": "zh-Hant",
    "interpreter_needed": True, "diagnosis_code": "C34.90", "reason": "Pain and breathlessness",
    "disciplines": [Discipline.SN, Discipline.PT], "payer": Payer.KP, "member_id": "KP1",
    "coverage_from": date(2026, 1, 1), "practitioner_name": "Ada Okafor", "practitioner_npi": NPIS[0],
    "practitioner_type": PractitionerType.MD, "practitioner_organisation": "Kaiser Permanente",
    "practitioner_is_kp": True,
}  # fmt: skip
TOLD = {
    "needs_supportive_device": "Walker for every step",
    "normal_inability_to_leave": "Has not been out since July",
    "considerable_and_taxing_effort": "Breathless after ten steps",
}
NEED = {"progressive_advanced": True, "symptom_needs": ["PAIN"], "desires_home_care": True}


@dataclass(frozen=True)
class Scene:
    branch_id: int
    other_branch_id: int
    intake: Actor
    manager: Actor
    scheduler: Actor
    stranger: Actor
    certifier_id: int


def set_scene(database: Database) -> Scene:
    """Rows that every test of intake begins with."""
    with database.transaction() as session:
        branch, other = make_branch(session), make_branch(session)
        certifier = make_physician(session)
        session.add(
            Resource(
                key="mettle", kind="community_support", name_en="Mettle Health", settings={}, population=[],
                services=[], referral_rule="self_no_doctor_referral", is_medical_care=False, extra={},
            )
        )  # fmt: skip

        def somebody(role: str, branch_id: int) -> Actor:
            user = make_user(session, "none", role, branch_ids=[branch_id])
            return actor_with(role, user_id=user.id, branch_ids=frozenset({branch_id}))

        return Scene(
            branch_id=branch.id,
            other_branch_id=other.id,
            intake=somebody("intake", branch.id),
            manager=somebody("clinical_manager", branch.id),
            scheduler=somebody("scheduler", branch.id),
            stranger=somebody("intake", other.id),
            certifier_id=certifier.id,
        )


def receive(work: Work, scene: Scene, *, at: datetime = NOW, **content: Any) -> Referral:
    """A referral with everything, but for what the test says."""
    programme = content.pop("programme", Programme.KP_HBPC)
    return service.receive(work, scene.branch_id, programme, at, **(FULL | content))


def homebound_facts(scene: Scene) -> dict[str, Any]:
    return {
        "homebound": dict.fromkeys(TOLD, True),
        "narratives": TOLD,
        "certified": True,
        "certified_by": scene.certifier_id,
        "certification": "verbal",
    }


def judge(work: Work, scene: Scene, referral: Referral, *left_out: Criterion) -> None:
    """Every criterion met, but for those left out."""
    for criterion in Criterion:
        if criterion in left_out:
            continue
        facts = {}
        if criterion is Criterion.CONDITION_NEED_DESIRE:
            facts = NEED
        elif criterion is Criterion.HOMEBOUND:
            facts = homebound_facts(scene)
        service.determine(work, referral.id, criterion, Determination.MET, "seen in the file", facts)


OPEN_AT_THE_DOOR = (Criterion.HOMEBOUND, Criterion.SAFE_HOME)
