"""Rows for the scenes of tests, with sensible silence: say only what the test is about.

Every function adds to the session and flushes, so that ids are there; the test commits.
"""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy.orm import Session

from coordinator.access.model import User
from coordinator.agency.model import Agency, Branch, ServiceZip
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import (
    Discipline,
    Gender,
    GoalCategory,
    HomeSafety,
    OrderStatus,
    Payer,
    Performer,
    PractitionerType,
    Programme,
    VisitKind,
    VisitStatus,
)
from coordinator.jobs.context import JobContext
from coordinator.orders.model import CarePlan, Goal, Order, OrderWeek
from coordinator.patients.model import Coverage, Diagnosis, Episode, Home, Patient
from coordinator.staff.model import Clinician, ClinicianLanguage, ClinicianSkill, Credential, Physician, Shift
from coordinator.visits.model import Visit

_count = itertools.count(1)
MONDAY = date(2026, 11, 9)
SUNDAY = date(2026, 11, 8)
#: argon2 of "a password for tests" with the test profile's costs is slow to make often: see `make_user`.
PASSWORD = "a password for tests"
#: NPIs that pass the check digit.
NPIS = tuple(
    f"{body}{(10 - sum(int(d) * 2 // 10 + int(d) * 2 % 10 if i % 2 == 0 else int(d) for i, d in enumerate(reversed('80840' + body)))) % 10}"  # noqa: E501
    for body in (str(123456700 + n) for n in range(200))
)


def _add(session: Session, row: Any) -> Any:
    session.add(row)
    session.flush()
    return row


def make_branch(session: Session, *, code: str | None = None, zone: str = "America/Los_Angeles") -> Branch:
    agency = _add(session, Agency(name="Test Home Care"))
    branch: Branch = _add(
        session,
        Branch(
            agency_id=agency.id,
            code=code or f"T{next(_count)}",
            name="Test branch",
            zone=zone,
            office_address="1 Main Street",
            office_lat=37.7793,
            office_lon=-122.4193,
            service_zips=[
                ServiceZip(zip=str(zip_code), effective_from=date(2020, 1, 1)) for zip_code in range(94102, 94135)
            ],
        ),
    )
    return branch


def make_patient(session: Session, branch: Branch, **given: Any) -> Patient:
    number = next(_count)
    home = {
        "address": f"{number} Noe Street", "city": "San Francisco", "state": "CA", "zip": "94114",
        "lat": 37.76 + (number % 50) * 0.0005, "lon": -122.43 - (number % 37) * 0.0005, "point_source": "given",
        "hazards": [], "safety": HomeSafety.SAFE, "safety_assessed_on": date(2026, 10, 1), "mitigations_open": 0,
    } | given.pop("home", {})  # fmt: skip
    values: dict[str, Any] = {
        "mrn": f"M{number:06d}", "given_name": "Mei", "family_name": f"Lee{number}", "birth_date": date(1944, 5, 1),
        "gender": Gender.FEMALE, "active": True,
        "coverages": [Coverage(payer=Payer.KP, member_id=f"KP{number}", starts_on=date(2020, 1, 1))],
        "diagnoses": [Diagnosis(code="C34.90", display="Malignant neoplasm of bronchus or lung", rank=1)],
    } | given  # fmt: skip
    patient: Patient = _add(session, Patient(branch_id=branch.id, home=Home(**home), **values))
    return patient


def make_physician(session: Session, **given: Any) -> Physician:
    values: dict[str, Any] = {
        "npi": NPIS[next(_count) % len(NPIS)], "given_name": "Ada", "family_name": f"Okafor{next(_count)}",
        "practitioner_type": PractitionerType.MD, "organisation": "Kaiser Permanente", "is_kp": True, "active": True,
    } | given  # fmt: skip
    physician: Physician = _add(session, Physician(**values))
    return physician


def make_episode(session: Session, patient: Patient, *, soc: date | None = date(2026, 10, 26), **given: Any) -> Episode:
    values: dict[str, Any] = {
        "programme": Programme.KP_HBPC, "payer": Payer.KP, "accepted_at": datetime(2026, 10, 24, 17, tzinfo=UTC),
        "soc_date": soc, "eligibility": "eligible",
    } | given  # fmt: skip
    if soc is None and patient.managing_physician_id is None:  # care begins under somebody
        patient.managing_physician_id = make_physician(session).id
    episode: Episode = _add(session, Episode(patient_id=patient.id, **values))
    session.refresh(patient)
    return episode


def make_clinician(
    session: Session, branch: Branch, performer: Performer = Performer.RN, *, skills: tuple[str, ...] = (),
    languages: tuple[str, ...] = ("en",), expires_on: date = date(2028, 12, 31),
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4),
    starts: time = time(8), ends: time = time(16, 30), **given: Any,
) -> Clinician:  # fmt: skip
    number = next(_count)
    values: dict[str, Any] = {
        "employee_no": f"E{number:05d}", "given_name": "Ana", "family_name": f"Reyes{number}", "gender": Gender.FEMALE,
        "start_lat": 37.7793, "start_lon": -122.4193, "end_lat": 37.7793, "end_lon": -122.4193, "active": True,
    } | given  # fmt: skip
    clinician: Clinician = _add(
        session,
        Clinician(
            branch_id=branch.id,
            performer=performer,
            credentials=[
                Credential(
                    kind="licence", issued_on=date(2020, 1, 1), expires_on=expires_on, status="active",
                    verified_on=date(2026, 8, 1),
                )
            ],
            skills=[ClinicianSkill(skill=skill) for skill in skills],
            languages=[ClinicianLanguage(code=code, qualified_on=date(2020, 1, 1)) for code in languages],
            shifts=[Shift(weekday=weekday, starts=starts, ends=ends) for weekday in weekdays],
            **values,
        ),
    )  # fmt: skip
    return clinician


def make_care_plan(session: Session, episode: Episode, physician: Physician) -> CarePlan:
    plan: CarePlan = _add(
        session,
        CarePlan(
            patient_id=episode.patient_id,
            episode_id=episode.id,
            managing_physician_id=physician.id,
            starts_on=episode.soc_date or MONDAY,
            goals=[Goal(category=GoalCategory.COMFORT, text="Comfort at home", language="en")],
        ),
    )
    return plan


def make_order(
    session: Session, episode: Episode, plan: CarePlan, discipline: Discipline = Discipline.SN, *,
    frequency: str = "2w4", status: OrderStatus = OrderStatus.ACTIVE_SIGNED,
    weeks: tuple[tuple[date, date, int, int], ...] = (), **given: Any,
) -> Order:  # fmt: skip
    """An order as a row; `weeks` are (first day, last day, minimum, maximum). It raises no visits by itself."""
    values: dict[str, Any] = {
        "effective_from": MONDAY, "effective_to": date(2026, 12, 5), "visit_minutes": 45, "treatments": ["assessment"],
        "physician_id": plan.managing_physician_id, "visits_per_day": 1, "required_skills": [],
    } | given  # fmt: skip
    if status is OrderStatus.ACTIVE_SIGNED:
        values.setdefault("signed_at", datetime(2026, 11, 1, 17, tzinfo=UTC))
    order: Order = _add(
        session,
        Order(
            patient_id=episode.patient_id, episode_id=episode.id, care_plan_id=plan.id, discipline=discipline,
            status=status, frequency_text=frequency, frequency=frequency,
            weeks=[
                OrderWeek(number=number, starts_on=first, ends_on=last, minimum=low, maximum=high)
                for number, (first, last, low, high) in enumerate(weeks, 1)
            ],
            **values,
        ),
    )  # fmt: skip
    return order


def make_visit(session: Session, patient: Patient, episode: Episode, **given: Any) -> Visit:
    values: dict[str, Any] = {
        "discipline": Discipline.SN, "kind": VisitKind.ROUTINE, "status": VisitStatus.PROPOSED, "window_from": MONDAY,
        "window_to": date(2026, 11, 14), "minutes": 45, "is_current": True, "hold_bill": [], "warnings": [],
    } | given  # fmt: skip
    visit: Visit = _add(
        session, Visit(branch_id=patient.branch_id, patient_id=patient.id, episode_id=episode.id, **values)
    )
    return visit


def make_user(session: Session, hashed: str, *roles: str, **given: Any) -> User:
    """A user whose password is what `hashed` was made from (see the `hashed_password` fixture of your folder)."""
    number = next(_count)
    values: dict[str, Any] = {
        "username": f"user{number}", "display_name": f"User {number}", "branch_ids": [], "active": True,
        "failed_attempts": 0, "demo": False,
    } | given  # fmt: skip
    user: User = _add(session, User(password_hash=hashed, roles=list(roles), **values))
    return user


def make_job_context(app: Coordinator, name: str = "test.job", *, now: datetime, key: str | None = None) -> JobContext:
    """What a job is given, for calling it by hand: `nightly_plan(make_job_context(app, now=NOW), {...})`."""
    workshop = replace(app.extensions["workshop"], now=lambda: now)
    return JobContext(workshop=workshop, name=name, key=key or f"{name}:{next(_count)}")
