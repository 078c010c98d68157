"""The eight criteria at work: what holds, what the records would answer, and the programme's answer (ELG-00)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.work import Work
from coordinator.domain.lifecycle import LIVE_ORDER
from coordinator.domain.vocabulary import Criterion, Determination, HomeSafety
from coordinator.orders.model import Order
from coordinator.patients.model import Patient
from coordinator.referrals.model import CriterionDetermination, Referral
from coordinator.rules import eligibility as rules
from coordinator.rules.eligibility import EligibilityAnswer
from coordinator.rules.facts import Coverage
from coordinator.rules.terms import Policy
from coordinator.staff.model import Physician

#: Answered at the initial visit, so that it may be made while they are open (ELG-00).
SETTLED_AT_INITIAL_VISIT = frozenset({Criterion.HOMEBOUND, Criterion.SAFE_HOME})


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the records at hand answer to a criterion. A person records it, or something else."""

    criterion: Criterion
    result: Determination
    evidence: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def criteria_of(referral: Referral, policy: Policy) -> tuple[Criterion, ...]:
    """The criteria of the referral's programme, in its order; none where the programme has none."""
    return policy.profile(referral.programme).criteria


def in_force(referral: Referral) -> dict[Criterion, CriterionDetermination]:
    """The newest determination of each criterion; older ones stay in the file."""
    return {row.criterion: row for row in sorted(referral.determinations, key=lambda row: row.id)}


def answer_of(referral: Referral, policy: Policy) -> EligibilityAnswer:
    """Everything together: eligible, not, or pending, and which criteria stand in the way."""
    held = {criterion: row.result for criterion, row in in_force(referral).items()}
    return rules.evaluate(held, criteria_of(referral, policy))


# ------------------------------------------------------------------------------------ suggestions


def suggest(work: Work, referral: Referral) -> tuple[Suggestion, ...]:
    """What coverage, address, referrer, and after acceptance the home and the physician, would answer by themselves."""
    patient = work.session.get(Patient, referral.patient_id) if referral.patient_id is not None else None
    found = [_member(work, referral, patient), _area(work, referral, patient), _referred(work, referral)]
    if patient is not None:
        found += [_safe(patient), _directed(work, patient)]
    wanted = criteria_of(referral, work.policy)
    return tuple(one for one in found if one.criterion in wanted)


def _member(work: Work, referral: Referral, patient: Patient | None) -> Suggestion:
    today = agency.today(work, referral.branch_id)
    coverage: tuple[Coverage, ...] | None = None
    if patient is not None:
        coverage = tuple(Coverage(row.payer, row.starts_on, row.ends_on) for row in patient.coverages)
    elif referral.payer is not None and referral.coverage_from is not None:
        coverage = (Coverage(referral.payer, referral.coverage_from, referral.coverage_to),)
    result = rules.member(coverage, today)
    evidence = {
        Determination.MET: f"Coverage by the health plan is recorded for {today}.",
        Determination.NOT_MET: f"No coverage by the health plan is recorded for {today}.",
        Determination.UNKNOWN: "Coverage has not been recorded.",
    }[result]
    return Suggestion(Criterion.MEMBER, result, evidence, _known(result, "covered"))


def _area(work: Work, referral: Referral, patient: Patient | None) -> Suggestion:
    home = patient.home if patient is not None else referral
    served = None
    if home.zip:
        day = agency.today(work, referral.branch_id)
        served = agency.serves(work, referral.branch_id, home.zip, day, home.lat, home.lon)
    result = rules.service_area(served)
    evidence = {
        Determination.MET: "The care address is in the service area.",
        Determination.NOT_MET: "The care address is outside the service area.",
        Determination.UNKNOWN: "The care address is not known.",
    }[result]
    return Suggestion(Criterion.SERVICE_AREA, result, evidence, _known(result, "care_address_in_area"))


def _referred(work: Work, referral: Referral) -> Suggestion:
    kind = referral.practitioner_type
    result = rules.referred(kind, referral.programme, work.policy)
    evidence = "The referrer's credential is not known." if kind is None else f"The referrer's credential is {kind}."
    return Suggestion(Criterion.REFERRED, result, evidence, {} if kind is None else {"referrer_type": kind.value})


def _safe(patient: Patient) -> Suggestion:
    home = patient.home
    done = home.mitigations_open == 0
    facts = {} if home.safety is HomeSafety.NOT_ASSESSED else {"safety": home.safety.value, "mitigations_done": done}
    evidence = f"The home is recorded as {home.safety.value}; open mitigations: {home.mitigations_open}."
    return Suggestion(Criterion.SAFE_HOME, rules.safe_home(home.safety, done), evidence, facts)


def _directed(work: Work, patient: Patient) -> Suggestion:
    managing = None
    if patient.managing_physician_id is not None:
        managing = work.session.get(Physician, patient.managing_physician_id)
    outside = work.session.execute(
        sa.select(sa.func.count())
        .select_from(Order)
        .join(Physician, Physician.id == Order.physician_id)
        .where(Order.patient_id == patient.id, Order.status.in_(sorted(LIVE_ORDER)), Physician.is_kp.is_(False))
    ).scalar_one()
    present, affiliated = managing is not None and managing.active, managing is not None and managing.is_kp
    facts = {"managing_physician": present, "affiliated": affiliated, "outside_orders": outside}
    result = rules.directed(present, affiliated, outside)
    evidence = f"Managing physician recorded: {managing is not None}; orders from outside the plan: {outside}."
    return Suggestion(Criterion.DIRECTED, result, evidence, facts)


def _known(result: Determination, name: str) -> dict[str, Any]:
    return {} if result is Determination.UNKNOWN else {name: result is Determination.MET}
