"""The shapes of orders, cards and signatures as the API speaks them."""

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate
from webargs.fields import DelimitedList

from coordinator.access.proof_schema import ProofSchema
from coordinator.core.fields import Day, Id, Instant, Schema, Text, Whole, Word
from coordinator.core.pages import PageQuery, page_schema
from coordinator.domain.vocabulary import Discipline, OrderDeclineReason, OrderStatus, OverrideReason
from coordinator.orders import signing
from coordinator.orders.drafting import LONGEST, SHORTEST

_FREQUENCY = {"description": "The notation of the trade (FRQ-01)", "example": "1w1 3w2 2w6 + 2 PRN for dyspnea"}
#: Words of the `status` filter beside the states themselves.
AWAITING, LIVE = "awaiting_signature", "live"
STATUS_WORDS = [*(status.value for status in OrderStatus), AWAITING, LIVE]


class OrderContentSchema(Schema):
    """What an order says; every field may be rewritten while it is a draft."""

    physician_id = Id(metadata={"example": 1})
    effective_from = Day(metadata={"example": "2026-11-24"})
    effective_to = Day(allow_none=True, metadata={"description": "Default: the certification period's last day"})
    frequency = Text(max_length=400, allow_none=True, attribute="frequency_text", metadata=_FREQUENCY)
    evaluate_and_treat = fields.Boolean()
    treatments = fields.List(
        Text(max_length=300), validate=validate.Length(max=40),
        metadata={"description": "Procedures with amount; for an aide the duties", "example": ["gait training 15 min"]},
    )  # fmt: skip
    required_skills = fields.List(Text(max_length=40), validate=validate.Length(max=20))
    goals_text = Text(allow_none=True, metadata={"example": "Walks to the bathroom with a walker"})
    visit_minutes = Whole(low=SHORTEST, high=LONGEST, allow_none=True)
    visits_per_day = Whole(low=1, high=6)
    two_person = fields.Boolean()
    taper_plan = Text(allow_none=True)
    daily_nursing_ends_on = Day(allow_none=True)
    daily_insulin = fields.Boolean()
    replaces_id = Id(allow_none=True)


class OrderDraftSchema(OrderContentSchema):
    discipline = Word(Discipline, required=True, metadata={"example": "PT"})
    physician_id = Id(required=True, metadata={"example": 1})
    effective_from = Day(required=True, metadata={"example": "2026-11-24"})


class OrderWeekSchema(Schema):
    id = Id()
    number = Whole()
    starts_on = Day()
    ends_on = Day()
    minimum = Whole()
    maximum = Whole()
    closed_at = Instant(allow_none=True)


class OrderWarningSchema(Schema):
    code = fields.String(metadata={"description": "A rule's id, or a code of the notation"})
    severity = fields.String(metadata={"description": "BLOCK and BLOCK-OVR keep the order from going further"})
    sentence = fields.String()
    cure = fields.String()


class OrderSchema(Schema):
    """An order. Clinical narrative is left out for readers who schedule."""

    id = Id()
    version = Whole()
    patient_id = Id()
    episode_id = Id()
    care_plan_id = Id()
    physician_id = Id()
    discipline = Word(Discipline)
    status = Word(OrderStatus)
    plain = fields.String(metadata={"example": "PT 2 visits a week for 4 weeks, from 24 Nov"})
    frequency = fields.String(allow_none=True)
    frequency_text = fields.String(allow_none=True)
    evaluate_and_treat = fields.Boolean()
    effective_from = Day()
    effective_to = Day()
    ended_on = Day(allow_none=True)
    last_day = Day(metadata={"description": "Last day on which the order holds"})
    ends_as = Word(OrderStatus, allow_none=True)
    end_reason = fields.String(allow_none=True)
    certification_number = Whole()
    treatments = fields.List(fields.String())
    required_skills = fields.List(fields.String())
    goals_text = fields.String(allow_none=True)
    prn_limit = Whole()
    prn_signs = fields.String(allow_none=True)
    visit_minutes = Whole()
    visits_per_day = Whole()
    two_person = fields.Boolean()
    taper_plan = fields.String(allow_none=True)
    daily_nursing_ends_on = Day(allow_none=True)
    daily_insulin = fields.Boolean()
    verbal_received_at = Instant(allow_none=True)
    verbal_received_by_id = Id(allow_none=True)
    verbal_read_back = fields.Boolean()
    responsible_clinician_id = Id(allow_none=True)
    responsible_signed_at = Instant(allow_none=True)
    sent_at = Instant(allow_none=True)
    needed_by = Day(allow_none=True)
    reviewed_version = Whole(allow_none=True)
    signed_at = Instant(allow_none=True)
    awaits_signature = fields.Boolean()
    decline_reason = Word(OrderDeclineReason, allow_none=True)
    decline_note = fields.String(allow_none=True)
    replaces_id = Id(allow_none=True)
    drafted_by_id = Id(allow_none=True)
    zone = fields.String(metadata={"description": "Zone of the branch, in which its days are"})
    weeks = fields.List(fields.Nested(OrderWeekSchema))
    warnings = fields.List(fields.Nested(OrderWarningSchema))


OrderPageSchema = page_schema(OrderSchema)


class OrderQuery(PageQuery):
    status = DelimitedList(Text(max_length=40, validate=validate.OneOf(STATUS_WORDS)), load_default=list)
    blocks_within = Whole(
        low=0, high=400, load_default=None, metadata={"description": "Unsigned, and needed within so many days"}
    )
    patient_id = Id(load_default=None)
    physician_id = Id(load_default=None)
    discipline = Word(Discipline, load_default=None)


class OrderVerbalSchema(Schema):
    received_at = Instant(required=True, metadata={"example": "2026-11-09T18:05:00Z"})
    received_by_clinician_id = Id(
        load_default=None, allow_none=True, metadata={"description": "Null when the office took the call"}
    )
    read_back = fields.Boolean(required=True)
    responsible_clinician_id = Id(required=True)


class OrderSetAsideSchema(Schema):
    """One rule that keeps the order from becoming live, set aside by whoever may (BLOCK-OVR)."""

    rule = Text(required=True, max_length=20, metadata={"example": "INT-02"})
    reason_code = Word(OverrideReason, required=True, metadata={"example": "practitioner-agreed"})
    text = Text(required=True, max_length=2000, metadata={"example": "The taper is agreed for the fourth week."})


class OrderOverriddenSchema(Schema):
    id = Id()
    rule = Text()
    reason_code = Word(OverrideReason)
    text = Text()
    user_id = Id()
    at = Instant()
    facts = fields.Dict(metadata={"description": "What was found then: the override holds as long as it is so"})


class OrderDiscontinueSchema(Schema):
    last_day = Day(
        load_default=None, allow_none=True, metadata={"description": "Null ends it at once", "example": "2026-11-20"}
    )
    reason = Text(required=True, max_length=200, metadata={"example": "Goals are met"})


class OrderReasonSchema(Schema):
    reason = Text(required=True, max_length=200, metadata={"example": "Written for the wrong patient"})


class OrderVersionSchema(Schema):
    version = Whole(required=True, low=1, metadata={"description": "The version that was read", "example": 3})


class OrderDeclineSchema(OrderVersionSchema):
    reason = Word(OrderDeclineReason, required=True, metadata={"example": "goal_not_measurable"})
    note = Text(load_default=None, allow_none=True)


class OrderDeclinedSchema(Schema):
    order = fields.Nested(OrderSchema)
    replacement = fields.Nested(OrderSchema)


class OrderReviewedSchema(Schema):
    id = Id()
    version = Whole()
    reviewed_version = Whole()
    reviewed_at = Instant()
    content_hash = fields.String()


class OrderCardPatientSchema(Schema):
    id = Id()
    given_name = fields.String()
    family_name = fields.String()
    birth_date = Day()


class OrderChangeSchema(Schema):
    field = fields.String()
    before = fields.Raw(allow_none=True)
    after = fields.Raw(allow_none=True)


class OrderCardSchema(Schema):
    """An order that can be read in a minute."""

    plain = fields.String(metadata={"example": "PT 2 visits a week for 4 weeks, from 24 Nov"})
    previous_id = Id(allow_none=True)
    previous = fields.String(allow_none=True, metadata={"description": "The last signed order of the discipline"})
    changes = fields.List(fields.Nested(OrderChangeSchema))
    asked_by = fields.String(allow_none=True)
    received_by = fields.String(allow_none=True)
    version = Whole()
    content_hash = fields.String()
    reviewed = fields.Boolean()
    holds_visits = fields.Boolean(metadata={"description": "No visit can be confirmed before this is signed"})
    awaits_signature = fields.Boolean()
    covering_for = Id(allow_none=True, metadata={"description": "The physician for whom the reader stands in today"})
    patient = fields.Nested(OrderCardPatientSchema)
    order = fields.Nested(OrderSchema)


class SigningQueueSchema(Schema):
    items = fields.List(fields.Nested(OrderCardSchema))


class SignItemSchema(Schema):
    id = Id(required=True)
    version = Whole(required=True, low=1)
    content_hash = Text(
        required=True, validate=validate.Regexp(r"^[0-9a-f]{64}\Z", error="This is not a content hash."),
        metadata={"example": "0" * 64},
    )  # fmt: skip


class SignatureBatchSchema(ProofSchema):
    items = fields.List(
        fields.Nested(SignItemSchema), required=True, validate=validate.Length(min=1, max=signing.LARGEST_BATCH),
        metadata={"example": [{"id": 1, "version": 3, "content_hash": "0" * 64}]},
    )  # fmt: skip

    @ma.validates_schema
    def _once(self, data: dict[str, Any], **_: Any) -> None:
        ids = [item.get("id") for item in data.get("items", [])]
        if len(ids) != len(set(ids)):
            raise ma.ValidationError("An order is named twice.", "items")


class SignResultSchema(Schema):
    id = Id()
    code = fields.String(metadata={"description": "`signed`, or why not", "example": "stale-version"})
    status = fields.Integer(metadata={"description": "The HTTP status that this item alone would have had"})
    detail = fields.String()
    version = Whole(allow_none=True)
    signed_at = Instant(allow_none=True)
    findings = fields.List(fields.Dict())


class SignedBatchSchema(Schema):
    results = fields.List(fields.Nested(SignResultSchema))
