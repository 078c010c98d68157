"""Whom a repair must tell, in the order in which to call: whose visit is soonest first, then the clinicians.

A call names visits, hours and people by number, and says what kind of message it is. It holds no clinical word.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from coordinator.core.work import Work, permitted
from coordinator.domain.vocabulary import RepairDeed, RepairKind
from coordinator.patients.model import Patient
from coordinator.planning.repairs.model import Repair, RepairChange
from coordinator.planning.repairs.service import visible_repair


@dataclass(slots=True)
class Call:
    """One call: to a patient's home or to a clinician."""

    patient_id: int | None
    clinician_id: int | None
    #: The soonest hour that it is about, before or after.
    soonest: datetime
    #: The patient had been told otherwise.
    told: bool
    language: str | None = None
    messages: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self, order: int) -> dict[str, Any]:
        """In plain values, with its place in the order."""
        return {
            "order": order,
            "whom": "patient" if self.patient_id is not None else "clinician",
            "patient_id": self.patient_id,
            "clinician_id": self.clinician_id,
            "language": self.language,
            "soonest": self.soonest,
            "told": self.told,
            "messages": self.messages,
        }


@permitted("repair:read")
def calls(work: Work, repair_id: int) -> list[dict[str, Any]]:
    """Everybody who must be told, in call order; the reading is on record for each patient."""
    repair = visible_repair(work, repair_id)
    work.record("repair.calls-read", f"repair:{repair.id}", branch=repair.branch_id)
    return listed(work, repair)


def listed(work: Work, repair: Repair) -> list[dict[str, Any]]:
    """The calls of a repair that the actor may see. Of a decided one, only what was approved is told."""
    changes = [change for change in repair.changes if change.approved or repair.decided_at is None]
    homes = _to_patients(changes)
    languages = {
        row.id: row.spoken_language
        for row in work.session.execute(
            sa.select(Patient.id, Patient.spoken_language).where(Patient.id.in_(sorted(homes)))
        )
    }
    for patient_id, call in homes.items():
        call.language = languages.get(patient_id)
        work.record("repair.call-listed", f"repair:{repair.id}", patient_id=patient_id)
    away = repair.event.get("clinician_id") if repair.kind is RepairKind.ABSENCE else None
    people = _to_clinicians([change for change in changes if change.change is not RepairDeed.DECIDE], away)
    ordered = [
        *sorted(homes.values(), key=lambda call: (call.soonest, not call.told, call.patient_id)),
        *sorted(people.values(), key=lambda call: (call.soonest, call.clinician_id)),
    ]
    return [call.as_dict(number) for number, call in enumerate(ordered, start=1)]


def _soonest(change: RepairChange) -> datetime | None:
    return min((at for at in (change.old_starts_at, change.starts_at) if at is not None), default=None)


def _to_patients(changes: list[RepairChange]) -> dict[int, Call]:
    found: dict[int, Call] = {}
    for change in changes:
        soonest = _soonest(change)
        if change.change is RepairDeed.RESTS or soonest is None:
            continue  # nobody is at home to be called; who was never given an hour expects nobody
        call = found.setdefault(change.patient_id, Call(change.patient_id, None, soonest, told=change.told))
        call.soonest, call.told = min(call.soonest, soonest), call.told or change.told
        call.messages.append(_said(change, _message(change)))
    return found


def _message(change: RepairChange) -> str:
    """The kind of message: what is new for the patient.

    Who was never told of the hour before hears of the visit for the first time, though it stood: `visit-first-told`.
    """
    if change.change is RepairDeed.MOVED:
        return "new-" + "-and-".join(change.what) if change.told else "visit-first-told"
    return _MESSAGES[change.change]


_MESSAGES = {
    RepairDeed.ADDED: "visit-planned",
    RepairDeed.CANCELLED: "visit-cancelled",
    RepairDeed.REMOVED: "visit-open",
    RepairDeed.DECIDE: "visit-open",
    RepairDeed.OPEN: "visit-open",
}


def _said(change: RepairChange, kind: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "visit": change.visit_id,
        "before": _place(change.old_clinician_id, change.old_starts_at),
        "after": _place(change.clinician_id, change.starts_at),
    }


def _place(clinician_id: int | None, starts_at: datetime | None) -> dict[str, Any] | None:
    return None if clinician_id is None else {"clinician_id": clinician_id, "starts_at": starts_at}


def _to_clinicians(changes: list[RepairChange], away: int | None) -> dict[int, Call]:
    found: dict[int, Call] = {}
    kinds: dict[int, list[tuple[str, RepairChange, datetime]]] = defaultdict(list)
    for change in changes:
        old, new = change.old_clinician_id, change.clinician_id
        if old is not None and old == new and change.starts_at is not None and change.old_starts_at is not None:
            kinds[old].append(("visit-moved", change, min(change.starts_at, change.old_starts_at)))
            continue
        if old is not None and change.old_starts_at is not None:
            kinds[old].append(("visit-taken", change, change.old_starts_at))
        if new is not None and change.starts_at is not None:
            kinds[new].append(("visit-given", change, change.starts_at))
    for clinician_id, told in kinds.items():
        if clinician_id == away:
            continue  # who is away knows
        found[clinician_id] = Call(None, clinician_id, min(at for *_, at in told), told=False)
        found[clinician_id].messages = [_said(change, kind) for kind, change, _ in sorted(told, key=lambda one: one[2])]
    return found
