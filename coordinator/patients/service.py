"""The verbs on patients. What hangs on a record is in `record`, episodes are in `episodes`, reads in `queries`."""

import re
import secrets
from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa

from coordinator.access.scope import require_branch
from coordinator.agency.service import today
from coordinator.core.errors import Conflict, Forbidden, Invalid
from coordinator.core.work import Work, permitted
from coordinator.domain.care_types import ConditionGroup
from coordinator.domain.events import ManagingPhysicianChanged
from coordinator.domain.vocabulary import Gender, HomeSafety
from coordinator.patients import checks, record
from coordinator.patients.authorisations import add_authorisation, authorisations, edit_authorisation
from coordinator.patients.episodes import (
    close_after_death,
    discharge,
    episode_for_change,
    hold,
    open_episode,
    record_eligibility,
    resume,
    start_of_care,
)
from coordinator.patients.locating import GIVEN, locate, locate_home
from coordinator.patients.model import Home, Patient
from coordinator.patients.queries import current_episode, for_change, get, require_visible, search
from coordinator.patients.record import (
    add_caregiver,
    add_coverage,
    add_diagnosis,
    add_no_visit_window,
    add_unavailability,
    changed,
    edit_caregiver,
    end_coverage,
    record_home_safety,
    remove_diagnosis,
    remove_no_visit_window,
    remove_unavailability,
    set_precautions,
)
from coordinator.rules.discharge import Reason as DischargeReason

__all__ = [
    "DischargeReason", "add_authorisation", "add_caregiver", "add_coverage", "add_diagnosis", "add_no_visit_window",
    "add_unavailability", "authorisations", "create", "current_episode", "discharge", "edit", "edit_authorisation",
    "edit_caregiver", "end_coverage", "episode_for_change",
    "for_change", "get", "hold", "locate_home",
    "open_episode", "put_under", "record_eligibility", "record_home_safety", "remove_diagnosis",
    "remove_no_visit_window", "remove_unavailability", "require_visible", "resume", "search",
    "set_precautions", "set_preferences",
    "start_of_care",
]  # fmt: skip

_physician = sa.table("physician", sa.column("id", sa.BigInteger()), sa.column("active", sa.Boolean()))

_PERSON = frozenset(
    {
        "mrn",
        "given_name",
        "family_name",
        "birth_date",
        "gender",
        "phone",
        "managing_physician_id",
        "deceased_on",
        "concurrent_treatment",
        "condition_groups",
    }
)
#: What a patient wants and how one talks with them (CUL-01, LNG-01).
PREFERENCES = frozenset(
    {
        "spoken_language", "written_language", "interpreter_needed", "interpreter_mode", "interpreter_declined_on",
        "preferred_clinician_gender", "gender_required", "spiritual_tradition", "cultural_notes", "decision_style",
        "diet", "truth_telling", "death_rituals", "race_ethnicity",
    }
)  # fmt: skip
#: Preferences that nobody reads or writes without `patient:read-clinical`.
CLINICAL_PREFERENCES = frozenset(
    {
        "spiritual_tradition", "cultural_notes", "decision_style", "diet", "truth_telling", "death_rituals",
        "race_ethnicity",
    }
)  # fmt: skip
#: The categories of the Office of Management and Budget (2024), which a patient may name of themselves.
RACE_ETHNICITY = (
    "american_indian_or_alaska_native", "asian", "black_or_african_american", "hispanic_or_latino",
    "middle_eastern_or_north_african", "native_hawaiian_or_pacific_islander", "white",
)  # fmt: skip
_NEVER_EMPTY = frozenset(
    {
        "mrn", "given_name", "family_name", "birth_date", "gender", "spoken_language", "written_language",
        "interpreter_needed", "gender_required", "active",
    }
)  # fmt: skip
_HOME = frozenset({"address", "city", "state", "zip", "lat", "lon", "point_source", "access_notes", "hazards"})
_HOME_SAFETY = frozenset({"safety", "safety_assessed_on", "mitigations_open"})
_LISTS = frozenset({"caregivers", "coverages", "diagnoses", "no_visit_windows", "unavailabilities"})
_MRN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)


@permitted("patient:edit")
def create(work: Work, *, branch_id: int, **fields: Any) -> Patient:
    """A new patient of the branch, with home and whatever else is known; the record number is made if none is given.

    Fields are the columns of `Patient`; `home` is a mapping, and caregivers, coverages, diagnoses, no_visit_windows and
    unavailabilities are lists of mappings. Invalid names the field that cannot be meant.
    """
    require_branch(work, branch_id)
    checks.refuse_unknown(fields, _PERSON | PREFERENCES | _LISTS | {"home", "demo"})
    checks.require(fields, ("given_name", "family_name", "birth_date", "home"))
    lists = {name: fields.pop(name, None) or [] for name in _LISTS}
    home = fields.pop("home")
    checks.refuse_unknown(home, _HOME | _HOME_SAFETY, "/home")
    checks.require(home, ("address", "city", "state", "zip"), "/home")
    fields = {name: value for name, value in fields.items() if value is not None}
    _check(work, branch_id, fields, interpreter_needed=fields.get("interpreter_needed", False))
    given_number = fields.pop("mrn", None)
    patient = Patient(
        branch_id=branch_id,
        mrn=given_number or f"new-{secrets.token_hex(8)}",
        home=Home(**_home_row(work, branch_id, home)),
        caregivers=[], coverages=[], diagnoses=[], no_visit_windows=[], unavailabilities=[], episodes=[],
        **({"spoken_language": "en", "written_language": "en"} | fields),
    )  # fmt: skip
    patient.active = patient.deceased_on is None
    for name, rows in lists.items():
        if len(rows) > record.MOST_ROWS:
            raise Invalid(f"At most {record.MOST_ROWS} of these fit in a record.", pointer=f"/{name}")
        for place, row in enumerate(rows):
            _append(patient, name, row, f"/{name}/{place}")
    work.session.add(patient)
    work.session.flush()  # the patient's number makes the record number and is in the audit line
    if given_number is None:
        patient.mrn = _free_number(work, patient.id)
        work.session.flush()  # the record number is in the answer
    work.record("patient.created", f"patient:{patient.id}", patient_id=patient.id)
    if patient.managing_physician_id is not None:
        work.publish(ManagingPhysicianChanged(patient.id, None, patient.managing_physician_id))
    return patient


def _append(patient: Patient, name: str, row: Mapping[str, Any], pointer: str) -> None:
    if name == "caregivers":
        patient.caregivers.append(record.caregiver_from(row, pointer))
    elif name == "coverages":
        record.coverage_into(patient, row, pointer)
    elif name == "diagnoses":
        record.diagnosis_into(patient, row, pointer)
    elif name == "no_visit_windows":
        patient.no_visit_windows.append(record.window_from(row, pointer))
    else:
        patient.unavailabilities.append(record.unavailability_from(row, pointer))


def _free_number(work: Work, patient_id: int) -> str:
    """A record number made of the row's own; somebody may have given that one by hand, so look."""
    number = f"P{patient_id:07d}"
    while _number_taken(work, number):
        number += "-1"
    return number


def _number_taken(work: Work, number: str) -> bool:
    return work.session.execute(sa.select(Patient.id).where(Patient.mrn == number)).scalar() is not None


@permitted("patient:edit")
def edit(work: Work, patient_id: int, **changes: Any) -> Patient:
    """The patient with those fields changed; `home` changes the fields it names. A death ends every open episode.

    Another address is another home: its point, notes, hazards and safety are unknown until they are given.
    """
    patient = for_change(work, patient_id)
    home = changes.pop("home", None)
    checks.refuse_unknown(changes, _PERSON | PREFERENCES | {"active"})
    _refuse_empty(changes)
    before = patient.managing_physician_id
    if "managing_physician_id" in changes and changes["managing_physician_id"] is None:
        _refuse_unmanaged(patient)
    _apply(work, patient, changes)
    fields = sorted(changes)
    if home is not None:
        checks.refuse_unknown(home, _HOME, "/home")
        _move(work, patient, home)
        fields += [f"home.{name}" for name in sorted(home)]
    changed(work, patient, "patient.edited", fields=fields)
    if patient.managing_physician_id != before:
        work.publish(ManagingPhysicianChanged(patient.id, before, patient.managing_physician_id))
    if patient.deceased_on is not None:
        close_after_death(work, patient, patient.deceased_on, "/deceased_on")
    return patient


def put_under(work: Work, patient: Patient, physician_id: int, pointer: str) -> None:
    """All care of the patient is under that physician. Asked by other rooms, whose verbs hold the patient already.

    ManagingPhysicianChanged is published. Invalid at `pointer` for one who is unknown or no longer practises here.
    """
    active = work.session.execute(sa.select(_physician.c.active).where(_physician.c.id == physician_id)).scalar()
    if active is None:
        raise Invalid("There is no such physician.", pointer=pointer)
    if not active:
        raise Invalid("This physician no longer practises with the agency. Name another.", pointer=pointer)
    before, patient.managing_physician_id = patient.managing_physician_id, physician_id
    work.session.flush()  # who asks after the event finds the new one
    if before != physician_id:
        work.record(
            "patient.physician-changed", f"patient:{patient.id}", patient_id=patient.id, old=before, new=physician_id
        )
        work.publish(ManagingPhysicianChanged(patient.id, before, physician_id))


def _refuse_unmanaged(patient: Patient) -> None:
    living = [episode.id for episode in patient.episodes if episode.discharged_on is None]
    if living:
        raise Conflict(
            "While an episode is open somebody manages the patient's care. Name another physician instead.",
            code="managing-physician-needed",
            blocking=[{"episode": episode_id} for episode_id in living],
        )


@permitted("patient:set-preferences")
def set_preferences(work: Work, patient_id: int, **preferences: Any) -> Patient:
    """Languages, interpreter, clinician's gender and traditions are as given; what is not named stays."""
    patient = for_change(work, patient_id)
    checks.refuse_unknown(preferences, PREFERENCES)
    if CLINICAL_PREFERENCES & preferences.keys() and not work.actor.may("patient:read-clinical"):
        raise Forbidden(
            "Your role does not read these preferences, so it does not change them.", permission="patient:read-clinical"
        )
    _refuse_empty(preferences)
    _apply(work, patient, preferences)
    changed(work, patient, "patient.preferences", fields=sorted(preferences))
    return patient


def _refuse_empty(changes: Mapping[str, Any]) -> None:
    for name in sorted(_NEVER_EMPTY & changes.keys()):
        if changes[name] is None:
            raise Invalid(f"{name} is needed.", pointer=f"/{name}")


def _apply(work: Work, patient: Patient, changes: dict[str, Any]) -> None:
    needed = changes.get("interpreter_needed", patient.interpreter_needed)
    _check(work, patient.branch_id, changes, interpreter_needed=needed, patient=patient)
    if not needed:
        changes.setdefault("interpreter_mode", None)
    for name, value in changes.items():
        setattr(patient, name, value)


def _check(
    work: Work, branch_id: int, fields: dict[str, Any], *, interpreter_needed: bool, patient: Patient | None = None
) -> None:
    """Refuse what cannot be meant; languages come out in their usual spelling."""
    day = today(work, branch_id)
    for name in ("spoken_language", "written_language"):
        if name in fields:
            fields[name] = checks.language_tag(fields[name], f"/{name}")
    if fields.get("condition_groups") is not None:
        named = {str(one) for one in fields["condition_groups"]}
        fields["condition_groups"] = [group.value for group in ConditionGroup if group.value in named]
    for name in ("birth_date", "deceased_on", "interpreter_declined_on"):
        if fields.get(name) is not None and fields[name] > day:
            raise Invalid("This day lies in the future.", pointer=f"/{name}")
    born: date | None = fields.get("birth_date", patient.birth_date if patient else None)
    died: date | None = fields.get("deceased_on", patient.deceased_on if patient else None)
    if born is not None and died is not None and died < born:
        raise Invalid("Nobody dies before they are born.", pointer="/deceased_on")
    if fields.get("active") and died is not None:
        raise Invalid("The patient has died; the record stays closed.", pointer="/active")
    if fields.get("interpreter_mode") is not None and not interpreter_needed:
        raise Invalid("No interpreter is needed, so there is no mode.", pointer="/interpreter_mode")
    if fields.get("preferred_clinician_gender") not in (None, Gender.FEMALE, Gender.MALE):
        raise Invalid("The preference is female or male, or none.", pointer="/preferred_clinician_gender")
    if fields.get("decision_style") not in (None, *checks.DECISION_STYLES):
        raise Invalid(f"This must be one of: {', '.join(checks.DECISION_STYLES)}.", pointer="/decision_style")
    if fields.get("mrn") is not None:
        if not _MRN.fullmatch(fields["mrn"]):
            raise Invalid("A record number is letters, digits, dot, dash and underscore.", pointer="/mrn")
        if (patient is None or patient.mrn != fields["mrn"]) and _number_taken(work, fields["mrn"]):
            raise Conflict("Another patient has this record number.", code="mrn-exists")
    physician_id = fields.get("managing_physician_id")
    if physician_id is not None:
        known = work.session.execute(sa.select(_physician.c.id).where(_physician.c.id == physician_id)).scalar()
        if known is None:
            raise Invalid("There is no such physician.", pointer="/managing_physician_id")


def _home_row(work: Work, branch_id: int, home: Mapping[str, Any]) -> dict[str, Any]:
    fields = checks.home_fields({name: value for name, value in home.items() if value is not None})
    if fields.get("lat") is not None:
        fields.setdefault("point_source", GIVEN)
        fields["point_precision"] = GIVEN
    else:
        fields |= locate(work, branch_id, fields["address"], fields["zip"])
    return {"hazards": [], "safety": HomeSafety.NOT_ASSESSED, "mitigations_open": 0} | fields


def _move(work: Work, patient: Patient, changes: Mapping[str, Any]) -> None:
    home = patient.home
    for name in ("address", "city", "state", "zip"):
        if name in changes and changes[name] in (None, ""):
            raise Invalid(f"{name} is needed.", pointer=f"/home/{name}")
    fields = checks.home_fields(changes)
    where = ("address", "city", "state", "zip")
    moved = any(name in fields and fields[name] != getattr(home, name) for name in where)
    if moved:
        unknown: dict[str, Any] = {
            "access_notes": None, "hazards": [], "safety": HomeSafety.NOT_ASSESSED, "safety_assessed_on": None,
            "mitigations_open": 0,
        }  # fmt: skip
        fields = unknown | fields
    if changes.get("lat") is not None:
        fields["point_source"] = changes.get("point_source") or GIVEN
        fields["point_precision"], fields["point_note"] = GIVEN, None
    elif moved or "lat" in changes:
        address, zip_code = fields.get("address", home.address), fields.get("zip", home.zip)
        fields |= locate(work, patient.branch_id, address, zip_code)
    for name, value in fields.items():
        setattr(home, name, value)
