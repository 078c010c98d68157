"""What a clinician's sheet may say: credentials, skills, languages and shifts, as checked rows."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, time
from typing import Any

from coordinator.agency.service import today
from coordinator.core.errors import Invalid
from coordinator.core.work import Work
from coordinator.domain import language
from coordinator.staff.model import ClinicianLanguage, ClinicianSkill, Credential, Shift

#: Only `active` lets a clinician visit (CRD-01).
CREDENTIAL_STATUSES = ("active", "inactive", "suspended", "revoked")
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.ASCII)
MOST_SHIFTS = 1_000
MOST_SKILLS = 100


def refuse_unknown(given: Iterable[str], known: frozenset[str], pointer: str = "") -> None:
    """Refuse a field that is not among `known`."""
    for name in given:
        if name not in known:
            raise Invalid(f"{name} cannot be set here.", pointer=f"{pointer}/{name}")


def code(text: str, pointer: str) -> str:
    """The text, if it is a code in small letters."""
    if not _CODE.fullmatch(text or ""):
        raise Invalid("This is a code of small letters, digits, dash and underscore.", pointer=pointer)
    return text


def language_tag(tag: str, pointer: str) -> str:
    """The tag in its usual spelling."""
    try:
        return language.canonical(tag)
    except ValueError as error:
        raise Invalid(str(error), pointer=pointer) from None


# ------------------------------------------------------------------------------------ credentials


def check_credential(work: Work, branch_id: int, row: Mapping[str, Any], pointer: str = "") -> None:
    """Refuse a credential whose days do not follow each other or whose status nobody knows."""
    code(row["kind"], f"{pointer}/kind")
    if row.get("issued_on") is None:
        raise Invalid("issued_on is needed.", pointer=f"{pointer}/issued_on")
    if row.get("expires_on") is not None and row["expires_on"] < row["issued_on"]:
        raise Invalid("It expires before it was issued.", pointer=f"{pointer}/expires_on")
    if row.get("verified_on") is not None and row["verified_on"] > today(work, branch_id):
        raise Invalid("The day of the verification lies in the future.", pointer=f"{pointer}/verified_on")
    if row["status"] not in CREDENTIAL_STATUSES:
        raise Invalid(f"This must be one of: {', '.join(CREDENTIAL_STATUSES)}.", pointer=f"{pointer}/status")


def credential_from(work: Work, branch_id: int, given: Mapping[str, Any], pointer: str = "") -> Credential:
    """A credential, checked."""
    known = frozenset({"kind", "number", "issued_on", "expires_on", "status", "verified_on", "restricted_kinds"})
    refuse_unknown(given, known, pointer)
    row = {"kind": "licence", "status": "active"} | {name: value for name, value in given.items() if value is not None}
    check_credential(work, branch_id, row, pointer)
    return Credential(**row)


# ------------------------------------------------------------------------------------ skills and languages


def skill_rows(skills: Iterable[str], pointer: str) -> list[ClinicianSkill]:
    """Each skill once."""
    wanted = {code(skill, f"{pointer}/{place}") for place, skill in enumerate(skills)}
    if len(wanted) > MOST_SKILLS:
        raise Invalid(f"At most {MOST_SKILLS} skills.", pointer=pointer)
    return [ClinicianSkill(skill=skill) for skill in sorted(wanted)]


def language_rows(languages: Iterable[Mapping[str, Any]], pointer: str) -> list[ClinicianLanguage]:
    """Each language once, qualified before it expires."""
    rows: dict[str, ClinicianLanguage] = {}
    for place, given in enumerate(languages):
        here = f"{pointer}/{place}"
        refuse_unknown(given, frozenset({"code", "qualified_on", "expires_on"}), here)
        tag = language_tag(given.get("code") or "", f"{here}/code")
        if tag in rows:
            raise Invalid("This language is in the list twice.", pointer=f"{here}/code")
        qualified_on, expires_on = given.get("qualified_on"), given.get("expires_on")
        if expires_on is not None and (qualified_on is None or expires_on < qualified_on):
            raise Invalid("A qualification expires after it was given.", pointer=f"{here}/expires_on")
        rows[tag] = ClinicianLanguage(code=tag, qualified_on=qualified_on, expires_on=expires_on)
    if len(rows) > MOST_SKILLS:
        raise Invalid(f"At most {MOST_SKILLS} languages.", pointer=pointer)
    return [rows[tag] for tag in sorted(rows)]


# ------------------------------------------------------------------------------------ shifts


def weekly_rows(shifts: Iterable[Mapping[str, Any]], pointer: str) -> list[Shift]:
    """Hours of every week, none overlapping another of its weekday."""
    rows: list[Shift] = []
    for place, given in enumerate(shifts):
        here = f"{pointer}/{place}"
        refuse_unknown(given, frozenset({"weekday", "starts", "ends"}), here)
        weekday = given.get("weekday")
        if not isinstance(weekday, int) or isinstance(weekday, bool) or not 0 <= weekday <= 6:
            raise Invalid("A weekday is a number from 0 (Monday) to 6 (Sunday).", pointer=f"{here}/weekday")
        starts, ends = _hours(given, here, may_be_off=False)
        _refuse_overlap([row for row in rows if row.weekday == weekday], starts, ends, here)
        rows.append(Shift(weekday=weekday, starts=starts, ends=ends))
    _refuse_too_many(rows, pointer)
    return rows


def dated_rows(shifts: Iterable[Mapping[str, Any]], pointer: str) -> list[Shift]:
    """Hours of single dates; a row without hours is a day off, and then the only one of its date."""
    rows: list[Shift] = []
    for place, given in enumerate(shifts):
        here = f"{pointer}/{place}"
        refuse_unknown(given, frozenset({"on_date", "starts", "ends"}), here)
        on_date: date | None = given.get("on_date")
        if on_date is None:
            raise Invalid("on_date is needed.", pointer=f"{here}/on_date")
        starts, ends = _hours(given, here, may_be_off=True)
        same = [row for row in rows if row.on_date == on_date]
        if same and (starts is None or any(row.starts is None for row in same)):
            raise Invalid("A day off has no hours beside it.", pointer=f"{here}/on_date")
        _refuse_overlap(same, starts, ends, here)
        rows.append(Shift(on_date=on_date, starts=starts, ends=ends))
    _refuse_too_many(rows, pointer)
    return rows


def _hours(given: Mapping[str, Any], here: str, *, may_be_off: bool) -> tuple[time | None, time | None]:
    starts, ends = given.get("starts"), given.get("ends")
    if starts is None and ends is None and may_be_off:
        return None, None
    if starts is None or ends is None:
        name = "starts" if starts is None else "ends"
        raise Invalid(f"{name} is needed.", pointer=f"{here}/{name}")
    if ends <= starts:
        raise Invalid("A shift ends after it starts, on the same day.", pointer=f"{here}/ends")
    return starts, ends


def _refuse_overlap(rows: list[Shift], starts: time | None, ends: time | None, here: str) -> None:
    if starts is None or ends is None:
        return
    for row in rows:
        if row.starts is not None and row.ends is not None and starts < row.ends and row.starts < ends:
            raise Invalid("Two shifts of one day overlap.", pointer=f"{here}/starts")


def _refuse_too_many(rows: list[Shift], pointer: str) -> None:
    if len(rows) > MOST_SHIFTS:
        raise Invalid(f"At most {MOST_SHIFTS} shifts.", pointer=pointer)
