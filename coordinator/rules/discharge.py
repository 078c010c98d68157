"""The way out: reasons, steps, summaries and notices (DIS-01 to DIS-04)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from coordinator.domain.frequency import FrequencyError, parse
from coordinator.domain.timeline import add_business_days
from coordinator.domain.vocabulary import Discipline, NoticeKind, Payer, Programme
from coordinator.rules.case import is_medicare
from coordinator.rules.terms import Finding, Policy, Severity, found, rule

FAMILY = "discharge"


class Reason(StrEnum):
    """Why a patient may be discharged (42 CFR 484.50(d)(1)-(7)); `NOT_ADMITTED` when care never began."""

    NEEDS_EXCEED_ABILITY = "needs_exceed_ability"
    PAYER_ENDED = "payer_ended"
    GOALS_MET = "goals_met"
    PATIENT_ELECTED = "patient_elected"
    CAUSE = "cause"
    DEATH = "death"
    AGENCY_CLOSES = "agency_closes"
    NOT_ADMITTED = "not_admitted"


class Step(StrEnum):
    """What is done and written down when a patient or a discipline leaves."""

    PRACTITIONER_NOTIFIED = "practitioner_notified"
    #: The practitioner agrees that the goals are met.
    PRACTITIONER_AGREED = "practitioner_agreed"
    PATIENT_NOTIFIED = "patient_notified"
    #: Care goes over to somebody who can meet the needs.
    TRANSFER_ARRANGED = "transfer_arranged"
    # Before a discharge for cause (42 CFR 484.50(d)(5)).
    CAUSE_WARNED = "cause_warned"
    CAUSE_EFFORTS = "cause_efforts"
    CAUSE_OTHER_AGENCIES = "cause_other_agencies"
    CAUSE_DOCUMENTED = "cause_documented"
    # After a discharge (DIS-02).
    SUMMARY = "summary"
    RECORD = "record"
    # When one discipline ends (DIS-03).
    DISCIPLINE_SUMMARY = "discipline_summary"
    PLAN_UPDATED = "plan_updated"
    WRITTEN_SCHEDULE = "written_schedule"


_NOTIFY = (Step.PRACTITIONER_NOTIFIED, Step.PATIENT_NOTIFIED)
#: Reason -> the steps that must be done before a discharge for it is final.
REQUIRED: Mapping[Reason, tuple[Step, ...]] = {
    Reason.CAUSE: (Step.CAUSE_WARNED, Step.CAUSE_EFFORTS, Step.CAUSE_OTHER_AGENCIES, Step.CAUSE_DOCUMENTED),
}
#: Reason -> the steps that are owed, and whose lack does not keep the patient from leaving.
OWED: Mapping[Reason, tuple[Step, ...]] = {
    Reason.NEEDS_EXCEED_ABILITY: (Step.TRANSFER_ARRANGED, *_NOTIFY),
    Reason.PAYER_ENDED: _NOTIFY,
    Reason.GOALS_MET: (Step.PRACTITIONER_AGREED, *_NOTIFY),
    Reason.PATIENT_ELECTED: (Step.PRACTITIONER_NOTIFIED,),
    Reason.CAUSE: _NOTIFY,
    Reason.DEATH: (Step.PRACTITIONER_NOTIFIED,),
    Reason.AGENCY_CLOSES: _NOTIFY,
}
#: What is owed once a discipline has ended and the case goes on (DIS-03).
AFTER_DISCIPLINE = (Step.DISCIPLINE_SUMMARY, Step.PLAN_UPDATED, Step.WRITTEN_SCHEDULE)
STEP_WORDS: Mapping[Step, str] = {
    Step.PRACTITIONER_NOTIFIED: "the practitioner is told",
    Step.PRACTITIONER_AGREED: "the practitioner agrees that the goals are met",
    Step.PATIENT_NOTIFIED: "the patient is told in writing",
    Step.TRANSFER_ARRANGED: "a transfer is arranged to somebody who can meet the needs",
    Step.CAUSE_WARNED: "patient, practitioner and others in charge are told that discharge for cause is considered",
    Step.CAUSE_EFFORTS: "efforts were made to resolve the problem",
    Step.CAUSE_OTHER_AGENCIES: "the patient is given the names of other agencies",
    Step.CAUSE_DOCUMENTED: "problem and efforts are documented in the record",
    Step.SUMMARY: "the discharge summary is sent",
    Step.RECORD: "the record is complete",
    Step.DISCIPLINE_SUMMARY: "the discipline's summary is written",
    Step.PLAN_UPDATED: "the plan of care is updated",
    Step.WRITTEN_SCHEDULE: "the patient has the new written visit schedule",
}


@dataclass(frozen=True, slots=True)
class DischargeFacts:
    """A discharge as it stands. `steps`: what was done, and on which day."""

    on: date
    reason: Reason | None = None
    steps: Mapping[Step, date] = field(default_factory=dict)


@rule(
    "DIS-01",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="42 CFR 484.50(d)(1)-(7)",
    verification="K",
    sentence="A patient is discharged only for a listed reason, after the steps that the reason asks for.",
    sentence_zh="病人只可因規定的理由結案，並須先完成該理由所要求的步驟。",
    asked_on=("referral", "episode", "record"),
)
def ask_discharge(facts: DischargeFacts) -> tuple[Finding, ...]:
    """What is in the way of the discharge: a block for reason and required steps, and a task for each missing step."""
    if facts.reason is None:
        return (
            found(
                "DIS-01",
                "The discharge gives no reason.",
                cure="The clinical manager records one of: {reasons}.",
                reasons=", ".join(reason.value for reason in Reason),
            ),
        )
    required = [step for step in REQUIRED.get(facts.reason, ()) if step not in facts.steps]
    owed = [step for step in OWED.get(facts.reason, ()) if step not in facts.steps]
    findings = [
        found(
            "DIS-01",
            "Not recorded: {step}.",
            cure="The clinical manager does it and records the day.",
            severity=Severity.TASK,
            due=facts.on,
            owner="clinical_manager",
            step=STEP_WORDS[step],
            facts={"task": step.value},
        )
        for step in (*required, *owed)
    ]
    if required:
        findings.insert(
            0,
            found(
                "DIS-01",
                "A discharge with reason {reason} is not final before these are recorded: {steps}.",
                cure="The clinical manager records each step with its day.",
                reason=facts.reason.value,
                steps="; ".join(STEP_WORDS[step] for step in required),
            ),
        )
    return tuple(findings)


@rule(
    "DIS-02",
    family=FAMILY,
    severity=Severity.TASK,
    citation="42 CFR 484.110(a)(6); 22 CCR 74731(c)",
    verification="V",
    sentence="The discharge summary goes out in five business days, a transfer's in two; the record is complete in 30.",
    sentence_zh="結案摘要須在五個工作天內送出，轉出摘要須在兩個工作天內送出，病歷須在30天內完成。",
    settings=(
        "discharge.summary_business_days",
        "discharge.transfer_summary_business_days",
        "discharge.business_calendar",
        "discharge.record_days",
    ),
    asked_on=("episode",),
)
def ask_summaries(discharged_on: date, policy: Policy, done: frozenset[Step] = frozenset()) -> tuple[Finding, ...]:
    """What is owed after a discharge, each with its last day; nothing for what is `done`."""
    policy = policy.on(discharged_on)
    settings = policy.discharge
    owed = (
        (
            Step.SUMMARY,
            add_business_days(discharged_on, settings.summary_business_days, settings.business_calendar),
            "case_manager",
        ),
        (Step.RECORD, discharged_on + timedelta(days=settings.record_days), "clinical_manager"),
    )
    return tuple(
        found(
            "DIS-02",
            "After the discharge of {discharged_on}, by {due_on}: {step}.",
            cure="The case manager sends the summary; the clinical manager closes the record.",
            due=due,
            owner=owner,
            discharged_on=discharged_on,
            due_on=due,
            step=STEP_WORDS[step],
            facts={"task": step.value},
        )
        for step, due, owner in owed
        if step not in done
    )


def transfer_summary_due(planned: bool, transferred_on: date, learned_on: date, policy: Policy) -> date:
    """Last day for a transfer's summary: counted from a planned transfer, or from the day an unplanned one was learned.

    Asked for an unplanned one only while the patient is still away (42 CFR 484.110(a)(6)(iii)).
    """
    policy = policy.on(transferred_on if planned else learned_on)
    settings = policy.discharge
    start = transferred_on if planned else learned_on
    return add_business_days(start, settings.transfer_summary_business_days, settings.business_calendar)


@dataclass(frozen=True, slots=True)
class DisciplineFacts:
    """One discipline that is to end. `order_until`: last day of its live orders, `None` when there is none."""

    discipline: Discipline
    on: date
    order_until: date | None = None
    #: A live order goes on because nobody discontinued it.
    order_continues: bool = False
    steps: Mapping[Step, date] = field(default_factory=dict)


@rule(
    "DIS-03",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="42 CFR 484.60(e), 484.110(a)(6); 409.45(a)",
    verification="K",
    sentence="A discipline ends by an order or with it, the practitioner knows, and the patient has the new schedule.",
    sentence_zh="一項專業服務須依醫囑或隨醫囑期滿而終止，並須告知執業者及給病人新的書面探訪時間表。",
    settings=("discharge.discipline_days",),
    asked_on=("episode",),
)
def ask_discipline(facts: DisciplineFacts, policy: Policy) -> tuple[Finding, ...]:
    """What keeps the discipline from ending, and what is owed within two days when it has ended."""
    policy = policy.on(facts.on)
    findings = []
    if facts.order_continues:
        findings.append(
            found(
                "DIS-03",
                "The {discipline} order holds until {until}, after {on}.",
                cure="The practitioner orders {discipline} to be discontinued on {on}, or the order runs out.",
                discipline=facts.discipline,
                until=facts.order_until,
                on=facts.on,
            )
        )
    if Step.PRACTITIONER_NOTIFIED not in facts.steps:
        findings.append(
            found(
                "DIS-03",
                "Nobody recorded that the practitioner was told that {discipline} ends.",
                cure="The clinician of {discipline} tells the practitioner and records the day.",
                discipline=facts.discipline,
            )
        )
    due = facts.on + timedelta(days=policy.discharge.discipline_days)
    findings += [
        found(
            "DIS-03",
            "{discipline} ends on {on}; by {due_on}: {step}.",
            cure="The clinician of {discipline} does it and records the day.",
            severity=Severity.TASK,
            due=due,
            owner="clinician",
            discipline=facts.discipline,
            on=facts.on,
            due_on=due,
            step=STEP_WORDS[step],
            facts={"task": step.value},
        )
        for step in AFTER_DISCIPLINE
        if step not in facts.steps
    ]
    return tuple(findings)


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """A notice of coverage: of an end (NOMNC), or of a change (HHCCN) with the frequency that is given from then on."""

    kind: NoticeKind
    last_covered_on: date
    delivered_on: date | None = None
    frequency: str = ""
    #: The visit before the last one.
    next_to_last_visit_on: date | None = None


@rule(
    "DIS-04",
    family=FAMILY,
    severity=Severity.TASK,
    citation="42 CFR 405.1200, 422.624, 484.50(c)(8)",
    verification="K",
    sentence="Notice of the end of covered services is in the patient's hands two days before the last of them.",
    sentence_zh="給付服務終止的通知須在最後一次服務的兩天前交到病人手上。",
    settings=("discharge.notice_days",),
    asked_on=("episode",),
)
def ask_notice(facts: NoticeFacts, policy: Policy) -> tuple[Finding, ...]:
    """A notice not yet delivered is owed; one that names a range instead of a fixed frequency is refused."""
    findings = []
    if facts.frequency and not _is_fixed(facts.frequency):
        findings.append(
            found(
                "DIS-04",
                "The notice says {frequency}, which is no fixed frequency.",
                cure="The case manager writes the notice with one number of visits for each stretch of time.",
                severity=Severity.BLOCK,
                frequency=facts.frequency,
            )
        )
    due = notice_due(facts, policy)
    if facts.delivered_on is None:
        findings.append(
            found(
                "DIS-04",
                "The {kind} is to be delivered by {due_on}; the last covered day is {last}.",
                cure="The clinician hands the notice over at the visit before, and records the day.",
                due=due,
                owner="case_manager",
                kind=facts.kind,
                due_on=due,
                last=facts.last_covered_on,
            )
        )
    elif facts.delivered_on > due:
        findings.append(
            found(
                "DIS-04",
                "The {kind} was delivered on {delivered}, after {due_on}.",
                cure="The clinical manager decides whether covered services go on for the days that lack.",
                severity=Severity.WARN,
                kind=facts.kind,
                delivered=facts.delivered_on,
                due_on=due,
            )
        )
    return tuple(findings)


def notice_due(facts: NoticeFacts, policy: Policy) -> date:
    """Two days before the last covered service; where services lie further apart, at the next-to-last visit."""
    policy = policy.on(facts.last_covered_on)
    due = facts.last_covered_on - timedelta(days=policy.discharge.notice_days)
    return min(due, facts.next_to_last_visit_on or due)


def notice_kind(
    programme: Programme, payer: Payer, *, ends: bool, policy: Policy, day: date | None = None
) -> NoticeKind | None:
    """Which notice Medicare asks for: NOMNC when all covered services end, HHCCN when some end or shrink; else none."""
    if not is_medicare(programme, payer, policy, day):
        return None
    return NoticeKind.NOMNC if ends else NoticeKind.HHCCN


def _is_fixed(text: str) -> bool:
    try:
        frequency = parse(text)
    except FrequencyError:
        return False
    return all(segment.minimum == segment.maximum for segment in frequency.segments)
