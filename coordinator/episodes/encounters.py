"""Face-to-face encounters: recorded, corrected by another row, and asked whether they serve (F2F-01, F2F-02)."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.events import FaceToFaceRecorded
from coordinator.domain.npi import is_valid
from coordinator.domain.vocabulary import EncounterModality, PractitionerType
from coordinator.episodes.asking import ask_anew
from coordinator.episodes.model import FaceToFace
from coordinator.episodes.reading import (
    certifier_of,
    encounter_findings,
    episode_to_change,
    today_of,
    visible_episode,
)
from coordinator.patients.model import Episode
from coordinator.rules.terms import Finding

#: What a correction may leave out, and then keeps.
_KEPT = (
    "encounter_on", "modality", "performer_type", "performer_npi", "reason_code", "related_to_primary_reason",
    "from_inpatient_or_collaborating", "same_practice", "coordination_evidence",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Encounter:
    """An encounter with what is to be said of it today; `valid`: nothing keeps it from serving."""

    row: FaceToFace
    findings: tuple[Finding, ...]

    @property
    def valid(self) -> bool:
        return not self.findings


@permitted("certification:draft")
def record_encounter(
    work: Work,
    episode_id: int,
    *,
    encounter_on: date,
    modality: EncounterModality,
    performer_type: PractitionerType,
    related_to_primary_reason: bool,
    performer_npi: str | None = None,
    reason_code: str | None = None,
    from_inpatient_or_collaborating: bool = False,
    same_practice: bool = False,
    coordination_evidence: str | None = None,
) -> Encounter:
    """The encounter is on file, whatever the rules say of it: what is wrong with it holds the bill, never the care."""
    episode = episode_to_change(work, episode_id, ended=True)
    row = FaceToFace(
        patient_id=episode.patient_id,
        episode_id=episode.id,
        encounter_on=encounter_on,
        modality=EncounterModality(modality),
        performer_type=PractitionerType(performer_type),
        performer_npi=performer_npi,
        reason_code=reason_code,
        related_to_primary_reason=related_to_primary_reason,
        from_inpatient_or_collaborating=from_inpatient_or_collaborating,
        same_practice=same_practice,
        coordination_evidence=coordination_evidence,
    )
    return _file(work, episode, row)


@permitted("certification:draft")
def correct_encounter(work: Work, encounter_id: int, *, reason: str, **changes: Any) -> Encounter:
    """Another row says what was so; the one that was wrong stays, and says who corrected it and why."""
    old = work.session.get(FaceToFace, encounter_id)
    if old is None:
        raise NotFound("encounter")
    episode = episode_to_change(work, old.episode_id, ended=True)
    work.session.refresh(old)
    if old.replaced_by_id is not None:
        raise Conflict("This encounter was corrected already.", code="corrected", replaced_by=old.replaced_by_id)
    values = {name: getattr(old, name) for name in _KEPT} | changes
    row = FaceToFace(patient_id=old.patient_id, episode_id=old.episode_id, **values)
    return _file(work, episode, row, of=old, reason=reason)


def _file(work: Work, episode: Episode, row: FaceToFace, of: FaceToFace | None = None, reason: str = "") -> Encounter:
    today = today_of(work, episode)
    if row.encounter_on > today:
        raise Invalid("The encounter lies in the future.", pointer="/encounter_on")
    if row.performer_npi is not None and not is_valid(row.performer_npi):
        raise Invalid("The last digit of an NPI checks the others; these do not agree.", pointer="/performer_npi")
    row.recorded_by_id, row.recorded_at = work.actor.user_id, work.now
    work.session.add(row)
    work.session.flush()  # the number is in the answer, and in the row that it corrects
    if of is not None:
        of.replaced_by_id, of.correction_reason = row.id, reason
        work.session.flush()  # only one of the two counts from here on
    work.record(
        "encounter.recorded" if of is None else "encounter.corrected", f"episode:{episode.id}",
        patient_id=episode.patient_id, encounter=row.id, on=str(row.encounter_on),
        corrects=None if of is None else of.id,
    )  # fmt: skip
    made = Encounter(row, _against(work, episode, row, today))
    work.publish(
        FaceToFaceRecorded(
            patient_id=episode.patient_id, episode_id=episode.id, encounter_on=row.encounter_on, valid=made.valid
        )
    )
    ask_anew(work, episode, 1)
    return made


def _against(work: Work, episode: Episode, row: FaceToFace, today: date) -> tuple[Finding, ...]:
    return encounter_findings(work, episode, row, certifier_of(work, episode), today)


@permitted("certification:read")
def encounters(work: Work, episode_id: int) -> list[Encounter]:
    """Every encounter of the episode, corrected ones too, oldest first, with what is to be said of those that count."""
    episode = visible_episode(work, episode_id)
    today = today_of(work, episode)
    rows = work.session.execute(
        sa.select(FaceToFace).where(FaceToFace.episode_id == episode.id).order_by(FaceToFace.id)
    ).scalars()
    work.record("encounter.read", f"episode:{episode.id}", patient_id=episode.patient_id)
    return [
        Encounter(row, _against(work, episode, row, today) if row.replaced_by_id is None else ()) for row in rows.all()
    ]
