"""Questions about one visit over HTTP: why not, who could, what would have to give; and two runs side by side."""

from collections.abc import Callable
from typing import Any

import flask
from marshmallow import EXCLUDE, ValidationError, fields, validate
from webargs.multidictproxy import MultiDictProxy

from coordinator.core.errors import Invalid
from coordinator.core.fields import Day, Id, Instant, Schema, Whole
from coordinator.core.http import Blueprint, require_match, with_etag, work
from coordinator.core.thinking import thinks_first, thought
from coordinator.core.work import Work, may_call
from coordinator.planning import asking, comparing, offers
from coordinator.planning.api import ReasonSchema
from coordinator.planning.words import AGREED
from coordinator.visits import queries
from coordinator.visits.schemas import VisitOverrideSchema, VisitSchema

blp = Blueprint("asking", __name__, url_prefix="/api/v1", description="Why a visit has no place, and what would help")


# ------------------------------------------------------------------------------------ shapes


class OfferedPlaceSchema(Schema):
    clinician_id = fields.Integer()
    starts_at = Instant()
    ends_at = Instant(allow_none=True)


class VisitExplanationSchema(Schema):
    visit = fields.Integer()
    version = fields.Integer()
    placed = fields.Boolean()
    clinician_id = fields.Integer(allow_none=True)
    starts_at = Instant(allow_none=True)
    alternative = fields.Dict(allow_none=True, metadata={"description": "The next best clinician, and cents more"})
    reasons = fields.List(
        fields.Nested(ReasonSchema), metadata={"description": "Per clinician the first thing that stops it"}
    )


class MoveCauseSchema(Schema):
    code = fields.String(metadata={"example": "makes-room"})
    sentence = fields.String(metadata={"example": "Makes room for visit 12."})


class OtherMoveSchema(Schema):
    visit = fields.Integer()
    patient_id = fields.Integer()
    what = fields.List(fields.String(), metadata={"description": "clinician, day or time"})
    before = fields.Nested(OfferedPlaceSchema, allow_none=True)
    after = fields.Nested(OfferedPlaceSchema, allow_none=True)
    told = fields.Boolean(metadata={"description": "The patient had been told of the time before"})
    cause = fields.Nested(MoveCauseSchema)


class CentsSchema(Schema):
    name = fields.String(metadata={"example": "travel"})
    extra_cost = fields.Integer()


class UnlockStepSchema(Schema):
    visit = Id(required=True)
    version = Whole(low=1, high=2**31 - 1, required=True)


class PlaceStepSchema(Schema):
    visit = Id(required=True, metadata={"example": 12})
    version = Whole(low=1, high=2**31 - 1, required=True, metadata={"example": 1})
    clinician_id = Id(required=True, metadata={"example": 7})
    starts_at = Instant(required=True, metadata={"example": "2026-11-24T17:00:00Z"})
    ends_at = Instant(required=True, metadata={"example": "2026-11-24T17:45:00Z"})


class AgreedStepSchema(Schema):
    kind = fields.String(required=True, validate=validate.OneOf(AGREED))
    clinician_id = Id(required=True)
    day = Day(required=True, allow_none=True, metadata={"description": "None: in the week"})
    amount = Whole(low=1, high=120, required=True, metadata={"description": "Minutes, or visits, beyond the limit"})


class OfferStepsSchema(Schema):
    """What makes an offer so: send it back as it came, with a reason where a wish is set aside or more is agreed."""

    unlock = fields.List(fields.Nested(UnlockStepSchema))
    place = fields.List(fields.Nested(PlaceStepSchema))
    overrides = fields.List(fields.String(), metadata={"description": "Rules that take a reason to set aside"})
    agreed = fields.List(
        fields.Nested(AgreedStepSchema), metadata={"description": "What somebody does beyond the agency's limits"}
    )


class OfferSchema(OfferedPlaceSchema):
    extra_cost = fields.Integer(metadata={"description": "Cents of the whole plan, more or less than now"})
    parts = fields.List(fields.Nested(CentsSchema))
    moves = fields.List(fields.Nested(OtherMoveSchema))
    steps = fields.Nested(OfferStepsSchema)


class SuggestionsSchema(Schema):
    visit = fields.Integer()
    version = fields.Integer()
    zone = fields.String()
    suggestions = fields.List(fields.Nested(OfferSchema))
    unlocated_patients = fields.List(fields.Integer(), metadata={"description": "The branch's office stands in"})


class RelaxedLimitSchema(Schema):
    kind = fields.String(metadata={"example": "shift-end"})
    sentence = fields.String()
    visit = fields.Integer(allow_none=True)
    clinician_id = fields.Integer(allow_none=True)
    day = fields.String(allow_none=True)
    limit = fields.Raw(metadata={"description": "As it is: a number, or a time of the branch's clock"})
    new_limit = fields.Raw(metadata={"description": "The smallest that was found to do"})
    amount = fields.Integer(metadata={"description": "Minutes, visits or days between the two"})
    overrides = fields.String(allow_none=True, metadata={"description": "The rule that is set aside"})
    permission = fields.String(metadata={"description": "Who may do it holds this"})


class RelaxationSchema(OfferSchema):
    changes = fields.List(
        fields.Nested(RelaxedLimitSchema), metadata={"description": "None: it fits as things are, if others move"}
    )


class RelaxationsSchema(Schema):
    visit = fields.Integer()
    version = fields.Integer()
    zone = fields.String()
    sentence = fields.String()
    relaxations = fields.List(fields.Nested(RelaxationSchema))
    tried = fields.Integer(metadata={"description": "Single changes, each planned anew"})
    possible = fields.Integer()
    pairs_tried = fields.Integer()
    pairs_possible = fields.Integer()
    complete = fields.Boolean(
        metadata={"description": "False: not everything was tried, for there was no time or there is too much"}
    )
    unlocated_patients = fields.List(fields.Integer())


class CarryOutSchema(Schema):
    unlock = fields.List(fields.Nested(UnlockStepSchema), load_default=list, validate=validate.Length(max=5))
    place = fields.List(
        fields.Nested(PlaceStepSchema), required=True, validate=validate.Length(min=1, max=200),
        metadata={
            "example": [
                {
                    "visit": 12, "version": 1, "clinician_id": 7,
                    "starts_at": "2026-11-24T17:00:00Z", "ends_at": "2026-11-24T17:45:00Z",
                }
            ]
        },
    )  # fmt: skip
    overrides = fields.List(
        fields.String(), load_default=list, validate=validate.Length(max=5),
        metadata={"description": "The rules that `override` sets aside, as they came"},
    )  # fmt: skip
    override = fields.Nested(VisitOverrideSchema, load_default=None, allow_none=True)
    agreed = fields.List(fields.Nested(AgreedStepSchema), load_default=list, validate=validate.Length(max=5))
    agreed_reason = fields.String(
        load_default=None, allow_none=True, validate=validate.Regexp(rf"{offers.CODE}\Z"),
        metadata={"description": "Why more was agreed, as a code; needed with `agreed`", "example": "clinician-agreed"},
    )  # fmt: skip


class SuggestionsQuery(Schema):
    limit = Whole(low=1, high=asking.MOST_SUGGESTIONS, load_default=5)


class RelaxationsQuery(Schema):
    seconds = Whole(
        low=1, high=asking.MOST_SECONDS, load_default=asking.MOST_SECONDS,
        metadata={"description": "How long to search; what was not tried by then is said"},
    )  # fmt: skip


class CompareQuery(Schema):
    left = Id(required=True, metadata={"example": 1})
    right = Id(required=True, metadata={"example": 2})


class RunDifferenceSchema(Schema):
    visit = fields.Integer()
    left = fields.Nested(OfferedPlaceSchema, allow_none=True)
    right = fields.Nested(OfferedPlaceSchema, allow_none=True)
    left_cause = fields.Nested(MoveCauseSchema)
    right_cause = fields.Nested(MoveCauseSchema)


class PatientDifferencesSchema(Schema):
    patient_id = fields.Integer()
    changes = fields.List(fields.Nested(RunDifferenceSchema))


class ClinicianDifferencesSchema(Schema):
    clinician_id = fields.Integer()
    changes = fields.List(fields.Nested(RunDifferenceSchema))


class RunComparisonSchema(Schema):
    zone = fields.String()
    left = fields.Dict()
    right = fields.Dict()
    difference = fields.Dict(metadata={"description": "Right less left"})
    parts = fields.List(fields.Dict())
    only_left_out_left = fields.List(fields.Integer(), metadata={"description": "Visits that the right one places"})
    only_left_out_right = fields.List(fields.Integer(), metadata={"description": "Visits that the left one places"})
    by_patient = fields.List(fields.Nested(PatientDifferencesSchema))
    by_clinician = fields.List(fields.Nested(ClinicianDifferencesSchema))


# ------------------------------------------------------------------------------------ routes


def _asks(verb: Callable[..., asking.Inquiry], query: type[Schema] = Schema) -> Callable[..., Any]:
    """The view tells what was read and searched before it, with nothing open meanwhile."""
    schema = query()

    def think(w: Work) -> Callable[[], asking.Found] | None:
        try:
            args = schema.load(MultiDictProxy(flask.request.args, schema), unknown=EXCLUDE)
        except ValidationError:
            return None  # the view refuses it in the usual words
        return verb(w, (flask.request.view_args or {})["visit_id"], **args).search

    return thinks_first(think)


def _told() -> dict[str, Any]:
    found = thought()
    if found is None:
        raise Invalid("A question changes nothing: ask it without an Idempotency-Key.", code="idempotency-key-invalid")
    return asking.tell(work(), found)


@blp.route("/visits/<id:visit_id>/explanation")
@blp.response(200, VisitExplanationSchema)
@_asks(asking.explanation)
def explain_visit(**_: int) -> Any:
    """Why the visit has no place, as things stand now

    Per clinician the first thing that stops it, with the fact and the limit; of a visit that has a place, the next best
    clinician.
    """
    return _told()


@blp.route("/visits/<id:visit_id>/suggestions")
@blp.arguments(SuggestionsQuery, location="query")
@blp.response(200, SuggestionsSchema)
@_asks(asking.suggestions, SuggestionsQuery)
def suggest_for_visit(_args: dict[str, Any], **_: int) -> Any:
    """Who could take the visit, when, at what cost, and what else would move

    Best first; empty when nobody can as things are.
    """
    return _told()


@blp.route("/visits/<id:visit_id>/relaxations")
@blp.arguments(RelaxationsQuery, location="query")
@blp.response(200, RelaxationsSchema)
@_asks(asking.relaxations, RelaxationsQuery)
def relax_for_visit(_args: dict[str, Any], **_: int) -> Any:
    """Which change would give the visit a place

    Each offer was planned anew and leaves nobody else out. A law is never among them. Pairs come where no single change
    is enough.
    """
    return _told()


@blp.route("/visits/<id:visit_id>/place", methods=["POST"])
@blp.arguments(CarryOutSchema)
@blp.response(200, VisitSchema)
def carry_out(args: dict[str, Any], visit_id: int) -> Any:
    """Do what was suggested or offered

    Send the `steps` of a suggestion or relaxation. All of it is done or nothing; every rule is asked again; 412 names
    the visits that changed since. Needs If-Match.
    """
    may_call(work(), offers.carry_out)
    visit = queries.the_visit(work(), visit_id)
    require_match(visit)
    done = offers.carry_out(
        work(), visit_id, offers.offer_of(args), override=args["override"], agreed_reason=args["agreed_reason"]
    )
    return with_etag(done)


@blp.route("/plan-runs/compare")
@blp.arguments(CompareQuery, location="query")
@blp.response(200, RunComparisonSchema)
def compare_runs(args: dict[str, Any]) -> Any:
    """Two runs side by side

    Their numbers, what each leaves out, and every visit that they put elsewhere, by patient and by clinician, with the
    cause that each gives.
    """
    return comparing.compare_runs(work(), args["left"], args["right"])
