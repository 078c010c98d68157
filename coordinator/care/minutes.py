"""The minutes of a team conference as a page that prints: who sat, whether it counts, what was said and decided."""

from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response, render_template

from coordinator.agency import service as agency
from coordinator.care import conferences, decisions
from coordinator.care.model import ConferenceSeat
from coordinator.core.http import work
from coordinator.domain.care import CareDomain
from coordinator.patients.model import Patient
from coordinator.staff.model import Clinician, Physician

pages = Blueprint("care_pages", __name__, template_folder="../templates")


@pages.get("/conferences/<id:conference_id>/minutes")
def minutes(conference_id: int) -> Response:
    """The minutes, for whoever may read the conference."""
    row = conferences.get(work(), conference_id)
    patient = work().session.get_one(Patient, row.patient_id)
    zone = agency.zone_of(work(), row.branch_id)
    written = {one.domain: one for one in conferences.domains(work(), row.episode_id)}
    answer = make_response(
        render_template(
            "minutes.html", conference=row, patient=patient, seats=[_seat(one, zone) for one in row.seats],
            decisions=decisions.of_conference(work(), row.id),
            domains=[(domain.value.replace("_", " "), written.get(domain)) for domain in CareDomain],
            said=[flag["sentence"] for flag in row.flags],
        )
    )  # fmt: skip
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _seat(seat: ConferenceSeat, zone: ZoneInfo) -> dict[str, object]:
    session, person = work().session, seat.name
    if seat.clinician_id is not None:
        clinician = session.get_one(Clinician, seat.clinician_id)
        person = f"{clinician.given_name} {clinician.family_name}, {clinician.performer.value}"
    elif seat.physician_id is not None:
        physician = session.get_one(Physician, seat.physician_id)
        person = f"{physician.given_name} {physician.family_name}, {physician.practitioner_type.value}"
    signed = None if seat.signed_at is None else seat.signed_at.astimezone(zone)
    return {
        "role": seat.role.value.replace("_", " "), "presence": seat.presence.value, "person": person or "",
        "signed": None if signed is None else signed.strftime("%Y-%m-%d %H:%M"),
    }  # fmt: skip
