"""An episode of care begins once, is one of its programme, and ends for a reason."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from coordinator.core.errors import Conflict, Forbidden, Invalid, NotFound
from coordinator.core.work import Work
from coordinator.domain.events import EpisodeHeld, EpisodeResumed, PatientAdmitted, PatientDischarged
from coordinator.domain.vocabulary import Eligibility, Payer, Programme, Role
from coordinator.patients import service
from coordinator.patients.model import Episode
from tests.conftest import NOW, WorkAs, actor_with
from tests.patients.conftest import Scene

TODAY = date(2026, 11, 9)
ACCEPTED = datetime(2026, 11, 6, 17, tzinfo=UTC)


@dataclass
class Ears:
    heard: list[Any] = field(default_factory=list)

    def on(self, work: Work) -> "Ears":
        work.handlers = {
            kind: ((lambda _work, event: self.heard.append(event)),)
            for kind in (PatientAdmitted, PatientDischarged, EpisodeHeld, EpisodeResumed)
        }
        return self


def opened(work: Work, scene: Scene, **given: Any) -> Episode:
    values = {
        "patient_id": scene.patient.id, "programme": Programme.KP_HBPC, "payer": Payer.KP, "accepted_at": ACCEPTED,
    } | given  # fmt: skip
    return service.open_episode(work, **values)


def test_one_open_episode_of_a_programme_at_a_time(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.intake) as work:
        first = opened(work, scene)
        assert (first.eligibility, first.soc_date, first.version) == ("pending", None, 1)
        with pytest.raises(Conflict) as refusal:
            opened(work, scene)
        assert refusal.value.extra["blocking"] == [{"episode": first.id}]
        opened(work, scene, programme=Programme.MEDICARE_HH, payer=Payer.MEDICARE)
        service.discharge(work, first.id, TODAY, "not_admitted")
        assert opened(work, scene).id != first.id


def test_a_scheduler_opens_no_episode_and_nobody_opens_another_s(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.scheduler) as work, pytest.raises(Forbidden):
        opened(work, scene)
    with work_as(scene.intake) as work, pytest.raises(NotFound):
        opened(work, scene, patient_id=scene.stranger.id)


def test_care_starts_once(scene: Scene, work_as: WorkAs) -> None:
    ears = Ears()
    with work_as(scene.manager) as work:
        episode = opened(work, scene)
        ears.on(work)
        service.start_of_care(work, episode.id, date(2026, 11, 8))
        assert service.start_of_care(work, episode.id, date(2026, 11, 8)).soc_date == date(2026, 11, 8)
        with pytest.raises(Conflict, match="another day"):
            service.start_of_care(work, episode.id, TODAY)
        assert ears.heard == [PatientAdmitted(scene.patient.id, episode.id, date(2026, 11, 8))]


@pytest.mark.parametrize("day", [date(2026, 11, 5), date(2026, 11, 10)])
def test_care_starts_between_acceptance_and_today(scene: Scene, work_as: WorkAs, day: date) -> None:
    with work_as(scene.manager) as work:
        episode = opened(work, scene)
        with pytest.raises(Invalid):
            service.start_of_care(work, episode.id, day)
        assert episode.soc_date is None


def test_the_day_of_acceptance_is_the_branch_s(scene: Scene, work_as: WorkAs) -> None:
    """Half past midnight UTC is the evening before in San Francisco."""
    with work_as(scene.manager) as work:
        episode = opened(work, scene, accepted_at=datetime(2026, 11, 7, 0, 30, tzinfo=UTC))
        found = service.current_episode(work, scene.patient.id, date(2026, 11, 6))
        assert found is not None
        assert found.id == episode.id
        assert service.current_episode(work, scene.patient.id, date(2026, 11, 5)) is None


def test_the_current_episode_is_the_latest_that_holds_the_day(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.manager) as work:
        old = opened(work, scene, accepted_at=ACCEPTED - timedelta(days=90))
        service.start_of_care(work, old.id, date(2026, 8, 10))
        service.discharge(work, old.id, date(2026, 11, 5), "goals_met")
        new = opened(work, scene)

        def current(day: date) -> int | None:
            found = service.current_episode(work, scene.patient.id, day)
            return found.id if found else None

        assert current(date(2026, 11, 5)) == old.id
        assert current(date(2026, 11, 6)) == new.id
        assert current(date(2026, 8, 1)) is None


@pytest.mark.parametrize(
    ("on", "reason", "pointer"),
    [
        (TODAY, "because", "/reason"),
        (TODAY, "not_admitted", "/reason"),
        (date(2026, 11, 6), "goals_met", "/on"),
        (date(2026, 11, 10), "goals_met", "/on"),
    ],
)
def test_a_discharge_has_a_listed_reason_and_a_possible_day(
    scene: Scene, work_as: WorkAs, on: date, reason: str, pointer: str
) -> None:
    with work_as(scene.manager) as work:
        episode = opened(work, scene)
        service.start_of_care(work, episode.id, date(2026, 11, 7))
        with pytest.raises(Invalid) as refusal:
            service.discharge(work, episode.id, on, reason)
        assert refusal.value.extra["errors"][0]["pointer"] == pointer
        service.discharge(work, episode.id, TODAY, "goals_met")
        with pytest.raises(Conflict):
            service.discharge(work, episode.id, TODAY, "goals_met")


def test_a_death_ends_every_episode_and_closes_the_record(scene: Scene, work_as: WorkAs) -> None:
    ears = Ears()
    with work_as(scene.manager) as work:
        first = opened(work, scene)
        second = opened(work, scene, programme=Programme.HOSPICE)
        ears.on(work)
        patient = service.edit(work, scene.patient.id, deceased_on=date(2026, 11, 8))
        assert not patient.active
        assert {(event.episode_id, event.on, event.reason) for event in ears.heard} == {
            (first.id, date(2026, 11, 8), "death"),
            (second.id, date(2026, 11, 8), "death"),
        }
        with pytest.raises(Conflict, match="closed"):
            opened(work, scene)
        with pytest.raises(Invalid):
            service.edit(work, scene.patient.id, active=True)


def test_a_discharge_by_death_says_so_of_the_patient(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.manager) as work:
        first, second = opened(work, scene), opened(work, scene, programme=Programme.HOSPICE)
        service.discharge(work, first.id, TODAY, "death")
        patient = service.require_visible(work, scene.patient.id)
        assert (patient.deceased_on, patient.active, second.discharge_reason) == (TODAY, False, "death")


def test_an_episode_waits_and_goes_on(scene: Scene, work_as: WorkAs) -> None:
    ears = Ears()
    with work_as(scene.manager) as work:
        episode = opened(work, scene)
        ears.on(work)
        with pytest.raises(Invalid):
            service.hold(work, episode.id, NOW + timedelta(minutes=1))
        since = NOW - timedelta(hours=2)
        service.hold(work, episode.id, since)
        with pytest.raises(Conflict):
            service.hold(work, episode.id, since)
        service.resume(work, episode.id)
        with pytest.raises(Conflict):
            service.resume(work, episode.id)
        assert [type(event) for event in ears.heard] == [EpisodeHeld, EpisodeResumed]


def test_eligibility_is_kept_with_the_episode(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.intake) as work:
        episode = opened(work, scene)
        assert service.record_eligibility(work, episode.id, Eligibility.ELIGIBLE).eligibility == "eligible"


def test_another_s_episode_is_missing(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.intake) as work:
        number = opened(work, scene).id
    outsider = actor_with(Role.CLINICAL_MANAGER, branch_ids=frozenset({scene.elsewhere.id}))
    with work_as(outsider) as work, pytest.raises(NotFound):
        service.discharge(work, number, TODAY, "goals_met")
    with work_as(outsider) as work, pytest.raises(NotFound):
        service.start_of_care(work, 99_999, TODAY)
