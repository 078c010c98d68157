"""What the table of obligations reads of the care team's records and of aides' training."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from coordinator.care.model import Assessment, Conference, RightsTalk
from coordinator.deadlines.cases import Scope, Stay, once, stays
from coordinator.domain.care import AssessmentStatus, InstrumentCode
from coordinator.domain.timeline import ONE_DAY, add_months
from coordinator.domain.vocabulary import Performer
from coordinator.patients.model import Caregiver
from coordinator.staff.aides import year_of
from coordinator.staff.model import AideCompetence, Clinician, InService


@dataclass(frozen=True, slots=True)
class TeamCare:
    """An episode in care, and when its team met, spoke of rights, and took each instrument."""

    stay: Stay
    met_on: date | None
    told_of_rights: bool
    taken: Mapping[InstrumentCode, date]
    has_caregiver: bool


@once
def team_care(scope: Scope) -> list[TeamCare]:
    """What the care team has on record of every episode in care."""
    session = scope.work.session
    met = session.execute(
        sa.select(Conference.episode_id, sa.func.max(Conference.held_on))
        .where(scope.has(Conference.patient_id), Conference.counts.is_(True))
        .group_by(Conference.episode_id)
    ).all()
    met_on = {row[0]: row[1] for row in met}
    told = set(session.execute(sa.select(RightsTalk.episode_id).where(scope.has(RightsTalk.patient_id))).scalars())
    caring = set(session.execute(sa.select(Caregiver.patient_id).where(scope.has(Caregiver.patient_id))).scalars())
    taken: dict[int, dict[InstrumentCode, date]] = defaultdict(dict)
    for patient_id, code, last in session.execute(
        sa.select(Assessment.patient_id, Assessment.instrument, sa.func.max(Assessment.assessed_on))
        .where(
            scope.has(Assessment.patient_id),
            Assessment.status == AssessmentStatus.FINAL,
            Assessment.complete.is_(True),
        )
        .group_by(Assessment.patient_id, Assessment.instrument)
    ):
        taken[patient_id][code] = last
    return [
        TeamCare(stay, met_on.get(stay.id), stay.id in told, taken[stay.patient_id], stay.patient_id in caring)
        for stay in stays(scope)
        if stay.in_care
    ]


def taken_once(scope: Scope, subjects: Sequence[str]) -> dict[str, str]:
    """Which of these instruments are asked for no more because they were taken: `episode:7:FICA`."""
    taken = {
        f"episode:{team.stay.id}:{code.value}" for team in team_care(scope) for code in team.taken
    }  # fmt: skip
    return {subject: "done" for subject in subjects if subject in taken}


@dataclass(frozen=True, slots=True)
class Aide:
    """An aide at work: the first day of the twelve months that run, and the minutes of training in them."""

    id: int
    year_from: date
    minutes: int


def aides(scope: Scope) -> list[Aide]:
    """The branch's aides whose year of training is known."""
    session, today = scope.work.session, scope.asked.today
    attended = defaultdict(list)
    for clinician_id, held_on, minutes in session.execute(
        sa.select(InService.clinician_id, InService.held_on, InService.minutes)
        .join(Clinician, Clinician.id == InService.clinician_id)
        .where(Clinician.branch_id == scope.branch_id, InService.held_on > add_months(today, -12) - ONE_DAY)
    ):
        attended[clinician_id].append((held_on, minutes))
    rows = session.execute(
        sa.select(Clinician.id, AideCompetence.year_began_on)
        .join(AideCompetence, AideCompetence.clinician_id == Clinician.id)
        .where(
            Clinician.branch_id == scope.branch_id,
            Clinician.active,
            Clinician.performer == Performer.CHHA,
        )
        .order_by(Clinician.id)
    )
    found = []
    for number, began in rows:
        if began is None:
            continue
        first = year_of(began, today)
        after = add_months(first, 12)
        found.append(Aide(number, first, sum(took for day, took in attended[number] if first <= day < after)))
    return found
