"""Instruments, answers and readings over HTTP (section 13, VIS-02)."""

from typing import Any

from marshmallow import fields

from coordinator.care import assessments, readings, shelf, texts
from coordinator.care.model import Assessment, Reading
from coordinator.core.errors import NotFound
from coordinator.core.fields import Day, Id, Instant, Number, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, require_match, with_etag, work
from coordinator.core.pages import PageQuery, page, page_schema
from coordinator.core.work import may_call
from coordinator.domain.care import AssessmentStatus, ContactMode, InstrumentCode, Measure, Respondent

blp = Blueprint("care", __name__, url_prefix="/api/v1", description="Instruments, scores and readings")


class FlagSchema(Schema):
    """What a rule answered: its sentence, the way out, and by when."""

    rule = fields.String(metadata={"example": "INS-02"})
    severity = fields.String()
    citation = fields.String()
    sentence = fields.String()
    message = fields.String()
    params = fields.Dict()
    facts = fields.Dict()
    cure = fields.String()
    due = fields.String(allow_none=True)
    owner = fields.String()


# ------------------------------------------------------------------------------------ the instruments themselves


class InstrumentItemSchema(Schema):
    code = fields.String(metadata={"example": "pain"})
    label = fields.String(metadata={"description": "What is rated; the agency's own words where it has loaded them"})
    low = Whole(allow_none=True)
    high = Whole(allow_none=True)
    step = Whole()
    choices = fields.List(fields.String())
    words = Whole(metadata={"description": "Most characters of an answer in words; 0: not in words"})
    counts = fields.Boolean()
    optional = fields.Boolean()
    loinc = fields.String(allow_none=True)


class InstrumentSchema(Schema):
    code = Word(InstrumentCode)
    title = fields.String()
    version = fields.String()
    about = fields.String(metadata={"description": "patient or caregiver"})
    scoring = fields.String()
    range = fields.List(fields.Integer(), allow_none=True)
    licence = fields.String()
    ships_text = fields.Boolean()
    coding = fields.Dict()
    record = fields.List(fields.String(), metadata={"description": "Professions that take it"})
    read = fields.List(fields.String(), metadata={"description": "Professions that read its answers"})
    items = fields.List(fields.Nested(InstrumentItemSchema))
    texts = fields.Dict(metadata={"description": "The agency's own words by item, where it has loaded them"})


class InstrumentsSchema(Schema):
    items = fields.List(fields.Nested(InstrumentSchema))


class LanguageQuery(Schema):
    language = Text(max_length=20, load_default="en", metadata={"example": "zh-Hant"})


def _instrument(code: InstrumentCode, language: str) -> dict[str, Any]:
    tool = shelf.instruments()[code]
    plain = {name: getattr(tool, name) for name in ("code", "title", "version", "about", "licence", "ships_text")}
    return plain | {
        "scoring": tool.scoring.value, "range": None if tool.range is None else list(tool.range),
        "coding": dict(tool.coding), "record": sorted(tool.record), "read": sorted(tool.read), "items": tool.items,
        "texts": texts.texts(work(), code, language),
    }  # fmt: skip


@blp.route("/instruments")
@blp.arguments(LanguageQuery, location="query")
@blp.response(200, InstrumentsSchema)
def list_instruments(args: dict[str, Any]) -> Any:
    """The instruments: items, ranges, licence, who takes and who reads them

    No wording that somebody else owns ships; `texts` has what the agency has loaded itself.
    """
    return {"items": [_instrument(code, args["language"]) for code in InstrumentCode]}


# ------------------------------------------------------------------------------------ answers


class AssessmentRequestSchema(Schema):
    instrument = Word(InstrumentCode, required=True, metadata={"example": "ESAS-r"})
    answers = fields.Dict(
        keys=Text(max_length=40), required=True, metadata={"example": {"pain": 4, "nausea": 0},
        "description": "By the code of the item; a partial set has no total"},
    )  # fmt: skip
    respondent = Word(Respondent, load_default=Respondent.PATIENT)
    mode = Word(ContactMode, load_default=ContactMode.HOME)
    assessed_at = Instant(load_default=None, allow_none=True)
    visit_id = Id(load_default=None, allow_none=True)
    caregiver_id = Id(load_default=None, allow_none=True)


class AssessmentSchema(Schema):
    id = Id()
    version = Whole()
    patient_id = Id()
    episode_id = Id(allow_none=True)
    visit_id = Id(allow_none=True)
    caregiver_id = Id(allow_none=True)
    instrument = Word(InstrumentCode)
    assessed_at = Instant()
    assessed_on = Day()
    respondent = Word(Respondent)
    mode = Word(ContactMode)
    answers = fields.Dict()
    total = Whole(allow_none=True)
    band = fields.String(allow_none=True)
    complete = fields.Boolean()
    flags = fields.List(fields.Nested(FlagSchema))
    status = Word(AssessmentStatus)
    error_reason = fields.String(allow_none=True)
    clinician_id = Id(allow_none=True)
    recorded_at = Instant()


class AssessmentQuery(PageQuery):
    instrument = Word(InstrumentCode, load_default=None, allow_none=True)
    in_error = fields.Boolean(load_default=False, metadata={"description": "Those entered in error as well"})


class WithdrawAssessmentSchema(Schema):
    reason = Text(required=True, max_length=300, metadata={"example": "Answers of another patient"})


class TrendPointSchema(Schema):
    assessment_id = Id()
    assessed_at = Instant()
    total = Whole(allow_none=True)
    band = fields.String(allow_none=True)
    numbers = fields.Dict()


class TrendSchema(Schema):
    instrument = Word(InstrumentCode)
    points = fields.List(fields.Nested(TrendPointSchema))
    change = fields.Dict(metadata={"description": "The latest less the one before, by item"})
    total_change = fields.Integer(allow_none=True)
    direction = fields.Dict(metadata={"description": "By item, and `total`: better, worse or same"})


class TrendQuery(Schema):
    instrument = Word(InstrumentCode, required=True, metadata={"example": "ESAS-r"})
    caregiver_id = Id(load_default=None, allow_none=True)


@blp.route("/patients/<id:patient_id>/assessments", methods=["POST"])
@blp.arguments(AssessmentRequestSchema)
@blp.response(201, AssessmentSchema)
def record_assessment(args: dict[str, Any], patient_id: int) -> Any:
    """Record answers to an instrument

    The server makes the score; a partial set is kept and has none. What the answers ask for is in the book of
    deadlines at once, and in `flags`.
    """
    return with_etag(assessments.record(work(), patient_id, **args))


@blp.route("/patients/<id:patient_id>/assessments")
@blp.arguments(AssessmentQuery, location="query")
@blp.response(200, page_schema(AssessmentSchema))
def list_assessments(args: dict[str, Any], patient_id: int) -> Any:
    """A patient's answers, oldest first

    Those that the reader's profession includes; 403 for an instrument that it does not.
    """
    query = assessments.search(work(), patient_id, instrument=args["instrument"], in_error=args["in_error"])
    return page(work().session, query, (Assessment.assessed_at, Assessment.id), args)


@blp.route("/patients/<id:patient_id>/trends")
@blp.arguments(TrendQuery, location="query")
@blp.response(200, TrendSchema)
def read_trend(args: dict[str, Any], patient_id: int) -> Any:
    """How one instrument's answers went, first to last"""
    found = assessments.trend(work(), patient_id, args["instrument"], args["caregiver_id"])
    return {
        "instrument": found.instrument.code, "points": found.points, "change": dict(found.change),
        "total_change": found.total_change, "direction": dict(found.direction),
    }  # fmt: skip


@blp.route("/assessments/<id:assessment_id>")
@blp.response(200, AssessmentSchema)
def read_assessment(assessment_id: int) -> Any:
    """One set of answers"""
    return with_etag(assessments.get(work(), assessment_id))


@blp.route("/assessments/<id:assessment_id>/withdraw", methods=["POST"])
@blp.arguments(WithdrawAssessmentSchema)
@blp.response(200, AssessmentSchema)
def withdraw_assessment(args: dict[str, Any], assessment_id: int) -> Any:
    """Mark answers as entered in error

    Send If-Match. They stay readable, count for nothing, and what they asked for is owed no more.
    """
    may_call(work(), assessments.withdraw)
    require_match(assessments.assessment_for_change(work(), assessment_id))
    return with_etag(assessments.withdraw(work(), assessment_id, args["reason"]))


# ------------------------------------------------------------------------------------ readings and limits


class LimitRequestSchema(Schema):
    low = Number(low=0, high=1000, load_default=None, allow_none=True)
    high = Number(low=0, high=1000, load_default=None, allow_none=True, metadata={"example": 160})
    rise = Number(low=0, high=1000, load_default=None, allow_none=True)
    rise_days = Whole(low=1, high=30, load_default=None, allow_none=True)


class LimitSchema(LimitRequestSchema):
    measure = Word(Measure)
    unit = fields.Function(lambda row: readings.UNITS[row.measure][0], metadata={"type": "string"})
    set_at = Instant()


class LimitsSchema(Schema):
    items = fields.List(fields.Nested(LimitSchema))


class ReadingRequestSchema(Schema):
    measure = Word(Measure, required=True, metadata={"example": "systolic"})
    value = Number(low=0, high=1000, required=True, metadata={"example": 172})
    taken_at = Instant(load_default=None, allow_none=True)
    visit_id = Id(load_default=None, allow_none=True)


class ReadingSchema(Schema):
    id = Id()
    patient_id = Id()
    visit_id = Id(allow_none=True)
    measure = Word(Measure)
    value = fields.Float()
    taken_at = Instant()
    recorded_at = Instant()


class ReadingAnswerSchema(ReadingSchema):
    flags = fields.List(fields.Nested(FlagSchema))


class ReadingQuery(PageQuery):
    measure = Word(Measure, load_default=None, allow_none=True)


@blp.route("/patients/<id:patient_id>/limits")
@blp.response(200, LimitsSchema)
def list_limits(patient_id: int) -> Any:
    """The patient's own limits, beyond which the practitioner is told the same day"""
    return {"items": readings.limits(work(), patient_id)}


@blp.route("/patients/<id:patient_id>/limits/<string:measure>", methods=["PUT"])
@blp.arguments(LimitRequestSchema)
@blp.response(200, LimitSchema)
def set_limit(args: dict[str, Any], patient_id: int, measure: str) -> Any:
    """Set a patient's limits of one measure, in place of those before"""
    return readings.set_limit(work(), patient_id, _measure(measure), **args)


def _measure(word: str) -> Measure:
    if word not in {one.value for one in Measure}:
        raise NotFound("measure")
    return Measure(word)


@blp.route("/patients/<id:patient_id>/readings", methods=["POST"])
@blp.arguments(ReadingRequestSchema)
@blp.response(201, ReadingAnswerSchema)
def record_reading(args: dict[str, Any], patient_id: int) -> Any:
    """Record what was measured; `flags` says what it asks for"""
    row, found = readings.record(work(), patient_id, **args)
    names = ("id", "patient_id", "visit_id", "measure", "value", "taken_at", "recorded_at")
    return {name: getattr(row, name) for name in names} | {"flags": [one.as_dict() for one in found]}


@blp.route("/patients/<id:patient_id>/readings")
@blp.arguments(ReadingQuery, location="query")
@blp.response(200, page_schema(ReadingSchema))
def list_readings(args: dict[str, Any], patient_id: int) -> Any:
    """A patient's readings, oldest first"""
    query = readings.search(work(), patient_id, measure=args["measure"])
    return page(work().session, query, (Reading.taken_at, Reading.id), args)
