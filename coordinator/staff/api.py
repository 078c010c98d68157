"""Clinicians and physicians over HTTP."""

from datetime import date, datetime
from typing import Any

from flask import Response

from coordinator.agency.service import zone_of
from coordinator.core.errors import Invalid
from coordinator.core.http import Blueprint, etag_of, require_match, with_etag, work
from coordinator.core.pages import page_schema
from coordinator.domain.timeline import day_bounds
from coordinator.staff import aides, schemas, service
from coordinator.staff.duty import Absence

blp = Blueprint("staff", __name__, url_prefix="/api/v1", description="Clinicians and physicians")


def _matched(clinician_id: int) -> None:
    """Locks first and compares then: two who read the same version cannot both pass."""
    require_match(service.for_change(work(), clinician_id))


def _of(clinician_id: int, row: Any) -> Any:
    """A row of a clinician's, with the clinician's new ETag: the version that the next edit must name."""
    return row, {"ETag": etag_of(service.get_clinician(work(), clinician_id))}


def _gone(clinician_id: int) -> Response:
    return Response(status=204, headers={"ETag": etag_of(service.get_clinician(work(), clinician_id))})


# ------------------------------------------------------------------------------------ clinicians


@blp.route("/clinicians")
@blp.arguments(schemas.ClinicianQuery, location="query")
@blp.response(200, page_schema(schemas.ClinicianListedSchema))
def list_clinicians(args: dict[str, Any]) -> Any:
    """Clinicians that the asker may see, by name"""
    return service.search_clinicians(work(), text=args.pop("q"), **args)


@blp.route("/clinicians", methods=["POST"])
@blp.arguments(schemas.ClinicianCreateSchema)
@blp.response(201, schemas.ClinicianSchema)
def create_clinician(args: dict[str, Any]) -> Any:
    """Put a clinician on record

    Starts and ends the day at the branch's office unless told otherwise.
    """
    clinician = service.create_clinician(work(), **args)
    return clinician, {"ETag": etag_of(clinician), "Location": f"/api/v1/clinicians/{clinician.id}"}


@blp.route("/clinicians/<id:clinician_id>")
@blp.response(200, schemas.ClinicianSchema)
def read_clinician(clinician_id: int) -> Any:
    """One clinician

    Where they live and how they are employed is left out for those who do not edit clinicians.
    """
    return with_etag(service.get_clinician(work(), clinician_id))


@blp.route("/clinicians/<id:clinician_id>", methods=["PATCH"])
@blp.arguments(schemas.ClinicianEditSchema)
@blp.response(200, schemas.ClinicianSchema)
def edit_clinician(args: dict[str, Any], clinician_id: int) -> Any:
    """Change a clinician

    Send If-Match.
    """
    _matched(clinician_id)
    return with_etag(service.edit_clinician(work(), clinician_id, **args))


@blp.route("/clinicians/<id:clinician_id>/credentials", methods=["POST"])
@blp.arguments(schemas.CredentialCreateSchema)
@blp.response(201, schemas.CredentialSchema)
def add_credential(args: dict[str, Any], clinician_id: int) -> Any:
    """Add a licence or another credential"""
    return _of(clinician_id, service.add_credential(work(), clinician_id, **args))


@blp.route("/clinicians/<id:clinician_id>/exclusion-checks", methods=["POST"])
@blp.arguments(schemas.ExclusionCheckCreateSchema)
@blp.response(201, schemas.ExclusionCheckSchema)
def record_exclusion_check(args: dict[str, Any], clinician_id: int) -> Any:
    """Write down that a federal exclusion list was asked

    Whoever is found on one visits nobody until the list is clear of them.
    """
    return _of(clinician_id, service.record_exclusion_check(work(), clinician_id, **args))


@blp.route("/clinicians/<id:clinician_id>/meals", methods=["POST"])
@blp.arguments(schemas.MealPeriodCreateSchema)
@blp.response(201, schemas.MealPeriodSchema)
def record_meal(args: dict[str, Any], clinician_id: int) -> Any:
    """Write down a meal as it was taken

    A clinician's own, or by whoever edits clinicians.
    """
    return service.record_meal(work(), clinician_id, **args)


@blp.route("/clinicians/<id:clinician_id>/credentials/<id:credential_id>", methods=["PATCH"])
@blp.arguments(schemas.CredentialEditSchema)
@blp.response(200, schemas.CredentialSchema)
def edit_credential(args: dict[str, Any], clinician_id: int, credential_id: int) -> Any:
    """Renew, verify or revoke a credential

    Send If-Match with the clinician's ETag.
    """
    _matched(clinician_id)
    return _of(clinician_id, service.edit_credential(work(), clinician_id, credential_id, **args))


@blp.route("/clinicians/<id:clinician_id>/aide-competence")
@blp.response(200, schemas.AideCompetenceShownSchema)
def read_aide_competence(clinician_id: int) -> Any:
    """What keeps an aide's competence from lapsing (AID-03)"""
    row, attended, task = aides.competence(work(), clinician_id)
    return {"competence": row, "in_service": attended, "task": None if task is None else task.as_dict()}


@blp.route("/clinicians/<id:clinician_id>/aide-competence", methods=["PUT"])
@blp.arguments(schemas.AideCompetenceWriteSchema)
@blp.response(200, schemas.AideCompetenceSchema)
def record_aide_competence(args: dict[str, Any], clinician_id: int) -> Any:
    """Record an aide's paid work elsewhere, requalification and training year

    What is left out stays as it is.
    """
    return aides.record_competence(work(), clinician_id, **args)


@blp.route("/clinicians/<id:clinician_id>/in-service", methods=["POST"])
@blp.arguments(schemas.InServiceWriteSchema)
@blp.response(201, schemas.InServiceSchema)
def add_in_service(args: dict[str, Any], clinician_id: int) -> Any:
    """An aide attended in-service training"""
    return aides.add_in_service(work(), clinician_id, **args)


@blp.route("/clinicians/<id:clinician_id>/skills", methods=["PUT"])
@blp.arguments(schemas.ClinicianSkillsSchema)
@blp.response(200, schemas.ClinicianSchema)
def set_skills(args: dict[str, Any], clinician_id: int) -> Any:
    """Say which skills a clinician was found competent in

    Send If-Match.
    """
    _matched(clinician_id)
    return with_etag(service.set_skills(work(), clinician_id, args["skills"]))


@blp.route("/clinicians/<id:clinician_id>/languages", methods=["PUT"])
@blp.arguments(schemas.ClinicianLanguagesSchema)
@blp.response(200, schemas.ClinicianSchema)
def set_languages(args: dict[str, Any], clinician_id: int) -> Any:
    """Say which languages a clinician is qualified in

    Send If-Match.
    """
    _matched(clinician_id)
    return with_etag(service.set_languages(work(), clinician_id, args["languages"]))


@blp.route("/clinicians/<id:clinician_id>/shifts", methods=["PUT"])
@blp.arguments(schemas.ShiftsSchema)
@blp.response(200, schemas.ClinicianSchema)
def set_shifts(args: dict[str, Any], clinician_id: int) -> Any:
    """Say when a clinician works

    `weekly` replaces every weekly row, `dated` every dated one; what is left out stays. Wall clock of the branch; a
    dated row replaces that day's weekly hours, and without hours is a day off. Send If-Match.
    """
    _matched(clinician_id)
    return with_etag(service.set_shifts(work(), clinician_id, **args))


# ------------------------------------------------------------------------------------ absences and exclusions


def _stretch(args: dict[str, Any], clinician_id: int) -> tuple[datetime, datetime]:
    """The two instants, or the first instant of the first day and the end of the last, in the branch's zone."""
    first: date | None = args.get("first_day")
    last: date | None = args.get("last_day")
    starts_at: datetime | None = args.get("starts_at")
    ends_at: datetime | None = args.get("ends_at")
    if first is not None and last is not None and starts_at is None and ends_at is None:
        if last < first:
            raise Invalid("The last day is before the first.", pointer="/last_day")
        zone = zone_of(work(), service.get_clinician(work(), clinician_id).branch_id)
        return day_bounds(first, zone)[0], day_bounds(last, zone)[1]
    if starts_at is None or ends_at is None or first is not None or last is not None:
        raise Invalid("Give starts_at and ends_at, or first_day and last_day.", pointer="/starts_at")
    return starts_at, ends_at


def _absence(args: dict[str, Any], clinician_id: int) -> Any:
    starts_at, ends_at = _stretch(args, clinician_id)
    made: Absence = service.record_absence(
        work(), clinician_id, starts_at=starts_at, ends_at=ends_at, reason=args["reason"]
    )
    clinician = service.get_clinician(work(), clinician_id)
    answer = {
        "time_off": made.time_off,
        "affected_visits": made.affected_visits,
        "visit_ids": made.visit_ids,
        "zone": zone_of(work(), clinician.branch_id).key,
    }
    return answer, {"ETag": etag_of(clinician)}


@blp.route("/clinicians/<id:clinician_id>/time-off", methods=["POST"])
@blp.arguments(schemas.ClinicianTimeOffCreateSchema)
@blp.response(201, schemas.AbsenceSchema)
def add_time_off(args: dict[str, Any], clinician_id: int) -> Any:
    """Record leave or a sick call of a clinician

    Says which planned visits it leaves without anybody; none of them is changed.
    """
    return _absence(args, clinician_id)


@blp.route("/absences", methods=["POST"])
@blp.arguments(schemas.AbsenceCreateSchema)
@blp.response(201, schemas.AbsenceSchema)
def record_absence(args: dict[str, Any]) -> Any:
    """Record an absence

    The same as time off of a clinician, for whoever has the name in the body.
    """
    return _absence(args, args["clinician_id"])


@blp.route("/clinicians/<id:clinician_id>/time-off/<id:time_off_id>", methods=["DELETE"])
@blp.response(204)
def remove_time_off(clinician_id: int, time_off_id: int) -> Any:
    """Take back an absence"""
    service.remove_time_off(work(), clinician_id, time_off_id)
    return _gone(clinician_id)


@blp.route("/clinicians/<id:clinician_id>/exclusions", methods=["POST"])
@blp.arguments(schemas.ExclusionCreateSchema)
@blp.response(201, schemas.ExclusionSchema)
def add_exclusion(args: dict[str, Any], clinician_id: int) -> Any:
    """Say that a clinician does not visit a patient"""
    return _of(clinician_id, service.add_exclusion(work(), clinician_id, args["patient_id"], args["reason"]))


@blp.route("/clinicians/<id:clinician_id>/exclusions/<id:patient_id>", methods=["DELETE"])
@blp.response(204)
def remove_exclusion(clinician_id: int, patient_id: int) -> Any:
    """Let a clinician visit a patient again"""
    service.remove_exclusion(work(), clinician_id, patient_id)
    return _gone(clinician_id)


# ------------------------------------------------------------------------------------ physicians


@blp.route("/physicians")
@blp.arguments(schemas.PhysicianQuery, location="query")
@blp.response(200, page_schema(schemas.PhysicianSchema))
def list_physicians(args: dict[str, Any]) -> Any:
    """Practitioners who refer, certify and order, by name"""
    return service.search_physicians(work(), text=args.pop("q"), **args)


@blp.route("/physicians", methods=["POST"])
@blp.arguments(schemas.PhysicianCreateSchema)
@blp.response(201, schemas.PhysicianSchema)
def create_physician(args: dict[str, Any]) -> Any:
    """Put a practitioner on record

    The NPI must pass its check digit.
    """
    physician = service.create_physician(work(), **args)
    return physician, {"ETag": etag_of(physician), "Location": f"/api/v1/physicians/{physician.id}"}


@blp.route("/physicians/<id:physician_id>")
@blp.response(200, schemas.PhysicianSchema)
def read_physician(physician_id: int) -> Any:
    """One practitioner"""
    return with_etag(service.get_physician(work(), physician_id))


@blp.route("/physicians/<id:physician_id>", methods=["PATCH"])
@blp.arguments(schemas.PhysicianEditSchema)
@blp.response(200, schemas.PhysicianSchema)
def edit_physician(args: dict[str, Any], physician_id: int) -> Any:
    """Change a practitioner

    Send If-Match. The NPI never changes.
    """
    require_match(service.physician_for_change(work(), physician_id))
    return with_etag(service.edit_physician(work(), physician_id, **args))
