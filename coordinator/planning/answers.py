"""What the rules say before planning: on which days a patient may be visited, and by whom, in the rules' own words.

The same functions are asked here, at publication and at the door (Appendix A). Minutes a day and visits a day are left
out of the question: they depend on where the other visits go, and the planner keeps them as caps and gaps.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from coordinator.core.work import Work
from coordinator.domain.vocabulary import PERFORMERS, VisitStatus
from coordinator.planner.problem import Reason
from coordinator.planning.scene import Scene
from coordinator.rules.facts import Moment, VisitCase
from coordinator.rules.terms import Finding, Policy, refusals
from coordinator.rules.visit import ask_clinician_side, ask_patient_side
from coordinator.visits.book import CaseBook
from coordinator.visits.model import Visit


@dataclass(slots=True)
class Answers:
    """What the rules refuse about one visit. Days and clinicians that are not named are allowed."""

    #: Patient, order and day: every refusing finding.
    closed: dict[date, tuple[Finding, ...]] = field(default_factory=dict)
    #: Clinicians refused on every day that was asked.
    forbidden: dict[int, tuple[Finding, ...]] = field(default_factory=dict)
    #: (clinician, day) pairs refused on some days only.
    forbidden_days: dict[tuple[int, date], tuple[Finding, ...]] = field(default_factory=dict)
    #: The facts of each open day, with the time still open: windows are read from them.
    cases: dict[date, VisitCase] = field(default_factory=dict)


def reason_of(findings: Sequence[Finding]) -> Reason:
    """The first refusing finding as the planner carries it: the rule's id, its sentence and its cure."""
    first = findings[0]
    return Reason.of(first.rule, sentence=first.sentence(), cure=first.cure_sentence())


def without_others(case: VisitCase) -> VisitCase:
    """The case without what other visits of the run use up."""
    usage, order = case.usage, case.order
    if usage is not None:
        usage = replace(usage, day_minutes=0, week_minutes=0, next_day_minutes=0, next_week_minutes=0)
    if order is not None and order.week is not None:
        order = replace(order, week=replace(order.week, used_on_day=0))
    return replace(case, usage=usage, order=order)


def ask_all(work: Work, scene: Scene, book: CaseBook, days: Mapping[int, Sequence[date]]) -> dict[int, Answers]:
    """The rules' answers for each visit that is not fixed, on its days (`days`: by visit id)."""
    policy: Policy = work.policy
    known: dict[tuple[object, ...], tuple[Finding, ...]] = {}
    answers: dict[int, Answers] = {}
    spent: Counter[tuple[object, ...]] = Counter()
    for visit in sorted(scene.visits, key=lambda visit: (visit.is_optional, visit.window_from, visit.id)):
        if visit.id not in days:
            continue
        answer = answers[visit.id] = Answers()
        for day in days[visit.id]:
            case = without_others(book.case(visit, day=day))
            case = _after(case, spent[_authorised(visit, case)])
            refused = refusals(ask_patient_side(case, Moment.CONFIRM, policy))
            if refused:
                answer.closed[day] = refused
            else:
                answer.cases[day] = case
        if answer.cases and visit.status is VisitStatus.PROPOSED:
            # Not placed yet, so not counted as used: the payer's limit must know of it before the next one is asked.
            first = min(days[visit.id])
            spent[_authorised(visit, without_others(book.case(visit, day=first)))] += 1
        _ask_clinicians(scene, book, visit, answer, known, policy)
    return answers


def _authorised(visit: Visit, case: VisitCase) -> tuple[object, ...]:
    """Which of the payer's limits the visit would draw on (INT-04)."""
    limit = case.usage.authorisation if case.usage is not None else None
    return () if limit is None else (visit.patient_id, visit.discipline, limit.maximum, limit.used)


def _after(case: VisitCase, spent: int) -> VisitCase:
    """The case when `spent` other visits of the run have drawn on the payer's limit before it."""
    usage = case.usage
    if not spent or usage is None or usage.authorisation is None:
        return case
    limit = usage.authorisation
    return replace(case, usage=replace(usage, authorisation=replace(limit, used=limit.used + spent)))


def _ask_clinicians(
    scene: Scene,
    book: CaseBook,
    visit: Visit,
    answer: Answers,
    known: dict[tuple[object, ...], tuple[Finding, ...]],
    policy: Policy,
) -> None:
    """Ask for each clinician and open day; once only where the profession itself is wrong, whatever the day."""
    if not answer.cases:
        return
    alike = (visit.patient_id, visit.episode_id, visit.order_id, visit.discipline, visit.kind, visit.interpreter_booked)
    for clinician in scene.clinicians:
        asked = list(answer.cases)
        if clinician.performer not in PERFORMERS[visit.discipline]:
            asked = asked[:1]
        refused: dict[date, tuple[Finding, ...]] = {}
        for day in asked:
            key = (*alike, clinician.id, day)
            if key not in known:
                case = book.case(visit, clinician=clinician, day=day)
                known[key] = refusals(ask_clinician_side(case, Moment.CONFIRM, policy))
            if known[key]:
                refused[day] = known[key]
        if refused and len(refused) == len(asked):
            answer.forbidden[clinician.id] = refused[asked[0]]
        else:
            for day, findings in refused.items():
                answer.forbidden_days[clinician.id, day] = findings
