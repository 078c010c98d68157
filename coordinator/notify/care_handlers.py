"""Who is told of what scores lead to: the managing physician of a visit, and named roles of a safety protocol."""

from coordinator.core.db import fetch
from coordinator.core.work import Work
from coordinator.domain.events import SafetyProtocolOpened, VisitProposed
from coordinator.domain.vocabulary import Role
from coordinator.notify.service import tell_role, tell_user, users_of
from coordinator.patients.model import Patient


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
    for role in sorted(work.policy.instruments.safety_roles):
        if role is Role.PHYSICIAN:
            _tell_physician(
                work, patient.branch_id, patient.managing_physician_id, "safety.opened", subject, patient=patient.id
            )
        else:
            tell_role(
                work, role=role.value, branch_id=patient.branch_id, kind="safety.opened", subject=subject, key=subject,
                patient=patient.id,
            )  # fmt: skip


def _tell_physician(
    work: Work, branch_id: int, physician_id: int | None, kind: str, subject: str, **facts: object
) -> None:
    if physician_id is None:
        return
    for user_id in users_of(work, physician_ids=[physician_id]).get(("physician", physician_id), []):
        tell_user(
            work, user_id=user_id, branch_id=branch_id, kind=kind, subject=subject, key=f"{kind}:{subject}", **facts
        )
