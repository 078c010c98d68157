"""Authorisations over HTTP: how many visits of a discipline a payer pays for, from day to day (INT-04)."""

from typing import Any

from marshmallow import fields

from coordinator.core.fields import Day, Id, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, etag_of, require_match, work
from coordinator.domain.vocabulary import Discipline, Payer
from coordinator.patients import service
from coordinator.patients.authorisations import MOST_VISITS

blp = Blueprint("authorisations", __name__, url_prefix="/api/v1", description="What payers have authorised")


class AuthorisationEditSchema(Schema):
    number = Text(max_length=60, allow_none=True, metadata={"description": "The payer's own", "example": "A-2026-118"})
    maximum_visits = Whole(low=1, high=MOST_VISITS, metadata={"description": "Visits paid for", "example": 20})
    starts_on = Day(metadata={"example": "2026-11-01"})
    ends_on = Day(metadata={"description": "Last day, included", "example": "2026-12-31"})


class AuthorisationCreateSchema(AuthorisationEditSchema):
    payer = Word(Payer, required=True)
    discipline = Word(Discipline, required=True, metadata={"example": "PT"})
    maximum_visits = Whole(required=True, low=1, high=MOST_VISITS, metadata={"example": 20})
    starts_on = Day(required=True, metadata={"example": "2026-11-01"})
    ends_on = Day(required=True, metadata={"description": "Last day, included", "example": "2026-12-31"})


class AuthorisationSchema(AuthorisationCreateSchema):
    id = Id()


class AuthorisationsSchema(Schema):
    items = fields.List(fields.Nested(AuthorisationSchema))


def _of(patient_id: int, answer: Any) -> Any:
    """With the patient's ETag: the version that the next edit must name."""
    return answer, {"ETag": etag_of(service.require_visible(work(), patient_id))}


@blp.route("/patients/<id:patient_id>/authorisations")
@blp.response(200, AuthorisationsSchema)
def list_authorisations(patient_id: int) -> Any:
    """What payers have authorised

    All of it, past and to come, by discipline and first day. The ETag is the patient's.
    """
    return _of(patient_id, {"items": service.authorisations(work(), patient_id)})


@blp.route("/patients/<id:patient_id>/authorisations", methods=["POST"])
@blp.arguments(AuthorisationCreateSchema)
@blp.response(201, AuthorisationSchema)
def add_authorisation(args: dict[str, Any], patient_id: int) -> Any:
    """Record that a payer authorised visits

    So many of one discipline, from day to day; the periods of one payer and discipline do not overlap (INT-04).
    """
    return _of(patient_id, service.add_authorisation(work(), patient_id, **args))


@blp.route("/patients/<id:patient_id>/authorisations/<id:authorisation_id>", methods=["PATCH"])
@blp.arguments(AuthorisationEditSchema)
@blp.response(200, AuthorisationSchema)
def edit_authorisation(args: dict[str, Any], patient_id: int, authorisation_id: int) -> Any:
    """Change or end an authorisation

    Send If-Match with the patient's ETag. To end it, give its last day.
    """
    require_match(service.for_change(work(), patient_id))
    return _of(patient_id, service.edit_authorisation(work(), patient_id, authorisation_id, **args))
