"""Visits that scores propose: inside an order's as-needed limit, or asked of the physician; people decide (FRQ-05)."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.care import shelf
from coordinator.care.asking import raise_task
from coordinator.care.model import Assessment
from coordinator.care.response_model import VisitProposal
from coordinator.core.db import locked
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.care import ProposalStatus
from coordinator.domain.events import CareTaskSettled, ProposalDecided, VisitProposed
from coordinator.domain.lifecycle import LIVE_ORDER, LIVE_VISIT
from coordinator.domain.vocabulary import Discipline, VisitKind, VisitStatus
from coordinator.orders.model import Order
from coordinator.orders.queries import last_day, plan_of_episode, visible_order
from coordinator.patients.model import Patient
from coordinator.patients.queries import current_episode
from coordinator.patients.scope import require_sight
from coordinator.rules.responses import trigger, visits_wanted
from coordinator.rules.terms import Finding
from coordinator.visits import demand
from coordinator.visits.model import Visit

#: Proposals that wait for somebody.
WAITING = frozenset({ProposalStatus.PROPOSED, ProposalStatus.ASKED})
_TASK = {ProposalStatus.PROPOSED: "answer-proposal", ProposalStatus.ASKED: "ask-for-order"}
_OWNER = {ProposalStatus.PROPOSED: "case_manager", ProposalStatus.ASKED: "managing_physician"}


def propose(work: Work, patient: Patient, row: Assessment, findings: Iterable[Finding]) -> list[VisitProposal]:
    """Each visit that the findings call for is proposed under an order with one left, or asked of the physician.

    One that waits already for the same discipline is not proposed twice. Asked by other verbs of this room.
    """
    made = []
    rule_of = {finding.facts.get("discipline"): finding.rule for finding in findings if finding.facts.get("task")}
    for discipline, because in visits_wanted(findings).items():
        waiting = sa.select(VisitProposal.id).where(
            VisitProposal.patient_id == patient.id, VisitProposal.discipline == discipline,
            VisitProposal.status.in_(sorted(WAITING)),
        )  # fmt: skip
        if work.session.execute(waiting.limit(1)).scalar() is not None:
            continue
        order, left = _order_with_one_left(work, patient, discipline)
        proposal = VisitProposal(
            patient_id=patient.id, assessment_id=row.id, discipline=discipline, because=list(because),
            rule=rule_of.get(discipline.value, "INS-02"), proposed_at=work.now, left=left,
            status=ProposalStatus.ASKED if order is None else ProposalStatus.PROPOSED,
            order_id=None if order is None else order.id, physician_id=_physician_of(work, patient),
        )  # fmt: skip
        work.session.add(proposal)
        work.session.flush()  # its number is in the trail, and in what is asked of others
        work.record(
            "visit-proposal.made", f"visit-proposal:{proposal.id}", patient_id=patient.id,
            discipline=discipline.value, asked=order is None,
        )  # fmt: skip
        _ask(work, patient, proposal)
        made.append(proposal)
    return made


def _ask(work: Work, patient: Patient, proposal: VisitProposal) -> None:
    """Somebody is to answer it today."""
    raise_task(
        work, patient.id, rule=proposal.rule, about=f"visit-proposal:{proposal.id}", task=_TASK[proposal.status],
        due_on=agency.today(work, patient.branch_id), owner=_OWNER[proposal.status], discipline=proposal.discipline,
    )  # fmt: skip
    work.publish(
        VisitProposed(
            proposal_id=proposal.id, patient_id=patient.id, discipline=proposal.discipline.value,
            asked=proposal.status is ProposalStatus.ASKED, physician_id=proposal.physician_id,
        )
    )  # fmt: skip


def _order_with_one_left(work: Work, patient: Patient, discipline: Discipline) -> tuple[Order | None, int]:
    """The order that holds today, has an as-needed visit left and ends last; and how many it has left."""
    today = agency.today(work, patient.branch_id)
    orders = work.session.execute(
        sa.select(Order)
        .where(
            Order.patient_id == patient.id, Order.discipline == discipline, Order.status.in_(sorted(LIVE_ORDER)),
            Order.effective_from <= today, Order.prn_limit > 0,
        )
        .order_by(Order.effective_to.desc(), Order.id.desc())
    ).scalars()  # fmt: skip
    for order in orders:
        left = order.prn_limit - _used(work, order.id)
        if last_day(order) >= today and left > 0:
            return order, left
    return None, 0


def _used(work: Work, order_id: int) -> int:
    """As-needed visits of the order that are asked for, placed or made: what `demand.request_prn` counts."""
    counted = sa.select(sa.func.count(Visit.id)).where(
        Visit.order_id == order_id, Visit.kind == VisitKind.PRN,
        Visit.status.in_(sorted(LIVE_VISIT | {VisitStatus.PROPOSED})),
    )  # fmt: skip
    return int(work.session.execute(counted).scalar_one())


def _physician_of(work: Work, patient: Patient) -> int | None:
    episode = current_episode(work, patient.id, agency.today(work, patient.branch_id))
    plan = None if episode is None else plan_of_episode(work, episode.id)
    return patient.managing_physician_id if plan is None else plan.managing_physician_id


# ------------------------------------------------------------------------------------ deciding


def proposal_for_change(work: Work, proposal_id: int) -> VisitProposal:
    """The proposal, if the actor may see the patient and read the answers it comes from, locked."""
    _require_reader(work, work.session.get(VisitProposal, proposal_id))
    return locked(work.session, VisitProposal, proposal_id, "visit proposal")


def _require_reader(work: Work, row: VisitProposal | None) -> VisitProposal:
    if row is None:
        raise NotFound("visit proposal")
    require_sight(work, row.patient_id)
    scored = work.session.get_one(Assessment, row.assessment_id)
    shelf.require_reader(work, shelf.instruments()[scored.instrument])
    return row


def _waiting(work: Work, proposal_id: int, *statuses: ProposalStatus) -> VisitProposal:
    row = proposal_for_change(work, proposal_id)
    if row.status not in statuses:
        raise Conflict(f"This proposal is {row.status.value}.", code="proposal-decided")
    return row


@permitted("visit:request-prn")
def accept(work: Work, proposal_id: int, *, signs: str | None = None, window_to: date | None = None) -> VisitProposal:
    """An as-needed visit of the order is wanted for what was scored; the rules refuse one beyond its limit."""
    row = _waiting(work, proposal_id, ProposalStatus.PROPOSED)
    assert row.order_id is not None
    visit = demand.request_prn(work, row.order_id, signs or trigger(row.because), window_to=window_to)
    row.visit_id = visit.id
    return _decided(work, row, ProposalStatus.ACCEPTED, "visit-proposal.accepted", visit=visit.id)


@permitted("proposal:decide")
def decline(work: Work, proposal_id: int, reason: str) -> VisitProposal:
    """No visit follows, for the reason given; what the score asked for otherwise is owed as before."""
    row = _waiting(work, proposal_id, *WAITING)
    if not reason.strip():
        raise Invalid("Say why no visit is needed.", pointer="/reason")
    row.decline_reason = reason[:300]
    return _decided(work, row, ProposalStatus.DECLINED, "visit-proposal.declined")


@permitted("proposal:decide")
def answer(work: Work, proposal_id: int, order_id: int) -> VisitProposal:
    """The physician's answer is on record as a live order: with an as-needed visit left, a nurse may accept it now."""
    row = _waiting(work, proposal_id, ProposalStatus.ASKED)
    order = visible_order(work, order_id)
    if order.patient_id != row.patient_id or order.discipline is not row.discipline:
        raise Invalid("This order is another patient's, or another discipline's.", pointer="/order_id")
    if order.status not in LIVE_ORDER:
        raise Conflict("Nothing may be given under this order yet: it is signed first.", code="order-not-live")
    row.order_id, row.left = order.id, order.prn_limit - _used(work, order.id)
    if row.left <= 0:
        return _decided(work, row, ProposalStatus.ORDERED, "visit-proposal.ordered", order=order.id)
    _settle(work, row, "ordered")
    row.status = ProposalStatus.PROPOSED
    work.session.flush()  # the new version is in the answer
    work.record("visit-proposal.ordered", f"visit-proposal:{row.id}", patient_id=row.patient_id, order=order.id)
    _ask(work, work.session.get_one(Patient, row.patient_id), row)
    return row


def _decided(work: Work, row: VisitProposal, status: ProposalStatus, action: str, **facts: Any) -> VisitProposal:
    row.status, row.decided_by, row.decided_at = status, work.actor.user_id, work.now
    work.session.flush()  # the new version is in the answer
    work.record(action, f"visit-proposal:{row.id}", patient_id=row.patient_id, **facts)
    _settle(work, row, status.value)
    return row


def _settle(work: Work, row: VisitProposal, reason: str, *, in_error: bool = False) -> None:
    work.publish(ProposalDecided(proposal_id=row.id, patient_id=row.patient_id))
    work.publish(
        CareTaskSettled(
            patient_id=row.patient_id, rule=row.rule, reason=reason, subject=f"visit-proposal:{row.id}",
            in_error=in_error,
        )
    )  # fmt: skip


def withdraw_for(work: Work, assessment: Assessment) -> None:
    """What waits because of answers that were entered in error waits no more. Asked by other verbs of this room."""
    rows = work.session.execute(
        sa.select(VisitProposal).where(
            VisitProposal.assessment_id == assessment.id, VisitProposal.status.in_(sorted(WAITING))
        )
    ).scalars()
    for row in rows.all():
        row.status, row.decided_by, row.decided_at = ProposalStatus.WITHDRAWN, work.actor.user_id, work.now
        work.record("visit-proposal.withdrawn", f"visit-proposal:{row.id}", patient_id=row.patient_id)
        _settle(work, row, "entered in error", in_error=True)


# ------------------------------------------------------------------------------------ reading


@permitted("assessment:read")
def get(work: Work, proposal_id: int) -> VisitProposal:
    """One proposal; the reading is on record."""
    row = _require_reader(work, work.session.get(VisitProposal, proposal_id))
    work.record("visit-proposal.read", f"visit-proposal:{row.id}", patient_id=row.patient_id)
    return row


@permitted("assessment:read")
def search(work: Work, patient_id: int, *, waiting: bool = False) -> sa.Select[Any]:
    """The patient's proposals that come from answers the actor may read, as a select for `page`."""
    require_sight(work, patient_id)
    query = (
        sa.select(VisitProposal)
        .join(Assessment, Assessment.id == VisitProposal.assessment_id)
        .where(VisitProposal.patient_id == patient_id, Assessment.instrument.in_(shelf.readable(work)))
    )
    if waiting:
        query = query.where(VisitProposal.status.in_(sorted(WAITING)))
    work.record("visit-proposal.listed", f"patient:{patient_id}", patient_id=patient_id)
    return query


def of_assessment(work: Work, assessment_id: int) -> list[VisitProposal]:
    """What one set of answers proposed. Asked by other rooms and by doors that have checked who asks."""
    query = sa.select(VisitProposal).where(VisitProposal.assessment_id == assessment_id).order_by(VisitProposal.id)
    return list(work.session.execute(query).scalars())
