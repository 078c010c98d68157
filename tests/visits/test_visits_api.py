"""Visits over HTTP: what people send, and how every mistake is answered."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.core.audit import AuditEvent
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.deadlines.model import Deadline
from coordinator.domain.vocabulary import DeadlineStatus, Discipline, OrderStatus, Role, VisitStatus
from coordinator.visits.duty_model import VisitDuty
from coordinator.visits.model import Visit
from tests.conftest import NOW
from tests.people import Browser, at, browser, pointers
from tests.visits.conftest import FRIDAY, NEXT_MONDAY, TUESDAY, OrderMaker, Scene, local, make_another_patient

Wanted = Callable[..., list[int]]


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with at(NOW):
        yield


@pytest.fixture
def office(app: Coordinator, database: Database, scene: Scene) -> Browser:
    return browser(app, database, Role.SCHEDULER, branch_ids=[scene.branch])


@pytest.fixture
def manager(app: Coordinator, database: Database, scene: Scene) -> Browser:
    return browser(app, database, Role.CLINICAL_MANAGER, branch_ids=[scene.branch])


@pytest.fixture
def nurse(app: Coordinator, database: Database, scene: Scene) -> Browser:
    return browser(app, database, Role.CLINICIAN, branch_ids=[scene.branch], clinician_id=scene["nurse"])


@pytest.fixture
def physician(app: Coordinator, database: Database, scene: Scene) -> Browser:
    return browser(app, database, Role.PHYSICIAN, physician_id=scene.physician)


def _slot(scene: Scene, day=TUESDAY, hour: int = 9, who: str = "nurse") -> dict[str, Any]:
    return {"clinician_id": scene[who], "starts_at": local(day, hour).isoformat()}


def test_a_visit_from_wanted_to_signed_for(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, office: Browser, nurse: Browser, manager: Browser
) -> None:
    order = ordered()
    number = wanted(order)[0]
    path = f"/visits/{number}"
    held = office.change("POST", f"{path}/hold", _slot(scene), of=path)
    assert (held.status_code, held.json["status"]) == (200, "pending")
    assert nurse.get("/rosters/me/2026-11-10").json["stops"] == []
    booked = office.change("POST", f"{path}/confirm", {}, of=path)
    assert (booked.status_code, booked.json["status"]) == (200, "booked")
    assert booked.json["starts_at"] == "2026-11-10T17:00:00Z"
    assert booked.json["zone"] == "America/Los_Angeles"
    day = nurse.get("/rosters/me/2026-11-10")
    assert [stop["visit_id"] for stop in day.json["stops"]] == [number]
    assert day.json["stops"][0]["order_line"] == "SN 2w2, signed"
    again = nurse.client.get(
        "/api/v1/rosters/me/2026-11-10",
        headers={"Authorization": f"Bearer {nurse.token}", "If-None-Match": day.headers["ETag"]},
    )
    assert (again.status_code, again.data) == (304, b"")
    with at(local(TUESDAY, 9)):
        assert nurse.post(f"{path}/en-route").json["status"] == "en_route"
        begun = nurse.post(
            f"{path}/start", {"at": local(TUESDAY, 9).isoformat(), "place": {"lat": 37.76, "lon": -122.43}}
        )
        assert (begun.status_code, begun.json["status"]) == (200, "in_progress")
    with at(local(TUESDAY, 10)):
        ended = nurse.post(f"{path}/finish", {"at": local(TUESDAY, 9, 50).isoformat(), "event_id": "e-1"})
        assert (ended.status_code, ended.json["service_code"]) == (200, "G0299")
        assert nurse.post(f"{path}/note").json["status"] == "note_signed"
        corrected = manager.change(
            "POST", f"{path}/evv-corrections",
            {"element": "actual_end_at", "value": "2026-11-10T17:40:00Z", "reason": "left earlier"}, of=path,
        )  # fmt: skip
        assert corrected.json["actual_end_at"] == "2026-11-10T17:40:00Z"
        kept = manager.get(f"{path}/evv-corrections").json
        assert [row["original"] for row in kept] == ["2026-11-10T17:50:00+00:00"]
        assert manager.change("POST", f"{path}/verify", of=path).json["status"] == "verified"
    books = office.get(f"/orders/{order}/ledger").json
    assert {key: books["weeks"][0][key] for key in ("ordered", "planned", "done", "waived", "owed")} == {
        "ordered": 2, "planned": 0, "done": 1, "waived": 0, "owed": 1,
    }  # fmt: skip


def test_a_missed_visit_reaches_the_physician_and_comes_back(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, office: Browser, nurse: Browser, physician: Browser
) -> None:
    number = wanted(ordered())[0]
    path = f"/visits/{number}"
    office.change("POST", f"{path}/assign", _slot(scene), of=path)
    with at(local(TUESDAY, 10)):
        told = nurse.post(f"{path}/missed", {"reason": "not_home_not_found", "note": "nobody", "clinical_impact": True})
        assert (told.status_code, told.json["status"]) == (200, "missed")
        queue = physician.get("/missed-visits").json["items"]
        assert [row["id"] for row in queue] == [number]
        decided = physician.post(f"{path}/decision", {"decision": "make_up"})
        assert (decided.status_code, decided.json["is_current"]) == (200, False)
        assert physician.get("/missed-visits").json["items"] == []
    fresh = [row for row in office.get("/visits?status=proposed").json["items"] if row["replaces_id"] == number]
    assert len(fresh) == 1


def test_the_list_is_filtered_and_paged(scene: Scene, ordered: OrderMaker, wanted: Wanted, office: Browser) -> None:
    numbers = wanted(ordered())
    office.change("POST", f"/visits/{numbers[0]}/assign", _slot(scene), of=f"/visits/{numbers[0]}")
    first = office.get("/visits?limit=3").json
    assert [row["id"] for row in first["items"]] == numbers[:3]
    assert [row["id"] for row in office.get(f"/visits?limit=3&cursor={first['next']}").json["items"]] == numbers[3:]
    day = f"/visits?from=2026-11-10&to=2026-11-10&branch_id={scene.branch}"
    assert [row["id"] for row in office.get(f"{day}&status=booked,proposed").json["items"]] == numbers[:2]
    assert [row["id"] for row in office.get(f"/visits?clinician_id={scene['nurse']}").json["items"]] == numbers[:1]
    assert office.get("/visits?status=dancing").status_code == 422


def test_an_edit_says_which_version_it_edits(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, office: Browser
) -> None:
    path = f"/visits/{wanted(ordered())[0]}"
    missing = office("POST", f"{path}/assign", _slot(scene))
    assert (missing.status_code, missing.json["type"]) == (428, "/problems/version-required")
    old = office.etag(path)
    assert office("POST", f"{path}/assign", _slot(scene), match=old).status_code == 200
    stale = office("POST", f"{path}/move", _slot(scene, FRIDAY), match=old)
    assert (stale.status_code, stale.json["type"]) == (412, "/problems/stale-version")
    assert stale.headers["ETag"] == office.etag(path)


def test_a_dry_run_says_the_same_and_changes_nothing(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, office: Browser
) -> None:
    path = f"/visits/{wanted(ordered())[0]}"
    tried = office.change("POST", f"{path}/assign?dry_run=true", _slot(scene), of=path)
    assert (tried.status_code, tried.json["status"]) == (200, "booked")
    assert office.get(path).json["status"] == "proposed"


def test_a_refusal_carries_rule_citation_and_cure(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, office: Browser
) -> None:
    path = f"/visits/{wanted(ordered(Discipline.PT))[0]}"
    refused = office.change("POST", f"{path}/assign", _slot(scene), of=path)  # a nurse for a therapist's evaluation
    assert (refused.status_code, refused.json["type"]) == (422, "/problems/qualification-missing")
    finding = refused.json["findings"][0]
    assert finding["rule"] == "ASM-01"
    assert finding["citation"]
    assert finding["cure"]


def test_a_check_answers_everything_at_once(scene: Scene, ordered: OrderMaker, wanted: Wanted, office: Browser) -> None:
    number = wanted(ordered())[0]
    query = f"clinician_id={scene['nurse']}&starts_at=2026-11-16T17:00:00Z"
    answer = office.get(f"/visits/{number}/check?{query}").json
    assert answer["possible"] is False
    assert {finding["rule"] for finding in answer["findings"]} >= {"FRQ-06"}
    over = office.get(f"/visits/{number}/check?clinician_id={scene['nurse']}&starts_at=2026-11-08T17:00:00Z").json
    assert [entry["code"] for entry in over["blocking"]] == ["day-over"]
    fine = office.get(f"/visits/{number}/check?clinician_id={scene['nurse']}&starts_at=2026-11-10T17:00:00Z")
    assert fine.json["possible"] is True
    assert office.get(f"/visits/{number}/check?clinician_id=1").status_code == 422


def test_asking_for_visits(scene: Scene, ordered: OrderMaker, office: Browser, manager: Browser) -> None:
    order = ordered(prn_limit=1, prn_signs="pain")
    path = f"/patients/{scene.patient}/visits"
    asked = manager.post(path, {"order_id": order, "kind": "prn", "trigger": "pain 8"})
    assert (asked.status_code, asked.json["prn_number"]) == (201, 1)
    none_left = manager.post(path, {"order_id": order, "kind": "prn", "trigger": "pain 9"})
    assert (none_left.status_code, none_left.json["type"]) == (422, "/problems/prn-limit-reached")
    assert pointers(manager.post(path, {"kind": "prn", "trigger": "pain"})) == {"/order_id"}
    assert office.post(path, {"kind": "supervision", "minutes": 45}).json["minutes"] == 45
    more = office.post(path, {"order_id": order, "kind": "routine"})
    assert (more.status_code, more.json["type"]) == (409, "/problems/frequency-exceeded")
    unsigned = ordered(Discipline.PT, weeks=(), status=OrderStatus.SENT_FOR_SIGNATURE)
    held = office.post(path, {"order_id": unsigned, **_slot(scene, FRIDAY, who="therapist")})
    assert (held.status_code, held.json["status"]) == (201, "pending")


def test_somebody_elses_rows_sound_like_none(
    app: Coordinator, database: Database, scene: Scene, ordered: OrderMaker, wanted: Wanted, nurse: Browser
) -> None:
    patient, episode, plan = make_another_patient(database, scene)
    order = ordered(episode_id=episode, plan_id=plan)
    number = wanted(order)[0]
    foreign = browser(app, database, Role.SCHEDULER, branch_ids=[scene.branch + 1])
    for who in (nurse, foreign):
        for path in (f"/visits/{number}", f"/orders/{order}/ledger", f"/patients/{patient}/ledger",
                     f"/patients/{patient}/intermittent-usage"):  # fmt: skip
            answer = who.get(path)
            missing = who.get(path.replace(f"/{number}", "/999999").replace(f"/{order}", "/999999"))
            assert answer.status_code == 404, path
            assert answer.json["type"] == missing.json["type"] == "/problems/not-found"
        assert [row["id"] for row in who.get("/visits").json["items"]] == []
    assert nurse.get(f"/clinicians/{scene['other_nurse']}/roster/2026-11-10").status_code == 404
    assert foreign.post(f"/visits/{number}/missed", {"reason": "patient_refused"}).status_code == 404


def test_who_may_not_is_told_so(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, office: Browser, nurse: Browser
) -> None:
    number = wanted(ordered())[0]
    path = f"/visits/{number}"
    office.change("POST", f"{path}/assign", _slot(scene), of=path)
    assert nurse.change("POST", f"{path}/move", _slot(scene, FRIDAY), of=path).status_code == 403
    assert office.post(f"{path}/start", {"at": NOW.isoformat()}).status_code == 403
    assert office.post(f"{path}/decision", {"decision": "skip"}).status_code == 403
    assert office.get("/rosters/me/2026-11-10").status_code == 403


@pytest.mark.parametrize(
    ("verb", "body", "pointer"),
    [
        ("assign", {"clinician_id": "7", "starts_at": "2026-11-10T17:00:00Z"}, "/clinician_id"),
        ("assign", {"clinician_id": 10**30, "starts_at": "2026-11-10T17:00:00Z"}, "/clinician_id"),
        ("assign", {"clinician_id": True, "starts_at": "2026-11-10T17:00:00Z"}, "/clinician_id"),
        ("assign", {"clinician_id": 1, "starts_at": "2026-11-10T17:00:00"}, "/starts_at"),
        ("assign", {"clinician_id": 1, "starts_at": "9999-12-31T23:59:59Z"}, "/starts_at"),
        ("assign", {"clinician_id": 1, "starts_at": "tomorrow"}, "/starts_at"),
        ("assign", {"clinician_id": 1}, "/starts_at"),
        ("assign", {"clinician_id": 1, "starts_at": "2026-11-10T17:00:00Z", "minutes": 1}, "/minutes"),
        ("assign", {"clinician_id": 1, "starts_at": "2026-11-10T17:00:00Z", "surprise": 1}, "/surprise"),
        ("cancel", {"reason": "a\x00b"}, "/reason"),
        ("cancel", {"reason": "  "}, "/reason"),
        ("cancel", {}, "/reason"),
        ("missed", {"reason": "bored"}, "/reason"),
        ("missed", {"reason": "week_closed"}, "/reason"),
        ("kind", {"kind": 7}, "/kind"),
        ("start", {"at": "2026-11-10T17:00:00Z", "place": {"lat": 91, "lon": 0}}, "/place/lat"),
        ("start", {"at": "2026-11-10T17:00:00Z", "place": {"lat": float("nan"), "lon": 0}}, "/place/lat"),
    ],
)  # fmt: skip
def test_bad_input_names_the_field(
    ordered: OrderMaker, wanted: Wanted, manager: Browser, verb: str, body: dict[str, Any], pointer: str
) -> None:
    path = f"/visits/{wanted(ordered())[0]}"
    answer = manager.change("POST", f"{path}/{verb}", body, of=path)
    assert answer.status_code == 422, answer.json
    assert pointer in pointers(answer)


@pytest.mark.parametrize("path", ["/visits/0", "/visits/99999999999999999999", "/visits/x"])
def test_what_is_no_number_is_not_there(nurse: Browser, path: str) -> None:
    assert nurse.get(path).status_code == 404


@pytest.mark.parametrize("day", ["2026-02-30", "tomorrow", "9999-12-31", "0001-01-01", "20261110"])
def test_a_day_that_is_none_is_said(nurse: Browser, scene: Scene, day: str) -> None:
    for path in (f"/rosters/me/{day}", f"/clinicians/{scene['nurse']}/roster/{day}"):
        answer = nurse.get(path)
        assert (answer.status_code, pointers(answer)) == (422, {"/path/day"})
        assert answer.json["detail"] == "There is no such day."


def test_days_in_the_wrong_order_are_refused(office: Browser) -> None:
    answer = office.get("/visits?from=2026-11-12&to=2026-11-11")
    assert (answer.status_code, pointers(answer)) == (422, {"/query/from"})
    assert office.get("/visits?from=2026-11-12&to=2026-11-12").status_code == 200


def test_a_move_changes_something(scene: Scene, ordered: OrderMaker, wanted: Wanted, office: Browser) -> None:
    path = f"/visits/{wanted(ordered())[0]}"
    office.change("POST", f"{path}/assign", _slot(scene), of=path)
    nothing = office.change("POST", f"{path}/move", {}, of=path)
    assert (nothing.status_code, pointers(nothing)) == (422, {"/starts_at"})
    assert "nothing to change" in nothing.json["detail"]


def test_what_a_state_does_not_allow_names_the_way_out(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, office: Browser
) -> None:
    path = f"/visits/{wanted(ordered())[0]}"
    office.change("POST", f"{path}/assign", _slot(scene), of=path)
    again = office.change("POST", f"{path}/assign", _slot(scene), of=path)
    assert (again.status_code, again.json["type"], again.json["state"]) == (409, "/problems/wrong-state", "booked")
    assert again.json["detail"] == (
        "The visit is booked already; it cannot be assigned. Move it, or unassign it first."
    )


def test_cancelled_moved_and_locked(scene: Scene, ordered: OrderMaker, wanted: Wanted, office: Browser) -> None:
    number = wanted(ordered())[0]
    path = f"/visits/{number}"
    office.change("POST", f"{path}/assign", _slot(scene), of=path)
    assert office.change("POST", f"{path}/lock", of=path).json["locked"] is True
    refused = office.change("POST", f"{path}/move", _slot(scene, FRIDAY), of=path)
    assert (refused.status_code, refused.json["type"]) == (409, "/problems/visit-locked")
    office.change("POST", f"{path}/unlock", of=path)
    assert (
        office.change("POST", f"{path}/move", _slot(scene, FRIDAY), of=path).json["starts_at"] == "2026-11-13T17:00:00Z"
    )
    weeks_on = office.change("POST", f"{path}/move", _slot(scene, NEXT_MONDAY), of=path)
    assert (weeks_on.status_code, weeks_on.json["type"]) == (422, "/problems/frequency-exceeded")
    assert (
        office.change("POST", f"{path}/interpreter", {"mode": "phone"}, of=path).json["interpreter_booked"] == "phone"
    )
    assert office.change("POST", f"{path}/cancel", {"reason": "away"}, of=path).json["status"] == "cancelled"
    again = office.change("POST", f"{path}/cancel", {"reason": "away"}, of=path)
    assert (again.status_code, again.json["type"]) == (409, "/problems/wrong-state")


def test_minutes_of_nurse_and_aide_against_the_limits(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, office: Browser, manager: Browser
) -> None:
    """A visit across midnight is half today's and half tomorrow's."""
    ordered()  # nursing, on which the aide depends
    aide = wanted(ordered(Discipline.HHA, visit_minutes=60))[0]
    slot = {"clinician_id": scene["aide"], "starts_at": local(TUESDAY, 23, 30).isoformat()}
    assert office.change("POST", f"/visits/{aide}/assign", slot, of=f"/visits/{aide}").status_code == 200
    answer = manager.get(f"/patients/{scene.patient}/intermittent-usage?week=2026-11-12").json
    assert (answer["week_from"], answer["week_to"], answer["minutes"]) == ("2026-11-08", "2026-11-14", 60)
    assert (answer["days"]["2026-11-10"], answer["days"]["2026-11-11"]) == (30, 30)
    assert (answer["day_maximum"], answer["week_maximum"]) == (479, 1680)


def test_a_supervision_is_recorded_by_whoever_made_it(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, office: Browser, nurse: Browser
) -> None:
    number = wanted(ordered())[0]
    office.change("POST", f"/visits/{number}/assign", _slot(scene), of=f"/visits/{number}")
    body = {"patient_id": scene.patient, "supervised_on": "2026-11-09", "aide_id": scene["aide"]}
    made = nurse.post("/supervisions", body)
    assert (made.status_code, made.json["supervisor_id"], made.json["method"]) == (201, scene["nurse"], "on_site")
    by_phone = nurse.post("/supervisions", body | {"method": "telephone"})
    assert (by_phone.status_code, by_phone.json["findings"][0]["rule"]) == (422, "SUP-01")
    assert pointers(nurse.post("/supervisions", body | {"supervised_on": "2026-12-24"})) == {"/supervised_on"}
    assert office.post("/supervisions", body).status_code == 403


def test_the_same_request_twice_books_once(scene: Scene, ordered: OrderMaker, wanted: Wanted, office: Browser) -> None:
    number = wanted(ordered())[0]
    headers = {"Authorization": f"Bearer {office.token}", "If-Match": '"1"', "Idempotency-Key": "tap"}
    answers = [
        office.client.post(f"/api/v1/visits/{number}/assign", json=_slot(scene), headers=headers) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert answers[0].json["version"] == answers[1].json["version"]


def test_a_check_in_is_refused_and_set_aside_at_the_door_by_whoever_may(
    app: Coordinator,
    scene: Scene,
    ordered: OrderMaker,
    wanted: Wanted,
    office: Browser,
    nurse: Browser,
    database: Database,
) -> None:
    """On the way there the order is found to mean one visit a day, and one was made in the morning."""
    first, second = wanted(ordered())[:2]
    for number, hour in ((first, 9), (second, 13)):
        with database.transaction() as session:
            visit = session.get_one(Visit, number)
            visit.status, visit.clinician_id = VisitStatus.BOOKED, scene["nurse"]
            visit.starts_at, visit.ends_at = local(TUESDAY, hour), local(TUESDAY, hour + 1)
    path, said = f"/visits/{second}/start", {"at": local(TUESDAY, 13).isoformat()}
    why = {"reason_code": "urgent-need", "text": "The wound has opened again."}
    lead = browser(
        app, database, Role.CLINICIAN, Role.CLINICAL_MANAGER, branch_ids=[scene.branch], clinician_id=scene["nurse"]
    )
    with at(local(TUESDAY, 13)):
        refused = nurse.post(path, said)
        assert (refused.status_code, refused.json["overridable"]) == (422, True)
        assert [one["rule"] for one in refused.json["findings"] if one["severity"] == "BLOCK-OVR"] == ["FRQ-03"]
        barred = nurse.post(path, said | {"override": why})
        assert (barred.status_code, barred.json["may_override"]) == (403, {"FRQ-03": ["clinical_manager"]})
        wordless = lead.post(path, said | {"override": why | {"text": " "}})
        assert wordless.status_code == 422
        assert lead.get(f"/visits/{second}").json["status"] == "booked"
        begun = lead.post(path, said | {"override": why})
        assert (begun.status_code, begun.json["status"]) == (200, "in_progress"), begun.json
    with database.transaction(write=False) as session:
        lines = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "visit.rule-overridden")).all()
        assert [(line.subject, line.facts["rule"], line.facts["reason"]) for line in lines] == [
            (f"visit:{second}", "FRQ-03", "urgent-need")
        ]


def test_the_roster_says_what_is_done_with_a_visit_until_it_is_moved_too_late_for_it(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, office: Browser, nurse: Browser, database: Database
) -> None:
    number = wanted(ordered())[0]
    booked = office.change("POST", f"/visits/{number}/assign", _slot(scene), of=f"/visits/{number}")
    assert booked.status_code == 200, booked.json
    with database.transaction() as session:
        due = Deadline(
            rule="SUP-01", subject=f"patient:{scene.patient}", due_on=TUESDAY, task="supervise-aide", opened_at=NOW,
            owner_role="case_manager", branch_id=scene.branch, patient_id=scene.patient, facts={},
            status=DeadlineStatus.OPEN, escalate_on=FRIDAY,
        )  # fmt: skip
        session.add(due)
        session.flush()
        session.add(
            VisitDuty(
                visit_id=number, deadline_id=due.id, rule="SUP-01", first_on=TUESDAY, last_on=TUESDAY, raised=False,
                attached_at=NOW,
            )
        )  # fmt: skip
    before = nurse.get("/rosters/me/2026-11-10")
    (stop,) = before.json["stops"]
    assert stop["carries"] == [
        {"rule": "SUP-01", "what": "supervision", "first_on": "2026-11-10", "last_on": "2026-11-10"}
    ]
    for hour, carried in ((14, 1), (None, 0)):
        to = local(TUESDAY, hour) if hour else local(FRIDAY, 9)
        moved = office.change("POST", f"/visits/{number}/move", {"starts_at": to.isoformat()}, of=f"/visits/{number}")
        assert moved.status_code == 200, moved.json
        day = "2026-11-10" if hour else "2026-11-13"
        (stop,) = nurse.get(f"/rosters/me/{day}").json["stops"]
        assert len(stop["carries"]) == carried, "moved by hand to a day on which it would not count"
