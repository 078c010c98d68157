"""Who may see whose record: asked through the real rows of visits, teams, plans and orders."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from coordinator.core.db import Database
from coordinator.core.errors import NotFound
from coordinator.core.work import Actor
from coordinator.domain.vocabulary import OrderStatus, Role, VisitStatus
from coordinator.patients import scope, service
from coordinator.teams.model import CareTeamMember
from tests.builders import MONDAY, make_care_plan, make_episode, make_order, make_physician, make_visit
from tests.conftest import WorkAs, actor_with
from tests.patients.conftest import Scene

ZONE = ZoneInfo("America/Los_Angeles")


def seen_by(database: Database, actor: Actor, today: date = MONDAY, zone: ZoneInfo | None = ZONE) -> set[int]:
    with database.transaction(write=False) as session:
        return set(session.execute(scope.visible_patients(actor, today, zone)).scalars())


def visit(database: Database, scene: Scene, starts_at: datetime | None, **given: object) -> None:
    with database.transaction() as session:
        patient = session.merge(scene.patient)
        ends_at = starts_at + timedelta(minutes=45) if starts_at else None
        make_visit(
            session, patient, make_episode(session, patient), clinician_id=scene.nurse.id, starts_at=starts_at,
            ends_at=ends_at, **({"status": VisitStatus.BOOKED if starts_at else VisitStatus.PROPOSED} | given),
        )  # fmt: skip


def test_office_roles_see_their_branches(scene: Scene, database: Database) -> None:
    for role in (Role.SCHEDULER, Role.INTAKE, Role.CLINICAL_MANAGER, Role.ADMINISTRATOR):
        assert seen_by(database, scene.office(role)) == {scene.patient.id}
        both = actor_with(role, branch_ids=frozenset({scene.branch.id, scene.elsewhere.id}))
        assert seen_by(database, both) == {scene.patient.id, scene.stranger.id}


def test_without_branches_only_administrators_and_the_system_see(scene: Scene, database: Database) -> None:
    everybody = {scene.patient.id, scene.stranger.id}
    assert seen_by(database, actor_with(Role.ADMINISTRATOR)) == everybody
    assert seen_by(database, actor_with(Role.SYSTEM)) == everybody
    assert seen_by(database, actor_with(Role.SCHEDULER)) == set()
    assert seen_by(database, Actor(name="nobody")) == set()


@pytest.mark.parametrize(
    ("starts_at", "sees"),
    [
        (datetime(2026, 11, 2, 8, 0, tzinfo=UTC), True),  # 00:00 of Monday, seven days back
        (datetime(2026, 11, 2, 7, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 9, 18, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 17, 7, 0, tzinfo=UTC), True),  # 23:00 of Monday, seven days ahead
        (datetime(2026, 11, 17, 8, 0, tzinfo=UTC), False),
    ],
)
def test_a_visit_opens_the_record_for_seven_days_around(
    scene: Scene, database: Database, starts_at: datetime, sees: bool
) -> None:
    visit(database, scene, starts_at)
    assert seen_by(database, scene.clinician(scene.nurse)) == ({scene.patient.id} if sees else set())
    assert seen_by(database, scene.clinician(scene.aide)) == set(), "somebody else's visit opens nothing"


def test_without_a_zone_no_visit_of_the_seven_days_is_left_out(scene: Scene, database: Database) -> None:
    visit(database, scene, datetime(2026, 11, 17, 7, 30, tzinfo=UTC))
    assert seen_by(database, scene.clinician(scene.nurse), zone=None) == {scene.patient.id}


@pytest.mark.parametrize(("first", "sees"), [(16, True), (17, False)])
def test_a_visit_without_a_time_counts_by_its_window(scene: Scene, database: Database, first: int, sees: bool) -> None:
    visit(database, scene, None, window_from=date(2026, 11, first), window_to=date(2026, 11, 21))
    assert bool(seen_by(database, scene.clinician(scene.nurse))) is sees


def test_a_visit_entered_in_error_opens_nothing(scene: Scene, database: Database) -> None:
    visit(database, scene, datetime(2026, 11, 9, 18, tzinfo=UTC), status=VisitStatus.ENTERED_IN_ERROR)
    assert seen_by(database, scene.clinician(scene.nurse)) == set()


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "sees"),
    [
        (MONDAY, None, True),
        (MONDAY, MONDAY, True),
        (MONDAY + timedelta(days=1), None, False),
        (date(2026, 10, 1), date(2026, 11, 8), False),
    ],
)
def test_the_care_team_sees_while_it_lasts(
    scene: Scene, database: Database, starts_on: date, ends_on: date | None, sees: bool
) -> None:
    with database.transaction() as session:
        session.add(
            CareTeamMember(
                patient_id=scene.patient.id, clinician_id=scene.nurse.id, role="nurse", starts_on=starts_on,
                ends_on=ends_on,
            )
        )  # fmt: skip
    assert bool(seen_by(database, scene.clinician(scene.nurse))) is sees


def test_a_physician_sees_whom_they_manage(scene: Scene, database: Database) -> None:
    physician = actor_with(Role.PHYSICIAN, physician_id=scene.physician.id)
    assert seen_by(database, physician) == set()
    with database.transaction() as session:
        session.merge(scene.patient).managing_physician_id = scene.physician.id
    assert seen_by(database, physician) == {scene.patient.id}


def test_a_physician_sees_whose_plan_is_theirs(scene: Scene, database: Database) -> None:
    with database.transaction() as session:
        make_care_plan(session, make_episode(session, session.merge(scene.patient)), scene.physician)
    assert seen_by(database, actor_with(Role.PHYSICIAN, physician_id=scene.physician.id)) == {scene.patient.id}


@pytest.mark.parametrize(
    ("status", "signed", "sees"),
    [
        (OrderStatus.DRAFT, False, False),
        (OrderStatus.SENT_FOR_SIGNATURE, False, True),
        (OrderStatus.ACTIVE_SIGNED, True, True),
        (OrderStatus.VOID, False, False),
        (OrderStatus.VOID, True, True),
    ],
)
def test_an_order_opens_the_record_once_it_was_sent(
    scene: Scene, database: Database, status: OrderStatus, signed: bool, sees: bool
) -> None:
    with database.transaction() as session:
        episode = make_episode(session, session.merge(scene.patient))
        plan = make_care_plan(session, episode, make_physician(session))
        make_order(
            session, episode, plan, status=status, physician_id=scene.physician.id,
            signed_at=datetime(2026, 11, 1, tzinfo=UTC) if signed else None,
        )  # fmt: skip
    assert bool(seen_by(database, actor_with(Role.PHYSICIAN, physician_id=scene.physician.id))) is sees


def test_a_role_does_not_lend_its_sight_to_another(scene: Scene, database: Database) -> None:
    """A scheduler whose account also names a clinician does not see that clinician's patients elsewhere."""
    visit(database, scene, datetime(2026, 11, 9, 18, tzinfo=UTC))
    mixed = actor_with(Role.SCHEDULER, clinician_id=scene.nurse.id, branch_ids=frozenset({scene.elsewhere.id}))
    assert seen_by(database, mixed) == {scene.stranger.id}


def test_another_s_patient_sounds_like_a_missing_one(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.scheduler) as work:
        assert service.require_visible(work, scene.patient.id).id == scene.patient.id
        with pytest.raises(NotFound) as hidden:
            service.require_visible(work, scene.stranger.id)
        with pytest.raises(NotFound) as missing:
            service.require_visible(work, 99_999)
        assert hidden.value.detail == missing.value.detail


def test_the_seven_days_are_counted_in_the_branch_of_who_asks(
    scene: Scene, database: Database, work_as: WorkAs
) -> None:
    visit(database, scene, datetime(2026, 11, 17, 7, 30, tzinfo=UTC))
    late_monday = datetime(2026, 11, 10, 7, 0, tzinfo=UTC)  # 23:00 of Monday the ninth in San Francisco
    with work_as(scene.clinician(scene.nurse), now=late_monday) as work:
        assert [row.id for row in service.search(work)["items"]] == [scene.patient.id]
    with work_as(scene.clinician(scene.nurse), now=late_monday - timedelta(days=1)) as work:
        assert service.search(work)["items"] == []
