"""Home health aides: their instructions, their competence, and who supervises them when (AID, SUP)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

from coordinator.domain.timeline import add_months
from coordinator.domain.vocabulary import Discipline, Performer, VisitKind
from coordinator.rules.facts import SupervisionFacts, VisitCase
from coordinator.rules.terms import Finding, Policy, Severity, also, found, rule

FAMILY = "aides"

#: Personal care by its codes; everything else that an aide records is incidental (42 CFR 409.45(b)).
PERSONAL_CARE = frozenset(
    {
        "BATHING",
        "DRESSING",
        "GROOMING",
        "ORAL_CARE",
        "HAIR_CARE",
        "NAIL_CARE",
        "SKIN_CARE",
        "FEEDING",
        "TOILETING",
        "TRANSFERS",
        "AMBULATION",
        "POSITIONING",
        "LINEN_CHANGE",
    }
)


@rule(
    "AID-02",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="42 CFR 484.80(g)",
    verification="V",
    sentence="An aide visits with written instructions for this patient, prepared by a nurse or therapist.",
    sentence_zh="居家照護助理上門時，須有護士或治療師為該病人寫好的書面照護指示。",
    settings=("aides.plan_authors",),
    asked_on=("promise", "visit", "check-in", "planning", "publication", "question"),
)
def ask_aide_plan(case: VisitCase, policy: Policy) -> Finding | None:
    """No aide visit without an aide care plan in force on its day."""
    policy = policy.on(case.visit.day)
    plan, visit = case.aide_plan, case.visit
    if plan is None or visit.discipline is not Discipline.HHA or visit.kind is VisitKind.SUPERVISION:
        return None
    if plan.effective_from is None or visit.day < plan.effective_from:
        return found(
            "AID-02",
            "There is no aide care plan for {day}.",
            cure="A nurse or therapist writes the aide care plan, effective by {day}.",
            day=visit.day,
            facts={"effective_from": plan.effective_from},
        )
    if plan.prepared_by not in policy.aides.plan_authors:
        return found(
            "AID-02",
            "The aide care plan is not prepared by one of {authors}.",
            cure="One of {authors} prepares the aide care plan.",
            authors=", ".join(sorted(policy.aides.plan_authors)),
            facts={"prepared_by": plan.prepared_by},
        )
    return None


@also("AID-02")
def ask_aide_acknowledged(case: VisitCase) -> Finding | None:
    """An aide who has not acknowledged the plan in force is warned of it on the roster."""
    clinician = case.clinician
    if (
        clinician is None
        or clinician.performer is not Performer.CHHA
        or clinician.aide_plan_acknowledged
        or case.aide_plan is None
        or case.aide_plan.effective_from is None
    ):
        return None
    return found(
        "AID-02",
        "The aide has not acknowledged the aide care plan in force.",
        cure="The aide reads and acknowledges the plan.",
        severity=Severity.WARN,
    )


@also("AID-02")
def ask_aide_tasks(listed: Iterable[str], recorded: Iterable[str]) -> tuple[Finding, ...]:
    """What a finished aide visit's tasks say: unlisted ones go to the nurse, incidental ones alone are not billed."""
    done = set(recorded)
    findings = []
    if unlisted := done - set(listed):
        findings.append(
            found(
                "AID-02",
                "Tasks were done that the aide care plan does not list: {tasks}.",
                cure="The nurse reviews the tasks and the plan.",
                severity=Severity.WARN,
                tasks=", ".join(sorted(unlisted)),
            )
        )
    if not done & PERSONAL_CARE:
        findings.append(
            found(
                "AID-02",
                "The visit holds no personal care.",
                cure="The nurse reviews the record of the visit.",
                severity=Severity.HOLD_BILL,
                facts={"tasks": tuple(sorted(done))},
            )
        )
    return tuple(findings)


@rule(
    "AID-03",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="42 CFR 484.80(a)-(d); Cal. HSC 1736.2",
    verification="V",
    sentence="An aide who did no paid aide work for 24 months must requalify.",
    sentence_zh="居家照護助理若連續24個月沒有從事受薪照護工作，須重新取得資格。",
    settings=("aides.lapse_months", "aides.in_service_hours", "aides.in_service_task_month"),
    asked_on=("promise", "visit", "check-in", "planning", "publication", "question"),
)
def ask_aide_competence(case: VisitCase, policy: Policy) -> Finding | None:
    """Whether the aide's competence has lapsed by the day of the visit. The certificate itself is CRD-01's."""
    policy = policy.on(case.visit.day)
    clinician = case.clinician
    if clinician is None or clinician.performer is not Performer.CHHA:
        return None
    last = max(
        (day for day in (clinician.last_paid_aide_work_on, clinician.requalified_on) if day is not None), default=None
    )
    if last is None or not is_lapsed(last, case.visit.day, policy):
        return None
    return found(
        "AID-03",
        "The aide has not worked as one since {last}, more than {months} months before {day}.",
        cure="The aide passes a training and competency evaluation.",
        last=last,
        months=policy.aides.lapse_months,
        day=case.visit.day,
    )


def is_lapsed(last_paid_work_on: date, day: date, policy: Policy) -> bool:
    """Whether more than 24 months lie between the last paid day as an aide and `day`."""
    policy = policy.on(day)
    return day > add_months(last_paid_work_on, policy.aides.lapse_months)


@also("AID-03")
def ask_in_service(year_began_on: date, hours: float, today: date, policy: Policy) -> Finding | None:
    """A task when in-service training is short in month 10 of the aide's twelve."""
    policy = policy.on(year_began_on)
    required = policy.aides.in_service_hours
    if hours >= required or today < add_months(year_began_on, policy.aides.in_service_task_month):
        return None
    return found(
        "AID-03",
        "{hours} of {required} hours of in-service training are done.",
        cure="The aide attends in-service training.",
        severity=Severity.TASK,
        due=add_months(year_began_on, 12) - timedelta(days=1),
        owner="clinical_manager",
        hours=hours,
        required=required,
    )


# ------------------------------------------------------------------------------------ supervision


@rule(
    "SUP-01",
    family=FAMILY,
    severity=Severity.TASK,
    citation="42 CFR 484.80(h)(1)",
    verification="V",
    sentence="Aide care beside a skilled service is supervised at least every 14 days.",
    sentence_zh="病人同時接受專業護理或治療時，助理的照護至少每14天由護士或治療師督導一次。",
    settings=(
        "aides.supervision_days",
        "aides.supervision_warning_days",
        "aides.supervisors",
        "aides.supervision_virtual_maximum",
        "aides.supervision_unskilled_days",
    ),
    asked_on=("promise", "visit", "check-in", "afterwards", "planning", "publication", "question"),
)
def supervision_due(facts: SupervisionFacts, policy: Policy) -> date | None:
    """Last day for the next supervisory visit; `None` before the first aide visit. A gap restarts it."""
    last = max((day for day in (facts.last_on, facts.first_aide_visit_on) if day is not None), default=None)
    if last is None:
        return None
    if not facts.skilled_service:
        return unskilled_supervision_due(last, policy)
    return last + timedelta(days=policy.on(last).aides.supervision_days)


@also("SUP-01")
def ask_supervised(case: VisitCase, policy: Policy) -> Finding | None:
    """A warning on aide visits from day 11 after the last supervision, and when it is overdue. Never a refusal."""
    policy = policy.on(case.visit.day)
    facts, visit = case.supervision, case.visit
    if facts is None or visit.discipline is not Discipline.HHA or visit.kind is VisitKind.SUPERVISION:
        return None
    profile = policy.profile(case.episode.programme, visit.day)
    facts = replace(facts, skilled_service=profile.supervises_closely(skilled_service=facts.skilled_service))
    due = supervision_due(facts, policy)
    settings = policy.aides
    rule_id = "SUP-01" if facts.skilled_service else "SUP-04"
    if due is None or visit.day < due - timedelta(days=settings.supervision_days - settings.supervision_warning_days):
        return None
    return found(
        rule_id,
        "Supervision of the aide was due on {due_on}."
        if visit.day > due
        else "Supervision of the aide is due by {due_on}.",
        cure="The scheduler books a supervisory visit by {due_on}.",
        severity=Severity.WARN,
        due=due,
        due_on=due,
        facts={"day": visit.day, "last_on": facts.last_on},
    )


@also("SUP-01")
def ask_supervisor(
    supervisor: Performer,
    policy: Policy,
    *,
    nursing_active: bool = False,
    virtual: bool = False,
    audio_only: bool = False,
    virtual_in_period: int = 0,
) -> tuple[Finding, ...]:
    """Whether this person may supervise the aide in this way. `virtual_in_period`: virtual ones already made."""
    findings = []
    if supervisor not in policy.aides.supervisors:
        findings.append(
            found(
                "SUP-01",
                "{supervisor} may not supervise an aide.",
                cure="One of {allowed} supervises.",
                severity=Severity.BLOCK,
                supervisor=supervisor,
                allowed=", ".join(sorted(policy.aides.supervisors)),
            )
        )
    elif nursing_active and supervisor is not Performer.RN:
        # The book asks for the nurse, 484.80(h)(1) for any appropriate skilled professional: so no refusal.
        findings.append(
            found(
                "SUP-01",
                "Nursing is active: the nurse supervises the aide.",
                cure="Assign a registered nurse.",
                severity=Severity.WARN,
                supervisor=supervisor,
            )
        )
    if audio_only:
        findings.append(
            found(
                "SUP-01",
                "Supervision by telephone does not count.",
                cure="Supervise in the home.",
                severity=Severity.BLOCK,
            )
        )
    elif virtual and virtual_in_period >= policy.aides.supervision_virtual_maximum:
        findings.append(
            found(
                "SUP-01",
                "Virtual supervision has been used {used} time(s) in this certification period.",
                cure="Supervise in the home.",
                severity=Severity.BLOCK,
                used=virtual_in_period,
            )
        )
    return tuple(findings)


@also("SUP-01")
def ask_supervision_visit(case: VisitCase, policy: Policy) -> tuple[Finding, ...]:
    """Who may be sent on a supervisory visit."""
    policy = policy.on(case.visit.day)
    if case.clinician is None or case.visit.kind is not VisitKind.SUPERVISION:
        return ()
    nursing = Discipline.SN in case.episode.ordered_disciplines
    return ask_supervisor(case.clinician.performer, policy, nursing_active=nursing)


@rule(
    "SUP-04",
    family=FAMILY,
    severity=Severity.TASK,
    citation="42 CFR 484.80(h)(2)",
    verification="V",
    sentence="Aide care without a skilled service: a nurse visits every 60 days and watches each aide every 6 months.",
    sentence_zh="病人只有助理照護時，護士每60天上門一次，並每6個月實地觀察每位助理。",
    settings=("aides.supervision_unskilled_days", "aides.observation_unskilled_months"),
    asked_on=("clock",),
)
def unskilled_supervision_due(last_on: date, policy: Policy) -> date:
    """Last day for the nurse's next visit on site."""
    policy = policy.on(last_on)
    return last_on + timedelta(days=policy.aides.supervision_unskilled_days)


@also("SUP-04")
def observation_due(last_on: date, policy: Policy) -> date:
    """Last day for the next direct observation of this aide with this patient."""
    policy = policy.on(last_on)
    return add_months(last_on, policy.aides.observation_unskilled_months)


@rule(
    "SUP-05",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="16 CCR 1398.44, 4180(f); 42 CFR 484.75(c)(1)",
    verification="V",
    sentence="Assistants treat; they do not evaluate, reassess or discharge, and are supervised every 30 days.",
    sentence_zh="助理級人員只做治療，不做評估、再評估或結案，並每30天接受督導。",
    settings=("aides.lvn_supervision_days", "aides.cota_supervision_days"),
    asked_on=("promise", "visit", "check-in", "planning", "publication", "question"),
)
def ask_assistant_kind(case: VisitCase) -> Finding | None:
    """Kinds of visit that a PTA or COTA may not make."""
    clinician = case.clinician
    if (
        clinician is None
        or clinician.performer not in ASSISTANTS
        or case.visit.kind not in (VisitKind.EVALUATION, VisitKind.REASSESSMENT, VisitKind.DISCHARGE)
    ):
        return None
    return found(
        "SUP-05",
        "{performer} may not make a {kind} visit.",
        cure="Assign the therapist.",
        performer=clinician.performer,
        kind=case.visit.kind,
    )


ASSISTANTS = frozenset({Performer.PTA, Performer.COTA})


@also("SUP-05")
def assistant_supervision_due(performer: Performer, last_on: date, policy: Policy) -> date | None:
    """Last day for the next supervision of an LVN or COTA; `None` for others, who have no fixed interval."""
    policy = policy.on(last_on)
    days = {
        Performer.LVN: policy.aides.lvn_supervision_days,
        Performer.COTA: policy.aides.cota_supervision_days,
    }.get(performer)
    return None if days is None else last_on + timedelta(days=days)
