"""Certification, the encounter before it, and the assessments around it (F2F, CERT, HB-03, ASM-02)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from coordinator.domain.npi import is_individual
from coordinator.domain.timeline import (
    DateSpan,
    certification_period,
    certification_period_of,
    recertification_window,
)
from coordinator.domain.vocabulary import PractitionerType, VisitKind
from coordinator.rules.case import ORDERLESS_KINDS, is_medicare
from coordinator.rules.facts import CertificationFacts, CertifierFacts, FaceToFaceFacts, Moment, VisitCase
from coordinator.rules.terms import Finding, Policy, Severity, also, found, rule

FAMILY = "certification"


# ------------------------------------------------------------------------------------ face-to-face


def face_to_face_window(soc: date, policy: Policy) -> DateSpan:
    """The days on which the encounter counts, both included."""
    policy = policy.on(soc)
    settings = policy.certification
    return DateSpan(
        soc - timedelta(days=settings.face_to_face_days_before), soc + timedelta(days=settings.face_to_face_days_after)
    )


@rule(
    "F2F-01",
    family=FAMILY,
    severity=Severity.HOLD_BILL,
    citation="42 CFR 424.22(a)(1)(v); 440.70(f)",
    verification="V",
    sentence="The initial certification needs an encounter from 90 days before to 30 days after start of care.",
    sentence_zh="首次核證須有一次面診，日期在開始服務前90天至後30天之內。",
    settings=(
        "certification.face_to_face_days_before",
        "certification.face_to_face_days_after",
        "certification.face_to_face_warning_days",
    ),
    asked_on=("episode",),
)
def ask_face_to_face(facts: FaceToFaceFacts, soc: date, today: date, policy: Policy) -> tuple[Finding, ...]:
    """What is to be said on `today` of the encounter for the initial certification. Never blocks care."""
    policy = policy.on(soc)
    window = face_to_face_window(soc, policy)
    encounter = facts.encounter_on
    if encounter is not None and encounter in window and facts.related_to_primary_reason:
        return ()
    if encounter is None:
        message = "No face-to-face encounter is on file; it counts from {first} to {last}."
    elif encounter not in window:
        message = "The face-to-face encounter of {encounter} is outside {first} to {last}."
    else:
        message = "The face-to-face encounter of {encounter} is not about the reason for home care."
    cure = "Intake obtains an encounter about the reason for home care, dated {first} to {last}."
    severities: tuple[Severity, ...] = (Severity.TASK,)
    if today > window.last:
        severities, cure = (Severity.HOLD_BILL,), "The clinical manager decides how the episode is billed."
    elif today >= soc + timedelta(days=policy.certification.face_to_face_warning_days):
        severities = (Severity.WARN, Severity.TASK)
    return tuple(
        found(
            "F2F-01",
            message,
            cure=cure,
            severity=severity,
            due=window.last if severity is Severity.TASK else None,
            owner="intake" if severity is Severity.TASK else "",
            encounter=encounter,
            first=window.first,
            last=window.last,
        )
        for severity in severities
    )


@rule(
    "F2F-02",
    family=FAMILY,
    severity=Severity.HOLD_BILL,
    citation="42 CFR 424.22(a)(1)(v)(A)",
    verification="V",
    sentence="The encounter is performed by a practitioner whom the law in force at start of care allows.",
    sentence_zh="面診須由開始服務當日法律所准許的執業者進行。",
    settings=("certification.face_to_face_widened_on", "certification.face_to_face_performers"),
    asked_on=("episode",),
)
def ask_face_to_face_performer(facts: FaceToFaceFacts, soc: date, policy: Policy) -> Finding | None:
    """Whether the performer may have performed it; another than the certifier needs evidence of coordination."""
    policy = policy.on(soc)
    if facts.encounter_on is None:
        return None
    settings = policy.certification
    if facts.performer_type not in settings.face_to_face_performers:
        return found(
            "F2F-02",
            "{performer} may not perform the face-to-face encounter.",
            cure="A physician or allowed practitioner performs the encounter.",
            performer=facts.performer_type or "person of unknown credential",
        )
    if facts.performer_is_certifier:
        return None
    if soc < settings.face_to_face_widened_on:
        if facts.from_inpatient_or_collaborating:
            return None
        return found(
            "F2F-02",
            "Before {widened_on} the certifier, or who cared for the patient in hospital, performed the encounter.",
            cure="The certifying practitioner performs the encounter.",
            widened_on=settings.face_to_face_widened_on,
            soc=soc,
        )
    if facts.same_practice or facts.coordination_evidence:
        return None
    return found(
        "F2F-02",
        "Performer and certifier of the encounter differ, and nothing shows that they spoke.",
        cure="The office files how the performer's findings reached the certifier.",
    )


# ------------------------------------------------------------------------------------ statements


@rule(
    "CERT-01",
    family=FAMILY,
    severity=Severity.HOLD_BILL,
    citation="42 CFR 424.22(a)(1)",
    verification="V",
    sentence="A certification states homebound, skilled need, plan, care and encounter with its date, and is signed.",
    sentence_zh="核證書須載明病人難以離家、有專業護理需要、有照護計畫、由該執業者照護及面診日期，並經簽署。",
    asked_on=("episode",),
)
def ask_certification(facts: CertificationFacts) -> Finding | None:
    """What the initial certification lacks."""
    parts = {
        "homebound": facts.homebound,
        "skilled_need": facts.skilled_need,
        "plan_established": facts.plan_established,
        "under_care": facts.under_care,
        "face_to_face_date": facts.face_to_face_on,
        "signature_date": facts.signed_on,
    }
    return _lacking("CERT-01", "certification", parts)


@rule(
    "CERT-02",
    family=FAMILY,
    severity=Severity.HOLD_BILL,
    citation="42 CFR 424.22(b)",
    verification="K",
    sentence="A recertification is signed and estimates how much longer services are needed.",
    sentence_zh="重新核證須經簽署，並估計服務還需要多久。",
    asked_on=("episode",),
)
def ask_recertification(facts: CertificationFacts) -> Finding | None:
    """What the recertification lacks."""
    parts = {
        "estimated_further_duration": facts.estimated_further_duration.strip(),
        "signature_date": facts.signed_on,
    }
    return _lacking("CERT-02", "recertification", parts)


def _lacking(rule_id: str, statement: str, parts: Mapping[str, object]) -> Finding | None:
    missing = [name for name, value in parts.items() if not value]
    if not missing:
        return None
    return found(
        rule_id,
        "The {statement} lacks {missing}.",
        cure="The certifying practitioner completes and signs the {statement}.",
        statement=statement,
        missing=", ".join(missing),
    )


@dataclass(frozen=True, slots=True)
class RecertificationAnswer:
    """Whether an assessment recertifies period `number`: in the window, too early, or late with its true date."""

    number: int
    window: DateSpan
    satisfied: bool
    late: bool = False


@also("CERT-02")
def recertification_assessment(soc: date, number: int, assessed_on: date) -> RecertificationAnswer:
    """Whether an assessment of `assessed_on`, recertification or resumption, serves the end of period `number`."""
    window = recertification_window(soc, number)
    late = assessed_on > window.last
    return RecertificationAnswer(number, window, assessed_on >= window.first, late)


@rule(
    "CERT-03",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="Medicare Benefit Policy Manual ch. 7, 30.2.5; 42 CFR 409.43",
    verification="V",
    sentence="A visit needs an order of the certification period in which it falls.",
    sentence_zh="每次探訪都須有屬於當日所在核證期的醫囑。",
    asked_on=("promise", "visit", "check-in", "planning", "publication", "question"),
)
def ask_period(case: VisitCase, moment: Moment) -> Finding | None:
    """A visit under an order of another certification period is refused; to hold a slot is a warning."""
    order, soc, day = case.order, case.episode.soc_date, case.visit.day
    if order is None or soc is None or day < soc or case.visit.kind in ORDERLESS_KINDS:
        return None
    number = certification_period_of(soc, day)
    written_for = order.certification_number
    if written_for is None:
        written_for = certification_period_of(soc, max(order.effective_from or soc, soc))
    if written_for == number:
        return None
    return found(
        "CERT-03",
        "{day} is in certification period {number}, which begins on {first}; the order is of period {written_for}.",
        cure="A practitioner gives an order for period {number}, in writing or verbally to a nurse.",
        severity=Severity.WARN if moment is Moment.HOLD else Severity.BLOCK,
        day=day,
        number=number,
        first=certification_period(soc, number).first,
        written_for=written_for,
        facts={"soc_date": soc, "order_id": order.order_id},
    )


@also("CERT-03")
def ask_period_given(case: VisitCase) -> Finding | None:
    """What was given without an order of its certification period is not billed."""
    refused = ask_period(case, Moment.CHECK_IN)
    return None if refused is None else replace(refused, severity=Severity.HOLD_BILL)


@rule(
    "CERT-04",
    family=FAMILY,
    severity=Severity.TASK,
    citation="42 CFR 409.43(e), 484.60(c)(1); 22 CCR 74697(a)(4)-(5)",
    verification="V",
    sentence="The plan is reviewed at least every 60 days.",
    sentence_zh="照護計畫至少每60天檢討一次。",
    settings=("certification.plan_review_days",),
    asked_on=("clock",),
)
def plan_review_due(soc: date, number: int, policy: Policy) -> Finding:
    """The review that closes period `number`, due on its last day."""
    policy = policy.on(certification_period(soc, number).first)
    days = policy.certification.plan_review_days
    return found(
        "CERT-04",
        "The plan of care is to be reviewed by {due_on}.",
        cure="The practitioner and the case manager review the plan.",
        due=soc + timedelta(days=days * number - 1),
        owner="case_manager",
        due_on=soc + timedelta(days=days * number - 1),
    )


@rule(
    "CERT-05",
    family=FAMILY,
    severity=Severity.WARN,
    citation="42 CFR 409.43(f)",
    verification="K",
    sentence="A plan ends without a covered skilled visit in 60 days, unless the practitioner justifies the interval.",
    sentence_zh="60天內沒有一次受保的專業探訪，照護計畫即告終止，除非執業者說明間隔的理由。",
    settings=("certification.qualifying_visit_warning_day", "certification.qualifying_visit_days"),
    asked_on=("clock",),
)
def ask_idle_plan(
    last_qualifying_on: date, today: date, policy: Policy, justified_until: date | None = None
) -> Finding | None:
    """A warning from day 45 after the last covered skilled visit, a task from day 60; later where it is justified."""
    ends_on = plan_idle_until(last_qualifying_on, policy, justified_until)
    if today < plan_idle_warned_from(ends_on, policy.on(last_qualifying_on)):
        return None
    overdue = today >= ends_on
    return found(
        "CERT-05",
        "No covered skilled visit since {last}; the plan ends on {ends_on}.",
        cure="The scheduler books an ordered skilled visit, or the practitioner documents why the interval is right.",
        severity=Severity.TASK if overdue else Severity.WARN,
        due=ends_on if overdue else None,
        owner="case_manager" if overdue else "",
        last=last_qualifying_on,
        ends_on=ends_on,
    )


@also("CERT-05")
def plan_idle_until(last_qualifying_on: date, policy: Policy, justified_until: date | None = None) -> date:
    """The day on which the plan ends without another covered skilled visit; the practitioner may say a later one."""
    ends_on: date = last_qualifying_on + timedelta(
        days=policy.on(last_qualifying_on).certification.qualifying_visit_days
    )
    return ends_on if justified_until is None else max(ends_on, justified_until)


def plan_idle_warned_from(ends_on: date, policy: Policy) -> date:
    """The day from which it is said that the plan ends on that one; `policy` is that of the last qualifying visit."""
    settings = policy.certification
    return ends_on - timedelta(days=settings.qualifying_visit_days - settings.qualifying_visit_warning_day)


@rule(
    "CERT-06",
    family=FAMILY,
    severity=Severity.HOLD_BILL,
    citation="45 CFR 162.406; 42 CFR 424.507, 424.22(d)",
    verification="K",
    sentence="Who certifies has a valid individual NPI, is enrolled in Medicare, and has no prohibited relationship.",
    sentence_zh="核證者須有有效的個人NPI號碼、已在聯邦醫療保險登記，且沒有被禁止的財務關係。",
    settings=("payers.medicare",),
    asked_on=("episode",),
)
def ask_certifier_fitness(facts: CertifierFacts, policy: Policy) -> tuple[Finding, ...]:
    """What keeps a certification of this practitioner from being billed; elsewhere than Medicare a warning."""
    medicare = is_medicare(facts.programme, facts.payer, policy, facts.certified_on)
    severity = Severity.HOLD_BILL if medicare else Severity.WARN
    findings = []
    if not is_individual(facts.npi, facts.npi_kind):
        findings.append(
            found(
                "CERT-06",
                "{npi} is not the valid NPI of a person.",
                cure="The office records the practitioner's own NPI from the NPPES registry.",
                severity=severity,
                npi=facts.npi or "An empty field",
            )
        )
    if medicare and not facts.medicare_enrolled:
        findings.append(
            found(
                "CERT-06",
                "The practitioner is not known to be enrolled in Medicare on the date of the order.",
                cure="The office checks PECOS for the date of the order.",
                severity=severity,
            )
        )
    if facts.financial_relationship:
        findings.append(
            found(
                "CERT-06",
                "The practitioner has a financial relationship with the agency that bars certification.",
                cure="Another practitioner certifies.",
                severity=severity,
            )
        )
    return tuple(findings)


@rule(
    "HB-03",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="42 CFR 424.22(a)(1); programme page: a physician certifies",
    verification="P",
    sentence="Homebound status is certified by a practitioner whom the programme accepts.",
    sentence_zh="病人難以離家的狀況，須由計劃所接受的執業者核證。",
    asked_on=("referral",),
)
def ask_certifier(facts: CertifierFacts, policy: Policy) -> Finding | None:
    """Whether this practitioner may certify under this programme; programmes without the test accept anybody."""
    allowed = policy.profile(facts.programme, facts.certified_on).certifiers()
    if not allowed or facts.practitioner_type in allowed:
        return None
    return found(
        "HB-03",
        "{type} may not certify under {programme}; accepted are {allowed}.",
        cure="One of {allowed} certifies.",
        type=facts.practitioner_type or PractitionerType.OTHER,
        programme=facts.programme,
        allowed=", ".join(sorted(allowed)),
    )


# ------------------------------------------------------------------------------------ assessments


@rule(
    "ASM-02",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="42 CFR 484.55(d)(2); OASIS guidance on qualifying stays",
    verification="K",
    sentence="A stay of 24 hours is a transfer: visits rest, and resumption comes first on return.",
    sentence_zh="住院滿24小時即屬轉院：探訪暫停，回家後先做恢復照護的評估。",
    settings=("assessment.resumption_hours", "assessment.qualifying_stay_hours", "assessment.event_days"),
    asked_on=("promise", "visit", "check-in", "afterwards", "planning", "publication", "question"),
)
def ask_present(case: VisitCase) -> Finding | None:
    """No visit while the patient is on hold, and none but the resumption visit until it is made."""
    patient = case.patient
    if patient.on_hold:
        return found(
            "ASM-02",
            "The patient is on hold.",
            cure="The office ends the hold when the patient is home again.",
        )
    if patient.awaiting_resumption and case.visit.kind is not VisitKind.RESUMPTION:
        return found(
            "ASM-02",
            "The resumption-of-care visit has not been made since the patient came home.",
            cure="The scheduler books the resumption visit first, or the practitioner orders otherwise.",
        )
    return None


@also("ASM-02")
def is_transfer(admitted_at: datetime | None, discharged_at: datetime | None, diagnostic_only: bool, now: datetime,
                policy: Policy) -> bool:  # fmt: skip
    """Whether an inpatient admission is a qualifying stay; observation without admission (`None`) is not."""
    if admitted_at is None or diagnostic_only:
        return False
    policy = policy.on(admitted_at.date())
    return (discharged_at or now) - admitted_at >= timedelta(hours=policy.assessment.qualifying_stay_hours)


@also("ASM-02")
def resumption_due(returned_home_at: datetime, policy: Policy) -> datetime:
    """By when, in UTC, the resumption visit is to be made: elapsed hours after return; holidays count."""
    if returned_home_at.tzinfo is None:
        raise ValueError(f"{returned_home_at.isoformat()} carries no zone")
    policy = policy.on(returned_home_at.date())
    return returned_home_at.astimezone(UTC) + timedelta(hours=policy.assessment.resumption_hours)


@also("ASM-02")
def event_assessment_due(event_on: date, policy: Policy) -> date:
    """Last day for the assessment of a transfer, discharge, death or other event, the event being day 0."""
    policy = policy.on(event_on)
    return event_on + timedelta(days=policy.assessment.event_days)
