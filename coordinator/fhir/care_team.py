"""A care team as the CareTeam of FHIR R4 (https://hl7.org/fhir/R4/careteam.html). Pure: rows are read elsewhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

#: System of the codes of this product's own roles.
ROLES = "urn:coordinator:care-role"


@dataclass(frozen=True, slots=True)
class Participant:
    """One who takes part. `reference` is relative (`Practitioner/clinician-7`); None: no record of theirs is here."""

    role: str
    name: str
    reference: str | None = None
    #: What kind of resource it would be, where there is no reference.
    kind: str = "Practitioner"
    organisation: str | None = None
    starts_on: date | datetime | None = None
    ends_on: date | datetime | None = None


def care_team(patient_id: int, participants: Iterable[Participant], *, active: bool) -> dict[str, Any]:
    """The resource: one team per patient, whose id says whose."""
    return {
        "resourceType": "CareTeam",
        "id": f"patient-{patient_id}",
        "status": "active" if active else "inactive",
        "subject": {"reference": f"Patient/{patient_id}"},
        "participant": [_participant(one) for one in participants],
    }


def _participant(one: Participant) -> dict[str, Any]:
    member: dict[str, str] = {"display": one.name}
    if one.reference is not None:
        member["reference"] = one.reference
    else:
        member["type"] = one.kind
    said: dict[str, Any] = {
        "role": [{"coding": [{"system": ROLES, "code": one.role}], "text": one.role.replace("_", " ")}],
        "member": member,
    }
    if one.organisation:
        said["onBehalfOf"] = {"type": "Organization", "display": one.organisation}
    period = {
        name: value.isoformat() for name, value in (("start", one.starts_on), ("end", one.ends_on)) if value is not None
    }
    return said | ({"period": period} if period else {})


def searchset(resources: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The answer to a search."""
    found = list(resources)
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(found),
        "entry": [{"resource": one, "search": {"mode": "match"}} for one in found],
    }
