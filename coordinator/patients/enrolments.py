"""Programmes elsewhere, circumstances that excuse from verification, and screenings for Medi-Cal palliative care.

A patient holds programmes over time in two ways: episodes of this agency, and enrolments elsewhere that bear on them
(a hospice election, PACE). Both are put to PRG-02 as `Enrolment`s.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date
from typing import Any

import sqlalchemy as sa

from coordinator.agency.programmes import require_programme
from coordinator.agency.service import today
from coordinator.core.db import Base
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.vocabulary import EvvCircumstanceKind, Payer, Programme
from coordinator.patients import checks
from coordinator.patients.diagnoses import diagnosis_code
from coordinator.patients.enrolment_model import EnrolmentRow, EvvCircumstance, PalliativeScreening
from coordinator.patients.model import Episode, Patient
from coordinator.patients.queries import for_change, require_visible
from coordinator.patients.record import MOST_ROWS, changed
from coordinator.rules.facts import Enrolment
from coordinator.rules.palliative import Screening, ScreeningFacts, ask_screening, screen
from coordinator.rules.programmes import age_on, ask_exclusion
from coordinator.rules.terms import Finding

# ------------------------------------------------------------------------------------ enrolments


def _fact(row: EnrolmentRow) -> Enrolment:
    return Enrolment(row.programme, row.payer, row.starts_on, row.ends_on, row.condition or "")


def enrolled_elsewhere(work: Work, patient_ids: Iterable[int]) -> dict[int, tuple[Enrolment, ...]]:
    """Programmes elsewhere, by patient; in one query. Asked by other rooms."""
    found: dict[int, list[Enrolment]] = defaultdict(list)
    query = sa.select(EnrolmentRow).where(EnrolmentRow.patient_id.in_(sorted(set(patient_ids))))
    for row in work.session.scalars(query.order_by(EnrolmentRow.id)):
        found[row.patient_id].append(_fact(row))
    return {patient_id: tuple(rows) for patient_id, rows in found.items()}


def episodes_as_enrolments(patient: Patient, but: Episode | None = None) -> tuple[Enrolment, ...]:
    """The agency's own other programmes of the patient. Asked by other rooms."""
    return tuple(
        Enrolment(other.programme, other.payer, other.soc_date, other.discharged_on, primary_diagnosis(patient))
        for other in patient.episodes
        if (but is None or other.id != but.id) and other.soc_date is not None
    )


def in_the_way(
    work: Work, patient: Patient, programme: Programme, day: date, but: Episode | None = None
) -> tuple[Finding, ...]:
    """Programmes, here or elsewhere, that exclude this one on the day (PRG-02). `but`: not that episode itself.

    Asked by other rooms.
    """
    held = enrolled_elsewhere(work, [patient.id]).get(patient.id, ()) + episodes_as_enrolments(patient, but)
    return ask_exclusion(programme, day, held, patient.birth_date, primary_diagnosis(patient), work.policy)


def primary_diagnosis(patient: Patient) -> str:
    """ICD-10-CM code of the first diagnosis; empty without one. Asked by other rooms."""
    return min(((row.rank, row.code) for row in patient.diagnoses), default=(0, ""))[1]


@permitted("patient:read")
def enrolments(work: Work, patient_id: int) -> list[EnrolmentRow]:
    """Programmes elsewhere that the patient is or was in, by first day; the reading is in the trail."""
    require_visible(work, patient_id)
    work.record("patient.enrolments-read", f"patient:{patient_id}", patient_id=patient_id)
    return _enrolments_of(work, patient_id)


def _enrolments_of(work: Work, patient_id: int) -> list[EnrolmentRow]:
    query = sa.select(EnrolmentRow).where(EnrolmentRow.patient_id == patient_id)
    return list(work.session.scalars(query.order_by(EnrolmentRow.starts_on, EnrolmentRow.id)))


@permitted("patient:edit")
def add_enrolment(
    work: Work, patient_id: int, *, programme: str, payer: Payer, starts_on: date, ends_on: date | None = None,
    condition: str | None = None,
) -> EnrolmentRow:  # fmt: skip
    """The patient is in that programme elsewhere on these days; Conflict if it is on record for some of them."""
    code = require_programme(work, programme)
    patient = for_change(work, patient_id)
    others = _enrolments_of(work, patient_id)
    if len(others) >= MOST_ROWS:
        raise Invalid(
            f"There are {MOST_ROWS} of these already, which is all that a record holds.", pointer="/programme"
        )
    if ends_on is not None:
        checks.days_in_order(starts_on, ends_on, "/ends_on")
    if condition is not None:
        condition, _ = diagnosis_code(condition, "/condition")
    for other in others:
        if other.programme != code:
            continue
        if starts_on <= (other.ends_on or date.max) and other.starts_on <= (ends_on or date.max):
            raise Conflict(
                "This enrolment is on record for some of these days already. End it first.",
                code="enrolment-overlap",
                blocking=[{"enrolment": other.id, "starts_on": other.starts_on, "ends_on": other.ends_on}],
            )
    row = EnrolmentRow(
        patient_id=patient_id, programme=code, payer=payer, condition=condition, starts_on=starts_on, ends_on=ends_on
    )
    work.session.add(row)
    changed(work, patient, "patient.enrolment-added", programme=code.value, payer=payer.value)
    return row


@permitted("patient:edit")
def end_enrolment(work: Work, patient_id: int, enrolment_id: int, ends_on: date) -> EnrolmentRow:
    """The enrolment's last day is `ends_on`: revoked, or the patient left."""
    patient = for_change(work, patient_id)
    row = next((row for row in _enrolments_of(work, patient_id) if row.id == enrolment_id), None)
    if row is None:
        raise NotFound("enrolment")
    checks.days_in_order(row.starts_on, ends_on, "/ends_on")
    row.ends_on = ends_on
    changed(work, patient, "patient.enrolment-ended", enrolment=row.id)
    return row


# ------------------------------------------------------------------------------------ verification


def circumstances_on(work: Work, patient_id: int, day: date) -> list[EvvCircumstance]:
    """What excuses the patient's visits of that day from verification. Asked by other rooms."""
    query = sa.select(EvvCircumstance).where(
        EvvCircumstance.patient_id == patient_id,
        EvvCircumstance.starts_on <= day,
        sa.or_(EvvCircumstance.ends_on.is_(None), EvvCircumstance.ends_on >= day),
    )
    return list(work.session.scalars(query.order_by(EvvCircumstance.id)))


@permitted("patient:edit")
def add_circumstance(
    work: Work, patient_id: int, *, kind: EvvCircumstanceKind, starts_on: date, ends_on: date | None = None,
    clinician_id: int | None = None, exemption_on: date | None = None,
) -> EvvCircumstance:  # fmt: skip
    """From day to day visits are excused; a live-in caregiver is named, and excused once the exemption is on record."""
    patient = for_change(work, patient_id)
    if ends_on is not None:
        checks.days_in_order(starts_on, ends_on, "/ends_on")
    if (kind is EvvCircumstanceKind.LIVE_IN_CAREGIVER) is not (clinician_id is not None):
        raise Invalid("A live-in caregiver is named, and nobody else is.", pointer="/clinician_id")
    if clinician_id is not None and not _is_clinician(work, clinician_id):
        raise Invalid("There is no such clinician.", pointer="/clinician_id")
    if exemption_on is not None and exemption_on > today(work, patient.branch_id):
        raise Invalid("An exemption is recorded when it is there, not ahead.", pointer="/exemption_on")
    row = EvvCircumstance(
        patient_id=patient_id, kind=kind, clinician_id=clinician_id, starts_on=starts_on, ends_on=ends_on,
        exemption_on=exemption_on,
    )  # fmt: skip
    work.session.add(row)
    changed(work, patient, "patient.evv-circumstance-added", kind=kind.value)
    return row


@permitted("patient:read")
def circumstances(work: Work, patient_id: int) -> list[EvvCircumstance]:
    """What excuses, or excused, the patient's visits, by first day; the reading is in the trail."""
    require_visible(work, patient_id)
    work.record("patient.evv-circumstances-read", f"patient:{patient_id}", patient_id=patient_id)
    query = sa.select(EvvCircumstance).where(EvvCircumstance.patient_id == patient_id)
    return list(work.session.scalars(query.order_by(EvvCircumstance.starts_on, EvvCircumstance.id)))


@permitted("patient:edit")
def end_circumstance(work: Work, patient_id: int, circumstance_id: int, ends_on: date) -> EvvCircumstance:
    """The circumstance's last day is `ends_on`: visits after it are verified again."""
    patient = for_change(work, patient_id)
    row = work.session.scalar(
        sa.select(EvvCircumstance).where(
            EvvCircumstance.id == circumstance_id, EvvCircumstance.patient_id == patient_id
        )
    )
    if row is None:
        raise NotFound("circumstance")
    checks.days_in_order(row.starts_on, ends_on, "/ends_on")
    row.ends_on = ends_on
    changed(work, patient, "patient.evv-circumstance-ended", circumstance=row.id)
    return row


def _is_clinician(work: Work, clinician_id: int) -> bool:
    # The room of staff stands beside this one: its table is known by name.
    table = Base.metadata.tables["clinician"]
    return work.session.execute(sa.select(table.c.id).where(table.c.id == clinician_id)).scalar() is not None


# ------------------------------------------------------------------------------------ SB-01


@permitted("screening:record")
def record_screening(
    work: Work, patient_id: int, *, screened_on: date, facts: Mapping[str, Any], plan: str | None = None
) -> tuple[PalliativeScreening, Screening, Finding]:
    """What was found is on record, with the rule's answer, which is an advice (SB-01).

    A hospice election that excludes the programme answers the general criterion about hospice, whatever was said.
    """
    patient = for_change(work, patient_id)
    if screened_on > today(work, patient.branch_id):
        raise Invalid("A screening is recorded when it was made, not ahead.", pointer="/screened_on")
    policy = work.policy.on(screened_on)
    if plan is not None and plan not in policy.palliative.plans:
        known = ", ".join(sorted(policy.palliative.plans)) or "none"
        raise Invalid(f"There are no numbers of that plan; there are those of {known}.", pointer="/plan")
    checks.refuse_unknown(facts, frozenset(item.name for item in fields(ScreeningFacts)), "/facts")
    known_facts = {name: value for name, value in facts.items() if value is not None}
    age = age_on(patient.birth_date, screened_on)
    if _in_hospice(work, patient, screened_on):
        known_facts["not_in_hospice"] = False
    answer = screen(ScreeningFacts(**known_facts), plan or "", age, policy)
    row = PalliativeScreening(
        patient_id=patient_id, screened_on=screened_on, plan=plan, facts=known_facts, answer=answer.answer,
        recorded_by_id=work.actor.user_id, recorded_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    changed(work, patient, "patient.screened", answer=answer.answer.value)
    return row, answer, ask_screening(answer)


def _in_hospice(work: Work, patient: Patient, day: date) -> bool:
    """Whether a programme of that day stands in the way of Medi-Cal palliative care."""
    held = enrolled_elsewhere(work, [patient.id]).get(patient.id, ()) + episodes_as_enrolments(patient)
    return bool(ask_exclusion(Programme.MEDI_CAL_PC, day, held, patient.birth_date, "", work.policy))


@permitted("patient:read-clinical")
def screenings(work: Work, patient_id: int) -> list[PalliativeScreening]:
    """The patient's screenings, newest first; the reading is in the trail."""
    require_visible(work, patient_id)
    work.record("patient.screenings-read", f"patient:{patient_id}", patient_id=patient_id)
    query = sa.select(PalliativeScreening).where(PalliativeScreening.patient_id == patient_id)
    newest_first = query.order_by(PalliativeScreening.screened_on.desc(), PalliativeScreening.id.desc())
    return list(work.session.scalars(newest_first))
