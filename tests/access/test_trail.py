"""The audit trail as administrators and clinical managers read it."""

from datetime import timedelta
from typing import Any

import pytest

from coordinator.domain.vocabulary import Role
from tests.access.conftest import Scene
from tests.conftest import NOW
from tests.people import Browser, at, pointers


@pytest.fixture
def read(scene: Scene) -> Browser:
    """Three readings by the managers of two branches: a patient at NOW, again an hour later, and a stranger."""
    manager = scene.signed_in(Role.CLINICAL_MANAGER, branch_ids=[scene.branch.id])
    far = scene.signed_in(Role.CLINICAL_MANAGER, branch_ids=[scene.elsewhere.id])
    with at(NOW):
        assert manager.get(f"/patients/{scene.patient.id}").status_code == 200
    with at(NOW + timedelta(hours=1)):
        assert manager.get(f"/patients/{scene.patient.id}").status_code == 200
        assert far.get(f"/patients/{scene.stranger.id}").status_code == 200
    return manager


def _ask(who: Browser, **asked: Any) -> list[dict[str, Any]]:
    with at(NOW + timedelta(hours=2)):
        answer = who.client.get(
            "/api/v1/audit-events", query_string=asked, headers={"Authorization": f"Bearer {who.token}"}
        )
    assert answer.status_code == 200, answer.json
    return answer.json["items"]


def test_the_trail_is_searched_by_patient_deed_person_and_time(scene: Scene, read: Browser) -> None:
    admin = scene.admin
    mine = _ask(admin, patient_id=scene.patient.id)
    assert [(line["action"], line["at"]) for line in mine] == [
        ("patient.read", "2026-11-09T16:00:00Z"),
        ("patient.read", "2026-11-09T17:00:00Z"),
    ]
    assert mine[0]["actor"] == f"user:{mine[0]['user_id']}"
    assert len(_ask(admin, action="patient.read")) == 3
    with at(NOW + timedelta(hours=2)):
        reader = read.get("/me").json["id"]
    assert len(_ask(admin, user_id=reader, action="patient.read")) == 2
    later = _ask(admin, action="patient.read", **{"from": "2026-11-09T17:00:00Z"})
    assert {line["patient_id"] for line in later} == {scene.patient.id, scene.stranger.id}
    assert len(_ask(admin, action="patient.read", to="2026-11-09T17:00:00Z")) == 1


def test_reading_the_trail_is_in_the_trail(scene: Scene, read: Browser) -> None:
    admin = scene.admin
    _ask(admin, patient_id=scene.patient.id)
    lines = _ask(admin, action="audit.listed")
    assert [line["patient_id"] for line in lines] == [scene.patient.id]


def test_a_manager_sees_the_lines_of_their_branch_alone(scene: Scene, read: Browser) -> None:
    assert {line["patient_id"] for line in _ask(read)} <= {scene.patient.id, None}
    assert len(_ask(read, action="patient.read")) == 2
    assert _ask(read, patient_id=scene.stranger.id) == []
    _ask(scene.admin)
    assert len(_ask(scene.admin, action="audit.listed")) == 4
    assert len(_ask(read, action="audit.listed")) == 2, "not those of administrators of all branches"


@pytest.mark.parametrize("role", [Role.SCHEDULER, Role.INTAKE, Role.CLINICIAN, Role.PHYSICIAN])
def test_others_read_no_trail(scene: Scene, role: Role) -> None:
    assert scene.signed_in(role, branch_ids=[scene.branch.id]).get("/audit-events").status_code == 403


def test_the_trail_has_pages(scene: Scene, read: Browser) -> None:
    admin, seen, cursor = scene.admin, [], ""
    while cursor is not None:
        answer = admin.get(f"/audit-events?action=patient.read&limit=2&cursor={cursor}".removesuffix("&cursor=")).json
        seen += [line["id"] for line in answer["items"]]
        cursor = answer["next"]
    assert seen == sorted(set(seen))
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("patient_id=x", "/query/patient_id"),
        ("user_id=99999999999999999999", "/query/user_id"),
        ("action=a%00b", "/query/action"),
        ("from=yesterday", "/query/from"),
        ("from=2026-11-09T17:00:00Z&to=2026-11-09T16:00:00Z", "/query/to"),
        ("cursor=nonsense", "/query/cursor"),
    ],
)
def test_a_question_that_cannot_be_meant_is_refused_by_the_field(scene: Scene, query: str, pointer: str) -> None:
    assert pointers(scene.admin.get(f"/audit-events?{query}")) == {pointer}
