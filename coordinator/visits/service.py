"""Giving a visit its person and its hour: assign, hold, confirm, move, unassign, cancel, lock.

Every change takes the calendars of clinician and patient first, so that two hands never reach for the same hour at the
same time; the database keeps the last word through its guards.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from coordinator.access import overrides
from coordinator.access.model import Override
from coordinator.core.errors import Conflict, Invalid, RuleBroken
from coordinator.core.work import Work, permitted
from coordinator.domain.events import VisitBooked, VisitCancelled, VisitMoved
from coordinator.domain.lifecycle import DONE_VISIT, LIVE_ORDER, LIVE_VISIT
from coordinator.domain.vocabulary import Conversation, InterpreterMode, VisitKind, VisitStatus, WaiveReason
from coordinator.orders.model import Order
from coordinator.orders.queries import visible_order
from coordinator.patients.model import Patient
from coordinator.rules.facts import Moment
from coordinator.rules.orders import STATE_WORDS, TENTATIVE_ORDER
from coordinator.rules.terms import Finding
from coordinator.visits import placing, queries, units
from coordinator.visits.asking import about_visit, judge, left_after, refusal
from coordinator.visits.model import Visit
from coordinator.visits.publishing import BookRequest, book_many

#: Kinds that a scheduler may plan a visit as: the order's visit, with a purpose of its own (ASM-01, THX-01, CAR-01).
PLANNED_KINDS = frozenset(
    {
        VisitKind.ROUTINE,
        VisitKind.EVALUATION,
        VisitKind.REASSESSMENT,
        VisitKind.RECERTIFICATION,
        VisitKind.RESUMPTION,
        VisitKind.DISCHARGE,
        VisitKind.TEACHING,
    }
)
#: The rule that patient and clinician understand each other.
UNDERSTOOD = "LNG-01"


# ------------------------------------------------------------------------------------ the verbs


@permitted("visit:assign")
def assign(
    work: Work,
    visit_id: int,
    clinician_id: int,
    starts_at: datetime,
    minutes: int | None = None,
    override: Mapping[str, str] | None = None,
    *,
    tentative: bool = False,
) -> Visit:
    """The wanted visit has its clinician and hour: booked, or only held if `tentative`."""
    visit = queries.claim(work, visit_id, clinician_id)
    if visit.status not in (VisitStatus.PROPOSED, VisitStatus.PENDING):
        raise placing.not_in_state(visit, "assigned")
    placing.refuse_locked(visit)
    moment = Moment.HOLD if tentative else Moment.CONFIRM
    was_pending = visit.status is VisitStatus.PENDING
    placing.place(work, visit, clinician_id, starts_at, minutes, moment, override)
    work.record(
        "visit.held" if tentative else "visit.booked",
        f"visit:{visit.id}",
        patient_id=visit.patient_id,
        clinician=clinician_id,
        moved=was_pending,
    )
    if not tentative:
        work.publish(VisitBooked(visit_id=visit.id, clinician_id=clinician_id))
    return visit


@permitted("visit:assign")
def hold(
    work: Work,
    visit_id: int | None = None,
    order_id: int | None = None,
    *,
    clinician_id: int,
    starts_at: datetime,
    minutes: int | None = None,
    override: Mapping[str, str] | None = None,
) -> Visit:
    """A slot is held, for a wanted visit or against an order that nobody has signed yet; it is not a booking."""
    if (visit_id is None) == (order_id is None):
        raise Invalid("Say either which visit or which order the slot is held for.", pointer="/order_id")
    if visit_id is not None:
        return assign(work, visit_id, clinician_id, starts_at, minutes, override, tentative=True)
    order = visible_order(work, order_id or 0)
    if order.status in LIVE_ORDER:
        raise Conflict(
            "The order is live: its visits are wanted already. Hold the slot for one of them.",
            code="order-live",
            order_id=order.id,
        )
    if order.status not in TENTATIVE_ORDER:
        raise Conflict(
            f"The order {STATE_WORDS[order.status]}: no slot can be held against it.", code="order-not-active"
        )
    patient = work.session.get_one(Patient, order.patient_id)
    queries.lock_people(work, [clinician_id], [patient.id])
    visit = units.wanted(
        work,
        branch_id=patient.branch_id,
        patient_id=patient.id,
        episode_id=order.episode_id,
        discipline=order.discipline,
        kind=VisitKind.EVALUATION if order.evaluate_and_treat else VisitKind.ROUTINE,
        window_from=order.effective_from,
        window_to=order.effective_to,
        minutes=minutes or order.visit_minutes,
    )
    visit.order_id = order.id
    work.session.flush()  # rules and refusals name the visit by its number
    placing.place(work, visit, clinician_id, starts_at, minutes, Moment.HOLD, override)
    work.record("visit.held", f"visit:{visit.id}", patient_id=visit.patient_id, clinician=clinician_id, order=order.id)
    return visit


@permitted("visit:confirm")
def confirm(work: Work, visit_id: int, override: Mapping[str, str] | None = None) -> Visit:
    """The held slot is booked: everything is asked again, now strictly."""
    visit = queries.claim(work, visit_id)
    if visit.status is not VisitStatus.PENDING or visit.clinician_id is None or visit.starts_at is None:
        raise placing.not_in_state(visit, "confirmed")
    placing.place(work, visit, visit.clinician_id, visit.starts_at, None, Moment.CONFIRM, override)
    work.record("visit.booked", f"visit:{visit.id}", patient_id=visit.patient_id, clinician=visit.clinician_id)
    work.publish(VisitBooked(visit_id=visit.id, clinician_id=visit.clinician_id))
    return visit


@permitted("visit:assign")
def move(
    work: Work,
    visit_id: int,
    clinician_id: int | None = None,
    starts_at: datetime | None = None,
    minutes: int | None = None,
    override: Mapping[str, str] | None = None,
) -> Visit:
    """The visit has another clinician, hour or length, within its order week (FRQ-06); it stays held or booked."""
    if clinician_id is None and starts_at is None and minutes is None:
        raise Invalid("There is nothing to change: say another clinician, hour or length.", pointer="/starts_at")
    visit = queries.claim(work, visit_id, *([clinician_id] if clinician_id is not None else []))
    if visit.status not in units.AHEAD or visit.clinician_id is None or visit.starts_at is None:
        raise placing.not_in_state(visit, "moved")
    placing.refuse_locked(visit)
    old_clinician, old_start = visit.clinician_id, visit.starts_at
    booked = visit.status is VisitStatus.BOOKED
    placing.place(
        work,
        visit,
        clinician_id or visit.clinician_id,
        starts_at or visit.starts_at,
        minutes,
        Moment.CONFIRM if booked else Moment.HOLD,
        override,
    )
    if visit.starts_at != old_start:
        visit.told_patient_at = None
    _loosen_companions(work, visit)
    work.record("visit.moved", f"visit:{visit.id}", patient_id=visit.patient_id, clinician=visit.clinician_id)
    if booked:
        work.publish(
            VisitMoved(
                visit_id=visit.id, old_clinician_id=old_clinician, clinician_id=visit.clinician_id,
                old_starts_at=old_start,
            )
        )  # fmt: skip
    return visit


@permitted("visit:assign")
def lengthen(work: Work, visit_id: int, ends_at: datetime) -> Visit:
    """The visit, ahead or under way, lasts until then; nobody else's time is taken for it (Conflict `double-booking`).

    The rules are not asked: what runs long is a fact, not a plan.
    """
    visit = queries.claim(work, visit_id)
    if visit.status not in LIVE_VISIT - DONE_VISIT or visit.clinician_id is None or visit.starts_at is None:
        raise placing.not_in_state(visit, "made longer")
    assert visit.ends_at is not None
    if ends_at <= visit.ends_at:
        raise Invalid("The visit lasts until then already.", pointer="/ends_at")
    blocking = queries.in_the_way(work, visit, visit.clinician_id, visit.starts_at, ends_at)
    if blocking:
        raise queries.double_booking(blocking, queries.zone(work, visit))
    with placing.guarded(work, visit, visit.clinician_id, visit.starts_at, ends_at):
        visit.ends_at = ends_at
    work.record("visit.lengthened", f"visit:{visit.id}", patient_id=visit.patient_id, clinician=visit.clinician_id)
    return visit


@permitted("visit:assign")
def unassign(work: Work, visit_id: int) -> Visit:
    """The visit is wanted again, with nobody and no hour."""
    visit = queries.claim(work, visit_id)
    if visit.status not in units.AHEAD:
        raise placing.not_in_state(visit, "unassigned")
    placing.refuse_locked(visit)
    _take_away(work, visit)
    for second in units.companions(work, [visit.id]):
        if second.status in units.AHEAD:
            _take_away(work, second)
    return visit


def _take_away(work: Work, visit: Visit) -> None:
    old, old_start, booked = visit.clinician_id, visit.starts_at, visit.status is VisitStatus.BOOKED
    units.clear(visit)
    visit.status = VisitStatus.PROPOSED
    work.session.flush()  # the new version is in the answer, and companions are asked about what now stands
    work.record("visit.unassigned", f"visit:{visit.id}", patient_id=visit.patient_id, clinician=old)
    if booked:
        work.publish(VisitMoved(visit_id=visit.id, old_clinician_id=old, clinician_id=None, old_starts_at=old_start))


def _loosen_companions(work: Work, visit: Visit) -> None:
    """A second person whose visit no longer lies within the first one's is free again, and wanted at the new time."""
    for second in units.companions(work, [visit.id]):
        if second.status not in units.AHEAD or second.starts_at is None or second.ends_at is None:
            continue
        if visit.starts_at is None or visit.ends_at is None:
            continue
        if not (visit.starts_at <= second.starts_at and second.ends_at <= visit.ends_at):
            _take_away(work, second)


@permitted("visit:cancel")
def cancel(work: Work, visit_id: int, reason: str) -> Visit:
    """The visit will not be made as planned. What an order asks for is wanted again, unless the order has ended.

    The answer is the cancelled row; the one that took over its unit names it in `replaces_id`.
    """
    visit = queries.claim(work, visit_id)
    today = queries.today(work, visit)
    order = work.session.get(Order, visit.order_id) if visit.order_id is not None else None
    wanted_still = _wanted_still(visit, order, today, work)
    if visit.status not in units.AHEAD and not (visit.status is VisitStatus.PROPOSED and not wanted_still):
        raise placing.not_in_state(visit, "cancelled")
    placing.refuse_locked(visit)
    was_placed, clinician_id = visit.status in units.AHEAD, visit.clinician_id
    visit.cancel_reason = reason[:200]
    if not wanted_still and visit.unit is not None:
        units.waive(visit, WaiveReason.ORDER_ENDED)
        units.drop_companions(work, visit, "lead-cancelled")
    elif not wanted_still:
        visit.status, visit.is_current = VisitStatus.CANCELLED, False
        units.drop_companions(work, visit, "lead-cancelled")
    else:
        fresh = units.hand_over(work, visit, VisitStatus.CANCELLED)
        units.drop_companions(work, visit, "lead-cancelled")
        units.raise_companion(work, fresh, order)
    work.session.flush()  # the new version is in the answer
    work.record("visit.cancelled", f"visit:{visit.id}", patient_id=visit.patient_id, clinician=clinician_id)
    if was_placed:
        work.publish(VisitCancelled(visit_id=visit.id, clinician_id=clinician_id))
    return visit


def _wanted_still(visit: Visit, order: Order | None, today: date, work: Work) -> bool:
    """Whether somebody still wants a visit after this row is cancelled."""
    if visit.joint_with_id is not None:
        lead = work.session.get(Visit, visit.joint_with_id)
        return lead is not None and lead.is_current and lead.status in LIVE_VISIT | {VisitStatus.PROPOSED}
    if visit.unit is not None:
        return not queries.order_over(order, max(today, visit.window_from))
    if visit.kind is VisitKind.INITIAL:
        patient = work.session.get_one(Patient, visit.patient_id)
        episode = next((row for row in patient.episodes if row.id == visit.episode_id), None)
        return patient.active and episode is not None and episode.discharged_on is None and episode.soc_date is None
    return False


@permitted("visit:assign")
def lock(work: Work, visit_id: int) -> Visit:
    """The visit stays where it is: neither the planner nor a colleague moves it until it is unlocked."""
    return _set_lock(work, visit_id, locked=True)


@permitted("visit:assign")
def unlock(work: Work, visit_id: int) -> Visit:
    """The visit may be moved again."""
    return _set_lock(work, visit_id, locked=False)


def _set_lock(work: Work, visit_id: int, *, locked: bool) -> Visit:
    visit = queries.claim(work, visit_id)
    if visit.status not in units.AHEAD:
        raise placing.not_in_state(visit, "locked or unlocked")
    visit.locked = locked
    work.session.flush()  # the new version is in the answer
    work.record("visit.locked" if locked else "visit.unlocked", f"visit:{visit.id}", patient_id=visit.patient_id)
    return visit


@permitted("visit:assign")
def plan_as(work: Work, visit_id: int, kind: VisitKind) -> Visit:
    """The order's visit is planned with another purpose: a reassessment, a recertification, a discharge."""
    visit = queries.claim(work, visit_id)
    if visit.status not in units.AHEAD | {VisitStatus.PROPOSED}:
        raise placing.not_in_state(visit, "planned as something else")
    if kind not in PLANNED_KINDS or visit.kind not in PLANNED_KINDS:
        raise Invalid("A visit of this kind cannot become one of that kind.", pointer="/kind")
    visit.kind = kind
    _ask_again(work, visit)
    work.session.flush()  # the new version is in the answer
    work.record("visit.planned-as", f"visit:{visit.id}", patient_id=visit.patient_id, kind=kind.value)
    return visit


@permitted("visit:assign")
def plan_conversation(work: Work, visit_id: int, conversation: Conversation | None) -> Visit:
    """At the visit that will be talked about, so that it must be understood word for word (LNG-01); None: no longer."""
    visit = queries.claim(work, visit_id)
    if visit.status not in units.AHEAD | {VisitStatus.PROPOSED}:
        raise placing.not_in_state(visit, "planned as something else")
    visit.conversation = conversation
    work.session.flush()  # the rules are asked about it
    _ask_again(work, visit)
    work.session.flush()  # the new version is in the answer
    what = conversation.value if conversation is not None else None
    work.record("visit.conversation-planned", f"visit:{visit.id}", patient_id=visit.patient_id, conversation=what)
    return visit


def _ask_again(work: Work, visit: Visit) -> None:
    """What was changed about a visit that has its place must not be what the rules refuse there."""
    if visit.clinician_id is not None and visit.starts_at is not None:
        moment = Moment.CONFIRM if visit.status is VisitStatus.BOOKED else Moment.HOLD
        placing.place(work, visit, visit.clinician_id, visit.starts_at, None, moment, None)


@permitted("visit:assign")
def book_interpreter(
    work: Work, visit_id: int, mode: InterpreterMode | None, *, reference: str | None = None, companion: bool = False,
    companion_age: int | None = None, companion_basis: str | None = None,
) -> Visit:  # fmt: skip
    """An interpreter is booked for the visit, in that way; None: no longer, if the rules let it stand so (LNG-01).

    `companion`: somebody who comes with the patient interprets instead, of that age, because the patient `requested`
    it in private or in an `emergency`.
    """
    if companion and mode is not None:
        raise Invalid("Either an interpreter is booked or a companion interprets.", pointer="/companion")
    if not companion and (companion_age is not None or companion_basis is not None):
        raise Invalid("Age and reason are of a companion.", pointer="/companion")
    visit = queries.claim(work, visit_id)
    if visit.status not in units.AHEAD | {VisitStatus.PROPOSED}:
        raise placing.not_in_state(visit, "interpreted otherwise")
    visit.interpreter_booked = mode.value if mode is not None else None
    visit.interpreter_reference = reference
    visit.interpreter_companion = companion
    visit.interpreter_companion_age, visit.interpreter_companion_basis = companion_age, companion_basis
    work.session.flush()  # the new version is in the answer
    if visit.clinician_id is not None and visit.starts_at is not None and visit.ends_at is not None:
        moment = Moment.CONFIRM if visit.status is VisitStatus.BOOKED else Moment.HOLD
        clinician = queries.the_clinician(work, visit.clinician_id, visit.branch_id)
        findings = placing.put_question(work, visit, clinician, visit.starts_at, visit.ends_at, moment)
        # What else may be the matter with the visit is no reason to refuse an interpreter.
        heard = [finding for finding in findings if finding.rule == UNDERSTOOD]
        verdict = judge(work, visit, heard, clinician_id=visit.clinician_id, starts_at=visit.starts_at)
        visit.warnings = sorted({*(rule for rule in visit.warnings if rule != UNDERSTOOD), *verdict.warnings})
        work.session.flush()  # so is what is shown of it
    work.record(
        "visit.interpreter-booked", f"visit:{visit.id}", patient_id=visit.patient_id, mode=visit.interpreter_booked,
        companion=companion,
    )  # fmt: skip
    return visit


@dataclass(frozen=True, slots=True)
class Answer:
    """What the rules would say, and what is in the way, without anything being changed."""

    findings: tuple[Finding, ...]
    blocking: list[dict[str, Any]]
    warnings: list[str]
    #: Those findings that refuse and that nobody has set aside.
    left: tuple[Finding, ...]

    @property
    def possible(self) -> bool:
        return not self.blocking and not self.left


@permitted("visit:assign")
def ask_about(
    work: Work,
    visit_id: int,
    clinician_id: int,
    starts_at: datetime,
    minutes: int | None = None,
    moment: Moment = Moment.CONFIRM,
) -> Answer:
    """What would be said if the visit were given to that clinician at that time; nothing is changed or held."""
    visit = queries.the_visit(work, visit_id)
    clinician = queries.the_clinician(work, clinician_id, visit.branch_id)
    ends_at = starts_at + timedelta(minutes=minutes or visit.minutes)
    outside = placing.outside_window(work, visit, starts_at)
    findings = placing.put_question(work, visit, clinician, starts_at, ends_at, moment)
    left = left_after(work, visit, (*outside, *findings), clinician.id, starts_at)
    blocking: list[dict[str, Any]] = []
    for one in placing.obstacles(work, visit, clinician, starts_at, ends_at):
        if isinstance(one, RuleBroken):
            continue  # its findings are in the answer already
        if one.problem_code == "double-booking":
            blocking += one.extra["blocking"]
        else:
            blocking.append({"code": one.problem_code, "detail": one.detail})
    work.record("visit.checked", f"visit:{visit.id}", patient_id=visit.patient_id, clinician=clinician.id)
    return Answer((*outside, *findings), blocking, placing.remarks(work, visit, clinician, starts_at, ends_at), left)


@permitted("rule:set-aside")
def set_aside(
    work: Work,
    visit_id: int,
    rule: str,
    override: Mapping[str, str],
    clinician_id: int | None = None,
    starts_at: datetime | None = None,
) -> list[Override]:
    """A rule that refuses the visit there is set aside for what it finds now: whoever books or begins it may go on.

    There: where the visit stands, unless another clinician or hour is said. The rows of everything that was set aside
    for the visit. Conflict if the rule refuses nothing.
    """
    visit = queries.claim(work, visit_id, *([clinician_id] if clinician_id is not None else []))
    clinician_id, starts_at = clinician_id or visit.clinician_id, starts_at or visit.starts_at
    if clinician_id is None or starts_at is None:
        raise Invalid("The visit has no place yet: say which clinician and hour are meant.", pointer="/starts_at")
    clinician = queries.the_clinician(work, clinician_id, visit.branch_id)
    ends_at = starts_at + timedelta(minutes=placing.length(visit))
    findings = placing.put_question(work, visit, clinician, starts_at, ends_at, Moment.CONFIRM)
    about = about_visit(visit, clinician_id, starts_at)
    overrides.settle_one(work, about, rule, findings, override, refusal)
    return overrides.rows_about(work, about)


@permitted("override:read")
def set_aside_so_far(work: Work, visit_id: int) -> list[Override]:
    """What was set aside for the visit, by whom and why, oldest first."""
    visit = queries.the_visit(work, visit_id)
    work.record("visit.overrides-read", f"visit:{visit.id}", patient_id=visit.patient_id)
    return overrides.rows_about(work, about_visit(visit, None, None))


__all__ = [
    "Answer", "BookRequest", "ask_about", "assign", "book_interpreter", "book_many", "cancel", "confirm", "hold",
    "lengthen", "lock", "move", "plan_as", "plan_conversation", "set_aside", "set_aside_so_far", "unassign", "unlock",
]  # fmt: skip
