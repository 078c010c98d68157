"""What payers authorise: recorded once for a day, changed by version, seen by those who see the patient (INT-04)."""

from datetime import date
from typing import Any

import pytest

from coordinator.core.db import Database
from coordinator.core.errors import Conflict, Forbidden, Invalid, NotFound
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import Discipline, Payer
from coordinator.patients import service
from tests.conftest import WorkAs
from tests.patients.conftest import Scene
from tests.people import Browser, at, browser, pointers

NOVEMBER = (date(2026, 11, 1), date(2026, 11, 30))
TWENTY: dict[str, Any] = {
    "payer": Payer.KP, "discipline": Discipline.PT, "maximum_visits": 20, "starts_on": NOVEMBER[0],
    "ends_on": NOVEMBER[1],
}  # fmt: skip


def test_an_authorisation_raises_the_patients_version_and_is_listed(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.intake) as work:
        before = service.require_visible(work, scene.patient.id).version
        made = service.add_authorisation(work, scene.patient.id, **TWENTY, number="A-118")
        assert service.require_visible(work, scene.patient.id).version == before + 1
        (line,) = (line for line in work.trail if line.action == "patient.authorisation-added")
        assert "A-118" not in str(line.facts)
    with work_as(scene.scheduler) as work:
        (found,) = service.authorisations(work, scene.patient.id)
        assert (found.id, found.maximum_visits, found.number) == (made.id, 20, "A-118")
        assert [line.action for line in work.trail] == ["patient.authorisations-read"]


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"starts_on": date(2026, 11, 30), "ends_on": date(2026, 12, 31)},
        {"starts_on": date(2026, 10, 1), "ends_on": date(2026, 11, 1)},
        {"starts_on": date(2026, 11, 10), "ends_on": date(2026, 11, 10)},
    ],
)
def test_one_payer_authorises_a_discipline_once_for_a_day(scene: Scene, work_as: WorkAs, other: dict[str, Any]) -> None:
    with work_as(scene.intake) as work:
        first = service.add_authorisation(work, scene.patient.id, **TWENTY)
        with pytest.raises(Conflict) as refusal:
            service.add_authorisation(work, scene.patient.id, **TWENTY | other)
        assert refusal.value.extra["blocking"][0]["authorisation"] == first.id
        assert len(service.authorisations(work, scene.patient.id)) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"payer": Payer.MEDICARE_ADVANTAGE},
        {"discipline": Discipline.OT},
        {"starts_on": date(2026, 12, 1), "ends_on": date(2026, 12, 31)},
    ],
)
def test_another_payer_discipline_or_period_is_another_authorisation(
    scene: Scene, work_as: WorkAs, other: dict[str, Any]
) -> None:
    with work_as(scene.intake) as work:
        service.add_authorisation(work, scene.patient.id, **TWENTY)
        service.add_authorisation(work, scene.patient.id, **TWENTY | other)
        assert len(service.authorisations(work, scene.patient.id)) == 2


def test_one_that_was_ended_makes_room_for_its_successor(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.manager) as work:
        first = service.add_authorisation(work, scene.patient.id, **TWENTY)
        service.edit_authorisation(work, scene.patient.id, first.id, ends_on=date(2026, 11, 14))
        second = service.add_authorisation(
            work, scene.patient.id, **TWENTY | {"starts_on": date(2026, 11, 15), "maximum_visits": 8}
        )
        with pytest.raises(Conflict):
            service.edit_authorisation(work, scene.patient.id, first.id, ends_on=date(2026, 11, 15))
        assert first.ends_on == date(2026, 11, 14)
        service.edit_authorisation(work, scene.patient.id, second.id, maximum_visits=12, number="B-2")
        assert [row.maximum_visits for row in service.authorisations(work, scene.patient.id)] == [20, 12]


def test_what_cannot_be_meant_is_refused(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.intake) as work:
        made = service.add_authorisation(work, scene.patient.id, **TWENTY)
        for changes, pointer in (
            ({"ends_on": date(2026, 10, 31)}, "/ends_on"),
            ({"maximum_visits": 0}, "/maximum_visits"),
            ({"maximum_visits": 1001}, "/maximum_visits"),
            ({"ends_on": None}, "/ends_on"),
            ({"payer": Payer.VA}, "/payer"),
        ):
            with pytest.raises(Invalid) as refusal:
                service.edit_authorisation(work, scene.patient.id, made.id, **changes)
            assert refusal.value.extra["errors"][0]["pointer"] == pointer
        with pytest.raises(NotFound):
            service.edit_authorisation(work, scene.patient.id, made.id + 999, maximum_visits=2)


def test_only_who_edits_the_record_records_what_a_payer_allows(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.scheduler) as work, pytest.raises(Forbidden):
        service.add_authorisation(work, scene.patient.id, **TWENTY)
    with work_as(scene.intake) as work:
        with pytest.raises(NotFound):
            service.add_authorisation(work, scene.stranger.id, **TWENTY)
        with pytest.raises(NotFound):
            service.authorisations(work, scene.stranger.id)
    with work_as(scene.clinician(scene.nurse)) as work, pytest.raises(NotFound):
        service.authorisations(work, scene.patient.id)


# ------------------------------------------------------------------------------------ over HTTP


BODY: dict[str, Any] = {
    "payer": "KP", "discipline": "PT", "number": "A-118", "maximum_visits": 20, "starts_on": "2026-11-01",
    "ends_on": "2026-11-30",
}  # fmt: skip


@pytest.fixture
def intake(app: Coordinator, database: Database, scene: Scene) -> Browser:
    return browser(app, database, "intake", branch_ids=[scene.branch.id])


def test_an_authorisation_is_recorded_listed_and_changed_by_version(
    app: Coordinator, database: Database, intake: Browser, scene: Scene
) -> None:
    patient = f"/patients/{scene.patient.id}"
    with at():
        before = intake.etag(patient)
        made = intake.post(f"{patient}/authorisations", BODY)
        assert made.status_code == 201, made.json
        assert made.json == BODY | {"id": made.json["id"]}
        assert made.headers["ETag"] == intake.etag(patient) != before
        listed = intake.get(f"{patient}/authorisations")
        assert (listed.json["items"], listed.headers["ETag"]) == ([made.json], made.headers["ETag"])
        mine = f"{patient}/authorisations/{made.json['id']}"
        assert intake("PATCH", mine, {"maximum_visits": 24}).status_code == 428
        assert intake("PATCH", mine, {"maximum_visits": 24}, match=before).status_code == 412
        changed = intake("PATCH", mine, {"maximum_visits": 24}, match=made.headers["ETag"])
        assert (changed.status_code, changed.json["maximum_visits"]) == (200, 24)
        twice = intake.post(f"{patient}/authorisations", BODY)
        assert (twice.status_code, twice.json["type"]) == (409, "/problems/authorisation-overlap")
        assert intake.change("PATCH", f"{patient}/authorisations/99999", {}, of=patient).status_code == 404
        scheduler = browser(app, database, "scheduler", branch_ids=[scene.branch.id])
        assert scheduler.get(f"{patient}/authorisations").json["items"] == [changed.json]
        assert scheduler.post(f"{patient}/authorisations", BODY).status_code == 403


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"payer": "ACME"}, "/payer"),
        ({"discipline": ["PT"]}, "/discipline"),
        ({"maximum_visits": 10**30}, "/maximum_visits"),
        ({"maximum_visits": 0}, "/maximum_visits"),
        ({"maximum_visits": "many"}, "/maximum_visits"),
        ({"number": "A\x00"}, "/number"),
        ({"starts_on": "yesterday"}, "/starts_on"),
        ({"ends_on": "2026-10-31"}, "/ends_on"),
        ({"ends_on": None}, "/ends_on"),
        ({"used": 3}, "/used"),
    ],
)
def test_a_body_that_cannot_be_meant_names_the_field(
    intake: Browser, scene: Scene, wrong: dict[str, Any], pointer: str
) -> None:
    with at():
        answer = intake.post(f"/patients/{scene.patient.id}/authorisations", BODY | wrong)
    assert (answer.status_code, pointers(answer)) == (422, {pointer})


def test_anothers_patient_sounds_like_none(intake: Browser, scene: Scene) -> None:
    with at():
        for patient_id in (scene.stranger.id, 99999):
            assert intake.get(f"/patients/{patient_id}/authorisations").status_code == 404
            assert intake.post(f"/patients/{patient_id}/authorisations", BODY).status_code == 404
