"""What suggests help elsewhere: events, and every night what no event tells; and which entries are to be checked.

Everything is keyed by its cause, so that a night that is done twice, or an event that is told twice, doubles nothing.
"""

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.care.model import Assessment
from coordinator.core.db import fetch
from coordinator.core.work import Work
from coordinator.directory import service as directory
from coordinator.directory.model import Resource
from coordinator.domain.care import InstrumentCode
from coordinator.domain.events import (
    AssessmentRecorded,
    PatientDischarged,
    ReferralDeclined,
    ReferralNotAdmitted,
    ResourceChecked,
)
from coordinator.domain.linkage import LinkStatus
from coordinator.domain.teamwork import Desk, TaskKind, TaskSource
from coordinator.domain.timeline import HolidayCalendar, add_business_days, local_day
from coordinator.domain.vocabulary import Payer, ReferralStatus
from coordinator.jobs.context import JobContext
from coordinator.patients.model import Patient
from coordinator.referrals.model import Referral
from coordinator.rules.discharge import Reason as DischargeReason
from coordinator.rules.resources import MEDICAL, Seeker
from coordinator.rules.suggestions import (
    suggest_after_decline,
    suggest_for_bereaved,
    suggest_for_caregiver,
    suggest_without_acceptance,
)
from coordinator.rules.terms import Finding
from coordinator.teamwork import tasks
from coordinator.teamwork.resource_model import ResourceReferral
from coordinator.teamwork.resource_suggestions import suggest

#: An incoming referral that nobody has decided yet.
_UNDECIDED = (ReferralStatus.RECEIVED, ReferralStatus.SCREENING, ReferralStatus.PENDING_INFO)


def on_referral_closed(work: Work, event: ReferralDeclined | ReferralNotAdmitted) -> None:
    """Whoever is not taken on is told where else to turn (REF-03)."""
    referral = fetch(work.session, Referral, event.referral_id, "referral")
    today = agency.today(work, referral.branch_id)
    _of_referral(work, referral, suggest_after_decline(referral.decline_reason, today, work.policy))


def _of_referral(work: Work, referral: Referral, finding: Finding | None) -> bool:
    patient = None if referral.patient_id is None else work.session.get(Patient, referral.patient_id)
    county = (referral.city or "").strip() or None
    unknown = Seeker(
        is_kp_member=referral.payer is Payer.KP or None, has_physician=bool(referral.practitioner_name), county=county
    )
    return suggest(
        work, finding, source_ref=f"referral:{referral.id}", branch_id=referral.branch_id, patient=patient,
        seeker=None if patient is not None else unknown,
    )  # fmt: skip


def on_assessment_recorded(work: Work, event: AssessmentRecorded) -> None:
    """A caregiver's burden was scored."""
    if event.instrument != InstrumentCode.ZBI_12.value:
        return
    assessment = fetch(work.session, Assessment, event.assessment_id, "assessment")
    patient = fetch(work.session, Patient, event.patient_id, "patient")
    today = agency.today(work, patient.branch_id)
    # One caregiver's strain is one cause for a while: the next rating of the same person in the same month adds none.
    whom = assessment.caregiver_id or "unnamed"
    suggest(
        work, suggest_for_caregiver(assessment.total, today, work.policy), branch_id=patient.branch_id, patient=patient,
        seeker=None, source_ref=f"caregiver:{whom}:patient:{patient.id}:{event.assessed_on:%Y-%m}",
    )  # fmt: skip


def on_patient_discharged(work: Work, event: PatientDischarged) -> None:
    """The patient may have died."""
    patient = fetch(work.session, Patient, event.patient_id, "patient")
    _bereaved(work, patient, event.on if event.reason == DischargeReason.DEATH else patient.deceased_on)


def _bereaved(work: Work, patient: Patient, deceased_on: date | None) -> None:
    finding = suggest_for_bereaved(deceased_on, agency.today(work, patient.branch_id), work.policy)
    suggest(
        work, finding, source_ref=f"patient:{patient.id}", branch_id=patient.branch_id, patient=patient, seeker=None
    )


def on_resource_checked(work: Work, event: ResourceChecked) -> None:
    """Nobody needs to ask that organisation any more for now."""
    tasks.finish_tasks(
        work, source=TaskSource.RULE, source_ref=event.was_asked_as, kind=TaskKind.CHECK_RESOURCE
    )  # fmt: skip


# ------------------------------------------------------------------------------------ the night


def look_after_job(context: JobContext, arguments: dict[str, Any]) -> None:
    """Job `teamwork.resources`: suggestions that no event tells, and entries to be checked, for a branch."""
    with context.work() as work:
        look_after(work, int(arguments["branch_id"]))


def look_after(work: Work, branch_id: int) -> None:
    """The branch's suggestions and checks are complete for today; twice is as once."""
    today, zone = agency.today(work, branch_id), agency.zone_of(work, branch_id)
    least = work.now - timedelta(days=work.policy.directory.no_acceptance_days - 1)
    waiting = work.session.execute(
        sa.select(Referral).where(
            Referral.branch_id == branch_id, Referral.status.in_(_UNDECIDED), Referral.received_at <= least
        )
    ).scalars()
    for referral in waiting.all():
        asked_on = local_day(referral.received_at, zone)
        _of_referral(work, referral, suggest_without_acceptance(asked_on, today, work.policy))
    sent = work.session.execute(
        sa.select(ResourceReferral, Patient)
        .join(Patient, Patient.id == ResourceReferral.patient_id)
        .join(Resource, Resource.id == ResourceReferral.resource_id)
        .where(
            Patient.branch_id == branch_id,
            Resource.kind == MEDICAL,
            ResourceReferral.status == LinkStatus.REFERRED,
        )
    ).all()
    for referral_out, patient in sent:
        since = next(step.at for step in referral_out.steps if step.status is LinkStatus.REFERRED)
        finding = suggest_without_acceptance(local_day(since, zone), today, work.policy)
        suggest(
            work, finding, source_ref=f"resource-referral:{referral_out.id}", branch_id=branch_id, patient=patient,
            seeker=None,
        )  # fmt: skip
    lately = today - timedelta(days=work.policy.directory.bereavement_days)
    died = work.session.execute(
        sa.select(Patient).where(Patient.branch_id == branch_id, Patient.deceased_on >= lately)
    ).scalars()
    for patient in died.all():
        _bereaved(work, patient, patient.deceased_on)
    _ask_for_checks(work, branch_id)


def _ask_for_checks(work: Work, branch_id: int) -> None:
    """One task for each entry that nobody has asked for too long, on the list of whichever branch came first."""
    today = agency.today(work, branch_id)
    due = add_business_days(today, work.policy.directory.check_business_days, HolidayCalendar.US_FEDERAL)
    for row in directory.stale(work):
        tasks.open_task(
            work, patient_id=None, branch_id=branch_id, kind=TaskKind.CHECK_RESOURCE, source=TaskSource.RULE,
            source_ref=directory.asked_as(row), due=due, owner_role=Desk.SOCIAL_WORKER, about=f"resource:{row.id}",
        )  # fmt: skip
