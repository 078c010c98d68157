"""Opening one patient's record in an emergency, and looking afterwards whether it was needed (SEC-02)."""

import sqlalchemy as sa

from coordinator.access.model import EmergencyAccess
from coordinator.access.scope import branch_of_patient, emergency_patients, patients_in_sight, require_sight
from coordinator.agency.service import today
from coordinator.core.errors import Conflict, Forbidden, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.events import EmergencyAccessOpened, EmergencyAccessReviewed
from coordinator.domain.vocabulary import EmergencyReason
from coordinator.rules.security import ask_emergency, emergency_ends_at, emergency_review_due


@permitted("emergency:open")
def open_record(work: Work, patient_id: int, reason_code: str, text: str) -> EmergencyAccess:
    """For some hours the actor reads this patient's record, its clinical part as well; a manager will look at why.

    Forbidden without a reason, Invalid for a code that is none; NotFound if there is no such patient. Nothing may be
    changed by it.
    """
    refused = ask_emergency(reason_code, text)
    if refused is not None or work.actor.user_id is None:
        detail = "Only a person opens a record in an emergency."
        raise Forbidden(refused.sentence() if refused else detail, code="emergency-reason-missing")
    if reason_code not in {reason.value for reason in EmergencyReason}:  # the code goes into the trail: no words do
        known = ", ".join(reason.value for reason in EmergencyReason)
        raise Invalid(f"The reason must be one of: {known}. Say what happened in the text.", pointer="/reason_code")
    branch_id = branch_of_patient(work, patient_id)
    row = EmergencyAccess(
        user_id=work.actor.user_id, patient_id=patient_id, reason_code=reason_code, text=text, opened_at=work.now,
        expires_at=emergency_ends_at(work.now, work.policy),
        review_due_on=emergency_review_due(today(work, branch_id), work.policy),
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # the row's number is in the audit line
    work.record("emergency.opened", f"emergency:{row.id}", patient_id=patient_id, reason=reason_code)
    work.publish(EmergencyAccessOpened(row.id, patient_id, branch_id, row.user_id, row.opened_at, row.review_due_on))
    return row


@permitted("emergency:review")
def review(work: Work, access_id: int, *, justified: bool, text: str) -> EmergencyAccess:
    """Somebody else than who opened the record found that it was needed, or that it was not."""
    row = work.session.get(EmergencyAccess, access_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("emergency access")
    require_sight(work, row.patient_id)
    if row.user_id == work.actor.user_id:
        raise Forbidden("Nobody reviews their own access. Ask another manager.", code="own-access")
    if row.reviewed_at is not None:
        raise Conflict("This access was reviewed already.", code="wrong-state")
    row.reviewed_at, row.reviewed_by_id = work.now, work.actor.user_id
    row.justified, row.review_text = justified, text
    work.record("emergency.reviewed", f"emergency:{row.id}", patient_id=row.patient_id, justified=justified)
    work.publish(EmergencyAccessReviewed(row.id, row.patient_id))
    return row


@permitted("emergency:open")
def end_early(work: Work, access_id: int) -> EmergencyAccess:
    """The emergency is over before its hours are; it is reviewed all the same. NotFound for somebody else's."""
    row = work.session.get(EmergencyAccess, access_id, with_for_update=True, populate_existing=True)
    if row is None or row.user_id != work.actor.user_id:
        raise NotFound("emergency access")
    if row.expires_at <= work.now:
        raise Conflict("This access is over already.", code="wrong-state")
    row.expires_at = work.now
    work.record("emergency.ended", f"emergency:{row.id}", patient_id=row.patient_id)
    return row


@permitted("emergency:open")
def mine(work: Work) -> sa.Select[EmergencyAccess]:
    """The records that the signed-in person has opened in an emergency that is not over."""
    return sa.select(EmergencyAccess).where(
        EmergencyAccess.user_id == (work.actor.user_id or 0), EmergencyAccess.expires_at > work.now
    )


@permitted("emergency:review")
def search(work: Work, *, reviewed: bool | None = None, patient_id: int | None = None) -> sa.Select[EmergencyAccess]:
    """Who opened which record of the actor's branches in an emergency, and why; what they read is in the trail."""
    query = sa.select(EmergencyAccess).where(EmergencyAccess.patient_id.in_(patients_in_sight(work)))
    if reviewed is not None:
        query = query.where(EmergencyAccess.reviewed_at.is_not(None) == reviewed)
    if patient_id is not None:
        query = query.where(EmergencyAccess.patient_id == patient_id)
    work.record("emergency.listed", "emergency:all", patient_id=patient_id)
    return query


def reads_in_emergency(work: Work, patient_id: int) -> bool:
    """Whether the actor has opened this record in an emergency that is not over. Asked by other rooms."""
    if work.actor.user_id is None:
        return False
    opened = emergency_patients(work).where(EmergencyAccess.patient_id == patient_id).limit(1)
    return work.session.execute(opened).scalar() is not None
