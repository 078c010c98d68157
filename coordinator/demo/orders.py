"""Plausible signed orders for a patient who has none, by diagnosis; every one marked as demo."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import sqlalchemy as sa

from coordinator.agency.service import serves, today
from coordinator.core.errors import Conflict
from coordinator.core.work import Work
from coordinator.demo.people import ILLNESSES, OTHERWISE, Ordered
from coordinator.domain.vocabulary import (
    DISCIPLINE_OF,
    Discipline,
    Eligibility,
    GoalCategory,
    HomeSafety,
    Payer,
    Performer,
    Programme,
)
from coordinator.orders import aides, plans, service, signing
from coordinator.orders.model import Order
from coordinator.patients import service as patients
from coordinator.patients.model import Episode, Patient
from coordinator.staff.model import Clinician, Physician
from coordinator.teams import service as teams

PROGRAMMES = {
    Payer.KP: Programme.KP_HBPC,
    Payer.MEDI_CAL: Programme.MEDI_CAL_HH,
}


def ordered_for(codes: Iterable[str]) -> tuple[Ordered, ...]:
    """What is usually ordered for the first of these diagnoses that the demo knows."""
    for code in codes:
        for illness in ILLNESSES:
            if code == illness.code or any(code.startswith(start) for start in illness.starts):
                return illness.orders
    return OTHERWISE


def give_orders(work: Work, patient_id: int) -> list[Order]:
    """Admit the patient today and give them signed demo orders; nothing for the dead, nor outside the area.

    Asked by the import's command. Conflict if the branch has no physician to sign as.
    """
    patient = patients.require_visible(work, patient_id)
    day = today(work, patient.branch_id)
    if not patient.active or patient.home.lat is None or not serves(work, patient.branch_id, patient.home.zip, day):
        return []
    if any(episode.discharged_on is None for episode in patient.episodes):
        return []
    payer = next((c.payer for c in patient.coverages if c.ends_on is None or c.ends_on >= day), None)
    if payer is None:
        return []
    physician = _a_physician(work)
    if patient.home.safety is HomeSafety.NOT_ASSESSED:
        patients.record_home_safety(work, patient.id, HomeSafety.SAFE, [], 0, day)
    if patient.managing_physician_id is None:
        patients.edit(work, patient.id, managing_physician_id=physician.id)
    episode = patients.open_episode(
        work, patient_id=patient.id, programme=PROGRAMMES.get(payer, Programme.MEDICARE_HH), payer=payer,
        accepted_at=work.now, eligibility=Eligibility.ELIGIBLE,
    )  # fmt: skip
    patients.start_of_care(work, episode.id, day)
    return admit(work, patient, episode, physician, ordered_for(d.code for d in patient.diagnoses))


def _a_physician(work: Work) -> Physician:
    found = work.session.execute(
        sa.select(Physician).where(Physician.active, Physician.demo).order_by(Physician.id).limit(1)
    ).scalar()
    if found is None:
        raise Conflict("There is no demo physician to sign as: run `flask --app wsgi demo load` first.")
    return found


def admit(
    work: Work, patient: Patient, episode: Episode, physician: Physician, ordered: Iterable[Ordered]
) -> list[Order]:
    """Open the plan, put a team together, and have each order drafted, sent and signed."""
    day = today(work, patient.branch_id)
    plans.open_plan(
        work,
        episode_id=episode.id,
        patient_id=patient.id,
        managing_physician_id=physician.id,
        starts_on=episode.soc_date or day,
        goals=[
            {
                "category": GoalCategory.WHAT_MATTERS_MOST,
                "text": "To stay at home",
                "language": patient.spoken_language,
            },
            {"category": GoalCategory.COMFORT, "text": "Comfortable, day and night", "language": "en"},
        ],
    )
    give_team(work, patient, {entry.discipline for entry in ordered})
    return [sign(work, draft(work, patient, physician, entry)) for entry in ordered]


def draft(work: Work, patient: Patient, physician: Physician, entry: Ordered, *, two_person: bool = False) -> Order:
    """One draft as the demo gives it, effective today; an aide's comes with written instructions."""
    day = today(work, patient.branch_id)
    if entry.discipline is Discipline.HHA and aides.current_instructions(work, patient.id, day) is None:
        with as_nurse(work, patient.branch_id):
            aides.write_instructions(
                work, patient.id, tasks=list(entry.treatments), precautions="Two-step transfers", effective_from=day
            )
    return service.draft(
        work,
        patient_id=patient.id,
        discipline=entry.discipline,
        physician_id=physician.id,
        effective_from=day,
        frequency_text=entry.frequency,
        treatments=entry.treatments,
        required_skills=entry.skills,
        goals_text=entry.goal,
        visit_minutes=entry.minutes,
        two_person=two_person,
        taper_plan="Caregiver takes over as taught" if entry.discipline is Discipline.HHA else None,
        demo=True,
    )


def sign(work: Work, order: Order) -> Order:
    """Send the order and have it signed as by its practitioner."""
    service.send(work, order.id)
    signing.sign_demo(work, order.id)
    return order


@contextmanager
def as_nurse(work: Work, branch_id: int) -> Iterator[None]:
    """Let the work be done in the name of one of the branch's nurses."""
    nurse = work.session.execute(
        sa.select(Clinician.id)
        .where(Clinician.branch_id == branch_id, Clinician.performer == Performer.RN, Clinician.active)
        .order_by(Clinician.id)
        .limit(1)
    ).scalar()
    before = work.actor
    work.actor = replace(before, clinician_id=nurse)
    try:
        yield
    finally:
        work.actor = before


def give_team(work: Work, patient: Patient, disciplines: Iterable[Discipline]) -> None:
    """A primary for each discipline: one who speaks the patient's language first, then the one with the fewest."""
    day = today(work, patient.branch_id)
    everybody = list(
        work.session.execute(
            sa.select(Clinician)
            .where(Clinician.branch_id == patient.branch_id, Clinician.active)
            .order_by(Clinician.id)
        ).scalars()
    )
    present = {member.clinician_id for member in teams.team_of(work, patient.id, day)}
    for discipline in sorted(disciplines):
        candidates = [
            clinician
            for clinician in everybody
            if DISCIPLINE_OF[clinician.performer] is discipline
            and clinician.performer not in (Performer.LVN, Performer.PTA, Performer.COTA)
            and any(c.expires_on is None or c.expires_on > day for c in clinician.credentials)
        ]
        if not candidates or present & {candidate.id for candidate in candidates}:
            continue

        def rank(clinician: Clinician) -> tuple[bool, int, int]:
            speaks = any(language.code == patient.spoken_language for language in clinician.languages)
            return (not speaks, (patient.id * 7 + clinician.id * 3) % 5, clinician.id)

        chosen = min(candidates, key=rank)
        teams.add_to_team(work, patient.id, chosen.id, discipline.value.lower(), True, day)
