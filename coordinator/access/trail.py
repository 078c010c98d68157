"""Reading the audit trail (SEC-05): who did or read what, as far as the reader works for those it is about."""

from datetime import datetime

import sqlalchemy as sa

from coordinator.access.scope import branches_of, patients_in_sight
from coordinator.access.users import those_in_charge_of
from coordinator.core.audit import AuditEvent
from coordinator.core.errors import Invalid
from coordinator.core.work import Work, permitted


@permitted("audit:read")
def search(
    work: Work,
    *,
    patient_id: int | None = None,
    user_id: int | None = None,
    action: str | None = None,
    since: datetime | None = None,
    before: datetime | None = None,
) -> sa.Select[AuditEvent]:
    """Lines of the trail, the oldest first. This reading becomes a line of it as well.

    Who works for some branches sees what was done with their patients, and what else the people of these branches did.
    """
    if since is not None and before is not None and before <= since:
        raise Invalid("The lines would end before they begin.", pointer="/query/to")
    query = sa.select(AuditEvent)
    if branches_of(work.actor) is not None:
        query = query.where(
            sa.or_(
                AuditEvent.patient_id.in_(patients_in_sight(work)),
                sa.and_(AuditEvent.patient_id.is_(None), AuditEvent.user_id.in_(those_in_charge_of(work))),
            )
        )
    for column, wanted in (
        (AuditEvent.patient_id, patient_id), (AuditEvent.user_id, user_id), (AuditEvent.action, action),
    ):  # fmt: skip
        if wanted is not None:
            query = query.where(column == wanted)
    if since is not None:
        query = query.where(AuditEvent.at >= since)
    if before is not None:
        query = query.where(AuditEvent.at < before)
    work.record("audit.listed", "audit:all", patient_id=patient_id, about_user=user_id, action_asked=action)
    return query
