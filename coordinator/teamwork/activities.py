"""What was done on a visit, as the programme's page names it: gathered from the record, and kept nowhere twice."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from coordinator.care.model import Assessment
from coordinator.care.response_model import SymptomTreatment
from coordinator.care.shelf import readable as instruments_readable
from coordinator.core.work import Work, permitted
from coordinator.domain.care import AssessmentStatus
from coordinator.domain.care_types import CARE_TYPE_OF, Activity, CareType
from coordinator.domain.lifecycle import DONE_VISIT
from coordinator.domain.teamwork import NoteKind
from coordinator.domain.vocabulary import Discipline
from coordinator.teamwork import notes
from coordinator.teamwork.notes_model import Note
from coordinator.teamwork.resource_model import ResourceReferral
from coordinator.visits.model import Visit
from coordinator.visits.queries import the_visit

_OF_NOTE = {
    NoteKind.TEACHING: Activity.TEACH_SELF_MANAGEMENT,
    NoteKind.COORDINATION: Activity.PLAN_AND_COORDINATE,
    NoteKind.COUNSELLING: Activity.COUNSELLING,
}
_THERAPY = frozenset({Discipline.PT, Discipline.OT, Discipline.SLP})


@dataclass(frozen=True, slots=True)
class Done:
    """One activity, and the record that tells of it. Of teaching: who learned, and how far they are."""

    activity: Activity
    record: str
    learner: str | None = None
    caregiver_id: int | None = None
    teach_back: str | None = None
    independence: str | None = None


@dataclass(frozen=True, slots=True)
class Activities:
    """Under which kind of care the visit was made; None for those that are none of the page's."""

    care_type: CareType | None
    done: list[Done]


@permitted("plan:read")
def of_visit(work: Work, visit_id: int) -> Activities:
    """What the record tells of the visit, as far as the actor may read it: a restricted note shows itself to nobody
    who may not read it, and answers to those alone who read that instrument (SEC-08)."""
    visit = the_visit(work, visit_id)
    work.record("visit.activities-read", f"visit:{visit.id}", patient_id=visit.patient_id)
    found = [*_of_notes(work, visit), *_of_care(work, visit)]
    rows = work.session.execute(
        sa.select(ResourceReferral.id).where(ResourceReferral.visit_id == visit.id).order_by(ResourceReferral.id)
    ).scalars()
    found += [Done(Activity.RESOURCE_LINKAGE, f"resource-referral:{number}") for number in rows]
    if visit.tasks_done:
        found.append(Done(Activity.PERSONAL_CARE, f"visit:{visit.id}"))
    if visit.discipline in _THERAPY and visit.status in DONE_VISIT:
        found.append(Done(Activity.THERAPY, f"visit:{visit.id}"))
    return Activities(CARE_TYPE_OF.get(visit.discipline), found)


def _of_notes(work: Work, visit: Visit) -> list[Done]:
    rows = work.session.execute(
        sa.select(Note)
        .where(
            Note.visit_id == visit.id, Note.kind.in_(sorted(_OF_NOTE)), Note.retracted_at.is_(None),
            Note.addendum_to_id.is_(None), notes.readable(work),
        )
        .order_by(Note.id)
    ).scalars()  # fmt: skip
    return [Done(_OF_NOTE[row.kind], f"note:{row.id}", **_taught(row)) for row in rows.all()]


def _taught(note: Note) -> dict[str, Any]:
    if note.kind is not NoteKind.TEACHING:
        return {}
    return {name: note.parts.get(name) for name in ("learner", "caregiver_id", "teach_back", "independence")}


def _of_care(work: Work, visit: Visit) -> list[Done]:
    given = work.session.execute(
        sa.select(SymptomTreatment.id).where(SymptomTreatment.visit_id == visit.id).order_by(SymptomTreatment.id)
    ).scalars()
    found = [Done(Activity.ADMINISTER_TREATMENT, f"treatment:{number}") for number in given]
    if work.actor.may("assessment:read"):
        taken = work.session.execute(
            sa.select(Assessment.id)
            .where(
                Assessment.visit_id == visit.id, Assessment.status == AssessmentStatus.FINAL,
                Assessment.instrument.in_(instruments_readable(work)),
            )
            .order_by(Assessment.id)
        ).scalars()  # fmt: skip
        found += [Done(Activity.ASSESS, f"assessment:{number}") for number in taken]
    return found
