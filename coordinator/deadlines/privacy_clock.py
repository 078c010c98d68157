"""What is owed about records and about who may be paid: requests, breaches, emergencies, exclusion lists."""

from coordinator.core.work import Work
from coordinator.deadlines.book import end, open_deadline, open_rows
from coordinator.domain.events import (
    BreachDetected,
    BreachNotified,
    EmergencyAccessOpened,
    EmergencyAccessReviewed,
    ExclusionChecked,
    RecordRequestClosed,
    RecordRequested,
)
from coordinator.domain.vocabulary import BreachNotice
from coordinator.rules.staffing import exclusion_check_due


def on_record_requested(work: Work, event: RecordRequested) -> None:
    """The record is given by its day."""
    open_deadline(
        work, rule="SEC-09", subject=f"record-request:{event.request_id}", due_on=event.due_on, owner_role="intake",
        branch_id=event.branch_id, patient_id=event.patient_id, task="give-record",
    )  # fmt: skip


def on_record_request_closed(work: Work, event: RecordRequestClosed) -> None:
    """It was given, or is asked for no more."""
    for row in open_rows(work, subject=f"record-request:{event.request_id}", rules=("SEC-09",)):
        end(work, row, "closed")


def on_breach_detected(work: Work, event: BreachDetected) -> None:
    """State and patients are told by one day, the federal office by another."""
    for whom, due_on in (
        (BreachNotice.STATE, event.state_due_on),
        (BreachNotice.PATIENTS, event.state_due_on),
        (BreachNotice.FEDERAL, event.federal_due_on),
    ):
        open_deadline(
            work, rule="SEC-11", subject=f"breach:{event.breach_id}:{whom.value}", due_on=due_on,
            owner_role="administrator", branch_id=event.branch_id, task="tell-of-breach", whom=whom.value,
        )  # fmt: skip


def on_breach_notified(work: Work, event: BreachNotified) -> None:
    """They were told."""
    for row in open_rows(work, subject=f"breach:{event.breach_id}:{event.whom}", rules=("SEC-11",)):
        end(work, row, "told")


def on_emergency_opened(work: Work, event: EmergencyAccessOpened) -> None:
    """Somebody else looks at why."""
    open_deadline(
        work, rule="SEC-02", subject=f"emergency:{event.access_id}", due_on=event.review_due_on,
        owner_role="clinical_manager", branch_id=event.branch_id, patient_id=event.patient_id, task="review-emergency",
    )  # fmt: skip


def on_emergency_reviewed(work: Work, event: EmergencyAccessReviewed) -> None:
    """Somebody did."""
    for row in open_rows(work, subject=f"emergency:{event.access_id}", rules=("SEC-02",)):
        end(work, row, "reviewed")


def on_exclusion_checked(work: Work, event: ExclusionChecked) -> None:
    """Each list is asked again in a month."""
    subject = f"exclusion:{event.clinician_id}:{event.source}"
    due_on = exclusion_check_due(event.checked_on, work.policy)
    for row in open_rows(work, subject=subject, rules=("CRD-01",)):
        if row.due_on < due_on:
            end(work, row, "checked")
    open_deadline(
        work, rule="CRD-01", subject=subject, due_on=due_on, owner_role="administrator", branch_id=event.branch_id,
        task="check-exclusion", kind=event.source, clinician=event.clinician_id,
    )  # fmt: skip
