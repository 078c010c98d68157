"""A year of nights over a small branch: the book holds exactly the rows that plain date arithmetic says, and no other.

The script below is what happens; `_expected` counts its days by hand, with `timedelta` and holidays that are
written out, so that it shares no line with the rules. The year crosses both clock changes, a leap day and New Year.
Everything happens in the evening, when it is the next day already by Greenwich, and four nights nobody is there.
"""

from datetime import date, datetime, time, timedelta

import pytest

from coordinator.core.db import Database
from coordinator.deadlines.remind import look_after
from coordinator.domain.care import InstrumentCode
from coordinator.domain.timeline import at_wall_clock
from coordinator.domain.vocabulary import Discipline, Payer, Performer, Programme, VisitKind
from coordinator.patients.model import Caregiver, Coverage
from coordinator.staff.model import Credential
from tests.builders import (
    make_branch,
    make_care_plan,
    make_clinician,
    make_episode,
    make_patient,
    make_physician,
)
from tests.conftest import WorkAs, actor_with
from tests.deadlines.kit import PACIFIC, book
from tests.deadlines.town import (
    Person,
    Town,
    assess,
    away,
    confer,
    discharge,
    extend,
    go_out,
    home,
    look_at_home,
    meet,
    observe,
    renew,
    stand_behind,
    supervise,
    take,
    tell_of_rights,
    tell_payer,
    write_note,
)

D = timedelta
FIRST, LAST = date(2027, 11, 1), date(2028, 11, 10)  # clocks change on 7 November, 12 March and 5 November
DONE, OPEN, SUPERSEDED, WAIVED = "done", "open", "superseded", "waived"
#: The server is down in these nights; what they would have done is done in the night after.
DOWN = [date(2028, 6, 13) + timedelta(days=step) for step in range(4)]
#: How many days before its due day a row comes into the book, where a rule says so.
AHEAD = {
    ("ACP-01", "tell-of-rights"): 0, ("ASM-01", "comprehensive-assessment"): 5, ("ASM-01", "transfer-assessment"): 2,
    ("ASM-01", "discharge-assessment"): 2, ("ASM-02", "resumption-visit"): 2, ("ASM-03", "late-assessment"): 0,
    ("CERT-02", "recertify"): 59, ("CERT-03", "order-next-period"): 0, ("CERT-04", "review-plan"): 15,
    ("CERT-05", "idle-plan"): 15, ("CRD-01", "renew-credential"): 90, ("DIS-02", "close-record"): 30,
    ("DIS-03", "discharge-discipline"): 1, ("DIS-04", "noncoverage-notice"): 12, ("ELG-1", "coverage-ends"): 30,
    ("F2F-01", "obtain-encounter"): 30, ("HB-02", "review-homebound"): 0, ("IDT-02", "team-conference"): 15,
    ("INT-02", "end-daily-nursing"): 3, ("INT-03", "review-aide-care"): 14, ("ORD-01", "renew-order"): 14,
    ("PAY-02", "notice-of-admission"): 5, ("SUP-01", "supervise-aide"): 14, ("THX-01", "reassess-therapy"): 30,
    ("VIS-03", "late-note"): 0,
}  # fmt: skip

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
#: Of Medi-Cal, with an aide and nobody else: the nurse comes once, and watches the aide once.
E_SOC, E_FIRST, E_SUPERVISED, E_OBSERVED = date(2028, 1, 10), date(2028, 1, 12), date(2028, 3, 1), date(2028, 6, 1)
E_PERIODS = range(1, 7)
#: The team of C meets in time, then late; a meeting without its quorum counts for nothing.
C_MET = [C_SOC + D(days=days) for days in (14, 28, 45)]
#: Symptoms of C are rated every six days, the two items of mood at the start and in the window before day 60.
C_RATED = [C_SOC + D(days=3 + 6 * step) for step in range(10)]
C_MOOD, C_STRAIN, C_FAITH = [C_SOC + D(days=4), C_SOC + D(days=57)], C_SOC + D(days=5), C_SOC + D(days=10)
#: A vocational nurse comes to B, is stood behind, and comes again after that was due anew.
B_VOCATIONAL, B_STOOD_BEHIND = [date(2028, 5, 3), date(2028, 6, 20)], date(2028, 5, 20)


def _period(soc: date, number: int) -> tuple[date, date]:
    return soc + D(days=60 * (number - 1)), soc + D(days=60 * number - 1)


@pytest.fixture
def town(database: Database) -> Town:
    with database.transaction() as session:
        branch = make_branch(session)
        physician = make_physician(session)
        far = date(2029, 6, 30)
        people = {}
        for name in "ABCDE":
            programme, payer = {
                "A": (Programme.MEDICARE_HH, Payer.MEDICARE), "E": (Programme.MEDI_CAL_HH, Payer.MEDI_CAL),
            }.get(name, (Programme.KP_HBPC, Payer.KP))  # fmt: skip
            ends_on = B_COVERED_TO if name == "B" else None
            patient = make_patient(
                session, branch, coverages=[Coverage(payer=payer, starts_on=date(2020, 1, 1), ends_on=ends_on)]
            )
            episode = make_episode(session, patient, soc=None, programme=programme, payer=payer)
            nurse = make_clinician(session, branch, expires_on=B_LICENCE if name == "B" else far)
            plan = make_care_plan(session, episode, physician)
            people[name] = Person(patient.id, episode.id, plan.id, nurse.id)
        aide = make_clinician(session, branch, Performer.CHHA, expires_on=far)
        therapist = make_clinician(session, branch, Performer.PT, expires_on=date(2028, 12, 31))
        vocational = make_clinician(session, branch, Performer.LVN, expires_on=far)
        session.add(Caregiver(patient_id=people["C"].patient_id, name="Somebody", relation="spouse"))
        manager = actor_with("clinical_manager", branch_ids=frozenset({branch.id}))
        assert physician.npi is not None
        town = Town(FIRST, LAST, branch.id, manager, people, aide.id, therapist.id, vocational.id, physician.npi)
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
    town.on(A_SOC + D(days=4), assess(town, "A", A_SOC))
    town.on(A_SOC + D(days=2), tell_payer(town, "A"))
    town.by_hand(A_SOC + D(days=1), "VIS-05", lambda: f"order:{town.people['A'].rows['SN1']}:schedule")
    day = A_SOC
    while day <= LAST:
        town.visit("A", day)
        day += D(days=7)
    town.visit("A", date(2028, 3, 10), hour=8, key="friday", note=False)
    town.visit("A", date(2028, 3, 11), hour=8, key="saturday", note=False)
    town.on(date(2028, 3, 20), write_note(town, "friday"))
    town.order("A", "HHA", A_SOC, A_SOC, date(2028, 12, 26), 1, discipline=Discipline.HHA)
    for week in range(4):
        town.visit("A", AIDE_FIRST + D(days=7 * week), discipline=Discipline.HHA, by=town.aide_id, hour=16)
    for day in SUPERVISED:
        town.on(day, supervise(town, day))
    town.on(A_SOC + D(days=10), meet(town, "A", A_SOC - D(days=9)))
    town.on(A_SOC + D(days=1), tell_of_rights(town, "A"))
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
    town.on(B_AWAY, away(town))
    town.on(B_HOME, home(town))
    town.visit("B", B_SEEN, VisitKind.RESUMPTION)
    town.by_hand(B_AWAY + D(days=1), "DIS-02", town.episode("B", "transfer"))
    town.on(B_EXTENDED, extend(town, date(2029, 5, 31)))
    town.on(B_RENEWED, renew(town, B_RENEWED))
    for day in B_VOCATIONAL:
        town.visit("B", day, by=town.vocational_id, hour=15)
    town.on(B_STOOD_BEHIND, stand_behind(town, "B"))
    # C
    town.admit("C", C_SOC)
    for number in (1, 2):
        first, last = _period(C_SOC, number)
        town.order("C", f"SN{number}", first if number == 1 else first - D(days=3), first, last, number)
    for week in range(10):
        town.visit("C", C_SOC + D(days=7 * week))
    town.visit("C", C_SOC + D(days=57), VisitKind.RECERTIFICATION, hour=14)
    town.on(C_SOC + D(days=3), assess(town, "C", C_SOC))
    town.on(C_SOC + D(days=1), tell_of_rights(town, "C"))
    for day in C_MET:
        town.on(day, confer(town, "C"))
    town.on(C_SOC + D(days=50), confer(town, "C", counts=False))
    for code, days in (
        (InstrumentCode.ESAS_R, C_RATED), (InstrumentCode.PHQ_2, C_MOOD), (InstrumentCode.ZBI_12, [C_STRAIN]),
        (InstrumentCode.FICA, [C_FAITH]),
    ):  # fmt: skip
        for day in days:
            town.on(day, take(town, "C", code))
    town.on(C_DISCHARGED, discharge(town, C_DISCHARGED))
    town.by_hand(C_DISCHARGED + D(days=6), "DIS-02", town.episode("C", "summary"))
    # D
    town.admit("D", D_SOC)
    town.order("D", "SN1", D_SOC, *_period(D_SOC, 1), 1)
    for days in range(D_DAYS):
        town.visit("D", D_SOC + D(days=days))
    for day in (date(2028, 3, 20), date(2028, 3, 25), date(2028, 3, 28)):
        town.on(day, go_out(town, "D"))
    town.on(date(2028, 4, 1), look_at_home(town, "D"))
    # E
    town.admit("E", E_SOC)
    town.order("E", "HHA", E_SOC, E_SOC, date(2028, 12, 26), 1, discipline=Discipline.HHA)
    for week in range(4):
        town.visit("E", E_FIRST + D(days=7 * week), discipline=Discipline.HHA, by=town.aide_id, hour=12)
    town.on(E_SUPERVISED, supervise(town, E_SUPERVISED, "E"))
    town.on(E_OBSERVED, observe(town, "E"))
    review = f"patient:{town.people['E'].patient_id}:aide"
    town.by_hand(E_FIRST + D(days=40), "INT-03", lambda: review, waived=True)


# ------------------------------------------------------------------------------------ counted by hand

#: State offices are closed on these days of the year (Government Code 19853), as far as a signature's days cross them.
CLOSED = {
    date(2027, 11, 11), date(2027, 11, 25), date(2027, 11, 26), date(2027, 12, 25), date(2028, 1, 1),
    date(2028, 1, 17), date(2028, 2, 21), date(2028, 3, 31), date(2028, 5, 29), date(2028, 7, 4), date(2028, 9, 4),
    date(2028, 11, 10), date(2028, 11, 23), date(2028, 11, 24), date(2028, 12, 25),
}  # fmt: skip

Key = tuple[str, str, str, date]
Row = tuple[str, str, str, date, str]


def _thirty_working_days(since: date) -> date:
    day, left = since, 30
    while left:
        day += D(days=1)
        if day.isoweekday() < 6 and day not in CLOSED:
            left -= 1
    return day


def _expected(town: Town, credentials: dict[int, list[int]]) -> tuple[set[Row], dict[Key, date], dict[Key, date]]:
    """The rows, and on which days they were opened and closed, where that is counted."""
    a, b, c, d, e = (town.people[name] for name in "ABCDE")
    rows: set[Row] = set()
    opened: dict[Key, date] = {}
    closed: dict[Key, date] = {}

    def owed(
        rule: str, task: str, subject: str, due: date, status: str, *, since: date | None = None,
        until: date | None = None,
    ) -> None:  # fmt: skip
        rows.add((rule, task, subject, due, status))
        if since is None and (rule, task) in AHEAD:
            since = due - D(days=AHEAD[rule, task])
        if since is not None:
            opened[rule, task, subject, due] = DOWN[-1] + D(days=1) if since in DOWN else since
        if until is not None:
            closed[rule, task, subject, due] = until

    # A
    owed("ASM-01", "comprehensive-assessment", f"episode:{a.episode_id}", A_SOC + D(days=5), DONE)
    owed(
        "PAY-02", "notice-of-admission", f"episode:{a.episode_id}", A_SOC + D(days=5), DONE, until=A_SOC + D(days=2)
    )  # fmt: skip
    for number in A_PERIODS:
        first, last = A_SOC + D(days=60 * number - 60), A_SOC + D(days=60 * number - 1)
        going = number == 7
        order = f"order:{a.rows[f'SN{number}']}"
        written = first if number == 1 else first - D(days=3)
        assessed = last + D(days=2) if number == A_LATE else last - D(days=2)
        owed(
            "CERT-02", "recertify", f"episode:{a.episode_id}", last, OPEN if going else DONE,
            until=None if going else assessed,
        )  # fmt: skip
        owed(
            "ORD-06", "sign-order", order, _thirty_working_days(written), DONE, since=written,
            until=written + D(days=12),
        )  # fmt: skip
        owed(
            "VIS-05", "written-schedule", f"{order}:schedule", first + D(days=6),
            DONE if number == 1 else OPEN if going else SUPERSEDED, since=written,
        )  # fmt: skip
        if not going:
            owed("CERT-04", "review-plan", f"episode:{a.episode_id}", last, DONE if number < 6 else OPEN)
            owed("ORD-01", "renew-order", order, last, DONE, until=last - D(days=2))
            owed("DIS-04", "noncoverage-notice", f"episode:{a.episode_id}:notice", last - D(days=2), SUPERSEDED)
    owed("VIS-05", "written-schedule", f"order:{a.rows['HHA']}:schedule", A_SOC + D(days=6), OPEN)
    for counted_from, until in zip([AIDE_FIRST, *SUPERVISED], [*SUPERVISED, None], strict=True):
        status = OPEN if until is None else DONE
        owed("SUP-01", "supervise-aide", f"patient:{a.patient_id}", counted_from + D(days=14), status, until=until)
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
    owed("HB-02", "review-homebound", f"episode:{d.episode_id}:homebound", date(2028, 3, 25), DONE)
    # E
    owed("ASM-01", "comprehensive-assessment", f"episode:{e.episode_id}", E_SOC + D(days=5), OPEN)
    owed("ASM-03", "late-assessment", f"episode:{e.episode_id}:late", E_SOC + D(days=6), OPEN)
    for number in E_PERIODS:
        first, last = E_SOC + D(days=60 * number - 60), E_SOC + D(days=60 * number - 1)
        owed("CERT-02", "recertify", f"episode:{e.episode_id}", last, OPEN)
        if number < 6:
            owed("CERT-04", "review-plan", f"episode:{e.episode_id}", last, OPEN)
        if number > 1:
            status = OPEN if number == 6 else SUPERSEDED
            owed("CERT-03", "order-next-period", f"episode:{e.episode_id}", first, status)
    owed("CERT-05", "idle-plan", f"episode:{e.episode_id}", date(2028, 3, 10), OPEN)
    owed("VIS-05", "written-schedule", f"order:{e.rows['HHA']}:schedule", E_SOC + D(days=6), OPEN)
    owed("INT-03", "review-aide-care", f"patient:{e.patient_id}:aide", E_FIRST + D(days=45), WAIVED)
    owed("SUP-04", "supervise-aide", f"patient:{e.patient_id}", date(2028, 3, 12), DONE)
    owed("SUP-04", "supervise-aide", f"patient:{e.patient_id}", date(2028, 4, 30), OPEN)
    owed("SUP-04", "observe-aide-here", f"patient:{e.patient_id}:aide-{town.aide_id}", date(2028, 7, 12), DONE)
    owed("SUP-04", "observe-aide-here", f"patient:{e.patient_id}:aide-{town.aide_id}", date(2028, 12, 1), OPEN)
    # The encounter, by the thirtieth day; rights, on the first
    for person, soc, met, told in (
        (a, A_SOC, DONE, DONE), (b, B_SOC, OPEN, OPEN), (c, C_SOC, SUPERSEDED, DONE), (d, D_SOC, OPEN, OPEN),
        (e, E_SOC, OPEN, OPEN),
    ):  # fmt: skip
        owed("F2F-01", "obtain-encounter", f"episode:{person.episode_id}:encounter", soc + D(days=30), met)
        owed("ACP-01", "tell-of-rights", f"episode:{person.episode_id}:rights", soc, told)
    # The care team of the health plan; nothing recurs under Medicare and Medi-Cal
    for person, soc in ((b, B_SOC), (d, D_SOC)):
        owed("IDT-02", "team-conference", f"episode:{person.episode_id}", soc + D(days=15), OPEN)
        for code, days in (("ESAS-r", 5), ("PHQ-2", 5), ("FICA", 14)):
            owed("INS-08", "take-instrument", f"episode:{person.episode_id}:{code}", soc + D(days=days), OPEN)
    for counted_from, until in zip([C_SOC, *C_MET], [*C_MET, C_DISCHARGED], strict=True):
        status = SUPERSEDED if until == C_DISCHARGED else DONE
        due = counted_from + D(days=15)
        owed("IDT-02", "team-conference", f"episode:{c.episode_id}", due, status, until=until)
    for due, status in [
        (C_SOC + D(days=5), DONE), *((day + D(days=7), DONE) for day in C_RATED[:-1]),
        (C_RATED[-1] + D(days=7), SUPERSEDED),
    ]:  # fmt: skip
        owed("INS-08", "take-instrument", f"episode:{c.episode_id}:ESAS-r", due, status)
    for days, status in ((5, DONE), (59, DONE), (119, SUPERSEDED)):
        owed("INS-08", "take-instrument", f"episode:{c.episode_id}:PHQ-2", C_SOC + D(days=days), status)
    for due, status in ((C_SOC + D(days=5), DONE), (C_STRAIN + D(days=60), SUPERSEDED)):
        owed("INS-08", "take-instrument", f"episode:{c.episode_id}:ZBI-12", due, status)
    owed("INS-08", "take-instrument", f"episode:{c.episode_id}:FICA", C_SOC + D(days=14), DONE)
    # An aide's year and an assistant's month; 2028 has a day more
    owed("SUP-03", "observe-aide-yearly", f"aide:{town.aide_id}", date(2028, 11, 7), DONE)
    owed("SUP-03", "observe-aide-yearly", f"aide:{town.aide_id}", date(2029, 6, 1), OPEN)
    owed("SUP-05", "supervise-assistant", f"patient:{b.patient_id}:LVN", date(2028, 6, 2), DONE)
    owed("SUP-05", "supervise-assistant", f"patient:{b.patient_id}:LVN", date(2028, 6, 20), OPEN)
    # Licences
    owed("CRD-01", "renew-credential", f"credential:{credentials[b.nurse_id][0]}", B_LICENCE, DONE)
    owed("CRD-01", "renew-credential", f"credential:{credentials[town.therapist_id][0]}", date(2028, 12, 31), OPEN)
    return rows, opened, closed


@pytest.mark.slow
def test_a_year_of_nights_opens_and_closes_exactly_what_counting_says(work_as: WorkAs, town: Town) -> None:
    day = FIRST
    while day <= LAST:
        if day not in DOWN:
            with work_as(now=at_wall_clock(day, time(3, 15), PACIFIC)) as work:
                look_after(work, town.branch_id)
        if day in town.deeds:
            with work_as(now=at_wall_clock(day, time(19), PACIFIC)) as work:
                for deed in town.deeds[day]:
                    deed(work)
        day += D(days=1)
    with work_as(now=at_wall_clock(LAST, time(20), PACIFIC)) as work:
        held = {(row.rule, row.task, row.subject, row.due_on, row.status.value): row for row in book(work)}
        credentials: dict[int, list[int]] = {}
        for row in work.session.query(Credential).order_by(Credential.id):
            credentials.setdefault(row.clinician_id, []).append(row.id)
        expected, opened, closed = _expected(town, credentials)
        assert len(held) == len(book(work))  # none is doubled
        assert (sorted(held.keys() - expected), sorted(expected - held.keys())) == ([], [])
        assert _otherwise(opened, {key[:4]: row.opened_at for key, row in held.items()}) == {}
        assert _otherwise(closed, {key[:4]: row.closed_at for key, row in held.items()}) == {}
        change = look_after(work, town.branch_id)
        assert (change.opened, change.closed, change.amended) == (0, 0, 0)  # asked again, nothing is new


def _otherwise(counted: dict[Key, date], held: dict[Key, datetime | None]) -> dict[Key, tuple[date, date | None]]:
    """The days of San Francisco that are not those that were counted: (counted, found)."""
    days = {key: None if at is None else at.astimezone(PACIFIC).date() for key, at in held.items()}
    return {key: (day, days[key]) for key, day in counted.items() if days[key] != day}
