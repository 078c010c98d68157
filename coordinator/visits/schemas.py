"""The JSON shapes of visits."""

from typing import Any

import marshmallow as ma
from marshmallow import fields
from webargs.fields import DelimitedList

from coordinator.agency import service as agency
from coordinator.core.fields import Day, Id, Instant, Number, Schema, Text, Whole, Word
from coordinator.core.http import work
from coordinator.core.pages import PageQuery, page_schema
from coordinator.domain.care import CodeStatus
from coordinator.domain.handoffs import HandoffStatus, StartOverHandoff
from coordinator.domain.vocabulary import (
    Conversation,
    Discipline,
    EvvMethod,
    InterpreterMode,
    MissedDecision,
    MissedReason,
    MswPurpose,
    OverrideReason,
    VisitKind,
    VisitStatus,
    WaiveReason,
)
from coordinator.visits import placing
from coordinator.visits.model import Visit

_LENGTH = {"low": 5, "high": 720}
_AT = {"example": "2026-11-10T17:30:00Z"}


class VisitSchema(Schema):
    id = Id()
    version = Whole()
    branch_id = Id()
    patient_id = Id()
    episode_id = Id()
    order_id = Id(allow_none=True)
    order_week_id = Id(allow_none=True)
    unit = Whole(allow_none=True, metadata={"description": "Which visit of its order week it is, from 1"})
    is_current = fields.Boolean(metadata={"description": "False for a row whose place another has taken"})
    discipline = Word(Discipline)
    conversation = Word(Conversation, allow_none=True)
    kind = Word(VisitKind)
    status = Word(VisitStatus)
    window_from = Day()
    window_to = Day()
    due_at = Instant(allow_none=True)
    minutes = Whole()
    is_optional = fields.Boolean(metadata={"description": "Beyond the floor of a range"})
    clinician_id = Id(allow_none=True)
    starts_at = Instant(allow_none=True)
    ends_at = Instant(allow_none=True)
    zone = fields.String(metadata={"description": "IANA zone of the home", "example": "America/Los_Angeles"})
    published_at = Instant(allow_none=True)
    told_patient_at = Instant(allow_none=True)
    locked = fields.Boolean()
    joint_with_id = Id(allow_none=True)
    interpreter_booked = Text(allow_none=True)
    prn_number = Whole(allow_none=True)
    prn_trigger = Text(allow_none=True)
    service_code = Text(allow_none=True)
    actual_start_at = Instant(allow_none=True)
    actual_end_at = Instant(allow_none=True)
    evv_method = Word(EvvMethod, allow_none=True)
    device_zone = Text(allow_none=True, metadata={"description": "Zone of the clock that captured it"})
    start_lat = Number(low=-90, high=90, allow_none=True)
    start_lon = Number(low=-180, high=180, allow_none=True)
    evv_address = Text(allow_none=True)
    hold_bill = fields.List(fields.String(), metadata={"description": "Rules that keep it from being claimed"})
    warnings = fields.List(fields.String(), metadata={"description": "Rules and remarks to look at"})
    findings = fields.List(fields.Dict(), metadata={"description": "What the rules said to this very request"})
    missed_reason = Word(MissedReason, allow_none=True)
    missed_note = Text(allow_none=True)
    missed_at = Instant(allow_none=True)
    clinical_impact = fields.Boolean(allow_none=True)
    decision = Word(MissedDecision, allow_none=True)
    decision_note = Text(allow_none=True)
    decided_by_id = Id(allow_none=True)
    decided_at = Instant(allow_none=True)
    waive_reason = Word(WaiveReason, allow_none=True)
    replaces_id = Id(allow_none=True)
    cancel_reason = Text(allow_none=True)

    @ma.post_dump(pass_original=True)
    def _add(self, data: dict[str, Any], visit: Any, **_: Any) -> dict[str, Any]:
        if isinstance(visit, Visit):
            data["zone"] = agency.zone_of(work(), visit.branch_id).key
            data["findings"] = [finding.as_dict() for finding in placing.findings_of(work(), visit)]
        return data


VisitPageSchema = page_schema(VisitSchema)


class VisitQuery(PageQuery):
    branch_id = Id(load_default=None, allow_none=True)
    from_day = Day(data_key="from", load_default=None, allow_none=True)
    to_day = Day(data_key="to", load_default=None, allow_none=True)
    clinician_id = Id(load_default=None, allow_none=True)
    patient_id = Id(load_default=None, allow_none=True)
    order_id = Id(load_default=None, allow_none=True)
    status = DelimitedList(
        Word(VisitStatus), load_default=list, metadata={"description": "One or several, with commas between"}
    )


class VisitOverrideSchema(Schema):
    """A rule set aside by whoever may, with the reason (BLOCK-OVR)."""

    reason_code = Word(OverrideReason, required=True, metadata={"example": "family-agreed"})
    text = Text(required=True, max_length=2000, metadata={"example": "The daughter asked for it and will be there."})


class VisitSetAsideSchema(VisitOverrideSchema):
    """One rule, set aside for what it finds now where the visit stands, or where it is meant to stand."""

    rule = Text(required=True, max_length=20, metadata={"example": "CRD-02"})
    clinician_id = Id(load_default=None, allow_none=True)
    starts_at = Instant(load_default=None, allow_none=True, metadata=_AT)


class VisitOverriddenSchema(Schema):
    id = Id()
    rule = Text()
    reason_code = Word(OverrideReason)
    text = Text()
    user_id = Id()
    at = Instant()
    facts = fields.Dict(metadata={"description": "What was found then, for which clinician and hour it holds"})


class VisitAssignSchema(Schema):
    clinician_id = Id(required=True, metadata={"example": 7})
    starts_at = Instant(required=True, metadata=_AT)
    minutes = Whole(load_default=None, allow_none=True, **_LENGTH)
    tentative = fields.Boolean(load_default=False, metadata={"description": "Only hold the slot"})
    override = fields.Nested(VisitOverrideSchema, load_default=None, allow_none=True)


class VisitHoldSchema(Schema):
    clinician_id = Id(required=True)
    starts_at = Instant(required=True, metadata=_AT)
    minutes = Whole(load_default=None, allow_none=True, **_LENGTH)
    override = fields.Nested(VisitOverrideSchema, load_default=None, allow_none=True)


class VisitConfirmSchema(Schema):
    override = fields.Nested(
        VisitOverrideSchema,
        load_default=None,
        allow_none=True,
        metadata={"example": {"reason_code": "family-agreed", "text": "The daughter will be there."}},
    )


class VisitMoveSchema(Schema):
    clinician_id = Id(load_default=None, allow_none=True)
    starts_at = Instant(load_default=None, allow_none=True, metadata=_AT)
    minutes = Whole(load_default=None, allow_none=True, **_LENGTH)
    override = fields.Nested(VisitOverrideSchema, load_default=None, allow_none=True)


class VisitCancelSchema(Schema):
    reason = Text(required=True, max_length=200, metadata={"example": "family-away"})


class VisitKindSchema(Schema):
    kind = Word(VisitKind, required=True, metadata={"example": "reassessment"})


class VisitInterpreterSchema(Schema):
    mode = Word(InterpreterMode, required=True, allow_none=True, metadata={"example": "phone"})
    reference = Text(max_length=80, load_default=None, allow_none=True, metadata={"description": "Of the booking"})
    companion = fields.Boolean(
        load_default=False, metadata={"description": "Somebody who comes with the patient interprets instead"}
    )
    companion_age = Whole(high=120, load_default=None, allow_none=True)
    companion_basis = Text(
        max_length=20, load_default=None, allow_none=True,
        validate=ma.validate.OneOf(("requested", "emergency")),
        metadata={"description": "The patient asked for it in private, or an emergency; without, it is not allowed"},
    )  # fmt: skip


class VisitRequestSchema(Schema):
    """What is wanted: an as-needed visit of an order, a visit that needs no order, or a slot for an unsigned order."""

    order_id = Id(load_default=None, allow_none=True)
    kind = Word(VisitKind, load_default=VisitKind.PRN, metadata={"example": "prn"})
    discipline = Word(Discipline, load_default=Discipline.SN)
    trigger = Text(load_default=None, allow_none=True, metadata={"example": "Pain 8, was 4 yesterday"})
    window_from = Day(load_default=None, allow_none=True)
    window_to = Day(load_default=None, allow_none=True)
    minutes = Whole(load_default=None, allow_none=True, **_LENGTH)
    clinician_id = Id(load_default=None, allow_none=True, metadata={"description": "With `starts_at`: hold the slot"})
    starts_at = Instant(load_default=None, allow_none=True, metadata=_AT)


class CheckQuery(Schema):
    clinician_id = Id(required=True)
    starts_at = Instant(required=True, metadata=_AT)
    minutes = Whole(load_default=None, allow_none=True, **_LENGTH)


class VisitAnswerSchema(Schema):
    possible = fields.Boolean()
    findings = fields.List(fields.Dict())
    blocking = fields.List(fields.Dict())
    warnings = fields.List(fields.String())


class VisitHeardSchema(Schema):
    at = Instant(required=True, metadata=_AT)


class VisitHeardNextSchema(Schema):
    next_by = Instant(allow_none=True, metadata={"description": "Null: nobody waits for a word from this home"})


class VisitConversationSchema(Schema):
    conversation = Word(Conversation, required=True, allow_none=True, metadata={"example": "consent"})


class VisitMomentSchema(Schema):
    at = Instant(load_default=None, allow_none=True, metadata=_AT)


class VisitPlaceSchema(Schema):
    lat = Number(low=-90, high=90, load_default=None, allow_none=True)
    lon = Number(low=-180, high=180, load_default=None, allow_none=True)
    address = Text(max_length=300, load_default=None, allow_none=True)


class VisitStartSchema(Schema):
    at = Instant(required=True, metadata=_AT)
    place = fields.Nested(VisitPlaceSchema, load_default=None, allow_none=True)
    method = Word(EvvMethod, load_default=EvvMethod.MOBILE)
    device_zone = Text(
        max_length=60, load_default=None, allow_none=True,
        metadata={"description": "IANA zone of the telephone's clock", "example": "America/Los_Angeles"},
    )  # fmt: skip
    over_handoff = Word(
        StartOverHandoff, load_default=None, allow_none=True,
        metadata={"description": "Why it begins although the handoff was not read"},
    )  # fmt: skip
    event_id = Text(max_length=80, load_default=None, allow_none=True, metadata={"description": "The telephone's own"})
    override = fields.Nested(VisitOverrideSchema, load_default=None, allow_none=True)


class VisitLateSchema(Schema):
    minutes = Whole(required=True, low=1, high=1440, metadata={"example": 15})


class VisitFinishSchema(Schema):
    at = Instant(required=True, metadata=_AT)
    reassessed = fields.Boolean(load_default=False)
    admit = fields.Boolean(load_default=True, metadata={"description": "Whether the first visit begins care"})
    trigger = Text(load_default=None, allow_none=True)
    tasks = fields.List(
        Text(max_length=40), load_default=None, allow_none=True, validate=ma.validate.Length(max=60),
        metadata={"description": "What the aide did, in codes", "example": ["BATHING"]},
    )  # fmt: skip
    purpose = Word(
        MswPurpose, load_default=None, allow_none=True, metadata={"description": "Of a social worker's visit"}
    )
    event_id = Text(max_length=80, load_default=None, allow_none=True)


class VisitMissedSchema(Schema):
    reason = Word(MissedReason, required=True, metadata={"example": "patient_refused"})
    note = Text(load_default=None, allow_none=True)
    clinical_impact = fields.Boolean(load_default=None, allow_none=True)


class VisitDecisionSchema(Schema):
    decision = Word(MissedDecision, required=True, metadata={"example": "make_up"})
    note = Text(load_default=None, allow_none=True)


class VisitCorrectionSchema(Schema):
    element = Text(required=True, max_length=40, metadata={"example": "actual_end_at"})
    value = Text(required=True, max_length=300, metadata={"example": "2026-11-10T18:20:00Z"})
    reason = Text(required=True, max_length=300, metadata={"example": "Telephone was flat"})


class VisitCorrectionShownSchema(Schema):
    id = Id()
    element = Text()
    original = Text(allow_none=True)
    corrected = Text()
    reason = Text()
    user_id = Id()
    at = Instant()


class LedgerLineSchema(Schema):
    order_id = Id()
    order_week_id = Id()
    discipline = Word(Discipline)
    order_status = fields.String()
    number = Whole()
    starts_on = Day()
    ends_on = Day()
    minimum = Whole()
    ordered = Whole()
    planned = Whole()
    done = Whole()
    waived = Whole()
    owed = Whole()
    missed = Whole(metadata={"description": "Of `owed`: missed and waiting for a decision"})
    closed_at = Instant(allow_none=True)


class LedgerSchema(Schema):
    zone = fields.String()
    weeks = fields.List(fields.Nested(LedgerLineSchema))


class UsageQuery(Schema):
    week = Day(load_default=None, allow_none=True, metadata={"description": "Any day of the week; default today"})


class IntermittentUsageSchema(Schema):
    patient_id = Id()
    week_from = Day()
    week_to = Day()
    days = fields.Dict(keys=fields.String(), values=fields.Integer())
    minutes = Whole()
    day_maximum = Whole()
    week_maximum = Whole()
    week_reviewed_maximum = Whole()
    reviewed = fields.Boolean()


class RosterHandoffSchema(Schema):
    id = Id()
    status = Word(HandoffStatus)
    unread = fields.Boolean(metadata={"description": "The visit does not begin over it without a reason"})


class CarriedSchema(Schema):
    """What is done with a visit besides its own purpose."""

    rule = Text(metadata={"example": "SUP-01"})
    what = Text(metadata={"enum": ["supervision", "reassessment", "recertification"]})
    first_on = Day(metadata={"description": "First day on which the visit would meet it"})
    last_on = Day(metadata={"description": "Last day"})


class RosterStopSchema(Schema):
    """One stop of a roster."""

    visit_id = Id()
    version = Whole()
    status = Word(VisitStatus)
    kind = Word(VisitKind)
    discipline = Word(Discipline)
    starts_at = Instant()
    ends_at = Instant()
    zone = fields.String()
    minutes = Whole()
    patient_id = Id()
    patient_name = fields.String()
    phone = fields.String(allow_none=True)
    address = fields.String()
    lat = fields.Float(allow_none=True)
    lon = fields.Float(allow_none=True)
    access_notes = fields.String(allow_none=True)
    hazards = fields.List(fields.String())
    two_person = fields.Boolean(metadata={"description": "Two go together to this home (LAB-06)"})
    check_in_minutes = Whole(allow_none=True, metadata={"description": "Say this often that all is well"})
    until_sunset = fields.Boolean(metadata={"description": "Visits to this home end before sunset"})
    conversation = Word(Conversation, allow_none=True)
    code_status = Word(CodeStatus, metadata={"description": "What documents in force say about resuscitation (ACP-01)"})
    code_status_words = fields.String(metadata={"example": "DNR: do not attempt resuscitation"})
    spoken_language = fields.String()
    interpreter_needed = fields.Boolean()
    interpreter_booked = fields.String(allow_none=True)
    order_line = fields.String(allow_none=True)
    last_clinician = fields.String(allow_none=True)
    covering_for = fields.String(allow_none=True, metadata={"description": "The primary for whom one stands in"})
    handoff = fields.Nested(RosterHandoffSchema, allow_none=True)
    service_code = fields.String()
    aide_tasks = fields.List(fields.String())
    joint = fields.Boolean()
    prn_left = Whole(allow_none=True, metadata={"description": "As-needed visits that the order has left"})
    carries = fields.List(
        fields.Nested(CarriedSchema), metadata={"description": "Obligations that are to be met with this visit"}
    )
    warnings = fields.List(fields.String())
    actual_start_at = Instant(allow_none=True)
    actual_end_at = Instant(allow_none=True)


class RosterSchema(Schema):
    clinician_id = Id()
    day = Day()
    zone = fields.String()
    stops = fields.List(fields.Nested(RosterStopSchema))


class SupervisionRequestSchema(Schema):
    patient_id = Id(required=True)
    supervised_on = Day(required=True, metadata={"example": "2026-11-10"})
    method = Text(max_length=20, load_default="on_site", metadata={"example": "on_site"})
    aide_id = Id(load_default=None, allow_none=True)
    supervisor_id = Id(load_default=None, allow_none=True)
    virtual_reason = Text(max_length=300, load_default=None, allow_none=True)
    visit_id = Id(load_default=None, allow_none=True)
    concern = fields.Boolean(load_default=False)
    concern_tasks = fields.List(
        Text(max_length=40), load_default=list, validate=ma.validate.Length(max=60), metadata={"example": ["TRANSFERS"]}
    )


class SupervisionSchema(Schema):
    id = Id()
    patient_id = Id()
    aide_id = Id(allow_none=True)
    supervisor_id = Id()
    supervised_on = Day()
    method = Text()
    virtual_reason = Text(allow_none=True)
    visit_id = Id(allow_none=True)
    concern = fields.Boolean()
    recorded_at = Instant()


class MissedQuery(PageQuery):
    branch_id = Id(load_default=None, allow_none=True)
