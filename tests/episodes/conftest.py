"""A patient under Medicare home health since the first of October, with nurse, therapist, aide and practitioners."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from coordinator.agency.model import Branch
from coordinator.core.db import Database
from coordinator.core.work import Actor, Work
from coordinator.domain import events
from coordinator.domain.vocabulary import Discipline, Payer, Performer, PractitionerType, Programme, Role
from coordinator.patients.model import Coverage, Episode, Patient
from coordinator.staff.model import Clinician, Physician
from tests.builders import (
    make_branch,
    make_care_plan,
    make_clinician,
    make_episode,
    make_order,
    make_patient,
    make_physician,
)
from tests.conftest import NOW, WorkAs, actor_with

SOC = date(2026, 10, 1)
TODAY = date(2026, 11, 9)


@dataclass
class Ears:
    """Hears every event of this room's, beside who answers it anyway."""

    heard: list[Any] = field(default_factory=list)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.heard if isinstance(event, kind)]


@dataclass(frozen=True)
class Scene:
    branch: Branch
    patient: Patient
    episode: Episode
    nurse: Clinician
    therapist: Clinician
    assistant: Clinician
    aide: Clinician
    physician: Physician
    partner: Physician
    ears: Ears
    work_as: WorkAs

    def office(self, role: Role) -> Actor:
        return actor_with(role, branch_ids=frozenset({self.branch.id}))

    @property
    def intake(self) -> Actor:
        return self.office(Role.INTAKE)

    @property
    def manager(self) -> Actor:
        return self.office(Role.CLINICAL_MANAGER)

    @contextmanager
    def work(self, actor: Actor | None = None, *, now: datetime = NOW) -> Iterator[Work]:
        """One transaction; by the clinical manager unless somebody else is named. Events are heard as well."""
        with self.work_as(actor or self.manager, now=now) as work:

            def hear(_work: Work, event: Any) -> None:
                self.ears.heard.append(event)

            kinds = {kind for kind in vars(events).values() if isinstance(kind, type)}
            work.handlers = {kind: (*work.handlers.get(kind, ()), hear) for kind in kinds}
            yield work


@pytest.fixture
def scene(database: Database, work_as: WorkAs) -> Scene:
    with database.transaction() as session:
        branch = make_branch(session)
        physician = make_physician(session)
        patient = make_patient(
            session, branch, managing_physician_id=physician.id,
            coverages=[Coverage(payer=Payer.MEDICARE, starts_on=date(2020, 1, 1))],
        )  # fmt: skip
        episode = make_episode(
            session, patient, soc=SOC, programme=Programme.MEDICARE_HH, payer=Payer.MEDICARE,
            accepted_at=datetime(2026, 9, 28, 17, tzinfo=UTC),
        )  # fmt: skip
        plan = make_care_plan(session, episode, physician)
        make_order(session, episode, plan, Discipline.SN, effective_from=SOC, effective_to=SOC + timedelta(days=59))
        return Scene(
            branch=branch,
            patient=patient,
            episode=episode,
            nurse=make_clinician(session, branch),
            therapist=make_clinician(session, branch, Performer.PT),
            assistant=make_clinician(session, branch, Performer.PTA),
            aide=make_clinician(session, branch, Performer.CHHA),
            physician=physician,
            partner=make_physician(session, practitioner_type=PractitionerType.NP),
            ears=Ears(),
            work_as=work_as,
        )
