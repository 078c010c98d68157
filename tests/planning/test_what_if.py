"""Scenarios: beside the live plan, compared with it under the same effort, and never in it."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from freezegun import freeze_time
from sqlalchemy.orm import Session

from coordinator.cli import register
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import Discipline, Role
from coordinator.jobs.context import JobContext
from coordinator.planning import what_if
from coordinator.planning.search import Found, Look, Task, search_apart, search_here
from coordinator.planning.what_if_changes import ChangesSchema
from coordinator.planning.what_if_model import ScenarioRun
from coordinator.schema import metadata
from coordinator.travel.atlas import SHIPPED
from coordinator.travel.geocode import Geocoder
from tests.builders import make_patient
from tests.conftest import WorkAs, actor_with
from tests.people import Browser, at, browser, pointers
from tests.planning.conftest import EVE, TestAgency, make_agency

#: What running a scenario may write: itself, its job, and who did what.
ITS_OWN = {
    "scenario", "scenario_run", "audit_event", "audit_head", "queued_job", "job_receipt", "idempotency_record",
    "api_token",
}  # fmt: skip


@pytest.fixture
def agency(session: Session) -> TestAgency:
    return make_agency(session, code="SF")


@pytest.fixture
def sam(app: Coordinator, database: Database, agency: TestAgency) -> Browser:
    agency.session.commit()
    return browser(app, database, "scheduler", branch_ids=[agency.branch.id])


def do(app: Coordinator, run_id: int, search: Any = search_here) -> None:
    """Do the comparison as the worker would, at the eve of the week."""
    workshop = replace(app.extensions["workshop"], now=lambda: EVE)
    what_if.perform(JobContext(workshop=workshop, name=what_if.JOB, key=what_if.job_key(run_id)), run_id, search)


@pytest.fixture
def compared(app: Coordinator, agency: TestAgency, sam: Browser) -> Callable[..., dict[str, Any]]:
    """`compared(prices={...})`: the scenario made, run and read over HTTP; its result."""

    def made(search: Any = search_here, **changes: Any) -> dict[str, Any]:
        agency.session.commit()
        with at(EVE):
            asked = sam.post("/scenarios", _body(agency, changes, name=f"scenario {len(str(changes))} {changes}"[:80]))
            assert asked.status_code == 201, asked.json
            run = sam.post(f"/scenarios/{asked.json['id']}/run", {"iterations": 80})
            assert run.status_code == 202, run.json
            do(app, run.json["id"], search)
            answer = sam.get(run.headers["Location"].removeprefix("/api/v1"))
        assert answer.json["status"] == "answered", answer.json
        found: dict[str, Any] = answer.json["result"]
        return found

    return made


def _body(agency: TestAgency, changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"branch_id": agency.branch.id, "name": "another week", "start_on": "2026-11-08", "changes": changes} | more


def digests(database: Database) -> dict[str, list[str]]:
    """A digest of every row of every table that a scenario has no business with, in order."""
    with database.transaction(write=False) as session:
        return {
            table.name: sorted(
                hashlib.sha256(json.dumps(list(row), default=str).encode()).hexdigest()
                for row in session.execute(sa.select(table))
            )
            for table in metadata.sorted_tables
            if table.name not in ITS_OWN
        }


NEW_NURSE = {
    "performer": "RN", "lat": 37.76, "lon": -122.43, "starts": "08:00", "ends": "16:30", "languages": ["en", "es"],
}  # fmt: skip


def test_a_nurse_more_places_what_one_alone_cannot(
    agency: TestAgency, compared: Callable[..., dict[str, Any]], database: Database
) -> None:
    agency.hire(weekdays=(0, 1))
    for _ in range(12):
        agency.admit(visits=3)
    agency.session.commit()
    before = digests(database)
    result = compared(new_clinicians=[NEW_NURSE])
    assert digests(database) == before
    assert result["base"]["unplaced"] > 0
    assert result["variant"]["unplaced"] < result["base"]["unplaced"]
    assert result["difference"]["placed"] == result["variant"]["placed"] - result["base"]["placed"]
    assert (result["base"]["wanted"], result["variant"]["clinicians"]) == (36, 2)
    (left,) = result["base"]["left_out"]
    assert left["discipline"] == "SN"
    assert len(left["visit_ids"]) == left["visits"] == result["base"]["unplaced"]
    assert left["reasons"][0]["sentence"]
    for plan in ("base", "variant"):
        assert (result[plan]["iterations"], result[plan]["stopped_by"], result[plan]["violations"]) == (
            80, "iterations", 0,
        )  # fmt: skip


def test_the_new_nurse_is_asked_the_same_questions_as_any(
    agency: TestAgency, compared: Callable[..., dict[str, Any]]
) -> None:
    """A therapist cannot nurse, and a nurse without the language does not meet the patient's wish."""
    agency.admit(visits=1)
    result = compared(new_clinicians=[NEW_NURSE | {"performer": "PT"}])
    assert result["variant"]["unplaced"] == 1
    (left,) = result["variant"]["left_out"]
    assert "ASM-01" in {reason["code"] for reason in left["reasons"]}


def test_without_a_clinician_from_a_day_on_only_the_days_before_are_kept(
    agency: TestAgency, compared: Callable[..., dict[str, Any]], database: Database
) -> None:
    ana, ben = agency.hire(), agency.hire()
    first, second = agency.admit(visits=1), agency.admit(visits=1)
    agency.book(first.visits[0], ana, EVE + timedelta(days=2), locked=True)
    agency.book(second.visits[0], ana, EVE + timedelta(days=4), locked=True)
    agency.session.commit()
    before = digests(database)
    result = compared(without_clinicians=[{"clinician_id": ana.id, "from": "2026-11-10"}])
    assert digests(database) == before
    assert (result["base"]["patients_moved"], result["variant"]["patients_moved"]) == (0, 1)
    assert result["variant"]["unplaced"] == 0
    alone = compared(without_clinicians=[{"clinician_id": number} for number in (ana.id, ben.id)])
    assert alone["variant"]["unplaced"] == 2
    (left,) = alone["variant"]["left_out"]
    assert {reason["code"] for reason in left["reasons"]} >= {"no-shift"}


def test_more_referrals_are_wanted_beside_what_is(
    agency: TestAgency, compared: Callable[..., dict[str, Any]], database: Database
) -> None:
    agency.hire()
    agency.admit(visits=2)
    agency.session.commit()
    before = digests(database)
    services = [{"discipline": "SN", "frequency": "3w2"}, {"discipline": "PT", "frequency": "2w2"}]
    result = compared(more_referrals=[{"count": 2, "zip": "94114", "services": services}])
    assert digests(database) == before
    assert result["difference"]["wanted"] == 2 * 5
    (left,) = result["variant"]["left_out"]
    assert (left["discipline"], left["visits"], left["imagined"], left["visit_ids"]) == ("PT", 4, 4, [])
    alike = compared(more_referrals=[{"count": 3}])
    assert alike["difference"]["wanted"] == 3 * 2
    assert alike["variant"]["unplaced"] == 0


def test_the_first_week_of_a_referral_wants_no_two_visits_a_day(
    agency: TestAgency, compared: Callable[..., dict[str, Any]]
) -> None:
    agency.hire(weekdays=(0, 1, 2, 3, 4, 5))
    more = {"count": 1, "zip": None, "lat": 37.76, "lon": -122.43, "from": "2026-11-13"}
    result = compared(more_referrals=[more | {"services": [{"discipline": "SN", "frequency": "3w2"}]}])
    assert result["variant"]["wanted"] == 2


def test_other_prices_are_also_told_in_those_that_hold_now(
    agency: TestAgency, compared: Callable[..., dict[str, Any]]
) -> None:
    agency.hire()
    for _ in range(3):
        agency.admit(visits=2)
    result = compared(prices={"travel_minute": 600})
    travel = {part["name"]: part for part in result["variant"]["parts"]}["travel"]
    assert travel["weight"] == 600
    assert result["cost_at_base_prices"] < result["variant"]["cost"]
    assert result["difference"]["cost"] is None
    assert result["difference"]["placed"] == 0


def test_costs_at_the_same_prices_are_set_against_each_other(
    agency: TestAgency, compared: Callable[..., dict[str, Any]]
) -> None:
    agency.hire()
    agency.admit(visits=2)
    result = compared(new_clinicians=[NEW_NURSE])
    assert result["difference"]["cost"] == result["variant"]["cost"] - result["base"]["cost"]


def test_a_reason_says_of_which_visit_it_speaks(agency: TestAgency, compared: Callable[..., dict[str, Any]]) -> None:
    people = [agency.admit(visits=1) for _ in range(2)]
    result = compared(new_clinicians=[NEW_NURSE | {"performer": "PT"}])
    (left,) = result["base"]["left_out"]
    numbers = [person.visits[0].id for person in people]
    (reason,) = left["reasons"]
    assert (reason["code"], reason["visits"], reason["visit_id"]) == ("no-clinician", 2, numbers[0])
    assert f"visit {numbers[0]}" in reason["sentence"]
    more = {"count": 1, "lat": 37.76, "lon": -122.43, "services": [{"discipline": "OT", "frequency": "1w1"}]}
    only = compared(more_referrals=[more])["variant"]["left_out"]
    assert [reason["visit_id"] for left in only if left["discipline"] == "OT" for reason in left["reasons"]] == [None]


def test_a_skill_that_only_the_scenario_asks_for_is_known(agency: TestAgency, sam: Browser) -> None:
    wanted = {"count": 1, "lat": 37.76, "lon": -122.43}
    services = [{"discipline": "SN", "frequency": "1w1", "skills": ["picc"]}]
    changes = {
        "new_clinicians": [NEW_NURSE | {"skills": ["picc"]}],
        "more_referrals": [wanted | {"services": services}],
    }
    with at(EVE):
        assert sam.post("/scenarios", _body(agency, changes)).status_code == 201


def test_a_zip_area_is_where_the_branchs_files_say(agency: TestAgency, work_as: WorkAs) -> None:
    agency.session.commit()
    actor = actor_with(Role.SCHEDULER, branch_ids=frozenset({agency.branch.id}))
    nurse = NEW_NURSE | {"lat": None, "lon": None, "zip": "94114"}
    given = ChangesSchema().load({"new_clinicians": [nurse]})
    with work_as(actor, now=EVE) as work:
        work.atlas = replace(SHIPPED, geocoders={"SF": Geocoder(zip_points={"94114": (37.75, -122.44)})})
        kept = what_if.create(work, agency.branch.id, "hired", date(2026, 11, 8), given).changes
    assert (kept["new_clinicians"][0]["lat"], kept["new_clinicians"][0]["lon"]) == (37.75, -122.44)


def test_the_same_twice_is_the_same(agency: TestAgency, compared: Callable[..., dict[str, Any]]) -> None:
    agency.hire()
    for _ in range(5):
        agency.admit(visits=2)
    first, second = compared(more_referrals=[{"count": 2}]), compared(more_referrals=[{"count": 2, "language": "en"}])
    for plan in ("base", "variant"):
        assert first[plan]["fingerprint"] == second[plan]["fingerprint"]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)  # the other process opens no database
def test_it_is_searched_apart_as_well(agency: TestAgency, compared: Callable[..., dict[str, Any]]) -> None:
    agency.hire()
    agency.admit(visits=1)
    assert compared(search_apart, new_clinicians=[NEW_NURSE])["variant"]["unplaced"] == 0


def test_a_week_in_which_the_clocks_change_is_compared(
    app: Coordinator, agency: TestAgency, sam: Browser, database: Database
) -> None:
    """On 2027-03-14 an hour is missing; hours are what clocks show."""
    march = EVE.replace(year=2027, month=3, day=12)
    agency.hire(expires_on=date(2029, 1, 1))
    agency.clinicians[0].credentials[0].verified_on = march.date()
    agency.session.commit()
    changes = {
        "more_referrals": [
            {"count": 1, "lat": 37.76, "lon": -122.43, "services": [{"discipline": "SN", "frequency": "5w1"}]}
        ]
    }
    with at(march):
        asked = sam.post("/scenarios", _body(agency, changes, start_on="2027-03-14"))
        run = sam.post(f"/scenarios/{asked.json['id']}/run", {"iterations": 40})
        workshop = replace(app.extensions["workshop"], now=lambda: march)
        key = what_if.job_key(run.json["id"])
        what_if.perform(JobContext(workshop=workshop, name=what_if.JOB, key=key), run.json["id"], search_here)
        result = sam.get(f"/scenarios/{asked.json['id']}/result").json["result"]
    assert (result["variant"]["wanted"], result["variant"]["unplaced"]) == (5, 0)


def test_a_run_is_cancelled_while_it_waits_and_while_it_works(
    app: Coordinator, agency: TestAgency, sam: Browser, database: Database
) -> None:
    agency.hire()
    agency.admit(visits=1)
    agency.session.commit()
    with at(EVE):
        number = sam.post("/scenarios", _body(agency, {"new_clinicians": [NEW_NURSE]})).json["id"]
        assert sam("DELETE", f"/scenarios/{number}/run").json["type"] == "/problems/run-over"
        assert sam.get(f"/scenarios/{number}/result").json["type"] == "/problems/scenario-not-run"
        first = sam.post(f"/scenarios/{number}/run", {}).json["id"]
        assert sam.post(f"/scenarios/{number}/run", {}).json["type"] == "/problems/scenario-running"
        assert sam.change("DELETE", f"/scenarios/{number}").json["type"] == "/problems/scenario-running"
        assert sam("DELETE", f"/scenarios/{number}/run").json["status"] == "cancelled"
        do(app, first)
        assert sam.get(f"/scenarios/{number}/result").json["status"] == "cancelled"
        second = sam.post(f"/scenarios/{number}/run", {"iterations": 20}).json["id"]

        def interrupted(task: Task, look: Look) -> Found:
            look(None)
            sam("DELETE", f"/scenarios/{number}/run")
            return search_here(task, look)

        do(app, second, interrupted)
        answer = sam.get(f"/scenarios/{number}/result").json
        assert (answer["status"], answer["result"], answer["cancel_requested"]) == ("cancelled", None, True)
        assert sam.change("DELETE", f"/scenarios/{number}").status_code == 204
        assert sam.get(f"/scenarios/{number}").status_code == 404
    with database.transaction(write=False) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ScenarioRun)) == 0


def test_a_run_done_twice_is_answered_once(app: Coordinator, agency: TestAgency, sam: Browser) -> None:
    agency.hire()
    agency.admit(visits=1)
    agency.session.commit()
    with at(EVE):
        number = sam.post("/scenarios", _body(agency, {"prices": {"stranger": 1}})).json["id"]
        run = sam.post(f"/scenarios/{number}/run", {"iterations": 20}).json["id"]
        do(app, run)
        first = sam.get(f"/scenarios/{number}/result").json
        do(app, run)
        assert sam.get(f"/scenarios/{number}/result").json == first


def test_nothing_of_a_scenario_can_be_published(agency: TestAgency, sam: Browser, app: Coordinator) -> None:
    routes = {rule.rule for rule in app.url_map.iter_rules() if "/scenarios" in rule.rule}
    assert routes == {
        f"/api/v1/scenarios{path}"
        for path in ("", "/<id:scenario_id>", "/<id:scenario_id>/run", "/<id:scenario_id>/result")
    }


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"name": "  "}, "/name"),
        ({"name": "x" * 81}, "/name"),
        ({"start_on": "soon"}, "/start_on"),
        ({"start_on": "2026-10-01"}, "/start_on"),
        ({"end_on": "2026-11-01"}, "/end_on"),
        ({"end_on": "2026-12-31"}, "/end_on"),
        ({"changes": {}}, "/changes"),
        ({"changes": {"surprise": 1}}, "/changes/surprise"),
        ({"changes": {"prices": {"travel_minute": -1}}}, "/changes/prices/travel_minute/value"),
        ({"changes": {"prices": {"mood": 1}}}, "/changes/prices/mood/key"),
        ({"changes": {"without_clinicians": [{"clinician_id": 999}]}}, "/changes/without_clinicians/0/clinician_id"),
        ({"changes": {"new_clinicians": [NEW_NURSE | {"performer": "wizard"}]}}, "/changes/new_clinicians/0/performer"),
        ({"changes": {"new_clinicians": [NEW_NURSE | {"lon": None}]}}, "/changes/new_clinicians/0/lon"),
        ({"changes": {"new_clinicians": [NEW_NURSE | {"ends": "07:00"}]}}, "/changes/new_clinicians/0/ends"),
        ({"changes": {"new_clinicians": [NEW_NURSE | {"from": "2026-12-24"}]}}, "/changes/new_clinicians/0/from"),
        (
            {"changes": {"new_clinicians": [NEW_NURSE | {"lat": None, "lon": None, "zip": "10001"}]}},
            "/changes/new_clinicians/0/zip",
        ),
        ({"changes": {"new_clinicians": [NEW_NURSE | {"languages": ["!!"]}]}}, "/changes/new_clinicians/0/languages/0"),
        (
            {"changes": {"new_clinicians": [NEW_NURSE | {"languages": ["en", "xq"]}]}},
            "/changes/new_clinicians/0/languages/1",
        ),
        (
            {"changes": {"new_clinicians": [NEW_NURSE | {"skills": ["wound-vac", "wund-vac"]}]}},
            "/changes/new_clinicians/0/skills/1",
        ),
        ({"changes": {"more_referrals": [{"count": 1, "language": "qq"}]}}, "/changes/more_referrals/0/language"),
        ({"changes": {"new_clinicians": [NEW_NURSE | {"count": 50}] * 3}}, "/changes/new_clinicians/2/count"),
        ({"changes": {"more_referrals": [{"count": 50}] * 4 + [{"count": 1}]}}, "/changes/more_referrals/4/count"),
        ({"changes": {"more_referrals": [{"count": 0}]}}, "/changes/more_referrals/0/count"),
        (
            {"changes": {"more_referrals": [{"count": 1, "services": [{"discipline": "SN", "frequency": "often"}]}]}},
            "/changes/more_referrals/0/services/0/frequency",
        ),
        (
            {"changes": {"more_referrals": [{"count": 1, "services": [{"discipline": "SN", "frequency": "1w1"}]}]}},
            "/changes/more_referrals/0/zip",
        ),
    ],
)
def test_bad_input_names_the_field(agency: TestAgency, sam: Browser, given: dict[str, Any], pointer: str) -> None:
    make_patient(agency.session, agency.branch)
    agency.hire(skills=("wound-vac",))
    agency.session.commit()
    with at(EVE):
        answer = sam.post("/scenarios", _body(agency, {"prices": {"stranger": 1}}) | given)
        assert answer.status_code == 422, answer.json
        assert pointer in pointers(answer)
        assert sam.get("/scenarios").json["items"] == []


def test_only_the_branchs_office_asks_what_if(
    app: Coordinator, agency: TestAgency, sam: Browser, database: Database
) -> None:
    other = make_agency(agency.session, code="OAK")
    theirs = other.hire()
    agency.session.commit()
    stranger = browser(app, database, "scheduler", branch_ids=[other.branch.id])
    intake = browser(app, database, "intake", branch_ids=[agency.branch.id])
    with at(EVE):
        body = _body(agency, {"prices": {"stranger": 1}})
        number = sam.post("/scenarios", body).json["id"]
        again = sam.post("/scenarios", body)
        assert (again.status_code, again.json["type"]) == (409, "/problems/scenario-exists")
        foreign = sam.post("/scenarios", _body(agency, {"without_clinicians": [{"clinician_id": theirs.id}]}, name="x"))
        assert foreign.status_code == 422
        assert sam("DELETE", f"/scenarios/{number}").status_code == 428
        assert sam("DELETE", f"/scenarios/{number}", match='"7"').status_code == 412
        assert intake.get(f"/scenarios/{number}").status_code == 403
        for match in (None, '"7"', sam.etag(f"/scenarios/{number}")):
            assert intake("DELETE", f"/scenarios/{number}", match=match).status_code == 403
        assert stranger.post("/scenarios", body).status_code == 404
        assert stranger.get("/scenarios").json["items"] == []
        for method, path in (("GET", ""), ("POST", "/run"), ("DELETE", "/run"), ("GET", "/result"), ("DELETE", "")):
            answer = stranger(method, f"/scenarios/{number}{path}", {} if method == "POST" else None, match='"1"')
            assert answer.status_code == 404, (method, path)
        dry = sam.post("/scenarios?dry_run=true", _body(agency, {"prices": {"stranger": 1}}, name="rehearsed"))
        assert dry.status_code == 201
        assert [one["name"] for one in sam.get("/scenarios").json["items"]] == ["another week"]


# ------------------------------------------------------------------------------------ the command


@pytest.fixture
def run(app: Coordinator, agency: TestAgency):
    register(app)

    def invoked(*arguments: str, ok: bool = True):
        agency.session.commit()
        with freeze_time(EVE):
            answer = app.test_cli_runner().invoke(args=["plan", "what-if", "--branch", "SF", *arguments])
        assert (answer.exit_code == 0) is ok, answer.output
        return answer

    return invoked


def test_a_scenario_is_named_run_and_printed_side_by_side(agency: TestAgency, run) -> None:
    ana = agency.hire()
    agency.admit(visits=2, home={"zip": "94114"})
    agency.admit(visits=2, discipline=Discipline.PT)
    options = ("--name", "busy", "--start", "2026-11-08", "--iterations", "40")
    text = run(*options, "--hire", "PT@94114", "--more", "2", "--price", "overtime_minute=240").stdout
    assert "as it is" in text
    assert "Visits left out" in text
    assert "no-clinician" in text or "ASM-01" in text
    cost = next(line for line in text.splitlines() if line.startswith("Cost"))
    assert len(cost.split(" c")) == 3, "costs at other prices have no difference"
    again = json.loads(run("--name", "busy", "--iterations", "40", "--json").stdout)
    assert again["changes"]["prices"] == {"overtime_minute": 240}
    assert again["variant"]["unplaced"] < again["base"]["unplaced"]
    gone = json.loads(
        run(
            "--name", "alone", "--start", "2026-11-08", "--iterations", "20", "--without", ana.employee_no, "--json"
        ).stdout
    )
    assert gone["variant"]["placed"] == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--name", "x"), "--start"),
        (("--name", "x", "--start", "2026-11-08"), "--changes"),
        (("--name", "x", "--start", "2026-11-08", "--changes", "{"), "--changes"),
        (("--name", "x", "--start", "2026-11-08", "--changes", "[]"), "--changes"),
        (("--name", "x", "--start", "2026-11-08", "--hire", "RN"), "--hire"),
        (("--name", "x", "--start", "2026-11-08", "--hire", "elf@94114"), "--hire"),
        (("--name", "x", "--start", "2026-11-08", "--without", "nobody"), "--without"),
        (("--name", "x", "--start", "2026-11-08", "--price", "mood=1"), "--price"),
        (("--name", "x", "--start", "2026-11-08", "--price", "stranger=low"), "--price"),
        (("--name", "x", "--start", "2020-01-01", "--more", "1"), "--start"),
    ],
)
def test_a_wrong_option_is_named(agency: TestAgency, run, arguments: tuple[str, ...], named: str) -> None:
    answer = run(*arguments, ok=False)
    assert answer.exit_code == 2
    assert named in answer.output
    assert "Traceback" not in answer.output
