"""Documents that speak for the patient: recorded, tested, ended, and what they say together (ACP-01)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.care.asking import flags, raise_tasks
from coordinator.care.model import Directive, RightsTalk
from coordinator.core.db import locked, touch
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.care import (
    DirectiveKind,
    DirectiveSigner,
    DirectiveStatus,
    Resuscitation,
    WitnessBar,
)
from coordinator.domain.events import CareTaskSettled, CodeStatusChanged, RightsExplained
from coordinator.domain.vocabulary import PractitionerType
from coordinator.patients.model import Episode, Patient
from coordinator.patients.queries import for_change
from coordinator.patients.scope import require_sight
from coordinator.rules import advance_care as rules

ACP = "ACP-01"
#: A patient has at most so many documents on record.
MOST_DOCUMENTS = 100
#: States in which there is nothing to test yet.
STAGES = (DirectiveStatus.DISCUSSED, DirectiveStatus.IN_PROGRESS)
_ENDED = frozenset({DirectiveStatus.REVOKED, DirectiveStatus.SUPERSEDED})
_DAYS = ("executed_on", "signed_on", "practitioner_signed_on")
_FIELDS = frozenset(
    {
        "executed_on", "signed_by", "signed_on", "practitioner_type", "practitioner_name", "practitioner_signed_on",
        "notarised", "witnesses", "agents", "resuscitation", "choices", "instructions", "original_at", "scan",
    }
)  # fmt: skip


@permitted("directive:record")
def record(
    work: Work, patient_id: int, *, kind: DirectiveKind, stage: DirectiveStatus | None = None, **fields: Any
) -> Directive:
    """The document is on record; the rule says whether it holds. An earlier one of its kind that held is superseded.

    `stage` is discussed or in_progress while there is no document yet.
    """
    patient = for_change(work, patient_id)
    if len(_of(work, patient.id)) >= MOST_DOCUMENTS:
        raise Invalid(
            f"There are {MOST_DOCUMENTS} of these already, which is all that a record holds.", pointer="/kind"
        )
    row = Directive(
        patient_id=patient.id, kind=kind, status=DirectiveStatus.IN_PROGRESS, notarised=False, witnesses=[], agents=[],
        resuscitation=Resuscitation.UNSTATED, choices={}, flags=[], recorded_by=work.actor.user_id,
        recorded_at=work.now,
    )  # fmt: skip
    _fill(work, patient, row, stage, fields)
    work.session.add(row)
    work.session.flush()  # its number orders it among the others, and is in the trail
    work.record(
        "directive.recorded", f"directive:{row.id}", patient_id=patient.id, kind=kind.value, status=row.status.value
    )
    _settle_together(work, patient, row)
    return row


@permitted("directive:record")
def edit(work: Work, directive_id: int, *, stage: DirectiveStatus | None = None, **fields: Any) -> Directive:
    """The document says something else, or is further on; the rule is asked anew. One that has ended stays as it is."""
    row = _standing_row(work, directive_id)
    patient = locked(work.session, Patient, row.patient_id, "patient")
    row.settled_at = None
    _fill(work, patient, row, stage, fields)
    touch(row)
    work.session.flush()  # the new version is in the answer
    work.record(
        "directive.edited", f"directive:{row.id}", patient_id=row.patient_id, fields=sorted(fields),
        status=row.status.value,
    )  # fmt: skip
    _settle_together(work, patient, row)
    return row


def _fill(
    work: Work, patient: Patient, row: Directive, stage: DirectiveStatus | None, fields: Mapping[str, Any]
) -> None:
    today = agency.today(work, patient.branch_id)
    for name in fields:
        if name not in _FIELDS:
            raise Invalid("There is no such field.", pointer=f"/{name}")
    if stage is not None and stage not in STAGES:
        raise Invalid("Whether a document holds is what the rule answers.", pointer="/stage")
    for name in _DAYS:
        if fields.get(name) is not None and fields[name] > today:
            raise Invalid("This day is still to come.", pointer=f"/{name}")
    for name, value in fields.items():
        setattr(row, name, value)
    if row.kind in rules.ORDERS and row.executed_on is None:
        signed = [day for day in (row.signed_on, row.practitioner_signed_on) if day is not None]
        row.executed_on = max(signed, default=None)
    if stage is not None:
        row.status, row.flags = stage, []
        return
    findings = rules.ask_directive(_facts(row), work.policy)
    holds = not any(finding.facts["missing"] != "witness_barred" for finding in findings)
    row.status = DirectiveStatus.VALID if holds else DirectiveStatus.INVALID
    row.flags = flags(findings)


def _facts(row: Directive) -> rules.DirectiveFacts:
    return rules.DirectiveFacts(
        kind=row.kind,
        executed_on=row.executed_on,
        signed_by=DirectiveSigner(row.signed_by) if row.signed_by is not None else None,
        signed_on=row.signed_on,
        practitioner_type=PractitionerType(row.practitioner_type) if row.practitioner_type is not None else None,
        practitioner_signed_on=row.practitioner_signed_on,
        notarised=row.notarised,
        witnesses=tuple(
            rules.WitnessFacts(
                frozenset(WitnessBar(bar) for bar in one.get("bars", [])),
                bool(one.get("related")),
                bool(one.get("beneficiary")),
            )
            for one in row.witnesses
        ),
        on_file=bool(row.scan or row.original_at),
        resuscitation=row.resuscitation,
    )


def _of(work: Work, patient_id: int) -> list[Directive]:
    query = sa.select(Directive).where(Directive.patient_id == patient_id).order_by(Directive.id)
    return list(work.session.execute(query).scalars())


def _standing(rows: list[Directive]) -> list[rules.Standing]:
    return [
        rules.Standing(
            row.id, row.kind, row.status, row.executed_on, row.resuscitation, settled=row.settled_at is not None
        )
        for row in rows
    ]


def _settle_together(work: Work, patient: Patient, changed: Directive | None = None) -> None:
    """What the documents say together stands on the patient; where they differ, a physician has a task today."""
    rows = _of(work, patient.id)
    if changed is not None and changed.status is DirectiveStatus.VALID:
        _supersede(work, rows, changed)
    together = _standing(rows)
    status = rules.code_status(together)
    if status is not patient.code_status:
        patient.code_status = status
        work.record("patient.code-status", f"patient:{patient.id}", patient_id=patient.id, code_status=status.value)
        work.session.flush()  # rosters are told of a row that says so
        work.publish(CodeStatusChanged(patient_id=patient.id, code_status=status.value))
    about = f"patient:{patient.id}:directives"
    conflict = rules.ask_conflict(together, agency.today(work, patient.branch_id))
    if conflict is None:
        work.publish(CareTaskSettled(patient_id=patient.id, rule=ACP, reason="documents agree", subject=about))
    elif changed is not None and changed.status is DirectiveStatus.VALID:
        raise_tasks(work, patient.id, about, [conflict])


def _supersede(work: Work, rows: list[Directive], changed: Directive) -> None:
    """Of one kind, the latest that holds stands."""
    for row in rows:
        if row is changed or row.kind is not changed.kind or row.status is not DirectiveStatus.VALID:
            continue
        old, new = row, changed
        if (row.executed_on or date.min) > (changed.executed_on or date.min):
            old, new = changed, row
        old.status, old.superseded_by_id, old.ended_on = DirectiveStatus.SUPERSEDED, new.id, new.executed_on
        work.record("directive.superseded", f"directive:{old.id}", patient_id=old.patient_id, by=new.id)
    work.session.flush()  # versions are in the answer


def directive_for_change(work: Work, directive_id: int) -> Directive:
    """The document, if the actor may see its patient, locked; the patient's row is locked first, as everywhere."""
    row = work.session.get(Directive, directive_id)
    if row is not None:
        require_sight(work, row.patient_id)
        locked(work.session, Patient, row.patient_id, "patient")
    return locked(work.session, Directive, directive_id, "document")


def _standing_row(work: Work, directive_id: int) -> Directive:
    row = directive_for_change(work, directive_id)
    if row.status in _ENDED:
        raise Conflict(f"This document is {row.status.value}. Record the new one.", code="directive-ended")
    return row


@permitted("directive:record")
def revoke(work: Work, directive_id: int, *, on: date, reason: str) -> Directive:
    """The patient, or who decides, has taken the document back on that day."""
    row = _standing_row(work, directive_id)
    patient = locked(work.session, Patient, row.patient_id, "patient")
    if on > agency.today(work, patient.branch_id) or (row.executed_on is not None and on < row.executed_on):
        raise Invalid("It is taken back between its date and today.", pointer="/on")
    if not reason.strip():
        raise Invalid("Say how it was taken back.", pointer="/reason")
    row.status, row.ended_on, row.end_reason = DirectiveStatus.REVOKED, on, reason[:300]
    work.session.flush()  # the new version is in the answer
    work.record("directive.revoked", f"directive:{row.id}", patient_id=row.patient_id)
    _settle_together(work, patient)
    return row


@permitted("directive:settle")
def settle(work: Work, directive_id: int) -> Directive:
    """The physician has asked the patient, or who decides: this document, the most recent, holds over the others.

    Where another one is to hold, the recent one is revoked, or a new one made.
    """
    row = _standing_row(work, directive_id)
    patient = locked(work.session, Patient, row.patient_id, "patient")
    together = _standing(_of(work, patient.id))
    first = rules.controlling(together)
    if not rules.disputed(together) or first is None:
        raise Conflict("The documents in force do not differ.", code="directives-agree")
    if first.number != row.id:
        raise Conflict(
            "The most recent document controls. Revoke it, or have a new one made.", code="not-controlling",
            blocking=[{"directive": first.number}],
        )  # fmt: skip
    row.settled_at = work.now
    work.session.flush()  # the new version is in the answer
    work.record("directive.settled", f"directive:{row.id}", patient_id=row.patient_id)
    _settle_together(work, patient)
    return row


# ------------------------------------------------------------------------------------ reading, and telling of rights


@permitted("directive:read")
def get(work: Work, directive_id: int) -> Directive:
    """One document; the reading is on record."""
    row = work.session.get(Directive, directive_id)
    if row is None:
        raise NotFound("document")
    require_sight(work, row.patient_id)
    work.record("directive.read", f"directive:{row.id}", patient_id=row.patient_id)
    return row


@permitted("directive:read")
def of_patient(work: Work, patient_id: int) -> tuple[Patient, list[Directive]]:
    """The patient, who carries the code status, and every document on record, the ended ones too."""
    require_sight(work, patient_id)
    patient = work.session.get(Patient, patient_id)
    if patient is None:
        raise NotFound("patient")
    work.record("directive.listed", f"patient:{patient_id}", patient_id=patient_id)
    return patient, _of(work, patient_id)


@permitted("directive:record")
def tell_rights(work: Work, episode_id: int, *, told_on: date, language: str, written: bool) -> RightsTalk:
    """The patient was told of the right to make an advance directive, once for the episode. RightsExplained."""
    episode = work.session.get(Episode, episode_id)
    if episode is None:
        raise NotFound("episode")
    patient = for_change(work, episode.patient_id)
    if told_on > agency.today(work, patient.branch_id):
        raise Invalid("This day is still to come.", pointer="/told_on")
    already = work.session.execute(sa.select(RightsTalk.id).where(RightsTalk.episode_id == episode.id)).scalar()
    if already is not None:
        raise Conflict("It is on record for this episode already.", code="rights-told")
    row = RightsTalk(
        patient_id=patient.id, episode_id=episode.id, told_on=told_on, language=language, written=written,
        told_by=work.actor.user_id, recorded_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # its number is in the answer and in the trail
    work.record("rights.told", f"episode:{episode.id}", patient_id=patient.id)
    work.publish(RightsExplained(patient_id=patient.id, episode_id=episode.id, told_on=told_on))
    return row
