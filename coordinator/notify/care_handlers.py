"""Who is told of what scores lead to, and that a family is to be told of a changed visit."""

from coordinator.agency import service as agency
from coordinator.core.db import fetch
from coordinator.core.work import Work
from coordinator.domain.events import (
    CarePlanChanged,
    FamilyNoticeRaised,
    FamilyNoticeSettled,
    SafetyProtocolOpened,
    VisitProposed,
)
from coordinator.domain.vocabulary import Role
from coordinator.family.model import FamilyNotice
from coordinator.notify.service import settle, tell_role, tell_user, users_of
from coordinator.orders.model import CarePlan
from coordinator.patients.model import Patient


def on_plan_changed(work: Work, event: CarePlanChanged) -> None:
    """The managing physician advises the plan (K-N2), so hears that it changed: once a day, however often it did.

    Not of what they changed themselves.
    """
    plan = fetch(work.session, CarePlan, event.plan_id, "care plan")
    if plan.managing_physician_id == work.actor.physician_id:
        return
    patient = fetch(work.session, Patient, event.patient_id, "patient")
    _tell_physician(
        work, patient.branch_id, plan.managing_physician_id, "plan.changed",
        f"plan:{plan.id}", of=f":{agency.today(work, patient.branch_id)}", patient=patient.id,
    )  # fmt: skip


def on_visit_proposed(work: Work, event: VisitProposed) -> None:
    """The managing physician is informed, and where no order has a visit left, asked for one."""
    patient = fetch(work.session, Patient, event.patient_id, "patient")
    _tell_physician(
        work, patient.branch_id, event.physician_id, "visit.asked" if event.asked else "visit.proposed",
        f"visit-proposal:{event.proposal_id}", patient=patient.id, discipline=event.discipline,
    )  # fmt: skip


def on_safety_protocol_opened(work: Work, event: SafetyProtocolOpened) -> None:
    """Everybody whom the policy names is told now; of the physicians, the managing one alone."""
    patient = fetch(work.session, Patient, event.patient_id, "patient")
    subject = f"safety-protocol:{event.protocol_id}"
    for role in sorted(work.policy.on(work.now.date()).instruments.safety_roles):
        if role is Role.PHYSICIAN:
            _tell_physician(
                work, patient.branch_id, patient.managing_physician_id, "safety.opened", subject, patient=patient.id
            )
        else:
            tell_role(
                work, role=role.value, branch_id=patient.branch_id, kind="safety.opened", subject=subject, key=subject,
                patient=patient.id,
            )  # fmt: skip


def on_family_notice_raised(work: Work, event: FamilyNoticeRaised) -> None:
    """The scheduler hears that somebody is to be told, and in which language."""
    row = fetch(work.session, FamilyNotice, event.notice_id, "notice")
    subject = f"family-notice:{row.id}"
    tell_role(
        work, role=Role.SCHEDULER.value, branch_id=row.branch_id, kind="family.tell", subject=subject, key=subject,
        notice=row.id, patient=row.patient_id, language=row.language.value,
    )  # fmt: skip


def on_family_notice_settled(work: Work, event: FamilyNoticeSettled) -> None:
    """There is nothing to say any more."""
    settle(work, subjects=[f"family-notice:{event.notice_id}"], kinds=["family.tell"])


def _tell_physician(
    work: Work, branch_id: int, physician_id: int | None, kind: str, subject: str, *, of: str = "", **facts: object
) -> None:
    """Once for each kind, subject and `of`."""
    if physician_id is None:
        return
    for user_id in users_of(work, physician_ids=[physician_id]).get(("physician", physician_id), []):
        tell_user(
            work, user_id=user_id, branch_id=branch_id, kind=kind, subject=subject, key=f"{kind}:{subject}{of}", **facts
        )
