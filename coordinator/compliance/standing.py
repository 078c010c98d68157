"""How a patient stands with every rule today: kept, warned of, blocking, holding a bill, waiting, or not applicable.

One book of cases is loaded for all of the patient's visits ahead: the number of queries does not grow with them.
A rule is said to be kept only where it was asked, or where its obligation was met: silence is not compliance.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.compliance import papers
from coordinator.compliance.model import BillHold
from coordinator.core.work import Work, permitted
from coordinator.deadlines.model import Deadline
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import (
    INTERMITTENT,
    THERAPIES,
    DeadlineStatus,
    Determination,
    Discipline,
    Gender,
    OrderStatus,
    VisitKind,
    VisitStatus,
)
from coordinator.orders.model import Order
from coordinator.orders.service import findings_about
from coordinator.patients.model import Episode, Patient
from coordinator.patients.queries import require_visible
from coordinator.referrals.model import CriterionDetermination
from coordinator.rules.catalogue import RULES
from coordinator.rules.facts import Moment, VisitCase
from coordinator.rules.terms import Finding, Rule, Severity
from coordinator.rules.visit import ROWS, ask, ask_patient_side
from coordinator.staff.model import Clinician
from coordinator.visits import cases
from coordinator.visits.asking import left_after
from coordinator.visits.model import Visit

#: Days ahead whose visits are asked about.
AHEAD = timedelta(days=28)
#: Days for which an obligation that was met speaks for its rule.
MET = timedelta(days=60)
_PLACED = (VisitStatus.PENDING, VisitStatus.BOOKED)
_WANTED = (*_PLACED, VisitStatus.PROPOSED, VisitStatus.ON_HOLD)
_NOT_LIVE_YET = (OrderStatus.DRAFT, OrderStatus.VERBAL_RECEIVED, OrderStatus.SENT_FOR_SIGNATURE)


class State(StrEnum):
    """How the patient stands with a rule."""

    BLOCKS = "blocks"
    HOLDS_BILLING = "holds-billing"
    WARNS = "warns"
    #: Something is to be done by a day.
    WAITING = "waiting"
    KEPT = "kept"
    NOT_APPLICABLE = "not-applicable"


@dataclass(slots=True)
class Evidence:
    """What is known of one rule and this patient."""

    findings: list[Finding] = field(default_factory=list)
    set_aside: list[Finding] = field(default_factory=list)
    #: Ids of the visits and orders that it was asked about: `visit:9`.
    asked: list[str] = field(default_factory=list)
    due: list[Deadline] = field(default_factory=list)
    met: list[Deadline] = field(default_factory=list)
    holds: list[BillHold] = field(default_factory=list)
    determined: Determination | None = None
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """The answer of one rule."""

    rule: Rule
    state: State
    findings: tuple[dict[str, Any], ...]
    facts: dict[str, Any]
    next_date: date | None
    owner: str
    overdue: bool
    set_aside: bool
    why_not: str

    def as_dict(self) -> dict[str, Any]:
        """In plain values."""
        return {
            "rule": self.rule.id,
            "family": self.rule.family,
            "severity": self.rule.severity.value,
            "sentence": self.rule.sentence,
            "citation": self.rule.citation,
            "verification": self.rule.verification.value,
            "state": self.state.value,
            "overdue": self.overdue,
            "set_aside": self.set_aside,
            "next_date": self.next_date,
            "owner": self.owner,
            "facts": self.facts,
            "findings": list(self.findings),
            "why_not": self.why_not,
        }


_URGENCY = (State.BLOCKS, State.HOLDS_BILLING, State.WARNS, State.WAITING, State.KEPT, State.NOT_APPLICABLE)


def _urgency(one: Standing) -> tuple[bool, int, date, str]:
    """Overdue first, then by state, then by the next day."""
    return not one.overdue, _URGENCY.index(one.state), one.next_date or date.max, one.rule.id


@permitted("compliance:read")
def of_patient(work: Work, patient_id: int) -> dict[str, Any]:
    """Every rule with the patient's state under it, the most urgent first, and the families in that order too."""
    patient = require_visible(work, patient_id)
    zone = agency.zone_of(work, patient.branch_id)
    today = local_day(work.now, zone)
    evidence: dict[str, Evidence] = defaultdict(Evidence)
    episode = max(patient.episodes, key=lambda one: one.id, default=None)
    _ask_visits(work, patient, today, evidence)
    _ask_orders(work, patient_id, evidence)
    for rule, subject, findings in papers.of_patient(work, patient):
        evidence[rule].findings += findings
        evidence[rule].asked.append(subject)
    _read_deadlines(work, patient_id, evidence)
    for hold in work.session.scalars(
        sa.select(BillHold).where(BillHold.patient_id == patient_id, BillHold.cleared_at.is_(None))
    ):
        evidence[hold.rule].holds.append(hold)
    _read_criteria(work, episode, evidence)
    standings = sorted((_standing(rule, evidence[rule.id], work.now, today) for rule in RULES.values()), key=_urgency)
    families: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in standings:
        families[one.rule.family].append(one.as_dict())
    work.record("patient.compliance-read", f"patient:{patient_id}", patient_id=patient_id)
    return {
        "patient_id": patient_id,
        "day": today,
        "zone": zone.key,
        "programme": None if episode is None else episode.programme,
        "counts": {state.value: sum(1 for one in standings if one.state is state) for state in State},
        "overdue": sum(1 for one in standings if one.overdue),
        "families": [{"family": name, "rules": rules} for name, rules in families.items()],
    }


# ------------------------------------------------------------------------------------ gathering


def _ask_visits(work: Work, patient: Patient, today: date, evidence: dict[str, Evidence]) -> None:
    """What the rules say of every visit ahead: where it has a place, with its clinician; else of its first open day."""
    visits = list(
        work.session.scalars(
            sa.select(Visit)
            .where(
                Visit.patient_id == patient.id,
                Visit.is_current,
                Visit.status.in_(_WANTED),
                Visit.window_to >= today,
                Visit.window_from <= today + AHEAD,
            )
            .order_by(Visit.window_from, Visit.id)
        )
    )
    if not visits:
        for rule in ROWS:
            evidence[rule].why_not = "No visit is wanted or planned in the next four weeks."
        return
    numbers = {visit.clinician_id for visit in visits if visit.clinician_id is not None}
    people = list(work.session.scalars(sa.select(Clinician).where(Clinician.id.in_(numbers)))) if numbers else []
    clinicians = {row.id: row for row in people}
    book = cases.load(work, visits, people or None)
    looked_at: list[VisitCase] = []
    for visit in visits:
        name, clinician = f"visit:{visit.id}", clinicians.get(visit.clinician_id or 0)
        if clinician is not None and visit.status in _PLACED:
            case = book.case(visit, clinician)
            findings = ask(case, Moment.CONFIRM if visit.status is VisitStatus.BOOKED else Moment.HOLD, work.policy)
        else:
            day = min(max(visit.window_from, today), visit.window_to)
            case = book.case(visit, day=day)
            findings = ask_patient_side(case, Moment.HOLD, work.policy)
        looked_at.append(case)
        left = left_after(work, visit, findings, visit.clinician_id, visit.starts_at)
        for finding in findings:
            mine = evidence[finding.rule]
            (mine.set_aside if finding.refuses and finding not in left else mine.findings).append(finding)
        for rule in ROWS:
            if not _why_not(rule, case, work):
                evidence[rule].asked.append(name)
    for rule in ROWS:
        if not evidence[rule].asked:
            evidence[rule].why_not = next(filter(None, (_why_not(rule, case, work) for case in looked_at)), "")


def _ask_orders(work: Work, patient_id: int, evidence: dict[str, Evidence]) -> None:
    """What keeps orders that are written and not live yet from becoming so (ORD-02 to ORD-07, INT-02, INT-03)."""
    waiting = list(
        work.session.scalars(
            sa.select(Order).where(Order.patient_id == patient_id, Order.status.in_(_NOT_LIVE_YET)).order_by(Order.id)
        )
    )
    for order in waiting:
        for finding in findings_about(work, order):
            evidence[finding.rule].findings.append(finding)
        for rule in ACTIVATION:
            evidence[rule].asked.append(f"order:{order.id}")


#: Rules that are asked about every order before it becomes live.
ACTIVATION = ("ORD-02", "ORD-04", "ORD-07")


def _read_deadlines(work: Work, patient_id: int, evidence: dict[str, Evidence]) -> None:
    for row in work.session.scalars(
        sa.select(Deadline)
        .where(
            Deadline.patient_id == patient_id,
            sa.or_(
                Deadline.status == DeadlineStatus.OPEN,
                sa.and_(Deadline.status == DeadlineStatus.DONE, Deadline.closed_at >= work.now - MET),
            ),
        )
        .order_by(Deadline.due_on, Deadline.id)
    ):
        mine = evidence[row.rule]
        (mine.due if row.status is DeadlineStatus.OPEN else mine.met).append(row)


def _read_criteria(work: Work, episode: Episode | None, evidence: dict[str, Evidence]) -> None:
    """The newest answer to each criterion of the programme (ELG-1 to ELG-8, HB-01 through ELG-4)."""
    if episode is None or episode.referral_id is None:
        return
    rows = work.session.scalars(
        sa.select(CriterionDetermination)
        .where(CriterionDetermination.referral_id == episode.referral_id)
        .order_by(CriterionDetermination.id)
    )
    for row in rows:
        evidence[row.criterion.value].determined = row.result
    for criterion in work.policy.profile(episode.programme).criteria:
        mine = evidence[criterion.value]
        mine.determined = mine.determined or Determination.UNKNOWN


# ------------------------------------------------------------------------------------ judging


def _standing(rule: Rule, evidence: Evidence, now: datetime, today: date) -> Standing:
    findings = [*evidence.findings]
    late = [row for row in evidence.due if _is_late(row, now, today)]
    if any(finding.refuses for finding in findings) or evidence.determined is Determination.NOT_MET:
        state = State.BLOCKS
    elif evidence.holds or any(finding.severity is Severity.HOLD_BILL for finding in findings):
        state = State.HOLDS_BILLING
    elif any(finding.severity is Severity.WARN for finding in findings):
        state = State.WARNS
    elif evidence.due or findings or evidence.determined is Determination.UNKNOWN:
        state = State.WAITING
    elif evidence.asked or evidence.met or evidence.set_aside or evidence.determined is Determination.MET:
        state = State.KEPT
    else:
        state = State.NOT_APPLICABLE
    held = [one for hold in evidence.holds for one in hold.findings]
    said = _once([finding.as_dict() for finding in findings] + held)
    facts: dict[str, Any] = {}
    for one in reversed(said):
        facts |= one["facts"]
    if evidence.asked:
        facts |= {"asked_about": evidence.asked}
    if evidence.determined is not None:
        facts |= {"determined": evidence.determined.value}
    if evidence.due or evidence.met:
        facts |= {"deadlines": [row.id for row in (*evidence.due, *evidence.met)]}
    days = [row.due_on for row in evidence.due] + [day for finding in findings if (day := _day(finding.due))]
    why_not = ""
    if state is State.NOT_APPLICABLE:
        why_not = evidence.why_not or f"It is asked on other occasions: {_occasions(rule)}."
    return Standing(
        rule=rule,
        state=state,
        findings=tuple(said),
        facts=facts,
        next_date=min(days, default=None),
        owner=evidence.due[0].owner_role if evidence.due else next((one.owner for one in findings if one.owner), ""),
        overdue=bool(late),
        set_aside=bool(evidence.set_aside),
        why_not=why_not,
    )


def _is_late(row: Deadline, now: datetime, today: date) -> bool:
    return row.due_at < now if row.due_at is not None else row.due_on < today


def _once(said: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for one in said:
        if one not in found:
            found.append(one)
    return found


def _day(due: date | datetime | None) -> date | None:
    return due.date() if isinstance(due, datetime) else due


def _occasions(rule: Rule) -> str:
    return ", ".join(sorted(occasion.value for occasion in rule.asked_on)) or "none is written down"


# ------------------------------------------------------------------------------------ what concerns a visit


Concern = Callable[[VisitCase, Work], bool]


def _discipline(*disciplines: Discipline) -> Concern:
    return lambda case, _work: case.visit.discipline in disciplines


def _nursing(case: VisitCase, work: Work) -> bool:
    skilled = work.policy.profile(case.episode.programme, case.visit.day).skilled_need_required
    return skilled and case.visit.discipline is Discipline.SN


def _dependent(case: VisitCase, work: Work) -> bool:
    skilled = work.policy.profile(case.episode.programme, case.visit.day).skilled_need_required
    return skilled and case.visit.discipline in (Discipline.HHA, Discipline.MSW, Discipline.OT)


def _wishes(case: VisitCase, _work: Work) -> bool:
    patient = case.patient
    declined = case.clinician is not None and case.clinician.declined_by_patient
    keeps_free = any(not window.dark for window in patient.no_visit_windows)
    return keeps_free or patient.preferred_gender not in (None, Gender.UNKNOWN) or declined


#: Which visits a rule concerns, and what is said where it concerns none. What is not named concerns every visit.
CONCERNS: dict[str, tuple[Concern, str]] = {
    "ORD-03": (lambda case, _: case.order is not None and case.order.evaluate_and_treat, "No order is for evaluation."),
    "ORD-05": (
        lambda case, _: case.order is not None and case.order.received_at is not None,
        "No visit is under a verbal order.",
    ),
    "CERT-03": (lambda case, _: case.episode.soc_date is not None, "Care has not begun: there is no period yet."),
    "FRQ-05": (lambda case, _: case.visit.kind is VisitKind.PRN, "No as-needed visit is asked for."),
    "QUAL-02": (_dependent, "No visit depends on a skilled service, or the programme asks for none."),
    "INT-01": (lambda case, _: case.visit.discipline in INTERMITTENT, "No visit is a nurse's or an aide's."),
    "INT-02": (_nursing, "No nursing visit is ahead, or the programme asks for no intermittent need."),
    "INT-03": (_discipline(Discipline.HHA), "No aide visits the patient."),
    "INT-04": (
        lambda case, _: case.usage is not None and case.usage.authorisation is not None,
        "The payer limits no discipline of the visits ahead.",
    ),
    "SUP-01": (_discipline(Discipline.HHA), "No aide visits the patient."),
    "SUP-04": (lambda case, _: case.visit.kind is VisitKind.SUPERVISION, "No supervision visit is ahead."),
    "AID-02": (_discipline(Discipline.HHA), "No aide visits the patient."),
    "AID-03": (_discipline(Discipline.HHA), "No aide visits the patient."),
    "SUP-05": (_discipline(*sorted(THERAPIES)), "No therapy is ahead."),
    "ORD-09": (_discipline(*sorted(THERAPIES)), "No therapy is ahead."),
    "THX-01": (_discipline(*sorted(THERAPIES)), "No therapy is ahead."),
    "CRD-01": (lambda case, _: case.clinician is not None, "No visit ahead has its clinician yet."),
    "CRD-02": (lambda case, _: case.clinician is not None, "No visit ahead has its clinician yet."),
    "ASM-01": (lambda case, _: case.clinician is not None, "No visit ahead has its clinician yet."),
    "LNG-01": (
        lambda case, _: case.patient.interpreter_needed and case.clinician is not None,
        "The patient needs no interpreter, or no visit ahead has its clinician yet.",
    ),
    "CUL-01": (_wishes, "The patient keeps no time free and asks for nobody in particular."),
    "CAR-01": (lambda case, _: case.visit.kind is VisitKind.TEACHING, "No teaching visit is ahead."),
    "LAB-04": (lambda _case, _work: False, "It is about the clinician's day: asked when an hour is chosen."),
    "LAB-06": (
        lambda case, work: (
            bool(case.patient.hazards & work.policy.on(case.visit.day).safety.violence_hazards)
            or any(window.dark for window in case.patient.no_visit_windows)
        ),
        "The home is not flagged for violence, and visits may be made after sunset.",
    ),
}


def _why_not(rule: str, case: VisitCase, work: Work) -> str:
    """Why the rule does not concern the visit; empty where it does."""
    concern, said = CONCERNS.get(rule, (None, ""))
    return "" if concern is None or concern(case, work) else said
