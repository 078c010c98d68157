"""What is wanted: visits raised from orders, the first visit, as-needed visits; and withdrawn when their reason ends.

The functions that answer events ask no permission of their own: it was asked where the thing happened, and they run in
that transaction (see `wiring.py`).
"""

from datetime import date, timedelta

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.events import (
    EpisodeHeld,
    EpisodeResumed,
    OrderActivated,
    OrderDeclined,
    OrderEnded,
    PatientDischarged,
    ReferralAccepted,
    ReferralChanged,
    VisitCancelled,
)
from coordinator.domain.frequency import MidweekChange
from coordinator.domain.lifecycle import BEGUN_VISIT, DONE_VISIT, LIVE_ORDER, LIVE_VISIT, OWED_VISIT
from coordinator.domain.timeline import day_bounds, local_day, week_start
from coordinator.domain.vocabulary import (
    THERAPIES,
    Discipline,
    ReferralStatus,
    VisitKind,
    VisitStatus,
    WaiveReason,
)
from coordinator.orders.model import Order, OrderWeek
from coordinator.orders.queries import last_day, open_episode, visible_order
from coordinator.orders.weeks import count_whole_week
from coordinator.patients.model import Episode, Patient
from coordinator.patients.scope import require_sight
from coordinator.referrals.model import Referral
from coordinator.rules.case import ORDERLESS_KINDS
from coordinator.rules.certification import resumption_due
from coordinator.rules.facts import Moment
from coordinator.rules.visit import ask_patient_side
from coordinator.visits import cases, units
from coordinator.visits.asking import judge
from coordinator.visits.model import Visit

INITIAL_MINUTES = 90
#: A visit that no order gives a length.
ORDERLESS_MINUTES = 30
#: Days within which an as-needed visit is to be made, unless whoever asks for it says otherwise.
PRN_DAYS = 3
#: How far ahead the first visit of somebody still in hospital is looked for.
INPATIENT_DAYS = 60
#: Made of visits of these disciplines, in this order: the resumption of care (ASM-01).
_RESUMERS = (Discipline.SN, Discipline.PT, Discipline.OT, Discipline.SLP)
_ACCEPTED = (ReferralStatus.ACCEPTED, ReferralStatus.INITIAL_VISIT_BOOKED)
_STILL_AHEAD = units.AHEAD | {VisitStatus.PROPOSED, VisitStatus.ON_HOLD}


# ------------------------------------------------------------------------------------ from orders


def raise_from_order(work: Work, event: OrderActivated) -> None:
    """Every week of the live order has its `maximum` of current units; slots held before the signature are among them.

    Units beyond the week's minimum are optional. Raised twice, nothing is added.
    """
    order = work.session.get(Order, event.order_id, populate_existing=True)
    if order is None or order.status not in LIVE_ORDER:
        return
    patient = work.session.get_one(Patient, order.patient_id)
    current = _current_of(work, order.id)
    taken = {(row.order_week_id, row.unit): row for row in current if row.unit is not None}
    if not taken:
        _count_whole_week(work, order)
    evaluate = _evaluation_wanted(work, order)
    held = [row for row in current if row.unit is None and row.joint_with_id is None and row.status in units.AHEAD]
    held = [row for row in held if row.kind is not VisitKind.PRN]
    zone = agency.zone_of(work, patient.branch_id)
    raised: list[Visit] = []
    for week in sorted(order.weeks, key=lambda row: row.starts_on):
        days = week.starts_on, week.ends_on
        absorbed = [row for row in held if row.starts_at and days[0] <= local_day(row.starts_at, zone) <= days[1]]
        absorbed.sort(key=lambda row: (row.starts_at, row.id))
        for unit in range(1, week.maximum + 1):
            if (week.id, unit) in taken:
                continue
            if absorbed:
                visit = absorbed.pop(0)
                held.remove(visit)
                visit.window_from, visit.window_to = week.starts_on, week.ends_on
            else:
                visit = _unit_of(work, order, patient, week)
            visit.order_id, visit.order_week_id, visit.unit = order.id, week.id, unit
            visit.is_optional = unit > week.minimum
            visit.kind = VisitKind.EVALUATION if order.evaluate_and_treat or evaluate else VisitKind.ROUTINE
            evaluate = False
            raised.append(visit)
    work.session.flush()  # companions name the number of the first person's visit
    for visit in raised:
        units.raise_companion(work, visit, order)
    for visit in held:
        _drop_held(work, visit, "no-allowance")
    work.session.flush()  # whoever answers next sees the whole week
    work.record("visit.raised", f"order:{order.id}", patient_id=order.patient_id, visits=len(raised))


def _current_of(work: Work, order_id: int) -> list[Visit]:
    """Current visits of the order, locked, so that nobody books one while it is raised or withdrawn."""
    return list(
        work.session.scalars(
            sa.select(Visit)
            .where(Visit.order_id == order_id, Visit.is_current)
            .order_by(Visit.id)
            .with_for_update(key_share=True),
            execution_options={"populate_existing": True},
        )
    )


def _unit_of(work: Work, order: Order, patient: Patient, week: OrderWeek) -> Visit:
    return units.wanted(
        work,
        branch_id=patient.branch_id,
        patient_id=patient.id,
        episode_id=order.episode_id,
        discipline=order.discipline,
        kind=VisitKind.ROUTINE,
        window_from=week.starts_on,
        window_to=week.ends_on,
        minutes=order.visit_minutes,
    )


def _evaluation_wanted(work: Work, order: Order) -> bool:
    """Whether the first visit of this order is the therapist's evaluation: none was made, and none is under way."""
    if order.discipline not in THERAPIES:
        return False
    found = work.session.scalars(
        sa.select(Visit.id)
        .join(Order, Order.id == Visit.order_id)
        .where(
            Visit.episode_id == order.episode_id,
            Visit.discipline == order.discipline,
            Visit.kind == VisitKind.EVALUATION,
            Visit.is_current,
            sa.or_(
                Visit.status.in_(DONE_VISIT | BEGUN_VISIT),
                sa.and_(
                    Visit.status.in_(units.AHEAD | OWED_VISIT),
                    Visit.waive_reason.is_(None),
                    Order.status.in_(LIVE_ORDER),
                ),
            ),
        )
        .limit(1)
    ).first()
    return found is None


def _count_whole_week(work: Work, order: Order) -> None:
    """Where the policy says so, visits made earlier in the calendar week use up the first week as well (FRQ-07)."""
    policy = work.policy.on(order.effective_from)
    if policy.frequency.midweek_change is not MidweekChange.COUNT_WHOLE_WEEK or not order.weeks:
        return
    patient = work.session.get_one(Patient, order.patient_id)
    zone = agency.zone_of(work, patient.branch_id)
    episode = work.session.get_one(Episode, order.episode_id)
    first = order.weeks[0].starts_on
    begins = week_start(first, policy.weeks.visit_week_anchor, episode.soc_date or first)
    if begins == first:
        return
    made = work.session.scalar(
        sa.select(sa.func.count())
        .select_from(Visit)
        .where(
            Visit.patient_id == order.patient_id,
            Visit.discipline == order.discipline,
            Visit.unit.is_not(None),
            Visit.status.in_(DONE_VISIT | BEGUN_VISIT),
            Visit.starts_at >= day_bounds(begins, zone)[0],
            Visit.starts_at < day_bounds(first, zone)[0],
        )
    )
    if made:
        count_whole_week(work, order, made)
        work.session.flush()  # the week's new maximum is what is raised


def _drop_held(work: Work, visit: Visit, reason: str) -> None:
    visit.status, visit.is_current, visit.cancel_reason = VisitStatus.CANCELLED, False, reason
    work.record("visit.withdrawn", f"visit:{visit.id}", patient_id=visit.patient_id, reason=reason)
    work.publish(VisitCancelled(visit_id=visit.id, clinician_id=visit.clinician_id))


def withdraw_for_order(work: Work, event: OrderEnded) -> None:
    """Nothing stays planned or owed under the order on or after the day from which it no longer holds.

    What was made stays made; a missed visit of the days before still waits for its decision; a week that the end cuts
    short asks for nothing any more, though what is left of it may still be used (FRQ-07).
    """
    order = work.session.get_one(Order, event.order_id, populate_existing=True)
    _withdraw(work, order, event.from_day, WaiveReason.ORDER_ENDED)


def _withdraw(work: Work, order: Order, from_day: date, reason: WaiveReason) -> None:
    patient = work.session.get_one(Patient, order.patient_id)
    zone = agency.zone_of(work, patient.branch_id)
    today = agency.today(work, patient.branch_id)
    last = from_day - timedelta(days=1)
    for visit in _current_of(work, order.id):
        if visit.joint_with_id is not None or visit.waive_reason is not None:
            continue  # second persons follow the first; what is waived is settled
        if visit.status in units.AHEAD and visit.starts_at is not None:
            gone = local_day(visit.starts_at, zone) >= from_day and visit.starts_at >= work.now
        elif visit.status in OWED_VISIT and visit.status not in (VisitStatus.PROPOSED, VisitStatus.ON_HOLD):
            gone = visit.window_from >= from_day
        elif visit.status in _STILL_AHEAD:
            gone = visit.window_from >= from_day or last < today
        else:
            continue
        if gone:
            units.withdraw(work, visit, reason)
        elif visit.status in _STILL_AHEAD and visit.window_to >= from_day:
            visit.window_to, visit.is_optional = max(last, visit.window_from), True
    work.session.flush()  # whoever answers next sees what is left


def decline(work: Work, event: OrderDeclined) -> None:
    """A refused order carries nothing further: made visits are not billed, planned ones are withdrawn.

    Slots that were only held against it are held against its redraft instead.
    """
    order = work.session.get_one(Order, event.order_id, populate_existing=True)
    rows = _current_of(work, order.id)
    if any(row.unit is not None for row in rows):
        for visit in rows:
            if visit.status in DONE_VISIT | BEGUN_VISIT:
                visit.hold_bill = sorted({*visit.hold_bill, "ORD-08"})
                work.record("visit.bill-held", f"visit:{visit.id}", patient_id=visit.patient_id, rule="ORD-08")
        patient = work.session.get_one(Patient, order.patient_id)
        _withdraw(work, order, agency.today(work, patient.branch_id), WaiveReason.ORDER_ENDED)
        return
    redraft = work.session.get(Order, event.replacement_id)
    for visit in rows:
        if visit.status not in units.AHEAD:
            continue
        if redraft is None:
            _drop_held(work, visit, "order-declined")
        else:
            visit.order_id = redraft.id
            work.record("visit.held", f"visit:{visit.id}", patient_id=visit.patient_id, order=redraft.id)
    work.session.flush()  # whoever answers next sees where the slots are held


# ------------------------------------------------------------------------------------ from the episode


def raise_initial(work: Work, event: ReferralAccepted) -> None:
    """The first visit is wanted: a nurse's, from today to the day on which it is due (REF-02)."""
    patient = work.session.get_one(Patient, event.patient_id)
    episode = _episode_of(patient, event.referral_id)
    if episode is None or episode.soc_date is not None:
        return
    zone = agency.zone_of(work, patient.branch_id)
    today = agency.today(work, patient.branch_id)
    ordered = episode.ordered_soc_date
    first = max(today, ordered) if ordered is not None else today
    # Due at midnight means by the end of the day before.
    last = (
        local_day(event.due_at - timedelta(microseconds=1), zone)
        if event.due_at is not None
        else first + timedelta(days=INPATIENT_DAYS)
    )
    standing = work.session.scalars(
        sa.select(Visit).where(
            Visit.episode_id == episode.id,
            Visit.kind == VisitKind.INITIAL,
            Visit.is_current,
            Visit.status.in_(LIVE_VISIT | OWED_VISIT),
        )
    ).first()
    if standing is not None:
        standing.due_at, standing.window_to = event.due_at, max(last, standing.window_from)
        return
    visit = units.wanted(
        work,
        branch_id=patient.branch_id,
        patient_id=patient.id,
        episode_id=episode.id,
        discipline=Discipline.SN,
        kind=VisitKind.INITIAL,
        window_from=min(first, last) if last >= today else today,
        window_to=max(last, today),
        minutes=INITIAL_MINUTES,
    )
    visit.due_at = event.due_at
    work.session.flush()  # the number is in the trail
    work.record("visit.raised", f"visit:{visit.id}", patient_id=patient.id, kind=VisitKind.INITIAL.value)


def follow_referral(work: Work, event: ReferralChanged) -> None:
    """The first visit is due when the referral now says, for an accepted patient who has not been visited yet."""
    referral = work.session.get_one(Referral, event.referral_id)
    if referral.patient_id is not None and referral.status in _ACCEPTED:
        raise_initial(work, ReferralAccepted(referral.id, referral.patient_id, referral.due_at))


def _episode_of(patient: Patient, referral_id: int) -> Episode | None:
    open_ = [episode for episode in patient.episodes if episode.discharged_on is None]
    return next((episode for episode in open_ if episode.referral_id == referral_id), open_[-1] if open_ else None)


def rest(work: Work, event: EpisodeHeld) -> None:
    """While the patient is away, visits rest: they are neither planned nor missed (ASM-02)."""
    for visit in _ahead_of(work, event.episode_id):
        if visit.starts_at is not None and visit.starts_at < event.since:
            continue
        was_placed, clinician_id = visit.status in units.AHEAD, visit.clinician_id
        units.clear(visit)
        visit.status, visit.locked = VisitStatus.ON_HOLD, False
        work.record("visit.rested", f"visit:{visit.id}", patient_id=visit.patient_id)
        if was_placed:
            work.publish(VisitCancelled(visit_id=visit.id, clinician_id=clinician_id))
    work.session.flush()  # whoever answers next sees them at rest


def wake(work: Work, event: EpisodeResumed) -> None:
    """The patient is home: what rested is wanted again, and the resumption visit is first, within 48 hours."""
    patient = work.session.get_one(Patient, event.patient_id)
    today = agency.today(work, patient.branch_id)
    rows = [row for row in _ahead_of(work, event.episode_id) if row.status is VisitStatus.ON_HOLD]
    woken = [row for row in rows if row.window_to >= today]
    for visit in woken:
        visit.status = VisitStatus.PROPOSED
        work.record("visit.wanted-again", f"visit:{visit.id}", patient_id=visit.patient_id)
    for discipline in _RESUMERS:
        own = [row for row in woken if row.discipline is discipline and row.unit is not None]
        if own:
            first = min(own, key=lambda row: (row.window_from, row.is_optional, row.unit, row.id))
            first.kind, first.is_optional = VisitKind.RESUMPTION, False
            first.due_at = resumption_due(event.home_at or work.now, work.policy)
            if event.ordered_on is not None:  # the practitioner's own day stands for the 48 hours
                first.due_at = day_bounds(event.ordered_on, agency.zone_of(work, patient.branch_id))[1]
            break
    work.session.flush()  # whoever answers next sees what is wanted


def end_with_episode(work: Work, event: PatientDischarged) -> None:
    """After a discharge nothing is planned or owed, nor on the day itself after a death."""
    patient = work.session.get_one(Patient, event.patient_id)
    zone = agency.zone_of(work, patient.branch_id)
    died = event.reason == "death"
    for visit in _ahead_of(work, event.episode_id, OWED_VISIT):
        if visit.joint_with_id is not None or visit.waive_reason is not None:
            continue
        if visit.starts_at is not None and visit.status in units.AHEAD:
            day = local_day(visit.starts_at, zone)
            if day < event.on or (day == event.on and not (died and visit.starts_at >= work.now)):
                continue
        units.withdraw(work, visit, WaiveReason.PATIENT_DISCHARGED)
    work.session.flush()  # whoever answers next sees that nothing is left


def _ahead_of(work: Work, episode_id: int, more: frozenset[VisitStatus] = frozenset()) -> list[Visit]:
    return list(
        work.session.scalars(
            sa.select(Visit)
            .where(Visit.episode_id == episode_id, Visit.is_current, Visit.status.in_(_STILL_AHEAD | more))
            .order_by(Visit.id)
            .with_for_update(key_share=True),
            execution_options={"populate_existing": True},
        )
    )


# ------------------------------------------------------------------------------------ asked for by people


@permitted("visit:request-prn")
def request_prn(
    work: Work, order_id: int, trigger: str, *, window_to: date | None = None, minutes: int | None = None
) -> Visit:
    """An as-needed visit of the order is wanted, for the symptoms in `trigger`, within the order's limit (FRQ-05)."""
    if not trigger.strip():
        raise Invalid("Say which symptoms call for the visit.", pointer="/trigger")
    order = visible_order(work, order_id)
    work.session.refresh(order, with_for_update={"key_share": True})  # one counts while the others wait
    patient = work.session.get_one(Patient, order.patient_id)
    today = agency.today(work, patient.branch_id)
    first = max(today, order.effective_from)
    visit = units.wanted(
        work,
        branch_id=patient.branch_id,
        patient_id=patient.id,
        episode_id=order.episode_id,
        discipline=order.discipline,
        kind=VisitKind.PRN,
        window_from=first,
        window_to=max(first, min(window_to or first + timedelta(days=PRN_DAYS - 1), last_day(order))),
        minutes=minutes or order.visit_minutes,
    )
    visit.order_id, visit.prn_trigger = order.id, trigger
    work.session.flush()  # the rules do not count the visit they are asked about: it needs its number
    case = cases.load(work, [visit]).case(visit, day=first)
    concerning = {"ORD-01", "ORD-03", "CERT-03", "FRQ-05", "PAT-01", "ASM-02"}
    judge(work, visit, [row for row in ask_patient_side(case, Moment.CONFIRM, work.policy) if row.rule in concerning])
    visit.prn_number = (case.order.prn.used if case.order is not None and case.order.prn is not None else 0) + 1
    work.session.flush()  # the version is in the answer
    work.record("visit.requested", f"visit:{visit.id}", patient_id=patient.id, kind="prn", order=order.id)
    units.raise_companion(work, visit, order)
    return visit


@permitted("visit:assign")
def request_visit(
    work: Work,
    patient_id: int,
    order_id: int | None = None,
    *,
    kind: VisitKind = VisitKind.SUPERVISION,
    discipline: Discipline = Discipline.SN,
    window_from: date | None = None,
    window_to: date | None = None,
    minutes: int = ORDERLESS_MINUTES,
) -> Visit:
    """A visit that needs no frequency order is wanted: supervision, the first visit, a chaplain's (ORD-01).

    What an order asks for is raised from it and never from here; more of it needs an order.
    """
    branch_id = require_sight(work, patient_id)
    if order_id is not None:
        order = visible_order(work, order_id)
        if order.patient_id != patient_id:
            raise NotFound("order")
        raise Conflict(
            "The order's visits are raised from it. A further visit needs an order for it.",
            code="frequency-exceeded",
            order_id=order.id,
        )
    wanted_on = window_from or agency.today(work, branch_id)
    exempt = discipline in work.policy.on(wanted_on).orders.exempt_disciplines
    if kind not in ORDERLESS_KINDS and not exempt:
        raise Conflict(
            f"A {discipline.value} visit of this kind needs a physician's order.", code="order-not-active", kind=kind
        )
    episode = open_episode(work, patient_id)
    today = agency.today(work, branch_id)
    first = max(today, window_from or today)
    last = window_to or first + timedelta(days=6)
    if last < first:
        raise Invalid("The last day is before the first.", pointer="/window_to")
    visit = units.wanted(
        work,
        branch_id=branch_id,
        patient_id=patient_id,
        episode_id=episode.id,
        discipline=discipline,
        kind=kind,
        window_from=first,
        window_to=last,
        minutes=minutes,
    )
    work.session.flush()  # the number is in the answer and in the trail
    work.record("visit.requested", f"visit:{visit.id}", patient_id=patient_id, kind=kind.value)
    return visit
