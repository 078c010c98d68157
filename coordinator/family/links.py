"""Links to the family's page: made for one person in one language, shown once, expiring, revocable at any time."""

import secrets
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.db import locked
from coordinator.core.errors import Conflict, Invalid, NotFound, RuleBroken
from coordinator.core.work import Actor, Work, permitted
from coordinator.domain.family import FamilyLanguage, family_language
from coordinator.family import telling
from coordinator.family.model import FamilyLink
from coordinator.patients.model import Caregiver, Patient
from coordinator.patients.queries import for_change
from coordinator.patients.scope import require_sight
from coordinator.rules.language import ShareFacts, ask_share
from coordinator.rules.terms import Finding

#: What whoever holds a link may do, and nothing else.
_OF_A_LINK = frozenset({"family:read", "family:ask"})


def share_finding(work: Work, patient: Patient, caregiver: Caregiver) -> Finding | None:
    """Why nothing about the patient may be said to this caregiver today (CAR-01); None if it may."""
    return ask_share(
        ShareFacts(caregiver.consent_to_share, caregiver.consent_from, caregiver.consent_until),
        agency.today(work, patient.branch_id),
    )


@permitted("family-link:edit")
def make(
    work: Work, patient_id: int, digest: Any, *, caregiver_id: int | None = None,
    language: FamilyLanguage | None = None, days: int | None = None,
) -> tuple[FamilyLink, str]:  # fmt: skip
    """A link and its secret, which nobody can be shown again. `digest` makes of a secret what is kept of it.

    RuleBroken (CAR-01) for a caregiver with whom the patient has not agreed to share. Visits that the page shows are
    told by it: when one changes, the family is to be told.
    """
    patient = for_change(work, patient_id)
    if not patient.active:
        raise Conflict("The patient's record is closed: nobody is visited.", code="record-closed")
    caregiver = None
    if caregiver_id is not None:
        caregiver = next((one for one in patient.caregivers if one.id == caregiver_id), None)
        if caregiver is None:
            raise Invalid("The patient has no such caregiver.", pointer="/caregiver_id")
        refused = share_finding(work, patient, caregiver)
        if refused is not None:
            raise RuleBroken((refused,))
    most = work.policy.family.link_days
    if days is not None and not 1 <= days <= most:
        raise Invalid(f"A link lasts from 1 to {most} days.", pointer="/days")
    secret = secrets.token_urlsafe(32)
    row = FamilyLink(
        patient_id=patient.id, caregiver_id=caregiver_id, token_hash=digest(secret), created_by=work.actor.user_id,
        language=language or family_language(caregiver.language if caregiver else patient.written_language),
        created_at=work.now, expires_at=work.now + timedelta(days=days or most),
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # its number is in the answer and in the trail
    work.record("family-link.made", f"family-link:{row.id}", patient_id=patient.id, caregiver=caregiver_id)
    telling.tell_all(work, patient)
    return row, secret


@permitted("family-link:edit")
def revoke(work: Work, link_id: int) -> FamilyLink:
    """The link opens nothing from now on; once revoked, it stays so."""
    row = work.session.get(FamilyLink, link_id)
    if row is None:
        raise NotFound("link")
    require_sight(work, row.patient_id)
    row = locked(work.session, FamilyLink, link_id, "link")
    if row.revoked_at is None:
        row.revoked_at, row.revoked_by = work.now, work.actor.user_id
        work.session.flush()  # the new version is in the answer
        work.record("family-link.revoked", f"family-link:{row.id}", patient_id=row.patient_id)
    return row


@permitted("family-link:edit")
def search(work: Work, patient_id: int) -> sa.Select[Any]:
    """The patient's links, without their secrets, as a select for `page`."""
    require_sight(work, patient_id)
    work.record("family-link.listed", f"patient:{patient_id}", patient_id=patient_id)
    return sa.select(FamilyLink).where(FamilyLink.patient_id == patient_id)


def opened(work: Work, digested: str) -> FamilyLink | None:
    """The link of that digest if it opens the page now, with `work` acting for whoever holds it; else None.

    Dead after its day, when it is revoked, when the record is closed, and when the patient's consent has ended. Asked
    by other rooms and by the page, whose visitor has nothing but the link.
    """
    row = work.session.execute(sa.select(FamilyLink).where(FamilyLink.token_hash == digested)).scalar()
    if row is None or row.revoked_at is not None or row.expires_at <= work.now:
        return None
    patient = work.session.get_one(Patient, row.patient_id)
    if not patient.active:
        return None
    if row.caregiver_id is not None:
        caregiver = next((one for one in patient.caregivers if one.id == row.caregiver_id), None)
        if caregiver is None or share_finding(work, patient, caregiver) is not None:
            return None
    work.actor = Actor(name=f"family-link:{row.id}", permissions=_OF_A_LINK)
    return row
