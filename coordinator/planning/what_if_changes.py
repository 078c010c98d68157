"""What a scenario may hold: the shape of its changes, and whether what they name is there. Kept as plain JSON."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa
from marshmallow import fields, validate

from coordinator.agency.area import zip5
from coordinator.core.errors import Invalid
from coordinator.core.fields import Clock, Day, Id, Number, Schema, Text, Whole, Word
from coordinator.core.work import Work
from coordinator.domain import language
from coordinator.domain.frequency import FrequencyError, parse
from coordinator.domain.lifecycle import LIVE_ORDER
from coordinator.domain.vocabulary import Discipline, Gender, Performer
from coordinator.orders.model import Order
from coordinator.patients.checks import language_tag
from coordinator.patients.locating import locate
from coordinator.patients.model import Home, Patient
from coordinator.planning.prices import SCENARIO_PRICES
from coordinator.staff.model import Clinician, ClinicianSkill

#: Of each kind of change, and of the referrals and clinicians that one change brings.
MOST_CHANGES, MOST_OF_A_KIND = 20, 50
#: Of all entries together: beyond this the comparison would not be searched, only built.
MOST_CLINICIANS, MOST_REFERRALS = 100, 200
_KIND = validate.Length(max=MOST_CHANGES)
_TAG = {"description": "BCP-47", "example": "es"}


# ------------------------------------------------------------------------------------ shape


class PlaceSchema(Schema):
    lat = Number(low=-90, high=90, load_default=None, allow_none=True, metadata={"example": 37.7612})
    lon = Number(low=-180, high=180, load_default=None, allow_none=True, metadata={"example": -122.4331})
    zip = Text(
        max_length=10, load_default=None, allow_none=True,
        metadata={"description": "Instead of a point: the middle of the homes known there", "example": "94114"},
    )  # fmt: skip
    from_day = Day(
        data_key="from", load_default=None, allow_none=True, metadata={"description": "None: from the first day"}
    )


class NewClinicianSchema(PlaceSchema):
    performer = Word(Performer, required=True, metadata={"example": "RN"})
    count = Whole(low=1, high=MOST_OF_A_KIND, load_default=1)
    languages = fields.List(Text(max_length=20, metadata=_TAG), load_default=lambda: ["en"], validate=_KIND)
    skills = fields.List(Text(max_length=40), load_default=list, validate=_KIND)
    gender = Word(Gender, load_default=Gender.UNKNOWN)
    weekdays = fields.List(
        Whole(low=0, high=6), load_default=lambda: [0, 1, 2, 3, 4], validate=validate.Length(min=1, max=7),
        metadata={"description": "Monday 0 to Sunday 6"},
    )  # fmt: skip
    starts = Clock(required=True, metadata={"example": "08:00"})
    ends = Clock(required=True, metadata={"example": "16:30"})
    weekly_minutes = Whole(low=60, high=3600, load_default=2400)
    max_visits_per_day = Whole(low=1, high=20, load_default=8)


class WithoutClinicianSchema(Schema):
    clinician_id = Id(required=True, metadata={"example": 1})
    from_day = Day(
        data_key="from", load_default=None, allow_none=True, metadata={"description": "None: from the first day"}
    )


class ServiceSchema(Schema):
    discipline = Word(Discipline, required=True, metadata={"example": "SN"})
    frequency = Text(required=True, max_length=200, metadata={"example": "3w2 2w3"})
    minutes = Whole(low=5, high=720, load_default=None, allow_none=True, metadata={"example": 45})
    skills = fields.List(Text(max_length=40), load_default=list, validate=_KIND)


class MoreReferralsSchema(PlaceSchema):
    count = Whole(low=1, high=MOST_OF_A_KIND, required=True, metadata={"example": 5})
    services = fields.List(
        fields.Nested(ServiceSchema), load_default=list, validate=validate.Length(max=8),
        metadata={"description": "What each of them is ordered; none: the pattern and home of a patient drawn by lot"},
    )  # fmt: skip
    language = Text(max_length=20, load_default="en", metadata=_TAG)


class ChangesSchema(Schema):
    new_clinicians = fields.List(fields.Nested(NewClinicianSchema), load_default=list, validate=_KIND)
    without_clinicians = fields.List(fields.Nested(WithoutClinicianSchema), load_default=list, validate=_KIND)
    more_referrals = fields.List(fields.Nested(MoreReferralsSchema), load_default=list, validate=_KIND)
    prices = fields.Dict(
        keys=fields.String(validate=validate.OneOf(SCENARIO_PRICES)),
        values=Whole(low=0, high=1_000_000),
        load_default=dict,
        metadata={"description": "Cents by name of the price", "example": {"overtime_minute": 240}},
    )


# ------------------------------------------------------------------------------------ sense


def checked(work: Work, branch_id: int, changes: Mapping[str, Any], start_on: date, last: date) -> dict[str, Any]:
    """The changes with every place found and every day filled in, as plain JSON."""
    kept: dict[str, Any] = {
        "new_clinicians": [
            _new_clinician(work, branch_id, entry, start_on, f"/changes/new_clinicians/{number}")
            for number, entry in enumerate(changes.get("new_clinicians") or ())
        ],
        "without_clinicians": [
            _without(work, branch_id, entry, start_on, f"/changes/without_clinicians/{number}")
            for number, entry in enumerate(changes.get("without_clinicians") or ())
        ],
        "more_referrals": [
            _more(work, branch_id, entry, start_on, f"/changes/more_referrals/{number}")
            for number, entry in enumerate(changes.get("more_referrals") or ())
        ],
        "prices": dict(changes.get("prices") or {}),
    }
    _refuse_too_many(kept)
    _refuse_unknown_skills(work, branch_id, kept)
    for name in kept["prices"]:
        if name not in SCENARIO_PRICES:
            raise Invalid("There is no such price.", pointer=f"/changes/prices/{name[:40]}")
    gone = [entry["clinician_id"] for entry in kept["without_clinicians"]]
    if len(set(gone)) != len(gone):
        raise Invalid("A clinician is named twice.", pointer="/changes/without_clinicians")
    for kind in ("new_clinicians", "without_clinicians", "more_referrals"):
        for number, entry in enumerate(kept[kind]):
            if date.fromisoformat(entry["from"]) > last:
                raise Invalid("This day comes after the last.", pointer=f"/changes/{kind}/{number}/from")
    if not any(kept.values()):
        raise Invalid("Say what is to be otherwise.", pointer="/changes")
    return kept


def _refuse_too_many(kept: Mapping[str, Any]) -> None:
    for kind, most, words in (
        ("new_clinicians", MOST_CLINICIANS, "new clinicians"),
        ("more_referrals", MOST_REFERRALS, "more referrals"),
    ):
        total = 0
        for number, entry in enumerate(kept[kind]):
            total += entry["count"]
            if total > most:
                raise Invalid(
                    f"A scenario brings at most {most} {words} together.", pointer=f"/changes/{kind}/{number}/count"
                )  # fmt: skip


def _refuse_unknown_skills(work: Work, branch_id: int, kept: Mapping[str, Any]) -> None:
    """A skill is known if a clinician has it, or an order of the branch or a referral of the scenario asks for it."""
    if not any(entry["skills"] for entry in kept["new_clinicians"]):
        return
    known = set(work.session.scalars(sa.select(ClinicianSkill.skill).distinct()))
    asked = work.session.scalars(
        sa.select(Order.required_skills)
        .join(Patient, Patient.id == Order.patient_id)
        .where(Patient.branch_id == branch_id, Order.status.in_(LIVE_ORDER))
    )
    known.update(skill for skills in asked for skill in skills or ())
    known.update(
        skill for entry in kept["more_referrals"] for service in entry["services"] for skill in service["skills"]
    )
    for number, entry in enumerate(kept["new_clinicians"]):
        for place, skill in enumerate(entry["skills"]):
            if skill not in known:
                raise Invalid(
                    "Nobody of the agency has this skill, and nothing asks for it: is it misspelt?",
                    pointer=f"/changes/new_clinicians/{number}/skills/{place}",
                )


def _language(tag: str, pointer: str) -> str:
    """The tag of a language that there is, in its usual spelling."""
    found = language_tag(tag, pointer)
    if found.partition("-")[0] not in language.KNOWN:
        raise Invalid("There is no such language: is the tag misspelt?", pointer=pointer)
    return found


def _new_clinician(
    work: Work, branch_id: int, entry: Mapping[str, Any], start_on: date, pointer: str
) -> dict[str, Any]:  # fmt: skip
    lat, lon = _point(work, branch_id, entry, pointer)
    if entry["ends"] <= entry["starts"]:
        raise Invalid("The hours end after they begin.", pointer=f"{pointer}/ends")
    return {
        "performer": str(entry["performer"]),
        "count": entry["count"],
        "languages": [_language(tag, f"{pointer}/languages/{number}") for number, tag in enumerate(entry["languages"])],
        "skills": list(entry["skills"]),
        "gender": str(entry["gender"]),
        "lat": lat,
        "lon": lon,
        "weekdays": sorted(set(entry["weekdays"])),
        "starts": entry["starts"].isoformat("minutes"),
        "ends": entry["ends"].isoformat("minutes"),
        "from": (entry["from_day"] or start_on).isoformat(),
        "weekly_minutes": entry["weekly_minutes"],
        "max_visits_per_day": entry["max_visits_per_day"],
    }


def _without(
    work: Work, branch_id: int, entry: Mapping[str, Any], start_on: date, pointer: str
) -> dict[str, Any]:  # fmt: skip
    clinician = work.session.get(Clinician, entry["clinician_id"])
    if clinician is None or clinician.branch_id != branch_id:
        raise Invalid("There is no such clinician in the branch.", pointer=f"{pointer}/clinician_id")
    return {"clinician_id": clinician.id, "from": (entry["from_day"] or start_on).isoformat()}


def _more(
    work: Work, branch_id: int, entry: Mapping[str, Any], start_on: date, pointer: str
) -> dict[str, Any]:  # fmt: skip
    services = [
        {
            "discipline": str(one["discipline"]),
            "frequency": frequency(one["frequency"], f"{pointer}/services/{number}/frequency"),
            "minutes": one["minutes"],
            "skills": list(one["skills"]),
        }
        for number, one in enumerate(entry["services"])
    ]
    if len({one["discipline"] for one in services}) != len(services):
        raise Invalid("A discipline is named twice.", pointer=f"{pointer}/services")
    lat, lon = _point(work, branch_id, entry, pointer) if services else (None, None)
    return {
        "count": entry["count"],
        "services": services,
        "lat": lat,
        "lon": lon,
        "language": _language(entry["language"], f"{pointer}/language"),
        "from": (entry["from_day"] or start_on).isoformat(),
    }


def frequency(text: str, pointer: str) -> str:
    """The frequency in its canonical spelling; Invalid says what cannot be read. Asked by other rooms."""
    try:
        return parse(text).render()
    except FrequencyError as error:
        raise Invalid(f"This is no frequency: {error.code}.", pointer=pointer, position=error.position) from None


def _point(work: Work, branch_id: int, entry: Mapping[str, Any], pointer: str) -> tuple[float, float]:
    """The point that was given; of a ZIP area its middle by the branch's files, or that of the homes known there."""
    lat, lon, code = entry["lat"], entry["lon"], entry["zip"]
    if (lat is None) != (lon is None):
        raise Invalid("Give both lat and lon, or neither.", pointer=f"{pointer}/{'lat' if lat is None else 'lon'}")
    if lat is not None:
        return float(lat), float(lon)
    if code is None:
        raise Invalid("Say where: lat and lon, or a ZIP code.", pointer=f"{pointer}/zip")
    plain = zip5(code, f"{pointer}/zip")
    found = locate(work, branch_id, "", plain)
    if found["lat"] is not None:
        return float(found["lat"]), float(found["lon"])
    middle = work.session.execute(
        sa.select(sa.func.avg(Home.lat), sa.func.avg(Home.lon))
        .join(Patient, Patient.id == Home.patient_id)
        .where(Patient.branch_id == branch_id, sa.func.substr(Home.zip, 1, 5) == plain, Home.lat.is_not(None))
    ).one()
    if middle[0] is None or middle[1] is None:
        raise Invalid(
            "The branch knows no home in that ZIP area yet: give lat and lon.", pointer=f"{pointer}/zip"
        )  # fmt: skip
    return round(float(middle[0]), 5), round(float(middle[1]), 5)
