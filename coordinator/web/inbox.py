"""My inbox: messages, tasks and deadlines that wait for me or for a desk of mine, the latest first."""

from typing import Any

from flask import render_template
from flask_babel import gettext

from coordinator.agency.service import zone_of
from coordinator.core.http import work
from coordinator.core.i18n import language
from coordinator.deadlines.model import Deadline
from coordinator.domain.teamwork import TaskPriority, TaskStatus
from coordinator.notify.words import obligation
from coordinator.patients.names import names_of
from coordinator.teamwork import inbox, notes, tasks
from coordinator.teamwork.model import Task
from coordinator.teamwork.notes_model import Note
from coordinator.teamwork.words import TASKS
from coordinator.web.shell import Screens, done

blueprint = Screens("inbox_screen", __name__, url_prefix="/inbox")

#: Lines of each list on one page; the counts above say how many there are.
_MOST = 50


@blueprint.get("/")
def show() -> Any:
    """Everything that waits."""
    w = work()
    counts = inbox.counts(w)
    messages = w.session.scalars(inbox.messages(w).order_by(Note.id.desc()).limit(_MOST)).all()
    waiting = w.session.scalars(inbox.tasks_waiting(w).order_by(Task.late_from, Task.id).limit(_MOST)).all()
    owed = w.session.scalars(inbox.deadlines_waiting(w).order_by(Deadline.due_on, Deadline.id).limit(_MOST)).all()
    about = {row.patient_id for row in (*messages, *waiting, *owed) if row.patient_id is not None}
    return render_template(
        "screens/inbox.html", counts=counts, names=names_of(w, about), zone=zone_of, work=w, messages=messages,
        tasks=[_task(row) for row in waiting], deadlines=[(row, obligation(row.facts, language())) for row in owed],
    )  # fmt: skip


def _task(row: Task) -> dict[str, Any]:
    return {
        "row": row,
        "title": TASKS[row.kind][1 if language() == "zh-Hant" else 0],
        "late": row.late_from <= work().now,
        "urgent": row.priority is not TaskPriority.ROUTINE,
        "open": row.status is TaskStatus.OPEN,
    }


@blueprint.post("/messages/<id:note_id>/acknowledge")
def acknowledge(note_id: int) -> Any:
    """I have it."""
    notes.acknowledge(work(), note_id)
    return done("inbox_screen.show", gettext("Acknowledged."))


@blueprint.post("/tasks/<id:task_id>/accept")
def accept(task_id: int) -> Any:
    """I take it."""
    tasks.accept(work(), task_id)
    return done("inbox_screen.show", gettext("The task is yours."))
