"""How a visit gets its place: every check, then the change, with the database's guards as the last word."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.exc import IntegrityError

from coordinator.core.db import broken_constraint
from coordinator.core.errors import Conflict, RuleBroken
from coordinator.core.work import Work
from coordinator.domain.lifecycle import BEGUN_VISIT, LIVE_VISIT
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import VisitKind, VisitStatus
from coordinator.orders.model import OrderWeek
from coordinator.rules.facts import Moment, OrderWeekFacts, VisitCase
from coordinator.rules.frequencies import ask_move
from coordinator.rules.terms import Finding, Severity
from coordinator.rules.visit import ask
from coordinator.staff.hours import availability
from coordinator.staff.model import Clinician
from coordinator.visits import cases, queries, units
from coordinator.visits.asking import Verdict, judge, left_after, refusal
from coordinator.visits.model import Visit

_FINDINGS = "visits.findings"
#: Shown when a visit lies outside the hours that the clinician works; the office may still ask them.
OUTSIDE_HOURS = "outside-hours"
#: Shown when the first visit comes after the instant by which it was due.
LATE = "REF-02"
_GUARDS = ("no_clinician_overlap", "no_patient_overlap", "no_hold_overlap")


def findings_of(work: Work, visit: Visit) -> tuple[Finding, ...]:
    """What the rules said, in this piece of work, when the visit was last asked about: warnings, tasks, held bills."""
    found: tuple[Finding, ...] = work.session.info.get(_FINDINGS, {}).get(visit.id, ())
    return found


# ------------------------------------------------------------------------------------ how a visit is placed


def place(
    work: Work,
    visit: Visit,
    clinician_id: int,
    starts_at: datetime,
    minutes: int | None,
    moment: Moment,
    override: Mapping[str, str] | None,
) -> None:
    """Check everything, then put the visit there. The calendars are held by the caller.

    A refusal carries all that stands against it at once: every finding of the rules, and every conflict.
    """
    clinician = queries.the_clinician(work, clinician_id, visit.branch_id)
    ends_at = starts_at + timedelta(minutes=minutes or length(visit))
    against = obstacles(work, visit, clinician, starts_at, ends_at)
    findings = put_question(work, visit, clinician, starts_at, ends_at, moment)
    if against:
        left = left_after(work, visit, findings, clinician_id, starts_at)
        raise all_at_once(against, [*left, *(row for row in findings if not row.refuses)])
    verdict = judge(work, visit, findings, clinician_id=clinician_id, starts_at=starts_at, override=override)
    remarked = remarks(work, visit, clinician, starts_at, ends_at)
    with guarded(work, visit, clinician_id, starts_at, ends_at):
        visit.clinician_id, visit.starts_at, visit.ends_at = clinician_id, starts_at, ends_at
        if minutes is not None:
            visit.minutes = minutes
        if moment is Moment.CONFIRM:
            visit.status = VisitStatus.BOOKED
            visit.published_at = visit.published_at or work.now
        else:
            visit.status = VisitStatus.PENDING
        keep(work, visit, verdict, remarked)


def obstacles(
    work: Work, visit: Visit, clinician: Clinician, starts_at: datetime, ends_at: datetime
) -> list[Conflict | RuleBroken]:
    """What stands against the visit there besides the rules about it, each as it would be refused alone."""

    def booked() -> None:
        blocking = queries.in_the_way(work, visit, clinician.id, starts_at, ends_at)
        if blocking:
            raise queries.double_booking(blocking, queries.zone(work, visit))

    found: list[Conflict | RuleBroken] = []
    for check in (
        partial(check_bounds, work, visit, starts_at),
        partial(check_companion, work, visit, starts_at, ends_at),
        booked,
        partial(refuse_absent, clinician, starts_at, ends_at),
    ):
        try:
            check()
        except (Conflict, RuleBroken) as refused:
            found.append(refused)
    return found


#: Conflicts that come after what the rules say: a rule that refuses the clinician says more than that they are away.
_AFTER_RULES = frozenset({"clinician-inactive", "clinician-unavailable"})


def all_at_once(against: Sequence[Conflict | RuleBroken], findings: Sequence[Finding]) -> Conflict | RuleBroken:
    """One refusal with all of it: the first says its code, `conflicts` tells of the others.

    `findings` are everything that was found about the visit there; none of them need refuse.
    """
    broken = [row for one in against if isinstance(one, RuleBroken) for row in one.findings] + list(findings)
    conflicts = [one for one in against if isinstance(one, Conflict)]
    listed = [{"code": one.problem_code, "detail": one.detail} for one in conflicts]
    first = against[0]
    if isinstance(first, Conflict) and not (first.problem_code in _AFTER_RULES and any(row.refuses for row in broken)):
        first.extra.setdefault("findings", [row.as_dict() for row in broken])
        if len(listed) > 1:
            first.extra.setdefault("conflicts", listed)
        return first
    extra = first.extra if isinstance(first, RuleBroken) else {}
    extra = {name: value for name, value in extra.items() if name != "overridable"}
    return refusal(broken, **extra, **({"conflicts": listed} if listed else {}))


def length(visit: Visit) -> int:
    if visit.starts_at is not None and visit.ends_at is not None:
        return int((visit.ends_at - visit.starts_at).total_seconds()) // 60
    return visit.minutes


def keep(work: Work, visit: Visit, verdict: Verdict, remarks: list[str]) -> None:
    """Write what was said of the visit onto it, and remember it for the answer."""
    visit.warnings = sorted({*verdict.warnings, *remarks})
    visit.hold_bill = verdict.hold_bill
    work.session.info.setdefault(_FINDINGS, {})[visit.id] = verdict.findings


@contextmanager
def guarded(work: Work, visit: Visit, clinician_id: int, starts_at: datetime, ends_at: datetime) -> Iterator[None]:
    """Changes made inside are flushed in a savepoint; a guard's refusal becomes the double booking that it is."""
    try:
        with work.session.begin_nested():
            yield
            work.session.flush()  # the guards speak now, while the winner can still be looked up
    except IntegrityError as error:
        if broken_constraint(error) not in _GUARDS:
            raise
        blocking = queries.in_the_way(work, visit, clinician_id, starts_at, ends_at)
        raise queries.double_booking(blocking, queries.zone(work, visit)) from error


def put_question(
    work: Work, visit: Visit, clinician: Clinician, starts_at: datetime, ends_at: datetime, moment: Moment
) -> tuple[Finding, ...]:
    return ask(case_there(work, visit, clinician, starts_at, ends_at), moment, work.policy)


def case_there(work: Work, visit: Visit, clinician: Clinician, starts_at: datetime, ends_at: datetime) -> VisitCase:
    """The facts about the visit if that clinician made it then, between what else is on their day."""
    book = cases.load(work, [visit], [clinician])
    days = cases.Days(work, [clinician.id], starts_at, ends_at)
    near = days.around(
        clinician.id,
        starts_at,
        ends_at,
        cases.point_of(book.patient(visit)),
        local_day(starts_at, book.zone(visit)),
        together(work, visit),
    )
    return book.case(visit, clinician, starts_at, ends_at, neighbours=near)


def together(work: Work, visit: Visit) -> frozenset[int]:
    """The visit itself and those made with it: no travel lies between them."""
    beside = (
        {visit.joint_with_id}
        if visit.joint_with_id is not None
        else {row.id for row in units.companions(work, [visit.id])}
    )
    return frozenset({visit.id, *beside})


def outside_window(work: Work, visit: Visit, starts_at: datetime) -> list[Finding]:
    """The finding that the day is in another order week (FRQ-06), if it is."""
    day = local_day(starts_at, queries.zone(work, visit))
    if visit.order_week_id is None or visit.window_from <= day <= visit.window_to:
        return []
    week = work.session.get_one(OrderWeek, visit.order_week_id)
    finding = ask_move(OrderWeekFacts(week.number, visit.window_from, visit.window_to, week.minimum, week.maximum), day)
    # The rule warns whoever writes down what happened; a plan for another week is not made at all.
    return [] if finding is None else [replace(finding, severity=Severity.BLOCK)]


def check_bounds(work: Work, visit: Visit, starts_at: datetime) -> None:
    """Refuse a day outside the visit's window, and one that is over.

    The first visit may come late, for late is better than never; it carries a warning then.
    """
    zone = queries.zone(work, visit)
    day = local_day(starts_at, zone)
    if day < queries.today(work, visit):
        raise Conflict("That day is over: nothing can be planned on it.", code="day-over", day=str(day))
    elsewhere = outside_window(work, visit, starts_at)
    if elsewhere:
        raise refusal(
            elsewhere, order_id=visit.order_id, window={"from": str(visit.window_from), "to": str(visit.window_to)}
        )
    late_is_fine = visit.kind is VisitKind.INITIAL
    if day < visit.window_from or (day > visit.window_to and not late_is_fine):
        raise Conflict(
            f"The visit is wanted from {visit.window_from} to {visit.window_to}, not on {day}.",
            code="outside-window",
            window={"from": str(visit.window_from), "to": str(visit.window_to)},
        )


def check_companion(work: Work, visit: Visit, starts_at: datetime, ends_at: datetime) -> None:
    """A second person's visit lies within the first one's time."""
    if visit.joint_with_id is None:
        return
    lead = work.session.get_one(Visit, visit.joint_with_id, populate_existing=True)
    if lead.status not in LIVE_VISIT or lead.starts_at is None or lead.ends_at is None:
        raise Conflict(
            "This is the second person's visit: give the first one its time before.",
            code="companion-without-lead",
            blocking=[{"visit": lead.id}],
        )
    if not (lead.starts_at <= starts_at and ends_at <= lead.ends_at):
        raise Conflict(
            "The second person's visit lies within the first one's time.",
            code="companion-outside-lead",
            blocking=[{"visit": lead.id, "starts_at": lead.starts_at.isoformat(), "ends_at": lead.ends_at.isoformat()}],
        )


def refuse_absent(clinician: Clinician, starts_at: datetime, ends_at: datetime) -> None:
    if not clinician.active:
        raise Conflict("This clinician no longer works here.", code="clinician-inactive")
    for away in clinician.time_off:
        if away.starts_at < ends_at and starts_at < away.ends_at:
            raise Conflict(
                "The clinician is away at that time. Assign somebody else.",
                code="clinician-unavailable",
                blocking=[
                    {
                        "clinician": clinician.id,
                        "starts_at": away.starts_at.isoformat(),
                        "ends_at": away.ends_at.isoformat(),
                    }
                ],
            )


def remarks(work: Work, visit: Visit, clinician: Clinician, starts_at: datetime, ends_at: datetime) -> list[str]:
    """What the office should see and no rule says: outside the clinician's hours, after the first visit was due."""
    zone = queries.zone(work, visit)
    hours = availability(clinician, local_day(starts_at, zone), zone)
    within = any(begins <= starts_at and ends_at <= ends for begins, ends in hours)
    found = [] if within else [OUTSIDE_HOURS]
    if visit.due_at is not None and starts_at > visit.due_at:
        found.append(LATE)
    return found


def refuse_locked(visit: Visit) -> None:
    if visit.locked:
        raise Conflict(
            "The visit is locked where it is. Unlock it first.",
            code="visit-locked",
            blocking=[{"visit": visit.id}],
        )


#: A visit's states as people say them.
STATE_WORDS = {
    VisitStatus.PROPOSED: "is wanted and has no hour yet",
    VisitStatus.PENDING: "is held and not booked yet",
    VisitStatus.BOOKED: "is booked already",
    VisitStatus.EN_ROUTE: "has begun: the clinician is on the way",
    VisitStatus.ARRIVED: "has begun: the clinician is there",
    VisitStatus.IN_PROGRESS: "has begun",
    VisitStatus.COMPLETED: "was made",
    VisitStatus.NOTE_SIGNED: "was made and its note is signed",
    VisitStatus.VERIFIED: "was made and its record is verified",
    VisitStatus.CANCELLED: "was cancelled",
    VisitStatus.MISSED: "was missed",
    VisitStatus.NO_SHOW: "was missed",
    VisitStatus.ON_HOLD: "is on hold",
    VisitStatus.ENTERED_IN_ERROR: "was entered in error",
}
#: What can be done instead, by the state.
_WAY_OUT = {
    VisitStatus.PROPOSED: "Assign it first.",
    VisitStatus.PENDING: "Confirm it first, or unassign it.",
    VisitStatus.BOOKED: "Move it, or unassign it first.",
    VisitStatus.EN_ROUTE: "If it cannot be made, record it as missed.",
    VisitStatus.ARRIVED: "If it cannot be made, record it as missed.",
    VisitStatus.CANCELLED: "If it is wanted again, work on the visit that took its place, or ask for a new one.",
    VisitStatus.MISSED: "If it is made up, work on the visit that takes its place.",
    VisitStatus.NO_SHOW: "If it is made up, work on the visit that takes its place.",
    VisitStatus.ON_HOLD: "It is wanted again when the hold ends.",
}
#: What must be so before, where a verb asks for one state only.
_ONLY = {
    "gone to": "Only a booked visit is gone to.",
    "begun": "Only a booked visit is begun.",
    "signed for": "Only a visit that has ended is signed for: record its end first.",
    "verified": "Only a visit whose note is signed is verified.",
    "decided about": "Only a missed visit waits for a decision.",
    "confirmed": "Only a held visit is confirmed.",
}


def not_in_state(visit: Visit, what: str) -> Conflict:
    """The refusal of a step that the visit's state does not allow, with the way out where there is one."""
    way_out = _ONLY.get(what) or _WAY_OUT.get(visit.status, "")
    if visit.status is VisitStatus.PROPOSED and what == "cancelled":
        way_out = "Its order still asks for it: have the order changed or ended."
    begun = visit.status in BEGUN_VISIT
    return Conflict(
        f"The visit {STATE_WORDS[visit.status]}; it cannot be {what}. {way_out}".rstrip(),
        code="visit-begun" if begun else "wrong-state",
        state=visit.status,
    )
