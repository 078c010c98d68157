"""Repairs over HTTP and at the command line."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from freezegun import freeze_time
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from coordinator.cli import register
from coordinator.core.audit import AuditEvent
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import RepairKind
from coordinator.jobs.model import QueuedJob
from coordinator.planning.repairs import service
from coordinator.planning.repairs.model import Repair
from coordinator.travel.atlas import SHIPPED
from coordinator.travel.times import Estimate
from coordinator.visits.model import Visit
from tests.conftest import WorkAs, actor_with
from tests.people import Browser, at, browser, pointers
from tests.planning.conftest import EVE, TestAgency, make_agency

SIX = datetime(2026, 11, 9, 14, 0, tzinfo=UTC)
NINE = datetime(2026, 11, 9, 17, 0, tzinfo=UTC)


@pytest.fixture
def agency(session: Session) -> TestAgency:
    """Two nurses; the first has a visit at nine."""
    made = make_agency(session, code="SF")
    ill, _ = made.hire(), made.hire()
    made.book(made.admit(visits=1, primary=ill).visits[0], ill, NINE, published_at=EVE, told_patient_at=EVE)
    session.commit()
    return made


@pytest.fixture
def sam(app: Coordinator, database: Database, agency: TestAgency) -> Browser:
    return browser(app, database, "scheduler", branch_ids=[agency.branch.id])


def body(agency: TestAgency, **event: Any) -> dict[str, Any]:
    told = {"kind": "absence", "clinician_id": agency.clinicians[0].id, "first_day": "2026-11-09"} | event
    return {"branch_id": agency.branch.id, "event": told, "seconds": 0}


def test_a_sick_call_is_answered_approved_and_called_in_order(
    agency: TestAgency, sam: Browser, database: Database
) -> None:
    with at(SIX):
        asked = sam.post("/repairs", body(agency))
        assert asked.status_code == 201, asked.json
        repair = asked.json
        assert (repair["status"], repair["searching"], repair["stale"]) == ("proposed", False, [])
        assert repair["zone"] == "America/Los_Angeles"
        (patient,) = repair["patients"]
        (change,) = patient["changes"]
        assert (change["change"], change["told"], change["after"]["clinician_id"]) == (
            "moved", True, agency.clinicians[1].id
        )  # fmt: skip
        assert repair["touched"] == {"patients": 0, "visits": 0, "hit_patients": 1, "hit_visits": 1}
        assert [point["max_patients"] for point in repair["curve"]] == [0, 1, 2, 3, 5, None]
        path = f"/repairs/{repair['id']}"
        assert asked.headers["Location"] == f"/api/v1{path}"
        told = sam.get(f"{path}/calls").json["calls"]
        assert [call["whom"] for call in told] == ["patient", "clinician"]
        assert told == repair["calls"]
        assert sam.post(f"{path}/approve").status_code == 428
        assert sam("POST", f"{path}/approve", {}, match='"99"').status_code == 412
        done = sam("POST", f"{path}/approve", {}, match=asked.headers["ETag"])
        assert done.status_code == 200, done.json
        assert (done.json["status"], done.json["patients"][0]["changes"][0]["approved"]) == ("approved", True)
        again = sam("POST", f"{path}/approve", {}, match=done.headers["ETag"])
        assert (again.status_code, again.json["type"]) == (409, "/problems/repair-decided")
        assert [row["id"] for row in sam.get("/repairs?status=approved").json["items"]] == [repair["id"]]
    with database.transaction(write=False) as session:
        read = session.execute(
            sa.select(AuditEvent.action).where(AuditEvent.patient_id == agency.people[0].patient.id)
        ).scalars()
        assert {"repair.call-listed", "repair.change"} <= set(read)


def test_a_rehearsal_answers_and_leaves_nothing(agency: TestAgency, sam: Browser, database: Database) -> None:
    with at(SIX):
        asked = sam.post("/repairs?dry_run=true", body(agency) | {"seconds": 5})
    assert asked.status_code == 201
    assert asked.json["patients"]
    with database.transaction(write=False) as session:
        assert session.execute(sa.select(Repair)).first() is None
        assert session.execute(sa.select(QueuedJob).where(QueuedJob.name == "plan.repair")).first() is None


def test_the_same_request_twice_is_one_repair(agency: TestAgency, sam: Browser, database: Database) -> None:
    def ask() -> Any:
        headers = {"Authorization": f"Bearer {sam.token}", "Idempotency-Key": "six-in-the-morning"}
        return sam.client.post("/api/v1/repairs", headers=headers, json=body(agency) | {"seconds": 5})

    with at(SIX):
        one, two = ask(), ask()
    assert (one.status_code, two.status_code) == (201, 201)
    assert one.json == two.json
    assert two.headers["Idempotency-Replayed"] == "true"
    with database.transaction(write=False) as session:
        assert len(session.execute(sa.select(Repair)).all()) == 1
        (job,) = session.execute(sa.select(QueuedJob).where(QueuedJob.name == "plan.repair")).scalars()
        assert job.arguments == {"repair_id": one.json["id"]}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"event": {"kind": "flood"}}, "/event/kind"),
        ({"event": {"kind": "overrun", "visit_id": 1, "minutes": 100_000}}, "/event/minutes"),
        ({"event": {"kind": "absence", "clinician_id": -1}}, "/event/clinician_id"),
        ({"event": {"kind": "absence", "clinician_id": 2**60}}, "/event/clinician_id"),
        ({"event": {"kind": "absence", "clinician_id": 1, "reason": "s\x00"}}, "/event/reason"),
        ({"event": {"kind": "absence", "clinician_id": 1, "ends_at": "noon"}}, "/event/ends_at"),
        ({"event": {"kind": "absence", "clinician_id": 1, "ends_at": "2026-11-09T12:00:00"}}, "/event/ends_at"),
        ({"event": {"kind": "absence"}}, "/event/clinician_id"),
        ({"event": {"kind": "hospital", "patient_id": 1, "words": "x"}}, "/event/words"),
        ({"budget": {"max_patients": -1}}, "/budget/max_patients"),
        ({"budget": {"max_patients": "three"}}, "/budget/max_patients"),
        ({"seconds": 10_000}, "/seconds"),
        ({"branch_id": None}, "/branch_id"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(
    agency: TestAgency, sam: Browser, change: dict[str, Any], pointer: str
) -> None:
    with at(SIX):
        answer = sam.post("/repairs", body(agency) | change)
    assert answer.status_code == 422, answer.json
    assert pointers(answer) == {pointer}


def test_no_body_and_no_role_are_refused_before_anything_is_read(
    app: Coordinator, agency: TestAgency, sam: Browser, database: Database
) -> None:
    nurse = browser(app, database, "clinician", clinician_id=agency.clinicians[1].id)
    with at(SIX):
        assert sam("POST", "/repairs", raw="nonsense").status_code in (400, 422)
        assert sam("POST", "/repairs", raw="[]").status_code == 422
        assert nurse.post("/repairs", body(agency)).status_code == 403
        number = sam.post("/repairs", body(agency)).json["id"]
        for verb in ("approve", "reject"):
            assert nurse.post(f"/repairs/{number}/{verb}", {}).status_code == 403
        assert sam.post("/repairs", body(agency) | {"branch_id": 10**9}).status_code == 404
        assert sam.get("/repairs/999").status_code == 404
        anybody = sam.client.post("/api/v1/repairs", json=body(agency))
        assert anybody.status_code == 401


@pytest.fixture
def slow_roads(app: Coordinator) -> Iterator[None]:
    """Every way takes twice as long as it is estimated."""

    class Twice(Estimate):
        def free_flow(self, points: Any) -> Any:
            return 2 * super().free_flow(points)

    plain = app.extensions["door"]
    app.extensions["door"] = replace(plain, atlas=replace(SHIPPED, estimate=Twice(SHIPPED.settings)))
    yield
    app.extensions["door"] = plain


def test_the_first_proposal_is_planned_on_the_ways_of_the_house(
    agency: TestAgency, sam: Browser, slow_roads: None, work_as: WorkAs
) -> None:
    person = agency.admit(visits=1, home={"lat": 37.71, "lon": -122.48})
    agency.book(person.visits[0], agency.clinicians[0], NINE + timedelta(hours=3), published_at=EVE)
    agency.session.commit()
    with at(SIX):
        asked = sam.post("/repairs", body(agency) | {"event": {"kind": "hospital", "patient_id": person.patient.id}})
    assert asked.status_code == 201, asked.json
    spared = {}
    for name, atlas in (("plain", SHIPPED), ("slow", None)):
        with work_as(actor_with("scheduler", branch_ids=frozenset({agency.branch.id})), now=SIX) as work:
            work.atlas = atlas or work.atlas
            found = service.prepare(
                work, agency.branch.id, RepairKind.HOSPITAL, {"patient_id": person.patient.id}, seconds=0
            )
        spared[name] = found.think().draft.result["cost"]["travel_minutes"]
    assert asked.json["cost"]["travel_minutes"] == spared["slow"] < spared["plain"] < 0


@pytest.mark.parametrize("error", [PoolTimeout(), OperationalError("", {}, Exception("database is locked"))])
def test_a_database_that_is_busy_while_it_thinks_is_busy_not_broken(
    agency: TestAgency, sam: Browser, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def busy(*_given: Any, **_named: Any) -> Any:
        raise error

    monkeypatch.setattr(service, "prepare", busy)
    with at(SIX):
        answer = sam.post("/repairs", body(agency))
    assert (answer.status_code, answer.json["type"]) == (503, "/problems/busy")
    assert answer.headers["Retry-After"]


def test_who_may_not_decide_hears_that_first(
    app: Coordinator, agency: TestAgency, sam: Browser, database: Database
) -> None:
    nurse = browser(app, database, "clinician", clinician_id=agency.clinicians[1].id, branch_ids=[agency.branch.id])
    with at(SIX):
        path = f"/repairs/{sam.post('/repairs', body(agency)).json['id']}"
        for verb in ("approve", "reject"):
            assert nurse.post(f"{path}/{verb}").status_code == 403
            assert sam.post(f"{path}/{verb}").status_code == 428


def test_a_list_that_names_a_patient_is_on_their_record(agency: TestAgency, sam: Browser, database: Database) -> None:
    patient = agency.people[0].patient
    with at(SIX):
        sam.post("/repairs", body(agency) | {"event": {"kind": "hospital", "patient_id": patient.id}})
        assert len(sam.get("/repairs").json["items"]) == 1
    with database.transaction(write=False) as session:
        lines = session.execute(sa.select(AuditEvent.action).where(AuditEvent.patient_id == patient.id)).scalars()
        assert "repair.listed" in set(lines)


# ------------------------------------------------------------------------------------ the command line


@pytest.fixture
def run(app: Coordinator, agency: TestAgency) -> Any:
    register(app)

    def invoked(*arguments: str, ok: bool = True) -> Any:
        agency.session.commit()
        with freeze_time(SIX):
            answer = app.test_cli_runner().invoke(args=["plan", "repair", *arguments])
        assert (answer.exit_code == 0) is ok, answer.output
        return answer

    return invoked


def test_a_sick_call_at_the_command_line(agency: TestAgency, run: Any) -> None:
    ill, well = agency.clinicians
    visit = agency.people[0].visits[0]
    away = (
        "absence",
        "--branch",
        "SF",
        "--clinician",
        ill.employee_no,
        "--until",
        "2026-11-09T18:00",
        "--seconds",
        "0",
    )
    text = run(*away).stdout
    assert f"Visit {visit.id}, told: moved, clinician {ill.id} Mon 09 Nov 09:00 -> clinician {well.id}" in text
    assert f"why: Clinician {ill.id} is away." in text
    assert f"1. patient {agency.people[0].patient.id} (en): new-clinician (visit {visit.id})" in text
    assert "at most any number: cost" in text
    number = json.loads(run(*away, "--json").stdout)["repair"]
    assert "--version" in run("approve", str(number), ok=False).output
    assert "Read it again" in run("approve", str(number), "--version", "9", ok=False).output
    assert json.loads(run("approve", str(number), "--version", "1", "--json").stdout)["status"] == "approved"
    assert "version 2: approved" in run("show", str(number)).stdout
    agency.session.rollback()
    assert agency.session.scalar(sa.select(Visit.clinician_id).where(Visit.id == visit.id)) == well.id
    stale = run("approve", "1", "--version", "1", ok=False)
    assert "changed since" in stale.output
    assert "Nothing was changed" in run("reject", "1").stdout


def test_the_command_line_names_the_option_that_is_wrong(agency: TestAgency, run: Any) -> None:
    past = (SIX - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    who = ("absence", "--branch", "SF", "--clinician", agency.clinicians[0].employee_no)
    assert "--until" in run(*who, "--from", "2026-11-01", "--until", past, ok=False).output
    assert "--reason" in run(*who, "--until", "2026-11-09T18:00", "--reason", "The flu", ok=False).output
    assert "--branch" in run("urgent", "1", "--branch", "NOPE", "--by", "2026-11-09T12:00", ok=False).output
    assert "no such visit" in run("overrun", "99999", "30", "--branch", "SF", ok=False).output.lower()
    assert run("overrun", "1", "0", "--branch", "SF", ok=False)
