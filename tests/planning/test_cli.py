"""`flask plan week` and `flask roster`: what a person at the server sees, and what a program reads."""

import json
from datetime import date

import pytest
from freezegun import freeze_time
from sqlalchemy.orm import Session

from coordinator.cli import register
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import Discipline, OrderStatus, Performer
from tests.planning.conftest import EVE, TestAgency, make_agency

WEEK = ("plan", "week", "--start", "2026-11-08", "--iterations", "60")


@pytest.fixture
def agency(session: Session) -> TestAgency:
    return make_agency(session, code="SF")


@pytest.fixture
def run(app: Coordinator, agency: TestAgency):
    register(app)

    def invoked(*arguments: str, ok: bool = True):
        agency.session.commit()
        with freeze_time(EVE):
            answer = app.test_cli_runner().invoke(args=list(arguments))
        assert (answer.exit_code == 0) is ok, answer.output
        return answer

    return invoked


def test_a_week_is_planned_published_and_on_the_roster(agency: TestAgency, run) -> None:
    nurse = agency.hire()
    person = agency.admit(visits=2, primary=nurse)
    unsigned = agency.admit(discipline=Discipline.PT, status=OrderStatus.SENT_FOR_SIGNATURE)
    answer = json.loads(run(*WEEK, "--branch", "SF", "--publish", "--json").stdout)
    assert (answer["wanted"], answer["placed"], answer["unplaced"], answer["violations"]) == (2, 2, [], [])
    assert answer["continuity"] == 100
    assert answer["travel_minutes"] > 0
    assert answer["status"] == "published"
    assert [order["order"] for order in answer["waiting"]] == [unsigned.order.id]
    shown = []
    for day in range(8, 15):
        day_json = run("roster", nurse.employee_no, "--date", date(2026, 11, day).isoformat(), "--json").stdout
        shown += [entry["visit"] for entry in json.loads(day_json)["visits"]]
    assert sorted(shown) == [visit.id for visit in person.visits]
    by_number = run("roster", str(nurse.id), "--date", "2026-11-08").stdout
    assert nurse.family_name in by_number


def test_without_publication_nothing_is_booked(agency: TestAgency, run) -> None:
    nurse = agency.hire(weekdays=(0,))
    agency.admit(visits=1)
    text = run(*WEEK, "--branch", "SF").stdout
    assert "Wanted 1, placed 1, left out 0" in text
    assert "No visits." in run("roster", nurse.employee_no, "--date", "2026-11-09").stdout


def test_what_is_left_out_says_why(agency: TestAgency, run) -> None:
    agency.hire(Performer.PT)
    person = agency.admit(visits=1)
    answer = json.loads(run(*WEEK, "--branch", "SF", "--json").stdout)
    (left,) = answer["unplaced"]
    assert left["visit"] == person.visits[0].id
    assert left["reasons"][0]["code"] == "ASM-01"
    assert (
        f"Visit {person.visits[0].id} is left out:\n  ASM-01: PT does not furnish SN."
        in run(*WEEK, "--branch", "SF").stdout
    )


def test_who_could_never_go_is_not_printed_beside_who_could(agency: TestAgency, run) -> None:
    agency.hire(Performer.PT)
    nurse = agency.hire(weekdays=(5,))
    person = agency.admit(visits=1)
    person.visits[0].window_from = person.visits[0].window_to = date(2026, 11, 9)
    answer = json.loads(run(*WEEK, "--branch", "SF", "--json").stdout)
    (left,) = answer["unplaced"]
    assert "ASM-01" in {reason["code"] for reason in left["reasons"]}
    assert nurse.id in {number for reason in left["reasons"] for number in reason["clinician_ids"]}
    page = run(*WEEK, "--branch", "SF").stdout
    assert "is left out:\n  no-shift: Does not work on that day." in page
    assert "furnish" not in page


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((*WEEK, "--branch", "NOWHERE"), "--branch"),
        (("plan", "week", "--branch", "SF", "--start", "soon"), "--start"),
        (("plan", "week", "--branch", "SF", "--start", "2026-10-01"), "--start"),
        (("plan", "week", "--branch", "SF", "--start", "9999-12-31"), "--start"),
        (("plan", "week", "--branch", "SF", "--start", "0001-01-01"), "--start"),
        (("roster", "E1", "--date", "9999-12-31"), "--date"),
        ((*WEEK, "--branch", "SF", "--seconds", "0"), "--seconds"),
        ((*WEEK, "--branch", "SF", "--seed", "-1"), "--seed"),
        (("roster", "nobody", "--date", "2026-11-09"), "CLINICIAN"),
        (("roster", "99999999999999999999", "--date", "2026-11-09"), "CLINICIAN"),
        (("roster", "E1", "--date", "never"), "--date"),
    ],
)
def test_a_wrong_option_is_named(agency: TestAgency, run, arguments: tuple[str, ...], named: str) -> None:
    answer = run(*arguments, ok=False)
    assert answer.exit_code == 2
    assert named in answer.output
    assert "Traceback" not in answer.output
