"""What may not be claimed yet: found by the rules, kept as rows, cleared when the rules find it no longer (HOLD-BILL).

`reask` puts the question for one patient after an event; `sweep` for a branch, once a day. Both compute what the rules
say now of what was given and write only what is different, so that doing it twice changes nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.compliance.model import BillHold
from coordinator.core.work import Work, permitted
from coordinator.domain.lifecycle import DONE_VISIT
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import OrderStatus, VisitStatus
from coordinator.jobs.context import JobContext
from coordinator.orders.model import Order
from coordinator.patients.model import Episode, Patient
from coordinator.rules.catalogue import RULES
from coordinator.rules.facts import Moment
from coordinator.rules.notes import ask_note
from coordinator.rules.orders import ask_countersigned, ask_declined
from coordinator.rules.terms import Finding, Severity, found
from coordinator.rules.visit import ROWS, ask
from coordinator.staff.model import Clinician
from coordinator.visits import cases, doing
from coordinator.visits.model import Visit
from coordinator.visits.oversight_model import BillException

#: How far back a visit is asked about again without an open hold: longer than a certification period.
LOOK_BACK = timedelta(days=75)
#: Visits that the daily sweep asks about again without an open hold: events ask about the others.
SWEPT = timedelta(days=8)
#: Patients of one piece of the sweep.
PIECE = 200
_SIGNED_FOR = (OrderStatus.DRAFT, OrderStatus.VERBAL_RECEIVED, OrderStatus.VOID)

#: Rules that are asked again here; what else is written on a visit is taken away by whoever wrote it.
ASKED = frozenset(ROWS) | {"AID-02", "EVV-01", "EVV-03", "EVV-04", "ORD-06", "ORD-08", "PRG-02", "QUAL-03", "VIS-03"}

Said = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a bill is held for, as the row names it."""

    branch_id: int
    patient_id: int
    episode_id: int
    visit_id: int | None = None
    order_id: int | None = None
    period: int | None = None

    @property
    def name(self) -> str:
        if self.visit_id is not None:
            return f"visit:{self.visit_id}"
        return f"order:{self.order_id}" if self.order_id is not None else f"period:{self.episode_id}/{self.period}"


def of_visit(visit: Visit) -> Subject:
    """The visit as a subject."""
    return Subject(visit.branch_id, visit.patient_id, visit.episode_id, visit_id=visit.id)


# ------------------------------------------------------------------------------------ asking again


def reask(work: Work, patient_ids: Iterable[int], because: str, *, since: timedelta = LOOK_BACK) -> int:
    """The rows say what the rules hold now of these patients' visits and orders; how many rows changed.

    Asked by handlers and the sweep. Periods are told by whoever keeps the certifications (`hold_period`).
    """
    ids = sorted(set(patient_ids))
    work.session.flush()  # the facts are read from the database
    held = sa.select(BillHold.visit_id).where(BillHold.patient_id.in_(ids), BillHold.cleared_at.is_(None))
    visits = list(
        work.session.scalars(
            sa.select(Visit)
            .where(
                Visit.patient_id.in_(ids),
                Visit.status.in_(DONE_VISIT),
                sa.or_(Visit.actual_end_at >= work.now - since, Visit.id.in_(held)),
            )
            .order_by(Visit.id)
        )
    )
    orders = list(
        work.session.scalars(
            sa.select(Order)
            .where(
                Order.patient_id.in_(ids),
                sa.or_(
                    sa.and_(Order.verbal_received_at.is_not(None), Order.status.not_in(_SIGNED_FOR)),
                    Order.status == OrderStatus.DECLINED,
                ),
            )
            .order_by(Order.id)
        )
    )
    subjects: dict[str, Subject] = {}
    found_of: dict[str, Said] = {}
    _ask_orders(work, orders, subjects, found_of)
    if visits:
        _ask_visits(work, visits, subjects, found_of)
    changed = _write(work, subjects, found_of, because)
    for visit in visits:
        _mark(visit, found_of.get(f"visit:{visit.id}", {}), found_of.get(f"order:{visit.order_id}", {}))
    work.session.flush()  # the version that the mark gives a visit is in the answer
    return changed


def _ask_visits(work: Work, visits: Sequence[Visit], subjects: dict[str, Subject], found_of: dict[str, Said]) -> None:
    book = cases.load(work, visits)
    numbers = {visit.clinician_id for visit in visits}
    clinicians = {row.id: row for row in work.session.scalars(sa.select(Clinician).where(Clinician.id.in_(numbers)))}
    released: dict[int, set[str]] = defaultdict(set)
    numbers_asked = [visit.id for visit in visits]
    exceptions = sa.select(BillException.visit_id, BillException.rule).where(BillException.visit_id.in_(numbers_asked))
    for visit_id, rule in work.session.execute(exceptions):
        released[visit_id].add(rule)
    for visit in visits:
        subject = of_visit(visit)
        subjects[subject.name] = subject
        case = book.case(visit, clinicians[visit.clinician_id or 0], visit.actual_start_at, visit.actual_end_at)
        asked = [
            *doing.verification(work, visit),
            *doing.of_the_bill(work, case),
            *doing.of_the_trade(work, visit, case),
        ]
        for moment in (Moment.CONFIRM, Moment.CHECK_IN):
            asked += ask(case, moment, work.policy)
        asked += _note(work, visit)
        asked += [found(rule, RULES[rule].sentence, severity=Severity.HOLD_BILL) for rule in _told(visit)]
        said = _holding(asked)
        found_of[subject.name] = {rule: one for rule, one in said.items() if rule not in released[visit.id]}


def _note(work: Work, visit: Visit) -> tuple[Finding, ...]:
    if visit.status is not VisitStatus.COMPLETED or visit.actual_end_at is None:
        return ()
    zone = agency.zone_of(work, visit.branch_id)
    finding = ask_note(local_day(visit.actual_end_at, zone), None, local_day(work.now, zone), work.policy)
    return () if finding is None else (finding,)


def _told(visit: Visit) -> list[str]:
    """Rules that whoever asked them wrote on the visit, and that are not asked again here: theirs to take away."""
    return [rule for rule in visit.hold_bill if rule in RULES and rule not in ASKED]


def _ask_orders(work: Work, orders: Sequence[Order], subjects: dict[str, Subject], found_of: dict[str, Said]) -> None:
    """A verbal order that nobody signed holds what was given under it (ORD-06); so does a declined one (ORD-08)."""
    if not orders:
        return
    given = work.session.execute(
        sa.select(Visit.order_id, sa.func.count().label("visits"))
        .where(Visit.order_id.in_([order.id for order in orders]), Visit.status.in_(DONE_VISIT))
        .group_by(Visit.order_id)
    )
    made = {row.order_id: row.visits for row in given}
    branches = _branches(work, {order.patient_id for order in orders})
    for order in orders:
        subject = Subject(branches[order.patient_id], order.patient_id, order.episode_id, order_id=order.id)
        subjects[subject.name] = subject
        zone = agency.zone_of(work, subject.branch_id)
        today = local_day(work.now, zone)
        if not made.get(order.id):
            findings: tuple[Finding, ...] = ()
        elif order.status is OrderStatus.DECLINED:
            findings = ask_declined(made[order.id], 0, today)
        else:
            assert order.verbal_received_at is not None
            signed_on = local_day(order.signed_at, zone) if order.signed_at is not None else None
            findings = ask_countersigned(local_day(order.verbal_received_at, zone), signed_on, None, work.policy)
        found_of[subject.name] = _holding(findings)


def _branches(work: Work, patient_ids: Collection[int]) -> dict[int, int]:
    query = sa.select(Patient.id, Patient.branch_id).where(Patient.id.in_(patient_ids))
    return {row.id: row.branch_id for row in work.session.execute(query)}


def _holding(findings: Iterable[Finding]) -> Said:
    """By rule, what holds the bill: each finding once."""
    held: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for finding in findings:
        if finding.severity is Severity.HOLD_BILL and (said := finding.as_dict()) not in held[finding.rule]:
            held[finding.rule].append(said)
    return {rule: said for rule, said in held.items() if said}


def _mark(visit: Visit, own: Mapping[str, Any], of_order: Mapping[str, Any]) -> None:
    """The rules on the visit itself, where whoever lists visits sees them."""
    rules = sorted({*own, *of_order})
    if visit.hold_bill != rules:
        visit.hold_bill = rules


def _write(
    work: Work,
    subjects: Mapping[str, Subject],
    found_of: Mapping[str, Said],
    because: str,
    rules: Collection[str] | None = None,
) -> int:
    """Open what is found and not there, clear what is there and found no longer; `rules`: of these alone."""
    query = sa.select(BillHold).where(BillHold.subject.in_(sorted(subjects)), BillHold.cleared_at.is_(None))
    if rules is not None:
        query = query.where(BillHold.rule.in_(sorted(rules)))
    standing = {(row.subject, row.rule): row for row in work.session.scalars(query.with_for_update())}
    wanted = {(name, rule): said for name, by_rule in found_of.items() for rule, said in by_rule.items()}
    changed = 0
    for key, row in standing.items():
        if key not in wanted:
            row.cleared_at, row.cleared_by = work.now, because
            _record(work, "bill.released", row, because)
            changed += 1
        elif row.findings != wanted[key]:
            row.findings = wanted[key]
    for name, rule in sorted(wanted.keys() - standing.keys()):
        subject = subjects[name]
        row = BillHold(
            branch_id=subject.branch_id, patient_id=subject.patient_id, episode_id=subject.episode_id, subject=name,
            visit_id=subject.visit_id, order_id=subject.order_id, period=subject.period, rule=rule,
            findings=wanted[name, rule], opened_at=work.now, opened_by=because,
        )  # fmt: skip
        work.session.add(row)
        _record(work, "bill.held", row, because)
        changed += 1
    work.session.flush()  # two that hold the same at once are told by the database now
    return changed


def _record(work: Work, action: str, row: BillHold, because: str) -> None:
    work.record(action, row.subject, patient_id=row.patient_id, rule=row.rule, because=because)


def hold_period(
    work: Work, episode: Episode, branch_id: int, number: int, findings: Sequence[Finding], rules: Collection[str],
    because: str,
) -> int:  # fmt: skip
    """Of these rules, exactly those that hold the bill hold this certification period; how many rows changed."""
    subject = Subject(branch_id, episode.patient_id, episode.id, period=number)
    return _write(work, {subject.name: subject}, {subject.name: _holding(findings)}, because, rules)


# ------------------------------------------------------------------------------------ the clock


@permitted("billing:reask")
def sweep(work: Work, branch_id: int) -> int:
    """Everything that time alone may hold or release in the branch is asked again; how many rows changed."""
    with_holds = sa.select(BillHold.patient_id).where(BillHold.branch_id == branch_id, BillHold.cleared_at.is_(None))
    lately = sa.select(Visit.patient_id).where(
        Visit.branch_id == branch_id, Visit.status.in_(DONE_VISIT), Visit.actual_end_at >= work.now - SWEPT
    )
    numbers = sorted(set(work.session.scalars(with_holds)) | set(work.session.scalars(lately)))
    changed = 0
    for at in range(0, len(numbers), PIECE):
        changed += reask(work, numbers[at : at + PIECE], "sweep", since=SWEPT)
    return changed


def sweep_job(context: JobContext, arguments: dict[str, Any]) -> None:
    """Ask again what holds bills in the branch; the clocked job `compliance.bill-holds`. May be done twice."""
    with context.work() as work:
        sweep(work, int(arguments["branch_id"]))
