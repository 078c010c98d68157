"""What each kind of note consists of: one table of schemas, read by the door and by the verb that writes.

A note of a kind has a text, or parts that take its place, or both.
"""

from dataclasses import dataclass
from typing import Any

from marshmallow import ValidationError, fields, validate

from coordinator.core.errors import Invalid
from coordinator.core.fields import Id, Instant, Schema, Text, Word
from coordinator.domain.teamwork import CallWith, CounsellingTopic, Independence, Learner, NoteKind, TeachBack


class VisitSummaryParts(Schema):
    """Nothing besides the text and the visit."""


class PhoneCallParts(Schema):
    with_whom = Word(CallWith, required=True)
    name = Text(max_length=200)
    incoming = fields.Boolean(required=True)
    reached = fields.Boolean(required=True)


class SbarParts(Schema):
    situation = Text(required=True)
    background = Text(required=True)
    assessment = Text(required=True)
    recommendation = Text(required=True)


class TeachingParts(Schema):
    topic = Text(required=True, max_length=200)
    learner = Word(Learner, required=True)
    caregiver_id = Id()
    teach_back = Word(TeachBack, required=True)
    independence = Word(Independence, required=True)
    taught_in = Text(max_length=20)


class CounsellingParts(Schema):
    topics = fields.List(Word(CounsellingTopic), required=True, validate=validate.Length(min=1, max=5))
    recipient = Word(Learner, required=True)


class CoordinationParts(Schema):
    with_whom = Word(CallWith, required=True)
    participant_id = Id()
    name = Text(max_length=200)
    appointment_at = Instant()


class NoParts(Schema):
    """Nothing besides the text."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a kind of note asks for. `text`: words of its own besides its parts. `patient`: whom it is about."""

    parts: type[Schema]
    text: bool = True
    patient: bool = True


FORMS: dict[NoteKind, Form] = {
    NoteKind.MESSAGE: Form(NoParts, patient=False),
    NoteKind.VISIT_SUMMARY: Form(VisitSummaryParts),
    NoteKind.PHONE_CALL: Form(PhoneCallParts),
    NoteKind.SBAR: Form(SbarParts, text=False),
    NoteKind.TEACHING: Form(TeachingParts, text=False),
    NoteKind.COUNSELLING: Form(CounsellingParts),
    NoteKind.COORDINATION: Form(CoordinationParts),
}


def sound_parts(kind: NoteKind, parts: dict[str, Any]) -> dict[str, Any]:
    """The parts as plain JSON values; Invalid names every one that is missing, unknown or wrong."""
    schema = FORMS[kind].parts()
    try:
        loaded = schema.load(parts)
    except ValidationError as error:
        raise Invalid(
            "The parts of this note are not those of its kind.",
            errors=[
                {"pointer": f"/parts/{str(name)[:80]}", "detail": _first(said)}
                for name, said in dict(error.messages_dict).items()
            ],
        ) from None
    dumped: dict[str, Any] = schema.dump(loaded)
    return {name: value for name, value in dumped.items() if name in loaded}


def _first(said: Any) -> str:
    while not isinstance(said, str):
        said = next(iter(said.values() if isinstance(said, dict) else said), "This is not sound.")
    return said
