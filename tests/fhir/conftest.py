"""A small bundle of our own making, with the faults that real ones have."""

import copy
from typing import Any

import pytest

PATIENT = "11111111-1111-4111-8111-111111111111"


def _entry(kind: str, number: int, **body: Any) -> dict[str, Any]:
    identity = f"{number:08d}-0000-4000-8000-000000000000"
    return {"fullUrl": f"urn:uuid:{identity}", "resource": {"resourceType": kind, "id": identity, **body}}


def _concept(code: str, system: str = "http://snomed.info/sct") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": "?"}]}


_SUBJECT = {"reference": f"urn:uuid:{PATIENT}"}
_BUNDLE: dict[str, Any] = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [
        {
            "fullUrl": f"urn:uuid:{PATIENT}",
            "resource": {
                "resourceType": "Patient", "id": PATIENT, "gender": "female", "birthDate": "1944-02-29",
                "name": [{"use": "official", "family": "Téllez", "given": ["Concha"]}],
                "address": [
                    {"line": ["9 Nowhere"], "city": "San Francisco", "state": "California", "postalCode": "94110"}
                ],
                "telecom": [{"system": "phone", "value": "555-010-1234"}],
                "communication": [{"language": {"coding": [{"code": "es"}]}}],
            },
        },
        _entry("Condition", 1, subject=_SUBJECT, code=_concept("87433001"), clinicalStatus=_concept("active", "x")),
        _entry("Condition", 2, subject=_SUBJECT, code=_concept("87433001"), clinicalStatus=_concept("active", "x")),
        _entry("Condition", 3, subject=_SUBJECT, code=_concept("160903007"), clinicalStatus=_concept("active", "x")),
        _entry("Condition", 4, subject=_SUBJECT, code=_concept("195662009"), clinicalStatus=_concept("resolved", "x")),
        _entry("Coverage", 5, beneficiary=_SUBJECT, status="active", payor=[{"display": "Medicare"}],
               period={"start": "2011-01-05T22:43:35+00:00"}),
        _entry("Coverage", 6, beneficiary=_SUBJECT, status="cancelled", payor=[{"display": "Aetna"}],
               period={"start": "1990-01-01", "end": "2000-01-01"}),
        _entry("RelatedPerson", 7, patient=_SUBJECT, name=[{"given": ["Luz"], "family": "Téllez"}],
               relationship=[{"coding": [{"display": "daughter"}]}]),
        _entry("Practitioner", 8, name=[{"family": "Smith", "given": ["Priya"], "prefix": ["Dr."]}],
               identifier=[{"system": "http://hl7.org/fhir/sid/us-npi", "value": "9999667756"}]),
        _entry("CareTeam", 9, subject=_SUBJECT, status="active", participant=[{
            "role": [_concept("223366009")], "member": {"reference": "urn:uuid:00000008-0000-4000-8000-000000000000"},
        }]),
        _entry("MedicationRequest", 10, status="active"),
    ],
}  # fmt: skip


@pytest.fixture
def raw_bundle() -> dict[str, Any]:
    """A bundle that can be taken; each test may spoil its own copy."""
    return copy.deepcopy(_BUNDLE)
