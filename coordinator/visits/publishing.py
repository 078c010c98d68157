"""Booking many visits at once: a whole plan becomes true in one transaction, or none of it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import sqlalchemy as sa

from coordinator.core.errors import Conflict, Invalid, NotFound, RuleBroken, StaleVersion
from coordinator.core.work import Work, permitted
from coordinator.domain.events import VisitBooked, VisitMoved, VisitsPlanned
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import VisitStatus
from coordinator.rules.facts import Moment
from coordinator.rules.terms import Finding, Severity
from coordinator.rules.visit import ask
from coordinator.staff.model import Clinician
from coordinator.visits import cases, placing, queries, units
from coordinator.visits.asking import Verdict, judge, left_after, refusal, who_may
from coordinator.visits.model import Visit


@dataclass(frozen=True, slots=True)
class BookRequest:
    """Where one visit is to be, and the version of it that the plan was made from."""

    visit_id: int
    visit_version: int
    clinician_id: int
    starts_at: datetime
    ends_at: datetime
    #: The slot is only held, as it was: nobody has been told of it.
    tentative: bool = False


#: Visits of the plan, each with what stands against it besides the rules, and with what the rules refuse.
Against = list[tuple[Visit, Conflict | RuleBroken]]
Refused = list[tuple[Visit, tuple[Finding, ...]]]


@dataclass(frozen=True, slots=True)
class SetAside:
    """Which rules are set aside for one visit of the plan, with the reason that `asking.judge` takes."""

    visit_id: int
    rules: frozenset[str]
    override: Mapping[str, str]


@permitted("visit:confirm")
def book_many(work: Work, placements: Sequence[BookRequest], asides: Sequence[SetAside] = ()) -> list[Visit]:
    """Every visit is booked where the plan has it, each asked about beside all others; one refusal refuses the plan.

    A slot that is only held stays so. `asides`: rules that do not refuse this or that visit, if the actor may set them
    aside; a visit that something else refuses as well is refused with all of it. StaleVersion names visits that changed
    since the plan read them; RuleBroken and Conflict name theirs as well.
    """
    wanted = {request.visit_id: request for request in placements}
    if len(wanted) != len(placements):
        raise Invalid("A visit is in the plan twice.", pointer="/placements")
    if not wanted:
        return []
    visits = _take(work, wanted)
    old = {visit.id: (visit.clinician_id, visit.starts_at, visit.status) for visit in visits}
    clinicians = _clinicians(work, visits, wanted)
    against = _check_each(work, visits, wanted, clinicians)
    for visit in visits:
        units.clear(visit)
        visit.status = VisitStatus.PROPOSED
    work.session.flush()  # everybody lets go before anybody takes hold: visits may trade places
    against += _put(work, visits, wanted, {visit.id for visit, _ in against})
    refused = _ask_all(work, visits, wanted, clinicians, {aside.visit_id: aside for aside in asides})
    if against or refused:
        raise _all_of_it(work, against, refused)
    work.session.flush()  # the versions are in the answer
    for visit in visits:
        clinician_id, starts_at, status = old[visit.id]
        tentative = wanted[visit.id].tentative
        work.record(
            "visit.held" if tentative else "visit.published",
            f"visit:{visit.id}",
            patient_id=visit.patient_id,
            clinician=visit.clinician_id,
        )
        if tentative:
            continue
        if visit.clinician_id is None or (clinician_id, starts_at, status) == (
            visit.clinician_id, visit.starts_at, visit.status,
        ):  # fmt: skip
            continue
        if status is VisitStatus.BOOKED:
            work.publish(
                VisitMoved(
                    visit_id=visit.id, old_clinician_id=clinician_id, clinician_id=visit.clinician_id,
                    old_starts_at=starts_at, of_plan=True,
                )
            )  # fmt: skip
        else:
            work.publish(VisitBooked(visit_id=visit.id, clinician_id=visit.clinician_id, of_plan=True))
    work.publish(VisitsPlanned(visit_ids=tuple(visit.id for visit in visits)))
    return visits


def _take(work: Work, wanted: dict[int, BookRequest]) -> list[Visit]:
    """The rows, held, with everybody's calendar; all of them in sight and as the plan read them."""
    seen = work.session.execute(
        queries.visible(work)
        .with_only_columns(Visit.id, Visit.clinician_id, Visit.patient_id)
        .where(Visit.id.in_(sorted(wanted)))
    ).all()
    if len(seen) != len(wanted):
        raise NotFound("visit", visits=sorted(set(wanted) - {row.id for row in seen}))
    people = {row.clinician_id for row in seen} | {request.clinician_id for request in wanted.values()}
    queries.lock_people(work, people, {row.patient_id for row in seen})
    visits = queries.reread(work, wanted)
    stale = [visit.id for visit in visits if visit.version != wanted[visit.id].visit_version]
    if stale:
        raise StaleVersion(
            f"{len(stale)} of the plan's visits changed since it was made. Plan again.",
            visits=stale,
            blocking=[{"visit": number} for number in stale],
        )
    return visits


def _clinicians(work: Work, visits: list[Visit], wanted: dict[int, BookRequest]) -> dict[int, Clinician]:
    numbers = sorted({request.clinician_id for request in wanted.values()})
    found = {row.id: row for row in work.session.scalars(sa.select(Clinician).where(Clinician.id.in_(numbers)))}
    for visit in visits:
        clinician = found.get(wanted[visit.id].clinician_id)
        if clinician is None or clinician.branch_id != visit.branch_id:
            raise NotFound("clinician")
    return found


def _check_each(
    work: Work, visits: list[Visit], wanted: dict[int, BookRequest], clinicians: dict[int, Clinician]
) -> Against:
    against: Against = []
    for visit in visits:
        request = wanted[visit.id]
        if visit.status not in units.AHEAD | {VisitStatus.PROPOSED}:
            raise placing.not_in_state(visit, "planned")
        if visit.locked and (visit.clinician_id, visit.starts_at) != (request.clinician_id, request.starts_at):
            placing.refuse_locked(visit)
        if request.ends_at <= request.starts_at:
            raise Invalid("A visit ends after it begins.", pointer="/placements", visit=visit.id)
        for check in (
            partial(placing.check_bounds, work, visit, request.starts_at),
            partial(placing.refuse_absent, clinicians[request.clinician_id], request.starts_at, request.ends_at),
        ):
            try:
                check()
            except (Conflict, RuleBroken) as refused:
                against.append((visit, refused))
    return against


def _all_of_it(work: Work, against: Against, refused: Refused) -> Conflict | RuleBroken:
    """What stands against the plan's visits, all of it: nobody mends one visit only to meet the next."""
    every = [finding for _, findings in refused for finding in findings]
    rules = [{"visit": visit.id, "rules": [row.rule for row in findings]} for visit, findings in refused]
    if not against:
        return refusal(every, **who_may(work, every), visits=rules)
    if len(against) == 1 and not refused:
        return against[0][1]
    named = [{"visit": visit.id, "code": one.problem_code, "detail": one.detail} for visit, one in against]
    for line, (_, one) in zip(named, against, strict=True):
        if "blocking" in one.extra:
            line["blocking"] = one.extra["blocking"]
    told = placing.all_at_once([one for _, one in against], every)
    told.extra["visits"], told.extra["blocking"] = [*named, *rules], named
    return told


def _put(work: Work, visits: list[Visit], wanted: dict[int, BookRequest], known: set[int]) -> Against:
    """First visits before second persons', each clinician's in order, the guards watching; what is in their way.

    `known`: visits that something stands against already. Whoever goes with one of those is not blamed for it.
    """
    against: Against = []

    def turn(visit: Visit) -> tuple[bool, int, datetime, int]:
        request = wanted[visit.id]
        return visit.joint_with_id is not None, request.clinician_id, request.starts_at, visit.id

    for visit in sorted(visits, key=turn):
        request = wanted[visit.id]
        try:
            _put_one(work, visit, request)
        except Conflict as refused:
            if visit.joint_with_id not in known:
                against.append((visit, refused))
            known.add(visit.id)
    return against


def _put_one(work: Work, visit: Visit, request: BookRequest) -> None:
    placing.check_companion(work, visit, request.starts_at, request.ends_at)
    blocking = queries.in_the_way(work, visit, request.clinician_id, request.starts_at, request.ends_at)
    if blocking:
        raise queries.double_booking(blocking, queries.zone(work, visit))
    with placing.guarded(work, visit, request.clinician_id, request.starts_at, request.ends_at):
        visit.clinician_id, visit.starts_at, visit.ends_at = request.clinician_id, request.starts_at, request.ends_at
        visit.status = VisitStatus.PENDING if request.tentative else VisitStatus.BOOKED
        visit.published_at = None if request.tentative else work.now


def _ask_all(
    work: Work,
    visits: list[Visit],
    wanted: dict[int, BookRequest],
    clinicians: dict[int, Clinician],
    asides: Mapping[int, SetAside],
) -> Refused:
    """Ask the rules about every visit as it now stands among the others, and keep what they say; what they refuse."""
    book = cases.load(work, visits, clinicians.values())
    begins, ends = min(row.starts_at for row in wanted.values()), max(row.ends_at for row in wanted.values())
    days = cases.Days(work, clinicians, begins, ends)
    beside = {visit.id: {visit.id, visit.joint_with_id or visit.id} for visit in visits}
    for second in units.companions(work, beside):
        beside[second.joint_with_id or second.id].add(second.id)
    refused: Refused = []
    for visit in visits:
        request = wanted[visit.id]
        near = days.around(
            request.clinician_id,
            request.starts_at,
            request.ends_at,
            cases.point_of(book.patient(visit)),
            local_day(request.starts_at, book.zone(visit)),
            frozenset(beside[visit.id]),
        )
        clinician = clinicians[request.clinician_id]
        findings = ask(
            book.case(visit, clinician, request.starts_at, request.ends_at, neighbours=near),
            Moment.HOLD if request.tentative else Moment.CONFIRM,
            work.policy,
        )
        left = left_after(work, visit, findings, request.clinician_id, request.starts_at)
        aside = asides.get(visit.id)
        if left and aside is not None and all(row.rule in aside.rules for row in left):
            judge(
                work,
                visit,
                left,
                clinician_id=request.clinician_id,
                starts_at=request.starts_at,
                override=aside.override,
            )
            left = ()
        if left:
            refused.append((visit, left))
        verdict = Verdict(
            warnings=sorted({row.rule for row in findings if row.severity is Severity.WARN}),
            hold_bill=sorted({row.rule for row in findings if row.severity is Severity.HOLD_BILL}),
            findings=tuple(row for row in findings if not row.refuses),
        )
        remarked = placing.remarks(work, visit, clinician, request.starts_at, request.ends_at)
        placing.keep(work, visit, verdict, remarked)
    return refused


__all__ = ["BookRequest", "SetAside", "book_many"]
