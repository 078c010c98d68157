"""A case in which everything is broken answers everything, in the order of Appendix A, at each of its doors."""

from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from coordinator.domain.vocabulary import (
    Discipline,
    Eligibility,
    Gender,
    HomeSafety,
    OrderStatus,
    Payer,
    Performer,
    Programme,
    VisitKind,
)
from coordinator.rules.facts import (
    AidePlanFacts,
    AssistantFacts,
    Authorisation,
    Enrolment,
    LocalWindow,
    Moment,
    NeighbourFacts,
    PrnFacts,
    QualifyingFacts,
    SupervisionFacts,
    TherapyFacts,
    UsageFacts,
    VisitCase,
)
from coordinator.rules.visit import ROWS, ask
from coordinator.rules.work_facts import Stretch, WorkFacts
from tests.rules.cases import (
    DAY,
    POLICY,
    local,
    make_case,
    make_clinician,
    make_credential,
    make_episode,
    make_order,
    make_patient,
    make_visit,
    make_week,
)

BEFORE = DAY - timedelta(days=1)
#: Asked again at the patient's door: orders, stays and licences change after a booking.
AT_THE_DOOR = {1, 4, 5, 8, 9}

PATIENT = make_patient(
    active=False, on_hold=True, coverage=(), eligibility=Eligibility.INELIGIBLE, address_in_area=False,
    home_safety=HomeSafety.UNSAFE, hazards=frozenset({"VIOLENCE"}), spoken_language="yue", interpreter_needed=True,
    preferred_gender=Gender.MALE, gender_required=True,
    no_visit_windows=(LocalWindow(time(0), time(0)), LocalWindow(time(17), time(6), dark=True)),
)  # fmt: skip
EPISODE = make_episode(
    programme=Programme.MEDICARE_HH, payer=Payer.MEDI_CAL, assessment_late_from=DAY - timedelta(days=30),
    enrolments=(Enrolment(Programme.HOSPICE, Payer.MEDICARE, date(2026, 11, 1)),),
    ordered_disciplines=frozenset(Discipline),
)  # fmt: skip
#: An order of another period, full, verbal since after the visit, with a treatment that nobody has learned.
ORDER = make_order(
    status=OrderStatus.DISCONTINUED, certification_number=2, week=make_week(used=2, used_on_day=1),
    required_skills=frozenset({"PICC"}), received_at=local("2026-11-10 23:30"), evaluation_complete=False,
    goals_set_by_therapist=False,
)  # fmt: skip
USAGE = UsageFacts(
    day_minutes=400, week_minutes=2090, nursing_days_before=30, authorisation=Authorisation(maximum=5, used=5)
)
CLINICIAN = make_clinician(
    credentials=(make_credential(expires_on=BEFORE),), excluded=True, aide_plan_acknowledged=False,
    declined_by_patient=True, blocked_tasks=frozenset({"ALL"}), last_observed_on=DAY - timedelta(days=400),
    last_paid_aide_work_on=DAY - timedelta(days=800),
)  # fmt: skip
STARTS, ENDS = local("2026-11-10 16:00"), local("2026-11-10 21:00")
FROM_SEVEN = Stretch(local("2026-11-10 07:00"), local("2026-11-10 15:50"))
NEAR = NeighbourFacts(
    local("2026-11-10 15:50"), 25, local("2026-11-10 21:05"), 25,
    work=WorkFacts(DAY, DAY - timedelta(days=2), (FROM_SEVEN, Stretch(STARTS, ENDS, 10)), (FROM_SEVEN,)),
)  # fmt: skip


def broken(discipline: Discipline, performer: Performer, kind: VisitKind = VisitKind.ROUTINE, **changes) -> VisitCase:
    """Whatever the discipline, with that performer: nothing is in order."""
    order = replace(ORDER, discipline=discipline, **changes.pop("order", {}))
    case = make_case(
        patient=PATIENT, episode=EPISODE, order=order, usage=USAGE, neighbours=NEAR,
        qualifying=QualifyingFacts(BEFORE), clinician=replace(CLINICIAN, performer=performer),
        visit=make_visit(kind=kind, discipline=discipline, starts_at=STARTS, ends_at=ENDS, minutes=300),
    )  # fmt: skip
    return replace(case, **changes)


LONG_AGO = DAY - timedelta(days=70)
AIDE = broken(
    Discipline.HHA, Performer.CHHA, aide_plan=AidePlanFacts(), supervision=SupervisionFacts(LONG_AGO, LONG_AGO)
)
CASES = {
    "nurse, as needed": broken(Discipline.SN, Performer.LVN, VisitKind.PRN, order={"prn": PrnFacts(1, 1, "dyspnea")}),
    "nurse opens the case": broken(Discipline.SN, Performer.LVN, VisitKind.INITIAL),
    "nurse teaches": broken(Discipline.SN, Performer.RN, VisitKind.TEACHING),
    "aide": AIDE,
    "aide alone": replace(AIDE, supervision=SupervisionFacts(LONG_AGO, LONG_AGO, skilled_service=False)),
    "therapy assistant": broken(
        Discipline.PT, Performer.PTA, order={"evaluate_and_treat": True, "evaluation_used": True, "week": None},
        therapy=TherapyFacts(LONG_AGO), assistant=AssistantFacts(LONG_AGO, therapist_reachable=False),
    ),
    "social worker": broken(Discipline.MSW, Performer.MSW),
}  # fmt: skip
CASES["the plan's own programme"] = replace(
    CASES["nurse teaches"],
    episode=replace(EPISODE, programme=Programme.KP_HBPC, payer=Payer.MEDICARE, enrolments=()),
)

#: What stands against every one of them.
EVERY = frozenset(
    [
        "PAT-01",
        "ASM-02",
        "ELG-1",
        "PRG-01",
        "ELG-6",
        "ASM-03",
        "CRD-01",
        "CRD-02",
        "LNG-01",
        "CUL-01",
        "LAB-01",
        "LAB-02",
        "LAB-04",
        "LAB-06",
        "INT-04",
    ]
)
#: And what against each besides.
BESIDES = {
    "nurse, as needed": "PRG-02 ORD-01 CERT-03 FRQ-05 INT-01 INT-02",
    "nurse opens the case": "PRG-02 INT-01 INT-02 ASM-01",
    "nurse teaches": "PRG-02 ORD-01 CERT-03 FRQ-03 INT-01 INT-02 CAR-01",
    "aide": "PRG-02 ORD-01 CERT-03 FRQ-03 QUAL-02 INT-01 INT-03 SUP-01 AID-03 SUP-02 SUP-03 AID-02",
    "aide alone": "PRG-02 ORD-01 CERT-03 FRQ-03 QUAL-02 INT-01 INT-03 SUP-04 AID-03 SUP-02 SUP-03 AID-02",
    "therapy assistant": "PRG-02 ORD-01 ORD-03 CERT-03 SUP-05 ORD-09 THX-01",
    "social worker": "PRG-02 ORD-01 CERT-03 FRQ-03 QUAL-02 QUAL-03",
    "the plan's own programme": "ELG-00 ELG-5 ORD-01 CERT-03 FRQ-03 INT-01 INT-02 CAR-01",
}
#: Warnings of rows 8 and 9 that change nothing at the door any more.
SAID_BEFORE = {"ASM-03", "SUP-01", "SUP-03", "SUP-04"}
#: An order that came after the visit began can be seen only once it has begun.
SEEN_AT_THE_DOOR = {"ORD-05"}


@pytest.mark.parametrize("name", CASES)
def test_a_case_in_which_everything_is_broken_answers_everything(name):
    answers = {moment: ask(CASES[name], moment, POLICY) for moment in Moment}
    for found in answers.values():
        rows = [ROWS[finding.rule] for finding in found]
        assert rows == sorted(rows)
        assert all(finding.cure_sentence() for finding in found)
    said = {moment: {finding.rule for finding in found} for moment, found in answers.items()}
    assert said[Moment.CONFIRM] == EVERY | set(BESIDES[name].split())
    # A slot that is only held hears of the same, less severely where an order may still come.
    assert said[Moment.HOLD] == said[Moment.CONFIRM]
    again = {rule for rule in said[Moment.CONFIRM] if ROWS[rule] in AT_THE_DOOR} - SAID_BEFORE
    assert said[Moment.CHECK_IN] == again | SEEN_AT_THE_DOOR


def test_between_them_they_break_every_rule_of_the_appendix():
    assert set(BESIDES) == set(CASES)
    broken_rules = EVERY.union(*(own.split() for own in BESIDES.values())) | SEEN_AT_THE_DOOR
    assert broken_rules == set(ROWS)
    assert {ROWS[rule] for rule in broken_rules} == set(range(1, 14))
