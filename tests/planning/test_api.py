"""Planning runs over HTTP."""

from dataclasses import replace
from datetime import datetime, time
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from coordinator.access.model import Override
from coordinator.core.audit import AuditEvent
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import VisitStatus
from coordinator.jobs.context import JobContext
from coordinator.patients.model import NoVisitWindow
from coordinator.planning import service
from coordinator.planning.search import search_here
from tests.people import Browser, at, browser, pointers
from tests.planning.conftest import EVE, TestAgency, make_agency

BODY = {"start_on": "2026-11-08", "end_on": "2026-11-14", "iterations": 60}


@pytest.fixture
def agency(session: Session) -> TestAgency:
    made = make_agency(session)
    made.hire()
    made.admit(visits=2)
    session.commit()
    return made


@pytest.fixture
def sam(app: Coordinator, database: Database, agency: TestAgency) -> Browser:
    return browser(app, database, "scheduler", branch_ids=[agency.branch.id])


def _do(app: Coordinator, run_id: int) -> None:
    workshop = replace(app.extensions["workshop"], now=lambda: EVE)
    service.perform(JobContext(workshop=workshop, name=service.JOB, key=service.job_key(run_id)), run_id, search_here)


def _started(sam: Browser, agency: TestAgency, **given: Any) -> Any:
    with at(EVE):
        return sam.post("/plan-runs", BODY | {"branch_id": agency.branch.id} | given)


def test_a_run_is_asked_for_watched_compared_and_published(app: Coordinator, agency: TestAgency, sam: Browser) -> None:
    asked = _started(sam, agency)
    assert asked.status_code == 202
    number = asked.json["id"]
    assert asked.headers["Location"] == f"/api/v1/plan-runs/{number}"
    assert (asked.json["status"], asked.json["zone"]) == ("queued", "America/Los_Angeles")
    with at(EVE):
        assert sam.get(f"/plan-runs/{number}/diff").json["type"] == "/problems/run-without-result"
        _do(app, number)
        run = sam.get(f"/plan-runs/{number}")
        assert run.json["status"] == "proposed"
        result = run.json["result"]
        assert (result["wanted"], result["placed"], result["unplaced"], result["waiting"]) == (2, 2, [], [])
        assert "alternatives" not in result
        assert [item["id"] for item in sam.get(f"/plan-runs?branch_id={agency.branch.id}").json["items"]] == [number]
        seen = sam.get(f"/plan-runs/{number}/diff").json
        assert seen["counts"]["added"] == 2
        change = seen["by_clinician"][0]["changes"][0]
        assert change["after"]["starts_at"].endswith("Z")
        why = sam.get(f"/plan-runs/{number}/explanation").json["visits"]
        assert [entry["placed"] for entry in why] == [True, True]
        path = f"/plan-runs/{number}/publish"
        assert sam.post(path).status_code == 428
        stale = sam("POST", path, {}, match='"1"')
        assert (stale.status_code, stale.headers["ETag"]) == (412, run.headers["ETag"])
        published = sam("POST", path, {}, match=run.headers["ETag"])
        assert published.status_code == 200, published.json
        assert published.json["status"] == "published"
        again = sam("POST", path, {}, match=published.headers["ETag"])
        assert (again.status_code, again.json["type"]) == (409, "/problems/run-not-proposed")


def test_what_changed_since_is_named_with_412(
    app: Coordinator, agency: TestAgency, sam: Browser, database: Database
) -> None:
    number = _started(sam, agency).json["id"]
    _do(app, number)
    visit = agency.people[0].visits[0].id
    with at(EVE):
        booked = sam.change(
            "POST", f"/visits/{visit}/assign",
            {"clinician_id": agency.clinicians[0].id, "starts_at": "2026-11-13T20:00:00Z"}, of=f"/visits/{visit}",
        )  # fmt: skip
        assert booked.status_code == 200, booked.json
        match = sam.etag(f"/plan-runs/{number}")
        refused = sam("POST", f"/plan-runs/{number}/publish", {}, match=match)
        assert refused.status_code == 412
        assert refused.json["blocking"] == [{"visit": visit}]
        others = refused.json["publishable"]
        assert visit not in others
        assert len(others) == 1
        assert "only_visit_ids" in refused.json["detail"]
        without = sam("POST", f"/plan-runs/{number}/publish", {"only_visit_ids": others}, match=match)
        assert (without.status_code, without.json["status"]) == (200, "published")
        assert sam.get(f"/visits/{others[0]}").json["status"] == "booked"


def test_a_run_that_waits_is_cancelled(agency: TestAgency, sam: Browser) -> None:
    number = _started(sam, agency).json["id"]
    with at(EVE):
        assert sam("DELETE", f"/plan-runs/{number}").json["status"] == "cancelled"
        assert sam("DELETE", f"/plan-runs/{number}").status_code == 409


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"start_on": "soon"}, "/start_on"),
        ({"start_on": "2026-10-01", "end_on": "2026-10-07"}, "/start_on"),
        ({"start_on": "2200-12-31", "end_on": None}, "/start_on"),
        ({"end_on": "2026-11-01"}, "/end_on"),
        ({"seconds": 0}, "/seconds"),
        ({"seconds": 10**30}, "/seconds"),
        ({"seed": "x"}, "/seed"),
        ({"iterations": -1}, "/iterations"),
        ({"kind": "a\x00b"}, "/kind"),
        ({"branch_id": None}, "/branch_id"),
        ({"surprise": 1}, "/surprise"),
    ],
)
def test_bad_input_names_the_field(agency: TestAgency, sam: Browser, given: dict[str, Any], pointer: str) -> None:
    answer = _started(sam, agency, **given)
    assert answer.status_code == 422
    assert pointer in pointers(answer)


def test_only_the_branchs_office_plans(app: Coordinator, agency: TestAgency, sam: Browser, database: Database) -> None:
    number = _started(sam, agency).json["id"]
    stranger = browser(app, database, "scheduler", branch_ids=[agency.branch.id + 1])
    nurse = browser(app, database, "clinician", clinician_id=agency.clinicians[0].id)
    with at(EVE):
        for path in ("", "/diff", "/explanation"):
            assert stranger.get(f"/plan-runs/{number}{path}").status_code == 404
            assert nurse.get(f"/plan-runs/{number}{path}").status_code == 403
        assert stranger.get("/plan-runs").json["items"] == []
        assert stranger("DELETE", f"/plan-runs/{number}").status_code == 404
        assert stranger("POST", f"/plan-runs/{number}/publish", {}, match='"1"').status_code == 404
        assert stranger.post("/plan-runs", BODY | {"branch_id": agency.branch.id}).status_code == 404
        assert sam.get("/plan-runs/999999").status_code == 404
        assert sam.get("/plan-runs/99999999999999999999").status_code == 404


def test_publication_tells_everything_at_once_and_takes_what_may_be_set_aside(
    app: Coordinator, agency: TestAgency, sam: Browser, database: Database
) -> None:
    """Since the run one patient keeps every day free, and somebody else's visits took both hours of another."""
    quiet, other = agency.people[0], agency.admit(visits=2)
    agency.session.commit()
    number = _started(sam, agency).json["id"]
    _do(app, number)
    path, theirs = f"/plan-runs/{number}/publish", {visit.id for visit in other.visits}
    seen = sam.get(f"/plan-runs/{number}/diff").json["by_patient"]
    places = [row["after"] for group in seen for row in group["changes"] if row["visit"] in theirs]
    assert len(places) == 2
    late = agency.admit(visits=2)
    for visit, place in zip(late.visits, places, strict=True):
        agency.book(visit, agency.clinicians[0], datetime.fromisoformat(place["starts_at"]))
    agency.session.add(
        NoVisitWindow(patient_id=quiet.patient.id, starts=time(), ends=time(), reason="in mourning for her sister")
    )
    agency.session.commit()
    with at(EVE):
        match = sam.etag(f"/plan-runs/{number}")
        refused = sam("POST", path, {}, match=match)
        assert refused.status_code == 409, refused.json
        assert [one["code"] for one in refused.json["conflicts"]] == ["double-booking", "double-booking"]
        assert "CUL-01" in {one["rule"] for one in refused.json["findings"]}
        named = {row["visit"] for row in refused.json["visits"]}
        assert named == theirs | {visit.id for visit in quiet.visits}
        closed = {row["visit"] for row in refused.json["visits"] if "CUL-01" in row.get("rules", ())}
        assert closed == {visit.id for visit in quiet.visits}
        assert "mourning" not in refused.get_data(as_text=True), "the patient's own words stay in the record"
        assert {sam.get(f"/visits/{visit}").json["status"] for visit in named} == {"proposed"}
    for visit in late.visits:
        visit.status, visit.clinician_id, visit.starts_at, visit.ends_at = VisitStatus.CANCELLED, None, None, None
    agency.session.commit()
    told = {"rules": ["CUL-01"], "reason_code": "family-agreed", "text": "Her daughter asks us to come."}
    asides = {"overrides": [{"visit": visit.id, **told} for visit in quiet.visits]}
    boss = browser(app, database, "scheduler", "clinical_manager", branch_ids=[agency.branch.id])
    with at(EVE):
        refused = sam("POST", path, {}, match=match)
        assert (refused.status_code, refused.json["overridable"]) == (422, True)
        assert refused.json["may_override"] == {"CUL-01": ["clinical_manager"]}
        barred = sam("POST", path, asides, match=match)
        assert (barred.status_code, barred.json["type"]) == (403, "/problems/override-not-permitted")
        wordless = [{"visit": visit.id, **told, "reason_code": "because"} for visit in quiet.visits]
        assert boss("POST", path, {"overrides": wordless}, match=match).status_code == 422
        strange = boss("POST", path, {"overrides": [{"visit": late.visits[0].id, **told}]}, match=match)
        assert (strange.status_code, pointers(strange)) == (422, {"/overrides"})
        half = boss("POST", path, {"overrides": asides["overrides"][:1]}, match=match)
        assert (half.status_code, [row["visit"] for row in half.json["visits"]]) == (422, [quiet.visits[1].id])
        published = boss("POST", path, asides, match=match)
        assert (published.status_code, published.json["status"]) == (200, "published"), published.json
    with database.transaction(write=False) as session:
        kept = session.execute(sa.select(Override.visit_id, Override.rule).order_by(Override.visit_id)).all()
        assert [tuple(row) for row in kept] == [(visit.id, "CUL-01") for visit in quiet.visits]
        lines = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "visit.rule-overridden")).all()
        assert len(lines) == 2
        assert "daughter" not in str([line.facts for line in lines])
