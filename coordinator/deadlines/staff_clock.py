"""The clock of credentials: every licence and certificate that runs out is brought up in time (CRD-01)."""

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.work import Work
from coordinator.deadlines.book import end, open_deadline
from coordinator.deadlines.model import Deadline
from coordinator.domain.vocabulary import DeadlineStatus
from coordinator.rules.staffing import credential_reminders
from coordinator.staff.model import Clinician, Credential

CREDENTIAL = "CRD-01"


def follow_credentials(work: Work, branch_id: int) -> None:
    """Of each clinician at work, the latest credential of each kind stands in the book from its first reminder on."""
    today = agency.today(work, branch_id)
    rows = work.session.execute(
        sa.select(Credential)
        .join(Clinician, Clinician.id == Credential.clinician_id)
        .where(Clinician.branch_id == branch_id, Clinician.active, Credential.status == "active")
        .order_by(Credential.clinician_id, Credential.kind, Credential.expires_on, Credential.id)
    ).scalars()
    latest: dict[tuple[int, str], Credential] = {}
    for row in rows:
        known = latest.get((row.clinician_id, row.kind))
        if known is not None and known.expires_on is None:
            continue  # one that does not run out needs no renewal
        if known is None or row.expires_on is None or known.expires_on is None or row.expires_on >= known.expires_on:
            latest[row.clinician_id, row.kind] = row
    expected = {}
    for credential in latest.values():
        if credential.expires_on is not None:
            days = credential_reminders(credential.expires_on, work.policy)
            if days and today >= days[0]:
                expected[f"credential:{credential.id}"] = (credential, days)
    _forget(work, branch_id, {subject: one[0] for subject, one in expected.items()})
    for subject, (credential, days) in expected.items():
        assert credential.expires_on is not None
        open_deadline(
            work, rule=CREDENTIAL, subject=subject, due_on=credential.expires_on, owner_role="clinical_manager",
            branch_id=branch_id, task="renew-credential", kind=credential.kind, clinician=credential.clinician_id,
            ends_on=credential.expires_on.isoformat(), remind_on=[day.isoformat() for day in days],
        )  # fmt: skip


def _forget(work: Work, branch_id: int, expected: dict[str, Credential]) -> None:
    """What was renewed, or belongs to somebody who left, is owed no more."""
    standing = work.session.execute(
        sa.select(Deadline)
        .where(
            Deadline.branch_id == branch_id,
            Deadline.rule == CREDENTIAL,
            Deadline.subject.startswith("credential:"),
            Deadline.status == DeadlineStatus.OPEN,
        )
        .order_by(Deadline.id)
        .with_for_update()
    ).scalars()
    for row in standing.all():
        credential = expected.get(row.subject)
        if credential is None or credential.expires_on != row.due_on:
            end(work, row, "renewed or not needed")
