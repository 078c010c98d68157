"""Encounters corrected, certifications superseded, registries asked and intervals justified, over HTTP."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import Role
from tests.conftest import NOW
from tests.episodes.conftest import SOC, TODAY, Scene
from tests.people import Browser, at, browser, pointers


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with at(NOW):
        yield


@pytest.fixture
def manager(app: Coordinator, database: Database, scene: Scene) -> Browser:
    return browser(app, database, Role.CLINICAL_MANAGER, branch_ids=[scene.branch.id])


@pytest.fixture
def stranger(app: Coordinator, database: Database, scene: Scene) -> Browser:
    return browser(app, database, Role.CLINICAL_MANAGER, branch_ids=[scene.branch.id + 1])


def test_an_interval_without_a_covered_visit_is_justified_by_a_practitioner(
    app: Coordinator, database: Database, scene: Scene, manager: Browser, stranger: Browser
) -> None:
    path = f"/episodes/{scene.episode.id}/idle-intervals"
    said = {"said_on": TODAY.isoformat(), "until": "2026-12-15", "reason": "Catheter changed every eight weeks"}
    unnamed = manager.post(path, said)
    assert (unnamed.status_code, pointers(unnamed)) == (422, {"/physician_id"})
    for wrong, field in (
        ({"said_on": (TODAY + timedelta(days=1)).isoformat()}, "/said_on"), ({"until": TODAY.isoformat()}, "/until"),
        ({"until": (TODAY + timedelta(days=61)).isoformat()}, "/until"), ({"reason": "  "}, "/reason"),
    ):  # fmt: skip
        refused = manager.post(path, said | {"physician_id": scene.physician.id} | wrong)
        assert (refused.status_code, pointers(refused)) == (422, {field}), wrong
    made = manager.post(path, said | {"physician_id": scene.physician.id})
    assert (made.status_code, made.json["until"]) == (201, "2026-12-15")
    physician = browser(app, database, Role.PHYSICIAN, physician_id=scene.physician.id)
    assert physician.post(path, said | {"physician_id": scene.partner.id}).status_code == 403
    own = physician.post(path, said)
    assert own.status_code == 201, own.json
    listed = manager.get(path).json["items"]
    assert [row["id"] for row in listed] == [own.json["id"], made.json["id"]]
    assert (stranger.get(path).status_code, stranger.post(path, said).status_code) == (404, 404)
    aide = browser(app, database, Role.CLINICIAN, clinician_id=scene.aide.id)
    assert aide.post(path, said).status_code in (403, 404)


def test_an_encounter_is_corrected_and_the_old_one_says_why(scene: Scene, manager: Browser, stranger: Browser) -> None:
    path = f"/episodes/{scene.episode.id}/face-to-face-encounters"
    seen = {
        "encounter_on": (SOC + timedelta(days=31)).isoformat(), "modality": "in_person", "performer_type": "MD",
        "related_to_primary_reason": True,
    }  # fmt: skip
    first = manager.post(path, seen)
    assert (first.status_code, first.json["valid"]) == (201, False)
    assert "F2F-01" in [finding["rule"] for finding in first.json["findings"]]
    corrections = f"/face-to-face-encounters/{first.json['id']}/corrections"
    assert pointers(manager.post(corrections, {"encounter_on": seen["encounter_on"]})) == {"/reason"}
    right = {"encounter_on": (SOC + timedelta(days=30)).isoformat(), "reason": "The date was that of the letter"}
    assert stranger.post(corrections, right).status_code == 404
    second = manager.post(corrections, right)
    assert (second.status_code, second.json["performer_type"]) == (201, "MD")
    assert "F2F-01" not in [finding["rule"] for finding in second.json["findings"]]
    kept = {row["id"]: row for row in manager.get(path).json["items"]}
    assert kept[first.json["id"]]["replaced_by_id"] == second.json["id"]
    assert kept[first.json["id"]]["correction_reason"] == right["reason"]
    assert manager.post(corrections, right).status_code == 409


def test_what_registries_say_of_a_practitioner_is_recorded(scene: Scene, manager: Browser) -> None:
    path = f"/physicians/{scene.physician.id}/registry-checks"
    assert pointers(manager.post(path, {"checked_on": TODAY.isoformat(), "npi_kind": 3})) == {"/npi_kind"}
    made = manager.post(
        path, {"checked_on": TODAY.isoformat(), "npi_kind": 1, "enrolled_from": "2020-01-01", "enrolled_to": None}
    )
    assert (made.status_code, made.json["physician_id"]) == (201, scene.physician.id)
    assert (
        manager.post("/physicians/987654/registry-checks", {"checked_on": TODAY.isoformat(), "npi_kind": 1}).status_code
        == 404
    )


def test_only_what_was_signed_is_superseded(scene: Scene, manager: Browser, stranger: Browser) -> None:
    path = f"/episodes/{scene.episode.id}/certifications"
    draft = manager.post(
        path,
        {
            "number": 1, "physician_id": scene.physician.id, "homebound": True, "skilled_need": True,
            "plan_established": True, "under_care": True,
        },
    )  # fmt: skip
    assert draft.status_code == 201, draft.json
    superseding = f"/certifications/{draft.json['id']}/supersede"
    refused = manager.post(superseding, {"reason": "The narrative is another patient's"})
    assert (refused.status_code, refused.json["type"].startswith("/problems/")) == (409, True)
    assert pointers(manager.post(superseding)) == {"/reason"}
    assert stranger.post(superseding, {"reason": "not mine"}).status_code == 404
