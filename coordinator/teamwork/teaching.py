"""What was taught and could not be shown is taught again: a task with a day, until the learner shows it (CAR-01)."""

import hashlib
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.db import fetch
from coordinator.core.work import Work
from coordinator.domain.events import TeachingChanged
from coordinator.domain.teamwork import DESK_OF, LIVE_TASK, Desk, NoteKind, TaskKind, TaskSource, TeachBack
from coordinator.domain.vocabulary import Performer
from coordinator.patients.model import Caregiver, Patient
from coordinator.teamwork.model import Task
from coordinator.teamwork.notes_model import Note
from coordinator.teamwork.tasks import cancel_tasks, finish_tasks, open_task

#: What the record calls a goal that the caregiver could show; with help it is not theirs yet.
_SHOWN = "shown"
_NOT_YET = "not_yet"


def on_note(work: Work, note: Note) -> None:
    """Teaching that could not be shown is asked for again, of the teacher's profession; what is shown ends the asking.

    Asked by the verb that writes notes.
    """
    assert note.patient_id is not None
    if note.parts["teach_back"] == TeachBack.SHOWN.value:
        for earlier in _same_topic(work, note):
            finish_tasks(work, source=TaskSource.SYSTEM, source_ref=_ref_of(earlier))
    elif note.parts["teach_back"] == TeachBack.NOT_SHOWN.value:
        for earlier in _same_topic(work, note):
            cancel_tasks(work, source=TaskSource.SYSTEM, source_ref=_ref_of(earlier))
        desk = DESK_OF[Performer(work.actor.performer)] if work.actor.performer is not None else Desk.NURSE
        open_task(
            work, patient_id=note.patient_id, kind=TaskKind.TEACH_AGAIN, source=TaskSource.SYSTEM,
            source_ref=_ref_of(note.id), about=f"note:{note.id}", owner_role=desk, due=_soon(work, note.patient_id),
        )  # fmt: skip


def on_retracted(work: Work, note: Note) -> None:
    """What a note asked for by mistake is asked no more. Asked by the verb that retracts notes."""
    cancel_tasks(work, source=TaskSource.SYSTEM, source_ref=_ref_of(note.id))


def _ref_of(note_id: int) -> str:
    return f"taught:note:{note_id}"


def _soon(work: Work, patient_id: int) -> date:
    branch_id = fetch(work.session, Patient, patient_id, "patient").branch_id
    return agency.today(work, branch_id) + timedelta(days=work.policy.teamwork.teach_again_days)


def _same_topic(work: Work, note: Note) -> list[int]:
    """Earlier notes of the patient about the same topic and learner that still ask for teaching."""
    asking = sa.select(sa.func.replace(Task.source_ref, "taught:note:", "")).where(
        Task.patient_id == note.patient_id, Task.kind == TaskKind.TEACH_AGAIN, Task.status.in_(sorted(LIVE_TASK)),
        Task.source == TaskSource.SYSTEM, Task.source_ref.startswith("taught:note:", autoescape=True),
    )  # fmt: skip
    numbers = [int(one) for one in work.session.execute(asking).scalars()]
    rows = work.session.execute(
        sa.select(Note).where(Note.id.in_(numbers), Note.kind == NoteKind.TEACHING).order_by(Note.id)
    ).scalars()
    return [row.id for row in rows.all() if row.id != note.id and _learned(row.parts) == _learned(note.parts)]


def _learned(parts: Mapping[str, Any]) -> tuple[str, str, int | None]:
    return str(parts["topic"]).strip().casefold(), str(parts["learner"]), parts.get("caregiver_id")


# ------------------------------------------------------------------------------------ goals of a caregiver


def on_teaching_changed(work: Work, event: TeachingChanged) -> None:
    """Each goal that the caregiver cannot show yet is on the nurses' list by its day; what is shown is so no more."""
    caregiver = fetch(work.session, Caregiver, event.caregiver_id, "caregiver")
    wanted, shown = {}, set()
    for goal in caregiver.teaching or ():
        key = hashlib.sha256(str(goal["goal"]).strip().casefold().encode()).hexdigest()[:12]
        if goal.get("result") == _SHOWN:
            shown.add(key)
        elif goal.get("next_on") or goal.get("result") == _NOT_YET:
            on = goal.get("next_on")
            due = date.fromisoformat(on) if on else _soon(work, event.patient_id)
            wanted[f"{_of(caregiver.id)}{key}:{on or goal.get('taught_on')}"] = due
    for ref in _asked(work, caregiver.id) - wanted.keys():
        if ref.removeprefix(_of(caregiver.id)).split(":")[0] in shown:
            finish_tasks(work, source=TaskSource.SYSTEM, source_ref=ref)
        else:
            cancel_tasks(work, source=TaskSource.SYSTEM, source_ref=ref)
    for ref, due in sorted(wanted.items()):
        open_task(
            work, patient_id=event.patient_id, kind=TaskKind.TEACH_AGAIN, source=TaskSource.SYSTEM, source_ref=ref,
            about=f"caregiver:{caregiver.id}", owner_role=Desk.NURSE, due=due,
        )  # fmt: skip


def _of(caregiver_id: int) -> str:
    return f"taught:caregiver:{caregiver_id}:"


def _asked(work: Work, caregiver_id: int) -> set[str]:
    rows = work.session.execute(
        sa.select(Task.source_ref).where(
            Task.kind == TaskKind.TEACH_AGAIN, Task.status.in_(sorted(LIVE_TASK)), Task.source == TaskSource.SYSTEM,
            Task.source_ref.startswith(_of(caregiver_id), autoescape=True),
        )
    ).scalars()  # fmt: skip
    return set(rows)
