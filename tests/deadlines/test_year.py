"""A year of nights over a small branch: the book holds exactly the rows that plain date arithmetic says, and no other.

The script below is what happens; `_expected` counts its days by hand, with `timedelta` and holidays that are
written out, so that it shares no line with the rules. The year crosses both clock changes, a leap day and New Year.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, time, timedelta

import pytest

from coordinator.core.db import Database
from coordinator.core.work import Actor, Work
from coordinator.deadlines import service
from coordinator.deadlines.book import open_rows
from coordinator.deadlines.remind import look_after
from coordinator.domain import events
from coordinator.domain.timeline import at_wall_clock, local_day
from coordinator.domain.vocabulary import (
    AssessmentKind,
    DeadlineWaiver,
    Discipline,
    OrderStatus,
    Payer,
    Performer,
    Programme,
    VisitKind,
    VisitStatus,
)
from coordinator.episodes.model import ComprehensiveAssessment
from coordinator.orders.model import CarePlan, Order
from coordinator.patients.model import Coverage, Episode, Patient
from coordinator.staff.model import Clinician, Credential
from coordinator.visits.model import Supervision, Visit
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
from tests.conftest import WorkAs, actor_with
from tests.deadlines.kit import PACIFIC, book

D = timedelta
FIRST, LAST = date(2027, 11, 1), date(2028, 11, 10)  # clocks change on 7 November, 12 March and 5 November
DONE, OPEN, SUPERSEDED, WAIVED = "done", "open", "superseded", "waived"

#: Of Medicare, with nursing and an aide all year, and therapy for seven weeks.
A_SOC, A_PERIODS, A_LATE = date(2027, 11, 3), range(1, 8), 3
AIDE_FIRST = date(2027, 11, 8)
#: Supervised in time, once late (due on 28 December), and then every thirteen days.
SUPERVISED = [date(2027, 11, 18), date(2027, 12, 2), date(2027, 12, 14)] + [
    date(2028, 1, 3) + D(days=13 * step) for step in range(24)
]
THERAPY, REASSESSED = (date(2027, 11, 10), date(2027, 12, 31)), [date(2027, 11, 10), date(2027, 12, 8)]
#: Of the health plan: a pause of nursing, an order that came four days late, a stay in hospital over the leap day.
B_SOC, B_PERIODS, B_LATE, B_LATE_ON = date(2027, 11, 24), range(1, 7), 3, date(2028, 3, 27)
B_NURSED = [B_SOC + D(days=7 * week) for week in range(8)]
B_NURSED += [B_NURSED[-1] + D(days=66 + 14 * step) for step in range(17)]
B_AWAY, B_HOME, B_SEEN = date(2028, 2, 27), date(2028, 3, 2), date(2028, 3, 3)
B_COVERED_TO, B_EXTENDED = date(2028, 5, 31), date(2028, 5, 20)
B_LICENCE, B_RENEWED = date(2028, 2, 29), date(2028, 2, 10)
#: Discharged in the second period.
C_SOC, C_DISCHARGED = date(2027, 12, 20), date(2028, 2, 24)
#: A nurse every day for 22 days, over the leap day and the clock change of 12 March; no order afterwards.
D_SOC, D_DAYS, D_PERIODS = date(2028, 2, 21), 22, range(1, 6)


def _period(soc: date, number: int) -> tuple[date, date]:
    return soc + D(days=60 * (number - 1)), soc + D(days=60 * number - 1)


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

    branch_id: int
    manager: Actor
    people: dict[str, Person]
    aide_id: int
    therapist_id: int
    deeds: dict[date, list[Callable[[Work], None]]] = field(default_factory=dict)

    def on(self, day: date, deed: Callable[[Work], None]) -> None:
        if FIRST <= day <= LAST:
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
        by: int | None = None, hour: int = 10, key: str = "", note: bool = True,
    ) -> None:  # fmt: skip
        """Made on that day; its note is signed at once, unless `note` says that it is not."""

        def deed(work: Work) -> None:
            person, begins = self.people[name], at_wall_clock(day, time(hour), PACIFIC)
            row = make_visit(
                work.session, work.session.get_one(Patient, person.patient_id),
                work.session.get_one(Episode, person.episode_id), discipline=discipline, kind=kind,
                status=VisitStatus.NOTE_SIGNED if note else VisitStatus.COMPLETED, clinician_id=by or person.nurse_id,
                window_from=day, window_to=day, starts_at=begins, ends_at=begins + D(minutes=45),
                actual_start_at=begins, actual_end_at=begins + D(minutes=45),
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


@pytest.fixture
def town(database: Database) -> Town:
    with database.transaction() as session:
        branch = make_branch(session)
        physician = make_physician(session)
        far = date(2029, 6, 30)
        people = {}
        for name in "ABCD":
            medicare = name == "A"
            payer = Payer.MEDICARE if medicare else Payer.KP
            ends_on = B_COVERED_TO if name == "B" else None
            patient = make_patient(
                session, branch, coverages=[Coverage(payer=payer, starts_on=date(2020, 1, 1), ends_on=ends_on)]
            )
            programme = Programme.MEDICARE_HH if medicare else Programme.KP_HBPC
            episode = make_episode(session, patient, soc=None, programme=programme, payer=payer)
            nurse = make_clinician(session, branch, expires_on=B_LICENCE if name == "B" else far)
            plan = make_care_plan(session, episode, physician)
            people[name] = Person(patient.id, episode.id, plan.id, nurse.id)
        aide = make_clinician(session, branch, Performer.CHHA, expires_on=far)
        therapist = make_clinician(session, branch, Performer.PT, expires_on=date(2028, 12, 31))
        manager = actor_with("clinical_manager", branch_ids=frozenset({branch.id}))
        town = Town(branch.id, manager, people, aide.id, therapist.id)
    _script(town)
    return town


def _script(town: Town) -> None:
    # A: everything in its time, but for one recertification.
    town.admit("A", A_SOC)
    for number in A_PERIODS:
        first, last = _period(A_SOC, number)
        written = first if number == 1 else first - D(days=3)
        town.order("A", f"SN{number}", written, first, last, number, signed=written + D(days=12))
        assessed = last + D(days=2) if number == A_LATE else first + D(days=57)
        town.visit("A", assessed, VisitKind.RECERTIFICATION, hour=14)
        if number < 6:
            town.by_hand(last - D(days=1), "CERT-04", town.episode("A"))
    town.on(A_SOC + D(days=4), _assess(town, "A", A_SOC))
    town.by_hand(A_SOC + D(days=2), "PAY-02", town.episode("A"), waived=True)
    town.by_hand(A_SOC + D(days=1), "VIS-05", lambda: f"order:{town.people['A'].rows['SN1']}:schedule")
    day = A_SOC
    while day <= LAST:
        town.visit("A", day)
        day += D(days=7)
    town.visit("A", date(2028, 3, 10), hour=8, key="friday", note=False)
    town.visit("A", date(2028, 3, 11), hour=8, key="saturday", note=False)
    town.on(date(2028, 3, 20), _write_note(town, "friday"))
    town.order("A", "HHA", A_SOC, A_SOC, date(2028, 12, 26), 1, discipline=Discipline.HHA)
    for week in range(4):
        town.visit("A", AIDE_FIRST + D(days=7 * week), discipline=Discipline.HHA, by=town.aide_id, hour=16)
    for day in SUPERVISED:
        town.on(day, _supervise(town, day))
    town.by_hand(date(2027, 12, 20), "INT-03", lambda: f"patient:{town.people['A'].patient_id}:aide")
    town.order("A", "PT", THERAPY[0], *THERAPY, 1, discipline=Discipline.PT)
    for day, kind in zip(REASSESSED, (VisitKind.EVALUATION, VisitKind.REASSESSMENT), strict=True):
        town.visit("A", day, kind, discipline=Discipline.PT, by=town.therapist_id, hour=12)
    town.by_hand(THERAPY[1] + D(days=2), "DIS-03", town.episode("A", "PT"))
    # B
    town.admit("B", B_SOC)
    for number in B_PERIODS:
        first, last = _period(B_SOC, number)
        if number == B_LATE:
            town.order("B", f"SN{number}", B_LATE_ON, B_LATE_ON, last, number)
        else:
            town.order("B", f"SN{number}", first if number == 1 else first - D(days=3), first, last, number)
    for day in B_NURSED:
        town.visit("B", day)
    town.on(B_AWAY, _away(town))
    town.on(B_HOME, _home(town))
    town.visit("B", B_SEEN, VisitKind.RESUMPTION)
    town.by_hand(B_AWAY + D(days=1), "DIS-02", town.episode("B", "transfer"))
    town.on(B_EXTENDED, _extend(town))
    town.on(B_RENEWED, _renew(town))
    # C
    town.admit("C", C_SOC)
    for number in (1, 2):
        first, last = _period(C_SOC, number)
        town.order("C", f"SN{number}", first if number == 1 else first - D(days=3), first, last, number)
    for week in range(10):
        town.visit("C", C_SOC + D(days=7 * week))
    town.visit("C", C_SOC + D(days=57), VisitKind.RECERTIFICATION, hour=14)
    town.on(C_SOC + D(days=3), _assess(town, "C", C_SOC))
    town.on(C_DISCHARGED, _discharge(town))
    town.by_hand(C_DISCHARGED + D(days=6), "DIS-02", town.episode("C", "summary"))
    # D
    town.admit("D", D_SOC)
    town.order("D", "SN1", D_SOC, *_period(D_SOC, 1), 1)
    for days in range(D_DAYS):
        town.visit("D", D_SOC + D(days=days))


def _assess(town: Town, name: str, soc: date) -> Callable[[Work], None]:
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


def _write_note(town: Town, key: str) -> Callable[[Work], None]:
    def deed(work: Work) -> None:
        work.session.get_one(Visit, town.people["A"].rows[key]).status = VisitStatus.NOTE_SIGNED

    return deed


def _supervise(town: Town, day: date) -> Callable[[Work], None]:
    def deed(work: Work) -> None:
        person = town.people["A"]
        work.session.add(
            Supervision(
                patient_id=person.patient_id, aide_id=town.aide_id, supervisor_id=person.nurse_id, supervised_on=day,
                method="on_site", concern=False, recorded_at=work.now,
            )
        )  # fmt: skip
        work.session.flush()
        work.publish(events.AideSupervised(person.patient_id, day))

    return deed


def _away(town: Town) -> Callable[[Work], None]:
    def deed(work: Work) -> None:
        person = town.people["B"]
        work.session.get_one(Episode, person.episode_id).on_hold_since = work.now
        work.session.flush()
        work.publish(events.EpisodeHeld(person.patient_id, person.episode_id, work.now))

    return deed


def _home(town: Town) -> Callable[[Work], None]:
    def deed(work: Work) -> None:
        person = town.people["B"]
        work.session.get_one(Episode, person.episode_id).on_hold_since = None
        work.session.flush()
        work.publish(events.EpisodeResumed(person.patient_id, person.episode_id))

    return deed


def _extend(town: Town) -> Callable[[Work], None]:
    def deed(work: Work) -> None:
        patient = work.session.get_one(Patient, town.people["B"].patient_id)
        patient.coverages[0].ends_on = date(2029, 5, 31)

    return deed


def _renew(town: Town) -> Callable[[Work], None]:
    def deed(work: Work) -> None:
        nurse = work.session.get_one(Clinician, town.people["B"].nurse_id)
        nurse.credentials.append(
            Credential(kind="licence", issued_on=B_RENEWED, expires_on=date(2030, 2, 28), status="active")
        )

    return deed


def _discharge(town: Town) -> Callable[[Work], None]:
    def deed(work: Work) -> None:
        person = town.people["C"]
        episode = work.session.get_one(Episode, person.episode_id)
        episode.discharged_on, episode.discharge_reason = C_DISCHARGED, "goals_met"
        work.session.flush()
        work.publish(events.PatientDischarged(person.patient_id, person.episode_id, C_DISCHARGED, "goals_met"))

    return deed


# ------------------------------------------------------------------------------------ counted by hand

#: State offices are closed on these days of the year (Government Code 19853), as far as a signature's days cross them.
CLOSED = {
    date(2027, 11, 11), date(2027, 11, 25), date(2027, 11, 26), date(2027, 12, 25), date(2028, 1, 1),
    date(2028, 1, 17), date(2028, 2, 21), date(2028, 3, 31), date(2028, 5, 29), date(2028, 7, 4), date(2028, 9, 4),
    date(2028, 11, 10), date(2028, 11, 23), date(2028, 11, 24), date(2028, 12, 25),
}  # fmt: skip

#: What recurs for the care team, the encounter (test_papers) and an aide's yearly observation have their own tests.
OF_THE_TEAM = frozenset({"ACP-01", "F2F-01", "IDT-02", "INS-08", "SUP-03"})

Row = tuple[str, str, str, date, str]


def _thirty_working_days(since: date) -> date:
    day, left = since, 30
    while left:
        day += D(days=1)
        if day.isoweekday() < 6 and day not in CLOSED:
            left -= 1
    return day


def _expected(town: Town, credentials: dict[int, list[int]]) -> set[Row]:
    a, b, c, d = (town.people[name] for name in "ABCD")
    rows: set[Row] = set()

    def owed(rule: str, task: str, subject: str, due: date, status: str) -> None:
        rows.add((rule, task, subject, due, status))

    # A
    owed("ASM-01", "comprehensive-assessment", f"episode:{a.episode_id}", A_SOC + D(days=5), DONE)
    owed("PAY-02", "notice-of-admission", f"episode:{a.episode_id}", A_SOC + D(days=5), WAIVED)
    for number in A_PERIODS:
        first, last = A_SOC + D(days=60 * number - 60), A_SOC + D(days=60 * number - 1)
        going = number == 7
        order = f"order:{a.rows[f'SN{number}']}"
        written = first if number == 1 else first - D(days=3)
        owed("CERT-02", "recertify", f"episode:{a.episode_id}", last, OPEN if going else DONE)
        owed("ORD-06", "sign-order", order, _thirty_working_days(written), DONE)
        owed(
            "VIS-05", "written-schedule", f"{order}:schedule", first + D(days=6),
            DONE if number == 1 else OPEN if going else SUPERSEDED,
        )  # fmt: skip
        if not going:
            owed("CERT-04", "review-plan", f"episode:{a.episode_id}", last, DONE if number < 6 else OPEN)
            owed("ORD-01", "renew-order", order, last, DONE)
            owed("DIS-04", "noncoverage-notice", f"episode:{a.episode_id}:notice", last - D(days=2), SUPERSEDED)
    owed("VIS-05", "written-schedule", f"order:{a.rows['HHA']}:schedule", A_SOC + D(days=6), OPEN)
    for counted_from in [AIDE_FIRST, *SUPERVISED]:
        status = OPEN if counted_from == SUPERVISED[-1] else DONE
        owed("SUP-01", "supervise-aide", f"patient:{a.patient_id}", counted_from + D(days=14), status)
    owed("INT-03", "review-aide-care", f"patient:{a.patient_id}:aide", AIDE_FIRST + D(days=45), DONE)
    owed("THX-01", "reassess-therapy", f"patient:{a.patient_id}:PT", date(2027, 12, 10), DONE)
    owed("THX-01", "reassess-therapy", f"patient:{a.patient_id}:PT", date(2028, 1, 7), SUPERSEDED)
    owed("VIS-05", "written-schedule", f"order:{a.rows['PT']}:schedule", date(2027, 11, 16), SUPERSEDED)
    owed("ORD-01", "renew-order", f"order:{a.rows['PT']}", date(2027, 12, 31), SUPERSEDED)
    owed("DIS-03", "discharge-discipline", f"episode:{a.episode_id}:PT", date(2028, 1, 2), DONE)
    # The note of Friday is due on Saturday; that of Saturday two times 24 hours later, although Sunday has but 23.
    owed("VIS-03", "sign-note", f"visit:{a.rows['friday']}", date(2028, 3, 11), DONE)
    owed("VIS-03", "sign-note", f"visit:{a.rows['saturday']}", date(2028, 3, 13), OPEN)
    owed("VIS-03", "late-note", f"visit:{a.rows['saturday']}:incident", date(2028, 3, 21), OPEN)
    # B
    owed("ASM-01", "comprehensive-assessment", f"episode:{b.episode_id}", B_SOC + D(days=5), OPEN)
    owed("ASM-03", "late-assessment", f"episode:{b.episode_id}:late", B_SOC + D(days=6), OPEN)
    for number in B_PERIODS:
        first, last = B_SOC + D(days=60 * number - 60), B_SOC + D(days=60 * number - 1)
        order = f"order:{b.rows[f'SN{number}']}"
        # The visit after the hospital was an assessment: late for the first period, too early for the second.
        owed("CERT-02", "recertify", f"episode:{b.episode_id}", last, DONE if number == 1 else OPEN)
        owed("CERT-04", "review-plan", f"episode:{b.episode_id}", last, OPEN)
        renewed = {2: SUPERSEDED, 6: OPEN}.get(number, DONE)
        owed("ORD-01", "renew-order", order, last, renewed)
        since = B_LATE_ON if number == B_LATE else first
        owed("VIS-05", "written-schedule", f"{order}:schedule", since + D(days=6), OPEN if number == 6 else SUPERSEDED)
    owed("CERT-03", "order-next-period", f"episode:{b.episode_id}", date(2028, 3, 23), DONE)
    owed("DIS-03", "discharge-discipline", f"episode:{b.episode_id}:SN", date(2028, 3, 24), SUPERSEDED)
    owed("CERT-05", "idle-plan", f"episode:{b.episode_id}", date(2028, 3, 12), DONE)
    owed("DIS-02", "transfer-summary", f"episode:{b.episode_id}:transfer", date(2028, 2, 29), DONE)
    owed("ASM-01", "transfer-assessment", f"episode:{b.episode_id}:transfer", date(2028, 2, 29), SUPERSEDED)
    owed("ASM-02", "resumption-visit", f"episode:{b.episode_id}", date(2028, 3, 4), DONE)
    owed("ELG-1", "coverage-ends", f"episode:{b.episode_id}:coverage", B_COVERED_TO, DONE)
    # C
    first_last, second_last = C_SOC + D(days=59), C_SOC + D(days=119)
    owed("ASM-01", "comprehensive-assessment", f"episode:{c.episode_id}", C_SOC + D(days=5), DONE)
    owed("CERT-02", "recertify", f"episode:{c.episode_id}", first_last, DONE)
    owed("CERT-02", "recertify", f"episode:{c.episode_id}", second_last, SUPERSEDED)
    owed("CERT-04", "review-plan", f"episode:{c.episode_id}", first_last, SUPERSEDED)
    owed("ORD-01", "renew-order", f"order:{c.rows['SN1']}", first_last, DONE)
    for key, due in (("SN1", C_SOC + D(days=6)), ("SN2", C_SOC + D(days=66))):
        owed("VIS-05", "written-schedule", f"order:{c.rows[key]}:schedule", due, SUPERSEDED)
    owed("ASM-01", "discharge-assessment", f"episode:{c.episode_id}:discharge", date(2028, 2, 26), OPEN)
    owed("DIS-02", "discharge-summary", f"episode:{c.episode_id}:summary", date(2028, 3, 2), DONE)
    owed("DIS-02", "close-record", f"episode:{c.episode_id}:record", date(2028, 3, 25), OPEN)
    # D
    owed("ASM-01", "comprehensive-assessment", f"episode:{d.episode_id}", D_SOC + D(days=5), OPEN)
    owed("ASM-03", "late-assessment", f"episode:{d.episode_id}:late", D_SOC + D(days=6), OPEN)
    for number in D_PERIODS:
        last = D_SOC + D(days=60 * number - 1)
        owed("CERT-02", "recertify", f"episode:{d.episode_id}", last, OPEN)
        if number < 5:
            owed("CERT-04", "review-plan", f"episode:{d.episode_id}", last, OPEN)
            status = OPEN if number == 4 else SUPERSEDED
            owed("CERT-03", "order-next-period", f"episode:{d.episode_id}", last + D(days=1), status)
    owed("ORD-01", "renew-order", f"order:{d.rows['SN1']}", date(2028, 4, 20), SUPERSEDED)
    owed("VIS-05", "written-schedule", f"order:{d.rows['SN1']}:schedule", date(2028, 2, 27), SUPERSEDED)
    owed("DIS-03", "discharge-discipline", f"episode:{d.episode_id}:SN", date(2028, 4, 22), OPEN)
    owed("INT-02", "end-daily-nursing", f"patient:{d.patient_id}:nursing", date(2028, 3, 12), SUPERSEDED)
    owed("CERT-05", "idle-plan", f"episode:{d.episode_id}", date(2028, 5, 12), OPEN)
    # Licences
    owed("CRD-01", "renew-credential", f"credential:{credentials[b.nurse_id][0]}", B_LICENCE, DONE)
    owed("CRD-01", "renew-credential", f"credential:{credentials[town.therapist_id][0]}", date(2028, 12, 31), OPEN)
    return rows


@pytest.mark.slow
def test_a_year_of_nights_opens_and_closes_exactly_what_counting_says(work_as: WorkAs, town: Town) -> None:
    day = FIRST
    while day <= LAST:
        with work_as(now=at_wall_clock(day, time(3, 15), PACIFIC)) as work:
            look_after(work, town.branch_id)
        if day in town.deeds:
            with work_as(now=at_wall_clock(day, time(12), PACIFIC)) as work:
                for deed in town.deeds[day]:
                    deed(work)
        day += D(days=1)
    with work_as(now=at_wall_clock(LAST, time(13), PACIFIC)) as work:
        held = {
            (row.rule, row.task, row.subject, row.due_on, row.status.value)
            for row in book(work)
            if row.rule not in OF_THE_TEAM
        }
        credentials: dict[int, list[int]] = {}
        for row in work.session.query(Credential).order_by(Credential.id):
            credentials.setdefault(row.clinician_id, []).append(row.id)
        expected = _expected(town, credentials)
        assert len(held) == len([row for row in book(work) if row.rule not in OF_THE_TEAM])  # none is doubled
        assert (sorted(held - expected), sorted(expected - held)) == ([], [])
        change = look_after(work, town.branch_id)
        assert (change.opened, change.closed, change.amended) == (0, 0, 0)  # asked again, nothing is new
