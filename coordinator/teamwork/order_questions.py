"""A practitioner asks whoever wrote an order; the question is a task, and its answer stands on the order's card."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from coordinator.access.model import User
from coordinator.agency import service as agency
from coordinator.core.errors import Invalid
from coordinator.core.work import Work, permitted
from coordinator.domain.teamwork import Desk, TaskKind, TaskStatus
from coordinator.domain.timeline import ONE_DAY
from coordinator.domain.vocabulary import Discipline
from coordinator.orders.model import Order
from coordinator.orders.queries import branch_of
from coordinator.orders.signing import own_order
from coordinator.teamwork import tasks
from coordinator.teamwork.model import Task

#: Whose desk is asked where whoever wrote the order cannot be.
_DESKS = {
    Discipline.SN: Desk.NURSE, Discipline.HHA: Desk.NURSE, Discipline.PT: Desk.THERAPIST,
    Discipline.OT: Desk.THERAPIST, Discipline.SLP: Desk.THERAPIST, Discipline.MSW: Desk.SOCIAL_WORKER,
    Discipline.CHAP: Desk.CHAPLAIN, Discipline.MDV: Desk.CLINICAL_MANAGER,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked about an order, and what came back; `answer` is None while nobody has answered."""

    order_id: int
    asked: str
    asked_at: datetime
    answer: str | None
    answered_by: str | None
    answered_at: datetime | None
    waiting: bool


@permitted("task:ask")
def ask_about_order(work: Work, order_id: int, question: str) -> Task:
    """Whoever wrote the order has the question on their list, by tomorrow, or by the day it is needed if sooner.

    The order stays in the queue. Where its author may not see the patient any more, the discipline's desk is asked.
    """
    order = own_order(work, order_id)
    today = agency.today(work, branch_of(work, order.patient_id))
    asked: dict[str, Any] = {
        "patient_id": order.patient_id, "kind": TaskKind.ANSWER_QUESTION, "due_on": _due(order, today),
        "about": about(order.id), "note": question,
    }  # fmt: skip
    if order.drafted_by_id is not None and order.drafted_by_id != work.actor.user_id:
        try:
            return tasks.ask(work, owner_id=order.drafted_by_id, **asked)
        except Invalid as refusal:
            if not any(error["pointer"] == "/owner_id" for error in refusal.extra.get("errors", ())):
                raise
    return tasks.ask(work, owner_role=_DESKS[order.discipline], **asked)


def _due(order: Order, today: date) -> date:
    tomorrow = today + ONE_DAY
    return max(today, min(tomorrow, order.needed_by or tomorrow))


def about(order_id: int) -> str:
    """How a task names the order that it is about."""
    return f"order:{order_id}"


@permitted("task:read")
def questions_about(work: Work, order_ids: Collection[int]) -> dict[int, list[Question]]:
    """Questions about these orders that the actor may see, first to last, by order; in one query for all."""
    rows = work.session.execute(
        sa.select(Task, User.display_name)
        .outerjoin(User, User.id == Task.ended_by_id)
        .where(
            Task.kind == TaskKind.ANSWER_QUESTION,
            Task.about.in_(sorted(about(number) for number in order_ids)),
            Task.status != TaskStatus.CANCELLED,
            tasks.in_sight(work),
        )
        .order_by(Task.id)
    )
    found: dict[int, list[Question]] = {}
    for task, name in rows:
        done = task.status is TaskStatus.DONE
        order_id = int((task.about or "order:0").partition(":")[2])
        found.setdefault(order_id, []).append(
            Question(
                order_id, task.note or "", task.opened_at, task.outcome_note if done else None, name if done else None,
                task.ended_at, not done,
            )
        )  # fmt: skip
        work.record("task.read", f"task:{task.id}", patient_id=task.patient_id)
    return found
