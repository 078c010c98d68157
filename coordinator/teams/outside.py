"""Who takes part from outside, and what may be told to them: by consent, in its words, until it is taken back."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from coordinator.access.scope import require_sight
from coordinator.agency.service import today
from coordinator.core.db import locked, touch
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain import npi as national_number
from coordinator.domain.team import ConsentGiver, OutsideKind, SharedContent
from coordinator.rules.teams import Agreed, may_share
from coordinator.teams.model import OutsideParticipant, SharingConsent

_EDITABLE = frozenset({"kind", "name", "role", "organisation", "npi", "phone", "email", "ends_on"})
_NEEDED = frozenset({"kind", "name", "role"})


@permitted("participant:read")
def participants(work: Work, patient_id: int, *, day: date | None = None) -> Sequence[OutsideParticipant]:
    """Who takes part from outside, first to last; with `day`, those whose period holds it."""
    require_sight(work, patient_id)
    query = sa.select(OutsideParticipant).where(OutsideParticipant.patient_id == patient_id)
    if day is not None:
        query = query.where(
            sa.or_(OutsideParticipant.starts_on.is_(None), OutsideParticipant.starts_on <= day),
            sa.or_(OutsideParticipant.ends_on.is_(None), OutsideParticipant.ends_on >= day),
        )
    work.record("participant.listed", f"patient:{patient_id}", patient_id=patient_id)
    return work.session.execute(query.order_by(OutsideParticipant.id)).scalars().all()


@permitted("participant:edit")
def add_participant(
    work: Work, patient_id: int, *, kind: OutsideKind, name: str, role: str, starts_on: date,
    organisation: str | None = None, npi: str | None = None, phone: str | None = None, email: str | None = None,
    ends_on: date | None = None,
) -> OutsideParticipant:  # fmt: skip
    """Somebody outside takes part in the patient's care from that day on; nothing may be told to them yet."""
    require_sight(work, patient_id)
    _check(npi, starts_on, ends_on)
    row = OutsideParticipant(
        patient_id=patient_id, kind=kind, name=name, role=role, organisation=organisation, npi=npi, phone=phone,
        email=email, starts_on=starts_on, ends_on=ends_on, recorded_by_id=work.actor.user_id, consents=[],
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # its number is in the answer and in the trail
    work.record("participant.added", f"participant:{row.id}", patient_id=patient_id, kind=row.kind.value)
    return row


def participant_for_change(work: Work, patient_id: int, participant_id: int) -> OutsideParticipant:
    """That participant of that patient, if the actor may see the patient, held until this transaction ends."""
    require_sight(work, patient_id)
    row = work.session.get(OutsideParticipant, participant_id)
    if row is None or row.patient_id != patient_id:
        raise NotFound("participant")
    return locked(work.session, OutsideParticipant, participant_id, "participant")


@permitted("participant:edit")
def edit_participant(work: Work, patient_id: int, participant_id: int, **changes: Any) -> OutsideParticipant:
    """The participant with those fields changed; one whose part is over is changed no more."""
    row = participant_for_change(work, patient_id, participant_id)
    for name in sorted(changes):
        if name not in _EDITABLE:
            raise Invalid(f"{name} cannot be set here.", pointer=f"/{name}")
        if changes[name] is None and name in _NEEDED:
            raise Invalid(f"{name} is needed.", pointer=f"/{name}")
    if row.ends_on is not None and row.ends_on < today(work, require_sight(work, patient_id)):
        raise Conflict("This part is over and stays as it was. Add the participant anew.", code="participant-over")
    _check(changes.get("npi", row.npi), row.starts_on, changes.get("ends_on", row.ends_on))
    for name, value in changes.items():
        setattr(row, name, value)
    work.session.flush()  # the new version is in the answer
    work.record("participant.edited", f"participant:{row.id}", patient_id=patient_id, fields=sorted(changes))
    return row


def _check(npi: str | None, starts_on: date | None, ends_on: date | None) -> None:
    if npi is not None and not national_number.is_valid(npi):
        raise Invalid("An NPI is ten digits whose last is a check digit; this one does not pass.", pointer="/npi")
    if starts_on is not None and ends_on is not None and ends_on < starts_on:
        raise Invalid("The last day is before the first.", pointer="/ends_on")


# ------------------------------------------------------------------------------------ consent


@permitted("participant:edit")
def give_consent(
    work: Work, patient_id: int, participant_id: int, *, given_by: ConsentGiver, given_on: date,
    scopes: Iterable[SharedContent], giver_name: str | None = None, ends_on: date | None = None,
) -> OutsideParticipant:  # fmt: skip
    """The patient, or who decides for them, agreed that these things may be told to the participant."""
    row = participant_for_change(work, patient_id, participant_id)
    day = today(work, require_sight(work, patient_id))
    wanted = sorted({SharedContent(scope).value for scope in scopes})
    if not wanted:
        raise Invalid("Say what may be shared.", pointer="/scopes")
    if given_by is ConsentGiver.REPRESENTATIVE and not (giver_name or "").strip():
        raise Invalid("Say who the representative is.", pointer="/giver_name")
    if given_on > day:
        raise Invalid("A consent is recorded when it was given, not ahead.", pointer="/given_on")
    if ends_on is not None and ends_on < given_on:
        raise Invalid("The last day is before the first.", pointer="/ends_on")
    consent = SharingConsent(
        given_by=given_by, giver_name=giver_name, given_on=given_on, ends_on=ends_on, scopes=wanted,
        recorded_by_id=work.actor.user_id, recorded_at=work.now,
    )  # fmt: skip
    row.consents.append(consent)
    touch(row)  # the consent is a row of its own; whoever edits by version must see it
    work.session.flush()  # its number and the new version are in the answer
    work.record(
        "consent.given", f"participant:{row.id}", patient_id=patient_id, consent=consent.id, by=given_by.value,
        scopes=wanted,
    )  # fmt: skip
    return row


@permitted("participant:edit")
def withdraw_consent(
    work: Work, patient_id: int, participant_id: int, consent_id: int, *, withdrawn_by: ConsentGiver, withdrawn_on: date
) -> OutsideParticipant:
    """From that day on nothing may be told on that consent; that it was given stays on record."""
    row = participant_for_change(work, patient_id, participant_id)
    consent = next((one for one in row.consents if one.id == consent_id), None)
    if consent is None:
        raise NotFound("consent")
    if consent.withdrawn_on is not None:
        raise Conflict("This consent was taken back already.", code="consent-withdrawn", on=consent.withdrawn_on)
    if withdrawn_on < consent.given_on or withdrawn_on > today(work, require_sight(work, patient_id)):
        raise Invalid("It is taken back between the day it was given and today.", pointer="/withdrawn_on")
    consent.withdrawn_on, consent.withdrawn_by = withdrawn_on, withdrawn_by
    touch(row)
    work.session.flush()  # the new version is in the answer
    work.record("consent.withdrawn", f"participant:{row.id}", patient_id=patient_id, consent=consent.id)
    return row


def shareable(participant: OutsideParticipant, day: date) -> frozenset[SharedContent]:
    """What may be told to the participant on that day."""
    return may_share(
        (
            Agreed(frozenset(map(SharedContent, one.scopes)), one.given_on, one.ends_on, one.withdrawn_on)
            for one in participant.consents
        ),
        day,
    )
