"""Who had better go, where several may: a known face, the patient's language, the gender that was asked for."""

from collections.abc import Mapping

from coordinator.domain.vocabulary import PERFORMERS
from coordinator.planner.problem import Preference
from coordinator.planning.prices import Prices
from coordinator.planning.scene import Scene
from coordinator.staff.model import Clinician
from coordinator.visits.model import Visit


def of(visit: Visit, scene: Scene, people: Mapping[int, int], prices: Prices) -> tuple[Preference, ...]:
    """The wishes of one visit; a wish that nobody or everybody meets is left out."""
    found = [_continuity(visit, scene, people, prices)]
    patient = scene.patients[visit.patient_id]
    able = [clinician for clinician in scene.clinicians if clinician.performer in PERFORMERS[visit.discipline]]
    if patient.spoken_language.lower() != "en" or patient.interpreter_needed:
        speak = {people[one.id]: 0 for one in able if _speaks(one, patient.spoken_language, scene)}
        found.append(Preference("language", speak, prices.other_language) if speak else None)
    wished = patient.preferred_clinician_gender
    if wished is not None:
        same = {people[one.id]: 0 for one in able if one.gender is wished or one.gender == wished}
        found.append(Preference("gender", same, prices.other_gender) if same else None)
    return tuple(wish for wish in found if wish is not None)


def _continuity(visit: Visit, scene: Scene, people: Mapping[int, int], prices: Prices) -> Preference | None:
    """The primary and who stands in for them free, who was there before or is of the team cheap, a stranger dear."""
    able = {clinician.id for clinician in scene.clinicians if clinician.performer in PERFORMERS[visit.discipline]}
    team = [member for member in scene.team.get(visit.patient_id, ()) if member.clinician_id in able]
    met = {clinician: count for clinician in able if (count := scene.met.get((visit.patient_id, clinician), 0))}
    free = {member.clinician_id for member in team if member.is_primary}
    free |= _standing_in(visit, scene, free) & able
    if not free and met:
        most = max(met.values())
        free = {clinician for clinician, count in met.items() if count == most}
    known = free | set(met) | {member.clinician_id for member in team}
    if not known:
        return None
    costs = {people[clinician]: 0 if clinician in free else prices.seen_before for clinician in sorted(known)}
    return Preference("continuity", costs, prices.stranger)


def _standing_in(visit: Visit, scene: Scene, primaries: set[int]) -> set[int]:
    """Who stands in for one of these primaries, at this patient, on a day on which the visit may be made."""
    return {
        cover.by_clinician_id
        for cover in scene.covers
        if cover.by_clinician_id is not None
        and cover.clinician_id in primaries
        and cover.patient_id in (None, visit.patient_id)
        and cover.starts_on <= visit.window_to
        and visit.window_from <= cover.ends_on
    }


def _speaks(clinician: Clinician, language: str, scene: Scene) -> bool:
    """Whether the clinician is qualified in the language on every day of the run (LNG-01 asks day by day)."""
    return any(
        skill.code.lower() == language.lower()
        and skill.qualified_on is not None
        and skill.qualified_on <= scene.horizon.start_on
        and (skill.expires_on is None or skill.expires_on >= scene.horizon.end_on)
        for skill in clinician.languages
    )
