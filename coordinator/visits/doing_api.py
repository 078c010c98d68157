"""The clinician's day over HTTP: the roster, on the way, begun, finished, missed; and what the practitioner decides."""

from datetime import date
from typing import Any

import flask

from coordinator.core.errors import Forbidden, Invalid
from coordinator.core.fields import FIRST_YEAR, LAST_YEAR
from coordinator.core.http import Blueprint, require_match, with_etag, work
from coordinator.domain.care import CODE_STATUS_WORDS
from coordinator.visits import doing, lateness, lone_work, missed, queries, roster
from coordinator.visits.schemas import (
    RosterSchema,
    VisitCorrectionSchema,
    VisitCorrectionShownSchema,
    VisitDecisionSchema,
    VisitFinishSchema,
    VisitHeardNextSchema,
    VisitHeardSchema,
    VisitLateSchema,
    VisitMissedSchema,
    VisitMomentSchema,
    VisitSchema,
    VisitStartSchema,
)

blp = Blueprint("visiting", __name__, url_prefix="/api/v1", description="Making visits: roster, begin, end, missed")


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text or not FIRST_YEAR < day.year < LAST_YEAR:
        raise Invalid("There is no such day.", pointer="/path/day")
    return day


def _answer(clinician_id: int, day: str) -> Any:
    found = roster.roster(work(), clinician_id, _day(day))
    etag = f'"{found.fingerprint}"'
    if flask.request.headers.get("If-None-Match") == etag:
        return flask.Response(status=304, headers={"ETag": etag})
    stops = []
    for entry in found.entries:
        visit, patient, home = entry.visit, entry.patient, entry.patient.home
        stops.append(
            {
                "visit_id": visit.id,
                "version": visit.version,
                "status": visit.status,
                "kind": visit.kind,
                "discipline": visit.discipline,
                "starts_at": visit.starts_at,
                "ends_at": visit.ends_at,
                "zone": entry.zone,
                "minutes": visit.minutes,
                "patient_id": patient.id,
                "patient_name": f"{patient.given_name} {patient.family_name}",
                "phone": patient.phone,
                "address": f"{home.address}, {home.city}, {home.state} {home.zip}",
                "lat": home.lat,
                "lon": home.lon,
                "access_notes": home.access_notes,
                "hazards": home.hazards,
                "two_person": home.two_person,
                "check_in_minutes": home.check_in_minutes,
                "until_sunset": home.until_sunset,
                "conversation": visit.conversation,
                "code_status": patient.code_status,
                "code_status_words": CODE_STATUS_WORDS[patient.code_status],
                "spoken_language": patient.spoken_language,
                "interpreter_needed": patient.interpreter_needed,
                "interpreter_booked": visit.interpreter_booked,
                "order_line": entry.order_line,
                "last_clinician": entry.last_clinician,
                "covering_for": entry.covering_for,
                "handoff": entry.handoff,
                "service_code": entry.service_code,
                "aide_tasks": entry.aide_tasks,
                "joint": entry.joint,
                "carries": entry.carries,
                "prn_left": entry.prn_left,
                "warnings": visit.warnings,
                "actual_start_at": visit.actual_start_at,
                "actual_end_at": visit.actual_end_at,
            }
        )
    return {"clinician_id": found.clinician_id, "day": found.day, "zone": found.zone, "stops": stops}, {"ETag": etag}


@blp.route("/rosters/me/<string:day>")
@blp.response(200, RosterSchema)
def my_roster(day: str) -> Any:
    """My day

    Send If-None-Match to be told 304 when nothing changed.
    """
    if work().actor.clinician_id is None:
        raise Forbidden("Only somebody who makes visits has a roster.", code="not-a-clinician")
    return _answer(work().actor.clinician_id or 0, day)


@blp.route("/clinicians/<id:clinician_id>/roster/<string:day>")
@blp.response(200, RosterSchema)
def clinician_roster(clinician_id: int, day: str) -> Any:
    """A clinician's day, for the office"""
    return _answer(clinician_id, day)


@blp.route("/visits/<id:visit_id>/en-route", methods=["POST"])
@blp.arguments(VisitMomentSchema)
@blp.response(200, VisitSchema)
def en_route(args: dict[str, Any], visit_id: int) -> Any:
    """On my way"""
    return with_etag(doing.en_route(work(), visit_id, args["at"]))


@blp.route("/visits/<id:visit_id>/start", methods=["POST"])
@blp.arguments(VisitStartSchema)
@blp.response(200, VisitSchema)
def start(args: dict[str, Any], visit_id: int) -> Any:
    """The visit begins

    Said late or twice by a telephone that was out of reach, it is answered the same; another time is a conflict. Where
    a handoff was not read, `handoff-unread` names the card: acknowledge it, or say why not with `over_handoff`. What
    refuses the visit by now and may be set aside is, by a permitted role with a coded reason and text.
    """
    return with_etag(
        doing.start(
            work(),
            visit_id,
            args["at"],
            args["place"],
            args["method"],
            args["over_handoff"],
            args["override"],
            device_zone=args["device_zone"],
        )
    )


@blp.route("/visits/<id:visit_id>/running-late", methods=["POST"])
@blp.arguments(VisitLateSchema)
@blp.response(200, VisitSchema)
def running_late(args: dict[str, Any], visit_id: int) -> Any:
    """Running late

    The office is told by how much, and tells the family. The visit keeps its hour.
    """
    return with_etag(lateness.running_late(work(), visit_id, args["minutes"]))


@blp.route("/visits/<id:visit_id>/all-well", methods=["POST"])
@blp.arguments(VisitHeardSchema)
@blp.response(200, VisitHeardNextSchema)
def all_well(args: dict[str, Any], visit_id: int) -> Any:
    """All is well here

    From a home where whoever is alone is heard of; answers when the office waits for the next word (LAB-06).
    """
    return {"next_by": lone_work.all_well(work(), visit_id, args["at"])}


@blp.route("/visits/<id:visit_id>/finish", methods=["POST"])
@blp.arguments(VisitFinishSchema)
@blp.response(200, VisitSchema)
def finish(args: dict[str, Any], visit_id: int) -> Any:
    """The visit ends

    The first visit of a patient begins their care.
    """
    visit = doing.finish(
        work(),
        visit_id,
        args["at"],
        reassessed=args["reassessed"],
        admit=args["admit"],
        trigger=args["trigger"],
        tasks=args["tasks"],
        purpose=args["purpose"],
    )
    return with_etag(visit)


@blp.route("/visits/<id:visit_id>/note", methods=["POST"])
@blp.response(200, VisitSchema)
def sign_note(visit_id: int) -> Any:
    """The note of the visit is signed"""
    return with_etag(doing.note(work(), visit_id))


@blp.route("/visits/<id:visit_id>/verify", methods=["POST"])
@blp.response(200, VisitSchema)
def verify(visit_id: int) -> Any:
    """The office stands for the record of the visit

    Needs If-Match.
    """
    require_match(queries.the_visit(work(), visit_id))
    return with_etag(doing.verify(work(), visit_id))


@blp.route("/visits/<id:visit_id>/missed", methods=["POST"])
@blp.arguments(VisitMissedSchema)
@blp.response(200, VisitSchema)
def miss(args: dict[str, Any], visit_id: int) -> Any:
    """The visit was not made

    It stays owed until the practitioner has decided.
    """
    return with_etag(missed.miss(work(), visit_id, args["reason"], args["note"], args["clinical_impact"]))


@blp.route("/visits/<id:visit_id>/decision", methods=["POST"])
@blp.arguments(VisitDecisionSchema)
@blp.response(200, VisitSchema)
def decide(args: dict[str, Any], visit_id: int) -> Any:
    """The practitioner decides about a missed visit"""
    return with_etag(missed.decide(work(), visit_id, args["decision"], args["note"]))


@blp.route("/visits/<id:visit_id>/evv-corrections", methods=["GET"])
@blp.response(200, VisitCorrectionShownSchema(many=True))
def list_corrections(visit_id: int) -> Any:
    """What was corrected of the record, with the originals"""
    return doing.corrections(work(), queries.get_visit(work(), visit_id))


@blp.route("/visits/<id:visit_id>/evv-corrections", methods=["POST"])
@blp.arguments(VisitCorrectionSchema)
@blp.response(200, VisitSchema)
def correct(args: dict[str, Any], visit_id: int) -> Any:
    """Correct a captured element

    The original, the reason and the editor are kept. Needs If-Match.
    """
    require_match(queries.the_visit(work(), visit_id))
    return with_etag(doing.correct_evv(work(), visit_id, args["element"], args["value"], args["reason"]))
