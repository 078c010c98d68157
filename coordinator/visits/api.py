"""Visits over HTTP: finding them, giving them their place, what is owed, and supervision."""

from typing import Any

from coordinator.agency import service as agency
from coordinator.core.errors import Invalid, NotFound
from coordinator.core.http import Blueprint, require_match, with_etag, work
from coordinator.core.pages import page
from coordinator.domain.lifecycle import LIVE_ORDER
from coordinator.domain.vocabulary import VisitKind
from coordinator.orders.queries import branch_of, visible_order
from coordinator.visits import demand, ledger, missed, queries, service, supervision
from coordinator.visits.model import Visit
from coordinator.visits.schemas import (
    CheckQuery,
    IntermittentUsageSchema,
    LedgerSchema,
    MissedQuery,
    SupervisionRequestSchema,
    SupervisionSchema,
    UsageQuery,
    VisitAnswerSchema,
    VisitAssignSchema,
    VisitCancelSchema,
    VisitConfirmSchema,
    VisitConversationSchema,
    VisitHoldSchema,
    VisitInterpreterSchema,
    VisitKindSchema,
    VisitMoveSchema,
    VisitOverriddenSchema,
    VisitPageSchema,
    VisitQuery,
    VisitRequestSchema,
    VisitSchema,
    VisitSetAsideSchema,
)

blp = Blueprint("visits", __name__, url_prefix="/api/v1", description="Visits: wanted, placed, owed")


def _matched(visit_id: int) -> Visit:
    """The visit that is about to be edited, in the version that the caller read."""
    visit = queries.the_visit(work(), visit_id)
    require_match(visit)
    return visit


# ------------------------------------------------------------------------------------ reading


@blp.route("/visits")
@blp.arguments(VisitQuery, location="query")
@blp.response(200, VisitPageSchema)
def list_visits(args: dict[str, Any]) -> Any:
    """Visits in sight, by number

    Days are the branch's; a visit without a time counts by its window.
    """
    found = queries.search(
        work(),
        branch_id=args["branch_id"],
        from_day=args["from_day"],
        to_day=args["to_day"],
        clinician_id=args["clinician_id"],
        patient_id=args["patient_id"],
        order_id=args["order_id"],
        statuses=args["status"],
    )
    return page(work().session, found, [Visit.id], args)


@blp.route("/visits/<id:visit_id>")
@blp.response(200, VisitSchema)
def read_visit(visit_id: int) -> Any:
    """One visit"""
    return with_etag(queries.get_visit(work(), visit_id))


@blp.route("/visits/<id:visit_id>/check")
@blp.arguments(CheckQuery, location="query")
@blp.response(200, VisitAnswerSchema)
def check_visit(args: dict[str, Any], visit_id: int) -> Any:
    """What the rules would say of this clinician at this time

    Nothing is changed or held; every finding is in the answer.
    """
    answer = service.ask_about(work(), visit_id, args["clinician_id"], args["starts_at"], args["minutes"])
    return {
        "possible": answer.possible,
        "findings": [finding.as_dict() for finding in answer.findings],
        "blocking": answer.blocking,
        "warnings": answer.warnings,
    }


@blp.route("/missed-visits")
@blp.arguments(MissedQuery, location="query")
@blp.response(200, VisitPageSchema)
def list_missed(args: dict[str, Any]) -> Any:
    """Missed visits that wait for a practitioner's decision"""
    return page(work().session, missed.decisions_queue(work(), args["branch_id"]), [Visit.id], args)


# ------------------------------------------------------------------------------------ asking for a visit


@blp.route("/patients/<id:patient_id>/visits", methods=["POST"])
@blp.arguments(VisitRequestSchema)
@blp.response(201, VisitSchema)
def request_visit(args: dict[str, Any], patient_id: int) -> Any:
    """Ask for a visit

    An as-needed visit of a live order (`kind` prn, `order_id`, `trigger`); a visit that needs no order (supervision,
    chaplain); or, with `order_id`, `clinician_id` and `starts_at`, a slot held for an order that is not signed yet.
    """
    if args["order_id"] is not None and args["clinician_id"] is not None and args["starts_at"] is not None:
        order = visible_order(work(), args["order_id"])
        if order.patient_id == patient_id and order.status not in LIVE_ORDER:
            held = service.hold(
                work(),
                order_id=order.id,
                clinician_id=args["clinician_id"],
                starts_at=args["starts_at"],
                minutes=args["minutes"],
            )
            return with_etag(held)
    if args["kind"] is VisitKind.PRN:
        if args["order_id"] is None:
            raise Invalid("Say which order allows the as-needed visit.", pointer="/order_id")
        if visible_order(work(), args["order_id"]).patient_id != patient_id:
            raise NotFound("order")
        visit = demand.request_prn(
            work(),
            args["order_id"],
            args["trigger"] or "",
            window_to=args["window_to"],
            minutes=args["minutes"],
        )
        return with_etag(visit)
    visit = demand.request_visit(
        work(),
        patient_id,
        args["order_id"],
        kind=args["kind"],
        discipline=args["discipline"],
        window_from=args["window_from"],
        window_to=args["window_to"],
        minutes=args["minutes"] or demand.ORDERLESS_MINUTES,
    )
    return with_etag(visit)


# ------------------------------------------------------------------------------------ placing


@blp.route("/visits/<id:visit_id>/assign", methods=["POST"])
@blp.arguments(VisitAssignSchema)
@blp.response(200, VisitSchema)
def assign(args: dict[str, Any], visit_id: int) -> Any:
    """Give the visit its clinician and hour

    Booked, or held if `tentative`. Needs If-Match.
    """
    _matched(visit_id)
    visit = service.assign(
        work(),
        visit_id,
        args["clinician_id"],
        args["starts_at"],
        args["minutes"],
        args["override"],
        tentative=args["tentative"],
    )
    return with_etag(visit)


@blp.route("/visits/<id:visit_id>/hold", methods=["POST"])
@blp.arguments(VisitHoldSchema)
@blp.response(200, VisitSchema)
def hold(args: dict[str, Any], visit_id: int) -> Any:
    """Hold a slot for the visit

    Not a booking: clinicians do not see it. Needs If-Match.
    """
    _matched(visit_id)
    return with_etag(service.hold(work(), visit_id, **args))


@blp.route("/visits/<id:visit_id>/confirm", methods=["POST"])
@blp.arguments(VisitConfirmSchema)
@blp.response(200, VisitSchema)
def confirm(args: dict[str, Any], visit_id: int) -> Any:
    """Book the held slot

    Everything is asked again, strictly. Needs If-Match.
    """
    _matched(visit_id)
    return with_etag(service.confirm(work(), visit_id, args["override"]))


@blp.route("/visits/<id:visit_id>/move", methods=["POST"])
@blp.arguments(VisitMoveSchema)
@blp.response(200, VisitSchema)
def move(args: dict[str, Any], visit_id: int) -> Any:
    """Another clinician, hour or length

    Within the order week; outside it the visit is missed and another week's is used. Needs If-Match.
    """
    _matched(visit_id)
    return with_etag(service.move(work(), visit_id, **args))


@blp.route("/visits/<id:visit_id>/unassign", methods=["POST"])
@blp.response(200, VisitSchema)
def unassign(visit_id: int) -> Any:
    """Nobody and no hour: wanted again

    Needs If-Match.
    """
    _matched(visit_id)
    return with_etag(service.unassign(work(), visit_id))


@blp.route("/visits/<id:visit_id>/cancel", methods=["POST"])
@blp.arguments(VisitCancelSchema)
@blp.response(200, VisitSchema)
def cancel(args: dict[str, Any], visit_id: int) -> Any:
    """The visit will not be made as planned

    What an order asks for is wanted again, by a new row that names this one in `replaces_id`. Needs If-Match.
    """
    _matched(visit_id)
    return with_etag(service.cancel(work(), visit_id, args["reason"]))


@blp.route("/visits/<id:visit_id>/lock", methods=["POST"])
@blp.response(200, VisitSchema)
def lock(visit_id: int) -> Any:
    """Nobody moves it until it is unlocked

    Needs If-Match.
    """
    _matched(visit_id)
    return with_etag(service.lock(work(), visit_id))


@blp.route("/visits/<id:visit_id>/unlock", methods=["POST"])
@blp.response(200, VisitSchema)
def unlock(visit_id: int) -> Any:
    """It may be moved again

    Needs If-Match.
    """
    _matched(visit_id)
    return with_etag(service.unlock(work(), visit_id))


@blp.route("/visits/<id:visit_id>/kind", methods=["POST"])
@blp.arguments(VisitKindSchema)
@blp.response(200, VisitSchema)
def plan_as(args: dict[str, Any], visit_id: int) -> Any:
    """Plan the order's visit as a reassessment, a recertification, a discharge

    Needs If-Match.
    """
    _matched(visit_id)
    return with_etag(service.plan_as(work(), visit_id, args["kind"]))


@blp.route("/visits/<id:visit_id>/conversation", methods=["POST"])
@blp.arguments(VisitConversationSchema)
@blp.response(200, VisitSchema)
def plan_conversation(args: dict[str, Any], visit_id: int) -> Any:
    """Plan a conversation that must be understood word for word

    Consent, or planning of care in advance: whoever needs an interpreter has one then (LNG-01). Needs If-Match.
    """
    _matched(visit_id)
    return with_etag(service.plan_conversation(work(), visit_id, args["conversation"]))


@blp.route("/visits/<id:visit_id>/interpreter", methods=["POST"])
@blp.arguments(VisitInterpreterSchema)
@blp.response(200, VisitSchema)
def book_interpreter(args: dict[str, Any], visit_id: int) -> Any:
    """An interpreter is booked for the visit, or no longer

    Needs If-Match.
    """
    _matched(visit_id)
    return with_etag(service.book_interpreter(work(), visit_id, **args))


# ------------------------------------------------------------------------------------ rules set aside


@blp.route("/visits/<id:visit_id>/overrides", methods=["GET"])
@blp.response(200, VisitOverriddenSchema(many=True))
def list_overrides(visit_id: int) -> Any:
    """What was set aside for the visit, by whom and why"""
    return service.set_aside_so_far(work(), visit_id)


@blp.route("/visits/<id:visit_id>/overrides", methods=["POST"])
@blp.arguments(VisitSetAsideSchema)
@blp.response(201, VisitOverriddenSchema(many=True))
def set_aside(args: dict[str, Any], visit_id: int) -> Any:
    """Set one rule aside, ahead of the change that it would refuse

    For the facts that it finds now, where the visit stands or is meant to stand: when they change, it is asked again.
    """
    rule, clinician_id, starts_at = args.pop("rule"), args.pop("clinician_id"), args.pop("starts_at")
    return service.set_aside(work(), visit_id, rule, args, clinician_id, starts_at)


# ------------------------------------------------------------------------------------ what is owed


@blp.route("/orders/<id:order_id>/ledger")
@blp.response(200, LedgerSchema)
def order_ledger(order_id: int) -> Any:
    """What the order asks for, week by week: ordered = planned + done + waived + owed"""
    lines = ledger.ledger(work(), order_id=order_id)
    branch_id = branch_of(work(), visible_order(work(), order_id).patient_id)
    return {"zone": agency.zone_of(work(), branch_id).key, "weeks": lines}


@blp.route("/patients/<id:patient_id>/ledger")
@blp.response(200, LedgerSchema)
def patient_ledger(patient_id: int) -> Any:
    """What all the patient's orders ask for, week by week"""
    lines = ledger.ledger(work(), patient_id=patient_id)
    return {"zone": agency.zone_of(work(), branch_of(work(), patient_id)).key, "weeks": lines}


@blp.route("/patients/<id:patient_id>/intermittent-usage")
@blp.arguments(UsageQuery, location="query")
@blp.response(200, IntermittentUsageSchema)
def usage(args: dict[str, Any], patient_id: int) -> Any:
    """Nurse and aide minutes of a week against the limits (INT-01)"""
    found = ledger.intermittent_usage(work(), patient_id, args["week"])
    return {
        "patient_id": found.patient_id,
        "week_from": found.week_from,
        "week_to": found.week_to,
        "days": {day.isoformat(): minutes for day, minutes in found.days.items()},
        "minutes": found.minutes,
        "day_maximum": found.day_maximum,
        "week_maximum": found.week_maximum,
        "week_reviewed_maximum": found.week_reviewed_maximum,
        "reviewed": found.reviewed,
    }


# ------------------------------------------------------------------------------------ supervision


@blp.route("/supervisions", methods=["POST"])
@blp.arguments(SupervisionRequestSchema)
@blp.response(201, SupervisionSchema)
def record_supervision(args: dict[str, Any]) -> Any:
    """The aide's care was supervised

    By a nurse or therapist; at most one by video in a certification period, and by telephone never.
    """
    patient_id = args.pop("patient_id")
    return supervision.record(work(), patient_id, **args)
