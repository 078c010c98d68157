"""The book of obligations: how a line is opened and closed. Asked by handlers and jobs, never by a door."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.core.work import Work
from coordinator.deadlines.model import Deadline
from coordinator.domain.vocabulary import ClosedBy, DeadlineStatus
from coordinator.jobs.queue import insert_once
from coordinator.rules.terms import Policy

#: The roles of the rule book as roles of this product: whose list an obligation is on.
OWNERS = {
    "orders_desk": "intake", "billing": "intake", "case_manager": "clinical_manager", "therapist": "clinical_manager",
    "on_call_nurse": "nurse", "managing_physician": "physician",
}  # fmt: skip
#: Counted in hours, and watched every quarter of an hour instead of every night: see `watch`.
HOURLY = frozenset({"REF-02", "ASM-02"})


def owner(role: str) -> str:
    """The role of this product that answers for what the rule book gives to `role`."""
    return OWNERS.get(role, role)


def escalates_on(rule: str, due_on: date, policy: Policy) -> date:
    """The first day on which the clinical manager hears of it: after the due day and the rule's grace."""
    return due_on + timedelta(days=1 + policy.deadlines.grace_days.get(rule, 0))


def first_told(rule: str, escalate_on: date, due_at: datetime | None, remind_on: Iterable[date]) -> date | None:
    """The day on which somebody is first told of a row; None for what is watched by the hour."""
    return None if rule in HOURLY and due_at is not None else min([*remind_on, escalate_on])


def open_deadline(
    work: Work,
    *,
    rule: str,
    subject: str,
    due_on: date,
    owner_role: str,
    branch_id: int,
    patient_id: int | None = None,
    due_at: datetime | None = None,
    **facts: Any,
) -> Deadline:
    """The obligation of `rule` about `subject`, due on that branch day, is in the book once; two writers make one.

    One that had been superseded is open again; one that was done or waived stays so. `due_at` is the exact instant, if
    there is one. Facts are codes, ids and ISO days: `task` (see `words`), and `remind_on`, the days of reminders.
    """
    facts = {name: value for name, value in facts.items() if value is not None}
    escalate_on = escalates_on(rule, due_on, work.policy)
    tell_on = first_told(rule, escalate_on, due_at, map(date.fromisoformat, facts.get("remind_on", [])))
    fresh = insert_once(
        work.session, Deadline,
        rule=rule, subject=subject, due_on=due_on, due_at=due_at, owner_role=owner(owner_role), branch_id=branch_id,
        patient_id=patient_id, status=DeadlineStatus.OPEN, opened_at=work.now, facts=facts, version=1,
        task=str(facts.get("task", "")), escalate_on=escalate_on, tell_on=tell_on,
    )  # fmt: skip
    row = work.session.execute(
        sa.select(Deadline)
        .where(Deadline.rule == rule, Deadline.subject == subject, Deadline.due_on == due_on)
        .with_for_update()
    ).scalar_one()
    if fresh:
        work.record("deadline.opened", f"deadline:{row.id}", patient_id=patient_id, rule=rule, about=subject)
    elif row.status is DeadlineStatus.SUPERSEDED or (row.status is DeadlineStatus.OPEN and row.due_at != due_at):
        if row.status is DeadlineStatus.SUPERSEDED:
            work.record("deadline.reopened", f"deadline:{row.id}", patient_id=patient_id, rule=rule)
        row.status, row.closed_at, row.close_reason, row.closed_by = DeadlineStatus.OPEN, None, None, None
        row.due_at, row.facts, row.reminded_at, row.escalated_at = due_at, facts, None, None
        row.escalate_on, row.tell_on = escalate_on, tell_on
        row.patient_id = patient_id or row.patient_id
    return row


def open_rows(work: Work, *, subject: str, rules: Sequence[str] = ()) -> list[Deadline]:
    """Open obligations about `subject`, of those rules or of any, earliest first, locked for a change."""
    query = sa.select(Deadline).where(Deadline.subject == subject, Deadline.status == DeadlineStatus.OPEN)
    if rules:
        query = query.where(Deadline.rule.in_(rules))
    return list(work.session.execute(query.order_by(Deadline.due_on, Deadline.id).with_for_update()).scalars())


def end(
    work: Work,
    row: Deadline,
    reason: str,
    status: DeadlineStatus = DeadlineStatus.DONE,
    *,
    by: ClosedBy = ClosedBy.FACTS,
) -> None:
    """The obligation is closed, for a reason in a code or in the words of the office."""
    row.status, row.closed_at, row.close_reason, row.closed_by = status, work.now, reason[:300], by
    row.tell_on = None
    work.record("deadline.closed", f"deadline:{row.id}", patient_id=row.patient_id, rule=row.rule, status=status.value)


def close_deadlines(
    work: Work, *, subject: str, reason: str, rule: str | None = None, status: DeadlineStatus = DeadlineStatus.DONE
) -> int:
    """No obligation of `rule` (of any rule, if none is said) about `subject` is open; how many were."""
    rows = open_rows(work, subject=subject, rules=(rule,) if rule else ())
    for row in rows:
        end(work, row, reason, status)
    return len(rows)
