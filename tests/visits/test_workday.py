"""A clinician's day at work: hours, meals and miles as they were, and plans that leave no room for a meal."""

from datetime import datetime, timedelta

import pytest

from coordinator.core.db import Database
from coordinator.core.errors import Invalid, NotFound, RuleBroken
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import ExclusionList, OvertimeProfile, Role, VisitStatus
from coordinator.patients.model import Episode, Patient
from coordinator.staff import service as staff
from coordinator.staff.model import Clinician
from coordinator.visits import service
from coordinator.visits.model import Visit
from coordinator.visits.workday import workday
from tests import builders
from tests.conftest import NOW, WorkAs
from tests.people import at, browser, pointers
from tests.visits.conftest import MONDAY, TUESDAY, OrderMaker, Scene, local, make_another_patient

EVENING = local(TUESDAY, 20)


def made(database: Database, scene: Scene, begins: datetime, ends: datetime, patient: int | None = None) -> None:
    """The nurse was there from then to then."""
    with database.transaction() as session:
        person = session.get_one(Patient, patient or scene.patient)
        episode = session.get_one(Episode, person.episodes[0].id)
        builders.make_visit(
            session, person, episode, clinician_id=scene["nurse"], status=VisitStatus.COMPLETED, starts_at=begins,
            ends_at=ends, actual_start_at=begins, actual_end_at=ends, minutes=60,
        )  # fmt: skip


def from_home(database: Database, scene: Scene) -> None:
    """The nurse's day begins and ends at home, so that no minute of it depends on where homes lie."""
    with database.transaction() as session:
        nurse = session.get_one(Clinician, scene["nurse"])
        nurse.start_lat = nurse.end_lat = 37.75


def test_a_day_without_a_recorded_meal_owes_an_hour_of_premium(
    database: Database, scene: Scene, work_as: WorkAs
) -> None:
    from_home(database, scene)
    made(database, scene, local(TUESDAY, 8), local(TUESDAY, 11))
    made(database, scene, local(TUESDAY, 12), local(TUESDAY, 17))
    with work_as(scene.actor("nurse"), now=EVENING) as work:
        day = workday(work, scene["nurse"], TUESDAY)
        assert (day.basis, day.visits, day.worked_minutes, day.rests) == ("actual", 2, 540, 2)
        assert (day.hours.regular, day.hours.overtime, day.hours.double) == (480, 60, 0)
        assert (day.meals_missed, day.premium_minutes) == ((1,), 60)
        assert day.meals[0].latest_at == local(TUESDAY, 12, 59)
        staff.record_meal(work, scene["nurse"], starts_at=local(TUESDAY, 11, 15), ends_at=local(TUESDAY, 11, 45))
        day = workday(work, scene["nurse"], TUESDAY)
        assert (day.worked_minutes, day.meals_missed, day.premium_minutes) == (510, (), 0)
        assert day.week_hours.overtime == 30


def test_miles_between_patients_are_paid_and_those_from_home_are_not(
    database: Database, scene: Scene, work_as: WorkAs
) -> None:
    from_home(database, scene)
    other, *_ = make_another_patient(database, scene)
    made(database, scene, local(TUESDAY, 8), local(TUESDAY, 9))
    with work_as(scene.actor("scheduler"), now=EVENING) as work:
        assert workday(work, scene["nurse"], TUESDAY).miles == 0
        nobody = workday(work, scene["nurse"], MONDAY)
        assert (nobody.basis, nobody.visits, nobody.begins_at, nobody.premium_minutes) == ("planned", 0, None, 0)
    made(database, scene, local(TUESDAY, 10), local(TUESDAY, 11), other)
    with work_as(scene.actor("scheduler"), now=EVENING) as work:
        day = workday(work, scene["nurse"], TUESDAY)
        assert day.miles > 0
        assert abs(day.mileage_cents - day.miles * 72.5) <= 5


def test_a_day_is_for_its_clinician_and_their_office(app: Coordinator, database: Database, scene: Scene) -> None:
    path = f"/clinicians/{scene['nurse']}/workday?date=2026-11-10"
    with at(NOW):
        office = browser(app, database, Role.SCHEDULER, branch_ids=[scene.branch])
        assert office.get(path).status_code == 200
        early = office.get(path.replace("2026-11-10", "2000-01-01"))
        assert (early.status_code, pointers(early)) == (422, {"/query/date"}), "no rate for a mile is known so early"
        far = browser(app, database, Role.SCHEDULER, branch_ids=[scene.branch + 1])
        assert far.get(path).status_code == 404
        other = browser(app, database, Role.CLINICIAN, clinician_id=scene["other_nurse"])
        assert other.get(path).status_code == 404
        own = browser(app, database, Role.CLINICIAN, clinician_id=scene["nurse"])
        assert own.get(path).json["ot_profile"] == "standard"
        meal = {"starts_at": "2026-11-09T10:00:00Z", "ends_at": "2026-11-09T10:30:00Z"}
        meals = f"/clinicians/{scene['nurse']}/meals"
        assert own.post(meals, meal).status_code == 201
        assert own.post(meals, meal).status_code == 409
        assert other.post(meals, meal).status_code == 403


def test_a_visit_that_leaves_no_room_for_a_meal_is_refused_at_the_door(
    database: Database, scene: Scene, ordered: OrderMaker, wanted, work_as: WorkAs
) -> None:
    from_home(database, scene)
    number = wanted(ordered())[0]
    other, *_ = make_another_patient(database, scene)
    with database.transaction() as session:
        person = session.get_one(Patient, other)
        for begins, ends in ((local(TUESDAY, 8), local(TUESDAY, 10, 30)), (local(TUESDAY, 12, 30), local(TUESDAY, 14))):
            builders.make_visit(
                session, person, person.episodes[0], clinician_id=scene["nurse"], status=VisitStatus.BOOKED,
                starts_at=begins, ends_at=ends, minutes=90,
            )  # fmt: skip
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("scheduler")) as work:
        service.assign(work, number, scene["nurse"], local(TUESDAY, 11), 60)
    assert [row.rule for row in refused.value.refusing] == ["LAB-02"]
    assert refused.value.problem_code == "no-room-for-meal"
    reason = {"reason_code": "clinician-agreed", "text": "The wound bleeds"}
    with work_as(scene.actor("manager")) as work:
        service.assign(work, number, scene["nurse"], local(TUESDAY, 11), 60, override=reason)
    with database.transaction(write=False) as session:
        assert session.get_one(Visit, number).status is VisitStatus.BOOKED


def test_whoever_is_on_an_exclusion_list_visits_nobody_until_it_is_clear(
    scene: Scene, ordered: OrderMaker, wanted, work_as: WorkAs
) -> None:
    number = wanted(ordered())[0]

    def asked(source: ExclusionList, *, matched: bool) -> None:
        with work_as(scene.actor("manager")) as work:
            staff.record_exclusion_check(work, scene["nurse"], source=source, checked_on=MONDAY, matched=matched)

    asked(ExclusionList.LEIE, matched=True)
    asked(ExclusionList.SAM, matched=False)
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("scheduler")) as work:
        service.assign(work, number, scene["nurse"], local(TUESDAY, 9))
    assert [(row.rule, row.severity.value) for row in refused.value.refusing] == [("CRD-01", "BLOCK")]
    asked(ExclusionList.LEIE, matched=False)
    with work_as(scene.actor("scheduler")) as work:
        service.assign(work, number, scene["nurse"], local(TUESDAY, 9))
        assert work.session.get_one(Clinician, scene["nurse"]).exclusions_checked_on == MONDAY


def test_a_restriction_forbids_its_kind_of_visit(scene: Scene, ordered: OrderMaker, wanted, work_as: WorkAs) -> None:
    number = wanted(ordered())[0]
    with work_as(scene.actor("manager")) as work:
        licence = work.session.get_one(Clinician, scene["nurse"]).credentials[0]
        staff.edit_credential(work, scene["nurse"], licence.id, restricted_kinds=["routine"])
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("scheduler")) as work:
        service.assign(work, number, scene["nurse"], local(TUESDAY, 9))
    assert refused.value.refusing[0].rule == "CRD-01"


def test_a_nurse_is_not_exempt_and_waivers_can_be_revoked(app: Coordinator, database: Database, scene: Scene) -> None:
    office = browser(app, database, Role.CLINICAL_MANAGER, branch_ids=[scene.branch])
    path = f"/clinicians/{scene['nurse']}"
    with at(NOW):
        refused = office.change("PATCH", path, {"ot_profile": OvertimeProfile.EXEMPT.value})
        assert refused.status_code == 422
        changed = office.change("PATCH", path, {"ot_profile": "alternative_12", "first_meal_waived_on": "2026-11-01"})
        assert (changed.status_code, changed.json["first_meal_waived_on"]) == (200, "2026-11-01")
        assert office.change("PATCH", path, {"first_meal_waived_on": None}).json["first_meal_waived_on"] is None


def test_nobody_reads_the_day_of_another_branch(scene: Scene, work_as: WorkAs) -> None:
    with pytest.raises(NotFound), work_as(scene.actor("elsewhere"), now=EVENING + timedelta(days=1)) as work:
        workday(work, scene["nurse"], TUESDAY)


def test_a_grandson_of_fifteen_does_not_interpret_but_a_daughter_may_where_it_was_asked(
    database: Database, scene: Scene, ordered: OrderMaker, wanted, work_as: WorkAs
) -> None:
    number = wanted(ordered())[0]
    with database.transaction() as session:
        patient = session.get_one(Patient, scene.patient)
        patient.spoken_language, patient.interpreter_needed = "yue", True
    with work_as(scene.actor("scheduler")) as work:
        assert "LNG-01" in service.assign(work, number, scene["nurse"], local(TUESDAY, 9)).warnings
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("scheduler")) as work:
        service.book_interpreter(work, number, None, companion=True, companion_age=15)
    assert [(row.rule, row.severity.value) for row in refused.value.refusing] == [("LNG-01", "BLOCK")]
    with work_as(scene.actor("scheduler")) as work:
        visit = service.book_interpreter(
            work, number, None, companion=True, companion_age=40, companion_basis="requested"
        )
        assert "LNG-01" not in visit.warnings
    with pytest.raises(Invalid), work_as(scene.actor("scheduler")) as work:
        service.book_interpreter(work, number, None, companion_age=40)
