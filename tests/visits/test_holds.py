"""Slots held for referrals: nobody else's, until they expire, are released, or become the start of care."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from freezegun import freeze_time
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from coordinator.core.db import Database, broken_constraint
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import HoldStatus, Programme, Role, RunStatus, VisitStatus
from coordinator.planning.promise_model import Promise
from coordinator.referrals import service as referrals
from coordinator.visits import holds
from coordinator.visits.hold_model import SlotHold
from coordinator.visits.model import Visit
from tests.builders import make_job_context, make_physician
from tests.conftest import NOW, WorkAs, actor_with
from tests.people import Browser, at, browser
from tests.planning.conftest import TestAgency, make_agency
from tests.planning.test_promise import PLAIN
from tests.referrals.kit import OPEN_AT_THE_DOOR, Scene, judge

#: Tuesday, 09:00 in San Francisco.
TUESDAY = datetime(2026, 11, 10, 17, 0, tzinfo=UTC)


@pytest.fixture
def agency(session: Session) -> TestAgency:
    made = make_agency(session, code="SF")
    made.hire()
    session.commit()
    return made


@pytest.fixture
def ira(app: Coordinator, database: Database, agency: TestAgency) -> Browser:
    return browser(app, database, "intake", branch_ids=[agency.branch.id])


@pytest.fixture
def offered(database: Database, work_as: WorkAs, agency: TestAgency) -> Callable[..., tuple[int, int]]:
    """`offered(starts_at)`: a referral and a promise that offers that slot of the nurse."""

    def made(starts_at: datetime = TUESDAY, *, minutes: int = 90, **content: Any) -> tuple[int, int]:
        actor = actor_with(Role.INTAKE, branch_ids=frozenset({agency.branch.id}))
        with work_as(actor) as work:
            given = PLAIN | {"given_name": f"Mei{content.pop('number', 0)}"} | content
            referral = referrals.receive(work, agency.branch.id, Programme.KP_HBPC, NOW, **given)
            offer = {
                "number": 1, "clinician_id": agency.clinicians[0].id, "minutes": minutes,
                "starts_at": starts_at.isoformat(), "ends_at": (starts_at + timedelta(minutes=minutes)).isoformat(),
            }  # fmt: skip
            promise = Promise(
                branch_id=agency.branch.id, referral_id=referral.id, status=RunStatus.ANSWERED, requested_at=NOW,
                request={"services": [], "interpreter": None}, result={"offers": [offer]},
            )  # fmt: skip
            work.session.add(promise)
            work.session.flush()
            return referral.id, promise.id

    return made


def held(ira: Browser, offer: tuple[int, int], *, now: datetime = NOW) -> Any:
    with at(now):
        return ira.post(f"/referrals/{offer[0]}/hold", {"promise_id": offer[1]})


def rows(database: Database) -> list[SlotHold]:
    with database.transaction(write=False) as session:
        return list(session.scalars(sa.select(SlotHold).order_by(SlotHold.id)))


def wanted(agency: TestAgency) -> Visit:
    person = agency.admit(visits=1)
    agency.session.commit()
    return person.visits[0]


def test_an_offered_slot_is_held_and_nobody_else_gets_it(
    app: Coordinator, database: Database, agency: TestAgency, ira: Browser, offered: Callable[..., tuple[int, int]]
) -> None:
    first = held(ira, offered())
    assert first.status_code == 201, first.json
    assert (first.json["status"], first.json["expires_at"]) == ("held", "2026-11-10T16:00:00Z")
    second = held(ira, offered(TUESDAY + timedelta(minutes=30)))
    assert (second.status_code, second.json["type"]) == (409, "/problems/double-booking")
    assert [entry["hold"] for entry in second.json["blocking"]] == [first.json["id"]]
    assert "a slot held for a referral" in second.json["detail"]
    visit = wanted(agency)
    sam = browser(app, database, "scheduler", branch_ids=[agency.branch.id])
    body = {"clinician_id": agency.clinicians[0].id, "starts_at": (TUESDAY + timedelta(hours=1)).isoformat()}
    with at(NOW):
        refused = sam.change("POST", f"/visits/{visit.id}/assign", body, of=f"/visits/{visit.id}")
        assert (refused.status_code, refused.json["type"]) == (409, "/problems/double-booking")
        assert [entry["hold"] for entry in refused.json["blocking"]] == [first.json["id"]]


def test_a_visit_too_near_to_drive_from_is_refused_beside_a_held_slot(
    app: Coordinator, database: Database, agency: TestAgency, ira: Browser, offered: Callable[..., tuple[int, int]]
) -> None:
    held(ira, offered(lat=37.80, lon=-122.41))
    visit = wanted(agency)
    sam = browser(app, database, "scheduler", branch_ids=[agency.branch.id])
    body = {"clinician_id": agency.clinicians[0].id, "starts_at": (TUESDAY + timedelta(minutes=91)).isoformat()}
    with at(NOW):
        refused = sam.change("POST", f"/visits/{visit.id}/assign", body, of=f"/visits/{visit.id}")
    assert (refused.status_code, refused.json["type"]) == (409, "/problems/travel-infeasible")


@pytest.mark.parametrize("first", ["hold", "visit"])
def test_the_database_itself_lets_a_visit_and_a_held_slot_not_overlap(
    database: Database, agency: TestAgency, offered: Callable[..., tuple[int, int]], first: str
) -> None:
    referral, _ = offered()
    visit = wanted(agency)
    nurse = agency.clinicians[0].id

    def place(session: Session) -> None:
        session.execute(
            sa.update(Visit)
            .where(Visit.id == visit.id)
            .values(
                status=VisitStatus.BOOKED, clinician_id=nurse, starts_at=TUESDAY + timedelta(minutes=60),
                ends_at=TUESDAY + timedelta(minutes=105),
            )
        )  # fmt: skip

    def hold(session: Session) -> None:
        session.add(
            SlotHold(
                branch_id=agency.branch.id, referral_id=referral, clinician_id=nurse, starts_at=TUESDAY,
                ends_at=TUESDAY + timedelta(minutes=90), status=HoldStatus.HELD, held_at=NOW, expires_at=TUESDAY,
            )
        )  # fmt: skip
        session.flush()

    steps = (hold, place) if first == "hold" else (place, hold)
    with database.transaction() as session:
        steps[0](session)
    with pytest.raises(IntegrityError) as refused, database.transaction() as session:
        steps[1](session)
    assert broken_constraint(refused.value) == "no_hold_overlap"


def test_a_released_slot_is_free_and_held_again(
    database: Database, ira: Browser, offered: Callable[..., tuple[int, int]]
) -> None:
    offer = offered()
    number = held(ira, offer).json["id"]
    again = held(ira, offer)
    assert (again.status_code, again.json["type"]) == (409, "/problems/hold-exists")
    with at(NOW):
        assert ira("DELETE", f"/holds/{number}").status_code == 428
        assert ira("DELETE", f"/holds/{number}", match='"9"').status_code == 412
        released = ira("DELETE", f"/holds/{number}", match='"1"')
        assert (released.json["status"], released.json["end_reason"]) == ("released", "by-hand")
        over = ira("DELETE", f"/holds/{number}", match='"2"')
        assert (over.status_code, over.json["type"]) == (409, "/problems/hold-over")
    assert held(ira, offer).status_code == 201
    with at(NOW):
        listed = ira.get(f"/referrals/{offer[0]}/holds").json["items"]
    assert [one["status"] for one in listed] == ["released", "held"]


def test_who_may_not_release_hears_nothing_of_versions(
    app: Coordinator, database: Database, agency: TestAgency, ira: Browser, offered: Callable[..., tuple[int, int]]
) -> None:
    number = held(ira, offered()).json["id"]
    manager = browser(app, database, "administrator", branch_ids=[agency.branch.id])
    with at(NOW):
        for match in (None, '"7"', '"1"'):
            answer = manager("DELETE", f"/holds/{number}", match=match)
            assert (answer.status_code, answer.json["permission"]) == (403, "referral:hold")
    assert rows(database)[0].status is HoldStatus.HELD


def test_an_overdue_hold_lets_go_by_the_clock_or_when_somebody_reaches_for_it(
    app: Coordinator, database: Database, agency: TestAgency, ira: Browser, offered: Callable[..., tuple[int, int]]
) -> None:
    late = TUESDAY + timedelta(days=2)
    first, second = offered(late, number=1), offered(late, number=2)
    assert held(ira, first).status_code == 201
    later = NOW + timedelta(hours=25)
    assert held(ira, second, now=NOW + timedelta(hours=23)).status_code == 409
    assert held(ira, second, now=later).status_code == 201
    assert [(row.status.value, row.end_reason) for row in rows(database)] == [("expired", "expired"), ("held", None)]
    context = make_job_context(app, "holds.expire", now=later + timedelta(hours=24))
    holds.expire_job(context, {"branch_id": agency.branch.id})
    holds.expire_job(context, {"branch_id": agency.branch.id})
    assert [row.status.value for row in rows(database)] == ["expired", "expired"]
    notices = ira.get("/notices?kind=hold.expired").json["items"]
    assert [one["subject"] for one in notices] == [f"referral:{offer[0]}" for offer in (second, first)]
    assert notices[0]["sentence"] == (
        f"The slot on 2026-11-12 that was held for referral {second[0]} is held no longer: its time was up."
    )


def test_a_withdrawn_referral_holds_nothing(
    database: Database, ira: Browser, offered: Callable[..., tuple[int, int]]
) -> None:
    offer = offered()
    held(ira, offer)
    path = f"/referrals/{offer[0]}"
    with at(NOW):
        assert ira.change("POST", f"{path}/withdraw", {"reason": "Stays there"}, of=path).status_code == 200
    (row,) = rows(database)
    assert (row.status, row.end_reason) == (HoldStatus.RELEASED, "referral-closed")
    refused = held(ira, offer)
    assert (refused.status_code, refused.json["type"]) == (409, "/problems/referral-closed")


def _accept(work_as: WorkAs, agency: TestAgency, database: Database, ira: Browser, referral_id: int) -> Any:
    with database.transaction() as session:
        certifier = make_physician(session).id
    user = 1
    actor = actor_with(Role.INTAKE, Role.CLINICAL_MANAGER, user_id=user, branch_ids=frozenset({agency.branch.id}))
    scene = Scene(agency.branch.id, 0, actor, actor, actor, actor, certifier)
    with work_as(actor) as work:
        judge(work, scene, referrals.get(work, referral_id), *OPEN_AT_THE_DOOR)
    with at(NOW):
        path = f"/referrals/{referral_id}"
        return ira.change("POST", f"{path}/accept", {}, of=path)


def test_acceptance_makes_the_held_slot_the_start_of_care(
    app: Coordinator,
    database: Database,
    work_as: WorkAs,
    agency: TestAgency,
    ira: Browser,
    offered: Callable[..., tuple[int, int]],
) -> None:
    offer = offered()
    number = held(ira, offer).json["id"]
    accepted = _accept(work_as, agency, database, ira, offer[0])
    assert accepted.status_code == 200, accepted.json
    (row,) = rows(database)
    assert (row.status, row.end_reason) == (HoldStatus.TAKEN, "accepted")
    assert row.visit_id is not None
    sam = browser(app, database, "scheduler", branch_ids=[agency.branch.id])
    with at(NOW):
        visit = sam.get(f"/visits/{row.visit_id}").json
        assert (visit["status"], visit["kind"], visit["locked"]) == ("pending", "initial", True)
        assert (visit["clinician_id"], visit["starts_at"]) == (agency.clinicians[0].id, "2026-11-10T17:00:00Z")
        confirmed = sam.change("POST", f"/visits/{row.visit_id}/confirm", {}, of=f"/visits/{row.visit_id}")
        assert confirmed.json["status"] == "booked", confirmed.json
    assert number == row.id


def test_acceptance_goes_on_where_the_slot_can_no_longer_be_had(
    database: Database,
    work_as: WorkAs,
    agency: TestAgency,
    ira: Browser,
    offered: Callable[..., tuple[int, int]],
) -> None:
    offer = offered()
    held(ira, offer)
    agency.clinicians[0].active = False
    agency.session.commit()
    assert _accept(work_as, agency, database, ira, offer[0]).status_code == 200
    (row,) = rows(database)
    assert (row.status, row.end_reason, row.visit_id) == (HoldStatus.RELEASED, "clinician-inactive", None)
    with database.transaction(write=False) as session:
        assert session.scalars(sa.select(Visit.status)).all() == [VisitStatus.PROPOSED]


def test_the_rules_are_asked_again_when_a_slot_is_held(
    database: Database, agency: TestAgency, ira: Browser, offered: Callable[..., tuple[int, int]]
) -> None:
    agency.clinicians[0].credentials[0].expires_on = NOW.date()
    agency.session.commit()
    refused = held(ira, offered())
    assert (refused.status_code, refused.json["type"]) == (422, "/problems/qualification-missing")
    assert rows(database) == []
    with at(NOW):
        offer = offered()
        wrong = ira.post(f"/referrals/{offer[0]}/hold", {"promise_id": offer[1], "offer": 2})
        assert wrong.status_code == 422
        other = ira.post(f"/referrals/{offer[0]}/hold", {"promise_id": offer[1] - 1})
        assert other.status_code == 404
        assert ira.post(f"/referrals/{offer[0]}/hold", {}).status_code == 422
    past = held(ira, offered(NOW - timedelta(hours=1)))
    assert (past.status_code, past.json["type"]) == (409, "/problems/day-over")


def test_a_dry_run_holds_nothing(database: Database, ira: Browser, offered: Callable[..., tuple[int, int]]) -> None:
    offer = offered()
    with at(NOW):
        answer = ira.post(f"/referrals/{offer[0]}/hold?dry_run=true", {"promise_id": offer[1]})
    assert answer.status_code == 201
    assert rows(database) == []


@pytest.mark.slow
def test_many_reach_for_one_slot_and_one_has_it(
    app: Coordinator, database: Database, ira: Browser, offered: Callable[..., tuple[int, int]]
) -> None:
    offers = [offered(TUESDAY + timedelta(minutes=number), number=number) for number in range(24)]
    hands = [Browser(app.test_client(), ira.token) for _ in offers]
    ready = Barrier(len(offers))

    def reach(number: int) -> Any:
        ready.wait(30)
        return hands[number].post(f"/referrals/{offers[number][0]}/hold", {"promise_id": offers[number][1]})

    with freeze_time(NOW), ThreadPoolExecutor(len(offers)) as pool:
        answers = list(pool.map(reach, range(len(offers))))
    assert Counter(answer.status_code for answer in answers) == Counter({201: 1, 409: len(offers) - 1})
    (winner,) = (answer.json["id"] for answer in answers if answer.status_code == 201)
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json["type"] == "/problems/double-booking"
            assert [entry["hold"] for entry in answer.json["blocking"]] == [winner]
    assert [row.status.value for row in rows(database)] == ["held"]


@pytest.mark.slow
def test_a_visit_and_a_hold_reach_for_one_hour_and_one_has_it(
    app: Coordinator, database: Database, agency: TestAgency, ira: Browser, offered: Callable[..., tuple[int, int]]
) -> None:
    people = [agency.admit(visits=1) for _ in range(8)]
    agency.session.commit()
    visits = [person.visits[0].id for person in people]
    offers = [offered(TUESDAY + timedelta(minutes=number), number=number) for number in range(8)]
    sam = browser(app, database, "scheduler", branch_ids=[agency.branch.id])
    ready = Barrier(16)
    body = {"clinician_id": agency.clinicians[0].id, "starts_at": (TUESDAY + timedelta(minutes=10)).isoformat()}

    def reach(number: int) -> int:
        hand = Browser(app.test_client(), (sam if number % 2 else ira).token)
        ready.wait(30)
        if number % 2:
            answer = hand("POST", f"/visits/{visits[number // 2]}/assign", body, match='"1"')
        else:
            offer = offers[number // 2]
            answer = hand.post(f"/referrals/{offer[0]}/hold", {"promise_id": offer[1]})
        return int(answer.status_code)

    with freeze_time(NOW), ThreadPoolExecutor(16) as pool:
        codes = Counter(pool.map(reach, range(16)))
    assert sum(codes[code] for code in (200, 201)) == 1, codes
    assert codes[409] == 15
