"""Promises: when care could start, by whom, whether the frequencies fit for four weeks; in words and in numbers."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from coordinator.cli import register
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import Discipline, Performer, Programme, ReferralSetting, Role
from coordinator.jobs.context import JobContext
from coordinator.planning import promise
from coordinator.planning.apart import apart, here
from coordinator.referrals import service as referrals
from coordinator.schema import metadata
from coordinator.travel.atlas import SHIPPED
from coordinator.travel.geocode import Geocoder
from coordinator.travel.model import TravelLeg, TravelPoint
from coordinator.travel.roads import Osrm
from tests.conftest import NOW, WorkAs, actor_with
from tests.people import Browser, at, browser, pointers
from tests.planning.conftest import TestAgency, make_agency
from tests.planning.test_what_if import ITS_OWN, digests
from tests.referrals.kit import FULL
from tests.travel.fake_osrm import FakeOsrm

#: English, at a point of the branch's area.
PLAIN = FULL | {
    "spoken_language": "en", "written_language": "en", "interpreter_needed": False, "lat": 37.7585, "lon": -122.4350,
}  # fmt: skip
ONE_RN = [{"discipline": "SN", "frequency": "2w4"}]


@pytest.fixture
def agency(session: Session) -> TestAgency:
    return make_agency(session, code="SF")


@pytest.fixture
def refer(work_as: WorkAs, agency: TestAgency) -> Callable[..., int]:
    """`refer(spoken_language="es")`: the number of a referral that came in at the tests' clock."""

    def received(*, now: datetime = NOW, **content: Any) -> int:
        agency.session.commit()
        branch = content.pop("branch", agency.branch.id)
        actor = actor_with(Role.INTAKE, branch_ids=frozenset({branch}))
        with work_as(actor, now=now) as work:
            return referrals.receive(work, branch, Programme.KP_HBPC, now, **(PLAIN | content)).id

    return received


@pytest.fixture
def ira(app: Coordinator, database: Database, agency: TestAgency) -> Browser:
    agency.session.commit()
    return browser(app, database, "intake", branch_ids=[agency.branch.id])


@pytest.fixture
def promised(app: Coordinator, ira: Browser) -> Callable[..., dict[str, Any]]:
    """`promised(referral, services=[...])`: asked and answered; the result."""

    def asked(referral: int, *, now: datetime = NOW, room: Any = here, **body: Any) -> dict[str, Any]:
        with at(now):
            answer = ira.post(f"/referrals/{referral}/promise", {"iterations": 60} | body)
            assert answer.status_code == 202, answer.json
            do(app, answer.json["id"], now=now, room=room)
            row = ira.get(answer.headers["Location"].removeprefix("/api/v1")).json
        assert row["status"] == "answered", row
        found: dict[str, Any] = row["result"] | {"promise": row["id"]}
        return found

    return asked


def do(app: Coordinator, promise_id: int, *, now: datetime = NOW, room: Any = here) -> None:
    workshop = replace(app.extensions["workshop"], now=lambda: now)
    key = promise.job_key(promise_id)
    promise.perform(JobContext(workshop=workshop, name=promise.JOB, key=key), promise_id, room)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_a_free_nurse_starts_today_and_the_weeks_fit(
    agency: TestAgency,
    refer: Callable[..., int],
    promised: Callable[..., dict[str, Any]],
    database: Database,
) -> None:
    nurse, therapist = agency.hire(), agency.hire(Performer.PT)
    referral = refer()
    before = digests(database)
    result = promised(
        referral, services=[{"discipline": "SN", "frequency": "3w2 2w2"}, {"discipline": "PT", "frequency": "2w4"}]
    )
    unchanged = {name: rows for name, rows in digests(database).items() if name != "promise"}
    assert unchanged == {name: rows for name, rows in before.items() if name != "promise"}
    assert set(unchanged) | {"promise"} | ITS_OWN >= set(metadata.tables)
    first = result["offers"][0]
    assert (first["clinician_id"], first["day"], first["in_time"]) == (nurse.id, "2026-11-09", True)
    assert local(first["starts_at"]) >= NOW + timedelta(minutes=30)
    assert local(first["arrive_from"]) <= local(first["arrive_to"]) <= local(first["arrive_from"]) + timedelta(hours=1)
    assert first["way_minutes"] > 0
    assert [offer["day"] for offer in result["offers"]] == ["2026-11-09", "2026-11-10", "2026-11-11"]
    assert result["due_at"] == "2026-11-11T16:00:00+00:00"
    nursing, therapy = result["services"]
    assert [(week["wanted"], week["fits"]) for week in nursing["weeks"]] == [(3, 3), (3, 3), (2, 2), (2, 2)]
    assert nursing["by"] == [{"clinician_id": nurse.id, "visits": 10}]
    assert therapy["by"] == [{"clinician_id": therapist.id, "visits": 8}]
    assert result["conclusion"] == "yes"
    assert result["sentence"].startswith("Yes: start Monday 2026-11-09, arriving between ")
    assert result["sentence"].endswith("all 18 visits of 4 weeks fit.")


def test_what_stands_stays_and_the_offer_lies_beside_it(
    agency: TestAgency, refer: Callable[..., int], promised: Callable[..., dict[str, Any]]
) -> None:
    nurse = agency.hire(weekdays=(0,))
    person = agency.admit(visits=1, home={"lat": 37.7585, "lon": -122.4350})
    agency.book(person.visits[0], nurse, datetime(2026, 11, 9, 18, 0, tzinfo=UTC))
    result = promised(refer(), services=ONE_RN)
    offer = result["offers"][0]
    starts, ends = local(offer["starts_at"]), local(offer["ends_at"])
    busy = (datetime(2026, 11, 9, 18, 0, tzinfo=UTC), datetime(2026, 11, 9, 18, 45, tzinfo=UTC))
    assert ends + timedelta(minutes=5) <= busy[0] or starts >= busy[1] + timedelta(minutes=5)
    assert local(offer["arrive_to"]) + timedelta(minutes=95) <= busy[0] or starts >= busy[1]


def test_the_language_decides_who_can_start(
    agency: TestAgency, refer: Callable[..., int], promised: Callable[..., dict[str, Any]]
) -> None:
    agency.hire()
    cantonese = agency.hire(languages=("en", "yue"), weekdays=(1,))
    referral = refer(spoken_language="yue", interpreter_needed=True)
    result = promised(referral, services=ONE_RN)
    assert {offer["clinician_id"] for offer in result["offers"]} == {cantonese.id}
    assert result["offers"][0]["speaks_language"] is True
    counted_on = promised(referral, services=ONE_RN, interpreter="phone")
    assert counted_on["offers"][0]["day"] == "2026-11-09"
    assert counted_on["conclusion"] == "yes_but"
    assert "An interpreter (phone) must be booked." in counted_on["sentence"]


def test_without_the_language_it_says_what_an_interpreter_would_change(
    agency: TestAgency, refer: Callable[..., int], promised: Callable[..., dict[str, Any]]
) -> None:
    agency.hire()
    result = promised(refer(spoken_language="yue", interpreter_needed=True), services=ONE_RN)
    assert (result["conclusion"], result["offers"]) == ("no", [])
    assert "LNG-01" in {reason["code"] for reason in result["first_visit_reasons"]}
    assert "With an interpreter" in result["sentence"]
    assert "2026-11-09" in result["sentence"]


def test_too_late_is_no_and_names_the_earliest(
    agency: TestAgency, refer: Callable[..., int], promised: Callable[..., dict[str, Any]]
) -> None:
    nurse = agency.hire(weekdays=(4,))
    result = promised(refer(), services=ONE_RN)
    assert (result["conclusion"], result["offers"][0]["in_time"]) == ("no", False)
    assert "nobody can start by Wednesday 2026-11-11 08:00; earliest Friday 2026-11-13" in result["sentence"]
    assert f"clinician {nurse.id}" in result["sentence"]


def test_an_ordered_day_is_that_day(
    agency: TestAgency, refer: Callable[..., int], promised: Callable[..., dict[str, Any]]
) -> None:
    agency.hire()
    result = promised(refer(ordered_soc_date=date(2026, 11, 17)), services=ONE_RN)
    assert (result["due_on"], result["offers"][0]["day"]) == ("2026-11-17", "2026-11-17")
    assert [offer["in_time"] for offer in result["offers"]] == [True, False, False]


def test_nobody_is_expected_home_before_the_discharge(
    agency: TestAgency, refer: Callable[..., int], promised: Callable[..., dict[str, Any]]
) -> None:
    agency.hire(weekdays=(0, 1, 2, 3, 4, 5))
    referral = refer(setting=ReferralSetting.INPATIENT, expected_discharge_on=date(2026, 11, 12))
    result = promised(referral, services=ONE_RN)
    assert (result["offers"][0]["day"], result["due_at"], result["conclusion"]) == ("2026-11-12", None, "yes")


def test_what_does_not_fit_is_counted_and_explained(
    agency: TestAgency, refer: Callable[..., int], promised: Callable[..., dict[str, Any]]
) -> None:
    """A nurse of one day a week cannot go twice a week; a discipline that nobody has is a no."""
    nurse = agency.hire(weekdays=(1,))
    result = promised(refer(), services=ONE_RN)
    (service,) = result["services"]
    assert [(week["wanted"], week["fits"]) for week in service["weeks"]] == [(2, 0), (2, 1), (2, 1), (2, 1)]
    assert result["conclusion"] == "yes_but"
    assert f"{service['fits']} of 8 SN visits fit." in result["sentence"]
    assert {number for reason in service["reasons"] for number in reason["clinician_ids"]} == {nurse.id}
    none = promised(refer(given_name="An"), services=[*ONE_RN, {"discipline": "SLP", "frequency": "1w4"}])
    assert none["conclusion"] == "no"
    assert "no visit of SLP fits" in none["sentence"]


def test_a_skill_that_nobody_has_keeps_the_visits_out(
    agency: TestAgency, refer: Callable[..., int], promised: Callable[..., dict[str, Any]]
) -> None:
    agency.hire()
    wound = [{"discipline": "SN", "frequency": "2w4", "skills": ["wound-vac"]}]
    result = promised(refer(), services=wound)
    assert result["services"][0]["fits"] == 0
    assert "CRD-02" in {reason["code"] for reason in result["services"][0]["reasons"]}


def test_a_lapsing_licence_counts_by_the_day(
    agency: TestAgency, refer: Callable[..., int], promised: Callable[..., dict[str, Any]]
) -> None:
    agency.hire(expires_on=date(2026, 11, 21))
    (service,) = promised(refer(), services=ONE_RN)["services"]
    assert [week["fits"] for week in service["weeks"]] == [2, 2, 0, 0]
    assert "CRD-01" in {reason["code"] for reason in service["weeks"][2]["reasons"]}


def test_outside_the_area_is_no(
    agency: TestAgency, refer: Callable[..., int], promised: Callable[..., dict[str, Any]]
) -> None:
    agency.hire()
    result = promised(refer(zip="94501"), services=ONE_RN)
    assert result["conclusion"] == "no"
    assert result["first_visit_reasons"][0]["code"] == "ELG-5"
    assert "outside the service area" in result["sentence"]


def test_what_others_already_want_comes_first(
    agency: TestAgency, refer: Callable[..., int], promised: Callable[..., dict[str, Any]]
) -> None:
    """One nurse, one day, and the week's hours are wanted by patients who are there already."""
    agency.hire(weekdays=(1,), starts=time(8), ends=time(12))
    for _ in range(6):
        agency.admit(visits=1, minutes=60)
    result = promised(refer(ordered_soc_date=date(2026, 11, 10)), services=[{"discipline": "SN", "frequency": "1w2"}])
    assert result["services"][0]["weeks"][0]["fits"] == 0
    assert result["others_left_out"] > 0


def test_the_referrals_own_disciplines_at_the_usual_frequencies(
    agency: TestAgency, refer: Callable[..., int], promised: Callable[..., dict[str, Any]]
) -> None:
    agency.hire()
    agency.hire(Performer.PT)
    services = promised(refer(disciplines=[Discipline.SN, Discipline.PT]))["services"]
    assert [(one["discipline"], one["frequency"], one["defaulted"]) for one in services] == [
        ("PT", "2w4", True), ("SN", "2w2, 1w2", True),
    ]  # fmt: skip


def test_an_address_without_a_point_says_that_ways_are_guesses(
    agency: TestAgency, refer: Callable[..., int], promised: Callable[..., dict[str, Any]]
) -> None:
    agency.hire()
    result = promised(refer(lat=None, lon=None), services=ONE_RN)
    assert result["conclusion"] == "yes_but"
    assert "The address has no point" in result["sentence"]


def test_an_address_without_a_point_is_found_in_the_street_file(
    app: Coordinator, agency: TestAgency, refer: Callable[..., int], promised: Callable[..., dict[str, Any]]
) -> None:
    agency.hire()
    workshop = app.extensions["workshop"]
    geocoder = Geocoder(zip_points={str(PLAIN["zip"])[:5]: (37.7585, -122.4350)})
    app.extensions["workshop"] = replace(workshop, atlas=replace(SHIPPED, geocoders={"SF": geocoder}))
    try:
        result = promised(refer(lat=None, lon=None), services=ONE_RN)
    finally:
        app.extensions["workshop"] = workshop
    assert result["but"] == []
    assert (
        result["offers"][0]["way_minutes"]
        == promised(refer(given_name="Ann"), services=ONE_RN)["offers"][0]["way_minutes"]
    )


def test_without_a_road_server_the_ways_are_said_to_be_estimated(
    agency: TestAgency, refer: Callable[..., int], promised: Callable[..., dict[str, Any]]
) -> None:
    agency.hire()
    assert "The ways to the home are by estimate." in promised(refer(), services=ONE_RN)["assumptions"]


def test_the_road_server_is_asked_about_the_referrals_own_point_alone(
    app: Coordinator, agency: TestAgency, refer: Callable[..., int], promised: Callable[..., dict[str, Any]]
) -> None:
    nurse = agency.hire()
    for hour, lat in ((18, 37.74), (20, 37.77)):
        person = agency.admit(visits=1, home={"lat": lat, "lon": -122.43})
        agency.book(person.visits[0], nurse, datetime(2026, 11, 10, hour, 0, tzinfo=UTC))
    fake = FakeOsrm()
    workshop = app.extensions["workshop"]
    settings = replace(SHIPPED.settings.roads, attempts=1, failures=1)
    app.extensions["workshop"] = replace(
        workshop, atlas=replace(SHIPPED, roads=Osrm(fake.url, settings, sleep=lambda _: None))
    )
    try:
        result = promised(refer(), services=ONE_RN)
        with workshop.database.transaction(write=False) as session:
            own = session.scalars(
                sa.select(TravelPoint.id).where(TravelPoint.lat_e5 == 3775850, TravelPoint.lon_e5 == -12243500)
            ).one()
            legs = list(session.execute(sa.select(TravelLeg.from_id, TravelLeg.to_id)))
    finally:
        app.extensions["workshop"] = workshop
        fake.close()
    assert "The ways to the home are by road." in result["assumptions"]
    assert legs
    assert all(own in leg for leg in legs)


def test_the_week_in_which_an_hour_comes_twice(
    app: Coordinator, agency: TestAgency, refer: Callable[..., int], promised: Callable[..., dict[str, Any]]
) -> None:
    """The clocks change on 2026-11-01; hours are what clocks show, and 48 hours are elapsed ones."""
    october = datetime(2026, 10, 30, 17, 0, tzinfo=UTC)
    agency.hire(weekdays=(6, 0, 1))
    result = promised(refer(now=october), now=october, services=ONE_RN)
    first = local(result["offers"][0]["starts_at"])
    assert result["due_at"] == "2026-11-01T17:00:00+00:00"
    assert (first.date(), first.hour, result["offers"][0]["in_time"]) == (date(2026, 11, 1), 16, True)


def test_the_same_question_twice_is_one_while_it_waits(ira: Browser, refer: Callable[..., int]) -> None:
    referral = refer()
    with at(NOW):
        first = ira.post(f"/referrals/{referral}/promise", {"services": ONE_RN})
        again = ira.post(f"/referrals/{referral}/promise", {"services": ONE_RN})
        other = ira.post(f"/referrals/{referral}/promise", {"services": ONE_RN, "offers": 1})
    assert first.json["id"] == again.json["id"] != other.json["id"]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)  # the other process opens no database
def test_it_is_searched_apart_as_well(
    agency: TestAgency, refer: Callable[..., int], promised: Callable[..., dict[str, Any]]
) -> None:
    agency.hire()
    assert promised(refer(), services=ONE_RN, room=apart)["conclusion"] == "yes"


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"services": [{"discipline": "XX"}]}, "/services/0/discipline"),
        ({"services": [{"discipline": "SN", "frequency": "often"}]}, "/services/0/frequency"),
        ({"services": [{"discipline": "SN", "frequency": "2 PRN for pain"}]}, "/services/0/frequency"),
        ({"services": [{"discipline": "SN"}, {"discipline": "SN"}]}, "/services/1/discipline"),
        ({"services": [{"discipline": "SN", "minutes": 1}]}, "/services/0/minutes"),
        ({"offers": 0}, "/offers"),
        ({"seconds": 60}, "/seconds"),
        ({"interpreter": "mime"}, "/interpreter"),
        ({"surprise": 1}, "/surprise"),
    ],
)
def test_bad_input_names_the_field(
    ira: Browser, refer: Callable[..., int], given: dict[str, Any], pointer: str
) -> None:
    referral = refer()
    with at(NOW):
        answer = ira.post(f"/referrals/{referral}/promise", given)
        assert answer.status_code == 422, answer.json
        assert pointer in pointers(answer)


def test_a_referral_of_another_branch_is_not_there(
    app: Coordinator, database: Database, agency: TestAgency, ira: Browser, refer: Callable[..., int]
) -> None:
    other = make_agency(agency.session, code="OAK")
    employed = agency.hire().id
    agency.session.commit()
    theirs = refer(branch=other.branch.id)
    mine = refer()
    stranger = browser(app, database, "intake", branch_ids=[other.branch.id])
    nurse = browser(app, database, "clinician", clinician_id=employed)
    with at(NOW):
        assert ira.post(f"/referrals/{theirs}/promise", {}).status_code == 404
        number = ira.post(f"/referrals/{mine}/promise", {}).json["id"]
        assert stranger.get(f"/promises/{number}").status_code == 404
        assert stranger.post(f"/referrals/{theirs}/hold", {"promise_id": number}).status_code == 404
        assert nurse.post(f"/referrals/{mine}/promise", {}).status_code == 403
        assert nurse.get(f"/promises/{number}").status_code == 403
        waiting = ira.post(f"/referrals/{mine}/hold", {"promise_id": number})
        assert (waiting.status_code, waiting.json["type"]) == (409, "/problems/run-without-result")


def test_a_decided_referral_is_promised_nothing(ira: Browser, refer: Callable[..., int]) -> None:
    referral = refer()
    with at(NOW):
        path = f"/referrals/{referral}"
        assert ira.change("POST", f"{path}/withdraw", {"reason": "Stays in hospital"}, of=path).status_code == 200
        answer = ira.post(f"/referrals/{referral}/promise", {})
    assert (answer.status_code, answer.json["type"]) == (409, "/problems/referral-closed")


# ------------------------------------------------------------------------------------ the command


@pytest.fixture
def run(app: Coordinator):
    register(app)

    def invoked(*arguments: str, ok: bool = True):
        with at(NOW):
            answer = app.test_cli_runner().invoke(args=["plan", "promise", *arguments])
        assert (answer.exit_code == 0) is ok, answer.output
        return answer

    return invoked


def test_the_command_says_it_in_words_and_numbers(agency: TestAgency, refer: Callable[..., int], run) -> None:
    nurse = agency.hire()
    number = str(refer())
    text = run(number, "--service", "SN 2w4", "--iterations", "40").stdout
    assert text.startswith("Yes: start Monday 2026-11-09")
    assert f"clinician {nurse.id} (RN)" in text
    assert "SN 2w4: 8 of 8   2/2  2/2  2/2  2/2" in text
    answer = json.loads(run(number, "--service", "SN", "--iterations", "40", "--json").stdout)
    assert (answer["conclusion"], answer["services"][0]["defaulted"]) == ("yes", True)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("0",), "REFERRAL"),
        (("99999999999999999999",), "REFERRAL"),
        (("1", "--service", "XX 1w1"), "--service"),
        (("1", "--service", "SN often"), "--service"),
        (("1", "--seconds", "99"), "--seconds"),
        (("1", "--interpreter", "mime"), "--interpreter"),
    ],
)
def test_a_wrong_option_is_named(refer: Callable[..., int], run, arguments: tuple[str, ...], named: str) -> None:
    refer()
    answer = run(*arguments, ok=False)
    assert answer.exit_code == 2
    assert named in answer.output
    assert "Traceback" not in answer.output
