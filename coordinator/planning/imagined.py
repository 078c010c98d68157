"""People who are no rows: the patient of a referral that nobody accepted yet, the nurse whom nobody hired.

They are made of the same classes as rows, so that the rules and the planner take them like anybody else, and are never
added to a session. Their numbers are negative: no row is meant by them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from coordinator.agency.model import Branch
from coordinator.core.db import filled
from coordinator.core.work import Work
from coordinator.domain.frequency import Frequency, expand
from coordinator.domain.timeline import WeekAnchor, day_bounds
from coordinator.domain.vocabulary import (
    PERFORMERS,
    THERAPIES,
    Discipline,
    Eligibility,
    Gender,
    HomeSafety,
    InterpreterMode,
    OrderStatus,
    Payer,
    Performer,
    Programme,
    VisitKind,
    VisitStatus,
)
from coordinator.orders.model import Order, OrderWeek
from coordinator.patients.model import Coverage, Episode, Home, Patient
from coordinator.planning.answers import Answers
from coordinator.planning.scene import Scene
from coordinator.rules.eligibility import ask_covered, ask_in_area
from coordinator.rules.facts import Moment, TherapyFacts, VisitCase
from coordinator.rules.terms import Finding, Policy, refusals
from coordinator.rules.visit import ask_clinician_side
from coordinator.staff.model import Clinician, ClinicianLanguage, ClinicianSkill, Credential, Shift, TimeOff
from coordinator.visits.book import CaseBook, Lookups, PatientBook
from coordinator.visits.demand import INITIAL_MINUTES
from coordinator.visits.model import Visit

#: How long a visit of the discipline is where nobody has said, in minutes.
USUAL_MINUTES: Mapping[Discipline, int] = {
    Discipline.SN: 45, Discipline.PT: 45, Discipline.OT: 45, Discipline.SLP: 45, Discipline.MSW: 60,
    Discipline.HHA: 60, Discipline.CHAP: 45, Discipline.MDV: 45,
}  # fmt: skip
#: Room for numbers: visits and orders of one imagined patient.
_ROOM = 100_000
_LONG_AGO = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Service:
    """What is wanted of one discipline."""

    discipline: Discipline
    frequency: Frequency
    minutes: int
    skills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Persona:
    """What is known of an imagined patient, as far as who could go depends on it."""

    programme: Programme
    payer: Payer
    lat: float | None
    lon: float | None
    zip: str = ""
    language: str = "en"
    interpreter_needed: bool = False
    interpreter_mode: InterpreterMode | None = None
    gender: Gender = Gender.UNKNOWN
    #: First and last day of membership; None: nothing recorded.
    coverage: tuple[Payer, date, date | None] | None = None


@dataclass(frozen=True, slots=True)
class Guest:
    """An imagined patient with orders as if signed, and the visits that these would ask for."""

    patient: Patient
    episode: Episode
    orders: tuple[Order, ...]
    visits: tuple[Visit, ...]
    #: The day from which therapists count as having evaluated.
    starts_on: date


@dataclass(frozen=True, slots=True)
class FirstVisit:
    """The initial visit of a guest: wanted within these days and by `due_at`, or standing where it is held."""

    window_from: date
    window_to: date
    due_at: datetime | None = None
    clinician_id: int | None = None
    starts_at: datetime | None = None


def invite(
    number: int,
    branch: Branch,
    persona: Persona,
    services: Sequence[Service],
    *,
    starts_on: date,
    last: date,
    anchor: WeekAnchor,
    first: FirstVisit | None = None,
) -> Guest:
    """The guest of that number (1, 2, ...), in care from `starts_on`; order weeks that begin after `last` are left out.

    Of a week only as many visits are wanted as it has days at one a day: an order that begins late in a week is no
    reason to go twice on one day (FRQ-03). Nursing orders begin on the day after a first visit, which is a nurse's.
    """
    patient = _patient(-number, branch, persona)
    episode = Episode(
        id=-number, patient_id=-number, programme=persona.programme, payer=persona.payer, soc_date=starts_on,
        eligibility=Eligibility.ELIGIBLE.value,
    )  # fmt: skip
    patient.episodes = [episode]
    numbers = count(number * _ROOM + 1)
    visits = [] if first is None else [_first(-next(numbers), branch, patient, first)]
    orders = []
    for service in services:
        nursing = first is not None and service.discipline is Discipline.SN
        begins = starts_on + timedelta(days=1) if nursing else starts_on
        order = _order(-next(numbers), patient, service, begins, last, anchor)
        orders.append(order)
        for week in order.weeks:
            week.id = -next(numbers)
            if week.maximum:
                visits += _visits(numbers, branch, order, week, evaluate=week is order.weeks[0])
    return Guest(patient, episode, tuple(orders), tuple(visits), starts_on)


def _patient(number: int, branch: Branch, persona: Persona) -> Patient:
    covered = persona.coverage
    patient = Patient(
        id=number, branch_id=branch.id, gender=persona.gender, spoken_language=persona.language,
        written_language=persona.language, interpreter_needed=persona.interpreter_needed,
        interpreter_mode=persona.interpreter_mode, active=True,
        home=Home(
            zip=persona.zip, lat=persona.lat, lon=persona.lon, hazards=[], safety=HomeSafety.SAFE, mitigations_open=0
        ),
        coverages=[] if covered is None else [Coverage(payer=covered[0], starts_on=covered[1], ends_on=covered[2])],
    )  # fmt: skip
    return filled(patient)


def _first(number: int, branch: Branch, patient: Patient, first: FirstVisit) -> Visit:
    stands = first.starts_at is not None
    visit = Visit(
        id=number, version=0, branch_id=branch.id, patient_id=patient.id, episode_id=patient.id,
        discipline=Discipline.SN, kind=VisitKind.INITIAL,
        status=VisitStatus.PENDING if stands else VisitStatus.PROPOSED,
        window_from=first.window_from, window_to=first.window_to, due_at=first.due_at, minutes=INITIAL_MINUTES,
        is_current=True, is_optional=False, locked=stands, clinician_id=first.clinician_id,
        starts_at=first.starts_at,
        ends_at=first.starts_at + timedelta(minutes=INITIAL_MINUTES) if first.starts_at is not None else None,
    )  # fmt: skip
    return filled(visit)


def _order(
    number: int, patient: Patient, service: Service, starts_on: date, last: date, anchor: WeekAnchor
) -> Order:  # fmt: skip
    weeks = expand(service.frequency, starts_on, effective_to=last, anchor=anchor, soc=starts_on).weeks
    return Order(
        id=number, patient_id=patient.id, episode_id=patient.id, discipline=service.discipline,
        status=OrderStatus.ACTIVE_SIGNED, frequency=service.frequency.render(), evaluate_and_treat=False,
        effective_from=starts_on, effective_to=last, certification_number=1, treatments=[],
        required_skills=list(service.skills), prn_limit=0, visit_minutes=service.minutes,
        visits_per_day=max((week.per_day for week in weeks), default=1), two_person=False, daily_insulin=False,
        weeks=[
            OrderWeek(
                number=week.index, starts_on=week.starts_on, ends_on=week.ends_on, minimum=week.minimum,
                maximum=week.fits,
            )
            for week in weeks
        ],
    )  # fmt: skip


def _visits(numbers: "count[int]", branch: Branch, order: Order, week: OrderWeek, *, evaluate: bool) -> list[Visit]:
    evaluate = evaluate and order.discipline in THERAPIES
    visits = [
        Visit(
            id=-next(numbers), version=0, branch_id=branch.id, patient_id=order.patient_id,
            episode_id=order.episode_id, order_id=order.id, order_week_id=week.id, unit=unit,
            discipline=order.discipline,
            kind=VisitKind.EVALUATION if evaluate and unit == 1 else VisitKind.ROUTINE,
            status=VisitStatus.PROPOSED, window_from=week.starts_on, window_to=week.ends_on,
            minutes=order.visit_minutes, is_current=True, is_optional=unit > week.minimum, locked=False,
        )
        for unit in range(1, week.maximum + 1)
    ]  # fmt: skip
    return [filled(visit) for visit in visits]


def seat(scene: Scene, guests: Sequence[Guest]) -> Scene:
    """The scene with the guests in it; what it holds of the others stays as it was read."""
    orders = [order for guest in guests for order in guest.orders]
    return replace(
        scene,
        visits=(*scene.visits, *(visit for guest in guests for visit in guest.visits)),
        patients=dict(scene.patients) | {guest.patient.id: guest.patient for guest in guests},
        orders=dict(scene.orders) | {order.id: order for order in orders},
        weeks=dict(scene.weeks) | {week.id: week for order in orders for week in order.weeks},
        gone=dict(scene.gone),
        _fixed={},
    )


def hire(
    number: int,
    branch: Branch,
    zone: ZoneInfo,
    *,
    performer: Performer,
    point: tuple[float, float],
    languages: Sequence[str],
    skills: Sequence[str],
    gender: Gender,
    weekdays: Sequence[int],
    hours: tuple[time, time],
    today: date,
    from_day: date,
    weekly_minutes: int,
    max_visits_per_day: int,
) -> Clinician:
    """A clinician with a licence in good order who works these hours from `from_day` on; `number` counts from 1."""
    before = TimeOff(
        starts_at=day_bounds(today - timedelta(days=1), zone)[0], ends_at=day_bounds(from_day, zone)[0], reason="before"
    )
    return Clinician(
        id=-number, branch_id=branch.id, employee_no=f"imagined-{number}", performer=performer, gender=gender,
        start_lat=point[0], start_lon=point[1], end_lat=point[0], end_lon=point[1], weekly_minutes=weekly_minutes,
        weekly_maximum_minutes=weekly_minutes + 300, productivity_target=6, max_visits_per_day=max_visits_per_day,
        active=True,
        credentials=[
            Credential(
                kind="licence", issued_on=today - _LONG_AGO, expires_on=today + _LONG_AGO, status="active",
                verified_on=today,
            )
        ],
        skills=[ClinicianSkill(skill=skill) for skill in skills],
        languages=[ClinicianLanguage(code=code, qualified_on=today - _LONG_AGO) for code in languages],
        shifts=[Shift(weekday=weekday, starts=hours[0], ends=hours[1]) for weekday in sorted(set(weekdays))],
        time_off=[before] if from_day > today else [],
    )  # fmt: skip


# ------------------------------------------------------------------------------------ what the rules say of them


class GuestBook:
    """Asks the rules about guests as they would stand once accepted, with their orders signed.

    Asked: membership and service area of the patient, and everything about the clinician. Not asked: what acceptance,
    the physician and the first visit are there to settle.
    """

    def __init__(self, work: Work, zone: ZoneInfo, guests: Sequence[Guest]) -> None:
        self._policy: Policy = work.policy
        self.guests = {guest.patient.id: guest for guest in guests}
        branches = {
            number: work.session.get_one(Branch, number) for number in {guest.patient.branch_id for guest in guests}
        }
        lookups = Lookups(
            episodes={guest.episode.id: guest.episode for guest in guests},
            orders={order.id: order for guest in guests for order in guest.orders},
            referred={},
            open_criteria={},
            goals={order.id: True for guest in guests for order in guest.orders},
            with_companion=set(),
            branches=branches,
        )
        books = {
            number: PatientBook(guest.patient, zone, orders=list(guest.orders)) for number, guest in self.guests.items()
        }
        self._book = CaseBook(work, books, lookups)
        self._known: dict[tuple[object, ...], tuple[Finding, ...]] = {}

    def case(self, visit: Visit, day: date, clinician: Clinician | None = None, **placed: Any) -> VisitCase:
        """The facts as they would be; `placed`: starts_at, ends_at and neighbours, where they are known."""
        case = self._book.case(visit, clinician=clinician, day=None if placed else day, **placed)
        order = case.order
        if order is not None:
            order = replace(order, evaluation_complete=True, goals_set_by_therapist=True)
        therapy = case.therapy
        if therapy is not None:
            therapy = TherapyFacts(self.guests[visit.patient_id].starts_on)
        return replace(case, order=order, therapy=therapy, usage=None, qualifying=None)

    def closed(self, visit: Visit, day: date) -> tuple[Finding, ...]:
        """What refuses the day whoever went."""
        case = self.case(visit, day)
        findings = [ask_covered(case, self._policy)]
        if self.guests[visit.patient_id].patient.home.zip:
            findings.append(ask_in_area(case, self._policy))
        return refusals(tuple(finding for finding in findings if finding is not None))

    def refused(self, visit: Visit, day: date, clinician: Clinician) -> tuple[Finding, ...]:
        """What refuses the clinician on the day."""
        key = (visit.patient_id, visit.order_id, visit.kind, clinician.id, day)
        if key not in self._known:
            case = self.case(visit, day, clinician)
            self._known[key] = refusals(ask_clinician_side(case, Moment.CONFIRM, self._policy))
        return self._known[key]

    def answers(self, scene: Scene, days: Mapping[int, Sequence[date]]) -> dict[int, Answers]:
        """The rules' answers about every guest's visit in `days`."""
        found = {}
        for visit in scene.visits:
            if visit.id in days and visit.patient_id in self.guests:
                found[visit.id] = self._answer(scene, visit, days[visit.id])
        return found

    def _answer(self, scene: Scene, visit: Visit, days: Sequence[date]) -> Answers:
        answer = Answers()
        for day in days:
            refused = self.closed(visit, day)
            if refused:
                answer.closed[day] = refused
            else:
                answer.cases[day] = self.case(visit, day)
        if not answer.cases:
            return answer
        for clinician in scene.clinicians:
            asked = list(answer.cases)
            if clinician.performer not in PERFORMERS[visit.discipline]:
                asked = asked[:1]
            said = {day: refused for day in asked if (refused := self.refused(visit, day, clinician))}
            if len(said) == len(asked):
                answer.forbidden[clinician.id] = said[asked[0]]
            else:
                answer.forbidden_days.update({(clinician.id, day): refused for day, refused in said.items()})
        return answer


__all__ = [
    "USUAL_MINUTES", "FirstVisit", "Guest", "GuestBook", "Persona", "Service", "hire", "invite", "seat",
]  # fmt: skip
