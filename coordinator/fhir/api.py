"""Reading by FHIR R4: the care team of a patient, for other systems. Refusals are problem documents (RFC 9457)."""

import json
from typing import Any

from flask import Response
from marshmallow import fields

from coordinator.core.fields import Id, Schema, Text
from coordinator.core.http import Blueprint, work
from coordinator.fhir.care_team import Participant, care_team, searchset
from coordinator.patients.queries import require_visible
from coordinator.teams import service as teams
from coordinator.teams.service import CareTeam, Holder

blp = Blueprint("fhir", __name__, url_prefix="/fhir/R4", description="FHIR R4: reading for other systems")
FHIR_JSON = "application/fhir+json"


class FhirResourceSchema(Schema):
    resourceType = Text(metadata={"example": "CareTeam"})  # noqa: N815  (FHIR's own name)
    id = Text(metadata={"example": "patient-7"})


class FhirBundleSchema(Schema):
    resourceType = Text(metadata={"example": "Bundle"})  # noqa: N815  (FHIR's own name)
    type = Text(metadata={"example": "searchset"})
    total = fields.Integer()


class CareTeamQuery(Schema):
    patient = Id(required=True)


def _reference(holder: Holder) -> str:
    if holder.clinician_id is not None:
        return f"Practitioner/clinician-{holder.clinician_id}"
    if holder.physician_id is not None:
        return f"Practitioner/physician-{holder.physician_id}"
    return f"Practitioner/user-{holder.user_id}"


def _participants(team: CareTeam) -> list[Participant]:
    """Holders of roles, then other members with their periods, then those from outside."""
    found = [
        Participant(f"covering_{one.role}" if one.covering_for else one.role.value, one.name, _reference(one))
        for one in team.holders
    ]
    named = {one.clinician_id for one in team.holders}
    found += [
        Participant(
            member.role, f"{member.clinician.given_name} {member.clinician.family_name}",
            f"Practitioner/clinician-{member.clinician_id}", starts_on=member.starts_on, ends_on=member.ends_on,
        )
        for member in team.members
        if member.clinician_id not in named
    ]  # fmt: skip
    for told in team.outside:
        one = told.participant
        kind = (
            "Organization" if one.kind.value in {"outpatient_clinic", "community_clinic", "agency"} else "Practitioner"
        )
        found.append(
            Participant(
                one.role, one.name, kind=kind, organisation=one.organisation, starts_on=one.starts_on,
                ends_on=one.ends_on,
            )
        )  # fmt: skip
    return found


def _resource(patient_id: int) -> dict[str, Any]:
    team = teams.care_team(work(), patient_id)
    patient = require_visible(work(), patient_id)
    return care_team(patient_id, _participants(team), active=patient.active)


def _answer(body: dict[str, Any]) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), mimetype=FHIR_JSON)


@blp.route("/CareTeam/patient-<id:patient_id>")
@blp.response(200, FhirResourceSchema, content_type=FHIR_JSON)
def read_care_team(patient_id: int) -> Any:
    """A patient's care team as a FHIR R4 CareTeam"""
    return _answer(_resource(patient_id))


@blp.route("/CareTeam")
@blp.arguments(CareTeamQuery, location="query")
@blp.response(200, FhirBundleSchema, content_type=FHIR_JSON)
def search_care_team(args: dict[str, Any]) -> Any:
    """Search care teams by patient: a Bundle of one"""
    return _answer(searchset([_resource(args["patient"])]))
