"""Accepting a referral: the person becomes a patient with an episode and a plan, in one transaction or not at all."""

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.db import fetch
from coordinator.core.errors import Conflict, RuleBroken
from coordinator.core.work import Work, permitted
from coordinator.domain.events import ReferralAccepted
from coordinator.domain.lifecycle import REFERRAL, may_become
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import Eligibility, ReferralStatus
from coordinator.orders import plans
from coordinator.patients import service as patients
from coordinator.patients.enrolments import in_the_way
from coordinator.patients.model import Episode, Patient
from coordinator.referrals import content
from coordinator.referrals.eligibility import SETTLED_AT_INITIAL_VISIT, answer_of
from coordinator.referrals.model import Referral
from coordinator.referrals.queries import visible
from coordinator.referrals.states import IN_CARE, move
from coordinator.rules.eligibility import EligibilityAnswer, ask_admission
from coordinator.rules.referrals import ask_content
from coordinator.rules.terms import Finding

#: Any fixed number: one acceptance at a time in a branch, so that nobody becomes two patients in the same moment.
_ACCEPT_LOCK = 7_003_001


@permitted("referral:decide")
def accept(
    work: Work, referral_id: int, *, confirm_new: bool = False, existing_patient_id: int | None = None
) -> Patient:
    """The person is a patient of the branch, with an episode and a plan of care, and the initial visit is wanted.

    All of it in this transaction or nothing. RuleBroken while a criterion stands in the way that the initial visit
    cannot settle (ELG-00), or while there is nobody to open a record for (REF-01). Conflict `possible-duplicate` names
    patients of the same name and birth date: say which of them it is, or that it is none.
    """
    referral = visible(work, referral_id, lock=True)
    if referral.status in IN_CARE:
        raise Conflict(
            "This referral was accepted already.", code="already-accepted", blocking=[{"patient": referral.patient_id}]
        )
    if not may_become(REFERRAL, referral.status, ReferralStatus.ACCEPTED):
        raise Conflict("This referral is closed.", code="referral-closed", status_now=referral.status.value)
    answer = _require_acceptable(work, referral)
    assert referral.payer is not None
    assert referral.physician_id is not None
    if work.session.get_bind().dialect.name == "postgresql":
        work.session.execute(sa.select(sa.func.pg_advisory_xact_lock(_ACCEPT_LOCK, referral.branch_id)))
    patient = _person(work, referral, confirm_new=confirm_new, existing_patient_id=existing_patient_id)
    episode = patients.open_episode(
        work,
        patient_id=patient.id,
        programme=referral.programme,
        payer=referral.payer,
        accepted_at=work.now,
        referral_id=referral.id,
        initial_visit_due_at=referral.due_at,
        ordered_soc_date=referral.ordered_soc_date,
        eligibility=answer.status,
    )
    plans.open_plan(
        work,
        episode_id=episode.id,
        patient_id=patient.id,
        managing_physician_id=referral.physician_id,
        starts_on=agency.today(work, referral.branch_id),
    )
    move(referral, ReferralStatus.ACCEPTED)
    referral.patient_id, referral.decided_at = patient.id, work.now
    work.session.flush()  # the new version is in the answer, and handlers find the patient
    work.record(
        "referral.accepted", f"referral:{referral.id}", patient_id=patient.id, eligibility=answer.status.value,
        episode=episode.id,
    )  # fmt: skip
    work.publish(ReferralAccepted(referral_id=referral.id, patient_id=patient.id, due_at=referral.due_at))
    return patient


def beside_other_programmes(work: Work, patient: Patient, episode: Episode) -> tuple[Finding, ...]:
    """What warns, and holds bills, because the patient is in another programme as this one opens (PRG-02).

    Asked by other rooms and by the door, which answers it with the acceptance.
    """
    day = local_day(episode.accepted_at, agency.zone_of(work, patient.branch_id))
    return in_the_way(work, patient, episode.programme, day, episode)


def _require_acceptable(work: Work, referral: Referral) -> EligibilityAnswer:
    """Refuse with every finding at once: what is lacking, and every criterion that the initial visit cannot settle."""
    findings = []
    lacking = content.NEEDED_TO_ACCEPT.intersection(content.missing(referral))
    finding = ask_content(content.facts_of(referral), agency.today(work, referral.branch_id))
    if lacking and finding is not None:
        findings.append(finding)
    answer = answer_of(referral, work.policy)
    blocking = EligibilityAnswer(
        Eligibility.INELIGIBLE if answer.not_met else Eligibility.PENDING,
        answer.not_met,
        tuple(criterion for criterion in answer.unknown if criterion not in SETTLED_AT_INITIAL_VISIT),
    )
    findings += ask_admission(blocking)
    if findings:
        raise RuleBroken(
            findings, code="referral-not-acceptable", eligibility=answer.status.value, missing=sorted(lacking)
        )
    return answer


def _person(work: Work, referral: Referral, *, confirm_new: bool, existing_patient_id: int | None) -> Patient:
    if existing_patient_id is not None:
        patients.require_visible(work, existing_patient_id)
        patient = fetch(work.session, Patient, existing_patient_id, "patient")
        if patient.branch_id != referral.branch_id or patient.birth_date != referral.birth_date:
            raise Conflict("That patient has another birth date, or is another branch's.", code="not-the-same-person")
        return patients.edit(work, patient.id, managing_physician_id=referral.physician_id)
    alike = _alike(work, referral)
    if alike and not confirm_new:
        raise Conflict(
            "Somebody of this name and birth date is a patient already. Say which one it is, or that it is another.",
            code="possible-duplicate",
            blocking=[{"patient": patient_id} for patient_id in alike],
        )
    return _new_patient(work, referral)


def _alike(work: Work, referral: Referral) -> list[int]:
    """Patients of the branch with the same birth date and the same name, in whatever case and spacing."""

    def plain(*names: str | None) -> str:
        return " ".join(" ".join(name or "" for name in names).casefold().split())

    born = work.session.execute(
        sa.select(Patient.id, Patient.given_name, Patient.family_name)
        .where(Patient.branch_id == referral.branch_id, Patient.birth_date == referral.birth_date)
        .order_by(Patient.id)
    )
    wanted = plain(referral.given_name, referral.family_name)
    return [row.id for row in born if plain(row.given_name, row.family_name) == wanted]


def _new_patient(work: Work, referral: Referral) -> Patient:
    home = {name: getattr(referral, name) for name in ("address", "city", "state", "zip", "lat", "lon")}
    coverages = []
    if referral.payer is not None:
        first = referral.coverage_from or agency.today(work, referral.branch_id)
        coverages.append(
            {"payer": referral.payer, "member_id": referral.member_id, "starts_on": first,
             "ends_on": referral.coverage_to}
        )  # fmt: skip
    diagnoses = [{"code": referral.diagnosis_code, "rank": 1}] if referral.diagnosis_code else []
    spoken = referral.spoken_language or "en"
    return patients.create(
        work,
        branch_id=referral.branch_id,
        given_name=referral.given_name,
        family_name=referral.family_name,
        birth_date=referral.birth_date,
        gender=referral.gender,
        phone=referral.phone,
        spoken_language=spoken,
        written_language=referral.written_language or spoken,
        interpreter_needed=bool(referral.interpreter_needed),
        managing_physician_id=referral.physician_id,
        home=home,
        coverages=coverages,
        diagnoses=diagnoses,
    )
