"""What is said of a care team over HTTP."""

from marshmallow import fields, validate

from coordinator.core.fields import Day, Id, Instant, Schema, Text, Whole, Word
from coordinator.core.pages import PageQuery
from coordinator.domain.team import (
    CareRole,
    ConsentGiver,
    CoverReason,
    CoverRole,
    OutsideKind,
    SharedContent,
    TeamPost,
)
from coordinator.domain.vocabulary import Performer


class CareTeamMemberClinicianSchema(Schema):
    given_name = Text()
    family_name = Text()
    performer = Word(Performer)


class CareTeamMemberCreateSchema(Schema):
    clinician_id = Id(required=True)
    role = Text(required=True, max_length=40, metadata={"example": "case-manager"})
    is_primary = fields.Boolean(load_default=False)
    starts_on = Day(required=True, metadata={"example": "2026-11-09"})
    ends_on = Day(load_default=None, allow_none=True)


class CareTeamMemberEditSchema(Schema):
    role = Text(max_length=40, metadata={"example": "case-manager"})
    is_primary = fields.Boolean(metadata={"example": True})
    ends_on = Day(allow_none=True, metadata={"example": "2026-12-31"})


class CareTeamMemberSchema(CareTeamMemberCreateSchema):
    id = Id()
    patient_id = Id()
    clinician = fields.Nested(CareTeamMemberClinicianSchema)
    version = Whole()


class CareTeamMembersSchema(Schema):
    items = fields.List(fields.Nested(CareTeamMemberSchema))


class TeamQuery(Schema):
    day = Day(load_default=None, metadata={"description": "Today of the branch where it is left out"})


class PrimarySchema(Schema):
    clinician_id = Id(required=True)
    starts_on = Day(required=True, metadata={"example": "2026-11-16"})
    role = Text(max_length=40, load_default=None, allow_none=True, metadata={"example": "case-manager"})


class ManagingPhysicianSchema(Schema):
    physician_id = Id(required=True, metadata={"example": 1})


class CoordinatorSchema(Schema):
    user_id = Id(required=True, metadata={"example": 1})


class PostSchema(Schema):
    id = Id()
    patient_id = Id()
    post = Word(TeamPost)
    physician_id = Id(allow_none=True)
    user_id = Id(allow_none=True)
    starts_at = Instant()
    ends_at = Instant(allow_none=True)
    version = Whole()


class HolderSchema(Schema):
    role = Word(CareRole)
    name = Text()
    clinician_id = Id(allow_none=True)
    physician_id = Id(allow_none=True)
    user_id = Id(allow_none=True)
    covering_for = Id(allow_none=True, metadata={"description": "Whom they stand in for, as a number of the same kind"})


class ConsentWriteSchema(Schema):
    given_by = Word(ConsentGiver, required=True, metadata={"example": "patient"})
    giver_name = Text(max_length=200, load_default=None, allow_none=True)
    given_on = Day(required=True, metadata={"example": "2026-11-09"})
    ends_on = Day(load_default=None, allow_none=True)
    scopes = fields.List(
        Word(SharedContent), required=True, validate=validate.Length(min=1, max=20),
        metadata={"example": ["schedule", "care_plan"]},
    )  # fmt: skip


class ConsentWithdrawSchema(Schema):
    withdrawn_by = Word(ConsentGiver, required=True, metadata={"example": "patient"})
    withdrawn_on = Day(required=True, metadata={"example": "2026-11-09"})


class ConsentSchema(Schema):
    id = Id()
    given_by = Word(ConsentGiver)
    giver_name = Text(allow_none=True)
    given_on = Day()
    ends_on = Day(allow_none=True)
    scopes = fields.List(Word(SharedContent))
    withdrawn_on = Day(allow_none=True)
    withdrawn_by = Word(ConsentGiver, allow_none=True)


class ParticipantWriteSchema(Schema):
    kind = Word(OutsideKind, required=True, metadata={"example": "outpatient_clinic"})
    name = Text(required=True, max_length=200)
    role = Text(required=True, max_length=80, metadata={"example": "oncologist"})
    organisation = Text(max_length=200, load_default=None, allow_none=True)
    npi = Text(max_length=10, load_default=None, allow_none=True)
    phone = Text(max_length=40, load_default=None, allow_none=True)
    email = Text(max_length=200, load_default=None, allow_none=True)
    starts_on = Day(required=True, metadata={"example": "2026-11-09"})
    ends_on = Day(load_default=None, allow_none=True)


class ParticipantEditSchema(Schema):
    kind = Word(OutsideKind, metadata={"example": "outpatient_clinic"})
    name = Text(max_length=200)
    role = Text(max_length=80, metadata={"example": "oncologist"})
    organisation = Text(max_length=200, allow_none=True)
    npi = Text(max_length=10, allow_none=True)
    phone = Text(max_length=40, allow_none=True)
    email = Text(max_length=200, allow_none=True)
    ends_on = Day(allow_none=True)


class ParticipantSchema(Schema):
    id = Id()
    patient_id = Id()
    kind = Word(OutsideKind)
    name = Text()
    role = Text()
    organisation = Text(allow_none=True)
    npi = Text(allow_none=True)
    phone = Text(allow_none=True)
    email = Text(allow_none=True)
    starts_on = Day(allow_none=True, metadata={"description": "null where nobody knows: it came with an import"})
    ends_on = Day(allow_none=True)
    consents = fields.List(fields.Nested(ConsentSchema))
    version = Whole()


class ParticipantsSchema(Schema):
    items = fields.List(fields.Nested(ParticipantSchema))


class ToldSchema(Schema):
    participant = fields.Nested(ParticipantSchema)
    may_be_told = fields.List(Word(SharedContent), metadata={"description": "Agreed and not taken back, on that day"})


class WholeTeamSchema(Schema):
    patient_id = Id()
    day = Day()
    holders = fields.List(
        fields.Nested(HolderSchema), metadata={"description": "Who answers to each role; who stands in comes first"}
    )
    members = fields.List(fields.Nested(CareTeamMemberSchema))
    outside = fields.List(
        fields.Nested(ToldSchema), metadata={"description": "Empty for those who do not read of participants"}
    )
    vacant = fields.List(Word(CareRole), metadata={"description": "Roles that should be held and are not"})


class TeamHistorySchema(Schema):
    members = fields.List(fields.Nested(CareTeamMemberSchema))
    posts = fields.List(fields.Nested(PostSchema))


class CoverWriteSchema(Schema):
    role = Word(CoverRole, required=True, metadata={"example": "primary"})
    away_id = Id(required=True, metadata={"description": "A clinician, a physician or a user, as the role has it"})
    by_id = Id(required=True, metadata={"description": "Who stands in, of the same kind"})
    starts_on = Day(required=True, metadata={"example": "2026-11-16"})
    ends_on = Day(required=True, metadata={"example": "2026-11-20"})
    reason = Word(CoverReason, required=True, metadata={"example": "time-off"})
    patient_id = Id(load_default=None, allow_none=True, metadata={"description": "null: all their patients"})


class CoverSchema(Schema):
    id = Id()
    role = Word(CoverRole)
    reason = Word(CoverReason)
    patient_id = Id(allow_none=True)
    clinician_id = Id(allow_none=True)
    physician_id = Id(allow_none=True)
    user_id = Id(allow_none=True)
    by_clinician_id = Id(allow_none=True)
    by_physician_id = Id(allow_none=True)
    by_user_id = Id(allow_none=True)
    starts_on = Day()
    ends_on = Day()
    recorded_at = Instant()
    withdrawn_at = Instant(allow_none=True)
    version = Whole()


class CoverQuery(PageQuery):
    day = Day(load_default=None)
    role = Word(CoverRole, load_default=None)
    clinician_id = Id(load_default=None)
    physician_id = Id(load_default=None)
    patient_id = Id(load_default=None)
