"""Importing a bundle: one transaction each, the same bundle twice changes nothing, and what was left is said."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa

from coordinator.agency.model import Branch
from coordinator.agency.service import serves
from coordinator.core.errors import Conflict, Invalid
from coordinator.core.work import Work, permitted
from coordinator.fhir.bundle import Bundle
from coordinator.fhir.mapping import HomePoint, Mapped, Taken, home_for, map_bundle
from coordinator.fhir.model import FhirLink
from coordinator.patients import service as patients
from coordinator.patients.model import Home, Patient
from coordinator.staff.model import Physician
from coordinator.teams.model import OutsideParticipant

#: Fields of the person that a newer bundle may change.
_PERSON = ("given_name", "family_name", "birth_date", "gender", "phone")


@dataclass(slots=True)
class Imported:
    """What became of one bundle."""

    file: str
    #: new, changed or unchanged
    outcome: str
    patient_id: int
    taken: Counter[str] = field(default_factory=Counter)
    #: (kind, reason) -> how many.
    left: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: Sentences about the patient as a whole, without a name.
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "outcome": self.outcome,
            "patient": self.patient_id,
            "taken": dict(sorted(self.taken.items())),
            "left": [
                {"kind": kind, "reason": reason, "count": count} for (kind, reason), count in sorted(self.left.items())
            ],
            "notes": self.notes,
        }


def used_addresses(work: Work) -> set[str]:
    """Addresses where somebody lives already. Asked by other rooms before they hand out homes."""
    return set(work.session.execute(sa.select(Home.address)).scalars())


@permitted("import:run")
def import_bundle(
    work: Work,
    bundle: Bundle,
    *,
    branch: Branch,
    today: date,
    code_map: Mapping[str, Mapped],
    homes: Sequence[HomePoint] = (),
    taken_addresses: set[str] | None = None,
) -> Imported:
    """The bundle's patient is in the branch's records, once. BundleError or Invalid if it cannot be taken whole.

    With `homes`, a patient whose ZIP the branch serves is given one of them, always the same; others keep their
    address, without a point, and are named as outside the area.
    """
    taken = map_bundle(bundle, code_map, today)
    content = _content_hash(taken)
    link = work.session.execute(
        sa.select(FhirLink).where(FhirLink.resource_type == "Patient", FhirLink.resource_id == taken.source_id)
    ).scalar()
    if link is not None and link.content_hash == content:
        return Imported(bundle.name, "unchanged", link.patient_id)
    result = Imported(bundle.name, "new", 0, taken.taken, taken.left)
    _merge_coverages(taken, result)
    if link is not None:
        patient = _update(work, link.patient_id, taken)
        result.outcome = "changed"
        link.content_hash, link.imported_at = content, work.now
    else:
        patient = _create(work, branch, today, taken, homes, taken_addresses, result)
        work.session.add(
            FhirLink(
                resource_type="Patient", resource_id=taken.source_id, patient_id=patient.id, content_hash=content,
                imported_at=work.now,
            )
        )  # fmt: skip
    result.patient_id = patient.id
    _participants(work, patient, taken)
    _physicians(work, taken, result)
    if taken.deceased_on is not None:
        result.notes.append("The patient has died: the record is kept closed, and nothing is planned.")
    work.record(
        "patient.imported", f"patient:{patient.id}", patient_id=patient.id, outcome_code=result.outcome,
        taken=dict(result.taken), left=sum(result.left.values()),
    )  # fmt: skip
    return result


def _content_hash(taken: Taken) -> str:
    """Hash of what is taken, so that what is left may change without meaning anything."""
    body = [
        taken.patient, taken.home, taken.coverages, taken.diagnoses, taken.caregivers, taken.team, taken.physicians,
        taken.deceased_on,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()


def _merge_coverages(taken: Taken, result: Imported) -> None:
    """Keep one coverage per payer and time: the same payer does not pay twice for one day."""
    kept: list[dict[str, Any]] = []
    for coverage in sorted(taken.coverages, key=lambda c: c["starts_on"]):
        clash = any(
            other["payer"] == coverage["payer"]
            and (other["ends_on"] is None or coverage["starts_on"] <= other["ends_on"])
            for other in kept
        )
        if clash:
            result.taken["Coverage"] -= 1
            result.left["Coverage", "another coverage of the same payer holds on these days"] += 1
        else:
            kept.append(coverage)
    taken.coverages = kept


def _create(
    work: Work, branch: Branch, today: date, taken: Taken, homes: Sequence[HomePoint],
    taken_addresses: set[str] | None, result: Imported,
) -> Patient:  # fmt: skip
    home = dict(taken.home)
    inside = serves(work, branch.id, home["zip"], today)
    if not inside:
        result.notes.append(
            f"ZIP {home['zip']} lies outside the branch's service area: no visit can be planned (ELG-5)."
        )
    elif homes:
        addresses = taken_addresses if taken_addresses is not None else used_addresses(work)
        point = home_for(taken.source_id, home["zip"], homes, addresses)
        if point is None:
            result.notes.append("Every address of the list is taken: the home has no point.")
        else:
            addresses.add(point.address)
            home |= {
                "address": point.address, "city": point.city, "state": point.state, "zip": point.zip,
                "lat": point.lat, "lon": point.lon, "point_source": "given",
            }  # fmt: skip
            result.notes.append("The home was chosen from the list of addresses; the bundle's own point is not used.")
    else:
        result.notes.append("The home has no point, since the bundle's own is not reliable: give --homes, or set it.")
    return patients.create(
        work,
        branch_id=branch.id,
        home={name: value for name, value in home.items() if value is not None},
        coverages=taken.coverages,
        diagnoses=[_diagnosis(entry) for entry in taken.diagnoses],
        caregivers=taken.caregivers,
        deceased_on=taken.deceased_on,
        **taken.patient,
    )


def _diagnosis(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"code": entry["code"], "snomed": entry["snomed"], "recorded_on": entry["recorded_on"]}


def _update(work: Work, patient_id: int, taken: Taken) -> Patient:
    """Take what is new or different; nothing that people here added is removed."""
    patient = patients.require_visible(work, patient_id)
    changes = {name: taken.patient[name] for name in _PERSON if taken.patient[name] != getattr(patient, name)}
    if taken.deceased_on is not None and patient.deceased_on is None:
        changes["deceased_on"] = taken.deceased_on
    if changes:
        patient = patients.edit(work, patient_id, **changes)
    known = {diagnosis.code for diagnosis in patient.diagnoses}
    for entry in taken.diagnoses:
        if entry["code"] not in known:
            patients.add_diagnosis(work, patient_id, **_diagnosis(entry))
    for coverage in taken.coverages:
        if not any(c.payer == coverage["payer"] and c.starts_on == coverage["starts_on"] for c in patient.coverages):
            try:
                patients.add_coverage(work, patient_id, **coverage)
            except Conflict as refusal:
                raise Invalid(f"A coverage of the bundle stands against the record: {refusal.detail}") from refusal
    names = {caregiver.name for caregiver in patient.caregivers}
    for caregiver in taken.caregivers:
        if caregiver["name"] not in names:
            patients.add_caregiver(work, patient_id, **caregiver)
    return patient


def _participants(work: Work, patient: Patient, taken: Taken) -> None:
    known = {
        (row.name, row.role)
        for row in work.session.execute(
            sa.select(OutsideParticipant).where(OutsideParticipant.patient_id == patient.id)
        ).scalars()
    }
    for entry in taken.team:
        key = (entry["name"], entry["role"])
        if key not in known:
            known.add(key)
            work.session.add(OutsideParticipant(patient_id=patient.id, name=entry["name"], role=entry["role"]))


def _physicians(work: Work, taken: Taken, result: Imported) -> None:
    """Name the practitioners who are known here by their NPI; strangers are not made physicians by an import."""
    for entry in taken.physicians:
        known = work.session.execute(sa.select(Physician.id).where(Physician.npi == entry["npi"])).scalar()
        if known is None:
            result.taken["Practitioner"] -= 1
            result.left["Practitioner", "nobody here has this NPI; enter the physician before they may order"] += 1
