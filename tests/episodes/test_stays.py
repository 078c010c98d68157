"""Away in hospital, and home again (ASM-02)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from coordinator.core.errors import Conflict, Invalid
from coordinator.core.work import Work
from coordinator.domain.events import EpisodeHeld, EpisodeResumed, SummarySent, TransferNoticed
from coordinator.domain.vocabulary import Discipline, Role, VisitKind, VisitStatus
from coordinator.episodes import service
from coordinator.episodes.model import InpatientStay
from coordinator.orders.model import Order, OrderWeek
from coordinator.patients.model import Episode
from coordinator.visits.model import Visit
from tests.builders import make_visit
from tests.conftest import NOW, actor_with
from tests.episodes.conftest import Scene

ADMITTED = NOW - timedelta(hours=30)


def away(work: Work, scene: Scene, **given: Any) -> InpatientStay:
    values = {"left_home_at": ADMITTED - timedelta(hours=1), "admitted_at": ADMITTED} | given
    return service.record_stay(work, scene.episode.id, **values)


def held(work: Work, scene: Scene) -> datetime | None:
    return work.session.get_one(Episode, scene.episode.id).on_hold_since


def wanted(work: Work, scene: Scene, **given: Any) -> Visit:
    return make_visit(work.session, scene.patient, scene.episode, **given)


def test_a_day_in_hospital_is_a_transfer_and_the_visits_rest(scene: Scene) -> None:
    with scene.work() as work:
        visit = wanted(work, scene)
        row = away(work, scene)
        assert (row.transferred_at, held(work, scene), visit.status) == (ADMITTED, ADMITTED, VisitStatus.ON_HOLD)
        (told,) = scene.ears.of(TransferNoticed)
        assert (told.transferred_on, told.learned_on, told.planned) == (date(2026, 11, 8), date(2026, 11, 9), False)
        assert len(scene.ears.of(EpisodeHeld)) == 1


@pytest.mark.parametrize(
    "given",
    [
        {"left_home_at": NOW - timedelta(hours=14), "admitted_at": None},
        {"left_home_at": NOW - timedelta(days=3), "admitted_at": None},
        {"left_home_at": NOW - timedelta(days=3), "admitted_at": NOW - timedelta(days=3), "diagnostic_only": True},
        {"admitted_at": NOW - timedelta(hours=23)},
    ],
)
def test_observation_tests_and_a_short_admission_leave_the_visits(scene: Scene, given: dict[str, Any]) -> None:
    with scene.work() as work:
        visit = wanted(work, scene)
        row = away(work, scene, **given)
        assert (row.transferred_at, held(work, scene), visit.status) == (None, None, VisitStatus.PROPOSED)
        service.end_stay(work, row.id, home_at=NOW)
        assert (scene.ears.of(EpisodeHeld), scene.ears.of(EpisodeResumed)) == ([], [])


@dataclass
class Watching:
    """The clock's job at that instant, in the transactions of the scene."""

    scene: Scene
    now: datetime

    def work(self) -> Any:
        return self.scene.work(actor_with(Role.SYSTEM), now=self.now)


def test_an_admission_becomes_a_transfer_when_it_has_lasted_a_day_and_only_once(scene: Scene, database: Any) -> None:
    with scene.work() as work:
        away(work, scene, admitted_at=NOW - timedelta(hours=23))
    for hours, transferred in ((0, False), (2, True), (3, True)):
        context = Watching(scene, NOW + timedelta(hours=hours))
        service.watch_stays(context, {"branch_id": scene.branch.id})  # type: ignore[arg-type]
        with scene.work() as work:
            assert (held(work, scene) is not None) is transferred
    assert len(scene.ears.of(TransferNoticed)) == 1


def test_what_began_as_observation_may_become_an_admission(scene: Scene) -> None:
    with scene.work() as work:
        row = away(work, scene, left_home_at=NOW - timedelta(days=3), admitted_at=None)
        service.admit_stay(work, row.id, admitted_at=NOW - timedelta(days=2))
        assert held(work, scene) == NOW - timedelta(days=2)
        with pytest.raises(Conflict):
            service.admit_stay(work, row.id, admitted_at=NOW)


def test_home_again_the_resumption_is_due_48_hours_after_the_return_and_comes_first(scene: Scene) -> None:
    """Home on Tuesday before Thanksgiving at three in the afternoon: due on Thursday at three."""
    home = datetime(2026, 11, 24, 23, tzinfo=UTC)
    with scene.work(now=home + timedelta(hours=4)) as work:
        order = work.session.query(Order).filter_by(episode_id=scene.episode.id, discipline=Discipline.SN).one()
        week = OrderWeek(
            order_id=order.id, number=1, starts_on=date(2026, 11, 22), ends_on=date(2026, 11, 28), minimum=2, maximum=2
        )
        work.session.add(week)
        work.session.flush()
        days = {"window_from": week.starts_on, "window_to": week.ends_on, "order_id": order.id}
        visits = [wanted(work, scene, order_week_id=week.id, unit=unit, **days) for unit in (1, 2)]
        row = away(work, scene, left_home_at=datetime(2026, 11, 17, 17, tzinfo=UTC),
                   admitted_at=datetime(2026, 11, 17, 18, tzinfo=UTC))  # fmt: skip
        service.end_stay(work, row.id, home_at=home)
        assert held(work, scene) is None
        (resumed,) = scene.ears.of(EpisodeResumed)
        assert (resumed.home_at, resumed.ordered_on) == (home, None)
        assert [(visit.kind, visit.due_at) for visit in visits] == [
            (VisitKind.RESUMPTION, home + timedelta(hours=48)), (VisitKind.ROUTINE, None),
        ]  # fmt: skip


def test_the_day_that_was_ordered_for_the_resumption_goes_with_the_return(scene: Scene) -> None:
    with scene.work() as work:
        row = away(work, scene)
        with pytest.raises(Invalid, match="ordered day"):
            service.end_stay(work, row.id, home_at=NOW, ordered_resumption_on=date(2026, 11, 8))
        service.end_stay(work, row.id, home_at=NOW, ordered_resumption_on=date(2026, 11, 13))
        assert scene.ears.of(EpisodeResumed)[-1].ordered_on == date(2026, 11, 13)


def test_a_stay_that_is_told_of_only_after_the_return_was_a_transfer_too(scene: Scene) -> None:
    with scene.work() as work:
        row = away(work, scene, admitted_at=None)
        service.admit_stay(work, row.id, admitted_at=ADMITTED)
        service.end_stay(work, row.id, home_at=NOW)
        assert (len(scene.ears.of(TransferNoticed)), len(scene.ears.of(EpisodeResumed))) == (1, 1)
        with pytest.raises(Conflict, match="home already"):
            service.end_stay(work, row.id, home_at=NOW)


def test_one_stay_at_a_time_between_acceptance_and_now(scene: Scene) -> None:
    with scene.work() as work:
        with pytest.raises(Invalid):
            away(work, scene, left_home_at=NOW + timedelta(hours=1), admitted_at=None)
        with pytest.raises(Invalid):
            away(work, scene, admitted_at=ADMITTED - timedelta(hours=5))
        away(work, scene)
        with pytest.raises(Conflict, match="away already"):
            away(work, scene)
        assert len(service.stays(work, scene.episode.id)) == 1


def test_only_a_transfer_owes_a_summary_and_once(scene: Scene) -> None:
    with scene.work() as work:
        row = away(work, scene, admitted_at=None)
        with pytest.raises(Conflict, match="no transfer"):
            service.send_transfer_summary(work, row.id)
        service.admit_stay(work, row.id, admitted_at=ADMITTED)
        service.send_transfer_summary(work, row.id)
        (sent,) = scene.ears.of(SummarySent)
        assert (sent.kind, sent.sent_on, sent.stay_id) == ("transfer", date(2026, 11, 9), row.id)
        with pytest.raises(Conflict, match="sent already"):
            service.send_transfer_summary(work, row.id)
