"""The JSON shapes of staff."""

from typing import Any

from marshmallow import fields, post_dump, validate

from coordinator.agency.service import zone_of
from coordinator.core.fields import Clock, Day, Id, Instant, Number, Schema, Text, Whole, Word
from coordinator.core.http import work
from coordinator.core.pages import PageQuery
from coordinator.domain.vocabulary import (
    Discipline,
    ExclusionList,
    Gender,
    OvertimeProfile,
    Performer,
    PractitionerType,
    VisitKind,
)
from coordinator.staff.sheet import CREDENTIAL_STATUSES

#: Where a clinician lives and how the agency employs them: for those who edit clinicians, and for the clinician.
PRIVATE = (
    "start_lat", "start_lon", "end_lat", "end_lon", "weekly_minutes", "weekly_maximum_minutes", "productivity_target",
    "max_visits_per_day", "phone", "credentials", "time_off", "exclusions", "shifts", "ot_profile",
    "first_meal_waived_on", "second_meal_waived_on", "excluded_on", "exclusions_checked_on",
)  # fmt: skip
_PRIVATE_NOTE = {"description": "Only with clinician:edit, or of oneself"}
_FEW = validate.Length(max=100)


class CredentialCreateSchema(Schema):
    kind = Text(max_length=40, metadata={"description": "licence decides who may visit", "example": "licence"})
    number = Text(max_length=60, allow_none=True, metadata={"example": "RN 123456"})
    issued_on = Day(required=True, metadata={"example": "2024-06-01"})
    expires_on = Day(allow_none=True, metadata={"description": "The last valid day", "example": "2026-05-31"})
    status = Text(max_length=20, validate=validate.OneOf(CREDENTIAL_STATUSES))
    verified_on = Day(allow_none=True, metadata={"description": "Verified at the primary source"})
    restricted_kinds = fields.List(
        Text(max_length=40, validate=validate.OneOf([kind.value for kind in VisitKind])), allow_none=True,
        validate=_FEW, metadata={"description": "Kinds of visits that a restriction forbids"},
    )  # fmt: skip


class CredentialEditSchema(CredentialCreateSchema):
    class Meta(CredentialCreateSchema.Meta):
        exclude = ("kind",)

    issued_on = Day(metadata={"example": "2024-06-01"})


class CredentialSchema(CredentialCreateSchema):
    id = Id()


class ExclusionCheckCreateSchema(Schema):
    source = Word(ExclusionList, required=True, metadata={"example": "leie"})
    checked_on = Day(required=True, metadata={"example": "2026-11-02"})
    matched = fields.Boolean(required=True, metadata={"example": False})


class ExclusionCheckSchema(ExclusionCheckCreateSchema):
    id = Id()
    clinician_id = Id()


class MealPeriodCreateSchema(Schema):
    starts_at = Instant(required=True, metadata={"example": "2026-11-09T20:00:00Z"})
    ends_at = Instant(required=True, metadata={"example": "2026-11-09T20:30:00Z"})


class MealPeriodSchema(MealPeriodCreateSchema):
    id = Id()
    clinician_id = Id()


class ClinicianLanguageSchema(Schema):
    code = Text(required=True, max_length=20, metadata={"description": "BCP 47", "example": "yue"})
    qualified_on = Day(allow_none=True, metadata={"description": "Null: speaks it, not qualified to give care in it"})
    expires_on = Day(allow_none=True)


class ClinicianLanguagesSchema(Schema):
    languages = fields.List(
        fields.Nested(ClinicianLanguageSchema), required=True, validate=_FEW,
        metadata={"example": [{"code": "yue", "qualified_on": "2024-06-01", "expires_on": None}]},
    )  # fmt: skip


class ClinicianSkillsSchema(Schema):
    skills = fields.List(Text(max_length=40), required=True, validate=_FEW, metadata={"example": ["wound-vac", "picc"]})


class WeeklyShiftSchema(Schema):
    weekday = Whole(required=True, low=0, high=6, metadata={"description": "Monday 0 to Sunday 6", "example": 0})
    starts = Clock(required=True, metadata={"example": "08:00"})
    ends = Clock(required=True, metadata={"example": "16:30"})


class DatedShiftSchema(Schema):
    on_date = Day(required=True, metadata={"example": "2026-11-27"})
    starts = Clock(allow_none=True, metadata={"description": "Without hours: a day off", "example": "09:00"})
    ends = Clock(allow_none=True, metadata={"example": "12:00"})


class ShiftsSchema(Schema):
    weekly = fields.List(
        fields.Nested(WeeklyShiftSchema), validate=validate.Length(max=100),
        metadata={"example": [{"weekday": 0, "starts": "08:00", "ends": "16:30"}]},
    )  # fmt: skip
    dated = fields.List(
        fields.Nested(DatedShiftSchema), validate=validate.Length(max=1000),
        metadata={"example": [{"on_date": "2026-11-28", "starts": "09:00", "ends": "13:00"}]},
    )  # fmt: skip


class ShiftSchema(Schema):
    weekday = Whole(allow_none=True)
    on_date = Day(allow_none=True)
    starts = Clock(allow_none=True)
    ends = Clock(allow_none=True)


class ClinicianTimeOffSchema(Schema):
    id = Id()
    starts_at = Instant()
    ends_at = Instant()
    reason = Text()


class ClinicianTimeOffCreateSchema(Schema):
    starts_at = Instant(metadata={"example": "2026-11-09T14:45:00Z"})
    ends_at = Instant(metadata={"example": "2026-11-10T08:00:00Z"})
    first_day = Day(metadata={"description": "Whole days of the branch instead of instants"})
    last_day = Day(metadata={"description": "Included"})
    reason = Text(required=True, max_length=40, metadata={"example": "sick"})


class AbsenceCreateSchema(ClinicianTimeOffCreateSchema):
    clinician_id = Id(required=True)


class AbsenceSchema(Schema):
    time_off = fields.Nested(ClinicianTimeOffSchema)
    clinician_id = Id(attribute="time_off.clinician_id")
    affected_visits = Whole(metadata={"description": "Planned visits that this leaves without anybody"})
    visit_ids = fields.List(Id())
    zone = Text(attribute="zone")


class ExclusionCreateSchema(Schema):
    patient_id = Id(required=True)
    reason = Text(required=True, max_length=40, metadata={"example": "patient-request"})


class ExclusionSchema(ExclusionCreateSchema):
    id = Id()


class ClinicianEditSchema(Schema):
    employee_no = Text(max_length=40, metadata={"example": "E00042"})
    given_name = Text(max_length=100, metadata={"example": "Ana"})
    family_name = Text(max_length=100, metadata={"example": "Reyes"})
    performer = Word(Performer)
    gender = Word(Gender)
    start_lat = Number(low=-90, high=90)
    start_lon = Number(low=-180, high=180)
    end_lat = Number(low=-90, high=90)
    end_lon = Number(low=-180, high=180)
    weekly_minutes = Whole(high=10080, metadata={"description": "Paid minutes a week before overtime"})
    weekly_maximum_minutes = Whole(high=10080, metadata={"description": "The most that may be planned"})
    productivity_target = Whole(low=1, high=30)
    max_visits_per_day = Whole(low=1, high=30)
    phone = Text(max_length=40, allow_none=True)
    ot_profile = Word(OvertimeProfile, metadata={"description": "How overtime is counted (LAB-01)"})
    first_meal_waived_on = Day(
        allow_none=True, metadata={"description": "From when a written waiver holds; null where none does (LAB-02)"}
    )
    second_meal_waived_on = Day(allow_none=True)
    active = fields.Boolean()


class ClinicianCreateSchema(ClinicianEditSchema):
    class Meta(ClinicianEditSchema.Meta):
        exclude = ("active",)

    branch_id = Id(required=True)
    employee_no = Text(required=True, max_length=40, metadata={"example": "E00042"})
    given_name = Text(required=True, max_length=100, metadata={"example": "Ana"})
    family_name = Text(required=True, max_length=100, metadata={"example": "Reyes"})
    performer = Word(Performer, required=True)
    credentials = fields.List(fields.Nested(CredentialCreateSchema), validate=_FEW)
    skills = fields.List(Text(max_length=40), validate=_FEW)
    languages = fields.List(fields.Nested(ClinicianLanguageSchema), validate=_FEW)
    weekly_shifts = fields.List(fields.Nested(WeeklyShiftSchema), validate=validate.Length(max=100))
    dated_shifts = fields.List(fields.Nested(DatedShiftSchema), validate=validate.Length(max=1000))


class ClinicianListedSchema(Schema):
    id = Id()
    branch_id = Id()
    employee_no = Text()
    given_name = Text()
    family_name = Text()
    performer = Word(Performer)
    gender = Word(Gender)
    skills = fields.List(fields.Pluck("ClinicianSkillSchema", "skill"))
    languages = fields.List(fields.Nested(ClinicianLanguageSchema))
    active = fields.Boolean()
    version = Whole()


class ClinicianSkillSchema(Schema):
    skill = Text()


class ClinicianSchema(ClinicianListedSchema):
    zone = fields.Function(
        lambda clinician: zone_of(work(), clinician.branch_id).key,
        metadata={"type": "string", "description": "Zone of the branch, in which shifts are written"},
    )
    start_lat = fields.Float(metadata=_PRIVATE_NOTE)
    start_lon = fields.Float(metadata=_PRIVATE_NOTE)
    end_lat = fields.Float(metadata=_PRIVATE_NOTE)
    end_lon = fields.Float(metadata=_PRIVATE_NOTE)
    weekly_minutes = Whole(metadata=_PRIVATE_NOTE)
    weekly_maximum_minutes = Whole(metadata=_PRIVATE_NOTE)
    productivity_target = Whole(metadata=_PRIVATE_NOTE)
    max_visits_per_day = Whole(metadata=_PRIVATE_NOTE)
    phone = Text(allow_none=True, metadata=_PRIVATE_NOTE)
    ot_profile = Word(OvertimeProfile, metadata=_PRIVATE_NOTE)
    first_meal_waived_on = Day(allow_none=True, metadata=_PRIVATE_NOTE)
    second_meal_waived_on = Day(allow_none=True, metadata=_PRIVATE_NOTE)
    excluded_on = Day(allow_none=True, metadata=_PRIVATE_NOTE)
    exclusions_checked_on = Day(allow_none=True, metadata=_PRIVATE_NOTE)
    credentials = fields.List(fields.Nested(CredentialSchema), metadata=_PRIVATE_NOTE)
    shifts = fields.List(fields.Nested(ShiftSchema), metadata=_PRIVATE_NOTE)
    time_off = fields.List(fields.Nested(ClinicianTimeOffSchema), metadata=_PRIVATE_NOTE)
    exclusions = fields.List(fields.Nested(ExclusionSchema), metadata=_PRIVATE_NOTE)

    @post_dump
    def leave_out_private(self, shown: dict[str, Any], **_: Any) -> dict[str, Any]:
        """What is not the asker's business is not null but absent."""
        actor = work().actor
        if not actor.may("clinician:edit") and shown["id"] != actor.clinician_id:
            for name in PRIVATE:
                shown.pop(name, None)
        return shown


class ClinicianQuery(PageQuery):
    q = Text(max_length=100, load_default=None, metadata={"description": "Part of a name, or of the employee number"})
    branch_id = Id(load_default=None)
    performer = Word(Performer, load_default=None)
    discipline = Word(Discipline, load_default=None)
    skill = Text(max_length=40, load_default=None)
    language = Text(max_length=20, load_default=None, metadata={"description": "BCP 47"})
    active = fields.Boolean(load_default=True, allow_none=True)


class PhysicianEditSchema(Schema):
    given_name = Text(max_length=100, metadata={"example": "Ada"})
    family_name = Text(max_length=100, metadata={"example": "Okafor"})
    practitioner_type = Word(PractitionerType)
    organisation = Text(max_length=200, metadata={"example": "Kaiser Permanente"})
    is_kp = fields.Boolean(metadata={"description": "Affiliated with Kaiser Permanente (ELG-8)"})
    phone = Text(max_length=40, allow_none=True)
    active = fields.Boolean()


class PhysicianCreateSchema(PhysicianEditSchema):
    class Meta(PhysicianEditSchema.Meta):
        exclude = ("active",)

    npi = Text(required=True, max_length=10, metadata={"description": "With its check digit", "example": "1234567893"})
    given_name = Text(required=True, max_length=100, metadata={"example": "Ada"})
    family_name = Text(required=True, max_length=100, metadata={"example": "Okafor"})
    practitioner_type = Word(PractitionerType, required=True)
    organisation = Text(required=True, max_length=200, metadata={"example": "Kaiser Permanente"})


class PhysicianSchema(PhysicianEditSchema):
    id = Id()
    npi = Text()
    version = Whole()


class PhysicianQuery(PageQuery):
    q = Text(max_length=100, load_default=None, metadata={"description": "Part of a name or organisation"})
    npi = Text(max_length=10, load_default=None)
    is_kp = fields.Boolean(load_default=None)
    active = fields.Boolean(load_default=True, allow_none=True)


class AideCompetenceWriteSchema(Schema):
    last_paid_work_on = Day(load_default=None, allow_none=True, metadata={"example": "2026-10-30"})
    requalified_on = Day(load_default=None, allow_none=True)
    year_began_on = Day(load_default=None, allow_none=True)


class AideCompetenceSchema(Schema):
    clinician_id = Id()
    last_paid_work_on = Day(allow_none=True)
    requalified_on = Day(allow_none=True)
    year_began_on = Day(allow_none=True)


class InServiceWriteSchema(Schema):
    held_on = Day(required=True, metadata={"example": "2026-11-03"})
    minutes = Whole(required=True, low=5, high=1440, metadata={"example": 120})
    topic = Text(required=True, max_length=200, metadata={"example": "Safe transfers"})


class InServiceSchema(InServiceWriteSchema):
    id = Id()


class AideCompetenceShownSchema(Schema):
    competence = fields.Nested(AideCompetenceSchema, allow_none=True)
    in_service = fields.List(fields.Nested(InServiceSchema))
    task = fields.Dict(allow_none=True, metadata={"description": "What is short of the year's training, in month ten"})
