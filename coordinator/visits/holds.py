"""Holding a slot for the start of care of a referral: taken, let go, overdue, or become the visit it was held for.

What a held slot promises is a clinician's time; the law is asked when the visit is confirmed, as of any visit.
"""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from coordinator.agency import service as agency
from coordinator.core.db import broken_constraint, locked
from coordinator.core.errors import Conflict, NotFound, Refusal
from coordinator.core.work import Work, permitted
from coordinator.domain.events import ReferralAccepted, ReferralDeclined, ReferralNotAdmitted, ReferralWithdrawn
from coordinator.domain.vocabulary import HoldStatus, VisitKind, VisitStatus
from coordinator.jobs.context import JobContext
from coordinator.patients.model import Episode
from coordinator.referrals.queries import visible as visible_referral
from coordinator.referrals.states import OPEN
from coordinator.rules.facts import Moment
from coordinator.visits import held, placing, queries
from coordinator.visits.hold_model import SlotHold
from coordinator.visits.model import Visit


def take(
    work: Work, referral_id: int, clinician_id: int, starts_at: datetime, minutes: int
) -> SlotHold:  # fmt: skip
    """The clinician's time is held for the referral, until the policy's hours are over or the slot begins.

    Conflict `double-booking` names what stands there already, `hold-exists` the slot that the referral holds. Asked by
    other rooms, which name the permission and ask the rules.
    """
    referral = visible_referral(work, referral_id, lock=True)
    if referral.status not in OPEN:
        raise Conflict(
            "A slot is held for a referral that is not decided yet.", code="referral-closed",
            status_now=referral.status.value,
        )  # fmt: skip
    clinician = queries.the_clinician(work, clinician_id, referral.branch_id)
    queries.lock_people(work, [clinician_id], [])
    ends_at = starts_at + timedelta(minutes=minutes)
    if starts_at <= work.now:
        raise Conflict("That time is over: nothing can be held in it.", code="day-over")
    placing.refuse_absent(clinician, starts_at, ends_at)
    _refuse_second(work, referral_id)
    blocking = _in_the_way(work, clinician_id, starts_at, ends_at)
    zone = agency.zone_of(work, referral.branch_id)
    if blocking:
        raise queries.double_booking(blocking, zone)
    hold = SlotHold(
        branch_id=referral.branch_id, referral_id=referral.id, clinician_id=clinician_id, starts_at=starts_at,
        ends_at=ends_at, status=HoldStatus.HELD, held_by_id=work.actor.user_id, held_at=work.now,
        expires_at=min(work.now + timedelta(hours=work.policy.promise.hold_hours), starts_at),
    )  # fmt: skip
    try:
        with work.session.begin_nested():
            work.session.add(hold)
            work.session.flush()  # the guards speak now, while the winner can still be looked up
    except IntegrityError as error:
        if broken_constraint(error) != "no_hold_overlap":
            raise
        raise queries.double_booking(_in_the_way(work, clinician_id, starts_at, ends_at), zone) from error
    work.record("hold.held", f"hold:{hold.id}", referral=referral.id, clinician=clinician_id)
    return hold


def _refuse_second(work: Work, referral_id: int) -> None:
    other = _of_referral(work, referral_id)
    if other is not None and other.expires_at <= work.now:
        held.end(work, other, HoldStatus.EXPIRED, "expired")
    elif other is not None:
        raise Conflict(
            "A slot is held for this referral already. Release it first.", code="hold-exists",
            blocking=[{"hold": other.id, "clinician": other.clinician_id, "starts_at": other.starts_at.isoformat()}],
        )  # fmt: skip


def _in_the_way(work: Work, clinician_id: int, starts_at: datetime, ends_at: datetime) -> list[dict[str, Any]]:
    """Visits and holds on the clinician's time; the patient of a referral has no other visits."""
    nobody = Visit(patient_id=0)
    return queries.in_the_way(work, nobody, clinician_id, starts_at, ends_at)


def _of_referral(work: Work, referral_id: int) -> SlotHold | None:
    return work.session.scalar(
        sa.select(SlotHold)
        .where(SlotHold.referral_id == referral_id, SlotHold.status == HoldStatus.HELD)
        .with_for_update(),
        execution_options={"populate_existing": True},
    )


# ------------------------------------------------------------------------------------ reading and letting go


def visible(work: Work, hold_id: int, *, lock: bool = False) -> SlotHold:
    """The hold, if its referral is the actor's to see; NotFound otherwise. Asked by the verbs here and by the door."""
    hold = locked(work.session, SlotHold, hold_id, "hold") if lock else work.session.get(SlotHold, hold_id)
    if hold is None:
        raise NotFound("hold")
    try:
        visible_referral(work, hold.referral_id)
    except NotFound:
        raise NotFound("hold") from None
    return hold


@permitted("referral:read")
def of_referral(work: Work, referral_id: int) -> list[SlotHold]:
    """Every slot that was ever held for the referral, oldest first."""
    referral = visible_referral(work, referral_id)
    work.record("hold.listed", f"referral:{referral.id}", patient_id=referral.patient_id)
    return list(
        work.session.scalars(sa.select(SlotHold).where(SlotHold.referral_id == referral.id).order_by(SlotHold.id))
    )


@permitted("referral:hold")
def release(work: Work, hold_id: int) -> SlotHold:
    """The slot is free for others again."""
    hold = visible(work, hold_id, lock=True)
    if hold.status is not HoldStatus.HELD:
        raise Conflict(f"The slot is {hold.status.value}: it is held no longer.", code="hold-over", state=hold.status)
    held.end(work, hold, HoldStatus.RELEASED, "by-hand")
    return hold


def on_referral_closed(work: Work, event: ReferralDeclined | ReferralWithdrawn | ReferralNotAdmitted) -> None:
    """Nobody will come: the slot is free again."""
    hold = _of_referral(work, event.referral_id)
    if hold is not None:
        held.end(work, hold, HoldStatus.RELEASED, "referral-closed")


def on_referral_accepted(work: Work, event: ReferralAccepted) -> None:
    """The held slot becomes the initial visit, held and locked; the scheduler confirms it, and the rules are asked.

    Where the slot can no longer be had (somebody is away, a licence lapsed), the visit is merely wanted, and the trail
    says why: a slot is no reason not to accept.
    """
    hold = _of_referral(work, event.referral_id)
    if hold is None:
        return
    if hold.expires_at <= work.now:
        held.end(work, hold, HoldStatus.EXPIRED, "expired")
        return
    visit = work.session.scalar(
        sa.select(Visit)
        .join(Episode, Episode.id == Visit.episode_id)
        .where(
            Episode.referral_id == event.referral_id,
            Visit.patient_id == event.patient_id,
            Visit.kind == VisitKind.INITIAL,
            Visit.status == VisitStatus.PROPOSED,
            Visit.is_current,
        )
    )
    if visit is None:
        held.end(work, hold, HoldStatus.RELEASED, "no-initial-visit")
        return
    queries.lock_people(work, [hold.clinician_id], [visit.patient_id])
    minutes = int((hold.ends_at - hold.starts_at).total_seconds()) // 60
    held.end(work, hold, HoldStatus.TAKEN, "accepted")
    try:
        with work.session.begin_nested():
            placing.place(work, visit, hold.clinician_id, hold.starts_at, minutes, Moment.HOLD, None)
            visit.locked = True
            work.session.flush()  # a refusal of the database belongs into this savepoint
    except Refusal as refusal:
        held.end(work, hold, HoldStatus.RELEASED, refusal.problem_code[:40])
        return
    hold.visit_id = visit.id
    work.record("visit.held", f"visit:{visit.id}", patient_id=visit.patient_id, clinician=hold.clinician_id)


def expire_job(context: JobContext, arguments: dict[str, Any]) -> None:
    """Let go of the branch's overdue holds; the clocked job `holds.expire`. May be done twice."""
    with context.work() as work:
        held.expire_overdue(work, branch_id=int(arguments["branch_id"]))


__all__ = [
    "expire_job", "of_referral", "on_referral_accepted", "on_referral_closed", "release", "take", "visible",
]  # fmt: skip
