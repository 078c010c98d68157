"""Branches and their service areas over HTTP."""

from datetime import date
from typing import Any

from marshmallow import fields, validate

from coordinator.agency import service
from coordinator.core.fields import Day, Id, Number, Schema, Text, Whole
from coordinator.core.http import Blueprint, require_match, with_etag, work

blp = Blueprint("agency", __name__, url_prefix="/api/v1", description="Branches, their zone and their service area")

ZIP = validate.Regexp(r"\A[0-9]{5}(-[0-9]{4})?\Z", error="A ZIP code is five digits, or five and four.")


class ServiceZipSchema(Schema):
    zip = Text(metadata={"example": "94114"})
    effective_from = Day()
    effective_to = Day(allow_none=True, metadata={"description": "Last day, included; null while it holds"})


class BranchSchema(Schema):
    id = Id()
    code = Text(metadata={"example": "SF"})
    name = Text()
    zone = Text(metadata={"description": "IANA zone of the branch's days", "example": "America/Los_Angeles"})
    office_address = Text()
    office_lat = fields.Float()
    office_lon = fields.Float()
    polygon = fields.Dict(allow_none=True, metadata={"description": "GeoJSON of the service area, where one is drawn"})
    service_zips = fields.List(fields.Nested(ServiceZipSchema))
    version = Whole()


class BranchesSchema(Schema):
    items = fields.List(fields.Nested(BranchSchema))


class BranchEditSchema(Schema):
    name = Text(max_length=200, metadata={"example": "San Francisco"})
    zone = Text(max_length=60, metadata={"example": "America/Los_Angeles"})
    office_address = Text(max_length=300, metadata={"example": "1 Main Street, San Francisco, CA 94105"})
    office_lat = Number(low=-90, high=90, metadata={"example": 37.7793})
    office_lon = Number(low=-180, high=180, metadata={"example": -122.4193})
    polygon = fields.Dict(allow_none=True)


class BranchCreateSchema(BranchEditSchema):
    code = Text(required=True, max_length=20, metadata={"example": "SF"})
    name = Text(required=True, max_length=200, metadata={"example": "San Francisco"})
    zone = Text(required=True, max_length=60, metadata={"example": "America/Los_Angeles"})
    office_address = Text(required=True, max_length=300, metadata={"example": "1 Main Street, San Francisco, CA 94105"})
    office_lat = Number(required=True, low=-90, high=90, metadata={"example": 37.7793})
    office_lon = Number(required=True, low=-180, high=180, metadata={"example": -122.4193})
    agency_name = Text(max_length=200, metadata={"description": "Name of the agency; used with its first branch only"})
    agency_npi = Text(max_length=10)
    zips = fields.List(Text(max_length=10, validate=ZIP), validate=validate.Length(max=5000))
    effective_from = Day(metadata={"description": "First day of the ZIP codes; today where it is left out"})


class ServiceAreaSchema(Schema):
    zips = fields.List(
        Text(max_length=10, validate=ZIP), required=True, validate=validate.Length(max=5000),
        metadata={"example": ["94114", "94131"]},
    )  # fmt: skip
    effective_from = Day(required=True, metadata={"example": "2026-12-01"})


@blp.route("/branches")
@blp.response(200, BranchesSchema)
def list_branches() -> Any:
    """Every branch, by code"""
    return {"items": service.branches(work())}


@blp.route("/branches", methods=["POST"])
@blp.arguments(BranchCreateSchema)
@blp.response(201, BranchSchema)
def create_branch(args: dict[str, Any]) -> Any:
    """Open a branch

    The agency comes into being with its first branch.
    """
    return with_etag(service.create_branch(work(), **args))


@blp.route("/branches/<id:branch_id>")
@blp.response(200, BranchSchema)
def read_branch(branch_id: int) -> Any:
    """One branch with its service area"""
    return with_etag(service.get_branch(work(), branch_id))


@blp.route("/branches/<id:branch_id>", methods=["PATCH"])
@blp.arguments(BranchEditSchema)
@blp.response(200, BranchSchema)
def edit_branch(args: dict[str, Any], branch_id: int) -> Any:
    """Change a branch

    Send If-Match with the ETag that was read.
    """
    require_match(service.get_branch(work(), branch_id))
    return with_etag(service.edit_branch(work(), branch_id, **args))


@blp.route("/branches/<id:branch_id>/service-area", methods=["PUT"])
@blp.arguments(ServiceAreaSchema)
@blp.response(200, BranchSchema)
def set_service_area(args: dict[str, Any], branch_id: int) -> Any:
    """Say which ZIP codes are served from a day on

    What held on earlier days stays as it was. Send If-Match.
    """
    day: date = args["effective_from"]
    require_match(service.for_change(work(), branch_id))
    return with_etag(service.set_service_area(work(), branch_id, args["zips"], day))
