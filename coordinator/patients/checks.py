"""What a patient's record may say: codes, languages, periods. Each refusal is a 422 that names the field."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from coordinator.agency import area
from coordinator.core.errors import Invalid
from coordinator.domain import language

#: How decisions are made in this family (CUL-01).
DECISION_STYLES = ("individual", "shared", "family")
#: A hazard of the home in a code: FIREARM, VIOLENCE, PETS, STAIRS, NO_UTILITIES, and whatever else was found.
_HAZARD = re.compile(r"[A-Z][A-Z0-9_]{1,39}", re.ASCII)
_SNOMED = re.compile(r"[1-9][0-9]{5,17}", re.ASCII)


def refuse_unknown(given: Iterable[str], known: frozenset[str], pointer: str = "") -> None:
    """Refuse a field that is not among `known`."""
    for name in given:
        if name not in known:
            raise Invalid(f"{name} cannot be set here.", pointer=f"{pointer}/{name}")


def require(fields: Mapping[str, Any], names: Iterable[str], pointer: str = "") -> None:
    """Refuse if one of `names` is missing or empty."""
    for name in names:
        if fields.get(name) in (None, ""):
            raise Invalid(f"{name} is needed.", pointer=f"{pointer}/{name}")


def language_tag(tag: str, pointer: str) -> str:
    """The tag in its usual spelling; Invalid if it is none."""
    try:
        return language.canonical(tag)
    except ValueError as error:
        raise Invalid(str(error), pointer=pointer) from None


def snomed_code(code: str | None, pointer: str) -> None:
    """Refuse what is not shaped like a SNOMED CT concept id."""
    if code is not None and not _SNOMED.fullmatch(code):
        raise Invalid("A SNOMED CT code is six to eighteen digits.", pointer=pointer)


def days_in_order(starts_on: date, ends_on: date | None, pointer: str) -> None:
    """Refuse a period whose last day is before its first."""
    if ends_on is not None and ends_on < starts_on:
        raise Invalid("The last day is before the first.", pointer=pointer)


def instants_in_order(starts_at: datetime, ends_at: datetime, pointer: str = "/ends_at") -> None:
    """Refuse a stretch that does not end after it begins, and a naive instant."""
    if starts_at.tzinfo is None or ends_at.tzinfo is None:
        raise Invalid("An instant carries its offset from UTC.", pointer=pointer)
    if ends_at <= starts_at:
        raise Invalid("It must end after it begins.", pointer=pointer)


def weekday(number: int | None, pointer: str) -> None:
    """Refuse what is not a day of the week; Monday is 0."""
    if number is not None and not (isinstance(number, int) and 0 <= number <= 6):
        raise Invalid("A weekday is a number from 0 (Monday) to 6 (Sunday).", pointer=pointer)


def hazards(codes: Iterable[str], pointer: str) -> list[str]:
    """The hazards, each once, in order of the alphabet."""
    found = set()
    for place, code in enumerate(codes):
        if not _HAZARD.fullmatch(code):
            raise Invalid(
                "A hazard is a code in capitals, such as FIREARM or NO_UTILITIES.", pointer=f"{pointer}/{place}"
            )
        found.add(code)
    return sorted(found)


def caregiver_windows(windows: Iterable[Mapping[str, Any]], pointer: str) -> list[dict[str, Any]]:
    """Weekly windows as they are stored: weekday, from and to as HH:MM, each ending after it begins."""
    kept = []
    for place, window in enumerate(windows):
        here = f"{pointer}/{place}"
        require(window, ("from", "to"), here)
        weekday(window.get("weekday"), f"{here}/weekday")
        if window.get("weekday") is None:
            raise Invalid("A weekday is needed.", pointer=f"{here}/weekday")
        starts, ends = (_clock_text(window[key], f"{here}/{key}") for key in ("from", "to"))
        if ends <= starts:
            raise Invalid("It must end after it begins.", pointer=f"{here}/to")
        kept.append({"weekday": window["weekday"], "from": starts, "to": ends})
    return sorted(kept, key=lambda window: (window["weekday"], window["from"]))


def _clock_text(value: Any, pointer: str) -> str:
    text = value.strftime("%H:%M") if hasattr(value, "strftime") else str(value)
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text, re.ASCII):
        raise Invalid("A time of day is HH:MM.", pointer=pointer)
    return text


def home_fields(home: Mapping[str, Any], pointer: str = "/home") -> dict[str, Any]:
    """The home's fields with the state in capitals and hazards in order; refuses a wrong ZIP, state or point."""
    fields = dict(home)
    if "zip" in fields:
        area.zip5(fields["zip"] or "", f"{pointer}/zip")
    if "state" in fields:
        fields["state"] = (fields["state"] or "").upper()
        if not re.fullmatch(r"[A-Z]{2}", fields["state"], re.ASCII):
            raise Invalid("A state is two letters.", pointer=f"{pointer}/state")
    area.check_point(fields.get("lat"), fields.get("lon"), pointer)
    if "hazards" in fields:
        fields["hazards"] = hazards(fields["hazards"] or [], f"{pointer}/hazards")
    return fields
