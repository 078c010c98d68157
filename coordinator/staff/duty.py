"""What changes on a clinician's sheet: credentials, skills, languages, shifts, absences, exclusions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from coordinator.access.scope import require_sight
from coordinator.agency.service import today
from coordinator.core.db import ROW_ID, UtcDateTime
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.events import AbsenceRecorded, AbsenceTakenBack
from coordinator.domain.lifecycle import PLANNED_VISIT
from coordinator.staff import sheet
from coordinator.staff.clinicians import changed, for_change
from coordinator.staff.model import Clinician, Credential, Exclusion, TimeOff

# Visits stand above this room; their table is named by the few columns that an absence asks about.
_visit = sa.table(
    "visit",
    sa.column("id", ROW_ID),
    sa.column("clinician_id", ROW_ID),
    sa.column("status", sa.String()),
    sa.column("starts_at", UtcDateTime()),
    sa.column("ends_at", UtcDateTime()),
)
LONGEST_ABSENCE_DAYS = 800
_EDITABLE = ("number", "issued_on", "expires_on", "status", "verified_on")


# ------------------------------------------------------------------------------------ credentials


def _credential(clinician: Clinician, credential_id: int) -> Credential:
    for row in clinician.credentials:
        if row.id == credential_id:
            return row
    raise NotFound("credential")


@permitted("credential:edit")
def add_credential(
    work: Work, clinician_id: int, *, issued_on: date, expires_on: date | None = None, kind: str = "licence",
    number: str | None = None, status: str = "active", verified_on: date | None = None,
    restricted_kinds: Iterable[str] | None = None,
) -> Credential:  # fmt: skip
    """The clinician holds this credential; its expiry day is a valid day (CRD-01)."""
    clinician = for_change(work, clinician_id)
    given = {
        "kind": kind, "number": number, "issued_on": issued_on, "expires_on": expires_on, "status": status,
        "verified_on": verified_on, "restricted_kinds": sorted(restricted_kinds) if restricted_kinds else None,
    }  # fmt: skip
    row = sheet.credential_from(work, clinician.branch_id, given)
    clinician.credentials.append(row)
    changed(work, clinician, "credential.added", kind=kind)
    return row


@permitted("credential:edit")
def edit_credential(work: Work, clinician_id: int, credential_id: int, **changes: Any) -> Credential:
    """The credential with those fields changed: number, issued_on, expires_on, status, verified_on."""
    clinician = for_change(work, clinician_id)
    row = _credential(clinician, credential_id)
    sheet.refuse_unknown(changes, frozenset({*_EDITABLE, "restricted_kinds"}))
    columns = ("kind", *_EDITABLE)
    then = {name: changes.get(name, getattr(row, name)) for name in columns}
    sheet.check_credential(work, clinician.branch_id, then)
    for name, value in changes.items():
        setattr(row, name, value)
    changed(work, clinician, "credential.edited", credential=row.id, fields=sorted(changes))
    return row


@permitted("credential:edit")
def renew_credential(
    work: Work, clinician_id: int, credential_id: int, expires_on: date, verified_on: date | None = None
) -> Credential:
    """The credential is active until `expires_on`, which must be later than before."""
    row = _credential(for_change(work, clinician_id), credential_id)
    if row.expires_on is not None and expires_on <= row.expires_on:
        raise Invalid("A renewal lasts longer than what it renews.", pointer="/expires_on")
    changes: dict[str, Any] = {"expires_on": expires_on, "status": "active"}
    return edit_credential(
        work, clinician_id, credential_id, **changes, **({"verified_on": verified_on} if verified_on else {})
    )


@permitted("credential:edit")
def verify_credential(work: Work, clinician_id: int, credential_id: int, verified_on: date) -> Credential:
    """The credential was verified at its primary source that day."""
    return edit_credential(work, clinician_id, credential_id, verified_on=verified_on)


@permitted("credential:edit")
def revoke_credential(work: Work, clinician_id: int, credential_id: int) -> Credential:
    """The credential is revoked: from now on it lets nobody visit."""
    return edit_credential(work, clinician_id, credential_id, status="revoked")


# ------------------------------------------------------------------------------------ skills, languages, shifts


@permitted("credential:edit")
def set_skills(work: Work, clinician_id: int, skills: Iterable[str]) -> Clinician:
    """The clinician was found competent in exactly these skills."""
    clinician = for_change(work, clinician_id)
    wanted = {row.skill: row for row in sheet.skill_rows(skills, "/skills")}
    kept = [row for row in clinician.skills if row.skill in wanted]
    held = {row.skill for row in kept}
    clinician.skills = kept + [row for skill, row in wanted.items() if skill not in held]
    changed(work, clinician, "clinician.skills", skills=sorted(wanted))
    work.session.refresh(clinician, ["skills"])
    return clinician


@permitted("credential:edit")
def set_languages(work: Work, clinician_id: int, languages: Iterable[Mapping[str, Any]]) -> Clinician:
    """The clinician is qualified in exactly these languages: {code, qualified_on, expires_on} (LNG-01)."""
    clinician = for_change(work, clinician_id)
    wanted = {row.code: row for row in sheet.language_rows(languages, "/languages")}
    kept = []
    for row in clinician.languages:
        if (new := wanted.pop(row.code, None)) is not None:
            row.qualified_on, row.expires_on = new.qualified_on, new.expires_on
            kept.append(row)
    clinician.languages = kept + list(wanted.values())
    changed(work, clinician, "clinician.languages", languages=sorted(row.code for row in clinician.languages))
    work.session.refresh(clinician, ["languages"])
    return clinician


@permitted("clinician:edit")
def set_shifts(
    work: Work,
    clinician_id: int,
    *,
    weekly: Iterable[Mapping[str, Any]] | None = None,
    dated: Iterable[Mapping[str, Any]] | None = None,
) -> Clinician:
    """The weekly hours are exactly `weekly` ({weekday, starts, ends}), the dated ones exactly `dated` ({on_date,
    starts, ends}; without hours a day off); what is None stays as it was.
    """
    clinician = for_change(work, clinician_id)
    rows = []
    for given, build, pointer, mine in (
        (weekly, sheet.weekly_rows, "/weekly", [row for row in clinician.shifts if row.weekday is not None]),
        (dated, sheet.dated_rows, "/dated", [row for row in clinician.shifts if row.on_date is not None]),
    ):
        rows += mine if given is None else build(given, pointer)
    clinician.shifts = rows
    changed(work, clinician, "clinician.shifts", weekly=weekly is not None, dated=dated is not None)
    return clinician


# ------------------------------------------------------------------------------------ absences


@dataclass(frozen=True, slots=True)
class Absence:
    """An absence as recorded, and the planned visits that stand inside it and need somebody else."""

    time_off: TimeOff
    visit_ids: tuple[int, ...]

    @property
    def affected_visits(self) -> int:
        return len(self.visit_ids)


@permitted("absence:record")
def record_absence(work: Work, clinician_id: int, *, starts_at: datetime, ends_at: datetime, reason: str) -> Absence:
    """The clinician does not work between the two instants; says which planned visits are left without anybody.

    No visit is changed: a scheduler decides, or a repair run proposes.
    """
    clinician = for_change(work, clinician_id)
    if starts_at.tzinfo is None or ends_at.tzinfo is None:
        raise Invalid("An instant carries its offset from UTC.", pointer="/starts_at")
    if ends_at <= starts_at:
        raise Invalid("An absence ends after it begins.", pointer="/ends_at")
    if (ends_at - starts_at).days > LONGEST_ABSENCE_DAYS:
        raise Invalid("For somebody who left, make the clinician inactive instead.", pointer="/ends_at")
    for other in clinician.time_off:
        if other.starts_at <= starts_at and ends_at <= other.ends_at:
            raise Conflict(
                "This absence is recorded already.", code="already-absent", blocking=[{"time_off": other.id}]
            )
    row = TimeOff(starts_at=starts_at, ends_at=ends_at, reason=sheet.code(reason, "/reason"))
    clinician.time_off.append(row)
    changed(work, clinician, "absence.recorded", reason=reason)
    work.publish(AbsenceRecorded(clinician_id=clinician.id, time_off_id=row.id, starts_at=starts_at, ends_at=ends_at))
    affected = work.session.execute(
        sa.select(_visit.c.id)
        .where(
            _visit.c.clinician_id == clinician.id,
            _visit.c.status.in_(sorted(status.value for status in PLANNED_VISIT)),
            _visit.c.starts_at < ends_at,
            _visit.c.ends_at > starts_at,
        )
        .order_by(_visit.c.starts_at, _visit.c.id)
    ).scalars()
    return Absence(row, tuple(affected))


@permitted("absence:record")
def remove_time_off(work: Work, clinician_id: int, time_off_id: int) -> None:
    """The clinician works in that stretch after all."""
    clinician = for_change(work, clinician_id)
    row = next((row for row in clinician.time_off if row.id == time_off_id), None)
    if row is None:
        raise NotFound("absence")
    clinician.time_off.remove(row)
    changed(work, clinician, "absence.removed", time_off=time_off_id)
    work.publish(AbsenceTakenBack(time_off_id=time_off_id))


# ------------------------------------------------------------------------------------ exclusions


@permitted("clinician:edit")
def add_exclusion(work: Work, clinician_id: int, patient_id: int, reason: str) -> Exclusion:
    """The clinician does not visit this patient, for a reason in a code."""
    clinician = for_change(work, clinician_id)
    require_sight(work, patient_id)
    if any(row.patient_id == patient_id for row in clinician.exclusions):
        raise Conflict("This patient is excluded already.", code="exclusion-exists")
    row = Exclusion(patient_id=patient_id, reason=sheet.code(reason, "/reason"))
    clinician.exclusions.append(row)
    changed(work, clinician, "exclusion.added", patient=patient_id, on=str(today(work, clinician.branch_id)))
    return row


@permitted("clinician:edit")
def remove_exclusion(work: Work, clinician_id: int, patient_id: int) -> None:
    """The clinician may visit this patient again."""
    clinician = for_change(work, clinician_id)
    row = next((row for row in clinician.exclusions if row.patient_id == patient_id), None)
    if row is None:
        raise NotFound("exclusion")
    clinician.exclusions.remove(row)
    changed(work, clinician, "exclusion.removed", patient=patient_id)
