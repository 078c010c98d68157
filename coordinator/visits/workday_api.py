"""A clinician's day at work over HTTP."""

from typing import Any

from marshmallow import fields

from coordinator.core.fields import Day, Id, Instant, Schema, Text, Whole, Word
from coordinator.core.http import Blueprint, work
from coordinator.domain.vocabulary import OvertimeProfile
from coordinator.visits import workday

blp = Blueprint("workdays", __name__, url_prefix="/api/v1", description="Hours, meals, rests and miles of a day")


class WorkdayQuery(Schema):
    date = Day(required=True, metadata={"example": "2026-11-09"})


class HoursSchema(Schema):
    regular = Whole(metadata={"description": "Minutes"})
    overtime = Whole(metadata={"description": "Minutes at once and a half"})
    double = Whole(metadata={"description": "Minutes at twice"})


class MealOwedSchema(Schema):
    number = Whole()
    latest_at = Instant(metadata={"description": "The last minute in which it may begin"})
    waived = fields.Boolean()


class MealTakenSchema(Schema):
    id = Id()
    starts_at = Instant()
    ends_at = Instant()


class WorkdaySchema(Schema):
    clinician_id = Id()
    day = Day()
    zone = Text()
    basis = Text(metadata={"enum": ["actual", "planned"]})
    ot_profile = Word(OvertimeProfile)
    visits = Whole()
    begins_at = Instant(allow_none=True)
    ends_at = Instant(allow_none=True)
    worked_minutes = Whole()
    hours = fields.Nested(HoursSchema)
    week_first = Day()
    week_hours = fields.Nested(HoursSchema)
    meals = fields.List(fields.Nested(MealOwedSchema))
    meals_taken = fields.List(fields.Nested(MealTakenSchema))
    meals_missed = fields.List(Whole(), metadata={"description": "Numbers of meals that were owed and not recorded"})
    premium_minutes = Whole(metadata={"description": "Premium pay that the day owes for its meals (LC 226.7)"})
    rests = Whole(metadata={"description": "Rests that the day owes (LAB-03)"})
    rest_minutes = Whole(metadata={"description": "Paid minutes of those rests"})
    miles = fields.Float(metadata={"description": "Between places of work, by the estimate of roads"})
    mills_per_mile = Whole(metadata={"description": "Thousandths of a dollar"})
    mileage_cents = Whole()


@blp.route("/clinicians/<id:clinician_id>/workday")
@blp.arguments(WorkdayQuery, location="query")
@blp.response(200, WorkdaySchema)
def read_workday(args: dict[str, Any], clinician_id: int) -> Any:
    """A clinician's day at work

    As it was where visits of it were made, else as it is planned.
    """
    return workday.workday(work(), clinician_id, args["date"])
