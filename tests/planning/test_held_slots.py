"""A slot held for a referral stands in every problem like a visit, and is none: nobody's to move, unlock or name."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from coordinator.core.db import Database, filled
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import HoldStatus, Programme, Role, VisitKind
from coordinator.jobs.context import JobContext
from coordinator.planning import service, what_if
from coordinator.planning.search import search_here
from coordinator.referrals import service as referrals
from coordinator.visits.hold_model import SlotHold
from coordinator.visits.model import Visit
from tests.conftest import NOW, WorkAs, actor_with
from tests.people import Browser, at, browser
from tests.planning.conftest import TestAgency, make_agency
from tests.planning.test_promise import ONE_RN, PLAIN, do

#: Tuesday, 09:00 in San Francisco; the tests' clock stands on the Monday.
TUESDAY = datetime(2026, 11, 10, 17, 0, tzinfo=UTC)
NINETY = timedelta(minutes=90)
#: What no answer may show: the number under which the scene keeps a held slot.
NO_ROW = "-100000000"


@pytest.fixture
def agency(session: Session) -> TestAgency:
    """A nurse with a visit on Tuesday afternoon, and a patient who wants two visits."""
    made = make_agency(session, code="SF")
    nurse = made.hire()
    booked = made.admit(visits=1).visits[0]
    made.book(booked, nurse, TUESDAY + timedelta(hours=4), locked=True)
    made.admit(visits=2)
    session.commit()
    return made


@pytest.fixture
def sam(app: Coordinator, database: Database, agency: TestAgency) -> Browser:
    return browser(app, database, "scheduler", branch_ids=[agency.branch.id])


@pytest.fixture
def hold(database: Database, work_as: WorkAs, agency: TestAgency) -> Callable[..., tuple[int, int]]:
    """`hold(starts_at)`: the nurse's time is held for a referral; the numbers of the hold and of the referral."""

    def made(starts_at: datetime = TUESDAY, **content: Any) -> tuple[int, int]:
        actor = actor_with(Role.INTAKE, branch_ids=frozenset({agency.branch.id}))
        with work_as(actor) as work:
            given = PLAIN | content
            referral = referrals.receive(work, agency.branch.id, Programme.KP_HBPC, NOW, **given)
            row = SlotHold(
                branch_id=agency.branch.id, referral_id=referral.id, clinician_id=agency.clinicians[0].id,
                starts_at=starts_at, ends_at=starts_at + NINETY, status=HoldStatus.HELD, held_at=NOW,
                expires_at=starts_at,
            )  # fmt: skip
            work.session.add(row)
            work.session.flush()
            return row.id, referral.id

    return made


def context(app: Coordinator, name: str, key: str) -> JobContext:
    return JobContext(workshop=replace(app.extensions["workshop"], now=lambda: NOW), name=name, key=key)


def test_a_row_that_is_never_added_has_what_the_table_would_fill_in() -> None:
    visit = filled(Visit(id=-1, minutes=45))
    assert (visit.is_optional, visit.locked, visit.is_current, visit.kind) == (False, False, True, VisitKind.ROUTINE)
    assert (visit.hold_bill, visit.minutes, visit.starts_at) == ([], 45, None)
    assert filled(Visit(is_optional=True)).is_optional is True


def test_a_run_plans_around_a_held_slot(
    app: Coordinator, agency: TestAgency, sam: Browser, hold: Callable[..., tuple[int, int]]
) -> None:
    hold(lat=None, lon=None)
    with at(NOW):
        asked = sam.post("/plan-runs", {"branch_id": agency.branch.id, "start_on": "2026-11-09", "iterations": 60})
        assert asked.status_code == 202, asked.json
        number = asked.json["id"]
        service.perform(context(app, service.JOB, service.job_key(number)), number, search_here)
        run = sam.get(f"/plan-runs/{number}").json
        placed = sam.get(f"/plan-runs/{number}/explanation").json
    assert run["status"] == "proposed", run
    assert (run["result"]["placed"], run["result"]["fixed"]) == (2, 2)
    assert run["result"]["unlocated_patients"] == []
    assert NO_ROW not in str(run) + str(placed)
    assert len(placed["visits"]) == 2
    for visit in placed["visits"]:
        starts, ends = (datetime.fromisoformat(visit[name]) for name in ("starts_at", "ends_at"))
        assert ends <= TUESDAY or starts >= TUESDAY + NINETY


def test_a_sick_call_leaves_a_held_slot_to_a_person(
    database: Database, agency: TestAgency, sam: Browser, hold: Callable[..., tuple[int, int]]
) -> None:
    agency.hire()
    agency.session.commit()
    number, referral = hold()
    nurse = agency.clinicians[0].id
    event = {
        "kind": "absence", "clinician_id": nurse, "starts_at": TUESDAY.isoformat(),
        "ends_at": (TUESDAY + timedelta(hours=9)).isoformat(), "reason": "sick",
    }  # fmt: skip
    with at(NOW):
        asked = sam.post("/repairs", {"branch_id": agency.branch.id, "event": event, "seconds": 0})
        assert asked.status_code == 201, asked.json
        (slot,) = asked.json["held_slots"]
        assert (slot["hold"], slot["referral"], slot["clinician_id"]) == (number, referral, nurse)
        assert slot["sentence"].startswith(f"A slot held for referral {referral} is hit: a person decides")
        assert datetime.fromisoformat(slot["starts_at"]) == TUESDAY
        # The locked visit and the held slot.
        assert asked.json["counts"]["decide"] == 2
        assert (asked.json["touched"]["hit_visits"], asked.json["touched"]["hit_patients"]) == (1, 1)
        assert [c["visit"] for p in asked.json["patients"] for c in p["changes"]] == [agency.people[0].visits[0].id]
        assert asked.json["stale"] == []
        assert NO_ROW not in asked.text
        path = f"/repairs/{asked.json['id']}"
        approved = sam.change("POST", f"{path}/approve", {}, of=path)
        assert approved.status_code == 200, approved.json
    with database.transaction(write=False) as session:
        assert session.scalar(sa.select(SlotHold.status).where(SlotHold.id == number)) is HoldStatus.HELD


def test_a_sick_call_far_ahead_finds_the_held_slot(
    agency: TestAgency, sam: Browser, hold: Callable[..., tuple[int, int]]
) -> None:
    far = TUESDAY + timedelta(days=14)
    number, _ = hold(far)
    event = {
        "kind": "absence", "clinician_id": agency.clinicians[0].id, "starts_at": far.isoformat(),
        "ends_at": (far + NINETY).isoformat(),
    }  # fmt: skip
    with at(NOW):
        asked = sam.post("/repairs?dry_run=true", {"branch_id": agency.branch.id, "event": event, "seconds": 0})
    assert [slot["hold"] for slot in asked.json["held_slots"]] == [number], asked.json


def test_a_visit_that_runs_into_a_held_slot_leaves_it_to_a_person(
    agency: TestAgency, sam: Browser, hold: Callable[..., tuple[int, int]]
) -> None:
    number, _ = hold(TUESDAY + timedelta(hours=5))
    event = {"kind": "overrun", "visit_id": agency.people[0].visits[0].id, "minutes": 60}
    with at(TUESDAY + timedelta(minutes=30)):
        asked = sam.post("/repairs", {"branch_id": agency.branch.id, "event": event, "seconds": 0})
    assert asked.status_code == 201, asked.json
    assert [slot["hold"] for slot in asked.json["held_slots"]] == [number]


def test_questions_about_a_visit_never_offer_to_unlock_a_held_slot(
    agency: TestAgency, sam: Browser, hold: Callable[..., tuple[int, int]]
) -> None:
    hold(lat=None, lon=None)
    nurse = agency.clinicians[0]
    # The week has one day, and that is full: what could be had by lifting something is asked for.
    for shift in list(nurse.shifts):
        if shift.weekday != TUESDAY.weekday():
            nurse.shifts.remove(shift)
    nurse.max_visits_per_day = 2
    agency.session.commit()
    visit = agency.people[1].visits[0].id
    with at(NOW):
        for question in ("suggestions", "explanation", "relaxations"):
            answer = sam.get(f"/visits/{visit}/{question}")
            assert answer.status_code == 200, answer.json
            assert NO_ROW not in answer.text
            assert answer.json.get("unlocated_patients", []) == []
    assert answer.json["relaxations"]


def test_a_scenario_compares_around_a_held_slot_and_counts_the_one_that_is_lost(
    app: Coordinator, agency: TestAgency, sam: Browser, hold: Callable[..., tuple[int, int]]
) -> None:
    hold()
    agency.hire()
    agency.session.commit()
    changes = {"without_clinicians": [{"clinician_id": agency.clinicians[0].id}], "more_referrals": [{"count": 1}]}
    body = {"branch_id": agency.branch.id, "name": "one less", "start_on": "2026-11-09", "changes": changes}
    with at(NOW):
        scenario = sam.post("/scenarios", body).json["id"]
        run = sam.post(f"/scenarios/{scenario}/run", {"iterations": 60}).json["id"]
        what_if.perform(context(app, what_if.JOB, what_if.job_key(run)), run, search_here)
        answer = sam.get(f"/scenarios/{scenario}/result")
    assert answer.json["status"] == "answered", answer.json
    result = answer.json["result"]
    assert [result[plan]["held_slots"] for plan in ("base", "variant", "difference")] == [1, 0, -1]
    assert NO_ROW not in answer.text


def test_a_promise_is_made_around_the_held_slot_of_another_referral(
    app: Coordinator, database: Database, agency: TestAgency, hold: Callable[..., tuple[int, int]]
) -> None:
    hold(lat=None, lon=None)
    _, referral = hold(TUESDAY + timedelta(days=1), given_name="Ann")
    ira = browser(app, database, "intake", branch_ids=[agency.branch.id])
    with at(NOW):
        asked = ira.post(f"/referrals/{referral}/promise", {"services": ONE_RN, "iterations": 40})
        do(app, asked.json["id"])
        row = ira.get(f"/promises/{asked.json['id']}")
    assert row.json["status"] == "answered", row.json
    assert row.json["result"]["others_left_out"] == 0
    assert NO_ROW not in row.text
