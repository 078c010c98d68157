"""A small branch of which a script says what happens on which day: people, orders, visits, records.

Every deed leaves behind what the product's own verbs leave, and tells of it as they do.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Any

from coordinator.care.model import Assessment, Conference, RightsTalk
from coordinator.core.work import Actor, Work
from coordinator.deadlines import service
from coordinator.deadlines.book import open_rows
from coordinator.domain import events
from coordinator.domain.care import AssessmentStatus, ConferenceStatus, ContactMode, InstrumentCode, Respondent
from coordinator.domain.timeline import at_wall_clock, local_day
from coordinator.domain.vocabulary import (
    AbsencePurpose,
    AssessmentKind,
    DeadlineWaiver,
    Determination,
    Discipline,
    EncounterModality,
    OrderStatus,
    PractitionerType,
    VisitKind,
    VisitStatus,
)
from coordinator.episodes.model import ComprehensiveAssessment, FaceToFace, HomeAbsence, HomeboundAssessment
from coordinator.orders.model import CarePlan, Order
from coordinator.patients.model import Episode, Patient
from coordinator.staff.model import Clinician, Credential
from coordinator.visits.model import Supervision, Visit
from coordinator.visits.oversight_model import AideObservation, AssistantSupervision
from coordinator.visits.payment_model import AdmissionNotice
from tests.builders import make_order, make_visit
from tests.deadlines.kit import PACIFIC

D = timedelta
Deed = Callable[[Work], None]


@dataclass
class Person:
    patient_id: int
    episode_id: int
    plan_id: int
    nurse_id: int
    #: Orders and visits by the names that the script gives them.
    rows: dict[str, int] = field(default_factory=dict)


@dataclass
class Town:
    """The branch, its people, and what happens on which day, at noon."""

    first: date
    last: date
    branch_id: int
    manager: Actor
    people: dict[str, Person]
    aide_id: int
    therapist_id: int
    vocational_id: int
    #: Of the physician who certifies.
    npi: str
    deeds: dict[date, list[Deed]] = field(default_factory=dict)

    def on(self, day: date, deed: Deed) -> None:
        if self.first <= day <= self.last:
            self.deeds.setdefault(day, []).append(deed)

    def admit(self, name: str, soc: date) -> None:
        def deed(work: Work) -> None:
            person = self.people[name]
            work.session.get_one(Episode, person.episode_id).soc_date = soc
            work.session.flush()
            work.publish(events.PatientAdmitted(person.patient_id, person.episode_id, soc))

        self.on(soc, deed)

    def order(
        self, name: str, key: str, written: date, first: date, last: date, number: int, *,
        discipline: Discipline = Discipline.SN, signed: date | None = None,
    ) -> None:  # fmt: skip
        """Signed at once; or taken verbally, and signed on a later day. It expires on the day after its last."""

        def take(work: Work) -> None:
            person, heard = self.people[name], None if signed is None else work.now
            row = make_order(
                work.session, work.session.get_one(Episode, person.episode_id),
                work.session.get_one(CarePlan, person.plan_id), discipline,
                status=OrderStatus.ACTIVE_SIGNED if signed is None else OrderStatus.ACTIVE_VERBAL,
                effective_from=first, effective_to=last, certification_number=number, verbal_received_at=heard,
                responsible_signed_at=heard,
            )  # fmt: skip
            person.rows[key] = row.id
            work.publish(events.OrderActivated(row.id, verbal=heard is not None))

        def sign(work: Work) -> None:
            row = work.session.get_one(Order, self.people[name].rows[key])
            row.status, row.signed_at = OrderStatus.ACTIVE_SIGNED, work.now
            work.session.flush()
            work.publish(events.OrderSigned(row.id, was_live=True))

        def expire(work: Work) -> None:
            row = work.session.get_one(Order, self.people[name].rows[key])
            if row.status is OrderStatus.ACTIVE_SIGNED:
                row.status = OrderStatus.EXPIRED
                work.session.flush()
                work.publish(events.OrderEnded(row.id, "expired", last + D(days=1)))

        self.on(written, take)
        if signed is not None:
            self.on(signed, sign)
        self.on(last + D(days=1), expire)

    def visit(
        self, name: str, day: date, kind: VisitKind = VisitKind.ROUTINE, *, discipline: Discipline = Discipline.SN,
        by: int | None = None, hour: int = 10, key: str = "", note: bool = True, under: str | None = None,
    ) -> None:  # fmt: skip
        """Made on that day; its note is signed at once, unless `note` says that it is not. `under`: the order's key."""

        def deed(work: Work) -> None:
            person, begins = self.people[name], at_wall_clock(day, time(hour), PACIFIC)
            row = make_visit(
                work.session, work.session.get_one(Patient, person.patient_id),
                work.session.get_one(Episode, person.episode_id), discipline=discipline, kind=kind,
                status=VisitStatus.NOTE_SIGNED if note else VisitStatus.COMPLETED, clinician_id=by or person.nurse_id,
                window_from=day, window_to=day, starts_at=begins, ends_at=begins + D(minutes=45),
                actual_start_at=begins, actual_end_at=begins + D(minutes=45),
                order_id=None if under is None else person.rows[under],
            )  # fmt: skip
            person.rows[key or f"visit {day} {hour}"] = row.id
            work.publish(events.VisitCompleted(row.id))

        self.on(day, deed)

    def by_hand(self, day: date, rule: str, subject: Callable[[], str], *, waived: bool = False) -> None:
        """The clinical manager says that it is done, or waives it."""

        def deed(work: Work) -> None:
            (row,) = open_rows(work, subject=subject(), rules=[rule])
            acting = Work(work.session, self.manager, work.now, work.policy, work.handlers, trail=work.trail)
            if waived:
                service.waive(acting, row.id, DeadlineWaiver.NOT_APPLICABLE, "does not apply")
            else:
                service.done(acting, row.id, "done")

        self.on(day, deed)

    def episode(self, name: str, part: str = "") -> Callable[[], str]:
        number = self.people[name].episode_id
        return lambda: f"episode:{number}:{part}" if part else f"episode:{number}"


def assess(town: Town, name: str, soc: date) -> Deed:
    """The assessment that opens the case is complete."""

    def deed(work: Work) -> None:
        person, today = town.people[name], local_day(work.now, PACIFIC)
        work.session.add(
            ComprehensiveAssessment(
                patient_id=person.patient_id, episode_id=person.episode_id, kind=AssessmentKind.START_OF_CARE,
                event_on=soc, completed_on=today, due_on=today, clinician_id=person.nurse_id, recorded_at=work.now,
            )
        )  # fmt: skip
        work.session.flush()
        kind = AssessmentKind.START_OF_CARE.value
        work.publish(events.AssessmentCompleted(person.patient_id, person.episode_id, kind, soc, today, late=False))

    return deed


def write_note(town: Town, key: str) -> Deed:
    def deed(work: Work) -> None:
        work.session.get_one(Visit, town.people["A"].rows[key]).status = VisitStatus.NOTE_SIGNED

    return deed


def supervise(town: Town, day: date, name: str = "A") -> Deed:
    def deed(work: Work) -> None:
        person = town.people[name]
        work.session.add(
            Supervision(
                patient_id=person.patient_id, aide_id=town.aide_id, supervisor_id=person.nurse_id, supervised_on=day,
                method="on_site", concern=False, recorded_at=work.now,
            )
        )  # fmt: skip
        work.session.flush()
        work.publish(events.AideSupervised(person.patient_id, day))

    return deed


def away(town: Town) -> Deed:
    def deed(work: Work) -> None:
        person = town.people["B"]
        work.session.get_one(Episode, person.episode_id).on_hold_since = work.now
        work.session.flush()
        work.publish(events.EpisodeHeld(person.patient_id, person.episode_id, work.now))

    return deed


def home(town: Town) -> Deed:
    def deed(work: Work) -> None:
        person = town.people["B"]
        work.session.get_one(Episode, person.episode_id).on_hold_since = None
        work.session.flush()
        work.publish(events.EpisodeResumed(person.patient_id, person.episode_id))

    return deed


def extend(town: Town, ends_on: date) -> Deed:
    def deed(work: Work) -> None:
        patient = work.session.get_one(Patient, town.people["B"].patient_id)
        patient.coverages[0].ends_on = ends_on

    return deed


def renew(town: Town, issued_on: date) -> Deed:
    def deed(work: Work) -> None:
        nurse = work.session.get_one(Clinician, town.people["B"].nurse_id)
        nurse.credentials.append(
            Credential(kind="licence", issued_on=issued_on, expires_on=date(2030, 2, 28), status="active")
        )

    return deed


def discharge(town: Town, on: date) -> Deed:
    def deed(work: Work) -> None:
        person = town.people["C"]
        episode = work.session.get_one(Episode, person.episode_id)
        episode.discharged_on, episode.discharge_reason = on, "goals_met"
        work.session.flush()
        work.publish(events.PatientDischarged(person.patient_id, person.episode_id, on, "goals_met"))

    return deed


# ------------------------------------------------------------------------------------ encounter, home, the care team


def meet(town: Town, name: str, day: date) -> Deed:
    """The practitioner who certifies has seen the patient about the reason for home care."""

    def deed(work: Work) -> None:
        person = town.people[name]
        work.session.add(
            FaceToFace(
                patient_id=person.patient_id, episode_id=person.episode_id, encounter_on=day,
                modality=EncounterModality.IN_PERSON, performer_type=PractitionerType.MD,
                performer_npi=town.npi, related_to_primary_reason=True, recorded_at=work.now,
            )
        )  # fmt: skip
        work.session.flush()
        work.publish(events.FaceToFaceRecorded(person.patient_id, person.episode_id, day, valid=True))

    return deed


def go_out(town: Town, name: str) -> Deed:
    """An outing for no care and without effort is in the log."""

    def deed(work: Work) -> None:
        person, today = town.people[name], local_day(work.now, PACIFIC)
        work.session.add(
            HomeAbsence(
                patient_id=person.patient_id, episode_id=person.episode_id, day=today, purpose=AbsencePurpose.OTHER,
                minutes=60, taxing_effort=False, recorded_at=work.now,
            )
        )  # fmt: skip
        work.session.flush()
        work.publish(events.AbsencePatternNoticed(person.patient_id, person.episode_id, today, today))

    return deed


def look_at_home(town: Town, name: str) -> Deed:
    """Homebound status is assessed."""

    def deed(work: Work) -> None:
        person, today = town.people[name], local_day(work.now, PACIFIC)
        work.session.add(
            HomeboundAssessment(
                patient_id=person.patient_id, episode_id=person.episode_id, assessed_on=today, leaves={},
                result=Determination.NOT_MET, recorded_at=work.now,
            )
        )  # fmt: skip
        work.session.flush()
        work.publish(events.HomeboundAssessed(person.patient_id, person.episode_id, today, "not_met"))

    return deed


def tell_of_rights(town: Town, name: str) -> Deed:
    def deed(work: Work) -> None:
        person, today = town.people[name], local_day(work.now, PACIFIC)
        work.session.add(
            RightsTalk(
                patient_id=person.patient_id, episode_id=person.episode_id, told_on=today, language="en", written=True,
                recorded_at=work.now,
            )
        )  # fmt: skip
        work.session.flush()
        work.publish(events.RightsExplained(person.patient_id, person.episode_id, today))

    return deed


def tell_payer(town: Town, name: str) -> Deed:
    """The notice of admission goes out."""

    def deed(work: Work) -> None:
        person, today = town.people[name], local_day(work.now, PACIFIC)
        work.session.add(AdmissionNotice(episode_id=person.episode_id, submitted_on=today, recorded_at=work.now))
        work.session.flush()
        work.publish(events.AdmissionNoticeSubmitted(person.patient_id, person.episode_id))

    return deed


def confer(town: Town, name: str, *, counts: bool = True) -> Deed:
    """The team met; without its quorum that does not count."""

    def deed(work: Work) -> None:
        person, today = town.people[name], local_day(work.now, PACIFIC)
        row = Conference(
            branch_id=town.branch_id, patient_id=person.patient_id, episode_id=person.episode_id, held_on=today,
            status=ConferenceStatus.CLOSED, counts=counts, opened_at=work.now, closed_at=work.now,
        )  # fmt: skip
        work.session.add(row)
        work.session.flush()
        work.publish(events.ConferenceClosed(row.id, person.patient_id, person.episode_id, today, counts))

    return deed


def take(town: Town, name: str, code: InstrumentCode) -> Deed:
    """An instrument is taken, complete, with nothing that asks for more."""

    def deed(work: Work) -> None:
        person, today = town.people[name], local_day(work.now, PACIFIC)
        values: dict[str, Any] = {"answers": {}, "complete": True, "structure": "1", "total": 0}
        row = Assessment(
            patient_id=person.patient_id, episode_id=person.episode_id, instrument=code, assessed_at=work.now,
            assessed_on=today, respondent=Respondent.PATIENT, mode=ContactMode.HOME, status=AssessmentStatus.FINAL,
            recorded_at=work.now, **values,
        )  # fmt: skip
        work.session.add(row)
        work.session.flush()
        work.publish(
            events.AssessmentRecorded(
                row.id, person.patient_id, person.episode_id, code.value, today, complete=True, performer="RN"
            )
        )

    return deed


# ------------------------------------------------------------------------------------ aides and assistants


def observe(town: Town, name: str) -> Deed:
    """The aide is watched giving care to that patient."""

    def deed(work: Work) -> None:
        person, today = town.people[name], local_day(work.now, PACIFIC)
        row = AideObservation(
            aide_id=town.aide_id, patient_id=person.patient_id, observer_id=person.nurse_id, observed_on=today,
            passed=True, recorded_at=work.now,
        )  # fmt: skip
        work.session.add(row)
        work.session.flush()
        work.publish(events.AideObserved(row.id, person.patient_id, town.aide_id, today, passed=True, concern_id=None))

    return deed


def stand_behind(town: Town, name: str) -> Deed:
    """The nurse sees to the vocational nurse's work with that patient."""

    def deed(work: Work) -> None:
        person, today = town.people[name], local_day(work.now, PACIFIC)
        work.session.add(
            AssistantSupervision(
                patient_id=person.patient_id, assistant_id=town.vocational_id, supervisor_id=person.nurse_id,
                supervised_on=today, recorded_at=work.now,
            )
        )  # fmt: skip
        work.session.flush()
        work.publish(events.AssistantSupervised(person.patient_id, town.vocational_id, "LVN", today))

    return deed
