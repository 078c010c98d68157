"""Deadlines over HTTP: whose they are, which are overdue, and how they end."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from coordinator.agency.model import Branch
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.deadlines.book import open_deadline
from tests.builders import make_branch, make_clinician, make_episode, make_patient, make_visit
from tests.conftest import NOW, WorkAs
from tests.people import Browser, at, browser, pointers
from tests.referrals.kit import Scene


@pytest.fixture
def office(app: Coordinator, database: Database, scene: Scene) -> Browser:
    return browser(app, database, "scheduler", branch_ids=[scene.branch_id])


def _line(work_as: WorkAs, branch_id: int, subject: str = "visit:1", **given) -> int:
    values = {
        "rule": "VIS-01", "due_on": date(2026, 11, 10), "owner_role": "scheduler", "task": "welfare-check",
    } | given  # fmt: skip
    with work_as() as work:
        return open_deadline(work, subject=subject, branch_id=branch_id, **values).id


def test_what_is_owed_is_listed_earliest_first_page_by_page(office: Browser, work_as: WorkAs, scene: Scene) -> None:
    ids = [_line(work_as, scene.branch_id, f"visit:{n}", due_on=date(2026, 11, 20 - n)) for n in range(5)]
    _line(work_as, scene.other_branch_id)
    with at():
        first = office.get("/deadlines?limit=3").json
        second = office.get(f"/deadlines?limit=3&cursor={first['next']}").json
    assert [row["id"] for row in first["items"] + second["items"]] == ids[::-1]
    assert second["next"] is None
    shown = first["items"][0]
    assert shown["sentence"].startswith("The patient was not found at home twice")
    assert (shown["zone"], shown["by_hand"], shown["status"]) == ("America/Los_Angeles", True, "open")


def test_overdue_is_the_branchs_day_or_the_instant(
    office: Browser, app: Coordinator, database: Database, work_as: WorkAs, scene: Scene
) -> None:
    with database.transaction() as session:
        east = make_branch(session, zone="America/New_York").id
    both = browser(app, database, "clinical_manager", branch_ids=[scene.branch_id, east])
    here = _line(work_as, scene.branch_id, "visit:1", due_on=date(2026, 11, 9))
    there = _line(work_as, east, "visit:2", due_on=date(2026, 11, 9))
    timed = _line(work_as, scene.branch_id, "visit:3", due_on=date(2026, 11, 10), due_at=NOW + timedelta(hours=1))
    # 22:30 of the ninth in California is 01:30 of the tenth in New York.
    with at(NOW + timedelta(hours=14, minutes=30)):
        late = {row["id"] for row in both.get("/deadlines?overdue=true").json["items"]}
        early = {row["id"] for row in both.get("/deadlines?overdue=false").json["items"]}
        mine = {row["id"] for row in office.get("/deadlines?overdue=true").json["items"]}
    assert (late, early, mine) == ({there, timed}, {here}, {timed})


def test_filters_narrow_the_list(office: Browser, work_as: WorkAs, scene: Scene) -> None:
    one = _line(work_as, scene.branch_id, "visit:1")
    two = _line(work_as, scene.branch_id, "visit:2", rule="CRD-01", owner_role="clinical_manager")
    with at():
        for query, ids in (
            ("rule=CRD-01", [two]),
            ("owner_role=scheduler", [one]),
            (f"branch_id={scene.branch_id}", [one, two]),
            (f"branch_id={scene.other_branch_id}", []),
            ("status=done", []),
            ("due_before=2026-11-11", [one, two]),
            ("due_before=2026-11-10", []),
        ):
            assert sorted(row["id"] for row in office.get(f"/deadlines?{query}").json["items"]) == ids, query
        assert pointers(office.get("/deadlines?owner_role=king")) == {"/query/owner_role"}
        assert pointers(office.get("/deadlines?cursor=AAAA")) == {"/query/cursor"}


def test_clinicians_see_the_deadlines_of_their_patients(
    app: Coordinator, database: Database, work_as: WorkAs, scene: Scene
) -> None:
    with database.transaction() as session:
        branch = session.get_one(Branch, scene.branch_id)
        nurse = make_clinician(session, branch)
        mine, other = make_patient(session, branch), make_patient(session, branch)
        make_visit(
            session, mine, make_episode(session, mine), clinician_id=nurse.id, status="booked", starts_at=NOW,
            ends_at=NOW + timedelta(minutes=45),
        )  # fmt: skip
        nurse_id, mine_id, other_id = nurse.id, mine.id, other.id
    visible = _line(work_as, scene.branch_id, "visit:1", patient_id=mine_id)
    _line(work_as, scene.branch_id, "visit:2", patient_id=other_id)
    _line(work_as, scene.branch_id, "credential:2", rule="CRD-01")
    walker = browser(app, database, "clinician", clinician_id=nurse_id)
    with at():
        assert [row["id"] for row in walker.get("/deadlines").json["items"]] == [visible]
        assert [row["id"] for row in walker.get(f"/patients/{mine_id}/deadlines").json["items"]] == [visible]
        assert walker.get(f"/patients/{other_id}/deadlines").status_code == 404
        assert walker.get("/patients/99999/deadlines").status_code == 404


def test_waiving_needs_the_version_a_reason_and_the_right_role(
    office: Browser, app: Coordinator, database: Database, work_as: WorkAs, scene: Scene
) -> None:
    line = _line(work_as, scene.branch_id)
    path = f"/deadlines/{line}"
    stranger = browser(app, database, "scheduler", branch_ids=[scene.other_branch_id])
    intake = browser(app, database, "intake", branch_ids=[scene.branch_id])
    body = {"reason": "The patient moved away", "waiver": "care_ends"}
    with at():
        etag = office.etag(path)
        assert office("POST", f"{path}/waive", body).status_code == 428
        assert office("POST", f"{path}/waive", body, match='"99"').status_code == 412
        assert pointers(office("POST", f"{path}/waive", {**body, "reason": " "}, match=etag)) == {"/reason"}
        assert pointers(office("POST", f"{path}/waive", {**body, "reason": "a\x00"}, match=etag)) == {"/reason"}
        assert pointers(office("POST", f"{path}/waive", {}, match=etag)) == {"/reason", "/waiver"}
        assert pointers(office("POST", f"{path}/waive", {**body, "waiver": "tired"}, match=etag)) == {"/waiver"}
        assert stranger("POST", f"{path}/waive", body, match=etag).status_code == 404
        assert stranger.get(path).status_code == 404
        # Somebody else's list.
        assert intake("POST", f"{path}/waive", body, match=etag).status_code == 403
        answer = office("POST", f"{path}/waive", body, match=etag)
        assert (answer.status_code, answer.json["status"], answer.json["close_reason"], answer.json["waiver"]) == (
            200, "waived", "The patient moved away", "care_ends",
        )  # fmt: skip
        told = [(line["action"], line["facts"]["rule"]) for line in office.get(f"{path}/history").json["items"]]
        assert told == [("deadline.opened", "VIS-01"), ("deadline.closed", "VIS-01")]
        assert stranger.get(f"{path}/history").status_code == 404
        assert answer.headers["ETag"] != etag
        again = office.change("POST", f"{path}/waive", body, of=path)
        assert (again.status_code, again.json["type"]) == (409, "/problems/deadline-closed")
        assert office.get("/deadlines/99999").status_code == 404
        assert office.get(f"/deadlines/{10**15}").status_code == 404
        assert office.get(f"/deadlines/{10**20}").status_code == 404


def test_only_what_nobody_else_sees_is_done_by_hand(office: Browser, work_as: WorkAs, scene: Scene) -> None:
    by_hand = _line(work_as, scene.branch_id, "visit:1")
    itself = _line(work_as, scene.branch_id, "order:2", rule="ORD-06", task="sign-order")
    with at():
        note = {"note": "She is at her sister's"}
        answer = office.change("POST", f"/deadlines/{by_hand}/done", note, of=f"/deadlines/{by_hand}")
        assert (answer.status_code, answer.json["status"]) == (200, "done")
        answer = office.change("POST", f"/deadlines/{itself}/done", {"note": "I think so"}, of=f"/deadlines/{itself}")
        assert (answer.status_code, answer.json["type"]) == (409, "/problems/deadline-closes-itself")


def test_a_list_of_many_is_one_query(office: Browser, work_as: WorkAs, scene: Scene, database: Database) -> None:
    with work_as() as work:
        for number in range(40):
            open_deadline(
                work, subject=f"visit:{number}", branch_id=scene.branch_id, rule="VIS-01", due_on=date(2026, 11, 10),
                owner_role="scheduler", task="welfare-check",
            )  # fmt: skip
    statements: list[str] = []
    sa.event.listen(
        database.engine, "before_cursor_execute", lambda _c, _u, statement, *_: statements.append(statement)
    )
    with at():
        assert len(office.get("/deadlines?limit=40").json["items"]) == 40
    assert len([text for text in statements if "FROM deadline" in text]) == 1
    assert len(statements) < 15
