"""The book against the facts: what is owed and not in it is opened, what is in it and owed no more is closed.

`follow` computes every obligation of the table anew, for a whole branch or for one patient, and writes only what is
different: so a sweep that is done twice changes nothing, an event is a sweep of one patient, and no order of events
loses or doubles a row. The number of statements does not grow with patients, save for lists that are sent in pieces.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from coordinator.agency import service as agency
from coordinator.core.db import fetch
from coordinator.core.work import Work
from coordinator.deadlines.book import escalates_on, first_told, owner
from coordinator.deadlines.cases import Scope, batched
from coordinator.deadlines.model import Deadline
from coordinator.deadlines.obligation import Asked, Obligation, Owed
from coordinator.deadlines.table import OBLIGATIONS
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import ClosedBy, DeadlineStatus
from coordinator.orders.model import Order
from coordinator.patients.model import Patient
from coordinator.referrals.model import Referral
from coordinator.staff.model import Clinician
from coordinator.visits.model import Visit

Key = tuple[str, str, date]
_TABLE = cast(sa.Table, Deadline.__table__)
#: Rows that one statement locks, changes or asks for.
_PIECE = 500


@dataclass(frozen=True, slots=True)
class Change:
    """What a sweep has changed: how many rows it opened (again), closed, and told otherwise."""

    opened: int
    closed: int
    amended: int


def follow(
    work: Work,
    branch_id: int,
    patient_ids: Iterable[int] | None = None,
    entries: Sequence[Obligation] = OBLIGATIONS,
) -> Change:
    """The book says what these entries owe now, to the branch or to those patients of it."""
    work.session.flush()  # the facts are read from the database
    zone = agency.zone_of(work, branch_id)
    asked = Asked(work.now, local_day(work.now, zone), zone, work.policy)
    chosen = None if patient_ids is None else frozenset(patient_ids)
    scope = Scope(work, branch_id, asked, chosen)
    if chosen is not None:
        entries = [entry for entry in entries if not entry.of_staff]
    wanted: dict[Key, tuple[Obligation, Owed]] = {}
    for entry in entries:
        for case in entry.cases(scope):
            for owed in entry.owed(case, asked):
                wanted[entry.rule, owed.subject, owed.due_on] = entry, owed
    standing = _standing(scope, entries)
    closed = _close(scope, entries, wanted, standing)
    amended = _amend(scope, wanted, standing)
    opened = _open(scope, entries, wanted, {(row.rule, row.subject, row.due_on) for row in standing})
    if opened or closed or amended:
        forget(work)
    return Change(opened, closed, amended)


def on_event(work: Work, event: Any) -> None:
    """What happened to one patient, or to staff, is in the book at once; the sweep would find the same."""
    of_staff = [entry for entry in _BY_EVENT[type(event)] if entry.of_staff]
    of_patients = [entry for entry in _BY_EVENT[type(event)] if not entry.of_staff]
    if of_staff:
        number = event.clinician_id if hasattr(event, "clinician_id") else event.aide_id
        follow(work, fetch(work.session, Clinician, number, "clinician").branch_id, entries=of_staff)
    patient_id = _patient_of(work, event) if of_patients else None
    if patient_id is not None:
        follow(work, fetch(work.session, Patient, patient_id, "patient").branch_id, [patient_id], of_patients)


def _by_event() -> dict[type, list[Obligation]]:
    found = defaultdict(list)
    for entry in OBLIGATIONS:
        for event in entry.asked_by:
            found[event].append(entry)
    return dict(found)


#: Event -> the entries that it asks.
_BY_EVENT = _by_event()


def _patient_of(work: Work, event: Any) -> int | None:
    if hasattr(event, "patient_id"):
        return int(event.patient_id)
    work.session.flush()  # whom it concerns may be new
    name, row = next((name, row) for name, row in _CONCERNS if hasattr(event, name))
    found: int | None = work.session.execute(sa.select(row.patient_id).where(row.id == getattr(event, name))).scalar()
    return found


#: How an event names what it is about, where it does not name the patient.
_CONCERNS: tuple[tuple[str, Any], ...] = (("visit_id", Visit), ("order_id", Order), ("referral_id", Referral))


# ------------------------------------------------------------------------------------ what stands


def _of(scope: Scope, entries: Sequence[Obligation]) -> list[sa.ColumnElement[bool]]:
    """The rows of these entries in this scope."""
    kinds = sorted({(entry.rule, entry.task) for entry in entries})
    tests = [Deadline.branch_id == scope.branch_id, sa.tuple_(Deadline.rule, Deadline.task).in_(kinds)]
    if scope.patient_ids is not None:
        tests.append(Deadline.patient_id.in_(sorted(scope.patient_ids)))
    return tests


def _standing(scope: Scope, entries: Sequence[Obligation]) -> Sequence[Any]:
    return scope.work.session.execute(
        sa.select(
            Deadline.id, Deadline.rule, Deadline.task, Deadline.subject, Deadline.due_on, Deadline.due_at,
            Deadline.patient_id, Deadline.facts, Deadline.reminded_at, Deadline.escalated_at,
        ).where(*_of(scope, entries), Deadline.status == DeadlineStatus.OPEN)
    ).all()  # fmt: skip


# ------------------------------------------------------------------------------------ closing


def _close(
    scope: Scope, entries: Sequence[Obligation], wanted: dict[Key, tuple[Obligation, Owed]], standing: Sequence[Any]
) -> int:
    table = {(entry.rule, entry.task): entry for entry in entries}
    later: dict[tuple[str, str], Owed] = {}
    for (rule, subject, due_on), (_, owed) in wanted.items():
        known = later.get((rule, subject))
        if known is None or due_on > known.due_on:
            later[rule, subject] = owed
    ends: dict[int, tuple[DeadlineStatus, str]] = {}
    asking: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in standing:
        entry = table[row.rule, row.task]
        found = wanted.get((row.rule, row.subject, row.due_on))
        if found is not None:
            if found[1].met is not None:
                ends[row.id] = DeadlineStatus.DONE, found[1].met
        elif entry.stays:
            continue
        elif entry.renewed is not None and (next_one := later.get((row.rule, row.subject))) is not None:
            ends[row.id] = _renewed(entry.renewed, row, next_one)
        else:
            ends[row.id] = DeadlineStatus.SUPERSEDED, "not owed any more"
            if entry.gone is not None:
                asking[row.rule, row.task].append(row)
    for kind, rows in asking.items():
        gone = table[kind].gone
        assert gone is not None
        reasons = gone(scope, [row.subject for row in rows])
        ends |= {row.id: (DeadlineStatus.DONE, reasons[row.subject]) for row in rows if row.subject in reasons}
    return _end(scope.work, ends)


def _renewed(reason: str, row: Any, next_one: Owed) -> tuple[DeadlineStatus, str]:
    if next_one.due_on < row.due_on:
        return DeadlineStatus.SUPERSEDED, "due at another time"
    late = next_one.counted_from is not None and next_one.counted_from > row.due_on
    return DeadlineStatus.DONE, f"{reason} late" if late else reason


def _end(work: Work, ends: dict[int, tuple[DeadlineStatus, str]]) -> int:
    """Those rows are closed, unless somebody closed them at this moment."""
    changed = 0
    for numbers in batched(sorted(ends), _PIECE):
        rows = work.session.execute(
            sa.select(Deadline.id, Deadline.patient_id, Deadline.rule)
            .where(Deadline.id.in_(numbers), Deadline.status == DeadlineStatus.OPEN)
            .order_by(Deadline.id)
            .with_for_update()
        ).all()
        if rows:
            work.session.connection().execute(
                sa.update(_TABLE)
                .where(_TABLE.c.id == sa.bindparam("number"))
                .values(
                    status=sa.bindparam("new_status"), close_reason=sa.bindparam("new_reason"), closed_at=work.now,
                    closed_by=ClosedBy.FACTS, tell_on=None, version=_TABLE.c.version + 1,
                ),
                [{"number": row.id, "new_status": ends[row.id][0], "new_reason": ends[row.id][1]} for row in rows],
            )  # fmt: skip
        for row in rows:
            work.record(
                "deadline.closed", f"deadline:{row.id}", patient_id=row.patient_id, rule=row.rule,
                status=ends[row.id][0].value,
            )  # fmt: skip
        changed += len(rows)
    return changed


# ------------------------------------------------------------------------------------ what is otherwise now


def _amend(scope: Scope, wanted: dict[Key, tuple[Obligation, Owed]], standing: Sequence[Any]) -> int:
    """Rows that stand say what the facts say now: another hour, other reminders."""
    values = []
    for row in standing:
        found = wanted.get((row.rule, row.subject, row.due_on))
        if found is None or found[1].met is not None:
            continue
        entry, owed = found
        facts = _facts(entry, owed)
        if facts == row.facts and owed.due_at == row.due_at:
            continue
        told = None if row.reminded_at is None else scope.day(row.reminded_at)
        ahead = [day for day in owed.remind_on if told is None or day > told]
        tell_on = first_told(entry.rule, escalates_on(entry.rule, owed.due_on, scope.asked.policy), owed.due_at, ahead)
        values.append(
            {
                "number": row.id, "new_facts": facts, "new_due_at": owed.due_at,
                "new_tell_on": None if row.escalated_at is not None else tell_on,
            }
        )  # fmt: skip
    if values:
        scope.work.session.connection().execute(
            sa.update(_TABLE)
            .where(_TABLE.c.id == sa.bindparam("number"), _TABLE.c.status == DeadlineStatus.OPEN)
            .values(
                facts=sa.bindparam("new_facts"), due_at=sa.bindparam("new_due_at"), tell_on=sa.bindparam("new_tell_on"),
                version=_TABLE.c.version + 1,
            ),
            values,
        )  # fmt: skip
    return len(values)


def _facts(entry: Obligation, owed: Owed) -> dict[str, Any]:
    facts = {"task": entry.task} | {name: value for name, value in owed.facts.items() if value is not None}
    return facts | {"remind_on": [day.isoformat() for day in owed.remind_on]} if owed.remind_on else facts


# ------------------------------------------------------------------------------------ opening


def _open(
    scope: Scope, entries: Sequence[Obligation], wanted: dict[Key, tuple[Obligation, Owed]], there: set[Key]
) -> int:
    """What is owed, from its day on, is in the book; what a person closed, and what is history, is not."""
    today, policy = scope.asked.today, scope.asked.policy
    catch_up = timedelta(days=policy.deadlines.catch_up_days)
    missing = {
        key: (entry, owed)
        for key, (entry, owed) in wanted.items()
        if key not in there
        and owed.met is None
        and (owed.opens_on is None or owed.opens_on <= today)
        and owed.due_on >= today - catch_up
    }
    if not missing:
        return 0
    settled, settled_subjects, reopened = _settled(scope, entries, min(key[2] for key in missing) - catch_up)
    values = [
        _values(scope, key, entry, owed)
        for key, (entry, owed) in missing.items()
        if key not in settled and not (entry.once and (entry.rule, entry.task, owed.subject) in settled_subjects)
    ]
    if not values:
        return 0
    make = postgresql.insert if scope.work.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    insert = make(_TABLE)
    again: dict[str, Any] = {
        name: insert.excluded[name]
        for name in (
            "status", "due_at", "facts", "owner_role", "patient_id", "escalate_on", "tell_on", "opened_at",
        )
    } | dict.fromkeys(("closed_at", "close_reason", "closed_by", "reminded_at", "escalated_at"), sa.null())  # fmt: skip
    # Written out: a bound value outside the rows makes SQLAlchemy send them one by one.
    one: sa.ColumnElement[Any] = sa.literal_column("1")
    by_facts: sa.ColumnElement[Any] = sa.literal_column(f"'{ClosedBy.FACTS.value}'")
    rows = scope.work.session.connection().execute(
        insert.on_conflict_do_update(
            index_elements=["rule", "subject", "due_on"],
            set_=again | {"version": _TABLE.c.version + one},
            where=_TABLE.c.closed_by == by_facts,
        ).returning(_TABLE.c.id, _TABLE.c.rule, _TABLE.c.subject, _TABLE.c.due_on, _TABLE.c.patient_id),
        values,
    )
    opened = 0
    for row in rows:
        opened += 1
        again_open = (row.rule, row.subject, row.due_on) in reopened
        scope.work.record(
            "deadline.reopened" if again_open else "deadline.opened", f"deadline:{row.id}", patient_id=row.patient_id,
            rule=row.rule, about=row.subject,
        )  # fmt: skip
    return opened


def _settled(
    scope: Scope, entries: Sequence[Obligation], since: date
) -> tuple[set[Key], set[tuple[str, str, str]], set[Key]]:
    """What persons closed, by key and by subject, and the keys that the facts closed, due since that day."""
    rows = scope.work.session.execute(
        sa.select(Deadline.rule, Deadline.task, Deadline.subject, Deadline.due_on, Deadline.closed_by).where(
            *_of(scope, entries), Deadline.status != DeadlineStatus.OPEN, Deadline.due_on >= since
        )
    ).all()
    by_person = [row for row in rows if row.closed_by is ClosedBy.PERSON]
    return (
        {(row.rule, row.subject, row.due_on) for row in by_person},
        {(row.rule, row.task, row.subject) for row in by_person},
        {(row.rule, row.subject, row.due_on) for row in rows if row.closed_by is ClosedBy.FACTS},
    )


def _values(scope: Scope, key: Key, entry: Obligation, owed: Owed) -> dict[str, Any]:
    rule, subject, due_on = key
    escalate_on = escalates_on(rule, due_on, scope.asked.policy)
    due_at: datetime | None = owed.due_at
    return {
        "rule": rule, "subject": subject, "due_on": due_on, "due_at": due_at, "task": entry.task,
        "owner_role": owner(entry.owner), "branch_id": scope.branch_id, "patient_id": owed.patient_id,
        "status": DeadlineStatus.OPEN, "opened_at": scope.asked.now, "facts": _facts(entry, owed), "version": 1,
        "escalate_on": escalate_on, "tell_on": first_told(rule, escalate_on, due_at, owed.remind_on),
    }  # fmt: skip


def forget(work: Work) -> None:
    """Rows that this session has in mind are read anew: they were changed behind its back."""
    for row in work.session:
        if isinstance(row, Deadline):
            work.session.expire(row)
