"""An agency that wants a week planned: people with orders, visits that the orders ask for, clinicians to make them."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from sqlalchemy.orm import Session

from coordinator.agency.model import Branch
from coordinator.domain.vocabulary import Discipline, OrderStatus, Performer, VisitStatus
from coordinator.orders.model import Order
from coordinator.patients.model import Episode, Patient
from coordinator.staff.model import Clinician
from coordinator.teams.model import CareTeamMember
from coordinator.visits.model import Visit
from tests.builders import (
    make_branch,
    make_care_plan,
    make_clinician,
    make_episode,
    make_order,
    make_patient,
    make_physician,
    make_visit,
)

#: The Saturday before the week that is planned: nothing in it is past.
EVE = datetime(2026, 11, 7, 18, 0, tzinfo=UTC)
MONDAY = date(2026, 11, 9)
WEEK = (date(2026, 11, 8), date(2026, 11, 14))


@dataclass
class Person:
    """A patient with everything that a visit needs."""

    patient: Patient
    episode: Episode
    order: Order
    visits: list[Visit] = field(default_factory=list)


@dataclass
class TestAgency:
    """One branch in the making."""

    __test__ = False
    session: Session
    branch: Branch
    clinicians: list[Clinician] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)

    def hire(self, performer: Performer = Performer.RN, **given: object) -> Clinician:
        clinician = make_clinician(self.session, self.branch, performer, **given)  # type: ignore[arg-type]
        self.clinicians.append(clinician)
        return clinician

    def admit(
        self,
        *,
        visits: int = 2,
        discipline: Discipline = Discipline.SN,
        status: OrderStatus = OrderStatus.ACTIVE_SIGNED,
        minutes: int = 45,
        primary: Clinician | None = None,
        order: dict[str, object] | None = None,
        **given: object,
    ) -> Person:
        """A patient with an order of `visits` a week, and the visits of the week that is planned."""
        patient = make_patient(self.session, self.branch, **given)
        episode = make_episode(self.session, patient)
        plan = make_care_plan(self.session, episode, make_physician(self.session))
        live = status in (OrderStatus.ACTIVE_SIGNED, OrderStatus.ACTIVE_VERBAL)
        row = make_order(
            self.session, episode, plan, discipline,
            frequency=f"{visits}w4", status=status, effective_from=WEEK[0], visit_minutes=minutes,
            weeks=((*WEEK, visits, visits),) if live else (), **(order or {}),
        )  # fmt: skip
        person = Person(patient, episode, row)
        if live:
            for unit in range(1, visits + 1):
                person.visits.append(
                    make_visit(
                        self.session, patient, episode, order_id=row.id, order_week_id=row.weeks[0].id, unit=unit,
                        discipline=discipline, window_from=WEEK[0], window_to=WEEK[1], minutes=minutes,
                    )
                )  # fmt: skip
        if primary is not None:
            self.session.add(
                CareTeamMember(
                    patient_id=patient.id, clinician_id=primary.id, role="nurse", is_primary=True,
                    starts_on=date(2026, 10, 1),
                )
            )  # fmt: skip
        self.people.append(person)
        self.session.flush()
        return person

    def book(self, visit: Visit, clinician: Clinician, starts_at: datetime, **given: object) -> Visit:
        """Put a visit where the test wants it, past all rules."""
        visit.status = VisitStatus.BOOKED
        visit.clinician_id = clinician.id
        visit.starts_at, visit.ends_at = starts_at, starts_at + timedelta(minutes=visit.minutes)
        for name, value in given.items():
            setattr(visit, name, value)
        self.session.flush()
        return visit


def make_agency(session: Session, **given: object) -> TestAgency:
    return TestAgency(session, make_branch(session, **given))  # type: ignore[arg-type]
