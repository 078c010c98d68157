"""Clinicians: who they are, whose rows an actor may see, and the reads."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import lazyload

from coordinator.access.scope import branches_of, patients_in_sight, require_branch
from coordinator.agency import area
from coordinator.agency.service import get_branch
from coordinator.core.db import ROW_ID, locked, touch
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.pages import page
from coordinator.core.work import Work, permitted
from coordinator.domain.vocabulary import DISCIPLINE_OF, Discipline, OvertimeProfile, Performer, Role
from coordinator.rules.workday import may_be_exempt
from coordinator.staff import sheet
from coordinator.staff.model import Clinician

# The room of teams stands above this one.
_team = sa.table(
    "care_team_member", *(sa.column(name, ROW_ID) for name in ("patient_id", "clinician_id")),
    sa.column("ends_on", sa.Date()),
)  # fmt: skip
_PLAIN = frozenset(
    {
        "employee_no", "given_name", "family_name", "performer", "gender", "start_lat", "start_lon", "end_lat",
        "end_lon", "weekly_minutes", "weekly_maximum_minutes", "productivity_target", "max_visits_per_day", "phone",
        "ot_profile", "first_meal_waived_on", "second_meal_waived_on",
    }
)  # fmt: skip
_MAY_BE_EMPTY = frozenset({"phone", "first_meal_waived_on", "second_meal_waived_on"})
_LISTS = frozenset({"credentials", "skills", "languages", "weekly_shifts", "dated_shifts"})
_DEFAULTS = {"weekly_minutes": 2400, "weekly_maximum_minutes": 2700, "productivity_target": 6, "max_visits_per_day": 8}
MINUTES_OF_A_WEEK = 7 * 24 * 60
MOST_VISITS = 30


# ------------------------------------------------------------------------------------ reading


def in_sight(work: Work) -> sa.ColumnElement[bool]:
    """Which clinicians the actor may see: of their branches, their colleagues, and who cares for their patients."""
    actor = work.actor
    mine = branches_of(actor)
    if mine is None:
        return sa.true()
    ways: list[sa.ColumnElement[bool]] = []
    if mine:
        ways.append(Clinician.branch_id.in_(sorted(mine)))
    if actor.clinician_id is not None:
        own_branch = sa.select(Clinician.branch_id).where(Clinician.id == actor.clinician_id).scalar_subquery()
        ways.append(Clinician.branch_id == own_branch)
    if actor.has_role(Role.PHYSICIAN.value):
        carers = sa.select(_team.c.clinician_id).where(
            _team.c.patient_id.in_(patients_in_sight(work)), _team.c.ends_on.is_(None)
        )
        ways.append(Clinician.id.in_(carers))
    return sa.or_(*ways) if ways else sa.false()


@permitted("clinician:read")
def get_clinician(work: Work, clinician_id: int) -> Clinician:
    """The clinician; NotFound if there is none or it is not the actor's to see."""
    found = work.session.execute(sa.select(Clinician).where(Clinician.id == clinician_id, in_sight(work))).scalar()
    if found is None:
        raise NotFound("clinician")
    return found


@permitted("clinician:read")
def search_clinicians(
    work: Work,
    *,
    text: str | None = None,
    branch_id: int | None = None,
    performer: Performer | None = None,
    discipline: Discipline | None = None,
    skill: str | None = None,
    language: str | None = None,
    active: bool | None = True,
    limit: int = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """One page of the clinicians that the actor may see, by name: {items, next}."""
    query = sa.select(Clinician).where(in_sight(work))
    if branch_id is not None:
        query = query.where(Clinician.branch_id == branch_id)
    if active is not None:
        query = query.where(Clinician.active == active)
    if performer is not None:
        query = query.where(Clinician.performer == performer)
    if discipline is not None:
        query = query.where(Clinician.performer.in_([one for one in Performer if DISCIPLINE_OF[one] is discipline]))
    if skill is not None:
        query = query.where(Clinician.skills.any(skill=skill))
    if language is not None:
        query = query.where(Clinician.languages.any(code=sheet.language_tag(language, "/query/language")))
    for word in (text or "").split():
        query = query.where(
            sa.or_(
                Clinician.family_name.icontains(word, autoescape=True),
                Clinician.given_name.icontains(word, autoescape=True),
                Clinician.employee_no.istartswith(word, autoescape=True),
            )
        )
    not_listed = (Clinician.credentials, Clinician.shifts, Clinician.time_off, Clinician.exclusions)
    return page(
        work.session,
        query.options(*(lazyload(relation) for relation in not_listed)),
        (Clinician.family_name, Clinician.given_name, Clinician.id),
        {"limit": limit, "cursor": cursor},
    )


# ------------------------------------------------------------------------------------ changing


def for_change(work: Work, clinician_id: int) -> Clinician:
    """The clinician, if the actor may see it, locked against other writers until this transaction ends."""
    get_clinician(work, clinician_id)
    return locked(work.session, Clinician, clinician_id, "clinician")


def changed(work: Work, clinician: Clinician, action: str, **facts: Any) -> None:
    """Raise the version, let the database answer, and leave a line in the trail."""
    touch(clinician)
    work.session.flush()  # numbers and the new version are in the answer and in the trail
    work.record(action, f"clinician:{clinician.id}", **facts)


@permitted("clinician:edit")
def create_clinician(
    work: Work,
    *,
    branch_id: int,
    credentials: Iterable[Mapping[str, Any]] = (),
    skills: Iterable[str] = (),
    languages: Iterable[Mapping[str, Any]] = (),
    weekly_shifts: Iterable[Mapping[str, Any]] = (),
    dated_shifts: Iterable[Mapping[str, Any]] = (),
    demo: bool = False,
    **fields: Any,
) -> Clinician:
    """A new clinician of the branch, who starts and ends the day at the office unless told otherwise.

    credentials: {kind, number, issued_on, expires_on, status, verified_on}; languages: {code, qualified_on,
    expires_on}; weekly_shifts: {weekday, starts, ends}; dated_shifts: {on_date, starts, ends}.
    """
    require_branch(work, branch_id)
    credentials = list(credentials)
    if credentials and not work.actor.may("credential:edit"):
        raise Invalid("Your role does not record credentials: leave them out.", pointer="/credentials")
    sheet.refuse_unknown(fields, _PLAIN)
    for name in ("employee_no", "given_name", "family_name", "performer"):
        if fields.get(name) in (None, ""):
            raise Invalid(f"{name} is needed.", pointer=f"/{name}")
    fields = _DEFAULTS | {name: value for name, value in fields.items() if value is not None}
    branch = get_branch(work, branch_id)
    area.check_point(fields.get("start_lat"), fields.get("start_lon"), "/start")
    fields.setdefault("start_lat", branch.office_lat)
    fields.setdefault("start_lon", branch.office_lon)
    area.check_point(fields.get("end_lat"), fields.get("end_lon"), "/end")
    fields.setdefault("end_lat", fields["start_lat"])
    fields.setdefault("end_lon", fields["start_lon"])
    _check(work, fields, None)
    clinician = Clinician(
        branch_id=branch_id, active=True, demo=demo, time_off=[], exclusions=[],
        credentials=[
            sheet.credential_from(work, branch_id, row, f"/credentials/{place}")
            for place, row in enumerate(credentials)
        ],
        skills=sheet.skill_rows(skills, "/skills"),
        languages=sheet.language_rows(languages, "/languages"),
        shifts=[
            *sheet.weekly_rows(weekly_shifts, "/weekly_shifts"),
            *sheet.dated_rows(dated_shifts, "/dated_shifts"),
        ],
        **fields,
    )  # fmt: skip
    work.session.add(clinician)
    work.session.flush()  # the clinician's number is in the audit line
    work.record("clinician.created", f"clinician:{clinician.id}", performer=clinician.performer.value)
    return clinician


@permitted("clinician:edit")
def edit_clinician(work: Work, clinician_id: int, **changes: Any) -> Clinician:
    """The clinician with those fields changed. `active=False` is for somebody who left: they are planned no more."""
    clinician = for_change(work, clinician_id)
    sheet.refuse_unknown(changes, _PLAIN | {"active"})
    for name in sorted(changes):
        if changes[name] is None and name not in _MAY_BE_EMPTY:
            raise Invalid(f"{name} is needed.", pointer=f"/{name}")
    _check(work, changes, clinician)
    for name, value in changes.items():
        setattr(clinician, name, value)
    changed(work, clinician, "clinician.edited", fields=sorted(changes))
    return clinician


def _check(work: Work, fields: dict[str, Any], clinician: Clinician | None) -> None:
    def now_or_then(name: str) -> Any:
        return fields[name] if name in fields else getattr(clinician, name)

    if "performer" in fields:
        fields["performer"] = Performer(fields["performer"])
    if "ot_profile" in fields:
        fields["ot_profile"] = OvertimeProfile(fields["ot_profile"])
    exempt = ("ot_profile" in fields or clinician is not None) and now_or_then("ot_profile") is OvertimeProfile.EXEMPT
    if exempt and not may_be_exempt(now_or_then("performer"), work.policy):
        raise Invalid("Nobody of this profession is exempt from overtime (LAB-01).", pointer="/ot_profile")
    for end in ("start", "end"):
        area.check_point(now_or_then(f"{end}_lat"), now_or_then(f"{end}_lon"), f"/{end}")
    regular, most = now_or_then("weekly_minutes"), now_or_then("weekly_maximum_minutes")
    for name, value in (("weekly_minutes", regular), ("weekly_maximum_minutes", most)):
        if not 0 <= value <= MINUTES_OF_A_WEEK:
            raise Invalid(f"A week has {MINUTES_OF_A_WEEK} minutes.", pointer=f"/{name}")
    if regular > most:
        raise Invalid(
            "The most that may be planned is not less than the regular week.", pointer="/weekly_maximum_minutes"
        )
    target, limit = now_or_then("productivity_target"), now_or_then("max_visits_per_day")
    for name, value in (("productivity_target", target), ("max_visits_per_day", limit)):
        if not 1 <= value <= MOST_VISITS:
            raise Invalid(f"This is from 1 to {MOST_VISITS} visits.", pointer=f"/{name}")
    if target > limit:
        raise Invalid("A full day is not more than the most visits a day.", pointer="/productivity_target")
    number = fields.get("employee_no")
    if number is not None and (clinician is None or clinician.employee_no != number):
        taken = work.session.execute(sa.select(Clinician.id).where(Clinician.employee_no == number)).scalar()
        if taken is not None:
            raise Conflict("Another clinician has this employee number.", code="employee-number-exists")


def licence_expires_on(clinician: Clinician) -> date | None:
    """Last valid day of the active licence that lasts longest; None without one, or where it does not expire."""
    licences = [row for row in clinician.credentials if row.kind == "licence" and row.status == "active"]
    if not licences or any(row.expires_on is None for row in licences):
        return None
    return max(row.expires_on for row in licences if row.expires_on is not None)
