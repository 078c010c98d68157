"""An episode's papers over HTTP: encounters, certifications, homebound status, stays, assessments, discharge."""

from typing import Any

import flask

from coordinator.access.proof_schema import take_proof
from coordinator.access.service import Doorman
from coordinator.core.errors import Forbidden
from coordinator.core.http import Blueprint, etag_of, no_rehearsal, require_match, with_etag, work
from coordinator.core.work import may_call
from coordinator.episodes import schemas, service, signing
from coordinator.episodes.certifying import PeriodAnswer
from coordinator.episodes.certifying import for_change as certification_for_change
from coordinator.episodes.encounters import Encounter
from coordinator.episodes.leaving import Leaving, planned_for_change
from coordinator.episodes.model import Certification
from coordinator.rules.terms import Finding

blp = Blueprint("episodes", __name__, url_prefix="/api/v1", description="What an episode of care rests on, and its end")


def _said(findings: tuple[Finding, ...]) -> list[dict[str, Any]]:
    return [finding.as_dict() for finding in findings]


def _shown(row: Any, schema: Any, **more: Any) -> dict[str, Any]:
    names = schema().fields
    return {name: getattr(row, name) for name in names if name not in more and hasattr(row, name)} | more


# ------------------------------------------------------------------------------------ encounters


def _encounter(made: Encounter) -> dict[str, Any]:
    return _shown(made.row, schemas.EncounterSchema, valid=made.valid, findings=_said(made.findings))


@blp.route("/episodes/<id:episode_id>/face-to-face-encounters")
@blp.response(200, schemas.EncounterListSchema)
def list_encounters(episode_id: int) -> Any:
    """The encounters that the certification may rest on, corrected ones too"""
    return {"items": [_encounter(one) for one in service.encounters(work(), episode_id)]}


@blp.route("/episodes/<id:episode_id>/face-to-face-encounters", methods=["POST"])
@blp.arguments(schemas.EncounterCreateSchema)
@blp.response(201, schemas.EncounterSchema)
def record_encounter(args: dict[str, Any], episode_id: int) -> Any:
    """Put an encounter on file

    Whatever is wrong with it is answered, and holds the bill; it never stops care.
    """
    return _encounter(service.record_encounter(work(), episode_id, **args))


@blp.route("/face-to-face-encounters/<id:encounter_id>/corrections", methods=["POST"])
@blp.arguments(schemas.EncounterCorrectSchema)
@blp.response(201, schemas.EncounterSchema)
def correct_encounter(args: dict[str, Any], encounter_id: int) -> Any:
    """Correct an encounter

    What is not named stays as it was. The old one stays on file and says why it counts no more.
    """
    return _encounter(service.correct_encounter(work(), encounter_id, **args))


# ------------------------------------------------------------------------------------ certifications


def _certification(row: Certification) -> dict[str, Any]:
    mine = work().actor.physician_id
    return _shown(
        row, schemas.CertificationSchema, reviewed=row.reviewed_version == row.version,
        content_hash=signing.content_hash(row), text=signing.signed_text(row),
        covering_for=None if mine in (None, row.physician_id) else row.physician_id,
    )  # fmt: skip


def _tagged(row: Certification) -> Any:
    return _certification(row), {"ETag": etag_of(row)}


def _period(answer: PeriodAnswer) -> dict[str, Any]:
    return {
        "number": answer.number,
        "first_day": answer.span.first if answer.span else None,
        "last_day": answer.span.last if answer.span else None,
        "certification": _certification(answer.statement) if answer.statement else None,
        "findings": _said(answer.findings),
    }


@blp.route("/episodes/<id:episode_id>/certifications")
@blp.response(200, schemas.CertificationPeriodListSchema)
def list_certifications(episode_id: int) -> Any:
    """Every certification period that has begun, with its statement and all that is to be said of it"""
    return {"items": [_period(answer) for answer in service.certifications(work(), episode_id)]}


@blp.route("/episodes/<id:episode_id>/certifications", methods=["POST"])
@blp.arguments(schemas.CertificationDraftSchema)
@blp.response(201, schemas.CertificationSchema)
def draft_certification(args: dict[str, Any], episode_id: int) -> Any:
    """Draft the certification of a period, or its recertification"""
    return _tagged(service.draft_certification(work(), episode_id, **args))


@blp.route("/certifications/<id:certification_id>")
@blp.response(200, schemas.CertificationSchema)
def read_certification(certification_id: int) -> Any:
    """One certification"""
    return _tagged(service.get_certification(work(), certification_id))


@blp.route("/certifications/<id:certification_id>", methods=["PATCH"])
@blp.arguments(schemas.StatementSchema)
@blp.response(200, schemas.CertificationSchema)
def edit_certification(args: dict[str, Any], certification_id: int) -> Any:
    """Change an unsigned certification

    Send If-Match. One that was sent is a draft again.
    """
    may_call(work(), service.edit_certification)
    require_match(certification_for_change(work(), certification_id)[0])
    return _tagged(service.edit_certification(work(), certification_id, **args))


@blp.route("/certifications/<id:certification_id>/send", methods=["POST"])
@blp.response(200, schemas.CertificationSchema)
def send_certification(certification_id: int) -> Any:
    """Send for signature

    Refused while a part of the statement is missing.
    """
    return _tagged(service.send_certification(work(), certification_id))


@blp.route("/certifications/<id:certification_id>/withdraw", methods=["POST"])
@blp.arguments(schemas.CertificationWithdrawSchema)
@blp.response(200, schemas.CertificationSchema)
def withdraw_certification(args: dict[str, Any], certification_id: int) -> Any:
    """Withdraw an unsigned certification"""
    return _tagged(service.withdraw_certification(work(), certification_id, args["reason"]))


@blp.route("/certifications/<id:certification_id>/supersede", methods=["POST"])
@blp.arguments(schemas.CertificationWithdrawSchema)
@blp.response(201, schemas.CertificationSchema)
def supersede_certification(args: dict[str, Any], certification_id: int) -> Any:
    """Supersede a certification that was signed by mistake

    The signed text stays on file and says nothing any more. The answer is a draft of the same words, to be corrected,
    sent and signed anew.
    """
    return _tagged(service.supersede_certification(work(), certification_id, args["reason"]))


@blp.route("/episodes/<id:episode_id>/idle-intervals")
@blp.response(200, schemas.IdleIntervalListSchema)
def list_intervals(episode_id: int) -> Any:
    """Intervals without a covered skilled visit that a practitioner justified, newest first"""
    return {"items": service.intervals(work(), episode_id)}


@blp.route("/episodes/<id:episode_id>/idle-intervals", methods=["POST"])
@blp.arguments(schemas.IdleIntervalCreateSchema)
@blp.response(201, schemas.IdleIntervalSchema)
def justify_interval(args: dict[str, Any], episode_id: int) -> Any:
    """Record why a practitioner holds an interval without a covered skilled visit to be right"""
    return service.justify_interval(work(), episode_id, **args)


@blp.route("/certification-queue")
@blp.response(200, schemas.CertificationListSchema)
def certification_queue() -> Any:
    """What waits for one's own signature

    What is another practitioner's, for whom one stands in today, is there as well: one signs it with one's own name.
    """
    return {"items": [_certification(row) for row in service.certification_queue(work())]}


@blp.route("/certifications/<id:certification_id>/review", methods=["POST"])
@blp.arguments(schemas.CertificationReviewSchema)
@blp.response(200, schemas.CertificationSchema)
def review_certification(args: dict[str, Any], certification_id: int) -> Any:
    """Mark as read

    Only what is marked so can be signed, and only at that version.
    """
    return _tagged(service.review_certification(work(), certification_id, args["version"]))


@blp.route("/certification-signature-batches", methods=["POST"])
@blp.arguments(schemas.CertificationSignBatchSchema)
@blp.response(200, schemas.CertificationSignedSchema)
@no_rehearsal
def sign_certifications(args: dict[str, Any]) -> Any:
    """Sign what was read; the answer says of each what became of it

    Whoever signs proves again who they are: by password, by password and code, or by a passkey, as the account has it;
    not again within some minutes. A wrong proof signs nothing and counts as a failed attempt.
    """
    doorman: Doorman = flask.current_app.extensions["doorman"]
    items = [signing.SignItem(**item) for item in args["items"]]
    try:
        results = service.sign_certifications(work(), doorman, items, take_proof(args))
    except Forbidden as refusal:
        if refusal.problem_code == "step-up-required":
            work().record("certification.not-signed", work().actor.name, outcome="deny", code=refusal.problem_code)
        raise
    return {"results": results}


@blp.route("/physicians/<id:physician_id>/registry-checks", methods=["POST"])
@blp.arguments(schemas.PractitionerCheckCreateSchema)
@blp.response(201, schemas.PractitionerCheckSchema)
def check_practitioner(args: dict[str, Any], physician_id: int) -> Any:
    """Record what the registries say of a practitioner (NPPES, PECOS)"""
    return service.check_practitioner(work(), physician_id, **args)


# ------------------------------------------------------------------------------------ homebound


@blp.route("/episodes/<id:episode_id>/homebound")
@blp.response(200, schemas.HomeboundStatusSchema)
def homebound_status(episode_id: int) -> Any:
    """How homebound status was assessed, and the absences since"""
    answer = service.homebound_status(work(), episode_id)
    return {"assessments": answer.assessments, "absences": answer.absences, "findings": _said(answer.findings)}


@blp.route("/episodes/<id:episode_id>/homebound-assessments", methods=["POST"])
@blp.arguments(schemas.HomeboundAssessmentCreateSchema)
@blp.response(201, schemas.HomeboundAssessmentSchema)
def assess_homebound(args: dict[str, Any], episode_id: int) -> Any:
    """Answer the homebound test"""
    return service.assess_homebound(work(), episode_id, **args)


@blp.route("/episodes/<id:episode_id>/absences-from-home", methods=["POST"])
@blp.arguments(schemas.HomeAbsenceCreateSchema)
@blp.response(201, schemas.HomeAbsenceAnswerSchema)
def record_home_absence(args: dict[str, Any], episode_id: int) -> Any:
    """Record that the patient left the home

    No number of absences ends homebound status; a pattern without effort asks for a review.
    """
    row, findings = service.record_home_absence(work(), episode_id, **args)
    return {"absence": row, "findings": _said(findings)}


@blp.route("/absences-from-home/<id:absence_id>/withdraw", methods=["POST"])
@blp.response(200, schemas.HomeAbsenceSchema)
def withdraw_home_absence(absence_id: int) -> Any:
    """Take back an absence that was entered in error"""
    return service.withdraw_home_absence(work(), absence_id)


# ------------------------------------------------------------------------------------ stays


@blp.route("/episodes/<id:episode_id>/inpatient-stays")
@blp.response(200, schemas.StayListSchema)
def list_stays(episode_id: int) -> Any:
    """The patient's stays in hospital"""
    return {"items": service.stays(work(), episode_id)}


@blp.route("/episodes/<id:episode_id>/inpatient-stays", methods=["POST"])
@blp.arguments(schemas.StayCreateSchema)
@blp.response(201, schemas.StaySchema)
def record_stay(args: dict[str, Any], episode_id: int) -> Any:
    """Record that the patient went to hospital

    Visits rest once an inpatient admission has lasted a day; observation leaves them where they are.
    """
    return with_etag(service.record_stay(work(), episode_id, **args))


@blp.route("/inpatient-stays/<id:stay_id>/admission", methods=["POST"])
@blp.arguments(schemas.StayAdmitSchema)
@blp.response(200, schemas.StaySchema)
def admit_stay(args: dict[str, Any], stay_id: int) -> Any:
    """Observation has become an inpatient admission"""
    return with_etag(service.admit_stay(work(), stay_id, **args))


@blp.route("/inpatient-stays/<id:stay_id>/return", methods=["POST"])
@blp.arguments(schemas.StayEndSchema)
@blp.response(200, schemas.StaySchema)
def end_stay(args: dict[str, Any], stay_id: int) -> Any:
    """The patient is home again

    After a transfer the resumption visit comes first, within 48 hours or on the day that was ordered.
    """
    return with_etag(service.end_stay(work(), stay_id, **args))


@blp.route("/inpatient-stays/<id:stay_id>/summary", methods=["POST"])
@blp.response(200, schemas.StaySchema)
def send_transfer_summary(stay_id: int) -> Any:
    """The transfer summary was sent"""
    return with_etag(service.send_transfer_summary(work(), stay_id))


# ------------------------------------------------------------------------------------ assessments


@blp.route("/episodes/<id:episode_id>/comprehensive-assessments")
@blp.response(200, schemas.ComprehensiveAssessmentListSchema)
def list_assessments(episode_id: int) -> Any:
    """The comprehensive assessments, and whether the first one is late"""
    rows, findings = service.assessments(work(), episode_id)
    return {"items": rows, "findings": _said(findings)}


@blp.route("/episodes/<id:episode_id>/comprehensive-assessments", methods=["POST"])
@blp.arguments(schemas.ComprehensiveAssessmentCreateSchema)
@blp.response(201, schemas.ComprehensiveAssessmentAnswerSchema)
def complete_assessment(args: dict[str, Any], episode_id: int) -> Any:
    """Record a comprehensive assessment that is complete

    Refused for a profession that may not make it; a late one is recorded with its true date.
    """
    made = service.complete_assessment(work(), episode_id, **args)
    return {"assessment": made.row, "findings": _said(made.findings)}


# ------------------------------------------------------------------------------------ discharge


def _leaving(made: Leaving) -> Any:
    shown = _shown(made.row, schemas.DischargeSchema, findings=_said(made.findings))
    return shown, {"ETag": etag_of(made.row)}


@blp.route("/episodes/<id:episode_id>/discharges")
@blp.response(200, schemas.DischargeListSchema)
def list_discharges(episode_id: int) -> Any:
    """Discharges of the patient and of single disciplines, with what each still owes"""
    return {"items": [_leaving(one)[0] for one in service.discharges(work(), episode_id)]}


@blp.route("/episodes/<id:episode_id>/discharges", methods=["POST"])
@blp.arguments(schemas.DischargePlanSchema)
@blp.response(201, schemas.DischargeSchema)
def plan_discharge(args: dict[str, Any], episode_id: int) -> Any:
    """Plan that the patient, or one discipline, leaves"""
    return _leaving(service.plan_discharge(work(), episode_id, **args))


@blp.route("/discharges/<id:discharge_id>", methods=["PATCH"])
@blp.arguments(schemas.DischargeEditSchema)
@blp.response(200, schemas.DischargeSchema)
def edit_discharge(args: dict[str, Any], discharge_id: int) -> Any:
    """Another day or reason

    Send If-Match.
    """
    may_call(work(), service.edit_discharge)
    require_match(planned_for_change(work(), discharge_id)[0])
    return _leaving(service.edit_discharge(work(), discharge_id, **args))


@blp.route("/discharges/<id:discharge_id>/steps", methods=["POST"])
@blp.arguments(schemas.DischargeStepSchema)
@blp.response(200, schemas.DischargeSchema)
def record_discharge_step(args: dict[str, Any], discharge_id: int) -> Any:
    """Record a step that was done"""
    return _leaving(service.record_discharge_step(work(), discharge_id, **args))


@blp.route("/discharges/<id:discharge_id>/final", methods=["POST"])
@blp.response(200, schemas.DischargeSchema)
def finalise_discharge(discharge_id: int) -> Any:
    """Make the discharge final

    Refused with every finding while a required step is missing; what is only owed comes with the answer.
    """
    return _leaving(service.finalise_discharge(work(), discharge_id))


@blp.route("/discharges/<id:discharge_id>/withdraw", methods=["POST"])
@blp.response(200, schemas.DischargeSchema)
def withdraw_discharge(discharge_id: int) -> Any:
    """The patient, or the discipline, stays"""
    return _leaving(Leaving(service.withdraw_discharge(work(), discharge_id), ()))


@blp.route("/episodes/<id:episode_id>/coverage-notices")
@blp.response(200, schemas.CoverageNoticeListSchema)
def list_notices(episode_id: int) -> Any:
    """Notices that covered services end or change"""
    return {
        "items": [
            _shown(row, schemas.CoverageNoticeSchema, findings=_said(findings))
            for row, findings in service.notices(work(), episode_id)
        ]
    }


@blp.route("/episodes/<id:episode_id>/coverage-notices", methods=["POST"])
@blp.arguments(schemas.CoverageNoticeCreateSchema)
@blp.response(201, schemas.CoverageNoticeSchema)
def write_notice(args: dict[str, Any], episode_id: int) -> Any:
    """Write a notice of coverage

    Refused if it names a range of visits.
    """
    return with_etag(service.write_notice(work(), episode_id, **args))


@blp.route("/coverage-notices/<id:notice_id>/delivery", methods=["POST"])
@blp.arguments(schemas.CoverageNoticeDeliverSchema)
@blp.response(200, schemas.CoverageNoticeSchema)
def deliver_notice(args: dict[str, Any], notice_id: int) -> Any:
    """The notice is in the patient's hands"""
    return with_etag(service.deliver_notice(work(), notice_id, args["delivered_on"]))
