"""Booking many visits at once: a whole plan becomes true in one transaction, or none of it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from coordinator.core.errors import Invalid, NotFound, StaleVersion
from coordinator.core.work import Work, permitted
from coordinator.domain.events import VisitBooked, VisitMoved
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import VisitStatus
from coordinator.rules.facts import Moment
from coordinator.rules.terms import Finding, Severity
from coordinator.rules.visit import ask
from coordinator.staff.model import Clinician
from coordinator.visits import cases, placing, queries, units
from coordinator.visits.asking import Verdict, judge, refusal, standing_overrides
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


@dataclass(frozen=True, slots=True)
class SetAside:
    """Which rules are set aside for one visit of the plan, with the reason that `asking.judge` takes."""

    visit_id: int
    rules: frozenset[str]
    override: Mapping[str, str]


@permitted("visit:confirm")
def book_many(work: Work, placements: Sequence[BookRequest], aside: SetAside | None = None) -> list[Visit]:
    """Every visit is booked where the plan has it, each asked about beside all others; one refusal refuses the plan.

    A slot that is only held stays so. `aside`: rules that do not refuse one of the visits, if the actor may set them
    aside. StaleVersion names visits that changed since the plan read them; RuleBroken and Conflict name theirs as well.
    """
    wanted = {request.visit_id: request for request in placements}
    if len(wanted) != len(placements):
        raise Invalid("A visit is in the plan twice.", pointer="/placements")
    if not wanted:
        return []
    visits = _take(work, wanted)
    old = {visit.id: (visit.clinician_id, visit.starts_at, visit.status) for visit in visits}
    clinicians = _clinicians(work, visits, wanted)
    _check_each(work, visits, wanted, clinicians)
    for visit in visits:
        units.clear(visit)
        visit.status = VisitStatus.PROPOSED
    work.session.flush()  # everybody lets go before anybody takes hold: visits may trade places
    _put(work, visits, wanted)
    _ask_all(work, visits, wanted, clinicians, aside)
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
                    old_starts_at=starts_at,
                )
            )  # fmt: skip
        else:
            work.publish(VisitBooked(visit_id=visit.id, clinician_id=visit.clinician_id))
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
) -> None:
    for visit in visits:
        request = wanted[visit.id]
        if visit.status not in units.AHEAD | {VisitStatus.PROPOSED}:
            raise placing.not_in_state(visit, "planned")
        if visit.locked and (visit.clinician_id, visit.starts_at) != (request.clinician_id, request.starts_at):
            placing.refuse_locked(visit)
        if request.ends_at <= request.starts_at:
            raise Invalid("A visit ends after it begins.", pointer="/placements", visit=visit.id)
        placing.check_bounds(work, visit, request.starts_at)
        placing.refuse_absent(clinicians[request.clinician_id], request.starts_at, request.ends_at)


def _put(work: Work, visits: list[Visit], wanted: dict[int, BookRequest]) -> None:
    """First visits before second persons', each clinician's in order, the guards watching."""

    def turn(visit: Visit) -> tuple[bool, int, datetime, int]:
        request = wanted[visit.id]
        return visit.joint_with_id is not None, request.clinician_id, request.starts_at, visit.id

    for visit in sorted(visits, key=turn):
        request = wanted[visit.id]
        placing.check_companion(work, visit, request.starts_at, request.ends_at)
        blocking = queries.in_the_way(work, visit, request.clinician_id, request.starts_at, request.ends_at)
        if blocking:
            raise queries.double_booking(blocking, queries.zone(work, visit))
        with placing.guarded(work, visit, request.clinician_id, request.starts_at, request.ends_at):
            visit.clinician_id, visit.starts_at, visit.ends_at = (
                request.clinician_id, request.starts_at, request.ends_at,
            )  # fmt: skip
            visit.status = VisitStatus.PENDING if request.tentative else VisitStatus.BOOKED
            visit.published_at = None if request.tentative else work.now


def _ask_all(
    work: Work,
    visits: list[Visit],
    wanted: dict[int, BookRequest],
    clinicians: dict[int, Clinician],
    aside: SetAside | None,
) -> None:
    """Ask the rules about every visit as it now stands among the others, and keep what they say."""
    book = cases.load(work, visits, clinicians.values())
    begins, ends = min(row.starts_at for row in wanted.values()), max(row.ends_at for row in wanted.values())
    days = cases.Days(work, clinicians, begins, ends)
    beside = {visit.id: {visit.id, visit.joint_with_id or visit.id} for visit in visits}
    for second in units.companions(work, beside):
        beside[second.joint_with_id or second.id].add(second.id)
    refused: list[tuple[Visit, tuple[Finding, ...]]] = []
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
        if aside is not None and aside.visit_id == visit.id and _only(aside.rules, findings):
            judge(
                work,
                visit,
                findings,
                clinician_id=request.clinician_id,
                starts_at=request.starts_at,
                override=aside.override,
            )
            work.session.flush()  # what was set aside stands from here on
        if any(finding.refuses for finding in findings):
            standing = standing_overrides(work, [visit.id], request.clinician_id, request.starts_at)
            left = tuple(
                row for row in findings if row.refuses and (row.severity is Severity.BLOCK or row.rule not in standing)
            )
            if left:
                refused.append((visit, left))
        verdict = Verdict(
            warnings=sorted({row.rule for row in findings if row.severity is Severity.WARN}),
            hold_bill=sorted({row.rule for row in findings if row.severity is Severity.HOLD_BILL}),
            findings=tuple(row for row in findings if not row.refuses),
        )
        remarked = placing.remarks(work, visit, clinician, request.starts_at, request.ends_at)
        placing.keep(work, visit, verdict, remarked)
    if refused:
        raise refusal(
            [finding for _, findings in refused for finding in findings],
            visits=[{"visit": visit.id, "rules": [row.rule for row in findings]} for visit, findings in refused],
        )


def _only(rules: frozenset[str], findings: Sequence[Finding]) -> bool:
    """Whether nothing refuses but these rules."""
    return all(row.rule in rules for row in findings if row.refuses)


__all__ = ["BookRequest", "SetAside", "book_many"]
