"""What would make a refused visit possible: in which order findings can be cured, by whom, through which door.

`remaining` re-asks the rules with the cure supposed. Where the facts do not say what a cure would be, nothing is
supposed and nothing is said: it never guesses.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from coordinator.domain.vocabulary import Eligibility, HomeSafety, InterpreterMode, OrderStatus, Performer, Role
from coordinator.rules.facts import (
    AidePlanFacts,
    CaregiverFacts,
    Coverage,
    LocalWindow,
    Moment,
    PrnFacts,
    TherapyFacts,
    VisitCase,
)
from coordinator.rules.policy import Policy
from coordinator.rules.terms import Finding
from coordinator.rules.visit import ask

Suppose = Callable[[VisitCase, Finding], VisitCase | None]


@dataclass(frozen=True, slots=True)
class Cure:
    """How a rule's finding about a visit is cured.

    `rank`: the lower comes first, because the higher rest on it. `doors` are paths of the API with the names of what
    they concern in braces. `suppose`: the case as it would be, None where the facts do not say how.
    """

    rank: int
    roles: tuple[Role, ...]
    doors: tuple[str, ...]
    suppose: Suppose | None = None


# ------------------------------------------------------------------------------------ what is supposed


def _active(case: VisitCase, _finding: Finding) -> VisitCase:
    return replace(case, patient=replace(case.patient, active=True))


def _home_again(case: VisitCase, _finding: Finding) -> VisitCase:
    patient = case.patient
    if patient.on_hold:  # on return the resumption visit comes first
        return replace(case, patient=replace(patient, on_hold=False))
    return replace(case, patient=replace(patient, awaiting_resumption=False))


def _covered(case: VisitCase, _finding: Finding) -> VisitCase:
    day = case.visit.day
    now = (*(case.patient.coverage or ()), Coverage(case.episode.payer, day, day))
    return replace(case, patient=replace(case.patient, coverage=now))


def _eligible(case: VisitCase, _finding: Finding) -> VisitCase:
    return replace(case, patient=replace(case.patient, eligibility=Eligibility.ELIGIBLE, open_criteria=()))


def _in_area(case: VisitCase, _finding: Finding) -> VisitCase:
    return replace(case, patient=replace(case.patient, address_in_area=True))


def _safe(case: VisitCase, _finding: Finding) -> VisitCase:
    return replace(case, patient=replace(case.patient, home_safety=HomeSafety.SAFE, mitigations_done=True))


def _live_order(case: VisitCase, _finding: Finding) -> VisitCase | None:
    """The order signed. Without an order nobody knows what one would say."""
    if case.order is None:
        return None
    return replace(case, order=replace(case.order, status=OrderStatus.ACTIVE_SIGNED))


def _order_of_the_period(case: VisitCase, finding: Finding) -> VisitCase | None:
    number = finding.params.get("number")
    if case.order is None or not isinstance(number, int):
        return None
    return replace(case, order=replace(case.order, certification_number=number))


def _more_visits(case: VisitCase, _finding: Finding) -> VisitCase | None:
    """An order with room for one more that week and day; on a day that the order does not know, nothing is known."""
    order = case.order
    if order is None or order.week is None or not order.week.starts_on <= case.visit.day <= order.week.ends_on:
        return None
    week = order.week
    return replace(
        case,
        order=replace(
            order,
            week=replace(
                week, maximum=max(week.maximum, week.used + 1), per_day=max(week.per_day, week.used_on_day + 1)
            ),
        ),
    )


def _more_as_needed(case: VisitCase, _finding: Finding) -> VisitCase | None:
    order = case.order
    if order is None or order.prn is None:
        return None
    prn: PrnFacts = order.prn
    return replace(case, order=replace(order, prn=replace(prn, limit=max(prn.limit, prn.used + 1))))


def _skilled_later(case: VisitCase, _finding: Finding) -> VisitCase | None:
    if case.qualifying is None:
        return None
    return replace(case, qualifying=replace(case.qualifying, last_on=case.visit.day))


def _authorised(case: VisitCase, _finding: Finding) -> VisitCase | None:
    usage = case.usage
    if usage is None or usage.authorisation is None:
        return None
    more = replace(usage.authorisation, maximum=usage.authorisation.used + 1)
    return replace(case, usage=replace(usage, authorisation=more))


def _end_of_daily_nursing(case: VisitCase, _finding: Finding) -> VisitCase | None:
    usage = case.usage
    if usage is None:
        return None
    last = case.visit.day + timedelta(days=usage.nursing_days_after)
    return replace(case, usage=replace(usage, daily_nursing_ends_on=last))


def _aide_plan(case: VisitCase, _finding: Finding) -> VisitCase | None:
    if case.aide_plan is None:
        return None
    clinician = None if case.clinician is None else replace(case.clinician, aide_plan_acknowledged=True)
    return replace(case, aide_plan=AidePlanFacts(case.visit.day, Performer.RN), clinician=clinician)


def _reassessed(case: VisitCase, _finding: Finding) -> VisitCase | None:
    if case.therapy is None:
        return None
    therapy: TherapyFacts = replace(case.therapy, last_qualifying_on=_before(case.visit.day))
    return replace(case, therapy=therapy)


def _before(day: date) -> date:
    return day - timedelta(days=1)


def _skilled_person(case: VisitCase, _finding: Finding) -> VisitCase | None:
    if case.clinician is None or case.order is None:
        return None
    return replace(case, clinician=replace(case.clinician, skills=case.clinician.skills | case.order.required_skills))


def _interpreted(case: VisitCase, _finding: Finding) -> VisitCase:
    by_person = replace(case.visit.interpreter, mode=InterpreterMode.IN_PERSON, companion=False)
    return replace(case, visit=replace(case.visit, interpreter=by_person))


def _caregiver_there(case: VisitCase, _finding: Finding) -> VisitCase | None:
    starts = case.visit.starts_at
    if starts is None:
        return None
    begins = starts.astimezone(case.visit.zone)
    ends = (case.visit.ends_at or starts + timedelta(minutes=case.visit.minutes)).astimezone(case.visit.zone)
    if begins.date() != ends.date():
        return None
    there = LocalWindow(begins.time(), ends.time(), day=begins.date())
    return replace(
        case, patient=replace(case.patient, caregivers=(*case.patient.caregivers, CaregiverFacts(True, (there,))))
    )


def _another_time(case: VisitCase, _finding: Finding) -> VisitCase | None:
    """Free to come and go: an hour at which the stops before and after leave room."""
    return replace(case, neighbours=None)


_CM, _INTAKE, _SCHED, _PHYS, _CLIN, _ADMIN = (
    Role.CLINICAL_MANAGER, Role.INTAKE, Role.SCHEDULER, Role.PHYSICIAN, Role.CLINICIAN, Role.ADMINISTRATOR,
)  # fmt: skip
_NEW_ORDER = "POST /patients/{patient_id}/orders"
_OTHERS = ("GET /visits/{visit_id}/suggestions", "POST /visits/{visit_id}/assign", "POST /visits/{visit_id}/move")

#: By rule, in the order of what rests on what: the patient, the order, the week, the plan, the person, the hour.
CURES: dict[str, Cure] = {
    "PAT-01": Cure(10, (_INTAKE, _CM), ("POST /referrals/{referral_id}/accept",), _active),
    "ASM-02": Cure(
        11, (_INTAKE, _CM, _SCHED), ("POST /episodes/{episode_id}/resume", "GET /visits?patient_id={patient_id}"),
        _home_again,
    ),
    "ELG-1": Cure(12, (_INTAKE, _CM), ("POST /patients/{patient_id}/coverages",), _covered),
    "ELG-00": Cure(13, (_INTAKE, _CLIN, _PHYS, _CM), ("POST /referrals/{referral_id}/determinations",), _eligible),
    "ELG-5": Cure(14, (_INTAKE, _CM), ("PATCH /patients/{patient_id}",), _in_area),
    "ELG-6": Cure(15, (_CLIN, _CM), ("PUT /patients/{patient_id}/home-safety",), _safe),
    "ORD-01": Cure(
        20, (_PHYS, _CLIN), ("POST /orders/{order_id}/send", "POST /signature-batches", _NEW_ORDER), _live_order
    ),
    "ORD-03": Cure(21, (_PHYS, _CLIN), (_NEW_ORDER,)),
    "CERT-03": Cure(22, (_PHYS, _CLIN), (_NEW_ORDER,), _order_of_the_period),
    "ORD-05": Cure(23, (_CLIN, _CM), ("POST /orders/{order_id}/verbal",)),
    "FRQ-06": Cure(30, (_SCHED,), ("POST /visits/{visit_id}/move",)),
    "FRQ-03": Cure(31, (_SCHED, _PHYS), ("POST /visits/{visit_id}/move", _NEW_ORDER), _more_visits),
    "FRQ-05": Cure(32, (_PHYS,), (_NEW_ORDER,), _more_as_needed),
    "QUAL-02": Cure(33, (_PHYS, _SCHED), (_NEW_ORDER,), _skilled_later),
    "INT-04": Cure(34, (_INTAKE,), ("POST /patients/{patient_id}/authorisations",), _authorised),
    "INT-01": Cure(35, (_SCHED, _CM), ("POST /patients/{patient_id}/case-reviews", "POST /visits/{visit_id}/move")),
    "INT-02": Cure(36, (_PHYS,), (_NEW_ORDER,), _end_of_daily_nursing),
    "INT-03": Cure(37, (_SCHED,), ("POST /visits/{visit_id}/move",)),
    "AID-02": Cure(40, (_CLIN,), ("PUT /patients/{patient_id}/aide-instructions",), _aide_plan),
    # Refused is only the assistant: the therapist goes, and reassesses.
    "THX-01": Cure(42, (_SCHED, _CLIN), (*_OTHERS, "POST /visits/{visit_id}/kind"), _reassessed),
    "QUAL-03": Cure(44, (_CLIN,), ("PUT /visits/{visit_id}/purpose",)),
    "ASM-01": Cure(50, (_SCHED,), _OTHERS),
    "SUP-05": Cure(51, (_SCHED,), _OTHERS),
    "ORD-09": Cure(52, (_SCHED, _CLIN), _OTHERS),
    "CRD-01": Cure(53, (_CM, _ADMIN), ("POST /clinicians/{clinician_id}/credentials", *_OTHERS)),
    "AID-03": Cure(54, (_CM, _ADMIN), ("POST /clinicians/{clinician_id}/credentials", *_OTHERS)),
    "CRD-02": Cure(55, (_CM, _SCHED), ("PUT /clinicians/{clinician_id}/skills", *_OTHERS), _skilled_person),
    "SUP-04": Cure(56, (_SCHED,), _OTHERS),
    # Refused is only who may not supervise: another person does.
    "SUP-01": Cure(57, (_SCHED,), _OTHERS),
    "SUP-02": Cure(58, (_SCHED, _CLIN, _CM), (*_OTHERS, "POST /patients/{patient_id}/aide-observations")),
    "LNG-01": Cure(60, (_SCHED,), ("POST /visits/{visit_id}/interpreter",), _interpreted),
    "CAR-01": Cure(
        61, (_SCHED, _INTAKE), ("PATCH /patients/{patient_id}/caregivers/{caregiver_id}",), _caregiver_there
    ),
    "CUL-01": Cure(62, (_SCHED,), _OTHERS),
    "LAB-04": Cure(63, (_SCHED,), _OTHERS, _another_time),
    "LAB-02": Cure(64, (_SCHED,), _OTHERS),
    "LAB-06": Cure(66, (_SCHED, _CM), _OTHERS),
    "LAB-01": Cure(65, (_SCHED,), _OTHERS),
}  # fmt: skip
#: A rule that nobody has said a cure of: after the others, for whoever makes the roster.
UNKNOWN = Cure(99, (_SCHED, _CM), ())


def cure_of(finding: Finding) -> Cure:
    """How the finding is cured."""
    return CURES.get(finding.rule, UNKNOWN)


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """The findings that refuse, in the order in which they can be cured."""
    return sorted((finding for finding in findings if finding.refuses), key=lambda finding: cure_of(finding).rank)


@dataclass(frozen=True, slots=True)
class Remaining:
    """What would refuse the visit still if one finding, or it and all before it, were cured; None: not computable."""

    alone: tuple[Finding, ...] | None
    after: tuple[Finding, ...] | None


def remaining(
    case: VisitCase, steps: Sequence[Finding], moment: Moment, policy: Policy, settled: Sequence[Finding] = ()
) -> list[Remaining]:
    """For each step (`in_order`) what remains; `settled` are findings that somebody has set aside already."""
    answers = []
    so_far: VisitCase | None = case
    for step in steps:
        alone = _supposing(case, step, moment, policy)
        so_far = None if so_far is None else _supposing(so_far, step, moment, policy)
        answers.append(
            Remaining(
                None if alone is None else _left(alone, moment, policy, settled),
                None if so_far is None else _left(so_far, moment, policy, settled),
            )
        )
    return answers


def _supposing(case: VisitCase, step: Finding, moment: Moment, policy: Policy) -> VisitCase | None:
    """The case with the cure supposed, if it cures: a rule may find the next thing of the same kind, never the same."""
    suppose = cure_of(step).suppose
    supposed = None if suppose is None else suppose(case, step)
    if supposed is None:
        return None
    again = any((one.rule, one.message) == (step.rule, step.message) for one in _left(supposed, moment, policy, ()))
    return None if again else supposed


def _left(case: VisitCase, moment: Moment, policy: Policy, settled: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(finding for finding in ask(case, moment, policy) if finding.refuses and finding not in settled)
